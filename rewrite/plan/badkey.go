package plan

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// textKeys plans constants of a private string type for keys that are texts in a type that cannot be compared.
func (d *draft) textKeys(in *rules.TextKeys) error {
	kn := &keyNaming{draft: d, done: map[token.Pos]bool{}}
	all := &rules.KeyGroup{PkgPath: in.PkgPath}
	for _, k := range in.Keys {
		all.Sites = append(all.Sites, k.Sites...)
	}
	first := all.Sites[0]
	home := kn.worldPackage(in.PkgPath)
	if home == nil {
		return block("placement", first.File, first.Expr.Pos(), "package %s is not part of the program", in.PkgPath)
	}
	for _, s := range all.Sites {
		if reason := uneditable(s.File); reason != "" {
			return block(reason, s.File, s.Expr.Pos(), "%s", uneditableMessage(reason))
		}
		if d.commentIn(s.File, d.offset(s.File, s.Expr.Pos()), d.offset(s.File, s.Expr.End())) {
			return block("comment", s.File, s.Expr.Pos(), "a comment inside the key would be lost; move it")
		}
	}
	f, after := kn.declFile(all, home)
	if f == nil {
		return block("placement", first.File, first.Expr.Pos(), "no file of package %s can hold the key", in.PkgPath)
	}
	typ, typeFile, last := d.stringKeyType(home)
	if typ != "" {
		f, after = typeFile, last
	}
	add := func(id string, decl Decl) {
		d.add(&AddDecl{PkgPath: home.Path, PkgName: home.Name, Dir: home.Dir, File: f, ID: id, After: after, Decl: decl})
	}
	if typ == "" {
		typ = d.names.free(home.Dir, kn.typePlaces(all), "contextKey", "ctxKey")
		add(typ, &KeyType{Name: typ, Underlying: "string"})
	}
	ref := Ref{PkgPath: home.Path, PkgName: home.Name, Name: typ}
	for _, k := range in.Keys {
		sites, err := kn.textVars(k, ref)
		if err != nil {
			return err
		}
		if len(sites) == 0 {
			continue
		}
		name := kn.heldIn(k, sites)
		if name == "" {
			name = d.names.free(home.Dir, kn.typePlaces(&rules.KeyGroup{PkgPath: in.PkgPath, Sites: k.Sites}), constNames(k.Text)...)
			add(name, &KeyConst{Name: name, Type: ref, Value: k.Text})
		}
		for _, e := range sites {
			d.splice(e.File, e.Expr.Pos(), e.Expr.End(), Name(home.Path, home.Name, name))
		}
	}
	return nil
}

// textVars gives the package-level variables that hold a text the key type, and returns the expressions that are left to
// become its constant: those of the sites, and what local variables are declared with.
func (kn *keyNaming) textVars(k *rules.TextKey, ref Ref) ([]census.Expr, error) {
	var left []census.Expr
	for _, s := range k.Sites {
		v, _ := namedVar(s.Pkg, s.Expr).(*types.Var)
		if v == nil {
			left = append(left, census.Expr{Expr: s.Expr, File: s.File, Pkg: s.Pkg})
			continue
		}
		if kn.done[v.Pos()] {
			continue
		}
		kn.done[v.Pos()] = true
		d := kn.declOf(v)
		switch {
		case d == nil:
			return nil, block("other-use", s.File, s.Expr.Pos(), "the declaration of %s was not found", v.Name())
		case d.spec == nil:
			left = append(left, census.Expr{Expr: d.assign.Rhs[0], File: d.file, Pkg: s.Pkg})
		case d.local && d.spec.Type == nil:
			left = append(left, census.Expr{Expr: d.spec.Values[0], File: d.file, Pkg: s.Pkg})
		default:
			kn.splice(d.file, d.name.End(), d.spec.Values[0].End(), Lit(" "), Part{Ref: &ref}, Lit(" = "+k.Text))
			if !d.local && !d.decl.Lparen.IsValid() {
				kn.splice(d.file, d.decl.Pos(), d.decl.Pos()+token.Pos(len("var")), Lit("const"))
			}
		}
		if kn.commentIn(d.file, kn.offset(d.file, d.name.Pos()), kn.offset(d.file, declEnd(d))) {
			return nil, block("comment", d.file, d.name.Pos(), "a comment inside the key would be lost; move it")
		}
	}
	return left, nil
}

