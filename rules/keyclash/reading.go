package keyclash

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

// mendFailing decides, for assertions that no stored value passes, which reading is right: that of the writers, or that of
// the look-ups. Those for which the types do not tell are left out.
func (c *clash) mendFailing(failing []census.Assertion) map[ast.Expr]*rules.Fix {
	fixes := map[ast.Expr]*rules.Fix{}
	stores := c.storesAsAsserted()
	for _, a := range failing {
		if read := c.assertStored(a); read != nil && !(stores != nil && (len(stores.Stores) < len(failing) || c.byAccident(stores))) {
			fixes[a.Expr] = c.fix(read, "assert", a.Site)
		}
	}
	if stores == nil || len(fixes) > 0 {
		return fixes
	}
	fix := c.fix(stores, "store", stores.Stores[0].Site)
	for _, a := range failing {
		fixes[a.Expr] = fix
	}
	return fixes
}

// byAccident reports whether all that is stored are constants without a type of their own, so that nobody chose it.
func (c *clash) byAccident(in *rules.MeetTypes) bool {
	for _, s := range in.Stores {
		if lk := s.Site.Lookup; !untyped(lk.Value, lk.Pkg) {
			return false
		}
	}
	return true
}

func (c *clash) fix(in *rules.MeetTypes, verb string, at *census.Site) *rules.Fix {
	return &rules.Fix{
		Title:         fmt.Sprintf("%s %s for %s", verb, written(in.Type, at.Lookup.Pkg.Types), c.text(at)),
		Applicability: rules.Review,
		Intent:        in,
	}
}

// assertStored is the reading that a failing assertion should name the type that is stored: its result has to be used in
// ways that this type allows, and something has to show that the type was meant.
func (c *clash) assertStored(a census.Assertion) *rules.MeetTypes {
	t, others := c.expected(a)
	if t == nil || types.IsInterface(a.Type) || c.c.Shared(a.Site) || c.everywhereFails(a, t) {
		return nil
	}
	lk := a.Site.Lookup
	u := &usage{
		c: c.c, file: lk.File, pkg: lk.Pkg, from: a.Type, to: t, seen: map[*types.Var]bool{},
		open: near(a.Type, t) || others, back: convertsBack(a.Type, t),
	}
	used, ok := c.usedAs(a, u)
	if !ok || used && !near(a.Type, t) && !others {
		return nil
	}
	why := "that is all that is stored"
	switch {
	case others:
		why = "it is stored, and asserted by other look-ups"
	case !used:
		why = "that is all that is stored, and only presence is asked for"
	}
	return &rules.MeetTypes{Key: c.key, Type: t, Why: why, Reads: []*rules.RetypedRead{{Assertion: a, Back: u.converted}}}
}

// expected returns the one type that the value can be meant to have: the only one that is stored or, of several, the only one
// that another look-up asserts; others is set when another look-up in ordinary code asserts it.
func (c *clash) expected(a census.Assertion) (t types.Type, others bool) {
	var stored, confirmed []types.Type
	if !slices.ContainsFunc(c.stored, func(s census.Stored) bool { return !s.Site.File.Test }) {
		return nil, false // a test made it up
	}
	for _, s := range c.stored {
		if !census.Decidable(s.Type) || types.IsInterface(s.Type) {
			return nil, false
		}
		stored = addType(stored, s.Type)
		if slices.ContainsFunc(c.asserted, func(b census.Assertion) bool {
			return b.Expr != a.Expr && !b.Site.Lookup.File.Test && types.Identical(b.Type, s.Type)
		}) {
			confirmed = addType(confirmed, s.Type)
		}
	}
	switch {
	case len(confirmed) == 1:
		return confirmed[0], true
	case len(stored) == 1:
		return stored[0], false
	}
	return nil, false
}

func addType(list []types.Type, t types.Type) []types.Type {
	if slices.ContainsFunc(list, func(have types.Type) bool { return types.Identical(have, t) }) {
		return list
	}
	return append(list, t)
}

// everywhereFails reports whether several look-ups agree on the type that a single writer does not store: it may
// well be the writer who is wrong.
func (c *clash) everywhereFails(a census.Assertion, t types.Type) bool {
	return !near(a.Type, t) && !slices.ContainsFunc(c.asserted, func(b census.Assertion) bool { return census.Accepts(b.Type, t) }) && len(c.asserted) > 1
}

