package census

import (
	"go/ast"
	"go/types"
)

// An Attacher is a function that attaches the value it is given under one key, and does nothing else:
//
//	func WithUser(ctx context.Context, u *User) context.Context { return context.WithValue(ctx, userKey{}, u) }
type Attacher struct {
	Func *types.Func
	Decl *ast.FuncDecl
	// Site is the writer in its body.
	Site *Site
}

// Attachers returns the attachers of the world's ordinary files, by position.
func (c *Census) Attachers() []*Attacher {
	var list []*Attacher
	for _, s := range c.ownLinks() {
		if a := c.attacher(s); a != nil {
			list = append(list, a)
		}
	}
	return list
}

// attacher returns the attacher whose body is a writer, nil for none.
func (c *Census) attacher(s *Site) *Attacher {
	if s.File.Test {
		return nil
	}
	parent, _ := c.Outer(s.File, s.Lookup.Call)
	ret, ok := parent.(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return nil
	}
	body, _ := c.Parent(s.File, ret).(*ast.BlockStmt)
	decl, ok := c.Parent(s.File, body).(*ast.FuncDecl)
	if !ok || len(body.List) != 1 || decl.Recv != nil {
		return nil
	}
	fn, ok := s.Pkg.Info.Defs[decl.Name].(*types.Func)
	if !ok {
		return nil
	}
	sig := fn.Signature()
	if sig.TypeParams().Len() > 0 || sig.Variadic() || sig.Params().Len() != 2 || sig.Results().Len() != 1 || !isStdContext(sig.Results().At(0).Type()) {
		return nil
	}
	// The context comes first: values are computed in the order of the calls then.
	ctx, value := sig.Params().At(0), sig.Params().At(1)
	if !isStdContext(ctx.Type()) || !namesVar(s, s.Lookup.Context, ctx) || !namesVar(s, s.Lookup.Value, value) {
		return nil
	}
	return &Attacher{Func: fn, Decl: decl, Site: s}
}

func isStdContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context" && named.Obj().Name() == "Context"
}

func namesVar(s *Site, e ast.Expr, v *types.Var) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && s.Pkg.Info.Uses[id] == v
}

// calls returns the calls of an attacher as writers of its key, and whether it is used in other ways as well.
func (c *Census) calls(a *Attacher) (sites []*Site, others bool) {
	for _, u := range c.Uses(a.Func) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		fun := c.NameExpr(u.File, u.Ident)
		parent, child := c.Outer(u.File, fun)
		call, ok := parent.(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) != child || len(call.Args) != 2 || !u.Pkg.World {
			others = true
			continue
		}
		lk := &Lookup{Role: Writer, Call: call, Context: call.Args[0], Value: call.Args[1], File: u.File, Pkg: u.Pkg}
		sites = append(sites, &Site{Role: Writer, Key: a.Site.Key, Lookup: lk, Expr: fun, File: u.File, Pkg: u.Pkg, Via: a})
	}
	return sites, others
}

// Calls returns the calls of the attacher whose body is a writer, and whether it is used in other ways as well; none for
// a writer that stands elsewhere.
func (c *Census) Calls(s *Site) (sites []*Site, others bool) {
	if !s.direct() {
		return nil, false
	}
	if a := c.attacher(s); a != nil {
		return c.calls(a)
	}
	return nil, false
}

// AlwaysIn reports whether all uses of an attacher are calls among the given ones.
func (c *Census) AlwaysIn(a *Attacher, calls map[*ast.CallExpr]bool) bool {
	sites, others := c.calls(a)
	for _, s := range sites {
		others = others || !calls[s.Lookup.Call]
	}
	return !others && len(sites) > 0
}
