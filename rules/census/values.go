package census

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A Stored is a type that a writer stores under a key.
type Stored struct {
	Type types.Type
	Site *Site
	// Own is set when the value is named at the look-up itself, not handed to a function that stores for others.
	Own bool
}

// Stored returns the types of what is stored under a key, as far as static types tell, in the order of the sites. Values
// of interface type are followed back to where their type is known; open is set when one cannot be. That the value may be nil
// is left out.
func (c *Census) Stored(k *Key) (list []Stored, open bool) {
	for _, s := range k.Sites {
		if s.Role != Writer {
			continue
		}
		lk := s.Lookup
		if lk.Value == nil || lk.Pkg.Info == nil {
			return nil, true
		}
		ix := c.indexOf(lk)
		if ix == nil {
			return nil, true
		}
		own := true
		seen := map[refSeen]bool{}
		var walk func(r ref)
		walk = func(r ref) {
			if seen[r.seen()] || open {
				return
			}
			seen[r.seen()] = true
			if r.want == "" {
				t := r.typ()
				if t == nil {
					open = true
					return
				}
				if t == types.Typ[types.UntypedNil] {
					return
				}
				if !carrierType(t) {
					list = append(list, Stored{types.Default(t), s, own})
					return
				}
			}
			if v := namedVar(r); v != nil {
				if _, param := ix.paramOf(v); param {
					own = false
				}
			}
			step := ix.step(r)
			open = open || len(step.unknown) > 0 || len(step.refs) == 0
			for _, next := range step.refs {
				walk(next)
			}
		}
		walk(ref{expr: ast.Unparen(lk.Value), file: lk.File, pkg: lk.Pkg})
	}
	return list, open
}

// indexOf returns the index of the configuration that a look-up was read in.
func (c *Census) indexOf(lk *Lookup) *index {
	for _, ix := range c.indexes {
		if ix.cfg == lk.Pkg.Config {
			return ix
		}
	}
	return nil
}

// An Assertion is a type assertion on the result of a look-up.
type Assertion struct {
	Site *Site
	Expr *ast.TypeAssertExpr
	Type types.Type
	// Panics is set for the form without ok.
	Panics bool
}

// Assertions returns the type assertions on what the world looks up under a key, on the spot or on a local variable that holds
// the result and nothing else; all is set when every result goes there and nowhere else.
func (c *Census) Assertions(k *Key) (list []Assertion, all bool) {
	all = true
	for _, s := range k.Sites {
		if s.Role != Reader {
			continue
		}
		lk := s.Lookup
		if lk.Call == nil || !lk.Pkg.World || ast.Unparen(lk.Key) != s.Expr || c.Shared(s) {
			all = false // what is asserted there may be the value of another key
			continue
		}
		found, only := c.assertionsOf(s)
		list = append(list, found...)
		all = all && only
	}
	return list, all
}

// assertionsOf returns the assertions on the result of one look-up.
func (c *Census) assertionsOf(s *Site) (list []Assertion, all bool) {
	lk := s.Lookup
	add := func(parent ast.Node) bool {
		a, ok := parent.(*ast.TypeAssertExpr)
		if !ok || a.Type == nil {
			return false
		}
		t := lk.Pkg.Info.TypeOf(a.Type)
		if t == nil {
			return false
		}
		_, pair := lk.Pkg.Info.TypeOf(a).(*types.Tuple)
		list = append(list, Assertion{s, a, t, !pair})
		return true
	}
	parent, child := c.Outer(lk.File, lk.Call)
	if add(parent) {
		return list, true
	}
	as, ok := parent.(*ast.AssignStmt)
	if !ok || as.Tok != token.DEFINE || len(as.Lhs) != 1 || ast.Node(as.Rhs[0]) != child {
		return nil, false
	}
	v := definedVar(lk.Pkg.Info, as.Lhs[0])
	if v == nil {
		return nil, false
	}
	all = true
	for _, u := range c.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, _ := c.Outer(u.File, u.Ident)
		switch p := parent.(type) {
		case *ast.BinaryExpr: // compared with nil
			continue
		case *ast.AssignStmt:
			if containsExpr(p.Lhs, u.Ident) {
				return nil, false // it may hold something else
			}
		}
		if !add(parent) {
			all = false
		}
	}
	return list, all
}

// InOneProgram reports whether a program can contain both sites.
func (c *Census) InOneProgram(s, t *Site) bool { return c.inOneProgram(s, t) }

// Clear reports whether all writers of a key are known, and the key is told from others of its type: what
// they store is then all that a look-up can find.
func (c *Census) Clear(k *Key) bool {
	return hasWorldPoint(k) && singular(k) && c.Elsewhere(k, Writer) == nil && c.Importers(k) == nil
}

// Accepts reports whether an assertion to one type can succeed on a value of another.
func Accepts(asserted, stored types.Type) bool {
	if iface, ok := asserted.Underlying().(*types.Interface); ok && types.IsInterface(asserted) {
		return types.Implements(stored, iface)
	}
	return types.Identical(asserted, stored) || typeName(asserted) == typeName(stored)
}

// Decidable reports whether a type is known without knowing type arguments.
func Decidable(t types.Type) bool {
	found := false
	var visit func(t types.Type, depth int)
	visit = func(t types.Type, depth int) {
		if depth > 6 {
			return
		}
		switch t := types.Unalias(t).(type) {
		case *types.TypeParam:
			found = true
		case *types.Pointer:
			visit(t.Elem(), depth+1)
		case *types.Slice:
			visit(t.Elem(), depth+1)
		case *types.Array:
			visit(t.Elem(), depth+1)
		case *types.Chan:
			visit(t.Elem(), depth+1)
		case *types.Map:
			visit(t.Key(), depth+1)
			visit(t.Elem(), depth+1)
		case *types.Named:
			for i := range t.TypeArgs().Len() {
				visit(t.TypeArgs().At(i), depth+1)
			}
		case *types.Signature:
			for v := range t.Params().Variables() {
				visit(v.Type(), depth+1)
			}
			for v := range t.Results().Variables() {
				visit(v.Type(), depth+1)
			}
		}
	}
	visit(t, 0)
	return !found
}
