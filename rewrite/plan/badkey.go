package plan

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
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
		name := d.names.free(home.Dir, kn.typePlaces(&rules.KeyGroup{PkgPath: in.PkgPath, Sites: k.Sites}), constNames(k.Text)...)
		add(name, &KeyConst{Name: name, Type: ref, Value: k.Text})
		for _, s := range k.Sites {
			d.splice(s.File, s.Expr.Pos(), s.Expr.End(), Name(home.Path, home.Name, name))
		}
	}
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
		if !ok || ast.IsExported(name) || k.Const == nil || k.Const.Kind() != constant.String {
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
