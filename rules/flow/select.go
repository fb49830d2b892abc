package flow

import (
	"go/ast"
	"go/token"
)

// passedBy returns the case of a select by which a function may go on without a receive that is another case of it, a timeout or a
// default for example; nil for other receives. It stays nil where the other cases wait for the goroutine too, for the end of a
// context, which ends what has it, or lead round a loop to the receive again.
func (j *joiner) passedBy(receive ast.Node) *ast.CommClause {
	own, sel := j.selectAround(receive)
	if sel == nil {
		return nil
	}
	again := j.loops(sel)
	for _, s := range sel.Body.List {
		other, ok := s.(*ast.CommClause)
		if !ok || other == own || again && !j.leavesLoop(other) || other.Comm != nil && j.waitsToo(other.Comm) {
			continue
		}
		return other
	}
	return nil
}

// selectAround returns the case that a receive makes, and its select.
func (j *joiner) selectAround(receive ast.Node) (*ast.CommClause, *ast.SelectStmt) {
	parent := func(n ast.Node) ast.Node { return j.flow.census.Parent(j.g.File, n) }
	for n := parent(receive); n != nil; n = parent(n) {
		switch n := n.(type) {
		case *ast.ParenExpr, *ast.ExprStmt, *ast.AssignStmt, *ast.UnaryExpr:
			continue
		case *ast.CommClause:
			if n.Comm == nil || receive.Pos() < n.Comm.Pos() || receive.Pos() >= n.Comm.End() {
				return nil, nil // it stands in the case's body
			}
			block, _ := parent(n).(*ast.BlockStmt)
			sel, _ := parent(block).(*ast.SelectStmt)
			return n, sel
		}
		return nil, nil
	}
	return nil, nil
}

// waitsToo reports whether a case receives what tells the goroutine's end, or that of a context.
func (j *joiner) waitsToo(comm ast.Stmt) bool {
	var from ast.Expr
	switch comm := comm.(type) {
	case *ast.ExprStmt:
		from = comm.X
	case *ast.AssignStmt:
		from = comm.Rhs[0]
	}
	receive, ok := ast.Unparen(from).(*ast.UnaryExpr)
	if !ok || receive.Op != token.ARROW {
		return false
	}
	if j.is(j.chans, receive.X) {
		return true
	}
	call, ok := ast.Unparen(receive.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	done, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && done.Sel.Name == "Done" && Implements(j.g.Pkg.Info.TypeOf(done.X))
}

// loops reports whether a statement stands in a loop of the function that goes on for ever by itself.
func (j *joiner) loops(n ast.Node) bool {
	for n = j.flow.census.Parent(j.g.File, n); n != nil && n != ast.Node(j.outer); n = j.flow.census.Parent(j.g.File, n) {
		switch n := n.(type) {
		case *ast.ForStmt:
			return n.Cond == nil
		case *ast.RangeStmt, *ast.FuncLit:
			return false
		}
	}
	return false
}

// leavesLoop reports whether a case of a select may end the loop around it.
func (j *joiner) leavesLoop(c *ast.CommClause) (leaves bool) {
	for _, s := range c.Body {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ReturnStmt:
				leaves = true
			case *ast.CallExpr:
				id, named := ast.Unparen(n.Fun).(*ast.Ident)
				leaves = leaves || named && id.Name == "panic" && j.g.Pkg.Info.Types[n.Fun].IsBuiltin()
			case *ast.BranchStmt:
				leaves = leaves || n.Label != nil
			}
			return !leaves
		})
	}
	return leaves
}
