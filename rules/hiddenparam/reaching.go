package hiddenparam

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// A def is one assignment that may give a variable the value it has at a mention.
type def struct {
	// value is nil where the variable has its zero value.
	value ast.Expr
	// index is the place of the variable among the results of value; tuple is set when that has several.
	index int
	tuple bool
	pos   token.Pos
}

// reached is what may give a variable the value it has at a mention.
type reached struct {
	defs []def
	// entry is set when it may be what the function was entered with.
	entry bool
	// unclear says why it cannot be told; "" when it can.
	unclear string
}

// A backtrack goes from a mention of a variable back through the statements before it.
type backtrack struct {
	t  *travel
	at place
	v  *types.Var
	r  reached
}

// reaching finds the assignments that may give a variable the value it has at a mention.
func (t *travel) reaching(at place, id *ast.Ident, v *types.Var) reached {
	m := mention{id, v}
	r, known := t.reached[m]
	if !known {
		b := &backtrack{t: t, at: at, v: v}
		b.run(id)
		r = b.r
		t.reached[m] = r
	}
	return r
}

func (b *backtrack) run(id *ast.Ident) {
	declaring := b.t.function(b.at.file, b.v)
	unclear, known := b.t.wild[b.v]
	if !known {
		unclear = b.wild(declaring)
		b.t.wild[b.v] = unclear
	}
	if unclear != "" {
		b.r.unclear = unclear
		return
	}
	for n := ast.Node(id); ; {
		p := b.t.c.Parent(b.at.file, n)
		done := false
		switch p := p.(type) {
		case nil:
			b.r.unclear = "is declared where it cannot be followed"
			return
		case *ast.BlockStmt:
			done = b.before(p.List, n)
		case *ast.CaseClause:
			done = b.before(p.Body, n)
		case *ast.CommClause:
			if done = b.before(p.Body, n); !done && p.Comm != nil && ast.Node(p.Comm) != n {
				done = b.direct(p.Comm)
			}
		case *ast.ForStmt:
			b.maybe(p.Body)
			b.maybe(p.Post)
			done = ast.Node(p.Init) != n && b.direct(p.Init)
		case *ast.RangeStmt:
			if ast.Node(p.Body) == n {
				b.maybe(p.Body)
				if b.names(p.Key) || b.names(p.Value) {
					b.r.unclear, done = "comes from a range", true
				}
			}
		case *ast.IfStmt:
			done = ast.Node(p.Init) != n && b.direct(p.Init)
		case *ast.SwitchStmt:
			done = ast.Node(p.Init) != n && b.direct(p.Init)
		case *ast.TypeSwitchStmt:
			done = ast.Node(p.Init) != n && b.direct(p.Init)
		case *ast.FuncLit:
			if ast.Node(p) == declaring {
				b.r.entry, done = true, true
			} else {
				b.captured(p, declaring)
			}
		case *ast.FuncDecl:
			b.r.entry, done = true, true
		}
		if done {
			return
		}
		n = p
	}
}

// wild says why the statements of a function do not tell in what order they run, or who assigns to the variable.
func (b *backtrack) wild(fn ast.Node) string {
	why := ""
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BranchStmt:
			if n.Tok == token.GOTO {
				why = "is used in a function with goto"
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND && b.names(n.X) {
				why = "has its address taken"
			}
		case *ast.FuncLit:
			if ast.Node(n) != fn && b.assignedIn(n) {
				why = "is assigned to by a function literal, which may run at any time"
			}
		case *ast.TypeSwitchStmt:
			if as, ok := n.Assign.(*ast.AssignStmt); ok && as.Lhs[0].Pos() == b.v.Pos() {
				why = "is told by its type"
			}
		}
		return why == ""
	})
	return why
}

// assignedIn reports whether a function literal assigns to the variable, which another function declares.
func (b *backtrack) assignedIn(lit *ast.FuncLit) bool {
	if lit.Pos() <= b.v.Pos() && b.v.Pos() < lit.End() {
		return false
	}
	found := false
	ast.Inspect(lit, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			found = found || slices.ContainsFunc(n.Lhs, b.names)
		case *ast.RangeStmt:
			found = found || b.names(n.Key) || b.names(n.Value)
		}
		return !found
	})
	return found
}

