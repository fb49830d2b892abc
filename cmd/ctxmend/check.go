package main

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
)

func (a *app) checkCommand() *cobra.Command {
	var flags runFlags
	var base baselineFlags
	cmd := &cobra.Command{
		Use:   "check [packages]",
		Short: "List findings",
		Long: `Check lists every finding in the packages, ./... by default: fixable at any
level, blocked with the reason, and those only a person can mend.

With --baseline it lists only what the file does not name; --write-baseline makes such a file of
what there is now, and lists nothing.

The exit code is 0 without findings, 3 with some, 1 when the check failed and 2
when the arguments are wrong.`,
		Args: func(*cobra.Command, []string) error { return base.check() },
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.check(cmd.Context(), &flags, &base, args)
		},
	}
	flags.add(cmd)
	flags.addCache(cmd)
	base.add(cmd)
	return cmd
}

func (a *app) check(ctx context.Context, flags *runFlags, base *baselineFlags, patterns []string) error {
	known, err := a.readBaseline(base)
	if err != nil {
		return err
	}
	out, err := a.outcome(ctx, flags, patterns)
	if err != nil {
		return err
	}
	r := out.Report
	if base.write != "" {
		return a.writeBaseline(base, r)
	}
	a.leaveOut(r, known)
	if err := a.print(r, out.Set, flags, r.WriteText); err != nil {
		return err
	}
	if r.Summary.Findings > 0 {
		return errFindings
	}
	return nil
}

