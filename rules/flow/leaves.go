package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// ResultKept reports whether a call makes something that goes on after it, and that leaves the function: it is stored,
// returned, handed to a goroutine.
func (f *Flow) ResultKept(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	t := &tracer{flow: f, pkg: pkg, file: file, seen: map[followed]bool{}}
	for i, r := range resultTypes(pkg.Info.TypeOf(call)) {
		if lives(r) && t.keptResult(call, i) {
			return true
		}
	}
	return false
}

// RequestLeaves reports whether a request that a call makes leaves the function, or what is made of it: it is stored, or the body of its
// answer is returned.
func (f *Flow) RequestLeaves(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	t := &tracer{flow: f, pkg: pkg, file: file, from: call.Pos(), seen: map[followed]bool{}}
	t.derived(call)
	return slices.ContainsFunc(t.list, func(fate Fate) bool {
		switch fate.Kind {
		case Used, Looked, Asked:
			return false
		case Started:
			return f.Outlives(pkg, file, fate)
		}
		return true
	})
}

// resultKept reports whether what a call that gets a context makes of it may be at work with it when the function has returned. Of
// functions whose bodies are known it has been asked what they do with the context; what others return may hold it.
func (t *tracer) resultKept(call *ast.CallExpr, arg ast.Node) bool {
	known := t.flow.known(census.Callee(t.pkg.Info, call), call, arg)
	for i, r := range resultTypes(t.pkg.Info.TypeOf(call)) {
		if (lives(r) || !known && t.flow.mayHold(r)) && t.keptResult(call, i) {
			return true
		}
	}
	return false
}

// known reports whether the bodies of all that a call may run are known, and what they do with an argument.
func (f *Flow) known(fn *types.Func, call *ast.CallExpr, arg ast.Node) bool {
	if fn == nil || parameter(fn, call, arg) == nil {
		return false
	}
	callees := f.Callees(fn)
	for _, callee := range callees {
		if f.body(callee) == nil {
			return false
		}
	}
	return len(callees) > 0
}

// keptResult reports whether a result of a call leaves the function or what it does in place: it is stored, returned,
// handed to a goroutine.
func (t *tracer) keptResult(call *ast.CallExpr, i int) bool {
	parent, child := t.flow.census.Outer(t.file, call)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Lhs) == len(as.Rhs) {
		return t.gone(call)
	}
	if len(as.Rhs) != 1 || ast.Node(as.Rhs[0]) != child || i >= len(as.Lhs) {
		return true
	}
	return t.goneInto(as.Lhs[i])
}

// gone reports whether the value of an expression leaves the function, or goes on when it has returned: by what it is used for.
func (t *tracer) gone(e ast.Node) bool {
	parent, child := t.flow.census.Outer(t.file, e)
	switch p := parent.(type) {
	case *ast.ExprStmt, *ast.BinaryExpr:
		return false
	case *ast.StarExpr:
		return t.gone(p)
	case *ast.ReturnStmt:
		return t.within == nil || t.bodyAround(p) != t.within.Body
	case *ast.CompositeLit, *ast.KeyValueExpr:
		return t.within == nil || t.gone(p)
	case *ast.UnaryExpr:
		if _, lit := child.(*ast.CompositeLit); lit && t.within != nil {
			return t.gone(p)
		}
		return p.Op == token.AND || p.Op == token.ARROW && t.part(p)
	case *ast.IndexExpr:
		return ast.Node(p.X) == child && t.part(p)
	case *ast.SelectorExpr:
		return t.selected(p)
	case *ast.CallExpr:
		return ast.Node(p.Fun) != child && t.taken(p, child)
	case *ast.RangeStmt:
		return t.ranged(p)
	case *ast.AssignStmt:
		for i, rhs := range p.Rhs {
			if ast.Node(rhs) == child && len(p.Lhs) == len(p.Rhs) {
				return t.goneInto(p.Lhs[i])
			}
		}
	case *ast.ValueSpec:
		if len(p.Names) == len(p.Values) || len(p.Values) == 1 {
			for i, id := range p.Names {
				if (len(p.Values) == 1 || ast.Node(p.Values[i]) == child) && t.goneInto(id) {
					return true
				}
			}
			return false
		}
	}
	return true
}

// part reports whether a part of a value leaves the function and may hold what the whole does.
func (t *tracer) part(e ast.Expr) bool {
	typ := t.pkg.Info.TypeOf(e)
	return typ != nil && t.passesOn(typ) && t.gone(e)
}

