package rules

import (
	"fmt"
	"go/ast"
	"go/token"

	"github.com/ctxmend/ctxmend/rules/program"
)

// UseDerived asks for a derived context to be passed where its parent is.
type UseDerived struct {
	File *program.File
	// Name is the derived context's, At where it is derived.
	Name string
	At   token.Pos
	// Parents are the expressions to be replaced.
	Parents []ast.Expr
}

// UnitID names the unit by the place of the derivation.
func (in *UseDerived) UnitID() string {
	pos := in.File.Tok.PositionFor(in.At, false)
	return fmt.Sprintf("staleparent:%s:%d:%d", in.File.Rel, pos.Line, pos.Column)
}
