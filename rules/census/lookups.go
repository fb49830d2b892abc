package census

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// lookupOf recognises context.WithValue(parent, key, value), also under the name that a
// dependency gives it, and x.Value(key).
func (b *builder) lookupOf(pkg *program.Package, f *program.File, call *ast.CallExpr) *Lookup {
	fn := Callee(pkg.Info, call)
	if fn == nil {
		return nil
	}
	switch {
	case b.ix.renamesWithValue(pkg, call):
		return nil // its callers are the writers
	case (IsWithValue(fn) || b.ix.isRenamed(fn)) && len(call.Args) == 3:
		return &Lookup{Role: Writer, Call: call, Context: call.Args[0], Key: call.Args[1], Value: call.Args[2], File: f, Pkg: pkg}
	case isValueMethod(fn) && len(call.Args) == 2: // context.Context.Value(ctx, key)
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok || !methodExpr(pkg.Info, sel) || !b.ix.mayBeContext(pkg.Info.TypeOf(call.Args[0])) {
			return nil
		}
		return &Lookup{Role: Reader, Call: call, Context: call.Args[0], Key: call.Args[1], File: f, Pkg: pkg}
	case isValueMethod(fn) && len(call.Args) == 1:
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok || !b.ix.valueOfContext(fn, pkg.Info.TypeOf(sel.X)) {
			return nil
		}
		if t := pkg.Info.TypeOf(sel.X); t != nil && types.IsInterface(t) && !HasContextMethods(t) {
			b.narrow = true
		}
		return &Lookup{Role: Reader, Call: call, Context: sel.X, Key: call.Args[0], File: f, Pkg: pkg}
	}
	return nil
}

// spread notes context.WithValue(f()), whose key is one of several results.
func (b *builder) spread(pkg *program.Package, f *program.File, call *ast.CallExpr) {
	if len(call.Args) != 1 {
		return
	}
	if fn := Callee(pkg.Info, call); fn != nil && IsWithValue(fn) {
		lk := &Lookup{Role: Writer, Context: call.Args[0], Key: call.Args[0], File: f, Pkg: pkg}
		b.open(lk, Unknown{File: f, Pos: call.Args[0].Pos(), Why: "is one of several results passed on at once"})
	}
}

// isRenamed reports whether a dependency's function is context.WithValue under another name: it
// does nothing but return the call with its own parameters, as golang.org/x/net/context does.
func (ix *index) isRenamed(fn *types.Func) bool { return ix.renamed[ix.repFunc(fn)] }

// renamesWithValue reports whether a call is the body of such a function.
func (ix *index) renamesWithValue(pkg *program.Package, call *ast.CallExpr) bool {
	if pkg.World || len(call.Args) != 3 {
		return false
	}
	id, ok := call.Args[1].(*ast.Ident)
	if !ok {
		return false
	}
	v, _ := pkg.Info.Uses[id].(*types.Var)
	p, ok := ix.paramOf(v)
	return ok && p.fn != nil && ix.isRenamed(p.fn)
}

// renaming reports whether a function's body is return context.WithValue(its parameters).
func renaming(pkg *program.Package, decl *ast.FuncDecl, fn *types.Func) bool {
	sig := fn.Signature()
	if decl.Body == nil || len(decl.Body.List) != 1 || sig.Recv() != nil || sig.Params().Len() != 3 || !isEmptyInterface(sig.Params().At(1).Type()) {
		return false
	}
	ret, ok := decl.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return false
	}
	call, ok := ret.Results[0].(*ast.CallExpr)
	if !ok || len(call.Args) != 3 {
		return false
	}
	callee := Callee(pkg.Info, call)
	if callee == nil || !IsWithValue(callee) {
		return false
	}
	for i, a := range call.Args {
		id, ok := a.(*ast.Ident)
		if !ok || pkg.Info.Uses[id] != sig.Params().At(i) {
			return false
		}
	}
	return true
}

// IsWithValue reports whether fn is context.WithValue.
func IsWithValue(fn *types.Func) bool {
	return fn.Name() == "WithValue" && fn.Pkg() != nil && fn.Pkg().Path() == "context" && fn.Signature().Recv() == nil
}

// methodExpr reports whether a selector is a method expression: T.Method.
func methodExpr(info *types.Info, sel *ast.SelectorExpr) bool {
	s := info.Selections[sel]
	return s != nil && s.Kind() == types.MethodExpr
}

// isValueMethod reports whether fn is a method Value(any) any.
func isValueMethod(fn *types.Func) bool {
	sig := fn.Signature()
	return fn.Name() == "Value" && sig.Recv() != nil &&
		sig.Params().Len() == 1 && isEmptyInterface(sig.Params().At(0).Type()) &&
		sig.Results().Len() == 1 && isEmptyInterface(sig.Results().At(0).Type())
}

func isEmptyInterface(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.Empty()
}

