// Package supply knows from where a function could get a context: what is at hand where it is called, and whether
// its callers could ask their own callers for one. It puts the call graph and the flow of contexts together.
package supply

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
)

// A Supply answers for one program. It is not safe for concurrent use.
type Supply struct {
	Calls *callgraph.Graph
	Flow  *flow.Flow
	// Asking are the functions that would rather take a context than make one, as they do: what they make is no better
	// than none.
	Asking map[*callgraph.Func]bool
	census *census.Census
	here   map[*callgraph.Func]bool
	at     map[*callgraph.Call]supplied
}

type supplied struct {
	source, beyond *flow.Source
	ended          bool
	// shared is set for a call whose result is kept for all that come later.
	shared bool
}

// New returns the supply of a program.
func New(calls *callgraph.Graph, f *flow.Flow, c *census.Census) *Supply {
	return &Supply{calls, f, map[*callgraph.Func]bool{}, c, map[*callgraph.Func]bool{}, map[*callgraph.Call]supplied{}}
}

// Source returns the context that a call has at hand: one in scope that has not ended, which no function literal
// captures that may run later. It is nil for none.
func (s *Supply) Source(call *callgraph.Call) *flow.Source {
	s.look(call)
	return s.at[call].source
}

// Lacks reports whether a call has no context at hand but one that its function makes for want of a better one.
func (s *Supply) Lacks(call *callgraph.Call) bool {
	source := s.Source(call)
	return source == nil || source.Born && source.Kind == flow.Local && s.Asking[s.Owner(call.In)]
}

// Beyond returns the context that a call in a goroutine could have from around the go statement: the goroutine may go on when
// that context has ended. It is nil for none.
func (s *Supply) Beyond(call *callgraph.Call) *flow.Source {
	s.look(call)
	return s.at[call].beyond
}

// Ended reports whether a call is reached when a context in scope may have ended: such code cleans up, and must not depend
// on its caller's context either.
func (s *Supply) Ended(call *callgraph.Call) bool {
	s.look(call)
	return s.at[call].ended
}

// shared reports whether what a call makes is kept for all that come later: it must not end with the one who came first.
func (s *Supply) shared(call *callgraph.Call) bool {
	s.look(call)
	return s.at[call].shared
}

func (s *Supply) look(call *callgraph.Call) {
	if _, known := s.at[call]; known {
		return
	}
	var found supplied
	if p := s.Flow.Package(call.File); p != nil && s.Flow.Memoized(p, call.File, call.Expr) {
		found.shared = true
		s.at[call] = found
		return
	}
	for _, source := range s.Flow.All(call.File, call.Expr.Pos()) {
		switch {
		case source.Ended == flow.MayChange: // it is no sign of an end
		case source.Ended != "":
			found.ended = true
		case found.source == nil && s.now(source.Through):
			found.source = source
		case found.beyond == nil && s.nowOrSpawned(source.Through):
			found.beyond = source
		}
	}
	s.at[call] = found
}

// Live reports whether a context comes from elsewhere, so that it may be cancelled or carry values: it was not made
// from nothing in the same function, and is not that of a test.
func Live(source *flow.Source) bool { return !source.Born && source.Kind != flow.Test }

// now reports whether function literals run where they are written.
func (s *Supply) now(lits []*ast.FuncLit) bool {
	return !slices.ContainsFunc(lits, func(lit *ast.FuncLit) bool {
		f := s.Calls.FuncAt(lit.Type)
		return f == nil || !s.RunsHere(f)
	})
}

// nowOrSpawned reports whether function literals run where they are written, or are started by a go statement there.
func (s *Supply) nowOrSpawned(lits []*ast.FuncLit) bool {
	return !slices.ContainsFunc(lits, func(lit *ast.FuncLit) bool {
		f := s.Calls.FuncAt(lit.Type)
		return f == nil || !s.RunsHere(f) && !s.Spawned(f)
	})
}

// RunsHere reports whether a function literal runs while the function around it does, as far as can be told: it is called
// on the spot, handed to a call that is sure to call it before it returns, or held by a variable that is only
// called there.
func (s *Supply) RunsHere(f *callgraph.Func) bool {
	if f.Lit == nil {
		return false
	}
	r, known := s.here[f]
	if !known {
		s.here[f] = false // a literal that calls itself
		r = s.runsHere(f)
		s.here[f] = r
	}
	return r
}

