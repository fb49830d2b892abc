package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A joinRow is one or more writers that become one.
type joinRow struct {
	// links are the writers of the unit's keys, in order.
	links []*census.Site
	// steps are the chain's links from the first of them to the last, those of other keys included.
	steps []*joinStep
	// fresh is set when the parent context carries none of the values.
	fresh bool
	// kept remembers which variables have the same value anywhere in the row.
	kept map[*types.Var]bool
}

// A joinStep is a link of a chain, with how the next one gets at its result.
type joinStep struct {
	*census.Site
	joins  bool // its key is one of the unit's
	nested bool // the next link's context operand is its call
	// keeping is the statement that keeps its result for the next link, assign the same where that is a variable of the context.
	keeping *census.Keeping
	assign  *ast.AssignStmt
	v       *types.Var // that the result is kept in
	// again is set when the call's context operand is the variable as well.
	again bool
	stmt  ast.Node // the statement around, in a block
	// moved is its value where the struct is made, hoisted the variable that keeps it until then, "" for none.
	moved   Text
	hoisted string
}

func (row *joinRow) sets(k *census.Key) bool {
	return slices.ContainsFunc(row.links, func(s *census.Site) bool { return s.Key == k })
}

func (row *joinRow) last() *joinStep { return row.steps[len(row.steps)-1] }

// chooseRows sorts the writers into rows: chains that store all values, or that store some on a fresh context, become one
// call; all other writers set a field of what is there.
func (jp *joinPlan) chooseRows() error {
	inRow := map[*ast.CallExpr]bool{}
	complete := false
	for _, ch := range jp.census.AllChains() {
		row := jp.rowOf(ch)
		if row == nil {
			continue
		}
		whole := len(row.links) == len(jp.fields)
		if !whole && !row.fresh {
			continue
		}
		if err := jp.connect(row); err != nil {
			if whole && !row.links[0].File.Test {
				return err
			}
			continue
		}
		complete = complete || whole && !row.links[0].File.Test
		for _, s := range row.links {
			inRow[s.Lookup.Call] = true
		}
		jp.rows = append(jp.rows, row)
	}
	if !complete {
		s := jp.in.Chains[0].Links[0]
		return block("twice", s.File, s.Expr.Pos(), "the row attaches one of the values twice; attach each once")
	}
	jp.inline(inRow)
	for _, s := range jp.places() {
		if s.Role != census.Writer || inRow[s.Lookup.Call] || jp.inlined[s.Lookup.Call] != nil {
			continue
		}
		inRow[s.Lookup.Call] = true
		jp.rows = append(jp.rows, &joinRow{links: []*census.Site{s}, steps: []*joinStep{{Site: s, joins: true}}, fresh: jp.freshContext(s.Pkg, s.Lookup.Context)})
	}
	slices.SortStableFunc(jp.rows, func(a, b *joinRow) int {
		x, y := jp.prog.IDOf(a.links[0].Expr.Pos()), jp.prog.IDOf(b.links[0].Expr.Pos())
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Offset, y.Offset))
	})
	return nil
}

// inline finds the functions that only rows call: the struct is stored at the calls, and they go.
func (jp *joinPlan) inline(inRow map[*ast.CallExpr]bool) {
	for _, a := range jp.census.Attachers() {
		if jp.byKey[a.Site.Key] != nil && jp.census.AlwaysIn(a, inRow) && !census.IsAPI(jp.prog, a.Func) && !jp.census.MentionedUnchecked(a.Func) {
			jp.inlined[a.Site.Lookup.Call] = a
		}
	}
}

// rowOf returns the part of a chain that stores two or more of the values, nil for none, or when one is stored twice before all are.
func (jp *joinPlan) rowOf(ch *census.Chain) *joinRow {
	row := &joinRow{fresh: jp.freshContext(ch.Links[0].Pkg, ch.Links[0].Lookup.Context)}
	from, to := -1, 0
	for i, s := range ch.Links {
		if jp.byKey[s.Key] == nil {
			continue
		}
		if row.sets(s.Key) {
			if len(row.links) < len(jp.fields) {
				return nil
			}
			break // it is set again
		}
		row.links = append(row.links, s)
		if from < 0 {
			from = i
		}
		to = i
	}
	if len(row.links) < 2 {
		return nil
	}
	for _, s := range ch.Links[from : to+1] {
		row.steps = append(row.steps, &joinStep{Site: s, joins: jp.byKey[s.Key] != nil})
	}
	return row
}

