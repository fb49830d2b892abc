package staleparent

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "staleparent"

// Rule reports derived contexts that nothing gets, while their parents are passed on.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	f := &finder{pass: pass, flow: pass.Flow(), census: pass.Census}
	f.flow.EachCall(f.call)
	return f.list
}

// A finder collects findings.
type finder struct {
	pass   *rules.Pass
	flow   *flow.Flow
	census *census.Census
	list   []*rules.Finding
}

// A derivation is a statement that derives a context from another one.
type derivation struct {
	pkg    *program.Package
	file   *program.File
	as     *ast.AssignStmt
	call   *ast.CallExpr
	parent *types.Var
	// text is the parent as it is written.
	text string
	// name is the identifier that gets the derived context.
	name *ast.Ident
}

// call judges a call that derives a context with an end of its own.
func (f *finder) call(pkg *program.Package, file *program.File, call *ast.CallExpr) {
	if !flow.Cancels(pkg, call) || f.flow.OnPurpose(file, call.Pos()) {
		return
	}
	d := f.derivation(pkg, file, call)
	if d == nil {
		return
	}
	if d.name.Name == "_" {
		f.dropped(d)
		return
	}
	v, ok := pkg.Info.Defs[d.name].(*types.Var)
	if !ok {
		return // an assignment: the variable may have another life
	}
	for _, fate := range f.flow.FatesOf(pkg, file, v) {
		if fate.Kind != flow.Asked {
			return
		}
	}
	stale := f.stale(d, v)
	if len(stale) == 0 {
		return
	}
	f.report(d, v, stale)
}

// derivation returns the statement derived, cancel := With...(parent, ...), nil for other calls.
func (f *finder) derivation(pkg *program.Package, file *program.File, call *ast.CallExpr) *derivation {
	parent, child := f.census.Outer(file, call)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Rhs) != 1 || ast.Node(as.Rhs[0]) != child || as.Tok != token.DEFINE {
		return nil
	}
	d := &derivation{pkg: pkg, file: file, as: as, call: call}
	for _, arg := range call.Args {
		if flow.Implements(pkg.Info.TypeOf(arg)) {
			id, ok := ast.Unparen(arg).(*ast.Ident)
			if !ok {
				return nil
			}
			d.parent, _ = pkg.Info.Uses[id].(*types.Var)
			d.text = id.Name
			break
		}
	}
	tuple, ok := pkg.Info.TypeOf(call).(*types.Tuple)
	if !ok || d.parent == nil || d.parent.Parent() == pkg.Types.Scope() || tuple.Len() != len(as.Lhs) {
		return nil
	}
	for i, lhs := range as.Lhs {
		if id, ok := lhs.(*ast.Ident); ok && flow.IsContext(tuple.At(i).Type()) {
			d.name = id
		}
	}
	if d.name == nil || d.name.Name == d.text {
		return nil
	}
	return d
}

// stale returns the places behind the derivation where a call that is made in place gets the parent.
func (f *finder) stale(d *derivation, v *types.Var) []ast.Expr {
	var list []ast.Expr
	for _, u := range f.census.Uses(d.parent) {
		if u.File != d.file || u.Ident.Pos() < d.as.End() || !f.visible(d, v, u.Ident) || f.timed(d, v, u.Ident) || f.watched(d, v, u.Ident) {
			continue
		}
		fates := f.flow.Fates(d.pkg, d.file, u.Ident)
		if len(fates) == 0 || slices.ContainsFunc(fates, func(fate flow.Fate) bool {
			return fate.Kind != flow.Used && fate.Kind != flow.Looked || fate.Call == nil || f.pass.Supply().Keeps(fate.Call) ||
				f.flow.RegistersCleanup(d.pkg, d.file, fate.Call)
		}) {
			continue
		}
		if f.flow.OnPurpose(d.file, u.Ident.Pos()) {
			return nil
		}
		list = append(list, u.Ident)
	}
	return list
}

// visible reports whether the derived context can be used at a place: it is in scope, it has not ended, and the
// place runs where it stands.
func (f *finder) visible(d *derivation, v *types.Var, at *ast.Ident) bool {
	for _, s := range f.flow.At(d.file, at.Pos()) {
		if s.Var == v {
			return !slices.ContainsFunc(s.Through, func(lit *ast.FuncLit) bool {
				run := f.flow.RunOf(d.pkg, d.file, lit)
				return run != flow.InPlace && !(run == flow.Concurrent && f.flow.JoinedWith(d.pkg, d.file, lit, v))
			})
		}
	}
	return false
}

// timed reports whether a place lies in a select statement that waits for the end of the derived context: it is a timer there, which
// says when to stop, and not what to stop.
func (f *finder) timed(d *derivation, v *types.Var, at ast.Node) bool {
	for n := at; n != nil; n = f.census.Parent(d.file, n) {
		s, ok := n.(*ast.SelectStmt)
		if !ok {
			continue
		}
		for _, c := range s.Body.List {
			comm := c.(*ast.CommClause).Comm
			if comm != nil && mentions(d.pkg, comm, v) {
				return true
			}
		}
	}
	return false
}

func mentions(pkg *program.Package, n ast.Node, v *types.Var) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && pkg.Info.Uses[id] == v {
			found = true
		}
		return !found
	})
	return found
}

func (f *finder) report(d *derivation, v *types.Var, stale []ast.Expr) {
	var related []rules.Related
	for _, e := range stale {
		related = append(related, rules.Related{File: d.file, Pos: e.Pos(), Message: "the parent is passed here"})
	}
	f.list = append(f.list, &rules.Finding{
		Rule: name,
		Message: fmt.Sprintf("%s is derived here, and no call gets it: %s is passed on instead, which does not end with it",
			d.name.Name, d.text),
		File: d.file, Pos: d.name.Pos(), End: d.name.End(),
		Applicability: rules.Review,
		Related:       related,
		Fix: &rules.Fix{
			Title:         "pass " + d.name.Name,
			Applicability: rules.Review,
			Intent:        &rules.UseDerived{File: d.file, Name: d.name.Name, At: d.name.Pos(), Parents: stale},
		},
	})
}

// dropped reports a context with an end of its own that nobody can use.
func (f *finder) dropped(d *derivation) {
	tuple := d.pkg.Info.TypeOf(d.call).(*types.Tuple)
	for i := range tuple.Len() {
		if _, isFunc := tuple.At(i).Type().Underlying().(*types.Signature); !isFunc {
			continue
		}
		f.list = append(f.list, &rules.Finding{
			Rule: name,
			Message: fmt.Sprintf("the context that %s derives is dropped: what is done with %s does not end with it",
				flow.Callee(d.call), d.text),
			File: d.file, Pos: d.name.Pos(), End: d.name.End(),
			Applicability: rules.Manual, Status: rules.NoFix,
		})
		return
	}
}
