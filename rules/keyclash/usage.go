package keyclash

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A usage judges whether code that handles a value of one type does so with one of another type.
type usage struct {
	c        *census.Census
	file     *program.File
	pkg      *program.Package
	from, to types.Type
	// open allows the value to go where any type can, outside the program.
	open bool
	// back allows to convert the value back to its old type.
	back bool
	// converted are the expressions that have to be.
	converted []ast.Expr
	// mentions are the places where the value's fields, methods or contents are used.
	mentions []ast.Expr
	seen     map[*types.Var]bool
}

// expr reports whether what is done with the value of an expression can be done with one of the other type.
func (u *usage) expr(e ast.Expr) bool {
	n := len(u.converted)
	if u.fits(e) {
		return true
	}
	u.converted = u.converted[:n]
	if !u.back || u.assigned(e) {
		return false
	}
	u.converted = append(u.converted, e)
	return true
}

// assigned reports whether an expression is assigned to, or its address taken.
func (u *usage) assigned(e ast.Expr) bool {
	parent, child := u.c.Outer(u.file, e)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		for _, lhs := range p.Lhs {
			if ast.Node(lhs) == child {
				return true
			}
		}
	case *ast.UnaryExpr:
		return p.Op == token.AND
	case *ast.IncDecStmt:
		return true
	case *ast.RangeStmt:
		return p.Key == child || p.Value == child
	}
	return false
}

// variable judges every use of a variable that holds the value and nothing else.
func (u *usage) variable(v *types.Var) bool {
	if u.seen[v] {
		return true
	}
	u.seen[v] = true
	for _, use := range u.c.Uses(v) {
		if use.Pkg.Info.Defs[use.Ident] != nil {
			continue
		}
		if !u.expr(use.Ident) {
			return false
		}
	}
	return true
}

func (u *usage) fits(e ast.Expr) bool {
	parent, child := u.c.Outer(u.file, e)
	info := u.pkg.Info
	switch p := parent.(type) {
	case *ast.ExprStmt:
		return true
	case *ast.SelectorExpr:
		u.mentions = append(u.mentions, e)
		return u.selects(p, e)
	case *ast.CallExpr:
		return u.argument(p, child)
	case *ast.BinaryExpr:
		return u.operand(p, child)
	case *ast.UnaryExpr:
		return p.Op != token.AND && p.Op != token.ARROW && sameClass(u.from, u.to) && u.expr(p)
	case *ast.AssignStmt:
		return u.assignment(p, child)
	case *ast.ValueSpec:
		return u.declaration(p, child)
	case *ast.ReturnStmt:
		return u.returned(p, child)
	case *ast.KeyValueExpr:
		if ast.Node(p.Value) != child {
			return false
		}
		lit, _ := u.c.Parent(u.file, p).(*ast.CompositeLit)
		return lit != nil && u.element(lit, p)
	case *ast.CompositeLit:
		return u.element(p, nil)
	case *ast.IndexExpr:
		u.mentions = append(u.mentions, e)
		return ast.Node(p.Index) != child && types.Identical(u.from.Underlying(), u.to.Underlying())
	case *ast.RangeStmt:
		return ast.Node(p.X) == child && types.Identical(u.from.Underlying(), u.to.Underlying())
	case *ast.SendStmt:
		ch, ok := program.Underlying(info, p.Chan).(*types.Chan)
		return ok && ast.Node(p.Value) == child && u.assignable(ch.Elem())
	case *ast.IfStmt, *ast.ForStmt:
		return isBasic(u.to, types.IsBoolean)
	}
	return false
}

// assignable reports whether the new type can go where a type is asked for that is no interface everything implements.
func (u *usage) assignable(t types.Type) bool {
	if t == nil {
		return false
	}
	if iface, ok := t.Underlying().(*types.Interface); ok && types.IsInterface(t) && iface.Empty() {
		return false // other code may expect the old type there
	}
	return types.AssignableTo(u.to, t)
}

