package rewrite

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An Offer is the units that one round could carry out, for somebody to choose among.
type Offer struct {
	Program *program.Program
	// Units are in the order of their first findings. None was offered before.
	Units []*plan.Unit
	// Instead is set for units that gave way to what was left out.
	Instead bool
	// Alone returns what one of the units changes by itself, in the program as the units that were chosen in earlier rounds
	// leave it.
	Alone func(*plan.Unit) (*patches.Set, error)
}

// A Choice is the answer to an offer.
type Choice struct {
	// Units are those of the offer that are carried out.
	Units []*plan.Unit
	// Names are new names for keys, by [plan.KeyName.Key]. When there are any, Units do not count: everything is planned again with the
	// names, and offered anew.
	Names map[string]string
}

// A ChoiceError is what kept somebody from choosing.
type ChoiceError struct{ Err error }

func (e *ChoiceError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ChoiceError) Unwrap() error { return e.Err }

// errRenamed is the outcome of an offer whose answer was a name.
var errRenamed = errors.New("names were chosen")

// A picker lets somebody choose among the units of a round.
type picker struct {
	opts *Options
	v    *verifier
	// may reports whether a unit may be carried out as far as what is reported is concerned.
	may     func(*plan.Unit) bool
	offered map[*plan.Unit]bool
	chosen  []*plan.Unit
}

// choose returns the units that somebody chooses among those that could be carried out, verified together. Open are all units
// that are planned: what gave way to a unit that is left out is offered in its place.
func (p *picker) choose(wanted, open []*plan.Unit) ([]*plan.Unit, error) {
	p.offered = map[*plan.Unit]bool{}
	for instead := false; ; instead = true {
		offer := slices.DeleteFunc(offerable(wanted), func(u *plan.Unit) bool { return p.offered[u] })
		if len(offer) == 0 {
			break
		}
		if err := p.ask(offer, instead); err != nil {
			return nil, err
		}
		wanted = p.freed(open)
	}
	return p.verified()
}

// offerable returns the units that are offered, in the order of their first findings.
func offerable(units []*plan.Unit) []*plan.Unit {
	list := slices.DeleteFunc(slices.Clone(units), func(u *plan.Unit) bool { return len(u.Findings) == 0 })
	slices.SortStableFunc(list, func(a, b *plan.Unit) int { return a.Before(b) })
	return list
}

// offer makes an offer of units.
func (v *verifier) offer(units []*plan.Unit, instead bool) *Offer {
	return &Offer{
		Program: v.prog, Units: units, Instead: instead,
		Alone: func(u *plan.Unit) (*patches.Set, error) {
			return (&verifier{ctx: v.ctx, prog: v.prog}).apply([]*plan.Unit{u})
		},
	}
}

// ask offers units that are new.
func (p *picker) ask(offer []*plan.Unit, instead bool) error {
	for _, u := range offer {
		p.offered[u] = true
		u.Left = true
	}
	choice, err := p.opts.Choose(p.v.ctx, p.v.offer(offer, instead))
	if err != nil {
		return &ChoiceError{err}
	}
	if len(choice.Names) > 0 {
		names := maps.Clone(p.opts.KeyNames)
		if names == nil {
			names = map[string]string{}
		}
		maps.Copy(names, choice.Names)
		p.opts.KeyNames = names
		return errRenamed
	}
	for _, u := range choice.Units {
		u.Left = false
		p.chosen = append(p.chosen, u)
	}
	return nil
}

// freed returns the units that could be carried out now that some are left out: those that gave way to no other than what was left
// out. What gives way to a unit that was chosen goes on waiting.
func (p *picker) freed(open []*plan.Unit) []*plan.Unit {
	var free []*plan.Unit
	for _, u := range open {
		if u.Blocker == nil || u.Blocker.Reason != "conflict" || p.offered[u] || len(u.Findings) == 0 || !p.opts.Within(u) || !p.may(u) {
			continue
		}
		if together := append(slices.Clone(p.chosen), u); len(withoutConflicts(together, false)) == len(together) {
			u.Blocker = nil
			free = append(free, u)
		}
	}
	return withoutConflicts(free, true)
}

// verified returns the chosen units that type-check together. One that does not without a unit that was left out takes
// that one with it, if it may.
func (p *picker) verified() ([]*plan.Unit, error) {
	kept, err := p.v.keep(nil, p.chosen)
	if err != nil {
		return nil, err
	}
	for _, u := range p.chosen {
		if slices.Contains(kept, u) {
			continue
		}
		if kept, err = p.withNeeded(kept, u); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// withNeeded looks for the unit among those left out that another one needs, and asks for it.
func (p *picker) withNeeded(kept []*plan.Unit, u *plan.Unit) ([]*plan.Unit, error) {
	why := u.Blocker
	if why == nil || why.Reason != "does-not-compile" {
		return kept, nil
	}
	for _, other := range p.leftOut() {
		if other.Blocker != nil {
			continue
		}
		u.Blocker = nil
		both, err := p.v.keep(kept, []*plan.Unit{other, u})
		if err != nil {
			return nil, err
		}
		if len(both) < len(kept)+2 {
			other.Blocker = nil // it may be carried out, though not for this
			continue
		}
		yes, err := p.opts.Needs(u, other)
		if err != nil {
			return nil, &ChoiceError{err}
		}
		if yes {
			other.Left = false
			return both, nil
		}
		break
	}
	u.Blocker = why
	return kept, nil
}

// leftOut returns the units that were offered and left out, in a fixed order.
func (p *picker) leftOut() []*plan.Unit {
	var list []*plan.Unit
	for u := range p.offered {
		if u.Left {
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(a, b *plan.Unit) int { return a.Before(b) })
	return list
}

// chooseNames plans with the names that are chosen until none is chosen any more.
func chooseNames(ctx context.Context, res *Result, opts Options, wanted func(*plan.Unit) bool) error {
	for {
		err := planRound(ctx, res, &opts, wanted)
		if !errors.Is(err, errRenamed) {
			res.Options.KeyNames = opts.KeyNames
			return err
		}
	}
}
