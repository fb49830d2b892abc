package flow

import (
	"go/ast"
	"go/types"
	"maps"
)

// awaited notes the errors of goroutines behind the place that waits for them: what their functions leave in variables of the function around
// them.
func (e *ender) awaited(x ast.Expr, u unseen) {
	v := e.waitsFor(x)
	if v == nil {
		return
	}
	for _, lit := range e.concurrent(x, v) {
		maps.Copy(u, e.leftBy(lit))
	}
}

// waitsFor returns the variable, a group or a channel, that an expression waits for; nil for none.
func (e *ender) waitsFor(x ast.Expr) *types.Var {
	switch x := ast.Unparen(x).(type) {
	case *ast.CallExpr:
		if sel, ok := ast.Unparen(x.Fun).(*ast.SelectorExpr); ok && len(x.Args) == 0 && e.flow.maySignal(x) {
			return e.rootVar(sel.X)
		}
	case *ast.UnaryExpr:
		if receives(x) {
			return e.rootVar(x.X)
		}
	}
	return nil
}

func (e *ender) rootVar(x ast.Expr) *types.Var {
	id := Root(x)
	if id == nil {
		return nil
	}
	v, _ := e.pkg.Info.Uses[id].(*types.Var)
	return v
}

// concurrent returns the literals before a place, in the function around it, that run as goroutines and are started with, or mention, a
// variable.
func (e *ender) concurrent(at ast.Expr, v *types.Var) (list []*ast.FuncLit) {
	for _, use := range e.flow.census.Uses(v) {
		if use.File != e.file || use.Ident.Pos() >= at.Pos() {
			continue
		}
		lit, _ := e.startedAt(use.Ident)
		if lit != nil && lit.End() <= at.Pos() && !contains(list, lit) {
			list = append(list, lit)
		}
	}
	return list
}

func contains(list []*ast.FuncLit, lit *ast.FuncLit) bool {
	for _, l := range list {
		if l == lit {
			return true
		}
	}
	return false
}

// startedAt returns the literal of the goroutine that mentions something, or that a call of a method of it starts: wg.Go(func() { ... }).
func (e *ender) startedAt(id *ast.Ident) (*ast.FuncLit, ast.Node) {
	for n := ast.Node(id); n != nil; n = e.flow.census.Parent(e.file, n) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return nil, nil
		case *ast.FuncLit:
			if e.flow.RunOf(e.pkg, e.file, n) == Concurrent {
				return n, n
			}
		case *ast.CallExpr:
			sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
			if !ok || Root(sel.X) != id {
				continue
			}
			for _, arg := range n.Args {
				if lit, ok := ast.Unparen(arg).(*ast.FuncLit); ok && e.flow.RunOf(e.pkg, e.file, lit) == Concurrent {
					return lit, n
				}
			}
		}
	}
	return nil, nil
}

// leftBy returns the errors that the function of a goroutine leaves to the one around it. What it returns itself, whoever waits for it gets.
func (e *ender) leftBy(lit *ast.FuncLit) unseen {
	key := waitsOf{e.pkg, lit.Body, false}
	if u, known := e.flow.leftovers[key]; known {
		return u
	}
	e.flow.leftovers[key] = unseen{}
	of := &ender{finder: e.finder, source: e.source, goes: lit.Type.Results == nil}
	u := unseen{}
	for _, s := range lit.Body.List {
		of.look(s, u, u)
	}
	of.forget(u, func(v *types.Var) bool { return v.Pos() >= lit.Pos() })
	e.flow.leftovers[key] = u
	return u
}
