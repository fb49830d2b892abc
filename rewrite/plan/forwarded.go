package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
)

// A forwarded look-up is a call of a function that does nothing but look a key up, or store under it:
// gen.Get[string](ctx, "token"), s.get("lang").
type forwarded struct {
	call *ast.CallExpr
	kind AccessorKind
	// ctx is the context as the caller would write it.
	ctx Text
	// ctxArg is the argument that is the context, nil where that comes with the receiver.
	ctxArg ast.Expr
	// value is what the call stores; nil for look-ups.
	value ast.Expr
	// typ is what the call's result is; nil for look-ups without assertion.
	typ types.Type
}

// forwardedAt recognises the call that a site's expression is an argument of; nil for other places.
func (d *draft) forwardedAt(s *census.Site) *forwarded {
	lk := s.Lookup
	parent, child := d.census.Outer(s.File, s.Expr)
	call, ok := parent.(*ast.CallExpr)
	if !ok || !lk.Pkg.World || lk.Call == nil || lk.Call == call {
		return nil
	}
	fn := census.Callee(s.Pkg.Info, call)
	decl := d.enclosingFunc(&spot{Point: &census.Point{File: lk.File}, lookup: lk})
	if fn == nil || decl == nil || fn.Origin().Pos() != decl.Name.Pos() || call.Ellipsis.IsValid() {
		return nil
	}
	obj, ok := lk.Pkg.Info.Defs[decl.Name].(*types.Func)
	if !ok || obj.Signature().Variadic() {
		return nil
	}
	at := func(e ast.Expr) int { return paramIndex(obj, lk, e) }
	if k := at(lk.Key); k < 0 || k >= len(call.Args) || ast.Node(call.Args[k]) != child || effects(s.Pkg, call.Args[k]) || receiverActs(s, call) {
		return nil
	}
	f := &forwarded{call: call}
	used := 2
	if i := at(lk.Context); i >= 0 {
		if !isContextType(obj.Signature().Params().At(i).Type()) || !primary(call.Args[i]) {
			return nil
		}
		f.ctx, f.ctxArg = Text{d.keep(s.File, call.Args[i])}, call.Args[i]
	} else if f.ctx = d.receiverContext(s, call, decl); f.ctx != nil {
		used = 1
	} else {
		return nil
	}
	if lk.Role == census.Writer {
		i := at(lk.Value)
		if i < 0 || len(call.Args) != used+1 || !returnsOnly(decl.Body.List, lk.Call) {
			return nil
		}
		f.kind, f.value = With, call.Args[i]
		return f
	}
	if len(call.Args) != used || !d.lookupShape(f, s, decl, obj) {
		return nil
	}
	return f
}

// primary reports whether a selector can follow an expression as it is.
func primary(e ast.Expr) bool {
	switch e.(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.CallExpr, *ast.IndexExpr, *ast.ParenExpr:
		return true
	}
	return false
}

// paramIndex returns which parameter of a function an expression names, -1 for none.
func paramIndex(fn *types.Func, lk *census.Lookup, e ast.Expr) int {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return -1
	}
	for i := range fn.Signature().Params().Len() {
		if lk.Pkg.Info.Uses[id] == fn.Signature().Params().At(i) {
			return i
		}
	}
	return -1
}

// receiverContext writes the context that a method finds in its receiver as the caller would, where both stand in
// one package and the receiver is a name.
func (d *draft) receiverContext(s *census.Site, call *ast.CallExpr, decl *ast.FuncDecl) Text {
	lk := s.Lookup
	path, ok := ast.Unparen(lk.Context).(*ast.SelectorExpr)
	fun, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || !isSel || decl.Recv == nil || len(decl.Recv.List[0].Names) != 1 || s.Pkg.Path != lk.Pkg.Path {
		return nil
	}
	recv, ok := ast.Unparen(path.X).(*ast.Ident)
	if _, named := ast.Unparen(fun.X).(*ast.Ident); !ok || !named || lk.Pkg.Info.Uses[recv] != lk.Pkg.Info.Defs[decl.Recv.List[0].Names[0]] {
		return nil
	}
	if v, ok := lk.Pkg.Info.Uses[path.Sel].(*types.Var); !ok || !v.IsField() {
		return nil
	}
	return Text{d.keep(s.File, fun.X), Lit("." + path.Sel.Name)}
}

