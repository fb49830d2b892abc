package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A keyNaming is the plan of keys that get types of their own.
type keyNaming struct {
	*draft
	in   *rules.NameKeys
	done map[token.Pos]bool // declarations and expressions that are edited
}

// nameKeys plans types for keys that others can write as well.
func (d *draft) nameKeys(in *rules.NameKeys) error {
	kn := &keyNaming{draft: d, in: in, done: map[token.Pos]bool{}}
	d.review = append(d.review, in.Notes...)
	for _, g := range in.Groups {
		for _, v := range g.Vars {
			if census.IsAPI(d.prog, v) {
				d.review = append(d.review, v.Pkg().Name()+"."+v.Name()+" is exported: importers that use its type will notice")
			}
		}
		if g.Alias != nil && census.IsAPI(d.prog, g.Alias) {
			d.review = append(d.review, g.Alias.Pkg().Name()+"."+g.Alias.Name()+" is exported: importers that take it for the unnamed type will notice")
		}
	}
	d.noteSites(in)
	if in.Pointers {
		return kn.pointers()
	}
	for _, g := range in.Groups {
		if err := kn.group(g); err != nil {
			return err
		}
	}
	return nil
}

// group gives the sites of one key a struct type.
func (kn *keyNaming) group(g *rules.KeyGroup) error {
	for _, s := range g.Sites {
		if reason := uneditable(s.File); reason != "" && !kn.retyped(g, s) {
			return block(reason, s.File, s.Expr.Pos(), "%s", uneditableMessage(reason))
		}
	}
	elsewhere, err := kn.importers(g)
	if err != nil {
		return err
	}
	ref, err := kn.keyType(g, elsewhere)
	if err != nil {
		return err
	}
	for _, v := range g.Vars {
		if err := kn.retypeVar(v, ref); err != nil {
			return err
		}
	}
	for _, s := range g.Sites {
		kn.site(g, s, ref)
		kn.dropStale([]*census.Lookup{s.Lookup})
	}
	return nil
}

// keyType is the type of a group's key: the alias, made a type of its own, or a new one.
func (kn *keyNaming) keyType(g *rules.KeyGroup, elsewhere bool) (Ref, error) {
	if g.Alias == nil {
		return kn.declare(g, elsewhere, types.TypeString(kn.in.Type, nil))
	}
	f := kn.prog.FileOf(g.Alias.Pos())
	spec := typeSpecOf(f, g.Alias)
	if spec == nil || !spec.Assign.IsValid() || elsewhere && !g.Alias.Exported() {
		return Ref{}, block("other-use", g.Sites[0].File, g.Sites[0].Expr.Pos(), "alias %s cannot become a type of its own", g.Alias.Name())
	}
	end := spec.Assign + 1
	if at := kn.offset(f, spec.Assign); at > 0 && f.Src[at-1] == ' ' && at+1 < len(f.Src) && f.Src[at+1] == ' ' {
		end++ // one blank is left of the two around it, also where nobody formats the line
	}
	kn.splice(f, spec.Assign, end)
	for _, s := range g.Sites {
		if siteAlias(s) == g.Alias.Pos() {
			kn.done[s.Expr.Pos()] = true
		}
	}
	return Ref{PkgPath: g.PkgPath, PkgName: g.Alias.Pkg().Name(), Name: g.Alias.Name()}, nil
}

// siteAlias returns where the type's name in a site's composite literal is declared, if it is a name.
func siteAlias(s *census.Site) token.Pos {
	lit, ok := s.Expr.(*ast.CompositeLit)
	if !ok {
		return token.NoPos
	}
	var id *ast.Ident
	switch t := lit.Type.(type) {
	case *ast.Ident:
		id = t
	case *ast.SelectorExpr:
		id = t.Sel
	}
	if id == nil || s.Pkg.Info.Uses[id] == nil {
		return token.NoPos
	}
	return s.Pkg.Info.Uses[id].Pos()
}

