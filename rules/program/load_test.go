package program

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const variants = `
-- go.mod --
module example.com/m
go 1.24
-- a/a.go --
package a

import "context"

type T struct{ n int }

func (t *T) Get(ctx context.Context) int { return t.n }
-- a/export_test.go --
package a

import "example.com/m/helper"

// Set exists for tests only.
func (t *T) Set(n int) { t.n = helper.Double(n) }

func New() *T { return &T{} }

type Iface interface{ Set(int) }
-- a/in_test.go --
package a

import "testing"

func TestIn(t *testing.T) {
	var i Iface = New()
	i.Set(1)
}
-- a/x_test.go --
package a_test

import (
	"context"
	"testing"

	"example.com/m/a"
	"example.com/m/b"
)

func TestX(t *testing.T) {
	v := a.New()
	v.Set(2)
	var same *a.T = b.Make()
	_ = same.Get(context.Background()) + v.Get(t.Context())
}

var Shared = b.Make()
-- b/b.go --
package b

import "example.com/m/a"

func Make() *a.T { return nil }
-- helper/helper.go --
package helper

func Double(n int) int { return 2 * n }
`

// In-package tests, external tests and importers must all see the same types.
func TestTestVariantsShareOneUniverse(t *testing.T) {
	p := loadTree(t, variants)
	wantErrors(t, p)
	a, x, b := pkg(t, p, "example.com/m/a"), pkg(t, p, "example.com/m/a_test"), pkg(t, p, "example.com/m/b")
	if got := names(a.Files); got != "a.go export_test.go in_test.go" {
		t.Errorf("files of a: %s", got)
	}
	if !x.XTest || x.Name != "a_test" || x.Types.Name() != "a_test" || names(x.Files) != "x_test.go" {
		t.Errorf("external test package: %+v", x)
	}
	named := typeOf(t, a, "T")
	for q, obj := range map[*Package]string{b: "Make", x: "Shared"} {
		typ := typeOf(t, q, obj)
		if sig, ok := typ.(*types.Signature); ok {
			typ = sig.Results().At(0).Type()
		}
		if elem := typ.(*types.Pointer).Elem(); elem != named {
			t.Errorf("%s.%s: %v is not the T of a", q.Path, obj, elem)
		}
	}
	if n := named.(*types.Named).NumMethods(); n != 2 {
		t.Errorf("T has %d methods, want Get and Set", n)
	}
	// Objects used in a test file are those that the ordinary file declares.
	found := false
	for id, obj := range a.Info.Uses {
		if id.Name == "T" && obj.Pkg() == a.Types && p.FileOf(id.Pos()).Test {
			found = true
			if obj != a.Types.Scope().Lookup("T") {
				t.Error("the test file uses another T")
			}
		}
	}
	if !found {
		t.Error("no use of T in a test file is recorded")
	}
	f := file(t, p, "a/x_test.go")
	if !f.Test || !f.XTest || f.PkgPath != "example.com/m/a" {
		t.Errorf("x_test.go: %+v", f)
	}
	if got := p.FileOf(a.Types.Scope().Lookup("New").Pos()); got != file(t, p, "a/export_test.go") {
		t.Errorf("New lies in %v", got)
	}
}

// Two packages whose tests import each other are legal and must not wait for each other.
func TestTestsThatImportEachOther(t *testing.T) {
	p := loadTree(t, `
-- go.mod --
module m
go 1.24
-- a/a.go --
package a

type A struct{}
-- a/a_test.go --
package a

import "m/b"

func (A) ForTest() b.B { return b.B{} }
-- b/b.go --
package b

type B struct{}
-- b/b_test.go --
package b

import "m/a"

func (B) ForTest() a.A { return a.A{} }
`)
	wantErrors(t, p)
}

// The type checker cannot add methods to a generic type that has been instantiated.
func TestGenericMethodsInTestFiles(t *testing.T) {
	p := loadTree(t, `
-- go.mod --
module m
go 1.24
-- a/a.go --
package a

type Set[T comparable] struct{ m map[T]bool }

func (s *Set[T]) Has(v T) bool { return s.m[v] }

var Ints Set[int]
-- a/a_test.go --
package a

import (
	"testing"

	"m/help"
)

func (s *Set[T]) put(v T) { s.m[v] = help.Yes }

func TestPut(t *testing.T) { Ints.put(1) }
-- help/help.go --
package help

const Yes = true
-- z/z.go --
package z

import "m/a"

var All = []a.Set[string]{}
`)
	wantErrors(t, p)
}

