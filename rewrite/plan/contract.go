package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// contract removes the old key from the functions that write and read both.
func (d *draft) contract(in *rules.ContractKey) error {
	first := in.Sites[0].Site
	if d.opts.Stage != "contract" {
		return block("staged", first.File, first.Expr.Pos(), "each of its places stands beside the same one of %s, as between the stages of a migration, and nothing else in the program uses it; if nothing outside of it does either, ctxmend fix --stage contract removes it", in.Sites[0].Typed.Key.Spelled())
	}
	for _, p := range in.Key.Points {
		for _, l := range p.Leaves {
			if c := census.NamedConst(l.Pkg, l.Expr); c != nil && census.IsAPI(d.prog, c) {
				d.review = []string{fmt.Sprintf("%s.%s is exported: importers that still use the old key will notice", c.Pkg().Name(), c.Name())}
			}
		}
	}
	for _, s := range in.Sites {
		old, typed := s.Site.Lookup, s.Typed.Lookup
		done := false
		if old.Role == census.Writer {
			done = d.contractWriter(s, old, typed)
		} else {
			done = d.contractReader(s, old, typed)
		}
		if !done {
			return block("staged", s.Site.File, s.Site.Expr.Pos(), "the function is not of a form that ctxmend writes; remove the old key by hand")
		}
	}
	return nil
}

// contractWriter leaves the typed WithValue of two that follow or hold one another.
func (d *draft) contractWriter(s census.StagedSite, old, typed *census.Lookup) bool {
	f := s.Site.File
	switch {
	case ast.Unparen(old.Context) == ast.Expr(typed.Call): // WithValue(WithValue(ctx, typed, v), old, v)
		return d.leave(f, old.Call.Pos(), old.Call.End(), Text{d.keep(f, typed.Call)}, typed.Call.Pos(), typed.Call.End())
	case ast.Unparen(typed.Context) == ast.Expr(old.Call): // WithValue(WithValue(ctx, old, v), typed, v)
		return d.leave(f, old.Call.Pos(), old.Call.End(), Text{d.keep(f, old.Context)}, old.Context.Pos(), old.Context.End())
	}
	before, after := d.statements(f, typed.Call, old.Call)
	if assign, ok := before.(*ast.AssignStmt); ok { // ctx = WithValue(ctx, typed, v); return WithValue(ctx, old, v)
		ret, isReturn := after.(*ast.ReturnStmt)
		if !isReturn || len(ret.Results) != 1 || ret.Results[0] != ast.Expr(old.Call) || !assignsTo(s.Site, assign, typed.Call, old.Context) {
			return false
		}
		return d.leave(f, assign.Pos(), ret.End(), Text{Lit("return "), d.keep(f, typed.Call)}, typed.Call.Pos(), typed.Call.End())
	}
	before, after = d.statements(f, old.Call, typed.Call)
	if assign, ok := before.(*ast.AssignStmt); ok && assignsTo(s.Site, assign, old.Call, typed.Context) && sameVar(s.Site, old.Context, typed.Context) {
		return d.leave(f, assign.Pos(), after.Pos(), nil, assign.Pos(), assign.End())
	}
	return false
}

// contractReader leaves the typed look-up of an accessor that falls back on the old one.
func (d *draft) contractReader(s census.StagedSite, old, typed *census.Lookup) bool {
	f := s.Site.File
	body := s.Func.Body.List
	if len(body) < 2 {
		return false
	}
	guard, ok := body[0].(*ast.IfStmt)
	if !ok || guard.Else != nil || len(guard.Body.List) != 1 {
		return false
	}
	init, ok := guard.Init.(*ast.AssignStmt)
	if !ok || init.Tok != token.DEFINE || len(init.Rhs) != 1 || d.lookupIn(init.Rhs[0]) != typed.Call {
		return false
	}
	ret, ok := body[len(body)-1].(*ast.ReturnStmt)
	if !ok {
		return false
	}
	typedRead := d.keep(f, init.Rhs[0])
	switch {
	case len(body) == 2 && len(ret.Results) == 1 && d.lookupIn(ret.Results[0]) == old.Call:
		return d.leave(f, guard.Pos(), ret.End(), Text{Lit("return "), typedRead}, init.Rhs[0].Pos(), init.Rhs[0].End())
	case len(body) == 3 && len(ret.Results) == 2:
		assign, ok := body[1].(*ast.AssignStmt)
		if !ok || assign.Tok != token.DEFINE || len(assign.Rhs) != 1 || d.lookupIn(assign.Rhs[0]) != old.Call {
			return false
		}
		return d.leave(f, guard.Pos(), assign.End(), Text{d.keepNames(f, assign), Lit(" := "), typedRead}, init.Rhs[0].Pos(), init.Rhs[0].End())
	}
	return false
}

// lookupIn returns the call of ctx.Value(k) or ctx.Value(k).(T).
func (d *draft) lookupIn(e ast.Expr) *ast.CallExpr {
	if a, ok := ast.Unparen(e).(*ast.TypeAssertExpr); ok {
		e = a.X
	}
	call, _ := ast.Unparen(e).(*ast.CallExpr)
	return call
}

func (d *draft) keepNames(f *program.File, assign *ast.AssignStmt) Part {
	return Keep(d.offset(f, assign.Lhs[0].Pos()), d.offset(f, assign.Lhs[len(assign.Lhs)-1].End()))
}

// leave replaces a range of which only [keepFrom, keepTo) stays, unless a comment would go.
func (d *draft) leave(f *program.File, from, to token.Pos, text Text, keepFrom, keepTo token.Pos) bool {
	if text != nil && (d.commentIn(f, d.offset(f, from), d.offset(f, keepFrom)) || d.commentIn(f, d.offset(f, keepTo), d.offset(f, to))) ||
		text == nil && d.commentIn(f, d.offset(f, from), d.offset(f, to)) {
		return false
	}
	d.spliceText(f, from, to, text)
	return true
}

// statements returns the statement that holds x when the one that holds y follows directly in the same
// block, and that one.
func (d *draft) statements(f *program.File, x, y ast.Node) (before, after ast.Stmt) {
	sx, block := d.statement(f, x)
	sy, other := d.statement(f, y)
	if block == nil || block != other {
		return nil, nil
	}
	for i, s := range block.List[:len(block.List)-1] {
		if s == sx && block.List[i+1] == sy {
			return sx, sy
		}
	}
	return nil, nil
}

// statement returns the statement around a node that stands in a block, and the block.
func (d *draft) statement(f *program.File, n ast.Node) (ast.Stmt, *ast.BlockStmt) {
	for n != nil {
		parent := d.census.Parent(f, n)
		if block, ok := parent.(*ast.BlockStmt); ok {
			s, _ := n.(ast.Stmt)
			return s, block
		}
		n = parent
	}
	return nil, nil
}

// assignsTo reports whether a statement is v = call, v being the variable that e names.
func assignsTo(s *census.Site, assign *ast.AssignStmt, call *ast.CallExpr, e ast.Expr) bool {
	return len(assign.Lhs) == 1 && len(assign.Rhs) == 1 && ast.Unparen(assign.Rhs[0]) == ast.Expr(call) && sameVar(s, assign.Lhs[0], e)
}

func sameVar(s *census.Site, x, y ast.Expr) bool {
	a, b := varOf(s, x), varOf(s, y)
	return a != nil && a == b
}

func varOf(s *census.Site, e ast.Expr) types.Object {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	if obj := s.Pkg.Info.Uses[id]; obj != nil {
		return obj
	}
	return s.Pkg.Info.Defs[id]
}