func (s *Supply) runsHere(f *callgraph.Func) bool {
	parent, child := s.census.Outer(f.File, f.Lit)
	switch n := parent.(type) {
	case *ast.CallExpr:
		switch by := s.census.Parent(f.File, n).(type) {
		case *ast.GoStmt:
			if by.Call == n {
				return false
			}
		case *ast.DeferStmt:
			if by.Call == n {
				return false
			}
		}
		return ast.Node(n.Fun) == child || s.callsBack(f, n, child)
	case *ast.AssignStmt:
		for i, rhs := range n.Rhs {
			if ast.Node(rhs) == child && i < len(n.Lhs) {
				id, ok := n.Lhs[i].(*ast.Ident)
				return ok && s.onlyCalled(f, id)
			}
		}
	case *ast.ValueSpec:
		for i, rhs := range n.Values {
			if ast.Node(rhs) == child && i < len(n.Names) {
				return s.onlyCalled(f, n.Names[i])
			}
		}
	}
	return false
}

// callsBack reports whether a call is sure to call the literal among its arguments before it returns: a function of the
// world that only calls its parameter, or one that returns what the literal returns.
func (s *Supply) callsBack(f *callgraph.Func, n *ast.CallExpr, arg ast.Node) bool {
	if call := s.Calls.CallAt(n); call != nil && len(call.Callees) == 1 && call.Callees[0].Decl != nil && !call.ByMethod {
		for i, a := range n.Args {
			if ast.Node(a) == arg {
				return s.onlyCallsParam(call.Callees[0], i)
			}
		}
	}
	sig, ok := f.Pkg.Info.TypeOf(f.Lit).(*types.Signature)
	if !ok || sig.Results().Len() == 0 {
		return false
	}
	var have types.Type = sig.Results()
	if sig.Results().Len() == 1 {
		have = sig.Results().At(0).Type()
	}
	got := f.Pkg.Info.TypeOf(n)
	return got != nil && types.Identical(have, got)
}

// onlyCallsParam reports whether a function does nothing with one of its parameters but call it.
func (s *Supply) onlyCallsParam(f *callgraph.Func, i int) bool {
	var id *ast.Ident
	n := 0
	for _, field := range f.Type.Params.List {
		if _, variadic := field.Type.(*ast.Ellipsis); variadic {
			return false
		}
		for _, name := range field.Names {
			if n == i {
				id = name
			}
			n++
		}
	}
	if id == nil || f.Body() == nil {
		return false
	}
	v, ok := f.Pkg.Info.Defs[id].(*types.Var)
	return ok && s.uses(v, id, f)
}

// onlyCalled reports whether a variable that holds a literal is only called, by the function around it.
func (s *Supply) onlyCalled(f *callgraph.Func, id *ast.Ident) bool {
	v, ok := f.Pkg.Info.ObjectOf(id).(*types.Var)
	if !ok || f.Outer == nil || len(f.Links) > 0 || len(f.Fixed) > 0 || v.Parent() == v.Pkg().Scope() {
		return false
	}
	return s.uses(v, id, f.Outer)
}

// uses reports whether all uses of a variable, its definition apart, are calls of it by a function.
func (s *Supply) uses(v *types.Var, def *ast.Ident, by *callgraph.Func) bool {
	for _, u := range s.census.Uses(v) {
		if u.Ident == def {
			continue
		}
		expr, ok := s.census.Parent(u.File, u.Ident).(*ast.CallExpr)
		if !ok || expr.Fun != ast.Expr(u.Ident) {
			return false
		}
		if call := s.Calls.CallAt(expr); call == nil || call.Go || call.Defer || !s.within(call.In, by) {
			return false
		}
	}
	return true
}

// within reports whether a function is another one or, as a literal that runs there, part of it.
func (s *Supply) within(in, outer *callgraph.Func) bool {
	for in != nil && in != outer && s.RunsHere(in) {
		in = in.Outer
	}
	return in == outer
}

// Owner returns the function to which code in another one belongs: literals that run where they are written belong to the
// function around them.
func (s *Supply) Owner(f *callgraph.Func) *callgraph.Func {
	for f != nil && s.RunsHere(f) {
		f = f.Outer
	}
	return f
}

