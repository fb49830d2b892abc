package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A dropPlan is the plan to remove what stores a value under one key.
type dropPlan struct {
	*draft
	// lost are the ranges whose code goes.
	lost []lostRange
	// kept are ranges within them that go elsewhere.
	kept []lostRange
	// names are what the lost key expressions and values mention.
	names []census.Use
}

// A lostRange is code that goes, but for what is kept of it.
type lostRange struct {
	file     *program.File
	from, to token.Pos
	keep     ast.Expr // nil for nothing
}

func (r lostRange) holds(pos token.Pos) bool {
	return r.from <= pos && pos < r.to && (r.keep == nil || pos < r.keep.Pos() || pos >= r.keep.End())
}

// dropWrites removes all writers of a key that nothing reads.
func (d *draft) dropWrites(in *rules.DropWrites) error {
	p := &dropPlan{draft: d}
	done := map[*ast.CallExpr]bool{}
	for _, s := range in.Key.Sites {
		if call := s.Lookup.Call; call != nil && done[call] {
			continue
		}
		done[s.Lookup.Call] = true
		if err := p.dropSite(s); err != nil {
			return err
		}
	}
	if err := p.unusedLocals(); err != nil {
		return err
	}
	p.dropDecls()
	return nil
}

// dropSite removes one call of context.WithValue.
func (p *dropPlan) dropSite(s *census.Site) error {
	lk := s.Lookup
	f := lk.File
	if lk.Call == nil || ast.Unparen(lk.Key) != s.Expr {
		return block("forwarder", s.File, s.Expr.Pos(), "the value is stored through a function that takes the key; remove the call by hand")
	}
	if decl := p.onlyStores(lk); decl != nil {
		return block("accessor", f, decl.Name.Pos(), "function %s does nothing but store the value; remove it with its calls", decl.Name.Name)
	}
	if effects(lk.Pkg, lk.Key) {
		return block("effects", f, lk.Key.Pos(), "computing the key may have effects")
	}
	p.note(lk)
	whole, parent := p.widen(lk)
	keepCtx := whole.stays
	valueStays := effects(lk.Pkg, lk.Value)
	stmt, inBlock := p.statement(f, whole.expr)
	if as, ok := parent.(*ast.AssignStmt); ok && inBlock && as == stmt && p.withoutEffect(lk.Pkg, as, keepCtx) {
		return p.dropStatement(lk, as, valueStays)
	}
	if as, ok := parent.(*ast.AssignStmt); ok && as.Tok == token.DEFINE && len(as.Lhs) == 1 && sameText(as.Lhs[0], keepCtx) {
		return block("scope", f, as.Pos(), "%s := %[1]s would be left; remove it by hand", types.ExprString(keepCtx))
	}
	if valueStays {
		if !inBlock || p.othersAct(lk.Pkg, stmt, lk.Call) {
			return block("effects", f, lk.Value.Pos(), "the stored value is computed in the middle of a statement, and computing it may have effects; compute it on a line of its own")
		}
		if err := p.insertBefore(f, stmt, lk.Value); err != nil {
			return err
		}
	}
	return p.replace(f, whole.expr, keepCtx)
}

// note remembers the names that the lost key and value mention.
func (p *dropPlan) note(lk *census.Lookup) {
	ast.Inspect(lk.Call, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			p.names = append(p.names, census.Use{Ident: id, File: lk.File, Pkg: lk.Pkg})
		}
		return true
	})
}

// onlyStores returns the function whose body is nothing but return context.WithValue(...), nil for other places.
func (p *dropPlan) onlyStores(lk *census.Lookup) *ast.FuncDecl {
	ret, _ := p.census.Outer(lk.File, lk.Call)
	if _, ok := ret.(*ast.ReturnStmt); !ok {
		return nil
	}
	body := p.census.Parent(lk.File, ret)
	decl, ok := p.census.Parent(lk.File, body).(*ast.FuncDecl)
	if !ok || len(decl.Body.List) != 1 {
		return nil
	}
	return decl
}

// A whole is the expression to be replaced and the part of it that takes its place.
type wholeExpr struct{ expr, stays ast.Expr }

