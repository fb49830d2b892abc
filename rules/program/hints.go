package program

import (
	"go/types"
	"slices"
	"strings"
)

// Hints are what users tell of their program that cannot be read from it.
type Hints struct {
	// Generated tells of a file, by its absolute name, whether a generator writes it although its first lines do
	// not say so. nil means that none is.
	Generated func(name string) bool
	// Forwarders are functions that store or look up an argument as a key by ways that their body does not show.
	Forwarders []Forwarder
	// Starts are functions that run their function argument on a goroutine of its own, Joins those that wait for the
	// goroutines of their receiver or argument, as [types.Func.FullName] names them.
	Starts, Joins []string
}

// A Forwarder is a function with a parameter that becomes a key.
type Forwarder struct {
	// Func is the function as [types.Func.FullName] names it.
	Func string
	// Key is the number of the parameter, from 0.
	Key int
	// Writes tells whether a value is stored under the key.
	Writes bool
}

// Named reports whether a function is one of some, given by their full names.
func Named(names []string, fn *types.Func) bool {
	return len(names) > 0 && slices.Contains(names, fn.Origin().FullName())
}

// Lookup returns the function or type with a full name, which may be that of a method, in the first configuration that
// has it, nil when the program has none. known tells whether the program contains its package.
func (p *Program) Lookup(name string) (obj types.Object, known bool) {
	pkgPath, typ, ident := splitName(name)
	for _, cfg := range p.Configs {
		pkg := cfg.Package(pkgPath)
		if pkg == nil || pkg.Types == nil {
			continue
		}
		known = true
		if typ == "" {
			if obj = pkg.Types.Scope().Lookup(ident); obj != nil {
				return obj, true
			}
			continue
		}
		tn, ok := pkg.Types.Scope().Lookup(typ).(*types.TypeName)
		if !ok {
			continue
		}
		if m, _, _ := types.LookupFieldOrMethod(tn.Type(), true, pkg.Types, ident); m != nil {
			if fn, ok := m.(*types.Func); ok && fn.FullName() == name {
				return fn, true
			}
		}
	}
	return nil, known
}

// splitName takes a full name apart: path.Name, or (path.Type).Name with a star or without.
func splitName(name string) (pkgPath, typ, ident string) {
	if len(name) > 0 && name[0] == '(' {
		end := strings.LastIndexByte(name, ')')
		if end < 0 || end+2 > len(name) {
			return "", "", ""
		}
		inner := name[1:end]
		if inner != "" && inner[0] == '*' {
			inner = inner[1:]
		}
		dot := strings.LastIndexByte(inner, '.')
		if dot < 0 {
			return "", "", ""
		}
		return inner[:dot], inner[dot+1:], name[end+2:]
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return "", "", ""
	}
	return name[:dot], "", name[dot+1:]
}
