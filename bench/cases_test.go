package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/internal/scenario"
)

// maxLayers is how many layers of values the contexts of the benchmarks have at most.
const maxLayers = 5

// BenchmarkCases runs the benchmark of every case in testdata/cases on the program as it was and as ctxmend leaves it, with
// one to five layers of values. Where ctxmend changes nothing there is only the one.
func BenchmarkCases(b *testing.B) {
	files, err := scenario.Find("../testdata/cases")
	if err != nil || len(files) == 0 {
		b.Fatal("no cases", err)
	}
	for _, file := range files {
		b.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(b *testing.B) {
			s, err := scenario.Read(file)
			if err != nil {
				b.Fatal(err)
			}
			states := []string{"before"}
			tests := map[string]string{"before": compileCase(b, s.Input)}
			if len(s.Want) > 0 {
				states = append(states, "after")
				tests["after"] = compileCase(b, s.After())
			}
			for layers := 1; layers <= maxLayers; layers++ {
				for _, state := range states {
					b.Run(fmt.Sprintf("layers=%d/state=%s", layers, state), func(b *testing.B) { runCase(b, tests[state], layers) })
				}
			}
		})
	}
}

// compileCase returns the test program of a case.
func compileCase(b *testing.B, tree scenario.Tree) string {
	dir := b.TempDir()
	if err := tree.Write(dir); err != nil {
		b.Fatal(err)
	}
	test := filepath.Join(dir, "case.test.exe")
	cmd := exec.Command("go", "test", "-trimpath", "-c", "-o", test, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local", "GOOS=", "GOARCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return test
}

// caseLine is what a benchmark prints with -test.benchmem.
var caseLine = regexp.MustCompile(`(?m)^BenchmarkCase/layers=\d+\s+\d+\s+([\d.]+) ns/op\s+(\d+) B/op\s+(\d+) allocs/op$`)

// runCase lets another process do the operations, for as long as -benchtime says, and reports what it has measured.
func runCase(b *testing.B, test string, layers int) {
	b.ReportAllocs()
	out, err := exec.Command(test, "-test.run", "^$", "-test.bench", fmt.Sprintf("^BenchmarkCase$/^layers=%d$", layers),
		"-test.benchmem", "-test.cpu", "1", "-test.benchtime", flag.Lookup("test.benchtime").Value.String()).CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	m := caseLine.FindSubmatch(out)
	if m == nil {
		b.Fatalf("no benchmark in:\n%s", out)
	}
	for i, unit := range []string{"ns/op", "B/op", "allocs/op"} {
		v, err := strconv.ParseFloat(string(m[i+1]), 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(v, unit)
	}
}