// widen returns the call of WithValue and its parent context or, where it is the argument in
// r.WithContext(context.WithValue(r.Context(), k, v)), that call and r.
func (p *dropPlan) widen(lk *census.Lookup) (wholeExpr, ast.Node) {
	whole := wholeExpr{lk.Call, lk.Context}
	parent, child := p.census.Outer(lk.File, lk.Call)
	outer, ok := parent.(*ast.CallExpr)
	if !ok || len(outer.Args) != 1 || ast.Node(outer.Args[0]) != child {
		return whole, parent
	}
	fn := census.Callee(lk.Pkg.Info, outer)
	if fn == nil || fn.FullName() != "(*net/http.Request).WithContext" {
		return whole, parent
	}
	sel, ok := ast.Unparen(outer.Fun).(*ast.SelectorExpr)
	if !ok {
		return whole, parent
	}
	asked, ok := ast.Unparen(lk.Context).(*ast.CallExpr)
	if !ok || len(asked.Args) != 0 {
		return whole, parent
	}
	from, ok := ast.Unparen(asked.Fun).(*ast.SelectorExpr)
	if !ok || from.Sel.Name != "Context" || !sameName(lk.Pkg, sel.X, from.X) {
		return whole, parent
	}
	parent, _ = p.census.Outer(lk.File, outer)
	return wholeExpr{outer, sel.X}, parent
}

// sameName reports whether two expressions name the same variable.
func sameName(pkg *program.Package, a, b ast.Expr) bool {
	x, ok := ast.Unparen(a).(*ast.Ident)
	y, yOK := ast.Unparen(b).(*ast.Ident)
	if !ok || !yOK {
		return false
	}
	v, isVar := pkg.Info.ObjectOf(x).(*types.Var)
	return isVar && v == pkg.Info.ObjectOf(y)
}

// sameText reports whether two expressions are the same identifier by name.
func sameText(a, b ast.Expr) bool {
	x, ok := a.(*ast.Ident)
	y, yOK := ast.Unparen(b).(*ast.Ident)
	return ok && yOK && x.Name == y.Name
}

// statement returns the statement around an expression; inBlock is set when it stands in a list of
// statements and runs once where it stands.
func (p *dropPlan) statement(f *program.File, e ast.Expr) (stmt ast.Stmt, inBlock bool) {
	var n ast.Node = e
	for {
		up := p.census.Parent(f, n)
		if up == nil {
			return nil, false
		}
		if s, ok := n.(ast.Stmt); ok {
			switch up.(type) {
			case *ast.BlockStmt, *ast.CaseClause:
			case *ast.CommClause:
				if up.(*ast.CommClause).Comm == s {
					return s, false
				}
			default:
				return s, false
			}
			switch s.(type) {
			case *ast.AssignStmt, *ast.ReturnStmt, *ast.ExprStmt, *ast.DeclStmt:
				return s, true
			}
			return s, false
		}
		if _, ok := n.(*ast.FuncLit); ok {
			return nil, false
		}
		n = up
	}
}

// withoutEffect reports whether an assignment would only store in a variable what it holds.
func (p *dropPlan) withoutEffect(pkg *program.Package, as *ast.AssignStmt, value ast.Expr) bool {
	if len(as.Lhs) != 1 {
		return false
	}
	if as.Tok == token.ASSIGN {
		return sameName(pkg, as.Lhs[0], value)
	}
	lhs, ok := as.Lhs[0].(*ast.Ident)
	rhs, isIdent := ast.Unparen(value).(*ast.Ident)
	if !ok || !isIdent || lhs.Name != rhs.Name || as.Tok != token.DEFINE {
		return false
	}
	for _, obj := range []types.Object{pkg.Info.Defs[lhs], pkg.Info.Uses[rhs]} {
		if obj == nil || p.reassigned(obj) {
			return false // the two variables have a life of their own
		}
	}
	return true
}

// reassigned reports whether a variable gets another value after its declaration, or its address is taken.
func (p *dropPlan) reassigned(obj types.Object) bool {
	for _, u := range p.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		switch parent, child := p.census.Outer(u.File, u.Ident); parent := parent.(type) {
		case *ast.AssignStmt:
			for _, lhs := range parent.Lhs {
				if ast.Node(lhs) == child {
					return true
				}
			}
		case *ast.UnaryExpr:
			if parent.Op == token.AND {
				return true
			}
		case *ast.RangeStmt:
			if parent.Key == child || parent.Value == child {
				return true
			}
		}
	}
	return false
}

// othersAct reports whether a statement has effects besides those of the call and of what the call is handed to.
func (p *dropPlan) othersAct(pkg *program.Package, stmt ast.Stmt, call *ast.CallExpr) bool {
	acts := false
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if n == call {
				return false
			}
			around := n.Pos() <= call.Pos() && call.End() <= n.End() // it runs after its arguments
			acts = acts || !around && !quietCall(pkg, n)
		case *ast.UnaryExpr:
			acts = acts || n.Op == token.ARROW
		case *ast.BinaryExpr:
			acts = acts || n.Op == token.LAND || n.Op == token.LOR
		}
		return true
	})
	return acts || effects(pkg, call.Args[0])
}
