package uncheckedread

import (
	"fmt"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

// accessor returns the finding about a function that does nothing but read, and says that it panics: the panic is
// that of the callers which do not say so themselves. Nil where there are none.
func (c *checker) accessor(r *census.Read, assert *ast.TypeAssertExpr) *rules.Finding {
	decl := c.function(r.File, r.Call)
	fn := c.getter(r, assert)
	if fn == nil {
		return nil
	}
	var calls []rules.Related
	for _, u := range c.census.Uses(fn) {
		if !u.Pkg.World || u.File.Test || u.Pkg.Info.Defs[u.Ident] != nil || c.meant(u.File, u.Pkg, u.Ident) {
			continue
		}
		calls = append(calls, rules.Related{File: u.File, Pos: u.Ident.Pos(), Message: "called"})
	}
	if len(calls) == 0 {
		return nil
	}
	f := &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf("%s panics when the context does not carry the value, and its callers do not say so; a second result would let them handle that", decl.Name.Name),
		File:          r.File,
		Pos:           assert.Pos(),
		End:           assert.End(),
		Applicability: rules.Manual,
		Status:        rules.NoFix,
		Related:       calls,
	}
	if len(r.Keys) == 1 {
		f.Key, f.KeyID = r.Keys[0].Name(), r.Keys[0].UnitName()
	}
	return f
}

// getter returns the function whose body is nothing but return ctx.Value(key).(T), nil for other places.
func (c *checker) getter(r *census.Read, assert *ast.TypeAssertExpr) *types.Func {
	ret, _ := c.census.Outer(r.File, assert)
	if _, ok := ret.(*ast.ReturnStmt); !ok {
		return nil
	}
	body := c.census.Parent(r.File, ret)
	decl, ok := c.census.Parent(r.File, body).(*ast.FuncDecl)
	if !ok || len(decl.Body.List) != 1 {
		return nil
	}
	fn, _ := r.Pkg.Info.Defs[decl.Name].(*types.Func)
	return fn
}