func TestWorkspace(t *testing.T) {
	dir := writeTree(t, `
-- go.work --
go 1.24
use (
	./one
	./two
)
-- one/go.mod --
module example.com/one
go 1.24
require example.com/two v0.0.0
-- one/one.go --
package one

import "example.com/two/sub"

var V sub.T
-- two/go.mod --
module example.com/two
go 1.23
-- two/sub/sub.go --
package sub

type T int
-- two/sub/sub_test.go --
package sub_test
-- three/go.mod --
module example.com/three
go 1.24
-- three/three.go --
package three
`)
	p := load(t, filepath.Join(dir, "one"))
	wantErrors(t, p)
	if p.Workspace != filepath.Join(dir, "go.work") || len(p.Modules) != 2 {
		t.Errorf("workspace %s, %d modules", p.Workspace, len(p.Modules))
	}
	if one := p.Modules[0]; one.Path != "example.com/one" || !one.Requires["example.com/two"] || one.GoVersion != "1.24" {
		t.Errorf("module %+v", one)
	}
	sub := pkg(t, p, "example.com/two/sub")
	if !sub.World || sub.Module != p.Modules[1] || sub.Info == nil {
		t.Errorf("package of the sibling module: %+v", sub)
	}
	f := file(t, p, "../two/sub/sub.go")
	if !p.Selected(f) {
		t.Error("without patterns every module of the workspace is selected")
	}
	p = load(t, filepath.Join(dir, "one"), func(o *Options) { o.Patterns = []string{"./..."} })
	if p.Selected(file(t, p, "../two/sub/sub.go")) || !p.Selected(file(t, p, "one.go")) {
		t.Error("./... selects the directory worked in only")
	}
	// At the root of the workspace there is no module.
	p = load(t, dir)
	if len(p.Files) != 3 {
		t.Errorf("files: %s", names(p.Files))
	}
	if _, err := tryLoad(filepath.Join(dir, "three")); err == nil || !strings.Contains(err.Error(), "set GOWORK=off") {
		t.Errorf("in a module outside of the workspace: %v", err)
	}
	// Without the workspace the sibling cannot be found.
	p = load(t, filepath.Join(dir, "two"), func(o *Options) { o.Env = testEnv("GOWORK=off") })
	if p.Workspace != "" || len(p.Modules) != 1 {
		t.Errorf("GOWORK=off: workspace %q, %d modules", p.Workspace, len(p.Modules))
	}
}

func TestNestedAndReplacedModules(t *testing.T) {
	p := loadTree(t, `
-- go.mod --
module example.com/m
go 1.24
require example.com/dep v0.0.0
require example.com/old v0.0.0
replace example.com/dep => ./dep
replace example.com/old => ./old
-- m.go --
package m

import (
	"example.com/dep"
	"example.com/old/go-yaml"
)

var _ = dep.V + yaml.N
-- dep/go.mod --
module example.com/dep
go 1.24
-- dep/dep.go --
package dep

var V = 1
-- old/go.mod --
module example.com/old
-- old/go-yaml/y.go --
package yaml

import "context"

var N = 1

func Put(ctx context.Context) context.Context { return context.WithValue(ctx, N, 1) }
-- nested/go.mod --
module example.com/nested
-- nested/n.go --
package broken (
-- testdata/t.go --
package broken (
-- _skip/t.go --
package broken (
`)
	wantErrors(t, p)
	if got := names(p.Files); got != "m.go" {
		t.Errorf("files: %s", got)
	}
	dep := pkg(t, p, "example.com/dep")
	if dep.World || dep.DepModule != "example.com/dep" || dep.Bodies || dep.Files[0].AST != nil {
		t.Errorf("replaced module: %+v", dep)
	}
	yaml := pkg(t, p, "example.com/old/go-yaml")
	if yaml.Name != "yaml" || !yaml.Bodies || yaml.Info == nil || yaml.Files[0].AST == nil {
		t.Errorf("a dependency that stores context values keeps its bodies: %+v", yaml)
	}
	if yaml.goVersion != "go1.16" {
		t.Errorf("language version without a go directive: %q", yaml.goVersion)
	}
	if c := pkg(t, p, "context"); !c.Bodies || c.Info == nil {
		t.Error("package context keeps its bodies")
	}
	if p.FileNamed(dep.Files[0].Name) != dep.Files[0] || p.FileOf(dep.Types.Scope().Lookup("V").Pos()) != dep.Files[0] {
		t.Error("files of dependencies can be looked up")
	}
}

