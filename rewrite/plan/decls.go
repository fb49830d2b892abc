package plan

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ctxmend/ctxmend/rules/program"
)

// testHome reports whether all of the family's places lie in tests of the home package, so that
// its declarations belong there too.
func (kp *keyPlan) testHome() bool {
	if kp.home.pkg == nil {
		return false
	}
	for _, s := range kp.spots {
		if !s.File.Test || s.Pkg.Path != kp.home.path && s.Pkg.Path != kp.home.path+"_test" {
			return false
		}
	}
	return true
}

// places are the positions at which names of the home package may be written bare.
func (kp *keyPlan) places() []place {
	var list []place
	for _, s := range kp.spots {
		if s.Pkg.Path == kp.home.path {
			list = append(list, s.at())
		}
	}
	for _, obj := range kp.retyped {
		if f := kp.prog.FileOf(obj.Pos()); f != nil {
			if p := kp.pkgOf(f); p != nil {
				list = append(list, place{p, obj.Pos()})
			}
		}
	}
	return list
}

// placeDecls chooses the file, and the place in it, for new declarations: before the first
// retyped declaration, else in the file of the first point of the home (writers before readers), else
// in the file that declares the value's type, else in a file of its own.
func (kp *keyPlan) placeDecls(t *keyType) {
	fits := kp.takesDecls
	for _, obj := range kp.retypedInOrder() {
		if d := kp.declOf(obj); d != nil && d.decl != nil && !d.local && fits(d.file) {
			t.file, t.after = d.file, declBefore(d.file, d.decl)
			return
		}
	}
	for _, writers := range []bool{true, false} {
		for _, s := range kp.spots {
			if s.Pkg.Path == kp.home.path && fits(s.File) && (s.Lookups[0].Role == roleWriter) == writers {
				t.file = s.File
				return
			}
		}
	}
	for _, s := range kp.spots {
		if s.obj != nil && fits(kp.prog.FileOf(s.obj.Pos())) {
			t.file = kp.prog.FileOf(s.obj.Pos())
			return
		}
	}
	for _, s := range kp.spots {
		if lk := s.Lookups[0]; lk.Value != nil {
			if vt := lk.Pkg.Info.TypeOf(lk.Value); vt != nil {
				if p, ok := types.Unalias(vt).(*types.Pointer); ok {
					vt = p.Elem()
				}
				if named, ok := types.Unalias(vt).(*types.Named); ok && fits(kp.prog.FileOf(named.Obj().Pos())) {
					t.file = kp.prog.FileOf(named.Obj().Pos())
					return
				}
			}
		}
	}
	t.newFile = kp.freeFile("context.go", "ctxkeys.go", "contextkeys.go")
	if kp.home.pkg == nil {
		t.newFile = kp.home.firstFile()
	} else if kp.testHome() {
		t.newFile = kp.freeFile("context_test.go", "ctxkeys_test.go", "contextkeys_test.go")
	}
}

// firstFile names the file of a package that is made.
func (h *home) firstFile() string {
	if strings.Contains(h.name, "_") {
		return "context.go" // what follows may be the name of a platform
	}
	return h.name + ".go"
}

// firstDoc is its package comment.
func (h *home) firstDoc() string {
	return "Package " + h.name + " holds the keys of context values that several packages share."
}

// takesDecls reports whether what is declared in a file is known wherever the family's names are needed.
func (kp *keyPlan) takesDecls(f *program.File) bool {
	return f != nil && f.World && uneditable(f) == "" && f.PkgDir == kp.home.dir && f.XTest == kp.home.xtest && (!f.Test || kp.testHome()) && kp.everywhere(f)
}

// fileCondition and packageCondition remember what presence in the build depends on.
func (pl *planner) fileCondition(f *program.File) string {
	c, known := pl.fileConditions[f]
	if !known {
		c = f.Condition()
		pl.fileConditions[f] = c
	}
	return c
}

