package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A textWriter is one of the report's text forms.
type textWriter func(io.Writer, report.TextOptions) error

func (a *app) fixCommand() *cobra.Command {
	var flags runFlags
	var interactive bool
	cmd := &cobra.Command{
		Use:   "fix [packages]",
		Short: "Write the fixes in place",
		Long: `Fix writes the fixes of the packages, ./... by default, in place, all or
nothing, and prints what was fixed, what is blocked and why, and what is left
for review. Fixes edit wherever they must, also outside the packages named.
ctxmend undo takes the last fix back. A fix that was killed half way is taken back, or
completed, by the next fix or undo of the same module or workspace.

With --interactive it shows the fixes one after the other, as git add -p does, and applies those chosen, together and
type-checked together, when all are answered.

The exit code is 0 also when something is left, 1 when the fix failed and
changed nothing, or its result could not be printed, and 2 when the arguments are wrong.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.fix(cmd.Context(), &flags, args, interactive)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVarP(&interactive, "interactive", "i", false, "show the fixes one by one, and ask which to apply")
	return cmd
}

func (a *app) fix(ctx context.Context, flags *runFlags, patterns []string, interactive bool) error {
	if _, err := a.options(flags, patterns); err != nil {
		return err // before anything is recovered
	}
	var adjust []func(*rewrite.Options)
	left := ""
	if interactive {
		k, err := a.newAsker(flags)
		if err != nil {
			return err
		}
		adjust, left = append(adjust, k.interactive(ctx)), "left out"
	}
	if err := a.recover(ctx); err != nil {
		return err
	}
	res, err := a.analyze(ctx, flags, patterns, adjust...)
	if errors.Is(err, errQuit) {
		a.note("nothing was changed")
		return nil
	}
	if err != nil {
		return err
	}
	changed := len(res.Set.Files)
	if changed > 0 {
		if left := a.leftovers(res.Program); left != nil {
			return left
		}
		if err := res.Set.Write(ctx, patches.WriteOptions{CacheDir: a.cacheDir()}); err != nil {
			return err
		}
		markFixed(res)
	}
	r := makeReport(res, changed)
	err = a.print(r, nil, flags, func(w io.Writer, opts report.TextOptions) error {
		opts.Left = left
		return r.WriteFix(w, opts)
	})
	return unprinted(err, changed, "changed; ctxmend undo takes it back")
}

// unprinted says what was done all the same where it cannot be printed: whoever reads an error takes it that nothing was.
func unprinted(err error, files int, done string) error {
	if err == nil || files == 0 {
		return err
	}
	return &unprintedError{err, plural(files, "file") + " " + done}
}

// An unprintedError says that files were changed, and that telling so failed.
type unprintedError struct {
	err  error
	done string
}

func (e *unprintedError) Error() string { return e.err.Error() }
func (e *unprintedError) Unwrap() error { return e.err }

// markFixed turns what the written set fixed from fixable to fixed.
func markFixed(res *rewrite.Result) {
	done := map[string]bool{}
	for _, u := range res.Units {
		if res.Carries(u) {
			u.Status = rules.Fixed
			done[u.ID] = true
		}
	}
	for _, f := range res.Findings {
		if f.Status == rules.Fixable && done[f.Unit] {
			f.Status = rules.Fixed
		}
	}
}

func (a *app) undoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "undo",
		Short: "Take back the last fix",
		Long: `Undo takes back the last fix of this module or workspace that changed something.
A file that was edited since is not overwritten: undo names it and changes
nothing.

The exit code is 0 when the fix was taken back and 1 when it was not.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.undo(cmd.Context()) },
	}
}

func (a *app) undo(ctx context.Context) error {
	root, err := a.root(ctx)
	if err != nil {
		return err
	}
	undone, err := patches.Undo(ctx, root, a.cacheDir())
	if err != nil || a.quiet {
		return err
	}
	what := "the last fix is taken back"
	if undone.Interrupted {
		what = "the last fix, which was interrupted, is rolled back"
	}
	var b strings.Builder
	for _, name := range undone.Files {
		fmt.Fprintln(&b, a.relative(name))
	}
	fmt.Fprintf(&b, "%s: %s restored\n", what, plural(len(undone.Files), "file"))
	_, err = io.WriteString(a.stdout, b.String())
	return unprinted(err, len(undone.Files), "restored")
}

// recover finishes or rolls back what an interrupted run left, before the program is read.
func (a *app) recover(ctx context.Context) error {
	root, err := a.root(ctx)
	if err != nil {
		return err
	}
	recovered, message, err := patches.Recover(root, a.cacheDir())
	if recovered {
		a.note("%s", message)
	}
	return err
}

// A leftoverError says that files may be half changed, by a run that recover does not know of.
type leftoverError struct{ file string }

func (e *leftoverError) Error() string {
	return e.file + " is of a fix that was interrupted, or is at work: files may be half changed"
}

// leftovers says what a run has left beside the files of a program, nil if nothing.
func (a *app) leftovers(prog *program.Program) *leftoverError {
	var dirs []string
	for _, f := range prog.Files {
		dirs = append(dirs, f.PkgDir)
	}
	slices.Sort(dirs)
	if files := patches.Leftovers(slices.Compact(dirs)); len(files) > 0 {
		return &leftoverError{a.relative(files[0])}
	}
	return nil
}

// cacheDir is where journals are kept; "" leaves the choice to package patches.
func (a *app) cacheDir() string { return a.getenv("CTXMEND_CACHE") }

// root returns the directory of the go.work file in force, else that of the
// go.mod file. It asks the go command, whose rules for this are not ours to repeat.
func (a *app) root(ctx context.Context) (string, error) {
	dir, err := a.workDir()
	if err != nil {
		return "", err
	}
	if err := program.CheckModuleFiles(dir); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOMOD", "GOWORK")
	cmd.Dir, cmd.Env = dir, append(slices.Clone(a.env), "PWD="+dir)
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("go env: %s", strings.TrimSpace(string(exit.Stderr)))
	} else if err != nil {
		return "", err
	}
	var env struct{ GOMOD, GOWORK string }
	if err := json.Unmarshal(out, &env); err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	switch {
	case env.GOWORK != "" && env.GOWORK != "off":
		return filepath.Dir(env.GOWORK), nil
	case env.GOMOD != "" && env.GOMOD != os.DevNull:
		return filepath.Dir(env.GOMOD), nil
	}
	return "", fmt.Errorf("no go.mod in %s or above it: work in a module's directory (-C dir)", dir)
}
