package bench

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rewrite/verify"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// TestLargeModule makes sure that the large module is what it is said to be.
func TestLargeModule(t *testing.T) {
	const packages = 30
	res, err := rewrite.Run(context.Background(), options(writeLargeModule(t, packages).dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Program.Broken) > 0 {
		t.Fatalf("the program does not type-check: %v", res.Program.Broken[0].Errors)
	}
	if n, want := worldSites(res.Census), packages*sitesPerSmallPackage; n != want {
		t.Errorf("the census has %d sites, want %d", n, want)
	}
	found := map[string]int{}
	for _, f := range res.Findings {
		found[f.Rule]++
	}
	for rule, want := range map[string]int{"builtinkey": packages * sitesPerSmallPackage, "detachedgo": packages, "missingparam": packages} {
		if found[rule] != want {
			t.Errorf("%d findings of %s, want %d", found[rule], rule, want)
		}
	}
	if got := len(res.Set.Files); got < packages {
		t.Errorf("%d files change, want at least one for each package", got)
	}
}

// BenchmarkScale runs all stages over modules of more and more packages, up to 2,000 with 10,000 sites, all fixes up to review
// included, and says of each stage what processor time it takes (cpu-s), what it allocates (MB) and what is alive after it (live-MB). A
// directory in CTXMEND_BENCH_DIR takes the place of the generated modules.
func BenchmarkScale(b *testing.B) {
	if dir := os.Getenv("CTXMEND_BENCH_DIR"); dir != "" {
		opts := options(dir)
		opts.Load.Env = os.Environ()
		benchmarkStages(b, opts)
		return
	}
	for _, packages := range []int{125, 250, 500, 1_000, 2_000} {
		b.Run(fmt.Sprintf("packages=%d", packages), func(b *testing.B) {
			benchmarkStages(b, options(writeLargeModule(b, packages).dir))
		})
	}
}

// benchmarkStages runs the stages one after the other.
func benchmarkStages(b *testing.B, opts rewrite.Options) {
	costs := map[string]*cost{}
	var prog *program.Program
	var findings []*rules.Finding
	for range b.N {
		prog, findings = runStages(b, opts, func(stage string, run func()) {
			if costs[stage] == nil {
				costs[stage] = &cost{}
			}
			costs[stage].measure(run)
		})
	}
	b.ReportMetric(0, "ns/op") // the stages have their own
	for stage, c := range costs {
		c.report(b, stage)
	}
	b.ReportMetric(float64(len(prog.Configs[0].Packages)), "packages")
	b.ReportMetric(float64(len(findings)), "findings")
}

// runStages does what a run does in one round.
func runStages(b *testing.B, opts rewrite.Options, measured func(stage string, run func())) (prog *program.Program, findings []*rules.Finding) {
	var c *census.Census
	var units []*plan.Unit
	var set *patches.Set
	measured("load", func() { prog = load(b, opts) })
	measured("census", func() { c = takeCensus(b, prog) })
	pass := &rules.Pass{Program: prog, Census: c, Rules: opts.Rules}
	measured("rules", func() {
		for _, r := range opts.Rules {
			findings = append(findings, r.Run(pass)...)
		}
		rules.Sort(prog, findings)
	})
	measured("plan", func() {
		units = plan.Build(prog, c, findings, plan.Options{KeyStyle: opts.KeyStyle, Accessors: opts.Accessors})
	})
	measured("apply", func() { set = applyUnits(b, prog, units) })
	measured("verify", func() {
		if _, err := verify.Check(context.Background(), prog, set); err != nil {
			b.Fatal(err)
		}
	})
	runtime.KeepAlive(set)
	return prog, findings
}

// A cost is what a stage has used so far.
type cost struct {
	cpu            float64
	allocated, all uint64
}

func (c *cost) measure(run func()) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begun := cpuTime()
	run()
	c.cpu += (cpuTime() - begun).Seconds()
	runtime.ReadMemStats(&after)
	c.allocated += after.TotalAlloc - before.TotalAlloc
	runtime.GC()
	runtime.ReadMemStats(&after)
	c.all += after.HeapAlloc
}

const megabyte = 1 << 20

func (c *cost) report(b *testing.B, stage string) {
	b.ReportMetric(c.cpu/float64(b.N), stage+"-cpu-s")
	b.ReportMetric(float64(c.allocated)/float64(b.N)/megabyte, stage+"-MB")
	b.ReportMetric(float64(c.all)/float64(b.N)/megabyte, stage+"-live-MB")
}
