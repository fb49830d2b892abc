package main

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var missingEvery = flag.Int("missing.every", 29, "try every n-th pair of a scenario and an import that cannot be found")

// TestImportsMissing runs every rule over the scenarios as somebody does who has not downloaded the dependencies, or whose generated
// packages are not there: each import of each program in turn cannot be found, so that the types of all that comes from it are unknown.
func TestImportsMissing(t *testing.T) {
	n := 0
	for _, file := range allScenarios(t) {
		for _, imp := range importsOf(newTrial(t, file)) {
			n++
			if n%*missingEvery != 0 {
				continue
			}
			t.Run(strings.TrimSuffix(path.Base(file), ".txtar")+"/"+imp, func(t *testing.T) {
				t.Parallel()
				tr := newTrial(t, file)
				tr.input = tr.dress.Put(tr.Input)
				for _, name := range tr.input.Names() {
					if strings.HasSuffix(name, ".go") {
						tr.input[name] = withoutImport(string(tr.input[name]), imp)
					}
				}
				tr.runBroken(t, file)
			})
		}
	}
	if n < 1000 {
		t.Errorf("only %d pairs of a scenario and an import", n)
	}
}

// importsOf returns the import paths of the program of a scenario, without that of context: no rule looks at a program without it.
func importsOf(tr *trial) []string {
	found := map[string]bool{}
	input := tr.dress.Put(tr.Input)
	for _, name := range input.Names() {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, input[name], parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, spec := range f.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil && p != "context" && p != "C" && p != "unsafe" {
				found[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// withoutImport makes a file import a path from where nothing is.
func withoutImport(src, imp string) []byte {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.ImportsOnly)
	if err != nil {
		return []byte(src)
	}
	list := slices.DeleteFunc(f.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value != strconv.Quote(imp) })
	slices.Reverse(list)
	for _, spec := range list {
		at := fset.Position(spec.Path.Pos()).Offset
		src = src[:at] + strconv.Quote("missing.invalid/"+imp) + src[at+len(spec.Path.Value):]
	}
	return []byte(src)
}
