package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/cfg"

	"github.com/ctxmend/ctxmend/rules/census"
)

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
		return first(e.endsIn(s.Init), e.ends(s.Cond), e.goesOn(s), e.endsIn(s.Body), e.endsIn(s.Else))
	case *ast.ForStmt:
		if s.Cond != nil && (e.asks(s.Cond, "Err") || e.getsContext(s.Cond) || e.toldAtEnd(s.Cond)) {
			return s.Cond.Pos()
		}
		return first(e.ends(s.Cond), e.endsInside(s.Body))
	case *ast.RangeStmt:
		if e.asks(s.X, "Done") || e.dries(s) {
			return s.X.Pos()
		}
		return first(e.ends(s.X), e.endsInside(s.Body))
	case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
		e.nested++
		defer func() { e.nested-- }()
		return e.endsInSwitch(s)
	case *ast.GoStmt, *ast.DeferStmt:
		return token.NoPos
	case *ast.CommClause, *ast.CaseClause:
		return token.NoPos // another way to go
	}
	return e.ends(s)
}

// endsInside does the same for the body of a loop: what leaves the loop goes on behind it.
func (e *ender) endsInside(body *ast.BlockStmt) token.Pos {
	e.nested++
	defer func() { e.nested-- }()
	return e.endsInList(body.List)
}

func (e *ender) endsInSwitch(s ast.Stmt) token.Pos {
	switch s := s.(type) {
	case *ast.SwitchStmt:
		return first(e.endsIn(s.Init), e.ends(s.Tag), e.endsInClauses(s.Body))
	case *ast.TypeSwitchStmt:
		return e.endsInClauses(s.Body)
	case *ast.SelectStmt:
		return e.endsInClauses(s.Body)
	}
	return token.NoPos
}

// goesOn returns the condition of an if statement that holds when a context has ended, where control goes on all the same: behind the
// statement, or behind a loop around it.
func (e *ender) goesOn(s *ast.IfStmt) token.Pos {
	switch e.flow.wayOut(e.pkg.Info, s.Body.List) {
	case leavesFunction:
		return token.NoPos
	case leavesTurn:
		if e.nested > 0 && e.signs(s.Cond) {
			return s.Cond.Pos()
		}
	case leavesList:
		if e.nested > 0 && (e.signs(s.Cond) || e.refused(s.Cond) || e.toldAtEnd(s.Cond)) {
			return s.Cond.Pos()
		}
	case staysIn: // errors that come from it are not seen yet
		if e.asks(s.Cond, "Err") && e.signs(s.Cond) {
			return s.Cond.Pos()
		}
	}
	return token.NoPos
}

// signs reports whether a condition holds because a context has ended, and for no other reason.
func (e *ender) signs(cond ast.Expr) bool {
	switch c := ast.Unparen(cond).(type) {
	case *ast.BinaryExpr:
		switch c.Op {
		case token.LAND, token.LOR:
			return e.signs(c.X) || e.signs(c.Y)
		case token.NEQ:
			return e.asks(c.X, "Err") || e.asks(c.Y, "Err")
		case token.EQL:
			return e.contextError(c.X) || e.contextError(c.Y)
		}
	case *ast.CallExpr:
		for _, arg := range c.Args {
			if e.contextError(arg) {
				return true
			}
		}
	case *ast.UnaryExpr:
		return c.Op == token.NOT && !e.signs(c.X) && e.asks(c.X, "Err")
	}
	return false
}

// refused reports whether a condition tells that a call which was given a context has not done its work: by its result, which is no
// error, or one that it returned before.
func (e *ender) refused(cond ast.Expr) bool {
	switch c := ast.Unparen(cond).(type) {
	case *ast.BinaryExpr:
		return (c.Op == token.LAND || c.Op == token.LOR) && (e.refused(c.X) || e.refused(c.Y))
	case *ast.CallExpr:
		return isBool(e.pkg.Info.TypeOf(c)) && e.getsContext(c)
	case *ast.UnaryExpr:
		if c.Op != token.NOT {
			return false
		}
		id, ok := ast.Unparen(c.X).(*ast.Ident)
		if !ok {
			return e.refused(c.X)
		}
		last := e.lastValue(id)
		return isBool(e.pkg.Info.TypeOf(id)) && (e.getsContext(last) || e.receivedLast(last))
	}
	return false
}

