package census

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Reasons why a map that travels in a context cannot become a struct.
const (
	ReasonEscapes   = "escapes"    // the map reaches code where it has to be a map
	ReasonPresence  = "presence"   // the program asks whether a field is there
	ReasonShared    = "shared"     // the map is written after it was stored
	ReasonMapType   = "map-type"   // the map's type has a name, which other code uses
	ReasonValueType = "value-type" // the key carries values of several types
	ReasonForwarder = "forwarder"  // a function looks it up whose key comes in from outside
	ReasonUnread    = "unread"     // nothing reads, or nothing writes, the map
)

// A Record is what becomes of the maps that are stored under one key: every place that
// makes, names, fills or reads one, found by following the stored and the looked-up values through
// variables, parameters and results.
type Record struct {
	Key *Key
	// Map is the type of the map, Elem that of its elements.
	Map  types.Type
	Elem types.Type
	// Stores are the writers of the key, Loads its readers.
	Stores []*Lookup
	Loads  []*Load
	// Origins are the places that make a map.
	Origins []*Origin
	// Fields are the map's constant indexes, in the order of the places that set, then read them.
	Fields []*Field
	// Spelled are the expressions that name the map's type, each once.
	Spelled []Expr
	// Funcs are the functions whose parameters or results are the map.
	Funcs []*types.Func
	// API is set when importers can name the key.
	API bool
	// Named is the world's name for the map's type, nil for a type without one.
	Named *types.TypeName
	// Pointer is set when a map is written where others may hold it already, with the place: they have to share the struct.
	Pointer *Hazard
	// Dynamic is set when the map is used as a table, not as a record: indexed by what is not constant, or ranged over.
	Dynamic *Hazard
	// Hazards stand in the way of a struct; Notes ask for a reviewer.
	Hazards, Notes []*Hazard
}

// An Origin is an expression, or the name of a variable without a value, that a map of a record comes from.
type Origin struct {
	Expr
	// Lit is set for a composite literal; otherwise Expr is a call of make, nil, or a variable's name.
	Lit *ast.CompositeLit
	// Nil is set for nil and for variables without a value.
	Nil bool
	// Sets are the fields that are certainly set before the map goes anywhere.
	Sets map[string]bool
}

// A Load is a look-up of the key with the type assertion that makes it the map.
type Load struct {
	*Lookup
	Assert *ast.TypeAssertExpr
	// Map and OK are the variables of a two-valued assertion; nil for the one-valued form or "_".
	Map, OK *types.Var
	// Stmt is the statement of a two-valued assertion.
	Stmt ast.Node
}

// A Field is one constant index of a record.
type Field struct {
	Name  string
	Sets  []*FieldSet
	Reads []*FieldRead
	// Type is the field's type; nil when it has to stay that of the map's elements, and then Why says so.
	Type types.Type
	Why  *Hazard
}

// A FieldSet stores into a field: an element of a literal, or an assignment.
type FieldSet struct {
	Expr
	// Key is the element's key in a literal; Index the left side of an assignment.
	Key   ast.Expr
	Index *ast.IndexExpr
	// Value is what is stored; nil for += and the like.
	Value ast.Expr
}

// A FieldRead reads a field.
type FieldRead struct {
	Expr
	Index *ast.IndexExpr
	// Assert is the type assertion on what is read, nil for none.
	Assert *ast.TypeAssertExpr
	// Pair is the statement of a two-valued assertion whose second value is dropped; Asks is set when it is not.
	Pair ast.Node
	Asks bool
	// AsAny is set when the value is handed on as an interface value at once.
	AsAny bool
	// Against is the type of what the value is compared with, nil for no comparison.
	Against types.Type
}

// A recorder follows the maps of one record.
type recorder struct {
	*Census
	rec    *Record
	fields map[string]*Field
	exprs  map[ast.Expr]bool
	vars   map[token.Pos]bool
	slots  map[slot]bool
	loads  map[*ast.CallExpr]*Load
	stores map[*ast.CallExpr]bool
	types  map[ast.Expr]bool
	// compared are the places that compare a map with nil.
	compared []Expr
	// aways are the mentions of a variable that hand the map on, by the variable.
	aways map[token.Pos][]Use
	homes map[token.Pos]*local
	// recovered is set when a function that returns the map may return none after a panic.
	recovered bool
}

