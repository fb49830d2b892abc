package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// maxCalls bounds how many calls deep a context is followed for [Flow.MayKeep].
const maxCalls = 5

// MayKeep reports whether a call that gets a context may go on with it after it has returned, as far as [Flow.Fates] does not
// say so: it calls a function value, a method of an interface of which an implementation in the world keeps it, or something that does
// either. What code elsewhere does with a context is taken to end with the call, unless [Flow.Subscribes] says otherwise.
func (f *Flow) MayKeep(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	return f.mayKeep(pkg, file, call, map[*types.Var]bool{}, 0)
}

func (f *Flow) mayKeep(pkg *program.Package, file *program.File, call *ast.CallExpr, seen map[*types.Var]bool, depth int) bool {
	if tv := pkg.Info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() || depth > maxCalls {
		return false
	}
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		sig, ok := pkg.Info.TypeOf(lit).(*types.Signature)
		return ok && f.keepsParams(pkg, file, sig, call, 0, seen, depth)
	}
	fn := census.Callee(pkg.Info, call)
	if fn == nil {
		return true // a function value: whatever it is
	}
	first := 0 // the argument that the first parameter gets
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if s := pkg.Info.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
			first = 1
		}
		if first == 0 && f.body(fn) == nil && isFuncType(fn) { // http.HandlerFunc(show).ServeHTTP: it calls its receiver
			if fn = converted(pkg.Info, sel.X); fn == nil {
				return true
			}
		}
	}
	for _, callee := range f.Callees(fn) {
		if b := f.body(callee); b != nil && f.keepsParams(b.pkg, b.file, callee.Origin().Signature(), call, first, seen, depth) {
			return true
		}
	}
	return f.Subscribes(pkg, call)
}

// isFuncType reports whether a function is the method of a function type.
func isFuncType(fn *types.Func) bool {
	recv := fn.Signature().Recv()
	if recv == nil {
		return false
	}
	_, ok := recv.Type().Underlying().(*types.Signature)
	return ok
}

// converted returns the declared function that an expression converts to another type, nil for others.
func converted(info *types.Info, e ast.Expr) *types.Func {
	conv, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(conv.Args) != 1 || !info.Types[conv.Fun].IsType() {
		return nil
	}
	switch arg := ast.Unparen(conv.Args[0]).(type) {
	case *ast.Ident:
		fn, _ := info.Uses[arg].(*types.Func)
		return fn
	case *ast.SelectorExpr:
		fn, _ := info.Uses[arg.Sel].(*types.Func)
		return fn
	}
	return nil
}

// keepsParams reports whether a function of the world may go on with a context that is the argument of a call.
func (f *Flow) keepsParams(pkg *program.Package, file *program.File, sig *types.Signature, call *ast.CallExpr, first int, seen map[*types.Var]bool, depth int) bool {
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if first+i >= len(call.Args) || !carries(v.Type()) || seen[v] {
			continue
		}
		seen[v] = true
		for _, fate := range f.FatesOf(pkg, file, v) {
			switch {
			case f.Outlives(pkg, file, fate):
				return true
			case fate.Call != nil && fate.Kind != Looked && fate.Kind != Detached && f.mayKeep(pkg, file, fate.Call, seen, depth+1):
				return true
			}
		}
	}
	return false
}

// Callees returns the functions of the world that a call of fn may run: itself, or the methods of the types that implement
// its interface, mocks apart.
func (f *Flow) Callees(fn *types.Func) []*types.Func {
	recv := fn.Signature().Recv()
	if recv == nil || !types.IsInterface(recv.Type()) {
		return []*types.Func{fn}
	}
	iface, ok := recv.Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	list, known := f.callees[fn]
	if !known {
		for _, t := range f.typesWith(fn) {
			if m := implementation(t, iface, fn); m != nil && f.works(m) {
				list = append(list, m)
			}
		}
		f.callees[fn] = list
	}
	return slices.Clone(list)
}

// A methodForm is what methods that may implement one another have in common: equal types have equal hashes.
type methodForm struct {
	name string
	hash uint32
}

func formOf(fn *types.Func) methodForm {
	return methodForm{fn.Name(), typeutil.Hasher{}.Hash(fn.Type())}
}

// typesWith returns the types of the world that have, or embed, a method of the form of one, and perhaps others, in the order of the packages.
func (f *Flow) typesWith(fn *types.Func) []types.Type {
	if f.byMethod == nil {
		f.byMethod = map[methodForm][]types.Type{}
		for _, cfg := range f.prog.Configs {
			for _, pkg := range cfg.Packages {
				if !pkg.World || pkg.Types == nil {
					continue
				}
				for _, name := range pkg.Types.Scope().Names() {
					if tn, ok := pkg.Types.Scope().Lookup(name).(*types.TypeName); ok && !tn.IsAlias() && !types.IsInterface(tn.Type()) {
						f.addMethods(tn.Type())
					}
				}
			}
		}
	}
	return f.byMethod[formOf(fn)]
}

// addMethods enters a type under the forms of the methods that a pointer to it has.
func (f *Flow) addMethods(t types.Type) {
	set := types.NewMethodSet(types.NewPointer(t))
	for m := range set.Methods() {
		form := formOf(m.Obj().(*types.Func))
		if list := f.byMethod[form]; len(list) == 0 || list[len(list)-1] != t {
			f.byMethod[form] = append(list, t)
		}
	}
}

// works reports whether a method is one that the program works with: neither a test's nor generated, as mocks are, which keep
// whatever they are given.
func (f *Flow) works(m *types.Func) bool {
	b := f.body(m)
	return b == nil || !b.file.Test && !b.file.Generated
}

// implementation returns the method by which a type, or a pointer to it, implements that of an interface.
func implementation(t types.Type, iface *types.Interface, fn *types.Func) *types.Func {
	ptr := types.NewPointer(t)
	if !types.Implements(ptr, iface) {
		return nil
	}
	obj, _, _ := types.LookupFieldOrMethod(ptr, true, fn.Pkg(), fn.Name())
	m, _ := obj.(*types.Func)
	return m
}
