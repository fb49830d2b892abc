package rules

import (
	"fmt"
	"go/ast"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// CheckReads asks for the type assertions of one statement that panic when a context lacks a value to be
// written in their two-valued form, and for absence to be handled as the function handles errors.
type CheckReads struct {
	File *program.File
	Pkg  *program.Package
	// Stmt is the innermost statement around the reads.
	Stmt ast.Stmt
	// Reads are the assertions in the order of the source.
	Reads []*UncheckedRead
}

// An UncheckedRead is a one-valued assertion on what a context's Value returns.
type UncheckedRead struct {
	Assert *ast.TypeAssertExpr
	Lookup *census.Lookup
}

// UnitID names the unit by the place of the first read.
func (in *CheckReads) UnitID() string {
	pos := in.File.Tok.PositionFor(in.Reads[0].Assert.Pos(), false)
	return fmt.Sprintf("uncheckedread:%s:%d:%d", in.File.Rel, pos.Line, pos.Column)
}
