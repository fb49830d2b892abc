package storedctx

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A holder is a struct type with a field that holds a context.
type holder struct {
	*finder
	pkg   *program.Package
	obj   *types.TypeName
	field *types.Var
	// kept are the places where a context that is somebody's parameter, or made on the spot, goes into the field of a
	// value that outlives the call; reads those where methods use the field.
	kept, reads []spot
	made        int // contexts among them that come from context.Background or context.TODO
	byMethods   int // those among them that a method of another type keeps, for what it returns
	// methods are the methods that work with the field and have no context of their own; passedBy those that do.
	methods, passedBy []string
}

// A spot is a place in a file.
type spot struct {
	File *program.File
	Pos  token.Pos
}

// shape reports whether the type has one of the shapes that keep a context for good reason: it has a cancel
// function or a group beside it, it is a context, or it hands its context out or exchanges it.
func (h *holder) shape() bool {
	st, ok := h.obj.Type().Underlying().(*types.Struct)
	if !ok || census.HasContextMethods(types.NewPointer(h.obj.Type())) {
		return true
	}
	for f := range st.Fields() {
		if cancels(f.Type()) {
			return true
		}
	}
	ms := types.NewMethodSet(types.NewPointer(h.obj.Type()))
	for i := range ms.Len() {
		fn, ok := ms.At(i).Obj().(*types.Func)
		if ok && h.exchanges(fn.Signature()) {
			return true
		}
	}
	return false
}

// cancels reports whether a field ends what goes on under the context: a function without parameters, or with
// nothing but an error, a group of goroutines, or a channel to close.
func cancels(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Signature:
		return u.Results().Len() == 0 && (u.Params().Len() == 0 || u.Params().Len() == 1 && types.Identical(u.Params().At(0).Type(), types.Universe.Lookup("error").Type()))
	case *types.Chan:
		st, ok := u.Elem().Underlying().(*types.Struct)
		return ok && st.NumFields() == 0
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, "Wait")
	fn, ok := obj.(*types.Func)
	return ok && fn.Signature().Params().Len() == 0
}

// exchanges reports whether a method hands the context out, or takes one and returns the type again.
func (h *holder) exchanges(sig *types.Signature) bool {
	for v := range sig.Results().Variables() {
		if isContext(v.Type()) {
			return true
		}
	}
	if sig.Params().Len() == 0 || !isContext(sig.Params().At(0).Type()) {
		return false
	}
	return sig.Params().Len() == 1 && (sig.Results().Len() == 0 || sig.Results().Len() == 1 && h.is(sig.Results().At(0).Type()))
}

// is reports whether t is the type, a pointer to it, or an interface that it implements.
func (h *holder) is(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok && named.Origin().Obj() == h.obj {
		return true
	}
	iface, ok := t.Underlying().(*types.Interface)
	return ok && iface.NumMethods() > 0 && types.Implements(types.NewPointer(h.obj.Type()), iface)
}

// keeps looks at every use of the field. It reports whether a context outlives its call in it, and methods that
// could be given one work with it.
func (h *holder) keeps() bool {
	for _, e := range h.census.ByPosition(h.field) {
		if !e.File.Test && !h.store(at{e.File, e.Pkg, e.Expr}, e.Expr) {
			return false
		}
	}
	for _, u := range h.census.Uses(h.field) {
		if u.Pkg.Info.Defs[u.Ident] != nil || u.File.Test {
			continue
		}
		ok := true
		if value, stored := h.stored(u); stored {
			ok = h.store(at{u.File, u.Pkg, u.Ident}, value)
		} else {
			ok = h.read(u)
		}
		if !ok {
			return false
		}
	}
	if len(h.passedBy) > 0 {
		return len(h.kept) > 0
	}
	// What a method makes for one call, an iterator for example, lives as long as the call's context.
	return len(h.kept) > h.byMethods && len(h.methods) > 0 && !h.component()
}

// component reports whether the type is one of many that are started and ended by methods of an interface which does
// nothing else: its context is that of the program which it is a part of.
func (h *holder) component() bool {
	ptr := types.NewPointer(h.obj.Type())
	for _, pkg := range h.cfg.Packages {
		scope := pkg.Types.Scope()
		for _, name := range scope.Names() {
			tn, ok := scope.Lookup(name).(*types.TypeName)
			if !ok || !pkg.World && !tn.Exported() {
				continue
			}
			iface, ok := tn.Type().Underlying().(*types.Interface)
			if ok && lifeOnly(iface) && types.Implements(ptr, iface) && (!pkg.World || h.implementers(iface) >= many) {
				return true
			}
		}
	}
	return false
}

