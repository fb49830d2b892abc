package hiddenparam

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
)

// A gather collects where one key's value is read, and the functions between there and its writers.
type gather struct {
	t  *travel
	c  *census.Census
	in *rules.PassValue
	// stored is the type of what is stored.
	stored types.Type
	// readers are the places that read.
	readers []*reader
	// targets are the functions that need the value, with the place of the context parameter that brings it.
	targets map[*callgraph.Func]int
	passes  map[*callgraph.Call]bool
	done    map[*callgraph.Func]bool
	// classes counts the functions outside of tests that need the value, those that change together once.
	classes int
	// below is the function through which a function needs the value; nil for one that reads.
	below map[*callgraph.Func]*callgraph.Func
	stops []*stopAt
	// zeros are the places whose context lacks the value.
	zeros []*stopAt
}

// A stopAt is a place where the way from the writers to a reader is not one of static calls.
type stopAt struct {
	*stop
	// in is the function, on the way, that the place stands in or leads to.
	in *callgraph.Func
}

func newGather(pass *rules.Pass, known *facts, k *census.Key, stored types.Type) *gather {
	return &gather{
		t: newTravel(pass, known, k), c: pass.Census, in: &rules.PassValue{Supply: pass.Supply(), Key: k}, stored: stored,
		targets: map[*callgraph.Func]int{}, passes: map[*callgraph.Call]bool{}, done: map[*callgraph.Func]bool{},
		below: map[*callgraph.Func]*callgraph.Func{},
	}
}

// mayBeNil reports whether what is stored may be nil in the eyes of whoever looks it up.
func (g *gather) mayBeNil() bool { return g.stored == nil || types.IsInterface(g.stored) }

func (g *gather) stop(s *stop, in *callgraph.Func) {
	if !slices.ContainsFunc(g.stops, func(o *stopAt) bool { return o.pos == s.pos && o.reason == s.reason }) {
		g.stops = append(g.stops, &stopAt{s, in})
	}
}

// run goes from the readers to the writers.
func (g *gather) run() {
	for _, s := range g.in.Key.Sites {
		if s.Role != census.Reader || s.Lookup.Call == nil {
			continue
		}
		lk := s.Lookup
		at := place{lk.File, lk.Pkg}
		f := g.t.graph.Enclosing(lk.File, lk.Call.Pos())
		if g.c.Shared(s) || ast.Unparen(lk.Key) != s.Expr || !lk.Pkg.World || handed(s) {
			g.stop(&stop{"forwarder", "the value is read by a function that is handed the key", false, s.File, s.Expr.Pos()}, f)
			continue
		}
		g.found(at, f, lk.Call, lk.Context, func() *reader { return g.readAt(at, f, lk.Call, lk.Context) })
	}
	if slices.ContainsFunc(g.readers, func(r *reader) bool { return !r.zero || r.From.Zero }) {
		for _, z := range g.zeros {
			g.stop(z.stop, z.in)
		}
	}
	slices.SortFunc(g.stops, func(a, b *stopAt) int {
		return cmp.Or(cmp.Compare(asInt(a.test()), asInt(b.test())), cmp.Compare(asInt(!a.crosses), asInt(!b.crosses)), g.compare(a.stop, b.stop))
	})
}

// handed reports whether the key of a look-up is a local variable: its function may be made for keys of all kinds.
func handed(s *census.Site) bool {
	id, ok := s.Expr.(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := s.Pkg.Info.Uses[id].(*types.Var)
	return ok && v.Parent() != s.Pkg.Types.Scope()
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *stopAt) test() bool { return s.file != nil && s.file.Test }

func (g *gather) compare(a, b *stop) int {
	x, y := g.c.Program.IDOf(a.pos), g.c.Program.IDOf(b.pos)
	return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Offset, y.Offset))
}

// found takes in one place that reads: a look-up, or a call of an accessor. What accessors read their callers do.
func (g *gather) found(at place, f *callgraph.Func, call *ast.CallExpr, ctx ast.Expr, read func() *reader) {
	if a := g.accessorOf(at, f, call, ctx); a != nil {
		if g.done[f] {
			return
		}
		g.done[f] = true
		g.in.Accessors = append(g.in.Accessors, f)
		for _, m := range f.Mentions {
			g.stop(&stop{"function-value", f.Name + " is handed on as a value", true, m.File, m.Expr.Pos()}, f)
		}
		for _, c := range f.Calls {
			if len(c.Expr.Args) == 1 {
				g.found(place{c.File, c.Pkg}, c.In, c.Expr, c.Expr.Args[0], func() *reader { return g.readByAccessor(a, c) })
			} else {
				g.readByAccessor(a, c)
			}
		}
		return
	}
	r := read()
	if r == nil {
		return
	}
	g.readers = append(g.readers, r)
	g.in.Reads = append(g.in.Reads, r.ValueRead)
	if f == nil {
		g.stop(&stop{"unclear", "the value is read when the package is initialised", false, at.file, call.Pos()}, nil)
		return
	}
	r.From = g.origin(at, g.t.sources(at, ctx), f, call.Pos())
}