func TestVendored(t *testing.T) {
	p := loadTree(t, `
-- go.mod --
module example.com/m
go 1.24
require example.com/dep v1.0.0
-- m.go --
package m

import "example.com/dep"

var _ = dep.V
-- vendor/modules.txt --
# example.com/dep v1.0.0
## explicit; go 1.20
example.com/dep
-- vendor/example.com/dep/dep.go --
package dep

var V = 1
`)
	wantErrors(t, p)
	dep := pkg(t, p, "example.com/dep")
	if dep.World || !dep.Files[0].Vendored || dep.DepModule != "example.com/dep" || dep.goVersion != "go1.20" {
		t.Errorf("vendored package: %+v", dep)
	}
	if got := names(p.Files); got != "m.go" {
		t.Errorf("files: %s", got)
	}
}

const platforms = `
-- go.mod --
module m
go 1.24
-- a.go --
package m

func F() int { return g() }
-- g_linux.go --
package m

func g() int { return 1 }
-- g_windows.go --
package m

import "syscall"

func g() int { var h syscall.Handle; return int(h) }
-- g_other.go --
//go:build !linux && !windows

package m

func g() int { return 3 }
-- tagged.go --
// +build special

package m

const Special = true
-- gen.go --
//go:build ignore

// Makes things.

package main

func main( {
-- made.go --
// Code generated by hand. DO NOT EDIT.

package m
-- a_test.go --
package m
-- only/only_darwin.go --
package only
`

func TestPlatformsTagsAndExcludedFiles(t *testing.T) {
	dir := writeTree(t, platforms)
	p := load(t, dir, func(o *Options) { o.Platforms = []Platform{{"linux", "amd64"}, {"windows", "386"}} })
	wantErrors(t, p)
	if len(p.Configs) != 2 || p.Configs[0].GOOS != "linux" {
		t.Fatalf("configurations: %v", p.Configs)
	}
	lin, win := p.Configs[0].Package("m"), p.Configs[1].Package("m")
	if names(lin.Files) != "a.go g_linux.go made.go a_test.go" || names(win.Files) != "a.go g_windows.go made.go a_test.go" {
		t.Errorf("files: %s, %s", names(lin.Files), names(win.Files))
	}
	fl, fw := lin.Types.Scope().Lookup("F"), win.Types.Scope().Lookup("F")
	if fl == fw || fl.Pos() != fw.Pos() || p.IDOf(fl.Pos()) != (ID{filepath.Join(dir, "a.go"), 16}) {
		t.Error("configurations have objects of their own at shared positions")
	}
	if win.Config.sizes.Sizeof(types.Typ[types.Int]) != 4 {
		t.Error("sizes are those of the architecture")
	}
	want := map[string]string{
		"g_other.go": "!linux && !windows", "tagged.go": "special", "gen.go": "ignore", "only/only_darwin.go": "file name",
	}
	for _, f := range p.Files {
		reason, excluded := want[f.Rel]
		if f.Excluded != excluded || f.Constraint != reason || f.AST == nil || f.Src == nil {
			t.Errorf("%s: excluded %v, constraint %q", f.Rel, f.Excluded, f.Constraint)
		}
	}
	if f := file(t, p, "only/only_darwin.go"); f.PkgPath != "m/only" {
		t.Errorf("path of an excluded file: %s", f.PkgPath)
	}
	if !file(t, p, "made.go").Generated || file(t, p, "a.go").Generated {
		t.Error("generated files are recognised")
	}

	p = load(t, dir, func(o *Options) { o.Tags, o.Tests = []string{"special"}, false })
	if file(t, p, "tagged.go").Excluded {
		t.Error("-tags special includes tagged.go")
	}
	if f := file(t, p, "a_test.go"); !f.Excluded || f.Constraint != "tests not loaded" {
		t.Errorf("a_test.go without tests: %q", f.Constraint)
	}
	p = load(t, dir, func(o *Options) { o.Env = testEnv("GOFLAGS=-tags=special") })
	if file(t, p, "tagged.go").Excluded || len(p.Configs[0].Tags) != 1 {
		t.Error("tags of GOFLAGS hold when none are given")
	}
}