func (pl *planner) packageCondition(p *program.Package) string {
	c, known := pl.packageConditions[p]
	if !known {
		c = p.Condition()
		pl.packageConditions[p] = c
	}
	return c
}

// everywhere reports whether a file is compiled in every configuration that has its package, those that
// are not loaded included.
func (pl *planner) everywhere(f *program.File) bool {
	if c := pl.fileCondition(f); c != "" {
		if p := pl.pkgOf(f); p == nil || pl.packageCondition(p) != c {
			return false
		}
	}
	path := f.PkgPath
	if f.XTest {
		path += "_test"
	}
	for _, cfg := range pl.prog.Configs {
		if p := cfg.Package(path); p != nil && !slices.Contains(p.Files, f) {
			return false
		}
	}
	return true
}

// takes reports whether what is declared in a file of a package is known in all files that are to use it: it is the only one,
// or compiled wherever the package is and no test among ordinary files.
func (pl *planner) takes(f *program.File, dir string, xtest bool, users []*program.File) bool {
	if f == nil || !f.World || uneditable(f) != "" || f.PkgDir != dir || f.XTest != xtest {
		return false
	}
	only, tests := true, true
	for _, u := range users {
		only, tests = only && u == f, tests && u.Test
	}
	return only || (tests || !f.Test) && pl.everywhere(f)
}

// declBefore returns the declaration before d, nil when d is the first after the imports.
func declBefore(f *program.File, d ast.Decl) ast.Decl {
	var prev ast.Decl
	for _, have := range f.AST.Decls {
		if have == d {
			return prev
		}
		prev = have
		if g, ok := have.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			prev = nil
		}
	}
	return nil
}

// freeFile returns the first file name that does not exist in the home directory.
func (kp *keyPlan) freeFile(names ...string) string {
	exists := func(name string) bool {
		return slices.ContainsFunc(kp.prog.Files, func(f *program.File) bool {
			return f.PkgDir == kp.home.dir && strings.EqualFold(filepath.Base(f.Name), name)
		})
	}
	for i := 1; ; i++ {
		for _, n := range names {
			if i > 1 {
				stem, test := strings.CutSuffix(strings.TrimSuffix(n, ".go"), "_test")
				n = fmt.Sprintf("%s%d", stem, i)
				if test {
					n += "_test"
				}
				n += ".go"
			}
			if !exists(n) {
				return n
			}
		}
	}
}

func (kp *keyPlan) addDecl(t *keyType, id string, d Decl) *AddDecl {
	doc := ""
	if kp.home.pkg == nil {
		doc = kp.home.firstDoc()
	}
	add := &AddDecl{
		PkgDoc:  doc,
		PkgPath: kp.home.path, PkgName: kp.home.name, Dir: kp.home.dir,
		File: t.file, NewFile: t.newFile, NewRel: kp.relative(t.newFile), ID: id, Decl: d,
	}
	if t.file == nil && kp.home.pkg != nil {
		add.Constraint = kp.prog.NewFileConstraint(kp.home.pkg, strings.HasSuffix(t.newFile, "_test.go"))
	}
	kp.anchors[add] = t
	return add
}

// anchor puts every declaration where its key type ended up: units planned later may have
// moved it up. Functions go behind the types, constants and variables that open a file.
func (pl *planner) anchor() {
	for add, t := range pl.anchors {
		add.After = t.after
		if _, ok := add.Decl.(*Accessor); ok && add.File != nil {
			add.After = beforeFunctions(add.File)
		}
	}
}

// beforeFunctions returns the last declaration before a file's first function and the type
// it is a method of, nil when that is an import declaration or nothing.
func beforeFunctions(f *program.File) ast.Decl {
	var before, prev ast.Decl
	for _, d := range f.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if declaresReceiver(prev, d) {
				return before
			}
			return prev
		case *ast.GenDecl:
			if d.Tok != token.IMPORT {
				before, prev = prev, d
			}
		}
	}
	return prev
}

