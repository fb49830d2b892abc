package rewrite

import (
	"slices"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// reports reports whether a finding lies in a package that the patterns name, and in no place of which its rule says nothing.
func (o *Options) reports(prog *program.Program, f *rules.Finding) bool {
	return prog.Selected(f.File) && (o.Excluded == nil || !o.Excluded(f.Rule, f.File))
}

// selected returns the findings that are reported.
func (o *Options) selected(prog *program.Program, findings []*rules.Finding) []*rules.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f *rules.Finding) bool { return !o.reports(prog, f) })
}

// isSelected reports whether a unit has a finding that is reported.
func (o *Options) isSelected(prog *program.Program, u *plan.Unit) bool {
	return slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool { return o.reports(prog, f) })
}

// Within reports whether a unit goes into the patch set as far as its level is concerned.
func (o *Options) Within(u *plan.Unit) bool {
	level, ok := o.Levels[u.Rule]
	if !ok {
		level = o.Level
	}
	switch u.Applicability {
	case rules.Safe:
		return level != rules.Manual
	case rules.Review:
		return level == rules.Review
	}
	return false
}

// CarriesOut reports whether the patch set holds the changes of a unit, if its findings are to be mended.
func (o *Options) CarriesOut(u *plan.Unit) bool {
	return u.Status == rules.Fixable && o.Within(u) && !u.Left
}

// everyLevel reports whether no unit is left out for its level.
func (o *Options) everyLevel() bool {
	for _, level := range o.Levels {
		if level != rules.Review {
			return false
		}
	}
	return o.Level == rules.Review
}
