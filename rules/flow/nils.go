package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// givenNil reports whether nil comes to a parameter, as tests pass it: whatever would ask it would panic. The nil may be written
// in the call, be what a variable without a value holds, a field that was never set, or come down from the callers of the caller.
func (f *Flow) givenNil(v *types.Var) bool {
	if given, ok := f.nils[v]; ok {
		return given
	}
	s := &nilSearch{flow: f, seen: map[*types.Var]bool{}}
	s.follow(v)
	for len(s.todo) > 0 && !s.found {
		next := s.todo[0]
		s.todo = s.todo[1:]
		if given, known := f.nils[next]; known {
			s.found = given
			continue
		}
		s.sources(next)
	}
	if !s.found {
		for seen := range s.seen {
			f.nils[seen] = false // nothing that comes to them is nil either
		}
	}
	f.nils[v] = s.found
	return s.found
}

// A nilSearch goes backwards from a parameter to all that its value may come from.
type nilSearch struct {
	flow  *Flow
	seen  map[*types.Var]bool
	todo  []*types.Var
	found bool
}

func (s *nilSearch) follow(v *types.Var) {
	if v = v.Origin(); !s.seen[v] {
		s.seen[v] = true
		s.todo = append(s.todo, v)
	}
}

// sources looks at what a parameter or a field is given.
func (s *nilSearch) sources(v *types.Var) {
	if v.IsField() {
		values, unset := s.flow.fieldValues(v)
		s.found = s.found || unset && !s.flow.assignedAnywhere(v)
		s.values(values)
		return
	}
	s.values(s.flow.census.ParamArgs(v))
}

func (s *nilSearch) values(list []census.Expr) {
	for _, e := range list {
		s.value(e)
	}
}

// value looks at one expression that is passed on or stored.
func (s *nilSearch) value(e census.Expr) {
	switch x := ast.Unparen(e.Expr).(type) {
	case *ast.Ident:
		if e.Pkg.Info.Types[x].IsNil() {
			s.found = true
			return
		}
		if v, ok := e.Pkg.Info.Uses[x].(*types.Var); ok && nilable(v.Type()) && v.Parent() != e.Pkg.Types.Scope() {
			s.variable(e, v)
		}
	case *ast.SelectorExpr:
		if v, ok := e.Pkg.Info.Uses[x.Sel].(*types.Var); ok && v.IsField() && nilable(v.Type()) {
			s.follow(v)
		}
	case *ast.CallExpr:
		if len(x.Args) == 1 && e.Pkg.Info.Types[x.Fun].IsType() {
			s.value(census.Expr{Expr: x.Args[0], File: e.File, Pkg: e.Pkg}) // (*http.Request)(nil)
		}
	}
}

// variable looks at a local variable or a parameter that is passed on, unless the code has made sure that it is not nil.
func (s *nilSearch) variable(e census.Expr, v *types.Var) {
	if (&guard{flow: s.flow, pkg: e.Pkg, file: e.File, v: v}).holds(e.Expr) {
		return
	}
	if s.flow.isParam(v) {
		s.follow(v)
		return
	}
	value, declared := s.flow.firstValue(e.Pkg, e.File, v)
	switch {
	case value != nil:
		s.value(census.Expr{Expr: value, File: e.File, Pkg: e.Pkg})
	case declared && !s.flow.setElsewhere(e, v):
		s.found = true
	}
}

// nilable reports whether a context or what carries one may be nil by itself: pointers and interfaces.
func nilable(t types.Type) bool {
	switch Under(t).(type) {
	case *types.Pointer, *types.Interface:
		return true
	}
	return false
}

// firstValue returns what the declaration of a local variable stores in it; declared is set when it stores nothing.
func (f *Flow) firstValue(pkg *program.Package, file *program.File, v *types.Var) (value ast.Expr, declared bool) {
	for _, u := range f.census.Uses(v) {
		if u.File != file || u.Ident.Pos() != v.Pos() {
			continue
		}
		parent, child := f.census.Outer(file, u.Ident)
		switch p := parent.(type) {
		case *ast.AssignStmt:
			if len(p.Lhs) == len(p.Rhs) {
				if i := slices.IndexFunc(p.Lhs, func(e ast.Expr) bool { return ast.Node(e) == child }); i >= 0 {
					return p.Rhs[i], false
				}
			}
		case *ast.ValueSpec:
			i := slices.Index(p.Names, u.Ident)
			if len(p.Values) == len(p.Names) && i >= 0 {
				return p.Values[i], false
			}
			return nil, len(p.Values) == 0
		case *ast.Field:
			return nil, true // a result
		}
	}
	return nil, false
}

