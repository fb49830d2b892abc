package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
)

// touchedAtEnd reports whether a goroutine, or what AfterFunc is given, waits for the end of a context and then assigns to a variable or calls a
// method of it: to close what it holds, or to tell others.
func (f *Flow) touchedAtEnd(v *types.Var) bool {
	v = v.Origin()
	touched, known := f.touched[v]
	if !known {
		f.touched[v] = false // while it is being looked at
		touched = slices.ContainsFunc(f.census.Uses(v), func(u census.Use) bool {
			if u.Pkg.Info.Defs[u.Ident] != nil || !f.reaches(u) {
				return false
			}
			fn, _ := f.runsIn(u, u.Ident)
			lit, ok := fn.(*ast.FuncLit)
			return ok && (v.IsField() || v.Pos() < lit.Pos() || v.Pos() >= lit.End()) && f.behindEnd(u, u.Ident, Local)
		})
		f.touched[v] = touched
	}
	return touched
}

// reaches reports whether a use of a variable assigns to it, or calls a method of it that may close something or tell others: it is told no
// text and returns nothing but an error, unlike what writes a log or asks for something.
func (f *Flow) reaches(u census.Use) bool {
	var n ast.Node = u.Ident
	if sel, ok := f.census.Parent(u.File, n).(*ast.SelectorExpr); ok && sel.Sel == u.Ident {
		n = sel
	}
	parent, child := f.census.Outer(u.File, n)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		return slices.ContainsFunc(p.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
	case *ast.SelectorExpr:
		call, ok := f.census.Parent(u.File, p).(*ast.CallExpr)
		return ok && call.Fun == ast.Expr(p) && mayClose(census.Callee(u.Pkg.Info, call))
	}
	return false
}

func mayClose(fn *types.Func) bool {
	if fn == nil || !onlyFails(fn.Signature()) || fn.Signature().Variadic() {
		return false
	}
	for p := range fn.Signature().Params().Variables() {
		if b, ok := p.Type().Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 || isAny(p.Type()) {
			return false
		}
	}
	return true
}

// toldAtEnd reports whether a condition asks what is set when a context has ended, or compares with its deadline.
func (e *ender) toldAtEnd(cond ast.Expr) bool {
	if cond == nil || e.source.Kind == Test {
		return false
	}
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || found {
			return !found
		}
		if v, ok := e.pkg.Info.Uses[id].(*types.Var); ok && !carries(v.Type()) {
			last := e.lastValue(id)
			found = e.flow.touchedAtEnd(v) || last != nil && e.asks(last, "Deadline")
		}
		return !found
	})
	return found
}

// closedAtEnd reports whether a call works with what is closed when a context has ended, a server for example: it may be over because of
// that, unless each error of it makes the function leave. Locks are not closed.
func (e *ender) closedAtEnd(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || e.source.Kind == Test {
		return false
	}
	fn := census.Callee(e.pkg.Info, call)
	if fn == nil || fn.Signature().Recv() == nil || fn.Pkg() != nil && (fn.Pkg().Path() == "sync" || fn.Pkg().Path() == "sync/atomic") {
		return false
	}
	if sig := fn.Signature(); !CanFail(sig.Results()) && (sig.Params().Len() > 0 || sig.Results().Len() > 0) {
		return false // a log goes on
	}
	v := lastVar(e.pkg.Info, sel.X)
	return v != nil && !carries(v.Type()) && e.flow.touchedAtEnd(v) && !e.leavesForError(call)
}

// leavesForError reports whether the function leaves for whatever error a call returns: no error is let through.
func (e *ender) leavesForError(call *ast.CallExpr) bool {
	as, ok := e.flow.census.Parent(e.file, call).(*ast.AssignStmt)
	if !ok {
		return false
	}
	id, ok := as.Lhs[len(as.Lhs)-1].(*ast.Ident)
	if !ok || !isErrorType(e.pkg.Info.TypeOf(id)) {
		return false
	}
	v, ok := e.pkg.Info.ObjectOf(id).(*types.Var)
	return ok && slices.ContainsFunc(e.flow.census.Uses(v), func(u census.Use) bool {
		c, ok := e.flow.census.Parent(u.File, u.Ident).(*ast.BinaryExpr)
		if !ok || c.Op != token.NEQ || u.File != e.file || u.Ident.Pos() < as.Pos() {
			return false
		}
		check, ok := e.flow.census.Parent(u.File, c).(*ast.IfStmt)
		return ok && check.Cond == ast.Expr(c) && e.flow.wayOut(e.pkg.Info, check.Body.List) == leavesFunction
	})
}
