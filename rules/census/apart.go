package census

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Apart takes a key of built-in type apart that several packages use for values of their own: one family for each
// of them. It is nil when that is not plain from the types: every place has to spell the key by itself, and every
// look-up must accept what one of the packages stores and nothing that another one does.
func (c *Census) Apart(k *Key) []*Family {
	if c.apart == nil {
		c.apart = map[*Key][]*Family{}
	}
	if list, ok := c.apart[k]; ok {
		return list
	}
	a := &apart{c: c, key: k, byPath: map[string]*owner{}}
	var list []*Family
	if a.sort() && a.adopt() && a.separate() {
		list = a.families()
	}
	c.apart[k] = list
	return list
}

// An apart takes one key apart.
type apart struct {
	c      *Census
	key    *Key
	byPath map[string]*owner
	owners []*owner
}

// An owner is the places of a package that uses the key for values of its own, and of those that use its values.
type owner struct {
	path     string
	sites    []*Site
	stored   []types.Type
	asserted []types.Type
}

// sort groups the key's places by package; it is false when a place does not spell the key, or what it stores or
// expects cannot be told.
func (a *apart) sort() bool {
	k := a.key
	if k.Basic == nil || k.Family == nil || len(k.Family.Keys) != 1 || !a.c.Clear(k) {
		return false
	}
	for _, s := range k.Sites {
		p := s.Point
		if !s.Pkg.World || !s.Lookup.Pkg.World || p == nil || !p.Direct() || !p.Constant() || p.Expr != s.Expr {
			return false
		}
		if c := NamedConst(s.Pkg, s.Expr); c != nil && (c.Pkg() == nil || c.Pkg().Path() != ownPath(s)) {
			return false // packages that share the constant mean the same key
		}
		o := a.owner(ownPath(s))
		o.sites = append(o.sites, s)
	}
	stored, open := a.c.Stored(k)
	asserted, all := a.c.Assertions(k)
	if open || !all {
		return false
	}
	for _, s := range stored {
		if !s.Own {
			return false
		}
		o := a.owner(ownPath(s.Site))
		o.stored = append(o.stored, s.Type)
	}
	for _, t := range asserted {
		o := a.owner(ownPath(t.Site))
		o.asserted = append(o.asserted, t.Type)
	}
	return true
}

// ownPath is the import path of a place's package, that of the package under test for an external test.
func ownPath(s *Site) string { return strings.TrimSuffix(s.Pkg.Path, "_test") }

func (a *apart) owner(path string) *owner {
	o := a.byPath[path]
	if o == nil {
		o = &owner{path: path}
		a.byPath[path] = o
		a.owners = append(a.owners, o)
	}
	return o
}

// adopt gives the places of a package that only stores, or only looks up, to the one package whose values they are.
func (a *apart) adopt() bool {
	whole := func(o *owner) bool { return len(o.stored) > 0 && len(o.asserted) > 0 }
	var halves []*owner
	a.owners = slices.DeleteFunc(a.owners, func(o *owner) bool {
		if !whole(o) {
			halves = append(halves, o)
		}
		return !whole(o)
	})
	for _, h := range halves {
		var found []*owner
		for _, o := range a.owners {
			if meet(o.asserted, h.stored) || meet(h.asserted, o.stored) {
				found = append(found, o)
			}
		}
		if len(found) != 1 {
			return false
		}
		o := found[0]
		o.sites, o.stored, o.asserted = append(o.sites, h.sites...), append(o.stored, h.stored...), append(o.asserted, h.asserted...)
	}
	return len(a.owners) > 1
}

// separate reports whether every owner's look-ups accept what the owner stores, and nothing that another one does.
func (a *apart) separate() bool {
	for _, o := range a.owners {
		for _, t := range o.asserted {
			if !meet([]types.Type{t}, o.stored) {
				return false
			}
		}
		for _, other := range a.owners {
			if other != o && meet(o.asserted, other.stored) {
				return false
			}
		}
	}
	return true
}

// meet reports whether an assertion can succeed on one of the stored types.
func meet(asserted, stored []types.Type) bool {
	return slices.ContainsFunc(asserted, func(t types.Type) bool {
		return slices.ContainsFunc(stored, func(s types.Type) bool { return Accepts(t, s) })
	})
}

