package census

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A Split is one text under two types, or one name for a text and a type: what is stored under the one is looked up under
// the other, which finds nothing.
type Split struct {
	// Half is the key that the program only writes, or only reads.
	Half *Key
	// Other is the key with the same text that is used the other way round.
	Other *Key
}

// Splits returns the split keys, in the order of the census. A half with several counterparts is left out, and so is one that
// tests alone look up, or store without expecting to find it: they make sure that it is no key of the program. What several programs do under one text, each by
// itself, is one half if it has one counterpart.
func (c *Census) Splits() []*Split {
	c.splitting.Do(func() {
		c.byValue, c.splitOf = map[string][]*Key{}, map[*Key]*Split{}
		for _, k := range c.Keys {
			c.byValue[k.Value] = append(c.byValue[k.Value], k)
		}
		c.byStem = map[string][]*Key{}
		for _, k := range c.Keys {
			if !c.named(k) && !splittable(k) {
				continue
			}
			for _, s := range stems(k) {
				c.byStem[s] = append(c.byStem[s], k)
			}
		}
		for _, k := range c.Keys {
			if c.ofTests(k) {
				continue
			}
			var other *Key
			if splittable(k) {
				other = c.counterpart(k, c.byValue[k.Value])
			}
			if other == nil && (splittable(k) || c.named(k)) {
				other = c.namesake(k)
			}
			if other == nil || c.splitOf[k] != nil {
				continue
			}
			switch s := c.splitOf[other]; {
			case s == nil:
				s = &Split{k, other}
				c.splits = append(c.splits, s)
				c.splitOf[k], c.splitOf[other] = s, s
			case s.Other == other && k.whole != nil && s.Half.whole == k.whole:
				s.Half = together(s.Half, k)
				c.splitOf[k] = s
			}
		}
	})
	return c.splits
}

// together returns two parts of one key as one.
func together(a, b *Key) *Key {
	both := *a
	both.Sites = slices.Concat(a.Sites, b.Sites)
	both.Points = slices.Concat(a.Points, b.Points)
	both.leaves = slices.Concat(a.leaves, b.leaves)
	both.Hazards = slices.Concat(a.Hazards, b.Hazards)
	return &both
}

// SplitOf returns the split that a key is half of, or the counterpart in; nil for none.
func (c *Census) SplitOf(k *Key) *Split {
	c.Splits()
	return c.splitOf[k]
}

// splittable reports whether a key is a text that the world looks up, alone in its family.
func splittable(k *Key) bool {
	if k.Const == nil || k.Const.Kind() != constant.String || k.Const.ExactString() == `""` || !hasWorldPoint(k) {
		return false
	}
	return k.Family == nil || len(k.Family.Keys) == 1
}

