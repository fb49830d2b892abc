//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/ctxmend/ctxmend/internal/scenario"
)

// TestInteractive types what testdata/interactive/*.txtar say into fix -i at a terminal, and compares what was on the screen,
// and the files afterwards.
func TestInteractive(t *testing.T) {
	files, err := scenario.Find(filepath.Join(testdata, "interactive"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			keys, screen := string(s.Input["keys"]), string(s.Input["screen"])
			delete(s.Input, "keys")
			delete(s.Input, "screen")
			dir := t.TempDir()
			if err := s.Input.Write(dir); err != nil {
				t.Fatal(err)
			}
			code, got := typeInto(t, dir, doubleDashes(s.Args), linesOf(keys))
			got += fmt.Sprintf("-- exit code %d\n", code)
			after, err := scenario.ReadTree(dir)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				updateInteractive(t, s, got, after)
				return
			}
			if diff := cmp.Diff(screen, got); diff != "" {
				t.Errorf("screen (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(s.After(), after); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// updateInteractive rewrites the screen and the files that are wanted.
func updateInteractive(t *testing.T, s *scenario.Scenario, screen string, after scenario.Tree) {
	t.Helper()
	if err := s.Update(nil, after); err != nil {
		t.Fatal(err)
	}
	archive, err := txtar.ParseFile(s.File)
	if err != nil {
		t.Fatal(err)
	}
	kept := archive.Files[:0]
	for _, f := range archive.Files {
		if f.Name != "screen" {
			kept = append(kept, f)
		}
	}
	archive.Files = append(kept, txtar.File{Name: "screen", Data: []byte(screen)})
	if err := os.WriteFile(s.File, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// typeInto runs ctxmend fix -i at a terminal of its own, and each time it asks does what the next line says: type a key, ^C or
// "text ..." with a line end. The arrow key up and "size COLUMNSxROWS" bring no new question and go with what follows.
func typeInto(t *testing.T, dir string, args, lines []string) (code int, screen string) {
	t.Helper()
	ctxmend, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(ctxmend, append([]string{"-C", dir, "fix", "-i"}, args...)...)
	cmd.Env = append(offline(), "TERM=xterm", "CTXMEND_CACHE="+t.TempDir())
	if !strings.Contains(strings.Join(args, " "), "--color") {
		cmd.Env = append(cmd.Env, "NO_COLOR=1")
	}
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	chunks := make(chan []byte)
	go func() {
		defer close(chunks)
		for {
			buf := make([]byte, 4096)
			n, err := tty.Read(buf)
			if n > 0 {
				chunks <- buf[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	var out bytes.Buffer
	seen := 0
	for chunk := range chunks {
		out.Write(chunk)
		if !asks(out.Bytes()[seen:]) {
			continue
		}
		seen = out.Len()
		if len(lines) == 0 {
			t.Errorf("it asks more than there are answers")
			lines = []string{"^C"}
		}
		lines = typeLine(t, tty, lines)
	}
	_ = cmd.Wait()
	if len(lines) > 0 {
		t.Errorf("it ended before %q", lines)
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(out.String(), "\r\n", "\n")
}

// asks reports whether what is on the screen ends in a question.
func asks(screen []byte) bool {
	return bytes.HasSuffix(screen, []byte("] ")) || bytes.HasSuffix(screen, []byte(": "))
}

// typeLine does what the first line says, and returns the others.
func typeLine(t *testing.T, tty *os.File, lines []string) []string {
	t.Helper()
	var columns, rows uint16
	if n, _ := fmt.Sscanf(lines[0], "size %dx%d", &columns, &rows); n == 2 {
		if err := pty.Setsize(tty, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
			t.Fatal(err)
		}
		lines = lines[1:]
	}
	arrow := ""
	if lines[0] == "up" {
		arrow, lines = "\x1b[1;5A", lines[1:]
	}
	text := lines[0]
	switch rest, ok := strings.CutPrefix(text, "text"); {
	case ok:
		text = strings.TrimSpace(rest) + "\r"
	case text == "^C":
		text = "\x03"
	case text == "^D":
		text = "\x04"
	}
	if _, err := tty.WriteString(arrow + text); err != nil {
		t.Fatal(err)
	}
	return lines[1:]
}

// linesOf returns the lines of a text that are not empty.
func linesOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
