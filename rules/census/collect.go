package census

import (
	"context"
	"go/ast"
	"go/constant"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A builder takes the census configuration by configuration and merges what it
// finds by position.
type builder struct {
	census  *Census
	points  map[pointID]*Point
	order   []*Point // world points and dependency points, in the order found
	lookups map[program.ID]*Lookup
	sites   map[siteID]bool
	// opaqueModules are dependencies that look up keys by ways that cannot be followed, by module path.
	opaqueModules map[string]*Lookup
	narrow        bool // something is looked up through an interface that has Value only
	linker        *linker
	// toldOf are the functions that stand for what users say of them, by the packages made for them.
	toldOf    map[*program.Package]*types.Func
	parts     []*Key                  // keys split off from others
	templates *bool                   // caches byTemplates
	looks     *templateLooks          // caches templateLooks
	constants map[*types.Const][]Expr // caches valuesOf
	ix        *index                  // of the configuration in hand
	stores    *storeFinder
	visited   map[ast.Expr]bool // expressions followed on the way from a look-up
	carried   map[types.Object]*carrier
}

type pointID struct {
	at  program.ID
	end int
}

// A leafID tells the leaves of one point apart.
type leafID struct {
	expr, site program.ID
	value      string // a constant may differ between build configurations
}

type siteID struct {
	at   program.ID
	key  *Key
	role Role
}

// A carrier is an object that holds keys in interface form on their way to a look-up.
type carrier struct {
	obj    types.Object
	points []*Point
}

func (b *builder) config(ctx context.Context, cfg *program.Config) error {
	var extra []*program.Package
	for {
		b.ix = newIndex(b.census.Program, cfg, extra)
		b.visited = map[ast.Expr]bool{}
		b.carried = map[types.Object]*carrier{}
		b.stores = findStores(b.ix)
		for _, pkg := range b.ix.pkgs {
			if err := ctx.Err(); err != nil {
				return err
			}
			for _, f := range pkg.Files {
				if f.AST != nil {
					program.Doing("the census of "+f.Rel, func() { b.file(pkg, f) })
				}
			}
		}
		b.checkCarriers()
		more, err := b.dependenciesToRead(ctx, cfg, extra)
		if err != nil {
			return err
		}
		if len(more) == 0 {
			break
		}
		extra = append(extra, more...)
	}
	b.storeUses()
	b.census.indexes = append(b.census.indexes, b.ix)
	return nil
}

// file finds the look-ups of one file.
func (b *builder) file(pkg *program.Package, f *program.File) {
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if lk := b.lookupOf(pkg, f, n); lk != nil {
				b.lookup(lk)
			}
			b.spread(pkg, f, n)
			b.told(pkg, f, n)
			b.forwarded(pkg, f, n)
		case *ast.Ident:
			b.functionValue(pkg, f, n)
		}
		return true
	})
}

func (b *builder) lookup(lk *Lookup) {
	id := b.census.Program.IDOf(lk.Call.Pos())
	id.Offset = id.Offset<<1 | int(lk.Role) // x.Value(k).Value(k2) starts where x.Value(k) does
	id.File = id.File + "|" + itoa(int(lk.Call.End()-lk.Call.Pos()))
	key := ref{expr: lk.Key, file: lk.File, pkg: lk.Pkg} // as this configuration sees it
	if old := b.lookups[id]; old != nil {
		lk = old
	} else {
		b.lookups[id] = lk
	}
	b.follow(key, lk, map[refSeen]bool{}, nil, nil)
}

type refSeen struct {
	expr ast.Expr
	want string
	only types.Type
	asks string
}

func (r ref) seen() refSeen { return refSeen{r.expr, r.want, r.only, ""} }

