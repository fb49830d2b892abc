package supply

import (
	"go/ast"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/flow"
)

// A Start is a call that gives a context to a goroutine: the one of a go statement, or one in a function literal that is handed
// to a group.
type Start struct {
	Goroutine *flow.Goroutine
	Call      *callgraph.Call
	// Source is the context where the goroutine starts, Lifetime how long it lives.
	Source   *flow.Source
	Lifetime flow.Lifetime
}

// AskerOr returns the Asker of a call, or the literal of the goroutine that the call is part of when that is one of some starts.
func (s *Supply) AskerOr(call *callgraph.Call, starts map[*callgraph.Call]*Start) *callgraph.Func {
	if f := s.Asker(call); f != nil || len(starts) == 0 {
		return f
	}
	if lit := s.SpawnedAround(call); lit != nil && starts[s.Starter(lit)] != nil {
		return lit
	}
	return nil
}

// SpawnedAround returns the literal that a go statement starts and a call is part of, nil for none. The literal could get a
// parameter for the context that the call lacks.
func (s *Supply) SpawnedAround(call *callgraph.Call) *callgraph.Func {
	if call.Go || call.Defer || s.Ended(call) {
		return nil
	}
	f := s.Owner(call.In)
	if f == nil || !s.Spawned(f) || TakesContext(f) {
		return nil
	}
	return f
}

// Starter returns the call of the go statement that starts a literal.
func (s *Supply) Starter(lit *callgraph.Func) *callgraph.Call {
	expr, ok := s.census.Parent(lit.File, lit.Lit).(*ast.CallExpr)
	if !ok {
		return nil
	}
	return s.Calls.CallAt(expr)
}

// Lifetime tells how long the goroutine lives that a call starts or is part of; it is unclear for other calls.
func (s *Supply) Lifetime(call *callgraph.Call) flow.Lifetime {
	g := s.Flow.Started(call.Pkg, call.File, call.Expr)
	if g == nil {
		g = s.Flow.Around(call.Pkg, call.File, call.Expr)
	}
	if g == nil {
		return flow.Lifetime{}
	}
	return s.Flow.Lifetime(g)
}
