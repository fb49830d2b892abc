package main

import (
	"context"
	"errors"
	"fmt"
	"path"
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

// hookFlags are the flags of the hook command.
type hookFlags struct {
	runFlags
	fix, all bool
}

func (a *app) hookCommand() *cobra.Command {
	var flags hookFlags
	cmd := &cobra.Command{
		Use:   "hook",
		Short: "Check what is staged, for a pre-commit hook",
		Long: `Hook checks what git would commit: the content of the index, whatever the working
tree holds. It lists findings that HEAD does not have (neither parent, while a merge is
concluded): HEAD's files, read in the same way, have no finding of the same rule and
key in a line of the same text, neither in the same file nor gone from another. With
--all it lists every finding in the packages of the staged files.

With --fix it applies the safe fixes of these findings to the index and to the working
tree. In a file that is staged in part they go into both versions, so that what is not
staged stays so, byte for byte; where that cannot be done, nothing is changed and it
says what to do. What is left is listed.

ctxmend hook install sets it up as a pre-commit hook.

The exit code is 0 without findings, 3 with some, 1 when the check failed and 2 when
the arguments are wrong.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.hook(cmd.Context(), &flags) },
	}
	f := cmd.Flags()
	f.BoolVar(&flags.fix, "fix", false, "apply safe fixes to the index and the working tree")
	f.BoolVar(&flags.all, "all", false, "list all findings in the packages of staged files, not only new ones")
	flags.addFormat(f)
	flags.ruleFlags.add(f)
	flags.worldFlags.add(f)
	flags.set = f
	// A configuration file may set it, and what it means for the other commands holds for none here.
	f.Lookup("level").Hidden = true
	cmd.AddCommand(a.hookInstallCommand(), a.hookUninstallCommand())
	return cmd
}

// A staged is what a hook works on.
type staged struct {
	repo  *git.Repo
	state *git.State
	snap  *git.Snapshot
	// parents are the commits that what is staged is compared with, "" when there is none yet.
	parents []string
	// changed are the paths that are staged and concern Go, sorted.
	changed []string
}

func (a *app) hook(ctx context.Context, flags *hookFlags) error {
	if flags.set.Changed("level") {
		return &usageError{message: "hook applies safe fixes only", next: "ctxmend fix --level review does more"}
	}
	if _, err := a.hookOptions(flags); err != nil {
		return err
	}
	st, err := a.readStaged(ctx, flags.fix)
	if err != nil {
		return err
	}
	dirs := st.modules()
	if len(dirs) == 0 {
		a.note("nothing is staged that concerns Go")
		return nil
	}
	if st.snap, err = st.state.Staged(ctx); err != nil {
		return err
	}
	a.noteSnapshot(st.snap)
	var worlds []*hookWorld
	done := map[string]bool{}
	for _, dir := range dirs {
		if done[dir] {
			continue
		}
		w, err := a.checkStaged(ctx, flags, st, dir)
		if err != nil {
			return err
		}
		for _, m := range w.Program.Modules {
			done[m.Dir] = true
		}
		worlds = append(worlds, w)
	}
	changed := 0
	if flags.fix {
		if changed, err = a.fixStaged(ctx, st, worlds); err != nil {
			return err
		}
	}
	all := makeReport(worlds[0].Result, changed)
	for _, w := range worlds[1:] {
		all.Add(makeReport(w.Result, 0))
	}
	err = a.printHook(flags, all)
	if errors.Is(err, errFindings) {
		return err
	}
	return unprinted(err, changed, "changed, and staged")
}

// printHook prints what is left, and tells by its error whether that is anything.
func (a *app) printHook(flags *hookFlags, r *report.Report) error {
	text := r.WriteText
	if flags.fix {
		text = r.WriteFix
	}
	if flags.format.value != "text" || r.Summary.Findings > 0 || flags.fix {
		if err := a.print(r, nil, &flags.runFlags, text); err != nil {
			return err
		}
	}
	if r.Summary.Findings > r.Summary.Fixed {
		return errFindings
	}
	return nil
}

// realDir returns the directory worked in without symbolic links.
func (a *app) realDir() (string, error) {
	dir, err := a.workDir()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// A conflictError says that the index holds files in conflict.
type conflictError struct{ paths []string }

func (e *conflictError) Error() string {
	return fmt.Sprintf("%s %s a merge conflict", listOf(e.paths), hasHave(len(e.paths)))
}

// listOf names up to three of some paths.
func listOf(paths []string) string {
	const most = 3
	if len(paths) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
	}
	return orList(paths)
}

func hasHave(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

// readStaged finds the repository and what is staged in it.
func (a *app) readStaged(ctx context.Context, fix bool) (*staged, error) {
	repo, err := a.openRepo(ctx)
	if err != nil {
		return nil, err
	}
	st := &staged{repo: repo}
	if fix {
		if err := a.recoverHook(ctx, repo); err != nil {
			return nil, err
		}
	}
	if st.state, err = repo.Read(ctx); err != nil {
		return nil, err
	}
	if len(st.state.Unmerged) > 0 {
		return nil, &conflictError{st.state.Unmerged}
	}
	if st.parents, err = repo.Parents(ctx); err != nil {
		return nil, err
	}
	if len(st.parents) == 0 {
		st.parents = []string{""}
	}
	changes, err := repo.Staged(ctx, st.parents[0])
	if err != nil {
		return nil, err
	}
	for _, ch := range changes {
		for _, name := range []string{ch.Path, ch.From} {
			if name != "" && git.ForGo(name) || ch.Old.IsModule() || ch.New.IsModule() {
				st.changed = append(st.changed, name)
			}
		}
	}
	slices.Sort(st.changed)
	st.changed = slices.Compact(st.changed)
	return st, nil
}

// modules returns the directories of the modules that staged files belong to, absolute and sorted.
func (st *staged) modules() []string {
	var dirs []string
	for _, name := range st.changed {
		if skippedByGo(name) {
			continue
		}
		for dir := path.Dir(name); ; dir = path.Dir(dir) {
			if _, ok := st.state.Index[path.Join(dir, "go.mod")]; ok {
				dirs = append(dirs, filepath.Join(st.repo.Top, filepath.FromSlash(dir)))
				break
			}
			if dir == "." || dir == "/" {
				break
			}
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// skippedByGo reports whether ./... leaves out the directory that a file lies in.
func skippedByGo(name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if base := path.Base(dir); base == "testdata" || strings.HasPrefix(base, "_") || strings.HasPrefix(base, ".") {
			return true
		}
	}
	return false
}

// A hookWorld is what a run over the world of a module gave.
type hookWorld struct {
	*rewrite.Result
	opts rewrite.Options
}

// hookOptions are those of other commands, for safe fixes only, whatever the configuration file says.
func (a *app) hookOptions(flags *hookFlags) (rewrite.Options, error) {
	opts, err := a.options(&flags.runFlags, nil)
	opts.Level = rules.Safe
	for name, level := range opts.Levels {
		if level == rules.Review {
			opts.Levels[name] = rules.Safe
		}
	}
	return opts, err
}

// checkStaged checks the world of one module.
func (a *app) checkStaged(ctx context.Context, flags *hookFlags, st *staged, dir string) (*hookWorld, error) {
	opts, err := a.hookOptions(flags)
	if err != nil {
		return nil, err
	}
	if opts.Load.Base, err = a.realDir(); err != nil {
		return nil, err
	}
	opts.Load.Dir, opts.Load.Overlay, opts.Load.Env = dir, st.snap.Overlay, git.GoEnv(a.env)
	res, known, err := a.runHook(ctx, flags, st, opts)
	var outside *program.NotInWorkspaceError
	if errors.As(err, &outside) {
		// A module of the repository that is left out of its workspace, tools for one, is a world of its own.
		opts.Load.Env = append(opts.Load.Env, "GOWORK=off")
		res, known, err = a.runHook(ctx, flags, st, opts)
	}
	if err != nil {
		return nil, err
	}
	a.noteBroken(res.Program.Broken)
	if known > 0 && !flags.all {
		a.note("%s that HEAD has as well left out; --all lists what is in the packages of staged files", plural(known, "finding"))
	}
	return &hookWorld{res, opts}, nil
}

// runHook runs the pipeline over what is staged, and tells how many findings are not new.
func (a *app) runHook(ctx context.Context, flags *hookFlags, st *staged, opts rewrite.Options) (*rewrite.Result, int, error) {
	c := &comparer{app: a, repo: st.repo, state: st.state, commits: st.parents, staged: true, name: "HEAD"}
	opts.Mend = c.mend(opts)
	if flags.all {
		touched := map[string]bool{}
		for _, name := range st.changed {
			touched[filepath.Dir(filepath.Join(st.repo.Top, filepath.FromSlash(name)))] = true
		}
		opts.Mend = func(context.Context, []*rules.Finding) (func(*rules.Finding) bool, error) {
			return func(f *rules.Finding) bool { return touched[f.File.PkgDir] }, nil
		}
	}
	bar := a.newProgress()
	defer bar.stop()
	opts.Load.Progress = bar.update
	res, err := interruptible(ctx, func() (*rewrite.Result, error) {
		if quiet, known := a.nothingNear(ctx, flags, st, opts); quiet != nil {
			c.known = known
			return quiet, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return rewrite.Run(ctx, opts)
	})
	return res, c.known, err
}

// nothingNear looks at what is staged and what lies around it first. Only if something new comes up there is the
// whole program read, which then tells what holds. Otherwise it returns a result without anything new,
// and how many findings are not.
func (a *app) nothingNear(ctx context.Context, flags *hookFlags, st *staged, opts rewrite.Options) (res *rewrite.Result, known int) {
	for _, name := range st.changed {
		if path.Ext(name) != ".go" {
			return nil, 0 // another module file may change what any package is
		}
		opts.Load.Focus = append(opts.Load.Focus, filepath.Dir(filepath.Join(st.repo.Top, filepath.FromSlash(name))))
	}
	if flags.all {
		return nil, 0
	}
	c := &comparer{app: a, repo: st.repo, state: st.state, commits: st.parents, staged: true, name: "HEAD"}
	opts.Mend = nil
	quiet := *a
	quiet.quiet = true // notes come with the whole, if it has to be read
	c.app = &quiet
	near, err := rewrite.Find(ctx, opts)
	if err != nil {
		return nil, 0 // the whole says what is wrong
	}
	fresh, err := c.mend(opts)(ctx, near.Findings)
	if err != nil || slices.ContainsFunc(near.Findings, fresh) {
		return nil, 0
	}
	return near.Nothing(fresh), c.known
}
