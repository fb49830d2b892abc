package flow

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
)

// endings notes why a source may have ended when the place is reached: code that waits for the end of a context, cleans
// up after it, or handles an error that may come from it.
func (p *finder) endings(s *Source) {
	e := &ender{finder: p, source: s}
	if fn := p.flow.Function(p.file, s.Var); s.Kind != Local && e.givenError(fn) {
		e.end(fn.Pos(), givenItsError)
	}
	// What a literal around the place does is done where the literal is called.
	seen := map[*ast.FuncLit]bool{}
	for todo := e.climb(); len(todo) > 0 && s.Ended == ""; todo = todo[1:] {
		if seen[todo[0]] {
			continue
		}
		seen[todo[0]] = true
		for _, call := range p.flow.callsOf(p.pkg, p.file, todo[0]) {
			there := &finder{flow: p.flow, pkg: p.pkg, file: p.file, pos: call.Pos(), path: Path(p.file, call.Pos())}
			todo = append(todo, (&ender{finder: there, source: s}).climb()...)
		}
	}
	if s.Ended == "" && len(p.path) > 0 && s.Kind != Test && p.flow.cutAround(p.pkg, p.file, p.path[0], s.Var) {
		e.end(p.pos, "it may end before the goroutine is waited for")
	}
}

// climb looks at the nodes around the place, up to the function that declares the source. It returns the function literals
// among them.
func (e *ender) climb() []*ast.FuncLit {
	var lits []*ast.FuncLit
	e.pairs()
	for i := 1; i < len(e.path) && e.source.Ended == ""; i++ {
		outer, inner := e.path[i], e.path[i-1]
		if outer.Pos() <= e.source.Var.Pos() && isFunc(outer) && !e.after(outer) {
			break // the function that declares it
		}
		if lit, ok := outer.(*ast.FuncLit); ok {
			if lits = append(lits, lit); e.surely {
				break
			}
		}
		if _, deferred := outer.(*ast.DeferStmt); deferred && e.surely {
			break
		}
		e.step(outer, inner)
	}
	return lits
}

func isFunc(n ast.Node) bool {
	switch n.(type) {
	case *ast.FuncDecl, *ast.FuncLit:
		return true
	}
	return false
}

// Why a source may have ended where an error is handled: the error may as well come from something else.
const (
	handlesItsError = "the error handled here may come from it"
	givenItsError   = "the function is given an error that may come from it"
	unseenError     = "an error that may come from it has not been dealt with"
)

// fromError reports whether an error is all that says why a source may have ended.
func fromError(why string) bool {
	return why == handlesItsError || why == givenItsError || why == unseenError
}

// after reports whether the variable is declared outside of a function around the place.
func (e *ender) after(fn ast.Node) bool {
	return e.source.Var.Pos() < fn.Pos() || e.source.Var.Pos() >= fn.End()
}

// An ender looks for what ends one source.
type ender struct {
	*finder
	source *Source
	// mates are the variables that were defined together with the source: its cancel function, its group.
	mates map[*types.Var]bool
	// pairings is how many definitions they come from.
	pairings int
	// surely is set where errors do not count, which may come from something else, nor what is outside of the function around the place.
	surely bool
	// unheard is set where nobody looks at the errors that the statements make of the end of a context.
	unheard bool
	// nested is how many loops and switches are around the statement that is looked at, inside of the one that precedes the place.
	nested int
	// loop is where the body of the loop begins that is looked at.
	loop token.Pos
	// goes is set where errors that leave a function are lost all the same, since nobody gets them: in that of a goroutine.
	goes bool
	// nils are conditions around the place by which errors are nil there.
	nils []comparison
	// labels are those whose goto statements have been looked at.
	labels map[*ast.LabeledStmt]bool
}

// pairs finds what was defined together with the source before the place.
func (e *ender) pairs() {
	e.mates = map[*types.Var]bool{}
	for _, m := range e.flow.matesOf(e.pkg, e.file, e.source.Var) {
		if m.pos <= e.pos {
			e.mates[m.v] = true
			e.pairings++
		}
	}
}

func (e *ender) end(pos token.Pos, why string) {
	if e.source.Ended == "" && !(e.surely && (fromError(why) || why == isNone)) {
		e.source.Ended, e.source.EndedAt = why, pos
	}
}