// declaresReceiver reports whether d declares the type that fn is a method of.
func declaresReceiver(d ast.Decl, fn *ast.FuncDecl) bool {
	g, ok := d.(*ast.GenDecl)
	recv := receiverType(fn)
	return ok && recv != "" && slices.ContainsFunc(g.Specs, func(s ast.Spec) bool {
		ts, ok := s.(*ast.TypeSpec)
		return ok && ts.Name.Name == recv
	})
}

// receiverType returns the name of the type that a declaration is a method of, "" for a function.
func receiverType(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// relative returns a new file's name relative to the directory worked in.
func (kp *keyPlan) relative(name string) string { return kp.relativeTo(kp.home, name) }

// relativeTo returns the name of a new file of a package relative to the directory worked in.
func (pl *planner) relativeTo(h *home, name string) string {
	if name == "" {
		return ""
	}
	rel, err := filepath.Rel(pl.prog.Dir, filepath.Join(h.dir, name))
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}

// newKey declares the key in the home package, once, and returns its name.
func (kp *keyPlan) newKey(n *keyNames) string {
	if n.ident != "" {
		return n.ident
	}
	if n.exported != "" {
		n.ident = n.exported // one name will do
		return n.ident
	}
	stem := lowerFirst(n.base)
	if n.base == "ContextValue" && n.key.Const != nil && n.key.Const.Kind() == constant.String && token.IsIdentifier(constant.StringVal(n.key.Const)) && baseName(constant.StringVal(n.key.Const)) == "" {
		stem = constant.StringVal(n.key.Const) // of a script without capitals
	}
	if kp.style == "struct" {
		if n.ident = kp.freed(n); n.ident == "" {
			n.ident = kp.names.freeIn(kp.home, kp.places(), stem+"Key", stem+"ContextKey", stem+"CtxKey")
		}
		t := &keyType{}
		kp.placeDecls(t)
		n.decl = kp.addDecl(t, n.ident, &KeyType{Name: n.ident, Underlying: "struct{}"})
		return n.ident
	}
	if !kp.staged && kp.leavesAPI(n) {
		n.ident = kp.exportedKey(n)
		return n.ident
	}
	kt := kp.needType()
	if kp.enum {
		n.ident = kp.freed(n)
	}
	if n.ident == "" {
		n.ident = kp.names.freeIn(kp.home, kp.places(), stem+"Key", stem+"ContextKey", stem+"CtxKey")
	}
	n.decl = kp.addDecl(kp.constPlace(n), n.ident, kp.keyConst(n.ident, kt, n))
	return n.ident
}

// freed returns the name of a constant for the key that goes away, when the key's type can take it at all
// the places it may be written; "" for none.
func (kp *keyPlan) freed(n *keyNames) string {
	for _, s := range kp.spots {
		if s.form != named || s.key != n.key || !kp.inHome(s.obj) || kp.retyped[s.obj.Pos()] != nil || !kp.goes(s.obj) {
			continue
		}
		f := kp.prog.FileOf(s.obj.Pos())
		if f.Test && !kp.testHome() {
			continue
		}
		if !slices.ContainsFunc(kp.places(), func(p place) bool {
			o := lookup(p, s.obj.Name())
			return o == nil || o.Pos() != s.obj.Pos()
		}) {
			return s.obj.Name()
		}
	}
	return ""
}

// goes reports whether a constant will be without use: nothing but points that take another name uses it.
func (kp *keyPlan) goes(obj types.Object) bool {
	if obj.Exported() || !kp.packageLevel(obj) || kp.census.MentionedUnchecked(obj) || !kp.removable(obj) {
		return false
	}
	for _, u := range kp.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		if s := kp.byExpr[kp.census.NameExpr(u.File, u.Ident)]; s == nil || s.form != named {
			return false
		}
	}
	return true
}

// leavesAPI reports whether importers know the key by an exported constant that stays as it is:
// they need the new key's name.
func (kp *keyPlan) leavesAPI(n *keyNames) bool {
	return slices.ContainsFunc(kp.spots, func(s *spot) bool {
		return s.form == named && s.key == n.key && kp.retyped[s.obj.Pos()] == nil && kp.isAPI(s.obj) && kp.inHome(s.obj)
	})
}

