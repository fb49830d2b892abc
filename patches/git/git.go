// Package git knows what a repository holds beside its working tree: the index, commits, and what lies in the working
// tree only. It shows each as an overlay of the working tree, and puts fixes into the index and the working tree
// together. It runs the git program, whose rules are not ours to repeat.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Repo is a repository with a working tree.
type Repo struct {
	// Top is the top of the working tree, absolute, without symbolic links.
	Top string
	// Dir is the repository's own directory, of this working tree; Common is what all its working trees share.
	Dir, Common string
	// Index is the absolute name of the index file in force, which is not always Dir's: git commit hands its hooks another.
	Index string
	env   []string
}

// An Error says that a git command failed.
type Error struct {
	Command string
	// Said is what git wrote on its standard error.
	Said string
	Err  error
}

func (e *Error) Error() string {
	said := strings.TrimSpace(e.Said)
	if said == "" {
		said = e.Err.Error()
	}
	return fmt.Sprintf("git %s failed: %s", e.Command, said)
}

func (e *Error) Unwrap() error { return e.Err }

// ErrNoRepository says that a directory does not lie in the working tree of a repository.
var ErrNoRepository = errors.New("not inside the working tree of a git repository")

// Open finds the repository of a directory. The environment is that of the process: inside a hook it names the repository
// and the index, relative to the directory the hook was started in, which is cwd.
func Open(ctx context.Context, dir, cwd string, env []string) (*Repo, error) {
	given := getenv(env, "GIT_DIR")
	plain := &Repo{Top: dir, env: withoutLocal(env)}
	tops, err := plain.discover(ctx)
	switch {
	case given == "" && err != nil:
		return nil, err
	case given == "":
	case err == nil && sameFile(absolute(cwd, given), tops[1]):
		// Git takes the directory it runs in for the top of the working tree when GIT_DIR is all it is told.
	default:
		// The working tree is elsewhere, as GIT_DIR and GIT_WORK_TREE or the configuration there say.
		plain = &Repo{Top: cwd, env: env}
		if tops, err = plain.discover(ctx); err != nil {
			return nil, err
		}
	}
	r := &Repo{Top: tops[0], Dir: tops[1], Common: tops[2], Index: filepath.Join(tops[1], "index")}
	if index := getenv(env, "GIT_INDEX_FILE"); index != "" {
		r.Index = absolute(cwd, index)
		if _, err := os.Stat(r.Index); err != nil && !filepath.IsAbs(index) {
			r.Index = absolute(r.Top, index)
		}
	}
	r.env = append(withoutLocal(env), "GIT_DIR="+r.Dir, "GIT_WORK_TREE="+r.Top, "GIT_INDEX_FILE="+r.Index)
	if r.Common != r.Dir {
		r.env = append(r.env, "GIT_COMMON_DIR="+r.Common)
	}
	return r, nil
}

// discover asks git for the top of the working tree, the repository's directory and the one that working trees share.
func (r *Repo) discover(ctx context.Context) ([]string, error) {
	out, err := r.run(ctx, nil, "rev-parse", "--show-toplevel", "--absolute-git-dir", "--git-common-dir")
	if errors.Is(err, exec.ErrNotFound) || ctx.Err() != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || len(lines) != 3 || lines[0] == "" {
		return nil, fmt.Errorf("%s is %w", r.Top, ErrNoRepository)
	}
	lines[2] = absolute(r.Top, lines[2])
	for i, name := range lines {
		name = filepath.FromSlash(name)
		if real, err := filepath.EvalSymlinks(name); err == nil {
			name = real
		}
		lines[i] = filepath.Clean(name)
	}
	return lines, nil
}

// local are the variables that tie git to one repository. Others, GIT_CONFIG_COUNT for one, hold for all.
var local = []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"}

// withoutLocal returns the environment without what ties git to a repository.
func withoutLocal(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(local, name)
	})
}

// GoEnv returns the environment for programs that look for repositories by themselves, as the go command does.
func GoEnv(env []string) []string { return withoutLocal(env) }