// selects judges v.name: the field or method has to be the same one, or of the same type, and no
// copy may be changed in the place of what a pointer points to.
func (u *usage) selects(sel *ast.SelectorExpr, e ast.Expr) bool {
	if ast.Unparen(sel.X) != e {
		return false
	}
	if types.IsInterface(u.from) || types.IsInterface(u.to) {
		return false
	}
	_, variable := e.(*ast.Ident)
	was, _, _ := types.LookupFieldOrMethod(u.from, variable, u.pkg.Types, sel.Sel.Name)
	is, _, _ := types.LookupFieldOrMethod(u.to, variable, u.pkg.Types, sel.Sel.Name)
	if was == nil || is == nil || !types.Identical(was.Type(), is.Type()) {
		return false
	}
	if pointer(u.from) == pointer(u.to) {
		return true
	}
	if fn, ok := is.(*types.Func); ok {
		return pointer(u.to) || !pointer(fn.Signature().Recv().Type())
	}
	return !u.assigned(sel) && !u.deeper(sel)
}

// deeper reports whether a selection is the operand of another selection or of an index: something in it may be
// assigned to.
func (u *usage) deeper(sel *ast.SelectorExpr) bool {
	var n ast.Expr = sel
	for {
		parent, _ := u.c.Outer(u.file, n)
		switch p := parent.(type) {
		case *ast.SelectorExpr:
			n = p
		case *ast.IndexExpr:
			n = p
		default:
			return u.assigned(n)
		}
	}
}

// argument judges the value as an argument of a call.
func (u *usage) argument(call *ast.CallExpr, child ast.Node) bool {
	info := u.pkg.Info
	if ast.Node(call.Fun) == child || call.Ellipsis.IsValid() {
		return false
	}
	if tv := info.Types[call.Fun]; tv.IsType() {
		return sameClass(tv.Type, u.to) && types.ConvertibleTo(u.to, tv.Type)
	} else if tv.IsBuiltin() {
		return types.Identical(u.from.Underlying(), u.to.Underlying())
	}
	fn := census.Callee(info, call)
	if fn == nil || fn.Signature().TypeParams().Len() > 0 {
		return false
	}
	t := parameter(fn.Signature(), call, child)
	if t == nil {
		return false
	}
	if _, ok := t.(*types.TypeParam); ok {
		return false
	}
	if iface, ok := t.Underlying().(*types.Interface); ok && iface.Empty() {
		return u.goesOut(fn)
	}
	return types.AssignableTo(u.to, t)
}

// goesOut reports whether a function that takes anything may be handed the new type: code of the program could expect
// the old one, and what formats by verbs could not fit.
func (u *usage) goesOut(fn *types.Func) bool {
	if types.Identical(u.from.Underlying(), u.to.Underlying()) && !strings.HasSuffix(fn.Name(), "f") {
		return u.open
	}
	return u.open && fn.Pkg() != nil && u.c.Foreign(fn) && !strings.HasSuffix(fn.Name(), "f")
}

// parameter returns the type of the parameter that an argument is for.
func parameter(sig *types.Signature, call *ast.CallExpr, arg ast.Node) types.Type {
	for i, a := range call.Args {
		if ast.Node(a) != arg {
			continue
		}
		n := sig.Params().Len()
		if sig.Variadic() && i >= n-1 {
			return sig.Params().At(n - 1).Type().(*types.Slice).Elem()
		}
		if i < n {
			return sig.Params().At(i).Type()
		}
	}
	return nil
}

// operand judges the value as an operand.
func (u *usage) operand(b *ast.BinaryExpr, child ast.Node) bool {
	other := b.X
	if ast.Node(b.X) == child {
		other = b.Y
	}
	tv := u.pkg.Info.Types[other]
	fit := false
	switch {
	case tv.IsNil():
		return nillable(u.to)
	case b.Op == token.SHL || b.Op == token.SHR:
		return false
	case tv.Value != nil:
		basic, ok := tv.Type.(*types.Basic)
		fit = ok && untyped(other, u.pkg) && sameClass(basic, u.to)
	default:
		fit = tv.Type != nil && types.Identical(tv.Type, u.to)
	}
	switch b.Op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return fit
	case token.LAND, token.LOR:
		return isBasic(u.to, types.IsBoolean) && types.Identical(u.from.Underlying(), u.to.Underlying())
	}
	return fit && u.expr(b)
}

