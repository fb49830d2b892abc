package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/internal/scenario"
)

// maxLayers is how many layers of values the contexts of the benchmarks have at most.
const maxLayers = 5

// BenchmarkCases runs the benchmark of every case in testdata/cases on the program as it was and as ctxmend leaves it, with
// one to five layers of values. Where ctxmend changes nothing there is only the one. Times are processor times.
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
var caseLine = regexp.MustCompile(`(?m)^BenchmarkCase/layers=\d+\s+\d+\s+[\d.]+ ns/op\s+(\d+) B/op\s+(\d+) allocs/op$`)

// enough is how much processor time operations have to take to be told from the start of a process.
const enough = 50 * time.Millisecond

// patience is how long a process that mostly waits may take.
const patience = time.Second

// runCase lets another process do the operations, and reports what it has measured; of the time, what its processor time grows by
// with the number of operations.
func runCase(b *testing.B, test string, layers int) {
	b.ReportAllocs()
	_, start := caseProcess(b, test, layers, 1)
	for n := 1 << 12; ; n *= 4 {
		begun := time.Now()
		m, cpu := caseProcess(b, test, layers, n)
		if cpu-start < enough && time.Since(begun) < patience {
			continue
		}
		b.ReportMetric(float64(max(cpu-start, 0).Nanoseconds())/float64(n), "ns/op")
		for i, unit := range []string{"B/op", "allocs/op"} {
			v, err := strconv.ParseFloat(string(m[i+1]), 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(v, unit)
		}
		return
	}
}

// caseProcess does a number of operations and returns what was printed and the processor time that it took.
func caseProcess(b *testing.B, test string, layers, n int) ([][]byte, time.Duration) {
	cmd := exec.Command(test, "-test.run", "^$", "-test.bench", fmt.Sprintf("^BenchmarkCase$/^layers=%d$", layers),
		"-test.benchmem", "-test.cpu", "1", "-test.benchtime", fmt.Sprintf("%dx", n))
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	m := caseLine.FindSubmatch(out)
	if m == nil {
		b.Fatalf("no benchmark in:\n%s", out)
	}
	return m, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
