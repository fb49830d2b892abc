package census

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// guards asks for a reviewer where a field is read and the map may not be there: what panicked, or showed nil,
// reads as zero then.
func (r *recorder) guards(f *Field) {
	for _, read := range f.Reads {
		if read.Pair != nil {
			continue
		}
		if r.present(read) {
			continue
		}
		r.note(ReasonPresence, read.File, read.Index.Pos(), "where there is no map, %q panicked or was nil here and becomes zero", f.Name)
	}
}

// present reports whether there certainly is a map where a field is read: none of the two-valued
// assertions that it may come from failed, and nobody put nil in its place.
func (r *recorder) present(read *FieldRead) bool {
	if _, direct := ast.Unparen(read.Index.X).(*ast.TypeAssertExpr); direct {
		return true
	}
	if r.recovered {
		return false
	}
	for _, o := range r.rec.Origins {
		if o.Nil {
			return false
		}
	}
	v := nameVar(read.Pkg.Info, read.Index.X)
	for _, ld := range r.rec.Loads {
		switch {
		case ld.Stmt == nil || ld.Map == nil:
		case v != nil && ld.Map.Pos() == v.Pos():
			if !r.guarded(ld, read.File, read.Index) {
				return false
			}
		case !r.keptIn(ld):
			return false
		}
	}
	return true
}

// keptIn reports whether the map of a two-valued assertion goes to other variables only where the
// assertion went well.
func (r *recorder) keptIn(ld *Load) bool {
	for _, u := range r.aways[ld.Map.Pos()] {
		if !r.guarded(ld, u.File, u.Ident) {
			return false
		}
	}
	return true
}

// guarded reports whether n is reached only when the two-valued assertion of a load went well: n
// lies in a branch taken on ok, or behind one that ends on !ok.
func (r *recorder) guarded(ld *Load, f *program.File, n ast.Node) bool {
	if ld.OK == nil || f != ld.File || r.assignedOften(ld.OK, ld) || r.assignedOften(ld.Map, ld) {
		return false
	}
	return r.inBranch(ld, n) || r.behind(ld, n)
}

// assignedOften reports whether a variable gets a value other than that of the load.
func (r *recorder) assignedOften(v *types.Var, ld *Load) bool {
	for _, u := range r.Uses(v) {
		parent, child := r.Outer(u.File, u.Ident)
		switch p := parent.(type) {
		case *ast.AssignStmt:
			if containsExpr(p.Lhs, child) && ast.Node(p) != ld.Stmt {
				return true
			}
		case *ast.UnaryExpr:
			if p.Op == token.AND {
				return true
			}
		case *ast.RangeStmt:
			if p.Key == child || p.Value == child {
				return true
			}
		}
	}
	return false
}

// inBranch reports whether n lies where ok is known to be true: in the body of if ok, in the else of if !ok, or
// behind ok &&.
func (r *recorder) inBranch(ld *Load, n ast.Node) bool {
	child := n
	for p := r.Parent(ld.File, n); p != nil; child, p = p, r.Parent(ld.File, p) {
		if b, ok := p.(*ast.BinaryExpr); ok && child == ast.Node(b.Y) && (b.Op == token.LAND && r.implies(ld, b.X, true) || b.Op == token.LOR && r.implies(ld, b.X, false)) {
			return true
		}
		s, ok := p.(*ast.IfStmt)
		if !ok || s.Pos() < r.statement(ld.File, ld.Assert).Pos() {
			continue
		}
		if child == ast.Node(s.Body) && r.implies(ld, s.Cond, true) || child == ast.Node(s.Else) && r.implies(ld, s.Cond, false) {
			return true
		}
	}
	return false
}

// behind reports whether n comes after an if in the load's block that ends the block when ok is false.
func (r *recorder) behind(ld *Load, n ast.Node) bool {
	stmt := r.statement(ld.File, ld.Assert)
	if stmt == nil || n == nil {
		return false
	}
	var list []ast.Stmt
	switch b := r.Parent(ld.File, stmt).(type) {
	case *ast.BlockStmt:
		list = b.List
	case *ast.CaseClause:
		list = b.Body
	case *ast.CommClause:
		list = b.Body
	}
	for _, s := range list {
		i, ok := s.(*ast.IfStmt)
		if !ok || i.Pos() < stmt.Pos() || i.End() > n.Pos() || i.Else != nil {
			continue
		}
		last := list[len(list)-1]
		if n.End() <= last.End() && r.implies(ld, i.Cond, false) && ends(ld.Pkg.Info, i.Body) {
			return true
		}
	}
	return false
}

// implies reports whether a condition that is as given proves ok: ok, ok && x, !ok, !ok || x.
func (r *recorder) implies(ld *Load, cond ast.Expr, outcome bool) bool {
	switch c := ast.Unparen(cond).(type) {
	case *ast.Ident:
		v := nameVar(ld.Pkg.Info, c)
		return outcome && v != nil && v.Pos() == ld.OK.Pos()
	case *ast.UnaryExpr:
		return c.Op == token.NOT && r.implies(ld, c.X, !outcome)
	case *ast.BinaryExpr:
		if outcome && c.Op == token.LAND || !outcome && c.Op == token.LOR {
			return r.implies(ld, c.X, outcome) || r.implies(ld, c.Y, outcome)
		}
	}
	return false
}

// ends reports whether a block never reaches its end.
func ends(info *types.Info, b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	switch s := b.List[len(b.List)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.BREAK || s.Tok == token.CONTINUE
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		return isBuiltin(info, call, "panic")
	}
	return false
}
