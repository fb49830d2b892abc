package plan

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// checkInstances blocks a plan where the key goes into something generic that is told its built-in type: an argument or a type
// in the source would have to say another one.
func (kp *keyPlan) checkInstances() error {
	for _, s := range kp.spots {
		parent, child := kp.census.Outer(s.File, s.Expr)
		if call, ok := parent.(*ast.CallExpr); ok {
			if fn := toldFunction(s, call, child); fn != "" {
				return block("forwarder", s.File, s.Expr.Pos(), "the key is handed to %s, whose type argument says %s; leave the type argument out", fn, kp.basic.Name())
			}
		}
		if what := kp.toldPlace(s, parent, child); what != "" {
			return block("forwarder", s.File, s.Expr.Pos(), "the key goes into %s, whose type says %s; give both a type of their own by hand", what, kp.basic.Name())
		}
	}
	return nil
}

// toldPlace names what a spot goes into, if that takes a built-in type because the source says so.
func (kp *keyPlan) toldPlace(s *spot, parent, child ast.Node) string {
	switch p := parent.(type) {
	case *ast.CallExpr:
		if what := kp.toldOperand(s, p, child); what != "" {
			return what
		}
		if infersResult(s.Pkg.Info, p, child) {
			return kp.toldAhead(s.Pkg, s.File, p, map[*types.Var]bool{})
		}
	case *ast.KeyValueExpr:
		if lit, _ := kp.census.Outer(s.File, p); lit != nil {
			return toldLiteral(s, lit, p, child == ast.Node(p.Key))
		}
	case *ast.CompositeLit:
		return toldLiteral(s, p, child, false)
	case *ast.AssignStmt:
		for i, rhs := range p.Rhs {
			if len(p.Lhs) != len(p.Rhs) || ast.Node(rhs) != child {
				continue
			}
			if _, variable := p.Lhs[i].(*ast.Ident); !variable && isBasic(s.Pkg.Info.TypeOf(p.Lhs[i])) && kp.told(s.Pkg, s.File, p.Lhs[i]) {
				return types.ExprString(p.Lhs[i])
			}
		}
	case *ast.SendStmt:
		t := s.Pkg.Info.TypeOf(p.Chan)
		if t == nil {
			break // of a package that is not there
		}
		if ch, ok := t.Underlying().(*types.Chan); ok && isBasic(ch.Elem()) && kp.told(s.Pkg, s.File, p.Chan) {
			return types.ExprString(p.Chan)
		}
	}
	return ""
}

// toldLiteral names the type of a composite literal that takes the spot, in elem, as a value of built-in type: nothing infers
// the type arguments of a literal.
func toldLiteral(s *spot, outer, elem ast.Node, key bool) string {
	lit, ok := outer.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	t := s.Pkg.Info.TypeOf(lit)
	if t == nil { // in code that does not compile
		return ""
	}
	takes := elementAt(t, lit, elem)
	if m, ok := t.Underlying().(*types.Map); ok && key {
		takes = m.Key()
	}
	if takes == nil || !isBasic(takes) {
		return ""
	}
	return types.TypeString(t, func(*types.Package) string { return "" })
}

// elementAt returns the type that the value of an element of a composite literal has to have.
func elementAt(t types.Type, lit *ast.CompositeLit, elem ast.Node) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem() // &T left out
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		if kv, ok := elem.(*ast.KeyValueExpr); ok {
			for f := range u.Fields() {
				if id, ok := kv.Key.(*ast.Ident); ok && id.Name == f.Name() {
					return f.Type()
				}
			}
			return nil
		}
		for i, e := range lit.Elts {
			if ast.Node(e) == elem && i < u.NumFields() {
				return u.Field(i).Type()
			}
		}
	case *types.Map:
		return u.Elem()
	case *types.Slice:
		return u.Elem()
	case *types.Array:
		return u.Elem()
	}
	return nil
}

func isBasic(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.Basic)
	return ok
}

// toldFunction names the generic function that a call hands the spot to, if the call says the parameter's type.
func toldFunction(s *spot, call *ast.CallExpr, arg ast.Node) string {
	var told []ast.Expr
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.IndexExpr:
		told = []ast.Expr{fun.Index}
	case *ast.IndexListExpr:
		told = fun.Indices
	}
	fn := census.Callee(s.Pkg.Info, call)
	if fn == nil || len(told) == 0 {
		return ""
	}
	sig := fn.Origin().Signature()
	if argumentIs(sig, call, arg, func(t types.Type) bool {
		p, ok := t.(*types.TypeParam)
		return ok && p.Index() < len(told) && basicTypeExpr(s.Pkg, told[p.Index()])
	}) {
		return fn.Name()
	}
	return ""
}

