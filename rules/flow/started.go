package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/cfg"
)

// waits reports whether what a call of Start sets off, a process for example, is waited for on every path through the function that
// starts it, except where it could not be started. What runs on when the function has returned needs its context then.
func (t *tracer) waits(sel *ast.SelectorExpr, start *ast.CallExpr) bool {
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok {
		return false
	}
	v := t.pkg.Info.ObjectOf(id)
	body := t.bodyAround(start)
	if body == nil {
		return false
	}
	graph := cfg.New(body, func(call *ast.CallExpr) bool { return !t.flow.NeverReturns(t.pkg.Info, call) })
	for _, b := range graph.Blocks {
		for i, n := range b.Nodes {
			if n.Pos() <= start.Pos() && start.End() <= n.End() {
				return !t.leftRunning(b, i, start, v)
			}
		}
	}
	return false
}

// bodyAround returns the body of the innermost function around a node.
func (t *tracer) bodyAround(n ast.Node) *ast.BlockStmt {
	for _, up := range t.flow.around(t.file, n) {
		switch up := up.(type) {
		case *ast.FuncDecl:
			return up.Body
		case *ast.FuncLit:
			return up.Body
		}
	}
	return nil
}

// leftRunning reports whether the function can be left behind the i-th node of a block, which starts something, without a Wait.
func (t *tracer) leftRunning(b *cfg.Block, i int, start *ast.CallExpr, v types.Object) bool {
	if t.waitsFor(b.Nodes[i+1:], v) {
		return false
	}
	if b.Return() != nil {
		return true
	}
	queue := t.whenStarted(b, i, start)
	seen := map[*cfg.Block]bool{}
	for len(queue) > 0 {
		b := queue[0]
		queue = queue[1:]
		if seen[b] || !b.Live {
			continue
		}
		seen[b] = true
		if t.waitsFor(b.Nodes, v) {
			continue
		}
		if b.Return() != nil {
			return true
		}
		queue = append(queue, b.Succs...)
	}
	return false
}

// whenStarted returns the blocks that come after one that starts something in its i-th node, without the one for the failure of
// that.
func (t *tracer) whenStarted(b *cfg.Block, i int, start *ast.CallExpr) []*cfg.Block {
	if len(b.Succs) != 2 {
		return slices.Clone(b.Succs)
	}
	cond, ok := b.Nodes[len(b.Nodes)-1].(*ast.BinaryExpr)
	if !ok || !t.pkg.Info.Types[cond.Y].IsNil() || !t.isErrorOf(cond.X, b.Nodes[i], start) {
		return slices.Clone(b.Succs)
	}
	switch cond.Op {
	case token.NEQ:
		return b.Succs[1:]
	case token.EQL:
		return b.Succs[:1]
	}
	return slices.Clone(b.Succs)
}

// isErrorOf reports whether an expression is what a call returns, or the variable that the call's statement assigns that to.
func (t *tracer) isErrorOf(e ast.Expr, stmt ast.Node, call *ast.CallExpr) bool {
	if ast.Unparen(e) == ast.Expr(call) {
		return true
	}
	id, ok := ast.Unparen(e).(*ast.Ident)
	as, isAssign := stmt.(*ast.AssignStmt)
	if !ok || !isAssign || len(as.Lhs) != 1 || ast.Unparen(as.Rhs[0]) != ast.Expr(call) {
		return false
	}
	err, ok := as.Lhs[0].(*ast.Ident)
	return ok && t.pkg.Info.ObjectOf(err) == t.pkg.Info.ObjectOf(id)
}

// waitsFor reports whether some nodes call Wait of a variable, now or when the function returns.
func (t *tracer) waitsFor(nodes []ast.Node, v types.Object) bool {
	found := false
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Wait" {
				id, ok := ast.Unparen(sel.X).(*ast.Ident)
				found = found || ok && t.pkg.Info.ObjectOf(id) == v
			}
			return !found
		})
	}
	return found
}
