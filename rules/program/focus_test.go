package program

import (
	"path/filepath"
	"slices"
	"testing"
)

// With a focus the world is the packages named, their importers and those that store context values; others are dependencies, and
// files of theirs are no files that a build leaves out.
func TestFocus(t *testing.T) {
	dir := writeTree(t, `
-- go.mod --
module m
go 1.24
-- deep/d.go --
package deep

func D() int { return 1 }
-- touched/t.go --
package touched

import "m/deep"

var N = deep.D()
-- importer/i.go --
package importer

import "m/touched"

var N = touched.N
-- tested/t.go --
package tested
-- tested/t_test.go --
package tested_test

import "m/touched"

var N = touched.N
-- far/f.go --
package far

import "m/importer"

var N = importer.N
-- speaks/s.go --
package speaks

import "context"

func With(ctx context.Context) context.Context { return context.WithValue(ctx, "k", 1) }
`)
	p := load(t, dir, func(o *Options) { o.Focus = []string{filepath.Join(dir, "touched")}; o.Tests = true })
	if len(p.Broken) > 0 {
		t.Fatal(*p.Broken[0])
	}
	var world []string
	for _, q := range p.Configs[0].Packages {
		if q.World {
			world = append(world, q.Path)
		}
	}
	slices.Sort(world)
	if want := []string{"m/importer", "m/speaks", "m/tested", "m/tested_test", "m/touched"}; !slices.Equal(world, want) {
		t.Errorf("the world is %v, want %v", world, want)
	}
	if q := pkg(t, p, "m/deep"); q.World || q.Bodies {
		t.Error("m/deep is more than a dependency")
	}
	typeOf(t, pkg(t, p, "m/touched"), "N")
	for _, f := range p.Files {
		if f.Excluded {
			t.Errorf("%s counts as left out: %s", f.Rel, f.Constraint)
		}
	}
	if list := p.Unlisted(); len(list) > 0 {
		t.Errorf("%s counts as a file of no package", list[0].Rel)
	}
}
