package census

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
)

// ways are the variables, parameters and fields that a key passes, and the functions that return it, by declaration.
type ways map[token.Pos]types.Object

func (w *ways) add(obj types.Object) {
	if *w == nil {
		*w = ways{}
	}
	(*w)[obj.Pos()] = obj
}

func (w ways) sorted() []types.Object {
	return slices.SortedFunc(maps.Values(w), func(x, y types.Object) int { return cmp.Compare(x.Pos(), y.Pos()) })
}

// noteWay notes what a key, or a table of keys, comes through here, and that it takes keys for a role.
func (b *builder) noteWay(w *ways, r ref, roles ...Role) {
	obj := b.carrierObject(r)
	if obj == nil || obj.Pkg() == nil {
		return
	}
	w.add(obj)
	v, ok := obj.(*types.Var)
	if !ok {
		return
	}
	if b.census.takes == nil {
		b.census.takes = map[keyRole]bool{}
	}
	for _, role := range roles {
		b.census.takes[keyRole{v, role}] = true
	}
}

// A Way is how packages outside the world hand over a key, or get it.
type Way struct {
	Hazard
	// Object is what they name or reach.
	Object types.Object
}

// Ways returns how importers can choose the keys of a family or learn them, by other things than their text. What they can put into an
// interface on its way to the same look-ups counts, since it may be the key.
func (c *Census) Ways(points []*Point) []*Way {
	f := &wayFinder{c: c, seen: map[token.Pos]bool{}}
	for _, p := range points {
		if !p.World() {
			continue
		}
		for _, obj := range p.ways.sorted() {
			f.through(obj)
		}
		for _, lk := range p.Lookups {
			for _, obj := range lk.ways.sorted() {
				f.through(obj)
			}
		}
		for _, l := range p.Leaves {
			if k := NamedConst(l.Pkg, l.Expr); k != nil {
				f.out(k)
			}
			f.alike(p, l)
		}
	}
	return f.list
}

// SiteWays returns the same for places that name keys of other types.
func (c *Census) SiteWays(sites []*Site) []*Way {
	f := &wayFinder{c: c, seen: map[token.Pos]bool{}}
	for _, s := range sites {
		if !s.Pkg.World {
			continue
		}
		obj := namedObject(ref{expr: s.Expr, file: s.File, pkg: s.Pkg})
		if call, ok := s.Expr.(*ast.CallExpr); ok && !isConversion(s.Pkg.Info, call) {
			if fn := Callee(s.Pkg.Info, call); fn != nil {
				obj = fn
			}
		}
		if obj != nil && obj.Pkg() != nil {
			f.through(obj)
		}
		for _, obj := range s.Lookup.ways.sorted() {
			f.through(obj)
		}
	}
	return f.list
}

// A wayFinder collects ways, each object once.
type wayFinder struct {
	c    *Census
	seen map[token.Pos]bool
	list []*Way
}

func (f *wayFinder) add(obj types.Object, pos token.Pos, format string, args ...any) {
	if f.seen[obj.Pos()] {
		return
	}
	f.seen[obj.Pos()] = true
	h := Hazard{Reason: ReasonDynamic, Message: fmt.Sprintf(format, args...), File: f.c.Program.FileOf(pos), Pos: pos}
	f.list = append(f.list, &Way{h, obj})
}

// through judges an object that the key passes, or may pass.
func (f *wayFinder) through(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Func:
		if name := f.c.Reached(obj); name != "" {
			f.add(obj, obj.Pos(), "importers can call %s, which returns the key: those that write or read under it by themselves will notice", name)
			return
		}
	case *types.Var:
		if taker, name, at := f.c.takenBy(obj); name != "" {
			f.add(taker, at, "importers can call %s: those that pass it a key they write or read by themselves will notice", name)
			return
		}
		if name := f.c.Reached(obj); name != "" {
			f.add(obj, obj.Pos(), "importers can set and read %s: those that write or read under a key in it by themselves will notice", name)
			return
		}
	}
	f.out(obj)
}

// out judges what is made from an object that importers cannot reach by itself.
func (f *wayFinder) out(obj types.Object) {
	for _, r := range f.c.reaches() {
		o := r.ix.at(obj)
		if o == nil || r.nameOf(o) != "" {
			continue
		}
		if out, at := r.outOf(o, map[types.Object]bool{}); out != nil {
			f.add(out, at.node.Pos(), "importers can get the key from %s: those that write or read under it by themselves will notice", r.nameOf(out))
		}
	}
}

