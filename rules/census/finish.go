package census

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Reasons are the words for why a key cannot be changed; they are stable for scripts.
const (
	ReasonDependency = "dependency"    // a package outside the world reads or writes the key
	ReasonStore      = "store"         // a context type answers the key from a store of its own
	ReasonDynamic    = "dynamic"       // a key computed at run time may be this one
	ReasonOtherUse   = "other-use"     // the key's value also reaches code that is no look-up
	ReasonTypeErrors = "type-errors"   // a package with the key does not type-check
	ReasonExcluded   = "excluded-file" // a file that no loaded configuration contains mentions the key
)

// finish derives sites, families, hazards and notes from the points.
func (b *builder) finish() {
	c := b.census
	prog := c.Program
	slices.SortStableFunc(b.order, func(x, y *Point) int { return compareIDs(prog.IDOf(x.Expr.Pos()), prog.IDOf(y.Expr.Pos())) })
	b.missingElements()
	b.part()
	b.dropMissing()
	for _, p := range b.order {
		slices.SortFunc(p.Leaves, func(x, y *Leaf) int {
			return cmp.Or(compareIDs(prog.IDOf(x.Expr.Pos()), prog.IDOf(y.Expr.Pos())), compareIDs(prog.IDOf(x.SiteExpr.Pos()), prog.IDOf(y.SiteExpr.Pos())))
		})
		slices.SortFunc(p.Forwarders, func(x, y *types.Func) int { return compareIDs(prog.IDOf(x.Pos()), prog.IDOf(y.Pos())) })
		b.uncalled(p)
		if p.World() {
			if p.Basic != nil {
				c.Points = append(c.Points, p)
			}
		}
		if !p.World() && len(p.Unknown) > 0 {
			b.opaque(p.Lookups[0])
		}
		if p.fedByWorld() != nil {
			c.Open = append(c.Open, p)
		}
		if p.zeroType && p.World() {
			c.zeroed = append(c.zeroed, p)
		}
		for _, l := range p.Leaves {
			if n := len(l.Key.Points); n == 0 || l.Key.Points[n-1] != p { // points come one after the other
				l.Key.Points, l.Key.leaves = append(l.Key.Points, p), append(l.Key.leaves, nil)
			}
			at := &l.Key.leaves[len(l.Key.leaves)-1]
			*at = append(*at, l)
			for _, lk := range p.Lookups {
				b.site(l.Key, p, lk, ref{expr: l.SiteExpr, file: l.SiteFile, pkg: l.SitePkg})
			}
		}
	}
	for _, k := range c.keys {
		c.Keys = append(c.Keys, k)
	}
	c.Keys = append(c.Keys, b.parts...)
	for _, k := range c.Keys {
		slices.SortStableFunc(k.Sites, func(x, y *Site) int { return compareIDs(prog.IDOf(x.Expr.Pos()), prog.IDOf(y.Expr.Pos())) })
		k.ValueTypes = b.valueTypes(k)
	}
	slices.SortFunc(c.Keys, compareKeys)
	slices.SortFunc(c.Stores, func(x, y *Store) int { return compareIDs(prog.IDOf(x.Type.Pos()), prog.IDOf(y.Type.Pos())) })
	b.families()
	b.hazards()
}

// missingElements adds to points whose key is an element of a table, which may be missing, the
// zero value that stands for a missing one, where that is a key as well: the two have to change together.
func (b *builder) missingElements() {
	for _, p := range b.order {
		if !p.element || p.Basic == nil {
			continue
		}
		zero := b.census.keys[keyID{typ: p.Basic.Name(), value: zeroText(p.Basic)}]
		if zero == nil || slices.ContainsFunc(p.Leaves, func(l *Leaf) bool { return l.Key == zero }) {
			continue
		}
		p.Leaves = append(p.Leaves, &Leaf{
			Expr: p.Expr, File: p.File, Pkg: p.Pkg, Key: zero, Value: zero.Const,
			SiteExpr: p.Expr, SiteFile: p.File, SitePkg: p.Pkg, missing: true,
		})
	}
}

// dropMissing takes missing elements out again where, keys having been parted by program, nothing else
// spells the zero value.
func (b *builder) dropMissing() {
	spelled := map[*Key]bool{}
	for _, p := range b.order {
		for _, l := range p.Leaves {
			spelled[l.Key] = spelled[l.Key] || !l.missing
		}
	}
	unspelled := func(k *Key) bool { known, ok := spelled[k]; return ok && !known }
	for _, p := range b.order {
		p.Leaves = slices.DeleteFunc(p.Leaves, func(l *Leaf) bool { return unspelled(l.Key) })
	}
	maps.DeleteFunc(b.census.keys, func(_ keyID, k *Key) bool { return unspelled(k) })
	b.parts = slices.DeleteFunc(b.parts, unspelled)
}

// zeroText is the zero value of a basic type as keys spell it.
func zeroText(basic *types.Basic) string {
	switch {
	case basic.Info()&types.IsString != 0:
		return `""`
	case basic.Info()&types.IsBoolean != 0:
		return "false"
	}
	return "0"
}

// uncalled marks a point that gets its key from callers, of which the program has none.
func (b *builder) uncalled(p *Point) {
	if !p.World() || p.Basic == nil || len(p.Leaves) > 0 || len(p.Unknown) > 0 {
		return
	}
	if len(p.Forwarders) == 0 {
		p.addUnknown(b.census.Program, Unknown{File: p.File, Pos: p.Expr.Pos(), Why: "is never set in the program"})
		return
	}
	p.fromCallers = true
	p.uncalled = !slices.ContainsFunc(p.Forwarders, func(fn *types.Func) bool {
		return b.census.handedOut(fn) != "" || b.byTemplates() && fn.Exported() && fn.Signature().Recv() != nil
	})
	why := "comes from callers, of which the program has none"
	if !p.uncalled {
		why = "comes from callers outside the program"
	}
	p.addUnknown(b.census.Program, Unknown{File: p.File, Pos: p.Expr.Pos(), Why: why})
}

