package census

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A valueReader reads what a Value method, and the functions it hands the key to, do with it.
// It knows the shapes that treat an absent key of built-in type like any other absent key: asking
// another context, comparing with constants and fields, looking the key up in a container and
// returning what is found. Whatever else happens to the key is a difference.
type valueReader struct {
	sf *storeFinder
	st *foundStore
	// helper is set while a function that Value hands the key to is read: there, returning
	// nothing found is no answer yet.
	helper bool
}

func (r *valueReader) differ(f *program.File, pos token.Pos, basic *types.Basic, how string) {
	r.st.Differences = append(r.st.Differences, Difference{f, pos, how, basic})
}

// uses reads every mention of a key variable: the method's parameter, or the string made of it.
func (r *valueReader) uses(pkg *program.Package, f *program.File, key *types.Var) {
	for _, u := range r.sf.ix.usesOf(key) {
		if id := u.node.(*ast.Ident); pkg.Info.Defs[id] == nil {
			r.use(pkg, f, id, key)
		}
	}
}

func (r *valueReader) use(pkg *program.Package, f *program.File, id *ast.Ident, key *types.Var) {
	parent, child := r.sf.ix.outer(f, id)
	switch p := parent.(type) {
	case *ast.CallExpr:
		r.call(pkg, f, p, child, basicOf(key.Type()))
	case *ast.BinaryExpr:
		r.compare(pkg, f, p, child, basicOf(key.Type()))
	case *ast.SwitchStmt:
		for _, c := range p.Body.List {
			for _, e := range c.(*ast.CaseClause).List {
				r.caseValue(pkg, f, e, basicOf(key.Type()))
			}
		}
	case *ast.TypeAssertExpr:
		r.assertion(pkg, f, p)
	case *ast.IndexExpr:
		if p.Index != child {
			r.differ(f, id.Pos(), basicOf(key.Type()), "takes the key apart")
			return
		}
		r.field(pkg, f, p.X, basicOf(key.Type()))
	case *ast.AssignStmt:
		if containsExpr(p.Lhs, child) && r.convertsOther(pkg, f, p) {
			return
		}
		r.differ(f, id.Pos(), basicOf(key.Type()), "does more with the key than looking it up")
	default:
		r.differ(f, id.Pos(), basicOf(key.Type()), "does more with the key than looking it up")
	}
}

// call handles the key, or the string made of it, as an argument.
func (r *valueReader) call(pkg *program.Package, f *program.File, call *ast.CallExpr, child ast.Node, basic *types.Basic) {
	info := pkg.Info
	fn := Callee(info, call)
	switch {
	case isConversion(info, call):
		r.differ(f, call.Pos(), basic, "takes the key apart")
		return
	case fn == nil:
		r.differ(f, call.Pos(), basic, "hands the key to a function that is not known")
		return
	}
	if isValueMethod(fn) && (isInterfaceMethod(fn) || isContextLike(fn.Signature().Recv().Type())) {
		return // asks another context
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if decl, _ := r.declOf(fn); decl == nil {
			if v := fieldOf(info, sel.X); v != nil {
				r.st.fields[v] = true // a container whose code is not at hand, sync.Map for one
				return
			}
		}
	}
	for i, a := range call.Args {
		if ast.Node(a) != child {
			continue
		}
		decl, u := r.declOf(fn)
		v := r.sf.ix.paramVar(fn, i)
		if decl == nil || v == nil {
			r.differ(f, call.Pos(), basic, "hands the key to "+fn.FullName())
			continue
		}
		if !r.st.seen[decl] {
			r.st.seen[decl] = true
			(&valueReader{r.sf, r.st, true}).uses(u.pkg, u.file, v)
		}
	}
}

func (r *valueReader) declOf(fn *types.Func) (*ast.FuncDecl, use) {
	for _, u := range r.sf.ix.usesOf(fn.Origin()) {
		if decl, ok := r.sf.ix.parent(u.file, u.node).(*ast.FuncDecl); ok && decl.Name == u.node && decl.Body != nil {
			return decl, u
		}
	}
	return nil, use{}
}

// fieldOf returns the struct field that an expression selects.
func fieldOf(info *types.Info, e ast.Expr) *types.Var {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		if v, ok := info.Uses[e.Sel].(*types.Var); ok && v.IsField() {
			return v.Origin()
		}
	case *ast.StarExpr:
		return fieldOf(info, e.X)
	case *ast.UnaryExpr:
		return fieldOf(info, e.X)
	}
	return nil
}

