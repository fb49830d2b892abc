package flow

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An origin tells what a context variable may hold.
type origin struct {
	// values counts what is stored in it.
	values int
	// born is set when that may be a context made from nothing, given when it may come from elsewhere: a parameter, a
	// request, a field, a call.
	born, given bool
	// cancels is set when it was derived with a cancel function or a deadline.
	cancels bool
	// nothing is set for a result or a variable that may hold nil when it is used.
	nothing bool
}

// originOf follows the values of a local variable.
func (f *Flow) originOf(file *program.File, pkg *program.Package, v *types.Var) origin {
	return f.follow(file, pkg, v, map[*types.Var]bool{})
}

func (f *Flow) follow(file *program.File, pkg *program.Package, v *types.Var, seen map[*types.Var]bool) origin {
	var o origin
	if seen[v] {
		return o
	}
	seen[v] = true
	for _, u := range f.census.Uses(v) {
		if u.File != file {
			continue
		}
		parent, child := f.census.Outer(file, u.Ident)
		switch p := parent.(type) {
		case *ast.AssignStmt:
			for i, lhs := range p.Lhs {
				if ast.Node(lhs) == child {
					o.store(f, file, pkg, p.Rhs, i, len(p.Lhs), seen)
				}
			}
		case *ast.ValueSpec:
			for i, id := range p.Names {
				if id == u.Ident {
					if len(p.Values) == 0 {
						o.nothing = true // until something is stored
					}
					o.store(f, file, pkg, p.Values, i, len(p.Names), seen)
				}
			}
		case *ast.RangeStmt:
			if p.Key == child || p.Value == child {
				o.values++
				o.given = true
			}
		case *ast.Field:
			o.nothing = true // a result; parameters are not asked about
		}
	}
	return o
}

// store notes one value that the variable gets.
func (o *origin) store(f *Flow, file *program.File, pkg *program.Package, values []ast.Expr, i, names int, seen map[*types.Var]bool) {
	if len(values) == 0 {
		return
	}
	o.values++
	value := values[0]
	if len(values) == names {
		value = values[i]
	}
	o.value(f, file, pkg, value, seen)
}

// value notes what an expression gives.
func (o *origin) value(f *Flow, file *program.File, pkg *program.Package, e ast.Expr, seen map[*types.Var]bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := pkg.Info.ObjectOf(e).(*types.Var)
		if !ok {
			o.nothing = o.nothing || e.Name == "nil"
			return
		}
		if v.Parent() == pkg.Types.Scope() || f.isParam(v) {
			o.given = true
			return
		}
		from := f.follow(file, pkg, v, seen)
		o.born, o.given, o.cancels = o.born || from.born, o.given || from.given, o.cancels || from.cancels
	case *ast.CallExpr:
		if f.Fresh(pkg, e) {
			o.born = true
			return
		}
		if Cancels(pkg, e) {
			o.cancels = true
		}
		for _, arg := range e.Args {
			if Implements(pkg.Info.TypeOf(arg)) {
				o.value(f, file, pkg, arg, seen) // derived from it
				return
			}
		}
		o.given = true
	default:
		o.given = true
	}
}

// isParam reports whether a variable is a parameter or receiver.
func (f *Flow) isParam(v *types.Var) bool {
	return v.Kind() == types.ParamVar || v.Kind() == types.RecvVar
}

// Cancels reports whether a call derives a context that ends on its own or through a function that it returns.
func Cancels(pkg *program.Package, call *ast.CallExpr) bool {
	tuple, ok := pkg.Info.TypeOf(call).(*types.Tuple)
	if !ok {
		return false
	}
	ctx, cancel := false, false
	for v := range tuple.Variables() {
		if Implements(v.Type()) {
			ctx = true
		} else if cancelFunc(v.Type()) || waits(v.Type()) {
			cancel = true
		}
	}
	return ctx && cancel
}

