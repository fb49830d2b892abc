package program

import (
	"go/types"
	"testing"
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
