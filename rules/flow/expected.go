package flow

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Tests compare contexts: a mock is told with which arguments it will be called, a context made from nothing among them, and every such
// context equals every other. One with a caller behind it equals itself alone, so that the test fails. What is compared goes through
// parameters that take any value.

// expectations are the contexts made from nothing that tests expect to see.
type expectations struct {
	// dirs are the directories of packages whose tests have such.
	dirs map[string]bool
	// calls are the packages whose tests expect a function of that name to be called with one.
	calls map[string][]*types.Package
}

// Expected reports whether a context made from nothing may be one that a test expects to see: it is made in the tests of a package that
// tell what they expect, or for a call which some test that contains the package expects to get one.
func (f *Flow) Expected(b *Birth) bool {
	f.expectedRead.Do(f.readExpected)
	if b.File.Test {
		return f.expected.dirs[b.Pkg.Dir]
	}
	return len(f.expected.calls) > 0 && slices.ContainsFunc(f.Fates(b.Pkg, b.File, b.Call), func(fate Fate) bool {
		return fate.Call != nil && f.reachesExpected(b.Pkg.Types, census.Callee(b.Pkg.Info, fate.Call), map[*types.Func]bool{})
	})
}

// reachesExpected reports whether a function is one that a test of a program with a package expects to be called with a fresh context, or
// hands a context on to such a one.
func (f *Flow) reachesExpected(pkg *types.Package, fn *types.Func, seen map[*types.Func]bool) bool {
	if fn == nil || seen[fn] {
		return false
	}
	seen[fn] = true
	if slices.ContainsFunc(f.expected.calls[fn.Name()], func(test *types.Package) bool { return imports(test, pkg, map[*types.Package]bool{}) }) {
		return true
	}
	b := f.body(fn)
	if b == nil {
		return false
	}
	found := false
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && !found {
			found = slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return Implements(b.pkg.Info.TypeOf(arg)) }) &&
				f.reachesExpected(pkg, census.Callee(b.pkg.Info, call), seen)
		}
		return !found
	})
	return found
}

// imports reports whether a package is another one, its test, or comes to it by its imports.
func imports(from, to *types.Package, seen map[*types.Package]bool) bool {
	if from.Path() == to.Path() {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(from.Imports(), func(p *types.Package) bool { return imports(p, to, seen) })
}

// readExpected looks for what tests expect.
func (f *Flow) readExpected() {
	f.expected = expectations{map[string]bool{}, map[string][]*types.Package{}}
	for _, b := range f.Births() {
		if !b.File.Test {
			continue
		}
		t := &tracer{flow: f, pkg: b.Pkg, file: b.File, from: b.Call.Pos(), seen: map[followed]bool{}}
		t.value(b.Call)
		for _, call := range t.compared {
			f.expected.dirs[b.Pkg.Dir] = true
			if call != nil {
				f.expect(b.Pkg, b.File, call)
			}
		}
	}
}

// expect notes the names of functions that a call which gets a fresh context as any value may speak of: its own, as the methods of a
// recorder have it, and a text that it gets beside the context. A call that makes a matcher of the context is an argument itself.
func (f *Flow) expect(pkg *program.Package, file *program.File, call *ast.CallExpr) {
	note := func(name string) {
		if !slices.Contains(f.expected.calls[name], pkg.Types) {
			f.expected.calls[name] = append(f.expected.calls[name], pkg.Types)
		}
	}
	if fn := census.Callee(pkg.Info, call); fn != nil {
		note(fn.Name())
	}
	for _, arg := range call.Args {
		if tv := pkg.Info.Types[arg]; tv.Value != nil && tv.Value.Kind() == constant.String {
			note(constant.StringVal(tv.Value))
		}
	}
	parent, child := f.census.Outer(file, call)
	if outer, ok := parent.(*ast.CallExpr); ok && ast.Node(outer.Fun) != child {
		f.expect(pkg, file, outer)
	}
}

// mayCompare reports whether a call gets an argument as a value of any type, and may compare it: nothing of the standard library does, which
// prints it.
func (t *tracer) mayCompare(call *ast.CallExpr, arg ast.Node) bool {
	sig, ok := Under(t.pkg.Info.TypeOf(call.Fun)).(*types.Signature)
	i := slices.IndexFunc(call.Args, func(e ast.Expr) bool { return ast.Node(e) == arg })
	if !ok || i < 0 || sig.Params().Len() == 0 {
		return false
	}
	last := sig.Params().Len() - 1
	param := sig.Params().At(min(i, last)).Type()
	if list, ok := param.Underlying().(*types.Slice); ok && sig.Variadic() && i >= last && !call.Ellipsis.IsValid() {
		param = list.Elem()
	}
	if !isAny(param) {
		return false
	}
	fn := census.Callee(t.pkg.Info, call)
	return fn == nil || fn.Pkg() == nil || !t.flow.prog.Configs[0].Std(fn.Pkg())
}
