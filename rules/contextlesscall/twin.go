package contextlesscall

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// twinOf returns the form of a call that takes a context, nil when there is none.
func twinOf(pkg *program.Package, call *ast.CallExpr, fn *types.Func) *rules.Twin {
	sig, ok := pkg.Info.TypeOf(call.Fun).(*types.Signature)
	if !ok || fn.Pkg() == nil {
		return nil
	}
	if twin := formOf(pkg, call, fn, sig); twin != nil && !takesContext(sig) {
		return twin
	}
	return nil
}

// formOf looks for the form of a call that takes a context.
func formOf(pkg *program.Package, call *ast.CallExpr, fn *types.Func, sig *types.Signature) *rules.Twin {
	for _, suffix := range []string{"Context", "WithContext", "Ctx"} {
		if twin := lookup(pkg, call, fn, fn.Name()+suffix); twin != nil && sameButContext(sig, twin.Signature()) && !setsUp(twin.Signature()) {
			return &rules.Twin{Func: twin, Name: twin.Name(), Lasts: !preparesOnly(fn)}
		}
	}
	return special(pkg, call, fn, sig)
}

// setsUp reports whether a function with a context does nothing that can fail, and returns what gets the context of each call by itself:
// the one it is made with is for work of its own, as that of a verifier which fetches keys, and has to be chosen by people.
func setsUp(sig *types.Signature) bool {
	takes := false
	for v := range sig.Results().Variables() {
		if types.Identical(v.Type(), types.Universe.Lookup("error").Type()) {
			return false
		}
		set := types.NewMethodSet(v.Type())
		for i := range set.Len() {
			m, ok := set.At(i).Obj().(*types.Func)
			takes = takes || ok && m.Exported() && takesContext(m.Signature())
		}
	}
	return takes
}

// takesContext reports whether a function gets a context in any way: as a parameter, or as what carries one.
func takesContext(sig *types.Signature) bool {
	for p := range sig.Params().Variables() {
		if flow.Implements(p.Type()) || flow.Carries(p.Type()) {
			return true
		}
	}
	return false
}

// lookup finds a function or method beside the one that is called.
func lookup(pkg *program.Package, call *ast.CallExpr, fn *types.Func, name string) *types.Func {
	var obj types.Object
	if fn.Signature().Recv() == nil {
		obj = fn.Pkg().Scope().Lookup(name)
	} else {
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok || pkg.Info.TypeOf(sel.X) == nil {
			return nil
		}
		if tv := pkg.Info.Types[sel.X]; tv.IsType() {
			return nil // a method expression
		}
		obj, _, _ = types.LookupFieldOrMethod(pkg.Info.TypeOf(sel.X), true, pkg.Types, name)
	}
	twin, ok := obj.(*types.Func)
	if !ok || !twin.Exported() && twin.Pkg() != pkg.Types {
		return nil
	}
	return twin
}

// sameButContext reports whether a signature is another one with a context in front of the parameters.
func sameButContext(sig, twin *types.Signature) bool {
	n := sig.Params().Len()
	if twin.Params().Len() != n+1 || twin.Variadic() != sig.Variadic() || twin.TypeParams().Len() > 0 || !flow.IsContext(twin.Params().At(0).Type()) {
		return false
	}
	for i := range n {
		if !types.Identical(sig.Params().At(i).Type(), twin.Params().At(i+1).Type()) {
			return false
		}
	}
	return sameResults(sig, twin)
}

func sameResults(a, b *types.Signature) bool {
	if a.Results().Len() != b.Results().Len() {
		return false
	}
	for i := range a.Results().Len() {
		if !types.Identical(a.Results().At(i).Type(), b.Results().At(i).Type()) {
			return false
		}
	}
	return true
}

// preparesOnly reports whether a function's twin needs the context only until it returns, as its documentation says.
func preparesOnly(fn *types.Func) bool {
	return fn.Pkg().Path() == "database/sql" && fn.Name() == "Prepare"
}

// special knows the functions of the standard library whose counterpart is not beside them: transactions, dialling, and
// the resolver's methods.
func special(pkg *program.Package, call *ast.CallExpr, fn *types.Func, sig *types.Signature) *rules.Twin {
	switch {
	case sig.Params().Len() == 0 && fn.Name() == "Begin":
		if twin := lookup(pkg, call, fn, "BeginTx"); twin != nil && twin.Signature().Params().Len() == 2 && flow.IsContext(twin.Signature().Params().At(0).Type()) &&
			isPointer(twin.Signature().Params().At(1).Type()) && sameResults(sig, twin.Signature()) {
			return &rules.Twin{Name: "BeginTx", More: "nil", Lasts: true}
		}
	case fn.Pkg().Path() == "crypto/tls" && fn.Name() == "Dial":
		return &rules.Twin{Name: "DialContext", Owner: "Dialer", Literal: true, Field: "Config", PkgPath: "crypto/tls", PkgName: "tls", Lasts: true}
	case fn.Pkg().Path() != "net" || fn.Signature().Recv() != nil:
	case fn.Name() == "Dial":
		return &rules.Twin{Name: "DialContext", Owner: "Dialer", Literal: true, PkgPath: "net", PkgName: "net"}
	case fn.Name() == "DialTimeout":
		return &rules.Twin{Name: "DialContext", Owner: "Dialer", Literal: true, Field: "Timeout", PkgPath: "net", PkgName: "net"}
	case fn.Name() == "LookupIP":
		return &rules.Twin{Name: "LookupIP", Owner: "DefaultResolver", More: `"ip"`, PkgPath: "net", PkgName: "net"}
	default:
		resolver, ok := fn.Pkg().Scope().Lookup("DefaultResolver").(*types.Var)
		if !ok {
			return nil
		}
		obj, _, _ := types.LookupFieldOrMethod(resolver.Type(), true, fn.Pkg(), fn.Name())
		if m, ok := obj.(*types.Func); ok && m.Exported() && sameButContext(sig, m.Signature()) {
			return &rules.Twin{Name: m.Name(), Owner: "DefaultResolver", PkgPath: "net", PkgName: "net"}
		}
	}
	return nil
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}
