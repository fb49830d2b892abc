package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// spawns reports whether a function starts the one it is given on another goroutine: by its shape, or because users say so.
func (f *Flow) spawns(fn *types.Func) bool {
	return Spawns(fn) || program.Named(f.prog.Hints.Starts, fn)
}

// canWait reports whether a value of type t, or a pointer to it, can be waited for.
func (f *Flow) canWait(t types.Type) bool {
	return t != nil && (waits(t) || waits(types.NewPointer(t)) || f.joinable()[typeName(t)])
}

// joinable returns the names of the types that functions wait for of which users say that they do: those of receivers and
// parameters.
func (f *Flow) joinable() map[string]bool {
	if f.joined == nil {
		f.joined = map[string]bool{}
		for _, name := range f.prog.Hints.Joins {
			obj, _ := f.prog.Lookup(name)
			fn, ok := obj.(*types.Func)
			if !ok {
				continue
			}
			if recv := fn.Signature().Recv(); recv != nil {
				f.joined[typeName(recv.Type())] = true
			}
			for p := range fn.Signature().Params().Variables() {
				f.joined[typeName(p.Type())] = true
			}
		}
		delete(f.joined, "")
	}
	return f.joined
}

// typeName names a type, or what it points to, the same in all build configurations; "" when it has no name.
func typeName(t types.Type) string {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Path() + "." + named.Obj().Name()
}

// awaits reports whether a call is one of which users say that it waits for goroutines, this one among them: for those of its
// receiver, of an argument or, where it has neither, for all that functions of its package start.
func (j *joiner) awaits(call *ast.CallExpr) bool {
	fn := census.Callee(j.g.Pkg.Info, call)
	if fn == nil || !program.Named(j.flow.prog.Hints.Joins, fn) {
		return false
	}
	of := call.Args
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && fn.Signature().Recv() != nil {
		of = append(of[:len(of):len(of)], sel.X)
	}
	for _, e := range of {
		p, ok := placeOf(j.g.Pkg.Info, e)
		if ok && (slices.Contains(j.groups, p) || slices.ContainsFunc(j.signals, func(s signal) bool { return s.at == p })) {
			return true
		}
	}
	starter := census.Callee(j.g.Pkg.Info, j.g.Call)
	return len(of) == 0 && starter != nil && starter.Pkg() == fn.Pkg() && j.flow.spawns(starter)
}
