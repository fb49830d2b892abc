package flow

import "go/types"

// lives reports whether a value of type t goes on after the call that made it: it can be closed, stopped, waited
// for, or brought to its end as a transaction is, is a channel or a function.
func lives(t types.Type) bool {
	switch Under(t).(type) {
	case *types.Chan, *types.Signature:
		return true
	}
	if ends(t) {
		return true
	}
	if asked(t) != "" {
		return false // a request, which is followed by itself
	}
	if st, ok := Under(deref(t)).(*types.Struct); ok {
		for fd := range st.Fields() {
			if fd.Exported() && types.IsInterface(fd.Type()) && ends(fd.Type()) {
				return true // the body of a response
			}
		}
	}
	return false
}

// ends reports whether a type has a method that ends its values.
func ends(t types.Type) bool {
	return hasMethod(t, "Close", "Stop", "Shutdown", "Wait", "Disconnect", "Rollback")
}

// mayHold reports whether a value of type t may work with a context that the function was given which made it, when that has
// returned. What is asked is what others can do with it: a value that holds more than data and has a method that may fail, a row
// that is yet to be scanned or a reader for example, may fail because the context has ended. Errors and data do not.
func (f *Flow) mayHold(t types.Type) bool {
	return lives(t) || asked(t) == "" && f.holds(t, map[types.Type]bool{})
}

func (f *Flow) holds(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] || isError(t) {
		return false
	}
	seen[t] = true
	if n, ok := types.Unalias(deref(t)).(*types.Named); ok && !f.ofWorld(n) {
		if mayFail(n) && !plain(n, map[types.Type]bool{}) {
			return true
		}
	}
	switch u := Under(t).(type) {
	case *types.Chan, *types.Signature:
		return true
	case *types.Interface:
		return u.Empty() || mayFail(t)
	case *types.Pointer:
		return f.holds(u.Elem(), seen)
	case *types.Slice:
		return f.holds(u.Elem(), seen)
	case *types.Array:
		return f.holds(u.Elem(), seen)
	case *types.Map:
		return f.holds(u.Key(), seen) || f.holds(u.Elem(), seen)
	case *types.Struct:
		n, named := types.Unalias(t).(*types.Named)
		for fd := range u.Fields() {
			// What code elsewhere hides, only its methods can reach.
			if (fd.Exported() || !named || f.ofWorld(n)) && f.holds(fd.Type(), seen) {
				return true
			}
		}
	}
	return false
}

// plain reports whether a value of type t is nothing but data, all the way down.
func plain(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] || isError(t) {
		return true
	}
	seen[t] = true
	switch u := Under(t).(type) {
	case *types.Basic:
		return true
	case *types.Pointer:
		return plain(u.Elem(), seen)
	case *types.Slice:
		return plain(u.Elem(), seen)
	case *types.Array:
		return plain(u.Elem(), seen)
	case *types.Map:
		return plain(u.Key(), seen) && plain(u.Elem(), seen)
	case *types.Struct:
		for fd := range u.Fields() {
			if !plain(fd.Type(), seen) {
				return false
			}
		}
		return true
	}
	return false
}

// mayFail reports whether a type has a method that returns an error, or something to wait for or to call later.
func mayFail(t types.Type) bool {
	set := types.NewMethodSet(t)
	if !types.IsInterface(t) {
		set = types.NewMethodSet(types.NewPointer(t))
	}
	for m := range set.Methods() {
		if !m.Obj().Exported() {
			continue
		}
		for r := range m.Obj().(*types.Func).Signature().Results().Variables() {
			switch r.Type().Underlying().(type) {
			case *types.Chan, *types.Signature:
				return true
			}
			if isError(r.Type()) {
				return true
			}
		}
	}
	return false
}

// isError reports whether t is error, or a type of errors.
func isError(t types.Type) bool {
	return t != nil && types.Implements(t, errorType)
}

// ofWorld reports whether a type is declared in the world: what its values hold is what their fields hold.
func (f *Flow) ofWorld(n *types.Named) bool {
	pkg := n.Obj().Pkg()
	if f.worldTypes == nil {
		f.worldTypes = map[*types.Package]bool{}
		for _, cfg := range f.prog.Configs {
			for _, p := range cfg.Packages {
				if p.World && p.Types != nil {
					f.worldTypes[p.Types] = true
				}
			}
		}
	}
	return f.worldTypes[pkg]
}