// freshContext reports whether an expression makes a context without values.
func (jp *joinPlan) freshContext(pkg *program.Package, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := census.Callee(pkg.Info, call)
	if fn == nil || fn.Pkg() == nil {
		return false
	}
	switch fn.Pkg().Path() {
	case "context":
		return fn.Name() == "Background" || fn.Name() == "TODO"
	case "testing":
		return fn.Name() == "Context"
	}
	return false
}

// connect finds out how the links of a row hang together, and that nobody sees the contexts between them.
func (jp *joinPlan) connect(row *joinRow) error {
	for i, st := range row.steps {
		st.stmt = jp.stmtAround(st.File, st.Lookup.Call)
		if i == len(row.steps)-1 {
			break
		}
		next := row.steps[i+1].Lookup
		if ast.Unparen(next.Context) == st.Lookup.Call {
			st.nested = true
			continue
		}
		if err := jp.keepBetween(st); err != nil {
			return err
		}
	}
	if loop, ok := row.last().stmt.(*ast.ForStmt); ok && len(row.steps) > 1 && row.steps[0].stmt != ast.Node(loop) {
		return block("chain", row.last().File, loop.Pos(), "the last of the calls is made again in every round of a loop")
	}
	return jp.unseen(row)
}

// keepBetween looks at the statement that keeps the result of a link for the next one.
func (jp *joinPlan) keepBetween(st *joinStep) error {
	k := jp.census.Keeping(st.Site)
	if k == nil || st.stmt != ast.Node(k.Stmt) {
		return block("chain", st.File, st.Lookup.Call.Pos(), "the call is no statement of its own")
	}
	if k.Root.Parent() == nil || k.Root.Parent() == k.Root.Pkg().Scope() {
		return block("chain", st.File, st.Lookup.Call.Pos(), "the context between the values is kept where others see it")
	}
	st.keeping, st.v, st.again = k, k.Root, k.Again
	as, ok := k.Stmt.(*ast.AssignStmt)
	if ok && !k.Request && nameOf(st.Pkg, k.At) != nil {
		st.assign = as
	}
	st.again = st.again && (!ok || as.Tok == token.ASSIGN)
	return nil
}

// unseen blocks a row when code uses a context that carries some of the values only.
func (jp *joinPlan) unseen(row *joinRow) error {
	first, last := row.steps[0], row.last()
	f := first.File
	from, to := first.Lookup.Call.End(), last.Lookup.Call.End()
	own := map[*ast.Ident]bool{}
	for _, st := range row.steps {
		jp.ownNames(st, own)
	}
	kept := jp.census.Keeping(last.Site)
	captured := false
	seen := map[*types.Var]bool{}
	for _, st := range row.steps {
		if st.v == nil || seen[st.v] {
			continue
		}
		seen[st.v] = true
		for _, u := range jp.census.Uses(st.v) {
			switch at := u.Ident.Pos(); {
			case own[u.Ident] || jp.blind(st, u):
			case from <= at && at < to:
				return block("between", f, at, "the context is used here, between the values; attach them together")
			case (at >= to || jp.comesBack(u, st) || jp.captures(f, u.Ident, st.stmt)) && !keptIn(kept, st):
				return block("between", f, at, "the context is used here with a part of the values only; attach all of them before")
			case at < from && jp.captures(f, u.Ident, st.stmt):
				captured = true
			}
		}
	}
	return jp.straight(row, captured)
}

// keptIn reports whether the whole row is kept where a link keeps its part, so that nobody finds the part there later.
func keptIn(kept *census.Keeping, st *joinStep) bool {
	return kept != nil && kept.Place == st.keeping.Place
}

// comesBack reports whether a use above a link runs after it, in the next round of a loop that both are in and that does not declare the variable.
func (jp *joinPlan) comesBack(u census.Use, st *joinStep) bool {
	for n := jp.census.Parent(u.File, st.stmt); n != nil; n = jp.census.Parent(u.File, n) {
		switch n.(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return false
		case *ast.ForStmt, *ast.RangeStmt:
			if inside := func(pos token.Pos) bool { return n.Pos() <= pos && pos < n.End() }; inside(u.Ident.Pos()) && !inside(st.v.Pos()) {
				return true
			}
		}
	}
	return false
}

