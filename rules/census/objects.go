package census

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// pointerKeys returns the keys that an expression of pointer type may be: one for each package-level variable
// that is made once to point to a value of its own. What cannot be followed to such a variable is
// the key of its type that has no object.
func (b *builder) pointerKeys(r ref) []*Key {
	objs, open := b.ix.pointers(r)
	var keys []*Key
	for _, v := range objs {
		id := keyID{typ: typeName(v.Type()), object: b.census.Program.IDOf(v.Pos())}
		k := b.census.keys[id]
		if k == nil {
			k = &Key{Type: id.typ, Object: v}
			b.census.keys[id] = k
		}
		keys = append(keys, k)
	}
	if open || len(keys) == 0 {
		keys = append(keys, b.key(typeName(r.typ()), nil, nil))
	}
	return keys
}

// pointers follows an expression to the variables that own a pointer; open is set when it may be another one.
func (ix *index) pointers(r ref) (objs []*types.Var, open bool) {
	seen := map[refSeen]bool{}
	found := map[*types.Var]bool{}
	var walk func(r ref)
	walk = func(r ref) {
		if seen[r.seen()] {
			return
		}
		seen[r.seen()] = true
		if v := namedVar(r); v != nil && r.want == "" && ix.ownsPointer(v) {
			if v = ix.repVar(v); !found[v] {
				found[v] = true
				objs = append(objs, v)
			}
			return
		}
		s := ix.step(r)
		open = open || len(s.unknown) > 0 || len(s.refs) == 0
		for _, next := range s.refs {
			walk(next)
		}
	}
	walk(r)
	return objs, open
}

// namedVar returns the variable that an expression names, nil for others.
func namedVar(r ref) *types.Var {
	switch e := ast.Unparen(r.expr).(type) {
	case *ast.Ident:
		v, _ := r.pkg.Info.Uses[e].(*types.Var)
		return v
	case *ast.SelectorExpr:
		v, _ := r.pkg.Info.Uses[e.Sel].(*types.Var)
		return v
	}
	return nil
}

// ownsPointer reports whether a package-level variable of pointer type gets its value once, where it is
// declared, from &T{...} or new(T): then it stands for one object.
func (ix *index) ownsPointer(v *types.Var) bool {
	v = ix.repVar(v)
	if v.IsField() || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
		return false
	}
	if p, ok := v.Type().Underlying().(*types.Pointer); !ok || isEmptyStruct(p.Elem()) {
		return false
	}
	in := ix.inflow(v, "")
	return len(in.unknown) == 0 && len(in.refs) == 1 && freshPointer(in.refs[0].pkg, in.refs[0].expr)
}

// freshPointer reports whether an expression makes a pointer to a new value.
func freshPointer(pkg *program.Package, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		_, lit := ast.Unparen(e.X).(*ast.CompositeLit)
		return e.Op == token.AND && lit
	case *ast.CallExpr:
		id, ok := ast.Unparen(e.Fun).(*ast.Ident)
		if !ok {
			return false
		}
		bi, ok := pkg.Info.Uses[id].(*types.Builtin)
		return ok && bi.Name() == "new"
	}
	return false
}
