package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"slices"
	"strconv"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// declare adds the struct, its key and the functions that others call.
func (jp *joinPlan) declare() error {
	f, after := jp.declPlace()
	newFile, doc := "", ""
	if jp.home.pkg == nil {
		newFile, doc = jp.home.firstFile(), jp.home.firstDoc()
	} else if f == nil {
		s := jp.in.Chains[0].Links[0]
		return block("placement", s.File, s.Expr.Pos(), "no file of package %s can hold the struct", jp.home.path)
	}
	add := func(id string, after ast.Decl, d Decl) {
		jp.add(&AddDecl{PkgPath: jp.home.path, PkgName: jp.home.name, Dir: jp.home.dir, File: f, NewFile: newFile, NewRel: jp.relativeTo(jp.home, newFile), PkgDoc: doc, ID: id, After: after, Decl: d})
	}
	st := &Struct{Name: jp.name}
	if jp.exported {
		st.Doc = jp.name + " is what a context carries as one value."
	}
	for _, fd := range jp.fields {
		st.Fields = append(st.Fields, StructField{Name: fd.name, Type: fd.text})
		if fd.flag != "" {
			st.Fields = append(st.Fields, StructField{Name: fd.flag, Type: Text{Lit("bool")}})
		}
	}
	add(jp.name, after, st)
	jp.declareKey(func(id string, d Decl) { add(id, after, d) })
	var behind ast.Decl
	if f != nil {
		behind = beforeFunctions(f)
	}
	if behind == nil || after != nil && behind.Pos() < after.Pos() {
		behind = after // the types stand among the functions
	}
	for _, kind := range []AccessorKind{With, From, Must} {
		if name := jp.accessors[kind]; name != "" {
			add(name, behind, jp.accessorDecl(kind, name))
		}
	}
	for _, fd := range jp.fields {
		if fd.setter != "" {
			add(fd.setter, behind, jp.setterDecl(fd))
		}
		if fd.getter != "" {
			add(fd.getter, behind, jp.getterDecl(fd, f))
		}
	}
	return nil
}

// declareKey declares the key in the style asked for.
func (jp *joinPlan) declareKey(add func(id string, d Decl)) {
	doc := ""
	if token.IsExported(jp.key) {
		doc = jp.key + " is the key of " + census.WithArticle(jp.name) + " in a context."
	}
	if jp.keyType == "" {
		add(jp.key, &KeyType{Name: jp.key, Underlying: "struct{}", Doc: doc})
		return
	}
	c := &KeyConst{Name: jp.key, Type: Ref{PkgPath: jp.home.path, PkgName: jp.home.name, Name: jp.keyType}, Value: "iota", Enum: jp.opts.KeyStyle == "enum", Doc: doc}
	underlying := "int"
	if !c.Enum {
		underlying, c.Value = "string", strconv.Quote(lowerFirst(jp.name))
	}
	if jp.newType {
		add(jp.keyType, &KeyType{Name: jp.keyType, Underlying: underlying})
	}
	add(jp.key, c)
}

// accessorDecl declares a function that stores, or looks up, the struct.
func (jp *joinPlan) accessorDecl(kind AccessorKind, name string) *Accessor {
	a := &Accessor{
		Kind: kind, Name: name, Struct: jp.keyType == "", Param: lowerFirst(jp.local),
		Key:   Ref{PkgPath: jp.home.path, PkgName: jp.home.name, Name: jp.key},
		Value: Text{Name(jp.home.path, jp.home.name, jp.name)},
	}
	switch kind {
	case With:
		a.Doc = name + " returns a copy of ctx that carries the values."
	case From:
		a.Doc = name + " returns the values that ctx carries, and whether it does."
	default:
		a.Doc = name + " returns the values that ctx carries. It panics when ctx does not."
	}
	return a
}

// setterDecl declares the function that stores one value beside those that the context carries.
func (jp *joinPlan) setterDecl(f *joinField) *Func {
	param := lowerFirst(f.name)
	switch {
	case param == "ctx" || param == jp.local || param == jp.name || param == jp.key || types.Universe.Lookup(param) != nil || !token.IsIdentifier(param):
		param = "v"
	}
	src := Text{Lit("func " + f.setter + "(ctx "), Name("context", "context", "Context"), Lit(", " + param + " ")}
	src = append(append(src, f.text...), Lit(") "), Name("context", "context", "Context"), Lit(" {\n\t"+jp.local+", _ := "))
	src = append(append(src, jp.structIn("ctx")...), Lit("\n\t"+jp.local+"."+f.name))
	if f.flag != "" {
		src = append(src, Lit(", "+jp.local+"."+f.flag+" = "+param+", true\n"))
	} else {
		src = append(src, Lit(" = "+param+"\n"))
	}
	src = append(src, Lit("\treturn "), Name("context", "context", "WithValue"), Lit("(ctx, "))
	src = append(append(src, jp.keyText()...), Lit(", "+jp.local+")\n}\n"))
	return &Func{Name: f.setter, Source: src, Doc: fmt.Sprintf("%s returns a copy of ctx in which %s is another; the other values stay.", f.setter, f.name)}
}

