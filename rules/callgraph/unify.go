package callgraph

import (
	"go/token"
	"go/types"
)

// unify walks two types in step where a value of the second becomes one of the first, and links the functions that it
// meets at the same place in both.
func (w *walker) unify(to, from types.Type, pos token.Pos) {
	if to == nil || from == nil {
		return
	}
	to, from = types.Unalias(to), types.Unalias(from)
	if to == from {
		return
	}
	if iface, ok := to.Underlying().(*types.Interface); ok && !isTypeParam(to) {
		if !types.IsInterface(from) {
			w.box(from, pos)
		}
		if p := [2]types.Type{to, from}; !w.pairs[p] {
			w.pairs[p] = true
			w.implements(iface, from, pos)
			w.args(to, from, pos)
		}
		return
	}
	if isTypeParam(to) || isTypeParam(from) {
		w.opaque(to, pos)
		w.opaque(from, pos)
		return
	}
	toNamed, _ := to.(*types.Named)
	fromNamed, _ := from.(*types.Named)
	if toNamed != nil && fromNamed != nil && toNamed.Origin() == fromNamed.Origin() {
		w.args(to, from, pos)
		return
	}
	if toNamed != nil || fromNamed != nil {
		p := [2]types.Type{to, from}
		if w.pairs[p] {
			return
		}
		w.pairs[p] = true
		w.parts(to.Underlying(), from.Underlying(), pos)
		return
	}
	w.parts(to, from, pos)
}

func isTypeParam(t types.Type) bool {
	_, ok := t.(*types.TypeParam)
	return ok
}

// opaque notes a function type whose values go through a type parameter in its generic body.
func (w *walker) opaque(t types.Type, pos token.Pos) {
	if sig, ok := t.Underlying().(*types.Signature); ok && !isTypeParam(t) {
		w.funcOfType(sig).fix(w.file, pos, "is converted to or from a type parameter")
	}
}

// args walks the type arguments of two instances of one type.
func (w *walker) args(to, from types.Type, pos token.Pos) {
	a, ok1 := to.(*types.Named)
	b, ok2 := from.(*types.Named)
	if !ok1 || !ok2 || a.Origin() != b.Origin() {
		return
	}
	for i := range min(a.TypeArgs().Len(), b.TypeArgs().Len()) {
		w.unify(a.TypeArgs().At(i), b.TypeArgs().At(i), pos)
	}
}

// parts walks the parts of two underlying types.
func (w *walker) parts(to, from types.Type, pos token.Pos) {
	if to == from {
		return
	}
	switch to := to.(type) {
	case *types.Signature:
		if from, ok := from.(*types.Signature); ok {
			w.signatures(to, from, pos)
		}
	case *types.Pointer:
		if from, ok := from.(*types.Pointer); ok {
			w.unify(to.Elem(), from.Elem(), pos)
		}
	case *types.Slice:
		if from, ok := from.(*types.Slice); ok {
			w.unify(to.Elem(), from.Elem(), pos)
		}
	case *types.Array:
		if from, ok := from.(*types.Array); ok {
			w.unify(to.Elem(), from.Elem(), pos)
		}
	case *types.Chan:
		if from, ok := from.(*types.Chan); ok {
			w.unify(to.Elem(), from.Elem(), pos)
		}
	case *types.Map:
		if from, ok := from.(*types.Map); ok {
			w.unify(to.Key(), from.Key(), pos)
			w.unify(to.Elem(), from.Elem(), pos)
		}
	case *types.Struct:
		if from, ok := from.(*types.Struct); ok {
			for i := range min(to.NumFields(), from.NumFields()) {
				w.unify(to.Field(i).Type(), from.Field(i).Type(), pos)
			}
		}
	case *types.Interface:
		w.implements(to, from, pos)
	}
}

func (w *walker) signatures(to, from *types.Signature, pos token.Pos) {
	a, b := w.funcOfType(to), w.funcOfType(from)
	if a != b {
		w.g.link(b, a, w.file, pos, "becomes a value of")
	}
	w.tuples(to.Params(), from.Params(), pos)
	w.tuples(to.Results(), from.Results(), pos)
}

