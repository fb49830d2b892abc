package flow

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
)

// What one caller's end does to others by way of an error: the function stores in what they share that something is down, counts the failure, or notes
// that the call has been made, or it ends the program. A call that one client breaks off would do so for all.

// judges reports whether the function tells others of the failure of a call, or that it has been made, whether it failed or not.
func (s *sharing) judges(call *ast.CallExpr, made *ast.AssignStmt) bool {
	j := &judge{sharing: s, call: call, tells: map[types.Object]bool{}}
	if made != nil {
		for _, lhs := range made.Lhs {
			if id, ok := lhs.(*ast.Ident); ok && id.Name != "_" && isErrorType(s.pkg.Info.TypeOf(id)) {
				j.err = s.pkg.Info.ObjectOf(id)
				j.tells[j.err] = true
			}
		}
	}
	j.until = j.next()
	ast.Inspect(s.decl.Body, func(n ast.Node) bool {
		if n != nil && !j.found && n.Pos() < j.until {
			j.look(n)
		}
		return !j.found
	})
	return j.found || s.puts(call)
}

// A judge looks for what becomes of the failure of one call.
type judge struct {
	*sharing
	call *ast.CallExpr
	err  types.Object
	// tells are the variables that tell of the failure: the error, and what depends on it.
	tells map[types.Object]bool
	// until is where the error's variable gets another value.
	until token.Pos
	found bool
}

// next returns the place where the error of the call is overwritten, or the end of the function.
func (j *judge) next() token.Pos {
	until := j.decl.Body.End()
	ast.Inspect(j.decl.Body, func(n ast.Node) bool {
		if as, ok := n.(*ast.AssignStmt); ok && j.err != nil && as.Pos() > j.call.End() && as.Pos() < until {
			for _, lhs := range as.Lhs {
				if id, ok := lhs.(*ast.Ident); ok && j.pkg.Info.ObjectOf(id) == j.err {
					until = as.Pos()
				}
			}
		}
		return true
	})
	return until
}

func (j *judge) look(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		if j.failing(n.Cond, token.NEQ) {
			j.branch(n.Body)
		} else if n.Else != nil && j.failing(n.Cond, token.EQL) {
			j.branch(n.Else)
		}
	case *ast.AssignStmt:
		if n.Pos() < j.call.End() {
			return
		}
		for i, lhs := range n.Lhs {
			if !j.told(n.Rhs[min(i, len(n.Rhs)-1)]) {
				continue
			}
			if id, ok := lhs.(*ast.Ident); ok && sharedObject(j.pkg, lhs) == nil {
				j.tells[j.pkg.Info.ObjectOf(id)] = true
			} else if sharedObject(j.pkg, lhs) != nil {
				j.found = true
			}
		}
	case *ast.CallExpr:
		j.found = j.found || n.Pos() > j.call.End() && j.toldTo(n)
	}
}

// failing reports whether a condition compares the error of the call with nil.
func (j *judge) failing(cond ast.Expr, op token.Token) bool {
	c, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return false
	}
	if c.Op == token.LAND || c.Op == token.LOR {
		return j.failing(c.X, op) || j.failing(c.Y, op)
	}
	if c.Op != op || !j.pkg.Info.Types[c.Y].IsNil() {
		return false
	}
	if id, ok := ast.Unparen(c.X).(*ast.Ident); ok {
		return j.err != nil && c.Pos() > j.call.End() && j.pkg.Info.Uses[id] == j.err
	}
	return isErrorType(j.pkg.Info.TypeOf(c.X)) && within(c.X, j.call)
}

// branch looks at what is done only when the call has failed.
func (j *judge) branch(body ast.Node) {
	note := func(x ast.Expr) {
		if sharedObject(j.pkg, x) != nil {
			j.found = true
		} else if id := Root(x); id != nil {
			j.tells[j.pkg.Info.ObjectOf(id)] = true
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				note(lhs)
			}
		case *ast.CallExpr:
			j.found = j.found || j.flow.exits(j.pkg.Info, n) && !j.flow.onlyMain(j.pkg.Info.Defs[j.decl.Name], 0)
		}
		return !j.found
	})
}

// told reports whether an expression mentions what tells of the failure, other than as an argument.
func (j *judge) told(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.CallExpr:
			return false
		case *ast.Ident:
			found = found || j.tells[j.pkg.Info.Uses[n]]
		}
		return !found
	})
	return found
}

