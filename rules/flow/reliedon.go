package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// maxRelied bounds how many calls, up and down, are looked at for what relies on one.
const maxRelied = 3

// ReliedOn reports whether the code around a call goes on as if that had done its work, whatever it returns, so that it must not be broken
// off when a context ends: it takes hold of something that is given back behind it (a lock, a place in a semaphore), it waits until
// goroutines have given theirs back, or its failure is taken for a mistake of the program, which panics.
func (f *Flow) ReliedOn(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	return call != nil && f.ReliedOnAs(pkg, file, call, census.Callee(pkg.Info, call))
}

// ReliedOnAs does the same for a call that is to be one of another function.
func (f *Flow) ReliedOnAs(pkg *program.Package, file *program.File, call *ast.CallExpr, fn *types.Func) bool {
	r := &relied{flow: f, seen: map[*types.Func]bool{}}
	return r.panics(pkg, file, call, fn, 0) || r.around(pkg, file, call, r.held(pkg, call, fn, 0), 0)
}

// A relied looks for what relies on a call.
type relied struct {
	flow *Flow
	// seen are the functions that have been looked at for panics.
	seen map[*types.Func]bool
}

// held returns the places that a call may take hold of: it can tell no more than that it failed. A function of the world holds what it
// waits for itself, and what those hold to which it hands its context.
func (r *relied) held(pkg *program.Package, call *ast.CallExpr, fn *types.Func, depth int) []place {
	if fn == nil || !onlyFails(fn.Signature()) || depth > maxRelied {
		return nil
	}
	b := r.flow.body(fn)
	if b == nil || r.flow.AsksForEnd(fn) {
		return r.handles(pkg, call, fn)
	}
	var list []place
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		inner, ok := n.(*ast.CallExpr)
		if !ok || !r.handsOn(b, inner) {
			return true
		}
		for _, p := range r.held(b.pkg, inner, census.Callee(b.pkg.Info, inner), depth+1) {
			if p, ok := outside(pkg.Info, call, fn, p); ok {
				list = append(list, p)
			}
		}
		return true
	})
	return list
}

// handsOn reports whether a function passes a context that it has not made itself to a call.
func (r *relied) handsOn(b *funcBody, call *ast.CallExpr) bool {
	return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		made, ok := ast.Unparen(arg).(*ast.CallExpr)
		return Implements(b.pkg.Info.TypeOf(arg)) && !(ok && r.flow.Fresh(b.pkg, made))
	})
}

// onlyFails reports whether a function returns nothing, or an error alone.
func onlyFails(sig *types.Signature) bool {
	return sig.Results().Len() == 0 || sig.Results().Len() == 1 && isErrorType(sig.Results().At(0).Type())
}

// handles returns the places that a call works with: its receiver, or what a function without one is given by reference.
func (r *relied) handles(pkg *program.Package, call *ast.CallExpr, fn *types.Func) (list []place) {
	if fn.Signature().Recv() != nil {
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
			if p, ok := placeOf(pkg.Info, sel.X); ok {
				list = append(list, p)
			}
		}
		return list
	}
	for _, arg := range call.Args {
		t := pkg.Info.TypeOf(arg)
		if t == nil || carries(t) {
			continue
		}
		switch Under(t).(type) {
		case *types.Pointer, *types.Chan, *types.Interface:
			if p, ok := placeOf(pkg.Info, arg); ok {
				list = append(list, p)
			}
		}
	}
	return list
}

// outside returns a place of a function as one of its calls names it; ok is false for what the function makes itself.
func outside(info *types.Info, call *ast.CallExpr, fn *types.Func, p place) (place, bool) {
	v, ok := p.root.(*types.Var)
	if !ok {
		return place{}, false
	}
	if v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
		return p, true
	}
	sig := fn.Origin().Signature()
	if by := census.Callee(info, call); v != sig.Recv() && (by == nil || by.Origin() != fn.Origin()) {
		return place{}, false // its parameters are other ones than the call's
	}
	at, ok := argumentFor(info, call, sig, v)
	return place{at.root, at.path + p.path}, ok
}

