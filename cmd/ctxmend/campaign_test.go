package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// campaignOutput is what the commands of the README print, but for hashes.
const campaignOutput = `REPOSITORY  STATE          FINDINGS  FILES  PULL REQUEST
cart        planned        2         1      give "customer" a private typed key in cart (builtinkey)
checkout    planned        5         2      give "order" a private typed key in trace (builtinkey)
            planned                  1      call CommandContext in checkout.go (contextlesscall) (waits: 1 open in this repository (limits.open_per_repository))
            planned                  1      defer the cancel function in checkout.go (lostcancel) (waits: 1 open in this repository (limits.open_per_repository))
mail        nothing to do  0

3 repositories; 4 changes, 4 to be opened
findings on the default branches: 7
REPOSITORY  STATE          FINDINGS  FILES  PULL REQUEST
cart        open           2         1      give "customer" a private typed key in cart (builtinkey)
checkout    open           5         2      give "order" a private typed key in trace (builtinkey)
            planned                  1      call CommandContext in checkout.go (contextlesscall) (waits: 1 open in this repository (limits.open_per_repository))
            planned                  1      defer the cancel function in checkout.go (lostcancel) (waits: 1 open in this repository (limits.open_per_repository))
mail        nothing to do  0

3 repositories; 4 changes, 2 to be opened, 2 open
findings on the default branches: 7
`

// TestCampaignOfReadme runs the commands of the README that begin a campaign on three small repositories, as they are typed.
func TestCampaignOfReadme(t *testing.T) {
	dir, run := campaignShell(t)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var block string
	for _, m := range fence.FindAllStringSubmatch(string(readme), -1) {
		if strings.Contains(m[1], "testdata/campaign/start.sh") {
			block = m[1]
		}
	}
	for _, replace := range [][2]string{{"$(mktemp -d)", dir}, {"go run ./cmd/ctxmend", "ctxmend -q"}} {
		if !strings.Contains(block, replace[0]) {
			t.Fatalf("no %s in\n%s", replace[0], block)
		}
		block = strings.ReplaceAll(block, replace[0], replace[1])
	}
	if got := run(block); got != campaignOutput {
		t.Errorf("the commands print\n%s\nwant\n%s", got, campaignOutput)
	}
	for _, name := range []string{"report.html", "report.json", "cart/builtinkey.md"} {
		if _, err := os.Stat(filepath.Join(dir, "ctxmend-plan", name)); err != nil {
			t.Error(err)
		}
	}
	if got := run("git -C $dir/repos/cart apply --check $dir/ctxmend-plan/cart/builtinkey.diff && git -C $dir/repos/cart branch | cat"); !strings.Contains(got, "ctxmend/typed-context-keys-builtinkey-") {
		t.Errorf("the diff does not apply, or there is no branch:\n%s", got)
	}
	// People merge one, and the campaign goes on with the next one of that repository.
	run(`git -C $dir/repos/checkout merge -q $(git -C $dir/repos/checkout for-each-ref --format='%(refname)' refs/heads/ctxmend)
ctxmend -q -C $dir campaign run; ctxmend -q -C $dir campaign run`)
	var doc campaign.Report
	if err := json.Unmarshal([]byte(run("ctxmend -q -C $dir campaign status --format json")), &doc); err != nil {
		t.Fatal(err)
	}
	if s := doc.Summary; s.Merged != 1 || s.Open != 2 || s.Before != 7 || s.Now != 5 {
		t.Errorf("after one was merged: %+v", s)
	}
	ended := watch(t, dir)
	run("ctxmend -q -C $dir campaign close")
	if got := ended(); !strings.Contains(got, " 2 open") || !strings.Contains(got, "A\r\x1b[J") || !strings.Contains(got, "3 withdrawn") {
		t.Errorf("who watched saw\n%q", got)
	}
	if got := run("ctxmend -q -C $dir campaign status --watch"); strings.Contains(got, "\x1b") || strings.Count(got, "REPOSITORY") != 1 {
		t.Errorf("who watches through a pipe sees\n%q", got)
	}
	if got := run("git -C $dir/repos/cart branch | cat"); strings.Contains(got, "ctxmend/") {
		t.Errorf("close left branches:\n%s", got)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "cache", "campaign")); len(left) != 0 {
		t.Errorf("clones are left: %v", left)
	}
}