func TestCgo(t *testing.T) {
	dir := writeTree(t, `
-- go.mod --
module m
go 1.24
-- a.go --
package m

// int twice(int n) { return 2 * n; }
// static int *where(void) { static int i; return &i; }
import "C"

import "unsafe"

func Twice(n int) (int, error) {
	r, err := C.twice(C.int(n))
	p := unsafe.Pointer(&r)
	_ = p
	*C.where() = 1
	return int(r) + int(*C.where()), err
}
-- b.go --
package m

var V, _ = Twice(2)
-- nocgo.go --
//go:build !cgo

package m

func Twice(n int) (int, error) { return n, nil }
`)
	p := load(t, dir)
	wantErrors(t, p)
	if !file(t, p, "a.go").Cgo || file(t, p, "b.go").Cgo || !file(t, p, "nocgo.go").Excluded {
		t.Error("cgo files are recognised")
	}
	p = load(t, dir, func(o *Options) { o.Env = testEnv("CGO_ENABLED=0") })
	wantErrors(t, p)
	if f := file(t, p, "a.go"); !f.Excluded || f.Constraint != "cgo is disabled" {
		t.Errorf("a.go without cgo: %q", f.Constraint)
	}
}

func TestErrorsAreRecorded(t *testing.T) {
	p := loadTree(t, `
-- go.mod --
module m
go 1.24
-- ok/ok.go --
package ok

import "m/types"

var V types.T
-- types/t.go --
package types

type T struct{}

var x int = "a"

func twin() {}
-- types/u.go --
package types

func twin() {}
-- syntax/s.go --
package syntax

var = 3

func Good() {}
-- missing/m.go --
package missing

import "example.com/nowhere"

var V = nowhere.V
-- cycle/a/a.go --
package a

import "m/cycle/b"

var V = b.V
-- cycle/b/b.go --
package b

import "m/cycle/a"

var V = a.V
-- mixed/a.go --
package one
-- mixed/b.go --
package two
-- test/t.go --
package test
-- test/t_test.go --
package test

import "m/usestest"

var V = usestest.V
-- usestest/u.go --
package usestest

import _ "m/test"

var V = 1
`)
	var got []string
	for _, b := range p.Broken {
		got = append(got, b.Path)
		if len(b.Errors) == 0 {
			t.Errorf("%s has no errors", b.Path)
		}
	}
	if want := "m/cycle/a m/cycle/b m/missing m/mixed m/syntax m/test m/types"; strings.Join(got, " ") != want {
		t.Errorf("broken: %s\nwant    %s\n%s", got, want, strings.Join(brokenLines(p), "\n"))
	}
	if pkg(t, p, "m/syntax").Types.Scope().Lookup("Good") == nil {
		t.Error("what follows a syntax error is lost")
	}
	lines := strings.Join(brokenLines(p), "\n")
	for _, want := range []string{
		"m/types: t.go:5: cannot use \"a\"",
		"m/types: u.go:3: twin redeclared in this block; other declaration of twin (t.go:",
		"m/missing: m.go:3: could not import example.com/nowhere (no required module provides package example.com/nowhere",
		"m/syntax: s.go:3: expected",
		"import cycle not allowed",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("no error %q in\n%s", want, lines)
		}
	}
}

func TestPatterns(t *testing.T) {
	dir := writeTree(t, `
-- go.mod --
module example.com/m
go 1.24
-- m.go --
package m
-- a/a.go --
package a
-- a/b/b.go --
package b
-- a/b/only_plan9.go --
package b
-- ab/ab.go --
package ab
`)
	for _, test := range []struct{ in, pattern, want string }{
		{".", "./...", "a.go b.go only_plan9.go ab.go m.go"},
		{".", ".", "m.go"},
		{".", "./a", "a.go"},
		{".", "./a/...", "a.go b.go only_plan9.go"},
		{"a", "./...", "a.go b.go only_plan9.go"},
		{"a", "", "a.go b.go only_plan9.go"},
		{"a", "..", "m.go"},
		{".", "example.com/m/a...", "a.go b.go only_plan9.go ab.go"},
		{".", "example.com/m/ab", "ab.go"},
		{".", "all", "a.go b.go only_plan9.go ab.go m.go"},
		{".", "a/b/b.go", "b.go"},
		{".", filepath.Join(dir, "ab"), "ab.go"},
	} {
		var patterns []string
		if test.pattern != "" {
			patterns = []string{test.pattern}
		}
		p := load(t, filepath.Join(dir, test.in), func(o *Options) { o.Patterns = patterns })
		var got []*File
		for _, f := range p.Files {
			if p.Selected(f) {
				got = append(got, f)
			}
		}
		if names(got) != test.want {
			t.Errorf("in %s, %q selects %s, want %s", test.in, test.pattern, names(got), test.want)
		}
	}
}

