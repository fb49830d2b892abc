package lostcancel

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/cfg"

	"github.com/ctxmend/ctxmend/rules/flow"
)

// lostPath returns where a function is left on a path from the statement at a place on which a variable is not mentioned: a return, or the
// end of the function. NoPos when there is none.
func lostPath(f *flow.Flow, info *types.Info, body *ast.BlockStmt, from token.Pos, v *types.Var) token.Pos {
	graph := cfg.New(body, func(call *ast.CallExpr) bool { return !f.NeverReturns(info, call) })
	var start *cfg.Block // holds the statement at that place
	var rest []ast.Node
	for _, b := range graph.Blocks {
		for i, n := range b.Nodes {
			if n.Pos() <= from && from < n.End() {
				start, rest = b, b.Nodes[i+1:]
			}
		}
	}
	if start == nil || mentions(info, rest, v) {
		return token.NoPos
	}
	if exit := exitOf(start); exit.IsValid() {
		return exit
	}
	seen := map[*cfg.Block]bool{}
	queue := slices.Clone(start.Succs)
	for len(queue) > 0 {
		b := queue[0]
		queue = queue[1:]
		if seen[b] || !b.Live {
			continue
		}
		seen[b] = true
		if mentions(info, b.Nodes, v) {
			continue
		}
		if exit := exitOf(b); exit.IsValid() {
			return exit
		}
		queue = append(queue, b.Succs...)
	}
	return token.NoPos
}

// exitOf returns where a block leaves the function, NoPos when it goes on. The graph has a return where control falls off the
// end.
func exitOf(b *cfg.Block) token.Pos {
	if ret := b.Return(); ret != nil {
		return ret.Pos()
	}
	return token.NoPos
}

// mentions reports whether some nodes mention a variable.
func mentions(info *types.Info, nodes []ast.Node, v *types.Var) bool {
	found := false
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && info.Uses[id] == v {
				found = true
			}
			return !found
		})
	}
	return found
}
