package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/ctxmend/ctxmend/internal/results"
)

// cached is a module with everything that a result may depend on: a package that lies elsewhere, files that are left out of
// the build, directories that patterns skip, and tests.
const cached = `
-- m/go.mod --
module example.com/m

go 1.24

require example.com/dep v0.0.0

replace example.com/dep => ../dep
-- m/.ctxmend.yaml --
rules:
  uncheckedread: {on: true}
  sharedkey: {level: report}
-- m/m.go --
package m

import (
	"context"

	"example.com/dep"
)

func Put(ctx context.Context) context.Context { return context.WithValue(ctx, "user", dep.Name) }
-- m/m_test.go --
package m

import (
	"context"
	"testing"
)

func TestUser(t *testing.T) { t.Log(context.Background().Value("user")) }
-- m/m_windows.go --
package m

import "context"

func Get(ctx context.Context) any { return ctx.Value("lang") }
-- m/_examples/main.go --
package main

func main() {}
-- m/README.md --
Read me.
-- dep/go.mod --
module example.com/dep

go 1.24
-- dep/dep.go --
package dep

const Name = "n"
`

// TestCache runs check twice, with something changed in between, and asks whether the second run has taken over the result of the
// first. What it prints is to be what it prints without a cache.
func TestCache(t *testing.T) {
	write := func(name, old, now string) func(*testing.T, *cacheRun) {
		return func(t *testing.T, r *cacheRun) { r.replace(t, name, old, now) }
	}
	tests := []struct {
		name   string
		change func(*testing.T, *cacheRun)
		taken  bool
	}{
		{"nothing", func(*testing.T, *cacheRun) {}, true},
		{"the form of the output", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "--format", "json", "--jobs", "1"} }, true},
		{"what the output tells of rules", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "--format", "sarif"} }, true},
		{"that a flag is given", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "--level", "safe"} }, false},
		{"the command", func(_ *testing.T, r *cacheRun) { r.args = []string{"diff"} }, true},
		{"a file that is written again", write("m/m.go", "", ""), true},
		{"a file that is not read", write("m/README.md", "me", "it"), true},
		{"a file", write("m/m.go", `"user"`, `"role"`), false},
		{"a comment", write("m/m.go", "func Put", "// Put puts.\nfunc Put"), false},
		{"a test", write("m/m_test.go", `"user"`, `"role"`), false},
		{"a file that the build leaves out", write("m/m_windows.go", `"lang"`, `"user"`), false},
		{"a file in a directory that patterns skip", write("m/_examples/main.go", "{}", "{ println() }"), false},
		{"a dependency that lies elsewhere", write("dep/dep.go", `"n"`, `"o"`), false},
		{"a dependency's module file", write("dep/go.mod", "1.24", "1.23"), false},
		{"the module file", write("m/go.mod", "1.24", "1.25"), false},
		{"a new file", func(t *testing.T, r *cacheRun) {
			r.write(t, "m/new.go", "package m\n\nimport \"context\"\n\nfunc New(ctx context.Context) any { return ctx.Value(\"user\") }\n")
		}, false},
		{"a file less", func(t *testing.T, r *cacheRun) { r.remove(t, "m/m_test.go") }, false},
		{"a workspace", func(t *testing.T, r *cacheRun) { r.write(t, "go.work", "go 1.25\n\nuse (\n\t./dep\n\t./m\n)\n") }, false},
		{"a vendor directory", func(t *testing.T, r *cacheRun) {
			r.write(t, "m/vendor/modules.txt", "# example.com/dep v0.0.0 => ../dep\n## explicit; go 1.24\nexample.com/dep\n# example.com/dep => ../dep\n")
			r.write(t, "m/vendor/example.com/dep/dep.go", "package dep\n\nconst Name = \"v\"\n")
		}, false},
		{"build tags", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "--tags", "special"} }, false},
		{"build tags of the environment", func(_ *testing.T, r *cacheRun) { r.env = append(r.env, "GOFLAGS=-tags=special") }, false},
		{"the system", func(_ *testing.T, r *cacheRun) { r.env = append(r.env, "GOOS=windows") }, false},
		{"another system to load", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "--platforms", "windows/amd64"} }, false},
		{"whether there is cgo", func(_ *testing.T, r *cacheRun) { r.env = append(r.env, "CGO_ENABLED=0", "GOARCH=arm64") }, false},
		{"the rules", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "--skip-rules", "sharedkey"} }, false},
		{"the level", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "--level", "review"} }, false},
		{"the packages", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "."} }, false},
		{"a configuration", write("m/.ctxmend.yaml", "report", "review"), false},
		{"no cache", func(_ *testing.T, r *cacheRun) { r.args = []string{"check", "--no-cache"} }, false},
		{"the directory", func(t *testing.T, r *cacheRun) {
			if err := os.Rename(filepath.Join(r.top, "m"), filepath.Join(r.top, "n")); err != nil {
				t.Fatal(err)
			}
			r.dir = "n"
		}, false},
		{"a damaged entry", func(t *testing.T, r *cacheRun) {
			r.entries(t, func(_ *results.Cache, _, name string) {
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				data[len(data)/2] ^= 1
				r.writeAbs(t, name, string(data))
			})
		}, false},
		{"half an entry", func(t *testing.T, r *cacheRun) {
			r.entries(t, func(_ *results.Cache, _, name string) {
				if err := os.Truncate(name, 100); err != nil {
					t.Fatal(err)
				}
			})
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newCacheRun(t)
			r.check(t)
			r.mark(t)
			test.change(t, r)
			got, taken := r.check(t)
			if taken != test.taken {
				t.Errorf("the result was taken over: %t, want %t", taken, test.taken)
			}
			r.args = append(r.args, "--no-cache")
			if want, _ := r.check(t); got != want {
				t.Errorf("with what was kept:\n%s\nwithout:\n%s", got, want)
			}
		})
	}
}

