package growingctx

import (
	"go/ast"
	"go/token"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
)

// elsewhere says who else, outside of what runs many times, reads what the statement stores; nil for nobody. The text alone does not
// tell: a literal that captures the variable runs when it is called, deferred code at the end, and what stands in a loop around again
// in its next turn. All of them would go on seeing the old context when the statement declares a variable of its own.
func (f *finder) elsewhere(g *growth) *rules.Blocker {
	again := f.again(g)
	for _, u := range f.census.Uses(g.v) {
		at := u.Ident.Pos()
		inside := u.File == g.file && at >= g.body.Pos() && at < g.body.End()
		switch {
		case f.addressed(u):
			return read(u, "its address is taken, so that others may read what the statement stores")
		case inside || at == g.v.Pos() || f.assigned(u):
		case f.capturing(g, u) != nil:
			return read(u, "the function literal here reads what the statement stores; give it the context, or declare another variable by hand")
		case again != nil && at >= again.Pos() && at < again.End():
			return read(u, "what the statement has stored is read here when this runs again; declare another variable by hand")
		}
	}
	return nil
}

func read(u census.Use, message string) *rules.Blocker {
	return &rules.Blocker{Reason: "read-elsewhere", Message: message, File: u.File, Pos: u.Ident.Pos()}
}

// again returns the outermost loop or function literal between the declaration of the variable and what runs many times: it may
// bring code in front of that to run behind it. It is nil where there is none.
func (f *finder) again(g *growth) (found ast.Node) {
	for n := f.census.Parent(g.file, g.around); n != nil; n = f.census.Parent(g.file, n) {
		if g.v.Pos() >= n.Pos() && g.v.Pos() < n.End() {
			return found
		}
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.FuncLit:
			found = n
		}
	}
	return found
}

// capturing returns the function literal around a use that the statement is no part of, unless it runs where it is written and
// is gone behind it; nil for none.
func (f *finder) capturing(g *growth, u census.Use) *ast.FuncLit {
	for n := f.census.Parent(u.File, u.Ident); n != nil; n = f.census.Parent(u.File, n) {
		lit, ok := n.(*ast.FuncLit)
		if !ok {
			continue
		}
		if g.v.Pos() >= lit.Pos() && g.v.Pos() < lit.End() {
			return nil
		}
		if g.as.Pos() >= lit.Pos() && g.as.Pos() < lit.End() {
			return nil
		}
		parent, _ := f.census.Outer(u.File, lit)
		if _, ok := parent.(*ast.CallExpr); !ok || f.flow.RunOf(u.Pkg, u.File, lit) != flow.InPlace {
			return lit
		}
	}
	return nil
}

// addressed reports whether a mention takes the variable's address.
func (f *finder) addressed(u census.Use) bool {
	parent, _ := f.census.Outer(u.File, u.Ident)
	unary, ok := parent.(*ast.UnaryExpr)
	return ok && unary.Op == token.AND
}