// field notes the container that is indexed with the key.
func (r *valueReader) field(pkg *program.Package, f *program.File, x ast.Expr, basic *types.Basic) {
	if v := fieldOf(pkg.Info, x); v != nil {
		r.st.fields[v] = true
		return
	}
	if id, ok := ast.Unparen(x).(*ast.Ident); ok {
		if v, ok := pkg.Info.Uses[id].(*types.Var); ok {
			r.st.fields[v.Origin()] = true
			return
		}
	}
	r.differ(f, x.Pos(), basic, "looks the key up in a table that cannot be followed")
}

// compare handles key == X.
func (r *valueReader) compare(pkg *program.Package, f *program.File, p *ast.BinaryExpr, child ast.Node, basic *types.Basic) {
	if p.Op != token.EQL && p.Op != token.NEQ {
		r.differ(f, p.Pos(), basic, "takes the key apart")
		return
	}
	other := p.Y
	if ast.Node(other) == child {
		other = p.X
	}
	r.caseValue(pkg, f, other, basic)
}

// caseValue notes a value the key is compared with: a constant is a key the method answers, a
// field holds one, a value of another type concerns other keys.
func (r *valueReader) caseValue(pkg *program.Package, f *program.File, e ast.Expr, keyType *types.Basic) {
	tv := pkg.Info.Types[e]
	if tv.IsNil() {
		return
	}
	basic := basicOf(tv.Type)
	if tv.Value != nil && basic != nil {
		if basic.Info()&types.IsUntyped != 0 {
			basic = types.Default(basic).(*types.Basic)
		}
		r.st.cases = append(r.st.cases, caseKey{tv.Value, basic, Unknown{File: f, Pos: e.Pos(), Why: "the Value method of %s answers it itself"}})
		return
	}
	if v := fieldOf(pkg.Info, e); v != nil && (basic != nil || carrierType(tv.Type)) {
		r.st.fields[v] = true
		return
	}
	if basic == nil && tv.Type != nil && !carrierType(tv.Type) {
		r.st.Typed = append(r.st.Typed, TypedUse{tv.Type, Unknown{File: f, Pos: e.Pos(), Why: "the Value method of %s answers it itself"}})
		return
	}
	if basic != nil || carrierType(tv.Type) && !r.neverBuiltin(pkg, f, e) {
		r.differ(f, e.Pos(), keyType, "compares the key with a variable")
	}
}

// neverBuiltin reports whether everything that a variable of interface type can hold has a type
// that is not built in.
func (r *valueReader) neverBuiltin(pkg *program.Package, f *program.File, e ast.Expr) bool {
	seen := map[refSeen]bool{}
	var walk func(ref) bool
	walk = func(at ref) bool {
		if seen[refSeen{expr: at.expr, want: at.want}] {
			return true
		}
		seen[refSeen{expr: at.expr, want: at.want}] = true
		if at.want == "" {
			t := at.typ()
			if t == nil || basicOf(t) != nil {
				return false
			}
			if !carrierType(t) {
				return true
			}
		}
		if v, ok := namedObject(at).(*types.Var); ok && IsAPI(r.sf.ix.prog, v) {
			return false // importers may assign it
		}
		s := r.sf.ix.step(at)
		if len(s.unknown) > 0 || len(s.refs) == 0 {
			return false
		}
		for _, next := range s.refs {
			if !walk(next) {
				return false
			}
		}
		return true
	}
	return walk(ref{expr: e, file: f, pkg: pkg})
}

// namedObject returns what an identifier or selector refers to.
func namedObject(r ref) types.Object {
	switch e := ast.Unparen(r.expr).(type) {
	case *ast.Ident:
		return r.pkg.Info.Uses[e]
	case *ast.SelectorExpr:
		return r.pkg.Info.Uses[e.Sel]
	}
	return nil
}

