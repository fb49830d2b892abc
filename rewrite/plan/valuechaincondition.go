package plan

import (
	"go/ast"
	"go/token"
	"go/types"
)

// conditions reports whether the second result of a read is used as a condition, or as a part of one, and as nothing else: a comparison of
// the field with nil can take its place there. Where the value is compared with nil already, there would be two of them.
func (jp *joinPlan) conditions(r *joinRead) bool {
	if !isBlankExpr(r.lhs[0]) {
		for _, use := range jp.usesOfLocal(r.Pkg.Info.Defs[r.lhs[0].(*ast.Ident)]) {
			if p, ok := jp.census.Parent(r.File, use).(*ast.BinaryExpr); ok && (r.Pkg.Info.Types[p.X].IsNil() || r.Pkg.Info.Types[p.Y].IsNil()) {
				return false
			}
		}
	}
	for _, use := range jp.okUses(r) {
		e := jp.negated(r, use)
		switch p := jp.census.Parent(r.File, e).(type) {
		case *ast.IfStmt:
		case *ast.BinaryExpr:
			if p.Op != token.LAND && p.Op != token.LOR {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// okUses returns the mentions of a read's second result.
func (jp *joinPlan) okUses(r *joinRead) []*ast.Ident {
	var obj types.Object
	if id, ok := r.lhs[1].(*ast.Ident); ok {
		obj = r.Pkg.Info.Defs[id]
	}
	if obj == nil {
		return nil
	}
	return jp.usesOfLocal(obj)
}

// negated returns the !ok around a mention of ok, else the mention.
func (jp *joinPlan) negated(r *joinRead, use *ast.Ident) ast.Expr {
	if not, ok := jp.census.Parent(r.File, use).(*ast.UnaryExpr); ok && not.Op == token.NOT {
		return not
	}
	return use
}

// compareWithNil writes comparisons of the field with nil where the second result of a read stood, in a struct held by v.
func (jp *joinPlan) compareWithNil(r *joinRead, v string) {
	for _, use := range jp.okUses(r) {
		op := " != nil"
		e := jp.negated(r, use)
		if e != ast.Expr(use) {
			op = " == nil"
		}
		jp.splice(r.File, e.Pos(), e.End(), Lit(v+"."+r.field.name+op))
	}
}
