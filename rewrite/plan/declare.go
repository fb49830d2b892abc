package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ctxmend/ctxmend/rules/census"
)

type censusKey = census.Key

const roleWriter = census.Writer

// writeDecls plans the declarations the edits so far ask for.
func (kp *keyPlan) writeDecls() error {
	for _, k := range kp.fam.Keys {
		n := kp.keys[k]
		if len(n.forms) > 0 || n.forTest != "" {
			kp.homeKey(n, nil) // settles whether it is exported
		}
		if n.exported != "" {
			kp.declareExported(n)
		}
		if n.forTest != "" {
			kp.declareForTest(n)
		}
		for _, kind := range []AccessorKind{With, From, Must, Any} {
			if n.forms[kind] != "" {
				if err := kp.declareAccessor(n, kind); err != nil {
					return err
				}
			}
		}
		if n.decl != nil {
			kp.unit.Edits = append(kp.unit.Edits, n.decl)
		}
	}
	if kp.kt != nil && kp.kt.add != nil {
		kp.unit.Edits = append(kp.unit.Edits, kp.kt.add)
	}
	for _, e := range kp.unit.Edits {
		if d, ok := e.(*AddDecl); ok && d.File != nil {
			if reason := uneditable(d.File); reason != "" {
				return block(reason, d.File, d.File.AST.Package, "%s", uneditableMessage(reason))
			}
		}
	}
	return nil
}

// declareExported declares the key under its exported name; a constant that holds it unexported
// keeps its name.
func (kp *keyPlan) declareExported(n *keyNames) {
	doc := n.exported + " is the key of context value " + constText(n.key) + "."
	if kp.style == "struct" {
		t := &keyType{}
		kp.placeDecls(t)
		n.decl = kp.addDecl(t, n.exported, &KeyType{Name: n.exported, Underlying: "struct{}", Doc: doc})
		return
	}
	kt := kp.needType()
	c := kp.keyConst(n.exported, kt, n)
	c.Doc = doc
	n.decl = kp.addDecl(kp.constPlace(n), n.exported, c)
}

// keyConst declares the key as a constant of a type.
func (kp *keyPlan) keyConst(name string, kt *keyType, n *keyNames) *KeyConst {
	c := &KeyConst{Name: name, Type: kt.ref, Value: "iota", Enum: kp.enum}
	if !kp.enum {
		c.Value = constText(n.key)
	}
	return c
}

// declareForTest gives the key an exported name in export_test.go.
func (kp *keyPlan) declareForTest(n *keyNames) {
	d := kp.addDecl(&keyType{}, n.forTest, nil)
	d.NewFile, d.NewRel = "export_test.go", kp.relative("export_test.go")
	for _, f := range kp.names.files[kp.home.dir] {
		if filepath.Base(f.Name) == "export_test.go" && !f.XTest {
			d.File, d.NewFile = f, ""
			if k := len(f.AST.Decls); k > 0 {
				if g, ok := f.AST.Decls[k-1].(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
					kp.anchors[d].after = f.AST.Decls[k-1]
				}
			}
		}
	}
	key := kp.homeKey(n, nil)
	if kp.style == "struct" {
		d.Decl = &KeyType{Name: n.forTest, Underlying: "= " + key}
	} else {
		d.Decl = &KeyConst{Name: n.forTest, Value: key}
	}
	kp.add(d)
}

// declareAccessor adds an accessor function beside the key.
func (kp *keyPlan) declareAccessor(n *keyNames, kind AccessorKind) error {
	key := kp.homeKey(n, nil)
	t := kp.declPlace(n)
	a := &Accessor{
		Kind: kind, Name: n.forms[kind],
		Key:    Ref{PkgPath: kp.home.path, PkgName: kp.home.name, Name: key},
		Struct: kp.style == "struct",
		NoAny:  !kp.knowsAny(),
	}
	if kind != Any {
		a.Value = n.text // what is not written must not be imported
	}
	noun := n.noun
	if noun == "" {
		noun = "the value of key " + constText(n.key)
	}
	if kp.staged {
		a.Old = kp.oldKey(n.key)
	}
	switch kind {
	case With:
		a.Param = paramName(n)
		a.Doc = fmt.Sprintf("%s returns a copy of ctx that carries %s.", a.Name, noun)
	case From:
		a.Doc = fmt.Sprintf("%s returns %s that ctx carries, and whether it does.", a.Name, noun)
	case Must:
		a.Doc = fmt.Sprintf("%s returns %s that ctx carries. It panics when ctx does not.", a.Name, noun)
	default:
		a.Doc = fmt.Sprintf("%s returns %s that ctx carries, or nil.", a.Name, noun)
	}
	if kp.staged {
		a.Doc += kp.waits(kind)
	}
	kp.add(kp.addDecl(t, a.Name, a))
	return nil
}

// knowsAny reports whether the home package's language version has the name any.
func (kp *keyPlan) knowsAny() bool {
	m := kp.home.module(kp.spots[0].Pkg.Module)
	return m == nil || version.Compare("go"+m.GoVersion, "go1.18") >= 0
}

// declPlace is where a key's accessors go: with the key.
func (kp *keyPlan) declPlace(n *keyNames) *keyType {
	if n.decl != nil {
		return kp.anchors[n.decl]
	}
	if n.place != nil {
		return n.place
	}
	for _, obj := range kp.retypedInOrder() {
		c, ok := obj.(*types.Const)
		if !ok || !kp.holds(c, n.key) || !kp.packageLevel(obj) {
			continue
		}
		if d := kp.declOf(obj); d != nil && d.decl != nil && kp.takesDecls(d.file) {
			return &keyType{file: d.file, after: d.decl}
		}
	}
	t := &keyType{}
	kp.placeDecls(t)
	return t
}