func isBool(t types.Type) bool {
	b, ok := types.Unalias(t).(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// getsContext reports whether an expression calls something with a context, or with what holds one.
func (e *ender) getsContext(x ast.Expr) bool {
	if x == nil {
		return false
	}
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			for _, arg := range call.Args {
				t := e.pkg.Info.TypeOf(arg)
				found = found || t != nil && carries(t)
			}
		}
		_, isLit := n.(*ast.FuncLit)
		return !found && !isLit
	})
	return found
}

// lastValue returns what was assigned to a variable last, in the order of the source, before one of its uses; nil when nothing was.
func (e *ender) lastValue(id *ast.Ident) ast.Expr {
	v, ok := e.pkg.Info.Uses[id].(*types.Var)
	if !ok {
		return nil
	}
	var last ast.Expr
	for _, u := range e.flow.census.Uses(v) {
		parent, child := e.flow.census.Outer(e.file, u.Ident)
		as, ok := parent.(*ast.AssignStmt)
		if !ok || u.File != e.file || u.Ident.Pos() >= id.Pos() {
			continue
		}
		for i, lhs := range as.Lhs {
			if ast.Node(lhs) == child {
				last = as.Rhs[min(i, len(as.Rhs)-1)]
			}
		}
	}
	return last
}

// jumps looks at the goto statements that lead to a label before the place.
func (e *ender) jumps(to *ast.LabeledStmt) {
	if e.labels[to] {
		return
	}
	if e.labels == nil {
		e.labels = map[*ast.LabeledStmt]bool{}
	}
	e.labels[to] = true
	for _, from := range e.gotos(to) {
		there := &finder{flow: e.flow, pkg: e.pkg, file: e.file, pos: from.Pos(), path: Path(e.file, from.Pos())}
		(&ender{finder: there, source: e.source, surely: e.surely, labels: e.labels}).climb()
	}
}

// gotos returns the statements that lead to a label.
func (e *ender) gotos(to *ast.LabeledStmt) (list []*ast.BranchStmt) {
	label := e.pkg.Info.Defs[to.Label]
	for n := e.flow.census.Parent(e.file, to); n != nil; n = e.flow.census.Parent(e.file, n) {
		if !isFunc(n) {
			continue
		}
		ast.Inspect(n, func(n ast.Node) bool {
			if from, ok := n.(*ast.BranchStmt); ok && from.Tok == token.GOTO && e.pkg.Info.Uses[from.Label] == label {
				list = append(list, from)
			}
			return true
		})
		break
	}
	return list
}

// endsLoop reports whether a loop is left when a context ends: by its condition, by what it waits for, or because a call in it fails that
// is given one and nothing else ends the loop.
func (e *ender) endsLoop(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ForStmt:
		return n.Cond != nil && (e.asks(n.Cond, "Err") || e.getsContext(n.Cond)) || e.leavesAtEnd(n.Body, n.Cond == nil)
	case *ast.RangeStmt:
		if _, ok := Under(e.pkg.Info.TypeOf(n.X)).(*types.Chan); !ok {
			return false
		}
		from := n.X
		if id, ok := ast.Unparen(from).(*ast.Ident); ok {
			from = e.lastValue(id)
		}
		return e.asks(n.X, "Done") || e.getsContext(from) || e.leavesAtEnd(n.Body, false)
	}
	return false
}

// leavesAtEnd reports whether the body of a loop leaves it when a context has ended; by failures too, where the loop has no other end.
func (e *ender) leavesAtEnd(body *ast.BlockStmt, fails bool) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CommClause:
			found = found || n.Comm != nil && e.awaits(n.Comm)
		case *ast.IfStmt:
			if e.flow.wayOut(e.pkg.Info, n.Body.List) >= leavesList {
				found = found || e.signs(n.Cond) || fails && (e.refused(n.Cond) || e.failsIn(n.Cond))
			}
		}
		return !found
	})
	return found
}

// failsIn reports whether a condition compares the error of a call that was given a context with nil.
func (e *ender) failsIn(cond ast.Expr) bool {
	c, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return false
	}
	if c.Op == token.LAND || c.Op == token.LOR {
		return e.failsIn(c.X) || e.failsIn(c.Y)
	}
	id, ok := ast.Unparen(c.X).(*ast.Ident)
	return ok && c.Op == token.NEQ && isErrorType(e.pkg.Info.TypeOf(id)) && e.getsContext(e.lastValue(id))
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
	if e.flow.leaves(e.pkg.Info, list) {
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
			if e.flow.leaves(e.pkg.Info, c.Body) {
				continue
			}
			if c.Comm != nil {
				pos = e.ends(c.Comm)
			}
			pos = first(pos, e.endsInList(c.Body))
		case *ast.CaseClause:
			if len(c.List) > 0 && !e.flow.leaves(e.pkg.Info, c.Body) && slices.ContainsFunc(c.List, e.signs) {
				pos = c.Pos()
			}
			pos = first(pos, e.endsInList(c.Body))
		}
		if pos.IsValid() {
			return pos
		}
	}
	return token.NoPos
}

