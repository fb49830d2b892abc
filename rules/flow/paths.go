package flow

import (
	"go/ast"
	"go/token"
	"slices"

	"golang.org/x/tools/go/cfg"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A graph is the body of a function with the ways through it.
type graph struct {
	blocks []*cfg.Block
}

// graphOf returns the ways through the body of a function.
func (f *Flow) graphOf(pkg *program.Package, body *ast.BlockStmt) *graph {
	key := waitsOf{pkg, body, false}
	g, known := f.graphs[key]
	if !known {
		g = &graph{cfg.New(body, func(call *ast.CallExpr) bool { return !f.NeverReturns(pkg.Info, call) }).Blocks}
		f.graphs[key] = g
	}
	return g
}

// at returns where a place lies in the graph: its block and the index of its statement or expression there; nil for none.
func (g *graph) at(n ast.Node) (*cfg.Block, int) {
	for _, b := range g.blocks {
		for i, at := range b.Nodes {
			if at.Pos() <= n.Pos() && n.End() <= at.End() {
				return b, i
			}
		}
	}
	return nil, 0
}

// without returns where the function is left on a way from a node, its beginning for nil, that meets none of some nodes: statements,
// expressions, and cases of select. A way that comes to until ends there. NoPos when there is no such way.
func (g *graph) without(from ast.Node, stops []ast.Node, until ast.Node) token.Pos {
	b, i := g.blocks[0], -1
	if from != nil {
		if b, i = g.at(from); b == nil {
			return from.Pos()
		}
	}
	seen := map[*cfg.Block]bool{}
	queue := []*cfg.Block{b}
	for first := true; len(queue) > 0; first = false {
		b, queue = queue[0], queue[1:]
		nodes := b.Nodes
		switch {
		case first:
			nodes = nodes[i+1:]
		case seen[b] || !b.Live:
			continue
		default:
			seen[b] = true
		}
		stopped := !first && chosen(b, stops)
		for _, n := range nodes {
			if stopped = stopped || meets(n, stops); stopped {
				break
			}
			if until != nil && n.Pos() <= until.Pos() && until.End() <= n.End() {
				return until.Pos()
			}
		}
		if stopped {
			continue
		}
		if exit := left(b); exit.IsValid() && until == nil {
			return exit
		}
		queue = append(queue, next(b)...)
	}
	return token.NoPos
}

// left returns where a block leaves the function: by a return, which the graph has where control falls off the end too, or by a panic, which
// whoever calls the function may survive.
func left(b *cfg.Block) token.Pos {
	if ret := b.Return(); ret != nil {
		return ret.Pos()
	}
	if len(b.Succs) == 0 && len(b.Nodes) > 0 {
		if s, ok := b.Nodes[len(b.Nodes)-1].(*ast.ExprStmt); ok {
			if call, ok := ast.Unparen(s.X).(*ast.CallExpr); ok {
				if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && id.Name == "panic" {
					return s.Pos()
				}
			}
		}
	}
	return token.NoPos
}

// after returns what may be carried out behind a node.
func (g *graph) after(n ast.Node) []ast.Node {
	b, i := g.at(n)
	if b == nil {
		return nil
	}
	list := slices.Clone(b.Nodes[i+1:])
	seen := map[*cfg.Block]bool{}
	for queue := next(b); len(queue) > 0; {
		b, queue = queue[0], queue[1:]
		if !seen[b] && b.Live {
			seen[b] = true
			list = append(list, b.Nodes...)
			queue = append(queue, next(b)...)
		}
	}
	return list
}

// next returns where control goes behind a block. The graph lets it pass by all cases of a select, which waits for one of them.
func next(b *cfg.Block) []*cfg.Block {
	var list []*cfg.Block
	for _, to := range b.Succs {
		if clause, ok := to.Stmt.(*ast.CommClause); ok && to.Kind == cfg.KindSelectAfterCase && len(to.Nodes) == 0 && lastCase(to, clause) {
			continue
		}
		list = append(list, to)
	}
	return list
}

// lastCase reports whether the block behind a case of a select is that behind the last one of a select without a default: nothing but the
// end of the select follows.
func lastCase(behind *cfg.Block, clause *ast.CommClause) bool {
	if len(behind.Succs) != 1 || behind.Succs[0].Kind != cfg.KindSelectDone {
		return false
	}
	sel, ok := behind.Succs[0].Stmt.(*ast.SelectStmt)
	return ok && !slices.ContainsFunc(sel.Body.List, func(s ast.Stmt) bool { return s.(*ast.CommClause).Comm == nil }) && sel.Pos() <= clause.Pos() && clause.End() <= sel.End()
}

// chosen reports whether a block is what one of some cases of a select leads to.
func chosen(b *cfg.Block, stops []ast.Node) bool {
	clause, ok := b.Stmt.(*ast.CommClause)
	return ok && b.Kind == cfg.KindSelectCaseBody && slices.Contains(stops, ast.Node(clause))
}

// meets reports whether a node of the graph holds one of some nodes.
func meets(n ast.Node, stops []ast.Node) bool {
	return slices.ContainsFunc(stops, func(s ast.Node) bool {
		_, clause := s.(*ast.CommClause)
		return !clause && n.Pos() <= s.Pos() && s.End() <= n.End()
	})
}
