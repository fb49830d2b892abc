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