// byTemplates reports whether methods may be called by names that the code does not spell.
func (b *builder) byTemplates() bool {
	if b.templates == nil {
		found := CallsByName(b.census.Program)
		b.templates = &found
	}
	return *b.templates
}

func compareIDs(a, b program.ID) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
}

func compareKeys(a, b *Key) int {
	builtin := func(k *Key) int {
		if k.Basic != nil {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(builtin(a), builtin(b)), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Part, b.Part))
}

// families joins the keys that one point can carry.
func (b *builder) families() {
	leader := map[*Key]*Key{}
	var find func(k *Key) *Key
	find = func(k *Key) *Key {
		if leader[k] == nil || leader[k] == k {
			return k
		}
		leader[k] = find(leader[k])
		return leader[k]
	}
	for _, p := range b.order {
		for _, l := range p.Leaves[min(1, len(p.Leaves)):] {
			leader[find(l.Key)] = find(p.Leaves[0].Key)
		}
	}
	b.joinBlocks(func(x, y *Key) { leader[find(x)] = find(y) })
	byLeader := map[*Key]*Family{}
	for _, k := range b.census.Keys {
		if k.Basic == nil || !hasWorldPoint(k) {
			continue
		}
		l := find(k)
		f := byLeader[l]
		if f == nil {
			f = &Family{}
			byLeader[l] = f
			b.census.Families = append(b.census.Families, f)
		}
		f.Keys = append(f.Keys, k)
		k.Family = f
	}
	for _, f := range b.census.Families {
		slices.SortStableFunc(f.Keys, func(x, y *Key) int {
			return compareIDs(b.census.Program.IDOf(x.FirstPos()), b.census.Program.IDOf(y.FirstPos()))
		})
	}
	for _, p := range b.order {
		if len(p.Leaves) > 0 {
			if f := p.Leaves[0].Key.Family; f != nil {
				f.Points = append(f.Points, p)
			}
		}
	}
}

// Leaves returns the places that spell the key, in the order of its points.
func (k *Key) Leaves() []*Leaf { return slices.Concat(k.leaves...) }

// FirstPos is where the key is first spelled in the world: the declaration of the constant that names it
// when there is one, else the expression.
func (k *Key) FirstPos() token.Pos {
	first := token.NoPos
	for _, l := range k.Leaves() {
		if !l.Pkg.World {
			continue
		}
		if c := NamedConst(l.Pkg, l.Expr); c != nil {
			return c.Pos()
		}
		if !first.IsValid() {
			first = l.Expr.Pos()
		}
	}
	return first
}

// joinBlocks joins keys whose constants share their value by implicit repetition
// (iota blocks): such constants can only change their type together.
func (b *builder) joinBlocks(join func(x, y *Key)) {
	heads := map[*ast.ValueSpec]*Key{}
	known := map[token.Pos]*ast.ValueSpec{}
	for _, p := range b.order {
		for _, l := range p.Leaves {
			c := NamedConst(l.Pkg, l.Expr)
			if c == nil || !l.Pkg.World {
				continue
			}
			head, ok := known[c.Pos()]
			if !ok {
				head = b.census.repeated(c)
				known[c.Pos()] = head
			}
			if head == nil {
				continue
			}
			if heads[head] == nil {
				heads[head] = l.Key
			} else {
				join(l.Key, heads[head])
			}
		}
	}
}

// repeated returns the spec whose value a constant has by implicit repetition, which later specs repeat, or
// which declares several constants; nil for a constant that stands alone.
func (c *Census) repeated(obj *types.Const) *ast.ValueSpec {
	for _, u := range c.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] == nil {
			continue
		}
		spec, _ := c.Parent(u.File, u.Ident).(*ast.ValueSpec)
		if spec == nil {
			return nil
		}
		decl, _ := c.Parent(u.File, spec).(*ast.GenDecl)
		if decl == nil {
			return nil
		}
		i := slices.Index(decl.Specs, ast.Spec(spec))
		head := i
		for head > 0 && len(decl.Specs[head].(*ast.ValueSpec).Values) == 0 {
			head--
		}
		if len(spec.Names) > 1 {
			return decl.Specs[head].(*ast.ValueSpec) // one type for all its names
		}
		next := head + 1
		if next < len(decl.Specs) && len(decl.Specs[next].(*ast.ValueSpec).Values) == 0 {
			return decl.Specs[head].(*ast.ValueSpec)
		}
		return nil
	}
	return nil
}

// hasWorldPoint reports whether the key enters, or is named, in the world.
func hasWorldPoint(k *Key) bool {
	for _, s := range k.Sites {
		if s.Pkg.World {
			return true
		}
	}
	return false
}

// valueTypes returns the static types stored under a key, seen through parameters.
func (b *builder) valueTypes(k *Key) []string {
	set := map[string]bool{}
	for _, s := range k.Sites {
		if s.Role != Writer || s.Lookup.Value == nil {
			continue
		}
		if t := s.Pkg.Info.TypeOf(s.Lookup.Value); t != nil && s.Lookup.Pkg == s.Pkg {
			set[typeName(types.Default(t))] = true
		} else if t := s.Lookup.Pkg.Info.TypeOf(s.Lookup.Value); t != nil {
			set[typeName(types.Default(t))] = true
		}
	}
	var list []string
	for t := range set {
		list = append(list, t)
	}
	slices.Sort(list)
	return list
}
