package rewrite

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/apply"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rewrite/verify"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// judge blocks the units that a directive forbids: one of their places is suppressed, or
// they would edit a suppressed line.
func judge(prog *program.Program, units []*plan.Unit, directives []*rules.Directive) []*plan.Unit {
	for _, u := range units {
		for _, f := range u.Findings {
			if f.Status == rules.Suppressed && (u.Blocker == nil || u.Blocker.Reason != "suppressed") {
				u.Blocker = &rules.Blocker{Reason: "suppressed", Message: "a place of it carries a ctxmend:ignore comment", File: f.File, Pos: f.Pos}
			}
		}
		if u.Blocker != nil {
			continue
		}
		for _, e := range u.Edits {
			f, from, to := e.Span()
			if f == nil {
				continue
			}
			if d := rules.Forbidding(prog, directives, u.Rule, f, from, to); d != nil {
				u.Blocker = &rules.Blocker{Reason: "suppressed", Message: "it would edit a line that carries a ctxmend:ignore comment", File: d.File, Pos: d.Pos}
			}
		}
	}
	return units
}

// applyVerified applies and type-checks all units that are not blocked, blocks those that do
// not survive it, and returns the patch set of the chosen ones at the level asked for.
func applyVerified(ctx context.Context, prog *program.Program, units []*plan.Unit, opts *Options, chosen func(*plan.Unit) bool) (*patches.Set, error) {
	v := &verifier{ctx: ctx, prog: prog}
	var open []*plan.Unit
	for _, u := range units {
		if u.Blocker == nil {
			open = append(open, u)
		}
	}
	together := withoutConflicts(open, opts.everyLevel())
	kept, err := v.keep(nil, together)
	if err != nil {
		return nil, err
	}
	wanted := slices.DeleteFunc(slices.Clone(open), func(u *plan.Unit) bool {
		return u.Blocker != nil || !opts.Within(u) || !chosen(u)
	})
	if !opts.everyLevel() {
		wanted = withoutConflicts(wanted, true)
	}
	wanted = afterGoroutines(wanted, opts)
	if !slices.Equal(wanted, kept) {
		if wanted, err = v.keep(nil, wanted); err != nil {
			return nil, err
		}
	}
	switch {
	case opts.Choose != nil:
		wanted, err = (&picker{opts: opts, v: v, may: chosen}).choose(wanted, open)
	case opts.Taken != nil:
		err = opts.Taken(v.offer(offerable(wanted), false))
	}
	if err != nil {
		return nil, err
	}
	return v.patches(wanted)
}

// afterGoroutines leaves out, and blocks, the units that end a context with its function when others may hand it to goroutines which
// are to inherit its end: whether anybody still needs it then shows when they have it.
func afterGoroutines(units []*plan.Unit, opts *Options) []*plan.Unit {
	if opts.Goroutines != "inherit" {
		return units
	}
	var giving *plan.Unit
	for _, u := range units {
		if giving == nil && gives(u) {
			giving = u
		}
	}
	if giving == nil {
		return units
	}
	return slices.DeleteFunc(slices.Clone(units), func(u *plan.Unit) bool {
		for _, f := range u.Findings {
			if f.Fix == nil {
				continue
			}
			if _, ends := f.Fix.Intent.(*rules.DeferCancel); ends {
				u.Blocker = &rules.Blocker{
					Reason:  "conflict",
					Message: "the fix of " + giving.ID + " may hand the context to a goroutine; apply that one first",
					File:    f.File, Pos: f.Pos,
				}
				return true
			}
		}
		return false
	})
}

// A verifier finds the units that hold together.
type verifier struct {
	ctx  context.Context
	prog *program.Program
	// units are the last ones found to hold together, set is what they change.
	units []*plan.Unit
	set   *patches.Set
}

// patches returns the patch set of units that keep has returned. Making it takes as long as
// everything else after loading, and nearly always the last one that was verified is wanted.
func (v *verifier) patches(units []*plan.Unit) (*patches.Set, error) {
	if v.set != nil && slices.Equal(units, v.units) {
		return v.set, nil
	}
	return v.apply(units)
}

