package census

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// hazards finds what stands in the way of each family.
func (b *builder) hazards() {
	ex := b.scanExcluded()
	b.census.unchecked = ex
	differing := map[*Point]bool{}
	for _, p := range b.order {
		differing[p] = p.differs(b.census.Program)
	}
	for _, f := range b.census.Families {
		for _, k := range f.Keys {
			b.pointHazards(k, differing)
			b.handedHazards(k)
			b.storeHazards(k)
			b.excludedHazards(ex, k)
			b.openHazards(k)
			b.templateHazards(k)
			if h := b.census.Half(k); h != nil {
				k.Notes = append(k.Notes, h)
			}
		}
		for _, k := range f.Keys {
			f.Hazards = append(f.Hazards, k.Hazards...)
			f.Notes = append(f.Notes, k.Notes...)
		}
	}
}

func (k *Key) hazard(reason string, f *program.File, pos token.Pos, format string, args ...any) {
	k.Hazards = append(k.Hazards, &Hazard{Reason: reason, Message: fmt.Sprintf(format, args...), File: f, Pos: pos})
}

// pointHazards judges the places where the key enters. differing are those that differ between configurations.
func (b *builder) pointHazards(k *Key, differing map[*Point]bool) {
	for i, p := range k.Points {
		switch {
		case !p.World():
			k.hazard(ReasonDependency, p.File, p.Expr.Pos(), "package %s, outside the program, %s it", p.Pkg.Path, verb(p.Lookups[0].Role))
		case p.told != "":
			k.hazard(ReasonDependency, p.File, p.Expr.Pos(), "it is handed to %s, which %s it by ways that cannot be followed, as the configuration says", p.told, verb(p.Lookups[0].Role))
		case p.ThroughDependency != "":
			k.hazard(ReasonDependency, p.File, p.Expr.Pos(), "it is handed to package %s, outside the program, which %s it", p.ThroughDependency, verb(p.Lookups[0].Role))
		}
		for _, l := range k.leaves[i] {
			if c := NamedConst(l.Pkg, l.Expr); c != nil && l.Pkg.World && !b.inWorld(c) {
				k.hazard(ReasonDependency, l.File, l.Expr.Pos(), "the key is constant %s of package %s, outside the program", c.Name(), c.Pkg().Path())
			} else if what := b.madeElsewhere(l); what != "" {
				k.hazard(ReasonDependency, l.File, l.Expr.Pos(), "the key is made with %s, which may differ between platforms and versions", what)
			}
		}
		if differing[p] {
			k.hazard(ReasonDynamic, p.File, p.Expr.Pos(), "the key here differs between the build configurations")
		}
		for _, u := range p.OtherUses {
			k.hazard(ReasonOtherUse, u.File, u.Pos, "%s", u.Why)
		}
		for _, u := range p.Unknown {
			k.hazard(ReasonDynamic, p.File, p.Expr.Pos(), "the key looked up here is not fixed: it %s", u.Why)
		}
		if len(p.Pkg.Errors) > 0 {
			k.hazard(ReasonTypeErrors, p.File, p.Expr.Pos(), "package %s does not type-check", p.Pkg.Path)
		}
	}
	for _, s := range k.Sites {
		if len(s.Pkg.Errors) > 0 {
			k.hazard(ReasonTypeErrors, s.File, s.Expr.Pos(), "package %s does not type-check", s.Pkg.Path)
		}
	}
}

// madeElsewhere names what a constant key is made with that the program does not declare: a constant of a package
// outside the world, or the size of a type. "" for none.
func (b *builder) madeElsewhere(l *Leaf) string {
	if !l.Pkg.World {
		return ""
	}
	for _, c := range b.constantParts(l) {
		if !b.inWorld(c) {
			return c.Pkg().Name() + "." + c.Name()
		}
	}
	what := ""
	ast.Inspect(l.Expr, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if bi, ok := l.Pkg.Info.Uses[sel.Sel].(*types.Builtin); ok {
				what = "unsafe." + bi.Name()
			}
		}
		return what == ""
	})
	return what
}

// fedByWorld returns where a key comes from that cannot be followed: for a look-up in the world any such
// place, for one in a dependency only a place in the world, what it does on its own being its own affair.
func (p *Point) fedByWorld() *Unknown { return p.fedBy(nil) }

// fedBy returns the first such place that a key of a type, if one is given, may come from: what passes a variable of type error
// on the way implements error.
func (p *Point) fedBy(t types.Type) *Unknown {
	for i, u := range p.Unknown {
		if (p.World() || u.File != nil && u.File.World) && (t == nil || u.admits(t)) {
			return &p.Unknown[i]
		}
	}
	return nil
}

// inWorld reports whether a constant is declared in the world.
func (b *builder) inWorld(c *types.Const) bool {
	f := b.census.Program.FileOf(c.Pos())
	return f != nil && f.World
}

// differs reports whether one expression is several keys, depending on the build configuration.
func (p *Point) differs(prog *program.Program) bool {
	for i, l := range p.Leaves[min(1, len(p.Leaves)):] {
		before := p.Leaves[i]
		if l.Key != before.Key && prog.IDOf(l.Expr.Pos()) == prog.IDOf(before.Expr.Pos()) && l.Expr.End() == before.Expr.End() {
			return true
		}
	}
	return false
}

