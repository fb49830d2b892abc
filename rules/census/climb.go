package census

import (
	"go/ast"
	"go/types"
)

// climb follows the value of an expression outwards to what it is stored in, or returned by, and returns the first object there
// that importers can reach.
func (r *reach) climb(u use, seen map[types.Object]bool) (types.Object, use) {
	node := u.node
	if id, ok := node.(*ast.Ident); ok {
		node = r.ix.nameExpr(u.file, id)
	}
	for {
		parent, child := r.ix.outer(u.file, node)
		switch p := parent.(type) {
		case *ast.UnaryExpr, *ast.SliceExpr:
		case *ast.CompositeLit:
			if st := unkeyedStruct(u.pkg.Info, p); st != nil {
				return r.element(p, st, child, u, seen)
			}
		case *ast.KeyValueExpr:
			if field := fieldKey(u, p); field != nil {
				if p.Value != child {
					return nil, use{} // it gets the value
				}
				return r.into(field, u, seen)
			}
		case *ast.IndexExpr:
			if p.X != child {
				return nil, use{}
			}
		case *ast.CallExpr:
			if p.Fun != child && !isConversion(u.pkg.Info, p) && !appends(u, p) {
				return nil, use{}
			}
		case *ast.RangeStmt:
			if p.X != child {
				return nil, use{}
			}
			return r.firstInto([]ast.Expr{p.Key, p.Value}, u, seen)
		case *ast.ValueSpec:
			return r.specInto(p, child, u, seen)
		case *ast.AssignStmt:
			return r.firstInto(counterparts(p.Lhs, p.Rhs, child), u, seen)
		case *ast.ReturnStmt:
			return r.returned(p, u, seen)
		default:
			return nil, use{}
		}
		node = parent
	}
}

// fieldKey returns the field that a key of a struct literal names, nil for keys of maps.
func fieldKey(u use, kv *ast.KeyValueExpr) *types.Var {
	id, ok := kv.Key.(*ast.Ident)
	if !ok {
		return nil
	}
	if v, ok := u.pkg.Info.Uses[id].(*types.Var); ok && v.IsField() {
		return v
	}
	return nil
}

// appends reports whether a call is one of append, whose result has what is appended.
func appends(u use, call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return false
	}
	b, ok := u.pkg.Info.Uses[id].(*types.Builtin)
	return ok && b.Name() == "append"
}

// counterparts returns what of the left side gets the expression on the right; all of it when one expression gives them all.
func counterparts(lhs, rhs []ast.Expr, child ast.Node) []ast.Expr {
	for i, e := range rhs {
		switch {
		case ast.Node(e) != child:
		case len(lhs) == len(rhs):
			return lhs[i : i+1]
		default:
			return lhs
		}
	}
	return nil
}

// element is the field that an element of a struct literal without names is stored in.
func (r *reach) element(lit *ast.CompositeLit, st *types.Struct, child ast.Node, u use, seen map[types.Object]bool) (types.Object, use) {
	for i, e := range lit.Elts {
		if ast.Node(e) == child && i < st.NumFields() {
			return r.into(st.Field(i), u, seen)
		}
	}
	return nil, use{}
}

// specInto is the constant or variable that a declaration gives the value.
func (r *reach) specInto(spec *ast.ValueSpec, child ast.Node, u use, seen map[types.Object]bool) (types.Object, use) {
	var names []ast.Expr
	for _, n := range spec.Names {
		names = append(names, n)
	}
	return r.firstInto(counterparts(names, spec.Values, child), u, seen)
}

// firstInto tries the variables, fields and containers that get the value.
func (r *reach) firstInto(list []ast.Expr, u use, seen map[types.Object]bool) (types.Object, use) {
	for _, e := range list {
		if obj := target(u, e); obj != nil {
			if out, at := r.into(obj, u, seen); out != nil {
				return out, at
			}
		}
	}
	return nil, use{}
}

// target returns the object that an assignment to an expression changes: a table for one of its elements.
func target(u use, e ast.Expr) types.Object {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return target(u, e.X)
	case *ast.StarExpr:
		return target(u, e.X)
	case *ast.IndexExpr:
		return target(u, e.X)
	case *ast.Ident:
		return u.pkg.Info.ObjectOf(e)
	case *ast.SelectorExpr:
		return u.pkg.Info.ObjectOf(e.Sel)
	}
	return nil
}

// into judges what gets the value: importers reach it, or it goes on from there.
func (r *reach) into(obj types.Object, u use, seen map[types.Object]bool) (types.Object, use) {
	obj = r.ix.rep(obj)
	if r.nameOf(obj) != "" {
		return obj, u
	}
	return r.outOf(obj, seen)
}

// returned judges the function that returns the value.
func (r *reach) returned(ret ast.Node, u use, seen map[types.Object]bool) (types.Object, use) {
	switch fn := r.ix.enclosingFunc(u.file, ret).(type) {
	case *ast.FuncDecl:
		if obj := u.pkg.Info.Defs[fn.Name]; obj != nil {
			return r.into(obj, u, seen)
		}
	case *ast.FuncLit:
		return r.climb(use{fn, u.file, u.pkg}, seen)
	}
	return nil, use{}
}
