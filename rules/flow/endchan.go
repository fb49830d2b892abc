package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// tellsEnd reports whether an expression is a variable, or a field, with a channel that tells the end of a context: what Done has
// returned, or one that is closed, or sent on, when a context has ended.
func (f *Flow) tellsEnd(pkg *program.Package, file *program.File, x ast.Expr) bool {
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
	tells, known := f.endChans[v]
	if !known {
		f.endChans[v] = false // while it is being looked at
		tells = slices.ContainsFunc(f.census.Uses(v), func(u census.Use) bool { return f.getsEnd(u, v) })
		if !tells && v.Kind() == types.ParamVar {
			args := f.passedFor(pkg, file, v)
			tells = slices.ContainsFunc(args, func(a census.Expr) bool { return f.asksDone(a.Pkg, a.File, a.Expr) })
		}
		f.endChans[v] = tells
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

func (f *Flow) asksDone(pkg *program.Package, file *program.File, x ast.Expr) bool {
	return (&ender{finder: &finder{flow: f, pkg: pkg, file: file}}).asks(x, "Done")
}

// getsEnd reports whether a use of a channel's variable gives it the end of a context.
func (f *Flow) getsEnd(u census.Use, v *types.Var) bool {
	var n ast.Node = u.Ident
	if sel, ok := f.census.Parent(u.File, n).(*ast.SelectorExpr); ok && sel.Sel == u.Ident {
		n = sel
	}
	parent, child := f.census.Outer(u.File, n)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		i := slices.IndexFunc(p.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
		return i >= 0 && len(p.Lhs) == len(p.Rhs) && f.asksDone(u.Pkg, u.File, p.Rhs[i])
	case *ast.ValueSpec:
		i := slices.Index(p.Names, u.Ident)
		return i >= 0 && i < len(p.Values) && f.asksDone(u.Pkg, u.File, p.Values[i])
	case *ast.KeyValueExpr:
		return p.Key == ast.Expr(u.Ident) && f.asksDone(u.Pkg, u.File, p.Value)
	case *ast.SendStmt:
		return ast.Node(p.Chan) == child && f.behindEnd(u, p, v)
	case *ast.CallExpr:
		id, ok := ast.Unparen(p.Fun).(*ast.Ident)
		return ok && id.Name == "close" && u.Pkg.Info.Types[p.Fun].IsBuiltin() && f.behindEnd(u, p, v)
	}
	return false
}

// behindEnd reports whether a statement on a channel, deferred or not, is carried out when its function has waited for the end of a
// context, or runs because of that.
func (f *Flow) behindEnd(u census.Use, n ast.Node, v *types.Var) bool {
	var body *ast.BlockStmt
	deferred := false
	for up := n; up != nil && body == nil; up = f.census.Parent(u.File, up) {
		switch up := up.(type) {
		case *ast.DeferStmt:
			deferred = true
		case *ast.FuncLit:
			if call, ok := f.census.Parent(u.File, up).(*ast.CallExpr); ok {
				if fn := census.Callee(u.Pkg.Info, call); fn != nil && fn.FullName() == "context.AfterFunc" {
					return true
				}
			}
			body = up.Body
		case *ast.FuncDecl:
			body = up.Body
		}
	}
	if body == nil {
		return false
	}
	s := &Source{Kind: Local, Var: v}
	e := &ender{finder: &finder{flow: f, pkg: u.Pkg, file: u.File, pos: n.Pos(), path: Path(u.File, n.Pos())}, source: s, surely: true, mates: map[*types.Var]bool{}}
	if deferred {
		e.preceding(body.List, body)
		return s.Ended != ""
	}
	e.climb()
	return s.Ended != ""
}
