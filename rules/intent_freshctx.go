package rules

import (
	"fmt"
	"go/ast"

	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// UseContext asks for expressions of one function to become the context in scope. Those that need a name for the same parameter
// share one intent.
type UseContext struct {
	// Rule is the rule that asks.
	Rule string
	File *program.File
	Pkg  *program.Package
	// Source is the context in scope.
	Source *flow.Source
	Places []*ContextPlace
}

// A ContextPlace is an expression that makes a context, and what takes its place.
type ContextPlace struct {
	Expr ast.Expr
	// Text is the context as it is spelled there.
	Text string
	// Lives is set for work that outlives the function: it gets the values, and not the cancellation.
	Lives bool
}

// UnitID names the unit by the place of the first expression.
func (in *UseContext) UnitID() string {
	pos := in.File.Tok.PositionFor(in.Places[0].Expr.Pos(), false)
	return fmt.Sprintf("%s:%s:%d:%d", in.Rule, in.File.Rel, pos.Line, pos.Column)
}
