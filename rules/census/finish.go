package census

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
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
			SiteExpr: p.Expr, SiteFile: p.File, SitePkg: p.Pkg,
		})
	}
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
		p.addUnknown(b.census.Program, Unknown{p.File, p.Expr.Pos(), "is never set in the program"})
		return
	}
	p.fromCallers = true
	p.uncalled = !slices.ContainsFunc(p.Forwarders, func(fn *types.Func) bool {
		return IsAPI(b.census.Program, fn) || b.byTemplates() && fn.Exported() && fn.Signature().Recv() != nil
	})
	why := "comes from callers, of which the program has none"
	if !p.uncalled {
		why = "comes from callers outside the program"
	}
	p.addUnknown(b.census.Program, Unknown{p.File, p.Expr.Pos(), why})
}

// byTemplates reports whether templates may call exported methods: the program, or a dependency, imports
// a package that calls methods by the names it reads.
func (b *builder) byTemplates() bool {
	if b.templates == nil {
		found := false
		for _, cfg := range b.census.Program.Configs {
			for _, p := range cfg.Packages {
				if (p.World || p.DepModule != "") && (p.Imports["text/template"] != nil || p.Imports["html/template"] != nil) {
					found = true
				}
			}
		}
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
			b.halved(k)
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
func (p *Point) fedByWorld() *Unknown {
	for i, u := range p.Unknown {
		if p.World() || u.File != nil && u.File.World {
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

// halved notes a key of which a library has one half only: the other is with its importers, if anywhere, and
// cannot follow.
func (b *builder) halved(k *Key) {
	writer, reader := hasRole(k, Writer), hasRole(k, Reader)
	if writer == reader {
		return
	}
	for _, s := range k.Sites {
		if s.File.Test || !s.Pkg.World || !Importable(s.Pkg) || b.census.InProgram(s.Pkg) {
			continue
		}
		what := "nothing in the program reads the value: importers that read it under the key by its text will notice"
		if reader {
			what = "nothing in the program stores a value: importers that store one under the key by its text will notice"
		}
		k.Notes = append(k.Notes, &Hazard{Reason: ReasonDependency, Message: what, File: s.File, Pos: s.Expr.Pos()})
		return
	}
}

// openHazards judges the look-ups whose key is computed: such a reader owns the keys that
// nobody else reads, and makes the others a matter of review. Writers likewise.
func (b *builder) openHazards(k *Key) {
	for _, p := range b.census.Open {
		if p.uncalled || p.Basic != nil && p.Basic.Kind() != k.Basic.Kind() || slices.Contains(k.Points, p) || !b.canMeet(p, k) {
			continue
		}
		role := p.Lookups[0].Role
		u := p.fedByWorld()
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

// excerpt writes the expression around a use in short form.
func excerpt(parent, child ast.Node) string {
	e, ok := parent.(ast.Expr)
	if !ok {
		e, ok = child.(ast.Expr)
	}
	if !ok {
		return "as a value"
	}
	s := types.ExprString(e)
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	return s
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
					p.addOtherUse(b.census.Program, Unknown{u.file, u.node.Pos(), why})
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
