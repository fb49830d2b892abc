package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
)

// opened reports whether a value belongs to a context: it carries one, was made by a call that was given one, or out of such a value.
func (e *ender) opened(x ast.Expr) bool { return e.openedBy(x, 6) }

func (e *ender) openedBy(x ast.Expr, depth int) bool {
	if x == nil || depth == 0 {
		return false
	}
	info := e.pkg.Info
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		if v, ok := info.Uses[x].(*types.Var); ok && asked(v.Type()) != "" {
			return true
		}
		return e.openedBy(e.lastValue(x), depth-1)
	case *ast.CallExpr:
		if info.Types[x.Fun].IsBuiltin() {
			return false
		}
		if slices.ContainsFunc(x.Args, func(arg ast.Expr) bool {
			t := info.TypeOf(arg)
			return t != nil && carries(t) || e.openedBy(arg, depth-1)
		}) {
			return true
		}
		sel, ok := ast.Unparen(x.Fun).(*ast.SelectorExpr)
		return ok && e.openedBy(sel.X, depth)
	case *ast.SelectorExpr:
		return e.openedBy(x.X, depth)
	case *ast.UnaryExpr:
		return e.openedBy(x.X, depth)
	case *ast.StarExpr:
		return e.openedBy(x.X, depth)
	}
	return false
}

// dries reports whether a loop over a channel or an iterator goes on behind itself when a context has ended: what it goes over belongs
// to one, and no error that comes with the elements makes the loop leave the function.
func (e *ender) dries(loop *ast.RangeStmt) bool {
	t := e.pkg.Info.TypeOf(loop.X)
	if t == nil || e.source.Kind == Test {
		return false
	}
	switch Under(t).(type) {
	case *types.Chan:
		return e.opened(loop.X)
	case *types.Signature:
		return e.opened(loop.X) && !e.leavesForOne(loop)
	}
	return false
}

// leavesForOne reports whether a loop leaves the function for an error among what it goes over.
func (e *ender) leavesForOne(loop *ast.RangeStmt) bool {
	return slices.ContainsFunc([]ast.Expr{loop.Key, loop.Value}, func(x ast.Expr) bool {
		if x == nil || !isErrorType(e.pkg.Info.TypeOf(x)) {
			return false
		}
		v := lastVar(e.pkg.Info, x)
		return v != nil && slices.ContainsFunc(loop.Body.List, func(s ast.Stmt) bool {
			check, ok := s.(*ast.IfStmt)
			return ok && compares(e.pkg.Info, check.Cond, v, token.NEQ) && e.flow.wayOut(e.pkg.Info, check.Body.List) == leavesFunction
		})
	})
}

// receivedLast reports whether a value was received from a channel that belongs to a context: it is closed when that has ended.
func (e *ender) receivedLast(value ast.Expr) bool {
	from, ok := ast.Unparen(value).(*ast.UnaryExpr)
	return ok && from.Op == token.ARROW && e.source.Kind != Test && (e.opened(from.X) || e.asks(from.X, "Done"))
}

// lookCursor notes a loop over rows or lines that belong to a context, and that keep the error which ended it: for rows.Next() { ... }. Until
// that has been asked for, the loop may have ended early.
func (e *ender) lookCursor(s ast.Stmt, u unseen) {
	if labeled, ok := s.(*ast.LabeledStmt); ok {
		s = labeled.Stmt
	}
	if loop, ok := s.(*ast.ForStmt); ok {
		if v := e.cursor(loop.Cond); v != nil {
			u[v] = loop.Cond.Pos()
		}
		return
	}
	asksFor := ast.Node(s)
	switch s := s.(type) {
	case *ast.AssignStmt, *ast.DeclStmt:
	case *ast.IfStmt:
		if e.flow.wayOut(e.pkg.Info, s.Body.List) != leavesFunction {
			return
		}
	default:
		return
	}
	for v := range u {
		if e.asksCursor(asksFor, v) {
			delete(u, v)
		}
	}
}

