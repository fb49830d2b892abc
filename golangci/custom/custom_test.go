package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var files = map[string]string{
	"go.mod": "module example.com/m\n\ngo 1.24\n",
	".golangci.yml": `version: "2"
linters:
  default: none
  enable:
    - ctxmend
  settings:
    custom:
      ctxmend:
        type: module
        description: finds misuse of context.Context
        settings:
          level: review
`,
	"auth/auth.go": `package auth

import "context"

// Get reads.
func Get(ctx context.Context, key string) any { return ctx.Value(key) }
`,
	"api/api.go": `package api

import (
	"context"
	"time"

	"example.com/m/auth"
)

// Serve works for a second.
func Serve(parent context.Context) {
	ctx, _ := context.WithTimeout(parent, time.Second)
	<-ctx.Done()
}

// User returns the user.
func User(ctx context.Context) any { return auth.Get(ctx, "user") }
`,
}

// TestPlugin builds golangci-lint with ctxmend and runs it, for its findings and for --fix. The build takes minutes.
func TestPlugin(t *testing.T) {
	if os.Getenv("CTXMEND_TEST_GOLANGCI") == "" {
		t.Skip("building golangci-lint takes minutes: set CTXMEND_TEST_GOLANGCI=1 to do it, or to the name of a binary that was built here")
	}
	lint := os.Getenv("CTXMEND_TEST_GOLANGCI")
	if !filepath.IsAbs(lint) {
		lint = filepath.Join(t.TempDir(), "golangci-lint")
		if runtime.GOOS == "windows" {
			lint += ".exe"
		}
		if out, err := exec.Command("go", "build", "-o", lint, ".").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	dir, cache := t.TempDir(), t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		cmd := exec.Command(lint, append([]string{"run", "--output.text.path=stdout", "--output.text.print-issued-lines=false"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOLANGCI_LINT_CACHE="+cache, "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 1) {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	has := func(out string, wanted ...string) {
		t.Helper()
		for _, w := range wanted {
			if !strings.Contains(filepath.ToSlash(out), w) {
				t.Errorf("no %q in\n%s", w, out)
			}
		}
	}
	has(run(), `api/api.go:12:7: lostcancel: the cancel function`, `api/api.go:17:59: builtinkey: string "user" is a context key`, "ctxmend fix --rules builtinkey", "(ctxmend)")
	out := run("--fix")
	has(out, "builtinkey")
	if strings.Contains(out, "lostcancel") {
		t.Errorf("what was mended is reported:\n%s", out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "api", "api.go"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(files["api/api.go"], "ctx, _ := context.WithTimeout(parent, time.Second)\n", "ctx, cancel := context.WithTimeout(parent, time.Second)\n\tdefer cancel()\n", 1)
	if string(got) != want {
		t.Errorf("--fix made\n%s", got)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "auth", "auth.go")); err != nil || string(got) != files["auth/auth.go"] {
		t.Errorf("--fix changed a key: %v\n%s", err, got)
	}
}
