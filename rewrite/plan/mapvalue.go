package plan

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A structPlan is the plan that makes the maps under one key structs.
type structPlan struct {
	*draft
	rec      *census.Record
	home     *home
	exported bool
	name     string
	fields   []*structField
	// drop removes the constants for indexes, and the names of the map's type, that are left without use.
	drop *dropPlan
	// made are the calls of make and the nils that become literals; what lies inside goes with them.
	made map[*ast.CallExpr]bool
}

// A structField is a field of the struct with the text of its type.
type structField struct {
	*census.Field
	name string
	text Text
	// typed is set when assertions on the field's value go.
	typed bool
}

// structValue plans one key.
func (d *draft) structValue(in *rules.StructValue) error {
	sp := &structPlan{draft: d, rec: in.Record, drop: &dropPlan{draft: d}, made: map[*ast.CallExpr]bool{}}
	if err := sp.chooseHome(); err != nil {
		return err
	}
	if err := sp.chooseFields(); err != nil {
		return err
	}
	sp.chooseNames()
	if err := sp.writePlaces(); err != nil {
		return err
	}
	declare := sp.declare
	if sp.rec.Named != nil {
		declare = sp.redeclare
	}
	if err := declare(); err != nil {
		return err
	}
	sp.drop.dropDecls()
	sp.explain()
	return nil
}

// placesOf returns every expression that the struct or one of its fields is named at.
func (sp *structPlan) placesOf() []census.Expr {
	list := slices.Clone(sp.rec.Spelled)
	for _, o := range sp.rec.Origins {
		list = append(list, o.Expr)
	}
	for _, f := range sp.rec.Fields {
		for _, s := range f.Sets {
			list = append(list, s.Expr)
		}
		for _, r := range f.Reads {
			list = append(list, r.Expr)
		}
	}
	return list
}

// chooseHome decides which package gets the struct: the only one that uses it, else that of the key's type or constant.
func (sp *structPlan) chooseHome() error {
	places := sp.placesOf()
	var pkgs []*program.Package
	for _, p := range places {
		pkgs = appendPackage(pkgs, p.Pkg)
	}
	slices.SortFunc(pkgs, func(a, b *program.Package) int { return cmp.Compare(a.Path, b.Path) })
	owner := sp.keyOwner()
	switch {
	case sp.rec.Named != nil:
		p := sp.packageOf(sp.rec.Named)
		sp.home = homeOfPackage(p, "it declares the type")
	case len(pkgs) == 1 && (owner == nil || owner.Path == pkgs[0].Path):
		sp.home = homeOfPackage(pkgs[0], "")
	case len(pkgs) == 2 && pkgs[1].Path == pkgs[0].Path+"_test" && (owner == nil || owner.Path == pkgs[0].Path):
		sp.home = homeOfPackage(pkgs[0], "")
	case owner == nil:
		p := places[0]
		return block("key", p.File, p.Expr.Pos(), "packages %s and %s share the map under a key of built-in type; the key has to get a type first (builtinkey)", pkgs[0].Path, pkgs[1].Path)
	default:
		sp.home = homeOfPackage(owner, "it declares the key")
	}
	sp.exported = sp.rec.API || slices.ContainsFunc(sp.rec.Funcs, sp.exposes) || slices.ContainsFunc(pkgs, func(p *program.Package) bool { return p.Path != sp.home.path })
	return sp.reachable(places)
}

func homeOfPackage(p *program.Package, why string) *home {
	return &home{path: p.Path, name: p.Name, dir: p.Dir, pkg: p, xtest: p.XTest, why: why}
}

// exposes reports whether a function shows the struct to other packages.
func (sp *structPlan) exposes(fn *types.Func) bool {
	return fn.Exported() && fn.Pkg().Name() != "main" && !sp.prog.FileOf(fn.Pos()).Test
}

// keyOwner returns the package of the world that declares the key; nil for keys of built-in type.
func (sp *structPlan) keyOwner() *program.Package {
	obj := sp.keyDecl()
	if obj == nil {
		return nil
	}
	return sp.packageOf(obj)
}