// origin is the one source of a context; where there are others, or none, that is a stop.
func (g *gather) origin(at place, sources []*source, in *callgraph.Func, pos token.Pos) rules.ValueOrigin {
	var known []*source
	var absent *source
	for _, s := range sources {
		switch {
		case s.stop != nil:
			if s.stop.pos == token.NoPos {
				s.stop.file, s.stop.pos = at.file, pos
			}
			g.stop(s.stop, in)
		case s.absent:
			absent = s
		default:
			known = append(known, s)
		}
	}
	for _, s := range known {
		switch {
		case s.fn != nil:
			g.need(s.fn, s.param, in)
		case !slices.Contains(g.in.Writes, s.write):
			g.in.Writes = append(g.in.Writes, s.write)
		}
	}
	switch {
	case absent != nil:
		lacks := &stop{"absent", "the context made here lacks the value", false, absent.file, absent.pos}
		if len(sources) == 1 {
			g.zeros = append(g.zeros, &stopAt{lacks, in})
			return rules.ValueOrigin{Zero: true}
		}
		g.stop(lacks, in)
	case len(known) > 1:
		g.stop(&stop{"several", "the context may carry one value or another here", false, at.file, pos}, in)
	case len(sources) == 0:
		g.stop(&stop{"unclear", "nothing is known to bring a context here", false, at.file, pos}, in)
	case len(known) == 1:
		return rules.ValueOrigin{Func: known[0].fn, Write: known[0].write}
	}
	return rules.ValueOrigin{}
}

// need notes that a function needs the value because its context parameter brings it to another one, or to a read.
func (g *gather) need(f *callgraph.Func, v *types.Var, for_ *callgraph.Func) {
	i := paramIndex(f, v)
	if have, known := g.targets[f]; known {
		if have != i {
			g.stop(&stop{"several", f.Name + " takes two contexts, and the value is read from both", false, f.File, f.Pos()}, f)
		}
		return
	}
	for f := for_; f != nil && f.Kind == callgraph.Literal; f = f.Outer {
		for_ = f.Outer
	}
	class := []*callgraph.Func{f}
	for j := 0; j < len(class); j++ {
		m := class[j]
		g.targets[m] = i
		if m != for_ && g.below[m] == nil {
			g.below[m] = for_
		}
		for _, l := range m.Links {
			switch l.To.Kind {
			case callgraph.Foreign:
				g.stop(&stop{"foreign-interface", m.Name + " has to keep the parameters of " + l.To.Name + ", outside the program", true, l.File, l.Pos}, f)
				continue
			case callgraph.Written, callgraph.Literal:
				g.stop(&stop{"function-value", m.Name + " is held as a function value", true, l.File, l.Pos}, f)
				continue
			}
			if !slices.Contains(class, l.To) {
				class = append(class, l.To)
			}
		}
	}
	if slices.ContainsFunc(class, func(m *callgraph.Func) bool { return !m.File.Test }) {
		g.classes++
	}
	for _, m := range class {
		g.in.Targets = append(g.in.Targets, &rules.ValueTarget{Func: m, Index: i + 1})
	}
	for _, m := range class {
		for _, mention := range m.Mentions {
			if mention.Slot != nil {
				g.stop(&stop{"foreign-callback", m.Name + " is handed to code outside the program, which calls it", true, mention.File, mention.Expr.Pos()}, f)
			}
		}
		for _, call := range m.Calls {
			g.pass(m, call, i)
		}
	}
}

// pass takes in one call of a function that needs the value.
func (g *gather) pass(to *callgraph.Func, call *callgraph.Call, i int) {
	if g.passes[call] {
		return
	}
	g.passes[call] = true
	p := &rules.ValuePass{Call: call}
	g.in.Passes = append(g.in.Passes, p)
	at := place{call.File, call.Pkg}
	in := call.In
	if in == nil {
		g.stop(&stop{"unclear", to.Name + " is called when the package is initialised", false, call.File, call.Expr.Pos()}, to)
		return
	}
	skip := 0
	if call.ByMethod {
		skip = 1
	}
	if f := top(in); g.below[f] == nil && f != to {
		g.below[f] = to
	}
	p.From = g.origin(at, g.t.passed(at, call.Expr, i, skip), in, call.Expr.Pos())
}

// way writes the functions from one down to a reader.
func (g *gather) way(f *callgraph.Func) string {
	text := ""
	seen := map[*callgraph.Func]bool{}
	for ; f != nil && !seen[f]; f = g.below[f] {
		seen[f] = true
		if text != "" {
			text += " -> "
		}
		text += f.Name
	}
	return text
}
