package detachedgo

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
)

//go:embed doc.go
var doc string

const name = "detachedgo"

// Rule reports goroutines that start from nothing where a context is in scope.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	f := &finder{pass: pass, flow: pass.Flow(), census: pass.Census, started: map[ast.Node]*rules.Finding{}, makers: map[*types.Func]*maker{}, runs: map[*types.Func][]*started{}, stays: map[*types.Func]bool{}}
	for _, b := range f.flow.Births() {
		f.birth(b)
		f.noteBirth(b)
	}
	f.flow.EachCall(f.loops)
	f.namedLoops(pass.Calls)
	if len(f.order) > 0 {
		f.named(pass.Supply())
	}
	return f.list
}

// A finder collects findings.
type finder struct {
	pass   *rules.Pass
	flow   *flow.Flow
	census *census.Census
	// started are the findings so far, by the goroutine's start.
	started map[ast.Node]*rules.Finding
	// makers are the functions without a context that make one, order are the same in the order of the source.
	makers map[*types.Func]*maker
	order  []*types.Func
	// runs are the functions without a context that goroutines run where one is in scope, running the same in order, and stays those
	// that are started elsewhere as well.
	runs    map[*types.Func][]*started
	running []*types.Func
	stays   map[*types.Func]bool
	list    []*rules.Finding
}

// birth judges one context made from nothing.
func (f *finder) birth(b *flow.Birth) {
	g := f.flow.Around(b.Pkg, b.File, b.Call)
	if g == nil || f.flow.OnPurpose(b.File, b.Call.Pos()) || f.flow.OnPurpose(b.File, g.Node().Pos()) || f.flow.Expected(b) {
		return
	}
	src := f.source(g)
	if src == nil || f.ended(b, src) || f.hasOwn(b, g) {
		return
	}
	used := f.users(b, f.flow.Lifetime(g).Kind)
	if len(used) == 0 || f.serves(b, g) {
		return
	}
	f.report(b, g, src, used)
}

// hasOwn reports whether the goroutine has a context of its own where the fresh one is made: a parameter of its literal, or one that it
// has derived. That is the one to pass on, which rule freshctx says, or not to when it may have ended.
func (f *finder) hasOwn(b *flow.Birth, g *flow.Goroutine) bool {
	return g.Lit != nil && slices.ContainsFunc(f.flow.All(b.File, b.Call.Pos()), func(s *flow.Source) bool {
		return !s.Born && s.Kind != flow.Field && s.Kind != flow.Test && g.Lit.Pos() <= s.Var.Pos() && s.Var.Pos() < g.Lit.End()
	})
}

// source returns the context that the goroutine should get, nil when there is none: nothing is in scope where it is
// started, or what is may have ended, or is ended before the goroutine is waited for.
func (f *finder) source(g *flow.Goroutine) *flow.Source {
	list := f.flow.At(g.File, g.Node().Pos())
	if s := f.ofGroup(g, list); s != nil && !f.flow.CutShort(g, s.Var) {
		return s
	}
	for _, s := range list {
		if s.Born || s.Kind == flow.Field || s.Kind == flow.Test || f.flow.CutShort(g, s.Var) {
			continue
		}
		if !slices.ContainsFunc(s.Through, func(lit *ast.FuncLit) bool { return f.flow.RunOf(g.Pkg, g.File, lit) != flow.InPlace }) {
			return s
		}
	}
	return nil
}

// ended reports whether the context may have ended where the fresh one is made: the goroutine has waited for that.
func (f *finder) ended(b *flow.Birth, src *flow.Source) bool {
	return slices.ContainsFunc(f.flow.All(b.File, b.Call.Pos()), func(s *flow.Source) bool { return s.Var == src.Var && s.Ended != "" && s.Ended != flow.MayChange })
}

// changes reports whether the variable that a goroutine's literal would take the context from gets another value when the literal has
// been made: the context has to be taken before the start.
func (f *finder) changes(g *flow.Goroutine, src *flow.Source) bool {
	return g.Lit != nil && f.flow.AssignedLater(g.File, src.Var, g.Lit)
}

// serves reports whether a goroutine that nobody waits for makes its context in a loop without an end, or that a closed channel
// ends: it serves a connection or a queue, and not the call that has started it.
func (f *finder) serves(b *flow.Birth, g *flow.Goroutine) bool {
	return f.loopsFor(b.Pkg, b.File, b.Call) && f.flow.Lifetime(g).Kind != flow.Joined
}

