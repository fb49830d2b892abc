package detachedgo

import (
	"fmt"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// A maker is a declared function that takes no context, makes one and works with it.
type maker struct {
	decl   *ast.FuncDecl
	births []*flow.Birth
	used   []flow.Fate
}

// noteBirth remembers, for a declared function without a context, those that it makes and works with itself.
func (f *finder) noteBirth(b *flow.Birth) {
	if b.File.Test || f.flow.OnPurpose(b.File, b.Call.Pos()) || f.flow.Memoizes(b.Pkg, b.File, b.Call.Pos()) || f.flow.Expected(b) {
		return
	}
	for _, s := range f.flow.All(b.File, b.Call.Pos()) {
		if !s.Born {
			return
		}
	}
	var decl *ast.FuncDecl
	for n := f.census.Parent(b.File, b.Call); n != nil; n = f.census.Parent(b.File, n) {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
			return
		case *ast.FuncDecl:
			decl = n
		}
	}
	if decl == nil {
		return
	}
	fn, ok := b.Pkg.Info.Defs[decl.Name].(*types.Func)
	if !ok || takesContext(fn.Signature()) {
		return
	}
	used := f.users(b, flow.Joined)
	if !f.matters(b.Pkg, used) {
		return
	}
	m := f.makers[fn]
	if m == nil {
		m = &maker{decl: decl}
		f.makers[fn] = m
		f.order = append(f.order, fn)
	}
	m.births, m.used = append(m.births, b), append(m.used, used...)
}

// matters reports whether a call among those that work with a context does work of the program, or can tell that it was cancelled.
// What does neither, logging for example, is no reason to change a function's parameters.
func (f *finder) matters(pkg *program.Package, used []flow.Fate) bool {
	for _, u := range used {
		if u.Kind != flow.Looked && (u.Fn != nil && f.flow.Declares(u.Fn) || flow.CanFail(pkg.Info.TypeOf(u.Call))) {
			return true
		}
	}
	return false
}

// named reports goroutines that run, directly or not, a function which takes no context and makes one from nothing.
func (f *finder) named(s *supply.Supply) {
	found := map[*callgraph.Call]*rules.Finding{}
	for _, fn := range f.order {
		m := f.makers[fn]
		target := s.Calls.FuncOf(fn)
		if target == nil || target.EntryPoint() || f.goodShape(s, target, m) {
			continue
		}
		for _, w := range f.ways(s, target, m) {
			if first := found[w.start.Call]; first != nil {
				in := first.Fix.Intent.(*rules.AddParam)
				in.Targets = append(in.Targets, targetOf(target, m))
				first.Related = append(first.Related, rules.Related{File: m.births[0].File, Pos: m.births[0].Call.Pos(), Message: "made here"})
				continue
			}
			finding := f.namedFinding(s, w, target, m)
			found[w.start.Call] = finding
			f.list = append(f.list, finding)
		}
	}
}

// goodShape reports whether a function makes its context rightly: its body only calls its twin, it has one, or it cleans up.
func (f *finder) goodShape(s *supply.Supply, target *callgraph.Func, m *maker) bool {
	for _, b := range m.births {
		if supply.PassesOn(target, b.Call) {
			return true
		}
	}
	return supply.HasTwin(target) || s.CleansUp(target)
}

func targetOf(f *callgraph.Func, m *maker) *rules.ParamTarget {
	t := &rules.ParamTarget{Func: f, Born: flow.Born(m.births[0].Pkg, m.births[0].Call)}
	for _, b := range m.births {
		t.Uses = append(t.Uses, b.Call)
	}
	return t
}

// A way leads from the start of a goroutine down to a function that makes a context.
type way struct {
	start *supply.Start
	// through are the calls on it behind the start, outermost first.
	through []*callgraph.Call
}

// ways returns the goroutines that come to a function without a context, though one is in scope where they start.
func (f *finder) ways(s *supply.Supply, target *callgraph.Func, m *maker) []way {
	type at struct {
		f       *callgraph.Func
		through []*callgraph.Call
		loops   bool
	}
	loops := false
	for _, b := range m.births {
		loops = loops || f.loopsFor(b.Pkg, b.File, b.Call)
	}
	for _, u := range m.used {
		loops = loops || f.loopsFor(m.births[0].Pkg, m.births[0].File, u.Call)
	}
	var list []way
	seen := map[*callgraph.Func]bool{}
	todo := []at{{target, nil, loops}}
	for len(todo) > 0 {
		here := todo[0]
		todo = todo[1:]
		if seen[here.f] {
			continue
		}
		seen[here.f] = true
		tied, _ := supply.Tied(here.f)
		for _, t := range tied {
			seen[t] = true
			for _, call := range t.Calls {
				start, inner := f.start(s, call)
				loops := here.loops || f.loopsFor(call.Pkg, call.File, call.Expr)
				through := here.through
				if inner {
					through = append([]*callgraph.Call{call}, here.through...)
				}
				if start != nil {
					if !loops || start.Lifetime.Kind == flow.Joined {
						list = append(list, way{start, through})
					}
					continue
				}
				if caller := s.Asker(call); caller != nil && !seen[caller] && s.Lacks(call) && !call.File.Test {
					todo = append(todo, at{caller, append([]*callgraph.Call{call}, here.through...), loops})
				}
			}
		}
	}
	return list
}

