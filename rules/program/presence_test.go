package program

import (
	"strings"
	"testing"
)

const conditionalWorld = `
-- go.mod --
module example.com/m
go 1.24
-- all/all.go --
package all
-- all/all_linux.go --
package all
-- needs/other.go --
package needs
-- needs/needs.go --
package needs

import _ "example.com/m/lin"
-- all/tagged.go --
//go:build linux && special && !race

package all
-- all/one_android.go --
package all
-- lin/make.go --
//go:build ignore

package main

func main() {}
-- lin/lin_linux.go --
package lin
-- unix/unix.go --
//go:build unix

package unix
-- pair/a_linux.go --
package pair
-- pair/b.go --
//go:build !linux

package pair
-- systems/a_linux.go --
package systems
-- systems/a_windows.go --
package systems
-- special/special.go --
//go:build special || linux && amd64

package special
-- newer/newer.go --
//go:build go1.21

package newer
-- newest/newest.go --
//go:build go1.25

package newest
-- onlylinux/all.go --
package onlylinux

var _ = helper
-- onlylinux/helper_linux.go --
package onlylinux

var helper = 1
-- onlylinux/unix_unix.go --
//go:build unix

package onlylinux
-- onlylinux/own_test.go --
package onlylinux

import _ "example.com/m/systems"
-- tests/only_test.go --
package tests
-- tests/tests_linux_amd64.go --
package tests
`

func TestImportsUnderConditions(t *testing.T) {
	p := load(t, writeTree(t, conditionalWorld))
	wantErrors(t, p)
	for _, test := range []struct{ from, to, want string }{
		{"all/all.go", "lin", "package example.com/m/lin is part of the build only where _linux"},
		{"all/all_linux.go", "lin", ""},
		{"needs/needs.go", "lin", ""},
		{"needs/other.go", "lin", ""},
		{"all/tagged.go", "lin", ""},
		{"all/one_android.go", "lin", ""}, // sets the tag linux too
		{"lin/lin_linux.go", "unix", ""},
		{"all/all.go", "unix", "only where unix"},
		{"unix/unix.go", "lin", "only where _linux"},
		{"all/all.go", "pair", ""},
		{"all/all.go", "systems", "only where _linux or _windows"},
		{"lin/lin_linux.go", "systems", ""},
		{"lin/lin_linux.go", "special", "only where special || (linux && amd64)"},
		{"all/tagged.go", "special", ""},
		{"tests/tests_linux_amd64.go", "special", ""},
		{"all/all.go", "newer", ""},
		{"all/all.go", "newest", "only where go1.25"},
		{"lin/lin_linux.go", "tests", "only where _linux_amd64"},
		{"onlylinux/all.go", "lin", ""}, // it is of no use elsewhere as it is
		{"onlylinux/own_test.go", "lin", ""},
		{"onlylinux/unix_unix.go", "lin", ""},
		{"onlylinux/all.go", "special", "only where special || (linux && amd64)"},
	} {
		err := p.CanImport(file(t, p, test.from), "example.com/m/"+test.to)
		switch {
		case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.HasSuffix(err.Error(), test.want)):
			t.Errorf("import of %s in %s: %v, want %q", test.to, test.from, err, test.want)
		}
	}
}

func TestNewFileConstraint(t *testing.T) {
	p := load(t, writeTree(t, conditionalWorld))
	for _, test := range []struct {
		path  string
		tests bool
		want  string
	}{
		{"all", false, ""},
		{"pair", false, ""},
		{"lin", false, "linux"},
		{"systems", false, "linux || windows"},
		{"special", false, "special || (linux && amd64)"},
		{"tests", false, "linux && amd64"},
		{"tests", true, ""},
	} {
		if got := p.NewFileConstraint(pkg(t, p, "example.com/m/"+test.path), test.tests); got != test.want {
			t.Errorf("package %s, tests %t: %q, want %q", test.path, test.tests, got, test.want)
		}
	}
}
