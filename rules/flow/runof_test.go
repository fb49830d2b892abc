package flow_test

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// rounds are functions that hand what they are given round: to themselves, to one another, and in all ways at once. The literals that
// are asked about begin with a call of want, which says when they run.
const rounds = `package m

import (
	"sync"
	"testing"
)

func want(int) {}

type node struct{ kids []*node }

func (n *node) visit(f func()) {
	for _, k := range n.kids {
		k.visit(func() { f() })
	}
	f()
}

func a(f func()) { b(func() { f() }); f() }
func b(f func()) { c(func() { f() }); a(func() { f() }) }
func c(f func()) { a(f); b(f); c(f) }

func d(f func()) { e(func() { f() }) }
func e(f func()) { d(func() { f() }); go f() }

func keep(f func()) { stash = f; keep(func() { f() }) }

var stash func()

func later(f func()) { defer f(); later(func() { f() }) }

func generic[T any](x T, f func()) { generic(x, func() { f() }); f() }

func pair(f, g func()) { pair(func() { g() }, func() { f() }); f() }

func inPlace(n *node) {
	n.visit(func() { want(0) })
	a(func() { want(0) })
	b(func() { want(0) })
	c(func() { want(0) })
	generic(1, func() { want(0) })
	pair(func() { want(0) }, nil)
	pair(nil, func() { want(0) })
	named := func() { want(0) }
	a(named)
	named()
}

func others(t *testing.T, wg *sync.WaitGroup) {
	later(func() { want(1) })
	t.Cleanup(func() { want(2) })
	d(func() { want(3) })
	e(func() { want(3) })
	wg.Go(func() { want(3) })
	keep(func() { want(4) })
	both := func() { want(4) }
	go both()
	defer both()
	t.Run("", func(t *testing.T) { want(0) })
	t.Run("", func(t *testing.T) { want(4); t.Parallel() })
}

`

// chain returns functions that each hand a literal to the next one twice: what goes the ways one by one takes time that doubles
// with each function.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "func s%d(f func()) { s%d(func() { f() }); s%[2]d(func() { f() }) }\n", i, i+1)
	}
	fmt.Fprintf(&b, "func s%d(f func()) { f(); s0(f) }\nfunc top() { s0(func() { want(0) }) }\n", n)
	return b.String()
}

// TestRunOf checks that every question comes to an end, and that the answers do not depend on the order of the questions.
func TestRunOf(t *testing.T) {
	for _, backwards := range []bool{false, true} {
		prog, f := load(t, "1.26", rounds+chain(60))
		file := prog.Files[0]
		pkg := f.Package(file)
		lits := literals(file)
		if backwards {
			slices.Reverse(lits)
		}
		checked := 0
		for _, lit := range lits {
			run := f.RunOf(pkg, file, lit)
			if want, ok := wanted(pkg, lit); ok {
				checked++
				if run != want {
					t.Errorf("%s: got %d, want %d", prog.Fset.PositionFor(lit.Pos(), false), run, want)
				}
			}
		}
		if checked != 18 {
			t.Errorf("%d literals were asked about", checked)
		}
	}
}

func literals(file *program.File) (list []*ast.FuncLit) {
	ast.Inspect(file.AST, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			list = append(list, lit)
		}
		return true
	})
	return list
}

// wanted returns when a literal runs by what it says itself.
func wanted(pkg *program.Package, lit *ast.FuncLit) (flow.Run, bool) {
	stmt, ok := lit.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return 0, false
	}
	call := stmt.X.(*ast.CallExpr)
	if fn, ok := pkg.Info.Uses[name(call.Fun)].(*types.Func); !ok || fn.Name() != "want" {
		return 0, false
	}
	return flow.Run(call.Args[0].(*ast.BasicLit).Value[0] - '0'), true
}

func name(e ast.Expr) *ast.Ident {
	id, _ := e.(*ast.Ident)
	return id
}

// circles are functions that hand a context to one another: some of them keep it.
const circles = `package m

import "context"

var stash []context.Context

func a(ctx context.Context) { b(ctx); c(ctx); stash = append(stash, ctx) }
func b(ctx context.Context) { a(ctx); c(ctx) }
func c(ctx context.Context) { b(ctx); d(ctx) }

func d(ctx context.Context) { e(ctx) }
func e(ctx context.Context) { d(ctx); _ = ctx.Value(1) }

func x(ctx context.Context) { y(ctx); _ = ctx.Value(1) }
func y(ctx context.Context) { x(ctx); z(ctx) }
func z(ctx context.Context) { y(ctx); other(ctx) }

var other func(context.Context)
`

// TestTaken checks that what functions in a circle do with a context does not depend on which of them is asked about first.
func TestTaken(t *testing.T) {
	want := map[string]string{"a": "keeps", "b": "keeps", "c": "keeps", "d": "looks", "e": "looks", "x": "uses", "y": "uses", "z": "uses"}
	names := slices.Sorted(maps.Keys(want))
	for first := range names {
		prog, f := load(t, "1.26", circles)
		for i := range names {
			name := names[(first+i)%len(names)]
			fn := f.Package(prog.Files[0]).Types.Scope().Lookup(name).(*types.Func)
			got := "uses"
			if taken := f.Taken(fn); len(taken.Keeps) > 0 {
				got = "keeps"
			} else if len(taken.Looks) > 0 {
				got = "looks"
			}
			if got != want[name] {
				t.Errorf("%s first: %s %s it, want %s", names[first], name, got, want[name])
			}
		}
	}
}
