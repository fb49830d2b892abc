package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A givingBack looks for where a function gives back what a call may have taken hold of.
type givingBack struct {
	flow *Flow
	pkg  *program.Package
	file *program.File
	held []place
	call *ast.CallExpr
}

// behind reports whether a body gives something back behind the call, at its end as well.
func (g *givingBack) behind(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if n != nil && n.End() > g.call.End() {
			found = found || n.Pos() > g.call.End() && g.gives(n)
			return !found
		}
		return false
	})
	return found
}

// inGoroutine reports whether goroutines that were started before the call, or around it in a loop, give something back: the call waits
// for them.
func (g *givingBack) inGoroutine(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		start, ok := n.(*ast.CallExpr)
		if !ok || start.Pos() > g.call.Pos() || within(start, g.call) || g.flow.Started(g.pkg, g.file, start) == nil {
			return !found
		}
		ast.Inspect(start, func(n ast.Node) bool {
			found = found || n != nil && g.gives(n)
			return !found
		})
		return false
	})
	return found
}

// gives reports whether a node gives something back: a call of a method of what is held, or with that as an argument, that is deferred,
// or that gets no context and tells nobody anything; or a receive from it.
func (g *givingBack) gives(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.DeferStmt:
		return g.atEnd(n.Call)
	case *ast.ExprStmt:
		call, ok := ast.Unparen(n.X).(*ast.CallExpr)
		return ok && g.by(call)
	case *ast.AssignStmt:
		call, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr)
		return ok && g.by(call) && !slices.ContainsFunc(n.Lhs, func(lhs ast.Expr) bool {
			id, ok := lhs.(*ast.Ident)
			return !ok || id.Name != "_"
		})
	case *ast.UnaryExpr:
		return n.Op == token.ARROW && g.isHeld(n.X)
	}
	return false
}

// atEnd reports whether a deferred call does something with what is held.
func (g *givingBack) atEnd(call *ast.CallExpr) bool {
	if slices.ContainsFunc(call.Args, g.isHeld) {
		return true
	}
	found := false
	ast.Inspect(call.Fun, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			found = found || slices.ContainsFunc(call.Args, g.isHeld)
		}
		sel, ok := n.(*ast.SelectorExpr)
		found = found || ok && g.isMethodOf(sel) && g.isHeld(sel.X)
		return !found
	})
	return found
}

// isMethodOf reports whether a selector names a method.
func (g *givingBack) isMethodOf(sel *ast.SelectorExpr) bool {
	s := g.pkg.Info.Selections[sel]
	return s != nil && s.Kind() == types.MethodVal
}

// by reports whether a call is one of a method of what is held that gets no context, and another one than the call's: what is done twice
// gives nothing back.
func (g *givingBack) by(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	fn := census.Callee(g.pkg.Info, call)
	if !ok || fn == nil || fn.Signature().Recv() == nil || !onlyFails(fn.Signature()) || takesCarrier(fn.Signature()) || fn == census.Callee(g.pkg.Info, g.call) {
		return false
	}
	return g.isHeld(sel.X)
}

func (g *givingBack) isHeld(e ast.Expr) bool {
	p, ok := placeOf(g.pkg.Info, e)
	if !ok {
		return false
	}
	if _, isVar := p.root.(*types.Var); !isVar {
		return false
	}
	return slices.Contains(g.held, p)
}
