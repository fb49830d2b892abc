package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// runsUntilEnd reports whether a call returns because a context has ended, and does not say so by an error: what comes behind it are last
// words. Functions of the world and literals are looked into.
func (e *ender) runsUntilEnd(call *ast.CallExpr) bool {
	if e.source.Kind == Test { // what a test ends is not the context that ends with it
		return false
	}
	unheard := e.unheard || e.dropped(call)
	if lit := e.literalOf(call.Fun); lit != nil {
		return e.flow.returnsAtEnd(atEnd{e.pkg, e.file, lit, unheard})
	}
	if tv := e.pkg.Info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() || !e.handsEnd(call) {
		return false
	}
	fn := census.Callee(e.pkg.Info, call)
	if fn == nil {
		return e.onlyEnd(call)
	}
	known := false
	for _, callee := range e.flow.Callees(fn) {
		if b := e.flow.body(callee); b != nil {
			known = true
			if e.flow.returnsAtEnd(atEnd{b.pkg, b.file, b.decl, unheard}) {
				return true
			}
		}
	}
	return !known && e.onlyEnd(call)
}

// dropped reports whether nobody looks at what a call returns last.
func (e *ender) dropped(call *ast.CallExpr) bool {
	parent, _ := e.flow.census.Outer(e.file, call)
	switch p := parent.(type) {
	case *ast.ExprStmt:
		return true
	case *ast.AssignStmt:
		id, ok := p.Lhs[len(p.Lhs)-1].(*ast.Ident)
		return ok && id.Name == "_" && len(p.Rhs) == 1
	}
	return false
}

// literalOf returns the function literal that an expression is, or that was assigned to the variable that it names.
func (e *ender) literalOf(fun ast.Expr) *ast.FuncLit {
	fun = ast.Unparen(fun)
	if id, ok := fun.(*ast.Ident); ok {
		fun = ast.Unparen(e.lastValue(id))
	}
	lit, _ := fun.(*ast.FuncLit)
	return lit
}

// handsEnd reports whether a call gets a context, what carries one or a channel that tells its end, or belongs to a value that holds such.
func (e *ender) handsEnd(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		if t := e.pkg.Info.TypeOf(arg); t != nil && carries(t) && !e.flow.Fresh(e.pkg, arg) || isChan(e.pkg.Info, arg) {
			return true
		}
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || e.pkg.Info.TypeOf(sel.X) == nil {
		return false
	}
	st, ok := Under(deref(e.pkg.Info.TypeOf(sel.X))).(*types.Struct)
	if !ok {
		return false
	}
	for field := range st.Fields() {
		if _, ok := field.Type().Underlying().(*types.Chan); ok || carries(field.Type()) {
			return true
		}
	}
	return false
}

// onlyEnd reports whether a call of which the body is not known gets a context, or its channel, and else nothing to work on: functions,
// durations, channels; and returns nothing that is looked at. Such a call has no other end than that of the context, as far as can be seen.
func (e *ender) onlyEnd(call *ast.CallExpr) bool {
	results := resultTypes(e.pkg.Info.TypeOf(call))
	if len(results) > 1 || len(results) == 1 && !(e.unheard && isErrorType(results[0])) {
		return false
	}
	ends := false
	for _, arg := range call.Args {
		t := e.pkg.Info.TypeOf(arg)
		if t == nil {
			return false
		}
		_, isFunc := Under(t).(*types.Signature)
		switch {
		case Implements(t), isChan(e.pkg.Info, arg) && e.asks(arg, "Done"):
			ends = true
		case isFunc, isChan(e.pkg.Info, arg), isNamed(t, "time", "Duration"):
		default:
			return false
		}
	}
	return ends
}

// An atEnd is a function, declared or a literal, of which it is asked whether it returns because a context has ended.
type atEnd struct {
	pkg  *program.Package
	file *program.File
	fn   ast.Node
	// unheard is set where nobody looks at the error that it returns.
	unheard bool
}

// returnsAtEnd reports whether a function returns when a context has ended, without telling.
func (f *Flow) returnsAtEnd(l atEnd) bool {
	ends, known := f.lastings[l]
	if !known {
		f.lastings[l] = false // a function that calls itself returns for other reasons, as far as that call tells
		e := &ender{finder: &finder{flow: f, pkg: l.pkg, file: l.file}, source: &Source{Kind: Local}, surely: true, unheard: l.unheard}
		ends = (&leaver{e, l}).leaves()
		f.lastings[l] = ends
	}
	return ends
}

// A leaver looks for the ways on which a function returns when a context has ended.
type leaver struct {
	*ender
	atEnd
}

