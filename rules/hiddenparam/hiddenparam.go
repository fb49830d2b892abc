package hiddenparam

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "hiddenparam"

// widest is how many functions, those that change together counted once, a value may go through: what more of them carry is
// company on the way, as a context is made for.
const widest = 10

// Rule reports values that functions need and get inside a context from callers in the same program.
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Levels: []rules.Applicability{rules.Review}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	known := newFacts()
	for _, k := range pass.Census.Keys {
		stored := storedType(pass, k)
		if stored == nil || !business(pass, stored) {
			continue
		}
		g := newGather(pass, known, k, stored)
		g.run()
		list = append(list, g.findings()...)
	}
	return list
}

// storedType returns the type of what the world stores under a key that it both stores and reads outside of tests; nil for
// other keys, and where writers differ.
func storedType(pass *rules.Pass, k *census.Key) types.Type {
	var stored types.Type
	writes, reads := false, false
	for _, s := range k.Sites {
		if !s.Pkg.World || !s.Lookup.Pkg.World {
			return nil
		}
		if s.Role == census.Reader {
			reads = reads || !s.File.Test
			continue
		}
		if s.Lookup.Value == nil {
			return nil
		}
		t := s.Lookup.Pkg.Info.TypeOf(s.Lookup.Value)
		if t == nil || stored != nil && !same(t, stored) {
			return nil
		}
		stored = types.Default(t)
		writes = writes || !s.File.Test
	}
	if !writes || !reads {
		return nil
	}
	return stored
}

// same reports whether two types, perhaps of two build configurations, are one.
func same(a, b types.Type) bool {
	return types.Identical(a, b) || types.TypeString(a, nil) == types.TypeString(b, nil)
}

// business reports whether values of a type can be what a program is about: the world declares the type, or it is basic.
// What other modules make, a logger, a span, a transaction, is no such thing.
func business(pass *rules.Pass, t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return business(pass, t.Elem()) && !isBasic(t.Elem())
	case *types.Slice:
		return business(pass, t.Elem())
	case *types.Map:
		return business(pass, t.Elem())
	case *types.Basic:
		return true
	case *types.Named:
		return declared(pass, t)
	}
	return false
}

func isBasic(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.Basic)
	return ok
}

// declared reports whether the world declares a type.
func declared(pass *rules.Pass, t *types.Named) bool {
	f := pass.Program.FileOf(t.Obj().Pos())
	return f != nil && f.World
}

// findings judges what was gathered: one finding for each place outside of tests that stores the value for callees.
func (g *gather) findings() []*rules.Finding {
	need := g.needs()
	if need == nil || g.classes > widest || g.sink() {
		return nil
	}
	chained := g.chained()
	if len(chained) == 0 || g.meantToCross(chained) {
		return nil
	}
	blocker := g.blocker()
	fix := &rules.Fix{Title: "pass it as a parameter", Applicability: rules.Review, Intent: g.in}
	var list []*rules.Finding
	for _, w := range chained {
		f := &rules.Finding{
			Rule: name, Message: g.message(w, need), File: w.File, Pos: w.Call.Pos(), End: w.Call.End(),
			Key: g.in.Key.Name(), KeyID: g.in.Key.UnitName(), Applicability: rules.Review, Fix: fix, Blocker: blocker,
		}
		g.relate(f)
		list = append(list, f)
	}
	return list
}

// needs returns the reader that shows best that the value is no mere company: one that cannot work without it, or
// is steered by it. It is nil when there is none outside of tests.
func (g *gather) needs() *reader { return g.best(g.readers) }

func (g *gather) best(readers []*reader) *reader {
	var best *reader
	for _, r := range readers {
		if r.File.Test {
			continue
		}
		switch {
		case r.lack > goesOn && (best == nil || best.lack < r.lack):
			best = r
		case best == nil && g.steers(r):
			best = r
		}
	}
	return best
}

// sink reports whether all readers do nothing with the value but call methods of it whose results nobody looks at, as one does
// with what takes notes.
func (g *gather) sink() bool {
	return !slices.ContainsFunc(g.readers, func(r *reader) bool { return !r.File.Test && !g.onlyNotes(r) })
}

