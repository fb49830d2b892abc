package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A joinPlan is the plan that makes several values one struct under one key.
type joinPlan struct {
	*draft
	in *rules.JoinValues
	// drop knows what goes, and removes the declarations that are left without use.
	drop     *dropPlan
	home     *home
	exported bool // other packages name the struct
	// name and key are the struct's name and that of the key's type, local what variables of the struct are called.
	name, key, local string
	// keyType is the type of a key that is a constant, "" for a key that is an empty struct; newType is set when it is to be declared.
	keyType   string
	newType   bool
	fields    []*joinField
	byKey     map[*census.Key]*joinField
	rows      []*joinRow
	reads     []*joinRead
	accessors map[AccessorKind]string
	// used are the identifiers of declarations, locals the variables that the plan adds to them.
	used   map[ast.Decl]map[string]bool
	locals map[ast.Decl][]joinLocal
	// gone are the declarations that are removed as a whole.
	gone map[ast.Decl]bool
	// counted are the blocks whose constants count anew, rewritten the functions in one line that go or become longer.
	counted   map[ast.Decl]bool
	rewritten map[*ast.FuncDecl]bool
	// inlined are the functions whose calls are all links of rows: they go.
	inlined map[*ast.CallExpr]*census.Attacher
}

// A joinField is one value as a field of the struct.
type joinField struct {
	key  *census.Key
	typ  types.Type
	text Text
	name string
	// always is set when whatever stores the struct sets the field; otherwise flag is the field that says whether it is set, ""
	// when nobody asks.
	always bool
	flag   string
	// setter and getter are functions that store, and look up, the value by itself; "" until needed.
	setter, getter string
}

// hidden reports whether the field has an interface type: nil then says that there is no value.
func (f *joinField) hidden() bool { return types.IsInterface(f.typ) }