// A slot is a parameter or, from ^0 downwards, a result of a function.
type slot struct {
	fn    token.Pos
	index int
}

// A local is a variable that holds a map made where the variable is declared.
type local struct {
	v      *types.Var
	use    Use
	origin *Origin
	// writes are the other assignments to it.
	writes int
}

// Record follows the map stored under a key; nil when none is.
func (c *Census) Record(k *Key) *Record {
	m := c.mapUnder(k)
	if m == nil {
		return nil
	}
	r := &recorder{
		Census: c, rec: &Record{Key: k, Map: m, Elem: m.Underlying().(*types.Map).Elem()},
		fields: map[string]*Field{}, exprs: map[ast.Expr]bool{}, vars: map[token.Pos]bool{}, slots: map[slot]bool{},
		loads: map[*ast.CallExpr]*Load{}, stores: map[*ast.CallExpr]bool{}, types: map[ast.Expr]bool{},
		aways: map[token.Pos][]Use{}, homes: map[token.Pos]*local{},
	}
	r.keyHazards()
	r.mapHazards()
	for _, s := range k.Sites {
		r.site(s)
	}
	r.judgeSets()
	r.judgePointer()
	r.judgeNamed()
	r.judgeFields()
	return r.rec
}

// mapUnder returns the type of the maps with texts as keys that are stored or read under a key.
func (c *Census) mapUnder(k *Key) types.Type {
	for _, role := range []Role{Writer, Reader} {
		for _, s := range k.Sites {
			if s.Role != role || !s.Lookup.Pkg.World {
				continue
			}
			var t types.Type
			if role == Writer && s.Lookup.Value != nil {
				t = s.Lookup.Pkg.Info.TypeOf(s.Lookup.Value)
			} else if a := c.assertOf(s.Lookup); a != nil {
				t = s.Lookup.Pkg.Info.TypeOf(a.Type)
			}
			if t == nil {
				continue
			}
			if m, ok := t.Underlying().(*types.Map); ok && isText(m.Key()) {
				return t
			}
		}
	}
	return nil
}

// assertOf returns the type assertion on a look-up, nil when there is none.
func (c *Census) assertOf(lk *Lookup) *ast.TypeAssertExpr {
	if lk.Call == nil || lk.Role != Reader {
		return nil
	}
	parent, _ := c.Outer(lk.File, lk.Call)
	if a, ok := parent.(*ast.TypeAssertExpr); ok && a.Type != nil {
		return a
	}
	return nil
}

// keyHazards takes over what stands in the way of knowing all places of the key.
func (r *recorder) keyHazards() {
	k := r.rec.Key
	for _, role := range []Role{Writer, Reader} {
		if h := r.Elsewhere(k, role); h != nil {
			r.rec.Hazards = append(r.rec.Hazards, h)
		}
	}
	r.rec.Notes = append(r.rec.Notes, k.Notes...)
	if obj := r.Importers(k); obj != nil {
		r.noteAPI(obj)
	}
}

// noteAPI notes that importers can name the key.
func (r *recorder) noteAPI(obj types.Object) {
	r.rec.API = true
	r.note(ReasonEscapes, r.Program.FileOf(obj.Pos()), obj.Pos(), "%s.%s is exported: importers that store or read the map under it will notice", obj.Pkg().Name(), obj.Name())
}

