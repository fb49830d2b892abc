package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ctxmend/ctxmend/internal/scenario"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// fuzzSeeds is how many scenarios an ordinary test run tries; fuzzing mutates their files.
const fuzzSeeds = 12

// FuzzRun puts any bytes beside a program with a key, and runs everything but the writing: the
// outcome is a result or an error, whatever the bytes are. The result was verified, so that of what
// was right before nothing is wrong after it.
func FuzzRun(f *testing.F) {
	for _, src := range seeds(f) {
		f.Add(src)
	}
	dir := f.TempDir()
	input := scenario.Tree{"go.mod": []byte("module example.com/m\n\ngo 1.24\n"), "key.go": []byte(keyProgram)}
	if err := input.Write(dir); err != nil {
		f.Fatal(err)
	}
	env := append(os.Environ(), "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off")
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			t.Skip("the shapes of TestHostile are larger")
		}
		name := filepath.Join(dir, "fuzz.go")
		if err := os.WriteFile(name, src, 0o666); err != nil {
			t.Fatal(err)
		}
		res, err := rewrite.Run(t.Context(), rewrite.Options{
			Load: program.Options{Dir: dir, Tests: true, Env: env}, Rules: suite.All, Level: rules.Review,
			KeyStyle: "auto", Accessors: "auto", Stage: "at-once", API: "preserve", Goroutines: "auto",
		})
		var bug *program.PanicError
		if errors.As(err, &bug) {
			t.Fatalf("%v\n%s", bug, bug.Stack)
		}
		if err != nil {
			return
		}
		for _, file := range res.Set.Files {
			if file.Name != name {
				continue
			}
			if !slices.Equal(file.Old, src) {
				t.Errorf("the patch set takes the file for %q", file.Old)
			}
		}
	})
}

// seeds returns one file each of scenarios that lie evenly among all.
func seeds(f *testing.F) [][]byte {
	names, err := filepath.Glob("../../testdata/rules/*/*.txtar")
	if err != nil || len(names) < fuzzSeeds {
		f.Fatalf("%d scenarios, %v", len(names), err)
	}
	var list [][]byte
	for i := range fuzzSeeds {
		s, err := scenario.Read(names[i*len(names)/fuzzSeeds])
		if err != nil {
			f.Fatal(err)
		}
		var longest []byte
		for _, name := range s.Input.Names() {
			if src := s.Input[name]; filepath.Ext(name) == ".go" && len(src) > len(longest) {
				longest = src
			}
		}
		list = append(list, longest)
	}
	return list
}
