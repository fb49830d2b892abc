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
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// patches plans each shard alone, on what has been read already where that is still there.
func (c *cloneAnalysis) patches(ctx context.Context, lists [][]string) ([]*campaign.Patch, error) {
	shards := make([]*shard, len(lists))
	for i, ids := range lists {
		shards[i] = newShard(ids)
	}
	for _, l := range c.worlds {
		for _, s := range shards {
			if !s.asksFor(l.found.units) {
				continue
			}
			o, err := c.plan(ctx, l, s)
			if err == nil && o != nil {
				err = s.take(c.request.Dir, o)
			}
			if err != nil {
				return nil, err
			}
		}
		l.base = nil
	}
	var out []*campaign.Patch
	for _, s := range shards {
		out = append(out, s.finish(c.notes))
	}
	return out, nil
}

// A planning is what came of planning units of one world.
type planning struct {
	units []planned
	set   *patches.Set
	// alone are the lines that each unit would change by itself.
	alone runsOfUnits
	// missing are units that others do not hold without.
	missing map[string]string
	level   string
}

// A planned unit is one that may be carried out by the patch set.
type planned struct {
	campaign.Unit
	carried bool
}

// take notes what a run has made.
func (o *planning) take(w analysis.World, top string, res *rewrite.Result, r *report.Report) {
	o.set, o.level = res.Set, string(res.Options.Level)
	packages := newPackageNamer(res.Program, top)
	for i, u := range res.Units {
		unit := unitOf(w, res, r, &r.Units[i])
		unit.Title = packages.shorten(unit.Title)
		o.units = append(o.units, planned{unit, res.Carries(u)})
	}
}

// carried returns the units that the patch set carries out.
func (o *planning) carried() []planned {
	return slices.DeleteFunc(slices.Clone(o.units), func(u planned) bool { return !u.carried })
}

// A shard is some units that are planned together, and nothing else with them.
type shard struct {
	asked map[string]bool
	done  map[string]bool
	patch *campaign.Patch
}

func newShard(ids []string) *shard {
	s := &shard{asked: map[string]bool{}, done: map[string]bool{}}
	for _, id := range ids {
		s.asked[id] = true
	}
	s.patch = &campaign.Patch{Units: []campaign.Unit{}, Dropped: []campaign.Unit{}, Changes: []campaign.FileChange{}}
	return s
}

// asksFor reports whether some of the units are of the shard.
func (s *shard) asksFor(units []planned) bool {
	return slices.ContainsFunc(units, func(u planned) bool { return s.asked[u.ID] })
}

// plan plans the shard's units of one world and no others. Where those are all that can be carried out there, that has been done.
func (c *cloneAnalysis) plan(ctx context.Context, l *looked, s *shard) (*planning, error) {
	if !slices.ContainsFunc(l.found.carried(), func(u planned) bool { return !s.asked[u.ID] }) {
		return l.found, nil
	}
	w := l.World
	base, opts, err := l.base, rewrite.Options{}, error(nil)
	if base == nil {
		base, opts, err = c.read(ctx, w)
		l.base = base
	} else {
		opts, err = c.options(w)
	}
	if err != nil || base == nil {
		return nil, err
	}
	o := &planning{alone: runsOfUnits{}, missing: map[string]string{}}
	opts.Choose = func(_ context.Context, offer *rewrite.Offer) (*rewrite.Choice, error) {
		units := slices.DeleteFunc(slices.Clone(offer.Units), func(u *plan.Unit) bool { return !s.asked[w.Prefix()+u.ID] })
		return &rewrite.Choice{Units: units}, o.alone.add(w, offer, units)
	}
	opts.Needs = func(u, other *plan.Unit) (bool, error) {
		o.missing[w.Prefix()+u.ID] = w.Prefix() + other.ID
		return false, nil
	}
	res, err := base.Run(ctx, opts)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		c.note(w, err)
		return nil, nil
	}
	if err := c.stays(res); err != nil {
		return nil, err
	}
	o.take(w, c.request.Dir, res, makeReport(res, 0))
	return o, nil
}

// take takes from a planning what was asked for.
func (s *shard) take(top string, o *planning) error {
	var carried []*campaign.Unit
	for _, u := range o.units {
		if !s.asked[u.ID] || s.done[u.ID] {
			continue
		}
		unit := u.Unit
		s.done[u.ID] = true
		if u.carried {
			unit.Hunks = []campaign.Hunk{}
			carried = append(carried, &unit)
			continue
		}
		if other := o.missing[u.ID]; other != "" {
			unit.Blocker = "it does not type-check without " + other
		}
		if unit.Blocker == "" {
			unit.Blocker = "it is not carried out at level " + o.level
		}
		s.patch.Dropped = append(s.patch.Dropped, unit)
	}
	if len(carried) == 0 {
		return nil
	}
	if err := s.add(top, o.set); err != nil {
		return err
	}
	o.alone.attribute(carried, o.set)
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

// add notes what units that are offered change alone.
func (r runsOfUnits) add(w analysis.World, offer *rewrite.Offer, units []*plan.Unit) error {
	for _, u := range units {
		set, err := offer.Alone(u)
		if err != nil {
			return err
		}
		files := map[string][]patches.Run{}
		for _, f := range set.Files {
			files[f.Name] = f.Runs()
		}
		r[w.Prefix()+u.ID] = files
	}
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
