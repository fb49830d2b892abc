package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const manFile = "../../docs/ctxmend.1"

// TestManualIsUpToDate keeps the page that packages install the one that the program prints.
func TestManualIsUpToDate(t *testing.T) {
	page := runApp(t, exitOK, "man")
	committed(t, manFile, page)
	a := &app{rules: testRules()}
	for _, cmd := range a.rootCommand().Commands() {
		if cmd.IsAvailableCommand() && cmd.Name() != "help" && !strings.Contains(page, `.SS "`+strings.ReplaceAll(cmd.Name(), "-", `\-`)) {
			t.Errorf("the manual does not describe %s", cmd.Name())
		}
	}
}

// needs skips a test without a program, or fails it where all programs have to be there.
func needs(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	absent(t, program)
	return ""
}

// absent ends a test because something is not installed: .ci/run, which sets CI, installs it.
func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", what)
	}
	t.Skipf("%s is not installed", what)
}

func TestMandocHasNothingToSayAboutTheManual(t *testing.T) {
	// It exits with 2 for a warning.
	out, _ := exec.Command(needs(t, "mandoc"), "-T", "lint", "-W", "warning", manFile).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "missing date") { // the page has none, so as not to differ from one day to the next
			t.Error(line)
		}
	}
}

func TestManShowsTheManual(t *testing.T) {
	page, err := filepath.Abs(manFile)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(needs(t, "man"), "--warnings", "-l", page)
	cmd.Env = append(os.Environ(), "MANWIDTH=100", "MAN_KEEP_FORMATTING=", "LC_ALL=C.UTF-8")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	for _, want := range []string{"ctxmend - finds misuse of context.Context", "fix [packages] [flags]", "-i, --interactive", "EXIT CODES", "forwarders:"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("man does not show %q", want)
		}
	}
}