// usedAs judges what becomes of an assertion's result; used is false when it is not looked at.
func (c *clash) usedAs(a census.Assertion, u *usage) (used, ok bool) {
	v, present, stmt := c.c.Defines(u.file, u.pkg, a.Expr)
	if stmt == nil {
		if !a.Panics {
			return false, c.blankPair(a, u)
		}
		return true, u.expr(a.Expr)
	}
	if v == nil || v.Name() == "_" {
		return false, true
	}
	if u.pkg.Info.Defs[stmt.Lhs[0].(*ast.Ident)] == nil {
		return true, false // it holds something else as well
	}
	if !u.variable(v) {
		return true, false
	}
	for _, e := range u.mentions {
		if !a.Panics && fallsThrough(u.from, u.to) && !c.c.Guarded(a, v, present, stmt, e) {
			return true, false // nil, where the value is absent, would panic
		}
	}
	return true, true
}

// blankPair reports whether a two-valued assertion that defines nothing sets no variable but that for presence.
func (c *clash) blankPair(a census.Assertion, u *usage) bool {
	parent, _ := c.c.Outer(u.file, a.Expr)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Lhs) != 2 {
		return false
	}
	id, ok := as.Lhs[0].(*ast.Ident)
	return ok && id.Name == "_"
}

// fallsThrough reports whether the zero value of the new type panics where that of the old one did not.
func fallsThrough(from, to types.Type) bool {
	return pointer(to) && !pointer(from)
}

// near reports whether two types are taken for one another: a type and a pointer to it, a named type and what it is
// made of, types of the same name, integers of different sizes.
func near(a, b types.Type) bool {
	if pa, ok := types.Unalias(a).(*types.Pointer); ok && types.Identical(pa.Elem(), b) {
		return true
	}
	if pb, ok := types.Unalias(b).(*types.Pointer); ok && types.Identical(pb.Elem(), a) {
		return true
	}
	if pa, ok := types.Unalias(a).(*types.Pointer); ok {
		if pb, ok := types.Unalias(b).(*types.Pointer); ok {
			return sameNamed(pa.Elem(), pb.Elem())
		}
	}
	return sameNamed(a, b) || convertsBack(a, b) || unnamedInteger(a) && unnamedInteger(b)
}

// sameNamed reports whether two types are declared under one name in two packages.
func sameNamed(a, b types.Type) bool {
	x, ok := types.Unalias(a).(*types.Named)
	y, yOK := types.Unalias(b).(*types.Named)
	return ok && yOK && x.Obj().Name() == y.Obj().Name()
}

// convertsBack reports whether a value of type to is one of type from but for its name.
func convertsBack(from, to types.Type) bool {
	_, basic := from.Underlying().(*types.Basic)
	return basic && types.Identical(from.Underlying(), to.Underlying())
}