// paramName names the value parameter of a With accessor.
func paramName(n *keyNames) string {
	name := lowerFirst(n.base)
	if token.IsKeyword(name) || types.Universe.Lookup(name) != nil || name == "ctx" || name == "context" || len(name) > 20 {
		return "value"
	}
	return name
}

// removeUnused removes unexported constants that the replaced points leave without use.
func (kp *keyPlan) removeUnused() {
	done := map[token.Pos]bool{}
	for _, s := range kp.spots {
		if s.form != named || !kp.replaced[s.Expr] || done[s.obj.Pos()] {
			continue
		}
		done[s.obj.Pos()] = true
		if kp.retyped[s.obj.Pos()] != nil {
			continue // it is the key, which accessors name
		}
		if s.obj.Exported() && kp.packageLevel(s.obj) || !kp.removable(s.obj) || kp.usedElsewhere(s.obj) {
			continue
		}
		d := kp.declOf(s.obj)
		kp.keepDoc(d, s)
		kp.unit.Edits = append(kp.unit.Edits, &RemoveSpec{File: d.file, Decl: d.decl, Spec: d.spec, Name: d.name})
		if kp.blockGoes(d) {
			kp.removeBlanks(d, done)
		}
	}
}

// removeBlanks removes what a block that goes as a whole skips.
func (kp *keyPlan) removeBlanks(d *valueDecl, done map[token.Pos]bool) {
	for _, s := range d.decl.Specs {
		for _, id := range s.(*ast.ValueSpec).Names {
			if id.Name == "_" && !done[id.Pos()] {
				done[id.Pos()] = true
				kp.unit.Edits = append(kp.unit.Edits, &RemoveSpec{File: d.file, Decl: d.decl, Spec: s.(*ast.ValueSpec), Name: id})
			}
		}
	}
}

// blockGoes reports whether a constant is declared in a block of which every name is used, replaced, and has no other use.
func (kp *keyPlan) blockGoes(d *valueDecl) bool {
	if d.decl == nil || d.decl.Tok != token.CONST || len(d.decl.Specs) < 2 {
		return false
	}
	pkg := kp.pkgOf(d.file)
	for _, s := range d.decl.Specs {
		for _, id := range s.(*ast.ValueSpec).Names {
			if id.Name == "_" {
				continue
			}
			obj := pkg.Info.Defs[id]
			if obj == nil || obj.Exported() && kp.packageLevel(obj) || kp.retyped[obj.Pos()] != nil || kp.census.MentionedUnchecked(obj) {
				return false
			}
			used := false
			for _, u := range kp.census.Uses(obj) {
				if u.Pkg.Info.Defs[u.Ident] != nil {
					continue
				}
				if sp := kp.byExpr[kp.census.NameExpr(u.File, u.Ident)]; sp == nil || sp.form != named || sp.obj == nil || sp.obj.Pos() != obj.Pos() {
					return false
				}
				used = true
			}
			if !used {
				return false // nothing is replaced, so that it stays
			}
		}
	}
	return true
}

// keepDoc moves what a comment says of a constant that goes to the declaration of the key that takes its place.
func (kp *keyPlan) keepDoc(d *valueDecl, s *spot) {
	n := kp.keys[s.key]
	if n == nil || n.decl == nil || d.local || len(d.spec.Names) > 1 {
		return
	}
	doc := d.spec.Doc
	if doc == nil && len(d.decl.Specs) == 1 {
		doc = d.decl.Doc
	}
	if doc == nil {
		doc = d.spec.Comment
	}
	if doc == nil {
		return
	}
	var lines []string
	for line := range strings.Lines(doc.Text()) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, "nolint") {
			lines = append(lines, renamed(line, d.name.Name, n.decl.ID))
		}
	}
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	switch decl := n.decl.Decl.(type) {
	case *KeyType:
		if decl.Doc == "" {
			decl.Doc = text
		}
	case *KeyConst:
		if decl.Doc == "" {
			decl.Doc = text
		}
	}
}

// renamed writes another name where a text has the old one as a word.
func renamed(text, old, name string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, old)
		if i < 0 {
			return b.String() + text
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(old):])
		b.WriteString(text[:i])
		if isWord(before) || isWord(after) {
			b.WriteString(old)
		} else {
			b.WriteString(name)
		}
		text = text[i+len(old):]
	}
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
}

// removable reports whether a constant's name can be taken out of its declaration without changing others.
func (kp *keyPlan) removable(obj types.Object) bool {
	f := kp.prog.FileOf(obj.Pos())
	if f == nil || !f.World || uneditable(f) != "" {
		return false
	}
	d := kp.declOf(obj)
	if d != nil && d.spec != nil && kp.blockGoes(d) {
		return true
	}
	if d == nil || d.spec == nil || len(d.spec.Values) != len(d.spec.Names) {
		return false
	}
	if _, chain := repetition(d); len(chain) > 1 {
		return false // later specs repeat its value
	}
	if len(d.spec.Names) > 1 {
		return true
	}
	for _, later := range d.decl.Specs[d.index+1:] {
		for _, v := range later.(*ast.ValueSpec).Values {
			if mentionsIota(kp.pkgOf(d.file), v) {
				return false // it would count differently
			}
		}
	}
	return true
}

// usedElsewhere reports whether a constant has a use that the plan does not replace.
func (kp *keyPlan) usedElsewhere(obj types.Object) bool {
	for _, u := range kp.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		e := kp.census.NameExpr(u.File, u.Ident)
		if !kp.replaced[e] {
			return true
		}
	}
	return false
}
