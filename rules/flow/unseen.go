package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"

	"github.com/ctxmend/ctxmend/rules/census"
)

// unseen are variables with errors that may come from the end of a context, and that no statement has dealt with yet: by leaving the
// list of statements when there is one. The values are where the errors come from.
type unseen map[*types.Var]token.Pos

// first returns the first of the places.
func (u unseen) first() token.Pos {
	pos := token.NoPos
	for _, at := range u {
		if !pos.IsValid() || at < pos {
			pos = at
		}
	}
	return pos
}

// A comparison of an error with nil in a condition, by an operator.
type comparison struct {
	cond ast.Expr
	op   token.Token
}

// without returns the errors that may be there at the place: no condition around it says that they are nil.
func (e *ender) without(u unseen) unseen {
	u = maps.Clone(u)
	for v := range u {
		for _, c := range e.nils {
			if c.op == token.NEQ && compares(e.pkg.Info, c.cond, v, c.op) || c.op == token.EQL && conjoined(e.pkg.Info, c.cond, v) ||
				e.succeeded(c.cond, v, c.op == token.EQL) {
				delete(u, v)
				break
			}
		}
	}
	return u
}

// conjoined reports whether a condition holds only where an error is nil: err == nil && ok.
func conjoined(info *types.Info, cond ast.Expr, v *types.Var) bool {
	c, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return false
	}
	if c.Op == token.LAND {
		return conjoined(info, c.X, v) || conjoined(info, c.Y, v)
	}
	return c.Op == token.EQL && compares(info, c, v, token.EQL)
}

// notByCases notes what the cases of a switch say that have not been taken where the place is in a later one, or in default.
func (e *ender) notByCases(s *ast.SwitchStmt) {
	if s.Tag != nil {
		return
	}
	var own *ast.CaseClause
	for _, c := range s.Body.List {
		if c, ok := c.(*ast.CaseClause); ok && c.Pos() <= e.pos && e.pos < c.End() {
			own = c
		}
	}
	for _, c := range s.Body.List {
		if c, ok := c.(*ast.CaseClause); ok && own != nil && c != own && (own.List == nil || c.Pos() < own.Pos()) {
			for _, cond := range c.List {
				e.nils = append(e.nils, comparison{cond, token.NEQ})
			}
		}
	}
	if own != nil && len(own.List) == 1 {
		e.nils = append(e.nils, comparison{own.List[0], token.EQL})
	}
}

// look updates u behind a statement, and away by what breaks out of the list of statements that holds it.
func (e *ender) look(s ast.Stmt, u, away unseen) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		for _, rhs := range s.Rhs {
			e.awaited(rhs, u)
		}
		for i, lhs := range s.Lhs {
			e.assigned(lhs, s.Rhs[min(i, len(s.Rhs)-1)], len(s.Lhs) > len(s.Rhs), i, u)
		}
	case *ast.DeclStmt:
		e.lookDecl(s, u)
	case *ast.ExprStmt:
		e.awaited(s.X, u)
		e.ignored(s.X, u)
		if call, ok := ast.Unparen(s.X).(*ast.CallExpr); ok {
			e.lookCall(call, u)
		}
	case *ast.SendStmt:
		e.passedOn(s, u)
	case *ast.LabeledStmt:
		e.look(s.Stmt, u, away)
	case *ast.BlockStmt:
		e.lookList(s.List, u, away)
	case *ast.IfStmt:
		e.lookIf(s, u, away)
	case *ast.ForStmt:
		if s.Init != nil {
			e.look(s.Init, u, away)
		}
		e.lookLoop(s.Body, u)
	case *ast.RangeStmt:
		e.lookRange(s, u)
	case *ast.SwitchStmt:
		if s.Init != nil {
			e.look(s.Init, u, away)
		}
		e.lookClauses(s.Body, u, away)
	case *ast.TypeSwitchStmt:
		e.lookClauses(s.Body, u, away)
	case *ast.SelectStmt:
		e.lookClauses(s.Body, u, away)
	}
}