func (w *walker) tuples(to, from *types.Tuple, pos token.Pos) {
	if to == from || to.Len() != from.Len() {
		return
	}
	for i := range to.Len() {
		w.unify(to.At(i).Type(), from.At(i).Type(), pos)
	}
}

// implements links the methods of an interface with those of a type that has them.
func (w *walker) implements(iface *types.Interface, t types.Type, pos token.Pos) {
	for m := range iface.Methods() {
		obj, _, _ := types.LookupFieldOrMethod(t, true, m.Pkg(), m.Name())
		fn, ok := obj.(*types.Func)
		if !ok || fn.Origin() == m.Origin() {
			continue
		}
		a, b := w.funcOf(fn), w.funcOf(m)
		if a.Kind == Foreign && b.Kind == Foreign {
			continue
		}
		if !w.g.linked[[2]*Func{a, b}] {
			w.g.link(a, b, w.file, pos, "implements")
		}
		if p := [2]types.Type{m.Signature(), fn.Signature()}; !w.pairs[p] {
			w.pairs[p] = true
			w.tuples(m.Signature().Params(), fn.Signature().Params(), pos)
			w.tuples(m.Signature().Results(), fn.Signature().Results(), pos)
		}
	}
}

// box notes a value that goes into an interface, where its type can be looked at.
func (w *walker) box(t types.Type, pos token.Pos) {
	switch t := types.Unalias(t).(type) {
	case *types.Signature:
		w.funcOfType(t).fix(w.file, pos, "is stored in an interface, and its type may be looked at")
	case *types.Named:
		w.boxNamed(boxed{t, false}, pos)
		if sig, ok := t.Underlying().(*types.Signature); ok {
			w.funcOfType(sig).fix(w.file, pos, "is stored in an interface, and its type may be looked at")
		}
	case *types.Pointer:
		if iface, ok := t.Elem().Underlying().(*types.Interface); ok {
			// A target to be filled with what implements it, as errors.As does.
			w.asserted = append(w.asserted, &assertion{iface, place{w.file, pos}})
		} else if named, ok := types.Unalias(t.Elem()).(*types.Named); ok {
			w.boxNamed(boxed{named, true}, pos)
		}
	case *types.Slice:
		w.box(t.Elem(), pos)
	case *types.Array:
		w.box(t.Elem(), pos)
	case *types.Map:
		w.box(t.Elem(), pos)
	case *types.Chan:
		w.box(t.Elem(), pos)
	case *types.Struct:
		for f := range t.Fields() {
			w.box(f.Type(), pos)
		}
	}
}

func (w *walker) boxNamed(b boxed, pos token.Pos) {
	if w.boxed[b] == nil {
		w.boxed[b] = &place{w.file, pos}
		w.boxOrder = append(w.boxOrder, b)
	}
}

// dynamic links what meets only when the program runs: values in interfaces, and the interfaces they are asked for.
func (w *walker) dynamic() {
	seen := map[*types.Interface]bool{}
	for _, a := range w.asserted {
		if seen[a.typ] || a.typ.NumMethods() == 0 {
			continue
		}
		seen[a.typ] = true
		w.file = a.file
		for _, b := range w.boxOrder {
			if b.typ.TypeParams().Len() > 0 && b.typ.TypeArgs().Len() == 0 {
				continue
			}
			var t types.Type = b.typ
			if b.ptr {
				t = types.NewPointer(t)
			}
			if types.Implements(t, a.typ) {
				w.implements(a.typ, t, a.pos)
			}
		}
	}
	for _, b := range w.boxOrder {
		at := w.boxed[b]
		var t types.Type = b.typ
		if b.ptr {
			t = types.NewPointer(t)
		}
		set := types.NewMethodSet(t)
		for i := range set.Len() {
			if fn, ok := set.At(i).Obj().(*types.Func); ok {
				if f := w.g.byPos[fn.Origin().Pos()]; f != nil {
					if f.Boxed == nil {
						f.Boxed = &Fixed{at.file, at.pos, "is a method of a type with values in interfaces"}
					}
					f.BoxedTypes = append(f.BoxedTypes, t)
				}
			}
		}
	}
}
