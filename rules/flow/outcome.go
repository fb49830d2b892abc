package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
)

// set notes what a variable holds, and that what is on the left of an assignment has changed.
func (a *attempt) set(lhs ast.Expr, o outcome) {
	a.changed[types.ExprString(lhs)] = true
	id, ok := ast.Unparen(lhs).(*ast.Ident)
	if !ok {
		return
	}
	if v, ok := a.pkg.Info.ObjectOf(id).(*types.Var); ok {
		a.state[v] = o
	}
}

func (a *attempt) assign(s *ast.AssignStmt) {
	if len(s.Lhs) == len(s.Rhs) {
		for i, l := range s.Lhs {
			o := unsure
			if s.Tok == token.ASSIGN || s.Tok == token.DEFINE {
				o = a.value(s.Rhs[i])
			}
			a.set(l, o)
		}
		return
	}
	list := a.outcomes(s.Rhs[0])
	for i, l := range s.Lhs {
		o := unsure
		if i < len(list) {
			o = list[i]
		}
		a.set(l, o)
	}
}

func (a *attempt) declare(s *ast.DeclStmt) {
	decl, ok := s.Decl.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, spec := range decl.Specs {
		vs, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, id := range vs.Names {
			switch {
			case len(vs.Values) == 0:
				a.set(id, zero)
			case len(vs.Values) == len(vs.Names):
				a.set(id, a.value(vs.Values[i]))
			default:
				a.set(id, a.outcomes(vs.Values[0])[i])
			}
		}
	}
}

// value tells what an expression gives.
func (a *attempt) value(e ast.Expr) outcome {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		switch obj := a.pkg.Info.ObjectOf(e).(type) {
		case *types.Nil:
			return zero
		case *types.Const:
			if tv := a.pkg.Info.Types[e]; tv.Value != nil && isBool(tv.Type) {
				if tv.Value.ExactString() == "true" {
					return given
				}
				return zero
			}
		case *types.Var:
			return a.state[obj]
		}
	case *ast.CallExpr:
		if list := a.outcomes(e); len(list) == 1 {
			return list[0]
		}
	case *ast.BinaryExpr, *ast.UnaryExpr:
		if isBool(a.pkg.Info.TypeOf(e)) {
			return a.holds(e)
		}
	}
	return unsure
}

// outcomes tells what the results of a call are: of the one that fails or succeeds, of one that asks what that has made, and of
// another one, which succeeds unless it may be given a context.
func (a *attempt) outcomes(e ast.Expr) []outcome {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return nil
	}
	results := resultTypes(a.pkg.Info.TypeOf(call))
	list := make([]outcome, len(results))
	if ast.Node(call) == a.call {
		a.own(list, results)
		return list
	}
	fails, mayEnd := a.concerned(call)
	for i, t := range results {
		switch isError := isError(t); {
		case fails && isError:
			list[i] = a.failure()
		case fails && a.fails && nilable(t):
			list[i] = zero
		case isError && (a.mentionsError(call) || makesError(census.Callee(a.pkg.Info, call))):
			list[i] = given
		case isError && !mayEnd:
			list[i] = zero
		}
	}
	return list
}

// makesError reports whether a function is one that makes errors.
func makesError(fn *types.Func) bool {
	return fn != nil && (fn.FullName() == "errors.New" || fn.FullName() == "fmt.Errorf")
}

// own tells what the results of the call itself are. One without an error makes something that fails later; so does a
// request, which has not been sent.
func (a *attempt) own(list []outcome, results []types.Type) {
	hasError, sends := false, false
	for _, t := range results {
		hasError = hasError || isError(t)
		sends = sends || IsRequest(t)
	}
	for i, t := range results {
		switch isError := isError(t); {
		case isError && sends:
			list[i] = zero
		case isError:
			list[i] = a.failure()
		case sends || !hasError && CanFail(t):
			list[i] = failing
		case a.fails && (isBool(t) || nilable(t)):
			list[i] = zero
		case !hasError && isBool(t):
			list[i] = given
		}
	}
}

