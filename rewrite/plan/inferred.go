package plan

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// infersResult reports whether a call of a generic function returns something whose type is inferred from an argument.
func infersResult(info *types.Info, call *ast.CallExpr, arg ast.Node) bool {
	fn := census.Callee(info, call)
	if fn == nil {
		return false
	}
	sig := fn.Origin().Signature()
	var from *types.TypeParam
	argumentIs(sig, call, arg, func(t types.Type) bool {
		from, _ = t.(*types.TypeParam)
		return from != nil
	})
	if from == nil {
		return false
	}
	for v := range sig.Results().Variables() {
		if instanceFor(v.Type(), from) {
			return true
		}
	}
	return false
}

// instanceFor reports whether a type is, or consists of, an instance of a generic type for a type parameter.
func instanceFor(t types.Type, param *types.TypeParam) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if arg == types.Type(param) || instanceFor(arg, param) {
				return true
			}
		}
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels, maps
		return instanceFor(t.Elem(), param)
	}
	return false
}

// toldAhead names what a value of an inferred type goes into, directly or by way of variables that have their type from it, if the
// type that takes it is written in the source and is no interface.
func (kp *keyPlan) toldAhead(pkg *program.Package, f *program.File, e ast.Node, seen map[*types.Var]bool) string {
	parent, child := kp.census.Outer(f, e)
	var to []*ast.Ident
	switch p := parent.(type) {
	case *ast.ExprStmt, *ast.SelectorExpr, *ast.RangeStmt, *ast.IndexExpr, *ast.TypeAssertExpr:
		return ""
	case *ast.UnaryExpr, *ast.StarExpr:
		return kp.toldAhead(pkg, f, p, seen)
	case *ast.CallExpr:
		return takenAs(pkg, p, child)
	case *ast.ValueSpec:
		if p.Type != nil && !isInterface(pkg.Info.TypeOf(p.Type)) {
			return p.Names[0].Name
		}
		to = p.Names
	case *ast.AssignStmt:
		for i, lhs := range p.Lhs {
			id, ok := lhs.(*ast.Ident)
			switch {
			case len(p.Lhs) == len(p.Rhs) && ast.Node(p.Rhs[i]) != child:
			case ok && (id.Name == "_" || pkg.Info.Defs[id] != nil):
				to = append(to, id)
			case !isInterface(pkg.Info.TypeOf(lhs)):
				return types.ExprString(lhs)
			}
		}
	case *ast.BinaryExpr:
		return ""
	case ast.Expr:
		return "a value of type " + types.TypeString(pkg.Info.TypeOf(p), func(*types.Package) string { return "" })
	case *ast.ReturnStmt:
		return "a result"
	case *ast.SendStmt:
		return types.ExprString(p.Chan)
	default:
		return ""
	}
	for _, id := range to {
		v, ok := pkg.Info.Defs[id].(*types.Var)
		if !ok || seen[v] || !generic(v.Type()) {
			continue
		}
		seen[v] = true
		for _, u := range kp.census.Uses(v) {
			if u.Pkg.Info.Defs[u.Ident] != nil {
				continue
			}
			if what := kp.toldAhead(u.Pkg, u.File, u.Ident, seen); what != "" {
				return what
			}
		}
	}
	return ""
}

// takenAs names the function whose parameter takes an argument as a type that is written there; "" for interfaces, and for type
// parameters, which are inferred again.
func takenAs(pkg *program.Package, call *ast.CallExpr, arg ast.Node) string {
	tv := pkg.Info.Types[call.Fun]
	if tv.IsBuiltin() {
		return ""
	}
	if tv.IsType() {
		if isInterface(tv.Type) {
			return ""
		}
		return types.ExprString(call.Fun)
	}
	sig, ok := tv.Type.Underlying().(*types.Signature)
	if fn := census.Callee(pkg.Info, call); fn != nil {
		sig, ok = fn.Origin().Signature(), true
	}
	free := func(t types.Type) bool { return isInterface(t) || generic(t) && open(t) }
	if !ok || ast.Node(call.Fun) == arg || argumentIs(sig, call, arg, free) {
		return ""
	}
	return types.ExprString(call.Fun)
}

func isInterface(t types.Type) bool { return t != nil && types.IsInterface(t) }

// open reports whether a type is an instance for a type parameter.
func open(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if _, param := arg.(*types.TypeParam); param || open(arg) {
				return true
			}
		}
	case interface{ Elem() types.Type }:
		return open(t.Elem())
	}
	return false
}