// setElsewhere reports whether a variable that was declared without a value may be set by code that no order of statements tells
// about: by whoever has its address, or by a function literal beside the one that uses it, as tests prepare theirs.
func (f *Flow) setElsewhere(e census.Expr, v *types.Var) bool {
	captured := f.literalAround(e.File, e.Expr, v) != nil
	return slices.ContainsFunc(f.census.Uses(v), func(u census.Use) bool {
		parent, child := f.census.Outer(u.File, u.Ident)
		switch p := parent.(type) {
		case *ast.UnaryExpr:
			return p.Op == token.AND && (captured || p.Pos() < e.Expr.Pos())
		case *ast.AssignStmt:
			if !slices.ContainsFunc(p.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child }) {
				return false
			}
			return captured || f.literalAround(u.File, u.Ident, v) != nil
		}
		return false
	})
}

// A guard looks for code that makes sure that a variable is not nil at a place: a condition around it, or a statement in front of it
// that stores something or leaves.
type guard struct {
	flow *Flow
	pkg  *program.Package
	file *program.File
	v    *types.Var
}

func (g *guard) holds(at ast.Node) bool {
	for inner, n := at, g.flow.census.Parent(g.file, at); n != nil; inner, n = n, g.flow.census.Parent(g.file, n) {
		var list []ast.Stmt
		switch n := n.(type) {
		case *ast.IfStmt:
			list = []ast.Stmt{n.Init}
			if inner == ast.Node(n.Body) && g.compares(n.Cond, token.NEQ, token.LAND) || inner == n.Else && g.compares(n.Cond, token.EQL, token.LOR) {
				return true
			}
		case *ast.ForStmt:
			list = []ast.Stmt{n.Init}
		case *ast.SwitchStmt:
			list = []ast.Stmt{n.Init}
		case *ast.BlockStmt:
			list = n.List
		case *ast.CaseClause:
			list = n.Body
		case *ast.CommClause:
			list = append([]ast.Stmt{n.Comm}, n.Body...)
		case *ast.FuncDecl:
			return false
		}
		for _, s := range list {
			if s != nil && s.End() <= inner.Pos() && g.sets(s) {
				return true
			}
		}
	}
	return false
}

// compares reports whether a condition says by itself that the variable is nil, or is not.
func (g *guard) compares(cond ast.Expr, op, joint token.Token) bool {
	c, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	switch {
	case !ok:
		return false
	case c.Op == joint:
		return g.compares(c.X, op, joint) || g.compares(c.Y, op, joint)
	}
	return c.Op == op && (g.is(c.X) && g.pkg.Info.Types[c.Y].IsNil() || g.is(c.Y) && g.pkg.Info.Types[c.X].IsNil())
}

func (g *guard) is(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && g.pkg.Info.ObjectOf(id) == g.v
}

// sets reports whether the variable is not nil any more behind a statement: it stores something on each of its ways that go on, or
// looks for nil first.
func (g *guard) sets(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return slices.ContainsFunc(s.Lhs, g.is)
	case *ast.LabeledStmt:
		return g.sets(s.Stmt)
	case *ast.BlockStmt:
		return g.setsIn(s.List)
	case *ast.IfStmt:
		if s.Init != nil && g.sets(s.Init) {
			return true
		}
		return g.setsIn(s.Body.List) && (g.compares(s.Cond, token.EQL, token.LOR) || s.Else != nil && g.sets(s.Else))
	case *ast.SwitchStmt:
		return g.setsInAll(s.Body)
	case *ast.TypeSwitchStmt:
		return g.setsInAll(s.Body)
	case *ast.SelectStmt:
		return g.setsInAll(s.Body)
	}
	return false
}

// setsIn reports whether a list of statements stores something, or does not go on.
func (g *guard) setsIn(list []ast.Stmt) bool {
	if slices.ContainsFunc(list, g.sets) || g.flow.leaves(g.pkg.Info, list) {
		return true
	}
	if len(list) == 0 {
		return false
	}
	branch, ok := list[len(list)-1].(*ast.BranchStmt)
	return ok && branch.Tok == token.CONTINUE
}

// setsInAll reports whether all clauses of a statement do, one of which is carried out in any case.
func (g *guard) setsInAll(body *ast.BlockStmt) bool {
	all := false
	for _, c := range body.List {
		switch c := c.(type) {
		case *ast.CaseClause:
			all = all || c.List == nil
			if !g.setsIn(c.Body) {
				return false
			}
		case *ast.CommClause:
			all = true
			if !g.setsIn(c.Body) {
				return false
			}
		}
	}
	return all
}