func (a *app) diffCommand() *cobra.Command {
	var flags runFlags
	var exitCode bool
	cmd := &cobra.Command{
		Use:   "diff [packages]",
		Short: "Print what fix would change, as a unified diff",
		Long: `Diff prints the fixes of the packages, ./... by default, as a unified diff that
git apply accepts, in any directory of the repository. What stays unfixed is summed up on standard error.

The exit code is 0 with and without a diff, 1 when something failed and 2 when
the arguments are wrong; with --exit-code a diff that is not empty makes it 3.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.diff(cmd.Context(), &flags, args, exitCode)
		},
	}
	flags.add(cmd)
	flags.addCache(cmd)
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 3 when the diff is not empty")
	return cmd
}

func (a *app) diff(ctx context.Context, flags *runFlags, patterns []string, exitCode bool) error {
	out, err := a.outcome(ctx, flags, patterns)
	if err != nil {
		return err
	}
	var unified bytes.Buffer
	out.Set.Base = repository(out.Set.Root, out.Set)
	if err := out.Set.Unified(&unified); err != nil {
		return err
	}
	r := out.Report
	r.Summary.FilesChanged = len(out.Set.Files)
	switch flags.format.value {
	case "text":
		err = a.printDiff(r, unified.Bytes())
	case "json", "jsonl":
		patch := unified.String()
		r.Patch = &patch
		fallthrough
	default:
		err = a.print(r, out.Set, flags, nil)
	}
	if err != nil {
		return err
	}
	if exitCode && unified.Len() > 0 {
		return errFindings
	}
	return nil
}

// repository returns the top of the git working tree around a directory, if it holds all
// files of the set, or "". As in git's own diffs, names are relative to it,
// wherever the command is run: git apply takes them for that.
func repository(dir string, set *patches.Set) string {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			for _, f := range set.Files {
				if rel, err := filepath.Rel(dir, f.Name); err != nil || !filepath.IsLocal(rel) {
					return ""
				}
			}
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// printDiff prints the diff itself, and beside it what it does not show.
func (a *app) printDiff(r *report.Report, unified []byte) error {
	if err := report.WriteDiff(a.stdout, unified, a.colored(a.stdout)); err != nil {
		return err
	}
	if a.quiet {
		return nil
	}
	return r.WriteBlocked(a.stderr, report.TextOptions{Color: a.colored(a.stderr)})
}

// print writes a report in the format asked for. The set is what fix would change.
func (a *app) print(r *report.Report, set *patches.Set, flags *runFlags, text textWriter) error {
	if flags.format.value == "text" {
		return text(a.stdout, report.TextOptions{Color: a.colored(a.stdout), Quiet: a.quiet})
	}
	c := &report.Context{Version: version(), Set: set}
	chosen, err := flags.selected(a.rules)
	if err != nil {
		return err
	}
	for _, rule := range chosen {
		c.Rules = append(c.Rules, report.RuleInfo{Name: rule.Name, Summary: rule.Summary(), Doc: rule.Text()})
	}
	c.Rules = append(c.Rules, report.RuleInfo{Name: rules.IgnoreRule, Summary: ignoreSummary, Doc: ignoreDoc})
	dir, err := a.workDir()
	if err != nil {
		return err
	}
	if top := repository(dir, &patches.Set{}); top != "" && top != dir {
		prefix, err := filepath.Rel(top, dir)
		if err != nil {
			return err
		}
		c.Prefix = filepath.ToSlash(prefix)
	}
	return r.Write(a.stdout, flags.format.value, c)
}

// analyze runs the pipeline and says so when there is nothing to report.
func (a *app) analyze(ctx context.Context, flags *runFlags, patterns []string, adjust ...func(*rewrite.Options)) (*rewrite.Result, error) {
	res, err := a.run(ctx, flags, patterns, adjust...)
	if err == nil && len(res.Findings) == 0 {
		a.note("no findings in %s", packageCount(res.Program))
	}
	return res, err
}

// run runs the pipeline, with options adjusted, and tells on stderr which packages have errors.
func (a *app) run(ctx context.Context, flags *runFlags, patterns []string, adjust ...func(*rewrite.Options)) (*rewrite.Result, error) {
	opts, err := a.options(flags, patterns)
	if err != nil {
		return nil, err
	}
	since, err := a.compareSince(ctx, flags.since, &opts)
	if err != nil {
		return nil, err
	}
	for _, f := range adjust {
		f(&opts)
	}
	bar := a.newProgress()
	if choose := opts.Choose; choose != nil {
		opts.Choose = func(ctx context.Context, offer *rewrite.Offer) (*rewrite.Choice, error) {
			bar.stop()
			return choose(ctx, offer)
		}
	}
	opts.Load.Progress = bar.update
	res, err := interruptible(ctx, func() (*rewrite.Result, error) { return rewrite.Run(ctx, opts) })
	bar.stop()
	if err != nil {
		return nil, err
	}
	a.noteBroken(res.Program.Broken)
	a.noteUnknown(flags.config, res.Program)
	if since != nil && since.known > 0 {
		a.note("%s of %s left out", plural(since.known, "finding"), flags.since)
	}
	return res, nil
}

// makeReport turns a result into the document that is printed.
func makeReport(res *rewrite.Result, filesChanged int) *report.Report {
	units := make([]report.Unit, 0, len(res.Units))
	for _, u := range res.Units {
		units = append(units, report.Unit{
			ID:            u.ID,
			Rule:          u.Rule,
			Title:         u.Title,
			Applicability: string(u.Applicability),
			Status:        string(u.Status),
			Files:         u.Files,
			Notes:         u.Notes,
			Choice:        u.Choice,
			Blocker:       report.NewBlocker(u.Blocker),
			Edits:         edits(u),
		})
	}
	r := report.New(res.Findings, units, filesChanged)
	r.Levels = map[string]string{}
	for rule, level := range res.Options.Levels {
		r.Levels[rule] = string(level)
	}
	wanted := make([]bool, len(res.Findings))
	for i, f := range res.Findings {
		wanted[i] = res.Wants(f)
	}
	if slices.Contains(wanted, false) {
		r.Keep(wanted)
	}
	return r
}

// edits lists the places that a unit changes, in the order of files and lines.
func edits(u *plan.Unit) []report.Edit {
	var list []report.Edit
	for _, e := range u.Edits {
		f, from, to := e.Span()
		if f != nil {
			list = append(list, report.Edit{File: f.Rel, Line: f.Tok.PositionFor(f.Tok.Pos(from), false).Line, EndLine: f.Tok.PositionFor(f.Tok.Pos(to), false).Line})
		} else if d, ok := e.(*plan.AddDecl); ok {
			list = append(list, report.Edit{File: d.Target()})
		}
	}
	slices.SortFunc(list, func(a, b report.Edit) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.EndLine, b.EndLine))
	})
	return slices.Compact(list)
}
