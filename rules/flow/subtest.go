package flow

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// parallel reports whether a function literal may be a test that runs beside others: it has a parameter whose method Parallel is
// called, by itself or by what gets the parameter. The test goes on when the function that runs it has returned, and ends before the
// test does that it is a part of.
func (f *Flow) parallel(pkg *program.Package, lit *ast.FuncLit) bool {
	for _, field := range lit.Type.Params.List {
		for _, id := range field.Names {
			if v, ok := pkg.Info.Defs[id].(*types.Var); ok && goesParallel(v.Type()) && f.madeParallel(v) {
				return true
			}
		}
	}
	return false
}

// goesParallel reports whether a value of type t is a test that can be made to run beside others.
func goesParallel(t types.Type) bool {
	if t == nil {
		return false
	}
	fn := method(t, "Parallel")
	return fn != nil && fn.Signature().Params().Len() == 0 && fn.Signature().Results().Len() == 0
}

// madeParallel reports whether the method Parallel of a test may be called: by the function that has it as a parameter, or by
// those that get it from there.
func (f *Flow) madeParallel(v *types.Var) bool {
	made, known := f.parallels[v]
	if !known {
		w := &waker{flow: f, seen: map[*types.Var]bool{}}
		w.add(v)
		for len(w.todo) > 0 && !made {
			next := w.todo[len(w.todo)-1]
			w.todo = w.todo[:len(w.todo)-1]
			made = w.variable(next)
		}
		f.parallels[v] = made
	}
	return made
}

// A waker follows a test through the functions that get it, each parameter once.
type waker struct {
	flow *Flow
	seen map[*types.Var]bool
	todo []*types.Var
}

func (w *waker) add(v *types.Var) {
	if v != nil && !w.seen[v] {
		w.seen[v] = true
		w.todo = append(w.todo, v)
	}
}

// variable reports whether a use of a variable may make the test parallel that it holds.
func (w *waker) variable(v *types.Var) bool {
	for _, u := range w.flow.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] == nil && w.use(u, v) {
			return true
		}
	}
	return false
}

func (w *waker) use(u census.Use, v *types.Var) bool {
	parent, child := w.flow.census.Outer(u.File, u.Ident)
	switch p := parent.(type) {
	case *ast.SelectorExpr:
		return w.selected(u.Pkg, p)
	case *ast.CallExpr:
		return w.given(u.Pkg, p, child)
	case *ast.TypeAssertExpr:
		return p.Type == nil || goesParallel(u.Pkg.Info.TypeOf(p.Type))
	case *ast.BinaryExpr:
		return false
	case *ast.AssignStmt:
		if id, ok := p.Lhs[0].(*ast.Ident); ok && id.Name == "_" && len(p.Lhs) == 1 {
			return false
		}
	}
	return goesParallel(v.Type()) // nobody knows where it comes to
}

// selected looks at what is selected from a test: a method of package testing does what its name says, one of the world is
// followed.
func (w *waker) selected(pkg *program.Package, sel *ast.SelectorExpr) bool {
	fn, ok := pkg.Info.Uses[sel.Sel].(*types.Func)
	switch {
	case !ok:
		return goesParallel(pkg.Info.TypeOf(sel)) // a field that holds the test
	case goesParallel(pkg.Info.TypeOf(sel.X)) && fn.Name() == "Parallel":
		return true
	case w.flow.body(fn) != nil:
		w.add(fn.Origin().Signature().Recv())
		return false
	}
	return fn.Pkg() == nil || fn.Pkg().Path() != "testing" && goesParallel(pkg.Info.TypeOf(sel.X))
}

// given looks at a call that gets a test.
func (w *waker) given(pkg *program.Package, call *ast.CallExpr, arg ast.Node) bool {
	fn, i := census.Callee(pkg.Info, call), argumentIndex(pkg, call, arg)
	if fn != nil && w.flow.body(fn) != nil {
		params := fn.Origin().Signature().Params()
		if i >= 0 && i < params.Len() && !(fn.Signature().Variadic() && i == params.Len()-1) {
			w.add(params.At(i))
			return false
		}
		return true
	}
	if tv := pkg.Info.Types[call.Fun]; tv.IsType() {
		return goesParallel(tv.Type)
	}
	sig := signatureOf(pkg, call)
	if sig == nil {
		return true // a builtin: append
	}
	for j, a := range call.Args {
		if ast.Node(a) == arg && j < sig.Params().Len() {
			return goesParallel(sig.Params().At(j).Type())
		}
	}
	return true
}

// onlySubtests reports whether the literals around a place, up to the declaration of a variable, run in place but for those of tests
// that run beside others.
func (f *Flow) onlySubtests(pkg *program.Package, file *program.File, lit *ast.FuncLit, v *types.Var) bool {
	for lit != nil {
		if f.RunOf(pkg, file, lit) != InPlace && !f.subtest(pkg, file, lit) {
			return false
		}
		lit = f.literalAround(file, f.census.Parent(file, lit), v)
	}
	return true
}

// subtest reports whether a function literal is that of a test which runs beside others, given to Run of package testing.
func (f *Flow) subtest(pkg *program.Package, file *program.File, lit *ast.FuncLit) bool {
	parent, child := f.census.Outer(file, lit)
	call, ok := parent.(*ast.CallExpr)
	if !ok || ast.Node(call.Fun) == child || f.callRun(file, call) != InPlace {
		return false
	}
	fn := census.Callee(pkg.Info, call)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "testing" && callsAtOnce(fn)
}

// inSubtest follows a context into a test that runs beside others. All that becomes of it there is kept by the function that
// runs the test.
func (t *tracer) inSubtest(e ast.Expr) {
	first := len(t.list)
	t.value(e)
	for i := range t.list[first:] {
		fate := &t.list[first+i]
		if !fate.subtest {
			fate.subtest, fate.inTest, fate.Kind = true, fate.Kind, Kept
		}
	}
}

// InTest returns a fate as the test sees it that the function belongs to: what tests do that are part of it, and run beside
// others, is done before its own context ends.
func (fate Fate) InTest() Fate {
	if fate.subtest {
		fate.Kind = fate.inTest
	}
	return fate
}
