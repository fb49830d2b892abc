package plan

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A form is how a point spells its key.
type form int

const (
	literal form = iota // a constant expression other than a name
	named               // the name of a constant
	carried             // a variable, parameter, call: not constant
)

// A spot is a point of the world as the planner sees it.
type spot struct {
	*census.Point
	key  *census.Key // nil when the point carries several keys
	form form
	// obj is the constant (named) or variable (carried) that the point names, if any.
	obj types.Object
	// lookup is set when the point is itself the key argument of a look-up, so
	// that the whole call can be replaced by an accessor.
	lookup *census.Lookup
	// accessor is set for the look-up inside a function that is an accessor: it stays one.
	accessor bool
	// call is set when the point is an argument of a function that looks it up and does nothing else, asksType when
	// that function asks for the key's type.
	call     *forwarded
	asksType bool
}

func (s *spot) at() place { return place{s.Pkg, s.Expr.Pos()} }

// A keyPlan is the plan of one family in the making.
type keyPlan struct {
	*draft
	staged bool // old and new keys are written and read
	fam    *census.Family
	basic  *types.Basic
	spots  []*spot
	byExpr map[ast.Expr]*spot
	// retyped are the constants, variables and parameters whose declaration takes the key type.
	retyped map[token.Pos]types.Object
	home    *home
	// importers caches newImporters.
	importers map[string]int
	kt        *keyType
	style     string // "struct" or "string"
	enum      bool   // keys are constants that count up
	keys      map[*census.Key]*keyNames
	// replaced are the points whose expression the plan replaces.
	replaced map[ast.Expr]bool
}

// keyNames are the names a key gets in its home package.
type keyNames struct {
	key  *census.Key
	base string // UserID
	// ident is the key's constant or struct type in the home package, "" until needed.
	ident    string
	exported string // exported constant for foreign packages, "" until needed
	forTest  string // name in export_test.go, "" until needed
	decl     *AddDecl
	value    types.Type // the type accessors speak of; nil for any
	text     Text
	forms    map[AccessorKind]string
	noun     string   // what accessors' comments call the value, "" for the usual
	place    *keyType // where accessors go when the key is declared already; nil to choose
	// have are functions of the home that serve as accessors already.
	have     map[AccessorKind]*haveAccessor
	valueSet bool
	// foreign is set when another package calls an accessor.
	foreign bool
}

// keys plans one family.
func (pl *planner) keys(u *Unit, fam *census.Family) {
	u.Title = "give " + quotedKeys(fam) + " a type of its own"
	staged := pl.opts.Stage == "expand" && pl.crosses(fam)
	if staged {
		unblock(u)
	}
	if u.Blocker != nil {
		return
	}
	kp := &keyPlan{
		draft: pl.draft(u), fam: fam, basic: fam.Keys[0].Basic, staged: staged,
		byExpr:   map[ast.Expr]*spot{},
		retyped:  map[token.Pos]types.Object{},
		keys:     map[*census.Key]*keyNames{},
		replaced: map[ast.Expr]bool{}, importers: map[string]int{},
	}
	err := kp.plan()
	kp.review = append(kp.review, kp.familyNotes()...)
	kp.finish(err)
	kp.tellNames()
}