func (g *gather) onlyNotes(r *reader) bool {
	parent, child := g.c.Outer(r.File, r.Expr)
	if as, ok := parent.(*ast.AssignStmt); ok && as.Tok == token.DEFINE && len(as.Rhs) == 1 && ast.Node(as.Rhs[0]) == child {
		id, ok := as.Lhs[0].(*ast.Ident)
		if !ok || r.Pkg.Info.Defs[id] == nil {
			return false
		}
		for _, u := range g.c.Uses(r.Pkg.Info.Defs[id]) {
			if u.Pkg.Info.Defs[u.Ident] == nil && !g.notes(place{u.File, u.Pkg}, u.Ident) {
				return false
			}
		}
		return true
	}
	return g.notes(r.place(), r.Expr)
}

// notes reports whether an expression is what a method is called on for its effect alone.
func (g *gather) notes(at place, e ast.Expr) bool {
	parent, child := g.c.Outer(at.file, e)
	sel, ok := parent.(*ast.SelectorExpr)
	if !ok || ast.Node(sel.X) != child {
		return false
	}
	call, ok := g.c.Parent(at.file, sel).(*ast.CallExpr)
	if !ok || ast.Unparen(call.Fun) != ast.Expr(sel) {
		return false
	}
	tuple, isTuple := at.pkg.Info.TypeOf(call).(*types.Tuple)
	_, stmt := g.c.Parent(at.file, call).(*ast.ExprStmt)
	return stmt && isTuple && tuple.Len() == 0
}

// chained returns the writers outside of tests whose value comes to a reader by static calls.
func (g *gather) chained() []*rules.ValueWrite {
	list := slices.DeleteFunc(slices.Clone(g.in.Writes), func(w *rules.ValueWrite) bool { return w.File.Test })
	slices.SortFunc(list, func(a, b *rules.ValueWrite) int {
		return g.compare(&stop{pos: a.Call.Pos()}, &stop{pos: b.Call.Pos()})
	})
	return list
}

// meantToCross reports whether the value is stored to cross code that only contexts cross, a server or a framework: some place
// outside of tests stores it for nobody whom static calls reach, and contexts come to readers from such code.
func (g *gather) meantToCross(chained []*rules.ValueWrite) bool {
	if !slices.ContainsFunc(g.stops, func(s *stopAt) bool { return s.crosses && !s.test() }) {
		return false
	}
	for _, site := range g.t.writes {
		if !site.File.Test && !slices.ContainsFunc(chained, func(w *rules.ValueWrite) bool { return w.Site == site }) {
			return true
		}
	}
	return false
}

// message says what travels from where to where, and why it should not.
func (g *gather) message(w *rules.ValueWrite, need *reader) string {
	what := census.TypeText(g.stored)
	if isBasic(g.stored) {
		what += " under key " + short(g.in.Key)
	}
	from := "the package"
	if f := top(w.Func); f != nil {
		from = f.Name
	}
	readers, before := g.reach(w)
	if best := g.best(readers); best != nil {
		need = best
	}
	why := "is steered by it"
	switch need.lack {
	case panics:
		why = "panics without it"
	case fails:
		why = "fails without it"
	}
	reader := top(need.Func)
	if reader == nil || from == reader.Name && need.From.Write == w {
		return fmt.Sprintf("%s stores %s in a context and reads it back, and %s", from, what, why)
	}
	through := ""
	for f := before[reader]; f != nil; f = before[f] {
		if through == "" {
			through = " through " + f.Name
		} else {
			through = " through " + f.Name + " and more"
		}
	}
	return fmt.Sprintf("%s travels in a context from %s to %s%s, which %s: no signature says so", what, from, reader.Name, through, why)
}

// short writes a key without the directories of its package.
func short(k *census.Key) string {
	name, rest := k.Spelled(), ""
	if i := strings.IndexAny(name, "(\"{"); i >= 0 {
		name, rest = name[:i], name[i:]
	}
	return name[strings.LastIndexByte(name, '/')+1:] + rest
}

// reach follows the value from a writer down to its readers; before says by whom each function was found.
func (g *gather) reach(w *rules.ValueWrite) (readers []*reader, before map[*callgraph.Func]*callgraph.Func) {
	before = map[*callgraph.Func]*callgraph.Func{}
	reached := map[*callgraph.Func]bool{}
	var order []*callgraph.Func
	enter := func(f, from *callgraph.Func) {
		class := []*callgraph.Func{f}
		for i := 0; i < len(class); i++ {
			m := class[i]
			if _, target := g.targets[m]; !target || reached[m] {
				continue
			}
			reached[m], before[m] = true, from
			order = append(order, m)
			for _, l := range m.Links {
				class = append(class, l.To)
			}
		}
	}
	for i := -1; i < len(order); i++ {
		for _, p := range g.in.Passes {
			if i < 0 && p.From.Write == w {
				enter(p.Call.Callees[0], nil)
			}
			if i >= 0 && p.From.Func == order[i] {
				enter(p.Call.Callees[0], order[i])
			}
		}
	}
	for _, r := range g.readers {
		if r.From.Write == w || reached[r.From.Func] {
			readers = append(readers, r)
		}
	}
	return readers, before
}