func getenv(env []string, name string) string {
	value := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

func absolute(dir, name string) string {
	name = filepath.FromSlash(name)
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	return filepath.Clean(name)
}

func sameFile(one, other string) bool {
	a, aerr := os.Stat(one)
	b, berr := os.Stat(other)
	return aerr == nil && berr == nil && os.SameFile(a, b)
}

// run returns the standard output of one git command at the top of the working tree.
func (r *Repo) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	return r.runWith(ctx, nil, stdin, args...)
}

// runWith is run with more environment.
func (r *Repo) runWith(ctx context.Context, extra []string, stdin []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.Top
	// Optional locks would fail or disturb the git command that runs the hook.
	cmd.Env = append(append(slices.Clone(r.env), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C", "PWD="+r.Top), extra...)
	cmd.WaitDelay = 10 * time.Second
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return stdout.Bytes(), &Error{Command: args[0], Said: stderr.String(), Err: err}
	}
	return stdout.Bytes(), nil
}

// fields splits output whose records end in NUL.
func fields(out []byte) []string {
	text := strings.TrimSuffix(string(out), "\x00")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}

// abs returns the absolute name of a path of the repository.
func (r *Repo) abs(path string) string { return filepath.Join(r.Top, filepath.FromSlash(path)) }

// Path returns the slash-separated path of a file in the working tree, "" for one outside it.
func (r *Repo) Path(name string) string {
	rel, err := filepath.Rel(r.Top, name)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// Commit returns the name of the commit that a revision stands for.
func (r *Repo) Commit(ctx context.Context, rev string) (string, error) {
	out, err := r.run(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%q is no commit of this repository", rev)
	}
	return strings.TrimSpace(string(out)), nil
}

// Parents returns the commits that what is staged would have as parents: none before the first commit, several while a merge is
// concluded.
func (r *Repo) Parents(ctx context.Context) ([]string, error) {
	head, err := r.Commit(ctx, "HEAD")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, nil
	}
	parents := []string{head}
	data, err := os.ReadFile(filepath.Join(r.Dir, "MERGE_HEAD"))
	if err == nil {
		for line := range strings.Lines(string(data)) {
			parents = append(parents, strings.TrimSpace(line))
		}
	}
	return parents, nil
}

// Underway says what is going on in the repository that will move the index and the working tree again: "a merge", "a
// rebase"; "" when nothing is.
func (r *Repo) Underway() string {
	for _, s := range []struct{ file, what string }{
		{"MERGE_HEAD", "a merge"}, {"rebase-merge", "a rebase"}, {"rebase-apply", "a rebase"},
		{"CHERRY_PICK_HEAD", "a cherry-pick"}, {"REVERT_HEAD", "a revert"},
	} {
		if _, err := os.Stat(filepath.Join(r.Dir, s.file)); err == nil {
			return s.what
		}
	}
	return ""
}

// Partial reports whether the index in force is the one that git commit makes when it is given paths: HEAD with them alone.
// What changes there does not come into the index that stays.
func (r *Repo) Partial() bool { return strings.HasPrefix(filepath.Base(r.Index), "next-index-") }

// Roots returns the directories that may be those of a workspace or module: where the index or the working tree has a go.mod or go.work
// file, and the top.
func (r *Repo) Roots(ctx context.Context) ([]string, error) {
	out, err := r.run(ctx, nil, "ls-files", "-z", "-c", "-o", "--full-name", "--", ":(top,glob)**/go.mod", ":(top,glob)**/go.work")
	if err != nil {
		return nil, err
	}
	roots := []string{r.Top}
	for _, name := range fields(out) {
		if dir := filepath.Dir(r.abs(name)); exists(dir) {
			roots = append(roots, dir)
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots), nil
}

// Hooks returns the directory that git takes hooks from.
func (r *Repo) Hooks(ctx context.Context) (string, error) {
	out, err := r.run(ctx, nil, "rev-parse", "--git-path", "hooks")
	if err != nil {
		return "", err
	}
	return absolute(r.Top, strings.TrimSuffix(string(out), "\n")), nil
}