// receiverActs reports whether evaluating the call's receiver may have effects, which would be lost.
func receiverActs(s *census.Site, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && s.Pkg.Info.Selections[sel] != nil && effects(s.Pkg, sel.X)
}

// lookupShape recognises a body that returns what is looked up, asserted or not.
func (d *draft) lookupShape(f *forwarded, s *census.Site, decl *ast.FuncDecl, fn *types.Func) bool {
	lk := s.Lookup
	results, body := fn.Signature().Results(), decl.Body.List
	if results.Len() == 1 && returnsOnly(body, lk.Call) {
		f.kind = Any
		return true
	}
	parent, _ := d.census.Outer(lk.File, lk.Call)
	assert, ok := parent.(*ast.TypeAssertExpr)
	if !ok || assert.Type == nil || results.Len() == 0 {
		return false
	}
	t := lk.Pkg.Info.TypeOf(assert.Type)
	if !types.Identical(results.At(0).Type(), t) {
		return false
	}
	switch {
	case results.Len() == 1 && returnsOnly(body, assert):
		f.kind = Must
	case results.Len() == 2 && returnsPair(lk, body, assert):
		f.kind = From
	default:
		return false
	}
	// The call's own types have the type arguments in place.
	have := s.Pkg.Info.TypeOf(f.call)
	if tuple, ok := have.(*types.Tuple); ok {
		have = tuple.At(0).Type()
	}
	f.typ = have
	return have != nil && !typeParams(have)
}

// accessForwarded lets an accessor take the place of a call that hands the key on.
func (kp *keyPlan) accessForwarded(s *spot, n *keyNames) error {
	f := s.call
	kp.chooseValue(n)
	kind, whole := f.kind, ast.Expr(f.call)
	switch {
	case kind == From || kind == Must:
		if n.value == nil || isError(n.value) || !types.Identical(f.typ, n.value) {
			return block("forwarder", s.File, s.Expr.Pos(), "the call expects %s here, for which the key has no accessor", types.TypeString(f.typ, nil))
		}
	case kind == Any:
		if t, assert := kp.assertedHere(s, f.call); t != nil && n.value != nil && !isError(n.value) && types.Identical(t, n.value) {
			kind, whole = Must, assert
			if isCommaOK(s.Pkg.Info.Types[assert]) {
				kind = From
			}
		}
	}
	if err := kp.commentLost(s, whole, f); err != nil {
		return err
	}
	name := ""
	if a := n.have[kind]; a != nil && (a.value == nil || n.value != nil && types.Identical(a.value, n.value)) {
		name = a.name
	}
	if name == "" {
		name = kp.accessor(n, kind)
	}
	n.foreign = n.foreign || s.Pkg.Path != kp.home.path
	text := append(Text{Name(kp.home.path, kp.home.name, name), Lit("(")}, f.ctx...)
	if f.value != nil {
		text = append(text, Lit(", "), kp.keep(s.File, f.value))
	}
	kp.spliceText(s.File, whole.Pos(), whole.End(), append(text, Lit(")")))
	return nil
}

// assertedHere returns the type that a call's result is asserted to on the spot, and the assertion.
func (kp *keyPlan) assertedHere(s *spot, call *ast.CallExpr) (types.Type, ast.Expr) {
	parent, _ := kp.census.Outer(s.File, call)
	if a, ok := parent.(*ast.TypeAssertExpr); ok && a.Type != nil {
		return s.Pkg.Info.TypeOf(a.Type), a
	}
	return nil, nil
}

