//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// A trap is a program that leaves a file behind when it is run.
type trap struct {
	t            *testing.T
	dir, file    string
	env          []string
	program, git string
}

// newTrap puts programs of some names, all traps, in front of the PATH of an environment.
func newTrap(t *testing.T, names ...string) *trap {
	t.Helper()
	dir := t.TempDir()
	tr := &trap{t: t, dir: dir, file: filepath.Join(dir, "ran")}
	for _, name := range append(names, "trap") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\ntouch "+tr.file+"\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tr.program = filepath.Join(dir, "trap")
	tr.env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "GOPROXY=off")
	return tr
}

// sprung tells whether a trap was run, and sets it again.
func (tr *trap) sprung() bool {
	_, err := os.Stat(tr.file)
	os.Remove(tr.file)
	return err == nil
}

const keyed = `package k

import "context"

func With(ctx context.Context) context.Context { return context.WithValue(ctx, "k", 1) }

func From(ctx context.Context) any { return ctx.Value("k") }
`

// TestAnalysisRunsNothing has repositories that make the go command run something. Each is first shown to work when go is asked as people
// do, and then analysed without effect.
func TestAnalysisRunsNothing(t *testing.T) {
	mod := "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n"
	for name, tt := range map[string]struct {
		archive string
		traps   []string
		env     func(tr *trap) []string
		prepare func(tr *trap, dir string)
		args    []string // of go
	}{
		"cgo": {
			archive: mod + "-- k.go --\n" + keyed + "-- c.go --\npackage k\n\n// #cgo pkg-config: evil\n// int one(void);\nimport \"C\"\n\nvar One = C.one()\n",
			traps:   []string{"pkg-config", "gcc", "cc", "clang"},
			env:     func(*trap) []string { return []string{"CGO_ENABLED=1"} },
			args:    []string{"build", "./..."},
		},
		"toolchain line": {
			archive: "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n\ntoolchain go1.999.1\n-- k.go --\n" + keyed,
			traps:   []string{"go1.999.1"},
			env:     func(*trap) []string { return []string{"GOTOOLCHAIN=path"} },
			args:    []string{"list", "./..."},
		},
		"toolexec in the file of GOENV": {
			archive: mod + "-- k.go --\n" + keyed,
			prepare: func(tr *trap, _ string) {
				if err := os.WriteFile(filepath.Join(tr.dir, "env"), []byte("GOFLAGS=-toolexec="+tr.program+"\n"), 0o644); err != nil {
					tr.t.Fatal(err)
				}
			},
			env:  func(tr *trap) []string { return []string{"GOENV=" + filepath.Join(tr.dir, "env"), "GOFLAGS="} },
			args: []string{"list", "-export", "./..."},
		},
		"toolexec in GOFLAGS": {
			archive: mod + "-- k.go --\n" + keyed,
			env:     func(tr *trap) []string { return []string{"GOFLAGS=-toolexec=" + tr.program} },
			args:    []string{"list", "-export", "./..."},
		},
		"version control": {
			archive: mod + "-- k.go --\n" + keyed + "-- cmd/main.go --\npackage main\n\nimport _ \"example.com/m\"\n\nfunc main() {}\n",
			prepare: func(tr *trap, dir string) {
				for _, args := range [][]string{{"init", "-q"}, {"config", "core.fsmonitor", tr.program}} {
					cmd := exec.Command("git", args...)
					cmd.Dir = dir
					if out, err := cmd.CombinedOutput(); err != nil {
						tr.t.Fatalf("%v\n%s", err, out)
					}
				}
			},
			env:  func(*trap) []string { return []string{"GOFLAGS=-buildvcs=true"} },
			args: []string{"list", "-json", "./..."},
		},
		"generate": {
			archive: mod + "-- k.go --\n//go:generate trap\n\n" + keyed,
			args:    []string{"generate", "./..."},
		},
		"tool line": {
			archive: "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n\ntool example.com/m/cmd\n-- k.go --\n" + keyed + "-- cmd/main.go --\npackage main\n\nimport \"os/exec\"\n\nfunc main() { exec.Command(\"trap\").Run() }\n",
			args:    []string{"tool", "cmd"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr, dir := newTrap(t, tt.traps...), unpack(t, tt.archive)
			if tt.prepare != nil {
				tt.prepare(tr, dir)
			}
			if tt.env != nil {
				tr.env = append(tr.env, tt.env(tr)...)
			}
			goes := exec.Command("go", tt.args...)
			goes.Dir, goes.Env = dir, tr.env
			if out, _ := goes.CombinedOutput(); !tr.sprung() {
				t.Fatalf("go %s runs nothing, so that this proves nothing:\n%s", strings.Join(tt.args, " "), out)
			}
			child := analyser(t)
			child.Env = tr.env
			before := stateOf(t, dir)
			found, _, err := child.Analyse(t.Context(), dir, campaign.AnalysisOptions{}, each([]string{`builtinkey:"k"`}))
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Units) != 1 || found.Units[0].Status != "fixable" {
				t.Errorf("units %+v, notes %q", found.Units, found.Notes)
			}
			if tr.sprung() {
				t.Error("the analysis has run what the repository names")
			}
			if diff := cmp.Diff(before, stateOf(t, dir)); diff != "" {
				t.Errorf("the analysis has written into the clone:\n%s", diff)
			}
		})
	}
}

