package campaign

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A rootedGit exports files that it is given.
type rootedGit struct {
	toldGit
	files []string
}

func (g *rootedGit) Commit(context.Context, string, Commit) (string, error) { return "commit", nil }

func (g *rootedGit) Export(_ context.Context, _, _, into string) error {
	for _, name := range g.files {
		file := filepath.Join(into, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// A recorder is a sandbox that fails in one directory, and leaves there what is hard to remove.
type recorder struct {
	ran   []string
	fails string
}

func (r *recorder) Run(_ context.Context, c SandboxCommand) (SandboxResult, error) {
	r.ran = append(r.ran, c.In+": "+strings.Join(c.Args, " "))
	left := filepath.Join(c.Dir, "left", "behind")
	if err := errors.Join(os.MkdirAll(left, 0o755), os.Chmod(filepath.Dir(left), 0o555)); err != nil {
		return SandboxResult{}, err
	}
	if c.In == r.fails {
		return SandboxResult{Reason: "exit status 1"}, nil
	}
	return SandboxResult{OK: true}, nil
}

// TestVerifyModules runs the go command in the modules that a change edits, where the top need not be one, and other commands at the top.
func TestVerifyModules(t *testing.T) {
	g := &rootedGit{files: []string{"tools/go.mod", "tools/deep/down/a.go", "api/go.mod", "api/b.go", "other/go.mod", "script.go"}}
	change := func(names ...string) *Change {
		c := &Change{Repository: "a/b", State: ChangePlanned, Base: Base{"main", "base"}, Content: &Content{}}
		for _, name := range names {
			c.Content.Changes = append(c.Content.Changes, FileChange{Name: name, After: []byte("x")})
		}
		return c
	}
	for name, tt := range map[string]struct {
		c      *Change
		fails  string
		ran    []string
		state  ChangeState
		reason string
	}{
		"two modules": {change("tools/deep/down/a.go", "tools/new.go", "api/b.go"), "-", []string{"api: go build ./...", "tools: go build ./...", ".: make check"}, ChangeVerified, ""},
		"the top":     {change("script.go"), "-", []string{".: go build ./...", ".: make check"}, ChangeVerified, ""},
		"one fails":   {change("tools/deep/down/a.go", "api/b.go"), "tools", []string{"api: go build ./...", "tools: go build ./...", "api: go build ./...", "tools: go build ./..."}, ChangeRed, "go build ./... fails without the change as well: in tools: exit status 1"},
	} {
		box := &recorder{fails: tt.fails}
		e, task := following(nil, nil, tt.c)
		e.Forge, e.Git, e.Sandbox, e.Work = nil, g, box, t.TempDir()
		e.Config.Verify.Build, e.Config.Verify.Command = true, []string{"make", "check"}
		if _, err := e.Do(t.Context(), StepVerify, task); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Equal(box.ran, tt.ran) || tt.c.State != tt.state || tt.c.Reason != tt.reason {
			t.Errorf("%s: ran %q, %s, %q", name, box.ran, tt.c.State, tt.c.Reason)
		}
		if left, err := os.ReadDir(e.Work); err != nil || len(left) > 0 {
			t.Errorf("%s has left %v (%v)", name, left, err)
		}
	}
}
