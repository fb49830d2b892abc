package missingparam

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
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
	Alone:   alone,
	Default: true,
	Levels:  []rules.Applicability{rules.Review},
	Run:     run,
}

// alone reports whether all callers of the functions concerned are in their package.
func alone(_ *rules.Pass, f *rules.Finding) bool {
	if f.Fix == nil {
		return false
	}
	in, ok := f.Fix.Intent.(*rules.AddParam)
	return ok && !slices.ContainsFunc(in.Targets, func(t *rules.ParamTarget) bool {
		return t.Func.Object != nil && t.Func.Object.Exported()
	})
}

func run(pass *rules.Pass) []*rules.Finding {
	births := birthsIn(pass)
	if len(births) == 0 {
		return nil // nobody has to know who calls whom
	}
	w := &witness{
		pass: pass, supply: pass.Supply(), targets: map[*callgraph.Func]*rules.AddParam{},
		escaping: map[*types.Var]bool{}, mattering: map[*types.Var]bool{}, minorOf: map[*callgraph.Func]*rules.ParamTarget{},
		keeping: map[*callgraph.Func]bool{}, returning: map[*callgraph.Func]bool{},
	}
	var candidates []*birth
	for _, b := range births {
		if w.judge(b) {
			candidates = append(candidates, b)
		}
	}
	var found []*rules.Finding
	for _, b := range candidates {
		if route := w.supply.Route(b.owner, supply.Tied, nil); route != nil {
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
			if call, ok := n.(*ast.CallExpr); ok && pass.Flow().Fresh(pkg, call) {
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
	// returning are the functions whose callers are being looked at.
	returning map[*callgraph.Func]bool
}

// judge reports whether a fresh context is one that a caller's should replace, if there is one. It notes who would rather
// take a context than make it.
func (w *witness) judge(b *birth) bool {
	f := w.supply.Owner(w.supply.Calls.Enclosing(b.file, b.call.Pos()))
	if f == nil || f.Decl == nil || f.Object == nil || f.EntryPoint() || supply.TakesContext(f) || supply.PassesOn(f, b.call) || supply.HasTwin(f) || w.supply.CleansUp(f) {
		return false
	}
	for _, s := range w.pass.Flow().All(b.file, b.call.Pos()) {
		if !s.Born {
			return false // there is a context at hand, or one that has ended
		}
	}
	if w.supply.Inside(b.file, b.call, isDeferOrGo) || w.pass.Flow().OnPurpose(b.file, b.call.Pos()) || w.ends(b) || w.persists(b) || w.pass.Flow().Memoized(b.pkg, b.file, b.call) ||
		w.pass.Flow().Expected(&flow.Birth{Pkg: b.pkg, File: b.file, Call: b.call}) {
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

// ends reports whether a fresh context is for a call that ends or takes back something: the shutdown of a server, for example, has
// a time of its own; or for one that must have been done where the code goes on.
func (w *witness) ends(b *birth) bool {
	return slices.ContainsFunc(w.pass.Flow().Fates(b.pkg, b.file, b.call), func(fate flow.Fate) bool {
		return fate.Call != nil && (flow.CleansUp(fate.Call) || w.pass.Flow().ReliedOn(b.pkg, b.file, fate.Call))
	})
}

// persists reports whether a fresh context is for a call that is repeated until it succeeds.
func (w *witness) persists(b *birth) bool {
	return slices.ContainsFunc(w.pass.Flow().Fates(b.pkg, b.file, b.call), func(fate flow.Fate) bool {
		return fate.Call != nil && w.pass.Flow().Persists(b.pkg, b.file, fate.Call)
	})
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

func (w *witness) finding(b *birth, route []supply.Step) *rules.Finding {
	file, born, f := b.file, b.call, b.owner
	name := flow.BornBy(b.pkg, born)
	in := w.targets[f]
	if in == nil {
		in = &rules.AddParam{
			Supply:  w.supply,
			Targets: []*rules.ParamTarget{{Func: f, Born: flow.Born(b.pkg, born)}},
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
	message := fmt.Sprintf("%s starts from %s, although %s has %s and %s: cancellation and values end here", f.Name, name, caller, first.Source.Text, how)
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

func isDeferOrGo(n ast.Node) bool {
	switch n.(type) {
	case *ast.GoStmt, *ast.DeferStmt:
		return true
	}
	return false
}
