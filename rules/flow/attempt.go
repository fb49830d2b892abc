package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An outcome is what is known of a variable during an attempt.
type outcome int

const (
	unsure outcome = iota
	// zero is for nil and false, given for what is not nil, and true.
	zero
	given
	// failing is for what fails when it is asked: a row, a command, a request with the context in it.
	failing
)

// An attempt is a turn of a loop in which one call fails, or succeeds. It is followed through the statements of the loop.
type attempt struct {
	flow *Flow
	pkg  *program.Package
	file *program.File
	loop ast.Stmt
	call ast.Node
	// fails says how the call ends, doubts what conditions are taken to be that ask for the kind of an error.
	fails, doubts bool
	state         map[*types.Var]outcome
	// nested counts the loops, switches and selects around the statement within the loop.
	nested int
	// left is set when a statement that leaves the loop has been reached, changed holds what has been assigned to.
	left    bool
	changed map[string]bool
}

// ends reports whether the loop can be left in a turn that follows on a like one.
func (a *attempt) ends() bool {
	var cond ast.Expr
	var post ast.Stmt
	var body *ast.BlockStmt
	switch loop := a.loop.(type) {
	case *ast.ForStmt:
		cond, post, body = loop.Cond, loop.Post, loop.Body
	case *ast.RangeStmt:
		body = loop.Body
	}
	for range 2 {
		a.left, a.changed = false, map[string]bool{}
		a.list(body.List)
		if post != nil {
			a.stmt(post)
		}
	}
	if a.left || cond == nil {
		return a.left
	}
	switch a.holds(cond) {
	case zero:
		return true
	case given:
		return false
	}
	return !a.stuck(cond)
}

// stuck reports whether a condition stays as it is, since what it asks is only assigned to on other ways through the loop.
func (a *attempt) stuck(cond ast.Expr) bool {
	written := map[string]bool{}
	ast.Inspect(a.loop, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				written[types.ExprString(l)] = true
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				a.changed[types.ExprString(n.X)] = true
			}
		}
		return true
	})
	some, all := false, true
	ast.Inspect(cond, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if tv := a.pkg.Info.Types[n.Fun]; !tv.IsBuiltin() {
				all = false
			}
		case *ast.UnaryExpr:
			all = all && n.Op != token.ARROW
		case *ast.SelectorExpr:
			text := types.ExprString(n)
			some = some || written[text]
			all = all && written[text] && !a.changed[text]
			return false
		case *ast.Ident:
			v, ok := a.pkg.Info.Uses[n].(*types.Var)
			if ok {
				some = some || written[n.Name]
				all = all && !a.changed[n.Name] && v.Parent() != a.pkg.Types.Scope()
			}
		}
		return all
	})
	return some && all
}

// list follows statements, and reports whether what comes behind them is reached.
func (a *attempt) list(list []ast.Stmt) bool {
	for _, s := range list {
		if !a.stmt(s) {
			return false
		}
	}
	return true
}

func (a *attempt) stmt(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		a.left = true
		return false
	case *ast.BranchStmt:
		own, _ := a.flow.census.Parent(a.file, a.loop).(*ast.LabeledStmt)
		a.left = a.left || leavesLoop(a.loop, own, s, a.nested)
		return s.Tok == token.FALLTHROUGH
	case *ast.ExprStmt:
		if call, ok := ast.Unparen(s.X).(*ast.CallExpr); ok && (a.flow.NeverReturns(a.pkg.Info, call) || a.demands(call)) {
			a.left = true
			return false
		}
	case *ast.AssignStmt:
		a.assign(s)
	case *ast.DeclStmt:
		a.declare(s)
	case *ast.IncDecStmt:
		a.set(s.X, unsure)
	case *ast.BlockStmt:
		return a.list(s.List)
	case *ast.LabeledStmt:
		return a.stmt(s.Stmt)
	case *ast.IfStmt:
		return a.branch(s)
	default:
		return a.inner(s)
	}
	return true
}

// demands reports whether a function that never returns from an error is given one: must(err).
func (a *attempt) demands(call *ast.CallExpr) bool {
	fn := census.Callee(a.pkg.Info, call)
	return fn != nil && slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		return isError(a.pkg.Info.TypeOf(arg)) && a.value(arg) == given && a.flow.insists(fn, slices.Index(call.Args, arg))
	})
}

