package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
)

// tells reports whether a condition holds when something has failed, which may be because a context has ended: err != nil,
// ctx.Err() != nil, errors.Is(err, context.Canceled).
func (e *ender) tells(cond ast.Expr) bool {
	switch c := ast.Unparen(cond).(type) {
	case *ast.BinaryExpr:
		switch c.Op {
		case token.LAND, token.LOR:
			return e.tells(c.X) || e.tells(c.Y)
		case token.NEQ:
			return e.failing(c.X) || e.failing(c.Y)
		case token.EQL:
			return e.contextError(c.X) || e.contextError(c.Y)
		}
	case *ast.CallExpr:
		for _, arg := range c.Args {
			if e.failing(arg) {
				return true
			}
		}
	case *ast.UnaryExpr:
		return c.Op == token.NOT && (!e.tells(c.X) && e.asks(c.X, "Err") || e.outcome(c.X, token.EQL))
	case *ast.Ident:
		return e.outcome(c, token.NEQ)
	}
	return e.contextError(cond)
}

// outcome reports whether an expression is a variable that tells how an error compares with nil: ok := work(ctx) == nil.
func (e *ender) outcome(x ast.Expr, op token.Token) bool {
	id, ok := ast.Unparen(x).(*ast.Ident)
	if !ok || !isBool(e.pkg.Info.TypeOf(id)) {
		return false
	}
	c, ok := ast.Unparen(e.lastValue(id)).(*ast.BinaryExpr)
	return ok && c.Op == op && (e.failing(c.X) || e.failing(c.Y))
}

// failing reports whether an expression is an error that the end of a context may be the reason for: its own, or one that
// a call has returned which was given a context.
func (e *ender) failing(x ast.Expr) bool {
	if !isErrorType(e.pkg.Info.TypeOf(x)) {
		return false
	}
	id, ok := ast.Unparen(x).(*ast.Ident)
	if !ok {
		call, ok := ast.Unparen(x).(*ast.CallExpr)
		return !ok || e.givenContext(call)
	}
	v, ok := e.pkg.Info.Uses[id].(*types.Var)
	if !ok {
		return false // nil
	}
	var last ast.Node
	for _, u := range e.flow.census.Uses(v) {
		parent, child := e.flow.census.Outer(e.file, u.Ident)
		if as, ok := parent.(*ast.AssignStmt); ok && u.File == e.file && u.Ident.Pos() < x.Pos() {
			for _, lhs := range as.Lhs {
				if ast.Node(lhs) == child {
					last = as
				}
			}
		}
	}
	as, ok := last.(*ast.AssignStmt)
	if !ok {
		return true
	}
	found := false
	for _, rhs := range as.Rhs {
		call, ok := ast.Unparen(rhs).(*ast.CallExpr)
		found = found || !ok || e.givenContext(call)
	}
	return found
}

// givenContext reports whether a call gets a context, something that carries one, or code that may use one.
func (e *ender) givenContext(call *ast.CallExpr) bool {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		of := ast.Unparen(sel.X)
		if id, ok := of.(*ast.Ident); ok {
			of = ast.Unparen(e.lastValue(id))
		}
		if made, ok := of.(*ast.CallExpr); ok && e.getsContext(made) || Implements(e.pkg.Info.TypeOf(sel.X)) {
			return true
		}
	}
	if census.Callee(e.pkg.Info, call) == nil || e.meetsPeer(call) {
		return true
	}
	for _, arg := range call.Args {
		t := e.pkg.Info.TypeOf(arg)
		if t == nil || Implements(t) || asked(t) != "" {
			return true
		}
		if inner, ok := ast.Unparen(arg).(*ast.CallExpr); ok && e.givenContext(inner) {
			return true
		}
		if _, ok := Under(t).(*types.Signature); ok {
			return true
		}
	}
	return false
}

// contextError reports whether an expression names context.Canceled or context.DeadlineExceeded.
func (e *ender) contextError(x ast.Expr) bool {
	sel, ok := ast.Unparen(x).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	v, ok := e.pkg.Info.Uses[sel.Sel].(*types.Var)
	return ok && v.Pkg() != nil && v.Pkg().Path() == "context" && !strings.HasPrefix(v.Name(), "_")
}

func isErrorType(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}
