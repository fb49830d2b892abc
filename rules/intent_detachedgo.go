package rules

import (
	"fmt"

	"github.com/ctxmend/ctxmend/rules/flow"
)

// PassToGoroutine asks for the context in scope to be passed to a goroutine, in place of those that it makes from nothing or
// of the one that it captures.
type PassToGoroutine struct {
	// Rule is the rule that asks, "" for detachedgo.
	Rule      string
	Goroutine *flow.Goroutine
	Source    *flow.Source
	Lifetime  flow.Lifetime
	// Places are the expressions in the goroutine's function, or among the arguments of its call, that become the context passed.
	Places []*ContextPlace
	// Shadow asks for a parameter that hides the context which the goroutine's literal captures.
	Shadow bool
	// Ahead is set when the context has to be taken before the goroutine starts: what has it gets another value.
	Ahead bool
}

// UnitID names the unit by the place where the goroutine is started.
func (in *PassToGoroutine) UnitID() string {
	rule := in.Rule
	if rule == "" {
		rule = "detachedgo"
	}
	g := in.Goroutine
	pos := g.File.Tok.PositionFor(g.Node().Pos(), false)
	return fmt.Sprintf("%s:%s:%d:%d", rule, g.File.Rel, pos.Line, pos.Column)
}
