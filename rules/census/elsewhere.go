package census

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Elsewhere returns why a key may have a writer (or reader) that is none of its sites; nil when the sites
// are all there can be in the world and in what it imports. Importers outside the world are not considered, see Importers.
func (c *Census) Elsewhere(k *Key, role Role) *Hazard {
	if c.Program.Single && (k.Basic != nil || isUnnamedStruct(k.GoType)) {
		return &Hazard{Reason: ReasonDependency, Message: "packages that were not read may use the key"}
	}
	if role == Writer {
		if h := c.answered(); h != nil {
			return h
		}
	}
	if k.Basic != nil {
		if k.Family == nil {
			return &Hazard{Reason: ReasonDependency, Message: "the key is used outside the program only"}
		}
		if len(k.Hazards) > 0 {
			return k.Hazards[0]
		}
		return nil
	}
	if st, u := c.inStore(k); st != nil {
		return &Hazard{Reason: ReasonStore, Message: fmt.Sprintf(u.Why, st.Name()), File: u.File, Pos: u.Pos}
	}
	if isUnnamedStruct(k.GoType) {
		if hazards, _ := c.TypedHazards(k); len(hazards) > 0 {
			return hazards[0]
		}
		return nil
	}
	cl := c.closureOf(k)
	if cl.whole != nil {
		return cl.whole
	}
	if h := cl.values[k.Value]; h != nil {
		return h
	}
	if h := cl.open[role]; h != nil {
		return h
	}
	return c.passedOn(k, role)
}

// Joining returns why no further key may get the type of a key: code that makes or looks up keys of the type at run time might meet
// it, or code that tells the type from others would treat it in another way. It is nil when there is none.
func (c *Census) Joining(k *Key) *Hazard {
	if h, known := c.joining.Load(k.Type); known {
		return h.(*Hazard)
	}
	h := c.joins(k)
	c.joining.Store(k.Type, h)
	return h
}

func (c *Census) joins(k *Key) *Hazard {
	if st, u := c.inStore(k); st != nil {
		return &Hazard{Reason: ReasonStore, Message: fmt.Sprintf(u.Why, st.Name()), File: u.File, Pos: u.Pos}
	}
	if h := c.typeShows(k.GoType); h != nil {
		return h
	}
	cl := c.closureOf(k)
	for _, h := range []*Hazard{cl.makes, cl.open[Writer], cl.open[Reader]} {
		if h != nil {
			return h
		}
	}
	return nil
}

// isUnnamedStruct reports whether keys of a type belong to nobody: it is a struct type without a name, or a pointer to one.
func isUnnamedStruct(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := types.Unalias(deref(t)).(*types.Struct)
	return ok
}

// passedOn returns a look-up of unknown key that a key may reach that travels as an interface value.
func (c *Census) passedOn(k *Key, role Role) *Hazard {
	for _, s := range k.Sites {
		if s.direct() {
			continue
		}
		for _, p := range c.Open {
			if u := p.fedBy(k.GoType); u != nil && p.Basic == nil && p.Lookups[0].Role == role {
				return &Hazard{Reason: ReasonDynamic, Message: "a key that " + u.Why + " is looked up here and may be this one", File: p.File, Pos: p.Expr.Pos()}
			}
		}
	}
	return nil
}

// direct reports whether a site is itself the key argument of its look-up.
func (s *Site) direct() bool { return s.Lookup.Call != nil && ast.Unparen(s.Lookup.Key) == s.Expr }

// Importers returns an object by which packages outside the world can name the key, or any key of its type; nil for none.
// That everybody can spell a key of built-in type is not its concern.
func (c *Census) Importers(k *Key) types.Object {
	if k.Basic != nil {
		for _, p := range k.Points {
			for _, l := range p.Leaves {
				if obj := NamedConst(l.Pkg, l.Expr); obj != nil && l.Key == k && IsAPI(c.Program, obj) {
					return obj
				}
			}
		}
		return nil
	}
	cl := c.closureOf(k)
	if cl.api != nil {
		return cl.api
	}
	return cl.valueAPI[k.Value]
}

