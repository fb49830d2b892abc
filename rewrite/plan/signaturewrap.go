package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/callgraph"
)

// wrapper writes the function literal that stands in for a function or method where code outside the program takes it, and
// calls it with the parameter as well.
func (sp *sigPlan) wrapper(f *callgraph.Func, m *callgraph.Mention) (Text, error) {
	refuse := func(why string) (Text, error) {
		return nil, block("foreign-callback", m.File, m.Expr.Pos(), "code outside the program takes %s as it is here, and %s", f.Name, why)
	}
	if !sp.isContext() {
		return refuse("has no value to pass")
	}
	if !sp.stable(m) {
		return refuse("a function literal in its place would compute the receiver at another time")
	}
	sig, ok := m.Pkg.Info.TypeOf(m.Expr).(*types.Signature)
	if !ok {
		return refuse("its type is not known")
	}
	if sp.in.Param.Index > sig.Params().Len() {
		return refuse("it has too few parameters")
	}
	taken := map[string]bool{}
	ast.Inspect(m.Expr, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			taken[id.Name] = true
		}
		return true
	})
	tw := &typeWriter{draft: sp.draft, home: &home{path: m.Pkg.Path, name: m.Pkg.Name, dir: m.Pkg.Dir, pkg: m.Pkg, xtest: m.Pkg.XTest}}
	text := Text{Lit("func(")}
	var args Text
	params := sig.Params()
	for i := range params.Len() {
		if i == sp.in.Param.Index {
			args = append(args, sp.born(nil, m.File)...)
			args = append(args, Lit(", "))
		}
		v := params.At(i)
		name := v.Name()
		if name == "" || name == "_" || taken[name] {
			name = freeAmong(taken)
		}
		taken[name] = true
		last := i == params.Len()-1
		t, dots := v.Type(), ""
		if sig.Variadic() && last {
			t, dots = t.(*types.Slice).Elem(), "..."
		}
		text = append(text, Lit(name))
		args = append(args, Lit(name+dots))
		if !last {
			args = append(args, Lit(", "))
		}
		if !last && types.Identical(t, params.At(i+1).Type()) && !(sig.Variadic() && i+1 == params.Len()-1) {
			text = append(text, Lit(", ")) // i, j int
			continue
		}
		written, ok := tw.typeText(t)
		if !ok {
			return refuse("the type of its parameters cannot be written there")
		}
		text = append(append(text, Lit(" "+dots)), written...)
		if !last {
			text = append(text, Lit(", "))
		}
	}
	if sp.in.Param.Index == sig.Params().Len() {
		if len(args) > 0 {
			args = append(args, Lit(", "))
		}
		args = append(args, sp.born(nil, m.File)...)
	}
	text = append(text, Lit(") "))
	results, ok := sp.resultText(tw, sig)
	if !ok {
		return refuse("the type of its results cannot be written there")
	}
	text = append(text, results...)
	text = append(text, Lit("{ "))
	if sig.Results().Len() > 0 {
		text = append(text, Lit("return "))
	}
	from, to := sp.offset(m.File, m.Expr.Pos()), sp.offset(m.File, m.Expr.End())
	text = append(text, Keep(from, to), Lit("("))
	text = append(text, args...)
	return append(text, Lit(") }")), nil
}

// resultText writes the results of a signature, with a blank behind them.
func (sp *sigPlan) resultText(tw *typeWriter, sig *types.Signature) (Text, bool) {
	n := sig.Results().Len()
	if n == 0 {
		return nil, true
	}
	var text Text
	if n > 1 {
		text = append(text, Lit("("))
	}
	for i := range n {
		if i > 0 {
			text = append(text, Lit(", "))
		}
		written, ok := tw.typeText(sig.Results().At(i).Type())
		if !ok {
			return nil, false
		}
		text = append(text, written...)
	}
	if n > 1 {
		text = append(text, Lit(")"))
	}
	return append(text, Lit(" ")), true
}

func freeAmong(taken map[string]bool) string {
	for _, n := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if !taken[n] {
			return n
		}
	}
	return "argument"
}

// stable reports whether the expression that names a function gives the same function later: it is a function, or a method
// of a variable that is assigned once.
func (sp *sigPlan) stable(m *callgraph.Mention) bool {
	e := ast.Unparen(m.Expr)
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || m.Pkg.Info.Selections[sel] == nil {
		return true
	}
	x, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := m.Pkg.Info.Uses[x].(*types.Var)
	return ok && !assignedAgain(m, v) && !sp.shared(sp.in.Supply.Flow, v) && !copies(m.Pkg.Info.Selections[sel])
}

// copies reports whether a method value holds what the code that follows may change under the same name: a copy of a struct, a copy
// of anything that a pointer or an embedded field leads to, or a pointer that is embedded.
func copies(sel *types.Selection) bool {
	fn, ok := sel.Obj().(*types.Func)
	if !ok || types.IsInterface(sel.Recv()) {
		return false
	}
	t, path := sel.Recv(), sel.Index()
	for _, i := range path[:len(path)-1] {
		st, ok := derefType(t).Underlying().(*types.Struct)
		if !ok {
			return true
		}
		if t = st.Field(i).Type(); isPointer(t) || types.IsInterface(t) {
			return true
		}
	}
	switch recv := fn.Signature().Recv().Type(); recv.Underlying().(type) {
	case *types.Pointer:
		return false
	case *types.Struct, *types.Array:
		return true
	}
	return len(path) > 1 || isPointer(sel.Recv())
}

// assignedAgain reports whether a file assigns to a variable after its declaration, or takes its address.
func assignedAgain(m *callgraph.Mention, v *types.Var) bool {
	if v.Pkg() == nil || v.Parent() == v.Pkg().Scope() {
		return true
	}
	again := false
	ast.Inspect(m.File.AST, func(n ast.Node) bool {
		names := func(e ast.Expr) bool {
			id, ok := ast.Unparen(e).(*ast.Ident)
			return ok && m.Pkg.Info.Uses[id] == v
		}
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				again = again || names(l)
			}
		case *ast.IncDecStmt:
			again = again || names(n.X)
		case *ast.UnaryExpr:
			again = again || n.Op == token.AND && names(n.X)
		case *ast.RangeStmt:
			again = again || n.Tok == token.ASSIGN && (names(n.Key) || n.Value != nil && names(n.Value))
		}
		return !again
	})
	return again
}

// writeMentions wraps a function where code outside the program takes it.
func (sp *sigPlan) writeMentions(p *newParam) error {
	for _, m := range p.f.Mentions {
		if m.Slot == nil {
			continue
		}
		text, err := sp.wrapper(p.f, m)
		if err != nil {
			return err
		}
		sp.spliceText(m.File, m.Expr.Pos(), m.Expr.End(), text)
	}
	return nil
}