func unnamedInteger(t types.Type) bool {
	b, ok := types.Unalias(t).(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

// storesAsAsserted is the reading that writers should store the one type that all look-ups assert.
func (c *clash) storesAsAsserted() *rules.MeetTypes {
	t := c.oneAsserted()
	if t == nil || !c.all {
		return nil
	}
	in := &rules.MeetTypes{Key: c.key, Type: t, Why: "every look-up asserts it"}
	for _, s := range c.stored {
		r := c.storeAs(s, t)
		if r == nil {
			return nil
		}
		in.Stores = append(in.Stores, r)
	}
	return in
}

// oneAsserted returns the type that all assertions agree on, nil when they do not.
func (c *clash) oneAsserted() types.Type {
	var list []types.Type
	for _, a := range c.asserted {
		if !census.Decidable(a.Type) {
			return nil
		}
		list = addType(list, a.Type)
	}
	if len(list) != 1 {
		return nil
	}
	return list[0]
}

// storeAs returns how a stored value becomes one of the type that is asserted, nil where that is not plain.
func (c *clash) storeAs(s census.Stored, t types.Type) *rules.RetypedStore {
	lk := s.Site.Lookup
	if !s.Own || !s.Site.Pkg.World || !lk.Pkg.World || c.c.Shared(s.Site) {
		return nil
	}
	e := ast.Unparen(lk.Value)
	tv := lk.Pkg.Info.Types[e]
	if tv.Type == nil || !types.Identical(types.Default(tv.Type), s.Type) {
		return nil // it is made elsewhere
	}
	form, ok := c.form(lk, e, s.Type, t)
	if !ok {
		return nil
	}
	return &rules.RetypedStore{Site: s.Site, Form: form}
}

func (c *clash) form(lk *census.Lookup, e ast.Expr, have, want types.Type) (rules.StoreForm, bool) {
	if types.IsInterface(want) {
		want = types.NewPointer(have)
		if !c.passedBy(want) {
			return 0, false
		}
	}
	if p, ok := types.Unalias(want).(*types.Pointer); ok && types.Identical(p.Elem(), have) {
		switch e := e.(type) {
		case *ast.StarExpr:
			return rules.StoreOperand, true
		case *ast.CompositeLit:
			return rules.StoreAddress, true
		case *ast.Ident:
			return rules.StoreAddress, c.staysAsStored(lk, e)
		}
		return 0, false
	}
	if p, ok := types.Unalias(have).(*types.Pointer); ok && types.Identical(p.Elem(), want) {
		u, ok := e.(*ast.UnaryExpr)
		return rules.StoreOperand, ok && u.Op == token.AND
	}
	if _, builtin := types.Unalias(have).(*types.Basic); !builtin {
		return 0, false // somebody chose the type
	}
	if tv := lk.Pkg.Info.Types[e]; tv.Value != nil && convertible(tv.Value, have, want) {
		return rules.StoreConverted, true
	}
	return rules.StoreConverted, convertsBack(want, have)
}

// passedBy reports whether every assertion accepts a type.
func (c *clash) passedBy(t types.Type) bool {
	for _, a := range c.asserted {
		if !census.Accepts(a.Type, t) {
			return false
		}
	}
	return true
}

// convertible reports whether a constant is the same number as a value of another built-in type, or the same text as one of
// another string type. A number of a named type may have a unit.
func convertible(v constant.Value, have, want types.Type) bool {
	if isBasic(have, types.IsString) {
		return isBasic(want, types.IsString)
	}
	_, builtin := types.Unalias(want).(*types.Basic)
	return builtin && v.Kind() == constant.Int && isBasic(want, types.IsInteger)
}

// staysAsStored reports whether a variable is one of the function around, made anew whenever the store runs and not changed
// afterwards, so that its address serves as well as a copy.
func (c *clash) staysAsStored(lk *census.Lookup, id *ast.Ident) bool {
	v, ok := lk.Pkg.Info.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Parent() == lk.Pkg.Types.Scope() || c.outlives(lk, v) {
		return false
	}
	for _, use := range c.c.Uses(v) {
		if use.Ident.Pos() < id.Pos() {
			continue
		}
		u := &usage{c: c.c, file: use.File, pkg: use.Pkg}
		var e ast.Expr = use.Ident
		for e != nil {
			if u.assigned(e) || u.changedBy(e) {
				return false
			}
			e = u.outerOperand(e)
		}
	}
	return true
}

// outlives reports whether a variable is declared outside a loop, or a function literal, that the store lies in.
func (c *clash) outlives(lk *census.Lookup, v *types.Var) bool {
	for n := c.c.Parent(lk.File, lk.Call); n != nil; n = c.c.Parent(lk.File, n) {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.FuncLit:
			if v.Pos() < n.Pos() || v.Pos() >= n.End() {
				return true
			}
		}
	}
	return false
}

// changedBy reports whether an expression is a call's function that may change its receiver.
func (u *usage) changedBy(e ast.Expr) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	fn, ok := u.pkg.Info.Uses[sel.Sel].(*types.Func)
	return ok && fn.Signature().Recv() != nil && pointer(fn.Signature().Recv().Type())
}

// outerOperand returns the selection or index that an expression is the operand of, nil for none.
func (u *usage) outerOperand(e ast.Expr) ast.Expr {
	parent, child := u.c.Outer(u.file, e)
	switch p := parent.(type) {
	case *ast.SelectorExpr:
		return p
	case *ast.IndexExpr:
		if ast.Node(p.X) == child {
			return p
		}
	}
	return nil
}

// mendRefused stores a value that no look-up accepts as the one type that all look-ups assert.
func (c *clash) mendRefused(s census.Stored) *rules.Fix {
	t := c.oneAsserted()
	if t == nil || types.IsInterface(t) {
		return nil
	}
	r := c.storeAs(s, t)
	if r == nil {
		return nil
	}
	return c.fix(&rules.MeetTypes{Key: c.key, Type: t, Stores: []*rules.RetypedStore{r}, Why: "every look-up asserts it"}, "store", s.Site)
}
