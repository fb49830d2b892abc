package freshctx

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
)

//go:embed doc.go
var doc string

const name = "freshctx"

// Rule reports contexts made from nothing where one is in scope.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Review}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	f := &finder{pass: pass, flow: pass.Flow(), census: pass.Census, shared: map[token.Pos]*rules.Finding{}}
	for _, b := range f.flow.Births() {
		f.birth(b)
	}
	return f.list
}

// A finder collects findings.
type finder struct {
	pass   *rules.Pass
	flow   *flow.Flow
	census *census.Census
	// shared holds findings that later places join: those of one test, and those that need a name for one parameter. It is
	// keyed by the place of the variable.
	shared map[token.Pos]*rules.Finding
	list   []*rules.Finding
}

// birth judges one context made from nothing.
func (f *finder) birth(b *flow.Birth) {
	src := f.source(b)
	if src == nil || f.flow.OnPurpose(b.File, b.Call.Pos()) || f.flow.Memoizes(b.Pkg, b.File, b.Call.Pos()) || f.flow.Expected(b) {
		return
	}
	if f.flow.Swapped(b) {
		return
	}
	fates := f.flow.Fates(b.Pkg, b.File, b.Call)
	if f.overwrites(b, src) {
		fates = f.behind(b, src)
	}
	used := f.users(b, src, fates)
	if len(used) == 0 {
		return
	}
	f.report(b, src, used)
}

// overwrites reports whether a function puts a fresh context in the place of the one that it is given, whatever that is: by a
// statement of its own body that no comment explains.
func (f *finder) overwrites(b *flow.Birth, src *flow.Source) bool {
	as, ok := f.census.Parent(b.File, b.Call).(*ast.AssignStmt)
	if !ok || as.Tok != token.ASSIGN || len(as.Lhs) != 1 || f.flow.Comment(b.File, as.Pos()) != "" || src.Kind != flow.Parameter || src.Unnamed != nil {
		return false
	}
	id, ok := as.Lhs[0].(*ast.Ident)
	if !ok || b.Pkg.Info.Uses[id] != src.Var {
		return false
	}
	switch fn := f.census.Parent(b.File, f.census.Parent(b.File, as)).(type) {
	case *ast.FuncDecl, *ast.FuncLit:
		return f.flow.Function(b.File, src.Var) == fn
	}
	return false
}

// behind tells what becomes of a parameter behind the statement that puts a fresh context in its place.
func (f *finder) behind(b *flow.Birth, src *flow.Source) []flow.Fate {
	return slices.DeleteFunc(f.flow.FatesOf(b.Pkg, b.File, src.Var), func(fate flow.Fate) bool { return fate.Pos < b.Call.End() })
}

// source returns the context that should have been used, nil when there is none: nothing is in scope, or what is may
// have ended, or the place runs on another goroutine or at some other time.
func (f *finder) source(b *flow.Birth) *flow.Source {
	for _, s := range f.flow.At(b.File, b.Call.Pos()) {
		if s.Born || s.Kind == flow.Field || f.hasCleanup(b, s) || s.Kind == flow.Test && f.flow.RunsAtEnd(b.Pkg, f.flow.Function(b.File, s.Var)) {
			continue
		}
		if !slices.ContainsFunc(s.Through, func(lit *ast.FuncLit) bool { return f.flow.RunOf(b.Pkg, b.File, lit) != flow.InPlace }) {
			return s
		}
	}
	return nil
}

// isSource reports whether an argument is the context in scope.
func (f *finder) isSource(b *flow.Birth, arg ast.Expr, src *flow.Source) bool {
	e := ast.Unparen(arg)
	if asked, ok := e.(*ast.CallExpr); ok { // r.Context()
		e = asked.Fun
	}
	id := flow.Root(e)
	return id != nil && b.Pkg.Info.ObjectOf(id) == src.Var && types.ExprString(ast.Unparen(arg)) == src.Text
}

// hasCleanup reports whether a test, or what it calls, registers functions that run when its context has ended: what they clean up
// may be what the context is for. A context that the function has made of the test's, or is given, may end as early.
func (f *finder) hasCleanup(b *flow.Birth, s *flow.Source) bool {
	found := false
	ast.Inspect(f.flow.Function(b.File, s.Var), func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			fn := census.Callee(b.Pkg.Info, call)
			sel, named := call.Fun.(*ast.SelectorExpr)
			found = found || fn != nil && flow.IsCleanup(fn) || s.Kind == flow.Test && named && sel.Sel.Name == "Cleanup"
		}
		return !found
	})
	return found
}

