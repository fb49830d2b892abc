package census

import (
	"go/ast"
	"go/types"
)

// ByPosition returns the expressions that composite literals without field names give to a field.
func (c *Census) ByPosition(field *types.Var) []Expr {
	var list []Expr
	seen := map[ast.Expr]bool{}
	for _, ix := range c.indexes {
		v, ok := ix.at(field).(*types.Var)
		if !ok {
			continue
		}
		var s sources
		ix.inflowUnkeyed(v, "", &s)
		for _, r := range s.refs {
			if !seen[r.expr] {
				seen[r.expr] = true
				list = append(list, Expr{r.expr, r.file, r.pkg})
			}
		}
	}
	return list
}
