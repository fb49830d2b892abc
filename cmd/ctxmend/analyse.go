package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime/metrics"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/analysis"
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules/program"
)

// analyseCommand is the child process of campaigns. People have no use for it.
func (a *app) analyseCommand() *cobra.Command {
	return &cobra.Command{
		Use:    analysis.Command,
		Short:  "Analyse a clone for a campaign, as standard input asks",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, request, plans, err := analysis.Listen(cmd.Context(), a.stdin)
			if err != nil {
				return err
			}
			c := &cloneAnalysis{app: a, request: request, standard: new(program.Standard)}
			say := json.NewEncoder(a.stdout)
			answer := answerOf(func(answer *analysis.Answer) (err error) {
				answer.Analysis, err = c.analyse(ctx)
				return err
			})
			if err := say.Encode(answer); err != nil || answer.Fault != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case plan := <-plans:
				return say.Encode(answerOf(func(answer *analysis.Answer) (err error) {
					answer.Patches, err = c.patches(ctx, plan.Shards)
					return err
				}))
			}
		},
	}
}

// answerOf has a question answered; what goes wrong is an answer, too.
func answerOf(do func(*analysis.Answer) error) (answer *analysis.Answer) {
	var err error
	defer func() {
		if err != nil {
			answer = &analysis.Answer{Fault: faultOf(err)}
		}
	}()
	defer program.Catch(&err)
	answer = &analysis.Answer{}
	err = do(answer)
	return answer
}

// faultOf sorts an error. What is wrong with the repository itself will be wrong at the next try.
func faultOf(err error) *analysis.Fault {
	fault := &analysis.Fault{Kind: analysis.Failed, Message: err.Error()}
	var wrong *configError
	var usage *usageError
	switch {
	case errors.Is(err, campaign.ErrHostile):
		fault.Kind = analysis.Hostile
	case errors.Is(err, errUnfit), errors.As(err, &wrong), errors.As(err, &usage):
		fault.Kind = analysis.Unfit
	}
	return fault
}

// errUnfit says that there is nothing in a clone that could be read as a program.
var errUnfit = errors.New("no Go module could be read")

// A cloneAnalysis is what one request asks about.
type cloneAnalysis struct {
	app      *app
	request  *analysis.Request
	standard *program.Standard // of all worlds
	worlds   []*looked
	notes    []string
}

// A looked is a world that has been looked at.
type looked struct {
	analysis.World
	// base is what was read, while it is kept.
	base *rewrite.Base
	// found is what came of all its units together.
	found *planning
}

// find looks for modules and workspaces.
func (c *cloneAnalysis) find() ([]analysis.World, error) {
	worlds, notes, err := analysis.Worlds(c.request.Dir)
	if err != nil {
		return nil, err
	}
	if c.notes = notes; len(worlds) > 0 {
		return worlds, nil
	}
	if len(notes) == 0 {
		return nil, fmt.Errorf("%w: there is no go.mod", errUnfit)
	}
	return nil, fmt.Errorf("%w: %s", errUnfit, strings.Join(notes, "; "))
}

// options are those of a run on one of the worlds. The flags that a person would give are set as if one had.
func (c *cloneAnalysis) options(w analysis.World) (rewrite.Options, error) {
	asked := c.request.Options
	sub := *c.app
	sub.dir, sub.noConfig, sub.configFile = filepath.Join(c.request.Dir, filepath.FromSlash(w.Start)), asked.NoConfig, ""
	sub.env = append(append([]string{}, c.app.env...), "GOWORK="+cmp.Or(w.Work, "off"))
	flags := new(runFlags)
	cmd := &cobra.Command{Use: analysis.Command}
	flags.add(cmd)
	for name, value := range map[string]string{
		"level": asked.Level, "key-style": asked.KeyStyle, "accessors": asked.Accessors, "api": asked.API, "stage": asked.Stage, "tags": asked.Tags,
	} {
		if value == "" {
			continue
		}
		if err := cmd.Flags().Set(name, value); err != nil {
			return rewrite.Options{}, flagError(cmd, err)
		}
	}
	for name, values := range map[string][]string{"rules": asked.Rules, "skip-rules": asked.SkipRules, "platforms": asked.Platforms} {
		if len(values) == 0 {
			continue
		}
		flag := cmd.Flags().Lookup(name)
		if err := flag.Value.(pflag.SliceValue).Replace(values); err != nil {
			return rewrite.Options{}, err
		}
		flag.Changed = true
	}
	if c.request.Jobs > 0 {
		flags.jobs = c.request.Jobs
	}
	opts, err := sub.options(flags, nil)
	opts.Load.Base, opts.Load.Standard = c.request.Dir, c.standard
	return opts, err
}

// read loads one of the worlds. What cannot be read is noted; an error is not about it.
func (c *cloneAnalysis) read(ctx context.Context, w analysis.World) (*rewrite.Base, rewrite.Options, error) {
	opts, err := c.options(w)
	var wrong *configError
	if errors.As(err, &wrong) {
		c.note(w, err)
		return nil, opts, nil
	}
	if err != nil {
		return nil, opts, err
	}
	base, err := rewrite.Read(ctx, opts.Load)
	if ctx.Err() != nil {
		return nil, opts, ctx.Err()
	}
	if err != nil {
		c.note(w, err)
		return nil, opts, nil
	}
	return base, opts, nil
}

