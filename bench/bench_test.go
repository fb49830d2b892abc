// Package bench holds benchmarks of the stages of a run, over generated programs of 1,000 and of 10,000
// sites: a stage that is linear in sites costs the same per site in both. See README.md for how to
// run them and for what was measured.
package bench

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rewrite/apply"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rewrite/verify"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// sizes are the numbers of sites of the generated programs.
var sizes = []int{1_000, 10_000}

// programs are the kinds of generated programs.
var programs = []struct {
	name  string
	write func(tb testing.TB, sites int) (dir string)
}{
	{"mixed", writeProgram},
	{"helper", writeHelperProgram},
}

// options load the program in dir the way the command does. The go command neither leaves the machine nor
// depends on how this one is set up.
func options(dir string) rewrite.Options {
	env := append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOOS=", "GOARCH=")
	opts := rewrite.Options{
		Load:      program.Options{Dir: dir, Tests: true, Env: env},
		Known:     suite.All,
		Level:     rules.Safe,
		KeyStyle:  "auto",
		Accessors: "auto",
	}
	for _, r := range suite.All {
		if r.Default {
			opts.Rules = append(opts.Rules, r)
		}
	}
	return opts
}

// TestGeneratedProgram makes sure that the benchmarks measure what they say: every site is found,
// and the changes are there to be planned, applied and verified.
func TestGeneratedProgram(t *testing.T) {
	const sites, packages = 200, 200 / sitesPerPackage
	t.Run("mixed", func(t *testing.T) {
		res := generated(t, sites, writeProgram)
		if got, want := len(res.Units), 20*packages+sharedKeys; got < packages || got > want {
			t.Errorf("%d units, want between %d and %d", got, packages, want)
		}
		if got := len(res.Set.Files); got < packages {
			t.Errorf("%d files change, want at least %d", got, packages)
		}
	})
	t.Run("helper", func(t *testing.T) {
		res := generated(t, sites, writeHelperProgram)
		if len(res.Units) != 1 {
			t.Errorf("%d units, want one for all keys that share the helper", len(res.Units))
		}
		if got := len(res.Set.Files); got != 1 {
			t.Errorf("%d files change, want that of the helper", got)
		}
	})
}

// generated runs everything over a generated program.
func generated(t *testing.T, sites int, write func(tb testing.TB, sites int) string) *rewrite.Result {
	t.Helper()
	res, err := rewrite.Run(context.Background(), options(write(t, sites)))
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Program.Broken) > 0 {
		t.Fatalf("the program does not type-check: %v", res.Program.Broken[0].Errors)
	}
	if n := worldSites(res.Census); n != sites {
		t.Errorf("the census has %d sites, want %d", n, sites)
	}
	for _, u := range res.Units {
		if u.Blocker != nil {
			t.Errorf("unit %s is blocked: %s", u.ID, u.Blocker.Message)
		}
	}
	return res
}

// worldSites counts the sites of built-in keys in the program itself.
func worldSites(c *census.Census) int {
	n := 0
	for _, k := range c.Keys {
		for _, s := range k.Sites {
			if k.Basic != nil && s.Pkg.World {
				n++
			}
		}
	}
	return n
}

// perSize runs a benchmark over every program at every size. prepare does what comes before the stage that is
// measured; what it returns is the stage.
func perSize(b *testing.B, prepare func(b *testing.B, opts rewrite.Options) (stage func())) {
	for _, p := range programs {
		for _, sites := range sizes {
			b.Run(fmt.Sprintf("%s/sites=%d", p.name, sites), func(b *testing.B) {
				measure(b, sites, prepare(b, options(p.write(b, sites))))
			})
		}
	}
}

// measure reports what a stage costs for each site.
func measure(b *testing.B, sites int, stage func()) {
	b.ReportAllocs()
	begun := cpuTime()
	for b.Loop() {
		stage()
	}
	perSite := func(d time.Duration) float64 {
		return float64(d.Microseconds()) / float64(b.N) / float64(sites)
	}
	b.ReportMetric(perSite(b.Elapsed()), "µs/site")
	if spent := cpuTime() - begun; spent > 0 {
		b.ReportMetric(perSite(spent), "cpu-µs/site")
	}
}

// BenchmarkLoad measures go list, parsing and type-checking.
func BenchmarkLoad(b *testing.B) {
	perSize(b, func(b *testing.B, opts rewrite.Options) func() {
		return func() { load(b, opts) }
	})
}

// BenchmarkCensus measures the table of keys.
func BenchmarkCensus(b *testing.B) {
	perSize(b, func(b *testing.B, opts rewrite.Options) func() {
		prog := load(b, opts)
		return func() { takeCensus(b, prog) }
	})
}

// BenchmarkPlan measures the rules and the planning of their fixes, up to edits.
func BenchmarkPlan(b *testing.B) {
	perSize(b, func(b *testing.B, opts rewrite.Options) func() {
		prog := load(b, opts)
		c := takeCensus(b, prog)
		return func() { makePlan(prog, c, opts) }
	})
}

// BenchmarkApply measures the making of the new files from planned edits.
func BenchmarkApply(b *testing.B) {
	perSize(b, func(b *testing.B, opts rewrite.Options) func() {
		prog := load(b, opts)
		units := makePlan(prog, takeCensus(b, prog), opts)
		return func() { applyUnits(b, prog, units) }
	})
}

// BenchmarkVerify measures the type-checking of the new files and of all that import them.
func BenchmarkVerify(b *testing.B) {
	perSize(b, func(b *testing.B, opts rewrite.Options) func() {
		prog := load(b, opts)
		set := applyUnits(b, prog, makePlan(prog, takeCensus(b, prog), opts))
		return func() {
			if problems, err := verify.Check(context.Background(), prog, set); err != nil || len(problems) > 0 {
				b.Fatal(err, problems)
			}
		}
	})
}

// BenchmarkRun measures everything, as fix does it before it writes.
func BenchmarkRun(b *testing.B) {
	perSize(b, func(b *testing.B, opts rewrite.Options) func() {
		return func() {
			res, err := rewrite.Run(context.Background(), opts)
			if err != nil {
				b.Fatal(err)
			}
			if len(res.Set.Files) == 0 {
				b.Fatal("nothing to change: the benchmark measures too little")
			}
		}
	})
}

func load(b *testing.B, opts rewrite.Options) *program.Program {
	prog, err := program.Load(context.Background(), opts.Load)
	if err != nil {
		b.Fatal(err)
	}
	return prog
}

func takeCensus(b *testing.B, prog *program.Program) *census.Census {
	c, err := census.Build(context.Background(), prog)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func makePlan(prog *program.Program, c *census.Census, opts rewrite.Options) []*plan.Unit {
	pass := &rules.Pass{Program: prog, Census: c}
	var findings []*rules.Finding
	for _, r := range opts.Rules {
		findings = append(findings, r.Run(pass)...)
	}
	rules.Sort(prog, findings)
	return plan.Build(prog, c, findings, plan.Options{KeyStyle: opts.KeyStyle, Accessors: opts.Accessors})
}

func applyUnits(b *testing.B, prog *program.Program, units []*plan.Unit) *patches.Set {
	var open []*plan.Unit
	for _, u := range units {
		if u.Blocker == nil {
			open = append(open, u)
		}
	}
	set, err := apply.Apply(prog, open)
	if err != nil {
		b.Fatal(err)
	}
	return set
}
