package program

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const recheckWorld = `
-- go.mod --
module m
go 1.24
-- a/a.go --
package a

import "context"

type T struct{ N int }

func F(ctx context.Context) T { return T{} }
-- a/a_test.go --
package a

import "m/help"

func newT() T { return T{help.N} }

func (T) OnlyInTests() {}
-- a/x_test.go --
package a_test

import (
	"context"

	"m/a"
	"m/b"
)

var v a.T = b.Get(context.Background())
-- b/b.go --
package b

import (
	"context"

	"m/a"
)

func Get(ctx context.Context) a.T { return a.F(ctx) }
-- c/c.go --
package c

import "m/b"

var Get = b.Get
-- d/d.go --
package d
-- d/d_test.go --
package d

import "m/a"

var t a.T
-- help/help.go --
package help

const N = 1
-- far/far.go --
package far

import "m/help"

const N = help.N
`

// recheck applies edits (relative name to content; "" removes) and returns the result.
func recheck(t *testing.T, p *Program, edits map[string]string) []Rechecked {
	t.Helper()
	overlay := map[string][]byte{}
	for rel, text := range edits {
		name := filepath.Join(p.Dir, filepath.FromSlash(rel))
		overlay[name] = nil
		if text != "" {
			overlay[name] = []byte(text)
		}
	}
	list, err := p.Recheck(context.Background(), overlay)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func recheckedPaths(list []Rechecked) string {
	var paths []string
	for _, r := range list {
		paths = append(paths, r.Path)
	}
	return strings.Join(paths, " ")
}

func recheckedErrors(list []Rechecked) []string {
	var lines []string
	for _, r := range list {
		lines = append(lines, errorLines(r.Path, r.Errors)...)
	}
	return lines
}

// edit replaces text in a file of the program and returns the whole content.
func edit(t *testing.T, p *Program, rel, old, new string) string {
	t.Helper()
	src := string(file(t, p, rel).Src)
	if !strings.Contains(src, old) {
		t.Fatalf("%s does not contain %q", rel, old)
	}
	return strings.Replace(src, old, new, 1)
}

func TestRecheck(t *testing.T) {
	p := loadTree(t, recheckWorld)
	wantErrors(t, p)
	all := "m/a m/a_test m/b m/c m/d"
	for _, test := range []struct {
		name   string
		edits  map[string]string
		paths  string
		errors []string
	}{
		{"a comment", map[string]string{"a/a.go": edit(t, p, "a/a.go", "type T", "// T.\ntype T")}, all, nil},
		{"a signature", map[string]string{"a/a.go": edit(t, p, "a/a.go", "F(ctx context.Context)", "F(ctx context.Context, n int)")}, all,
			[]string{"m/b: b.go:9: not enough arguments in call to a.F"}},
		{"a signature and its caller", map[string]string{
			"a/a.go": edit(t, p, "a/a.go", "F(ctx context.Context)", "F(ctx context.Context, n int)"),
			"b/b.go": edit(t, p, "b/b.go", "a.F(ctx)", "a.F(ctx, 1)")}, all, nil},
		{"an external test", map[string]string{"a/a.go": edit(t, p, "a/a.go", "type T struct{ N int }", "type U struct{ N int }\ntype T = *U"),
			"d/d_test.go": ""}, "m/a m/a_test m/b m/c m/d",
			[]string{"m/a: a.go:8: invalid composite literal type T", "m/a: a_test.go:5: invalid composite literal type T"}},
		{"only a test", map[string]string{"d/d_test.go": edit(t, p, "d/d_test.go", "var t a.T", "var t a.T = 1")}, "m/d",
			[]string{"m/d: d_test.go:5: cannot use 1"}},
		{"only an external test", map[string]string{"a/x_test.go": edit(t, p, "a/x_test.go", "b.Get(", "b.Got(")}, "m/a_test",
			[]string{"m/a_test: x_test.go:10: undefined: b.Got"}},
		{"a leaf", map[string]string{"c/c.go": "package c\n"}, "m/c", nil},
		{"a test helper", map[string]string{"help/help.go": "package help\n\nconst N = \"\"\n"}, "m/a m/a_test m/b m/c m/d m/far m/help",
			[]string{"m/a: a_test.go:5: cannot use help.N"}},
		{"a new file", map[string]string{"a/key.go": "package a\n\ntype Key struct{}\n",
			"c/c.go": "package c\n\nimport \"m/a\"\n\nvar K a.Key\n"}, all, nil},
		{"a new file of another platform", map[string]string{"a/key_plan9.go": "package a\n\ntype Key struct{}\n",
			"c/c.go": "package c\n\nimport \"m/a\"\n\nvar K a.Key\n"}, "m/c", []string{"m/c: c.go:5: undefined: a.Key"}},
		{"a new file with a constraint", map[string]string{"a/key.go": "//go:build special\n\npackage a\n\nvar x int = \"\"\n"}, "", nil},
		{"a new package", map[string]string{"keys/keys.go": "package keys\n\ntype Key struct{}\n",
			"c/c.go": "package c\n\nimport \"m/keys\"\n\nvar K keys.Key\n"}, "m/c m/keys", nil},
		{"a new external test", map[string]string{"c/c_test.go": "package c_test\n\nimport \"m/c\"\n\nvar _ = c.Get\n"}, "m/c_test", nil},
		{"a removed file", map[string]string{"help/help.go": ""}, "m/a m/a_test m/b m/c m/d m/far m/help",
			[]string{"m/a: a_test.go:3: could not import m/help (none of its files is left)", "m/far: far.go:3: could not import m/help"}},
		{"a removed test", map[string]string{"d/d_test.go": ""}, "m/d", nil},
		{"a package of the standard library that nothing imported", map[string]string{
			"c/c.go": "package c\n\nimport (\n\t\"archive/zip\"\n\t\"log/slog\"\n)\n\nvar R *zip.Reader\n\nvar L = slog.Default\n"}, "m/c", nil},
		{"a package that does not exist", map[string]string{"c/c.go": "package c\n\nimport \"example.com/none\"\n\nvar R none.R\n"}, "m/c",
			[]string{"m/c: c.go:3: could not import example.com/none"}},
		{"a syntax error", map[string]string{"c/c.go": "package c\n\nvar x = )\n"}, "m/c", []string{"m/c: c.go:3: expected operand", "m/c: c.go:3: expected ';'"}},
		{"an unused import", map[string]string{"c/c.go": "package c\n\nimport \"m/a\"\n"}, "m/c", []string{"m/c: c.go:3: \"m/a\" imported and not used"}},
		{"an import cycle", map[string]string{"help/help.go": "package help\n\nimport \"m/far\"\n\nconst N = far.N\n"}, "m/a m/a_test m/b m/c m/d m/far m/help",
			nil},
		{"an import cycle through a test", map[string]string{"far/far.go": "package far\n\nimport _ \"m/a\"\n",
			"help/help.go": "package help\n\nimport _ \"m/b\"\n\nconst N = 1\n"}, "m/a m/a_test m/b m/c m/d m/far m/help",
			[]string{"m/a: a_test.go:3: import cycle not allowed in test: m/help imports m/a"}},
		{"an internal package", map[string]string{"c/c.go": "package c\n\nimport _ \"internal/abi\"\n"}, "m/c",
			[]string{"m/c: c.go:3: use of internal package internal/abi"}},
		{"a name of a test in an ordinary file", map[string]string{"a/a.go": edit(t, p, "a/a.go", "T{}", "newT()")}, all,
			[]string{"m/a: a.go:7: undefined: newT"}},
		{"a name of another package's test", map[string]string{"d/d_test.go": edit(t, p, "d/d_test.go", "var t a.T", "var _ = a.T.OnlyInTests")}, "m/d",
			[]string{"m/d: d_test.go:5: undefined: OnlyInTests (only a/a_test.go declares it, for the tests of m/a)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			list := recheck(t, p, test.edits)
			if got := recheckedPaths(list); got != test.paths {
				t.Errorf("checked %s\nwant    %s", got, test.paths)
			}
			if test.name == "an import cycle" {
				if got := strings.Join(recheckedErrors(list), "\n"); !strings.Contains(got, "import cycle not allowed") {
					t.Errorf("errors:\n%s", got)
				}
				return
			}
			compareErrors(t, recheckedErrors(list), test.errors)
		})
	}
	// None of this changed the program.
	if list := recheck(t, p, nil); len(list) != 0 {
		t.Errorf("an empty overlay checks %s", recheckedPaths(list))
	}
	list := recheck(t, p, map[string]string{"a/a.go": string(file(t, p, "a/a.go").Src)})
	compareErrors(t, recheckedErrors(list), nil)
	r := list[0]
	if r.Package != pkg(t, p, "m/a") || r.New == r.Package || r.New.Types == r.Package.Types || r.New.Info == nil || r.New.Files[0].AST == r.Package.Files[0].AST {
		t.Error("the new version is a package of its own")
	}
	if r.New.Files[1].AST != r.Package.Files[1].AST {
		t.Error("unchanged files keep their syntax")
	}
}

func TestRecheckInAllConfigurations(t *testing.T) {
	dir := writeTree(t, platforms)
	p := load(t, dir, func(o *Options) { o.Platforms = []Platform{{"linux", "amd64"}, {"windows", "amd64"}} })
	list := recheck(t, p, map[string]string{"a.go": "package m\n\nfunc F() string { return g() }\n",
		"g_windows.go": "package m\n\nfunc g() string { return \"\" }\n"})
	if len(list) != 2 || list[0].Config != p.Configs[0] || list[1].Config != p.Configs[1] {
		t.Fatalf("results: %v", list)
	}
	compareErrors(t, recheckedErrors(list), []string{"m: a.go:3: cannot use g()"})
	if len(list[0].Errors) != 1 {
		t.Error("the error is in the linux configuration")
	}
	// A file that no configuration contained may come to belong to them.
	list = recheck(t, p, map[string]string{"tagged.go": "package m\n\nconst F = 1\n"})
	compareErrors(t, recheckedErrors(list), []string{
		"m: tagged.go:3: F redeclared", "m: tagged.go:3: F redeclared"})
}

// Errors that were there before stay visible, so that they can be told from new ones.
func TestRecheckOfABrokenProgram(t *testing.T) {
	p := loadTree(t, `
-- go.mod --
module m
go 1.24
-- a/a.go --
package a

import "m/later"

var x int = ""

var K = later.K
-- b/b.go --
package b

import "m/a"

var V = a.K
`)
	before := brokenLines(p)
	list := recheck(t, p, map[string]string{"b/b.go": "package b\n\nimport \"m/a\"\n\nvar W = a.K\n"})
	compareErrors(t, recheckedErrors(list), nil)
	list = recheck(t, p, map[string]string{"a/b.go": "package a\n"})
	compareErrors(t, recheckedErrors(list), before)
	// Creating the missing package mends its importer.
	list = recheck(t, p, map[string]string{"later/later.go": "package later\n\nconst K = 1\n"})
	if got := recheckedPaths(list); got != "m/a m/b m/later" {
		t.Errorf("checked %s", got)
	}
	compareErrors(t, recheckedErrors(list), []string{"m/a: a.go:5: cannot use"})
}

// A dependency that imports the world back must not keep the old types.
func TestRecheckThroughADependency(t *testing.T) {
	p := loadTree(t, `
-- go.mod --
module example.com/m
go 1.24
require example.com/dep v0.0.0
replace example.com/dep => ./dep
-- api/api.go --
package api

type T struct{}
-- m.go --
package m

import (
	"example.com/dep"
	"example.com/m/api"
)

var V api.T = dep.Make()
-- dep/go.mod --
module example.com/dep
go 1.24
require example.com/m v0.0.0
-- dep/dep.go --
package dep

import "example.com/m/api"

func Make() api.T { return api.T{} }
`)
	wantErrors(t, p)
	for range 2 {
		list := recheck(t, p, map[string]string{"api/api.go": "package api\n\n// T.\ntype T struct{ n int }\n"})
		compareErrors(t, recheckedErrors(list), nil)
		if got := recheckedPaths(list); got != "example.com/m example.com/m/api" {
			t.Errorf("checked %s", got)
		}
	}
}

func TestRecheckRefusesFilesOutside(t *testing.T) {
	p := loadTree(t, recheckWorld)
	for _, name := range []string{"a/a.go", filepath.Join(os.TempDir(), "elsewhere", "a.go"), filepath.Join(p.Dir, "go.mod"),
		pkg(t, p, "context").Files[0].Name} {
		if _, err := p.Recheck(context.Background(), map[string][]byte{name: []byte("package a\n")}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