// familyNotes says what the census asks a reviewer to look at, one place once: it may be open to stores and to look-ups.
func (kp *keyPlan) familyNotes() []string {
	var list []string
	for _, n := range kp.fam.Notes {
		if text := n.Message + kp.where(n); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	if more := len(list) - maxNotes; more > 0 {
		list = append(list[:maxNotes], "and "+census.Count(more, "more place")+" like it")
	}
	return list
}

// tellNames tells which names the unit makes of keys.
func (kp *keyPlan) tellNames() {
	if kp.unit.Blocker != nil {
		return
	}
	for _, k := range kp.fam.Keys {
		n := kp.keys[k]
		if n == nil || n.decl == nil && len(n.forms) == 0 {
			continue
		}
		is := n.ident
		for _, name := range n.forms {
			if is == "" || n.decl == nil && name < is {
				is = name
			}
		}
		kp.unit.Names = append(kp.unit.Names, KeyName{k.UnitName(), is})
	}
}

// maxNotes bounds the reasons given for asking for review.
const maxNotes = 2

// plan goes through the steps; each may block.
func (kp *keyPlan) plan() error {
	kp.findSpots()
	if kp.staged {
		if err := kp.canStage(); err != nil {
			return err
		}
	}
	if err := kp.chooseHome(); err != nil {
		return err
	}
	if kp.staged {
		return kp.expand()
	}
	if err := kp.checkInstances(); err != nil {
		return err
	}
	kp.findAccessors()
	kp.chooseRetyped()
	kp.noteAPI()
	if err := kp.checkSiblings(); err != nil {
		return err
	}
	kp.chooseStyle()
	if err := kp.writeSpots(); err != nil {
		return err
	}
	if err := kp.writeRetyped(); err != nil {
		return err
	}
	kp.offerOtherHalf()
	if err := kp.writeDecls(); err != nil {
		return err
	}
	kp.removeUnused()
	for _, s := range kp.spots {
		kp.dropStale(s.Lookups)
	}
	kp.describe()
	return nil
}

// findSpots turns the family's points in the world into spots.
func (kp *keyPlan) findSpots() {
	for _, p := range kp.fam.Points {
		if kp.staged && foreignPoint(p) {
			continue
		}
		s := &spot{Point: p, form: carried}
		if keys := pointKeys(p); len(keys) == 1 {
			s.key = keys[0]
		}
		if p.Constant() {
			s.form = literal
			if c := census.NamedConst(p.Pkg, p.Expr); c != nil {
				s.form, s.obj = named, c
			}
		} else {
			s.obj = namedVar(p.Pkg, p.Expr)
		}
		if p.Direct() && kp.contextual(p.Lookups[0]) {
			s.lookup = p.Lookups[0]
		}
		kp.spots = append(kp.spots, s)
		kp.byExpr[p.Expr] = s
	}
	for _, k := range kp.fam.Keys {
		kp.keys[k] = &keyNames{key: k, base: kp.baseFor(k), forms: map[AccessorKind]string{}, have: map[AccessorKind]*haveAccessor{}}
	}
}

// contextual reports whether the look-up's context operand can be handed to an accessor.
func (kp *keyPlan) contextual(lk *census.Lookup) bool {
	if lk.Call == nil {
		return false
	}
	if lk.Role == census.Writer {
		return true
	}
	_, ok := kp.contextText(lk)
	return ok
}

func pointKeys(p *census.Point) []*census.Key {
	var keys []*census.Key
	for _, l := range p.Leaves {
		if !slices.Contains(keys, l.Key) {
			keys = append(keys, l.Key)
		}
	}
	return keys
}

// namedVar returns the variable that an expression names, nil for others.
func namedVar(pkg *program.Package, e ast.Expr) types.Object {
	var id *ast.Ident
	switch e := e.(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	default:
		return nil
	}
	if v, ok := pkg.Info.Uses[id].(*types.Var); ok && !v.IsField() {
		return v
	}
	return nil
}

// baseFor finds the stem for a key's names: from a constant that is called a key, else from
// the key's text, else from any constant that names it.
func (kp *keyPlan) baseFor(k *census.Key) string {
	if b := baseName(kp.opts.KeyNames[k.UnitName()]); b != "" {
		return b
	}
	var fromConst string
	for _, l := range k.Leaves() {
		c := census.NamedConst(l.Pkg, l.Expr)
		if c == nil {
			continue
		}
		b := baseName(c.Name())
		if list := words(c.Name()); len(list) > 1 && trimmable(list[len(list)-1]) && b != "" {
			return b
		}
		if fromConst == "" && b != "Key" {
			fromConst = b
		}
	}
	if k.Const.Kind() == constant.String {
		if b := baseName(constant.StringVal(k.Const)); b != "" && b != "Key" { // keyKey says nothing
			return b
		}
	}
	if fromConst != "" {
		return fromConst
	}
	if k.Const.Kind() == constant.Int {
		if v, ok := constant.Int64Val(k.Const); ok && v >= 0 {
			return fmt.Sprintf("Context%d", v)
		}
	}
	return "ContextValue"
}

// noteAPI notes exported names of importable packages that are the key: their importers may use them.
func (kp *keyPlan) noteAPI() {
	seen := map[token.Pos]bool{}
	for _, p := range kp.fam.Points {
		objs := []types.Object{}
		if v, ok := namedVar(p.Pkg, p.Expr).(*types.Var); ok {
			objs = append(objs, v)
		}
		for _, l := range p.Leaves {
			if c := census.NamedConst(l.Pkg, l.Expr); c != nil {
				objs = append(objs, c)
			}
		}
		for _, fn := range p.Forwarders {
			if !seen[fn.Pos()] && kp.isAPI(fn) {
				seen[fn.Pos()] = true
				kp.review = append(kp.review, fmt.Sprintf("%s.%s is exported: importers that pass it a key they write or read by themselves will notice", fn.Pkg().Name(), fn.Name()))
			}
		}
		for _, obj := range objs {
			if !seen[obj.Pos()] && kp.isAPI(obj) {
				seen[obj.Pos()] = true
				kp.review = append(kp.review, fmt.Sprintf("%s.%s is exported: importers that use it as a key by its text, or as %s, will notice", obj.Pkg().Name(), obj.Name(), census.WithArticle(kp.basic.Name())))
			}
		}
	}
	kp.noteWays(seen)
}

func (kp *keyPlan) isAPI(obj types.Object) bool { return census.IsAPI(kp.prog, obj) }

// chooseRetyped decides which declarations take the key type: constants, variables and
// parameters of the home package whose every use is a key of this family. It starts from all and drops
// what cannot stay until nothing changes.
func (kp *keyPlan) chooseRetyped() {
	if (kp.opts.KeyStyle == "struct" || kp.opts.KeyStyle == "enum") && !kp.hasCarriers() {
		return
	}
	var add func(obj types.Object)
	add = func(obj types.Object) {
		if obj == nil || kp.retyped[obj.Pos()] != nil || !kp.inHome(obj) {
			return
		}
		kp.retyped[obj.Pos()] = obj
		v, ok := obj.(*types.Var)
		if !ok {
			return
		}
		if fn, i := kp.census.ParamOf(v); fn != nil {
			args, _ := kp.census.Args(fn, i)
			for _, a := range args {
				if c := census.NamedConst(a.Pkg, a.Expr); c != nil {
					add(c)
				} else {
					add(namedVar(a.Pkg, ast.Unparen(a.Expr)))
				}
			}
		}
	}
	for _, s := range kp.spots {
		if s.obj != nil {
			add(s.obj)
		}
	}
	for changed := true; changed; {
		changed = false
		for _, obj := range kp.retypedInOrder() {
			if !kp.retypable(obj) {
				delete(kp.retyped, obj.Pos())
				changed = true
			}
		}
	}
}

func (kp *keyPlan) retypedInOrder() []types.Object {
	var list []types.Object
	for _, obj := range kp.retyped {
		list = append(list, obj)
	}
	slices.SortFunc(list, func(a, b types.Object) int { return cmp.Compare(a.Pos(), b.Pos()) })
	return list
}

func (kp *keyPlan) hasCarriers() bool {
	return slices.ContainsFunc(kp.spots, func(s *spot) bool { return s.form == carried })
}

// inHome reports whether an object is declared in the home package's own files.
func (kp *keyPlan) inHome(obj types.Object) bool {
	f := kp.prog.FileOf(obj.Pos())
	return f != nil && f.World && f.PkgDir == kp.home.dir && f.XTest == kp.home.xtest
}

// maxQuoted bounds the keys that a title lists.
const maxQuoted = 6

// quotedKeys lists a family's keys.
func quotedKeys(fam *census.Family) string {
	var keys []string
	for _, k := range fam.Keys {
		name := k.Name()
		if k.Part != "" {
			name += " of " + k.Part
		}
		keys = append(keys, name)
	}
	if len(keys) > maxQuoted {
		keys = append(keys[:maxQuoted-1], fmt.Sprintf("and %d more", len(keys)-maxQuoted+1))
	}
	return strings.Join(keys, ", ")
}

// describe writes the unit's title and what it does.
func (kp *keyPlan) describe() {
	what := "a private typed key"
	if len(kp.fam.Keys) > 1 {
		what = "private typed keys"
	}
	kp.unit.Title = fmt.Sprintf("give %s %s in %s", quotedKeys(kp.fam), what, kp.home.path)
	note := "typed key in " + kp.home.path + kp.form()
	if kp.home.why != "" {
		note += " (" + kp.home.why + ")"
	}
	var calls []string
	for _, k := range kp.fam.Keys {
		if !kp.keys[k].foreign && kp.keys[k].exported == "" {
			continue
		}
		for _, kind := range []AccessorKind{With, From, Must, Any} {
			if name := kp.keys[k].forms[kind]; name != "" {
				calls = append(calls, kp.home.name+"."+name)
			}
		}
		if n := kp.keys[k].exported; n != "" {
			calls = append(calls, kp.home.name+"."+n)
		}
	}
	if len(calls) > 0 {
		note += "; other packages use " + strings.Join(calls, ", ")
	}
	kp.unit.Notes = append([]string{note}, kp.unit.Notes...)
}