// step looks at one node around the place.
func (e *ender) step(outer, inner ast.Node) {
	switch n := outer.(type) {
	case *ast.BlockStmt:
		e.preceding(n.List, inner)
	case *ast.CaseClause:
		e.preceding(n.Body, inner)
		for _, c := range n.List {
			if !within(c, inner) && e.tells(c) {
				e.end(c.Pos(), handlesItsError)
			}
		}
	case *ast.CommClause:
		e.preceding(n.Body, inner)
		if n.Comm != nil && inner != ast.Node(n.Comm) && e.awaits(n.Comm) {
			e.end(n.Comm.Pos(), "it has ended when this is received")
		}
	case *ast.SwitchStmt:
		if inner == ast.Node(n.Body) {
			e.asked(n.Init, n.Tag)
		}
		e.notByCases(n)
	case *ast.IfStmt:
		if inner != ast.Node(n.Init) && inner != ast.Node(n.Cond) {
			e.asked(n.Init, n.Cond)
		}
		switch {
		case inner == ast.Node(n.Body):
			e.nils = append(e.nils, comparison{n.Cond, token.EQL})
		case inner == ast.Node(n.Else):
			e.nils = append(e.nils, comparison{n.Cond, token.NEQ})
		}
		if inner == ast.Node(n.Body) && e.tells(n.Cond) {
			e.end(n.Cond.Pos(), handlesItsError)
		}
		if inner == ast.Node(n.Body) && e.isNil(n.Cond, token.EQL) || inner == n.Else && e.isNil(n.Cond, token.NEQ) {
			e.end(n.Cond.Pos(), isNone)
		}
	case *ast.LabeledStmt:
		e.jumps(n)
	case *ast.RangeStmt:
		if inner == ast.Node(n.Body) && e.asks(n.X, "Done") {
			e.end(n.X.Pos(), "it may have ended when this is closed")
		}
	case *ast.DeferStmt:
		e.end(n.Pos(), "deferred code runs when it may have ended")
	case *ast.FuncLit:
		e.literal(n)
	}
}

// isNil reports whether a condition compares the source's variable, or what is selected from it, with nil.
func (e *ender) isNil(cond ast.Expr, op token.Token) bool {
	c, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return false
	}
	if c.Op == token.LAND || c.Op == token.LOR {
		return e.isNil(c.X, op) || e.isNil(c.Y, op)
	}
	if c.Op != op || !e.pkg.Info.Types[c.X].IsNil() && !e.pkg.Info.Types[c.Y].IsNil() {
		return false
	}
	return e.selects(c.X) || e.selects(c.Y)
}

// selects reports whether an expression is the source's variable, or a field selected from it.
func (e *ender) selects(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		return e.pkg.Info.Uses[x] == e.source.Var
	case *ast.SelectorExpr:
		return e.selects(x.X)
	}
	return false
}

// literal looks at what a function literal around the place is given to: some run it when contexts have ended.
func (e *ender) literal(lit *ast.FuncLit) {
	given := []ast.Node{lit}
	for _, use := range e.flow.namesOf(e.pkg, e.file, lit) {
		given = append(given, use)
	}
	for _, n := range given {
		parent, child := e.flow.census.Outer(e.file, n)
		call, ok := parent.(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) == child {
			continue
		}
		if fn := census.Callee(e.pkg.Info, call); fn != nil && runsAtEnd(fn) {
			e.end(call.Pos(), fn.Name()+" runs its function when it may have ended")
		}
	}
}

// runsAtEnd reports whether a function runs what it is given when something has ended: context.AfterFunc and
// the Cleanup of tests.
func runsAtEnd(fn *types.Func) bool {
	if fn.Pkg() == nil {
		return false
	}
	switch fn.Pkg().Path() {
	case "context":
		return fn.Name() == "AfterFunc"
	case "testing":
		return fn.Name() == "Cleanup"
	}
	return fn.Name() == "Cleanup" && fn.Signature().Recv() != nil && fn.Signature().Params().Len() == 1
}

// preceding looks at the statements of a list before the one that holds the place.
func (e *ender) preceding(list []ast.Stmt, inner ast.Node) {
	if len(list) == 0 {
		return
	}
	key := listOf{varOf{e.pkg, e.file, e.source.Var}, &list[0], e.pairings, e.surely, e.source.Kind == Test}
	p := e.flow.preceded[key]
	if p == nil {
		p = &preceded{unseen: unseen{}}
		e.flow.preceded[key] = p
	}
	until, holds := slices.BinarySearchFunc(list, inner.Pos(), func(s ast.Stmt, pos token.Pos) int { return cmp.Compare(s.Pos(), pos) })
	if !holds || ast.Node(list[until]) != inner {
		until = len(list)
	}
	for len(p.behind) < until {
		s := list[len(p.behind)]
		if last := len(p.behind) - 1; last >= 0 && p.behind[last].sure {
			p.behind = append(p.behind, p.behind[last])
			continue
		}
		if s.Pos() <= e.source.Var.Pos() && e.declares(s) {
			p.behind = append(p.behind, reason{})
			continue
		}
		p.behind = append(p.behind, e.behind(s, p.unseen))
	}
	if until == 0 || p.behind[until-1].why == "" {
		return
	}
	found := p.behind[until-1]
	if !found.sure {
		if found.pos = e.without(found.unseen).first(); !found.pos.IsValid() {
			return
		}
	}
	e.end(found.pos, found.why)
}