// ownNames collects the names by which a link takes and keeps its context.
func (jp *joinPlan) ownNames(st *joinStep, own map[*ast.Ident]bool) {
	exprs := []ast.Expr{st.Lookup.Context}
	if k := jp.census.Keeping(st.Site); k != nil {
		exprs = append(exprs, k.At)
		if k.Again && k.From != nil {
			exprs = append(exprs, k.From)
		}
	} else if parent, _ := jp.census.Outer(st.File, st.Lookup.Call); parent != nil {
		if as, ok := parent.(*ast.AssignStmt); ok {
			exprs = append(exprs, as.Lhs...)
		}
		if call, ok := parent.(*ast.CallExpr); ok && isRequestCopy(st.Pkg, call) {
			exprs = append(exprs, ast.Unparen(call.Fun).(*ast.SelectorExpr).X)
		}
	}
	for _, e := range exprs {
		ast.Inspect(e, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				own[id] = true
			}
			return true
		})
	}
}

// captures reports whether a use stands in a function literal that does not hold a statement, or takes the variable's address.
func (jp *joinPlan) captures(f *program.File, id *ast.Ident, stmt ast.Node) bool {
	for n := jp.census.Parent(f, id); n != nil; n = jp.census.Parent(f, n) {
		switch n := n.(type) {
		case *ast.FuncLit:
			if stmt.Pos() < n.Pos() || stmt.Pos() >= n.End() {
				return true
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND && ast.Unparen(n.X) == ast.Expr(id) {
				return true
			}
		}
	}
	return false
}

// straight blocks a row that control may leave, or look at from elsewhere, between its links.
func (jp *joinPlan) straight(row *joinRow, captured bool) error {
	between := jp.between(row)
	first := row.steps[0]
	for _, st := range row.steps {
		if captured && (len(between) > 0 || effects(st.Pkg, st.Lookup.Value)) {
			return block("between", st.File, st.Lookup.Call.Pos(), "a function literal above uses the context and may run between the values")
		}
		if st.keeping != nil && st.keeping.Shared() {
			if leave := returnIn(between); leave != nil {
				return block("between", st.File, leave.Pos(), "control may leave here, with a part of the values in %s", st.keeping.Path)
			}
		}
		if len(between) > 0 && st.v != nil && jp.isResult(st.v) {
			return block("between", st.File, st.Lookup.Call.Pos(), "the context is a result, which a return between the values would show")
		}
	}
	for _, s := range between {
		if b := branchIn(s); b != nil {
			return block("between", first.File, b.Pos(), "control may leave between the values here")
		}
	}
	if jumps := gotoIn(jp.topDecl(first.File, first.Expr)); jumps != nil {
		return block("between", first.File, jumps.Pos(), "a goto may jump between the values")
	}
	return nil
}

// isResult reports whether a variable is a named result.
func (jp *joinPlan) isResult(v *types.Var) bool {
	for _, u := range jp.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] == nil {
			continue
		}
		field, ok := jp.census.Parent(u.File, u.Ident).(*ast.Field)
		if !ok {
			return false
		}
		list := jp.census.Parent(u.File, field)
		ft, ok := jp.census.Parent(u.File, list).(*ast.FuncType)
		return ok && ast.Node(ft.Results) == list
	}
	return false
}

// between returns the statements among those of a row that are none of its own.
func (jp *joinPlan) between(row *joinRow) []ast.Stmt {
	first, last := row.steps[0], row.last()
	if first.stmt == last.stmt {
		return nil
	}
	var list []ast.Stmt
	for _, s := range program.Statements(jp.census.Parent(first.File, first.stmt)) {
		if s.Pos() < first.stmt.Pos() || s.Pos() > last.stmt.Pos() ||
			slices.ContainsFunc(row.steps, func(st *joinStep) bool { return st.stmt == ast.Node(s) }) {
			continue
		}
		list = append(list, s)
	}
	return list
}

// stmtAround returns the statement around n that stands in a block.
func (d *draft) stmtAround(f *program.File, n ast.Node) ast.Node {
	for ; n != nil; n = d.census.Parent(f, n) {
		if _, ok := n.(ast.Stmt); ok && program.Statements(d.census.Parent(f, n)) != nil {
			return n
		}
	}
	return nil
}

// branchIn returns a break, continue or goto, outside function literals.
func branchIn(n ast.Node) (found ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			if n.Tok != token.FALLTHROUGH {
				found = n
			}
		}
		return found == nil
	})
	return found
}

func gotoIn(n ast.Node) (found ast.Node) {
	if n == nil {
		return nil
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if b, ok := n.(*ast.BranchStmt); ok && b.Tok == token.GOTO {
			found = b
		}
		return found == nil
	})
	return found
}
