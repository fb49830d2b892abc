package missingparam

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

//go:embed doc.go
var doc string

// Rule reports functions that make a fresh context although callers of theirs have one.
var Rule = &rules.Rule{
	Name:    "missingparam",
	Doc:     doc,
	Default: true,
	Levels:  []rules.Applicability{rules.Review},
	Run:     run,
}

func run(pass *rules.Pass) []*rules.Finding {
	births := birthsIn(pass)
	if len(births) == 0 {
		return nil // nobody has to know who calls whom
	}
	w := &witness{
		pass: pass, supply: pass.Supply(), targets: map[*callgraph.Func]*rules.AddParam{},
		escaping: map[*types.Var]bool{}, mattering: map[*types.Var]bool{}, minorOf: map[*callgraph.Func]*rules.ParamTarget{},
		keeping: map[*callgraph.Func]bool{},
	}
	var candidates []*birth
	for _, b := range births {
		if w.judge(b) {
			candidates = append(candidates, b)
		}
	}
	var found []*rules.Finding
	for _, b := range candidates {
		if route := w.supply.Route(b.owner, w.together); route != nil {
			if f := w.finding(b, route); f != nil {
				found = append(found, f)
			}
		}
	}
	for _, in := range w.targets {
		in.Also = w.minor
	}
	return found
}

// A birth is a call that makes a context from nothing.
type birth struct {
	file *program.File
	pkg  *program.Package
	call *ast.CallExpr
	// owner is the function that would take a context instead.
	owner *callgraph.Func
}

// birthsIn finds the fresh contexts outside of tests.
func birthsIn(pass *rules.Pass) []*birth {
	var list []*birth
	for _, file := range pass.Program.Files {
		pkg := pass.Flow().Package(file)
		if file.AST == nil || pkg == nil || file.Test {
			continue
		}
		ast.Inspect(file.AST, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && flow.Fresh(pkg, call) {
				list = append(list, &birth{file: file, pkg: pkg, call: call})
			}
			return true
		})
	}
	return list
}

// A witness judges fresh contexts.
type witness struct {
	pass    *rules.Pass
	supply  *supply.Supply
	targets map[*callgraph.Func]*rules.AddParam
	// escaping caches which parameters keep a context for later.
	escaping map[*types.Var]bool
	// mattering caches for which variables it makes a difference what context they hold.
	mattering map[*types.Var]bool
	// minor are the fresh contexts that do not matter to the work; with a context at hand they would be as useless.
	minorOf map[*callgraph.Func]*rules.ParamTarget
	minor   []*rules.ParamTarget
	// keeping are the functions that make a context to be kept.
	keeping map[*callgraph.Func]bool
}

// judge reports whether a fresh context is one that a caller's should replace, if there is one. It notes who would rather
// take a context than make it.
func (w *witness) judge(b *birth) bool {
	f := w.supply.Owner(w.supply.Calls.Enclosing(b.file, b.call.Pos()))
	if f == nil || f.Decl == nil || f.EntryPoint() || supply.TakesContext(f) || w.passesOn(f, b.call) || hasTwin(f) || w.cleansUp(f) {
		return false
	}
	for _, s := range w.pass.Flow().All(b.file, b.call.Pos()) {
		if !s.Born {
			return false // there is a context at hand, or one that has ended
		}
	}
	if w.inside(b.file, b.call, isDeferOrGo) {
		return false
	}
	b.owner = f
	if w.keeps(b.file, b.pkg, b.call) {
		w.supply.Asking[f], w.keeping[f] = false, true
		return false
	}
	w.supply.Asking[f] = !w.keeping[f]
	if !w.matters(b.file, b.pkg, b.call) {
		w.noteMinor(f, b.call)
		return false
	}
	return true
}

// noteMinor notes a fresh context that is no finding, to be replaced if its function gets a parameter anyway.
func (w *witness) noteMinor(f *callgraph.Func, born *ast.CallExpr) {
	t := w.minorOf[f]
	if t == nil {
		t = &rules.ParamTarget{Func: f}
		w.minorOf[f] = t
		w.minor = append(w.minor, t)
	}
	t.Uses = append(t.Uses, born)
}

