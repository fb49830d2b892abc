package census

import (
	"go/ast"
	"go/types"
)

// enter notes a function whose signature names the map; false when the slot was seen before or the signature
// cannot change.
func (r *recorder) enter(fn *types.Func, index int, at Expr) bool {
	s := slot{fn.Pos(), index}
	if r.slots[s] {
		return false
	}
	r.slots[s] = true
	if why := r.fixedSignature(fn); why != "" {
		r.lose(ReasonEscapes, at, "the map goes through %s, %s", funcName(fn), why)
		return false
	}
	for _, have := range r.rec.Funcs {
		if have.Pos() == fn.Pos() {
			return true
		}
	}
	r.rec.Funcs = append(r.rec.Funcs, fn)
	switch f := r.Program.FileOf(fn.Pos()); {
	case r.MentionedUnchecked(fn):
		r.hazard(ReasonExcluded, f, fn.Pos(), "a file that was not type-checked mentions %s", fn.Name())
	case IsAPI(r.Program, fn):
		r.note(ReasonEscapes, f, fn.Pos(), "%s.%s is exported: importers that use it will notice the new type", fn.Pkg().Name(), fn.Name())
	}
	return true
}

// funcName writes a function as its callers do.
func funcName(fn *types.Func) string {
	if fn.Signature().Recv() == nil && fn.Pkg() != nil {
		return fn.Pkg().Name() + "." + fn.Name()
	}
	return fn.Name()
}

// fixedSignature says why a function's signature cannot change, "" when it can.
func (r *recorder) fixedSignature(fn *types.Func) string {
	f := r.Program.FileOf(fn.Pos())
	switch {
	case f == nil || !f.World:
		return "a function outside the program"
	case isInterfaceMethod(fn):
		return "a method of an interface"
	case fn.Signature().TypeParams().Len() > 0 || fn.Signature().RecvTypeParams().Len() > 0:
		return "a generic function"
	case fn.Signature().Recv() != nil && r.InterfaceMethod(fn.Name()):
		return "a method that an interface may ask for"
	case fn.Signature().Recv() != nil && fn.Exported() && CallsByName(r.Program):
		return "an exported method, which templates or reflection may call"
	}
	for _, ix := range r.indexes {
		if ix.linked[mentionedName{fn.Pkg().Path(), fn.Name()}] {
			return "which a directive links to other code"
		}
	}
	for _, u := range r.Uses(fn) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, child := r.Outer(u.File, r.NameExpr(u.File, u.Ident))
		if call, ok := parent.(*ast.CallExpr); !ok || ast.Node(call.Fun) != child {
			return "which is used as a value"
		}
	}
	return ""
}

// param follows a map into a parameter: what the function does with it, and what other callers pass.
func (r *recorder) param(fn *types.Func, i int, at Expr) {
	if !r.enter(fn, i, at) {
		return
	}
	params := fn.Signature().Params()
	if i < 0 || i >= params.Len() || fn.Signature().Variadic() && i == params.Len()-1 {
		r.lose(ReasonEscapes, at, "the map is one of any number of arguments, or a receiver")
		return
	}
	v := params.At(i)
	if !r.isMap(v.Type(), at.Pkg) {
		r.lose(ReasonEscapes, at, "%s takes it as %s", fn.Name(), types.TypeString(v.Type(), types.RelativeTo(fn.Pkg())))
		return
	}
	decl := r.declOf(fn)
	if decl.Expr == nil {
		r.lose(ReasonEscapes, at, "the map is handed to %s, whose body is elsewhere", fn.Name())
		return
	}
	field, names := fieldAt(decl.Expr.(*ast.FuncLit).Type.Params, i)
	r.spellShared(field.Type, names, Expr{field.Type, decl.File, decl.Pkg})
	if v.Name() != "" && v.Name() != "_" {
		r.variable(v, at)
	}
	for _, u := range r.Uses(fn) {
		call, ok := r.callAt(u)
		switch {
		case !ok:
		case len(call.Args) != params.Len():
			r.lose(ReasonEscapes, Expr{call, u.File, u.Pkg}, "the map is one of several results passed on at once")
		default:
			r.from(Expr{call.Args[i], u.File, u.Pkg})
		}
	}
}

