package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/internal/scenario"
)

func TestInterruptedWorkIsNotWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	forever := make(chan struct{})
	defer close(forever)
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := interruptible(ctx, func() (int, error) { <-forever; return 0, nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestSignalsEndARunAndLeaveNothing interrupts the real command while the go
// command, played by a script, hangs.
func TestSignalsEndARunAndLeaveNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals to send")
	}
	ctxmend, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"check", "fix", "undo"} {
		for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			t.Run(command+" "+sig.String(), func(t *testing.T) {
				dir, bin := t.TempDir(), t.TempDir()
				started := filepath.Join(bin, "started")
				fake := "#!/bin/sh\necho > '" + started + "'\nexec sleep 60\n"
				if err := os.WriteFile(filepath.Join(bin, "go"), []byte(fake), 0o755); err != nil {
					t.Fatal(err)
				}
				input := scenario.Tree{"go.mod": []byte("module m\n"), "m.go": []byte("package m\n")}
				if err := input.Write(dir); err != nil {
					t.Fatal(err)
				}

				cmd := exec.Command(ctxmend, command, "-C", dir)
				cmd.Env = append(os.Environ(), "PATH="+bin+":/usr/bin:/bin", "CTXMEND_CACHE="+bin)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				await(t, started)
				if err := cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				err := cmd.Wait()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
					t.Errorf("%v, want exit code %d", err, exitInterrupted)
				}
				if !strings.Contains(stderr.String(), "interrupted") {
					t.Errorf("says %q", &stderr)
				}
				left, err := scenario.ReadTree(dir)
				if err != nil {
					t.Fatal(err)
				}
				if len(left) != len(input) {
					t.Errorf("left behind: %v", left.Names())
				}
			})
		}
	}
}

// await waits until a file is there.
func await(t *testing.T, file string) {
	t.Helper()
	for range 2000 {
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s does not appear", file)
}
