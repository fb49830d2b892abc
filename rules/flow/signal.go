package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A signal is a statement by which a goroutine tells something: it sends on a channel or closes it, or counts itself off in a
// group.
type signal struct {
	at   place
	kind signalKind
	// last is set when the goroutine does nothing with a context any more behind it: it tells its end.
	last bool
	node ast.Node
}

type signalKind int

const (
	sends signalKind = iota
	closes
	countsOff
)

// A work is the code that a goroutine runs: that of its literal, or of the function of the world that it calls.
type work struct {
	flow *Flow
	pkg  *program.Package
	file *program.File
	body *ast.BlockStmt
	// whole is the literal, or the declaration.
	whole ast.Node
	// given are the places that the function around gives its parameters and its receiver.
	given map[types.Object]place
}

// workOf returns the code that a goroutine runs; nil when it is not there to be seen.
func (f *Flow) workOf(g *Goroutine) *work {
	if g.Lit != nil {
		w := &work{f, g.Pkg, g.File, g.Lit.Body, g.Lit, map[types.Object]place{}}
		if g.Stmt != nil {
			w.take(g, g.Pkg, g.Lit.Type)
		}
		return w
	}
	fn := census.Callee(g.Pkg.Info, g.Call)
	if fn == nil {
		return nil
	}
	b := f.body(fn)
	if b == nil {
		return nil
	}
	w := &work{f, b.pkg, b.file, b.decl.Body, b.decl, map[types.Object]place{}}
	w.take(g, b.pkg, b.decl.Type)
	if sel, ok := ast.Unparen(g.Call.Fun).(*ast.SelectorExpr); ok && b.decl.Recv != nil && len(b.decl.Recv.List[0].Names) == 1 {
		if p, ok := placeOf(g.Pkg.Info, sel.X); ok {
			w.given[b.pkg.Info.Defs[b.decl.Recv.List[0].Names[0]]] = p
		}
	}
	return w
}

// take notes what the parameters of the work get.
func (w *work) take(g *Goroutine, pkg *program.Package, ft *ast.FuncType) {
	i := 0
	for _, field := range ft.Params.List {
		for _, id := range field.Names {
			if i < len(g.Call.Args) {
				if p, ok := placeOf(g.Pkg.Info, g.Call.Args[i]); ok {
					w.given[pkg.Info.Defs[id]] = p
				}
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
}

// place returns the place that an expression of the work denotes for the function around; ok is false for what is the work's own.
func (w *work) place(e ast.Expr) (p place, ok bool) {
	p, ok = placeOf(w.pkg.Info, e)
	if !ok {
		return p, false
	}
	if to, given := w.given[p.root]; given {
		return place{to.root, to.path + p.path}, true
	}
	return p, p.root.Pos() < w.whole.Pos() || p.root.Pos() >= w.whole.End()
}

// signals returns what the work tells by itself.
func (w *work) signals() []signal {
	var list []signal
	add := func(e ast.Expr, kind signalKind, n ast.Node) {
		if p, ok := w.place(e); ok {
			list = append(list, signal{p, kind, w.last(n), n})
		}
	}
	ast.Inspect(w.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			add(n.Chan, sends, n)
		case *ast.CallExpr:
			if isBuiltin(w.pkg, n, "close") {
				add(n.Args[0], closes, n)
			}
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" && w.flow.canWait(w.pkg.Info.TypeOf(sel.X)) {
				add(sel.X, countsOff, n)
			}
		}
		return true
	})
	return list
}

func isBuiltin(pkg *program.Package, call *ast.CallExpr, name string) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && id.Name == name && pkg.Info.Types[call.Fun].IsBuiltin()
}

// last reports whether the work does nothing with a context any more once it has carried out a node. A literal that holds it has to run
// where it stands.
func (w *work) last(n ast.Node) bool {
	body, lit := w.level(n)
	if !w.ends(body, n) {
		return false
	}
	if lit == nil {
		return true
	}
	parent, child := w.flow.census.Outer(w.file, lit)
	if call, ok := parent.(*ast.CallExpr); ok {
		run := w.flow.RunOf(w.pkg, w.file, lit)
		return (ast.Node(call.Fun) == child || run == InPlace || run == Concurrent) && w.last(call)
	}
	calls := w.flow.callsOf(w.pkg, w.file, lit)
	return len(calls) > 0 && !slices.ContainsFunc(calls, func(call *ast.CallExpr) bool {
		return call.Pos() < w.body.Pos() || call.End() > w.body.End() || lit.Pos() <= call.Pos() && call.Pos() < lit.End() || !w.last(call)
	})
}

