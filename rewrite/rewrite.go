// Package rewrite runs the stages in order: load, find, plan, apply, verify.
package rewrite

import (
	"context"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
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
	// KeyStyle, KeyPackage, Accessors, Stage, API and Goroutines are the choices of [plan.Options].
	KeyStyle, KeyPackage, Accessors, Stage, API, Goroutines string
}

// A Result is what a run found and what it would change.
type Result struct {
	// Options are those of the run.
	Options Options
	Program *program.Program
	Census  *census.Census
	// Findings are those in the packages that the patterns select, by file, position and rule.
	Findings []*rules.Finding
	// Units are those with a reported finding, by ID.
	Units []*plan.Unit
	// Set holds the file changes of all fixable units at the level asked for, verified.
	Set *patches.Set
}

// Run does the work. It writes nothing. What waits for another fix is planned again on the program as the first round leaves
// it, so that running it a second time finds nothing more to do.
func Run(ctx context.Context, opts Options) (_ *Result, err error) {
	defer program.Catch(&err)
	res, err := round(ctx, opts, nil)
	if err != nil {
		return nil, err
	}
	return res, settleWaiting(ctx, opts, res)
}

// round runs the stages once. With wanted, only the units that it accepts are carried out.
func round(ctx context.Context, opts Options, wanted func(*plan.Unit) bool) (*Result, error) {
	res := &Result{Options: opts}
	var err error
	if res.Program, err = program.Load(ctx, opts.Load); err != nil {
		return nil, err
	}
	program.Doing("the census", func() { res.Census, err = census.Build(ctx, res.Program) })
	if err != nil {
		return nil, err
	}
	findings, directives := find(res.Program, res.Census, opts)
	var units []*plan.Unit
	program.Doing("planning", func() {
		units = plan.Build(res.Program, res.Census, findings, plan.Options{KeyStyle: opts.KeyStyle, KeyPackage: opts.KeyPackage, Accessors: opts.Accessors, Stage: opts.Stage, API: opts.API, Goroutines: opts.Goroutines})
	})
	units = judge(res.Program, units, directives)
	chosen := func(u *plan.Unit) bool { return opts.isSelected(res.Program, u) }
	if wanted != nil {
		chosen = func(*plan.Unit) bool { return true } // a place may have moved to a package that was not named
		units = slices.DeleteFunc(units, func(u *plan.Unit) bool { return !wanted(u) })
	}
	program.Doing("applying and verifying the fixes", func() { res.Set, err = applyVerified(ctx, res.Program, units, &opts, chosen) })
	if err != nil {
		return nil, err
	}
	settle(units, findings)
	res.Findings = append(opts.selected(res.Program, findings), directiveFindings(res.Program, directives, opts)...)
	rules.Sort(res.Program, res.Findings)
	res.Units = slices.DeleteFunc(units, func(u *plan.Unit) bool { return !chosen(u) })
	slices.SortFunc(res.Units, func(a, b *plan.Unit) int { return strings.Compare(a.ID, b.ID) })
	return res, nil
}

// find runs the rules and lets directives suppress what they report.
func find(prog *program.Program, c *census.Census, opts Options) ([]*rules.Finding, []*rules.Directive) {
	pass := &rules.Pass{Program: prog, Census: c, Rules: opts.Rules}
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