// follow walks backwards from a key position through carriers to points. pass lists the
// carriers passed so far, asks the methods that the types on the way ask of the key.
func (b *builder) follow(r ref, lk *Lookup, seen map[refSeen]bool, pass []*carrier, asks []string) {
	at := r.seen()
	at.asks = joined(asks)
	if seen[at] {
		return
	}
	seen[at] = true
	b.visited[r.expr] = true
	if r.want == "" {
		t := r.typ()
		if t == nil || t == types.Typ[types.Invalid] || t == types.Typ[types.UntypedNil] {
			return
		}
		if !carrierType(t) {
			b.point(r, t, lk, pass)
			return
		}
		if b.ix.ownKeyParam(r) {
			return // a Value method that passes its own key on: whoever calls it is seen as a reader
		}
		asks = withAsks(asks, t)
	}
	b.noteRole(b.noteKeyParam(r), lk.Role)
	b.noteWay(&lk.ways, r, lk.Role)
	if obj := b.carrierObject(r); obj != nil {
		c := b.carried[obj]
		if c == nil {
			c = &carrier{obj: obj}
			b.carried[obj] = c
		}
		pass = append(pass[:len(pass):len(pass)], c)
	}
	s := b.ix.step(r)
	for _, next := range s.refs {
		b.follow(next, lk, seen, pass, asks)
	}
	if s.zeroType && lk.Pkg.World {
		b.openPoint(lk).zeroType = true
	}
	for _, u := range s.unknown {
		u.asks = asks
		b.open(lk, u)
	}
}

// passes notes that the key comes through a package-level variable or a field.
func (p *Point) passes(v *types.Var) {
	var n mentionedName
	switch {
	case v == nil || v.Pkg() == nil:
		return
	case v.IsField():
		n.name = v.Name()
	case v.Parent() == v.Pkg().Scope():
		n = mentionedName{v.Pkg().Path(), v.Name()}
	default:
		return
	}
	p.comesThrough(n)
}

// carriedBy notes that a package-level variable holds the key in interface form.
func (p *Point) carriedBy(v *types.Var) {
	if v != nil && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
		if p.carriers == nil {
			p.carriers = map[mentionedName]bool{}
		}
		p.carriers[mentionedName{v.Pkg().Path(), v.Name()}] = true
	}
}

func (p *Point) comesThrough(n mentionedName) {
	if p.through == nil {
		p.through = map[mentionedName]bool{}
	}
	p.through[n] = true
}

// noteKeyParam notes the parameter or field that an expression names, if it does.
func (b *builder) noteKeyParam(r ref) *types.Var {
	var v *types.Var
	switch e := r.expr.(type) {
	case *ast.Ident:
		v, _ = r.pkg.Info.Uses[e].(*types.Var)
	case *ast.SelectorExpr:
		v, _ = r.pkg.Info.Uses[e.Sel].(*types.Var)
	}
	if v = b.ix.repVar(v); v != nil && !b.ix.keyParam[v] {
		b.ix.keyParam[v] = true
		b.ix.keyParams = append(b.ix.keyParams, v)
	}
	return v
}

// carrierObject returns the variable, field or function whose content r reads, if any.
func (b *builder) carrierObject(r ref) types.Object {
	var obj types.Object
	switch e := r.expr.(type) {
	case *ast.Ident:
		obj = r.pkg.Info.Uses[e]
	case *ast.SelectorExpr:
		obj = r.pkg.Info.Uses[e.Sel]
	case *ast.CallExpr:
		if fn := Callee(r.pkg.Info, e); fn != nil && !isConversion(r.pkg.Info, e) {
			return b.ix.rep(fn)
		}
	}
	if v, ok := obj.(*types.Var); ok {
		return b.ix.rep(v)
	}
	return nil
}

func isConversion(info *types.Info, call *ast.CallExpr) bool {
	tv, ok := info.Types[call.Fun]
	return ok && tv.IsType()
}

// ownKeyParam reports whether r is the key parameter of a context type's method Value(any) any, unchanged.
// The same method of a type that is no context is a forwarder like any other.
func (ix *index) ownKeyParam(r ref) bool {
	id, ok := r.expr.(*ast.Ident)
	if !ok {
		return false
	}
	v, _ := r.pkg.Info.Uses[id].(*types.Var)
	p, ok := ix.paramOf(v)
	return ok && p.fn != nil && isValueMethod(p.fn) && isContextLike(p.fn.Signature().Recv().Type())
}

// point records a place where a key of concrete type enters.
func (b *builder) point(r ref, t types.Type, lk *Lookup, pass []*carrier) {
	basic := basicOf(t)
	if basic == nil {
		b.typedKey(r, t, lk)
		return
	}
	expr := ast.Unparen(r.expr)
	at := b.census.Program.IDOf(expr.Pos())
	id := pointID{at, at.Offset + int(expr.End()-expr.Pos())}
	p := b.points[id]
	if p == nil {
		p = &Point{Expr: expr, File: r.file, Pkg: r.pkg, Basic: basic}
		b.points[id] = p
		b.order = append(b.order, p)
	}
	if !hasLookup(p, lk) {
		p.Lookups = append(p.Lookups, lk)
	}
	if !lk.Pkg.World && p.ThroughDependency == "" {
		p.ThroughDependency = lk.Pkg.Path
		if fn := b.toldOf[lk.Pkg]; fn != nil {
			p.told = fn.Origin().FullName()
		}
	}
	for _, c := range pass {
		c.points = append(c.points, p)
	}
	b.leaves(ref{expr: expr, file: r.file, pkg: r.pkg}, p, ref{expr: expr, file: r.file, pkg: r.pkg}, map[refSeen]bool{})
}

