package census

import (
	"go/ast"
	"go/types"
)

// KeyDecl returns the declaration, in the world, of the type that a key has or points to; nil for none. Types that are
// declared in one pair of parentheses have the same.
func (c *Census) KeyDecl(k *Key) *ast.GenDecl {
	if k.GoType == nil {
		return nil
	}
	named, ok := types.Unalias(deref(k.GoType)).(*types.Named)
	if !ok {
		return nil
	}
	f := c.Program.FileOf(named.Obj().Pos())
	if f == nil || !f.World || f.AST == nil {
		return nil
	}
	for _, d := range f.AST.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Pos() <= named.Obj().Pos() && named.Obj().Pos() < g.End() {
			return g
		}
	}
	return nil
}
