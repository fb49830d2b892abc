package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/analysis"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// patches plans each shard of the request alone. Every module is read once for all of them.
func (c *cloneAnalysis) patches(ctx context.Context) ([]*campaign.Patch, error) {
	shards := make([]*shard, len(c.request.Shards))
	for i, ids := range c.request.Shards {
		shards[i] = newShard(ids)
	}
	for _, w := range c.worlds {
		if !slices.ContainsFunc(shards, func(s *shard) bool { return s.concerns(w) }) {
			continue
		}
		base, opts, err := c.read(ctx, w)
		if err != nil {
			return nil, err
		}
		if base == nil {
			continue
		}
		for _, s := range shards {
			if !s.concerns(w) {
				continue
			}
			if err := c.carryOut(ctx, s, w, base, opts); err != nil {
				return nil, err
			}
		}
	}
	var out []*campaign.Patch
	for _, s := range shards {
		out = append(out, s.finish(c.notes))
	}
	return out, nil
}

// A shard is some units that are planned together, and nothing else with them.
type shard struct {
	asked map[string]bool
	done  map[string]bool
	patch *campaign.Patch
	// missing are units that ones of the shard do not hold without.
	missing map[string]string
}

func newShard(ids []string) *shard {
	s := &shard{asked: map[string]bool{}, done: map[string]bool{}, missing: map[string]string{}}
	for _, id := range ids {
		s.asked[id] = true
	}
	s.patch = &campaign.Patch{Units: []campaign.Unit{}, Dropped: []campaign.Unit{}, Changes: []campaign.FileChange{}}
	return s
}

// concerns reports whether units that are asked for may be those of a world.
func (s *shard) concerns(w analysis.World) bool {
	for id := range s.asked {
		if strings.HasPrefix(id, w.Prefix()) {
			return true
		}
	}
	return false
}

// carryOut plans the shard's units of one world, and adds what came of it.
func (c *cloneAnalysis) carryOut(ctx context.Context, s *shard, w analysis.World, base *rewrite.Base, opts rewrite.Options) error {
	var alone runsOfUnits
	opts.Choose = func(_ context.Context, offer *rewrite.Offer) (*rewrite.Choice, error) {
		choice := &rewrite.Choice{}
		for _, u := range offer.Units {
			if !s.asked[w.Prefix()+u.ID] {
				continue
			}
			choice.Units = append(choice.Units, u)
			if err := alone.add(w, offer, u); err != nil {
				return nil, err
			}
		}
		return choice, nil
	}
	opts.Needs = func(u, other *plan.Unit) (bool, error) {
		s.missing[w.Prefix()+u.ID] = w.Prefix() + other.ID
		return false, nil
	}
	res, err := base.Run(ctx, opts)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.note(w, err)
		return nil
	}
	if err := c.stays(res); err != nil {
		return err
	}
	r := makeReport(res, 0)
	var carried []*campaign.Unit
	for i, u := range res.Units {
		id := w.Prefix() + u.ID
		if !s.asked[id] || s.done[id] {
			continue
		}
		unit := unitOf(w, res, r, &r.Units[i])
		s.done[id] = true
		if res.Carries(u) {
			carried = append(carried, &unit)
			continue
		}
		if other := s.missing[id]; other != "" {
			unit.Blocker = "it does not type-check without " + other
		}
		if unit.Blocker == "" {
			unit.Blocker = "it is not carried out at level " + string(opts.Level)
		}
		s.patch.Dropped = append(s.patch.Dropped, unit)
	}
	if len(carried) == 0 {
		return nil
	}
	if err := s.add(c.request.Dir, res.Set); err != nil {
		return err
	}
	alone.attribute(carried, res.Set)
	for _, u := range carried {
		s.patch.Units = append(s.patch.Units, *u)
	}
	return nil
}

// add adds what a world's units change. Two worlds that would change one file are two opinions of it.
func (s *shard) add(top string, set *patches.Set) error {
	for _, f := range set.Files {
		rel, err := filepath.Rel(top, f.Name)
		if err != nil || !filepath.IsLocal(rel) {
			return fmt.Errorf("%w: a fix would write to %s", campaign.ErrHostile, f.Rel)
		}
		change := campaign.FileChange{Name: filepath.ToSlash(rel), Before: f.Old, After: f.New}
		if slices.ContainsFunc(s.patch.Changes, func(have campaign.FileChange) bool { return have.Name == change.Name }) {
			return fmt.Errorf("%w: %s belongs to two modules", errUnfit, change.Name)
		}
		s.patch.Changes = append(s.patch.Changes, change)
	}
	return nil
}

// finish sorts the patch, and says of what was asked for and not found that it is gone.
func (s *shard) finish(notes []string) *campaign.Patch {
	for id := range s.asked {
		if !s.done[id] {
			why := "there is no such unit any more"
			if len(notes) > 0 {
				why += "; " + strings.Join(notes, "; ")
			}
			s.patch.Dropped = append(s.patch.Dropped, campaign.Unit{
				ID: id, Status: "blocked", Blocker: why,
				Reasons: []string{}, Files: []string{}, Findings: []string{}, Hunks: []campaign.Hunk{},
			})
		}
	}
	byID := func(a, b campaign.Unit) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(s.patch.Dropped, byID)
	slices.SortFunc(s.patch.Changes, func(a, b campaign.FileChange) int { return strings.Compare(a.Name, b.Name) })
	return s.patch
}

// runsOfUnits are the lines that each unit would change by itself, by the unit's ID.
type runsOfUnits map[string]map[string][]patches.Run

// add notes what a unit changes alone.
func (r *runsOfUnits) add(w analysis.World, offer *rewrite.Offer, u *plan.Unit) error {
	set, err := offer.Alone(u)
	if err != nil {
		return err
	}
	files := map[string][]patches.Run{}
	for _, f := range set.Files {
		files[f.Name] = f.Runs()
	}
	if *r == nil {
		*r = runsOfUnits{}
	}
	(*r)[w.Prefix()+u.ID] = files
	return nil
}

// attribute gives every place that changes to the units that change it. What none of them changes alone comes of their working
// together, and belongs to all that edit the file.
func (r runsOfUnits) attribute(units []*campaign.Unit, set *patches.Set) {
	for _, f := range set.Files {
		for _, run := range f.Runs() {
			hunk := campaign.Hunk{File: f.Rel, Line: run.Line, Before: run.Before, After: run.After}
			found := false
			for _, u := range units {
				if slices.ContainsFunc(r[u.ID][f.Name], run.Meets) {
					u.Hunks = append(u.Hunks, hunk)
					found = true
				}
			}
			for _, u := range units {
				if !found && (len(units) == 1 || slices.Contains(u.Files, f.Rel)) {
					u.Hunks = append(u.Hunks, hunk)
				}
			}
		}
	}
}