func (e *ender) lookDecl(s *ast.DeclStmt, u unseen) {
	decl, ok := s.Decl.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, spec := range decl.Specs {
		if spec, ok := spec.(*ast.ValueSpec); ok && len(spec.Values) > 0 {
			for i, id := range spec.Names {
				e.assigned(id, spec.Values[min(i, len(spec.Values)-1)], len(spec.Names) > len(spec.Values), i, u)
			}
		}
	}
}

// lookCall drops errors that a call ends the test or the program for: what gets a test with them may do so.
func (e *ender) lookCall(call *ast.CallExpr, u unseen) {
	tested, fn := false, census.Callee(e.pkg.Info, call)
	for _, arg := range call.Args {
		tested = tested || fromTesting(e.pkg.Info.TypeOf(arg))
	}
	for i, arg := range call.Args {
		id, ok := ast.Unparen(arg).(*ast.Ident)
		if !ok {
			continue
		}
		if v, ok := e.pkg.Info.Uses[id].(*types.Var); ok && (tested || fn != nil && e.flow.insists(fn, i)) {
			delete(u, v)
		}
	}
}

// insists reports whether a function of the world never returns when it is given an error: it begins with if err != nil { panic(err) }.
func (f *Flow) insists(fn *types.Func, i int) bool {
	b := f.body(fn)
	if b == nil || len(b.decl.Body.List) == 0 || i >= fn.Signature().Params().Len() {
		return false
	}
	s, ok := b.decl.Body.List[0].(*ast.IfStmt)
	if !ok || s.Init != nil || f.wayOut(b.pkg.Info, s.Body.List) != leavesFunction {
		return false
	}
	if _, returns := s.Body.List[len(s.Body.List)-1].(*ast.ReturnStmt); returns {
		return false
	}
	return compares(b.pkg.Info, s.Cond, fn.Origin().Signature().Params().At(i), token.NEQ)
}

// lookLoop goes through the body of a loop. What leaves it, or a turn of it, comes behind it.
func (e *ender) lookLoop(body *ast.BlockStmt, u unseen) {
	defer func(loop token.Pos) { e.loop = loop }(e.loop)
	e.loop = body.Pos()
	e.lookList(body.List, u, u)
}

// lookList goes through statements of which control may come behind the list: not when they leave the function. An error that a variable
// of the list itself holds to its end goes with it, unless something else holds it as well.
func (e *ender) lookList(list []ast.Stmt, u, away unseen) {
	inner := maps.Clone(u)
	for _, s := range list {
		e.look(s, inner, away)
	}
	if len(list) == 0 {
		return
	}
	if e.flow.wayOut(e.pkg.Info, list) == leavesFunction {
		if !e.goes {
			return
		}
		u = away
	}
	e.forget(inner, func(v *types.Var) bool { return v.Pos() >= list[0].Pos() })
	maps.Copy(u, inner)
}

func (e *ender) lookClauses(body *ast.BlockStmt, u, away unseen) {
	before := maps.Clone(u)
	for _, c := range body.List {
		inner := maps.Clone(before)
		switch c := c.(type) {
		case *ast.CaseClause:
			e.lookList(c.Body, inner, u)
			out, to := e.flow.wayOut(e.pkg.Info, c.Body), u
			if out == leavesTurn {
				to = away
			}
			for _, cond := range c.List {
				e.seen(cond, out, u, to)
			}
		case *ast.CommClause:
			if c.Comm != nil {
				e.look(c.Comm, inner, u)
			}
			e.lookList(c.Body, inner, u)
		}
		for v, pos := range inner {
			if !before[v].IsValid() {
				u[v] = pos
			}
		}
	}
}

