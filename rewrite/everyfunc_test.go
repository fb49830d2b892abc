package rewrite_test

import (
	"context"
	"errors"
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/rewrite/apply"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rewrite/verify"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

var (
	everyDir   = flag.String("everyfunc", "", "add a ctx parameter to every function of the module in this `directory`, one at a time")
	everyAPI   = flag.String("everyfunc.api", "break", "what happens to exported functions: preserve or break")
	everyNth   = flag.Int("everyfunc.nth", 1, "take every `n`-th function only")
	everyFirst = flag.Int("everyfunc.first", 0, "leave out the first `n` functions")
	everyOnly  = flag.String("everyfunc.only", "", "take only functions with this name")
	everyWhy   = flag.String("everyfunc.why", "", "show the blockers with this `reason`")
	everyNear  = flag.Bool("everyfunc.near", false, "leave callers alone that no context reaches")
)

// TestEveryFunction adds a parameter ctx to each function of a module in turn. That gives a program that type-checks, or a
// blocker that says why not. Without a directory named it takes a package of this program.
func TestEveryFunction(t *testing.T) {
	dir, nth, api := *everyDir, *everyNth, *everyAPI
	if dir == "" {
		dir, nth = "..", 97
		if testing.Short() {
			t.Skip("takes a while")
		}
	}
	ctx := context.Background()
	prog, err := program.Load(ctx, program.Options{Dir: dir, Tests: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := census.Build(ctx, prog)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	g := callgraph.Build(prog)
	t.Logf("call graph of %d functions and %d calls in %v", len(g.Funcs), len(g.CallList), time.Since(start).Round(time.Millisecond))
	s := supply.New(g, flow.New(prog, c), c)
	count := map[string]int{}
	for i, f := range g.Funcs {
		if (i+*everyFirst)%nth != 0 || i < *everyFirst && nth == 1 || *everyOnly != "" && f.Name != *everyOnly {
			continue
		}
		u := everyUnit(prog, c, s, f, api)
		reason := "changed"
		switch {
		case u.Blocker != nil:
			reason = u.Blocker.Reason
			if *everyWhy == reason {
				t.Logf("%s: %s", f.Name, u.Blocker.Message)
			}
		default:
			reason = check(t, prog, f, u)
		}
		count[reason]++
	}
	total := 0
	for _, reason := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[reason], reason)
		total += count[reason]
	}
	t.Logf("%6d functions", total)
}

func everyUnit(prog *program.Program, c *census.Census, s *supply.Supply, f *callgraph.Func, api string) *plan.Unit {
	in := &rules.AddParam{
		Supply: s, Targets: []*rules.ParamTarget{{Func: f, Born: "Background"}}, Param: rules.Param{Name: "ctx"}, Everywhere: !*everyNear,
	}
	finding := &rules.Finding{Rule: "missingparam", File: f.File, Pos: f.Pos(), Fix: &rules.Fix{Applicability: rules.Review, Intent: in}}
	return plan.Build(prog, c, []*rules.Finding{finding}, plan.Options{API: api, Accessors: "auto", KeyStyle: "auto"})[0]
}

// check applies a unit and type-checks the result.
func check(t *testing.T, prog *program.Program, f *callgraph.Func, u *plan.Unit) string {
	t.Helper()
	where := prog.Fset.Position(f.Pos())
	set, err := apply.Apply(prog, []*plan.Unit{u})
	var failed apply.Errors
	if errors.As(err, &failed) {
		t.Errorf("%s:%d: %s: %v", f.File.Rel, where.Line, f.Name, err)
		return "edit"
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Files) == 0 {
		return "nothing to do"
	}
	problems, err := verify.Check(t.Context(), prog, set)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		t.Errorf("%s:%d: %s: %d problems, the first at %s: %s", f.File.Rel, where.Line, f.Name, len(problems), problems[0].Error.Pos, strings.Join(strings.Fields(problems[0].Error.Msg), " "))
		return "does-not-compile"
	}
	return "changed"
}
