package supply

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// PassesOn reports whether a function does nothing but call another one with a fresh context and what it was given itself: a
// good shape, that of Query beside QueryContext.
func PassesOn(f *callgraph.Func, born *ast.CallExpr) bool {
	if len(f.Decl.Body.List) != 1 {
		return false
	}
	var call *ast.CallExpr
	switch s := f.Decl.Body.List[0].(type) {
	case *ast.ReturnStmt:
		if len(s.Results) == 1 {
			call, _ = ast.Unparen(s.Results[0]).(*ast.CallExpr)
		}
	case *ast.ExprStmt:
		call, _ = s.X.(*ast.CallExpr)
	}
	if call == nil || !slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return ast.Unparen(a) == ast.Expr(born) }) {
		return false
	}
	params := map[types.Object]bool{}
	for v := range f.Signature.Params().Variables() {
		params[v] = true
	}
	for _, a := range call.Args {
		if ast.Unparen(a) == ast.Expr(born) {
			continue
		}
		id, ok := ast.Unparen(a).(*ast.Ident)
		if !ok || !params[f.Pkg.Info.Uses[id]] {
			return false
		}
		delete(params, f.Pkg.Info.Uses[id])
	}
	return len(params) == 0 && sameReceiver(f, call) && related(f, call)
}

// HasTwin reports whether a function that takes a context, Exec beside ExecContext, stands beside one: whoever calls this one has
// chosen to.
func HasTwin(f *callgraph.Func) bool {
	for _, suffix := range []string{"Context", "Ctx", "WithContext"} {
		name := f.Object.Name() + suffix
		obj := f.Pkg.Types.Scope().Lookup(name)
		if recv := f.Signature.Recv(); recv != nil {
			obj, _, _ = types.LookupFieldOrMethod(recv.Type(), true, f.Pkg.Types, name)
		}
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Params().Len() > 0 && flow.IsContext(fn.Signature().Params().At(0).Type()) {
			return true
		}
	}
	return false
}

// related reports whether the name of what is called contains that of the function: QueryContext, doQuery.
func related(f *callgraph.Func, call *ast.CallExpr) bool {
	fn := census.Callee(f.Pkg.Info, call)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() != "context" && strings.Contains(strings.ToLower(fn.Name()), strings.ToLower(f.Decl.Name.Name))
}

// sameReceiver reports whether a call calls a function, or a method of the receiver.
func sameReceiver(f *callgraph.Func, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || f.Pkg.Info.Selections[sel] == nil {
		return true
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	return ok && f.Signature.Recv() != nil && f.Pkg.Info.Uses[id] == types.Object(f.Signature.Recv())
}

// CleansUp reports whether a function is called to clean up: by a defer statement, in deferred code, or where the context of the
// caller may have ended. Such code needs a context of its own.
func (s *Supply) CleansUp(f *callgraph.Func) bool {
	list, _ := Tied(f)
	for _, m := range list {
		for _, call := range m.Calls {
			if !call.File.Test && (call.Defer || s.Ended(call) || s.Inside(call.File, call.Expr, isDefer)) {
				return true
			}
		}
	}
	return false
}

// Inside reports whether a node lies in a node of a kind, in the same declaration.
func (s *Supply) Inside(file *program.File, n ast.Node, kind func(ast.Node) bool) bool {
	for p := s.census.Parent(file, n); p != nil; p = s.census.Parent(file, p) {
		if kind(p) {
			return true
		}
	}
	return false
}

func isDefer(n ast.Node) bool {
	_, ok := n.(*ast.DeferStmt)
	return ok
}
