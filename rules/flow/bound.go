package flow

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// A bound is how many turns a loop has.
type bound struct {
	head   ast.Node // where control comes to the loop
	text   string   // the number as an expression, "" when it is none that has the same value later
	of     []place  // what that mentions
	number int      // the number itself, 0 when it is not known
}

// boundOf returns how many turns a loop has; nil for one that tells it in another way than range over numbers or values, or counting
// from 0 to a limit.
func (j *joiner) boundOf(loop ast.Stmt) *bound {
	switch loop := loop.(type) {
	case *ast.RangeStmt:
		b := &bound{head: loop.X}
		t := j.g.Pkg.Info.TypeOf(loop.X)
		if t == nil {
			return nil
		}
		switch t := Under(deref(t)).(type) {
		case *types.Basic:
			if t.Info()&types.IsInteger == 0 {
				return nil
			}
			j.number(b, loop.X, "")
		case *types.Slice, *types.Array, *types.Map:
			if lit, ok := ast.Unparen(loop.X).(*ast.CompositeLit); ok {
				if !slices.ContainsFunc(lit.Elts, func(e ast.Expr) bool { _, keyed := e.(*ast.KeyValueExpr); return keyed }) {
					b.number = len(lit.Elts)
				}
				return b
			}
			j.number(b, loop.X, "len")
		default:
			return nil
		}
		return b
	case *ast.ForStmt:
		return j.countedTo(loop)
	}
	return nil
}

// countedTo is boundOf for i := 0; i < n; i++.
func (j *joiner) countedTo(loop *ast.ForStmt) *bound {
	init, ok1 := loop.Init.(*ast.AssignStmt)
	cond, ok2 := loop.Cond.(*ast.BinaryExpr)
	post, ok3 := loop.Post.(*ast.IncDecStmt)
	if !ok1 || !ok2 || !ok3 || init.Tok != token.DEFINE || len(init.Lhs) != 1 || len(init.Rhs) != 1 || cond.Op != token.LSS || post.Tok != token.INC {
		return nil
	}
	info := j.g.Pkg.Info
	i, ok := placeOf(info, init.Lhs[0])
	x, ok2 := placeOf(info, cond.X)
	y, ok3 := placeOf(info, post.X)
	from := info.Types[init.Rhs[0]].Value
	if !ok || !ok2 || !ok3 || x != i || y != i || from == nil || from.Kind() != constant.Int || constant.Sign(from) != 0 {
		return nil
	}
	for _, lhs := range j.flow.assignedIn(j.g.Pkg, j.outer) {
		if p, ok := placeOf(info, lhs); ok && p == i && lhs != post.X {
			return nil
		}
	}
	b := &bound{head: loop.Cond}
	j.number(b, cond.Y, "")
	return b
}

// number sets a bound to the value of an expression, or to what a builtin function makes of it.
func (j *joiner) number(b *bound, e ast.Expr, builtin string) {
	info := j.g.Pkg.Info
	if v := info.Types[e].Value; v != nil && builtin == "" {
		if n, exact := constant.Int64Val(constant.ToInt(v)); exact && n < 1<<20 {
			b.number = int(n)
		}
	}
	if array, ok := Under(deref(info.TypeOf(e))).(*types.Array); ok && builtin != "" {
		b.number = int(array.Len())
	}
	known := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.ParenExpr, *ast.BinaryExpr, *ast.BasicLit:
		case *ast.CallExpr:
			known = known && (isBuiltin(j.g.Pkg, n, "len") || isBuiltin(j.g.Pkg, n, "cap"))
			for _, arg := range n.Args {
				p, ok := placeOf(info, arg)
				b.of, known = append(b.of, p), known && ok
			}
			return false
		case *ast.Ident, *ast.SelectorExpr:
			if info.Types[n.(ast.Expr)].Value != nil {
				return false
			}
			p, ok := placeOf(info, n.(ast.Expr))
			b.of, known = append(b.of, p), known && ok
			return false
		default:
			known = false
		}
		return known
	})
	if !known {
		return
	}
	b.text = types.ExprString(e)
	if builtin != "" {
		b.text = builtin + "(" + b.text + ")"
	}
}

// sameBound reports whether a loop that receives has at least as many turns as the one that starts goroutines: nothing that tells the number
// gets another value from the first on.
func (j *joiner) sameBound(a, b *bound, first, last ast.Stmt) bool {
	if a == nil || b == nil {
		return false
	}
	if a.number > 0 && b.number > 0 {
		return a.number <= b.number
	}
	if a.text == "" || a.text != b.text || !slices.Equal(a.of, b.of) {
		return false
	}
	return !slices.ContainsFunc(j.flow.assignedIn(j.g.Pkg, j.outer), func(lhs ast.Expr) bool {
		q, ok := placeOf(j.g.Pkg.Info, lhs)
		return ok && first.Pos() <= lhs.Pos() && lhs.Pos() < last.End() && slices.ContainsFunc(a.of, q.holds)
	})
}