// Asker returns the function that could ask its callers for the context that a call lacks: the owner of the call. It
// is nil where there is none: at package level, in a goroutine, in deferred code, in a function that the run-time system
// calls, where there is a context that may have ended, and where what the call makes is kept for others.
func (s *Supply) Asker(call *callgraph.Call) *callgraph.Func {
	if call.Go || call.Defer || s.Ended(call) || s.shared(call) {
		return nil
	}
	f := s.Owner(call.In)
	if f == nil || f.EntryPoint() || s.Spawned(f) || s.deferred(f) || TakesContext(f) {
		return nil
	}
	return f
}

// Spawned reports whether a function is a literal that a go statement starts.
func (s *Supply) Spawned(f *callgraph.Func) bool {
	if f.Lit == nil {
		return false
	}
	call, ok := s.census.Parent(f.File, f.Lit).(*ast.CallExpr)
	if !ok || call.Fun != ast.Expr(f.Lit) {
		return false
	}
	_, ok = s.census.Parent(f.File, call).(*ast.GoStmt)
	return ok
}

// deferred reports whether a function is a literal that a defer statement calls.
func (s *Supply) deferred(f *callgraph.Func) bool {
	if f.Lit == nil {
		return false
	}
	call, ok := s.census.Parent(f.File, f.Lit).(*ast.CallExpr)
	if !ok {
		return false
	}
	_, ok = s.census.Parent(f.File, call).(*ast.DeferStmt)
	return ok
}

// TakesContext reports whether a function has a parameter of type context.Context.
func TakesContext(f *callgraph.Func) bool {
	if f.Signature == nil {
		return false
	}
	for v := range f.Signature.Params().Variables() {
		if flow.IsContext(v.Type()) {
			return true
		}
	}
	return false
}

// A Step is one call on the way from a context to the function that needs it.
type Step struct {
	Call *callgraph.Call
	// To is what the call calls, as it names it.
	To *callgraph.Func
	// Source is the context at hand, for the first call of a route.
	Source *flow.Source
}

// Together tells which functions change with one, none when it cannot change. With named set, only calls that name it can
// pass what it gets.
type Together func(*callgraph.Func) (list []*callgraph.Func, named bool)

// Tied returns the functions of the program that change with one, whatever stands in the way: a Together.
func Tied(f *callgraph.Func) ([]*callgraph.Func, bool) {
	list := []*callgraph.Func{f}
	for i := 0; i < len(list); i++ {
		for _, l := range list[i].Links {
			if l.To.Kind != callgraph.Foreign && !slices.Contains(list, l.To) {
				list = append(list, l.To)
			}
		}
	}
	return list, false
}

// A stretch is the rest of a way from a step on. Ways that end alike share it.
type stretch struct {
	step Step
	rest *stretch
}

func (s *stretch) steps() (list []Step) {
	for ; s != nil; s = s.rest {
		list = append(list, s.step)
	}
	return list
}

// Route returns the shortest way from a call that has a live context at hand down to a function; nil for none. The calls in
// starts give a context to the goroutine they start, or belong to.
func (s *Supply) Route(f *callgraph.Func, together Together, starts map[*callgraph.Call]*Start) []Step {
	type way struct {
		f    *callgraph.Func
		rest *stretch
	}
	seen := map[*callgraph.Func]bool{}
	todo := []way{{f, nil}}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		if seen[at.f] {
			continue
		}
		seen[at.f] = true
		list, named := together(at.f)
		for _, m := range list {
			if m != at.f && m.Kind != callgraph.Declared {
				if seen[m] {
					continue
				}
				seen[m] = true
			}
			for _, call := range m.Calls {
				if call.Defer || named && !call.Named || call.Beside(at.f) {
					continue
				}
				step := Step{call, m, s.Source(call)}
				if start := starts[call]; start != nil {
					step.Source = start.Source
					return (&stretch{step, at.rest}).steps()
				}
				if call.Go {
					continue
				}
				route := &stretch{step, at.rest}
				switch caller := s.AskerOr(call, starts); {
				case step.Source != nil && Live(step.Source) && !call.File.Test:
					return route.steps()
				case s.Lacks(call) && caller != nil && !seen[caller]:
					todo = append(todo, way{caller, route})
				}
			}
		}
	}
	return nil
}