// cursor returns the variable of which the condition of a loop asks for more; nil for none.
func (e *ender) cursor(cond ast.Expr) *types.Var {
	switch c := ast.Unparen(cond).(type) {
	case *ast.BinaryExpr:
		if v := e.cursor(c.X); v != nil {
			return v
		}
		return e.cursor(c.Y)
	case *ast.CallExpr:
		sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
		if !ok || len(c.Args) > 0 || !isBool(e.pkg.Info.TypeOf(c)) {
			return nil
		}
		id, ok := ast.Unparen(sel.X).(*ast.Ident)
		if !ok || !e.opened(id) {
			return nil
		}
		if v, ok := e.pkg.Info.Uses[id].(*types.Var); ok && keepsError(v.Type()) {
			return v
		}
	}
	return nil
}

// keepsError reports whether a value of type t is asked for an error by a method without parameters.
func keepsError(t types.Type) bool {
	set := types.NewMethodSet(t)
	for i := range set.Len() {
		fn, ok := set.At(i).Obj().(*types.Func)
		if ok && fn.Exported() && niladic(fn.Signature()) && isErrorType(fn.Signature().Results().At(0).Type()) && !isNamed(t, "context", "Context") {
			return true
		}
	}
	return false
}

// asksCursor reports whether a statement asks a variable for the error that it keeps, and does not throw that away.
func (e *ender) asksCursor(s ast.Node, v *types.Var) (found bool) {
	ast.Inspect(s, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return !found
		}
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if ok && len(call.Args) == 0 && names(e.pkg.Info, sel.X, v) && isErrorType(e.pkg.Info.TypeOf(call)) && !CleansUp(call) && !e.dropped(call) {
			found = true
		}
		return !found
	})
	return found
}

// meetsPeer reports whether a call reads what a client sends, or writes what it gets: when the client has gone, the call fails and the context of
// its request has ended.
func (e *ender) meetsPeer(call *ast.CallExpr) bool {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		t := e.pkg.Info.TypeOf(sel.X)
		if e.peer(sel.X, 3) || t != nil && asked(t) != "" && (types.IsInterface(t) || isErrorType(e.pkg.Info.TypeOf(call))) {
			return true
		}
	}
	return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return e.peer(arg, 3) })
}

// peer reports whether a value is a response, the body of a request, or what reads or writes one of them.
func (e *ender) peer(x ast.Expr, depth int) bool {
	t := e.pkg.Info.TypeOf(x)
	if t == nil || depth == 0 {
		return false
	}
	if _, isTuple := t.(*types.Tuple); isTuple {
		return false
	}
	if writesResponse(t) {
		return true
	}
	reads := hasMethod(t, "Read")
	switch x := ast.Unparen(x).(type) {
	case *ast.SelectorExpr:
		return reads && e.opened(x.X) && !e.madeBy(x.X)
	case *ast.Ident:
		value, ok := ast.Unparen(e.lastValue(x)).(*ast.CallExpr)
		return ok && (reads || len(resultTypes(e.pkg.Info.TypeOf(value))) == 1) && e.wraps(value, depth)
	case *ast.CallExpr:
		return e.wraps(x, depth)
	}
	return false
}

// madeBy reports whether a value was made by the function itself: a request that it sends, the response to one.
func (e *ender) madeBy(x ast.Expr) bool {
	id := Root(x)
	return id != nil && e.lastValue(id) != nil
}

// wraps reports whether a call from elsewhere gets a response or a body and nothing tells that it has read it already.
func (e *ender) wraps(call *ast.CallExpr, depth int) bool {
	if t := e.pkg.Info.TypeOf(call); t == nil || e.pkg.Info.Types[call.Fun].IsBuiltin() {
		return false
	}
	fn := census.Callee(e.pkg.Info, call)
	return fn != nil && e.flow.body(fn) == nil && slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return e.peer(arg, depth-1) })
}