// A closure says whether all places are known where the keys of a type, or the key that a variable
// points to, can be made and can go.
type closure struct {
	whole    *Hazard            // some are not, for any key of the type
	makes    *Hazard            // of these one where the type itself is named: a key of any value may be made there
	values   map[string]*Hazard // for the constant of that value
	open     map[Role]*Hazard   // look-ups of that role whose key of the type cannot be told
	api      types.Object       // importers can name any key of the type
	valueAPI map[string]types.Object
}

// closureOf returns the closure of a key that is not of built-in type.
func (c *Census) closureOf(k *Key) *closure {
	at := token.NoPos
	tn := c.keyTypeName(k)
	switch {
	case k.Object != nil && c.declaredInWorld(k.Object):
		at = k.Object.Pos()
	case k.Object == nil && tn != nil:
		at = tn.Pos()
	default:
		return &closure{whole: &Hazard{Reason: ReasonDependency, Message: "the key's type is not declared in the program"}}
	}
	c.closing.Lock()
	defer c.closing.Unlock()
	if cl := c.closures[at]; cl != nil {
		return cl
	}
	cl := &closure{values: map[string]*Hazard{}, open: map[Role]*Hazard{}, valueAPI: map[string]types.Object{}}
	for _, ix := range c.indexes {
		w := &closer{closure: cl, c: c, ix: ix, name: typeName(deref(k.GoType)), typ: tn, object: k.Object, visited: map[ast.Expr]bool{}, seen: map[refSeen]bool{}, known: map[types.Object]bool{}}
		w.close()
	}
	if c.closures == nil {
		c.closures = map[token.Pos]*closure{}
	}
	c.closures[at] = cl
	return cl
}

// keyTypeName returns the world's type that a key has or points to; nil for types of dependencies, without
// a name, or generic.
func (c *Census) keyTypeName(k *Key) *types.TypeName {
	if k.GoType == nil {
		return nil
	}
	named, ok := types.Unalias(deref(k.GoType)).(*types.Named)
	if !ok || named.TypeParams().Len() > 0 {
		return nil
	}
	if !c.declaredInWorld(named.Obj()) {
		return nil
	}
	return named.Obj()
}

func (c *Census) declaredInWorld(obj types.Object) bool {
	f := c.Program.FileOf(obj.Pos())
	return f != nil && f.World
}

// A closer follows the keys of one type in one configuration.
type closer struct {
	*closure
	c    *Census
	ix   *index
	name string          // of the type, with full package path
	typ  *types.TypeName // in some configuration; nil for a type without a name or of a dependency
	// object is set when only the pointer in one variable is followed.
	object  *types.Var
	visited map[ast.Expr]bool
	seen    map[refSeen]bool
	objs    []types.Object // what holds keys of the type
	known   map[types.Object]bool
}

func (w *closer) fail(f *program.File, pos token.Pos, format string, args ...any) {
	if w.whole == nil {
		w.whole = &Hazard{Reason: ReasonOtherUse, Message: fmt.Sprintf(format, args...), File: f, Pos: pos}
	}
}

func (w *closer) close() {
	for _, k := range w.c.Keys {
		if k.GoType != nil && typeName(deref(k.GoType)) == w.name {
			w.sites(k)
		}
	}
	if w.object != nil {
		if v, ok := w.ix.at(w.object).(*types.Var); ok {
			w.hold(v)
		}
	} else {
		w.mentions()
	}
	for i := 0; i < len(w.objs); i++ { // grows
		w.holder(w.objs[i])
	}
}