// TestCacheToolchain changes the version of Go.
func TestCacheToolchain(t *testing.T) {
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the other toolchain is a shell script: there is no shell")
	}
	r := newCacheRun(t)
	r.check(t)
	r.mark(t)
	bin := t.TempDir()
	r.writeAbs(t, filepath.Join(bin, "go"), fmt.Sprintf("#!/bin/sh\n'%s' \"$@\" | sed 's/\"GOVERSION\": \"go1[.]\\([0-9]*\\)[^\"]*/\"GOVERSION\": \"go1.\\1.99/'\n", real))
	if err := os.Chmod(filepath.Join(bin, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	r.env = append(r.env, "PATH="+os.Getenv("PATH"))
	if _, taken := r.check(t); taken {
		t.Error("the result of another version of Go was taken over")
	}
}

// TestCacheProgram runs two programs that differ in one byte: neither takes over what the other one has found.
func TestCacheProgram(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("macOS does not run a program that is changed after it was signed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	file := "ctxmend" // which testscript.Main takes for the command
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	r := newCacheRun(t)
	said := map[string]string{}
	check := func(name string) string {
		cmd := exec.Command(filepath.Join(r.top, name, file), "-C", filepath.Join(r.top, r.dir), "check")
		cmd.Env = r.env
		out, err := cmd.CombinedOutput()
		if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitFindings) {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	for _, name := range []string{"one", "other"} {
		r.write(t, name+"/"+file, string(program))
		if err := os.Chmod(filepath.Join(r.top, name, file), 0o755); err != nil {
			t.Fatal(err)
		}
		program = append(program, 0)
		said[name] = check(name)
		if name == "one" {
			r.mark(t)
		}
	}
	if !strings.Contains(check("one"), marked) {
		t.Error("the same program has not taken over its result")
	}
	if strings.Contains(said["other"], marked) {
		t.Error("another program has taken over the result")
	}
}

// TestCacheChanging has a file written while a run looks at the program a second time, on which a fix is carried out: what it prints is of
// no one state of the program, and not kept.
func TestCacheChanging(t *testing.T) {
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("what writes is a shell script: there is no shell")
	}
	for _, writes := range []bool{false, true} {
		r := newCacheRun(t)
		r.write(t, "m/flow.go", "package m\n\nimport \"context\"\n\nfunc get(ctx context.Context) error { return ctx.Err() }\n\nfunc fresh() error { return get(context.Background()) }\n\nfunc all(ctx context.Context) error { return fresh() }\n")
		r.args = []string{"diff", "--level", "review", "--rules", "missingparam"}
		bin, script := t.TempDir(), fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *-overlay*) echo second >> '%s/looks' ;; esac\n", r.top)
		if writes {
			script += fmt.Sprintf("case \"$*\" in *-overlay*) echo '// more' >> '%s/m/m_windows.go' ;; esac\n", r.top)
		}
		r.writeAbs(t, filepath.Join(bin, "go"), script+fmt.Sprintf("exec '%s' \"$@\"\n", real))
		if err := os.Chmod(filepath.Join(bin, "go"), 0o755); err != nil {
			t.Fatal(err)
		}
		path := bin + string(os.PathListSeparator) + filepath.Dir(real) + string(os.PathListSeparator) + os.Getenv("PATH")
		t.Setenv("PATH", path)
		r.env = append(r.env, "PATH="+path)
		r.check(t)
		if _, err := os.Stat(filepath.Join(r.top, "looks")); err != nil {
			t.Fatal("there was no second look")
		}
		kept := false
		r.entries(t, func(*results.Cache, string, string) { kept = true })
		if kept == writes {
			t.Errorf("a file is written: %t, the result is kept: %t", writes, kept)
		}
	}
}

// TestCacheTogether has several runs fill and use one cache.
func TestCacheTogether(t *testing.T) {
	r := newCacheRun(t)
	r.args = append(r.args, "--no-cache")
	want, _ := r.check(t)
	r.args = []string{"check"}
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			for range 3 {
				if got, _ := r.check(t); got != want {
					t.Errorf("got:\n%s\nwant:\n%s", got, want)
				}
			}
		})
	}
	group.Wait()
}

