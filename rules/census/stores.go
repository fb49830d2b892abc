package census

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"sort"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A Store is a context type whose Value method answers from something of its own:
// a framework's request context, or a type of the program. What it does is read from the
// method's body, never from its name.
type Store struct {
	Type *types.TypeName
	// Method is Value's declaration.
	Method *ast.FuncDecl
	File   *program.File
	Pkg    *program.Package
	// Differences say where a key of built-in type, though absent, is or may be treated otherwise
	// than a key of another type.
	Differences []Difference
	// Keys are the built-in keys that are stored through its fields or answered by its body.
	Keys map[*Key]Unknown
	// Typed are the keys of other types that are stored, or answered, likewise.
	Typed []TypedUse
	// Any is set when the Value method may answer keys that are not stored.
	Any *Unknown
	// Open lists where keys come from that cannot be followed.
	Open []Unknown
	// distant is set for a dependency's type that no expression of the world has: it may still be
	// handed out as a context, but only what is stored in it counts.
	distant bool
}

// A TypedUse is a key of a type that is not built in, in a store.
type TypedUse struct {
	Type types.Type
	At   Unknown
}

// A Difference is a place where a Value method treats keys of built-in type in a way of their own.
type Difference struct {
	File *program.File
	Pos  token.Pos
	How  string
	// Basic is the type concerned, nil for all built-in types.
	Basic *types.Basic
}

// Name returns the type's name with its package name.
func (s *Store) Name() string { return s.Type.Pkg().Name() + "." + s.Type.Name() }

// A storeFinder reads Value methods of one configuration.
type storeFinder struct {
	ix     *index
	stores []*foundStore
}

// A foundStore is a store with the fields its Value method consults.
type foundStore struct {
	*Store
	fields map[*types.Var]bool
	cases  []caseKey
	seen   map[*ast.FuncDecl]bool
}

// A caseKey is a constant the method compares the key with.
type caseKey struct {
	value constant.Value
	basic *types.Basic
	at    Unknown
}

// findStores looks at every method Value(any) any with a body of its own. Types without the other
// methods of a context count as well: look-ups through interface{ Value(any) any } may meet them.
func findStores(ix *index) *storeFinder {
	sf := &storeFinder{ix: ix}
	for _, pkg := range ix.pkgs {
		if pkg.Path == "context" {
			continue
		}
		for _, f := range pkg.Files {
			if f.AST == nil {
				continue
			}
			for _, d := range f.AST.Decls {
				decl, ok := d.(*ast.FuncDecl)
				if !ok || decl.Recv == nil || decl.Body == nil || decl.Name.Name != "Value" {
					continue
				}
				fn, _ := pkg.Info.Defs[decl.Name].(*types.Func)
				if fn == nil || !isValueMethod(fn) {
					continue
				}
				sf.examine(pkg, f, decl, fn)
			}
		}
	}
	return sf
}

// examine classifies one Value method; transparent ones are not stores.
func (sf *storeFinder) examine(pkg *program.Package, f *program.File, decl *ast.FuncDecl, fn *types.Func) {
	named, _ := types.Unalias(deref(fn.Signature().Recv().Type())).(*types.Named)
	if named == nil {
		return
	}
	st := &foundStore{
		Store:  &Store{Type: named.Obj(), Method: decl, File: f, Pkg: pkg, Keys: map[*Key]Unknown{}},
		fields: map[*types.Var]bool{},
		seen:   map[*ast.FuncDecl]bool{},
	}
	key := fn.Signature().Params().At(0)
	r := &valueReader{sf: sf, st: st}
	r.uses(pkg, f, key)
	st.Any = st.answersAny(sf.ix, pkg, decl, key)
	if st.Any == nil && len(st.fields) == 0 && len(st.cases) == 0 && len(st.Differences) == 0 && len(st.Typed) == 0 {
		return
	}
	sf.stores = append(sf.stores, st)
}

// storeUses follows what is put into the stores that can occur in the world, and
// merges the result into the census.
func (b *builder) storeUses() {
	for _, st := range b.stores.stores {
		st.distant = !b.occurs(st)
		if !b.narrow && !isContextLike(st.Type.Type()) {
			continue
		}
		s := b.storeSources(st)
		p := &Point{Basic: types.Typ[types.String]}
		for _, r := range s.refs {
			b.storeLeaves(st, r, p, map[refSeen]bool{})
		}
		for _, c := range st.cases {
			if v := asKind(c.value, c.basic); v.Kind() != constant.Unknown {
				st.Keys[b.key(c.basic.Name(), v, c.basic)] = c.at
			}
		}
		for _, u := range append(s.unknown, p.Unknown...) {
			if u.File != nil && u.File.World || st.Pkg.World {
				st.Open = append(st.Open, u)
			}
		}
		b.mergeStore(st.Store)
	}
}

func (b *builder) mergeStore(st *Store) {
	for _, have := range b.census.Stores {
		if b.census.Program.IDOf(have.Type.Pos()) == b.census.Program.IDOf(st.Type.Pos()) {
			for k, u := range st.Keys {
				have.Keys[k] = u
			}
			have.Typed = append(have.Typed, st.Typed...)
			if have.Any == nil {
				have.Any = st.Any
			}
			have.Open = append(have.Open, st.Open...)
			return
		}
	}
	b.census.Stores = append(b.census.Stores, st)
}

// storeSources returns what is ever used as a key of the store's containers.
func (b *builder) storeSources(st *foundStore) sources {
	var s sources
	var fields []*types.Var
	for v := range st.fields {
		fields = append(fields, v)
	}
	sort.Slice(fields, func(i, j int) bool { return fields[i].Pos() < fields[j].Pos() })
	for _, v := range fields {
		switch v.Type().Underlying().(type) {
		case *types.Map:
			s.merge(b.ix.inflow(v, "k"))
		case *types.Basic, *types.Interface:
			s.merge(b.ix.inflow(v, ""))
		}
		s.merge(b.ix.methodKeys(v))
		s.merge(b.ix.ownMethods(v))
	}
	return s
}

