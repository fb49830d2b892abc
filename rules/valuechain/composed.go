package valuechain

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An attacher is a function that attaches one value and no other: a middleware, or a function such as WithUser.
type attacher struct {
	fn   *types.Func
	decl *ast.FuncDecl
	site *census.Site
}

// A composition is a row of attachers that one place puts one after the other.
type composition struct {
	parts []*attacher
	uses  []census.Use
	// calls is set when the parts are called with a context there, so that the values are attached at the place itself.
	calls bool
}

func (co *composition) holds(k *census.Key) bool {
	return slices.ContainsFunc(co.parts, func(a *attacher) bool { return a.site.Key == k })
}

// composed reports values that functions of one package attach, each one of them, and that one place composes in a row, unless
// the keys make a row that is reported already.
func composed(c *census.Census, together []*census.Together, reported func([]*census.Key) bool) []*rules.Finding {
	list := attachers(c)
	if len(list) < minimum {
		return nil
	}
	comps := compositions(c, list)
	var found []*rules.Finding
	for _, co := range comps {
		var best []*attacher
		var at *census.Together
		for _, t := range together {
			parts := slices.DeleteFunc(slices.Clone(co.parts), func(a *attacher) bool {
				return !slices.ContainsFunc(t.Reads, func(s *census.Site) bool { return s.Key == a.site.Key })
			})
			if parts = always(c, parts, comps); len(parts) > len(best) {
				best, at = parts, t
			}
		}
		if len(best) >= minimum && !reported(keysOf(best)) {
			found = append(found, composedFinding(co, best, at))
		}
	}
	return found
}

func keysOf(parts []*attacher) []*census.Key {
	var keys []*census.Key
	for _, a := range parts {
		keys = append(keys, a.site.Key)
	}
	return keys
}

// attachers returns the functions of ordinary files that attach one value, the only one stored under its key, by position.
func attachers(c *census.Census) []*attacher {
	byDecl := map[*ast.FuncDecl]*attacher{}
	several := map[*ast.FuncDecl]bool{}
	var order []*ast.FuncDecl
	for _, k := range c.Keys {
		for _, s := range k.Sites {
			if s.Role != census.Writer || s.File.Test || !s.Pkg.World || s.Lookup.Call == nil {
				continue
			}
			decl := funcAround(c, s.Lookup.File, s.Lookup.Call)
			if decl == nil {
				continue
			}
			fn, _ := s.Lookup.Pkg.Info.Defs[decl.Name].(*types.Func)
			if byDecl[decl] != nil || fn == nil || !s.Direct() || ownWriters(k) != 1 {
				several[decl] = true
				continue
			}
			byDecl[decl] = &attacher{fn, decl, s}
			order = append(order, decl)
		}
	}
	var list []*attacher
	for _, decl := range order {
		if !several[decl] {
			list = append(list, byDecl[decl])
		}
	}
	return list
}

// ownWriters counts the places in ordinary files that store a key.
func ownWriters(k *census.Key) int {
	n := 0
	for _, s := range k.Sites {
		if s.Role == census.Writer && !s.File.Test {
			n++
		}
	}
	return n
}

func funcAround(c *census.Census, f *program.File, n ast.Node) *ast.FuncDecl {
	for ; n != nil; n = c.Parent(f, n) {
		if decl, ok := n.(*ast.FuncDecl); ok {
			return decl
		}
	}
	return nil
}

// compositions returns the rows that ordinary files make of attachers of one package.
func compositions(c *census.Census, list []*attacher) []*composition {
	byFunc := map[*types.Func]*attacher{}
	for _, a := range list {
		byFunc[a.fn] = a
	}
	var comps []*composition
	byPlace := map[ast.Node]*composition{}
	for _, a := range list {
		for _, u := range c.Uses(a.fn) {
			if u.File.Test || !u.Pkg.World || u.Pkg.Info.Defs[u.Ident] != nil {
				continue
			}
			place, calls := placeOf(c, u, byFunc)
			if place == nil {
				continue
			}
			co := byPlace[place]
			if co == nil {
				co = &composition{calls: calls}
				byPlace[place] = co
				comps = append(comps, co)
			}
			if len(co.parts) > 0 && co.parts[0].fn.Pkg() != a.fn.Pkg() || co.holds(a.site.Key) {
				continue
			}
			co.parts = append(co.parts, a)
			co.uses = append(co.uses, u)
		}
	}
	comps = slices.DeleteFunc(comps, func(co *composition) bool { return len(co.parts) < minimum })
	for _, co := range comps {
		slices.SortFunc(co.uses, func(x, y census.Use) int { return int(x.Ident.Pos() - y.Ident.Pos()) })
		slices.SortFunc(co.parts, func(x, y *attacher) int { return int(co.useOf(x).Pos() - co.useOf(y).Pos()) })
	}
	comps = slices.DeleteFunc(comps, func(co *composition) bool { return !straight(c, co) })
	slices.SortFunc(comps, func(x, y *composition) int {
		a, b := c.Program.IDOf(x.uses[0].Ident.Pos()), c.Program.IDOf(y.uses[0].Ident.Pos())
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
	})
	return comps
}