// together returns what changes with a function, whatever stands in the way of it.
func (w *witness) together(f *callgraph.Func) ([]*callgraph.Func, bool) {
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

func (w *witness) finding(b *birth, route []supply.Step) *rules.Finding {
	file, born, f := b.file, b.call, b.owner
	name := census.Callee(f.Pkg.Info, born)
	if name == nil {
		return nil
	}
	in := w.targets[f]
	if in == nil {
		in = &rules.AddParam{
			Supply:  w.supply,
			Targets: []*rules.ParamTarget{{Func: f, Born: name.Name()}},
			Param:   rules.Param{Name: "ctx"},
		}
		w.targets[f] = in
	}
	in.Targets[0].Uses = append(in.Targets[0].Uses, born)
	first := route[0]
	caller := "a caller"
	if first.Call.In != nil {
		caller = first.Call.In.Name
	}
	how := "calls it"
	if len(route) > 1 {
		how = fmt.Sprintf("reaches it through %s", first.To.Name)
	}
	message := fmt.Sprintf("%s starts from context.%s, although %s has %s and %s: cancellation and values end here", f.Name, name.Name(), caller, first.Source.Text, how)
	finding := &rules.Finding{
		Rule: "missingparam", Message: message, File: file, Pos: born.Pos(), End: born.End(), Applicability: rules.Review,
		Fix: &rules.Fix{Title: "take ctx as a parameter", Applicability: rules.Review, Intent: in},
	}
	for i, step := range route {
		what := step.To.Name + " is called here"
		if i == 0 {
			what = fmt.Sprintf("%s is called here with %s at hand", step.To.Name, step.Source.Text)
		}
		finding.Related = append(finding.Related, rules.Related{File: step.Call.File, Pos: step.Call.Expr.Pos(), Message: what})
	}
	return finding
}

// passesOn reports whether a function does nothing but call another one with a fresh context and what it was given itself: a
// good shape, that of Query beside QueryContext.
func (w *witness) passesOn(f *callgraph.Func, born *ast.CallExpr) bool {
	if len(f.Decl.Body.List) != 1 {
		return false
	}
	var call *ast.CallExpr
	switch s := f.Decl.Body.List[0].(type) {
	case *ast.ReturnStmt:
		if len(s.Results) == 1 {
			call, _ = ast.Unparen(s.Results[0]).(*ast.CallExpr)
		}
	case *ast.ExprStmt:
		call, _ = s.X.(*ast.CallExpr)
	}
	if call == nil || !slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return ast.Unparen(a) == ast.Expr(born) }) {
		return false
	}
	params := map[types.Object]bool{}
	for v := range f.Signature.Params().Variables() {
		params[v] = true
	}
	for _, a := range call.Args {
		if ast.Unparen(a) == ast.Expr(born) {
			continue
		}
		id, ok := ast.Unparen(a).(*ast.Ident)
		if !ok || !params[f.Pkg.Info.Uses[id]] {
			return false
		}
		delete(params, f.Pkg.Info.Uses[id])
	}
	return len(params) == 0 && w.sameReceiver(f, call) && related(f, call)
}

// hasTwin reports whether a function that takes a context, Exec beside ExecContext, stands beside one: whoever calls this one has
// chosen to.
func hasTwin(f *callgraph.Func) bool {
	for _, suffix := range []string{"Context", "Ctx", "WithContext"} {
		name := f.Object.Name() + suffix
		obj := f.Pkg.Types.Scope().Lookup(name)
		if recv := f.Signature.Recv(); recv != nil {
			obj, _, _ = types.LookupFieldOrMethod(recv.Type(), true, f.Pkg.Types, name)
		}
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Params().Len() > 0 && flow.IsContext(fn.Signature().Params().At(0).Type()) {
			return true
		}
	}
	return false
}

// related reports whether the name of what is called contains that of the function: QueryContext, doQuery.
func related(f *callgraph.Func, call *ast.CallExpr) bool {
	fn := census.Callee(f.Pkg.Info, call)
	return fn != nil && strings.Contains(strings.ToLower(fn.Name()), strings.ToLower(f.Decl.Name.Name))
}

// sameReceiver reports whether a call calls a function, or a method of the receiver.
func (w *witness) sameReceiver(f *callgraph.Func, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || f.Pkg.Info.Selections[sel] == nil {
		return true
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	return ok && f.Signature.Recv() != nil && f.Pkg.Info.Uses[id] == types.Object(f.Signature.Recv())
}

// cleansUp reports whether a function is called to clean up: by a defer statement, in deferred code, or where the context of the
// caller may have ended. Such code needs a context of its own.
func (w *witness) cleansUp(f *callgraph.Func) bool {
	list, _ := w.together(f)
	for _, m := range list {
		for _, call := range m.Calls {
			if !call.File.Test && (call.Defer || w.supply.Ended(call) || w.inside(call.File, call.Expr, isDefer)) {
				return true
			}
		}
	}
	return false
}

// inside reports whether a node lies in a statement of a kind, in the same declaration.
func (w *witness) inside(file *program.File, n ast.Node, kind func(ast.Node) bool) bool {
	for p := w.pass.Census.Parent(file, n); p != nil; p = w.pass.Census.Parent(file, p) {
		if kind(p) {
			return true
		}
	}
	return false
}

func isDefer(n ast.Node) bool {
	_, ok := n.(*ast.DeferStmt)
	return ok
}

func isDeferOrGo(n ast.Node) bool {
	_, isGo := n.(*ast.GoStmt)
	return isGo || isDefer(n)
}