// constPlace is where a new constant goes: with the key type when the key is used in that file or
// the package has the type already, else with the key's own first use.
func (kp *keyPlan) constPlace(n *keyNames) *keyType {
	kt := kp.needType()
	here := kt.file == nil || kt.add == nil || kp.enum // whose constants count up in one block
	if kt.file != nil && kt.file.Test != kp.testHome() && !kp.enum {
		// A key of tests alone is none of the program's.
		here = false
	} else if !here {
		own := false
		for _, s := range kp.spots {
			if s.Pkg.Path == kp.home.path && (!s.File.Test || kp.testHome()) {
				own = true
				here = here || s.File == kt.file
			}
		}
		here = here || !own
	}
	if here {
		return kt
	}
	t := &keyType{}
	kp.placeDecls(t)
	return t
}

// constText writes a key's value in Go syntax.
func constText(k *censusKey) string {
	switch k.Const.Kind() {
	case constant.Float:
		return floatText(k.Const, k.Basic)
	case constant.Complex:
		return fmt.Sprintf("complex(%s, %s)", floatText(constant.Real(k.Const), k.Basic), floatText(constant.Imag(k.Const), k.Basic))
	}
	return k.Const.ExactString()
}

// floatText writes a number so that it becomes the same value of the type again.
func floatText(v constant.Value, basic *types.Basic) string {
	bits := 64
	if basic.Kind() == types.Float32 || basic.Kind() == types.Complex64 {
		bits = 32
	}
	f, _ := constant.Float64Val(v)
	return strconv.FormatFloat(f, 'g', -1, bits)
}

// exportedKey returns the name of an exported constant for the key, declaring it.
func (kp *keyPlan) exportedKey(n *keyNames) string {
	if n.exported == "" {
		n.exported = kp.names.free(kp.home.dir, nil, n.base+"Key", n.base+"ContextKey", n.base+"CtxKey")
	}
	return n.exported
}

// testKey returns the name under which export_test.go gives the key to external tests.
func (kp *keyPlan) testKey(n *keyNames, s *spot) string {
	if name := kp.exportedRetyped(n.key); name != "" {
		return name
	}
	if n.exported != "" {
		return n.exported
	}
	if n.forTest == "" {
		n.forTest = kp.names.free(kp.home.dir, nil, n.base+"Key", n.base+"ContextKey", n.base+"CtxKey")
	}
	return n.forTest
}

// accessor returns the name of the accessor of the given kind, to be declared.
func (kp *keyPlan) accessor(n *keyNames, kind AccessorKind) string {
	if n.forms[kind] == "" {
		names := accessorNames(n.base, kind)
		if kp.testHome() {
			names = slices.DeleteFunc(names, testName)
		}
		n.forms[kind] = kp.names.free(kp.home.dir, kp.places(), names...)
	}
	return n.forms[kind]
}

// testName reports whether the go command takes a function of that name in a test file for a test.
func testName(name string) bool {
	for _, prefix := range []string{"Test", "Benchmark", "Fuzz", "Example"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			r, _ := utf8.DecodeRuneInString(rest)
			return rest == "" || !unicode.IsLower(r)
		}
	}
	return false
}

// accessorNames lists the names tried for an accessor.
func accessorNames(base string, kind AccessorKind) []string {
	var list []string
	bases := withEndings(base, "Value")
	if !strings.HasPrefix(base, "Context") {
		bases = append(bases, "Context"+base)
	}
	for _, b := range append([]string{base}, bases...) {
		switch kind {
		case With:
			list = append(list, "With"+b)
		case From:
			list = append(list, b+"From")
		case Must:
			list = append(list, "Must"+b+"From")
		default:
			list = append(list, append(withEndings(b, "Value"), b)[0]+"From")
		}
	}
	return list
}