// keep returns base with as many of more as type-check together, found by bisecting; the
// others are blocked with the error they cause.
func (v *verifier) keep(base, more []*plan.Unit) ([]*plan.Unit, error) {
	if len(more) == 0 {
		return base, nil
	}
	all := append(slices.Clone(base), more...)
	set, err := v.apply(all)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(u *plan.Unit) bool { return u.Blocker != nil })
	problems, err := verify.Check(v.ctx, v.prog, set)
	if err != nil {
		return nil, err
	}
	if len(problems) == 0 {
		v.units, v.set = all, set
		return all, nil
	}
	more = slices.DeleteFunc(slices.Clone(more), func(u *plan.Unit) bool { return u.Blocker != nil })
	if len(more) == 1 {
		more[0].Blocker = v.blocker(problems[0])
		return base, nil
	}
	half := len(more) / 2
	base, err = v.keep(base, more[:half])
	if err != nil {
		return nil, err
	}
	return v.keep(base, more[half:])
}

// blocker says why a unit does not survive verification.
func (v *verifier) blocker(p *verify.Problem) *rules.Blocker {
	b := &rules.Blocker{
		Reason:  "does-not-compile",
		Message: "the result would not type-check: " + strings.Join(strings.Fields(p.Error.Msg), " "),
		File:    v.prog.FileNamed(p.Error.Pos.Filename),
		Where:   position(v.prog, p.Error),
	}
	if p.Unlinks != nil {
		b.Reason, b.Message = "startup", p.Error.Msg
	}
	return b
}

func position(prog *program.Program, e program.Error) string {
	if !e.Pos.IsValid() {
		return ""
	}
	if rel, err := filepath.Rel(prog.Dir, e.Pos.Filename); err == nil {
		e.Pos.Filename = filepath.ToSlash(rel)
	}
	return e.Pos.String()
}

// apply builds the patch set of the units, blocking those that cannot be applied.
func (v *verifier) apply(units []*plan.Unit) (*patches.Set, error) {
	set, err := apply.Apply(v.prog, units)
	var failed apply.Errors
	if errors.As(err, &failed) {
		for _, f := range failed {
			f.Unit.Blocker = &rules.Blocker{Reason: "edit", Message: f.Err.Error(), File: f.Unit.Findings[0].File, Pos: f.Unit.Findings[0].Pos}
		}
		return set, nil
	}
	return set, err
}

// settle writes the outcome of units into them and their findings.
func settle(units []*plan.Unit, findings []*rules.Finding) {
	for _, u := range units {
		u.Status = rules.Fixable
		if u.Blocker != nil {
			u.Status = rules.Blocked
		}
		u.Files = u.EditedFiles()
		for _, f := range u.Findings {
			f.Applicability = u.Applicability
			if f.Status == rules.Suppressed {
				continue
			}
			f.Status = u.Status
			if u.Blocker != nil {
				if f.Blocker == nil || u.Blocker.Reason == "suppressed" {
					f.Blocker = u.Blocker
				}
				f.Blocker = placed(f.Blocker, f)
				continue
			}
			f.Note = noteOf(u)
		}
	}
	for _, f := range findings {
		if f.Status == "" {
			f.Status = rules.NoFix
		}
	}
}

// placed gives a blocker that stands nowhere else, the lack of a package to hold a key for one, the place of the finding.
func placed(b *rules.Blocker, f *rules.Finding) *rules.Blocker {
	if b.File != nil || b.Where != "" {
		return b
	}
	at := *b
	at.File, at.Pos = f.File, f.Pos
	return &at
}

// noteOf says what a unit's fix does and how far it goes.
func noteOf(u *plan.Unit) string { return strings.Join(u.Notes, "; ") }

// directiveFindings reports directives without a reason, of unknown rules, or of no effect.
func directiveFindings(prog *program.Program, directives []*rules.Directive, opts Options) []*rules.Finding {
	known := opts.Known
	if known == nil {
		known = opts.Rules
	}
	return opts.selected(prog, rules.CheckDirectives(directives, known, opts.Rules))
}