// lifeOnly reports whether an interface has two methods or more and all of them take nothing and say no more than that they
// failed, as Start and Close do.
func lifeOnly(iface *types.Interface) bool {
	if iface.NumMethods() < 2 {
		return false
	}
	for m := range iface.Methods() {
		sig := m.Signature()
		if sig.Params().Len() > 0 || sig.Results().Len() > 1 ||
			sig.Results().Len() == 1 && !types.Identical(sig.Results().At(0).Type(), types.Universe.Lookup("error").Type()) {
			return false
		}
	}
	return true
}

// stored returns the expression that a use of the field stores in it, the call when it is one of several results;
// stored is false for reads.
func (h *holder) stored(u census.Use) (value ast.Expr, stored bool) {
	parent, child := h.census.Outer(u.File, h.census.NameExpr(u.File, u.Ident))
	switch p := parent.(type) {
	case *ast.KeyValueExpr:
		if p.Key == child {
			return p.Value, true
		}
	case *ast.AssignStmt:
		for i, lhs := range p.Lhs {
			if ast.Node(lhs) != child {
				continue
			}
			if len(p.Lhs) == len(p.Rhs) {
				return p.Rhs[i], true
			}
			return p.Rhs[0], true
		}
	}
	return nil, false
}

// store judges a context that goes into the field: false says that the type has good reason for it.
func (h *holder) store(u at, value ast.Expr) bool {
	fn := h.function(u)
	if fn == nil {
		return true
	}
	switch h.source(u, fn, value, 0) {
	case derived:
		return false
	case made:
		return h.keep(u, fn, true)
	case parameter:
		if recv := fn.obj.Signature().Recv(); recv != nil && h.is(recv.Type()) {
			return false // a method such as Run takes over: it is the life of the value from then on
		}
		return h.keep(u, fn, false)
	}
	return true
}

// keep notes a context that goes into the field of a value that a constructor returns.
func (h *holder) keep(u at, fn *function, made bool) bool {
	if startsGoroutine(fn.decl.Body) {
		return false // it is the life of what is started
	}
	if h.returns(fn) && !h.shortLived(fn) {
		h.kept = append(h.kept, spot{u.file, u.node.Pos()})
		if made {
			h.made++
		}
		if fn.obj.Signature().Recv() != nil {
			h.byMethods++
		}
	}
	return true
}

// startsGoroutine reports whether a function body has a go statement.
func startsGoroutine(body ast.Node) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if _, ok := n.(*ast.GoStmt); ok {
			found = true
		}
		return !found
	})
	return found
}

// returns reports whether a function returns the type: it is a constructor.
func (h *holder) returns(fn *function) bool {
	for v := range fn.obj.Signature().Results().Variables() {
		if h.is(v.Type()) {
			return true
		}
	}
	return false
}

// shortLived reports whether every call of a constructor is seen and uses what it returns on the spot: as the
// receiver of a call, or by a local variable that serves for nothing else.
func (h *holder) shortLived(fn *function) bool {
	if census.IsAPI(h.census.Program, fn.obj) {
		return false
	}
	for _, u := range h.census.Uses(fn.obj) {
		if u.Pkg.Info.Defs[u.Ident] != nil || u.File.Test {
			continue
		}
		parent, child := h.census.Outer(u.File, h.census.NameExpr(u.File, u.Ident))
		call, ok := parent.(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) != child || !h.usedOnTheSpot(u, call) {
			return false
		}
	}
	return true
}

func (h *holder) usedOnTheSpot(u census.Use, call *ast.CallExpr) bool {
	parent, _ := h.census.Outer(u.File, call)
	switch p := parent.(type) {
	case *ast.SelectorExpr:
		return true
	case *ast.AssignStmt:
		id, ok := p.Lhs[0].(*ast.Ident)
		if !ok || p.Tok != token.DEFINE {
			return false
		}
		v := u.Pkg.Info.Defs[id]
		return v != nil && !slices.ContainsFunc(h.census.Uses(v), func(w census.Use) bool {
			if w.Pkg.Info.Defs[w.Ident] != nil {
				return false
			}
			_, ok := h.census.Parent(w.File, w.Ident).(*ast.SelectorExpr)
			return !ok
		})
	}
	return false
}

