package supply

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// maxCalls bounds how many calls deep a context is followed for [Supply.Keeps].
const maxCalls = 5

// Keeps reports whether a function of the world that a call may run, by way of a variable, an interface or a method expression as
// well, goes on with a context that it is given when the call has returned. Unlike [flow.Flow.MayKeep] it takes functions
// that nobody knows for those that end with their calls, unless [flow.Flow.Subscribes] says otherwise.
func (s *Supply) Keeps(call *ast.CallExpr) bool {
	return s.keeps(call, map[*types.Var]bool{}, 0)
}

// KeepsOwn reports whether a function of the world, or one that implements it, goes on with a context that it is given when it has
// returned.
func (s *Supply) KeepsOwn(fn *types.Func) bool {
	f := s.Calls.FuncOf(fn)
	if f == nil {
		return false
	}
	for i := range fn.Signature().Params().Len() {
		if t := fn.Signature().Params().At(i).Type(); !flow.Implements(t) && !flow.Carries(t) {
			continue
		}
		for _, by := range s.mayRun(f) {
			if s.keepsParam(by, i, map[*types.Var]bool{}, 0) {
				return true
			}
		}
	}
	return false
}

func (s *Supply) keeps(expr *ast.CallExpr, seen map[*types.Var]bool, depth int) bool {
	call := s.Calls.CallAt(expr)
	if call == nil || depth > maxCalls {
		return false
	}
	if s.Calls.Program.Single && s.unread(call.Pkg, expr) || s.Flow.Subscribes(call.Pkg, expr) {
		return true
	}
	for i, arg := range expr.Args {
		if call.ByMethod {
			i--
		}
		if t := call.Pkg.Info.TypeOf(arg); i < 0 || !flow.Implements(t) && !flow.Carries(t) {
			continue
		}
		for _, callee := range call.Callees {
			for _, f := range s.mayRun(callee) {
				if s.keepsParam(f, i, seen, depth) {
					return true
				}
			}
		}
	}
	return false
}

// keepsParam reports whether a function goes on with what its i-th parameter holds when it has returned.
func (s *Supply) keepsParam(f *callgraph.Func, i int, seen map[*types.Var]bool, depth int) bool {
	if f.Body() == nil || f.Signature == nil || i >= f.Signature.Params().Len() {
		return false
	}
	v := f.Signature.Params().At(i)
	if seen[v] || v.Name() == "" || v.Name() == "_" {
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(s.Flow.FatesOf(f.Pkg, f.File, v), func(fate flow.Fate) bool {
		if s.Flow.Outlives(f.Pkg, f.File, fate) {
			return true
		}
		return (fate.Kind == flow.Used || fate.Kind == flow.Started) && fate.Call != nil && s.keeps(fate.Call, seen, depth+1)
	})
}

// unread reports, for a program that is a single package, whether a call may give a context to a function that was not read but
// is part of the whole program, and that may keep it.
func (s *Supply) unread(pkg *program.Package, call *ast.CallExpr) bool {
	if !slices.ContainsFunc(call.Args, func(a ast.Expr) bool { t := pkg.Info.TypeOf(a); return flow.Implements(t) || flow.Carries(t) }) {
		return false
	}
	fn := census.Callee(pkg.Info, call)
	if fn == nil {
		_, literal := ast.Unparen(call.Fun).(*ast.FuncLit)
		return !literal && !pkg.Info.Types[call.Fun].IsType()
	}
	if recv := fn.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
		return true
	}
	return s.Calls.Program.Beyond(fn) && len(s.Calls.Program.Taken(fn).Keeps) > 0
}

// Taken tells what a declared function does with the contexts that it is given, for those who see it without its body.
func (s *Supply) Taken(fn *types.Func) program.Taken {
	t := s.Flow.Taken(fn)
	f := s.Calls.FuncOf(fn)
	if f == nil || f.Signature == nil {
		return t
	}
	for i := range f.Signature.Params().Len() {
		typ := f.Signature.Params().At(i).Type()
		if (flow.Implements(typ) || flow.Carries(typ)) && !slices.Contains(t.Keeps, i) && s.keepsParam(f, i, map[*types.Var]bool{}, 0) {
			t.Keeps = append(t.Keeps, i)
		}
	}
	slices.Sort(t.Keeps)
	return t
}

// mayRun returns the functions that a call of one may run: itself, whatever may stand for a function value, or what implements
// the method of an interface.
func (s *Supply) mayRun(f *callgraph.Func) []*callgraph.Func {
	if f.Body() != nil {
		return []*callgraph.Func{f}
	}
	list, _ := Tied(f)
	list = slices.DeleteFunc(list, func(g *callgraph.Func) bool { return g.File != nil && (g.File.Test || g.File.Generated) })
	if f.Object != nil {
		for _, m := range s.Flow.Callees(f.Object) {
			if by := s.Calls.FuncOf(m); by != nil && !slices.Contains(list, by) {
				list = append(list, by)
			}
		}
	}
	return list
}