// straight reports whether the statements of a composition follow each other: every call takes the context that the one before
// returned, or all attachers are handed to the same function.
func straight(c *census.Census, co *composition) bool {
	var before types.Object
	handed := ""
	for i, u := range co.uses {
		parent, child := c.Outer(u.File, c.NameExpr(u.File, u.Ident))
		call := parent.(*ast.CallExpr)
		if ast.Node(call.Fun) != child {
			if text := types.ExprString(call.Fun); i == 0 {
				handed = text
			} else if text != handed {
				return false
			}
			continue
		}
		stmt, _ := c.Outer(u.File, call)
		if _, nested := stmt.(*ast.CallExpr); nested || handed != "" {
			return handed == ""
		}
		if _, nested := ast.Unparen(call.Args[0]).(*ast.CallExpr); nested {
			before = nil
		} else if id, ok := ast.Unparen(call.Args[0]).(*ast.Ident); !ok || i > 0 && u.Pkg.Info.Uses[id] != before {
			return false
		}
		if as, ok := stmt.(*ast.AssignStmt); ok && len(as.Lhs) == 1 {
			if id, ok := as.Lhs[0].(*ast.Ident); ok {
				before = u.Pkg.Info.ObjectOf(id)
			}
		}
	}
	return true
}

// useOf returns where a composition names an attacher.
func (co *composition) useOf(a *attacher) *ast.Ident {
	for _, u := range co.uses {
		if obj := u.Pkg.Info.Uses[u.Ident]; obj != nil && obj.Pos() == a.fn.Pos() {
			return u.Ident
		}
	}
	return nil
}

// placeOf returns what a mention of an attacher shares with the others of its row: the outermost of nested calls, the call
// that takes them as arguments, the block whose statements hand them to one method, or call them, one after the other; nil for none.
func placeOf(c *census.Census, u census.Use, byFunc map[*types.Func]*attacher) (place ast.Node, calls bool) {
	parent, child := c.Outer(u.File, c.NameExpr(u.File, u.Ident))
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return nil, false
	}
	if ast.Node(call.Fun) != child { // handed over
		if len(call.Args) > 1 {
			return call, false
		}
		return blockOf(c, u.File, call), false
	}
	if !wraps(u.Pkg.Info, call) {
		return nil, false
	}
	outer := call
	for {
		up, arg := c.Outer(u.File, outer)
		around, ok := up.(*ast.CallExpr)
		if !ok || ast.Node(around.Fun) == arg || byFunc[census.Callee(u.Pkg.Info, around)] == nil {
			break
		}
		outer = around
	}
	attaches := isContext(u.Pkg.Info.TypeOf(call))
	if attaches && outer == call {
		if _, inner := ast.Unparen(call.Args[0]).(*ast.CallExpr); inner && byFunc[census.Callee(u.Pkg.Info, ast.Unparen(call.Args[0]).(*ast.CallExpr))] != nil {
			return outer, true
		}
		return blockOf(c, u.File, call), true
	}
	return outer, attaches
}

// wraps reports whether a call returns what it takes first, with something added: a handler, a context.
func wraps(info *types.Info, call *ast.CallExpr) bool {
	if len(call.Args) == 0 {
		return false
	}
	in, out := info.TypeOf(call.Args[0]), info.TypeOf(call)
	fn := census.Callee(info, call)
	return in != nil && out != nil && fn != nil && fn.Signature().Params().Len() > 0 && types.Identical(fn.Signature().Params().At(0).Type(), out)
}

func isContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context" && named.Obj().Name() == "Context"
}

