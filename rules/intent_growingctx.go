package rules

import (
	"fmt"
	"go/ast"

	"github.com/ctxmend/ctxmend/rules/program"
)

// ShadowContext asks for an assignment in a loop, or in a function that is called many times, to declare a variable of its own.
type ShadowContext struct {
	File   *program.File
	Assign *ast.AssignStmt
}

// UnitID names the unit by the place of the assignment.
func (in *ShadowContext) UnitID() string {
	pos := in.File.Tok.PositionFor(in.Assign.Pos(), false)
	return fmt.Sprintf("growingctx:%s:%d:%d", in.File.Rel, pos.Line, pos.Column)
}