// A cacheRun is a module and a cache.
type cacheRun struct {
	top, dir string
	args     []string
	env      []string
}

func newCacheRun(t *testing.T) *cacheRun {
	t.Helper()
	r := &cacheRun{top: t.TempDir(), dir: "m", args: []string{"check"}}
	for _, f := range txtar.Parse([]byte(cached)).Files {
		r.write(t, f.Name, string(f.Data))
	}
	r.env = append(offline(), "CTXMEND_CACHE="+filepath.Join(r.top, "cache"))
	return r
}

// marked is a note that is in no result but those of mark.
const marked = "this was found before"

// check returns what the command prints, and whether that is the result that was marked.
func (r *cacheRun) check(t *testing.T) (said string, taken bool) {
	t.Helper()
	var out, notes bytes.Buffer
	if code := run(append([]string{"-C", filepath.Join(r.top, r.dir)}, r.args...), r.env, nil, &out, &notes); code != exitOK && code != exitFindings {
		t.Fatalf("exit code %d: %s", code, &notes)
	}
	said = notes.String()
	taken = strings.Contains(said, marked)
	return out.String() + strings.ReplaceAll(said, "ctxmend: "+marked+"\n", ""), taken
}

// mark has every result that is kept say so.
func (r *cacheRun) mark(t *testing.T) {
	t.Helper()
	found := 0
	r.entries(t, func(c *results.Cache, key, _ string) {
		var kept keptOutcome
		if !c.Get(key, &kept) {
			t.Fatal("an entry cannot be read")
		}
		kept.Outcome.Notes = append(kept.Outcome.Notes, marked)
		if err := c.Put(key, &kept, now()); err != nil {
			t.Fatal(err)
		}
		found++
	})
	if found != 1 {
		t.Fatalf("%d results are kept, want 1", found)
	}
}

// entries visits everything that is kept.
func (r *cacheRun) entries(t *testing.T, visit func(c *results.Cache, key, name string)) {
	t.Helper()
	c := &results.Cache{Dir: filepath.Join(r.top, "cache", "results")}
	names, err := filepath.Glob(filepath.Join(c.Dir, "*.result"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		visit(c, strings.TrimSuffix(filepath.Base(name), ".result"), name)
	}
}

func (r *cacheRun) write(t *testing.T, name, content string) {
	t.Helper()
	r.writeAbs(t, filepath.Join(r.top, filepath.FromSlash(name)), content)
}

func (r *cacheRun) writeAbs(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r *cacheRun) replace(t *testing.T, name, old, now string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.top, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s has no %q", name, old)
	}
	text := string(data)
	if old != "" {
		text = strings.ReplaceAll(text, old, now)
	}
	r.write(t, name, text)
}

func (r *cacheRun) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(r.top, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
}
