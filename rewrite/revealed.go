package rewrite

import (
	"go/token"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// reveal reports whether units that are carried out may bring other misuse to light: where there is a context now, there was none
// to pass on before; who goes on with a context may no longer do so when a value comes by another way; values between which one that
// nobody reads was stored may be one; a value whose key or type was in the way of a parameter may become one; and a key that was reached through a
// variable is now seen on the spot.
func reveal(units []*plan.Unit, opts *Options) bool {
	return slices.ContainsFunc(units, func(u *plan.Unit) bool { return opts.CarriesOut(u) && (gives(u) || showsKeys(u)) })
}

// gives reports whether a unit gives a context, or a value of one, to who had none.
func gives(u *plan.Unit) bool {
	return slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool {
		if f.Fix == nil {
			return false
		}
		switch f.Fix.Intent.(type) {
		case *rules.AddParam, *rules.UseContext, *rules.PassToGoroutine, *rules.PassValue:
			return true
		case *rules.DropWrites:
			return true // what is stored around them may be one value
		case *rules.StructValue, *rules.UnifyKeys, *rules.PartKey, *rules.MeetTypes:
			return true // the value may have been hidden in a map, or behind another key or type
		}
		return false
	})
}

// showsKeys reports whether a unit gives keys a type that a look-up spells by more than a constant, by a variable or a field: what rules
// that want to see the key on the spot make of it shows when it has the type.
func showsKeys(u *plan.Unit) bool {
	return slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool {
		if f.Fix == nil {
			return false
		}
		in, ok := f.Fix.Intent.(*rules.TypeKeys)
		return ok && slices.ContainsFunc(in.Family.Points, func(p *census.Point) bool {
			return p.World() && p.Pkg.Info.Types[p.Expr].Value == nil
		})
	})
}

// unmended returns the findings that no fix takes away, by their rule.
func unmended(res *Result, opts *Options) map[string][]*rules.Finding {
	fixed := map[string]bool{}
	for _, u := range res.Units {
		fixed[u.ID] = opts.CarriesOut(u)
	}
	known := map[string][]*rules.Finding{}
	for _, f := range res.Findings {
		if f.Status != rules.Fixable || !fixed[f.Unit] {
			known[f.Rule] = append(known[f.Rule], f)
		}
	}
	return known
}

// revealed reports whether the findings of a unit of the next round are all new, and one of them in a package that the
// patterns select.
func (w *waiter) revealed(u *plan.Unit) bool {
	return w.opts.isSelected(w.prog, u) && !slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool { return !w.isNew(f) })
}

// isNew reports whether a finding of the next round is one that the rounds before did not have.
func (w *waiter) isNew(f *rules.Finding) bool {
	now := lineOf(f.File, f.Pos)
	return f.Rule != rules.IgnoreRule && !slices.ContainsFunc(w.known[f.Rule], func(was *rules.Finding) bool {
		before := lineOf(was.File, was.Pos)
		to := w.moved(before)
		return now.file == before.file && to.first <= now.line && now.line <= to.last
	})
}

// add adds what the next round has found for the first time to the result, at the places it had in the program as it was.
func (w *waiter) add(res, next *Result) {
	units := map[*rules.Finding]*plan.Unit{}
	waited := map[*plan.Unit]*plan.Unit{} // by what has become of it; its findings are those that waited, be it that they go on waiting
	added := map[*plan.Unit]*plan.Unit{}
	for waits, list := range w.found {
		for _, u := range list {
			waited[u], added[u] = waits, waits
			for _, f := range u.Findings {
				if !slices.ContainsFunc(waits.Findings, func(was *rules.Finding) bool { return w.isStill(was, f) }) {
					units[f] = u
				}
			}
		}
	}
	for _, u := range next.Units {
		if waited[u] == nil && w.revealed(u) {
			for _, f := range u.Findings {
				units[f] = u
			}
		}
	}
	for _, f := range next.Findings {
		u := units[f]
		if u == nil && f.Fix != nil || !w.isNew(f) {
			continue
		}
		was := w.asBefore(res.Program, f)
		if was == nil {
			continue
		}
		res.Findings = append(res.Findings, was)
		if u == nil {
			continue
		}
		if added[u] == nil {
			c := *u
			c.Findings = nil
			added[u] = &c
			res.Units = append(res.Units, &c)
		}
		was.Unit = added[u].ID
		added[u].Findings = append(added[u].Findings, was)
	}
	rules.Sort(res.Program, res.Findings)
	slices.SortStableFunc(res.Units, func(a, b *plan.Unit) int { return strings.Compare(a.ID, b.ID) })
}

// asBefore returns a finding of the next round as one about the program before it, nil where it has no place there.
func (w *waiter) asBefore(prog *program.Program, f *rules.Finding) *rules.Finding {
	was := *f
	was.File, was.Pos, was.End = w.placeBefore(prog, f.File, f.Pos, f.End)
	if was.File == nil {
		return nil
	}
	was.Related = nil
	for _, r := range f.Related {
		if r.File != nil {
			r.File, r.Pos, _ = w.placeBefore(prog, r.File, r.Pos, r.Pos)
		}
		if r.File != nil {
			was.Related = append(was.Related, r)
		}
	}
	return &was
}

// within returns which of the lines from first on, in whose place others stand now, became one of these: where they are as many, the
// one with the same number among them.
func (w *waiter) within(old *program.File, first int, to standIn, now int) int {
	last := first
	for to.changed && last < old.Tok.LineCount() && w.moved(line{old.Name, last + 1}) == to {
		last++
	}
	if last-first == to.last-to.first {
		return first + now - to.first
	}
	return first
}

// placeBefore returns what stood at a place of the next round's program: the same columns of the line, if it is the same, the
// whole of the line that the fixes have changed otherwise.
func (w *waiter) placeBefore(prog *program.Program, file *program.File, pos, end token.Pos) (*program.File, token.Pos, token.Pos) {
	old := prog.FileNamed(file.Name)
	if old == nil {
		return nil, token.NoPos, token.NoPos
	}
	at := file.Tok.PositionFor(pos, false)
	best, same := 1, false
	for n := 1; n <= old.Tok.LineCount(); n++ {
		to := w.moved(line{file.Name, n})
		if to.first > at.Line {
			break
		}
		best, same = n, !to.changed && to.first == at.Line
		if to.last >= at.Line {
			best = w.within(old, n, to, at.Line)
			break
		}
	}
	start := old.Tok.LineStart(best)
	if !same {
		return old, start, start
	}
	from := start + token.Pos(at.Column-1)
	return old, from, min(from+(end-pos), old.Tok.Pos(old.Tok.Size()))
}