// A way is how control goes on behind a list of statements.
type way int

const (
	// staysIn is for a list behind which the next statement comes.
	staysIn way = iota
	// leavesTurn is for one that ends with continue.
	leavesTurn
	// leavesList is for one that ends with break or goto.
	leavesList
	// leavesFunction is for one that ends with return, or that nothing comes after.
	leavesFunction
)

// wayOut tells how control goes on behind a list of statements.
func (f *Flow) wayOut(info *types.Info, list []ast.Stmt) way {
	if len(list) == 0 {
		return staysIn
	}
	switch s := list[len(list)-1].(type) {
	case *ast.BranchStmt:
		switch s.Tok {
		case token.FALLTHROUGH:
			return staysIn
		case token.CONTINUE:
			return leavesTurn
		}
		return leavesList
	case *ast.BlockStmt:
		return f.wayOut(info, s.List)
	case *ast.IfStmt:
		if other, ok := s.Else.(*ast.BlockStmt); ok {
			return min(f.wayOut(info, s.Body.List), f.wayOut(info, other.List))
		}
	}
	if f.leaves(info, list) {
		return leavesFunction
	}
	return staysIn
}

// leaves reports whether a list of statements ends by leaving the function.
func (f *Flow) leaves(info *types.Info, list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.GOTO
	case *ast.BlockStmt:
		return f.leaves(info, s.List)
	case *ast.IfStmt:
		other, ok := s.Else.(*ast.BlockStmt)
		return ok && f.leaves(info, s.Body.List) && f.leaves(info, other.List)
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		return f.NeverReturns(info, call)
	}
	return false
}

// NeverReturns reports whether a call ends the goroutine, the test or the program: panic, os.Exit, log.Fatal and the like. Of a function
// of the world its body says so, and a method of one of its interfaces may return.
func (f *Flow) NeverReturns(info *types.Info, call *ast.CallExpr) bool {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := info.Uses[id].(*types.Builtin); ok {
			return b.Name() == "panic"
		}
	}
	fn := census.Callee(info, call)
	switch {
	case fn == nil:
		return false
	case f.body(fn) != nil:
		return f.endsItself(fn)
	}
	return neverReturns(fn) && !f.demanded(fn)
}

// endsItself reports whether no way through the body of a function leads back to its caller.
func (f *Flow) endsItself(fn *types.Func) bool {
	fn = fn.Origin()
	if ends, known := f.final[fn]; known {
		return ends
	}
	f.final[fn] = false // a function that calls itself returns, as far as that call tells
	b := f.body(fn)
	f.final[fn] = cfg.New(b.decl.Body, func(call *ast.CallExpr) bool { return !f.NeverReturns(b.pkg.Info, call) }).NoReturn()
	return f.final[fn]
}

// demanded reports whether a function is a method of an interface of the world.
func (f *Flow) demanded(fn *types.Func) bool {
	recv := fn.Signature().Recv()
	return recv != nil && types.IsInterface(recv.Type()) && slices.ContainsFunc(f.census.Uses(fn), func(u census.Use) bool {
		return u.Pkg.World && u.Pkg.Info.Defs[u.Ident] != nil
	})
}

// finals are functions that never return, of which the body is not known, by their names in the standard library; other libraries, those for logs
// first of all, go by the same names. Whether a function returns is nothing that its type or export data tell.
var finals = map[string]struct{ program bool }{
	"Exit": {true}, "Fatal": {true}, "Fatalf": {true}, "Fatalln": {true},
	"Goexit": {}, "Panic": {}, "Panicf": {}, "Panicln": {}, "FailNow": {}, "Skip": {}, "Skipf": {}, "SkipNow": {},
}

// neverReturns reports whether a function of which the body is not known ends the program, the goroutine or the test.
func neverReturns(fn *types.Func) bool {
	_, ok := finals[fn.Name()]
	return ok
}

// endsProgram reports whether a function of which the body is not known ends the whole program; what is called Fatal in a test ends the test.
func endsProgram(fn *types.Func) bool {
	return finals[fn.Name()].program && (fn.Pkg() == nil || fn.Pkg().Path() != "testing")
}