// keyDecl returns the object that a key of a type of its own is declared by: the constant or variable that
// names it, else its type.
func (sp *structPlan) keyDecl() types.Object {
	k := sp.rec.Key
	if k.Basic != nil {
		return nil
	}
	for _, s := range k.Sites {
		var obj types.Object
		switch e := s.Expr.(type) {
		case *ast.Ident:
			obj = s.Pkg.Info.Uses[e]
		case *ast.SelectorExpr:
			obj = s.Pkg.Info.Uses[e.Sel]
		}
		if obj != nil && obj.Pkg() != nil && sp.packageLevel(obj) && sp.packageOf(obj) != nil {
			return obj
		}
	}
	t := k.GoType
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj()
	}
	return nil
}

// reachable checks that every file which names the struct can import its home.
func (sp *structPlan) reachable(places []census.Expr) error {
	for _, p := range sp.rec.Spelled {
		if p.Pkg.Path == sp.home.path {
			continue
		}
		if err := sp.planImport(sp.graph, "struct", sp.home, p.File, p.Expr); err != nil {
			return err
		}
	}
	return nil
}

// chooseFields writes the fields' types; a field whose type the home cannot name keeps that of the elements.
func (sp *structPlan) chooseFields() error {
	tw := &typeWriter{draft: sp.draft, home: sp.home, structs: true}
	elem, ok := tw.typeText(sp.rec.Elem)
	if !ok {
		p := sp.rec.Spelled[0]
		return block("placement", p.File, p.Expr.Pos(), "package %s cannot name the type %s", sp.home.path, census.TypeText(sp.rec.Elem))
	}
	hidden := types.IsInterface(sp.rec.Elem)
	typed := 0
	for _, f := range sp.rec.Fields {
		sf := &structField{Field: f, text: elem}
		if hidden && f.Type != nil {
			sf.text, sf.typed = tw.typeText(f.Type)
			if !sf.typed {
				sf.text = elem
				f.Why = &census.Hazard{Message: fmt.Sprintf("package %s cannot name the type %s", sp.home.path, census.TypeText(f.Type))}
			}
		}
		if hidden && !sf.typed {
			sp.review = append(sp.review, fmt.Sprintf("field %q stays of type %s: %s%s", f.Name, census.TypeText(sp.rec.Elem), f.Why.Message, sp.where(f.Why)))
		} else if len(f.Reads) > 0 {
			typed++
		}
		sp.fields = append(sp.fields, sf)
	}
	if typed == 0 {
		p := sp.rec.Spelled[0]
		return block("placement", p.File, p.Expr.Pos(), "package %s cannot write the type of any field that is read", sp.home.path)
	}
	return nil
}

// chooseNames names the struct after the key and the fields after the indexes.
func (sp *structPlan) chooseNames() {
	base := sp.stem()
	list := words(base)
	var candidates []string
	switch strings.ToLower(list[len(list)-1]) {
	case "info", "data", "values":
		candidates = append(candidates, base)
	}
	candidates = append(candidates, withEndings(base, "Info", "Data", "Values")...)
	if !sp.exported {
		for i, c := range candidates {
			candidates[i] = lowerFirst(c)
		}
	}
	var at []place
	for _, p := range sp.placesOf() {
		if p.Pkg.Path == sp.home.path {
			at = append(at, place{p.Pkg, p.Expr.Pos()})
		}
	}
	if sp.rec.Named != nil {
		sp.name = sp.rec.Named.Name()
	} else {
		sp.name = sp.names.free(sp.home.dir, at, candidates...)
	}
	taken := map[string]bool{}
	for i, f := range sp.fields {
		f.name = fieldName(f.Name, i, sp.exported)
		for n := 2; taken[f.name]; n++ {
			f.name = fmt.Sprintf("%s%d", fieldName(f.Name, i, sp.exported), n)
		}
		taken[f.name] = true
	}
}

// stem is the exported identifier that the struct's name begins with.
func (sp *structPlan) stem() string {
	k := sp.rec.Key
	var tries []string
	if obj := sp.keyDecl(); obj != nil {
		tries = append(tries, obj.Name())
	}
	if k.Value != "" {
		tries = append(tries, strings.Trim(k.Value, `"`))
	}
	for _, t := range tries {
		if b := baseName(t); b != "" && b != "Context" && b != "Key" && b != "Ctx" {
			return b
		}
	}
	return "Context"
}

