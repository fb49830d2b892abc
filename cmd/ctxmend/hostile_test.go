package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the real command may take for a hostile program of a few megabytes, on any machine.
const (
	hostileCPU    = 60 * time.Second
	hostileWall   = 5 * time.Minute // whoever waits for a pipe takes no CPU
	hostileMemory = 2 << 30
)

// TestHostile runs the real command on programs that nobody would write. It has to end with a result
// or an error, in time, within its memory, and with every file whole.
func TestHostile(t *testing.T) {
	ctxmend, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range append(append(append(hostileSyntax(), hostileTypes()...), hostileText()...), hostileTrees()...) {
		t.Run(h.name, func(t *testing.T) {
			dir := t.TempDir()
			writeHostile(t, dir, "go.mod", "module example.com/m\n\ngo 1.24\n")
			writeHostile(t, dir, "key.go", keyProgram)
			if h.src != "" {
				writeHostile(t, dir, "hostile.go", h.src)
			}
			if h.make != nil {
				h.make(t, dir)
			}
			h.try(t, ctxmend, dir)
		})
	}
}

// A hostile is a program that asks for trouble.
type hostile struct {
	name string
	src  string                         // of a file beside one with a key that can be fixed
	make func(t *testing.T, dir string) // whatever else it takes
	// fails says what the error is about; "" if the command is to work, and fix the key.
	fails string
	// blocked is set where the key cannot be fixed, since its package has errors.
	blocked bool
	// deep is set where the key need not be fixed.
	deep bool
}

// try runs fix and undo.
func (h hostile) try(t *testing.T, ctxmend, dir string) {
	cache := t.TempDir()
	before := snapshot(t, dir)
	code, said := runHostile(t, ctxmend, cache, "fix", "--level", "review", "-C", dir)
	after := snapshot(t, dir)
	switch {
	case h.fails != "":
		if code != exitFailure || !strings.Contains(said, h.fails) {
			t.Errorf("exit code %d, says %.600q, want failure and %q", code, said, h.fails)
		}
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("changed all the same:\n%.2000s", d)
		}
		return
	case code != exitOK:
		t.Fatalf("exit code %d, says %.2000q", code, said)
	}
	fixed := before["key.go"] != after["key.go"]
	if fixed == h.blocked && !h.deep {
		t.Errorf("the key was fixed: %v; says %.2000s", fixed, said)
	}
	if !fixed {
		return
	}
	if code, said := runHostile(t, ctxmend, cache, "undo", "-C", dir); code != exitOK {
		t.Errorf("undo: exit code %d, says %.600q", code, said)
	}
	if d := cmp.Diff(before, snapshot(t, dir)); d != "" {
		t.Errorf("after undo:\n%.2000s", d)
	}
}

// runHostile runs the command and holds it to its limits.
func runHostile(t *testing.T, ctxmend, cache string, args ...string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hostileWall)
	defer cancel()
	cmd := exec.CommandContext(ctx, ctxmend, args...)
	cmd.Env = append(os.Environ(), "CTXMEND_CACHE="+cache, "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("still running after %v", hostileWall)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	state := cmd.ProcessState
	cpu, memory := state.UserTime()+state.SystemTime(), peakMemory(state)
	t.Logf("%s: %v CPU, %d MB", args[0], cpu.Round(10*time.Millisecond), memory>>20)
	if cpu > hostileCPU || memory > hostileMemory {
		t.Errorf("%v of CPU and %d MB", cpu, memory>>20)
	}
	for _, bad := range []string{"internal error", "goroutine ", "fatal error", "the type checker failed"} {
		if strings.Contains(out.String(), bad) {
			t.Fatalf("%.3000s", &out)
		}
	}
	return state.ExitCode(), out.String()
}

// snapshot returns what is in a directory: the content of files, the kind of everything else.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel := filepath.ToSlash(name[len(dir)+1:])
		got[rel] = d.Type().String()
		if info, err := d.Info(); err == nil && d.Type().IsRegular() && info.Size() > 64<<20 {
			got[rel] = fmt.Sprint(info.Size(), info.ModTime())
		} else if d.Type().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			got[rel] = shortened(data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// shortened keeps a difference of large files readable.
func shortened(data []byte) string {
	if len(data) < 10_000 {
		return string(data)
	}
	return fmt.Sprintf("%d bytes, %x", len(data), sha(data))
}

func writeHostile(t *testing.T, dir, rel, text string) {
	t.Helper()
	name := filepath.Join(dir, filepath.FromSlash(rel))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
