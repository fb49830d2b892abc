package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
)

// EndsSilently reports whether a function may return before its work is done because its context has ended, and tells nobody: it
// returns nothing. One of the world does so when it asks the context for its end, or passes it to what can fail. What one from elsewhere
// does is not known: it is taken to do so unless it gets a message, as what writes a log does.
func (f *Flow) EndsSilently(fn *types.Func) bool { return f.endsSilently(fn, map[*types.Func]bool{}) }

func (f *Flow) endsSilently(fn *types.Func, seen map[*types.Func]bool) bool {
	if fn.Signature().Results().Len() > 0 || seen[fn] {
		return false
	}
	seen[fn] = true
	b := f.body(fn)
	if b == nil {
		return !getsMessage(fn.Signature())
	}
	if f.AsksForEnd(fn) {
		return true
	}
	found := false
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || found || !slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return Implements(b.pkg.Info.TypeOf(arg)) }) {
			return !found
		}
		if results := resultTypes(b.pkg.Info.TypeOf(call)); len(results) == 1 && Implements(results[0]) {
			return true // a context with another value
		}
		inner := census.Callee(b.pkg.Info, call)
		found = inner == nil || CanFail(b.pkg.Info.TypeOf(call)) || f.endsSilently(inner, seen)
		return !found
	})
	return found
}

// getsMessage reports whether a function gets a text, or values of any type.
func getsMessage(sig *types.Signature) bool {
	for p := range sig.Params().Variables() {
		t := p.Type()
		if s, ok := t.(*types.Slice); ok {
			t = s.Elem()
		}
		if basic, ok := Under(t).(*types.Basic); ok && basic.Info()&types.IsString != 0 || isAny(t) {
			return true
		}
	}
	return false
}