// passesOn reports whether a value of type t that is a part of another one, or that a method of it returns, may hold what that does. A
// struct that is copied is a description, the state of a connection for example.
func (t *tracer) passesOn(typ types.Type) bool {
	if n, ok := types.Unalias(typ).(*types.Named); ok && !t.flow.ofWorld(n) {
		if _, ok := n.Underlying().(*types.Struct); ok {
			return lives(typ)
		}
	}
	return t.flow.mayHold(typ)
}

// goneInto reports whether what is assigned leaves the function: into a field, a package variable, or a variable from which it does.
func (t *tracer) goneInto(lhs ast.Expr) bool {
	id, ok := ast.Unparen(lhs).(*ast.Ident)
	if !ok {
		return true
	}
	v, ok := t.pkg.Info.ObjectOf(id).(*types.Var)
	return ok && id.Name != "_" && (v.Parent() == t.pkg.Types.Scope() || t.leaks(v))
}

// selected follows a field of a value, or what a method of it returns.
func (t *tracer) selected(sel *ast.SelectorExpr) bool {
	if s := t.pkg.Info.Selections[sel]; s == nil || s.Kind() == types.FieldVal {
		return t.part(sel)
	}
	parent, child := t.flow.census.Outer(t.file, sel)
	call, ok := parent.(*ast.CallExpr)
	if !ok || ast.Node(call.Fun) != child {
		return true // the method itself, which holds the value
	}
	if t.flow.callRun(t.file, call) == Concurrent || sel.Sel.Name == "Start" && hasMethod(t.pkg.Info.TypeOf(sel.X), "Wait") && !t.waits(sel, call) {
		return true
	}
	for i, r := range resultTypes(t.pkg.Info.TypeOf(call)) {
		if t.passesOn(r) && t.keptResult(call, i) {
			return true
		}
	}
	return false
}

// ranged follows what a loop over a value gives.
func (t *tracer) ranged(loop *ast.RangeStmt) bool {
	for _, e := range []ast.Expr{loop.Key, loop.Value} {
		if e == nil {
			continue
		}
		if typ := t.pkg.Info.TypeOf(e); typ != nil && t.passesOn(typ) && t.goneInto(e) {
			return true
		}
	}
	return false
}

// taken reports whether a value that a call gets leaves with it: into something that lives on, into what the call returns when that
// leaves the function, into another goroutine, or to where a function of the world puts it.
func (t *tracer) taken(call *ast.CallExpr, arg ast.Node) bool {
	if t.flow.callRun(t.file, call) == Concurrent {
		return true
	}
	for i, r := range resultTypes(t.pkg.Info.TypeOf(call)) {
		if lives(r) || t.flow.mayHold(r) && t.keptResult(call, i) {
			return true
		}
	}
	fn := census.Callee(t.pkg.Info, call)
	if fn == nil {
		return false
	}
	for _, callee := range t.flow.Callees(fn) {
		b, v := t.flow.body(callee), variable(callee, call, arg)
		if b == nil || v == nil {
			continue
		}
		inner := &tracer{flow: t.flow, pkg: b.pkg, file: b.file, from: v.Pos(), seen: t.seen, within: b.decl}
		if inner.leaks(v) {
			return true
		}
	}
	return t.flow.body(fn) == nil && t.puts(fn)
}

// variable returns the parameter of a function that gets an argument of a call, also as one of many; nil when it is not plain.
func variable(fn *types.Func, call *ast.CallExpr, arg ast.Node) *types.Var {
	params := fn.Origin().Signature().Params()
	for i, a := range call.Args {
		if ast.Node(a) == arg && params.Len() > 0 {
			return params.At(min(i, params.Len()-1))
		}
	}
	return nil
}

// puts reports whether a function from elsewhere is a method that takes values and returns nothing, as one that stores them does.
func (t *tracer) puts(fn *types.Func) bool {
	sig := fn.Signature()
	return sig.Recv() != nil && sig.Results().Len() == 0
}

// leaks reports whether what a variable holds is stored, returned or captured.
func (t *tracer) leaks(v *types.Var) bool {
	if t.seen[followed{v, t.detached}] {
		return false
	}
	t.seen[followed{v, t.detached}] = true
	if v.Kind() == types.ResultVar {
		return t.within == nil
	}
	for _, u := range t.flow.census.Uses(v) {
		if u.File != t.file || u.Pkg.Info.Defs[u.Ident] != nil || t.written(u.Ident) {
			continue
		}
		if lit := t.flow.literalAround(t.file, u.Ident, v); lit != nil {
			if run := t.flow.RunOf(t.pkg, t.file, lit); run >= AfterEnd {
				return true // on a goroutine, at any time, or when a context has ended: to stop it in a way of its own
			}
		}
		if t.gone(u.Ident) {
			return true
		}
	}
	return false
}
