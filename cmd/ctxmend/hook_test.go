package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/internal/scenario"
)

var hookRandom = flag.Int("hook.n", 8, "how many random states of a repository hook --fix is tried on")

// A gitRepo is a repository that a test works in.
type gitRepo struct {
	t   *testing.T
	dir string
	env []string
}

func newGitRepo(t *testing.T) *gitRepo {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the tests play git by shell scripts")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not there")
	}
	cache := t.TempDir()
	r := &gitRepo{t: t, dir: filepath.Join(t.TempDir(), "repo"), env: append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GOFLAGS=", "GOWORK=",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
		"CTXMEND_CACHE="+cache, "LC_ALL=C")}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.git("init", "-q", "-b", "main")
	return r
}

// git runs a git command that has to work, and returns what it prints.
func (r *gitRepo) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

// ctxmend runs the command and returns its exit code, -1 when it was killed, and all it prints.
func (r *gitRepo) ctxmend(extra []string, args ...string) (int, string) {
	r.t.Helper()
	name, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = r.dir, append(slices.Clone(r.env), extra...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), out.String()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return 0, out.String()
}

func (r *gitRepo) write(name, text string) {
	r.t.Helper()
	file := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// A repoState is every byte of the working tree and of the index.
type repoState struct {
	tree  scenario.Tree
	index map[string]string // path to mode and content
}

func (r *gitRepo) state() repoState {
	r.t.Helper()
	tree, err := scenario.ReadTree(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	maps.DeleteFunc(tree, func(name string, _ []byte) bool { return strings.HasPrefix(name, ".git/") })
	s := repoState{tree, map[string]string{}}
	for line := range strings.SplitSeq(strings.TrimSuffix(r.git("ls-files", "-s", "-v", "-z"), "\x00"), "\x00") {
		head, name, _ := strings.Cut(line, "\t")
		words := strings.Fields(head)
		if len(words) == 4 {
			s.index[name] = words[0] + words[1] + words[3] + "\n" + r.git("cat-file", "blob", words[2])
		}
	}
	return s
}

func (s repoState) equal(o repoState) bool {
	return maps.EqualFunc(s.tree, o.tree, bytes.Equal) && maps.Equal(s.index, o.index)
}

// unstaged returns the lines that the working tree adds to and takes from the index, by file, without their places, and the
// names of the files that it lacks.
func (r *gitRepo) unstaged() string {
	r.t.Helper()
	lines := []string{r.git("diff", "--name-only", "--no-renames", "--diff-filter=D")}
	for line := range strings.Lines(r.git("diff", "-U0", "--no-color", "--no-ext-diff", "--no-renames", "--diff-filter=d")) {
		switch {
		case strings.HasPrefix(line, "index "):
		case strings.HasPrefix(line, "@@"):
			lines = append(lines, "@@\n")
		default:
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

const hookGoMod = "module example.com/m\n\ngo 1.24\n"

// keyFile is a Go file that stores and looks up a value under a literal, with comments between.
func keyFile(pkg, name, key string) string {
	return fmt.Sprintf(`package %s

import "context"

// With%[2]s keeps one.
//
// It says so.
func With%[2]s(ctx context.Context, v string) context.Context {
	return context.WithValue(ctx, %[3]q, v)
}

// Nothing does nothing.
func nothing%[2]s() {}

// %[2]s looks it up.
//
// It says so.
func %[2]s(ctx context.Context) string {
	v, _ := ctx.Value(%[3]q).(string)
	return v
}

// The end.
`, pkg, name, key)
}

// partly makes a repository in which a file with a new key is staged in part, another has unstaged lines only, and a third is new.
func partly(t *testing.T) *gitRepo {
	r := newGitRepo(t)
	r.write("go.mod", hookGoMod)
	r.write("a/a.go", "package a\n")
	r.write("b/b.go", "package b\n\n// One.\n")
	r.git("add", ".")
	r.git("commit", "-qm", "begin")
	src := keyFile("a", "User", "user")
	r.write("a/a.go", src)
	r.write("b/b.go", "package b\n\nimport \"context\"\n\nfunc B(ctx context.Context) any { return ctx.Value(\"user\") }\n")
	r.git("add", ".")
	r.write("a/a.go", strings.Replace(src, "// The end.", "// The end,\n// which is not staged.", 1))
	r.write("c.txt", "untracked\n")
	return r
}

// A process that is killed before or after any of its git commands leaves what was not staged as it was, the index without the fix unless the
// working tree has it, no lock, and everything to a second run.
func TestHookFixKilled(t *testing.T) {
	whole := partly(t)
	before := whole.state()
	if code, out := whole.ctxmend(nil, "hook", "--fix"); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	after := whole.state()
	if after.equal(before) {
		t.Fatal("nothing was fixed")
	}
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	// The count is kept in a file that grows by a byte with each command.
	script := "#!/bin/sh\nprintf x >> \"$DIE_COUNT\"\nn=$(wc -c < \"$DIE_COUNT\")\n" +
		"if [ $n -eq $DIE_AT ] && [ $DIE_WHEN = before ]; then kill -9 $PPID; exit 1; fi\n" +
		"'" + real + "' \"$@\"; code=$?\n" +
		"if [ $n -eq $DIE_AT ]; then kill -9 $PPID; fi\nexit $code\n"
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	killed := 0
	for at := 1; ; at++ {
		r := partly(t)
		when := []string{"before", "after"}[at%2]
		code, out := r.ctxmend([]string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
			"DIE_AT=" + fmt.Sprint(at), "DIE_WHEN=" + when, "DIE_COUNT=" + filepath.Join(t.TempDir(), "count"), "TMPDIR=" + t.TempDir()}, "hook", "--fix")
		if code >= 0 {
			if code != exitOK {
				t.Fatalf("at %d: exit code %d\n%s", at, code, out)
			}
			break
		}
		killed++
		checkKilled(t, r, before, after, fmt.Sprintf("killed %s git command %d", when, at))
		if code, out := r.ctxmend(nil, "hook", "--fix"); code != exitOK {
			t.Errorf("%d: the second run: exit code %d\n%s", at, code, out)
		}
		if !r.state().equal(after) {
			t.Errorf("%d: the second run did not end where one alone does", at)
		}
	}
	if killed < 10 {
		t.Errorf("killed %d times only", killed)
	}
}

// checkKilled looks at what a killed run has left.
func checkKilled(t *testing.T, r *gitRepo, before, after repoState, what string) {
	t.Helper()
	now := r.state()
	for name, data := range now.tree {
		hidden := strings.Contains(name, ".ctxmend-") // goes with the recovery
		if !hidden && !bytes.Equal(data, before.tree[name]) && !bytes.Equal(data, after.tree[name]) {
			t.Errorf("%s: %s holds\n%s", what, name, data)
		}
	}
	for name := range before.tree {
		if _, ok := now.tree[name]; !ok {
			t.Errorf("%s: %s is gone", what, name)
		}
	}
	switch {
	case maps.Equal(now.index, before.index):
	case !maps.Equal(now.index, after.index):
		t.Errorf("%s: the index holds neither what it did nor the fix", what)
	case !maps.EqualFunc(now.tree, after.tree, bytes.Equal):
		t.Errorf("%s: the index has the fix, the working tree has not", what)
	}
	if _, err := os.Stat(filepath.Join(r.dir, ".git", "index.lock")); err == nil {
		t.Errorf("%s: the index stays locked", what)
	}
}

// In random states of the index and the working tree hook --fix changes both and keeps what is not staged, line by line, or
// changes nothing at all.
func TestHookFixRandomStates(t *testing.T) {
	fixed := 0
	for seed := range *hookRandom {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := randomStates(t, rand.New(rand.NewPCG(uint64(seed), 1)))
			before, unstaged := r.state(), r.unstaged()
			code, out := r.ctxmend(nil, "hook", "--fix")
			after := r.state()
			if code != exitOK && code != exitFindings {
				if !after.equal(before) {
					t.Errorf("exit code %d, and something was changed\n%s", code, out)
				}
				if code != exitFailure || !strings.Contains(out, "nothing was changed") {
					t.Errorf("exit code %d\n%s", code, out)
				}
				return
			}
			if got := r.unstaged(); got != unstaged {
				t.Errorf("what is not staged was\n%s\nand is\n%s", unstaged, got)
			}
			for name, data := range before.tree {
				if _, tracked := before.index[name]; !tracked && !bytes.Equal(data, after.tree[name]) {
					t.Errorf("%s is not tracked, and was changed", name)
				}
			}
			if !after.equal(before) {
				fixed++
			}
			if code, out := r.ctxmend(nil, "hook", "--fix"); code != exitOK && code != exitFindings || !r.state().equal(after) {
				t.Errorf("a second run changes something, exit code %d\n%s", code, out)
			}
		})
	}
	if *hookRandom >= 8 && fixed == 0 {
		t.Error("nothing was ever fixed")
	}
}

// randomStates makes a repository and changes its files at random, staging some of it.
func randomStates(t *testing.T, rng *rand.Rand) *gitRepo {
	r := newGitRepo(t)
	if rng.IntN(4) == 0 {
		r.git("config", "core.autocrlf", []string{"true", "input"}[rng.IntN(2)])
	}
	if rng.IntN(4) == 0 {
		r.write(".gitattributes", "*.go text eol=crlf ident\n")
	}
	r.write("go.mod", hookGoMod)
	names := []string{"a/one.go", "a/two words.go", "b/Grüße.go", "b/other.go"}
	for i, name := range names {
		r.write(name, keyFile(name[:1], fmt.Sprintf("Old%d", i), fmt.Sprintf("old-%d", i%2)))
	}
	r.git("add", ".")
	r.git("commit", "-qm", "begin")
	for range 3 + rng.IntN(6) {
		name := names[rng.IntN(len(names))]
		file := filepath.Join(r.dir, filepath.FromSlash(name))
		src, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		switch rng.IntN(9) {
		case 0:
			r.git("add", "-A")
		case 1:
			r.git("add", name)
		case 2:
			os.Remove(file)
		case 3:
			os.Chmod(file, 0o755)
		case 4:
			to := strings.TrimSuffix(name, ".go") + "_x.go"
			if r.git("ls-files", "--", name) != "" {
				r.git("mv", "--", name, to)
				names = append(names, to)
			}
		case 5:
			r.write(name[:2]+"untracked.go", keyFile(name[:1], "Untracked", "old-0"))
		case 6:
			r.write(name, string(src)+fmt.Sprintf("\n// Line %d.\n", rng.IntN(100)))
		default:
			k := rng.IntN(100)
			r.write(name, string(src)+strings.SplitN(keyFile("x", fmt.Sprintf("New%d", k), fmt.Sprintf("new-%d", k%3)), "\n", 5)[4])
			if rng.IntN(2) == 0 {
				r.git("add", name)
			}
		}
	}
	return r
}
