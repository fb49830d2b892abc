package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// tellsEnd reports whether an expression is a variable, or a field, with a channel that tells the end of a context: what Done has
// returned, or one that is closed, or sent on, when a context has ended. For that of a test code around the statement has to say so, of which
// kind is.
func (f *Flow) tellsEnd(pkg *program.Package, file *program.File, x ast.Expr, kind Kind) bool {
	var id *ast.Ident
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	default:
		return false
	}
	v, ok := pkg.Info.Uses[id].(*types.Var)
	if !ok {
		return false
	}
	if _, ok := v.Type().Underlying().(*types.Chan); !ok {
		return false
	}
	v = v.Origin()
	if kind != Test {
		kind = Local
	}
	key := endChan{v, kind}
	tells, known := f.endChans[key]
	if !known {
		f.endChans[key] = false // while it is being looked at
		tells = slices.ContainsFunc(f.census.Uses(v), func(u census.Use) bool { return f.getsEnd(u, v, kind) })
		if !tells && v.Kind() == types.ParamVar {
			args := f.passedFor(pkg, file, v)
			tells = slices.ContainsFunc(args, func(a census.Expr) bool { return f.asksDone(a.Pkg, a.File, a.Expr, kind) })
		}
		f.endChans[key] = tells
	}
	return tells
}

// passedFor returns what calls pass for a parameter, as far as they can be seen.
func (f *Flow) passedFor(pkg *program.Package, file *program.File, v *types.Var) []census.Expr {
	if lit, ok := f.Function(file, v).(*ast.FuncLit); ok {
		call, ok := f.census.Parent(file, lit).(*ast.CallExpr)
		if i := parameterIndex(lit.Type, v.Pos()); ok && call.Fun == ast.Expr(lit) && i >= 0 && i < len(call.Args) {
			return []census.Expr{{Expr: call.Args[i], File: file, Pkg: pkg}}
		}
	}
	args, _ := f.argumentsOf(paramAt{pkg, file, v.Pos()})
	return args
}

func (f *Flow) asksDone(pkg *program.Package, file *program.File, x ast.Expr, kind Kind) bool {
	return (&ender{finder: &finder{flow: f, pkg: pkg, file: file}, source: &Source{Kind: kind}}).asks(x, "Done")
}

// getsEnd reports whether a use of a channel's variable gives it the end of a context.
func (f *Flow) getsEnd(u census.Use, v *types.Var, kind Kind) bool {
	var n ast.Node = u.Ident
	if sel, ok := f.census.Parent(u.File, n).(*ast.SelectorExpr); ok && sel.Sel == u.Ident {
		n = sel
	}
	parent, child := f.census.Outer(u.File, n)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		i := slices.IndexFunc(p.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
		return i >= 0 && len(p.Lhs) == len(p.Rhs) && f.asksDone(u.Pkg, u.File, p.Rhs[i], kind)
	case *ast.ValueSpec:
		i := slices.Index(p.Names, u.Ident)
		return i >= 0 && i < len(p.Values) && f.asksDone(u.Pkg, u.File, p.Values[i], kind)
	case *ast.KeyValueExpr:
		return p.Key == ast.Expr(u.Ident) && f.asksDone(u.Pkg, u.File, p.Value, kind)
	case *ast.SendStmt:
		return ast.Node(p.Chan) == child && f.behindEnd(u, p, kind)
	case *ast.CallExpr:
		return isBuiltin(u.Pkg, p, "close") && f.behindEnd(u, p, kind)
	}
	return false
}

// behindEnd reports whether a use of a variable, in a statement deferred or not, is carried out when its function has waited for the end of
// a context, or runs because of that.
func (f *Flow) behindEnd(u census.Use, n ast.Node, kind Kind) bool {
	v, ok := u.Pkg.Info.ObjectOf(u.Ident).(*types.Var)
	if !ok {
		return false
	}
	for range 4 { // literals in one another: that of sync.Once in that of AfterFunc
		fn, deferred := f.runsIn(u, n)
		if fn == nil {
			return false
		}
		_, body := partsOf(fn)
		s := &Source{Kind: kind, Var: v}
		e := &ender{finder: &finder{flow: f, pkg: u.Pkg, file: u.File, pos: n.Pos(), path: Path(u.File, n.Pos())}, source: s, surely: true, mates: map[*types.Var]bool{}}
		if deferred {
			e.preceding(body.List, body)
		} else {
			e.climb()
		}
		if s.Ended != "" {
			return true
		}
		lit, _ := fn.(*ast.FuncLit)
		parent, _ := f.census.Outer(u.File, fn)
		call, ok := parent.(*ast.CallExpr)
		if lit == nil || !ok {
			return false
		}
		if fn := census.Callee(u.Pkg.Info, call); fn != nil && fn.FullName() == "context.AfterFunc" {
			return true
		}
		if f.Started(u.Pkg, u.File, call) != nil {
			return false
		}
		n = call
	}
	return false
}

// runsIn returns the function around a node, and whether the node is deferred in it.
func (f *Flow) runsIn(u census.Use, n ast.Node) (fn ast.Node, deferred bool) {
	for up := n; up != nil; up = f.census.Parent(u.File, up) {
		if _, ok := up.(*ast.DeferStmt); ok {
			deferred = true
		}
		if isFunc(up) {
			return up, deferred
		}
	}
	return nil, false
}

// partsOf returns the type and the body of a function, declared or a literal.
func partsOf(fn ast.Node) (*ast.FuncType, *ast.BlockStmt) {
	switch fn := fn.(type) {
	case *ast.FuncDecl:
		return fn.Type, fn.Body
	case *ast.FuncLit:
		return fn.Type, fn.Body
	}
	return nil, nil
}
