package census

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A Use is an identifier that refers to an object, its declaration included.
type Use struct {
	Ident *ast.Ident
	File  *program.File
	Pkg   *program.Package
}

// Uses returns every mention of a constant, variable or function in the packages that
// were read with function bodies, over all build configurations, each place once.
func (c *Census) Uses(obj types.Object) []Use {
	var list []Use
	seen := map[*ast.Ident]bool{}
	for _, ix := range c.indexes {
		o := ix.at(obj)
		if o == nil {
			continue
		}
		for _, u := range ix.usesOf(o) {
			id := u.node.(*ast.Ident)
			if !seen[id] {
				seen[id] = true
				list = append(list, Use{id, u.file, u.pkg})
			}
		}
	}
	return list
}

// at returns this configuration's object declared where obj is.
func (ix *index) at(obj types.Object) types.Object {
	obj = ix.rep(obj)
	if _, ok := ix.uses[obj]; ok {
		return obj
	}
	if ix.byPos == nil {
		ix.byPos = map[token.Pos]types.Object{}
		for o := range ix.uses {
			ix.byPos[o.Pos()] = o
		}
	}
	return ix.byPos[obj.Pos()]
}

// Outer returns the node around n in its file, parentheses skipped, and the outermost
// parenthesised form of n.
func (c *Census) Outer(f *program.File, n ast.Node) (parent, child ast.Node) {
	return c.indexes[0].outer(f, n)
}

// NameExpr returns the expression that an identifier names something by: the selector it
// ends, else itself.
func (c *Census) NameExpr(f *program.File, id *ast.Ident) ast.Expr {
	return c.indexes[0].nameExpr(f, id)
}

// Parent returns the node directly around n in its file.
func (c *Census) Parent(f *program.File, n ast.Node) ast.Node { return c.indexes[0].parent(f, n) }

// ParamOf returns the declared function that a parameter belongs to, with its index; nil
// for other variables and for parameters of function literals.
func (c *Census) ParamOf(v *types.Var) (fn *types.Func, i int) {
	for _, ix := range c.indexes {
		if o, ok := ix.at(v).(*types.Var); ok {
			if p, ok := ix.paramOf(o); ok {
				return p.fn, p.index
			}
		}
	}
	return nil, 0
}

// InterfaceMethod reports whether an interface type has a method of that name.
func (c *Census) InterfaceMethod(name string) bool {
	for _, ix := range c.indexes {
		if len(ix.ifaceMethods[name]) > 0 {
			return true
		}
	}
	return false
}

// Args returns the argument expressions that calls pass for a declared function's
// parameter; open is set when there are calls that cannot be seen.
func (c *Census) Args(fn *types.Func, i int) (args []Expr, open bool) {
	for _, ix := range c.indexes {
		o, ok := ix.at(fn).(*types.Func)
		if !ok {
			continue
		}
		var s sources
		ix.callArgs(o, argument{index: i}, &s, map[*types.Func]bool{})
		open = open || len(s.unknown) > 0
		for _, r := range s.refs {
			args = append(args, Expr{r.expr, r.file, r.pkg})
		}
	}
	return args, open
}

// ParamArgs returns the argument expressions that calls pass for a parameter of a declared function or of a literal, as far as
// they can be seen.
func (c *Census) ParamArgs(v *types.Var) (args []Expr) {
	for _, ix := range c.indexes {
		o, ok := ix.at(v).(*types.Var)
		if !ok {
			continue
		}
		p, ok := ix.paramOf(o)
		if !ok || p.index < 0 {
			continue
		}
		var s sources
		if p.fn != nil {
			ix.callArgs(p.fn, argument{index: p.index}, &s, map[*types.Func]bool{})
		} else {
			ix.litArgs(p, "", &s)
		}
		for _, r := range s.refs {
			args = append(args, Expr{r.expr, r.file, r.pkg})
		}
	}
	return args
}

// An Expr is an expression with the file and package it stands in.
type Expr struct {
	Expr ast.Expr
	File *program.File
	Pkg  *program.Package
}