// declEnd is where the declaration of one variable with its value ends.
func declEnd(d *valueDecl) token.Pos {
	if d.spec != nil {
		return d.spec.End()
	}
	return d.assign.End()
}

// heldIn returns the name of a package-level variable that holds the text and that the given places can use; "" for none.
func (kn *keyNaming) heldIn(k *rules.TextKey, at []census.Expr) string {
	for _, s := range k.Sites {
		v, _ := namedVar(s.Pkg, s.Expr).(*types.Var)
		if v == nil || v.Parent() != v.Pkg().Scope() {
			continue
		}
		f := kn.prog.FileOf(v.Pos())
		if f == nil || f.Test || !kn.everywhere(f) {
			continue
		}
		if !slices.ContainsFunc(at, func(e census.Expr) bool {
			obj := lookup(place{e.Pkg, e.Expr.Pos()}, v.Name())
			return obj != nil && obj.Pos() != v.Pos()
		}) {
			return v.Name()
		}
	}
	return ""
}

// retypeText makes a type of slices that hold texts a string type.
func (d *draft) retypeText(in *rules.RetypeText) error {
	f := d.prog.FileOf(in.Type.Pos())
	spec := typeSpecOf(f, in.Type)
	first := in.Sites[0]
	if spec == nil || spec.Assign.IsValid() {
		return block("other-use", first.File, first.Expr.Pos(), "type %s is declared by way of another type; give it a comparable one", in.Type.Name())
	}
	if d.commentIn(f, d.offset(f, spec.Type.Pos()), d.offset(f, spec.Type.End())) {
		return block("comment", f, spec.Type.Pos(), "a comment inside the type would be lost; move it")
	}
	if census.IsAPI(d.prog, in.Type) {
		d.review = append(d.review, in.Type.Pkg().Name()+"."+in.Type.Name()+" is exported: importers that take it for a slice will notice")
	}
	d.splice(f, spec.Type.Pos(), spec.Type.End(), Lit("string"))
	return nil
}

// constNames lists the names tried for the constant of a text in Go syntax.
func constNames(text string) []string {
	base := baseName(constant.StringVal(constant.MakeFromLiteral(text, token.STRING, 0)))
	if base == "" {
		base = "ContextValue"
	}
	stem := lowerFirst(base)
	return []string{stem + "Key", stem + "ContextKey", stem + "CtxKey"}
}

// stringKeyType returns the name of an unexported string type of the package whose values are keys already, its
// file, and the last declaration there that has to do with it; "" for none.
func (d *draft) stringKeyType(home *program.Package) (string, *program.File, ast.Decl) {
	for _, k := range d.census.KeyTypes(home.Path) {
		name := k.Type[strings.LastIndexByte(k.Type, '.')+1:]
		tn, ok := home.Types.Scope().Lookup(name).(*types.TypeName)
		if !ok || ast.IsExported(name) || k.Const == nil || k.Const.Kind() != constant.String || d.census.Joining(k) != nil {
			continue
		}
		if f := d.prog.FileOf(tn.Pos()); f != nil && !f.Test && uneditable(f) == "" && d.everywhere(f) {
			return name, f, lastOfType(home, f, tn)
		}
	}
	return "", nil, nil
}

// lastOfType returns the last declaration of a file that declares a type or constants of it.
func lastOfType(home *program.Package, f *program.File, tn *types.TypeName) ast.Decl {
	var last ast.Decl
	for _, d := range f.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.Pos() == tn.Pos() {
					last = d
				}
			case *ast.ValueSpec:
				if c, ok := home.Info.Defs[s.Names[0]].(*types.Const); ok && types.Identical(c.Type(), tn.Type()) {
					last = d
				}
			}
		}
	}
	return last
}
