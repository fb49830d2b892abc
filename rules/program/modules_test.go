package program

import (
	"path/filepath"
	"strings"
	"testing"
)

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
