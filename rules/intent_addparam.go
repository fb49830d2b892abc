package rules

import (
	"fmt"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// AddParam asks for functions to get a value from their callers, who pass one that they have or get it from their own
// callers. Intents whose functions have callers in common are carried out as one.
type AddParam struct {
	Supply *supply.Supply
	// Targets are the functions that need the parameter.
	Targets []*ParamTarget
	// Also are functions that do not need the parameter, but use it if they get it for the sake of others.
	Also []*ParamTarget
	// Param is what they get.
	Param Param
	// Everywhere is set when all callers get the parameter, up to where that cannot be. Otherwise those do from whose
	// own callers it can come; the others make the value on the spot.
	Everywhere bool
	// Starts are goroutines that shall get the context from where they are started.
	Starts []*supply.Start
	// Only is set when no other functions get it than the targets and what is linked to them.
	Only bool
}

// A ParamTarget is a function that needs a parameter.
type ParamTarget struct {
	Func *callgraph.Func
	// Uses are expressions in its body that the parameter replaces.
	Uses []ast.Expr
	// Born is the name of the function of package context that makes the context so far: Background or TODO.
	Born string
	// Name is the name that the parameter gets there rather than that of Param, if it is free; "" for none.
	Name string
	// Index is the parameter's place there where that is not Param.Index; 0 for none.
	Index int
}

// A Param is a parameter to add.
type Param struct {
	// Name is the name it gets where that is free.
	Name string
	// Type is its type; nil for context.Context, which the callers' contexts in scope give.
	Type types.Type
	// Index is its place among the parameters.
	Index int
	// Value gives, for a parameter of another type, the expression that callers without the value pass and the file it
	// is copied from.
	Value func(*callgraph.Call) (*program.File, ast.Expr)
}

// UnitID names the unit by the first function.
func (in *AddParam) UnitID() string {
	f := in.Targets[0].Func
	id := in.Param.Name + "@" + f.Pkg.Path + "." + f.Name
	if f.Object == nil {
		pos := f.File.Tok.PositionFor(f.Pos(), false)
		id += fmt.Sprintf(" (%s:%d:%d)", f.File.Rel, pos.Line, pos.Column)
	}
	if len(in.Starts) > 0 {
		at := in.Starts[0].Goroutine
		pos := at.File.Tok.PositionFor(at.Node().Pos(), false)
		id += fmt.Sprintf(" at %s:%d:%d", at.File.Rel, pos.Line, pos.Column)
	}
	return "param:" + id
}
