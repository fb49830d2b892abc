package program

import (
	"go/build"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Condition returns what a file's presence in the build depends on: cgo, its build constraint, its name ("_windows"), or several;
// "" for a file that every configuration contains. Files with equal conditions come and go together.
func (f *File) Condition() string {
	var parts []string
	expr, tags := f.conditions()
	if f.Cgo && expr != "cgo" {
		parts = append(parts, "cgo")
	}
	if expr != "" {
		parts = append(parts, expr)
	}
	if len(tags) > 0 {
		parts = append(parts, "_"+strings.Join(tags, "_"))
	}
	return strings.Join(parts, " && ")
}

// conditions returns a file's build constraint, and the operating system and the architecture that its name ends in.
func (f *File) conditions() (expr string, tags []string) {
	src := f.Src
	if src == nil { // of a dependency
		src, _ = ReadFile(f.Name)
	}
	if name := filepath.Base(f.Name); conditionalName(name) {
		words := strings.Split(strings.TrimSuffix(strings.TrimSuffix(name, ".go"), "_test"), "_")
		tags = words[len(words)-1:]
		if len(words) > 2 && conditionalName("x_"+words[len(words)-2]+".go") {
			tags = words[len(words)-2:]
		}
	}
	return constraintOf(src), tags
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

// Condition returns the condition that all ordinary files of a package share, all its files if none is ordinary; "" when one of them has
// another.
func (p *Package) Condition() string {
	tests := !slices.ContainsFunc(p.Files, func(f *File) bool { return !f.Test })
	shared, first := "", true
	for _, f := range p.Files {
		if f.Test != tests {
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
