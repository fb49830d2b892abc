package program

import (
	"os"
	"path/filepath"
	"testing"
)

// An overlay changes, creates and removes files; the disk keeps what it has, and nothing is left behind.
func TestOverlay(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	dir := writeTree(t, `
-- go.mod --
module m
go 1.24
-- a/a.go --
package a

func Old() {}
-- a/gone.go --
package a

func Old() {}
-- b/b.go --
package b

import "m/a"

var F = a.New
`)
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	p := load(t, dir, func(o *Options) {
		o.Overlay = map[string][]byte{
			in("a/a.go"):     []byte("package a\n\nimport \"m/fresh\"\n\nfunc New() int { return fresh.N }\n\nfunc More() { New() }\n"),
			in("a/gone.go"):  nil,
			in("fresh/f.go"): []byte("package fresh\n\nconst N = 1\n"),
		}
	})
	if len(p.Broken) > 0 {
		t.Fatal(p.Broken)
	}
	typeOf(t, pkg(t, p, "m/b"), "F")
	if got := string(file(t, p, "fresh/f.go").Src); got != "package fresh\n\nconst N = 1\n" {
		t.Errorf("the new file reads %q", got)
	}
	for _, f := range p.Files {
		if f.Name == in("a/gone.go") {
			t.Error("the removed file is still there")
		}
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat(in("fresh/f.go")); err == nil {
		t.Error("the new file was written")
	}
}

// The go.mod and go.work files of an overlay are in force, and directories that patterns leave out stay left out.
func TestOverlayOfModuleFiles(t *testing.T) {
	dir := writeTree(t, `
-- m/go.mod --
module wrong
go 1.24
require nowhere.example/x v1.0.0
-- m/a.go --
package a

import s "sibling"

var N = s.N
-- m/untracked/go.mod --
module other
-- m/untracked/u.go --
package u
-- s/s.go --
package s

const N = 1
`)
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	p := load(t, in("m"), func(o *Options) {
		o.Overlay = map[string][]byte{
			in("m/go.mod"):           []byte("module m\n\ngo 1.24\n"),
			in("m/untracked/go.mod"): nil,
			in("m/testdata/t.go"):    []byte("package t\n"),
			in("s/go.mod"):           []byte("module sibling\n\ngo 1.24\n"),
			in("go.work"):            []byte("go 1.24\n\nuse (\n\t./m\n\t./s\n)\n"),
		}
	})
	if len(p.Broken) > 0 {
		t.Fatal(*p.Broken[0])
	}
	if p.Workspace != in("go.work") || len(p.Modules) != 2 || p.Modules[0].Path != "m" {
		t.Errorf("workspace %s, modules %v", p.Workspace, p.Modules)
	}
	typeOf(t, pkg(t, p, "m"), "N")
	pkg(t, p, "m/untracked")
	for _, f := range p.Files {
		if f.Name == in("m/testdata/t.go") {
			t.Error("a file in testdata is part of the world")
		}
	}
}
