package lostcancel

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "lostcancel"

// Rule reports cancel functions that are dropped or not called on every path.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	f := &finder{flow: pass.Flow(), census: pass.Census}
	f.flow.EachCall(f.call)
	return f.list
}

// A finder collects findings.
type finder struct {
	flow   *flow.Flow
	census *census.Census
	list   []*rules.Finding
}

// call judges a call of context.WithCancel and its like.
func (f *finder) call(pkg *program.Package, file *program.File, call *ast.CallExpr) {
	if !derives(pkg, call) || f.flow.Waived(file, call.Pos(), "govet", "lostcancel") {
		return
	}
	parent, child := f.census.Outer(file, call)
	if spec, ok := parent.(*ast.ValueSpec); ok {
		f.declared(pkg, file, spec, call)
		return
	}
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Rhs) != 1 || ast.Node(as.Rhs[0]) != child || len(as.Lhs) != 2 {
		return
	}
	cancel, ok := as.Lhs[1].(*ast.Ident)
	if !ok {
		return
	}
	if cancel.Name == "_" {
		f.report(pkg, file, as, cancel, call, token.NoPos)
		return
	}
	v, ok := pkg.Info.ObjectOf(cancel).(*types.Var)
	if !ok || v.Parent() == pkg.Types.Scope() || v.Kind() != types.LocalVar {
		return
	}
	body := f.body(file, as)
	if body == nil || v.Pos() < body.Pos() || v.Pos() >= body.End() {
		return // that of a function around
	}
	if exit := lostPath(f.flow, pkg.Info, body, as.Pos(), v); exit.IsValid() {
		f.report(pkg, file, as, cancel, call, exit)
	}
}

// declared judges var ctx, cancel = context.WithCancel(parent): the rare form is reported without a fix.
func (f *finder) declared(pkg *program.Package, file *program.File, spec *ast.ValueSpec, call *ast.CallExpr) {
	body := f.body(file, spec)
	if body == nil || len(spec.Names) != 2 {
		return
	}
	cancel := spec.Names[1]
	v, ok := pkg.Info.Defs[cancel].(*types.Var)
	exit := token.NoPos
	if ok && cancel.Name != "_" {
		if exit = lostPath(f.flow, pkg.Info, body, spec.Pos(), v); !exit.IsValid() {
			return
		}
	}
	finding := f.finding(file, cancel, call, exit)
	finding.Applicability, finding.Status = rules.Manual, rules.NoFix
	f.list = append(f.list, finding)
}

// derives reports whether a call is that of a function of package context that returns a cancel function, or of
// signal.NotifyContext.
func derives(pkg *program.Package, call *ast.CallExpr) bool {
	fn := census.Callee(pkg.Info, call)
	if fn == nil || fn.Pkg() == nil || fn.Signature().Results().Len() != 2 || !flow.Cancels(pkg, call) {
		return false
	}
	return fn.Pkg().Path() == "context" || fn.Pkg().Path() == "os/signal"
}

// body returns the body of the function or literal around a statement.
func (f *finder) body(file *program.File, n ast.Node) *ast.BlockStmt {
	for ; n != nil; n = f.census.Parent(file, n) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return n.Body
		case *ast.FuncLit:
			return n.Body
		}
	}
	return nil
}

// finding makes the finding; exit is where the function is left without a call, if the function has a name.
func (f *finder) finding(file *program.File, cancel *ast.Ident, call *ast.CallExpr, exit token.Pos) *rules.Finding {
	finding := &rules.Finding{
		Rule: name, File: file, Pos: cancel.Pos(), End: cancel.End(),
		Message:       fmt.Sprintf("the cancel function of %s is dropped: the context and what waits for it stay until its parent ends", flow.Callee(call)),
		Applicability: rules.Review,
	}
	if exit.IsValid() {
		finding.Message = fmt.Sprintf("%s is not called on every path: the context and what waits for it stay until its parent ends", cancel.Name)
		finding.Related = []rules.Related{{File: file, Pos: exit, Message: "not called on the way here"}}
	}
	return finding
}

func (f *finder) report(pkg *program.Package, file *program.File, as *ast.AssignStmt, cancel *ast.Ident, call *ast.CallExpr, exit token.Pos) {
	finding := f.finding(file, cancel, call, exit)
	if blocker := f.blocker(pkg, file, as, call); blocker != nil {
		finding.Blocker = blocker
	}
	finding.Fix = &rules.Fix{
		Title:         "defer the cancel function",
		Applicability: rules.Review,
		Intent:        &rules.DeferCancel{File: file, Pkg: pkg, Assign: as, Cancel: cancel},
	}
	f.list = append(f.list, finding)
}

