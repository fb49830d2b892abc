package program

import (
	"path/filepath"
	"strings"
	"testing"
)

const importWorld = `
-- go.work --
go 1.24
use (
	./one
	./two
)
-- one/go.mod --
module example.com/one
go 1.24
require example.com/dep v0.0.0
replace example.com/dep => ../dep
-- one/a/a.go --
package a

import _ "example.com/one/b"
-- one/b/b.go --
package b

import _ "example.com/one/c"
-- one/b/b_test.go --
package b
-- one/b/bx_test.go --
package b_test

import _ "example.com/one/a"
-- one/c/c.go --
package c

import _ "example.com/dep"
-- one/t/t.go --
package t
-- one/t/t_test.go --
package t

import _ "example.com/one/u"
-- one/u/u.go --
package u
-- one/u/internal/x/x.go --
package x
-- one/u/v/v.go --
package v
-- one/cmd/tool/main.go --
package main
-- one/cmd/tool/main_test.go --
package main_test
-- one/lin/lin_linux.go --
package lin
-- two/go.mod --
module example.com/two
go 1.24
-- two/w/w.go --
package w

import _ "fmt"
-- dep/go.mod --
module example.com/dep
go 1.24
-- dep/dep.go --
package dep
`

func TestCanImport(t *testing.T) {
	dir := writeTree(t, importWorld)
	p := load(t, filepath.Join(dir, "one"))
	wantErrors(t, p)
	for _, test := range []struct{ from, to, want string }{
		{"a/a.go", "example.com/one/c", ""},
		{"a/a.go", "fmt", ""},
		{"a/a.go", "archive/zip", ""}, // not loaded so far
		{"a/a.go", "unsafe", ""},
		{"a/a.go", "C", "cgo file"},
		{"a/a.go", "example.com/one/a", "cannot import itself"},
		{"a/a.go", "example.com/dep", ""},
		{"c/c.go", "example.com/one/a", "import cycle: example.com/one/c -> example.com/one/a -> example.com/one/b -> example.com/one/c"},
		{"c/c.go", "example.com/one/b", "import cycle: example.com/one/c -> example.com/one/b -> example.com/one/c"},
		{"b/b_test.go", "example.com/one/a", "import cycle in test: example.com/one/b -> example.com/one/a -> example.com/one/b"},
		{"b/b_test.go", "example.com/one/c", ""},
		{"b/bx_test.go", "example.com/one/a", ""},
		{"b/bx_test.go", "example.com/one/b", ""},
		// t's tests import u: u must not come to import t, in one step or two.
		{"u/u.go", "example.com/one/t", "import cycle in test: example.com/one/t (test) -> example.com/one/u -> example.com/one/t"},
		{"t/t.go", "example.com/one/u", ""},
		{"u/u.go", "example.com/one/u/internal/x", ""},
		{"u/v/v.go", "example.com/one/u/internal/x", ""},
		{"a/a.go", "example.com/one/u/internal/x", "use of internal package example.com/one/u/internal/x is not allowed in example.com/one/a: only packages below example.com/one/u"},
		{"a/a.go", "internal/abi", "internal package internal/abi of the standard library"},
		{"a/a.go", "net/http/internal", "internal package net/http/internal of the standard library"},
		{"a/a.go", "example.com/one/cmd/tool", "is a program"},
		{"cmd/tool/main_test.go", "example.com/one/cmd/tool", ""},
		{"a/a.go", "example.com/two/w", "package example.com/two/w needs module example.com/two, which go.mod does not require"},
		{"../two/w/w.go", "example.com/one/c", "../two/go.mod does not require"},
		{"../two/w/w.go", "example.com/dep", "../two/go.mod does not require"},
		{"a/a.go", "example.com/nowhere", "is not part of the loaded program"},
		{"a/a.go", "vendor/golang.org/x/net/idna", "vendored"},
	} {
		err := p.CanImport(file(t, p, test.from), test.to)
		switch {
		case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("import of %s in %s: %v, want %q", test.to, test.from, err, test.want)
		}
	}
}

func TestCanImportOnSeveralPlatforms(t *testing.T) {
	dir := writeTree(t, importWorld)
	p := load(t, filepath.Join(dir, "one"), func(o *Options) { o.Platforms = []Platform{{"linux", "amd64"}, {"windows", "amd64"}} })
	err := p.CanImport(file(t, p, "a/a.go"), "example.com/one/lin")
	if err == nil || !strings.Contains(err.Error(), "no files for windows/amd64") {
		t.Errorf("error %v", err)
	}
}

// Two imports may each be fine and together close a cycle.
func TestPlannedImports(t *testing.T) {
	dir := writeTree(t, importWorld)
	p := load(t, filepath.Join(dir, "one"))
	g := p.ImportGraph()
	u, c := file(t, p, "u/u.go"), file(t, p, "c/c.go")
	if err := g.CanImport(c, "example.com/one/u"); err != nil {
		t.Fatal(err)
	}
	h := g.Clone()
	h.Add(c, "example.com/one/u")
	if err := h.CanImport(u, "example.com/one/a"); err == nil {
		t.Error("no cycle u -> a -> b -> c -> u")
	}
	if err := g.CanImport(u, "example.com/one/a"); err != nil {
		t.Errorf("what is planned on a copy shows in the original: %v", err)
	}
	if !h.Reaches("example.com/one/a", "example.com/one/u") || g.Reaches("example.com/one/a", "example.com/one/u") {
		t.Error("Reaches")
	}
	if !pkg(t, p, "example.com/one/a").ImportsTransitively("example.com/dep") {
		t.Error("a imports dep by way of b and c")
	}

	// A new package is importable within its module, and its imports count.
	if err := g.CanImport(u, "example.com/one/ctxkeys"); err == nil {
		t.Error("the package does not exist")
	}
	g.AddPackage("example.com/one/ctxkeys", "ctxkeys")
	if err := g.CanImport(u, "example.com/one/ctxkeys"); err != nil {
		t.Error(err)
	}
	if err := g.CanImport(file(t, p, "../two/w/w.go"), "example.com/one/ctxkeys"); err == nil {
		t.Error("module two does not require module one")
	}
	g.Add(u, "example.com/one/ctxkeys")
	planned := &File{Name: filepath.Join(dir, "one/ctxkeys/keys.go"), PkgPath: "example.com/one/ctxkeys", PkgDir: filepath.Join(dir, "one/ctxkeys")}
	if err := g.CanImport(planned, "example.com/one/u"); err == nil || !strings.Contains(err.Error(), "import cycle") {
		t.Errorf("error %v", err)
	}
	// A planned import of a test file counts too.
	g = p.ImportGraph()
	g.Add(file(t, p, "b/b_test.go"), "example.com/one/u/v")
	v := file(t, p, "u/v/v.go")
	if err := g.CanImport(v, "example.com/one/a"); err == nil || !strings.Contains(err.Error(), "import cycle in test") {
		t.Errorf("error %v", err)
	}
}
