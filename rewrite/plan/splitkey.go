package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// unifyKeys replaces a key by another one with the same text, by name or by an accessor.
func (d *draft) unifyKeys(in *rules.UnifyKeys) error {
	kp, err := d.splitPlan(in)
	if err != nil {
		return err
	}
	name := kp.nameOf(in.To)
	for _, s := range kp.spots {
		if err := kp.unify(s, in.To, name); err != nil {
			return err
		}
	}
	if err := kp.writeDecls(); err != nil {
		return err
	}
	kp.removeUnused()
	kp.dropForwarders()
	kp.removeType(in.From)
	return nil
}

// removeType removes the type of the key that goes when nothing uses it any more.
func (kp *keyPlan) removeType(from *census.Key) {
	named, ok := types.Unalias(from.GoType).(*types.Named)
	if !ok || named.Obj().Exported() || kp.packageOf(named.Obj()) == nil {
		return
	}
	p := &dropPlan{draft: kp.draft}
	for _, s := range kp.spots {
		p.lost = append(p.lost, lostRange{s.File, s.Expr.Pos(), s.Expr.End(), nil})
	}
	for _, e := range kp.unit.Edits {
		if r, ok := e.(*RemoveSpec); ok && len(r.Spec.Names) == 1 {
			p.lost = append(p.lost, lostRange{r.File, r.Spec.Pos(), r.Spec.End(), nil})
		}
	}
	p.dropTypes([]*types.TypeName{named.Obj()})
}

// splitPlan prepares a plan whose home is the package of the key that stays and whose spots are the places
// of the one that goes.
func (d *draft) splitPlan(in *rules.UnifyKeys) (*keyPlan, error) {
	merged := *in.From
	merged.Sites = append(append([]*census.Site{}, in.To.Sites...), in.From.Sites...)
	if merged.Const == nil {
		merged.Const = in.To.Const
	}
	fam := &census.Family{Keys: []*census.Key{in.From}}
	kp := &keyPlan{
		draft: d, fam: fam, style: "string",
		byExpr:   map[ast.Expr]*spot{},
		retyped:  map[token.Pos]types.Object{},
		keys:     map[*census.Key]*keyNames{},
		replaced: map[ast.Expr]bool{}, importers: map[string]int{},
	}
	seen := map[ast.Expr]bool{}
	for _, s := range in.From.Sites {
		if seen[s.Expr] {
			continue
		}
		seen[s.Expr] = true
		sp, err := kp.siteSpot(in.From, s)
		if err != nil {
			return nil, err
		}
		kp.spots = append(kp.spots, sp)
		kp.byExpr[s.Expr] = sp
		fam.Points = append(fam.Points, sp.Point)
	}
	named, ok := types.Unalias(in.To.GoType).(*types.Named)
	pkg := (*program.Package)(nil)
	if ok {
		pkg = kp.packageOf(named.Obj())
	}
	if pkg == nil {
		s := kp.spots[0]
		return nil, block("placement", s.File, s.Expr.Pos(), "the type of %s is not declared in the program", in.To.Name())
	}
	if kp.basic, ok = named.Underlying().(*types.Basic); !ok {
		kp.style = "struct"
	}
	kp.home = kp.homeOf(pkg, "")
	n := &keyNames{key: &merged, base: kp.splitBase(in), forms: map[AccessorKind]string{}, have: map[AccessorKind]*haveAccessor{}}
	if merged.Const == nil {
		n.noun = "the value of key " + named.Obj().Name()
	}
	kp.keys[in.From] = n
	kp.splitValue(in, n)
	kp.haveAccessors(in, n)
	if err := kp.feasible(kp.home); err != nil {
		return nil, err
	}
	return kp, nil
}

// splitBase finds the stem for the names of accessors.
func (kp *keyPlan) splitBase(in *rules.UnifyKeys) string {
	for _, k := range []*census.Key{in.To, in.From} {
		base := ""
		if k.Const != nil {
			base = kp.baseFor(k)
		} else if named, ok := types.Unalias(k.GoType).(*types.Named); ok {
			base = baseName(named.Obj().Name())
		}
		if base != "" && base != "ContextValue" {
			return base
		}
	}
	return "ContextValue"
}

// splitValue decides the type that accessors speak of: the one type that is stored under either key, also through functions
// that store for others or, where there are several, the one that all replaced look-ups expect.
func (kp *keyPlan) splitValue(in *rules.UnifyKeys, n *keyNames) {
	t := kp.oneStored(in)
	if t == nil {
		t = kp.oneExpected()
	}
	if t == nil || typeParams(t) {
		return
	}
	if text, ok := kp.typeText(t); ok {
		n.value, n.text, n.valueSet = t, text, true
	}
}

