package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/patches/git"
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// recoverHook ends what an interrupted run left in any of the repository's modules.
func (a *app) recoverHook(ctx context.Context, repo *git.Repo) error {
	roots, err := repo.Roots(ctx)
	if err != nil {
		return err
	}
	for _, root := range roots {
		recovered, message, err := patches.Recover(root, a.cacheDir())
		if recovered {
			a.note("%s", message)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fixStaged applies what the runs have planned to the index and the working tree, and returns how many files of the index change.
func (a *app) fixStaged(ctx context.Context, st *staged, worlds []*hookWorld) (int, error) {
	set := &patches.Set{Root: st.repo.Top}
	for _, w := range worlds {
		set.Files = append(set.Files, w.Set.Files...)
		set.Roots = append(set.Roots, w.Set.Roots...)
	}
	if len(worlds) == 1 {
		set.Root = worlds[0].Set.Root // where ctxmend undo looks for it
	}
	if len(set.Files) == 0 {
		return 0, nil
	}
	for _, w := range worlds {
		if left := a.leftovers(w.Program); left != nil {
			return 0, left
		}
	}
	if st.repo.Partial() {
		return 0, errPartialCommit
	}
	hidden, err := st.repo.Hidden(ctx, a.env)
	if err != nil {
		return 0, err
	}
	for _, f := range set.Files {
		if patch := hidden[st.repo.Path(f.Name)]; patch != "" {
			return 0, &git.UnstagedError{Paths: []string{f.Rel}, Why: "what is not staged of it is kept in " + patch + " while hooks run, and would not fit the file with the fix"}
		}
	}
	plan, err := st.state.Plan(ctx, set)
	if err != nil {
		return 0, err
	}
	for _, w := range worlds {
		if len(w.Set.Files) > 0 && len(st.snap.Overlay) > 0 {
			if err := a.checkUnstaged(ctx, w, plan); err != nil {
				return 0, err
			}
		}
	}
	if err := plan.Apply(ctx, patches.WriteOptions{CacheDir: a.cacheDir()}); err != nil {
		return 0, err
	}
	for _, w := range worlds {
		markFixed(w.Result)
	}
	if len(plan.Merged) > 0 {
		a.note("also changed in the versions of %s that are not staged", listOf(plan.Merged))
	}
	return len(set.Files), nil
}

// errPartialCommit says why a fix that would be right for the index in force is not carried out.
var errPartialCommit = errors.New("git commit with paths commits from an index of its own, and what a fix adds there would be missing in yours")

// checkUnstaged makes sure that the working tree, which differs from the index, is whole with the changes too: no package
// fails to type-check that did not, no key is left that only the index got rid of, no other finding comes up.
func (a *app) checkUnstaged(ctx context.Context, w *hookWorld, plan *git.Plan) error {
	opts := w.opts
	opts.Mend, opts.Load.Overlay = nil, map[string][]byte{}
	for _, f := range plan.Set.Files {
		opts.Load.Overlay[f.Name] = f.New
	}
	after, err := a.find(ctx, opts)
	if errors.As(err, new(*program.NoFilesError)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the working tree with the fixes cannot be read: %w", err)
	}
	mended := map[string]bool{}
	for _, u := range w.Units {
		if w.Carries(u) {
			for _, f := range u.Findings {
				mended[f.Rule+"\x00"+f.Key] = f.Key != ""
			}
		}
	}
	for _, f := range after.Findings {
		if mended[f.Rule+"\x00"+f.Key] && f.Status != rules.Suppressed {
			return unstagedUse(f)
		}
	}
	if len(after.Program.Broken) == 0 && len(after.Findings) == 0 {
		return nil
	}
	opts.Load.Overlay = nil
	before, err := a.find(ctx, opts)
	if err != nil {
		return fmt.Errorf("the working tree cannot be read: %w", err)
	}
	for _, p := range after.Program.Broken {
		known := map[string]bool{}
		for _, q := range before.Program.Broken {
			for _, e := range q.Errors {
				known[q.Path+"\x00"+e.Msg] = true
			}
		}
		for _, e := range p.Errors {
			if !known[p.Path+"\x00"+e.Msg] {
				return &git.UnstagedError{Paths: []string{cmp.Or(a.relative(e.Pos.Filename), p.Path)}, Why: "what is not staged would not type-check any more: " + strings.Join(strings.Fields(e.Msg), " ")}
			}
		}
	}
	r := report.New(after.Findings, nil, 0)
	fresh := r.NewSince(report.Past{Report: report.New(before.Findings, nil, 0), Changed: func(string, int) bool { return true }})
	if i := slices.Index(fresh, true); i >= 0 {
		return unstagedUse(after.Findings[i])
	}
	return nil
}

// unstagedUse says that something that is not staged needs the change too.
func unstagedUse(f *rules.Finding) error {
	pos := f.File.Tok.PositionFor(f.Pos, false)
	return &git.UnstagedError{
		Paths: []string{fmt.Sprintf("%s:%d", filepath.ToSlash(f.File.Rel), pos.Line)},
		Why:   "what is not staged needs the fix too: " + f.Message,
	}
}

// find runs the rules over what is not staged.
func (a *app) find(ctx context.Context, opts rewrite.Options) (*rewrite.Result, error) {
	return interruptible(ctx, func() (*rewrite.Result, error) { return rewrite.Find(ctx, opts) })
}
