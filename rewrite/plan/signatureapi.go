package plan

import (
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// importable reports whether other modules can call a declared function by its name, or a method of a value that they can
// get hold of, or implement a method of an interface.
func (sp *sigPlan) importable(f *callgraph.Func) bool {
	if f.Object == nil {
		return false
	}
	if f.Decl != nil && census.IsAPI(sp.prog, f.Object) {
		return true
	}
	return (f.Decl == nil || f.Decl.Recv != nil) && f.Object.Exported() && !f.File.Test && sp.reachable()[f.Object.Pos()]
}

// reachable returns the exported methods, by position, of all types that the exported names of importable packages lead to:
// their own, those of what they embed, and those of unexported or internal types that functions, variables and fields have.
func (pl *planner) reachable() map[token.Pos]bool {
	if pl.methods != nil {
		return pl.methods
	}
	pl.methods = map[token.Pos]bool{}
	seen := map[types.Type]bool{}
	for _, cfg := range pl.prog.Configs {
		for _, pkg := range cfg.Packages {
			if !pkg.World || pkg.Types == nil || pkg.XTest || pkg.Name == "main" || internal(pkg.Path) {
				continue
			}
			scope := pkg.Types.Scope()
			for _, name := range scope.Names() {
				obj := scope.Lookup(name)
				if f := pl.prog.FileOf(obj.Pos()); obj.Exported() && (f == nil || !f.Test) {
					pl.reach(obj.Type(), seen)
				}
			}
		}
	}
	return pl.methods
}

// reach adds the methods of a type and of what they and its fields give.
func (pl *planner) reach(t types.Type, seen map[types.Type]bool) {
	t = types.Unalias(t)
	if seen[t] {
		return
	}
	seen[t] = true
	switch u := t.(type) {
	case *types.Named:
		if !inWorld(pl.prog, u.Obj()) {
			return
		}
		set := types.NewMethodSet(types.NewPointer(u))
		if types.IsInterface(u) {
			set = types.NewMethodSet(u)
		}
		for i := range set.Len() {
			if fn, ok := set.At(i).Obj().(*types.Func); ok && fn.Exported() {
				pl.methods[fn.Origin().Pos()] = true
				pl.reach(fn.Signature(), seen)
			}
		}
		pl.reach(u.Underlying(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if f.Exported() {
				pl.reach(f.Type(), seen)
			}
		}
	case *types.Signature:
		for v := range u.Results().Variables() {
			pl.reach(v.Type(), seen)
		}
		for v := range u.Params().Variables() {
			if types.IsInterface(v.Type()) {
				pl.reach(v.Type(), seen) // importers may implement it
			}
		}
	case *types.Pointer:
		pl.reach(u.Elem(), seen)
	case *types.Slice:
		pl.reach(u.Elem(), seen)
	case *types.Array:
		pl.reach(u.Elem(), seen)
	case *types.Map:
		pl.reach(u.Elem(), seen)
	case *types.Chan:
		pl.reach(u.Elem(), seen)
	}
}

func inWorld(prog *program.Program, obj types.Object) bool {
	f := prog.FileOf(obj.Pos())
	return f != nil && f.World
}
