package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Alternates reports whether a call that goes without the context in scope has a counterpart in another branch that gets it: one
// of the same function or, unless it is nil, of its twin. Whoever wrote both has chosen; of a function from elsewhere, which may be
// called for anything, the other arguments have to be the same.
func (f *Flow) Alternates(pkg *program.Package, file *program.File, call *ast.CallExpr, twin *types.Func) bool {
	fn := census.Callee(pkg.Info, call)
	own := f.around(file, call)
	i := slices.IndexFunc(own, isFunc)
	if fn == nil || i < 0 {
		return false
	}
	found := false
	ast.Inspect(own[i], func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok && ast.Node(lit) != own[i] {
			return false
		}
		other, ok := n.(*ast.CallExpr)
		if !ok || found || other == call {
			return !found
		}
		if to := census.Callee(pkg.Info, other); to == nil || to != fn && to != twin || receiver(call) != receiver(other) {
			return true
		}
		found = (f.Declares(fn) || f.sameButContext(pkg, call, other)) && f.apart(pkg, own, f.around(file, other)) && f.getsLive(pkg, file, other)
		return !found
	})
	return found
}

// receiver writes what a method is called on.
func receiver(call *ast.CallExpr) string {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		return types.ExprString(sel.X)
	}
	return ""
}

// Swapped reports whether a variable that a context made from nothing is assigned to holds the one in scope on another way.
func (f *Flow) Swapped(b *Birth) bool {
	var id *ast.Ident
	parent, child := f.census.Outer(b.File, b.Call)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		for i, rhs := range p.Rhs {
			if ast.Node(rhs) == child && len(p.Lhs) == len(p.Rhs) {
				id, _ = p.Lhs[i].(*ast.Ident)
			}
		}
	case *ast.ValueSpec:
		for i, value := range p.Values {
			if ast.Node(value) == child && len(p.Names) == len(p.Values) {
				id = p.Names[i]
			}
		}
	}
	v, ok := b.Pkg.Info.Defs[id].(*types.Var)
	return id != nil && ok && slices.ContainsFunc(f.assignsTo(b.File, v), func(as *ast.AssignStmt) bool {
		for i, lhs := range as.Lhs {
			if to, ok := lhs.(*ast.Ident); ok && b.Pkg.Info.Uses[to] == v && f.madeOfLive(b, as.Rhs[i], v) {
				return true
			}
		}
		return false
	})
}

// sameButContext reports whether two calls have the same arguments, contexts apart.
func (f *Flow) sameButContext(pkg *program.Package, call, other *ast.CallExpr) bool {
	texts := func(call *ast.CallExpr) (list []string) {
		for _, arg := range call.Args {
			if t := pkg.Info.TypeOf(arg); t == nil || !Implements(t) {
				list = append(list, types.ExprString(arg))
			}
		}
		return list
	}
	return slices.Equal(texts(call), texts(other))
}

// getsLive reports whether a call gets a context that is in scope there, and was not made from nothing.
func (f *Flow) getsLive(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return f.live(pkg, file, arg) })
}

// madeOfLive reports whether a context is one in scope, or made of one, and not of the variable that gets it.
func (f *Flow) madeOfLive(b *Birth, e ast.Expr, v *types.Var) bool {
	own, found := false, false
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			own = own || b.Pkg.Info.Uses[id] == v
			found = found || f.inScope(b.Pkg, b.File, id)
		}
		return true
	})
	return found && !own
}

// live reports whether an expression is a context in scope, or asks for one: r.Context().
func (f *Flow) live(pkg *program.Package, file *program.File, e ast.Expr) bool {
	if t := pkg.Info.TypeOf(e); t == nil || !Implements(t) {
		return false
	}
	e = ast.Unparen(e)
	if asked, ok := e.(*ast.CallExpr); ok {
		e = asked.Fun
	}
	id := Root(e)
	return id != nil && f.inScope(pkg, file, id)
}

// inScope reports whether a name is that of a context in scope that was not made from nothing, or of what is asked for one.
func (f *Flow) inScope(pkg *program.Package, file *program.File, id *ast.Ident) bool {
	v, ok := pkg.Info.Uses[id].(*types.Var)
	return ok && carries(v.Type()) && slices.ContainsFunc(f.visible(file, id.Pos()), func(s *Source) bool {
		return !s.Born && s.Kind != Field && s.Var == v
	})
}

// apart reports whether at most one of two places is come to, given what lies around them, innermost first: they are branches of one
// statement, or the function is left between them.
func (f *Flow) apart(pkg *program.Package, one, two []ast.Node) bool {
	for len(one) > 1 && len(two) > 1 && one[len(one)-2] == two[len(two)-2] {
		one, two = one[:len(one)-1], two[:len(two)-1]
	}
	if len(one) < 2 || len(two) < 2 {
		return false
	}
	a, b := one[len(one)-2], two[len(two)-2]
	if s, ok := one[len(one)-1].(*ast.IfStmt); ok {
		branch := func(n ast.Node) bool { return n == ast.Node(s.Body) || n == ast.Node(s.Else) }
		return branch(a) && branch(b)
	}
	if isClause(a) && isClause(b) {
		return true
	}
	first := one
	if b.Pos() < a.Pos() {
		first = two
	}
	return slices.ContainsFunc(first[:len(first)-2], func(n ast.Node) bool {
		list := program.Statements(n)
		return len(list) > 0 && f.leaves(pkg.Info, list)
	})
}

func isClause(n ast.Node) bool {
	switch n.(type) {
	case *ast.CaseClause, *ast.CommClause:
		return true
	}
	return false
}
