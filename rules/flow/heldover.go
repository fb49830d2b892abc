package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
)

// Errors do not always lie in a variable of their own until somebody asks for them. They are gathered in a slice, stored in a field, counted,
// sent by a goroutine, or told by a bool. All that holds one error has the same place in [unseen], so that whoever asks one of them has
// dealt with it. An error that is only logged, or not looked at, does not matter to the function, but for one of what has been made with a
// context and runs as long as that does, a process for example: what follows comes at its end.

// lost holds errors of such work that nothing can leave the function for any longer.
var lost = types.NewVar(token.NoPos, nil, "", nil)

// release takes an error away from all that hold it, and returns them.
func (u unseen) release(pos token.Pos) (list []*types.Var) {
	for v, at := range u {
		if at == pos {
			list = append(list, v)
			delete(u, v)
		}
	}
	return list
}

// ask notes that a method of what holds an error gives it away: cmd.Run().
func (u unseen) ask(v *types.Var) {
	if pos := u[v]; pos.IsValid() {
		u.release(pos)
	}
}

// holds reports whether something holds an error.
func (u unseen) holds(pos token.Pos) bool {
	for _, at := range u {
		if at == pos {
			return true
		}
	}
	return false
}

// forget takes variables out that end here.
func (e *ender) forget(u unseen, ends func(*types.Var) bool) {
	var gone []token.Pos
	for v, pos := range u {
		if v != lost && ends(v) {
			delete(u, v)
			gone = append(gone, pos)
		}
	}
	for _, pos := range gone {
		e.lose(pos, u)
	}
}

// lose notes an error that nothing holds any longer; the first one stays.
func (e *ender) lose(pos token.Pos, u unseen) {
	if at := u[lost]; e.flow.lasting[pos] && !u.holds(pos) && (!at.IsValid() || pos < at) {
		u[lost] = pos
	}
}

// assigned notes what gets an error, or a value that holds or tells one. many is set where the value is a call with several results, of
// which this is the i-th.
func (e *ender) assigned(lhs, value ast.Expr, many bool, i int, u unseen) {
	t := e.pkg.Info.TypeOf(lhs)
	id := Root(lhs)
	if id == nil {
		return
	}
	call, isCall := ast.Unparen(value).(*ast.CallExpr)
	if id.Name == "_" {
		if results := resultTypes(e.pkg.Info.TypeOf(value)); isCall && e.lasts(call) && i < len(results) && isErrorType(results[i]) && (many || len(results) == 1) {
			e.lose(call.Pos(), u)
		}
		return
	}
	v, ok := e.pkg.Info.ObjectOf(id).(*types.Var)
	if !ok {
		return
	}
	if isErrorType(t) && isCall && e.givenContext(call) {
		if e.lasts(call) {
			u.ask(e.rootVar(call.Fun))
		}
		u[v] = call.Pos()
		return
	}
	if pos := e.brings(value, many, t, u); pos.IsValid() {
		u[v] = pos
	}
}

// brings returns the place of an error that a value holds, or tells: it names what holds one, receives one, or comes from a call that is given
// a context. NoPos when there is none.
func (e *ender) brings(value ast.Expr, many bool, t types.Type, u unseen) (pos token.Pos) {
	if many && !isErrorType(t) && e.hasError(value) {
		return token.NoPos // the error beside it tells
	}
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.Ident:
			if v, ok := e.pkg.Info.Uses[n].(*types.Var); ok && u[v].IsValid() {
				pos = first(pos, u[v])
			}
		case *ast.UnaryExpr:
			if receives(n) && e.holdsError(e.received(n.X)) {
				pos = first(pos, n.Pos())
			}
		case *ast.CallExpr:
			if e.worksWith(n) && (e.soleError(n) || e.tellsFailure(n)) {
				pos = first(pos, n.Pos())
			}
		}
		return !pos.IsValid()
	})
	return pos
}

// hasError reports whether an expression is a call with an error among its results.
func (e *ender) hasError(x ast.Expr) bool {
	return slices.ContainsFunc(resultTypes(e.pkg.Info.TypeOf(x)), isErrorType)
}

// soleError reports whether all that a call returns is an error.
func (e *ender) soleError(call *ast.CallExpr) bool { return isErrorType(e.pkg.Info.TypeOf(call)) }

// tellsFailure reports whether the results of a call without an error may tell that it has failed: one holds an error, or the body of the
// function shows that it deals with one and returns a number, a text, or a bool. Who only looks up a value deals with none.
func (e *ender) tellsFailure(call *ast.CallExpr) bool {
	if e.hasError(call) {
		return false
	}
	plain := false
	for _, t := range resultTypes(e.pkg.Info.TypeOf(call)) {
		if e.holdsError(t) {
			return true
		}
		_, basic := Under(t).(*types.Basic)
		plain = plain || basic
	}
	fn := census.Callee(e.pkg.Info, call)
	return plain && fn != nil && e.flow.swallows(fn)
}