// mayBeContext reports whether a value of static type t, which has a method Value(any) any, may be a
// context: it has the other methods of one, or it is an interface that asks for no more than Value, or
// one that context.Context or a context type implements.
func (ix *index) mayBeContext(t types.Type) bool {
	if t == nil {
		return false
	}
	iface, ok := t.Underlying().(*types.Interface)
	if !ok {
		return isContextLike(t)
	}
	if iface.NumMethods() == 1 || HasContextMethods(t) || ix.contextImplements(iface) {
		return true
	}
	for _, c := range ix.contextTypes() {
		if types.Implements(c, iface) || types.Implements(types.NewPointer(c), iface) {
			return true
		}
	}
	return false
}

// valueOfContext reports whether a method Value(any) any, called on a value of static type t, may be that
// of a context: of t itself, or of a context embedded in it.
func (ix *index) valueOfContext(fn *types.Func, t types.Type) bool {
	return ix.mayBeContext(t) || ix.mayBeContext(fn.Signature().Recv().Type())
}

// contextImplements reports whether context.Context has all methods of an interface.
func (ix *index) contextImplements(iface *types.Interface) bool {
	p := ix.cfg.Package("context")
	if p == nil || p.Types == nil {
		return false
	}
	obj := p.Types.Scope().Lookup("Context")
	return obj != nil && types.Implements(obj.Type(), iface)
}

// isContextLike reports whether t or a pointer to it has the methods of a context.
func isContextLike(t types.Type) bool {
	return HasContextMethods(t) || HasContextMethods(types.NewPointer(t))
}

// contextTypes returns the concrete types that have the methods of a context: those of the world, and those
// at package level of its dependencies.
func (ix *index) contextTypes() []types.Type {
	if ix.contexts != nil {
		return *ix.contexts
	}
	var list []types.Type
	add := func(obj types.Object) {
		if tn, ok := obj.(*types.TypeName); ok && !tn.IsAlias() && !types.IsInterface(tn.Type()) && isContextLike(tn.Type()) {
			list = append(list, tn.Type())
		}
	}
	for _, pkg := range ix.pkgs {
		if !pkg.World {
			continue
		}
		for _, obj := range pkg.Info.Defs {
			add(obj)
		}
	}
	for _, pkg := range ix.cfg.Packages {
		if pkg.World || pkg.DepModule == "" || pkg.Types == nil {
			continue
		}
		for _, name := range pkg.Types.Scope().Names() {
			add(pkg.Types.Scope().Lookup(name))
		}
	}
	ix.contexts = &list
	return list
}

// HasContextMethods reports whether t has the method names of context.Context, which no
// other well-known interface shares.
func HasContextMethods(t types.Type) bool {
	ms := types.NewMethodSet(t)
	for _, name := range [...]string{"Deadline", "Done", "Err", "Value"} {
		if ms.Lookup(nil, name) == nil {
			return false
		}
	}
	return true
}

// functionValue notes context.WithValue or a context's Value method used as a function value
// whose calls cannot be followed: any key may flow there.
func (b *builder) functionValue(pkg *program.Package, f *program.File, id *ast.Ident) {
	fn, ok := pkg.Info.Uses[id].(*types.Func)
	if !ok || pkg.Std() {
		return
	}
	role := Reader
	keyIndex := 0
	switch {
	case IsWithValue(fn):
		role, keyIndex = Writer, 1
	case isValueMethod(fn):
	default:
		return
	}
	var node ast.Node = id
	if sel, ok := b.ix.parent(f, id).(*ast.SelectorExpr); ok && sel.Sel == id {
		node = sel
		if role == Reader && !b.ix.valueOfContext(fn, pkg.Info.TypeOf(sel.X)) {
			return
		}
		if methodExpr(pkg.Info, sel) {
			keyIndex++
		}
	}
	parent, child := b.ix.outer(f, node)
	if call, ok := parent.(*ast.CallExpr); ok && call.Fun == child {
		return
	}
	if _, ok := parent.(*ast.Field); ok {
		return
	}
	lk := &Lookup{Role: role, Context: node.(ast.Expr), Key: node.(ast.Expr), File: f, Pkg: pkg}
	u := use{id, f, pkg}
	var s sources
	if v := b.ix.soleName(u, parent, child); v != nil {
		b.ix.valueCalls(v, f, keyIndex, false, "", &s)
	} else if v := b.calleeParam(pkg, parent, child); v != nil {
		b.ix.valueCalls(v, f, keyIndex, false, "", &s)
	} else {
		s.lose(f, id.Pos(), "reaches %s, which is used as a function value", types.ExprString(node.(ast.Expr)))
	}
	seen := map[refSeen]bool{}
	for _, r := range s.refs {
		b.follow(r, lk, seen, nil, nil)
	}
	for _, u := range s.unknown {
		b.open(lk, u)
	}
}

// calleeParam returns the parameter variable that receives an argument.
func (b *builder) calleeParam(pkg *program.Package, parent, child ast.Node) *types.Var {
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return nil
	}
	fn := Callee(pkg.Info, call)
	if fn == nil {
		return nil
	}
	for i, a := range call.Args {
		if ast.Node(a) == child {
			return b.ix.paramVar(fn, i)
		}
	}
	return nil
}
