package rewrite

import (
	"cmp"
	"slices"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A claim is a range of bytes that a unit edits.
type claim struct {
	from, to int
	unit     *plan.Unit
	rank     int
}

// withoutConflicts returns the units that do not edit what another one edits as well. What removes a key
// goes first, since nothing else is then to be done about it; then what gives a read its second result, which other fixes make
// use of; the safer of two units then, and the one planned first. The others are blocked when they are told so, and left out otherwise: at another level they may go first.
func withoutConflicts(units []*plan.Unit, tell bool) []*plan.Unit {
	ranked := slices.Clone(units)
	slices.SortStableFunc(ranked, func(a, b *plan.Unit) int { return cmp.Compare(rank(a), rank(b)) })
	byFile := map[*program.File][]claim{}
	for rank, u := range ranked {
		addClaims(byFile, u, rank)
	}
	var found []conflict
	for f, list := range byFile {
		found = append(found, overlaps(f, list)...)
	}
	found = append(found, typesFirst(ranked)...)
	slices.SortFunc(found, func(x, y conflict) int {
		return cmp.Or(cmp.Compare(x.first.rank, y.first.rank), cmp.Compare(x.second.rank, y.second.rank), cmp.Compare(x.file.Rel, y.file.Rel), cmp.Compare(x.second.from, y.second.from))
	})
	// What removes a key does not mend how its values are read where they live on under another one, nor of what type they are.
	slices.SortStableFunc(found, func(x, y conflict) int {
		return cmp.Or(cmp.Compare(y.mendsFirst(), x.mendsFirst()), cmp.Compare(y.livesOn(), x.livesOn()))
	})
	out := map[*plan.Unit]bool{}
	for _, c := range found {
		if out[c.first.unit] || out[c.second.unit] {
			continue
		}
		if c.livesOn() > 0 {
			c.first, c.second = c.second, c.first
		}
		out[c.second.unit] = true
		if tell {
			if c.first.unit.Removes && !c.second.unit.Removes && meets(c.second.unit) == nil { // which mends what the other finds
				c.first.unit.Findings = append(c.first.unit.Findings, c.second.unit.Findings...)
				for _, f := range c.second.unit.Findings {
					f.Unit = c.first.unit.ID
				}
				c.second.unit.Findings = nil
			}
			c.second.unit.Blocker = &rules.Blocker{
				Reason:  "conflict",
				Message: "the fix of " + c.first.unit.ID + " changes the same code; apply that one first",
				File:    c.file, Pos: c.file.Tok.Pos(c.second.from),
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(units), func(u *plan.Unit) bool { return out[u] })
}

// rank orders units for conflicts.
func rank(u *plan.Unit) int {
	switch {
	case u.Removes:
		return 0
	case u.Checks:
		return 1
	case u.Applicability == rules.Safe:
		return 2
	}
	return 3
}

// A conflict is two claims to the same bytes, the one that goes first in front.
type conflict struct {
	file          *program.File
	first, second claim
}

// livesOn is 1 when the first unit replaces a key and the second mends what is stored under it, or what has nothing to do
// with keys: a context that grows in a loop goes on growing by one value.
func (c conflict) livesOn() int {
	keyless := !slices.ContainsFunc(c.second.unit.Findings, func(f *rules.Finding) bool { return f.Key != "" })
	if c.first.unit.Removes && c.second.unit.Reads || c.first.unit.Joins && keyless {
		return 1
	}
	return 0
}

// mendsFirst is 1 when the first unit mends the type of a value that the second makes part of another one.
func (c conflict) mendsFirst() int {
	in, joins := joining(c.second.unit)
	if mended := meets(c.first.unit); mended != nil && joins && slices.Contains(in.Keys, mended.Key) {
		return 1
	}
	return 0
}

// meets returns how a unit makes what is stored under a key and what is asserted one type; nil for other units.
func meets(u *plan.Unit) *rules.MeetTypes {
	for _, f := range u.Findings {
		if f.Fix == nil {
			continue
		}
		if in, ok := f.Fix.Intent.(*rules.MeetTypes); ok {
			return in
		}
	}
	return nil
}

// typesFirst finds the units that make one value of several although another one mends the type of one of them: it has to be
// right before, since nobody sees afterwards that it was not.
func typesFirst(ranked []*plan.Unit) []conflict {
	mended := map[*census.Key]int{}
	for i, u := range ranked {
		if in := meets(u); in != nil {
			mended[in.Key] = i + 1
		}
	}
	var found []conflict
	for i, u := range ranked {
		in, ok := joining(u)
		if !ok {
			continue
		}
		for _, k := range in.Keys {
			if first := mended[k]; first > 0 {
				f := u.Findings[0]
				at := f.File.Tok.Offset(f.Pos)
				found = append(found, conflict{f.File, claim{at, at, ranked[first-1], first - 1}, claim{at, at, u, i}})
			}
		}
	}
	return found
}

// joining returns what a unit that makes one value of several is asked to do; ok is false for others.
func joining(u *plan.Unit) (in *rules.JoinValues, ok bool) {
	if len(u.Findings) == 0 || u.Findings[0].Fix == nil {
		return nil, false
	}
	in, ok = u.Findings[0].Fix.Intent.(*rules.JoinValues)
	return in, ok
}

// overlaps finds the claims of different units that share a byte, or insert at the same place.
func overlaps(f *program.File, list []claim) []conflict {
	slices.SortFunc(list, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.rank, b.rank))
	})
	var found []conflict
	var open []claim // those that reach the claim in hand
	for _, c := range list {
		open = slices.DeleteFunc(open, func(x claim) bool { return x.to < c.from })
		for _, x := range open {
			if x.unit == c.unit || !(x.from < c.to && c.from < x.to || x.from == c.from && x.to == c.to) {
				continue
			}
			if x.rank < c.rank {
				found = append(found, conflict{f, x, c})
			} else {
				found = append(found, conflict{f, c, x})
			}
		}
		open = append(open, c)
	}
	return found
}

// addClaims adds what a unit replaces or removes. Bytes that a replacement keeps are free to others.
func addClaims(byFile map[*program.File][]claim, u *plan.Unit, rank int) {
	for _, e := range u.Edits {
		f, from, to := e.Span()
		if f == nil {
			continue
		}
		insert := from == to
		add := func(from, to int) {
			if from < to || insert {
				byFile[f] = append(byFile[f], claim{from, to, u, rank})
			}
		}
		if s, ok := e.(*plan.Splice); ok {
			for _, p := range s.Text {
				if p.End > p.Start && p.Start >= from && p.End <= to {
					add(from, p.Start)
					from = p.End
				}
			}
		}
		add(from, to)
	}
}