// stateOf is the state of all files below a directory.
func stateOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	state := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		state[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// TestAnalysisStaysInside has modules that take their code from elsewhere on this machine; the analysis tells nothing of what lies there.
func TestAnalysisStaysInside(t *testing.T) {
	outside := t.TempDir()
	secret := "package k\n\nimport \"context\"\n\nfunc Secret(ctx context.Context) any { return ctx.Value(\"s3cr3t\") }\n"
	for name, text := range map[string]string{"go.mod": "module example.com/outside\n", "secret.go": secret, "go.work": "go 1.24\nuse .\n", ".ctxmend.yaml": "level: reckless\n"} {
		if err := os.WriteFile(filepath.Join(outside, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	up := "../../../../../../../../../.."
	for name, tt := range map[string]struct {
		archive string
		links   map[string]string
	}{
		"replace":          {archive: "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n\nrequire example.com/outside v0.0.0\n\nreplace example.com/outside => " + up + outside + "\n-- k.go --\npackage k\n\nimport _ \"example.com/outside\"\n"},
		"absolute replace": {archive: "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n\nrequire example.com/outside v0.0.0\n\nreplace example.com/outside => " + outside + "\n-- k.go --\npackage k\n\nimport _ \"example.com/outside\"\n"},
		"workspace":        {archive: "-- go.work --\ngo 1.24\n\nuse (\n\t.\n\t" + up + outside + "\n)\n-- go.mod --\nmodule example.com/m\n-- k.go --\n" + keyed},
		"linked workspace": {archive: "-- go.work --\ngo 1.24\n\nuse ./link\n", links: map[string]string{"link": outside}},
		"linked file":      {archive: "-- go.mod --\nmodule example.com/m\n-- k.go --\n" + keyed, links: map[string]string{"secret.go": filepath.Join(outside, "secret.go")}},
		"linked go.mod":    {archive: "-- k.go --\n" + keyed, links: map[string]string{"go.mod": filepath.Join(outside, "go.mod")}},
	} {
		dir := unpack(t, tt.archive)
		for link, target := range tt.links {
			if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
		found, _, err := analyser(t).Analyse(t.Context(), dir, campaign.AnalysisOptions{}, nil)
		if err == nil {
			// The module without its workspace may do.
			if said, _ := json.Marshal(found); name != "workspace" || len(found.Modules) != 1 || strings.Contains(string(said), "s3cr3t") {
				t.Errorf("%s: %s", name, said)
			}
		} else if !errors.Is(err, campaign.ErrUnfit) && !errors.Is(err, campaign.ErrHostile) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What lies above the clone has no say.
	dir := filepath.Join(outside, "below", "clone")
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "k.go"), []byte(keyed), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := analyser(t).Analyse(t.Context(), dir, campaign.AnalysisOptions{}, nil); !errors.Is(err, campaign.ErrUnfit) {
		t.Errorf("a module above the clone: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.24\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if found, _, err := analyser(t).Analyse(t.Context(), dir, campaign.AnalysisOptions{}, nil); err != nil || len(found.Units) != 1 {
		t.Errorf("below a workspace and a configuration that are not the clone's: %+v, %v", found, err)
	}
}

// TestAnalysisIsBounded has programs that take more memory, or time, than is given.
func TestAnalysisIsBounded(t *testing.T) {
	dir := unpack(t, "-- go.mod --\nmodule example.com/m\n-- k.go --\n"+keyed)
	child := analyser(t)
	child.Time = time.Nanosecond
	if _, _, err := child.Analyse(t.Context(), dir, campaign.AnalysisOptions{}, nil); !errors.Is(err, campaign.ErrTooLarge) || !strings.Contains(err.Error(), "took longer than 1ns") {
		t.Errorf("time: %v", err)
	}
	// Dozens of bytes of syntax tree for each of the file.
	large := "package k\n\nvar Table = []any{\n" + strings.Repeat(strings.Repeat("1,", 1000)+"\n", 10_000) + "}\n"
	if err := os.WriteFile(filepath.Join(dir, "large.go"), []byte(large), 0o644); err != nil {
		t.Fatal(err)
	}
	child = analyser(t)
	child.Memory = 400 << 20
	if _, _, err := child.Analyse(t.Context(), dir, campaign.AnalysisOptions{}, nil); !errors.Is(err, campaign.ErrTooLarge) || !strings.Contains(err.Error(), "needs more memory than 400 MB") {
		t.Errorf("memory: %v", err)
	}
}

// TestAnalysisEndsWithItsCampaign closes the pipe to the child, as the end of the process at its other end does.
func TestAnalysisEndsWithItsCampaign(t *testing.T) {
	self, err := exec.LookPath("ctxmend")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// A go command that never ends, and tells that it has begun.
	begun := filepath.Join(dir, "begun")
	if err := syscall.Mkfifo(begun, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho $$ > " + begun + "\nexec sleep 1000\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	clone := unpack(t, "-- go.mod --\nmodule m\n-- m.go --\npackage m\n")
	cmd := exec.Command(self, "campaign-analyse")
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(in, "{\"dir\": %q}\n", clone)
	told, err := os.ReadFile(begun)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(told), &pid); err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := cmd.Wait(); err == nil {
		t.Error("a child that nobody waits for ends well")
	}
	for syscall.Kill(pid, 0) == nil { // it is gone when somebody has taken note of its end
		if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(state), ") Z ") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
}