// result follows a map out of a function's result: what is returned, and what callers do with it.
func (r *recorder) result(fn *types.Func, i int, at Expr) {
	if !r.enter(fn, ^i, at) {
		return
	}
	results := fn.Signature().Results()
	if !r.isMap(results.At(i).Type(), at.Pkg) {
		r.lose(ReasonEscapes, at, "%s returns it as %s", fn.Name(), types.TypeString(results.At(i).Type(), types.RelativeTo(fn.Pkg())))
		return
	}
	decl := r.declOf(fn)
	if decl.Expr == nil {
		r.lose(ReasonEscapes, at, "the map comes from %s, whose body is elsewhere", fn.Name())
		return
	}
	lit := decl.Expr.(*ast.FuncLit)
	field, names := fieldAt(lit.Type.Results, i)
	r.spellShared(field.Type, names, Expr{field.Type, decl.File, decl.Pkg})
	r.returns(lit.Body, i, results.Len(), decl)
	r.recovered = r.recovered || r.mayRecover(lit.Body, decl)
	if v := results.At(i); v.Name() != "" && v.Name() != "_" {
		r.variable(v, Expr{field.Type, decl.File, decl.Pkg})
	}
	for _, u := range r.Uses(fn) {
		if call, ok := r.callAt(u); ok {
			r.called(call, i, results.Len(), u)
		}
	}
}

// returns follows the values of a function's return statements.
func (r *recorder) returns(body *ast.BlockStmt, i, n int, decl Expr) {
	ast.Inspect(body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			switch len(node.Results) {
			case n:
				r.from(Expr{node.Results[i], decl.File, decl.Pkg})
			case 0:
			default:
				r.lose(ReasonEscapes, Expr{node.Results[0], decl.File, decl.Pkg}, "the map is one of several results passed on at once")
			}
		}
		return true
	})
}

// mayRecover reports whether a function body defers a call that may end a panic, so that the function returns zero values.
func (r *recorder) mayRecover(body *ast.BlockStmt, e Expr) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			found = found || r.recovers(n.Call, e)
		}
		return !found
	})
	return found
}

// recovers reports whether a deferred call may call recover: its function does, or is not known. The standard library has no
// function that recovers for others.
func (r *recorder) recovers(call *ast.CallExpr, e Expr) bool {
	body := ast.Node(nil)
	info := e.Pkg.Info
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.FuncLit:
		body = fun.Body
	default:
		fn := Callee(info, call)
		if fn == nil {
			id, ok := fun.(*ast.Ident)
			return !ok || info.Uses[id] != types.Universe.Lookup("close")
		}
		if fn.Pkg() == nil {
			return true
		}
		if p := e.Pkg.Config.Package(fn.Pkg().Path()); p != nil && p.Std() {
			return false
		}
		decl := r.declOf(fn)
		if decl.Expr == nil {
			return true
		}
		body, info = decl.Expr.(*ast.FuncLit).Body, decl.Pkg.Info
	}
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && info.Uses[id] == types.Universe.Lookup("recover") {
			found = true
		}
		return !found
	})
	return found
}

// called follows the result of one call.
func (r *recorder) called(call *ast.CallExpr, i, n int, u Use) {
	at := Expr{call, u.File, u.Pkg}
	if n == 1 {
		r.forward(at)
		return
	}
	parent, _ := r.Outer(u.File, call)
	var lhs []ast.Expr
	switch p := parent.(type) {
	case *ast.AssignStmt:
		lhs = p.Lhs
	case *ast.ValueSpec:
		if p.Type != nil {
			r.lose(ReasonEscapes, at, "the map is declared together with other variables")
			return
		}
		for _, name := range p.Names {
			lhs = append(lhs, name)
		}
	case *ast.ExprStmt:
		return
	}
	if len(lhs) != n {
		r.lose(ReasonEscapes, at, "the map is one of several results passed on at once")
		return
	}
	r.into(lhs[i], at)
}

// callAt returns the call that a mention of a function is, if it is one.
func (r *recorder) callAt(u Use) (*ast.CallExpr, bool) {
	if u.Pkg.Info.Defs[u.Ident] != nil {
		return nil, false
	}
	parent, child := r.Outer(u.File, r.NameExpr(u.File, u.Ident))
	call, ok := parent.(*ast.CallExpr)
	return call, ok && ast.Node(call.Fun) == child
}

// declOf returns a function's declaration in the form of a literal; its Expr is nil when there is none with a body.
func (r *recorder) declOf(fn *types.Func) Expr {
	for _, u := range r.Uses(fn) {
		if decl, ok := r.Parent(u.File, u.Ident).(*ast.FuncDecl); ok && decl.Name == u.Ident && decl.Body != nil {
			return Expr{&ast.FuncLit{Type: decl.Type, Body: decl.Body}, u.File, u.Pkg}
		}
	}
	return Expr{}
}

// fieldAt returns the field of a parameter or result list that declares the i-th entry, with
// the number of names it declares.
func fieldAt(list *ast.FieldList, i int) (*ast.Field, int) {
	for _, f := range list.List {
		n := max(1, len(f.Names))
		if i < n {
			return f, n
		}
		i -= n
	}
	return nil, 0
}