// mapHazards refuses map types of dependencies, and those that are more than a map.
func (r *recorder) mapHazards() {
	named, ok := types.Unalias(r.rec.Map).(*types.Named)
	if !ok {
		return
	}
	obj := named.Obj()
	f := r.Program.FileOf(obj.Pos())
	switch {
	case f == nil || !f.World:
		s := r.rec.Key.Sites[0]
		r.hazard(ReasonMapType, s.File, s.Expr.Pos(), "%s is a type of package %s, outside the program; store a struct made from it", r.mapText(), obj.Pkg().Path())
	case named.NumMethods() > 0:
		r.hazard(ReasonMapType, f, obj.Pos(), "%s has methods, which use it as a map", r.mapText())
	case named.TypeArgs().Len() > 0 || obj.Parent() != obj.Pkg().Scope():
		r.hazard(ReasonMapType, f, obj.Pos(), "%s is no type at package level without parameters", r.mapText())
	case r.MentionedUnchecked(obj):
		r.hazard(ReasonExcluded, f, obj.Pos(), "a file that was not type-checked mentions %s", obj.Name())
	}
	r.rec.Named = obj
}

// site takes in a writer or reader of the key.
func (r *recorder) site(s *Site) {
	lk := s.Lookup
	at := Expr{s.Expr, s.File, s.Pkg}
	if len(s.Pkg.Errors) > 0 { // what is known is told all the same
		r.lose(ReasonTypeErrors, at, "package %s does not type-check", s.Pkg.Path)
	}
	switch {
	case !s.Pkg.World || !lk.Pkg.World:
		r.lose(ReasonDependency, at, "package %s, outside the program, %s the key", lk.Pkg.Path, verb(s.Role))
	case lk.Call == nil:
		r.lose(ReasonForwarder, at, "the key and the map come from one call")
	case r.severalKeys(lk):
		r.lose(ReasonForwarder, Expr{lk.Key, lk.File, lk.Pkg}, "this look-up serves other keys as well")
	case s.Role == Writer:
		r.store(lk)
	default:
		r.load(lk)
	}
}

// severalKeys reports whether a look-up is made under more than one key.
func (r *recorder) severalKeys(lk *Lookup) bool {
	for _, k := range r.Keys {
		if k != r.rec.Key && slices.ContainsFunc(k.Sites, func(s *Site) bool { return s.Lookup == lk }) {
			return true
		}
	}
	return false
}

func (r *recorder) store(lk *Lookup) {
	if r.stores[lk.Call] {
		return
	}
	r.stores[lk.Call] = true
	r.rec.Stores = append(r.rec.Stores, lk)
	e := Expr{lk.Value, lk.File, lk.Pkg}
	if t := lk.Pkg.Info.TypeOf(lk.Value); t == nil || !r.isMap(t, lk.Pkg) {
		r.lose(ReasonValueType, e, "what is stored here is not known to be %s", WithArticle(r.mapText()))
		return
	}
	r.from(e)
}

// load takes in a look-up and what becomes of its value.
func (r *recorder) load(lk *Lookup) {
	if r.loads[lk.Call] != nil {
		return
	}
	ld := &Load{Lookup: lk}
	r.loads[lk.Call] = ld
	parent, child := r.Outer(lk.File, lk.Call)
	switch p := parent.(type) {
	case *ast.TypeAssertExpr:
		if p.Type == nil {
			break
		}
		if t := lk.Pkg.Info.TypeOf(p.Type); !r.isMap(t, lk.Pkg) {
			r.lose(ReasonValueType, Expr{p.Type, lk.File, lk.Pkg}, "the value is expected to be %s here, not %s", types.TypeString(t, types.RelativeTo(lk.Pkg.Types)), WithArticle(r.mapText()))
			return
		}
		ld.Assert = p
		r.rec.Loads = append(r.rec.Loads, ld)
		r.spell(Expr{p.Type, lk.File, lk.Pkg})
		if isPair(lk.Pkg.Info, p) {
			r.loadPair(ld)
		} else {
			r.forward(Expr{p, lk.File, lk.Pkg})
		}
		return
	case *ast.BinaryExpr:
		if other := otherSide(p, child); isNil(lk.Pkg.Info, other) {
			return // whether there is a value: a struct answers like a map
		}
	case *ast.ExprStmt:
		return
	}
	r.lose(ReasonEscapes, Expr{lk.Call, lk.File, lk.Pkg}, "the value is used without being asserted to %s", r.mapText())
}