// assertion handles key.(string) in all its forms.
func (r *valueReader) assertion(pkg *program.Package, f *program.File, p *ast.TypeAssertExpr) {
	ix := r.sf.ix
	parent, _ := ix.outer(f, p)
	if p.Type == nil { // switch k := key.(type)
		if sw, ok := ix.parent(f, parent).(*ast.TypeSwitchStmt); ok {
			r.typeSwitch(pkg, f, sw)
		}
		return
	}
	basic := basicOf(pkg.Info.TypeOf(p.Type))
	if basic == nil {
		if carrierType(pkg.Info.TypeOf(p.Type)) {
			r.differ(f, p.Pos(), nil, "asks what interface the key has")
		}
		return
	}
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Lhs) != 2 || as.Tok != token.DEFINE {
		r.differ(f, p.Pos(), nil, "panics for keys that are no "+basic.Name())
		return
	}
	if str := definedVar(pkg.Info, as.Lhs[0]); str != nil {
		r.uses(pkg, f, str)
	}
	okVar := definedVar(pkg.Info, as.Lhs[1])
	if okVar == nil {
		r.differ(f, as.Pos(), basic, "treats keys of type "+basic.Name()+" in a way of its own")
		return
	}
	b := &branchReader{r, pkg, f, basic, definedVar(pkg.Info, as.Lhs[0])}
	for _, u := range ix.usesOf(okVar) {
		id := u.node.(*ast.Ident)
		if pkg.Info.Defs[id] != nil {
			continue
		}
		if again, ok := ix.outer1(f, id).(*ast.AssignStmt); ok && containsExpr(again.Lhs, id) {
			break // from here on it tells something else
		}
		b.okUse(id)
	}
}

// convertsOther reports whether an assignment to the key only serves keys of a type that is not
// built in: if b, ok := key.([]byte); ok { key = string(b) }.
func (r *valueReader) convertsOther(pkg *program.Package, f *program.File, n ast.Node) bool {
	for p := r.sf.ix.parent(f, n); p != nil; p = r.sf.ix.parent(f, p) {
		ifs, ok := p.(*ast.IfStmt)
		if !ok {
			continue
		}
		as, ok := ifs.Init.(*ast.AssignStmt)
		if !ok || len(as.Lhs) != 2 || len(as.Rhs) != 1 {
			continue
		}
		assert, ok := as.Rhs[0].(*ast.TypeAssertExpr)
		cond, isIdent := ifs.Cond.(*ast.Ident)
		okVar := definedVar(pkg.Info, as.Lhs[1])
		if !ok || assert.Type == nil || !isIdent || okVar == nil || pkg.Info.Uses[cond] != okVar {
			continue
		}
		t := pkg.Info.TypeOf(assert.Type)
		return t != nil && basicOf(t) == nil && !carrierType(t) && n.Pos() > ifs.Body.Pos() && n.Pos() < ifs.Body.End()
	}
	return false
}

func definedVar(info *types.Info, e ast.Expr) *types.Var {
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil
	}
	v, _ := info.Defs[id].(*types.Var)
	return v
}

// typeSwitch handles switch k := key.(type).
func (r *valueReader) typeSwitch(pkg *program.Package, f *program.File, sw *ast.TypeSwitchStmt) {
	for _, c := range sw.Body.List {
		clause := c.(*ast.CaseClause)
		var basic *types.Basic
		for _, e := range clause.List {
			if b := basicOf(pkg.Info.TypeOf(e)); b != nil && b.Kind() != types.UntypedNil {
				basic = b
			} else if t := pkg.Info.TypeOf(e); t != nil && b == nil && carrierType(t) {
				r.differ(f, e.Pos(), nil, "asks what interface the key has")
			}
		}
		v, _ := pkg.Info.Implicits[clause].(*types.Var)
		switch {
		case basic != nil:
			r.implicit(pkg, f, clause, v)
			b := &branchReader{r, pkg, f, basic, v}
			b.block(clause.Body)
		case clause.List == nil:
			r.implicit(pkg, f, clause, v)
			if returnsAlways(clause.Body) && !lastDelegates(pkg, clause.Body) {
				r.differ(f, clause.Pos(), nil, "answers keys of other types without asking the parent context")
			}
		}
	}
}

// implicit reads the uses of a type switch's variable in one clause.
func (r *valueReader) implicit(pkg *program.Package, f *program.File, clause *ast.CaseClause, v *types.Var) {
	if v == nil {
		return
	}
	for _, s := range clause.Body {
		ast.Inspect(s, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && pkg.Info.Uses[id] == v {
				r.use(pkg, f, id, v)
			}
			return true
		})
	}
}

// returnsAlways reports whether the last statement is a return.
func returnsAlways(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	_, ok := list[len(list)-1].(*ast.ReturnStmt)
	return ok
}

// lastDelegates reports whether the closing return asks another context.
func lastDelegates(pkg *program.Package, list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	ret, ok := list[len(list)-1].(*ast.ReturnStmt)
	return ok && delegates(pkg, ret)
}

// delegates reports whether a return statement is return x.Value(...).
func delegates(pkg *program.Package, ret *ast.ReturnStmt) bool {
	if len(ret.Results) != 1 {
		return false
	}
	call, ok := ast.Unparen(ret.Results[0]).(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := Callee(pkg.Info, call)
	return fn != nil && isValueMethod(fn)
}
