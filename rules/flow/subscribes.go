package flow

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Subscribes reports whether a call hands a context together with a function without results, or a channel to send on, to code that is not
// there to be seen: what is to be told of things as they come is told for as long as the context lives. A function that returns something,
// an error for example, is taken to be called at once, since somebody waits for that; so is one that gets a context alone, by a call
// that returns nothing itself. What comes in any number are options, and what runs when the context has ended tells of nothing before.
func (f *Flow) Subscribes(pkg *program.Package, call *ast.CallExpr) bool {
	fn := census.Callee(pkg.Info, call)
	if fn == nil || runsAtEnd(fn) || !givesContextTo(pkg, call) || f.seesAll(fn) {
		return false
	}
	sig := fn.Signature()
	for i := range sig.Params().Len() {
		if sig.Variadic() && i == sig.Params().Len()-1 || i < len(call.Args) && pkg.Info.Types[call.Args[i]].IsNil() {
			continue
		}
		switch t := sig.Params().At(i).Type().Underlying().(type) {
		case *types.Signature:
			alone := t.Params().Len() == 1 && IsContext(t.Params().At(0).Type()) && sig.Results().Len() == 0
			if t.Results().Len() == 0 && !alone {
				return true
			}
		case *types.Chan:
			if t.Dir() != types.RecvOnly {
				return true
			}
		}
	}
	return false
}

// givesContextTo reports whether a call has a context among its arguments.
func givesContextTo(pkg *program.Package, call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		if carries(pkg.Info.TypeOf(arg)) {
			return true
		}
	}
	return false
}

// seesAll reports whether the bodies of all that a call of a function may run are known.
func (f *Flow) seesAll(fn *types.Func) bool {
	callees := f.Callees(fn)
	for _, callee := range callees {
		if f.body(callee) == nil {
			return false
		}
	}
	return len(callees) > 0
}