// behind tells why a context may have ended behind a statement, with the errors before it that nobody has dealt with.
func (e *ender) behind(s ast.Stmt, u unseen) reason {
	if e.source.Kind != Test {
		e.look(s, u, unseen{}) // what breaks out of the list does not come behind the statement
		e.lookCursor(s, u)
	}
	if pos := e.endsIn(s); pos.IsValid() {
		return reason{pos: pos, why: "it may have ended here", sure: true}
	}
	if cond := e.succeeds(s); cond != nil {
		why := handlesItsError
		if e.asks(cond, "Err") {
			why = "it has ended where this does not hold"
		}
		return reason{pos: cond.Pos(), why: why, sure: true}
	}
	if pos := u.first(); pos.IsValid() {
		return reason{pos: pos, why: unseenError, unseen: maps.Clone(u)}
	}
	return reason{}
}

// succeeds returns the condition of if err == nil { return }, behind which an error is handled that may come from the
// end of a context; nil for other statements.
func (e *ender) succeeds(s ast.Stmt) ast.Expr {
	n, ok := s.(*ast.IfStmt)
	if !ok || n.Else != nil || e.flow.wayOut(e.pkg.Info, n.Body.List) == staysIn {
		return nil
	}
	c, ok := ast.Unparen(n.Cond).(*ast.BinaryExpr)
	if ok && c.Op == token.EQL && (e.failing(c.X) || e.failing(c.Y)) {
		return n.Cond
	}
	return nil
}

// givenError reports whether a function gets an error: it may come from the end of the context that comes with it.
func (e *ender) givenError(fn ast.Node) bool {
	var ft *ast.FuncType
	switch fn := fn.(type) {
	case *ast.FuncDecl:
		ft = fn.Type
	case *ast.FuncLit:
		ft = fn.Type
	default:
		return false
	}
	return slices.ContainsFunc(ft.Params.List, func(field *ast.Field) bool { return isErrorType(e.pkg.Info.TypeOf(field.Type)) })
}

func (e *ender) declares(s ast.Stmt) bool {
	return s.Pos() <= e.source.Var.Pos() && e.source.Var.Pos() < s.End()
}

// ends returns the place in a statement or expression where it waits for the end of a context, or ends this one: by its
// cancel function, or by waiting for its group.
func (e *ender) ends(n ast.Node) token.Pos {
	pos := token.NoPos
	if n == nil {
		return pos
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			if n.Op == token.ARROW && e.asks(n.X, "Done") {
				pos = n.Pos()
			}
		case *ast.CallExpr:
			if e.isMate(n.Fun) {
				pos = n.Pos()
			}
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Wait" && e.isMate(sel.X) {
				pos = n.Pos()
			}
			pos = first(pos, e.endingCall(n))
		}
		return !pos.IsValid()
	})
	return pos
}

func (e *ender) isMate(x ast.Expr) bool {
	id, ok := ast.Unparen(x).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := e.pkg.Info.Uses[id].(*types.Var)
	return ok && e.mates[v]
}

// awaits reports whether the communication of a select clause waits for the end of a context.
func (e *ender) awaits(comm ast.Stmt) bool {
	found := false
	ast.Inspect(comm, func(n ast.Node) bool {
		if u, ok := n.(*ast.UnaryExpr); ok && u.Op == token.ARROW && e.asks(u.X, "Done") {
			found = true
		}
		return !found
	})
	return found
}

// asks reports whether an expression calls a method of a context, or is a channel that one is closed or received for.
func (e *ender) asks(x ast.Expr, method string) bool {
	if method == "Done" && e.flow.tellsEnd(e.pkg, e.file, x, e.source.Kind) {
		return true
	}
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == method && Implements(e.pkg.Info.TypeOf(sel.X)) {
				found = true
			}
		}
		return !found
	})
	return found
}

// within reports whether a node lies in another one.
func within(outer, inner ast.Node) bool {
	return outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}