// watch watches a campaign on a terminal, and returns what waits for the end of that and returns all that was written there.
func watch(t *testing.T, dir string) (ended func() string) {
	t.Helper()
	ctxmend, err := exec.LookPath("ctxmend")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), ctxmend, "-C", dir, "campaign", "status", "--watch")
	cmd.Env = append(offline(), "TERM=xterm")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	first, all := make(chan bool), make(chan bool)
	go func() {
		defer close(all)
		buf := make([]byte, 4096)
		for begun := false; ; {
			n, err := tty.Read(buf)
			out.Write(buf[:n])
			if (n > 0 || err != nil) && !begun {
				begun = true
				close(first)
			}
			if err != nil {
				return
			}
		}
	}()
	<-first // otherwise all might be over before it looks
	return func() string {
		<-all
		tty.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("status --watch: %v", err)
		}
		return out.String()
	}
}

// TestLiveScreen cuts what does not fit, and shows the sums all the same.
func TestLiveScreen(t *testing.T) {
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "row %d\n", i)
	}
	text.WriteString("\n3 repositories; a line that is longer than the terminal is wide\nfindings: 7\n")
	var s liveScreen
	for round := range 2 {
		got := s.draw(text.String(), 20, 10)
		back := ""
		if round > 0 {
			back = "\x1b[9A\r\x1b[J"
		}
		if want := back + "row 0\nrow 1\nrow 2\nrow 3\n... 35 more lines\nrow 39\n\n3 repositories; a l\nfindings: 7\n"; got != want {
			t.Errorf("round %d:\n%q, want\n%q", round, got, want)
		}
	}
	if got := s.clear() + s.clear(); got != "\x1b[9A\r\x1b[J" {
		t.Errorf("clear: %q", got)
	}
}

// campaignShell returns a directory and what runs commands in the project's own directory, with $dir for the other one.
func campaignShell(t *testing.T) (dir string, run func(commands string) string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the commands are those of a Unix shell")
	}
	needs(t, "git")
	ctxmend, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	env := append(offline(), "dir="+dir, "PATH="+filepath.Dir(ctxmend)+":"+os.Getenv("PATH"), "CTXMEND_CACHE="+filepath.Join(dir, "cache"),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	return dir, func(commands string) string {
		t.Helper()
		cmd := exec.Command("sh", "-e", "-c", commands)
		cmd.Dir, cmd.Env = filepath.Join("..", ".."), env
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s\n%v\n%s%s", commands, err, out, complaints.Bytes())
		}
		return string(out)
	}
}

// TestCampaignKilled kills the real command, with SIGKILL, later and later, until a run comes to its end; each of the repositories
// then has the one branch it should have, with one commit.
func TestCampaignKilled(t *testing.T) {
	dir, run := campaignShell(t)
	run("sh testdata/campaign/start.sh $dir")
	ctxmend, err := exec.LookPath("ctxmend")
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	for after := 100 * time.Millisecond; ; after += 400 * time.Millisecond {
		cmd := exec.Command(ctxmend, "-q", "-C", dir, "campaign", "run")
		cmd.Env = append(offline(), "CTXMEND_CACHE="+filepath.Join(dir, "cache"), "TMPDIR="+temp)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		kill.Stop()
		if err == nil {
			break
		}
		if after > time.Minute {
			t.Fatal("it does not come to an end")
		}
	}
	hash := regexp.MustCompile(`-[0-9a-f]{8}\n`)
	for name, want := range map[string]string{"cart": "builtinkey", "checkout": "builtinkey", "mail": ""} {
		got := run("git -C $dir/repos/" + name + " for-each-ref --format='%(refname:lstrip=3)' refs/heads/ctxmend")
		if want != "" {
			want = "typed-context-keys-" + want + "\n"
		}
		if hash.ReplaceAllString(got, "\n") != want {
			t.Errorf("%s has the branches %q, want %q", name, got, want)
		}
		if commits := run("git -C $dir/repos/" + name + " log --all --format=%s"); strings.Count(commits, "\n") != 1+len(strings.Fields(want)) {
			t.Errorf("%s has the commits %q", name, commits)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "cache", "campaign", "*")); len(left) != 0 {
		t.Errorf("clones of killed processes are left: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "ctxmend-analysis-*")); len(left) != 0 {
		t.Errorf("homes of analyses are left: %v", left)
	}
}
