package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// passedBy returns the case of a select by which a function may go on without a receive that is another case of it, a timeout or a
// default for example; nil for other receives.
func (j *joiner) passedBy(receive ast.Node) *ast.CommClause {
	own, sel := j.selectAround(receive)
	if sel == nil {
		return nil
	}
	serve := j.enders(own, sel)
	for _, s := range sel.Body.List {
		if other, ok := s.(*ast.CommClause); ok && other != own && !slices.Contains(serve, ast.Node(other)) {
			return other
		}
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

// enders returns the other cases of a select that serve as well as the one which receives from the goroutine: those that do so too, and
// those that wait for the end of a context with which the goroutine's ends.
func (j *joiner) enders(own *ast.CommClause, sel *ast.SelectStmt) []ast.Node {
	var list []ast.Node
	for _, s := range sel.Body.List {
		if other, ok := s.(*ast.CommClause); ok && other != own && other.Comm != nil && j.waitsToo(other.Comm) {
			list = append(list, other)
		}
	}
	return list
}

// waitsToo reports whether a case receives the end of a context with which that of the goroutine ends.
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
	call, ok := ast.Unparen(receive.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	done, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && done.Sel.Name == "Done" && Implements(j.g.Pkg.Info.TypeOf(done.X)) && j.endsWith(done.X)
}

// endsWith reports whether what the goroutine works with ends when a context does: the contexts that it has are that one or derived from
// it. Where it has none, or one made from nothing, the one that it would be given counts.
func (j *joiner) endsWith(end ast.Expr) bool {
	if j.passed != nil {
		return j.derivesVar(j.passed, end, 0)
	}
	given := false
	ok := true
	look := func(e ast.Expr) {
		if !Implements(j.g.Pkg.Info.TypeOf(e)) || j.flow.FromNothing(j.g.Pkg, j.g.File, e) || j.flow.Fresh(j.g.Pkg, e) {
			return
		}
		given = true
		ok = ok && j.derives(e, end, 0)
	}
	for _, arg := range j.g.Call.Args {
		if arg != ast.Expr(j.g.Lit) {
			look(arg)
		}
	}
	fresh := false
	ast.Inspect(j.g.Call, func(n ast.Node) bool {
		e, isExpr := n.(ast.Expr)
		if isExpr && j.flow.Fresh(j.g.Pkg, e) {
			fresh = true
			return false
		}
		id, isIdent := n.(*ast.Ident)
		if !isIdent || j.g.Lit == nil {
			return true
		}
		v, isVar := j.g.Pkg.Info.Uses[id].(*types.Var)
		if isVar && !v.IsField() && Implements(v.Type()) && (v.Pos() < j.g.Lit.Pos() || v.Pos() >= j.g.Lit.End()) {
			fresh = fresh || j.flow.FromNothing(j.g.Pkg, j.g.File, id)
			look(id)
		}
		return true
	})
	if given && !fresh {
		return ok
	}
	for _, s := range j.flow.visible(j.g.File, j.g.Node().Pos()) {
		if !s.Born && s.Kind != Field && s.Kind != Test {
			return ok && (s.Text == types.ExprString(end) && j.rooted(end, s.Var) || s.IsVar() && j.derivesVar(s.Var, end, 0))
		}
	}
	return ok
}

// rooted reports whether an expression begins with a variable.
func (j *joiner) rooted(e ast.Expr, v *types.Var) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && j.g.Pkg.Info.Uses[id] == v
		return !found
	})
	return found
}

// derives reports whether a context is another one, or is derived from it with its end.
func (j *joiner) derives(e, from ast.Expr, depth int) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := j.g.Pkg.Info.ObjectOf(e).(*types.Var)
		return ok && j.derivesVar(v, from, depth)
	case *ast.CallExpr:
		if depth > 5 || withoutCancel(j.g.Pkg, e) {
			return false
		}
		if types.ExprString(e) == types.ExprString(from) && len(e.Args) == 0 {
			p, ok := placeOf(j.g.Pkg.Info, receiverOf(e))
			q, ok2 := placeOf(j.g.Pkg.Info, receiverOf(from))
			return ok && ok2 && p == q
		}
		return len(e.Args) > 0 && j.derives(e.Args[0], from, depth+1)
	}
	return false
}

// receiverOf returns what a method is called of, or the expression itself.
func receiverOf(e ast.Expr) ast.Expr {
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok {
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
			return sel.X
		}
	}
	return e
}

// derivesVar is derives for what a variable holds; it has to get its value in one place.
func (j *joiner) derivesVar(v *types.Var, from ast.Expr, depth int) bool {
	values := 0
	var value ast.Expr
	for _, u := range j.flow.census.Uses(v) {
		parent, child := j.flow.census.Outer(u.File, u.Ident)
		as, ok := parent.(*ast.AssignStmt)
		i := -1
		if ok {
			i = slices.IndexFunc(as.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
		}
		if i < 0 {
			continue
		}
		values++
		value = as.Rhs[min(i, len(as.Rhs)-1)]
	}
	if id, ok := ast.Unparen(from).(*ast.Ident); ok && j.g.Pkg.Info.Uses[id] == v {
		return values == 0 || values == 1 && !j.flow.isParam(v)
	}
	return values == 1 && !j.flow.isParam(v) && j.derives(value, from, depth+1)
}
