package plan

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// typeWanted identifies a key type that units share.
type typeWanted struct {
	home     string
	basic    types.BasicKind
	exported bool
	enum     bool
	test     bool   // declared in a test file
	unit     string // set for a type that only one unit uses
}

// A keyType is the named type that keys take.
type keyType struct {
	ref Ref
	// add declares it; nil when the package has it already.
	add *AddDecl
	// file and after say where new constants of the type go.
	file    *program.File
	newFile string
	after   ast.Decl
}

func (t *keyType) name() Part { return Name(t.ref.PkgPath, t.ref.PkgName, t.ref.Name) }

// needType returns the family's key type, choosing it at first.
func (kp *keyPlan) needType() *keyType {
	if kp.kt == nil {
		kp.kt = kp.chooseType(false)
	}
	return kp.kt
}

func (kp *keyPlan) chooseType(exported bool) *keyType {
	basic := kp.basic
	if kp.enum {
		if t := kp.existingEnum(); t != nil {
			return t
		}
		basic = types.Typ[types.Int]
	} else if t := kp.existingType(exported); t != nil {
		return t
	}
	want := typeWanted{home: kp.home.path, basic: basic.Kind(), exported: exported, enum: kp.enum}
	for _, test := range []bool{false, true} {
		want.test = test
		if t := kp.types[want]; t != nil && (!test || kp.testHome()) {
			if !shadowed(t.ref.Name, kp.places()) {
				kp.raise(t)
				return t
			}
			want.unit = kp.unit.ID // the name means something else at one of the places
		}
	}
	want.test = kp.testHome()
	candidates := []string{"contextKey", "ctxKey"}
	if exported {
		candidates = []string{"ContextKey", "CtxKey"}
	}
	t := &keyType{}
	kp.placeDecls(t)
	t.ref = Ref{PkgPath: kp.home.path, PkgName: kp.home.name, Name: kp.names.freeIn(kp.home, kp.places(), candidates...)}
	decl := &KeyType{Name: t.ref.Name, Underlying: basic.Name()}
	if exported {
		decl.Doc = t.ref.Name + " is the type of context keys that other packages pass on."
	}
	t.add = kp.addDecl(t, t.ref.Name, decl)
	kp.types[want] = t
	return t
}

// existingType looks for a type of the home package that already serves for keys and under which none
// of the family's values is a key yet: else two keys would become one.
func (kp *keyPlan) existingType(exported bool) *keyType {
	if kp.home.pkg == nil {
		return nil
	}
	scope := kp.home.pkg.Types.Scope()
	for _, name := range scope.Names() {
		tn, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || tn.IsAlias() || exported && !tn.Exported() {
			continue
		}
		b, ok := tn.Type().Underlying().(*types.Basic)
		if !ok || b.Kind() != kp.basic.Kind() {
			continue
		}
		if named, ok := tn.Type().(*types.Named); !ok || named.TypeParams().Len() > 0 {
			continue
		}
		f := kp.prog.FileOf(tn.Pos())
		if f == nil || uneditable(f) != "" || f.Test && !kp.testHome() || !kp.everywhere(f) {
			continue
		}
		full := kp.home.path + "." + name
		if !kp.servesAsKey(full, name) || kp.collides(full) || !kp.meansType(tn) || !kp.joins(full) {
			continue
		}
		t := &keyType{ref: Ref{PkgPath: kp.home.path, PkgName: kp.home.name, Name: name}, file: f}
		kp.afterConstants(t, tn)
		return t
	}
	return nil
}

// servesAsKey reports whether a type is the package's type for context keys: several keys
// have it, or one has and the type is called a key.
func (kp *keyPlan) servesAsKey(full, name string) bool {
	n := 0
	for _, k := range kp.census.Keys {
		if k.Type == full {
			n++
		}
	}
	return n > 1 || n == 1 && strings.HasSuffix(strings.ToLower(name), "key")
}

// joins reports whether a further key may have a type that is there.
func (kp *keyPlan) joins(full string) bool {
	for _, k := range kp.census.Keys {
		if k.Type == full {
			return kp.census.Joining(k) == nil
		}
	}
	return false
}

// collides reports whether one of the family's values is already a key under the type.
func (kp *keyPlan) collides(full string) bool {
	return slices.ContainsFunc(kp.fam.Keys, func(k *censusKey) bool { return kp.census.HasKey(full, k.Value) })
}

// meansType reports whether the type's name means the type at every place it may be written.
func (kp *keyPlan) meansType(tn *types.TypeName) bool {
	for _, p := range kp.places() {
		if p.pkg.Path != kp.home.path {
			continue
		}
		if o := lookup(p, tn.Name()); o == nil || o.Pos() != tn.Pos() {
			return false
		}
	}
	return true
}

// afterConstants puts new constants behind the last constant declaration of the type, or behind the type.
func (kp *keyPlan) afterConstants(t *keyType, tn *types.TypeName) {
	for _, f := range kp.home.pkg.Files {
		if f.AST == nil || uneditable(f) != "" || f.Test && !kp.testHome() || !kp.everywhere(f) {
			continue
		}
		for _, d := range f.AST.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.Pos() == tn.Pos() && t.after == nil {
						t.file, t.after = f, g
					}
				case *ast.ValueSpec:
					c, ok := kp.home.pkg.Info.Defs[s.Names[0]].(*types.Const)
					if ok && types.Identical(c.Type(), tn.Type()) {
						t.file, t.after = f, g
					}
				}
			}
		}
	}
}

// raise moves a new key type up in its file, before the declarations that take it.
func (kp *keyPlan) raise(t *keyType) {
	if t.add == nil || t.file == nil {
		return
	}
	for _, obj := range kp.retypedInOrder() {
		d := kp.declOf(obj)
		if d == nil || d.decl == nil || d.local || d.file != t.file {
			continue
		}
		if before := declBefore(d.file, d.decl); t.after != nil && (before == nil || before.Pos() < t.after.Pos()) {
			t.after = before
		}
		return
	}
}
