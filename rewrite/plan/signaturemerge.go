package plan

import (
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
)

// mergeParams makes one intent of those that add a parameter to the same functions: their edits are one unit. What cannot
// be done by itself stays by itself, so that it does not hold up the rest.
func (pl *planner) mergeParams(order []rules.Intent, findings map[rules.Intent][]*rules.Finding) []rules.Intent {
	owner := map[*callgraph.Func]*rules.AddParam{}
	merged := map[*rules.AddParam]*rules.AddParam{} // to what an intent has become part of
	var find func(in *rules.AddParam) *rules.AddParam
	find = func(in *rules.AddParam) *rules.AddParam {
		if to := merged[in]; to != nil {
			return find(to)
		}
		return in
	}
	out := slices.Clone(order)
	for _, x := range order {
		in, ok := x.(*rules.AddParam)
		if !ok || slices.ContainsFunc(findings[x], func(f *rules.Finding) bool { return f.Status == rules.Suppressed }) {
			continue
		}
		sp, err := pl.draft(&Unit{}).signatures(in)
		if err != nil {
			continue
		}
		for _, p := range sp.order {
			have := owner[p.f]
			if have == nil {
				owner[p.f] = in
				continue
			}
			a, b := find(have), find(in)
			if a == b || a.Param.Name != b.Param.Name || a.Param.Type != b.Param.Type || a.Param.Index != b.Param.Index || a.Everywhere != b.Everywhere {
				continue
			}
			pl.absorb(a, b, findings)
			merged[b] = a
		}
	}
	return slices.DeleteFunc(out, func(x rules.Intent) bool {
		in, ok := x.(*rules.AddParam)
		return ok && merged[in] != nil
	})
}

// absorb makes an intent part of another one.
func (pl *planner) absorb(a, b *rules.AddParam, findings map[rules.Intent][]*rules.Finding) {
	a.Targets = append(slices.Clone(a.Targets), b.Targets...)
	a.Starts = append(slices.Clone(a.Starts), b.Starts...)
	if a.Also == nil {
		a.Also = b.Also
	}
	findings[a] = append(findings[a], findings[b]...)
	delete(findings, b)
}
