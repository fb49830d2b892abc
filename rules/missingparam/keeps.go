package missingparam

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// keeps reports whether a context, given by an expression, lives on when the function around it has returned: it is stored or
// returned, a goroutine or a function literal that may run later gets it, or it goes into the making of a
// value that lives on, a client for example. The caller's context would end that.
func (w *witness) keeps(file *program.File, pkg *program.Package, e ast.Expr) bool {
	parent, child := w.pass.Census.Outer(file, e)
	switch n := parent.(type) {
	case *ast.CallExpr:
		if ast.Node(n.Fun) == child {
			return true // a method value or the like: not understood
		}
		return w.keptBy(file, pkg, n, child)
	case *ast.SelectorExpr:
		return false // ctx.Err()
	case *ast.AssignStmt:
		if len(n.Lhs) == len(n.Rhs) {
			for i, rhs := range n.Rhs {
				if ast.Node(rhs) == child {
					return w.keptVar(file, pkg, n.Lhs[i])
				}
			}
		}
	case *ast.ValueSpec:
		if len(n.Names) == len(n.Values) {
			for i, v := range n.Values {
				if ast.Node(v) == child {
					return w.keptVar(file, pkg, n.Names[i])
				}
			}
		}
	case *ast.BinaryExpr:
		return false
	case *ast.ReturnStmt:
		return w.keptByCallers(file, n)
	}
	return true
}

// keptByCallers reports whether a context that a function returns lives on where it is called. That is known of a function
// which derives the context for its callers, and returns what ends it as well or has parameters: what they could have got a context by.
func (w *witness) keptByCallers(file *program.File, ret *ast.ReturnStmt) bool {
	f := w.supply.Calls.Enclosing(file, ret.Pos())
	if f == nil || f.Decl == nil || len(f.Links)+len(f.Mentions)+len(f.Fixed) > 0 || len(f.Calls) == 0 || w.returning[f] {
		return true
	}
	if f.Signature.Params().Len() == 0 && f.Signature.Results().Len() == 1 {
		return true
	}
	w.returning[f] = true
	defer delete(w.returning, f)
	for _, call := range f.Calls {
		if call.Go || call.Defer || !call.File.Test && w.keepsResult(call.File, call.Pkg, call.Expr) {
			return true
		}
	}
	return false
}

// keptVar reports whether what an expression on the left of an assignment holds lives on.
func (w *witness) keptVar(file *program.File, pkg *program.Package, lhs ast.Expr) bool {
	id, ok := ast.Unparen(lhs).(*ast.Ident)
	if !ok {
		return true
	}
	if id.Name == "_" {
		return false
	}
	v, ok := pkg.Info.ObjectOf(id).(*types.Var)
	if !ok || v.IsField() || v.Parent() == pkg.Types.Scope() {
		return true
	}
	return w.keepsVar(v)
}

// keepsVar reports whether a variable that holds a context lets it live on when the function has returned.
func (w *witness) keepsVar(v *types.Var) bool {
	if kept, known := w.escaping[v]; known {
		return kept
	}
	w.escaping[v] = false
	kept := false
	for _, u := range w.pass.Census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil || assignedTo(w.pass.Census.Parent(u.File, u.Ident), u.Ident) {
			continue
		}
		if w.later(u.File, u.Ident, v) || w.keeps(u.File, u.Pkg, u.Ident) {
			kept = true
			break
		}
	}
	w.escaping[v] = kept
	return kept
}

func assignedTo(parent ast.Node, id *ast.Ident) bool {
	as, ok := parent.(*ast.AssignStmt)
	if !ok {
		return false
	}
	for _, l := range as.Lhs {
		if l == ast.Expr(id) {
			return true
		}
	}
	return false
}