// toldTo reports whether a call gives the error to a method that stores something in its receiver: h.markDown(err).
func (j *judge) toldTo(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	fn := census.Callee(j.pkg.Info, call)
	if !ok || fn == nil || fn.Signature().Recv() == nil {
		return false
	}
	for _, arg := range call.Args {
		if j.told(arg) {
			id := Root(sel.X)
			v, isVar := types.Object(nil), false
			if id != nil {
				v = j.pkg.Info.Uses[id]
				_, isVar = v.(*types.Var)
			}
			return isVar && (v.Parent() == j.pkg.Types.Scope() || v.(*types.Var).Kind() == types.RecvVar) && j.flow.storesInReceiver(fn)
		}
	}
	return false
}

// storesInReceiver reports whether a method of the world changes a field of its receiver, or a package variable.
func (f *Flow) storesInReceiver(fn *types.Func) bool {
	b := f.body(fn)
	if b == nil {
		return false
	}
	found := false
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IncDecStmt:
			found = found || sharedObject(b.pkg, n.X) != nil
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				found = found || sharedObject(b.pkg, lhs) != nil
			}
		}
		return !found
	})
	return found
}

// puts reports whether a call puts something off for others, whether it fails or not: behind it a shared variable gets a value that is
// no constant but true, and the function has read it before: s.checked = time.Now().
func (s *sharing) puts(call *ast.CallExpr) bool {
	for _, st := range s.stores {
		as, ok := st.node.(*ast.AssignStmt)
		if !ok || as.Pos() < call.End() || len(as.Lhs) != 1 || as.Tok != token.ASSIGN || s.succeeded(st, call) {
			continue
		}
		value := s.pkg.Info.Types[as.Rhs[0]]
		if c := value.Value; value.IsNil() || c != nil && (c.Kind() != constant.Bool || !constant.BoolVal(c)) {
			continue
		}
		if s.readBefore(st.obj, call) {
			return true
		}
	}
	return false
}

func (s *sharing) readBefore(obj types.Object, call *ast.CallExpr) bool {
	found, left := false, map[ast.Node]bool{}
	ast.Inspect(s.decl.Body, func(n ast.Node) bool {
		if as, ok := n.(*ast.AssignStmt); ok {
			for _, lhs := range as.Lhs {
				left[lhs] = true
			}
		}
		e, ok := n.(ast.Expr)
		found = found || ok && e.End() <= call.Pos() && !left[e] && sharedObject(s.pkg, e) == obj
		return !found && (!ok || !left[e])
	})
	return found
}

// exits reports whether a call ends the program: a function elsewhere that never returns and is none of a test's and no panic, or one of
// the world that comes to such a call in any case.
func (f *Flow) exits(info *types.Info, call *ast.CallExpr) bool {
	fn := census.Callee(info, call)
	if fn == nil || !f.NeverReturns(info, call) {
		return false
	}
	if b := f.body(fn); b != nil {
		found := false
		ast.Inspect(b.decl.Body, func(n ast.Node) bool {
			inner, ok := n.(*ast.CallExpr)
			if ok && !found {
				of := census.Callee(b.pkg.Info, inner)
				found = of != nil && f.body(of) == nil && f.exits(b.pkg.Info, inner)
			}
			return !found
		})
		return found
	}
	return endsProgram(fn)
}

// onlyMain reports whether a function is main or init, or called by nothing else: what ends the program there is the program's own.
func (f *Flow) onlyMain(obj types.Object, depth int) bool {
	fn, ok := obj.(*types.Func)
	if !ok || depth > 5 {
		return false
	}
	if fn.Signature().Recv() == nil && (fn.Name() == "init" || fn.Name() == "main" && fn.Pkg().Name() == "main") {
		return true
	}
	calls := 0
	for _, u := range f.census.Uses(fn.Origin()) {
		if u.Pkg.Info.Defs[u.Ident] != nil || u.File.Test {
			continue
		}
		if f.callBy(u) == nil {
			return false // whoever gets it may call it at any time: a handler
		}
		calls++
		var at ast.Node
		for n := ast.Node(u.Ident); n != nil; n = f.census.Parent(u.File, n) {
			if lit, ok := n.(*ast.FuncLit); ok && lit.Type.Params.NumFields() > 0 {
				return false
			}
			if d, ok := n.(*ast.FuncDecl); ok {
				at = d
			}
		}
		d, ok := at.(*ast.FuncDecl)
		if !ok || !f.onlyMain(u.Pkg.Info.Defs[d.Name], depth+1) {
			return false
		}
	}
	return calls > 0
}
