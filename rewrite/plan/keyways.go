package plan

import (
	"go/token"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

// noteWays notes how importers can choose the key or learn it, by other things than the names that are noted already.
func (kp *keyPlan) noteWays(seen map[token.Pos]bool) {
	for _, w := range kp.census.Ways(kp.fam.Points) {
		if !seen[w.Object.Pos()] {
			seen[w.Object.Pos()] = true
			kp.review = append(kp.review, w.Message+kp.where(&w.Hazard))
		}
	}
}

// checkSiblings blocks keys that importers choose for two functions of which only one would change.
func (kp *keyPlan) checkSiblings() error {
	changes, stays, p := kp.census.Sibling(kp.fam.Points)
	if p == nil {
		return nil
	}
	does, undoes := "read", "store"
	if p.Lookups[0].Role == census.Writer {
		does, undoes = undoes, does
	}
	return block(census.ReasonDynamic, p.File, p.Expr.Pos(), "importers %s by %s under keys of their own, which would get a type here; %s, by which they %s them, cannot follow",
		does, kp.census.Reached(changes), kp.census.Reached(stays), undoes)
}

// noteSites notes how importers can hand over a key of a type without a name.
func (d *draft) noteSites(in *rules.NameKeys) {
	var sites []*census.Site
	seen := map[token.Pos]bool{}
	for _, g := range in.Groups {
		sites = append(sites, g.Sites...)
		for _, v := range g.Vars {
			seen[v.Pos()] = true // noted already
		}
	}
	for _, w := range d.census.SiteWays(sites) {
		if !seen[w.Object.Pos()] {
			d.review = append(d.review, w.Message+d.where(&w.Hazard))
		}
	}
}