// untyped reports whether a constant takes the type of the other operand.
func untyped(e ast.Expr, pkg *program.Package) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident, *ast.SelectorExpr:
		c := census.NamedConst(pkg, e)
		if c == nil {
			return false
		}
		b, ok := c.Type().(*types.Basic)
		return ok && b.Info()&types.IsUntyped != 0
	}
	return false
}

// assignment judges v in x = v and x := v.
func (u *usage) assignment(as *ast.AssignStmt, child ast.Node) bool {
	if len(as.Lhs) != len(as.Rhs) || as.Tok != token.DEFINE && as.Tok != token.ASSIGN {
		return false
	}
	for i, rhs := range as.Rhs {
		if ast.Node(rhs) == child {
			return u.target(as.Lhs[i])
		}
	}
	return false
}

// target judges what the value is assigned to.
func (u *usage) target(lhs ast.Expr) bool {
	if id, ok := lhs.(*ast.Ident); ok {
		if id.Name == "_" {
			return true
		}
		if v, ok := u.pkg.Info.Defs[id].(*types.Var); ok {
			return u.variable(v)
		}
	}
	return u.assignable(u.pkg.Info.TypeOf(lhs))
}

// declaration judges v in var x = v.
func (u *usage) declaration(spec *ast.ValueSpec, child ast.Node) bool {
	if len(spec.Values) != len(spec.Names) {
		return false
	}
	if spec.Type != nil {
		return u.assignable(u.pkg.Info.TypeOf(spec.Type))
	}
	for i, v := range spec.Values {
		if ast.Node(v) == child {
			x, ok := u.pkg.Info.Defs[spec.Names[i]].(*types.Var)
			return ok && x.Parent() != u.pkg.Types.Scope() && u.variable(x)
		}
	}
	return false
}

// returned judges the value as a result.
func (u *usage) returned(ret *ast.ReturnStmt, child ast.Node) bool {
	results := u.c.ResultsAround(u.file, u.pkg, ret)
	if results == nil || results.Len() != len(ret.Results) {
		return false
	}
	for i, r := range ret.Results {
		if ast.Node(r) == child {
			return u.assignable(results.At(i).Type())
		}
	}
	return false
}

// element judges the value in a composite literal.
func (u *usage) element(lit *ast.CompositeLit, kv *ast.KeyValueExpr) bool {
	t := u.pkg.Info.TypeOf(lit)
	if t == nil {
		return false
	}
	switch t := t.Underlying().(type) {
	case *types.Struct:
		if kv == nil {
			return false
		}
		id, ok := kv.Key.(*ast.Ident)
		if !ok || u.pkg.Info.Uses[id] == nil {
			return false
		}
		return u.assignable(u.pkg.Info.Uses[id].Type())
	case *types.Map:
		return kv != nil && u.assignable(t.Elem())
	case *types.Slice:
		return u.assignable(t.Elem())
	case *types.Array:
		return u.assignable(t.Elem())
	}
	return false
}

func pointer(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.Pointer)
	return ok
}

func nillable(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Chan, *types.Signature, *types.Interface:
		return true
	}
	return false
}

func isBasic(t types.Type, info types.BasicInfo) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&info != 0
}

// sameClass reports whether two types are both strings, both booleans, both integers, or both floating-point numbers:
// operators and conversions mean the same for both.
func sameClass(a, b types.Type) bool {
	for _, class := range []types.BasicInfo{types.IsString, types.IsBoolean, types.IsInteger, types.IsFloat, types.IsComplex} {
		if isBasic(a, class) {
			return isBasic(b, class)
		}
	}
	return false
}