func hasLookup(p *Point, lk *Lookup) bool {
	for _, l := range p.Lookups {
		if l == lk {
			return true
		}
	}
	return false
}

// leaves follows a point's value back to constants. site is the expression to report.
func (b *builder) leaves(r ref, p *Point, site ref, seen map[refSeen]bool) {
	if seen[r.seen()] {
		return
	}
	seen[r.seen()] = true
	if r.want == "" {
		if tv := r.pkg.Info.Types[r.expr]; tv.Value != nil {
			b.leaf(r, tv.Value, p, site)
			return
		}
	}
	b.forwarder(r, p)
	p.element = p.element || r.want != ""
	s := b.ix.step(r)
	p.element = p.element || s.zero
	for _, next := range s.refs {
		at := site
		if next.arg {
			at = next
		}
		b.leaves(next, p, at, seen)
	}
	for _, u := range s.unknown {
		p.addUnknown(b.census.Program, u)
	}
}

// forwarder notes the function whose parameter r is.
func (b *builder) forwarder(r ref, p *Point) {
	v := b.noteKeyParam(r)
	for _, lk := range p.Lookups {
		b.noteRole(v, lk.Role)
		b.noteWay(&p.ways, r, lk.Role)
	}
	p.passes(v)
	if call, ok := r.expr.(*ast.CallExpr); ok {
		if fn := Callee(r.pkg.Info, call); fn != nil && fn.Pkg() != nil && !isConversion(r.pkg.Info, call) {
			n := mentionedName{fn.Pkg().Path(), fn.Name()}
			b.ix.keyFuncs[n] = true
			p.comesThrough(n)
		}
	}
	fp, ok := b.ix.paramOf(v)
	if ok && fp.lit != nil {
		if n, ok := b.ix.literalName(fp); ok {
			p.comesThrough(n)
		}
	}
	if !ok || fp.fn == nil {
		return
	}
	if fp.fn.Pkg() != nil {
		p.comesThrough(mentionedName{fp.fn.Pkg().Path(), fp.fn.Name()})
	}
	for _, have := range p.Forwarders {
		if have.Pos() == fp.fn.Pos() {
			return
		}
	}
	p.Forwarders = append(p.Forwarders, fp.fn)
}

func (p *Point) addUnknown(prog *program.Program, u Unknown) {
	for _, have := range p.Unknown {
		if have.Why == u.Why && prog.IDOf(have.Pos) == prog.IDOf(u.Pos) && joined(have.asks) == joined(u.asks) {
			return
		}
	}
	p.Unknown = append(p.Unknown, u)
}

// leaf records a constant that a point may be.
func (b *builder) leaf(r ref, v constant.Value, p *Point, site ref) {
	v = asKind(v, p.Basic)
	if v.Kind() == constant.Unknown {
		p.addUnknown(b.census.Program, Unknown{File: r.file, Pos: r.expr.Pos(), Why: "is converted between kinds of constants"})
		return
	}
	prog := b.census.Program
	id := leafID{prog.IDOf(r.expr.Pos()), prog.IDOf(site.expr.Pos()), v.ExactString()}
	if p.known[id] {
		return
	}
	if p.known == nil {
		p.known = map[leafID]bool{}
	}
	p.known[id] = true
	key := b.key(p.Basic.Name(), v, p.Basic)
	p.Leaves = append(p.Leaves, &Leaf{
		Expr: r.expr, File: r.file, Pkg: r.pkg, Key: key, Value: v,
		SiteExpr: ast.Unparen(site.expr), SiteFile: site.file, SitePkg: site.pkg,
	})
}