// cancelFunc reports whether t is a function without results that ends a context: func() or func(error).
func cancelFunc(t types.Type) bool {
	sig, ok := Under(t).(*types.Signature)
	if !ok || sig.Results().Len() > 0 {
		return false
	}
	errorType := types.Universe.Lookup("error").Type()
	return sig.Params().Len() == 0 || sig.Params().Len() == 1 && types.Identical(sig.Params().At(0).Type(), errorType)
}

// Ends reports whether an expression is a call of a cancel function, as package context makes them.
func Ends(pkg *program.Package, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	named, ok := types.Unalias(pkg.Info.TypeOf(call.Fun)).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context" && cancelFunc(named)
}

// waits reports whether t has a method Wait without parameters, as a group of goroutines has: the context that came with it
// ends there.
func waits(t types.Type) bool {
	fn := method(t, "Wait")
	return fn != nil && fn.Signature().Params().Len() == 0
}

// OfRequest reports whether a local variable holds the context of a request that is a parameter, of a call that is served, or
// what is derived from it, and nothing else.
func (f *Flow) OfRequest(file *program.File, pkg *program.Package, v *types.Var) bool {
	return f.ofRequest(file, pkg, v, map[*types.Var]bool{})
}

func (f *Flow) ofRequest(file *program.File, pkg *program.Package, v *types.Var, seen map[*types.Var]bool) bool {
	if seen[v] {
		return true // derived from itself
	}
	seen[v] = true
	values := 0
	for _, u := range f.census.Uses(v) {
		if u.File != file {
			continue
		}
		parent, child := f.census.Outer(file, u.Ident)
		var from ast.Expr
		switch p := parent.(type) {
		case *ast.AssignStmt:
			for i, lhs := range p.Lhs {
				if ast.Node(lhs) == child {
					if from = p.Rhs[0]; len(p.Rhs) == len(p.Lhs) {
						from = p.Rhs[i]
					}
				}
			}
		case *ast.ValueSpec:
			for i, id := range p.Names {
				if id == u.Ident && len(p.Values) > 0 {
					if from = p.Values[0]; len(p.Values) == len(p.Names) {
						from = p.Values[i]
					}
				}
			}
		case *ast.Field:
			return false
		}
		if from == nil {
			continue
		}
		if values++; !f.valueOfRequest(file, pkg, from, seen) {
			return false
		}
	}
	return values > 0
}

func (f *Flow) valueOfRequest(file *program.File, pkg *program.Package, e ast.Expr, seen map[*types.Var]bool) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := pkg.Info.Uses[e].(*types.Var)
		return ok && (v.Kind() == types.LocalVar && f.ofRequest(file, pkg, v, seen) || f.Served(pkg, v))
	case *ast.CallExpr:
		if withoutCancel(pkg, e) {
			return false
		}
		for _, arg := range e.Args {
			if Implements(pkg.Info.TypeOf(arg)) {
				return f.valueOfRequest(file, pkg, arg, seen)
			}
		}
		for _, s := range f.visible(file, e.Pos()) {
			if s.Kind == Request && s.Text == types.ExprString(e) {
				return true
			}
		}
	}
	return false
}

func withoutCancel(pkg *program.Package, call *ast.CallExpr) bool {
	fn := census.Callee(pkg.Info, call)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "context" && fn.Name() == "WithoutCancel"
}

// AsksForEnd reports whether a function of the world asks a context that it is given for its end.
func (f *Flow) AsksForEnd(fn *types.Func) bool {
	b := f.body(fn)
	if b == nil {
		return false
	}
	found := false
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Done" || sel.Sel.Name == "Err") && Implements(b.pkg.Info.TypeOf(sel.X)) {
			found = true
		}
		return !found
	})
	return found
}

// FromNothing reports whether a context was made from nothing in the same function, whatever has been derived from it since.
func (f *Flow) FromNothing(pkg *program.Package, file *program.File, e ast.Expr) bool {
	var o origin
	o.value(f, file, pkg, e, map[*types.Var]bool{})
	return o.born && !o.given
}
