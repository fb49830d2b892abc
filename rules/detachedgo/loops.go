package detachedgo

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
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
	where, body := f.body(g)
	if body == nil {
		return
	}
	src := f.source(g)
	if src == nil || src.Kind == flow.Framework || f.looksAtEnd(where.pkg, body) {
		return
	}
	for _, s := range body.List {
		loop, ok := s.(*ast.ForStmt)
		if !ok || loop.Cond != nil || f.leaves(where.pkg, loop) || f.flow.OnPurpose(where.file, loop.Pos()) {
			continue
		}
		f.list = append(f.list, &rules.Finding{
			Rule:          name,
			Message:       fmt.Sprintf("this goroutine loops for ever, and nothing can end it, although %s where it is started: wait with select, and return on <-%s.Done()", src.InScope(), contextName(src)),
			File:          where.file,
			Pos:           loop.For,
			End:           loop.For + token.Pos(len("for")),
			Applicability: rules.Manual,
			Status:        rules.NoFix,
			Related:       []rules.Related{{File: file, Pos: g.Node().Pos(), Message: "started here"}},
		})
	}
}

// contextName is the name that the context would have in the goroutine.
func contextName(src *flow.Source) string {
	if src.Text == src.Var.Name() {
		return src.Text
	}
	return "ctx"
}

// A place is a function body with where it lies.
type place struct {
	pkg  *program.Package
	file *program.File
}

// body returns what a goroutine runs: its literal, or the declaration of a function of the world that gets no context.
func (f *finder) body(g *flow.Goroutine) (place, *ast.BlockStmt) {
	if g.Lit != nil {
		return place{g.Pkg, g.File}, g.Lit.Body
	}
	fn := census.Callee(g.Pkg.Info, g.Call)
	if fn == nil {
		return place{}, nil
	}
	for _, arg := range g.Call.Args {
		if flow.Implements(typeOf(g, arg)) || flow.Carries(typeOf(g, arg)) {
			return place{}, nil // it has one
		}
	}
	return place{}, nil // whoever declares it may start it elsewhere as well
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
				if t := pkg.Info.TypeOf(arg); t != nil && flow.Implements(t) && !flow.Fresh(pkg, arg) {
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
func (f *finder) leaves(pkg *program.Package, loop *ast.ForStmt) bool {
	found := false
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			found = true
		case *ast.BranchStmt:
			if n.Tok == token.GOTO || n.Tok == token.BREAK && (n.Label != nil || f.breaks(n, loop)) {
				found = true
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW && !ticks(pkg, n.X) {
				found = true
			}
		case *ast.RangeStmt:
			if t := pkg.Info.TypeOf(n.X); t != nil {
				if _, ok := t.Underlying().(*types.Chan); ok {
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
func (f *finder) breaks(b *ast.BranchStmt, loop *ast.ForStmt) bool {
	inner := false
	ast.Inspect(loop.Body, func(n ast.Node) bool {
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
	ch, ok := pkg.Info.TypeOf(e).Underlying().(*types.Chan)
	if !ok {
		return false
	}
	named, ok := types.Unalias(ch.Elem()).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" && named.Obj().Name() == "Time"
}
