package flow

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Memoized reports whether a call is made once for all that come later: its result goes into a package variable or a field of
// the receiver that the function asks for first, or such a variable says that the call has been made; or that it works for others as
// well, as [Flow.Shares] tells. Whoever comes first must not end what it does.
func (f *Flow) Memoized(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	if f.Shares(pkg, file, call) {
		return true
	}
	var d *ast.FuncDecl
	for _, n := range f.around(file, call) {
		if fn, ok := n.(*ast.FuncDecl); ok {
			d = fn
		}
	}
	if d == nil || !f.memoizes(pkg, d) {
		return false
	}
	return f.keptIn(pkg, file, d, call) || f.marked(pkg, file, d, call)
}

// keptIn reports whether the value of an expression goes into a shared variable that the function asks for.
func (f *Flow) keptIn(pkg *program.Package, file *program.File, d *ast.FuncDecl, e ast.Expr) bool {
	for n := ast.Node(e); ; {
		parent, child := f.census.Outer(file, n)
		switch p := parent.(type) {
		case *ast.CallExpr:
			if ast.Node(p.Fun) == child {
				return false
			}
		case *ast.CompositeLit, *ast.KeyValueExpr, *ast.UnaryExpr:
		case *ast.AssignStmt:
			return slices.ContainsFunc(p.Lhs, func(lhs ast.Expr) bool { return f.keeps(pkg, d, lhs) })
		default:
			return false
		}
		n = parent
	}
}

// keeps reports whether what is assigned to an expression goes into a shared variable that the function asks for, at once or by
// way of a local variable.
func (f *Flow) keeps(pkg *program.Package, d *ast.FuncDecl, lhs ast.Expr) bool {
	if obj := sharedObject(pkg, lhs); obj != nil {
		return asks(pkg, d, obj)
	}
	id, ok := lhs.(*ast.Ident)
	if !ok || id.Name == "_" {
		return false
	}
	v := pkg.Info.ObjectOf(id)
	found := false
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if as, ok := n.(*ast.AssignStmt); ok && len(as.Lhs) == len(as.Rhs) {
			for i, rhs := range as.Rhs {
				obj := sharedObject(pkg, as.Lhs[i])
				from, isName := ast.Unparen(rhs).(*ast.Ident)
				found = found || obj != nil && isName && pkg.Info.Uses[from] == v && asks(pkg, d, obj)
			}
		}
		return !found
	})
	return found
}

// asks reports whether a condition of a function mentions a shared variable.
func asks(pkg *program.Package, d *ast.FuncDecl, obj types.Object) bool {
	found := false
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if s, ok := n.(*ast.IfStmt); ok && mentions(pkg, s.Cond, obj) {
			found = true
		}
		return !found
	})
	return found
}

func mentions(pkg *program.Package, cond ast.Expr, obj types.Object) bool {
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && sharedObject(pkg, e) == obj {
			found = true
		}
		return !found
	})
	return found
}

// marked reports whether a shared variable says that a call has been made: it becomes true behind the call, and the function asks
// for it.
func (f *Flow) marked(pkg *program.Package, file *program.File, d *ast.FuncDecl, call *ast.CallExpr) bool {
	var stmt ast.Stmt
	for _, n := range f.around(file, call) {
		list := program.Statements(n)
		if i := slices.Index(list, stmt); stmt != nil && i >= 0 {
			for _, later := range list[i+1:] {
				if obj := sets(pkg, later); obj != nil && asks(pkg, d, obj) {
					return true
				}
			}
		}
		if s, ok := n.(ast.Stmt); ok {
			stmt = s
		}
	}
	return false
}

// sets returns the shared variable that a statement makes true; nil for none.
func sets(pkg *program.Package, s ast.Stmt) types.Object {
	as, ok := s.(*ast.AssignStmt)
	if !ok || len(as.Lhs) != 1 || len(as.Rhs) != 1 {
		return nil
	}
	if v := pkg.Info.Types[as.Rhs[0]].Value; v == nil || v.Kind() != constant.Bool || !constant.BoolVal(v) {
		return nil
	}
	return sharedObject(pkg, as.Lhs[0])
}