// later reports whether a use of a variable lies in a literal that may run later than it is written, or in a go statement,
// and the function around it does not wait for that.
func (w *witness) later(file *program.File, n ast.Node, v *types.Var) bool {
	for p := w.pass.Census.Parent(file, n); p != nil; p = w.pass.Census.Parent(file, p) {
		if p.Pos() <= v.Pos() && v.Pos() < p.End() {
			return false
		}
		switch p := p.(type) {
		case *ast.GoStmt:
			if !w.waitedFor(w.pass.Flow().Started(w.pass.Flow().Package(file), file, p.Call)) {
				return true
			}
		case *ast.FuncLit:
			if f := w.supply.Calls.FuncAt(p.Type); f == nil || !w.supply.RunsHere(f) && !w.isDeferred(file, p) {
				if g := w.pass.Flow().Around(w.pass.Flow().Package(file), file, p.Body); g == nil || g.Lit != p || !w.waitedFor(g) {
					return true
				}
			}
		}
	}
	return false
}

// waitedFor reports whether the function that starts a goroutine waits for it.
func (w *witness) waitedFor(g *flow.Goroutine) bool {
	return g != nil && w.pass.Flow().Lifetime(g).Kind == flow.Joined
}

func (w *witness) isDeferred(file *program.File, lit *ast.FuncLit) bool {
	call, ok := w.pass.Census.Parent(file, lit).(*ast.CallExpr)
	if !ok {
		return false
	}
	_, ok = w.pass.Census.Parent(file, call).(*ast.DeferStmt)
	return ok
}

// keptBy reports whether a call keeps the context that it gets as an argument.
func (w *witness) keptBy(file *program.File, pkg *program.Package, call *ast.CallExpr, arg ast.Node) bool {
	switch w.pass.Census.Parent(file, call).(type) {
	case *ast.GoStmt:
		return true
	case *ast.DeferStmt:
		return true // it cleans up
	}
	if derives(pkg, call) {
		return w.keepsResult(file, pkg, call)
	}
	if c := w.supply.Calls.CallAt(call); c != nil {
		for i, a := range call.Args {
			if ast.Node(a) != arg {
				continue
			}
			for _, f := range c.Callees {
				if w.keptByFunc(f, i, map[*callgraph.Func]bool{}) {
					return true
				}
			}
		}
	}
	results := pkg.Info.TypeOf(call)
	if results == nil {
		return false
	}
	return w.livesOn(file, pkg, call, results)
}

// derives reports whether a call derives a context, whose uses count in its place.
func derives(pkg *program.Package, call *ast.CallExpr) bool {
	found := false
	if t := pkg.Info.TypeOf(call); t != nil {
		each(t, func(t types.Type) { found = found || flow.IsContext(t) })
	}
	return found
}

// keepsResult reports whether the context among the results of a call lives on.
func (w *witness) keepsResult(file *program.File, pkg *program.Package, call *ast.CallExpr) bool {
	if flow.IsContext(pkg.Info.TypeOf(call)) {
		return w.keeps(file, pkg, call)
	}
	parent, _ := w.pass.Census.Outer(file, call)
	if ret, ok := parent.(*ast.ReturnStmt); ok {
		return w.keptByCallers(file, ret)
	}
	as, ok := parent.(*ast.AssignStmt)
	if !ok {
		return true
	}
	for _, l := range as.Lhs {
		if w.keptResult(file, pkg, l) {
			return true
		}
	}
	return false
}

// keptResult looks at one variable that a derivation defines: the context, or its cancel function.
func (w *witness) keptResult(file *program.File, pkg *program.Package, l ast.Expr) bool {
	if flow.IsContext(pkg.Info.TypeOf(l)) {
		return w.keptVar(file, pkg, l)
	}
	id, ok := l.(*ast.Ident)
	if !ok {
		return true // the cancel function is stored
	}
	v, ok := pkg.Info.ObjectOf(id).(*types.Var)
	if !ok || id.Name == "_" {
		return false
	}
	for _, u := range w.pass.Census.Uses(v) {
		switch n := w.pass.Census.Parent(u.File, u.Ident).(type) {
		case *ast.ReturnStmt, *ast.KeyValueExpr, *ast.CompositeLit:
			return true
		case *ast.AssignStmt:
			for _, rhs := range n.Rhs {
				if rhs == ast.Expr(u.Ident) {
					return true
				}
			}
		}
	}
	return false
}