// holdsError reports whether a value of a type is an error, or has one that can be asked for: a field, or an element.
func (e *ender) holdsError(t types.Type) bool { return holdsError(e.pkg.Types, t, 0) }

func holdsError(from *types.Package, t types.Type, depth int) bool {
	if t == nil || depth > 3 {
		return false
	}
	if isErrorType(t) {
		return true
	}
	switch t := Under(t).(type) {
	case *types.Pointer:
		return holdsError(from, t.Elem(), depth+1)
	case *types.Slice:
		return holdsError(from, t.Elem(), depth+1)
	case *types.Array:
		return holdsError(from, t.Elem(), depth+1)
	case *types.Map:
		return holdsError(from, t.Elem(), depth+1)
	case *types.Struct:
		for f := range t.Fields() {
			if (f.Exported() || f.Pkg() == from) && (isErrorType(f.Type()) || f.Embedded() && holdsError(from, f.Type(), depth+1)) {
				return true
			}
		}
	}
	return false
}

// worksWith reports whether a call gets a context by an argument, or is a method of what was made with one.
func (e *ender) worksWith(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		if t := e.pkg.Info.TypeOf(arg); t != nil && (Implements(t) || asked(t) != "") {
			return true
		}
	}
	return e.lasts(call)
}

// lasts reports whether a call is a method of what was made with a context, and notes it. What is made together with a context of its own,
// a group, ends with that.
func (e *ender) lasts(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	of := ast.Unparen(sel.X)
	if id, ok := of.(*ast.Ident); ok {
		of = ast.Unparen(e.lastValue(id))
	}
	made, ok := of.(*ast.CallExpr)
	if !ok || !e.getsContext(made) || slices.ContainsFunc(resultTypes(e.pkg.Info.TypeOf(made)), IsContext) {
		return false
	}
	e.flow.lasting[call.Pos()] = true
	return true
}

// swallows reports whether a function of the world calls something with a context that can fail, and may return as if it had not.
func (f *Flow) swallows(fn *types.Func) bool {
	fn = fn.Origin()
	if known, ok := f.swallowing[fn]; ok {
		return known
	}
	f.swallowing[fn] = false
	b := f.body(fn)
	if b == nil {
		return false
	}
	found := false
	e := &ender{finder: &finder{flow: f, pkg: b.pkg, file: b.file}}
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && !found && e.worksWith(call) {
			inner := census.Callee(b.pkg.Info, call)
			found = e.hasError(call) || inner != nil && f.swallows(inner)
		}
		return !found
	})
	f.swallowing[fn] = found
	return found
}

// ignored notes the error of a call that is a statement by itself.
func (e *ender) ignored(x ast.Expr, u unseen) {
	if call, ok := ast.Unparen(x).(*ast.CallExpr); ok && e.hasError(call) && e.lasts(call) {
		e.lose(call.Pos(), u)
	}
}

// passedOn drops an error that is sent: whoever receives it deals with it.
func (e *ender) passedOn(s *ast.SendStmt, u unseen) {
	for v, pos := range u {
		if v != lost && names(e.pkg.Info, s.Value, v) {
			u.release(pos)
		}
	}
}

// counted lets what the branch for an error changes hold that error: n++, failed = true. One that is sent there is passed on.
func (e *ender) counted(s *ast.IfStmt, before, u unseen) {
	for v, pos := range before {
		if !compares(e.pkg.Info, s.Cond, v, token.NEQ) {
			continue
		}
		ast.Inspect(s.Body, func(n ast.Node) bool {
			if send, ok := n.(*ast.SendStmt); ok && names(e.pkg.Info, send.Value, v) {
				u.release(pos)
			}
			return true
		})
		if u.holds(pos) {
			e.changed(s, pos, u)
		}
	}
}

// changed notes what a branch changes that was there before.
func (e *ender) changed(s *ast.IfStmt, pos token.Pos, u unseen) {
	note := func(x ast.Expr) {
		if id := Root(x); id != nil {
			if v, ok := e.pkg.Info.Uses[id].(*types.Var); ok && v.Pos() < s.Pos() && id.Name != "_" && !IsContext(v.Type()) {
				u[v] = pos
			}
		}
	}
	ast.Inspect(s.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				note(lhs)
			}
		}
		return true
	})
}