// getterDecl declares the function that looks one value up, nil when there is none.
func (jp *joinPlan) getterDecl(f *joinField, in *program.File) *Func {
	src := Text{Lit("func " + f.getter + "(ctx "), Name("context", "context", "Context"), Lit(") " + jp.anyIn(in) + " {\n\t")}
	v := jp.local
	switch {
	case f.hidden():
		src = append(src, Lit(v+", _ := "))
		src = append(src, jp.structIn("ctx")...)
	default:
		found := "_"
		if f.structTells() {
			found = "ok"
		}
		src = append(src, Lit(v+", "+found+" := "))
		src = append(append(src, jp.structIn("ctx")...), Lit("\n\tif !"+jp.presence(f, v, "ok")+" {\n\t\treturn nil\n\t}"))
	}
	src = append(src, Lit("\n\treturn "+v+"."+f.name+"\n}\n"))
	return &Func{Name: f.getter, Source: src, Doc: fmt.Sprintf("%s returns the %s that ctx carries, nil when it carries none.", f.getter, f.name)}
}

// structIn writes the look-up of the struct in a context.
func (jp *joinPlan) structIn(ctx string) Text {
	text := append(Text{Lit(ctx + ".Value(")}, jp.keyText()...)
	return append(text, Lit(").("), Name(jp.home.path, jp.home.name, jp.name), Lit(")"))
}

// anyIn is how a file writes the empty interface.
func (jp *joinPlan) anyIn(f *program.File) string {
	if m := jp.home.module(nil); m != nil && m.GoVersion != "" && version.Compare("go"+m.GoVersion, "go1.18") < 0 {
		return "interface{}"
	}
	return "any"
}

// declPlace returns the file that gets the declarations and what they follow: where the first key is declared, else before the functions
// of the first file with a writer.
func (jp *joinPlan) declPlace() (*program.File, ast.Decl) {
	var users []*program.File
	for _, s := range jp.named() {
		users = append(users, s.File)
	}
	fits := func(f *program.File) bool { return !f.Test && jp.takes(f, jp.home.dir, jp.home.xtest, users) }
	for _, k := range jp.in.Keys {
		obj := jp.keyObject(k)
		if obj == nil {
			continue
		}
		if f := jp.prog.FileOf(obj.Pos()); fits(f) {
			after := jp.topDecl(f, posNode(obj.Pos()))
			for after != nil && jp.gone[after] {
				after = declBefore(f, after)
			}
			return f, after
		}
	}
	for _, s := range jp.places() {
		if s.Role == census.Writer && fits(s.File) {
			return s.File, beforeFunctions(s.File)
		}
	}
	if jp.home.pkg == nil {
		return nil, nil
	}
	for _, f := range jp.home.pkg.Files {
		if fits(f) {
			return f, beforeFunctions(f)
		}
	}
	return nil, nil
}

// posNode is a position as a node.
type posNode token.Pos

func (p posNode) Pos() token.Pos { return token.Pos(p) }
func (p posNode) End() token.Pos { return token.Pos(p) }

// dropKeys removes the declarations of the old keys, and of their types, that nothing uses any more.
func (jp *joinPlan) dropKeys() error {
	gone := map[types.Object]bool{}
	var values []types.Object
	var typeNames []*types.TypeName
	for _, n := range jp.drop.names {
		obj := n.Pkg.Info.Uses[n.Ident]
		if obj == nil || gone[obj] || obj.Pkg() == nil || jp.packageOf(obj) == nil || !jp.drop.goes(n.File, n.Ident.Pos()) {
			continue
		}
		gone[obj] = true
		switch obj := obj.(type) {
		case *types.TypeName:
			typeNames = append(typeNames, obj)
		case *types.Const, *types.Var:
			if jp.isKey(obj) && jp.unused(obj) {
				values = append(values, obj)
			}
		}
	}
	jp.dropValues(values)
	for _, obj := range values {
		if named, ok := types.Unalias(derefType(obj.Type())).(*types.Named); ok && !slices.Contains(typeNames, named.Obj()) && jp.packageOf(named.Obj()) != nil {
			typeNames = append(typeNames, named.Obj())
		}
	}
	jp.dropTypes(typeNames)
	return nil
}

// isKey reports whether a constant or variable at package level names one of the keys.
func (jp *joinPlan) isKey(obj types.Object) bool {
	return jp.packageLevel(obj) && slices.ContainsFunc(jp.places(), func(s *census.Site) bool {
		switch e := s.Expr.(type) {
		case *ast.Ident:
			return s.Pkg.Info.Uses[e] != nil && s.Pkg.Info.Uses[e].Pos() == obj.Pos()
		case *ast.SelectorExpr:
			return s.Pkg.Info.Uses[e.Sel] != nil && s.Pkg.Info.Uses[e.Sel].Pos() == obj.Pos()
		}
		return false
	})
}