// oneStored returns the type of everything that is stored under both keys, nil for several.
func (kp *keyPlan) oneStored(in *rules.UnifyKeys) types.Type {
	var t types.Type
	for _, k := range []*census.Key{in.To, in.From} {
		stored, open := kp.census.Stored(k)
		for _, s := range stored {
			if t != nil && !types.Identical(t, s.Type) {
				return nil
			}
			t = s.Type
		}
		if open {
			return nil
		}
	}
	return t
}

// oneExpected returns the type that every replaced place asserts, nil when one stores, asserts nothing or another type.
func (kp *keyPlan) oneExpected() types.Type {
	var t types.Type
	for _, s := range kp.spots {
		var have types.Type
		switch {
		case s.lookup != nil:
			have = kp.asserted(s.lookup)
		case s.call != nil && s.call.typ != nil:
			have = s.call.typ
		case s.call != nil && s.call.value == nil:
			have, _ = kp.assertedHere(s, s.call.call)
		}
		if have == nil || t != nil && !types.Identical(t, have) {
			return nil
		}
		t = have
	}
	return t
}

// siteSpot makes a spot of a place that names the key as a constant, or by its type.
func (kp *keyPlan) siteSpot(k *census.Key, s *census.Site) (*spot, error) {
	if !s.Pkg.World {
		return nil, block(census.ReasonDependency, nil, token.NoPos, "package %s, outside the program, uses the key", s.Pkg.Path)
	}
	p := s.Point
	if p == nil {
		p = &census.Point{Expr: s.Expr, File: s.File, Pkg: s.Pkg, Lookups: []*census.Lookup{s.Lookup}}
	}
	sp := &spot{Point: p, key: k, form: literal}
	if lit, ok := ast.Unparen(s.Expr).(*ast.CompositeLit); ok && k.Value == "" && len(lit.Elts) == 0 {
		if p.Direct() && kp.contextual(p.Lookups[0]) {
			sp.lookup = p.Lookups[0]
		}
		sp.call = kp.forwardedAt(s)
		return sp, nil
	}
	if p.Expr != s.Expr && !(s.Point != nil && kp.forwardedAt(s) != nil) || s.Pkg.Info.Types[s.Expr].Value == nil {
		return nil, block("forwarder", s.File, s.Expr.Pos(), "the key is handed to code that asks for type %s; change that first", k.Type)
	}
	if p.Expr != s.Expr {
		p = &census.Point{Expr: s.Expr, File: s.File, Pkg: s.Pkg, Lookups: []*census.Lookup{s.Lookup}}
		sp.Point = p
		sp.asksType = true
	}
	sp.call = kp.forwardedAt(s)
	if c := census.NamedConst(s.Pkg, s.Expr); c != nil {
		sp.form, sp.obj = named, c
	}
	if p.Direct() && kp.contextual(p.Lookups[0]) {
		sp.lookup = p.Lookups[0]
	}
	return sp, nil
}

// nameOf finds the package-level constant or variable of the home that its sites name the key by, nil for none.
// Declarations of ordinary files go before those of tests, then exported ones.
func (kp *keyPlan) nameOf(k *census.Key) types.Object {
	if kp.style == "struct" {
		return kp.typeNameOf(k)
	}
	var best types.Object
	better := func(obj types.Object) bool {
		if best == nil {
			return true
		}
		if x, y := kp.prog.FileOf(obj.Pos()).Test, kp.prog.FileOf(best.Pos()).Test; x != y {
			return y
		}
		if obj.Exported() != best.Exported() {
			return obj.Exported()
		}
		return obj.Pos() < best.Pos()
	}
	for _, s := range k.Sites {
		obj := types.Object(nil)
		if c := census.NamedConst(s.Pkg, s.Expr); c != nil {
			obj = c
		} else if v := namedVar(s.Pkg, s.Expr); v != nil {
			if fn, _ := kp.census.ParamOf(v.(*types.Var)); fn == nil && !kp.reassignedVar(v) {
				obj = v
			}
		}
		if obj == nil || !kp.packageLevel(obj) || !kp.inHome(obj) || !types.Identical(obj.Type(), k.GoType) {
			continue
		}
		if best == nil || better(obj) {
			best = obj
		}
	}
	if best == nil {
		best = kp.declaredConst(k)
	}
	if best != nil {
		kp.retyped[best.Pos()] = best
		n := kp.keys[kp.fam.Keys[0]]
		n.ident = best.Name()
		if d := kp.declOf(best); d != nil {
			kp.kt = &keyType{ref: Ref{PkgPath: kp.home.path, PkgName: kp.home.name}, file: d.file}
		}
	}
	return best
}

