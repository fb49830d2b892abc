package program

import "go/types"

// A Forward is a parameter that a function passes on as a context key.
type Forward struct {
	// Param is the parameter's index, -1 for the receiver; a variadic one takes all arguments from there on.
	Param int
	// Writes is set when something is stored under the key; otherwise it is looked up.
	Writes bool
}

// A Taken says what a function does with the contexts that it is given, by the index of the parameter.
type Taken struct {
	// Keeps are those that live on in a field, a goroutine or a result; Looks those in which it does no more than look up values.
	Keeps, Looks []int
}

// Known is what a driver that shows one package at a time knows of functions of other packages, whose bodies were not read.
type Known struct {
	Forwards func(*types.Func) []Forward
	Taken    func(*types.Func) Taken
}

// Forwards returns what is known of a function whose body was not read. Drivers that show one package at a time keep
// such facts; see [Known].
func (p *Program) Forwards(fn *types.Func) []Forward {
	if p.known.Forwards == nil {
		return nil
	}
	return p.known.Forwards(fn)
}

// Taken returns what is known of the contexts that a function is given whose body was not read.
func (p *Program) Taken(fn *types.Func) Taken {
	if p.known.Taken == nil {
		return Taken{}
	}
	return p.known.Taken(fn)
}

// Beyond reports whether a function belongs to a package of the world that was not read, because the program is a single
// package of it.
func (p *Program) Beyond(fn *types.Func) bool {
	if !p.Single || fn.Pkg() == nil {
		return false
	}
	own := p.Configs[0].Packages[len(p.Configs[0].Packages)-1]
	return fn.Pkg() != own.Types && below(fn.Pkg().Path(), own.Module.Path)
}
