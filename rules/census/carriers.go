package census

import (
	"cmp"
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// excerpt writes the expression around a use in short form.
func excerpt(parent, child ast.Node) string {
	e, ok := parent.(ast.Expr)
	if kv, pair := parent.(*ast.KeyValueExpr); pair {
		return cut(types.ExprString(kv.Key) + ": " + types.ExprString(kv.Value))
	}
	if !ok {
		e, ok = child.(ast.Expr)
	}
	if !ok {
		return "as a value"
	}
	return cut(types.ExprString(e))
}

// cut keeps messages short.
func cut(s string) string {
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	return s
}

// checkCarriers looks at every mention of the objects that carry keys in interface form:
// one that is neither on the way to a look-up nor stores into the object reaches other code, where
// the key's type shows.
func (b *builder) checkCarriers() {
	var list []*carrier
	for _, c := range b.carried {
		if len(c.points) > 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(x, y *carrier) int { return cmp.Compare(x.obj.Pos(), y.obj.Pos()) })
	for _, c := range list {
		list = append(list, b.otherImplementations(c)...)
	}
	for _, c := range list {
		for _, p := range c.points {
			p.passes(asVar(c.obj))
			p.carriedBy(asVar(c.obj))
			if fp, ok := b.ix.paramOf(asVar(c.obj)); ok && fp.fn != nil && fp.fn.Pkg() != nil {
				p.comesThrough(mentionedName{fp.fn.Pkg().Path(), fp.fn.Name()})
			}
		}
		for _, u := range b.ix.usesOf(c.obj) {
			if why := b.otherUse(c, u); why != "" {
				for _, p := range c.points {
					p.addOtherUse(b.census.Program, Unknown{File: u.file, Pos: u.node.Pos(), Why: why})
				}
			}
		}
	}
}

// otherImplementations returns carriers for the same parameter of the methods that a call through an
// interface may reach instead.
func (b *builder) otherImplementations(c *carrier) []*carrier {
	v, _ := c.obj.(*types.Var)
	p, ok := b.ix.paramOf(v)
	if !ok || p.fn == nil || p.fn.Signature().Recv() == nil {
		return nil
	}
	var list []*carrier
	for _, im := range b.ix.ifaceMethods[p.fn.Name()] {
		if !b.ix.lands(p.fn, im) {
			continue
		}
		for _, other := range b.ix.methods[p.fn.Name()] {
			if other == p.fn || !b.ix.lands(other, im) || p.index >= other.Signature().Params().Len() {
				continue
			}
			if ov := b.ix.rep(other.Signature().Params().At(p.index)); b.carried[ov] == nil {
				list = append(list, &carrier{obj: ov, points: c.points})
			}
		}
	}
	return list
}

func (p *Point) addOtherUse(prog *program.Program, u Unknown) {
	for _, have := range p.OtherUses {
		if prog.IDOf(have.Pos) == prog.IDOf(u.Pos) {
			return
		}
	}
	p.OtherUses = append(p.OtherUses, u)
}

// otherUse says what a mention of a carrier does with the key besides looking it up; "" for nothing.
func (b *builder) otherUse(c *carrier, u use) string {
	id := u.node.(*ast.Ident)
	if u.pkg.Info.Defs[id] != nil {
		return ""
	}
	node := b.ix.nameExpr(u.file, id)
	if b.visited[node] {
		return ""
	}
	parent, child := b.ix.outer(u.file, node)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		if containsExpr(p.Lhs, child) {
			return ""
		}
	case *ast.KeyValueExpr:
		if v := asVar(c.obj); p.Key == child && v != nil && v.IsField() {
			return "" // the field of a literal; what it gets is followed
		}
	case *ast.RangeStmt:
		if p.Key == child || p.Value == child || p.X == child && p.Value == nil {
			return ""
		}
	case *ast.BinaryExpr:
		if u.pkg.Info.Types[p.X].IsNil() || u.pkg.Info.Types[p.Y].IsNil() {
			return ""
		}
	case *ast.IndexExpr:
		if p.X == child {
			if as, ok := b.ix.outer1(u.file, p).(*ast.AssignStmt); ok && containsExpr(as.Lhs, p) || b.visited[p] {
				return ""
			}
		}
	case *ast.CallExpr:
		if p.Fun == child {
			if _, isFunc := c.obj.(*types.Func); isFunc && b.visited[p] {
				return ""
			}
			break
		}
		if fun, ok := ast.Unparen(p.Fun).(*ast.Ident); ok {
			if bi, ok := u.pkg.Info.Uses[fun].(*types.Builtin); ok && (bi.Name() == "len" || bi.Name() == "cap") {
				return ""
			}
		}
	case *ast.FuncDecl:
		return ""
	}
	return "the key is used otherwise as well: " + excerpt(parent, child)
}