// toldOperand names the method or the function value that a call hands the spot to, if what it belongs to says the parameter's type.
func (kp *keyPlan) toldOperand(s *spot, call *ast.CallExpr, arg ast.Node) string {
	fn := census.Callee(s.Pkg.Info, call)
	if fn == nil {
		t := s.Pkg.Info.TypeOf(call.Fun)
		if t == nil {
			return "" // of a package that is not there
		}
		sig, ok := t.Underlying().(*types.Signature)
		if ok && argumentIs(sig, call, arg, isBasic) && kp.told(s.Pkg, s.File, call.Fun) {
			return types.ExprString(call.Fun)
		}
		return ""
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	ofReceiver := func(t types.Type) bool {
		p, ok := t.(*types.TypeParam)
		list := fn.Origin().Signature().RecvTypeParams()
		return ok && p.Index() < list.Len() && list.At(p.Index()) == p
	}
	if argumentIs(fn.Origin().Signature(), call, arg, ofReceiver) && kp.told(s.Pkg, s.File, sel.X) {
		return types.ExprString(sel)
	}
	return ""
}

// argumentIs reports whether the parameter that takes an argument of a call is of such a type.
func argumentIs(sig *types.Signature, call *ast.CallExpr, arg ast.Node, is func(types.Type) bool) bool {
	for i, a := range call.Args {
		if ast.Node(a) != arg {
			continue
		}
		n := sig.Params().Len()
		switch {
		case sig.Variadic() && i >= n-1 && !call.Ellipsis.IsValid():
			return is(sig.Params().At(n - 1).Type().(*types.Slice).Elem())
		case i < n:
			return is(sig.Params().At(i).Type())
		}
	}
	return false
}

// told reports whether the type arguments in the type of an expression are written somewhere, rather than inferred from keys.
func (kp *keyPlan) told(pkg *program.Package, f *program.File, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return generic(pkg.Info.TypeOf(e))
	case *ast.UnaryExpr:
		return kp.told(pkg, f, e.X)
	case *ast.StarExpr:
		return kp.told(pkg, f, e.X)
	case *ast.SelectorExpr:
		if v, ok := pkg.Info.Uses[e.Sel].(*types.Var); ok && v.IsField() {
			return kp.told(pkg, f, e.X)
		}
		return kp.toldName(pkg, e.Sel)
	case *ast.IndexExpr:
		if tv := pkg.Info.Types[e.Index]; tv.IsType() {
			return basicTypeExpr(pkg, e.Index)
		}
		return kp.told(pkg, f, e.X)
	case *ast.IndexListExpr:
		return true
	case *ast.CallExpr:
		if pkg.Info.Types[e.Fun].IsType() {
			return generic(pkg.Info.TypeOf(e))
		}
		fn := census.Callee(pkg.Info, e)
		if fn == nil || fn.Signature().RecvTypeParams().Len() > 0 {
			return kp.told(pkg, f, e.Fun)
		}
		_, inferred := ast.Unparen(e.Fun).(*ast.Ident)
		return !inferred && fn.Origin().Signature().TypeParams().Len() > 0 && kp.told(pkg, f, e.Fun)
	case *ast.Ident:
		return kp.toldName(pkg, e)
	}
	return false
}

// toldName is told for a name: its declaration says the type, or a value whose type is told.
func (kp *keyPlan) toldName(pkg *program.Package, id *ast.Ident) bool {
	v, ok := pkg.Info.Uses[id].(*types.Var)
	if !ok {
		return false
	}
	d := kp.declOf(v)
	switch {
	case d == nil:
		_, i := kp.census.ParamOf(v)
		return i >= 0 && generic(v.Type()) // parameters have their types written
	case d.spec != nil && d.spec.Type != nil:
		return generic(v.Type())
	}
	names, values := declared(d)
	for i, name := range names {
		if name == ast.Expr(d.name) && len(values) > 0 {
			return kp.told(kp.pkgOf(d.file), d.file, values[min(i, len(values)-1)])
		}
	}
	return false
}

// declared returns what a declaration names, and the values.
func declared(d *valueDecl) (names, values []ast.Expr) {
	if d.assign != nil {
		return d.assign.Lhs, d.assign.Rhs
	}
	for _, id := range d.spec.Names {
		names = append(names, id)
	}
	return names, d.spec.Values
}

// generic reports whether a type is, or consists of, an instance of a generic type.
func generic(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		return t.TypeArgs().Len() > 0
	case *types.Pointer:
		return generic(t.Elem())
	case *types.Slice:
		return generic(t.Elem())
	case *types.Array:
		return generic(t.Elem())
	case *types.Chan:
		return generic(t.Elem())
	case *types.Map:
		return generic(t.Elem())
	}
	return false
}