func (a *attempt) failure() outcome {
	if a.fails {
		return given
	}
	return zero
}

// concerned reports whether a call fails with the one that is looked at, and whether it may end by itself: a context is among its
// arguments.
func (a *attempt) concerned(call *ast.CallExpr) (fails, mayEnd bool) {
	look := call.Args
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		look = append(look[:len(look):len(look)], sel.X)
	}
	for _, e := range look {
		if t := a.pkg.Info.TypeOf(e); t != nil && Implements(t) {
			mayEnd = !slices.ContainsFunc(resultTypes(a.pkg.Info.TypeOf(call)), IsRequest) // which is only made
		}
		if within(e, a.call) {
			fails = true
		}
		if id := Root(e); id != nil {
			v, ok := a.pkg.Info.ObjectOf(id).(*types.Var)
			fails = fails || ok && a.state[v] == failing
		}
	}
	return fails, mayEnd
}

// holds tells whether a condition holds: given for one that does, zero for one that does not.
func (a *attempt) holds(cond ast.Expr) outcome {
	switch e := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return not(a.holds(e.X))
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND:
			return and(a.holds(e.X), a.holds(e.Y))
		case token.LOR:
			return not(and(not(a.holds(e.X)), not(a.holds(e.Y))))
		case token.EQL, token.NEQ:
			return a.compared(e)
		}
	case *ast.CallExpr:
		if a.mentionsError(e) {
			return a.kindOf(e)
		}
		if o := a.value(e); o == given || o == zero {
			return o
		}
		return unsure
	case *ast.Ident:
		if o := a.value(e); o == given || o == zero {
			return o
		}
	}
	if a.mentionsError(cond) {
		return a.doubt()
	}
	return unsure
}

func not(o outcome) outcome {
	switch o {
	case zero:
		return given
	case given:
		return zero
	}
	return unsure
}

func and(x, y outcome) outcome {
	switch {
	case x == zero || y == zero:
		return zero
	case x == given && y == given:
		return given
	}
	return unsure
}

// compared tells whether a comparison with nil, true or false holds. One of an error with another one asks for its kind.
func (a *attempt) compared(e *ast.BinaryExpr) outcome {
	x, y := a.value(e.X), a.value(e.Y)
	o := unsure
	switch {
	case y == zero && (x == given || x == zero):
		o = not(x)
	case x == zero && (y == given || y == zero):
		o = not(y)
	case y == given && isBool(a.pkg.Info.TypeOf(e.Y)):
		o = x
	case x == given && isError(a.pkg.Info.TypeOf(e.X)):
		o = zero
		if a.endOf(e.Y) {
			o = given
		}
	}
	if o == unsure || o == failing {
		if a.mentionsError(e) {
			return a.doubt()
		}
		return unsure
	}
	if e.Op == token.NEQ {
		return not(o)
	}
	return o
}

func (a *attempt) doubt() outcome {
	if a.doubts {
		return given
	}
	return zero
}

// kindOf tells what a call says of an error: errors.Is that it is another one, unless that is a context's; others may say anything.
func (a *attempt) kindOf(call *ast.CallExpr) outcome {
	fn := census.Callee(a.pkg.Info, call)
	if fn != nil && fn.FullName() == "errors.Is" && len(call.Args) == 2 {
		if a.endOf(call.Args[1]) {
			return given
		}
		return zero
	}
	return a.doubt()
}

// endOf reports whether an expression is the error of a context.
func (a *attempt) endOf(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		v, ok := a.pkg.Info.Uses[e.Sel].(*types.Var)
		return ok && v.Pkg() != nil && v.Pkg().Path() == "context"
	case *ast.CallExpr:
		fails, mayEnd := a.concerned(e)
		return fails || mayEnd
	}
	return false
}

// mentionsError reports whether a node mentions an error that is not nil.
func (a *attempt) mentionsError(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			v, ok := a.pkg.Info.Uses[id].(*types.Var)
			found = found || ok && a.state[v] == given && types.Implements(v.Type(), errorType)
		}
		return !found
	})
	return found
}
