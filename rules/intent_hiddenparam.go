package rules

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// PassValue asks for a value that travels in contexts to become a parameter of the functions between those who store it and
// those who read it.
type PassValue struct {
	Supply *supply.Supply
	Key    *census.Key
	// Type is that of the parameter.
	Type types.Type
	// Targets are the functions that get it, Passes all calls that pass it, Reads all places that read.
	Targets []*ValueTarget
	Passes  []*ValuePass
	Reads   []*ValueRead
	// Accessors are the functions that do nothing but read; their calls are among the reads.
	Accessors []*callgraph.Func
	// Writes are the places whose value is passed or read.
	Writes []*ValueWrite
}

// A ValueTarget is a function that gets the value as a parameter.
type ValueTarget struct {
	Func *callgraph.Func
	// Index is the place of the new parameter, behind the context.
	Index int
}

// A ValueOrigin tells where a place has the value from: a parameter of the function around it, or a writer there.
type ValueOrigin struct {
	Func  *callgraph.Func
	Write *ValueWrite
	// Zero is set for a context that lacks the value, where all readers take its zero value for that.
	Zero bool
}

// A ValuePass is a call of a function that gets the value.
type ValuePass struct {
	Call *callgraph.Call
	From ValueOrigin
}

// A ValueRead is a place that reads the value.
type ValueRead struct {
	File *program.File
	Pkg  *program.Package
	// Func is the innermost function around it.
	Func *callgraph.Func
	// Expr is what gives the value: an assertion, a call of Value or of an accessor.
	Expr ast.Expr
	// Lookup is the call of Value or of the accessor within.
	Lookup *ast.CallExpr
	// Second is what its second result is when the value is there: "true", "nil"; "" when it has none.
	Second string
	From   ValueOrigin
}

// A ValueWrite is a place that stores the value, as the function sees it which goes on with the context.
type ValueWrite struct {
	Site *census.Site
	File *program.File
	Pkg  *program.Package
	// Func is the innermost function around it.
	Func *callgraph.Func
	// Call gives the context with the value: a call of context.WithValue, or of a function that calls it.
	Call *ast.CallExpr
	// Value is what is stored, as Func writes it; Literal is that where a function stores true, 1 or "a" for its callers.
	Value   ast.Expr
	Literal string
}

// UnitID names the unit by the key.
func (in *PassValue) UnitID() string { return "hiddenparam:" + in.Key.UnitName() }