// blockOf returns the block of the statement that a call is, or gives its result to a variable.
func blockOf(c *census.Census, f *program.File, call *ast.CallExpr) ast.Node {
	parent, _ := c.Outer(f, call)
	switch parent.(type) {
	case *ast.ExprStmt, *ast.AssignStmt, *ast.ReturnStmt:
		if block, ok := c.Parent(f, parent).(*ast.BlockStmt); ok {
			return block
		}
	}
	return nil
}

// always returns those of the attachers that no composition, and no other use, has without the others.
func always(c *census.Census, parts []*attacher, comps []*composition) []*attacher {
	for {
		n := len(parts)
		parts = slices.DeleteFunc(parts, func(a *attacher) bool {
			for _, u := range c.Uses(a.fn) {
				if u.File.Test || u.Pkg.Info.Defs[u.Ident] != nil {
					continue
				}
				in := slices.IndexFunc(comps, func(co *composition) bool {
					return slices.ContainsFunc(co.uses, func(v census.Use) bool { return v.Ident == u.Ident })
				})
				if in < 0 || slices.ContainsFunc(parts, func(b *attacher) bool { return !comps[in].holds(b.site.Key) }) {
					return true
				}
			}
			return false
		})
		if len(parts) == n {
			return parts
		}
	}
}

// composedFinding reports a composition at its first part.
func composedFinding(co *composition, parts []*attacher, at *census.Together) *rules.Finding {
	var keys, names []string
	for _, a := range parts {
		keys = append(keys, types.ExprString(a.site.Expr))
		names = append(names, a.fn.Name())
	}
	how := "one middleware that attaches"
	if co.calls {
		how = "one function that attaches"
	}
	first := co.useOf(parts[0])
	i := slices.IndexFunc(co.uses, func(u census.Use) bool { return u.Ident == first })
	f := &rules.Finding{
		Rule: name,
		Message: fmt.Sprintf("%d values (%s) are attached by a function each (%s), in a row here, and read together by %s: every look-up walks the links; %s one struct under one key says that they belong together, to be written by hand: %s",
			len(parts), strings.Join(keys, ", "), strings.Join(names, ", "), at.Func.Name.Name, how, byHand(co, parts)),
		File: co.uses[i].File, Pos: first.Pos(), End: first.End(),
		Key: parts[0].site.Key.Name(), Applicability: rules.Manual, Status: rules.NoFix,
	}
	for _, a := range parts {
		f.Related = append(f.Related, rules.Related{File: a.site.File, Pos: a.site.Expr.Pos(), Message: "attached here"})
	}
	for _, a := range parts {
		if leave := a.leaves(); leave != nil {
			f.Related = append(f.Related, rules.Related{File: a.site.File, Pos: leave.Pos(), Message: "may go no further here"})
		}
	}
	for _, s := range at.Reads {
		if slices.ContainsFunc(parts, func(a *attacher) bool { return a.site.Key == s.Key }) {
			f.Related = append(f.Related, rules.Related{File: s.File, Pos: s.Expr.Pos(), Message: "read here"})
		}
	}
	return f
}

// byHand says what keeps a composition from being joined by a fix.
func byHand(co *composition, parts []*attacher) string {
	for _, a := range parts {
		if a.leaves() != nil {
			return a.fn.Name() + " may answer without going on to the next"
		}
	}
	if co.calls {
		return "they do more than attach what they are given"
	}
	return "each computes its value after those before it have gone on with theirs"
}

// leaves returns a statement by which the code that attaches returns on some way only.
func (a *attacher) leaves() (found ast.Node) {
	lk := a.site.Lookup
	var body *ast.BlockStmt
	decl := a.decl
	ast.Inspect(decl, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok && lit.Pos() <= lk.Call.Pos() && lk.Call.End() <= lit.End() {
			body = lit.Body // the innermost comes last
		}
		return true
	})
	if body == nil {
		body = decl.Body
	}
	for i, stmt := range body.List {
		if _, last := stmt.(*ast.ReturnStmt); last && i == len(body.List)-1 {
			break
		}
		ast.Inspect(stmt, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return n.Pos() <= lk.Call.Pos() && lk.Call.End() <= n.End()
			case *ast.ReturnStmt:
				if found == nil {
					found = n
				}
			}
			return found == nil
		})
	}
	return found
}