// namesake returns the one key, among several of the same name, that is used in the role k lacks, when there is one and the
// values say that it is meant.
func (c *Census) namesake(k *Key) *Key {
	var list []*Key
	for _, s := range stems(k) {
		for _, other := range c.byStem[s] {
			if other != k && !slices.Contains(list, other) {
				list = append(list, other)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	role, ok := c.unpaired(k)
	if !ok || c.Staged(k) != nil {
		return nil
	}
	lacks := Reader
	if role == Reader {
		lacks = Writer
	}
	var found *Key
	for _, other := range list {
		if !comparableNames(k, other) || !hasRole(other, lacks) || c.ofTests(other) || c.Staged(other) != nil {
			continue
		}
		if !c.means(k, role, other, lacks) {
			continue
		}
		if found != nil {
			return nil
		}
		found = other
	}
	if found == nil {
		return nil
	}
	for _, rival := range list { // the other half may be meant for another
		if _, half := c.unpaired(rival); rival != k && rival != found && half && hasRole(rival, role) && comparableNames(rival, found) && c.means(rival, role, found, lacks) {
			return nil
		}
	}
	return found
}

// counterpart returns the one key with the text of k, among several, that is used in the role k lacks; nil when k
// lacks none, or has no counterpart or several.
func (c *Census) counterpart(k *Key, list []*Key) *Key {
	role, ok := c.unpaired(k)
	if !ok || c.Staged(k) != nil {
		return nil
	}
	lacks := Reader
	if role == Reader {
		lacks = Writer
	}
	var found *Key
	for _, other := range list {
		if other.Type == k.Type || !splittable(other) || !hasRole(other, lacks) || c.ofTests(other) || !c.mayMeet(k, role, other, lacks) || c.Staged(other) != nil {
			continue
		}
		if found != nil {
			return nil
		}
		found = other
	}
	return found
}

// mayMeet reports whether one program can contain the sites of two keys in the roles given, and whether what is
// stored by one can be what the other expects.
func (c *Census) mayMeet(a *Key, aRole Role, b *Key, bRole Role) bool {
	for _, s := range a.Sites {
		if s.Role != aRole {
			continue
		}
		for _, t := range b.Sites {
			if t.Role == bRole && c.inOneProgram(s, t) && c.agree(s, t) {
				return true
			}
		}
	}
	return false
}

// inOneProgram reports whether a program can contain both sites and run them. An accessor that only
// other packages call is run where those are: its own package's test contains it, and never stores anything by it.
func (c *Census) inOneProgram(s, t *Site) bool {
	for _, p := range c.runFrom(s) {
		for _, q := range c.runFrom(t) {
			if c.links.meet(p, q) {
				return true
			}
		}
	}
	return false
}

// A place is a file of a package.
type place struct {
	pkg  *program.Package
	file *program.File
}

// runFrom returns the places that a site is run from: those that mention the function around it, or, when its
// own package does or nothing is seen to, the site itself.
func (c *Census) runFrom(s *Site) []place {
	own := []place{{s.Pkg, s.File}}
	var fn types.Object
	var name *ast.Ident
	for _, d := range s.File.AST.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Pos() <= s.Expr.Pos() && s.Expr.Pos() < d.End() {
			name, fn = d.Name, s.Pkg.Info.Defs[d.Name]
		}
	}
	if fn == nil || s.File.Test {
		return own
	}
	var list []place
	for _, u := range c.Uses(fn) {
		switch {
		case u.Ident.Pos() == name.Pos():
		case u.Pkg.Path == s.Pkg.Path && !u.File.Test:
			return own
		default:
			list = append(list, place{u.Pkg, u.File})
		}
	}
	if len(list) == 0 {
		return own
	}
	return list
}

// meet reports whether one program can contain two places.
func (l *linker) meet(p, q place) bool {
	paths := map[string]bool{}
	a, b := l.linkageOf(p.pkg, p.file), l.linkageOf(q.pkg, q.file)
	if a.kind == ordinary {
		paths[p.pkg.Path] = true
	}
	if b.kind == ordinary {
		paths[q.pkg.Path] = true
	}
	return l.meets(a, b, paths)
}

// agree reports whether what one site stores can be what the other asserts, as far as static types tell.
func (c *Census) agree(s, t *Site) bool {
	if s.Role == Reader {
		s, t = t, s
	}
	stored := storedType(s.Lookup)
	asserted := c.AssertedType(t.Lookup)
	if stored == nil || asserted == nil || carrierType(stored) {
		return true
	}
	if iface, ok := asserted.Underlying().(*types.Interface); ok {
		return types.Implements(stored, iface)
	}
	return types.Identical(stored, asserted)
}

// storedType returns the static type of what a writer stores, nil when there is none.
func storedType(lk *Lookup) types.Type {
	if lk.Value == nil {
		return nil
	}
	t := lk.Pkg.Info.TypeOf(lk.Value)
	if t == nil || t == types.Typ[types.UntypedNil] {
		return nil
	}
	return types.Default(t)
}

// AssertedType returns the type that a reader's result is asserted to on the spot, nil for none.
func (c *Census) AssertedType(lk *Lookup) types.Type {
	if lk.Call == nil || lk.Role != Reader || !lk.Pkg.World {
		return nil
	}
	parent, _ := c.Outer(lk.File, lk.Call)
	if a, ok := parent.(*ast.TypeAssertExpr); ok && a.Type != nil {
		return lk.Pkg.Info.TypeOf(a.Type)
	}
	return nil
}
