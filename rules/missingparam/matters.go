package missingparam

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// matters reports whether it makes a difference for the work done which context an expression is: something asks whether it
// has ended, or a call that can fail gets it. What cannot fail, logging for example, cannot tell that it was
// cancelled; it may look for values, which is no work.
func (w *witness) matters(file *program.File, pkg *program.Package, e ast.Expr) bool {
	parent, child := w.pass.Census.Outer(file, e)
	switch n := parent.(type) {
	case *ast.SelectorExpr:
		return n.Sel.Name != "Value"
	case *ast.BinaryExpr:
		return false
	case *ast.CallExpr:
		return ast.Node(n.Fun) == child || w.mattersTo(file, pkg, n, child)
	case *ast.AssignStmt:
		if len(n.Lhs) == len(n.Rhs) {
			for i, rhs := range n.Rhs {
				if ast.Node(rhs) == child {
					return w.variableMatters(pkg, n.Lhs[i])
				}
			}
		}
	}
	return true
}

func (w *witness) variableMatters(pkg *program.Package, lhs ast.Expr) bool {
	id, ok := ast.Unparen(lhs).(*ast.Ident)
	if !ok {
		return true
	}
	v, ok := pkg.Info.ObjectOf(id).(*types.Var)
	return !ok || w.usesMatter(v)
}

// usesMatter reports whether it makes a difference which context a variable holds.
func (w *witness) usesMatter(v *types.Var) bool {
	if m, known := w.mattering[v]; known {
		return m
	}
	w.mattering[v] = false
	found := false
	for _, u := range w.pass.Census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] == nil && !assignedTo(w.pass.Census.Parent(u.File, u.Ident), u.Ident) && w.matters(u.File, u.Pkg, u.Ident) {
			found = true
			break
		}
	}
	w.mattering[v] = found
	return found
}

// mattersTo reports whether it makes a difference to a call which context it gets as an argument.
func (w *witness) mattersTo(file *program.File, pkg *program.Package, n *ast.CallExpr, arg ast.Node) bool {
	if derives(pkg, n) {
		parent, _ := w.pass.Census.Outer(file, n)
		as, ok := parent.(*ast.AssignStmt)
		if !ok || len(as.Lhs) == 0 {
			return w.matters(file, pkg, n)
		}
		return w.variableMatters(pkg, as.Lhs[0])
	}
	c := w.supply.Calls.CallAt(n)
	if c == nil {
		if w.discarded(file, n) {
			return false
		}
		return flow.CanFail(pkg.Info.TypeOf(n))
	}
	for i, a := range n.Args {
		if ast.Node(a) != arg {
			continue
		}
		for _, f := range c.Callees {
			if c.Named && f.Kind == callgraph.Declared && f.Body() != nil {
				// Nothing else runs, whatever changes with it.
				if v := param(f, i); v != nil && w.usesMatter(v) {
					return true
				}
				continue
			}
			if w.mattersToFunc(f, i, map[*callgraph.Func]bool{}) {
				return true
			}
		}
	}
	return false
}

// discarded reports whether nobody looks at what a call of code elsewhere returns: its caller would not notice that it
// was cancelled.
func (w *witness) discarded(file *program.File, n *ast.CallExpr) bool {
	switch p := w.pass.Census.Parent(file, n).(type) {
	case *ast.ExprStmt:
		return true
	case *ast.AssignStmt:
		for _, l := range p.Lhs {
			if id, ok := l.(*ast.Ident); !ok || id.Name != "_" {
				return false
			}
		}
		return true
	}
	return false
}

// mattersToFunc reports whether it makes a difference to a function which context it gets as its i-th argument.
func (w *witness) mattersToFunc(f *callgraph.Func, i int, seen map[*callgraph.Func]bool) bool {
	if seen[f] {
		return false
	}
	seen[f] = true
	if f.Kind == callgraph.Foreign {
		return f.Signature != nil && flow.CanFail(f.Signature.Results())
	}
	if f.Body() != nil {
		if v := param(f, i); v != nil && w.usesMatter(v) {
			return true
		}
	}
	for _, l := range f.Links {
		if w.mattersToFunc(l.To, i, seen) {
			return true
		}
	}
	return false
}
