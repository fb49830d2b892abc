package detachedgo

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// loops reports a goroutine that loops for ever and that nothing can stop, though a context is in scope.
func (f *finder) loops(pkg *program.Package, file *program.File, call *ast.CallExpr) {
	g := f.flow.Started(pkg, file, call)
	if g == nil || file.Test || f.flow.OnPurpose(file, g.Node().Pos()) {
		return
	}
	if g.Lit == nil {
		f.endless(g)
		return
	}
	src := f.source(g)
	if src == nil || src.Kind == flow.Framework {
		return
	}
	for _, loop := range f.endlessLoops(pkg, file, g.Lit.Body) {
		f.list = append(f.list, f.loopFinding(file, loop, fmt.Sprintf("this goroutine loops for ever, and nothing can end it, although %s where it is started: wait with select, and return on <-%s.Done()", src.InScope(), contextName(src)),
			rules.Related{File: file, Pos: g.Node().Pos(), Message: "started here"}))
	}
}

// A loop is a statement that goes on for ever.
type loop struct {
	stmt, body ast.Stmt
	at, end    token.Pos
}

// endlessLoops returns the loops of a function that nothing can end: not from inside, and not by a context.
func (f *finder) endlessLoops(pkg *program.Package, file *program.File, body *ast.BlockStmt) []loop {
	if f.looksAtEnd(pkg, body) {
		return nil
	}
	var list []loop
	for _, s := range body.List {
		var l loop
		switch s := s.(type) {
		case *ast.ForStmt:
			if s.Cond == nil {
				l = loop{s, s.Body, s.For, s.For + token.Pos(len("for"))}
			}
		case *ast.RangeStmt:
			if pkg.Info.TypeOf(s.X) != nil && ticks(pkg, s.X) {
				l = loop{s, s.Body, s.For, s.X.End()} // nobody closes a ticker's channel
			}
		}
		if l.stmt != nil && !f.leaves(pkg, l) && !f.flow.OnPurpose(file, s.Pos()) {
			list = append(list, l)
		}
	}
	return list
}

func (f *finder) loopFinding(file *program.File, l loop, message string, related ...rules.Related) *rules.Finding {
	if wait := f.waits(file, l); wait.IsValid() {
		related = append(related, rules.Related{File: file, Pos: wait, Message: "the select belongs here, in place of this"})
	}
	return &rules.Finding{
		Rule: name, Message: message, File: file, Pos: l.at, End: l.end,
		Applicability: rules.Manual, Status: rules.NoFix, Related: related,
	}
}

// waits returns the statement of a loop's body that waits for time to pass, NoPos for none.
func (f *finder) waits(file *program.File, l loop) token.Pos {
	pkg := f.flow.Package(file)
	for _, s := range l.body.(*ast.BlockStmt).List {
		e, ok := s.(*ast.ExprStmt)
		if !ok {
			continue
		}
		switch x := ast.Unparen(e.X).(type) {
		case *ast.UnaryExpr:
			if x.Op == token.ARROW && ticks(pkg, x.X) {
				return s.Pos()
			}
		case *ast.CallExpr:
			if fn := census.Callee(pkg.Info, x); fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "time" && fn.Name() == "Sleep" {
				return s.Pos()
			}
		}
	}
	return token.NoPos
}

// endless notes a goroutine that runs a function of the world which gets no context and loops for ever.
func (f *finder) endless(g *flow.Goroutine) {
	fn := census.Callee(g.Pkg.Info, g.Call)
	if fn == nil || takesContext(fn.Signature()) {
		return
	}
	for _, arg := range g.Call.Args {
		if flow.Implements(typeOf(g, arg)) || flow.Carries(typeOf(g, arg)) {
			return // it has one
		}
	}
	src := f.source(g)
	if src == nil || src.Kind == flow.Framework {
		f.stays[fn.Origin()] = true // started elsewhere as well
		return
	}
	if f.runs[fn.Origin()] == nil {
		f.running = append(f.running, fn.Origin())
	}
	f.runs[fn.Origin()] = append(f.runs[fn.Origin()], &started{g, src})
}

