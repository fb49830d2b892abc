package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// RegistersCleanup reports whether a call may have something done when a test has ended: by a function of the world that registers a
// Cleanup, itself or by what it calls, or by code that nobody knows and that gets what registers one. What is given to such a call may
// be needed then.
func (f *Flow) RegistersCleanup(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	sig := signatureOf(pkg, call)
	fn := census.Callee(pkg.Info, call)
	switch {
	case sig == nil:
		return false // a conversion or a builtin
	case fn == nil:
		by := f.declares(census.Use{File: file, Pkg: pkg}, call)
		return takesCleaner(sig) || by != nil && f.registering()[by] // in what the function value may be
	case f.registering()[fn.Origin()]:
		return true
	case f.body(fn) != nil:
		return false
	}
	return takesCleaner(sig) || slices.ContainsFunc(f.implementations(fn), func(m *types.Func) bool { return f.registering()[m.Origin()] })
}

// signatureOf returns the signature by which a call calls something, nil for none.
func signatureOf(pkg *program.Package, call *ast.CallExpr) *types.Signature {
	tv := pkg.Info.Types[call.Fun]
	if tv.Type == nil || tv.IsType() || tv.IsBuiltin() {
		return nil
	}
	sig, _ := tv.Type.Underlying().(*types.Signature)
	return sig
}

// takesCleaner reports whether a function gets what registers functions that run when a test has ended.
func takesCleaner(sig *types.Signature) bool {
	for p := range sig.Params().Variables() {
		if fn := method(p.Type(), "Cleanup"); fn != nil && IsCleanup(fn) {
			return true
		}
	}
	return false
}

// IsCleanup reports whether a function registers what a test does when it has ended: it is a method Cleanup that gets a function.
func IsCleanup(fn *types.Func) bool {
	params := fn.Signature().Params()
	if fn.Name() != "Cleanup" || params.Len() != 1 || !runsAtEnd(fn) {
		return false
	}
	_, ok := params.At(0).Type().Underlying().(*types.Signature)
	return ok
}

// implementations returns the methods of types of the world that implement one of an interface, those of tests included; none of
// other functions.
func (f *Flow) implementations(fn *types.Func) []*types.Func {
	recv := fn.Signature().Recv()
	if recv == nil {
		return nil
	}
	iface, ok := recv.Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	var list []*types.Func
	for _, t := range f.typesWith(fn) {
		if m := implementation(t, iface, fn); m != nil {
			list = append(list, m)
		}
	}
	return list
}

// registering returns the functions of the world that register a Cleanup, and those that mention one which does: from each function
// back to those that mention it, so that all of them are found whatever calls what.
func (f *Flow) registering() map[*types.Func]bool {
	if f.registrars != nil {
		return f.registrars
	}
	f.registrars = map[*types.Func]bool{}
	var todo []*types.Func
	add := func(u census.Use, n ast.Node) {
		if fn := f.declares(u, n); fn != nil && !f.registrars[fn] {
			f.registrars[fn] = true
			todo = append(todo, fn)
		}
	}
	f.EachCall(func(_ *program.Package, file *program.File, call *ast.CallExpr) {
		for _, pkg := range f.packages[file] {
			if fn := census.Callee(pkg.Info, call); fn != nil && IsCleanup(fn) {
				add(census.Use{File: file, Pkg: pkg}, call)
			}
		}
	})
	for len(todo) > 0 {
		fn := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, u := range f.census.Uses(fn) {
			add(u, u.Ident)
		}
	}
	return f.registrars
}

// declares returns the declared function around a node where something is used, nil for none.
func (f *Flow) declares(u census.Use, n ast.Node) *types.Func {
	for ; n != nil; n = f.census.Parent(u.File, n) {
		if d, ok := n.(*ast.FuncDecl); ok {
			fn, _ := u.Pkg.Info.Defs[d.Name].(*types.Func)
			return fn
		}
	}
	return nil
}