// before goes through the statements of a list that stand before one of them, or a part of it; done is set when one is sure
// to assign to the variable.
func (b *backtrack) before(list []ast.Stmt, n ast.Node) (done bool) {
	i := slices.IndexFunc(list, func(s ast.Stmt) bool { return ast.Node(s) == n })
	for i--; i >= 0; i-- {
		if b.direct(list[i]) {
			return true
		}
		b.maybe(list[i])
	}
	return false
}

// direct notes a statement that assigns to the variable whenever it runs.
func (b *backtrack) direct(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.LabeledStmt:
		return b.direct(s.Stmt)
	case *ast.AssignStmt:
		for i, l := range s.Lhs {
			if b.names(l) {
				b.assign(s.Rhs, i, len(s.Lhs), l.Pos())
				return true
			}
		}
	case *ast.DeclStmt:
		g, ok := s.Decl.(*ast.GenDecl)
		if !ok {
			return false
		}
		for _, spec := range g.Specs {
			vs, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for i, id := range vs.Names {
				if b.names(id) {
					b.assign(vs.Values, i, len(vs.Names), id.Pos())
					return true
				}
			}
		}
	}
	return false
}

func (b *backtrack) assign(values []ast.Expr, i, n int, pos token.Pos) {
	d := def{pos: pos}
	switch {
	case len(values) == n:
		d.value = values[i]
	case len(values) == 1:
		d.value, d.index, d.tuple = values[0], i, true
	}
	if !slices.Contains(b.r.defs, d) {
		b.r.defs = append(b.r.defs, d)
	}
}

// maybe notes the assignments within a node, which may have run before, but for those on whose way the function ends.
func (b *backtrack) maybe(root ast.Node) {
	if s, ok := root.(ast.Stmt); root == nil || ok && s == nil {
		return
	}
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			if n != root && b.ends(n.List) {
				return false
			}
		case *ast.CaseClause:
			return !b.ends(n.Body)
		case *ast.CommClause:
			return !b.ends(n.Body)
		case *ast.FuncLit: // where a return ends the literal alone
			b.all(n.Body, token.NoPos)
			return false
		case ast.Stmt:
			if b.direct(n) {
				return true
			}
			if r, ok := n.(*ast.RangeStmt); ok && (b.names(r.Key) || b.names(r.Value)) {
				b.r.unclear = "comes from a range"
			}
		}
		return true
	})
}

// ends reports whether whoever enters a list of statements leaves the function there: it ends with a return, or a panic, and
// nothing jumps out of it before.
func (b *backtrack) ends(list []ast.Stmt) bool {
	if len(list) == 0 || !leaves(b.at.pkg.Info, list[len(list)-1]) {
		return false
	}
	jumps := false
	for _, s := range list {
		ast.Inspect(s, func(n ast.Node) bool {
			_, branch := n.(*ast.BranchStmt)
			jumps = jumps || branch
			return !jumps
		})
	}
	return !jumps
}

// leaves reports whether a statement leaves the function: it returns, or panics.
func leaves(info *types.Info, s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		id, ok := ast.Unparen(call.Fun).(*ast.Ident)
		return ok && info.Uses[id] == types.Universe.Lookup("panic")
	}
	return false
}

// captured notes what a function literal that mentions the variable of a function around it may see: it may run later.
func (b *backtrack) captured(lit *ast.FuncLit, declaring ast.Node) {
	b.all(lit.Body, token.NoPos)
	b.all(declaring, lit.End())
}

// all notes every assignment in a node from a position on.
func (b *backtrack) all(root ast.Node, from token.Pos) {
	ast.Inspect(root, func(n ast.Node) bool {
		if s, ok := n.(ast.Stmt); ok && s.Pos() >= from {
			b.direct(s)
		}
		return true
	})
}

// names reports whether an expression is the variable.
func (b *backtrack) names(e ast.Expr) bool {
	if e == nil {
		return false
	}
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	obj := b.at.pkg.Info.ObjectOf(id)
	return obj != nil && (obj == b.v || obj.Pos() == b.v.Pos())
}