// A started goroutine has a context where it starts.
type started struct {
	g   *flow.Goroutine
	src *flow.Source
}

// namedLoops reports the functions that only goroutines run, all started where a context is in scope, and that loop for ever.
func (f *finder) namedLoops(calls func() *callgraph.Graph) {
	for _, fn := range f.running {
		pkg, file, body := f.flow.Body(fn)
		if body == nil || f.stays[fn] || file.Test || file.Generated {
			continue
		}
		loops := f.endlessLoops(pkg, file, body)
		if len(loops) == 0 {
			continue
		}
		decl := calls().FuncOf(fn)
		if decl == nil || len(decl.Links) > 0 || len(decl.Mentions) > 0 || slices.ContainsFunc(decl.Calls, func(c *callgraph.Call) bool { return !c.Go }) {
			continue
		}
		at := f.runs[fn][0]
		for _, l := range loops {
			f.list = append(f.list, f.loopFinding(file, l, fmt.Sprintf("%s loops for ever, and nothing can end it, although %s where it is started: give it a parameter for the context, wait with select, and return on <-%s.Done()", decl.Name, at.src.InScope(), contextName(at.src)),
				rules.Related{File: at.g.File, Pos: at.g.Node().Pos(), Message: "started here"}))
		}
	}
}

// contextName is the name that the context would have in the goroutine.
func contextName(src *flow.Source) string {
	if src.IsVar() {
		return src.Text
	}
	return "ctx"
}

// looksAtEnd reports whether a body asks any context for its end, or waits for a signal from elsewhere.
func (f *finder) looksAtEnd(pkg *program.Package, body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if (n.Sel.Name == "Done" || n.Sel.Name == "Err") && flow.Implements(pkg.Info.TypeOf(n.X)) {
				found = true
			}
		case *ast.CallExpr:
			for _, arg := range n.Args {
				if t := pkg.Info.TypeOf(arg); t != nil && flow.Implements(t) && !f.flow.Fresh(pkg, arg) {
					found = true // the call may return, or panic, when it ends
				}
			}
		}
		return !found
	})
	return found
}

// leaves reports whether a loop can be left: by return, break or goto, by a call that never returns, or because it waits for
// something that others send.
func (f *finder) leaves(pkg *program.Package, l loop) bool {
	found := false
	ast.Inspect(l.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			found = true
		case *ast.BranchStmt:
			if n.Tok == token.GOTO || n.Tok == token.BREAK && (n.Label != nil || f.breaks(n, l)) {
				found = true
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW && !ticks(pkg, n.X) {
				found = true
			}
		case *ast.RangeStmt:
			if t := pkg.Info.TypeOf(n.X); t != nil {
				if _, ok := flow.Under(t).(*types.Chan); ok && !ticks(pkg, n.X) {
					found = true
				}
			}
		case *ast.CallExpr:
			if id, ok := ast.Unparen(n.Fun).(*ast.Ident); ok && id.Name == "panic" {
				found = true
			}
			if fn := census.Callee(pkg.Info, n); fn != nil && (fn.Name() == "Exit" || fn.Name() == "Goexit" || fn.Name() == "Fatal" || fn.Name() == "Fatalf") {
				found = true
			}
		}
		return !found
	})
	return found
}

// breaks reports whether a break without a label leaves the loop: no other statement that it could leave is around it.
func (f *finder) breaks(b *ast.BranchStmt, l loop) bool {
	inner := false
	ast.Inspect(l.body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if n.Pos() < b.Pos() && b.End() <= n.End() {
				inner = true
			}
		}
		return !inner
	})
	return !inner
}

// ticks reports whether a channel is one of time's: it tells the time, and not an end.
func ticks(pkg *program.Package, e ast.Expr) bool {
	ch, ok := program.Underlying(pkg.Info, e).(*types.Chan)
	if !ok {
		return false
	}
	named, ok := types.Unalias(ch.Elem()).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" && named.Obj().Name() == "Time"
}
