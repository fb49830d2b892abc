package census

import (
	"go/ast"
	"go/types"
)

// addEscapes notes arguments that are pointers and go to parameters of type any, and
// types that are handed to generic functions.
func (ix *index) addEscapes(info *types.Info, call *ast.CallExpr) {
	if isConversion(info, call) && len(call.Args) == 1 {
		ix.convert(info.TypeOf(call.Args[0]), info.TypeOf(call))
		return
	}
	sig, ok := info.TypeOf(call.Fun).(*types.Signature)
	if !ok {
		return
	}
	for i, a := range call.Args {
		if sig.Params().Len() == 0 {
			break
		}
		last := sig.Params().Len() - 1
		t := sig.Params().At(min(i, last)).Type()
		if s, ok := t.(*types.Slice); ok && sig.Variadic() && i >= last {
			t = s.Elem()
		}
		ix.escape(info, a, t)
	}
	if id := calleeIdent(call); id != nil {
		if inst, ok := info.Instances[id]; ok {
			for i := range inst.TypeArgs.Len() {
				ix.escaped = append(ix.escaped, inst.TypeArgs.At(i))
			}
		}
	}
}

// escape notes an expression of pointer type that becomes an empty interface.
func (ix *index) escape(info *types.Info, e ast.Expr, to types.Type) {
	if to == nil {
		return
	}
	if !isEmptyInterface(to) {
		ix.convert(info.TypeOf(e), to)
		return
	}
	if t := info.TypeOf(e); t != nil {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			ix.escaped = append(ix.escaped, p.Elem())
		}
	}
}

// convert notes that values of one struct type become values of another: their fields are no longer
// told apart by the type they were set in.
func (ix *index) convert(from, to types.Type) {
	if from == nil || to == nil || types.Identical(from, to) {
		return
	}
	for _, t := range []types.Type{from, to} {
		if st, ok := deref(t).Underlying().(*types.Struct); !ok || st.NumFields() == 0 {
			return
		}
	}
	for _, t := range []types.Type{from, to} {
		ix.converted[ix.repVar(deref(t).Underlying().(*types.Struct).Field(0))] = true
	}
}

// decodable reports whether code that takes any value may fill an exported field.
func (ix *index) decodable(v *types.Var) bool {
	if !v.Exported() {
		return false
	}
	if ix.reached == nil {
		ix.reached = map[*types.Var]bool{}
		seen := map[types.Type]bool{}
		for _, t := range ix.escaped {
			ix.reach(t, seen)
		}
	}
	place, ok := ix.fields[ix.repVar(v)]
	return ok && ix.reached[place.first]
}

// reach marks the structs that a value of type t holds or points to.
func (ix *index) reach(t types.Type, seen map[types.Type]bool) {
	t = types.Unalias(t)
	if seen[t] {
		return
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Struct:
		if u.NumFields() > 0 {
			ix.reached[ix.repVar(u.Field(0))] = true
		}
		for f := range u.Fields() {
			ix.reach(f.Type(), seen)
		}
	case *types.Pointer:
		ix.reach(u.Elem(), seen)
	case *types.Slice:
		ix.reach(u.Elem(), seen)
	case *types.Array:
		ix.reach(u.Elem(), seen)
	case *types.Map:
		ix.reach(u.Elem(), seen)
	}
}
