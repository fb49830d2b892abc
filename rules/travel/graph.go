package travel

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A Graph is how contexts travel through one program. Everything in it is sorted, by file and position.
type Graph struct {
	// Funcs are the functions of the world in the order of the source, then the packages outside by import path.
	Funcs []*Func
	// Births are the places where contexts are made from nothing.
	Births []*Birth
	// Losses are the places where contexts are lost.
	Losses []*Loss
}

// A Func is a function of the world, or a package outside.
type Func struct {
	// Name is what people call it, or the import path of a package outside.
	Name string
	// Package is the import path of its package.
	Package string
	// File and Pos are where it is declared; nil for a package outside.
	File *program.File
	Pos  token.Pos
	// Foreign is set for a package outside.
	Foreign bool
	// Entry is set for what the run-time system calls: main, init.
	Entry bool
	// Source is the context that the function is given; nil for none.
	Source *flow.Source
	// Out and In are the calls by and of the function that matter to contexts.
	Out, In []*Call

	decl *callgraph.Func
}

// Has reports whether the function is given a context by its caller, as a parameter or as part of one.
func (f *Func) Has() bool { return f.Source != nil && f.Source.Kind != flow.Field }

// A Way says what a call does with the context.
type Way int

const (
	// Handed is for calls that hand on a context.
	Handed Way = iota
	// Fresh is for calls that give a context made from nothing.
	Fresh
	// Without is for calls that give none, to what needs one.
	Without
)

// String writes the way as documents do.
func (w Way) String() string { return [...]string{"handed", "fresh", "none"}[w] }

// A Call is all calls of one function by another that do the same with the context.
type Call struct {
	From, To *Func
	Way      Way
	// Go is set when the calls are made on a goroutine of their own.
	Go bool
	// Places are where the calls are.
	Places []Place
}

// A Place is one call in the source.
type Place struct {
	File *program.File
	Pos  token.Pos
	// Callee is what is called, as messages write it.
	Callee string
	// missed is set where a context is at hand that the call does not get.
	missed bool
}

// A Birth is a place where a context is made from nothing.
type Birth struct {
	*flow.Birth
	// In is the function that does it; nil at package level.
	In *Func
	// By is what it calls: "context.Background".
	By string
	// missed is set where another context is at hand.
	missed bool
}

// A Loss is a place where a context is lost: at the end of a way that begins with a function that has one.
type Loss struct {
	// Way leads from the function that has a context to the one where another begins; a single call at least, unless both are the same.
	Way []Step
	// In is the function where the context is missing, Place what begins without it there: a fresh context, or a call.
	In    *Func
	Place Place
	// Birth is the fresh context that takes its place; nil for a call that could have got one, of a function in package To.
	Birth *Birth
	To    *Func
}

// From returns the function whose context is lost.
func (l *Loss) From() *Func {
	if len(l.Way) > 0 {
		return l.Way[0].Call.From
	}
	return l.In
}

// A Step is one call on a way.
type Step struct {
	Call  *Call
	Place Place
}

func comparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.File.Name, b.File.Name), cmp.Compare(a.Pos, b.Pos), cmp.Compare(a.Callee, b.Callee))
}

func compareFuncs(a, b *Func) int {
	if a.Foreign || b.Foreign {
		if a.Foreign != b.Foreign {
			if b.Foreign {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	}
	return cmp.Or(cmp.Compare(a.File.Name, b.File.Name), cmp.Compare(a.Pos, b.Pos))
}

func compareCalls(a, b *Call) int {
	boolean := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(compareFuncs(a.From, b.From), compareFuncs(a.To, b.To), cmp.Compare(a.Way, b.Way), cmp.Compare(boolean(a.Go), boolean(b.Go)))
}

// sort puts everything in order.
func (g *Graph) sort() {
	slices.SortFunc(g.Funcs, compareFuncs)
	for _, f := range g.Funcs {
		slices.SortFunc(f.Out, compareCalls)
		slices.SortFunc(f.In, compareCalls)
		for _, c := range f.Out {
			slices.SortFunc(c.Places, comparePlaces)
		}
	}
	slices.SortFunc(g.Births, func(a, b *Birth) int {
		return cmp.Or(cmp.Compare(a.File.Name, b.File.Name), cmp.Compare(a.Birth.Call.Pos(), b.Birth.Call.Pos()))
	})
	slices.SortFunc(g.Losses, func(a, b *Loss) int { return comparePlaces(a.Place, b.Place) })
}

// literals returns the function literals in a declaration, so that each gets a number, as the compiler counts them.
func literals(root ast.Node) []*ast.FuncLit {
	var list []*ast.FuncLit
	ast.Inspect(root, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			list = append(list, lit)
		}
		return true
	})
	return list
}
