package flow

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

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
			lits = append(lits, lit)
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
)

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
	if e.source.Ended == "" {
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
	case *ast.IfStmt:
		if inner == ast.Node(n.Body) && e.tells(n.Cond) {
			e.end(n.Cond.Pos(), handlesItsError)
		}
		if inner == ast.Node(n.Body) && e.isNil(n.Cond, token.EQL) || inner == n.Else && e.isNil(n.Cond, token.NEQ) {
			e.end(n.Cond.Pos(), isNone)
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
	key := listOf{varOf{e.pkg, e.file, e.source.Var}, &list[0], e.pairings}
	p := e.flow.preceded[key]
	if p == nil {
		p = &preceded{}
		e.flow.preceded[key] = p
	}
	until, holds := slices.BinarySearchFunc(list, inner.Pos(), func(s ast.Stmt, pos token.Pos) int { return cmp.Compare(s.Pos(), pos) })
	if !holds || ast.Node(list[until]) != inner {
		until = len(list)
	}
	for ; p.why == "" && p.next < until; p.next++ {
		s := list[p.next]
		if s.Pos() <= e.source.Var.Pos() && e.declares(s) {
			continue
		}
		if pos := e.endsIn(s); pos.IsValid() {
			p.at, p.pos, p.why = p.next, pos, "it may have ended here"
		} else if cond := e.succeeds(s); cond != nil {
			p.at, p.pos, p.why = p.next, cond.Pos(), handlesItsError
		}
	}
	if p.why != "" && p.at < until {
		e.end(p.pos, p.why)
	}
}

// succeeds returns the condition of if err == nil { return }, behind which an error is handled that may come from the
// end of a context; nil for other statements.
func (e *ender) succeeds(s ast.Stmt) ast.Expr {
	n, ok := s.(*ast.IfStmt)
	if !ok || n.Else != nil || !leaves(e.pkg.Info, n.Body.List) {
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

// endsIn returns a place in a statement after which the context may have ended while control goes on behind the
// statement; NoPos for none.
func (e *ender) endsIn(s ast.Stmt) token.Pos {
	switch s := s.(type) {
	case nil:
		return token.NoPos
	case *ast.BlockStmt:
		return e.endsInList(s.List)
	case *ast.LabeledStmt:
		return e.endsIn(s.Stmt)
	case *ast.IfStmt:
		return first(e.endsIn(s.Init), e.ends(s.Cond), e.endsIn(s.Body), e.endsIn(s.Else))
	case *ast.ForStmt:
		if s.Cond != nil && e.asks(s.Cond, "Err") {
			return s.Cond.Pos()
		}
		return first(e.ends(s.Cond), e.endsIn(s.Body))
	case *ast.RangeStmt:
		return first(e.ends(s.X), e.endsIn(s.Body))
	case *ast.SwitchStmt:
		return first(e.endsIn(s.Init), e.ends(s.Tag), e.endsInClauses(s.Body))
	case *ast.TypeSwitchStmt:
		return e.endsInClauses(s.Body)
	case *ast.SelectStmt:
		return e.endsInClauses(s.Body)
	case *ast.GoStmt, *ast.DeferStmt:
		return token.NoPos
	case *ast.CommClause, *ast.CaseClause:
		return token.NoPos // another way to go
	}
	return e.ends(s)
}

func first(list ...token.Pos) token.Pos {
	for _, pos := range list {
		if pos.IsValid() {
			return pos
		}
	}
	return token.NoPos
}

func (e *ender) endsInList(list []ast.Stmt) token.Pos {
	if leaves(e.pkg.Info, list) {
		return token.NoPos
	}
	for _, s := range list {
		if pos := e.endsIn(s); pos.IsValid() {
			return pos
		}
	}
	return token.NoPos
}

func (e *ender) endsInClauses(body *ast.BlockStmt) token.Pos {
	for _, c := range body.List {
		var pos token.Pos
		switch c := c.(type) {
		case *ast.CommClause:
			if leaves(e.pkg.Info, c.Body) {
				continue
			}
			if c.Comm != nil {
				pos = e.ends(c.Comm)
			}
			pos = first(pos, e.endsInList(c.Body))
		case *ast.CaseClause:
			pos = e.endsInList(c.Body)
		}
		if pos.IsValid() {
			return pos
		}
	}
	return token.NoPos
}

// leaves reports whether a list of statements ends by leaving the function.
func leaves(info *types.Info, list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.GOTO
	case *ast.BlockStmt:
		return leaves(info, s.List)
	case *ast.IfStmt:
		other, ok := s.Else.(*ast.BlockStmt)
		return ok && leaves(info, s.Body.List) && leaves(info, other.List)
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		return NeverReturns(info, call)
	}
	return false
}

// NeverReturns reports whether a call ends the goroutine, the test or the program: panic, os.Exit, log.Fatal and the like.
func NeverReturns(info *types.Info, call *ast.CallExpr) bool {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := info.Uses[id].(*types.Builtin); ok {
			return b.Name() == "panic"
		}
	}
	fn := census.Callee(info, call)
	return fn != nil && neverReturns(fn)
}

// neverReturns knows the functions of the standard library that end the program, the goroutine or the test, and
// others by the same names.
func neverReturns(fn *types.Func) bool {
	switch fn.Name() {
	case "Exit", "Goexit", "Fatal", "Fatalf", "Fatalln", "FailNow", "Skip", "Skipf", "SkipNow", "Panic", "Panicf", "Panicln":
		return true
	}
	return false
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

// asks reports whether an expression calls a method of a context.
func (e *ender) asks(x ast.Expr, method string) bool {
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

// tells reports whether a condition holds when something has failed, which may be because a context has ended: err != nil,
// ctx.Err() != nil, errors.Is(err, context.Canceled).
func (e *ender) tells(cond ast.Expr) bool {
	switch c := ast.Unparen(cond).(type) {
	case *ast.BinaryExpr:
		switch c.Op {
		case token.LAND, token.LOR:
			return e.tells(c.X) || e.tells(c.Y)
		case token.NEQ:
			return e.failing(c.X) || e.failing(c.Y)
		case token.EQL:
			return e.contextError(c.X) || e.contextError(c.Y)
		}
	case *ast.CallExpr:
		for _, arg := range c.Args {
			if e.failing(arg) {
				return true
			}
		}
	case *ast.UnaryExpr:
		return c.Op == token.NOT && !e.tells(c.X) && e.asks(c.X, "Err")
	}
	return e.contextError(cond)
}

// failing reports whether an expression is an error that the end of a context may be the reason for: its own, or one that
// a call has returned which was given a context.
func (e *ender) failing(x ast.Expr) bool {
	if !isErrorType(e.pkg.Info.TypeOf(x)) {
		return false
	}
	id, ok := ast.Unparen(x).(*ast.Ident)
	if !ok {
		call, ok := ast.Unparen(x).(*ast.CallExpr)
		return !ok || e.givenContext(call)
	}
	v, ok := e.pkg.Info.Uses[id].(*types.Var)
	if !ok {
		return false // nil
	}
	var last ast.Node
	for _, u := range e.flow.census.Uses(v) {
		parent, child := e.flow.census.Outer(e.file, u.Ident)
		if as, ok := parent.(*ast.AssignStmt); ok && u.File == e.file && u.Ident.Pos() < x.Pos() {
			for _, lhs := range as.Lhs {
				if ast.Node(lhs) == child {
					last = as
				}
			}
		}
	}
	as, ok := last.(*ast.AssignStmt)
	if !ok {
		return true
	}
	found := false
	for _, rhs := range as.Rhs {
		call, ok := ast.Unparen(rhs).(*ast.CallExpr)
		found = found || !ok || e.givenContext(call)
	}
	return found
}

// givenContext reports whether a call gets a context, something that carries one, or code that may use one.
func (e *ender) givenContext(call *ast.CallExpr) bool {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && Implements(e.pkg.Info.TypeOf(sel.X)) {
		return true
	}
	if census.Callee(e.pkg.Info, call) == nil {
		return true
	}
	for _, arg := range call.Args {
		t := e.pkg.Info.TypeOf(arg)
		if t == nil || Implements(t) || asked(t) != "" {
			return true
		}
		if inner, ok := ast.Unparen(arg).(*ast.CallExpr); ok && e.givenContext(inner) {
			return true
		}
		if _, ok := t.Underlying().(*types.Signature); ok {
			return true
		}
	}
	return false
}

// contextError reports whether an expression names context.Canceled or context.DeadlineExceeded.
func (e *ender) contextError(x ast.Expr) bool {
	sel, ok := ast.Unparen(x).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	v, ok := e.pkg.Info.Uses[sel.Sel].(*types.Var)
	return ok && v.Pkg() != nil && v.Pkg().Path() == "context" && !strings.HasPrefix(v.Name(), "_")
}

func isErrorType(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

// within reports whether a node lies in another one.
func within(outer, inner ast.Node) bool {
	return outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}