// asKind converts a constant to the representation of a basic type.
func asKind(v constant.Value, basic *types.Basic) constant.Value {
	info := basic.Info()
	switch {
	case info&types.IsString != 0 && v.Kind() == constant.String, info&types.IsBoolean != 0 && v.Kind() == constant.Bool:
		return v
	case info&types.IsInteger != 0:
		return constant.ToInt(v)
	case info&types.IsFloat != 0:
		return constant.ToFloat(v)
	case info&types.IsComplex != 0:
		return constant.ToComplex(v)
	}
	return constant.MakeUnknown()
}

// key returns the census entry for a key, making it when new.
func (b *builder) key(typ string, v constant.Value, basic *types.Basic) *Key {
	id := keyID{typ: typ}
	if v != nil {
		id.value = v.ExactString()
	}
	k := b.census.keys[id]
	if k == nil {
		k = &Key{Type: typ, Value: id.value, Const: v, Basic: basic}
		if basic != nil {
			k.GoType = basic
		}
		b.census.keys[id] = k
	}
	return k
}

// typedKey records a reader or writer under a key of a type that is not built in.
func (b *builder) typedKey(r ref, t types.Type, lk *Lookup) {
	if _, ok := t.Underlying().(*types.Pointer); ok {
		for _, k := range b.pointerKeys(r) {
			if k.GoType == nil {
				k.GoType = t
			}
			b.site(k, nil, lk, r)
		}
		return
	}
	var v constant.Value
	if tv := r.pkg.Info.Types[r.expr]; tv.Value != nil {
		v = tv.Value
	}
	values := []constant.Value{v}
	if v == nil && !isEmptyStruct(t) {
		values = b.typedConstants(r)
	}
	for _, v := range values {
		k := b.key(typeName(t), v, nil)
		if k.GoType == nil {
			k.GoType = types.Unalias(t)
		}
		b.site(k, nil, lk, r)
	}
}

// typedConstants returns the constants a typed key expression may be; nil stands for identity by type or object.
func (b *builder) typedConstants(r ref) []constant.Value {
	var vals []constant.Value
	if _, ok := r.typ().Underlying().(*types.Basic); ok {
		vals = b.constantsOf(b.ix, r)
	}
	if len(vals) == 0 {
		vals = []constant.Value{nil}
	}
	return vals
}

func isEmptyStruct(t types.Type) bool {
	st, ok := t.Underlying().(*types.Struct)
	return ok && st.NumFields() == 0
}

func (b *builder) site(k *Key, p *Point, lk *Lookup, r ref) {
	expr := ast.Unparen(r.expr)
	id := siteID{b.census.Program.IDOf(expr.Pos()), k, lk.Role}
	if b.sites[id] {
		return
	}
	b.sites[id] = true
	k.Sites = append(k.Sites, &Site{Role: lk.Role, Key: k, Point: p, Lookup: lk, Expr: expr, File: r.file, Pkg: r.pkg})
}

// open records a look-up in the world whose key comes from where nobody can follow.
func (b *builder) open(lk *Lookup, u Unknown) {
	inWorld := u.File != nil && u.File.World
	if !lk.Pkg.World && !inWorld {
		b.opaque(lk) // a dependency's own affair, unless a key of the world is handed to it
		return
	}
	b.openPoint(lk).addUnknown(b.census.Program, u)
}

// openPoint returns the point that stands for a look-up by a key of interface type.
func (b *builder) openPoint(lk *Lookup) *Point {
	expr := ast.Unparen(lk.Key)
	id := pointID{b.census.Program.IDOf(expr.Pos()), -1}
	p := b.points[id]
	if p == nil {
		p = &Point{Expr: expr, File: lk.File, Pkg: lk.Pkg, Lookups: []*Lookup{lk}}
		b.points[id] = p
		b.order = append(b.order, p)
	}
	return p
}

// typeName writes a type with full package paths, and without the aliases that it goes by: == does not see them.
func typeName(t types.Type) string {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		return "*" + typeName(p.Elem())
	}
	return types.TypeString(t, func(p *types.Package) string { return p.Path() })
}

// typePackage returns the package path of a type name written by typeName, "" when it has none.
func typePackage(name string) string {
	depth := 0
	for i := len(name) - 1; i >= 0; i-- {
		switch name[i] {
		case ']':
			depth++
		case '[':
			depth--
		case '/':
			if depth == 0 {
				return ""
			}
		case '.':
			if depth == 0 {
				return name[:i]
			}
		}
	}
	return ""
}

func itoa(i int) string { return constant.MakeInt64(int64(i)).ExactString() }
