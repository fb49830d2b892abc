package flow

import (
	"go/types"
	"slices"
	"strings"
)

// IsContext reports whether t is context.Context.
func IsContext(t types.Type) bool { return isNamed(t, "context", "Context") }

func isNamed(t types.Type, pkg, name string) bool {
	if t == nil {
		return false
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == pkg
}

// Implements reports whether a value of type t can be used as a context: it is one, or that of a framework.
func Implements(t types.Type) bool {
	if t == nil {
		return false
	}
	if _, ok := t.(*types.Tuple); ok {
		return false
	}
	if IsContext(t) {
		return true
	}
	for _, name := range []string{"Deadline", "Done", "Err", "Value"} {
		if fn := method(t, name); fn == nil || !contextMethod(name, fn.Signature()) {
			return false
		}
	}
	return true
}

// method returns the exported method of a value of type t by its name, nil when there is none. Where a few names are
// wanted it costs less than the whole method set.
func method(t types.Type, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(t, false, nil, name)
	fn, _ := obj.(*types.Func)
	return fn
}

// hasMethod reports whether a value of type t has an exported method with one of these names.
func hasMethod(t types.Type, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return method(t, name) != nil })
}

// contextMethod reports whether a signature is that of the method of context.Context with this name.
func contextMethod(name string, sig *types.Signature) bool {
	params, results := sig.Params(), sig.Results()
	switch name {
	case "Deadline":
		return params.Len() == 0 && results.Len() == 2
	case "Done":
		if params.Len() != 0 || results.Len() != 1 {
			return false
		}
		ch, ok := results.At(0).Type().Underlying().(*types.Chan)
		return ok && ch.Dir() != types.SendOnly
	case "Err":
		return params.Len() == 0 && results.Len() == 1 && types.Identical(results.At(0).Type(), types.Universe.Lookup("error").Type())
	}
	return params.Len() == 1 && results.Len() == 1 && isAny(params.At(0).Type()) && isAny(results.At(0).Type())
}

func isAny(t types.Type) bool {
	i, ok := Under(t).(*types.Interface)
	return ok && i.Empty()
}

// asked returns how a value of type t is asked for the context it carries, "" when it cannot be: the method of a request,
// a command or a stream (".Context()"), or the request that the context type of a web framework
// holds (".Request.Context()").
func asked(t types.Type) string {
	if t == nil || IsContext(t) || !mayCarry(t) {
		return ""
	}
	set := types.NewMethodSet(t)
	if set.Len() == 0 {
		if _, isPtr := types.Unalias(t).(*types.Pointer); !isPtr && !types.IsInterface(t) {
			set = types.NewMethodSet(types.NewPointer(t))
		}
	}
	if givesContext(set, "Context") && !serves(t, set) {
		return ".Context()"
	}
	if sel := set.Lookup(nil, "Request"); sel != nil {
		if fn, ok := sel.Obj().(*types.Func); ok && niladic(fn.Signature()) && IsRequest(fn.Signature().Results().At(0).Type()) && answers(t, set) {
			return ".Request().Context()"
		}
	}
	if st, ok := Under(deref(t)).(*types.Struct); ok {
		for fd := range st.Fields() {
			if fd.Name() == "Request" && IsRequest(fd.Type()) && answers(t, set) {
				return ".Request.Context()"
			}
		}
	}
	if name := onlyContextMethod(set); name != "" && Implements(t) {
		return "." + name + "()"
	}
	return ""
}

// mayCarry reports whether a type has what asked looks for by name, which costs far less than the whole method set.
func mayCarry(t types.Type) bool {
	if _, ok := t.(*types.Tuple); ok {
		return false
	}
	for _, name := range []string{"Context", "Request"} {
		if obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name); obj != nil {
			return true
		}
	}
	return Implements(t)
}

// serves reports whether a value is a client, a pool or a connection, whose methods get the context of each call: the one that it has
// is about its own life, and not its caller's. Methods that only exchange the context of the value, as WithContext does, and those with
// a form that takes none, as what runs a command has, are no such methods.
func serves(t types.Type, set *types.MethodSet) bool {
	for i := range set.Len() {
		fn, ok := set.At(i).Obj().(*types.Func)
		if !ok || !fn.Exported() {
			continue
		}
		params, results := fn.Signature().Params(), fn.Signature().Results()
		if params.Len() == 0 || !IsContext(params.At(0).Type()) || results.Len() == 0 || types.Identical(deref(results.At(0).Type()), deref(t)) {
			continue
		}
		if !slices.ContainsFunc([]string{"Context", "WithContext", "Ctx"}, func(suffix string) bool {
			plain, found := strings.CutSuffix(fn.Name(), suffix)
			return found && set.Lookup(nil, plain) != nil
		}) {
			return true
		}
	}
	return false
}

// answers reports whether a value of type t writes the response as well: it is what a framework hands to its handlers, where
// the request is never nil.
func answers(t types.Type, set *types.MethodSet) bool {
	for i := range set.Len() {
		if fn, ok := set.At(i).Obj().(*types.Func); ok && niladic(fn.Signature()) && writesResponse(fn.Signature().Results().At(0).Type()) {
			return true
		}
	}
	if st, ok := Under(deref(t)).(*types.Struct); ok {
		for fd := range st.Fields() {
			if writesResponse(fd.Type()) {
				return true
			}
		}
	}
	return false
}

// writesResponse reports whether t has the methods of http.ResponseWriter.
func writesResponse(t types.Type) bool {
	return method(t, "Header") != nil && method(t, "Write") != nil && method(t, "WriteHeader") != nil
}

// Carries reports whether a value of type t can be asked for a context: a request, a command, a stream.
func Carries(t types.Type) bool { return asked(t) != "" }

// givesContext reports whether a method set has a method without parameters of that name that returns a context.
func givesContext(set *types.MethodSet, name string) bool {
	sel := set.Lookup(nil, name)
	if sel == nil {
		return false
	}
	fn, ok := sel.Obj().(*types.Func)
	return ok && niladic(fn.Signature()) && IsContext(fn.Signature().Results().At(0).Type())
}

func niladic(sig *types.Signature) bool { return sig.Params().Len() == 0 && sig.Results().Len() == 1 }

// IsRequest reports whether a type is *http.Request.
func IsRequest(t types.Type) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	return ok && isNamed(p.Elem(), "net/http", "Request")
}

// onlyContextMethod returns the only exported method without parameters that returns a context, "" when there are none or
// several.
func onlyContextMethod(set *types.MethodSet) string {
	var names []string
	for i := range set.Len() {
		fn, ok := set.At(i).Obj().(*types.Func)
		if ok && fn.Exported() && givesContext(set, fn.Name()) {
			names = append(names, fn.Name())
		}
	}
	if slices.Sort(names); len(names) == 1 {
		return names[0]
	}
	return ""
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// Under returns the type beneath a type; nil for what has no type, because it comes from a package that could not be loaded.
func Under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}