// branch follows an if statement.
func (a *attempt) branch(s *ast.IfStmt) bool {
	if s.Init != nil {
		a.stmt(s.Init)
	}
	otherwise := func() bool { return s.Else == nil || a.stmt(s.Else) }
	switch a.holds(s.Cond) {
	case given:
		return a.list(s.Body.List)
	case zero:
		return otherwise()
	}
	return a.either(func() bool { return a.list(s.Body.List) }, otherwise)
}

// either follows several ways, and goes on with what all of those that come through agree about.
func (a *attempt) either(ways ...func() bool) bool {
	before := a.state
	var after map[*types.Var]outcome
	for _, way := range ways {
		a.state = maps.Clone(before)
		if !way() {
			continue
		}
		if after == nil {
			after = a.state
			continue
		}
		for v, o := range after {
			if a.state[v] != o {
				delete(after, v)
			}
		}
	}
	a.state = after
	if after == nil {
		a.state = before
		return false
	}
	return true
}

// inner follows the statements that a break ends by itself.
func (a *attempt) inner(s ast.Stmt) bool {
	a.nested++
	defer func() { a.nested-- }()
	var ways []func() bool
	add := func(init ast.Stmt, body []ast.Stmt) {
		ways = append(ways, func() bool {
			if init != nil {
				a.stmt(init)
			}
			return a.list(body) || breaks(body)
		})
	}
	pass := func() bool { return true }
	switch s := s.(type) {
	case *ast.ForStmt:
		if s.Init != nil {
			a.stmt(s.Init)
		}
		if s.Cond == nil {
			return a.either(func() bool { a.list(s.Body.List); return breaks(s.Body.List) })
		}
		ways = append(ways, pass)
		if a.holds(s.Cond) != zero {
			add(nil, s.Body.List)
			if s.Post != nil {
				add(s.Post, s.Body.List)
			}
		}
	case *ast.RangeStmt:
		ways = append(ways, pass)
		add(nil, s.Body.List)
	case *ast.SwitchStmt:
		return a.choose(s)
	case *ast.TypeSwitchStmt:
		return a.chooseType(s)
	case *ast.SelectStmt:
		for _, c := range s.Body.List {
			c := c.(*ast.CommClause)
			add(c.Comm, c.Body)
		}
	default:
		return true
	}
	return a.either(ways...)
}

// choose follows a switch through the cases that may hold.
func (a *attempt) choose(s *ast.SwitchStmt) bool {
	if s.Init != nil {
		a.stmt(s.Init)
	}
	var ways []func() bool
	var last *ast.CaseClause
	sure := false
	for _, c := range s.Body.List {
		c := c.(*ast.CaseClause)
		may := zero
		for _, e := range c.List {
			if s.Tag != nil {
				e = &ast.BinaryExpr{X: s.Tag, Op: token.EQL, Y: e}
			}
			if h := a.holds(e); h != zero {
				may = max(may, h)
				if h == unsure {
					may = failing // one of several
				}
			}
		}
		if c.List == nil {
			last = c
		} else if may != zero && !sure {
			sure = may == given
			ways = append(ways, func() bool { return a.list(c.Body) || breaks(c.Body) })
		}
	}
	switch {
	case sure:
	case last != nil:
		ways = append(ways, func() bool { return a.list(last.Body) || breaks(last.Body) })
	default:
		ways = append(ways, func() bool { return true })
	}
	return a.either(ways...)
}

// chooseType follows a switch over types: one over those of an error asks for its kind.
func (a *attempt) chooseType(s *ast.TypeSwitchStmt) bool {
	asks := a.mentionsError(s.Assign)
	ways := []func() bool{}
	whole := false
	for _, c := range s.Body.List {
		c := c.(*ast.CaseClause)
		whole = whole || c.List == nil
		if c.List == nil || !asks || a.doubts {
			ways = append(ways, func() bool { return a.list(c.Body) || breaks(c.Body) })
		}
	}
	if !whole {
		ways = append(ways, func() bool { return true })
	}
	return a.either(ways...)
}

// breaks reports whether a break ends the statement around a list, wherever it stands in it.
func breaks(list []ast.Stmt) bool {
	found := false
	for _, s := range list {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.SelectStmt, *ast.TypeSwitchStmt:
				return false
			case *ast.BranchStmt:
				found = found || n.Tok == token.BREAK && n.Label == nil
			}
			return !found
		})
	}
	return found
}
