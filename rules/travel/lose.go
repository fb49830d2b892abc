package travel

import "slices"

// lose finds the places where contexts are lost, and drops the calls without a context that lead to none.
func (b *builder) lose() {
	b.graph.sort()
	needs := b.needing()
	reached := b.reach(needs)
	b.keep(func(c *Call) bool {
		if c.Way != Without {
			return true
		}
		_, way := reached[c.From]
		return (c.To.Foreign || needs[c.To]) && (way || slices.ContainsFunc(c.Places, func(p Place) bool { return p.missed }))
	})
	for _, born := range b.graph.Births {
		if born.In == nil || b.supply.Flow.OnPurpose(born.File, born.Birth.Call.Pos()) {
			continue
		}
		place := Place{File: born.File, Pos: born.Birth.Call.Pos(), Callee: born.By}
		if way, lost := reached.way(born.In); born.missed || lost {
			if born.missed {
				way = nil
			}
			b.graph.Losses = append(b.graph.Losses, &Loss{Way: way, In: born.In, Place: place, Birth: born})
		}
	}
	for _, f := range b.graph.Funcs {
		for _, c := range f.Out {
			if c.To.Foreign && c.Way == Without {
				b.dropped(c, reached)
			}
		}
	}
}

// dropped notes the losses of calls that could get a context.
func (b *builder) dropped(c *Call, reached reach) {
	way, lost := reached.way(c.From)
	for _, p := range c.Places {
		switch {
		case b.supply.Flow.OnPurpose(p.File, p.Pos):
		case p.missed:
			b.graph.Losses = append(b.graph.Losses, &Loss{In: c.From, Place: p, To: c.To})
		case lost:
			b.graph.Losses = append(b.graph.Losses, &Loss{Way: way, In: c.From, Place: p, To: c.To})
		}
	}
}

// needing returns the functions that are given no context and need one: they make it, make calls that could get it, or call such
// a function.
func (b *builder) needing() map[*Func]bool {
	needs := map[*Func]bool{}
	var todo []*Func
	need := func(f *Func) {
		if f != nil && !f.Foreign && !f.Has() && !f.Entry && !needs[f] {
			needs[f] = true
			todo = append(todo, f)
		}
	}
	for _, born := range b.graph.Births {
		need(born.In)
	}
	for _, f := range b.graph.Funcs {
		if slices.ContainsFunc(f.Out, func(c *Call) bool { return c.To.Foreign && c.Way == Without }) {
			need(f)
		}
	}
	for len(todo) > 0 {
		f := todo[0]
		todo = todo[1:]
		for _, c := range f.In {
			if c.Way == Without {
				need(c.From)
			}
		}
	}
	return needs
}

// A reach holds the functions without a context that can be reached from one that has a context, each with the last step of
// the shortest way there.
type reach map[*Func]Step

// reach finds them.
func (b *builder) reach(needs map[*Func]bool) reach {
	reached := reach{}
	var todo []*Func
	step := func(c *Call, p Place) {
		if _, known := reached[c.To]; !known && needs[c.To] {
			reached[c.To] = Step{c, p}
			todo = append(todo, c.To)
		}
	}
	for _, f := range b.graph.Funcs {
		for _, c := range f.Out {
			if i := slices.IndexFunc(c.Places, func(p Place) bool { return p.missed }); c.Way == Without && i >= 0 {
				step(c, c.Places[i])
			}
		}
	}
	for len(todo) > 0 {
		f := todo[0]
		todo = todo[1:]
		for _, c := range f.Out {
			if c.Way == Without {
				step(c, c.Places[0])
			}
		}
	}
	return reached
}

// way returns the steps to a function.
func (r reach) way(f *Func) (steps []Step, ok bool) {
	for {
		step, known := r[f]
		if !known || len(steps) > len(r) {
			break
		}
		steps = append(steps, step)
		f = step.Call.From
	}
	slices.Reverse(steps)
	return steps, len(steps) > 0
}

// keep drops the calls that are not wanted, and then the functions that have nothing to do with contexts.
func (b *builder) keep(wanted func(*Call) bool) {
	gives := map[*Func]bool{}
	for _, born := range b.graph.Births {
		gives[born.In] = true
	}
	for _, f := range b.graph.Funcs {
		f.Out = slices.DeleteFunc(f.Out, func(c *Call) bool { return !wanted(c) })
	}
	for _, f := range b.graph.Funcs {
		f.In = slices.DeleteFunc(f.In, func(c *Call) bool { return !wanted(c) })
	}
	b.graph.Funcs = slices.DeleteFunc(b.graph.Funcs, func(f *Func) bool { return len(f.Out)+len(f.In) == 0 && !gives[f] })
}