// refusedAt notes the error of a call in the condition of an if statement, which nothing holds.
func (e *ender) refusedAt(s *ast.IfStmt, out way, u, away unseen) {
	c, ok := ast.Unparen(s.Cond).(*ast.BinaryExpr)
	if !ok || c.Op != token.NEQ && c.Op != token.EQL || !e.pkg.Info.Types[c.Y].IsNil() {
		return
	}
	call, ok := ast.Unparen(c.X).(*ast.CallExpr)
	if !ok || !e.worksWith(call) || !e.soleError(call) {
		return
	}
	failed := unseen{}
	if c.Op == token.NEQ {
		e.changed(s, call.Pos(), failed)
	} else {
		out = staysIn
		if other, ok := s.Else.(*ast.BlockStmt); ok {
			out = e.flow.wayOut(e.pkg.Info, other.List)
		}
	}
	switch {
	case out == leavesFunction && !e.goes:
		return
	case out != staysIn:
		u = away
	}
	if len(failed) == 0 {
		e.lose(call.Pos(), u)
	}
	for v, pos := range failed {
		if out != leavesTurn || v.Pos() < e.loop {
			u[v] = pos
		}
	}
}

// asksHolder reports whether a condition asks something that holds an error and is none itself, other than for success.
func (e *ender) asksHolder(cond ast.Expr, v *types.Var) bool {
	return v != lost && !isErrorType(v.Type()) && names(e.pkg.Info, cond, v) && !e.succeeded(cond, v, true)
}

// succeeded reports whether a condition says of what holds errors and is none itself that there is none: ok, len(errs) == 0, o.err == nil;
// where it holds, or where it does not.
func (e *ender) succeeded(cond ast.Expr, v *types.Var, holds bool) bool {
	if v == lost || isErrorType(v.Type()) {
		return false
	}
	switch c := ast.Unparen(cond).(type) {
	case *ast.Ident:
		return holds && e.pkg.Info.Uses[c] == types.Object(v)
	case *ast.UnaryExpr:
		return c.Op == token.NOT && !holds && e.succeeded(c.X, v, true)
	case *ast.BinaryExpr:
		switch {
		case c.Op == token.LAND && holds, c.Op == token.LOR && !holds:
			return e.succeeded(c.X, v, holds) || e.succeeded(c.Y, v, holds)
		case c.Op == token.EQL && holds, (c.Op == token.NEQ || c.Op == token.GTR) && !holds:
			zero := e.pkg.Info.Types[c.Y]
			return names(e.pkg.Info, c.X, v) && (zero.IsNil() || zero.Value != nil && zero.Value.ExactString() == "0")
		}
	}
	return false
}

// lookRange goes through the body of a range loop: its values may be errors that were gathered, or that are received.
func (e *ender) lookRange(s *ast.RangeStmt, u unseen) {
	id, pos := e.elements(s, u)
	if id == nil {
		e.lookLoop(s.Body, u)
		return
	}
	v, ok := e.pkg.Info.ObjectOf(id).(*types.Var)
	if !ok {
		e.lookLoop(s.Body, u)
		return
	}
	u[v] = pos
	e.lookLoop(s.Body, u)
	delete(u, v)
	if e.leavesFor(s.Body, v) {
		u.release(pos)
	}
}

// received returns the type of what comes from a channel; nil for others.
func (e *ender) received(x ast.Expr) types.Type {
	t := e.pkg.Info.TypeOf(x)
	if t == nil {
		return nil
	}
	ch, ok := Under(t).(*types.Chan)
	if !ok {
		return nil
	}
	return ch.Elem()
}

// elements returns the variable that a range loop gives errors to, and where they come from; nil for none.
func (e *ender) elements(s *ast.RangeStmt, u unseen) (*ast.Ident, token.Pos) {
	if elem := e.received(s.X); elem != nil {
		if id, ok := s.Key.(*ast.Ident); ok && id.Name != "_" && e.holdsError(elem) {
			return id, s.X.Pos()
		}
		return nil, token.NoPos
	}
	if id, ok := s.Value.(*ast.Ident); ok && id.Name != "_" && e.holdsError(e.pkg.Info.TypeOf(id)) {
		if root := Root(s.X); root != nil {
			if v, ok := e.pkg.Info.Uses[root].(*types.Var); ok && u[v].IsValid() {
				return id, u[v]
			}
		}
	}
	return nil, token.NoPos
}

// leavesFor reports whether the body of a loop leaves the function for an error.
func (e *ender) leavesFor(body *ast.BlockStmt, v *types.Var) bool {
	return slices.ContainsFunc(body.List, func(s ast.Stmt) bool {
		check, ok := s.(*ast.IfStmt)
		return ok && (compares(e.pkg.Info, check.Cond, v, token.NEQ) || e.asksHolder(check.Cond, v)) && e.flow.wayOut(e.pkg.Info, check.Body.List) == leavesFunction
	})
}