// blocker says why the cancel function cannot be deferred: the context is needed after the function returns, or the
// statement runs many times.
func (f *finder) blocker(pkg *program.Package, file *program.File, as *ast.AssignStmt, call *ast.CallExpr) *rules.Blocker {
	if id, ok := as.Lhs[1].(*ast.Ident); ok && id.Name != "_" {
		if v, ok := pkg.Info.ObjectOf(id).(*types.Var); ok && f.flow.HandsOut(pkg, file, v) {
			return &rules.Blocker{Reason: "kept", Message: "the cancel function is given to others, who may call it when the function has returned; call it on the paths that do not do so", File: file, Pos: id.Pos()}
		}
	}
	for _, fate := range f.flow.Fates(pkg, file, as.Lhs[0]) {
		if b := escapes(f, pkg, file, fate, as); b != nil {
			return b
		}
	}
	if id, ok := as.Lhs[0].(*ast.Ident); ok && id.Name != "_" {
		v, ok := pkg.Info.ObjectOf(id).(*types.Var)
		if !ok || v.Parent() == pkg.Types.Scope() || v.Kind() == types.ResultVar || !f.inside(file, as, v) {
			return &rules.Blocker{Reason: "kept", Message: "the context outlives the function; call the cancel function when it is no longer needed", File: file, Pos: id.Pos()}
		}
		for _, fate := range f.flow.FatesOf(pkg, file, v) {
			if b := escapes(f, pkg, file, fate, as); b != nil {
				return b
			}
		}
	} else if !ok {
		return &rules.Blocker{Reason: "kept", Message: "the context is stored; call the cancel function when it is no longer needed", File: file, Pos: as.Lhs[0].Pos()}
	}
	for n := f.census.Parent(file, as); n != nil; n = f.census.Parent(file, n) {
		switch n.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return nil
		case *ast.ForStmt, *ast.RangeStmt:
			return &rules.Blocker{Reason: "loop", Message: "a defer in a loop runs when the function returns; move the body of the loop to a function", File: file, Pos: n.Pos()}
		}
	}
	return nil
}

// inside reports whether a variable belongs to the function around a statement.
func (f *finder) inside(file *program.File, as *ast.AssignStmt, v *types.Var) bool {
	for n := ast.Node(as); n != nil; n = f.census.Parent(file, n) {
		switch n.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return v.Pos() >= n.Pos() && v.Pos() < n.End()
		}
	}
	return false
}

// escapes says why a context may be needed after the function has returned, or after a function that is deferred behind a statement
// has run.
func escapes(f *finder, pkg *program.Package, file *program.File, fate flow.Fate, as *ast.AssignStmt) *rules.Blocker {
	if wait := f.flow.WaitedLater(pkg, file, fate, as.Pos()); wait.IsValid() {
		return &rules.Blocker{Reason: "order", Message: "a goroutine works with the context, and the function waits for it in code that is deferred before: what is deferred here would run first, and end the work", File: file, Pos: wait}
	}
	if later := f.flow.DeferredBefore(pkg, file, fate, as.Pos()); later.IsValid() {
		return &rules.Blocker{Reason: "order", Message: "code that is deferred before works with the context, or with what was made with it: what is deferred here would run first, and end it", File: file, Pos: later}
	}
	switch fate.Kind {
	case flow.Kept, flow.Chosen, flow.Registered:
		return &rules.Blocker{Reason: "kept", Message: "the context may be needed when the function has returned; call the cancel function when it no longer is", File: file, Pos: fate.Pos}
	case flow.Started:
		// What a goroutine that is waited for calls may go on all the same.
		if !f.flow.Outlives(pkg, file, fate) && (fate.Call == nil || !f.flow.MayKeep(pkg, file, fate.Call)) {
			return nil
		}
		return &rules.Blocker{Reason: "kept", Message: "a goroutine works with the context, maybe when the function has returned; let it call the cancel function", File: file, Pos: fate.Pos}
	case flow.Used:
		if fate.Call != nil && f.flow.RegistersCleanup(pkg, file, fate.Call) {
			return &rules.Blocker{Reason: "kept", Message: "the call may have something done when the test has ended, for which the context is still needed; call the cancel function then", File: file, Pos: fate.Pos}
		}
		if fate.Call != nil && f.flow.MayKeep(pkg, file, fate.Call) {
			return &rules.Blocker{Reason: "kept", Message: "a function value, a method behind an interface, or what calls others back gets the context here, and may work with it when the function has returned; call the cancel function when it no longer does", File: file, Pos: fate.Pos}
		}
	}
	return nil
}
