package staleparent

import (
	"go/ast"
	"go/types"
)

// watched reports whether the function itself asks around a place whether the derived context has ended: in the condition of a loop or
// a statement around it or beside it, anywhere in the same loop, or by a channel that it keeps. That says when to stop, and not what to
// stop: a call that got the derived context would end with an error where the function goes on to its own end.
func (f *finder) watched(d *derivation, v *types.Var, at ast.Node) bool {
	for _, u := range f.census.Uses(v) {
		sel, ok := f.census.Parent(u.File, u.Ident).(*ast.SelectorExpr)
		if !ok || u.File != d.file || sel.Sel.Name != "Err" && sel.Sel.Name != "Done" {
			continue
		}
		if f.keptEnd(d, sel) || f.decides(d, sel, at) {
			return true
		}
	}
	return false
}

// keptEnd reports whether what an ask gives is kept in a variable, which is not followed.
func (f *finder) keptEnd(d *derivation, sel *ast.SelectorExpr) bool {
	call, _ := f.census.Outer(d.file, sel)
	parent, _ := f.census.Outer(d.file, call)
	switch parent.(type) {
	case *ast.AssignStmt, *ast.ValueSpec:
		return sel.Sel.Name == "Done"
	}
	return false
}

// decides reports whether an ask is part of a condition which decides about a place.
func (f *finder) decides(d *derivation, ask, at ast.Node) bool {
	condition := false
	for inner, n := ask, f.census.Parent(d.file, ask); n != nil; inner, n = n, f.census.Parent(d.file, n) {
		switch n := n.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return false
		case *ast.IfStmt:
			if inner == ast.Node(n.Cond) {
				condition = true
				if around(f.census.Parent(d.file, n), at) {
					return true
				}
			}
		case *ast.ForStmt:
			condition = condition || inner == ast.Node(n.Cond)
			if condition && around(n, at) {
				return true
			}
		case *ast.RangeStmt:
			if condition && around(n, at) {
				return true
			}
		case *ast.SwitchStmt:
			condition = condition || inner == ast.Node(n.Tag)
			if condition && around(n, at) {
				return true
			}
		case *ast.CaseClause:
			for _, e := range n.List {
				condition = condition || inner == ast.Node(e)
			}
		case *ast.CommClause:
			condition = condition || n.Comm != nil && inner == ast.Node(n.Comm)
		}
	}
	return false
}

func around(outer, inner ast.Node) bool {
	return outer != nil && outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}