func (c *cloneAnalysis) note(w analysis.World, err error) {
	text := strings.ReplaceAll(err.Error(), c.request.Dir+string(filepath.Separator), "")
	c.notes = append(c.notes, w.Dir+": "+strings.Join(strings.Fields(text), " "))
}

// analyse reports what could be done.
func (c *cloneAnalysis) analyse(ctx context.Context) (*campaign.Analysis, error) {
	out := &campaign.Analysis{Modules: []string{}, Findings: []campaign.Finding{}, Units: []campaign.Unit{}, Notes: []string{}}
	worlds, err := c.find()
	if err != nil {
		return nil, err
	}
	for _, w := range worlds {
		c.makeRoom()
		base, opts, err := c.read(ctx, w)
		if err != nil {
			return nil, err
		}
		if base == nil {
			continue
		}
		l := &looked{World: w, found: &planning{alone: runsOfUnits{}}}
		opts.Taken = func(offer *rewrite.Offer) error { return l.found.alone.add(w, offer, offer.Units) }
		res, err := base.Run(ctx, opts)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			c.note(w, err)
			continue
		}
		if err := c.stays(res); err != nil {
			return nil, err
		}
		out.Modules = append(out.Modules, w.Dir)
		c.noteBroken(res.Program)
		r := makeReport(res, 0)
		for i := range r.Findings {
			out.Findings = append(out.Findings, findingOf(w, &r.Findings[i]))
		}
		l.found.take(w, c.request.Dir, res, r)
		for _, u := range l.found.units {
			out.Units = append(out.Units, u.Unit)
		}
		if len(l.found.carried()) > 1 { // fewer are planned together or not at all
			l.base = base
		}
		c.worlds = append(c.worlds, l)
	}
	out.Notes = append(out.Notes, c.notes...)
	if len(out.Modules) == 0 {
		return nil, fmt.Errorf("%w: %s", errUnfit, strings.Join(c.notes, "; "))
	}
	c.notes = nil
	return out, nil
}

// makeRoom lets go of what was read of worlds before when it takes a quarter of the memory that there is: it can be read again.
func (c *cloneAnalysis) makeRoom() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if c.request.Memory == 0 || live[0].Value.Uint64() < uint64(c.request.Memory/4) {
		return
	}
	for _, l := range c.worlds {
		l.base = nil
	}
}

// stays makes sure that all files that may be edited lie in the clone.
func (c *cloneAnalysis) stays(res *rewrite.Result) error {
	for _, f := range res.Program.Files {
		name, err := filepath.EvalSymlinks(f.Name)
		if err != nil {
			name = f.Name
		}
		if rel, err := filepath.Rel(c.request.Dir, name); err != nil || !filepath.IsLocal(rel) {
			return fmt.Errorf("%w: %s lies outside of the repository", campaign.ErrHostile, f.Rel)
		}
	}
	return nil
}

// noteBroken names packages with errors: findings there may be missing.
func (c *cloneAnalysis) noteBroken(prog *program.Program) {
	for i, p := range prog.Broken {
		if i == maxBroken {
			c.notes = append(c.notes, plural(len(prog.Broken)-i, "more package")+" with errors")
			return
		}
		text := "package " + p.Path + " has errors"
		if len(p.Errors) > 0 {
			e := p.Errors[0]
			text += ": " + strings.Join(strings.Fields(e.Msg), " ")
			if rel, err := filepath.Rel(c.request.Dir, e.Pos.Filename); err == nil && filepath.IsLocal(rel) {
				text += fmt.Sprintf(" (%s:%d)", filepath.ToSlash(rel), e.Pos.Line)
			}
		}
		c.notes = append(c.notes, strings.ReplaceAll(text, c.request.Dir+string(filepath.Separator), ""))
	}
}

// findingOf makes of a finding what campaigns keep.
func findingOf(w analysis.World, f *report.Finding) campaign.Finding {
	out := campaign.Finding{
		Rule: f.Rule, Message: f.Message, File: path.Clean(f.File), Line: f.Line, Column: f.Column, Key: f.Key,
		Applicability: f.Applicability, Status: f.Status, Fingerprint: f.Fingerprint, Blocker: blockerText(f.Blocker),
	}
	if f.Unit != "" {
		out.Unit = w.Prefix() + f.Unit
	}
	return out
}

func blockerText(b *report.Blocker) string {
	switch {
	case b == nil:
		return ""
	case b.File == "":
		return b.Message
	}
	return fmt.Sprintf("%s (%s:%d)", b.Message, b.File, b.Line)
}

// unitOf makes of a unit what campaigns keep.
func unitOf(w analysis.World, res *rewrite.Result, r *report.Report, u *report.Unit) campaign.Unit {
	out := campaign.Unit{
		ID: w.Prefix() + u.ID, Rule: u.Rule, Title: u.Title, Applicability: u.Applicability, Status: u.Status,
		Reasons: append([]string{}, u.Notes...), Files: append([]string{}, u.Files...), Findings: []string{}, Hunks: []campaign.Hunk{},
		Blocker: blockerText(u.Blocker),
	}
	if u.Choice != "" {
		out.Reasons = append(out.Reasons, u.Choice)
	}
	if u.Blocker == nil {
		out.Check = "type-checked in " + plural(len(res.Program.Configs), "build configuration")
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Unit == u.ID {
			out.Findings = append(out.Findings, fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Rule, f.Message))
		}
	}
	return out
}
