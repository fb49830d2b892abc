package rules

import (
	"fmt"
	"go/ast"

	"github.com/ctxmend/ctxmend/rules/program"
)

// DeferCancel asks for the cancel function of a derived context to be called when the function returns.
type DeferCancel struct {
	File *program.File
	Pkg  *program.Package
	// Assign is the statement that derives the context.
	Assign *ast.AssignStmt
	// Cancel is the identifier that gets the cancel function; the blank one when it is dropped.
	Cancel *ast.Ident
}

// UnitID names the unit by the place of the statement.
func (in *DeferCancel) UnitID() string {
	pos := in.File.Tok.PositionFor(in.Assign.Pos(), false)
	return fmt.Sprintf("lostcancel:%s:%d:%d", in.File.Rel, pos.Line, pos.Column)
}
