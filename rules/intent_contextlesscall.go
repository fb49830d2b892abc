package rules

import (
	"fmt"
	"go/ast"
	"go/types"

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
	// Requests are calls that become two: one that makes a request, and one that sends it. Those of one function share an
	// intent, since they share the name of the request.
	Requests []*SentRequest
}

// A SentRequest is a call of net/http that makes a request and sends it: http.Get, or Post of a client.
type SentRequest struct {
	Call *ast.CallExpr
	// Text is the context as it is spelled there.
	Text string
	// Method is the constant of net/http that names what is asked: MethodGet.
	Method string
	// URL, ContentType, Body and Form are the arguments; nil for those that the call does not have.
	URL, ContentType, Body, Form ast.Expr
	// Client is the expression of the client, nil for http.DefaultClient.
	Client ast.Expr
	// Stmt is the statement of a block that the call is all of: an assignment, or a return.
	Stmt ast.Stmt
	// Check is the statement behind an assignment that leaves the block when the call has failed.
	Check *ast.IfStmt
}

// A TwinCall is one call and what it becomes.
type TwinCall struct {
	Call *ast.CallExpr
	// Text is the context as it is spelled there.
	Text string
	Twin *Twin
	// Logs is set when the call writes a log entry: it looks at the context, and does not end with it.
	Logs bool
}

// A Twin is the form of a call that takes a context.
type Twin struct {
	// Func is the counterpart, where it is one of the same package or type; nil for other forms.
	Func *types.Func
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
	var first *ast.CallExpr
	if len(in.Calls) > 0 {
		first = in.Calls[0].Call
	} else {
		first = in.Requests[0].Call
	}
	pos := in.File.Tok.PositionFor(first.Pos(), false)
	return fmt.Sprintf("contextlesscall:%s:%d:%d", in.File.Rel, pos.Line, pos.Column)
}