// around reports whether the function around a call relies on it, or one of those that call that function, which then say no more than
// it does.
func (r *relied) around(pkg *program.Package, file *program.File, call *ast.CallExpr, held []place, depth int) bool {
	if len(held) == 0 || depth > maxRelied {
		return false
	}
	fn, body := r.function(pkg, file, call)
	if body == nil {
		return false
	}
	g := &givingBack{flow: r.flow, pkg: pkg, file: file, held: held, call: call}
	if r.goesOn(pkg, file, call) && g.behind(body) || g.inGoroutine(body) {
		return true
	}
	if fn == nil || !onlyFails(fn.Signature()) {
		return false
	}
	for _, u := range r.flow.census.Uses(fn) {
		by := r.flow.callBy(u)
		if by == nil {
			continue
		}
		var there []place
		for _, p := range held {
			if p, ok := outside(u.Pkg.Info, by, fn, p); ok {
				there = append(there, p)
			}
		}
		if r.around(u.Pkg, u.File, by, there, depth+1) {
			return true
		}
	}
	return false
}

// function returns the body around a call, with the declared function that it is of; that is nil for a literal's.
func (r *relied) function(pkg *program.Package, file *program.File, call *ast.CallExpr) (*types.Func, *ast.BlockStmt) {
	for _, n := range r.flow.around(file, call) {
		switch n := n.(type) {
		case *ast.FuncLit:
			return nil, n.Body
		case *ast.FuncDecl:
			fn, _ := pkg.Info.Defs[n.Name].(*types.Func)
			return fn, n.Body
		}
	}
	return nil, nil
}

// callBy returns the call of a function by its name, nil for other uses.
func (f *Flow) callBy(u census.Use) *ast.CallExpr {
	parent, child := f.census.Outer(u.File, u.Ident)
	if sel, ok := parent.(*ast.SelectorExpr); ok && ast.Node(sel.Sel) == child {
		parent, child = f.census.Outer(u.File, sel)
	}
	if call, ok := parent.(*ast.CallExpr); ok && ast.Node(call.Fun) == child {
		return call
	}
	return nil
}

// goesOn reports whether control goes on behind a call though it has failed: nobody looks at its error, or what does so stays.
func (r *relied) goesOn(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	parent, _ := r.flow.census.Outer(file, call)
	as, ok := parent.(*ast.AssignStmt)
	if !ok {
		_, dropped := parent.(*ast.ExprStmt)
		return dropped
	}
	id, ok := as.Lhs[0].(*ast.Ident)
	if !ok || id.Name == "_" {
		return ok
	}
	check := r.checkOf(pkg, file, as)
	return check != nil && r.flow.wayOut(pkg.Info, check.Body.List) == staysIn
}

// checkOf returns the statement that looks at the error which an assignment has just stored: if err != nil. It is nil for none.
func (r *relied) checkOf(pkg *program.Package, file *program.File, as *ast.AssignStmt) *ast.IfStmt {
	id, ok := as.Lhs[len(as.Lhs)-1].(*ast.Ident)
	if !ok {
		return nil
	}
	v, ok := pkg.Info.ObjectOf(id).(*types.Var)
	if !ok {
		return nil
	}
	parent := r.flow.census.Parent(file, as)
	check, ok := parent.(*ast.IfStmt)
	if !ok {
		list := program.Statements(parent)
		if i := slices.Index(list, ast.Stmt(as)); i >= 0 && i+1 < len(list) {
			check, _ = list[i+1].(*ast.IfStmt)
		}
	}
	if check == nil || !compares(pkg.Info, check.Cond, v, token.NEQ) {
		return nil
	}
	return check
}

// panics reports whether a failure of a call leads to a panic, in the function around it or in one of the world that it calls with its
// context: what has never failed there would do so when a caller gives up.
func (r *relied) panics(pkg *program.Package, file *program.File, call *ast.CallExpr, fn *types.Func, depth int) bool {
	if parent, _ := r.flow.census.Outer(file, call); depth <= maxRelied {
		if as, ok := parent.(*ast.AssignStmt); ok {
			if check := r.checkOf(pkg, file, as); check != nil && endsInPanic(pkg, check.Body.List) {
				return true
			}
		}
	}
	if fn == nil || depth >= maxRelied || r.seen[fn] {
		return false
	}
	r.seen[fn] = true
	b := r.flow.body(fn)
	if b == nil {
		return false
	}
	found := false
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		inner, ok := n.(*ast.CallExpr)
		if ok && r.handsOn(b, inner) {
			found = found || r.panics(b.pkg, b.file, inner, census.Callee(b.pkg.Info, inner), depth+1)
		}
		return !found
	})
	return found
}

// endsInPanic reports whether a list of statements ends with a call of panic.
func endsInPanic(pkg *program.Package, list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	s, ok := list[len(list)-1].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := ast.Unparen(s.X).(*ast.CallExpr)
	return ok && isBuiltin(pkg, call, "panic")
}