// methodKeys returns the first arguments of method calls on a container that take a key and
// a value, and the places where the container is handed on, so that others may fill it.
func (ix *index) methodKeys(v *types.Var) sources {
	var s sources
	for _, u := range ix.usesOf(v) {
		id := u.node.(*ast.Ident)
		if u.pkg.Info.Defs[id] != nil {
			continue
		}
		parent, child := ix.outer(u.file, ix.nameExpr(u.file, id))
		if un, ok := parent.(*ast.UnaryExpr); ok && un.Op == token.AND {
			parent, child = ix.outer(u.file, un)
		}
		if sel, ok := parent.(*ast.SelectorExpr); ok {
			parent, child = ix.outer(u.file, sel)
			if call, ok := parent.(*ast.CallExpr); ok && call.Fun == child {
				if fn := Callee(u.pkg.Info, call); fn != nil && ix.hasBody(ix.repFunc(fn)) {
					continue // see ownMethods
				}
				for _, a := range call.Args[:max(0, len(call.Args)-1)] {
					s.add(ref{expr: a, file: u.file, pkg: u.pkg, arg: true})
				}
				continue
			}
			if _, field := u.pkg.Info.Uses[sel.Sel].(*types.Var); field {
				continue // a part of the container
			}
		}
		if !ix.keepsContainer(u, parent, child) {
			s.lose(u.file, id.Pos(), "may be put into %s, which is handed on", v.Name())
		}
	}
	return s
}

// ownMethods returns the keys that the methods of a container's type store in it, wherever they are called.
func (ix *index) ownMethods(v *types.Var) sources {
	var s sources
	named, ok := types.Unalias(deref(v.Type())).(*types.Named)
	if !ok {
		return s
	}
	for m := range named.Origin().Methods() {
		recv := ix.repVar(m.Signature().Recv())
		if _, ok := ix.paramOf(recv); ok {
			s.merge(ix.stored(recv, "k", map[*types.Var]bool{}))
		}
	}
	return s
}

// keepsContainer reports whether a mention of a container only looks at it or replaces it.
func (ix *index) keepsContainer(u use, parent, child ast.Node) bool {
	switch p := parent.(type) {
	case *ast.IndexExpr:
		return p.X == child
	case *ast.RangeStmt:
		return p.X == child
	case *ast.KeyValueExpr:
		return p.Key == child
	case *ast.BinaryExpr, *ast.SwitchStmt, *ast.TypeAssertExpr:
		return true
	case *ast.AssignStmt:
		return containsExpr(p.Lhs, child)
	case *ast.CallExpr:
		if id, ok := ast.Unparen(p.Fun).(*ast.Ident); ok {
			if _, builtin := u.pkg.Info.Uses[id].(*types.Builtin); builtin {
				return true
			}
		}
		fn := Callee(u.pkg.Info, p)
		return fn != nil && ix.cfg.Std(fn.Pkg())
	}
	return false
}

// storeLeaves follows a stored key to its constants.
func (b *builder) storeLeaves(st *foundStore, r ref, p *Point, seen map[refSeen]bool) {
	if seen[r.seen()] {
		return
	}
	seen[r.seen()] = true
	if r.want == "" {
		if tv := r.pkg.Info.Types[r.expr]; tv.Value != nil {
			basic := basicOf(tv.Type)
			if basic == nil {
				st.typed(tv.Type, r.file, r.expr.Pos())
				return
			}
			if basic.Info()&types.IsUntyped != 0 {
				basic = types.Default(basic).(*types.Basic)
			}
			if v := asKind(tv.Value, basic); v.Kind() != constant.Unknown {
				k := b.key(basic.Name(), v, basic)
				if _, have := st.Keys[k]; !have {
					st.Keys[k] = Unknown{File: r.file, Pos: r.expr.Pos(), Why: "it is also stored in %s, whose Value method looks there"}
				}
			}
			return
		}
		if t := r.typ(); t != nil && !carrierType(t) && basicOf(t) == nil {
			st.typed(t, r.file, r.expr.Pos())
			return
		}
	}
	b.forwarder(r, p)
	next := b.ix.step(r)
	for _, n := range next.refs {
		b.storeLeaves(st, n, p, seen)
	}
	for _, u := range next.unknown {
		p.addUnknown(b.census.Program, u)
	}
}

// typed notes a stored key of a type that is not built in.
func (st *Store) typed(t types.Type, f *program.File, pos token.Pos) {
	st.Typed = append(st.Typed, TypedUse{t, Unknown{File: f, Pos: pos, Why: "it is also stored in %s, whose Value method looks there"}})
}

// occurs reports whether a value of the store's type can be a context of the world: the type is the
// world's own, or an expression of the world has it, or an interface type of its package that it implements.
func (b *builder) occurs(st *foundStore) bool {
	if st.Pkg.World {
		return true
	}
	t := st.Type.Type()
	for _, pkg := range b.ix.cfg.Packages {
		if !pkg.World || pkg.Info == nil {
			continue
		}
		for _, tv := range pkg.Info.Types {
			named, ok := types.Unalias(deref(tv.Type)).(*types.Named)
			if !ok || named.Obj().Pkg() != st.Type.Pkg() {
				continue
			}
			if named.Obj() == st.Type {
				return true
			}
			if iface, ok := named.Underlying().(*types.Interface); ok && HasContextMethods(named) &&
				types.Implements(types.NewPointer(t), iface) {
				return true
			}
		}
	}
	return false
}