// users returns the calls that work with the context; none when it serves something that goes on afterwards as well.
func (f *finder) users(b *flow.Birth, src *flow.Source, fates []flow.Fate) []flow.Fate {
	var used []flow.Fate
	for _, fate := range fates {
		if src.Kind == flow.Test {
			fate = fate.InTest()
		}
		if fate.Call != nil && f.flow.RegistersCleanup(b.Pkg, b.File, fate.Call) || f.flow.CutsShort(b.Pkg, b.File, fate, src.Var) {
			return nil
		}
		if src.Kind != flow.Test && fate.Call != nil && (f.flow.Persists(b.Pkg, b.File, fate.Call) || f.flow.Alternates(b.Pkg, b.File, fate.Call, nil)) {
			return nil
		}
		switch fate.Kind {
		case flow.Used, flow.Looked:
			if f.sharedResult(b, fate.Call) || f.flow.Shares(b.Pkg, b.File, fate.Call) || f.flow.ReliedOn(b.Pkg, b.File, fate.Call) || flow.CleansUp(fate.Call) || replaces(b, fate.Call) || f.asksForDefault(b, fate) || src.Kind != flow.Test && f.pass.Supply().Keeps(fate.Call) {
				return nil
			}
			// A context made to carry a value is found where it is looked up; a test has no values to give.
			if fate.Kind == flow.Used || src.Kind != flow.Test && !f.derived(b) {
				used = append(used, fate)
			}
		case flow.Asked:
		case flow.Started:
			if !f.joined(b, src, fate) {
				return nil
			}
			if fate.Call != nil {
				used = append(used, fate)
			}
		default:
			return nil
		}
	}
	return used
}

// joined reports whether a goroutine that gets the context is waited for, and may end when its caller gives up: it is not for
// rule detachedgo, which looks at contexts made for one goroutine, and the function does not ask itself whether the context in
// scope has ended, to let the goroutine finish then, or to end it in another way.
func (f *finder) joined(b *flow.Birth, src *flow.Source, fate flow.Fate) bool {
	if f.flow.Outlives(b.Pkg, b.File, fate) || f.asksForEnd(b, src) {
		return false
	}
	return fate.Call == nil || !within(fate.Call, b.Call) && !f.flow.Shares(b.Pkg, b.File, fate.Call) && !f.flow.ReliedOn(b.Pkg, b.File, fate.Call) && !flow.CleansUp(fate.Call) && !f.pass.Supply().Keeps(fate.Call)
}

func within(outer, inner ast.Node) bool {
	return outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}

// asksForEnd reports whether the function that has a context in scope asks a context that is not made of the fresh one for its
// end, or has something run then; calls a cancel function itself, at a time of its choice; or goes on to call something with the
// context in scope, which may wait for its end: work with a life of its own is then ended in order.
func (f *finder) asksForEnd(b *flow.Birth, src *flow.Source) bool {
	asked := map[token.Pos]bool{}
	for _, fate := range f.flow.Fates(b.Pkg, b.File, b.Call) {
		asked[fate.Pos] = true
	}
	found := false
	ast.Inspect(f.flow.Function(b.File, src.Var), func(n ast.Node) bool {
		if stmt, ok := n.(*ast.ExprStmt); ok && flow.Ends(b.Pkg, stmt.X) {
			found = true
		}
		call, ok := n.(*ast.CallExpr)
		if !ok || found {
			return !found
		}
		if fn := census.Callee(b.Pkg.Info, call); fn != nil && fn.FullName() == "context.AfterFunc" {
			found = true
		}
		if src.Kind != flow.Test && call.Pos() > b.Call.End() && slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return f.isSource(b, arg, src) }) {
			found = true
		}
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" && flow.Implements(b.Pkg.Info.TypeOf(sel.X)) {
			found = found || !asked[sel.X.Pos()] && !asked[sel.Pos()]
		}
		return !found
	})
	return found
}

// derived reports whether a context is made only to derive another one from it, at the same place.
func (f *finder) derived(b *flow.Birth) bool {
	parent, child := f.census.Outer(b.File, b.Call)
	call, ok := parent.(*ast.CallExpr)
	return ok && ast.Node(call.Fun) != child && flow.Implements(b.Pkg.Info.TypeOf(call))
}