// lookIf looks at an if statement: errors that it leaves for are dealt with.
func (e *ender) lookIf(s *ast.IfStmt, u, away unseen) {
	if s.Init != nil {
		e.look(s.Init, u, away)
	}
	before := maps.Clone(u)
	e.branch(s.Body, before, u, away)
	e.counted(s, before, u)
	switch other := s.Else.(type) {
	case *ast.IfStmt:
		e.lookIf(other, u, away)
	case *ast.BlockStmt:
		e.branch(other, before, u, away)
		for v := range before {
			if compares(e.pkg.Info, s.Cond, v, token.EQL) {
				e.drop(v, e.flow.wayOut(e.pkg.Info, other.List), u, away)
			}
		}
	}
	out := e.flow.wayOut(e.pkg.Info, s.Body.List)
	if out == staysIn && e.leavesUnless(s.Body) {
		out = leavesFunction
	}
	e.seen(s.Cond, out, u, away)
	e.refusedAt(s, out, u, away)
	if s.Init != nil {
		e.forget(u, func(v *types.Var) bool { return s.Init.Pos() <= v.Pos() && v.Pos() < s.Init.End() })
	}
}

// branch adds to u what a branch leaves behind that was not there before.
func (e *ender) branch(body *ast.BlockStmt, before, u, away unseen) {
	inner := maps.Clone(before)
	e.lookList(body.List, inner, away)
	for v, pos := range inner {
		if !before[v].IsValid() {
			u[v] = pos
		}
	}
}

// seen drops the errors that a condition tells to be there, when control then goes away.
func (e *ender) seen(cond ast.Expr, out way, u, away unseen) {
	for v := range maps.Clone(u) {
		if compares(e.pkg.Info, cond, v, token.NEQ) || e.asksHolder(cond, v) {
			e.drop(v, out, u, away)
		}
	}
}

// drop takes an error away from all that hold it, when control goes away because of it.
func (e *ender) drop(v *types.Var, out way, u, away unseen) {
	pos, held := u[v]
	if !held || out == staysIn {
		return
	}
	if out == leavesFunction && e.goes {
		out = leavesList
	}
	same := u.release(pos)
	switch out {
	case leavesTurn:
		for _, w := range same {
			if w.Pos() < e.loop {
				away[w] = pos
			}
		}
		e.lose(pos, away)
	case leavesList:
		for _, w := range same {
			away[w] = pos
		}
	}
}

// leavesUnless reports whether the body of an if statement leaves the function but for some errors: it holds another one with a negation.
func (e *ender) leavesUnless(body *ast.BlockStmt) bool {
	for _, s := range body.List {
		if s, ok := s.(*ast.IfStmt); ok && e.flow.wayOut(e.pkg.Info, s.Body.List) == leavesFunction && negated(s.Cond) {
			return true
		}
	}
	return false
}

func negated(cond ast.Expr) bool {
	switch c := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		return c.Op == token.NOT
	case *ast.BinaryExpr:
		return c.Op == token.NEQ || (c.Op == token.LAND || c.Op == token.LOR) && negated(c.X) && negated(c.Y)
	}
	return false
}

// compares reports whether a condition holds whenever an error is there, or is not: err != nil, err == nil, by itself, with others that
// make it hold as well, or without some errors that are expected.
func compares(info *types.Info, cond ast.Expr, v *types.Var, op token.Token) bool {
	c, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return false
	}
	is := func(x ast.Expr) bool {
		id, ok := ast.Unparen(x).(*ast.Ident)
		return ok && info.Uses[id] == types.Object(v)
	}
	switch c.Op {
	case op:
		return is(c.X) && info.Types[c.Y].IsNil() || is(c.Y) && info.Types[c.X].IsNil()
	case token.LOR:
		return compares(info, c.X, v, op) || compares(info, c.Y, v, op)
	case token.LAND:
		return compares(info, c.X, v, op) && names(info, c.Y, v) || compares(info, c.Y, v, op) && names(info, c.X, v)
	}
	return false
}

// names reports whether an expression uses a variable.
func names(info *types.Info, x ast.Expr, v *types.Var) (found bool) {
	ast.Inspect(x, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && info.Uses[id] == types.Object(v)
		return !found
	})
	return found
}