// ofGroup returns the context that came with the group which counts the goroutine, nil when there is none: it ends
// when one of the group fails.
func (f *finder) ofGroup(g *flow.Goroutine, list []*flow.Source) *flow.Source {
	sel, ok := ast.Unparen(g.Call.Fun).(*ast.SelectorExpr)
	if !ok || g.Stmt != nil {
		return nil
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok {
		return nil
	}
	for _, s := range list {
		for _, u := range f.census.Uses(s.Var) {
			parent, _ := f.census.Outer(u.File, u.Ident)
			as, ok := parent.(*ast.AssignStmt)
			if !ok || len(as.Rhs) != 1 || s.Born {
				continue
			}
			for _, lhs := range as.Lhs {
				if other, ok := lhs.(*ast.Ident); ok && g.Pkg.Info.ObjectOf(other) == g.Pkg.Info.ObjectOf(id) {
					return s
				}
			}
		}
	}
	return nil
}

// users returns the calls that work with the context inside the goroutine; none when one of them goes on with it, and may get one
// that ends: that of a goroutine which is waited for.
func (f *finder) users(b *flow.Birth, life flow.LifetimeKind) []flow.Fate {
	var used []flow.Fate
	for _, fate := range f.flow.Fates(b.Pkg, b.File, b.Call) {
		switch fate.Kind {
		case flow.Used, flow.Started, flow.Detached:
			if fate.Call == nil || flow.CleansUp(fate.Call) || life == flow.Joined && (f.flow.Outlives(b.Pkg, b.File, fate) || f.pass.Supply().Keeps(fate.Call)) {
				return nil
			}
			if life != flow.Outlives && (f.flow.Shares(b.Pkg, b.File, fate.Call) || f.flow.ReliedOn(b.Pkg, b.File, fate.Call)) {
				return nil
			}
			if life != flow.Outlives && f.flow.Persists(b.Pkg, b.File, fate.Call) {
				return nil
			}
			used = append(used, fate)
		case flow.Looked:
			if fate.Call != nil {
				used = append(used, fate)
			}
		case flow.Asked, flow.Cleanup:
		default:
			return nil
		}
	}
	return used
}

func (f *finder) report(b *flow.Birth, g *flow.Goroutine, src *flow.Source, used []flow.Fate) {
	place := &rules.ContextPlace{Expr: b.Call}
	if first := f.started[g.Node()]; first != nil {
		in := first.Fix.Intent.(*rules.PassToGoroutine)
		in.Places = append(in.Places, place)
		first.Related = append(first.Related, rules.Related{File: b.File, Pos: b.Call.Pos(), Message: "made here"})
		return
	}
	life := f.flow.Lifetime(g)
	finding := &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf("a goroutine starts from nothing although %s: %s", src.InScope(), cost(life, used)),
		File:          b.File,
		Pos:           b.Call.Pos(),
		End:           b.Call.End(),
		Applicability: rules.Review,
		Related:       []rules.Related{{File: g.File, Pos: g.Node().Pos(), Message: "started here"}},
		Fix: &rules.Fix{
			Title:         "pass " + src.Text + " to the goroutine",
			Applicability: rules.Review,
			Intent:        &rules.PassToGoroutine{Goroutine: g, Source: src, Lifetime: life, Places: []*rules.ContextPlace{place}, Ahead: f.changes(g, src)},
		},
	}
	if life.Kind == flow.Joined {
		finding.Related = append(finding.Related, rules.Related{File: g.File, Pos: life.Pos, Message: "waited for here"})
	}
	f.started[g.Node()] = finding
	f.list = append(f.list, finding)
}

// cost says what the goroutine lacks, with the evidence for how long it lives.
func cost(life flow.Lifetime, used []flow.Fate) string {
	what := callees(used)
	switch life.Kind {
	case flow.Joined:
		return fmt.Sprintf("%s can be neither cancelled nor given values by the caller, who waits for it (%s)", what, life.Evidence)
	case flow.Outlives:
		return fmt.Sprintf("%s loses the values of the caller, its trace for example (it must not end with the caller: %s)", what, life.Evidence)
	}
	return fmt.Sprintf("%s loses the values of the caller (how long it lives is unclear: %s)", what, life.Evidence)
}

// callees writes what works with the fresh context.
func callees(used []flow.Fate) string {
	var names []string
	for _, u := range used {
		if n := flow.Callee(u.Call); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) > 2 {
		return fmt.Sprintf("%s with %d more calls", names[0], len(names)-1)
	}
	return strings.Join(names, " with ")
}

// typeOf is the type of an expression of the goroutine's package.
func typeOf(g *flow.Goroutine, e ast.Expr) types.Type { return g.Pkg.Info.TypeOf(e) }