// sharedResult reports whether what a call returns is stored where others find it: in a package variable, or in the value the
// method belongs to.
func (f *finder) sharedResult(b *flow.Birth, call *ast.CallExpr) bool {
	parent, child := f.census.Outer(b.File, call)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || !slices.ContainsFunc(as.Rhs, func(e ast.Expr) bool { return ast.Node(e) == child }) {
		return false
	}
	return slices.ContainsFunc(as.Lhs, func(lhs ast.Expr) bool {
		id := flow.Root(lhs)
		if id == nil {
			return false
		}
		v, ok := b.Pkg.Info.ObjectOf(id).(*types.Var)
		return ok && (v.Parent() == b.Pkg.Types.Scope() || v.Kind() == types.RecvVar && ast.Expr(id) != lhs)
	})
}

// asksForDefault reports whether a function from elsewhere is given nothing but the context and cannot fail: it looks something up,
// and what it returns for an empty context, a span that records nothing for example, is what is wanted.
func (f *finder) asksForDefault(b *flow.Birth, fate flow.Fate) bool {
	if fate.Fn == nil || fate.Fn.Signature().Recv() != nil || f.flow.Declares(fate.Fn) || len(fate.Call.Args) != 1 {
		return false
	}
	results := fate.Fn.Signature().Results()
	return results.Len() == 1 && !types.Identical(results.At(0).Type(), types.Universe.Lookup("error").Type())
}

// replaces reports whether a call puts the context in the place of another one: r.WithContext(ctx) returns another r.
func replaces(b *flow.Birth, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	recv, result := b.Pkg.Info.TypeOf(sel.X), b.Pkg.Info.TypeOf(call)
	if recv == nil || result == nil || !types.Identical(recv, result) {
		return false
	}
	set := types.NewMethodSet(result)
	return set.Lookup(nil, "Context") != nil
}

func (f *finder) report(b *flow.Birth, src *flow.Source, used []flow.Fate) {
	place := &rules.ContextPlace{Expr: b.Call, Text: src.Text}
	first := f.shared[src.Var.Pos()]
	if first != nil {
		in := first.Fix.Intent.(*rules.UseContext)
		in.Places = append(in.Places, place)
		if src.Kind == flow.Test {
			first.Related = append(first.Related, rules.Related{File: b.File, Pos: b.Call.Pos(), Message: "made here"})
			return
		}
	}
	fix := &rules.Fix{
		Title:         "pass " + src.Text,
		Applicability: rules.Review,
		Intent:        &rules.UseContext{Rule: name, File: b.File, Pkg: b.Pkg, Source: src, Places: []*rules.ContextPlace{place}},
	}
	if first != nil {
		fix = first.Fix
	}
	finding := &rules.Finding{
		Rule:          name,
		Message:       message(b, src, used),
		File:          b.File,
		Pos:           b.Call.Pos(),
		End:           b.Call.End(),
		Applicability: rules.Review,
		Related:       related(b, used),
		Fix:           fix,
	}
	if first == nil && (src.Kind == flow.Test || src.Unnamed != nil) {
		f.shared[src.Var.Pos()] = finding
	}
	f.list = append(f.list, finding)
}

func message(b *flow.Birth, src *flow.Source, used []flow.Fate) string {
	made := types.ExprString(b.Call)
	if src.Kind == flow.Test {
		return fmt.Sprintf("%s does not end with the %s, %s does: what the %[2]s leaves running goes on beside the next ones", made, src.TestNoun(), src.Text)
	}
	return fmt.Sprintf("%s starts from nothing although %s: %s can be neither cancelled nor given values by the caller", made, src.InScope(), callees(used))
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
		return fmt.Sprintf("%s and %d more calls", names[0], len(names)-1)
	}
	return strings.Join(names, " and ")
}

func related(b *flow.Birth, used []flow.Fate) []rules.Related {
	var list []rules.Related
	for _, u := range used {
		known := slices.ContainsFunc(list, func(r rules.Related) bool { return r.Pos == u.Call.Pos() })
		if u.Call.Pos() > b.Call.Pos() && !known {
			list = append(list, rules.Related{File: b.File, Pos: u.Call.Pos(), Message: "used here"})
		}
	}
	return list
}