// unused reports whether all uses of a key's name go, and its declaration can.
func (jp *joinPlan) unused(obj types.Object) bool {
	for _, u := range jp.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] == nil && !jp.drop.goes(u.File, u.Ident.Pos()) {
			return false
		}
	}
	d := jp.declOf(obj)
	if d == nil || d.spec == nil || len(d.spec.Names) > 1 || uneditable(d.file) != "" || jp.census.MentionedUnchecked(obj) {
		return false
	}
	pkg := jp.pkgOf(d.file)
	return !slices.ContainsFunc(d.spec.Values, func(v ast.Expr) bool { return effects(pkg, v) })
}

// dropValues removes declarations of constants and variables. One whose place in a list gives others their value becomes blank.
func (jp *joinPlan) dropValues(objs []types.Object) {
	goes := func(name *ast.Ident) bool {
		return slices.ContainsFunc(objs, func(o types.Object) bool { return o.Pos() == name.Pos() })
	}
	for _, obj := range objs {
		d := jp.declOf(obj)
		if jp.gone[d.decl] || jp.counted[d.decl] {
			continue
		}
		if jp.all(d.decl, goes) && jp.dropWhole(d.file, d.decl) {
			continue
		}
		if jp.countsAnew(d, goes) && jp.dropCounted(d, goes) {
			continue
		}
		later := d.decl.Specs[d.index:]
		counted := slices.ContainsFunc(later, func(s ast.Spec) bool {
			vs := s.(*ast.ValueSpec)
			return !slices.ContainsFunc(vs.Names, goes) && jp.counts(d, vs)
		})
		jp.drop.lost = append(jp.drop.lost, lostRange{d.file, d.spec.Pos(), d.spec.End(), nil})
		if counted {
			jp.splice(d.file, d.name.Pos(), d.name.End(), Lit("_"))
			if len(d.spec.Values) > 0 || d.spec.Type != nil {
				jp.drop.kept = append(jp.drop.kept, lostRange{d.file, d.name.End(), d.spec.End(), nil})
			}
			continue
		}
		jp.unit.Edits = append(jp.unit.Edits, &RemoveSpec{File: d.file, Decl: d.decl, Spec: d.spec, Name: d.name})
	}
}

// all reports whether every name of a declaration goes.
func (jp *joinPlan) all(decl *ast.GenDecl, goes func(*ast.Ident) bool) bool {
	return !slices.ContainsFunc(decl.Specs, func(s ast.Spec) bool {
		return slices.ContainsFunc(s.(*ast.ValueSpec).Names, func(id *ast.Ident) bool { return !goes(id) })
	})
}

// dropWhole removes a declaration with its documentation, if its lines hold nothing else.
func (jp *joinPlan) dropWhole(f *program.File, decl *ast.GenDecl) bool {
	before := len(jp.drop.lost)
	jp.drop.dropDecl(f, decl, decl.Doc)
	if len(jp.drop.lost) == before {
		return false
	}
	jp.gone[decl] = true
	return true
}

// counts reports whether a constant has its value from its place in the list.
func (jp *joinPlan) counts(d *valueDecl, vs *ast.ValueSpec) bool {
	if d.decl.Tok != token.CONST {
		return false
	}
	return len(vs.Values) == 0 || slices.ContainsFunc(vs.Values, func(v ast.Expr) bool { return mentionsIota(jp.pkgOf(d.file), v) })
}

// dropTypes removes the types that have no methods and no other use.
func (jp *joinPlan) dropTypes(names []*types.TypeName) {
	specs := map[*ast.TypeSpec]bool{}
	var decls []*ast.GenDecl
	files := map[*ast.GenDecl]*program.File{}
	for _, tn := range names {
		named, ok := tn.Type().(*types.Named)
		f := jp.prog.FileOf(tn.Pos())
		if !ok || named.NumMethods() > 0 || f == nil || !f.World || uneditable(f) != "" || jp.census.MentionedUnchecked(tn) ||
			slices.ContainsFunc(jp.census.TypeUses(tn), func(u census.Use) bool { return !jp.drop.goes(u.File, u.Ident.Pos()) }) {
			continue
		}
		if decl, spec := typeSpec(f, tn); spec != nil && !specs[spec] {
			specs[spec] = true
			files[decl] = f
			if !slices.Contains(decls, decl) {
				decls = append(decls, decl)
			}
		}
	}
	for _, decl := range decls {
		f := files[decl]
		if !slices.ContainsFunc(decl.Specs, func(s ast.Spec) bool { return !specs[s.(*ast.TypeSpec)] }) {
			jp.dropWhole(f, decl)
			continue
		}
		for _, s := range decl.Specs {
			if ts := s.(*ast.TypeSpec); specs[ts] {
				jp.drop.dropDecl(f, ts, ts.Doc)
			}
		}
	}
}
