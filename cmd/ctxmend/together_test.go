package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/internal/scenario"
)

// TestProcessesTogether starts real commands at once in one directory. Each either does its work, finds it done, or says that it
// was overtaken and what to do; the files are those before or those after a fix, and undo knows which.
func TestProcessesTogether(t *testing.T) {
	ctxmend, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	dir, cache := t.TempDir(), t.TempDir()
	input := scenario.Tree{"go.mod": []byte("module example.com/m\n\ngo 1.24\n"), "key.go": []byte(keyProgram)}
	if err := input.Write(dir); err != nil {
		t.Fatal(err)
	}
	tree := func() scenario.Tree {
		got, err := scenario.ReadTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// run starts the commands, and waits for all of them.
	run := func(commands ...string) (done int) {
		t.Helper()
		said := make([]bytes.Buffer, len(commands))
		started := make([]*exec.Cmd, len(commands))
		for i, command := range commands {
			cmd := exec.Command(ctxmend, command, "-C", dir)
			cmd.Env = append(os.Environ(), "CTXMEND_CACHE="+cache, "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off")
			cmd.Stdout, cmd.Stderr = &said[i], &said[i]
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			started[i] = cmd
		}
		for i, cmd := range started {
			_ = cmd.Wait()
			switch code, text := cmd.ProcessState.ExitCode(), said[i].String(); {
			case code == exitOK && !strings.Contains(text, "0 fixed") && !strings.Contains(text, "nothing to fix"):
				done++
			case code == exitOK:
			case code == exitFailure && strings.Contains(text, "changed since it was read; run ctxmend again"):
			case code == exitFailure && commands[i] == "undo" && (strings.Contains(text, "nothing to undo") || strings.Contains(text, "changed since the fix")):
			default:
				t.Errorf("%s ends with %d and says %q", commands[i], code, text)
			}
		}
		return done
	}
	if done := run("fix"); done != 1 {
		t.Fatalf("%d fixes", done)
	}
	fixed := tree()
	if cmp.Equal(input, fixed) {
		t.Fatal("nothing was fixed")
	}
	if done := run("undo"); done != 1 || !cmp.Equal(input, tree()) {
		t.Fatalf("%d undone", done)
	}
	for range 3 {
		if done := run("fix", "fix", "fix"); done != 1 {
			t.Errorf("%d of three fixes say that they wrote", done)
		}
		if d := cmp.Diff(fixed, tree()); d != "" {
			t.Fatalf("after three fixes at once (-want +got):\n%s", d)
		}
		if done := run("undo", "undo"); done != 1 {
			t.Errorf("%d of two say that they have undone", done)
		}
		if d := cmp.Diff(input, tree()); d != "" {
			t.Fatalf("after undoing twice at once (-want +got):\n%s", d)
		}
		run("fix", "undo", "fix")
		if got := tree(); !cmp.Equal(got, fixed) && !cmp.Equal(got, input) {
			t.Fatalf("neither fixed nor as it was: %s", cmp.Diff(fixed, got))
		} else if cmp.Equal(got, fixed) {
			run("undo")
		}
	}
}