// sites walks back from the look-ups of one key.
func (w *closer) sites(k *Key) {
	for _, s := range k.Sites {
		pkg := w.ix.packageOf(s.Pkg.Path, s.File)
		if pkg == nil {
			continue
		}
		r := ref{expr: s.Expr, file: s.File, pkg: pkg}
		if t := r.typ(); t == nil || !w.isKeyType(t) {
			w.fail(s.File, s.Expr.Pos(), "several types are called %s", k.Type)
			continue
		}
		w.walk(r, s.Role)
		if k.Value == "" && w.valued() && w.open[s.Role] == nil {
			w.open[s.Role] = &Hazard{Reason: ReasonDynamic, Message: "a key that is made at run time is looked up here and may be this one", File: s.File, Pos: s.Expr.Pos()}
		}
		if _, pointer := k.GoType.Underlying().(*types.Pointer); pointer && k.Object == nil && w.open[s.Role] == nil {
			w.open[s.Role] = &Hazard{Reason: ReasonDynamic, Message: "the pointer that is the key here cannot be told", File: s.File, Pos: s.Expr.Pos()}
		}
	}
}

// packageOf returns this configuration's package with a file, nil when it has none.
func (ix *index) packageOf(path string, f *program.File) *program.Package {
	for _, p := range ix.pkgs {
		if p.Path != path {
			continue
		}
		for _, have := range p.Files {
			if have == f {
				return p
			}
		}
	}
	return nil
}

// isKeyType reports whether t is the type of the keys, or a pointer to it.
func (w *closer) isKeyType(t types.Type) bool {
	if w.typ == nil {
		return typeName(deref(t)) == w.name
	}
	named, ok := types.Unalias(deref(t)).(*types.Named)
	return ok && named.Obj().Pos() == w.typ.Pos()
}

// walk follows a key backwards and marks the expressions on the way as known.
func (w *closer) walk(r ref, role Role) {
	if w.seen[r.seen()] {
		return
	}
	w.seen[r.seen()] = true
	w.visited[r.expr] = true
	if r.want == "" {
		if r.pkg.Info.Types[r.expr].Value != nil || w.made(r) {
			return
		}
	}
	if t := r.typ(); t != nil && w.holds(t, 0) {
		if v := namedVar(r); v != nil {
			w.hold(v)
		} else if call, ok := r.expr.(*ast.CallExpr); ok && !isConversion(r.pkg.Info, call) {
			if fn := Callee(r.pkg.Info, call); fn != nil {
				w.hold(fn)
			}
		}
	}
	s := w.ix.step(r)
	for _, u := range s.unknown {
		if w.valued() && w.open[role] == nil {
			w.open[role] = &Hazard{Reason: ReasonDynamic, Message: "a key that " + u.Why + " is looked up here and may be this one", File: r.file, Pos: r.expr.Pos()}
		}
	}
	for _, next := range s.refs {
		w.walk(next, role)
	}
}

// made reports whether an expression makes a new value, which ends the search: a literal, or a pointer to one.
func (w *closer) made(r ref) bool {
	if _, ok := r.expr.(*ast.CompositeLit); ok {
		return true
	}
	return freshPointer(r.pkg, r.expr)
}

// valued reports whether keys of the type are told apart by their value.
func (w *closer) valued() bool {
	if w.typ == nil {
		return false
	}
	_, ok := w.typ.Type().Underlying().(*types.Basic)
	return ok
}

// holds reports whether values of type t are keys or have keys as elements.
func (w *closer) holds(t types.Type, depth int) bool {
	if depth > 4 {
		return false
	}
	if w.isKeyType(t) {
		return true
	}
	switch t := types.Unalias(t).Underlying().(type) {
	case *types.Pointer:
		return w.holds(t.Elem(), depth+1)
	case *types.Slice:
		return w.holds(t.Elem(), depth+1)
	case *types.Array:
		return w.holds(t.Elem(), depth+1)
	case *types.Map:
		return w.holds(t.Key(), depth+1) || w.holds(t.Elem(), depth+1)
	}
	return false
}

// hold adds a variable or function whose mentions have to be known.
func (w *closer) hold(obj types.Object) {
	obj = w.ix.rep(obj)
	if v, ok := obj.(*types.Var); ok && w.object != nil && v.Pos() != w.object.Pos() && w.ix.ownsPointer(v) {
		return // another key
	}
	if !w.known[obj] {
		w.known[obj] = true
		w.objs = append(w.objs, obj)
	}
}

