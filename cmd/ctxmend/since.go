package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches/git"
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

func addSince(cmd *cobra.Command, since *string) {
	cmd.Flags().StringVar(since, "since", "", "only what is new since the commit `REV`: read in the same way, it has no finding of the same rule and key in a line of the same text, in this file or gone from another; REV... means where HEAD left REV")
}

// A comparer finds out which findings are new, by finding those of earlier states of the program.
type comparer struct {
	app   *app
	repo  *git.Repo
	state *git.State
	// commits are the earlier states; a finding is new that none of them has. "" is a state without files.
	commits []string
	// staged tells whether the index is what is looked at, and not the working tree.
	staged bool
	// name is how the earlier state is called, for messages.
	name string
	// known counts the findings that are not new.
	known int
}

// compareSince makes a run tell what is new since a revision; "" asks for nothing.
func (a *app) compareSince(ctx context.Context, rev string, opts *rewrite.Options) (*comparer, error) {
	if rev == "" {
		return nil, nil
	}
	repo, err := a.openRepo(ctx)
	if err != nil {
		return nil, err
	}
	c := &comparer{app: a, repo: repo, name: rev}
	var commit string
	if base, ok := strings.CutSuffix(rev, "..."); ok {
		commit, err = repo.MergeBase(ctx, base)
	} else {
		commit, err = repo.Commit(ctx, rev)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &usageError{message: "--since: " + err.Error(), next: "name a commit that git log shows; a shallow clone may lack it"}
	}
	c.commits = []string{commit}
	if c.state, err = repo.Read(ctx); err != nil {
		return nil, err
	}
	opts.Mend = c.mend(*opts)
	return c, nil
}

// openRepo finds the repository around the directory worked in.
func (a *app) openRepo(ctx context.Context) (*git.Repo, error) {
	dir, err := a.workDir()
	if err != nil {
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return git.Open(ctx, dir, cwd, a.env)
}

// mend returns the choice of the new findings for runs with these options.
func (c *comparer) mend(opts rewrite.Options) func(context.Context, []*rules.Finding) (func(*rules.Finding) bool, error) {
	pasts := map[string]report.Past{} // a run may ask more than once, when names have been chosen
	return func(ctx context.Context, findings []*rules.Finding) (func(*rules.Finding) bool, error) {
		fresh := make([]bool, len(findings))
		for i, f := range findings {
			fresh[i] = f.Status != rules.Suppressed
		}
		now := report.New(findings, nil, 0)
		for _, commit := range c.commits {
			if !slices.Contains(fresh, true) {
				break
			}
			past, ok := pasts[commit]
			if !ok {
				var err error
				if past, err = c.past(ctx, opts, commit); err != nil {
					return nil, err
				}
				pasts[commit] = past
			}
			for i, is := range now.NewSince(past) {
				fresh[i] = fresh[i] && is
			}
		}
		asked := map[*rules.Finding]bool{}
		c.known = 0
		for i, f := range findings {
			asked[f] = fresh[i]
			if !fresh[i] && f.Status != rules.Suppressed {
				c.known++
			}
		}
		return func(f *rules.Finding) bool {
			is, known := asked[f]
			return is || !known
		}, nil
	}
}

// past finds what was reported of an earlier state, with the same rules and in the same world. A state that cannot be
// read has no findings.
func (c *comparer) past(ctx context.Context, opts rewrite.Options, commit string) (report.Past, error) {
	past := report.Past{Report: &report.Report{}, Changed: func(string, int) bool { return true }}
	if commit == "" {
		return past, nil
	}
	snap, err := c.state.At(ctx, commit)
	if err != nil {
		return past, err
	}
	c.app.noteSnapshot(snap)
	if opts.Load.Dir, err = filepath.EvalSymlinks(opts.Load.Dir); err != nil {
		return past, err
	}
	opts.Load.Overlay, opts.Load.Patterns, opts.Load.Progress = snap.Overlay, []string{"all"}, nil
	opts.Load.Env = git.GoEnv(opts.Load.Env)
	found, err := rewrite.Find(ctx, opts)
	if ctx.Err() != nil {
		return past, ctx.Err()
	}
	if errors.As(err, new(*program.NoFilesError)) {
		return past, nil
	}
	if err != nil {
		c.app.note("%s cannot be read, so everything counts as new: %v", c.name, err)
		return past, nil
	}
	past.Report = report.New(found.Findings, nil, 0)
	past.Changed = c.changed(ctx, cmp.Or(opts.Load.Base, opts.Load.Dir), commit)
	return past, nil
}

// changed tells which lines of a file differ from those of a commit.
func (c *comparer) changed(ctx context.Context, dir, commit string) func(file string, line int) bool {
	lines := map[string]func(int) bool{}
	return func(file string, line int) bool {
		path := c.repo.Path(filepath.Join(dir, filepath.FromSlash(file)))
		if lines[path] == nil {
			// Which of several equal findings is called the new one is no reason to fail.
			var err error
			if lines[path], err = c.repo.Lines(ctx, commit, c.staged, path); err != nil {
				lines[path] = func(int) bool { return false }
			}
		}
		return lines[path](line)
	}
}

func (a *app) noteSnapshot(snap *git.Snapshot) {
	for _, note := range snap.Notes {
		a.note("%s", note)
	}
}