// top returns the declaration around a function literal.
func top(f *callgraph.Func) *callgraph.Func {
	for f != nil && f.Kind == callgraph.Literal && f.Outer != nil {
		f = f.Outer
	}
	return f
}

// relate names the reads, and the calls in between.
func (g *gather) relate(f *rules.Finding) {
	var list []rules.Related
	for _, p := range g.in.Passes {
		if !p.Call.File.Test {
			list = append(list, rules.Related{File: p.Call.File, Pos: p.Call.Expr.Pos(), Message: "passed on to " + p.Call.Callees[0].Name})
		}
	}
	for _, r := range g.in.Reads {
		if !r.File.Test {
			list = append(list, rules.Related{File: r.File, Pos: r.Expr.Pos(), Message: "read here"})
		}
	}
	slices.SortStableFunc(list, func(a, b rules.Related) int { return g.compare(&stop{pos: a.Pos}, &stop{pos: b.Pos}) })
	f.Related = slices.CompactFunc(list, func(a, b rules.Related) bool { return a.Pos == b.Pos })
}

// blocker says what stands in the way of a parameter: the key is used by others, or a reader is reached otherwise.
func (g *gather) blocker() *rules.Blocker {
	k := g.in.Key
	if k.Family != nil && len(k.Family.Keys) > 1 {
		return &rules.Blocker{Reason: "forwarder", Message: "the key is handed on together with others", File: k.Sites[0].File, Pos: k.Sites[0].Expr.Pos()}
	}
	for _, role := range []census.Role{census.Writer, census.Reader} {
		if h := g.c.Elsewhere(k, role); h != nil {
			return &rules.Blocker{Reason: h.Reason, Message: h.Message, File: h.File, Pos: h.Pos, Where: h.Where}
		}
	}
	for _, call := range g.sortedUnclear() {
		f := g.c.Program.FileOf(call.Pos())
		return &rules.Blocker{Reason: "forwarder", Message: "the value is stored by a function that is handed the key", File: f, Pos: call.Pos()}
	}
	if len(g.stops) > 0 {
		s := g.stops[0]
		message := s.message
		if way := g.way(top(s.in)); strings.Contains(way, " -> ") {
			message += "; the way is " + way
		}
		return &rules.Blocker{Reason: s.reason, Message: message, File: s.file, Pos: s.pos}
	}
	return g.settleType()
}

func (g *gather) sortedUnclear() []*ast.CallExpr {
	var list []*ast.CallExpr
	for _, s := range g.in.Key.Sites {
		if s.Lookup.Call != nil && g.t.unclear[s.Lookup.Call] {
			list = append(list, s.Lookup.Call)
		}
	}
	return list
}

// settleType decides the parameter's type: what all readers expect.
func (g *gather) settleType() *rules.Blocker {
	var typ types.Type
	for _, r := range g.readers {
		at := func(reason, message string) *rules.Blocker {
			return &rules.Blocker{Reason: reason, Message: message, File: r.File, Pos: r.Expr.Pos()}
		}
		if r.typ == nil {
			continue
		}
		if typ == nil {
			typ = r.typ
		}
		switch {
		case !same(r.typ, typ):
			return at("type", "readers expect different types of the value")
		case types.IsInterface(g.stored) && !same(r.typ, g.stored):
			return at("type", "the type of the value is told when the program runs")
		case types.IsInterface(g.stored) && (r.Second != "" || r.lack != panics):
			return at("type", "the value is an interface, and whether it is nil is asked here")
		case !types.AssignableTo(g.stored, r.typ) && !same(g.stored, r.typ):
			return at("type", fmt.Sprintf("%s is expected here, which %s is not", census.TypeText(r.typ), census.TypeText(g.stored)))
		}
	}
	if typ == nil {
		typ = g.stored
	}
	g.in.Type = typ
	return nil
}
