package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An alias is a definition that would be left as ctx2 := ctx when the call of its value goes.
type alias struct {
	call *storeCall
	as   *ast.AssignStmt
	keep ast.Expr
	// value is set when the stored value stays.
	value bool
}

// settleAliases lets the context itself take the place of variables that would be nothing but other names of it.
func (p *dropPlan) settleAliases() error {
	for _, a := range p.aliases {
		uses, ok := p.renamed(a)
		if !ok {
			if err := p.leaveAlias(a); err != nil {
				return err
			}
			continue
		}
		if err := p.dropStatement(a.call, a.as, a.value); err != nil {
			return err
		}
		for _, id := range uses {
			p.splice(a.call.file, id.Pos(), id.End(), Lit(ast.Unparen(a.keep).(*ast.Ident).Name))
		}
	}
	return nil
}

// leaveAlias puts the context in the place of the call.
func (p *dropPlan) leaveAlias(a *alias) error {
	if a.value {
		if err := p.insertBefore(a.call.file, a.as, a.call.value); err != nil {
			return err
		}
	}
	return p.replace(a.call.file, a.call.call, a.keep)
}

// renamed returns the uses of an alias, which may as well name the context; ok is false where they may not: one of the
// variables changes, its name means something else there, or its type makes a difference.
func (p *dropPlan) renamed(a *alias) (uses []*ast.Ident, ok bool) {
	f, pkg := a.call.file, a.call.pkg
	id, isName := a.as.Lhs[0].(*ast.Ident)
	from, isIdent := ast.Unparen(a.keep).(*ast.Ident)
	if !isName || !isIdent || p.alone(f, a.as) {
		return nil, false
	}
	v, _ := pkg.Info.Defs[id].(*types.Var)
	ctx, _ := pkg.Info.Uses[from].(*types.Var)
	if v == nil || ctx == nil || ctx.Parent() == pkg.Types.Scope() || p.reassigned(v) || p.reassigned(ctx) {
		return nil, false
	}
	same := types.Identical(v.Type(), ctx.Type())
	for _, u := range p.census.Uses(v) {
		if u.Ident == id || p.goes(u.File, u.Ident.Pos()) {
			continue
		}
		for _, k := range p.kept {
			if k.file == u.File && k.holds(u.Ident.Pos()) {
				return nil, false // it is copied elsewhere
			}
		}
		if meaning(place{pkg, u.Ident.Pos()}, from.Name) != types.Object(ctx) || !same && !p.takenAsContext(u.File, u.Pkg, u.Ident) {
			return nil, false
		}
		uses = append(uses, u.Ident)
	}
	return uses, true
}

// takenAsContext reports whether a variable is an argument of a call that takes a context.
func (p *dropPlan) takenAsContext(f *program.File, pkg *program.Package, id *ast.Ident) bool {
	parent, child := p.census.Outer(f, id)
	call, ok := parent.(*ast.CallExpr)
	if !ok || ast.Node(call.Fun) == child {
		return false
	}
	sig, ok := pkg.Info.TypeOf(call.Fun).(*types.Signature)
	if !ok {
		return false
	}
	for i, arg := range call.Args {
		if ast.Node(arg) == child {
			return i < sig.Params().Len() && flow.IsContext(sig.Params().At(i).Type())
		}
	}
	return false
}

// aliasOf returns the definition of a variable that a call which goes is the only value of, nil for others.
func aliasOf(parent ast.Node, c *storeCall) *ast.AssignStmt {
	as, ok := parent.(*ast.AssignStmt)
	if !ok || as.Tok != token.DEFINE || len(as.Lhs) != 1 || len(as.Rhs) != 1 || ast.Unparen(as.Rhs[0]) != ast.Expr(c.call) {
		return nil
	}
	return as
}
