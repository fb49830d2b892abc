// Package rewrite runs the stages in order: load, find, plan, apply, verify.
package rewrite

import (
	"context"
	"go/token"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/apply"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Options say what to work on and how.
type Options struct {
	Load program.Options
	// Rules are the rules to run.
	Rules []*rules.Rule
	// Known are the names of all rules there are; a directive that names another is a finding. Nil means Rules.
	Known []*rules.Rule
	// Level is the least certain applicability that goes into the patch set: Safe or Review.
	Level rules.Applicability
	// Levels are those of single rules, by name, where they differ from Level: Manual for rules of which nothing goes in.
	Levels map[string]rules.Applicability
	// Excluded tells of which places a rule says nothing. nil means that there are none.
	Excluded func(rule string, file *program.File) bool
	// Choose, when not nil, lets somebody choose among the units that could be carried out, in every round. It is called from the
	// goroutine of Run. An error ends the run.
	Choose func(context.Context, *Offer) (*Choice, error)
	// Needs, with Choose, asks whether a unit that was chosen, and does not type-check without one that was left out, takes
	// that one with it; otherwise neither is carried out.
	Needs func(unit, other *plan.Unit) (bool, error)
	// Taken, when not nil and nobody chooses, is shown in every round what would have been offered, all of which is carried out.
	Taken func(*Offer) error
	// KeyNames are names for keys, by [plan.KeyName.Key], in place of those that ctxmend makes of their texts.
	KeyNames map[string]string
	// KeyStyle, KeyPackage, Accessors, Stage, API and Goroutines are the choices of [plan.Options].
	KeyStyle, KeyPackage, Accessors, Stage, API, Goroutines string
	// Mend, when not nil, is asked, before anything is planned, about the findings that would be reported: those it returns true for are new, say,
	// and only they are planned for and mended. The others stay findings without a status.
	Mend func(ctx context.Context, findings []*rules.Finding) (func(*rules.Finding) bool, error)
}

// A Result is what a run found and what it would change.
type Result struct {
	// Options are those of the run.
	Options Options
	Program *program.Program
	Census  *census.Census
	// Pass is what the rules have looked at; asking it again is cheap.
	Pass *rules.Pass
	// Findings are those in the packages that the patterns select, by file, position and rule.
	Findings []*rules.Finding
	// Units are those with a reported finding, by ID.
	Units []*plan.Unit
	// Set holds the file changes of all fixable units at the level asked for, verified.
	Set *patches.Set

	mend func(*rules.Finding) bool
}

// Carries reports whether the patch set carries out a unit.
func (r *Result) Carries(u *plan.Unit) bool {
	return r.Options.CarriesOut(u) && r.mends(u)
}

// Wants reports whether a finding is one that Options.Mend has chosen, or has not been asked about because a fix has brought
// it to light.
func (r *Result) Wants(f *rules.Finding) bool { return r.mend == nil || r.mend(f) }

// mends reports whether a unit has a finding that is to be mended.
func (r *Result) mends(u *plan.Unit) bool {
	return r.mend == nil || slices.ContainsFunc(u.Findings, r.mend)
}

// Run does the work. It writes nothing. What waits for another fix is planned again on the program as the first round leaves
// it, so that running it a second time finds nothing more to do.
func Run(ctx context.Context, opts Options) (*Result, error) {
	b, err := Read(ctx, opts.Load)
	if err != nil {
		return nil, err
	}
	return b.Run(ctx, opts)
}

// planRound finds and plans in a program that is loaded.
func planRound(ctx context.Context, res *Result, opts *Options, wanted func(*plan.Unit) bool) error {
	var err error
	res.Pass = &rules.Pass{Program: res.Program, Census: res.Census, Rules: opts.Rules}
	findings, directives := find(res.Pass, *opts)
	res.Findings = report(res.Program, findings, directives, *opts)
	if opts.Mend != nil {
		if res.mend, err = opts.Mend(ctx, res.Findings); err != nil {
			return err
		}
		if !slices.ContainsFunc(res.Findings, res.mend) {
			res.Set = patchless(res.Program)
			return nil
		}
	}
	var units []*plan.Unit
	program.Doing("planning", func() {
		units = plan.Build(res.Program, res.Census, findings, plan.Options{KeyStyle: opts.KeyStyle, KeyPackage: opts.KeyPackage, Accessors: opts.Accessors, Stage: opts.Stage, API: opts.API, Goroutines: opts.Goroutines, KeyNames: opts.KeyNames})
	})
	units = judge(res.Program, units, directives)
	chosen := func(u *plan.Unit) bool { return opts.isSelected(res.Program, u) && res.mends(u) }
	if wanted != nil {
		chosen = func(*plan.Unit) bool { return true } // a place may have moved to a package that was not named
		units = slices.DeleteFunc(units, func(u *plan.Unit) bool { return !wanted(u) })
	}
	program.Doing("applying and verifying the fixes", func() { res.Set, err = applyVerified(ctx, res.Program, units, opts, chosen) })
	if err != nil {
		return err
	}
	settle(units, findings)
	res.Findings = stillReported(res.Findings, report(res.Program, findings, directives, *opts))
	res.Units = slices.DeleteFunc(units, func(u *plan.Unit) bool { return !chosen(u) })
	slices.SortFunc(res.Units, func(a, b *plan.Unit) int { return strings.Compare(a.ID, b.ID) })
	return nil
}

// Find loads a program and runs the rules, and says nothing of what could be mended.
func Find(ctx context.Context, opts Options) (_ *Result, err error) {
	defer program.Catch(&err)
	res := &Result{}
	if res.Program, err = program.Load(ctx, opts.Load); err != nil {
		return nil, err
	}
	program.Doing("the census", func() { res.Census, err = census.Build(ctx, res.Program) })
	if err != nil {
		return nil, err
	}
	res.Pass = &rules.Pass{Program: res.Program, Census: res.Census, Rules: opts.Rules}
	findings, directives := find(res.Pass, opts)
	res.Findings = report(res.Program, findings, directives, opts)
	return res, nil
}

// Nothing turns what Find returned into the result of a run that has nothing to do, since no finding is wanted.
func (r *Result) Nothing(wants func(*rules.Finding) bool) *Result {
	r.mend, r.Set = wants, patchless(r.Program)
	return r
}

// report returns what is reported of findings and directives, in order.
func report(prog *program.Program, findings []*rules.Finding, directives []*rules.Directive, opts Options) []*rules.Finding {
	list := append(opts.selected(prog, findings), directiveFindings(prog, directives, opts)...)
	rules.Sort(prog, list)
	return list
}

// stillReported takes out of what was reported before planning what is not reported after it: a directive that keeps a unit from
// a line has an effect.
func stillReported(before, after []*rules.Finding) []*rules.Finding {
	type saying struct {
		file          *program.File
		pos           token.Pos
		rule, message string
	}
	of := func(f *rules.Finding) saying { return saying{f.File, f.Pos, f.Rule, f.Message} }
	left := map[saying]bool{}
	for _, f := range after {
		left[of(f)] = true
	}
	return slices.DeleteFunc(before, func(f *rules.Finding) bool { return !left[of(f)] })
}

// patchless returns the patch set of a program that stays as it is.
func patchless(prog *program.Program) *patches.Set {
	set, _ := apply.Apply(prog, nil) // there is nothing that could fail
	return set
}

// find runs the rules and lets directives suppress what they report.
func find(pass *rules.Pass, opts Options) ([]*rules.Finding, []*rules.Directive) {
	prog := pass.Program
	var findings []*rules.Finding
	for _, r := range opts.Rules {
		program.Doing("rule "+r.Name, func() { findings = append(findings, r.Run(pass)...) })
	}
	rules.Sort(prog, findings)
	directives := rules.Directives(prog)
	for _, f := range findings {
		if d := rules.Suppressing(prog, directives, f); d != nil {
			f.Status = rules.Suppressed
		}
	}
	findings = slices.DeleteFunc(findings, func(f *rules.Finding) bool { return f.Left })
	return findings, directives
}
