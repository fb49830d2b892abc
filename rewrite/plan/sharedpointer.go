package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// pointers gives variables that point to values without size something to point to: a struct with the
// key's name.
func (kn *keyNaming) pointers() error {
	elem := types.Unalias(kn.in.Type.(*types.Pointer).Elem())
	ref, err := kn.pointedType(elem)
	if err != nil {
		return err
	}
	for _, g := range kn.in.Groups {
		v := g.Vars[0]
		d := kn.declOf(v)
		if d == nil || d.spec == nil || len(d.spec.Names) != 1 || len(d.spec.Values) != 1 || !freshPointer(kn.pkgOf(d.file), d.spec.Values[0]) {
			return block("other-use", kn.prog.FileOf(v.Pos()), v.Pos(), "%s is not made on the spot, in a declaration of its own", v.Name())
		}
		if d.spec.Type != nil {
			kn.splice(d.file, d.spec.Type.Pos(), d.spec.Type.End(), Lit("*"), kn.typeRef(ref))
		}
		value := d.spec.Values[0]
		if kn.commentIn(d.file, kn.offset(d.file, value.Pos()), kn.offset(d.file, value.End())) {
			return block("comment", d.file, value.Pos(), "a comment inside the value would be lost; move it")
		}
		kn.splice(d.file, value.Pos(), value.End(), Lit("&"), kn.typeRef(ref), Lit("{"+strconv.Quote(keyText(v.Name()))+"}"))
	}
	return nil
}

// keyText is what a key says of itself: the words of its variable, "user ID" for userIDKey.
func keyText(name string) string {
	base := baseName(name)
	if base == "" {
		return name
	}
	list := words(base)
	for len(list) > 1 && trimmable(list[0]) {
		list = list[1:]
	}
	return plainWords(strings.Join(list, "_"))
}

// plainWords writes the words of an identifier as prose: "user ID" for UserID.
func plainWords(name string) string {
	list := words(name)
	for i, w := range list {
		if !initialisms[strings.ToLower(w)] {
			list[i] = strings.ToLower(w)
		}
	}
	return strings.Join(list, " ")
}

// freshPointer reports whether an expression is &T{} or new(T).
func freshPointer(pkg *program.Package, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		_, ok := ast.Unparen(e.X).(*ast.CompositeLit)
		return ok && e.Op == token.AND
	case *ast.CallExpr:
		id, ok := ast.Unparen(e.Fun).(*ast.Ident)
		return ok && pkg.Info.Uses[id] == types.Universe.Lookup("new")
	}
	return false
}

// pointedType is the struct type that the keys will point to: a new one, or the named type that they point
// to already, with a field added.
func (kn *keyNaming) pointedType(elem types.Type) (Ref, error) {
	const field = "struct{ name string }"
	named, ok := elem.(*types.Named)
	if !ok {
		all := *kn.in.Groups[0]
		all.Vars = nil
		for _, g := range kn.in.Groups {
			all.Vars = append(all.Vars, g.Vars...)
		}
		return kn.declare(&all, false, field)
	}
	obj := named.Obj()
	at := kn.in.Groups[0].Sites[0]
	spec, f := kn.typeSpec(obj)
	if spec == nil || obj.Exported() || obj.Pkg().Path() != kn.in.Groups[0].PkgPath || !kn.onlyForKeys(obj) {
		return Ref{}, block("other-use", at.File, at.Expr.Pos(), "type %s is used for more than these keys; give them a type with a field", obj.Name())
	}
	kn.splice(f, spec.Type.Pos(), spec.Type.End(), Lit(field))
	return Ref{PkgPath: obj.Pkg().Path(), PkgName: obj.Pkg().Name(), Name: obj.Name()}, nil
}

// typeSpec finds the declaration of a type as a struct, without comments in it.
func (kn *keyNaming) typeSpec(obj *types.TypeName) (*ast.TypeSpec, *program.File) {
	f := kn.prog.FileOf(obj.Pos())
	ts := typeSpecOf(f, obj)
	if ts == nil || ts.Assign.IsValid() || kn.commentIn(f, kn.offset(f, ts.Type.Pos()), kn.offset(f, ts.Type.End())) {
		return nil, nil
	}
	if _, ok := ts.Type.(*ast.StructType); !ok {
		return nil, nil
	}
	return ts, f
}

// typeSpecOf finds a type's declaration at package level, nil for none.
func typeSpecOf(f *program.File, obj *types.TypeName) *ast.TypeSpec {
	if f == nil || f.AST == nil {
		return nil
	}
	for _, d := range f.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.Pos() == obj.Pos() {
				return ts
			}
		}
	}
	return nil
}

// onlyForKeys reports whether a type is mentioned nowhere but in the declarations of the keys.
func (kn *keyNaming) onlyForKeys(obj *types.TypeName) bool {
	inKeys := func(pos token.Pos) bool {
		return slices.ContainsFunc(kn.in.Groups, func(g *rules.KeyGroup) bool {
			d := kn.declOf(g.Vars[0])
			return d != nil && d.spec != nil && d.spec.Pos() <= pos && pos < d.spec.End()
		})
	}
	for _, cfg := range kn.prog.Configs {
		p := cfg.Package(obj.Pkg().Path())
		if p == nil {
			continue
		}
		for id, used := range p.Info.Uses {
			if used.Pos() == obj.Pos() && !inKeys(id.Pos()) {
				return false
			}
		}
	}
	return !kn.census.MentionedUnchecked(obj)
}