// loadPair takes in m, ok := ctx.Value(key).(M).
func (r *recorder) loadPair(ld *Load) {
	parent, _ := r.Outer(ld.File, ld.Assert)
	ld.Stmt = parent
	lhs := pairNames(parent)
	if lhs == nil {
		r.lose(ReasonEscapes, Expr{ld.Assert, ld.File, ld.Pkg}, "what becomes of the map cannot be followed")
		return
	}
	ld.OK = nameVar(ld.Pkg.Info, lhs[1])
	if isBlank(lhs[0]) {
		return
	}
	if ld.Map = nameVar(ld.Pkg.Info, lhs[0]); ld.Map == nil {
		r.lose(ReasonEscapes, Expr{lhs[0], ld.File, ld.Pkg}, "the map is kept in %s", types.ExprString(lhs[0]))
		return
	}
	r.variable(ld.Map, Expr{lhs[0], ld.File, ld.Pkg})
}

// pairNames returns the two left sides of an assignment or declaration with one right side.
func pairNames(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if len(n.Lhs) == 2 && len(n.Rhs) == 1 {
			return n.Lhs
		}
	case *ast.ValueSpec:
		if len(n.Names) == 2 && len(n.Values) == 1 {
			return []ast.Expr{n.Names[0], n.Names[1]}
		}
	}
	return nil
}

func nameVar(info *types.Info, e ast.Expr) *types.Var {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	obj := info.Defs[id]
	if obj == nil {
		obj = info.Uses[id]
	}
	v, _ := obj.(*types.Var)
	return v
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

func isNil(info *types.Info, e ast.Expr) bool { return e != nil && info.Types[e].IsNil() }

func otherSide(b *ast.BinaryExpr, child ast.Node) ast.Expr {
	if b.Op != token.EQL && b.Op != token.NEQ {
		return nil
	}
	if ast.Node(b.X) == child {
		return b.Y
	}
	return b.X
}

// isPair reports whether an assertion or index expression is used in its two-valued form.
func isPair(info *types.Info, e ast.Expr) bool {
	t, ok := info.Types[e].Type.(*types.Tuple)
	return ok && t.Len() == 2
}

// isMap reports whether t is the record's map type, which another build configuration may have a type of its own for.
func (r *recorder) isMap(t types.Type, pkg *program.Package) bool { return sameType(t, r.rec.Map) }

// sameType compares types that may come from different build configurations.
func sameType(a, b types.Type) bool {
	if a == nil || b == nil {
		return false
	}
	return types.Identical(a, b) || spelling(a) == spelling(b)
}

func spelling(t types.Type) string {
	return strings.ReplaceAll(typeName(types.Unalias(t)), "interface{}", "any")
}

func (r *recorder) mapText() string { return TypeText(r.rec.Map) }

// TypeText writes a type as people do, with package names.
func TypeText(t types.Type) string {
	s := types.TypeString(t, func(p *types.Package) string { return p.Name() })
	return strings.ReplaceAll(s, "interface{}", "any")
}

// spell notes an expression that names the map's type.
func (r *recorder) spell(e Expr) {
	if e.Expr != nil && !r.types[e.Expr] {
		r.types[e.Expr] = true
		r.rec.Spelled = append(r.rec.Spelled, e)
	}
}

func (r *recorder) lose(reason string, at Expr, format string, args ...any) {
	r.hazard(reason, at.File, at.Expr.Pos(), format, args...)
}

func (r *recorder) hazard(reason string, f *program.File, pos token.Pos, format string, args ...any) {
	r.rec.Hazards = append(r.rec.Hazards, &Hazard{Reason: reason, Message: fmt.Sprintf(format, args...), File: f, Pos: pos})
}

func (r *recorder) note(reason string, f *program.File, pos token.Pos, format string, args ...any) {
	r.rec.Notes = append(r.rec.Notes, &Hazard{Reason: reason, Message: fmt.Sprintf(format, args...), File: f, Pos: pos})
}