// leaves reports whether there is such a way: behind one of the statements of the body the context has ended, or a return statement
// is carried out because it has.
func (l *leaver) leaves() bool {
	_, body := partsOf(l.fn)
	if body == nil || len(body.List) == 0 {
		return false
	}
	last, _ := body.List[len(body.List)-1].(*ast.ReturnStmt)
	if slices.ContainsFunc(body.List, func(s ast.Stmt) bool { return l.endsIn(s).IsValid() }) && l.silent(last, nil) {
		return true
	}
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
			return false
		case *ast.CommClause:
			found = found || n.Comm != nil && l.awaits(n.Comm) && !l.justAsks(n) && l.returns(n.Body, nil)
		case *ast.CaseClause:
			found = found || slices.ContainsFunc(n.List, l.signs) && l.returns(n.Body, nil)
		case *ast.IfStmt:
			found = found || l.leavesBy(n, last)
		}
		return !found
	})
	return found
}

// justAsks reports whether a case belongs to a select statement that goes on at once, in no loop: what comes behind it takes as long as it
// takes.
func (l *leaver) justAsks(n *ast.CommClause) bool {
	c, file := l.flow.census, l.ender.file
	cases, _ := c.Parent(file, n).(*ast.BlockStmt)
	if cases == nil || !slices.ContainsFunc(cases.List, func(s ast.Stmt) bool { one, ok := s.(*ast.CommClause); return ok && one.Comm == nil }) {
		return false
	}
	for up := c.Parent(file, cases); up != nil && !isFunc(up); up = c.Parent(file, up) {
		switch up.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return false
		}
	}
	return true
}

// leavesBy reports whether the function is left by an if statement because a context has ended: its condition says so, or a call
// has failed that is given one, in a loop that has no other end.
func (l *leaver) leavesBy(n *ast.IfStmt, last *ast.ReturnStmt) bool {
	if l.signs(n.Cond) {
		return l.returns(n.Body.List, n.Cond)
	}
	if !l.endless(n) || !l.refused(n.Cond) && !l.failsIn(n.Cond) {
		return false
	}
	return l.flow.wayOut(l.ender.pkg.Info, n.Body.List) == leavesList && l.silent(last, nil) || l.returns(n.Body.List, n.Cond)
}

// endless reports whether the innermost loop around a statement has no condition.
func (l *leaver) endless(n ast.Node) bool {
	for n = l.flow.census.Parent(l.ender.file, n); n != nil && !isFunc(n); n = l.flow.census.Parent(l.ender.file, n) {
		switch n := n.(type) {
		case *ast.ForStmt:
			return n.Cond == nil
		case *ast.RangeStmt:
			return false
		}
	}
	return false
}

// returns reports whether a list of statements ends with a return that does not tell.
func (l *leaver) returns(list []ast.Stmt, cond ast.Expr) bool {
	if len(list) == 0 {
		return false
	}
	ret, ok := list[len(list)-1].(*ast.ReturnStmt)
	return ok && l.silent(ret, cond)
}

// silent reports whether a return statement, nil for the end of the body, does not tell the caller that something has ended: by an error
// that is there, or by a bool that is written there.
func (l *leaver) silent(ret *ast.ReturnStmt, cond ast.Expr) bool {
	ft, _ := partsOf(l.fn)
	if ret == nil || l.atEnd.unheard || ft.Results == nil || len(ret.Results) == 0 {
		return true
	}
	info := l.ender.pkg.Info
	verdict := info.TypeOf(ft.Results.List[len(ft.Results.List)-1].Type)
	last := ast.Unparen(ret.Results[len(ret.Results)-1])
	if isBool(verdict) {
		return info.Types[last].Value == nil
	}
	if !isErrorType(verdict) || info.Types[last].IsNil() {
		return true
	}
	call, ok := last.(*ast.CallExpr)
	return ok && !l.makesError(call)
}

// makesError reports whether a call surely returns an error: that of a context, one that is made of another one, or what a function from
// elsewhere makes that belongs to no value.
func (l *leaver) makesError(call *ast.CallExpr) bool {
	info := l.ender.pkg.Info
	if info.Types[call.Fun].IsType() || l.asks(call, "Err") {
		return true
	}
	if slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return isErrorType(info.TypeOf(arg)) }) {
		return true
	}
	fn := census.Callee(info, call)
	return fn != nil && fn.Signature().Recv() == nil && l.flow.body(fn) == nil
}

// endingCall returns a place in a statement or expression where a call is over because a context has ended, or where goroutines are
// waited for that work until then.
func (e *ender) endingCall(call *ast.CallExpr) token.Pos {
	if e.runsUntilEnd(call) || e.awaitsWorkers(call) || e.closedAtEnd(call) {
		return call.Pos()
	}
	return token.NoPos
}

// asked looks at what an if or switch statement around the place has done before it chose.
func (e *ender) asked(init ast.Stmt, cond ast.Expr) {
	pos := e.endsIn(init)
	if !pos.IsValid() && cond != nil {
		pos = e.ends(cond)
	}
	if pos.IsValid() {
		e.end(pos, "it may have ended here")
	}
}
