package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// awaitsWorkers reports whether a call waits for goroutines that work until a context has ended: Wait of the group that counts them.
func (e *ender) awaitsWorkers(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Wait" || e.source.Kind == Test || !e.flow.canWait(e.pkg.Info.TypeOf(sel.X)) {
		return false
	}
	v := lastVar(e.pkg.Info, sel.X)
	return v != nil && e.flow.countsUntilEnd(v)
}

// lastVar returns the variable, or the field, that an expression ends with, also by its address; nil for others.
func lastVar(info *types.Info, x ast.Expr) *types.Var {
	var id *ast.Ident
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	case *ast.UnaryExpr:
		if x.Op == token.AND {
			return lastVar(info, x.X)
		}
		return nil
	case *ast.StarExpr:
		return lastVar(info, x.X)
	default:
		return nil
	}
	v, _ := info.ObjectOf(id).(*types.Var)
	return v
}

// countsUntilEnd reports whether a group, in a variable or a field, counts goroutines that work until a context has ended, whatever they
// say of that.
func (f *Flow) countsUntilEnd(v *types.Var) bool {
	v = v.Origin()
	ends, known := f.workers[v]
	if !known {
		f.workers[v] = false // while it is being looked at
		ends = slices.ContainsFunc(f.census.Uses(v), f.worksUntilEnd)
		f.workers[v] = ends
	}
	return ends
}

// worksUntilEnd reports whether a use of a group belongs to such a goroutine: which counts itself off, is started by the group, or gets it.
func (f *Flow) worksUntilEnd(u census.Use) bool {
	var n ast.Node = u.Ident
	if sel, ok := f.census.Parent(u.File, n).(*ast.SelectorExpr); ok && sel.Sel == u.Ident {
		n = sel
	}
	parent, child := f.census.Outer(u.File, n)
	if addr, ok := parent.(*ast.UnaryExpr); ok && addr.Op == token.AND {
		parent, child = f.census.Outer(u.File, addr)
	}
	switch p := parent.(type) {
	case *ast.SelectorExpr:
		call, ok := f.census.Parent(u.File, p).(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) != ast.Node(p) {
			return false
		}
		if p.Sel.Name == "Done" && len(call.Args) == 0 {
			fn := f.workAround(u, call)
			return fn != nil && f.returnsAtEnd(atEnd{u.Pkg, u.File, fn, true})
		}
		return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return f.runUntilEnd(u.Pkg, u.File, arg) })
	case *ast.CallExpr:
		fn := census.Callee(u.Pkg.Info, p)
		if fn == nil || ast.Node(p.Fun) == child {
			return false
		}
		to := variable(fn, p, child)
		return to != nil && f.countsUntilEnd(to)
	case *ast.KeyValueExpr:
		key, ok := p.Key.(*ast.Ident)
		if !ok || ast.Node(p.Value) != child {
			return false
		}
		to, ok := u.Pkg.Info.Uses[key].(*types.Var)
		return ok && to.IsField() && f.countsUntilEnd(to)
	}
	return false
}

// workAround returns the function in which a group is counted off, at its end or where it stands: not the literal that is deferred for it.
func (f *Flow) workAround(u census.Use, n ast.Node) ast.Node {
	for up := f.census.Parent(u.File, n); up != nil; up = f.census.Parent(u.File, up) {
		switch up := up.(type) {
		case *ast.FuncDecl:
			return up
		case *ast.FuncLit:
			call, ok := f.census.Parent(u.File, up).(*ast.CallExpr)
			if !ok || call.Fun != ast.Expr(up) || f.callRun(u.File, call) == Concurrent {
				return up
			}
		}
	}
	return nil
}

// runUntilEnd reports whether a function value, a literal or one of the world by its name, returns because a context has ended.
func (f *Flow) runUntilEnd(pkg *program.Package, file *program.File, x ast.Expr) bool {
	e := &ender{finder: &finder{flow: f, pkg: pkg, file: file}, source: &Source{Kind: Local}}
	if lit := e.literalOf(x); lit != nil {
		return f.returnsAtEnd(atEnd{pkg, file, lit, true})
	}
	if _, ok := Under(pkg.Info.TypeOf(x)).(*types.Signature); !ok {
		return false
	}
	fn := census.Callee(pkg.Info, &ast.CallExpr{Fun: x})
	if fn == nil {
		return false
	}
	b := f.body(fn)
	return b != nil && f.returnsAtEnd(atEnd{b.pkg, b.file, b.decl, true})
}
