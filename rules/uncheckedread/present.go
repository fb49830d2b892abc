package uncheckedread

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A spot is a place in a function, and the context that is read there.
type spot struct {
	file    *program.File
	pkg     *program.Package
	decl    *ast.FuncDecl
	pos     token.Pos
	context ast.Expr
}

// maxCallers bounds how far up the callers of a function are asked.
const maxCallers = 3

// present reports whether the value of a read is stored, or its presence checked, before: in the same function, by a function that
// it calls with the context, or by all callers of the function.
func (c *checker) present(r *census.Read) bool {
	decl := c.function(r.File, r.Call)
	if decl == nil {
		return false
	}
	if c.presentByText(r, decl) {
		return true
	}
	return len(r.Keys) == 1 && c.presentBefore(r.Keys[0], r.Key, spot{r.File, r.Pkg, decl, r.Call.Pos(), r.Context}, 0)
}

// presentByText reports whether the same key expression is stored under, or looked up in the same context and checked, earlier
// in the function.
func (c *checker) presentByText(r *census.Read, decl *ast.FuncDecl) bool {
	key, ctx := types.ExprString(r.Key), types.ExprString(r.Context)
	return slices.ContainsFunc(c.lookups[r.File], func(lk *census.Lookup) bool {
		if lk.Call.Pos() < decl.Pos() || lk.Call.End() > r.Call.Pos() || types.ExprString(lk.Key) != key {
			return false
		}
		return lk.Role == census.Writer || types.ExprString(lk.Context) == ctx && c.checked(lk)
	})
}

// presentBefore reports whether a key is stored, or its presence checked, before a place. That callers store it says nothing: those
// of tomorrow may not.
func (c *checker) presentBefore(k *census.Key, expr ast.Expr, at spot, depth int) bool {
	found := false
	ast.Inspect(at.decl, func(n ast.Node) bool {
		if found || n == nil || n.Pos() >= at.pos {
			return false
		}
		call, ok := n.(*ast.CallExpr)
		if !ok || call.End() > at.pos {
			return true
		}
		if lk := c.at[call]; lk != nil && slices.Contains(c.keysOf[lk], k) && len(c.keysOf[lk]) == 1 {
			found = lk.Role == census.Writer && depth == 0 || lk.Role == census.Reader && sameContext(lk.Context, at.context) && c.checked(lk)
			return !found
		}
		if _, unused := c.census.Parent(at.file, call).(*ast.ExprStmt); unused || !slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return sameContext(a, at.context) }) {
			return true
		}
		if fn := census.Callee(at.pkg.Info, call); fn != nil {
			named := slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return types.ExprString(a) == types.ExprString(expr) })
			found = c.checks(fn, k, named, map[*types.Func]bool{})
		}
		return !found
	})
	return found || depth < maxCallers && c.presentInCallers(k, expr, at, depth)
}

// sameContext reports whether an argument is the context that is read, or the request that it comes from.
func sameContext(arg, ctx ast.Expr) bool {
	a, x := types.ExprString(arg), types.ExprString(ctx)
	return a == x || a+".Context()" == x || a == x+".Context()"
}

// checks reports whether a function checks the presence of a key in a context, itself or by a function it calls; named is set
// when the key is handed to it.
func (c *checker) checks(fn *types.Func, k *census.Key, named bool, seen map[*types.Func]bool) bool {
	if seen[fn] || fn.Signature().Results().Len() == 0 {
		return false
	}
	seen[fn] = true
	known := false
	for _, u := range c.census.Uses(fn) {
		decl, ok := c.census.Parent(u.File, u.Ident).(*ast.FuncDecl)
		if !ok || decl.Body == nil || u.Pkg.Info.Defs[u.Ident] == nil {
			continue
		}
		known = true
		found := false
		ast.Inspect(decl.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if found || !ok {
				return !found
			}
			if lk := c.at[call]; lk != nil {
				found = lk.Role == census.Reader && slices.Contains(c.keysOf[lk], k) && (named || len(c.keysOf[lk]) == 1) && c.checked(lk)
			} else if callee := census.Callee(u.Pkg.Info, call); callee != nil {
				found = c.checks(callee, k, named, seen)
			}
			return !found
		})
		if found {
			return true
		}
	}
	// Of a single package one cannot say what the functions of others check; those of the standard library know no keys of the program.
	return !known && c.census.Program.Single && !c.census.Program.Configs[0].Std(fn.Pkg())
}

// presentInCallers reports whether every caller of an unexported function has checked the presence of the key in the context that
// it hands down.
func (c *checker) presentInCallers(k *census.Key, expr ast.Expr, at spot, depth int) bool {
	id, ok := at.context.(*ast.Ident)
	fn, _ := at.pkg.Info.Defs[at.decl.Name].(*types.Func)
	if !ok || fn == nil || fn.Exported() || fn.Name() == "main" || fn.Name() == "init" {
		return false
	}
	v, _ := at.pkg.Info.Uses[id].(*types.Var)
	i := -1
	for j := range fn.Signature().Params().Len() {
		if fn.Signature().Params().At(j) == v {
			i = j
		}
	}
	if i < 0 || fn.Signature().Variadic() || fn.Signature().Recv() != nil && c.census.InterfaceMethod(fn.Name()) {
		return false
	}
	calls := 0
	for _, u := range c.census.Uses(fn) {
		if u.Pkg.Info.Defs[u.Ident] != nil || u.File.Test {
			continue
		}
		parent, child := c.census.Outer(u.File, c.census.NameExpr(u.File, u.Ident))
		call, ok := parent.(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) != child || i >= len(call.Args) {
			return false
		}
		decl := c.function(u.File, call)
		if decl == nil || decl == at.decl || !c.presentBefore(k, expr, spot{u.File, u.Pkg, decl, call.Pos(), ast.Unparen(call.Args[i])}, depth+1) {
			return false
		}
		calls++
	}
	return calls > 0
}

// checked reports whether what a look-up returns is compared, or asserted with its second result.
func (c *checker) checked(lk *census.Lookup) bool {
	parent, _ := c.census.Outer(lk.File, lk.Call)
	switch p := parent.(type) {
	case *ast.BinaryExpr:
		return p.Op == token.EQL || p.Op == token.NEQ
	case *ast.TypeAssertExpr:
		return p.Type == nil || c.commaOK(lk.File, p)
	}
	return false
}
