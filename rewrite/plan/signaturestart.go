package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/flow"
)

// startsBlocked says why no goroutine of the intent can get its context; nil when one can, or none is to.
func (sp *sigPlan) startsBlocked() error {
	var first error
	for _, s := range sp.in.Starts {
		err := decideLifetime(sp.opts, s.Goroutine, s.Lifetime)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// detaches reports whether a goroutine gets the values of a context without its end: the function that a call belongs to, or that
// it starts, does not wait for it.
func (sp *sigPlan) detaches(call *callgraph.Call) bool {
	switch sp.opts.Goroutines {
	case "inherit":
		return false
	case "detach":
		return true
	}
	if s := sp.starts[call]; s != nil {
		return s.Lifetime.Kind != flow.Joined
	}
	return sp.in.Supply.Lifetime(call).Kind != flow.Joined
}

// extendStarted gives the parameter to the literal of a go statement that a call is part of, where the context has to be asked for
// before it starts: the request it belongs to may be gone later.
func (sp *sigPlan) extendStarted(call *callgraph.Call) {
	lit := sp.in.Supply.SpawnedAround(call)
	if lit == nil || sp.changed[lit] != nil {
		return
	}
	source, starter := sp.in.Supply.Beyond(call), sp.in.Supply.Starter(lit)
	if source == nil || source.Born || source.Text == source.Var.Name() || starter == nil || sp.ended(starter) {
		return
	}
	if sp.detaches(starter) && !sp.in.Supply.Flow.AtLeast(call.File, "go1.21") {
		return
	}
	if c := sp.classOf(lit); c.err == nil {
		sp.change(c)
	}
}

// passBeyond lets a call in a goroutine pass what is at hand around the go statement.
func (sp *sigPlan) passBeyond(p *pass) {
	around := p.call.In
	for around != nil && sp.changed[around] == nil && (sp.in.Supply.RunsHere(around) || sp.in.Supply.Spawned(around)) {
		around = around.Outer
	}
	source, detached := sp.in.Supply.Beyond(p.call), sp.detaches(p.call)
	if detached && !sp.in.Supply.Flow.AtLeast(p.call.File, "go1.21") {
		return
	}
	if to := sp.changed[around]; to != nil {
		p.from, p.detached = to, detached
		to.uses = append(to.uses, p.call.Expr.Pos())
	} else if source != nil && !source.Born {
		p.source, p.detached = source, detached
		sp.nameSource(p.call, source)
	}
}

// describe says what the unit does.
func (sp *sigPlan) describe() {
	var names []string
	for _, p := range sp.order {
		name := p.f.Name
		if p.twin != "" {
			name = p.twin + " beside " + name
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 6 {
		names = append(names[:5:5], fmt.Sprintf("%d more", len(names)-5))
	}
	sp.unit.Title = "add parameter " + sp.in.Param.Name + " to " + strings.Join(names, ", ")
	switch {
	case !sp.isContext():
	case len(sp.in.Starts) == 0 || slices.ContainsFunc(sp.passes, func(p *pass) bool { return p.source != nil && flowLive(p.source) && !p.detached }):
		sp.unit.Notes = append(sp.unit.Notes, "what went on when its caller gave up is now cancelled with it, and sees the values of the caller's context, a transaction for one")
	default:
		sp.unit.Notes = append(sp.unit.Notes, "what goroutines run sees the values of their caller's context, a transaction for one, and does not end with it")
	}
}