func verb(r Role) string {
	if r == Writer {
		return "writes"
	}
	return "reads"
}

// storeHazards judges the context types that answer keys themselves.
func (b *builder) storeHazards(k *Key) {
	for _, st := range b.census.Stores {
		if !b.linkMeets(b.linker.linkageOf(st.Pkg, st.File), st.Pkg.Path, k) {
			continue
		}
		whole := k
		if k.whole != nil {
			whole = k.whole
		}
		if u, ok := st.Keys[whole]; ok {
			k.hazard(ReasonStore, u.File, u.Pos, u.Why, st.Name())
			continue
		}
		if st.distant {
			continue
		}
		if d := st.difference(k.Basic); d != nil {
			k.hazard(ReasonStore, d.File, d.Pos, "the Value method of %s %s", st.Name(), d.How)
			continue
		}
		if len(st.Open) == 0 {
			continue
		}
		u := st.Open[0]
		if hasOwn(k, Writer) && hasOwn(k, Reader) {
			k.Notes = append(k.Notes, &Hazard{Reason: ReasonStore, Message: fmt.Sprintf("%s may hold any key: one %s", st.Name(), u.Why), File: u.File, Pos: u.Pos})
			continue
		}
		k.hazard(ReasonStore, u.File, u.Pos, "%s may hold the key: one %s", st.Name(), u.Why)
	}
}

// difference returns the first place where keys of a built-in type are treated otherwise.
func (st *Store) difference(basic *types.Basic) *Difference {
	for i, d := range st.Differences {
		if d.Basic == nil || d.Basic.Kind() == basic.Kind() {
			return &st.Differences[i]
		}
	}
	return nil
}

// hasRole reports whether the key has a reader (or writer) whose key is known.
func hasRole(k *Key, role Role) bool {
	return slices.ContainsFunc(k.Sites, func(s *Site) bool { return s.Role == role })
}

// hasOwn reports the same of the program itself. What tests write stands for what the program writes, and
// does not count where the program itself uses the key.
func hasOwn(k *Key, role Role) bool {
	inTests := !slices.ContainsFunc(k.Sites, func(s *Site) bool { return !s.File.Test })
	return slices.ContainsFunc(k.Sites, func(s *Site) bool { return s.Role == role && (inTests || !s.File.Test) })
}

// Halved reports a key of which packages that others can import have one half only, and which half is missing: it is with
// importers, if anywhere, who spell the key by its text. What tests write or read stands for what importers do. That a command of
// the program contains the packages as well tells nothing: many a library has some. at is the first place.
func (c *Census) Halved(k *Key) (missing Role, at *Site, ok bool) {
	writer, reader := hasOwn(k, Writer), hasOwn(k, Reader)
	if writer == reader {
		return 0, nil, false
	}
	missing = Reader
	if reader {
		missing = Writer
	}
	for _, s := range k.Sites {
		if !s.File.Test && s.Pkg.World && Importable(s.Pkg) {
			return missing, s, true
		}
	}
	return 0, nil, false
}

// Half returns what lowers the fix of such a key to review: the importers' half cannot follow. It is nil for others.
func (c *Census) Half(k *Key) *Hazard {
	missing, s, ok := c.Halved(k)
	if !ok {
		return nil
	}
	nothing, what := "nothing in the program", "reads the value: importers that read it"
	if missing == Writer {
		what = "stores a value: importers that store one"
	}
	if hasRole(k, missing) {
		nothing = "nothing but tests"
	}
	under := "the key by its text"
	if k.Basic == nil {
		under = "the same type"
	}
	return &Hazard{Reason: ReasonDependency, Message: nothing + " " + what + " under " + under + " will notice", File: s.File, Pos: s.Expr.Pos()}
}

// openHazards judges the look-ups whose key is computed: such a reader owns the keys that
// nobody else reads, and makes the others a matter of review. Writers likewise.
func (b *builder) openHazards(k *Key) {
	for _, p := range b.census.Open {
		if p.uncalled || p.Basic != nil && p.Basic.Kind() != k.Basic.Kind() || slices.Contains(k.Points, p) || !b.canMeet(p, k) {
			continue
		}
		role := p.Lookups[0].Role
		u := p.fedBy(k.Basic)
		if u == nil {
			continue
		}
		h := &Hazard{
			Reason:  ReasonDynamic,
			Message: fmt.Sprintf("a key that %s is looked up here and may be this one", u.Why),
			File:    p.File, Pos: p.Expr.Pos(),
		}
		if role == Writer {
			h.Message = fmt.Sprintf("a value is stored here under a key that %s and may be this one", u.Why)
		}
		if hasOwn(k, Writer) && hasOwn(k, Reader) {
			k.Notes = append(k.Notes, h)
		} else if !hasOwn(k, role) {
			k.Hazards = append(k.Hazards, h)
		} else {
			k.Notes = append(k.Notes, h)
		}
	}
}