// fieldName makes an identifier of an index.
func fieldName(text string, i int, exported bool) string {
	var b strings.Builder
	for _, w := range words(text) {
		b.WriteString(baseName(w))
	}
	name := b.String()
	if !token.IsIdentifier(name) {
		name = fmt.Sprintf("Field%d", i+1)
	}
	if exported {
		return name
	}
	if name = lowerFirst(name); token.IsKeyword(name) {
		name += "Value"
	}
	return name
}

// redeclare makes the declared map type a struct.
func (sp *structPlan) redeclare() error {
	f := sp.prog.FileOf(sp.rec.Named.Pos())
	_, spec := typeSpec(f, sp.rec.Named)
	if spec == nil || spec.Assign.IsValid() {
		return block("map-type", f, sp.rec.Named.Pos(), "the declaration of %s cannot be changed", sp.rec.Named.Name())
	}
	indent := "\n" + sp.indentAt(f, spec.Pos())
	text := Text{Lit("struct {")}
	for _, fd := range sp.fields {
		text = append(append(text, Lit(indent+"\t"+fd.name+" ")), fd.text...)
	}
	return sp.replace(f, spec.Type.Pos(), spec.Type.End(), append(text, Lit(indent+"}"))...)
}

// declare adds the struct beside the key.
func (sp *structPlan) declare() error {
	decl := &Struct{Name: sp.name}
	if sp.exported {
		key := sp.rec.Key.Name()
		if obj := sp.keyDecl(); obj != nil {
			key = obj.Name()
		}
		decl.Doc = sp.name + " is the value that a context carries under " + key + "."
	}
	for _, f := range sp.fields {
		decl.Fields = append(decl.Fields, StructField{Name: f.name, Type: f.text})
	}
	add := &AddDecl{PkgPath: sp.home.path, PkgName: sp.home.name, Dir: sp.home.dir, ID: sp.name, Decl: decl}
	if add.File, add.After = sp.declPlace(); add.File == nil {
		at := sp.placesOf()[0]
		return block("placement", at.File, at.Expr.Pos(), "no file of package %s can hold the struct", sp.home.path)
	}
	sp.add(add)
	return nil
}

// declPlace returns the file that gets the struct and the declaration it follows: the key's, else what stands
// before the functions of the first file that makes a map; nil when no file fits.
func (sp *structPlan) declPlace() (*program.File, ast.Decl) {
	var users []*program.File
	for _, p := range sp.placesOf() {
		users = append(users, p.File)
	}
	fits := func(f *program.File) bool { return sp.takes(f, sp.home.dir, sp.home.xtest, users) }
	if obj := sp.keyDecl(); obj != nil {
		if f := sp.prog.FileOf(obj.Pos()); fits(f) {
			for _, decl := range f.AST.Decls {
				if _, ok := decl.(*ast.GenDecl); ok && decl.Pos() <= obj.Pos() && obj.Pos() < decl.End() {
					return f, decl
				}
			}
		}
	}
	for _, o := range sp.rec.Origins {
		if fits(o.File) {
			return o.File, beforeFunctions(o.File)
		}
	}
	for _, p := range sp.placesOf() {
		if fits(p.File) {
			return p.File, beforeFunctions(p.File)
		}
	}
	for _, f := range sp.home.pkg.Files {
		if fits(f) {
			return f, beforeFunctions(f)
		}
	}
	return nil, nil
}

// explain writes the unit's title and notes.
func (sp *structPlan) explain() {
	sp.unit.Title = fmt.Sprintf("make the map under %s a struct, %s.%s", sp.rec.Key.Name(), sp.home.name, sp.name)
	note := fmt.Sprintf("struct %s in %s", sp.name, sp.home.path)
	if sp.home.why != "" {
		note += " (" + sp.home.why + ")"
	}
	sp.unit.Notes = append(sp.unit.Notes, note)
	if sp.rec.Pointer != nil {
		sp.unit.Title += ", by pointer"
	}
	for i, n := range sp.rec.Notes {
		if i == maxNotes {
			sp.review = append(sp.review, "and "+census.Count(len(sp.rec.Notes)-maxNotes, "more place")+" like it")
			break
		}
		sp.review = append(sp.review, n.Message+sp.where(n))
	}
}
