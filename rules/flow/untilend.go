package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// RunsUntilEnd reports whether a node, or a function of the world that it gives a context, may go on for as long as the context does: it
// waits for nothing but its end, or works with it in a loop that comes to no end by itself. Without the end of the context it would never
// stop.
func (f *Flow) RunsUntilEnd(pkg *program.Package, file *program.File, n ast.Node) bool {
	l := &lasting{flow: f, seen: map[*types.Func]bool{}}
	return l.lasts(pkg, file, n, 0)
}

// CallRunsUntilEnd does the same for a call that gets a context.
func (f *Flow) CallRunsUntilEnd(pkg *program.Package, call *ast.CallExpr) bool {
	l := &lasting{flow: f, seen: map[*types.Func]bool{}}
	return l.called(pkg, call, 0)
}

// A lasting looks for what goes on until a context ends. Functions that have been looked at once are left out.
type lasting struct {
	flow *Flow
	seen map[*types.Func]bool
}

func (l *lasting) lasts(pkg *program.Package, file *program.File, body ast.Node, depth int) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && l.isDone(pkg, n.X) && !l.oneOfSome(file, n)
		case *ast.ForStmt:
			found = found || works(pkg, n) && endless(pkg, n)
		case *ast.RangeStmt:
			found = found || l.isDone(pkg, n.X) || works(pkg, n.Body) && stopped(pkg, n)
		case *ast.AssignStmt:
			found = found || slices.ContainsFunc(n.Rhs, func(e ast.Expr) bool { return l.isDone(pkg, e) })
		case *ast.CallExpr:
			found = found || opens(pkg, n) || l.called(pkg, n, depth+1)
		}
		return !found
	})
	return found
}

// called reports whether what a call gives a context to goes on until that ends.
func (l *lasting) called(pkg *program.Package, call *ast.CallExpr, depth int) bool {
	fn := census.Callee(pkg.Info, call)
	if fn == nil || depth > maxCalls || !givesContextTo(pkg, call) {
		return false
	}
	for _, callee := range l.flow.Callees(fn) {
		b := l.flow.body(callee)
		if b == nil || l.seen[callee] {
			continue
		}
		l.seen[callee] = true
		if l.lasts(b.pkg, b.file, b.decl.Body, depth) {
			return true
		}
	}
	return false
}

// isDone reports whether an expression asks a context for the channel that tells its end.
func (l *lasting) isDone(pkg *program.Package, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Done" && Implements(pkg.Info.TypeOf(sel.X))
}

// oneOfSome reports whether a receive is one of several things that a select statement waits for.
func (l *lasting) oneOfSome(file *program.File, n ast.Node) bool {
	for up := l.flow.census.Parent(file, n); up != nil && !isFunc(up); up = l.flow.census.Parent(file, up) {
		switch up := up.(type) {
		case *ast.CommClause:
			block, ok := l.flow.census.Parent(file, up).(*ast.BlockStmt)
			return up.Comm != nil && within(up.Comm, n) && ok && len(block.List) > 1
		case *ast.BlockStmt:
			return false
		}
	}
	return false
}

// works reports whether a node gives a context to a call, or asks one for its end.
func works(pkg *program.Package, n ast.Node) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || found {
			return !found
		}
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		found = givesContextTo(pkg, call) || ok && (sel.Sel.Name == "Done" || sel.Sel.Name == "Err") && Implements(pkg.Info.TypeOf(sel.X))
		return !found
	})
	return found
}

// WorksIn reports whether an expression gives a context to a call, or asks one for its end.
func (f *Flow) WorksIn(pkg *program.Package, e ast.Expr) bool { return works(pkg, e) }

// endless reports whether nothing says how often a loop is gone through: it has no condition, or one about what a call makes of a context:
// its result, an error, a variable that the loop assigns it to.
func endless(pkg *program.Package, loop *ast.ForStmt) bool {
	if loop.Cond == nil || pkg.Info.Types[loop.Cond].Value != nil {
		return true
	}
	if works(pkg, loop.Cond) {
		return true
	}
	made := map[types.Object]bool{}
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		if as, ok := n.(*ast.AssignStmt); ok && works(pkg, as) {
			for _, lhs := range as.Lhs {
				if id, ok := lhs.(*ast.Ident); ok {
					made[pkg.Info.ObjectOf(id)] = true
				}
			}
		}
		return true
	})
	found := false
	ast.Inspect(loop.Cond, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			v, isVar := pkg.Info.Uses[id].(*types.Var)
			found = found || isVar && (made[v] || isErrorType(v.Type()))
		}
		return !found
	})
	return found
}

// stopped reports whether a loop over what comes one by one, from a channel or a function, is left on the way: where a call with the
// context fails, as far as can be told.
func stopped(pkg *program.Package, loop *ast.RangeStmt) (found bool) {
	switch Under(pkg.Info.TypeOf(loop.X)).(type) {
	case *types.Chan, *types.Signature:
	default:
		return false
	}
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			found = true
		case *ast.BranchStmt:
			found = found || n.Tok == token.BREAK || n.Tok == token.GOTO
		}
		return !found
	})
	return found
}

// opens reports whether a call with a context returns something that gives values one by one, a channel or an iterator: they may come
// until the context ends. It counts as well that a function is called then.
func opens(pkg *program.Package, call *ast.CallExpr) bool {
	if !givesContextTo(pkg, call) {
		return false
	}
	if fn := census.Callee(pkg.Info, call); fn != nil && fn.FullName() == "context.AfterFunc" {
		return true
	}
	for _, r := range resultTypes(pkg.Info.TypeOf(call)) {
		switch t := Under(r).(type) {
		case *types.Chan:
			return true
		case *types.Signature:
			if t.Params().Len() == 1 && t.Results().Len() == 0 {
				if yield, ok := t.Params().At(0).Type().Underlying().(*types.Signature); ok && yield.Results().Len() == 1 {
					return true
				}
			}
		}
	}
	return false
}