func TestLoadFailures(t *testing.T) {
	module := "\n-- go.mod --\nmodule m\ngo 1.24\n-- m.go --\npackage m\n"
	for _, test := range []struct {
		name, archive, want string
		change              func(*Options)
	}{
		{"no module", "-- a.go --\npackage a\n", "no go.mod in", nil},
		{"no such directory", module, "cannot read the directory to work in", func(o *Options) { o.Dir += "/none" }},
		{"pattern", module, "pattern ./none/... matches no package of m", func(o *Options) { o.Patterns = []string{"./none/..."} }},
		{"go missing", module, "the go command was not found", func(o *Options) {}},
		{"no files", "-- go.mod --\nmodule m\ngo 1.24\n", "there are no Go files", nil},
		{"GOPATH mode", module, "GO111MODULE=off", func(o *Options) { o.Env = testEnv("GO111MODULE=off") }},
		{"bad go.mod", "-- go.mod --\nmodule m\nfoo bar\n-- m.go --\npackage m\n", "unknown directive: foo", nil},
		{"platform", module, "unknown platform linux/abacus", func(o *Options) { o.Platforms = []Platform{{"linux", "abacus"}} }},
		{"half a platform", module, "write goos/goarch", func(o *Options) { o.Platforms = []Platform{{"linux", ""}} }},
		{"stale vendor directory", "-- go.mod --\nmodule m\ngo 1.24\nrequire example.com/x v1.0.0\n-- m.go --\npackage m\n-- vendor/modules.txt --\n", "try `go mod vendor`", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "go missing" {
				t.Setenv("PATH", t.TempDir())
			}
			dir := writeTree(t, test.archive)
			_, err := tryLoad(dir, func(o *Options) {
				if test.change != nil {
					test.change(o)
				}
			})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	dir := writeTree(t, variants)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Load(ctx, Options{Dir: dir, Env: testEnv()}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	// In the middle: as soon as the first package was checked.
	ctx, cancel = context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := Load(ctx, Options{Dir: dir, Env: testEnv(), Progress: func(done, total int, what string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A go command that hangs, with a child of its own that keeps its output open, must not
// keep Load from returning.
func TestCancelKillsTheGoCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell script")
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\nsleep 20\necho late\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	dir := writeTree(t, variants)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := Load(ctx, Options{Dir: dir, Env: testEnv()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("Load returned after %v", took)
	}
}

func TestSymlinkAndMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs symbolic links")
	}
	dir := writeTree(t, "-- go.mod --\nmodule m\ngo 1.24\n-- m.go --\npackage m\n-- other/o.txt --\npackage m\n")
	if err := os.Symlink(filepath.Join("other", "o.txt"), filepath.Join(dir, "link.go")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nobody@nowhere", filepath.Join(dir, "lock.go")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "m.go"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := load(t, dir)
	if f := file(t, p, "link.go"); !f.Symlink {
		t.Error("link.go is a symbolic link")
	}
	if f := file(t, p, "m.go"); f.Symlink || f.Mode != 0o600 {
		t.Errorf("m.go: mode %v", f.Mode)
	}
}

func TestProgress(t *testing.T) {
	var seen []string
	last := 0
	loadTree(t, variants, func(o *Options) {
		o.Jobs = 4
		o.Progress = func(done, total int, what string) {
			if done != last+1 || done > total {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			last = done
			seen = append(seen, what)
		}
	})
	if len(seen) == 0 || !strings.HasSuffix(seen[len(seen)-1], "_test") {
		t.Errorf("progress: %v", seen)
	}
}

// Everything observable must be the same for any number of workers, positions included.
func TestDeterminism(t *testing.T) {
	dir := writeTree(t, variants)
	dump := func(jobs int) string {
		p := load(t, dir, func(o *Options) { o.Jobs = jobs; o.Platforms = []Platform{{"linux", "amd64"}, {"darwin", "arm64"}} })
		var b strings.Builder
		for _, c := range p.Configs {
			for _, q := range c.Packages {
				fmt.Fprintln(&b, q.Path, names(q.Files), q.Bodies, q.Types.Complete())
				scope := q.Types.Scope()
				for _, name := range scope.Names() {
					fmt.Fprintln(&b, scope.Lookup(name), scope.Lookup(name).Pos())
				}
				for _, f := range q.Files {
					if f.AST != nil && q.World {
						ast.Inspect(f.AST, func(n ast.Node) bool {
							if id, ok := n.(*ast.Ident); ok {
								fmt.Fprintln(&b, id.Pos(), q.Info.ObjectOf(id))
							}
							return true
						})
					}
				}
			}
		}
		return b.String()
	}
	want := dump(1)
	for _, jobs := range []int{2, 7} {
		if got := dump(jobs); got != want {
			t.Errorf("the result with %d jobs differs from that with 1", jobs)
		}
	}
}

func TestLoadBodies(t *testing.T) {
	p := loadTree(t, variants)
	c := p.Configs[0]
	old := c.Package("strings")
	if old == nil || old.Bodies {
		t.Fatal("strings is a dependency without bodies")
	}
	list, err := p.LoadBodies(context.Background(), c, []string{"strings", "context"})
	if err != nil {
		t.Fatal(err)
	}
	full := list[0]
	if full.Info == nil || !full.Bodies || len(full.Info.Uses) < 1000 || full.Files[0].AST == nil {
		t.Error("bodies were not loaded")
	}
	if len(full.typeErrs) > 0 {
		t.Errorf("errors: %v", full.typeErrs)
	}
	if old.Types.Complete() {
		a, b := old.Types.Scope().Lookup("Cut"), full.Types.Scope().Lookup("Cut")
		if a == b || p.IDOf(a.Pos()) != p.IDOf(b.Pos()) {
			t.Error("copies are matched by position")
		}
	}
	if p.FileOf(full.Types.Scope().Lookup("Cut").Pos()) == nil {
		t.Error("the file of a reloaded declaration is unknown")
	}
	if list[1] != c.Package("context") {
		t.Error("a package with bodies is returned as it is")
	}
	again, err := p.LoadBodies(context.Background(), c, []string{"strings"})
	if err != nil || again[0] != full {
		t.Errorf("a package is read once: %v", err)
	}
	if _, err := p.LoadBodies(context.Background(), c, []string{"nowhere"}); err == nil {
		t.Error("no error for a package that is not loaded")
	}
}

// No dependency may have errors, else types of the world that use it are wrong.
func TestDependenciesAreClean(t *testing.T) {
	p := loadTree(t, `
-- go.mod --
module m
go 1.24
-- m.go --
package m

import (
	_ "archive/zip"
	_ "crypto/tls"
	_ "database/sql"
	_ "encoding/json"
	_ "go/types"
	_ "html/template"
	_ "image/png"
	_ "log/slog"
	_ "net/http/httptest"
	_ "net/http/pprof"
	_ "net/rpc"
	_ "os/user"
	_ "runtime/cgo"
	_ "testing/fstest"
)
`, func(o *Options) { o.Platforms = []Platform{{"linux", "amd64"}, {"windows", "386"}, {"js", "wasm"}} })
	for _, c := range p.Configs {
		pruned := 0
		for _, q := range c.Packages {
			for _, e := range q.typeErrs {
				t.Errorf("%s/%s %s: %s %s", c.GOOS, c.GOARCH, q.Path, e.Pos, e.Msg)
			}
			if !q.needed {
				pruned++
			}
		}
		if pruned == 0 {
			t.Error("nothing was left out")
		}
	}
	// Bodies can be had of everything, also of what was left out.
	c := p.Configs[2]
	var paths []string
	for _, q := range c.Packages {
		if q.Path != "unsafe" && (!q.needed || len(paths)%3 == 0) {
			paths = append(paths, q.Path)
		}
	}
	list, err := p.LoadBodies(t.Context(), c, paths)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range list {
		if q.Path != paths[i] || q.Info == nil {
			t.Errorf("%s was not loaded", paths[i])
		}
		for _, e := range q.typeErrs {
			t.Errorf("%s with bodies: %s %s", q.Path, e.Pos, e.Msg)
		}
	}
}

// TestNamedPipe refuses what the go command would wait for, wherever it would open it.
func TestNamedPipe(t *testing.T) {
	for _, base := range []string{"x.go", "x_test.go", "x.s", "x.h"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/m\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command("mkfifo", filepath.Join(dir, base)).Run(); err != nil {
			t.Skip(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := Load(ctx, Options{Dir: dir, Tests: true})
		if err == nil || !strings.Contains(err.Error(), base+" is a named pipe") {
			t.Errorf("%s: error %v", base, err)
		}
		cancel()
	}
}