// joinValues plans the struct of one group of keys.
func (d *draft) joinValues(in *rules.JoinValues) error {
	jp := &joinPlan{
		draft: d, in: in, drop: &dropPlan{draft: d}, byKey: map[*census.Key]*joinField{},
		accessors: map[AccessorKind]string{}, used: map[ast.Decl]map[string]bool{}, locals: map[ast.Decl][]joinLocal{}, gone: map[ast.Decl]bool{}, counted: map[ast.Decl]bool{}, rewritten: map[*ast.FuncDecl]bool{}, inlined: map[*ast.CallExpr]*census.Attacher{},
	}
	for _, step := range []func() error{
		jp.gather, jp.judgeTypes, jp.chooseRows, jp.judgePresence, jp.chooseHome, jp.readsValues, jp.chooseNames, jp.writeFieldTypes,
		jp.writeRows, jp.writeReads, jp.alignFunctions, jp.dropKeys, jp.declare,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	jp.explain()
	return nil
}

// gather looks at every place of the keys: each has to name its key on the spot.
func (jp *joinPlan) gather() error {
	for _, k := range jp.in.Keys {
		f := &joinField{key: k, always: true}
		jp.fields = append(jp.fields, f)
		jp.byKey[k] = f
		for _, role := range []census.Role{census.Writer, census.Reader} {
			if h := jp.census.Elsewhere(k, role); h != nil {
				return blocked{&rules.Blocker{Reason: h.Reason, Message: h.Message, File: h.File, Pos: h.Pos, Where: h.Where}}
			}
		}
		if err := jp.importers(k); err != nil {
			return err
		}
		for _, n := range k.Notes {
			jp.review = append(jp.review, n.Message+jp.where(n))
		}
		for _, s := range k.Sites {
			if err := jp.gatherSite(f, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// importers blocks keys by which a library's importers may store or read the values.
func (jp *joinPlan) importers(k *census.Key) error {
	obj := jp.census.Importers(k)
	if obj == nil {
		return nil
	}
	f := jp.prog.FileOf(obj.Pos())
	if p := jp.packageOf(obj); p == nil || !jp.census.InProgram(p) {
		return block("exported", f, obj.Pos(), "%s.%s is exported by a library: importers that store or read under it by themselves would miss the value", obj.Pkg().Name(), obj.Name())
	}
	note := fmt.Sprintf("%s.%s is exported: importers that use it will notice", obj.Pkg().Name(), obj.Name())
	if !slices.Contains(jp.review, note) {
		jp.review = append(jp.review, note)
	}
	return nil
}

// gatherSite takes in a writer or reader.
func (jp *joinPlan) gatherSite(f *joinField, s *census.Site) error {
	lk := s.Lookup
	switch {
	case !s.Pkg.World || !lk.Pkg.World:
		return block("dependency", s.File, s.Expr.Pos(), "package %s, outside the program, uses the key", lk.Pkg.Path)
	case lk.Call == nil || ast.Unparen(lk.Key) != s.Expr:
		return block("forwarder", s.File, s.Expr.Pos(), "the key reaches the look-up through a function, variable or table")
	case len(s.Pkg.Errors) > 0:
		return block("type-errors", s.File, s.Expr.Pos(), "package %s does not type-check", s.Pkg.Path)
	}
	if s.Role == census.Writer {
		return jp.gatherValue(f, s)
	}
	if !slices.ContainsFunc(jp.reads, func(r *joinRead) bool { return r.Lookup.Call == lk.Call }) {
		jp.reads = append(jp.reads, jp.readAt(f, s))
	}
	return nil
}

// gatherValue makes sure that all writers of a key store values of one type.
func (jp *joinPlan) gatherValue(f *joinField, s *census.Site) error {
	info, value := s.Pkg.Info, s.Lookup.Value
	t := info.TypeOf(value)
	switch {
	case t == nil:
		return block("value-type", s.File, value.Pos(), "the type of what is stored is not known")
	case info.Types[value].IsNil():
		return block("presence", s.File, value.Pos(), "nil is stored here, which readers take for absence")
	case typeParams(t):
		return block("value-type", s.File, value.Pos(), "what is stored has the type of a type parameter")
	}
	t = types.Default(t)
	if f.typ != nil && !sameTypeText(t, f.typ) {
		return block("value-type", s.File, value.Pos(), "%s is stored under %s here and %s elsewhere", census.TypeText(t), f.key.Name(), census.TypeText(f.typ))
	}
	f.typ = t
	return nil
}

// sameTypeText reports whether two types, which may come from different build configurations, are the same.
func sameTypeText(a, b types.Type) bool {
	return a != nil && b != nil && (types.Identical(a, b) || types.TypeString(a, nil) == types.TypeString(b, nil))
}

// judgePresence decides which fields need a word on whether they are set.
func (jp *joinPlan) judgePresence() error {
	for _, row := range jp.rows {
		for _, f := range jp.fields {
			f.always = f.always && row.sets(f.key)
		}
	}
	for _, r := range jp.reads {
		jp.judgeRead(r)
	}
	return nil
}

// places returns the sites of all keys.
func (jp *joinPlan) places() []*census.Site {
	var list []*census.Site
	for _, k := range jp.in.Keys {
		list = append(list, k.Sites...)
	}
	return list
}

// named returns the places that may name the struct: the sites of all keys but those that go, and the calls that store it instead.
func (jp *joinPlan) named() []*census.Site {
	list := slices.DeleteFunc(jp.places(), func(s *census.Site) bool { return jp.inlined[s.Lookup.Call] != nil })
	for _, row := range jp.rows {
		for _, s := range row.links {
			if s.Via != nil {
				list = append(list, s)
			}
		}
	}
	return list
}

// foreign reports whether a site lies in another package than the struct.
func (jp *joinPlan) foreign(s *census.Site) bool { return s.Pkg.Path != jp.home.path }

// chooseHome decides which package gets the struct: the one asked for, the one that declares the keys, else that of the first chain.
func (jp *joinPlan) chooseHome() error {
	if want := jp.opts.KeyPackage; want != "" {
		if jp.home = jp.homeAsked(); jp.home == nil {
			s := jp.in.Chains[0].Links[0]
			return block("placement", s.File, s.Expr.Pos(), "package %s, asked for with --key-package, is in no module of the program", want)
		}
		if jp.home.pkg == nil {
			jp.graph.AddPackage(jp.home.path, jp.home.name)
		}
		return jp.reachable()
	}
	for _, k := range jp.in.Keys {
		obj := jp.keyObject(k)
		if obj == nil {
			continue
		}
		p := jp.packageOf(obj)
		if p == nil || jp.home != nil && jp.home.path != p.Path {
			s := k.Sites[0]
			return block("placement", s.File, s.Expr.Pos(), "the keys are declared in several packages; declare them in one")
		}
		jp.home = homeOfPackage(p, "it declares the keys")
	}
	if jp.home == nil {
		jp.home = homeOfPackage(jp.in.Chains[0].Links[0].Pkg, "it attaches the values")
	}
	return jp.reachable()
}

// keyObject returns what declares a key: the constant or variable that names it, else its type; nil for literals of built-in type.
func (d *draft) keyObject(k *census.Key) types.Object {
	for _, s := range k.Sites {
		var obj types.Object
		switch e := s.Expr.(type) {
		case *ast.Ident:
			obj = s.Pkg.Info.Uses[e]
		case *ast.SelectorExpr:
			obj = s.Pkg.Info.Uses[e.Sel]
		}
		if obj != nil && obj.Pkg() != nil && d.packageLevel(obj) && d.packageOf(obj) != nil {
			return obj
		}
	}
	if k.Basic != nil || k.GoType == nil {
		return nil
	}
	if named, ok := types.Unalias(derefType(k.GoType)).(*types.Named); ok {
		return named.Obj()
	}
	return nil
}

// reachable checks that every file which names the struct can import its home.
func (jp *joinPlan) reachable() error {
	for _, s := range jp.named() {
		if !jp.foreign(s) {
			continue
		}
		jp.exported = true
		if err := jp.planImport(jp.graph, "struct", jp.home, s.File, s.Expr); err != nil {
			return err
		}
	}
	return nil
}

// writeFieldTypes writes the fields' types as the home would.
func (jp *joinPlan) writeFieldTypes() error {
	tw := &typeWriter{draft: jp.draft, home: jp.home}
	for _, f := range jp.fields {
		text, ok := tw.typeText(f.typ)
		if !ok {
			s := f.key.Sites[0]
			return block("placement", s.File, s.Expr.Pos(), "package %s cannot name the type %s of what is stored under %s", jp.home.path, census.TypeText(f.typ), f.key.Name())
		}
		f.text = text
	}
	return nil
}

// explain writes the unit's title and notes.
func (jp *joinPlan) explain() {
	jp.unit.Title = fmt.Sprintf("make %d values fields of %s.%s, under one key", len(jp.fields), jp.home.name, jp.name)
	note := fmt.Sprintf("struct %s in %s", jp.name, jp.home.path)
	if jp.home.why != "" {
		note += " (" + jp.home.why + ")"
	}
	jp.unit.Notes = append(jp.unit.Notes, note)
	for _, f := range jp.fields {
		if f.flag != "" {
			jp.unit.Notes = append(jp.unit.Notes, fmt.Sprintf("field %s says whether there is %s: some contexts carry the others only", f.flag, census.WithArticle(f.name)))
		}
	}
}

// replaceCode plans a replacement that may not swallow a comment.
func (d *draft) replaceCode(f *program.File, from, to token.Pos, text Text) error {
	if d.commentIn(f, d.offset(f, from), d.offset(f, to)) {
		return block("comment", f, from, "a comment here would be lost; move it")
	}
	d.spliceText(f, from, to, text)
	return nil
}
