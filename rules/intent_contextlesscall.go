package rules

import (
	"fmt"
	"go/ast"

	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// CallTwins asks for calls to become calls of functions that do the same and take a context. Calls in one function that need
// a name for the same parameter share one intent.
type CallTwins struct {
	File *program.File
	Pkg  *program.Package
	// Source is the context in scope.
	Source *flow.Source
	Calls  []*TwinCall
}

// A TwinCall is one call and what it becomes.
type TwinCall struct {
	Call *ast.CallExpr
	// Text is the context as it is spelled there.
	Text string
	Twin *Twin
}

// A Twin is the form of a call that takes a context.
type Twin struct {
	// Name is the name of the function or method that takes the place of the one called.
	Name string
	// Owner, when not "", is a package-level variable of the callee's package whose method Name is (DefaultResolver), or a
	// struct type, when Literal is set, of which a literal is made ((&net.Dialer{}).DialContext).
	Owner   string
	Literal bool
	// PkgPath and PkgName name the package of Owner.
	PkgPath, PkgName string
	// Field is the field of the literal that gets the last argument; "" for none.
	Field string
	// More are arguments behind the context that the old form does not have.
	More string
	// Lasts is set when what the call returns ends with the context.
	Lasts bool
}

// UnitID names the unit by the place of the first call.
func (in *CallTwins) UnitID() string {
	pos := in.File.Tok.PositionFor(in.Calls[0].Call.Pos(), false)
	return fmt.Sprintf("contextlesscall:%s:%d:%d", in.File.Rel, pos.Line, pos.Column)
}