// keptByFunc reports whether a function of the world keeps its i-th argument, a context.
func (w *witness) keptByFunc(f *callgraph.Func, i int, seen map[*callgraph.Func]bool) bool {
	if seen[f] || f.Kind == callgraph.Foreign {
		return false
	}
	seen[f] = true
	if f.Body() != nil {
		if v := param(f, i); v != nil && w.keepsVar(v) {
			return true
		}
	}
	for _, l := range f.Links {
		if w.keptByFunc(l.To, i, seen) {
			return true
		}
	}
	return false
}

// param returns the i-th parameter of a function that has names for them.
func param(f *callgraph.Func, i int) *types.Var {
	n := 0
	for _, field := range f.Type.Params.List {
		for _, id := range field.Names {
			if n == i {
				v, _ := f.Pkg.Info.Defs[id].(*types.Var)
				return v
			}
			n++
		}
	}
	return nil
}

// livesOn reports whether a call makes a value that may work with the context later, and that outlives the function: one with
// methods to end it or to give it work, which is stored or returned.
func (w *witness) livesOn(file *program.File, pkg *program.Package, call *ast.CallExpr, results types.Type) bool {
	worker, requests := false, true
	each(results, func(t types.Type) {
		worker = worker || works(t)
		requests = requests && (!works(t) || flow.IsRequest(t))
	})
	if !worker {
		return false
	}
	if requests {
		return w.pass.Flow().RequestLeaves(pkg, file, call) // it is there to be sent: that goes on as long as somebody reads the answer
	}
	parent, child := w.pass.Census.Outer(file, call)
	switch n := parent.(type) {
	case *ast.ExprStmt:
		return false
	case *ast.SelectorExpr:
		return !sameAsReceiver(pkg, call) // a view that is used on the spot, or something with a life of its own
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			if len(n.Rhs) == len(n.Lhs) && ast.Node(n.Rhs[i]) != child || !works(pkg.Info.TypeOf(l)) {
				continue
			}
			id, ok := ast.Unparen(l).(*ast.Ident)
			if !ok {
				return true
			}
			v, ok := pkg.Info.ObjectOf(id).(*types.Var)
			if !ok || v.Parent() == pkg.Types.Scope() || w.handedOut(v) {
				return true
			}
		}
		return false
	}
	return true
}

// sameAsReceiver reports whether a method returns what it was called on, for the context that it gets: db.WithContext(ctx).
func sameAsReceiver(pkg *program.Package, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && types.Identical(pkg.Info.TypeOf(sel.X), pkg.Info.TypeOf(call))
}

// handedOut reports whether a local variable is stored or returned.
func (w *witness) handedOut(v *types.Var) bool {
	for _, u := range w.pass.Census.Uses(v) {
		e := ast.Expr(u.Ident)
		parent := w.pass.Census.Parent(u.File, u.Ident)
		if un, ok := parent.(*ast.UnaryExpr); ok && un.Op == token.AND {
			parent, e = w.pass.Census.Parent(u.File, un), un
		}
		switch n := parent.(type) {
		case *ast.ReturnStmt, *ast.CompositeLit, *ast.SendStmt:
			return true
		case *ast.KeyValueExpr:
			if n.Value == e {
				return true
			}
		case *ast.AssignStmt:
			for _, rhs := range n.Rhs {
				if rhs == e {
					return true
				}
			}
		case *ast.CallExpr:
			if n.Fun != e {
				return true // who knows
			}
		}
	}
	return false
}

func each(t types.Type, f func(types.Type)) {
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			f(v.Type())
		}
		return
	}
	f(t)
}

// works reports whether a value of a type does work later on: it has a method Close, or one that takes a context.
func works(t types.Type) bool {
	if t == nil || flow.Implements(t) {
		return false
	}
	set := types.NewMethodSet(t)
	if named, ok := types.Unalias(t).(*types.Named); ok && !types.IsInterface(t) {
		set = types.NewMethodSet(types.NewPointer(named))
	}
	for i := range set.Len() {
		fn, ok := set.At(i).Obj().(*types.Func)
		if !ok {
			continue
		}
		if fn.Name() == "Close" {
			return true
		}
		for v := range fn.Signature().Params().Variables() {
			if flow.IsContext(v.Type()) {
				return true
			}
		}
	}
	return false
}