// importers makes sure that files of other packages with a site can import the type's package; it
// reports whether there are such files.
func (kn *keyNaming) importers(g *rules.KeyGroup) (elsewhere bool, err error) {
	for _, s := range g.Sites {
		if s.Pkg.Path == g.PkgPath || kn.retyped(g, s) || g.Alias != nil && siteAlias(s) == g.Alias.Pos() {
			continue
		}
		elsewhere = true
		if s.Pkg.XTest && s.Pkg.Path == g.PkgPath+"_test" {
			return false, block("placement", s.File, s.Expr.Pos(), "an external test uses the key of package %s, which would have to export it", g.PkgPath)
		}
		home := kn.worldPackage(g.PkgPath)
		if home == nil {
			return false, block("placement", s.File, s.Expr.Pos(), "the key belongs to package %s, which this file cannot import", g.PkgPath)
		}
		if err := kn.planImport(kn.graph, "key", homeOfPackage(home, ""), s.File, s.Expr); err != nil {
			return false, err
		}
	}
	return elsewhere, nil
}

// retyped reports whether a site names a variable that takes the type.
func (kn *keyNaming) retyped(g *rules.KeyGroup, s *census.Site) bool {
	v := namedVar(s.Pkg, s.Expr)
	return v != nil && slices.ContainsFunc(g.Vars, func(w *types.Var) bool { return w.Pos() == v.Pos() })
}

// declare plans the declaration of a key type in the group's package.
func (kn *keyNaming) declare(g *rules.KeyGroup, exported bool, underlying string) (Ref, error) {
	home := kn.worldPackage(g.PkgPath)
	if home == nil {
		return Ref{}, block("placement", g.Sites[0].File, g.Sites[0].Expr.Pos(), "package %s is not part of the program", g.PkgPath)
	}
	f, after := kn.declFile(g, home)
	if f == nil {
		return Ref{}, block("placement", g.Sites[0].File, g.Sites[0].Expr.Pos(), "no file of package %s can hold the key's type", g.PkgPath)
	}
	name := kn.names.free(home.Dir, kn.typePlaces(g), typeNames(kn.stem(g), exported)...)
	decl := &KeyType{Name: name, Underlying: underlying}
	if exported {
		decl.Doc = name + " is the type of a context key that several packages use."
	}
	kn.add(&AddDecl{PkgPath: home.Path, PkgName: home.Name, Dir: home.Dir, File: f, ID: name, After: after, Decl: decl})
	return Ref{PkgPath: home.Path, PkgName: home.Name, Name: name}, nil
}

// typeNames lists the names tried for a key's type.
func typeNames(stem string, exported bool) []string {
	if stem == "" {
		stem = "Context"
	}
	list := []string{stem + "Key", stem + "ContextKey", stem + "CtxKey"}
	if stem == "Context" {
		list = []string{"ContextKey", "CtxKey"}
	}
	if !exported {
		for i := range list {
			list[i] = lowerFirst(list[i])
		}
	}
	return list
}

// stem finds a stem for the type's name: a variable's name, or the type of the value when it has a name.
func (kn *keyNaming) stem(g *rules.KeyGroup) string {
	if st, ok := kn.in.Type.Underlying().(*types.Struct); !ok || st.NumFields() > 0 {
		return "" // several values are keys of it
	}
	if len(g.Vars) == 1 {
		if b := baseName(g.Vars[0].Name()); len(b) > 1 && !trimmable(b) {
			return b
		}
	}
	for _, s := range g.Sites {
		if s.Role != census.Writer || s.Lookup.Value == nil {
			continue
		}
		t := types.Unalias(s.Lookup.Pkg.Info.TypeOf(s.Lookup.Value))
		if p, ok := t.(*types.Pointer); ok {
			t = types.Unalias(p.Elem())
		}
		if named, ok := t.(*types.Named); ok && named.Obj().Pkg() != nil {
			return baseName(named.Obj().Name())
		}
	}
	return ""
}

// typePlaces are the places where the type's name is written bare.
func (kn *keyNaming) typePlaces(g *rules.KeyGroup) []place {
	var list []place
	for _, s := range g.Sites {
		if s.Pkg.Path == g.PkgPath {
			list = append(list, place{s.Pkg, s.Expr.Pos()})
		}
	}
	for _, v := range g.Vars {
		if f := kn.prog.FileOf(v.Pos()); f != nil {
			if p := kn.pkgOf(f); p != nil {
				list = append(list, place{p, v.Pos()})
			}
		}
	}
	return list
}