// declaredConst finds a constant of the home that is the key although no place names it, nil for none.
func (kp *keyPlan) declaredConst(k *census.Key) types.Object {
	scope := kp.home.pkg.Types.Scope()
	for _, name := range scope.Names() {
		c, ok := scope.Lookup(name).(*types.Const)
		if !ok || !types.Identical(c.Type(), k.GoType) || c.Val().ExactString() != k.Value {
			continue
		}
		if f := kp.prog.FileOf(c.Pos()); f != nil && !f.Test && kp.everywhere(f) {
			return c
		}
	}
	return nil
}

// typeNameOf returns the name of the empty struct type that is the key.
func (kp *keyPlan) typeNameOf(k *census.Key) types.Object {
	tn := types.Unalias(k.GoType).(*types.Named).Obj()
	n := kp.keys[kp.fam.Keys[0]]
	n.ident = tn.Name()
	if f := kp.prog.FileOf(tn.Pos()); f != nil {
		if decl, _ := typeSpec(f, tn); decl != nil {
			n.place = &keyType{file: f, after: decl}
		}
	}
	return tn
}

// reassignedVar reports whether a variable is assigned after its declaration.
func (d *draft) reassignedVar(v types.Object) bool {
	p := &dropPlan{draft: d}
	return p.reassigned(v)
}

// unify lets one place use the key that stays.
func (kp *keyPlan) unify(s *spot, to *census.Key, name types.Object) error {
	n := kp.keys[s.key]
	kp.replaced[s.Expr] = true
	here := s.Pkg.Path == kp.home.path
	inTest := name != nil && kp.prog.FileOf(name.Pos()).Test
	switch {
	case name == nil && here && !s.asksType:
		return kp.convertText(s, to)
	case name == nil:
		return block("placement", s.File, s.Expr.Pos(), "the key has no name; declare a constant for it in %s", kp.home.path)
	case here && (!inTest || s.File.Test):
		if o := meaning(s.at(), name.Name()); o == nil || o.Pos() != name.Pos() {
			return block("placement", s.File, s.Expr.Pos(), "%s means something else here", name.Name())
		}
		if s.asksType {
			return kp.inlineForwarded(s, name.Name())
		}
		kp.keyExpr(s, name.Name())
	case inTest:
		return block("placement", s.File, s.Expr.Pos(), "%s is declared in a test", name.Name())
	case name.Exported() && !s.asksType:
		kp.keyExpr(s, name.Name())
	case s.lookup != nil && kp.opts.Accessors != "never" && !kp.losesComment(s):
		return kp.access(s, n)
	case s.call != nil && kp.opts.Accessors != "never":
		return kp.accessForwarded(s, n)
	case s.asksType:
		return block("forwarder", s.File, s.Expr.Pos(), "the key is handed to code that asks for type %s, and no accessor can take its place here", s.key.Type)
	default:
		return block("placement", s.File, s.Expr.Pos(), "%s of package %s is not exported, and no accessor can take its place here", name.Name(), kp.home.path)
	}
	return nil
}

// convertText writes the key as T("text") where it has no name.
func (kp *keyPlan) convertText(s *spot, to *census.Key) error {
	named := types.Unalias(to.GoType).(*types.Named)
	if o := lookup(s.at(), named.Obj().Name()); o == nil || o.Pos() != named.Obj().Pos() {
		return block("placement", s.File, s.Expr.Pos(), "%s means something else here", named.Obj().Name())
	}
	kp.splice(s.File, s.Expr.Pos(), s.Expr.End(), Name(kp.home.path, kp.home.name, named.Obj().Name()), Lit("("+to.Value+")"))
	return nil
}

// haveAccessors looks in the home package for accessors of the key that stays.
func (kp *keyPlan) haveAccessors(in *rules.UnifyKeys, n *keyNames) {
	for _, s := range in.To.Sites {
		if s.Pkg.Path != kp.home.path || s.File.Test || s.Lookup.Call == nil || ast.Unparen(s.Lookup.Key) != s.Expr || !kp.everywhere(s.File) {
			continue
		}
		decl := kp.enclosingFunc(&spot{Point: &census.Point{File: s.File}, lookup: s.Lookup})
		if decl == nil || decl.Recv != nil || !decl.Name.IsExported() || decl.Type.TypeParams != nil {
			continue
		}
		fn, ok := s.Pkg.Info.Defs[decl.Name].(*types.Func)
		if !ok || !isContextType(firstParam(fn)) {
			continue
		}
		if a := kp.accessorShape(s.Lookup, decl, fn); a != nil && n.have[a.kind] == nil {
			n.have[a.kind] = a
		}
	}
}