// families makes a key, alone in its family, of every owner's places.
func (a *apart) families() []*Family {
	var list []*Family
	for _, o := range a.owners {
		k := *a.key
		part := &k
		part.Part, part.whole, part.Sites, part.Points, part.leaves = o.path, a.key, nil, nil, nil
		fam := &Family{Keys: []*Key{part}, Hazards: a.key.Family.Hazards, Notes: a.key.Family.Notes}
		part.Family = fam
		points := map[*Point]*Point{}
		for _, s := range o.sites {
			p := points[s.Point]
			if p == nil {
				p = pointOf(s.Point, part)
				points[s.Point] = p
				part.Points, part.leaves = append(part.Points, p), append(part.leaves, p.Leaves)
			}
			site := *s
			site.Key, site.Point = part, p
			part.Sites = append(part.Sites, &site)
		}
		fam.Points = part.Points
		list = append(list, fam)
	}
	return list
}

// pointOf copies a point for a key of its own.
func pointOf(p *Point, k *Key) *Point {
	point := *p
	point.Leaves = nil
	for _, l := range p.Leaves {
		leaf := *l
		leaf.Key = k
		point.Leaves = append(point.Leaves, &leaf)
	}
	return &point
}

// Guarded reports whether n is reached only when the two-valued assertion that set v and ok went well: it lies in a branch
// taken on ok, or behind one that ends on !ok, and neither variable gets another value.
func (c *Census) Guarded(a Assertion, v, ok *types.Var, stmt, n ast.Node) bool {
	r := &recorder{Census: c}
	ld := &Load{Lookup: a.Site.Lookup, Assert: a.Expr, Map: v, OK: ok, Stmt: stmt}
	return r.guarded(ld, a.Site.Lookup.File, n)
}

// Defines returns the variables of v, ok := assertion, nil for "_", and the statement; without a statement the
// assertion stands in an expression, or sets what is there.
func (c *Census) Defines(f *program.File, pkg *program.Package, a *ast.TypeAssertExpr) (v, ok *types.Var, stmt *ast.AssignStmt) {
	parent, _ := c.Outer(f, a)
	as, isAssign := parent.(*ast.AssignStmt)
	if !isAssign || len(as.Rhs) != 1 || as.Tok != token.DEFINE {
		return nil, nil, nil
	}
	at := func(e ast.Expr) *types.Var {
		id, isIdent := e.(*ast.Ident)
		if !isIdent {
			return nil
		}
		found, _ := pkg.Info.ObjectOf(id).(*types.Var)
		return found
	}
	v = at(as.Lhs[0])
	if len(as.Lhs) == 2 {
		ok = at(as.Lhs[1])
	}
	return v, ok, as
}

// Foreign reports whether a function is declared outside the world.
func (c *Census) Foreign(fn *types.Func) bool {
	f := c.Program.FileOf(fn.Pos())
	return f == nil || !f.World
}

// ResultsAround returns the results of the function around a node, nil outside functions.
func (c *Census) ResultsAround(f *program.File, pkg *program.Package, n ast.Node) *types.Tuple {
	var t types.Type
	switch fn := c.indexes[0].enclosingFunc(f, n).(type) {
	case *ast.FuncDecl:
		if obj := pkg.Info.Defs[fn.Name]; obj != nil {
			t = obj.Type()
		}
	case *ast.FuncLit:
		t = pkg.Info.TypeOf(fn)
	}
	if sig, ok := t.(*types.Signature); ok {
		return sig.Results()
	}
	return nil
}

// Hidden reports whether a key can be taken apart, and values of two packages can hide each other in one program.
func (c *Census) Hidden(k *Key) bool {
	list := c.Apart(k)
	for i, x := range list {
		for _, y := range list[i+1:] {
			if c.storesMeet(x.Keys[0], y.Keys[0]) {
				return true
			}
		}
	}
	return false
}

// storesMeet reports whether writers of two keys in ordinary files can be in one program.
func (c *Census) storesMeet(x, y *Key) bool {
	for _, s := range x.Sites {
		for _, t := range y.Sites {
			if s.Role == Writer && t.Role == Writer && !s.File.Test && !t.File.Test && c.inOneProgram(s, t) {
				return true
			}
		}
	}
	return false
}