// alike finds exported constants with the text of the key, beside the place where it enters.
func (f *wayFinder) alike(p *Point, l *Leaf) {
	if l.Value.Kind() != constant.String {
		return
	}
	scope := p.Pkg.Types.Scope()
	for _, name := range scope.Names() {
		k, ok := scope.Lookup(name).(*types.Const)
		if !ok || !IsAPI(f.c.Program, k) || basicOf(k.Type()) == nil || k.Val().ExactString() != l.Value.ExactString() {
			continue
		}
		f.add(k, k.Pos(), "%s is exported and has the text of the key: importers that use it as a key will notice", objectName(k))
	}
}

// takenBy returns the function of which a variable is a parameter, if importers can call it, with its name and place.
func (c *Census) takenBy(v *types.Var) (taker types.Object, name string, at token.Pos) {
	for _, r := range c.reaches() {
		o, ok := r.ix.at(v).(*types.Var)
		if !ok {
			continue
		}
		p, ok := r.ix.paramOf(o)
		switch {
		case !ok || inTest(p.file):
		case p.fn != nil:
			if name := c.handedOut(p.fn); name != "" {
				return p.fn, name, p.fn.Pos()
			}
		default:
			if out, _ := r.climb(use{p.lit, p.file, p.pkg}, map[types.Object]bool{}); out != nil {
				return out, r.nameOf(out), p.lit.Pos()
			}
		}
	}
	return nil, "", token.NoPos
}

// handedOut returns how importers write a function that they can call, by its own name or as a value that is kept where they reach it.
func (c *Census) handedOut(fn *types.Func) string {
	if name := c.Reached(fn); name != "" {
		return name
	}
	for _, r := range c.reaches() {
		o, ok := r.ix.at(fn).(*types.Func)
		if !ok {
			continue
		}
		for _, u := range r.ix.usesOf(o) {
			id := u.node.(*ast.Ident)
			if inTest(u.file) || u.pkg.Info.Defs[id] != nil {
				continue
			}
			if call, ok := r.ix.outer1(u.file, r.ix.nameExpr(u.file, id)).(*ast.CallExpr); ok && calleeIdent(call) == id {
				continue
			}
			if out, _ := r.climb(u, map[types.Object]bool{}); out != nil {
				return r.nameOf(out)
			}
		}
	}
	return ""
}

// Sibling finds two functions of one package to which importers pass keys, one to store and one to look up, of which one would change with
// a family and the other stay: what they store by the one they would no longer find by the other.
func (c *Census) Sibling(points []*Point) (changes, stays types.Object, at *Point) {
	kept := ways{}
	for _, p := range points {
		for _, obj := range p.ways {
			kept.add(obj)
		}
	}
	var takes []keyRole
	for t := range c.takes {
		if kept[t.param.Pos()] == nil && c.taker(t.param) != nil {
			takes = append(takes, t)
		}
	}
	slices.SortFunc(takes, func(x, y keyRole) int { return cmp.Compare(x.param.Pos(), y.param.Pos()) })
	for _, p := range points {
		for _, obj := range p.ways.sorted() {
			v, ok := obj.(*types.Var)
			if !ok || !p.World() || c.taker(v) == nil {
				continue
			}
			for _, t := range takes {
				if t.param.Pkg().Path() == v.Pkg().Path() && holds(t.param.Type(), p.Basic) && p.hasRole(1-t.role) {
					return c.taker(v), c.taker(t.param), p
				}
			}
		}
	}
	return nil, nil, nil
}

// taker returns what importers call to give a parameter its value, nil if they cannot.
func (c *Census) taker(v *types.Var) types.Object {
	taker, _, _ := c.takenBy(v)
	return taker
}

func (p *Point) hasRole(role Role) bool {
	return slices.ContainsFunc(p.Lookups, func(lk *Lookup) bool { return lk.Role == role })
}

// holds reports whether a variable may hold a key of a built-in type, or a table of such.
func holds(t types.Type, basic *types.Basic) bool {
	if carrierType(t) {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == basic.Kind()
	case *types.Slice:
		return holds(u.Elem(), basic)
	case *types.Array:
		return holds(u.Elem(), basic)
	case *types.Map:
		return holds(u.Key(), basic) || holds(u.Elem(), basic)
	case *types.Pointer:
		return holds(u.Elem(), basic)
	}
	return false
}