// loopsFor reports whether a node stands in a loop that goes on for ever, or until a channel is closed: the goroutine serves
// something else than the call which has started it.
func (f *finder) loopsFor(pkg *program.Package, file *program.File, n ast.Node) bool {
	for p := f.census.Parent(file, n); p != nil; p = f.census.Parent(file, p) {
		switch p := p.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return false
		case *ast.ForStmt:
			if p.Cond == nil {
				return true
			}
		case *ast.RangeStmt:
			if t := pkg.Info.TypeOf(p.X); t != nil {
				if _, ok := flow.Under(t).(*types.Chan); ok {
					return true
				}
			}
		}
	}
	return false
}

// start returns the goroutine that a call starts, or is part of the literal of, with the call that gives it a context; nil when that is
// no goroutine or no context is in scope. inner is set when the goroutine's literal makes the call.
func (f *finder) start(s *supply.Supply, call *callgraph.Call) (start *supply.Start, inner bool) {
	if call.Defer || call.File.Test || s.Ended(call) {
		return nil, false
	}
	g, giving := f.flow.Started(call.Pkg, call.File, call.Expr), call
	if g == nil || g.Stmt == nil {
		if g = f.flow.Around(call.Pkg, call.File, call.Expr); g == nil || g.Lit == nil || s.Source(call) != nil {
			return nil, false
		}
		inner = true
	}
	if f.flow.OnPurpose(g.File, g.Node().Pos()) || f.flow.OnPurpose(call.File, call.Expr.Pos()) {
		return nil, false
	}
	src := f.source(g)
	if src == nil {
		return nil, false
	}
	if inner {
		if giving = f.giving(s, g, call, src); giving == nil {
			return nil, false
		}
	}
	return &supply.Start{Goroutine: g, Call: giving, Source: src, Lifetime: f.flow.Lifetime(g)}, inner
}

// giving returns the call that gives the context to a goroutine whose literal makes a call: that of the go statement, whose literal
// gets a parameter, or the one in the literal when it captures the context. It is nil where what has the context may be gone, or have
// become another one, when the literal asks for it.
func (f *finder) giving(s *supply.Supply, g *flow.Goroutine, call *callgraph.Call, src *flow.Source) *callgraph.Call {
	lit := s.SpawnedAround(call)
	plain := src.IsVar() && src.Unnamed == nil
	if lit != nil && lit.Lit == g.Lit && !(plain && f.mentions(g, src.Var)) {
		return s.Starter(lit)
	}
	if f.changes(g, src) {
		return nil
	}
	if g.Stmt == nil && (plain || f.flow.Lifetime(g).Kind == flow.Joined) || plain {
		return call
	}
	return nil
}

// mentions reports whether a goroutine's literal uses a variable of the function around it.
func (f *finder) mentions(g *flow.Goroutine, v *types.Var) bool {
	found := false
	ast.Inspect(g.Lit.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && g.Pkg.Info.Uses[id] == v {
			found = true
		}
		return !found
	})
	return found
}

func (f *finder) namedFinding(s *supply.Supply, w way, target *callgraph.Func, m *maker) *rules.Finding {
	g, life := w.start.Goroutine, w.start.Lifetime
	what, callee := target.Name, flow.Callee(g.Call)
	if g.Lit == nil {
		what = callee
		if len(w.through) > 0 {
			what = fmt.Sprintf("%s, which comes to %s,", callee, target.Name)
		}
	}
	finding := &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf("a goroutine starts from nothing although %s: %s takes no context and makes one, so that %s", w.start.Source.InScope(), what, cost(life, m.used)),
		File:          g.File,
		Pos:           g.Node().Pos(),
		End:           g.Call.Fun.End(),
		Applicability: rules.Review,
		Fix: &rules.Fix{
			Title:         "pass " + w.start.Source.Text + " to the goroutine",
			Applicability: rules.Review,
			Intent:        &rules.AddParam{Supply: s, Targets: []*rules.ParamTarget{targetOf(target, m)}, Param: rules.Param{Name: "ctx"}, Starts: []*supply.Start{w.start}},
		},
	}
	if g.Lit != nil {
		finding.End = g.Lit.Body.Lbrace
	}
	for _, call := range w.through {
		finding.Related = append(finding.Related, rules.Related{File: call.File, Pos: call.Expr.Pos(), Message: "called here"})
	}
	finding.Related = append(finding.Related, rules.Related{File: m.births[0].File, Pos: m.births[0].Call.Pos(), Message: "made here"})
	if life.Kind == flow.Joined {
		finding.Related = append(finding.Related, rules.Related{File: g.File, Pos: life.Pos, Message: "waited for here"})
	}
	return finding
}

// takesContext reports whether a function gets a context, or what carries one.
func takesContext(sig *types.Signature) bool {
	for p := range sig.Params().Variables() {
		if flow.Implements(p.Type()) || flow.Carries(p.Type()) {
			return true
		}
	}
	return false
}
