package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/internal/scenario"
)

// fence is a block of commands in the README.
var fence = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// inline is a command in a sentence of it.
var inline = regexp.MustCompile("`(ctxmend [^`]+)`")

// outside are commands of the README that a test cannot run as they stand, with what it runs in their place.
var outside = map[string]string{
	"sh testdata/campaign/start.sh $dir":                       "", // TestCampaignOfReadme does, in the project's own directory
	"go run ./cmd/ctxmend -C $dir campaign plan":               "",
	"go run ./cmd/ctxmend -C $dir campaign run":                "",
	"ctxmend campaign plan":                                    "", // campaigns need a forge
	"ctxmend campaign run":                                     "",
	"ctxmend campaign status":                                  "",
	"ctxmend campaign sync":                                    "",
	"ctxmend campaign close":                                   "",
	"go run ./cmd/ctxmend -C testdata/demo diff":               "ctxmend diff", // in the project's own directory
	"go test ./...":                                            "",             // this is one of them
	"go install github.com/ctxmend/ctxmend/cmd/ctxmend@latest": "",             // the network
	"ctxmend fix -i":                                           "",             // TestInteractive does, at a terminal
	"go vet -vettool=$(which ctxmend) ./...":                   "",             // a test of its own does
	"go build -o ctxmend-vet ./cmd/ctxmend-vet":                "",             // likewise
}

// TestReadmeCommandsWork runs every command of the README, those of one block one after the other, in a repository that holds
// the demo program. What they find is no failure.
func TestReadmeCommandsWork(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are those of a Unix shell")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks [][]string
	for _, m := range fence.FindAllStringSubmatch(string(readme), -1) {
		blocks = append(blocks, linesOfText(m[1]))
	}
	if len(blocks) < 5 {
		t.Fatalf("only %d blocks of commands found", len(blocks))
	}
	for _, m := range inline.FindAllStringSubmatch(fence.ReplaceAllString(string(readme), ""), -1) {
		blocks = append(blocks, alternatives(m[1]))
	}
	for _, block := range blocks {
		t.Run(block[0], func(t *testing.T) {
			t.Parallel()
			runBlock(t, block)
		})
	}
}

// linesOfText returns the commands of a block without comments.
func linesOfText(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

// alternatives returns a command of a sentence, once for each of the words in json|dot|mermaid.
func alternatives(command string) []string {
	words := strings.Fields(command)
	for i, w := range words {
		if parts := strings.Split(w, "|"); len(parts) > 1 {
			var list []string
			for _, p := range parts {
				words[i] = p
				list = append(list, strings.Join(words, " "))
			}
			return list
		}
	}
	return []string{command}
}

func runBlock(t *testing.T, block []string) {
	ctxmend, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	dir, bin := demoRepository(t), t.TempDir()
	// Programs that read what ctxmend prints.
	if err := os.WriteFile(filepath.Join(bin, "reviewdog"), []byte("#!/bin/sh\nexec cat >/dev/null\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, command := range block {
		if instead, known := outside[command]; known {
			command = instead
		}
		if command == "" || strings.Contains(command, "RULE") {
			continue
		}
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = dir
		cmd.Env = append(offline(), "PATH="+filepath.Dir(ctxmend)+":"+bin+":"+os.Getenv("PATH"), "CTXMEND_CACHE="+bin, "HOME="+bin, "XDG_CONFIG_HOME="+bin)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == exitFindings) {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
}

// demoRepository returns the top of a repository with the demo program in it, all of it committed.
func demoRepository(t *testing.T) string {
	t.Helper()
	needs(t, "git")
	tree, err := scenario.ReadTree(filepath.Join(testdata, "demo"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := tree.Write(dir); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-q", "-m", "demo")
	git("update-ref", "refs/remotes/origin/main", "HEAD")
	return dir
}