// level returns the body of the innermost function around a node of the work, and its literal; nil for the work itself.
func (w *work) level(n ast.Node) (*ast.BlockStmt, *ast.FuncLit) {
	for n = w.flow.census.Parent(w.file, n); n != nil && n != w.whole; n = w.flow.census.Parent(w.file, n) {
		if lit, ok := n.(*ast.FuncLit); ok {
			return lit.Body, lit
		}
	}
	return w.body, nil
}

// ends reports whether nothing in a body works with a context behind a node. What is deferred runs last, the first last of all.
func (w *work) ends(body *ast.BlockStmt, n ast.Node) bool {
	var put *ast.DeferStmt
	for up := n; up != nil && up != ast.Node(body); up = w.flow.census.Parent(w.file, up) {
		if d, ok := up.(*ast.DeferStmt); ok {
			put = d
		}
	}
	harmless := true
	ast.Inspect(body, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		if d, ok := n.(*ast.DeferStmt); ok && d != put && (put == nil || d.Pos() < put.Pos()) && !w.idle(d.Call) {
			harmless = false
		}
		return harmless
	})
	if !harmless || put != nil {
		return harmless && put.Call.Pos() <= n.Pos()
	}
	graph := w.flow.graphOf(w.pkg, body)
	b, i := graph.at(n)
	if b == nil {
		return false
	}
	switch at := b.Nodes[i].(type) {
	case *ast.ExprStmt:
		if ast.Unparen(at.X) != n {
			return false
		}
	case *ast.GoStmt:
		if ast.Node(at.Call) != n {
			return false
		}
	default:
		if at != n {
			return false
		}
	}
	return !slices.ContainsFunc(graph.after(n), func(n ast.Node) bool {
		_, deferred := n.(*ast.DeferStmt)
		return !deferred && !w.idle(n)
	})
}

// idle reports whether a node does nothing that works with a context: all that it calls ends something, counts it off, or is a function of
// a few packages that know of none.
func (w *work) idle(n ast.Node) bool {
	idle := true
	ast.Inspect(n, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			parent, child := w.flow.census.Outer(w.file, lit)
			call, called := parent.(*ast.CallExpr)
			return called && ast.Node(call.Fun) == child
		}
		if call, ok := n.(*ast.CallExpr); ok && !w.idleCall(call) {
			idle = false
		}
		return idle
	})
	return idle
}

func (w *work) idleCall(call *ast.CallExpr) bool {
	info := w.pkg.Info
	if tv := info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() || Ends(w.pkg, call) || w.flow.NeverReturns(info, call) {
		return true
	}
	if _, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		return true // what it does is looked at
	}
	for _, arg := range call.Args {
		t := info.TypeOf(arg)
		if t == nil || carries(t) {
			return false
		}
		if _, ok := Under(t).(*types.Signature); ok {
			return false
		}
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" {
		if t := info.TypeOf(sel.X); w.flow.canWait(t) || Implements(t) {
			return true
		}
	}
	if CleansUp(call) {
		return true
	}
	fn := census.Callee(info, call)
	return fn != nil && knowsNoContext(fn)
}

// knowsNoContext reports whether a function is one of the standard library that neither works with contexts nor calls what could: it is
// given plain values only.
func knowsNoContext(fn *types.Func) bool {
	if fn.Pkg() == nil {
		return fn.Name() == "Error" // that of an error
	}
	switch fn.Pkg().Path() {
	case "sync", "sync/atomic", "time", "errors", "fmt", "log", "strings", "strconv", "runtime", "runtime/debug":
	default:
		return false
	}
	for p := range fn.Signature().Params().Variables() {
		switch t := p.Type().Underlying().(type) {
		case *types.Signature, *types.Chan, *types.Pointer:
			return false
		case *types.Interface:
			if t.NumMethods() > 0 && !types.Identical(p.Type(), types.Universe.Lookup("error").Type()) {
				return false
			}
		}
	}
	return true
}

// receives reports whether a node is a receive.
func receives(n ast.Node) bool {
	u, ok := n.(*ast.UnaryExpr)
	return ok && u.Op == token.ARROW
}