// commentLost blocks the unit when a comment stands inside a call that is written anew.
func (kp *keyPlan) commentLost(s *spot, whole ast.Expr, f *forwarded) error {
	if kp.commentIn(s.File, kp.offset(s.File, whole.Pos()), kp.offset(s.File, whole.End())) {
		return block("comment", s.File, f.call.Pos(), "a comment inside the call would be lost; move it")
	}
	return nil
}

// inlineForwarded writes the look-up itself where a function asks for the type of the key that goes.
func (kp *keyPlan) inlineForwarded(s *spot, name string) error {
	f := s.call
	if err := kp.commentLost(s, f.call, f); err != nil {
		return err
	}
	key := Text{Name(kp.home.path, kp.home.name, name)}
	if kp.style == "struct" {
		key = append(key, Lit("{}"))
	}
	var text Text
	if f.value != nil {
		text = append(Text{Name("context", "context", "WithValue"), Lit("(")}, f.ctx...)
		text = append(append(append(text, Lit(", ")), key...), Lit(", "), kp.keep(s.File, f.value), Lit(")"))
	} else {
		text = append(append(Text{}, f.ctx...), Lit(".Value("))
		text = append(append(text, key...), Lit(")"))
		if f.typ != nil {
			if !kp.pairFits(s, f) {
				return block("forwarder", s.File, s.Expr.Pos(), "the key is handed to a function that asks for its type, and its results go on as a pair; change that first")
			}
			typ, err := kp.typeAt(s.File, s.Pkg, f.typ, s.Expr.Pos())
			if err != nil {
				return err
			}
			text = append(append(append(text, Lit(".(")), typ...), Lit(")"))
		}
	}
	kp.spliceText(s.File, f.call.Pos(), f.call.End(), text)
	return nil
}

// pairFits reports whether a two-valued assertion can stand where a call with two results does.
func (kp *keyPlan) pairFits(s *spot, f *forwarded) bool {
	if f.kind != From {
		return true
	}
	parent, _ := kp.census.Outer(s.File, f.call)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		return len(p.Lhs) == 2 && (p.Tok == token.DEFINE || p.Tok == token.ASSIGN)
	case *ast.ValueSpec:
		return len(p.Names) == 2
	}
	return false
}

// dropForwarders removes functions that only handed the key on and have lost their last call.
func (kp *keyPlan) dropForwarders() {
	gone := map[ast.Node]bool{}
	var fns []*types.Func
	for _, s := range kp.spots {
		if s.call == nil || !s.asksType {
			continue
		}
		gone[s.call.call] = true
		if fn := census.Callee(s.Pkg.Info, s.call.call); fn != nil && !slices.Contains(fns, fn.Origin()) {
			fns = append(fns, fn.Origin())
		}
	}
	for _, fn := range fns {
		f := kp.prog.FileOf(fn.Pos())
		if fn.Exported() || fn.Signature().Recv() != nil && kp.census.InterfaceMethod(fn.Name()) || f == nil || uneditable(f) != "" || kp.census.MentionedUnchecked(fn) || !kp.onlyCalledBy(fn, gone) {
			continue
		}
		for _, d := range f.AST.Decls {
			if decl, ok := d.(*ast.FuncDecl); ok && decl.Name.Pos() == fn.Pos() {
				kp.unit.Edits = append(kp.unit.Edits, &RemoveFunc{File: f, Decl: decl})
			}
		}
	}
}

// onlyCalledBy reports whether a function has no use but as the function of the calls given.
func (kp *keyPlan) onlyCalledBy(fn *types.Func, calls map[ast.Node]bool) bool {
	for _, u := range kp.census.Uses(fn) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, child := kp.census.Outer(u.File, kp.census.NameExpr(u.File, u.Ident))
		call, ok := parent.(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) != child || !calls[call] {
			return false
		}
	}
	return true
}
