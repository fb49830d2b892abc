package program

import (
	"go/ast"
	"go/types"
)

// Underlying returns the underlying type of an expression. Where a package has errors an expression may lack a type: then it is
// the invalid one, and never nil.
func Underlying(info *types.Info, e ast.Expr) types.Type {
	if t := info.TypeOf(e); t != nil {
		return t.Underlying()
	}
	return types.Typ[types.Invalid]
}
