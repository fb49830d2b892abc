package program

import (
	"go/build"
	"io"
	"path/filepath"
	"strings"
)

// Condition returns what a file's presence in the build depends on: its build constraint, its name ("_windows"), or both; ""
// for a file that every configuration contains. Files with equal conditions come and go together.
func (f *File) Condition() string {
	var parts []string
	src := f.Src
	if src == nil { // of a dependency
		src, _ = ReadFile(f.Name)
	}
	if expr := constraintOf(src); expr != "" {
		parts = append(parts, expr)
	}
	if conditionalName(filepath.Base(f.Name)) {
		stem := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(f.Name), ".go"), "_test")
		words := strings.Split(stem, "_")
		last := words[len(words)-1]
		if len(words) > 2 && conditionalName("x_"+words[len(words)-2]+".go") {
			last = words[len(words)-2] + "_" + last
		}
		parts = append(parts, "_"+last)
	}
	return strings.Join(parts, " && ")
}

// conditionalName reports whether a file name ends in an operating system or architecture: go/build, told of a
// system that does not exist, then leaves it out.
func conditionalName(name string) bool {
	ctx := build.Context{
		GOOS: "nosystem", GOARCH: "noarch", Compiler: "gc",
		OpenFile: func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("package p\n")), nil },
	}
	ok, err := ctx.MatchFile("", name)
	return err == nil && !ok
}

// Condition returns the condition that all ordinary files of a package share, "" when one of them has another.
func (p *Package) Condition() string {
	shared, first := "", true
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		c := f.Condition()
		if first {
			shared, first = c, false
		}
		if c != shared {
			return ""
		}
	}
	return shared
}