// read judges a use of the field: false says that the context is the life of the value.
func (h *holder) read(u census.Use) bool {
	parent, child := h.census.Outer(u.File, h.census.NameExpr(u.File, u.Ident))
	if sel, ok := parent.(*ast.SelectorExpr); ok && ast.Node(sel.X) == child && (sel.Sel.Name == "Done" || sel.Sel.Name == "Err") {
		return false
	}
	call, ok := parent.(*ast.CallExpr)
	fn := h.function(at{u.File, u.Pkg, u.Ident})
	if !ok || fn == nil || ast.Node(call.Fun) == child || fn.inLiteral || !mayFail(u.Pkg, call) {
		return true
	}
	sig := fn.obj.Signature()
	if sig.Recv() == nil || !h.is(sig.Recv().Type()) {
		return true
	}
	if startsGoroutine(fn.decl.Body) {
		return false
	}
	into := &h.methods
	if p := contextParam(sig); p != nil {
		if len(h.census.Uses(p)) > 1 {
			return true // it works with both
		}
		into = &h.passedBy
	} else if !h.free(fn.obj, map[*types.Func]bool{}) {
		return true
	}
	h.reads = append(h.reads, spot{u.File, u.Ident.Pos()})
	if !slices.Contains(*into, fn.obj.Name()) {
		*into = append(*into, fn.obj.Name())
	}
	return true
}

// mayFail reports whether a call returns an error: it does work that a context could end. Others log, for
// example, or look a value up.
func mayFail(pkg *program.Package, call *ast.CallExpr) bool {
	t := pkg.Info.TypeOf(call)
	isError := func(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			if isError(v.Type()) {
				return true
			}
		}
		return false
	}
	return t != nil && isError(t)
}

// free reports whether a method could take a context: no interface beyond its package asks for it as it is, and
// somebody calls it who is not bound by one himself.
func (h *holder) free(fn *types.Func, seen map[*types.Func]bool) bool {
	if fn.Exported() {
		return !h.dictated(fn)
	}
	if seen[fn] {
		return false
	}
	seen[fn] = true
	for _, u := range h.census.Uses(fn) {
		if u.Pkg.Info.Defs[u.Ident] != nil || u.File.Test {
			continue
		}
		caller := h.function(at{u.File, u.Pkg, u.Ident})
		if caller == nil {
			continue
		}
		recv := caller.obj.Signature().Recv()
		if recv == nil || !h.is(recv.Type()) || contextParam(caller.obj.Signature()) != nil || h.free(caller.obj, seen) {
			return true
		}
	}
	return false
}

// contextParam returns the parameter of a function that is a context, nil for none.
func contextParam(sig *types.Signature) *types.Var {
	for p := range sig.Params().Variables() {
		if isContext(p.Type()) {
			return p
		}
	}
	return nil
}

// dictated reports whether a method has its signature from an interface outside the world that the type implements,
// or from one that many types of the world implement: no parameter can be added to it.
func (h *holder) dictated(fn *types.Func) bool {
	ptr := types.NewPointer(h.obj.Type())
	for _, pkg := range h.cfg.Packages {
		scope := pkg.Types.Scope()
		for _, name := range scope.Names() {
			tn, ok := scope.Lookup(name).(*types.TypeName)
			if !ok || !pkg.World && !tn.Exported() {
				continue
			}
			iface, ok := tn.Type().Underlying().(*types.Interface)
			if ok && hasMethod(iface, fn.Name()) && types.Implements(ptr, iface) && (!pkg.World || h.implementers(iface) >= many) {
				return true
			}
		}
	}
	return false
}

// many is how many types implement an interface that no single one of them can ask to change.
const many = 3

// implementers counts the types of the world, tests left out, that implement an interface.
func (h *holder) implementers(iface *types.Interface) int {
	n := 0
	for _, pkg := range h.cfg.Packages {
		if !pkg.World {
			continue
		}
		scope := pkg.Types.Scope()
		for _, name := range scope.Names() {
			tn, ok := scope.Lookup(name).(*types.TypeName)
			if !ok || tn.IsAlias() || types.IsInterface(tn.Type()) || !types.Implements(types.NewPointer(tn.Type()), iface) {
				continue
			}
			if f := h.census.Program.FileOf(tn.Pos()); f != nil && !f.Test && !f.Generated {
				n++
			}
		}
	}
	return n
}

func hasMethod(iface *types.Interface, name string) bool {
	for m := range iface.Methods() {
		if m.Name() == name {
			return true
		}
	}
	return false
}