// declFile chooses the file for the type, and the declaration after which it goes: before a variable that takes
// it, else in the file of the first writer.
func (kn *keyNaming) declFile(g *rules.KeyGroup, home *program.Package) (*program.File, ast.Decl) {
	var users []*program.File
	for _, s := range g.Sites {
		users = append(users, s.File)
	}
	fits := func(f *program.File) bool { return kn.takes(f, home.Dir, home.XTest, users) }
	for _, v := range g.Vars {
		if d := kn.declOf(v); d != nil && d.decl != nil && !d.local && fits(d.file) {
			return d.file, declBefore(d.file, d.decl)
		}
	}
	for _, writers := range []bool{true, false} {
		for _, s := range g.Sites {
			if (s.Role == census.Writer) == writers && fits(s.File) {
				return s.File, nil
			}
		}
	}
	for _, f := range home.Files {
		if fits(f) {
			return f, nil
		}
	}
	return nil, nil
}

// retypeVar gives a variable the type, in its declaration.
func (kn *keyNaming) retypeVar(v *types.Var, ref Ref) error {
	if kn.done[v.Pos()] {
		return nil
	}
	kn.done[v.Pos()] = true
	d := kn.declOf(v)
	if d == nil {
		return block("other-use", kn.prog.FileOf(v.Pos()), v.Pos(), "the declaration of %s cannot be changed", v.Name())
	}
	if d.spec != nil {
		if len(d.spec.Names) != 1 {
			return block("other-use", d.file, v.Pos(), "%s is declared together with other variables; declare it by itself", v.Name())
		}
		if d.spec.Type != nil {
			kn.splice(d.file, d.spec.Type.Pos(), d.spec.Type.End(), kn.typeRef(ref))
		}
		if len(d.spec.Values) == 1 {
			kn.value(d.file, d.spec.Values[0], ref)
		}
		return nil
	}
	if len(d.assign.Lhs) != 1 || len(d.assign.Rhs) != 1 || d.assign.Tok != token.DEFINE {
		return block("other-use", d.file, v.Pos(), "%s is declared together with other variables; declare it by itself", v.Name())
	}
	kn.value(d.file, d.assign.Rhs[0], ref)
	return nil
}

func (kn *keyNaming) typeRef(ref Ref) Part { return Name(ref.PkgPath, ref.PkgName, ref.Name) }

// value turns an expression of the unnamed type into one of the named type.
func (kn *keyNaming) value(f *program.File, e ast.Expr, ref Ref) {
	e = ast.Unparen(e)
	if kn.done[e.Pos()] {
		return
	}
	kn.done[e.Pos()] = true
	if lit, ok := e.(*ast.CompositeLit); ok && lit.Type != nil {
		kn.splice(f, lit.Type.Pos(), lit.Type.End(), kn.typeRef(ref))
		kn.keyFields(f, lit, ref)
		return
	}
	kn.splice(f, e.Pos(), e.End(), kn.typeRef(ref), Lit("("), kn.keep(f, e), Lit(")"))
}

// keyFields names the fields of a literal in another package than its type's, which go vet asks for.
func (kn *keyNaming) keyFields(f *program.File, lit *ast.CompositeLit, ref Ref) {
	pkg := kn.pkgOf(f)
	if pkg == nil || pkg.Path == ref.PkgPath {
		return
	}
	st, ok := program.Underlying(pkg.Info, lit).(*types.Struct)
	if !ok {
		return
	}
	for i, e := range lit.Elts {
		if _, keyed := e.(*ast.KeyValueExpr); !keyed && i < st.NumFields() {
			kn.splice(f, e.Pos(), e.Pos(), Lit(st.Field(i).Name()+": "))
		}
	}
}

// site changes a place that names the key, unless it names a variable that takes the type.
func (kn *keyNaming) site(g *rules.KeyGroup, s *census.Site, ref Ref) {
	if !kn.retyped(g, s) {
		kn.value(s.File, s.Expr, ref)
	}
}