// holder checks the mentions of a variable or function, and whether importers can use it.
func (w *closer) holder(obj types.Object) {
	for _, u := range w.ix.usesOf(obj) {
		if !w.understood(u) {
			w.fail(u.file, u.node.Pos(), "the key is used otherwise as well: %s", w.excerpt(u))
		}
	}
	if w.api == nil && w.forImporters(obj) {
		w.api = obj
	}
	if obj.Parent() != nil && obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() && w.c.MentionedUnchecked(obj) {
		w.fail(nil, token.NoPos, "a file that was not type-checked mentions %s", obj.Name())
	}
}

// forImporters reports whether packages outside the world can hand over or get a key by an object.
func (w *closer) forImporters(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	if !ok {
		return IsAPI(w.c.Program, obj)
	}
	if p, isParam := w.ix.paramOf(v); isParam {
		return (w.valued() || w.c.Program.Single) && p.fn != nil && IsAPI(w.c.Program, p.fn) // with an untyped constant
	}
	if v.IsField() {
		return v.Exported() && (w.c.Program.Single || v.Pkg().Name() != "main" && !program.IsInternal(v.Pkg().Path()))
	}
	return IsAPI(w.c.Program, v)
}

// understood reports whether a mention of what holds keys brings them nowhere but to look-ups that are known.
func (w *closer) understood(u use) bool {
	id, ok := u.node.(*ast.Ident)
	if !ok || u.pkg.Info.Defs[id] != nil {
		return true
	}
	node := w.ix.nameExpr(u.file, id)
	if w.visited[node] {
		return true
	}
	parent, child := w.ix.outer(u.file, node)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		return containsExpr(p.Lhs, child)
	case *ast.ValueSpec:
		return w.valueOf(u.pkg, p.Names, p.Values, child)
	case *ast.KeyValueExpr:
		return p.Key == child
	case *ast.IndexExpr:
		return p.X == child && w.visited[p]
	case *ast.SelectorExpr:
		return w.selected(u, p)
	case *ast.CallExpr:
		if p.Fun == child {
			return w.visited[p]
		}
		return isConversion(u.pkg.Info, p) && basicOf(u.pkg.Info.TypeOf(p)) != nil // its text
	case *ast.FuncDecl, *ast.Field:
		return true
	}
	return false
}

// selected allows fields of keys and methods, whose receiver is then looked at.
func (w *closer) selected(u use, sel *ast.SelectorExpr) bool {
	s := u.pkg.Info.Selections[sel]
	if s == nil || !w.isKeyType(s.Recv()) {
		return false
	}
	if fn, ok := s.Obj().(*types.Func); ok {
		if recv := fn.Origin().Signature().Recv(); recv != nil {
			w.hold(recv)
		}
	}
	return true
}

// valueOf reports whether a value initialises a constant or variable of the key type, whose mentions are
// looked at in turn.
func (w *closer) valueOf(pkg *program.Package, names []*ast.Ident, values []ast.Expr, value ast.Node) bool {
	for i, v := range values {
		if ast.Node(v) != value || len(names) != len(values) {
			continue
		}
		obj := pkg.Info.Defs[names[i]]
		if obj == nil {
			obj = pkg.Info.Uses[names[i]]
		}
		return w.stored(obj)
	}
	return false
}

// stored holds a variable that gets a key; constants are looked at anyway.
func (w *closer) stored(obj types.Object) bool {
	if obj == nil || !w.isKeyType(obj.Type()) {
		return false
	}
	if v, ok := obj.(*types.Var); ok {
		w.hold(v)
	}
	return true
}

func (w *closer) excerpt(u use) string {
	node := w.ix.nameExpr(u.file, u.node.(*ast.Ident))
	parent, child := w.ix.outer(u.file, node)
	return excerpt(parent, child)
}
