package census

import (
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A reach is what packages outside the world can get at in one build configuration, besides the names that
// IsAPI knows: fields, methods of types that are themselves without a name for them, and what lies in internal packages but comes out
// through an exported type, an alias, a result or an interface.
type reach struct {
	ix   *index
	seen map[*types.TypeName]bool
	// names are fields and methods, by declaration, as importers would write them.
	names map[token.Pos]string
	// methods are those of interfaces: what implements them may be behind.
	methods []*types.Func
}

// reachIn walks from the exported names of the world's importable packages through the types that they have.
func reachIn(ix *index) *reach {
	r := &reach{ix: ix, seen: map[*types.TypeName]bool{}, names: map[token.Pos]string{}}
	for _, pkg := range ix.pkgs {
		if !pkg.World || pkg.XTest || pkg.Types == nil {
			continue
		}
		scope := pkg.Types.Scope()
		for _, name := range scope.Names() {
			if obj := scope.Lookup(name); IsAPI(ix.prog, obj) {
				r.visit(obj.Type(), objectName(obj))
			}
		}
	}
	return r
}

// visit notes what a value of a type lets others reach. owner is how they write what holds it.
func (r *reach) visit(t types.Type, owner string) {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		r.named(t)
	case *types.Pointer:
		r.visit(t.Elem(), owner)
	case *types.Slice:
		r.visit(t.Elem(), owner)
	case *types.Array:
		r.visit(t.Elem(), owner)
	case *types.Chan:
		r.visit(t.Elem(), owner)
	case *types.Map:
		r.visit(t.Key(), owner)
		r.visit(t.Elem(), owner)
	case *types.Signature:
		for v := range t.Params().Variables() {
			r.visit(v.Type(), owner)
		}
		for v := range t.Results().Variables() {
			r.visit(v.Type(), owner)
		}
	case *types.Struct:
		r.fields(t, owner)
	case *types.Interface:
		for m := range t.Methods() {
			if m.Exported() {
				r.methods = append(r.methods, m)
				r.visit(m.Signature(), owner)
			}
		}
	}
}

// named visits a type of the world once; of others its type arguments count.
func (r *reach) named(t *types.Named) {
	for arg := range t.TypeArgs().Types() {
		r.visit(arg, t.Obj().Name())
	}
	tn := t.Origin().Obj()
	if f := r.ix.prog.FileOf(tn.Pos()); f == nil || !f.World || r.seen[tn] {
		return
	}
	r.seen[tn] = true
	for m := range t.Origin().Methods() {
		if m.Exported() {
			r.names[m.Pos()] = objectName(tn) + "." + m.Name()
			r.visit(m.Signature(), objectName(tn))
		}
	}
	r.visit(t.Origin().Underlying(), objectName(tn))
}

// fields notes the exported fields of a struct; an embedded one without an exported name promotes what it has.
func (r *reach) fields(st *types.Struct, owner string) {
	for f := range st.Fields() {
		if f.Exported() {
			if r.names[f.Pos()] == "" {
				r.names[f.Pos()] = owner + "." + f.Name()
			}
			r.visit(f.Type(), owner+"."+f.Name())
		} else if f.Embedded() {
			r.visit(f.Type(), owner)
		}
	}
}

// nameOf returns how importers write an object of this configuration, "" when they cannot reach it.
func (r *reach) nameOf(obj types.Object) string {
	f := r.ix.prog.FileOf(obj.Pos())
	if f == nil || !f.World || obj.Pkg() == nil {
		return ""
	}
	v, isVar := obj.(*types.Var)
	switch {
	case f.Test && !r.ix.prog.Single:
		return ""
	case r.names[obj.Pos()] != "":
		return r.names[obj.Pos()]
	case isVar && (v.IsField() || v.Parent() != v.Pkg().Scope()):
		return ""
	case IsAPI(r.ix.prog, obj):
		return objectName(obj)
	}
	if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil && fn.Exported() && r.importable(fn.Pkg()) {
		for _, im := range r.methods {
			if im.Name() == fn.Name() && r.ix.lands(fn, im) {
				return methodName(im)
			}
		}
	}
	return ""
}

// importable reports whether a package that others can import is, or contains, a package.
func (r *reach) importable(p *types.Package) bool {
	for _, pkg := range r.ix.pkgs {
		if pkg.World && Importable(pkg) && (pkg.Path == p.Path() || pkg.ImportsTransitively(p.Path())) {
			return true
		}
	}
	return false
}

// objectName writes a package-level object with its package.
func objectName(obj types.Object) string {
	if obj.Pkg() == nil {
		return obj.Name()
	}
	return obj.Pkg().Name() + "." + obj.Name()
}

// methodName writes a method of an interface with the interface's name, if it has one.
func methodName(m *types.Func) string {
	if named, ok := types.Unalias(m.Signature().Recv().Type()).(*types.Named); ok {
		return objectName(named.Obj()) + "." + m.Name()
	}
	return objectName(m)
}

// reaches returns the reach of every build configuration.
func (c *Census) reaches() []*reach {
	c.reaching.Do(func() {
		for _, ix := range c.indexes {
			c.reached = append(c.reached, reachIn(ix))
		}
	})
	return c.reached
}

// Reached returns how packages outside the world write an object that they can name or reach, "" for others.
func (c *Census) Reached(obj types.Object) string {
	for _, r := range c.reaches() {
		if o := r.ix.at(obj); o != nil {
			if name := r.nameOf(o); name != "" {
				return name
			}
		}
	}
	return ""
}

// outOf returns the object that importers can reach and that the value of another one is put into, as that of a constant is into one that is made
// from it; nil for none. u is the place.
func (r *reach) outOf(obj types.Object, seen map[types.Object]bool) (out types.Object, at use) {
	if seen[obj] {
		return nil, use{}
	}
	seen[obj] = true
	for _, u := range r.ix.usesOf(obj) {
		if inTest(u.file) || obj.Pos() == u.node.Pos() {
			continue
		}
		if out, at := r.climb(u, seen); out != nil {
			return out, at
		}
	}
	return nil, use{}
}

// inTest reports whether code cannot be what importers get.
func inTest(f *program.File) bool { return f == nil || f.Test || !f.World }
