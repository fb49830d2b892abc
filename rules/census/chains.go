package census

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A Chain is a row of calls of context.WithValue in one block, each of which derives from the one before, with
// nothing but them assigned to the context, or to the request that carries it, in between.
type Chain struct {
	Links []*Site
}

// Keys returns the keys that a chain stores, each once, in its order.
func (ch *Chain) Keys() []*Key {
	var keys []*Key
	seen := map[*Key]bool{}
	for _, s := range ch.Links {
		if !seen[s.Key] {
			seen[s.Key] = true
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// Chains returns the chains of two or more links in the world's ordinary files, by position. Writers whose key is
// not fixed where they stand are no links.
func (c *Census) Chains() []*Chain {
	return slices.DeleteFunc(c.AllChains(), func(ch *Chain) bool { return ch.Links[0].File.Test })
}

// AllChains returns the chains of the world, those of tests included.
func (c *Census) AllChains() []*Chain {
	links := c.linkSites()
	byCall := map[*ast.CallExpr]*Site{}
	keepers := map[ast.Stmt]*Keeping{}
	calls := map[ast.Stmt]*ast.CallExpr{}
	for _, s := range links {
		byCall[s.Lookup.Call] = s
		if k := c.Keeping(s); k != nil {
			keepers[k.Stmt], calls[k.Stmt] = k, s.Lookup.Call
		}
	}
	next := map[*Site]*Site{}
	follows := map[*Site]bool{}
	for _, s := range links {
		before := c.linkBefore(s, byCall)
		if _, variable := ast.Unparen(s.Lookup.Context).(*ast.Ident); before == nil && !variable {
			before = byCall[c.lastKept(s, keepers, calls)]
		}
		if before != nil && next[before] == nil {
			next[before] = s
			follows[s] = true
		}
	}
	var chains []*Chain
	for _, s := range links {
		if follows[s] {
			continue
		}
		ch := &Chain{}
		for ; s != nil; s = next[s] {
			ch.Links = append(ch.Links, s)
		}
		if len(ch.Links) > 1 {
			chains = append(chains, ch)
		}
	}
	return chains
}

// linkSites returns the writers that name their one key on the spot, and the calls of functions that are nothing but such a
// writer, by position of the call's end.
func (c *Census) linkSites() []*Site {
	list := c.ownLinks()
	for _, s := range list {
		if a := c.attacher(s); a != nil {
			calls, _ := c.calls(a)
			list = append(list, calls...)
		}
	}
	slices.SortFunc(list, func(a, b *Site) int {
		return compareIDs(c.Program.IDOf(a.Lookup.Call.Rparen), c.Program.IDOf(b.Lookup.Call.Rparen))
	})
	return list
}

// ownLinks returns the writers that name their one key on the spot, by position of the call's end.
func (c *Census) ownLinks() []*Site {
	count := map[*ast.CallExpr]int{}
	var list []*Site
	for _, k := range c.Keys {
		for _, s := range k.Sites {
			if s.Role != Writer || s.Lookup.Call == nil || !s.Pkg.World {
				continue
			}
			if count[s.Lookup.Call]++; ast.Unparen(s.Lookup.Key) == s.Expr {
				list = append(list, s)
			}
		}
	}
	list = slices.DeleteFunc(list, func(s *Site) bool { return count[s.Lookup.Call] > 1 })
	slices.SortFunc(list, func(a, b *Site) int {
		return compareIDs(c.Program.IDOf(a.Lookup.Call.Rparen), c.Program.IDOf(b.Lookup.Call.Rparen))
	})
	return list
}

// linkBefore returns the writer whose result another one extends, nil for none.
func (c *Census) linkBefore(s *Site, byCall map[*ast.CallExpr]*Site) *Site {
	switch x := ast.Unparen(s.Lookup.Context).(type) {
	case *ast.CallExpr:
		return byCall[x]
	case *ast.Ident:
		v, ok := s.Pkg.Info.Uses[x].(*types.Var)
		if !ok {
			return nil
		}
		stmt := c.lastAssignment(v, s)
		if stmt == nil {
			return nil
		}
		if call, ok := ast.Unparen(stmt.Rhs[0]).(*ast.CallExpr); ok {
			return byCall[call]
		}
	}
	return nil
}

// lastAssignment returns the assignment that gave a variable its value before a writer: the last one above it, if that
// stands in the writer's own block.
func (c *Census) lastAssignment(v *types.Var, s *Site) *ast.AssignStmt {
	var last *ast.AssignStmt
	at := s.Lookup.Call
	for _, as := range c.assignmentsTo(v) {
		if as.file == s.File && as.ident.Pos() < at.Pos() && as.stmt.End() <= at.Pos() && (last == nil || as.stmt.Pos() > last.Pos()) {
			last = as.stmt
		}
	}
	if last == nil || len(last.Lhs) != 1 || len(last.Rhs) != 1 || c.Parent(s.File, last) != c.Parent(s.File, c.statementOf(s)) {
		return nil
	}
	return last
}

// An assignment gives a variable a value.
type assignment struct {
	file  *program.File
	ident *ast.Ident
	stmt  *ast.AssignStmt
}

// assignmentsTo returns the assignments to a variable, in the order of its uses.
func (c *Census) assignmentsTo(v *types.Var) []assignment {
	c.assigning.Lock()
	defer c.assigning.Unlock()
	list, known := c.assignments[v]
	if !known {
		for _, u := range c.Uses(v) {
			if as, ok := c.Parent(u.File, u.Ident).(*ast.AssignStmt); ok && containsExpr(as.Lhs, u.Ident) {
				list = append(list, assignment{u.File, u.Ident, as})
			}
		}
		if c.assignments == nil {
			c.assignments = map[*types.Var][]assignment{}
		}
		c.assignments[v] = list
	}
	return list
}

// statementOf returns the statement around a writer that stands in a block.
func (c *Census) statementOf(s *Site) ast.Node {
	r := recorder{Census: c}
	return r.statement(s.File, s.Lookup.Call)
}

// A Together is a function that reads several keys of one context, by itself or through accessors.
type Together struct {
	Func  *ast.FuncDecl
	Reads []*Site // the first for each key, by position
}

// ReadTogether returns the functions of ordinary files that read two or more keys, by position. A call of a function that reads
// one key, and does nothing else with contexts, reads that key.
func (c *Census) ReadTogether() []*Together {
	direct := map[*ast.FuncDecl][]*Site{}
	var order []*ast.FuncDecl
	for _, k := range c.Keys {
		for _, s := range k.Sites {
			decl := c.declAround(s)
			if decl == nil || s.File.Test || !s.Pkg.World {
				continue
			}
			if direct[decl] == nil {
				order = append(order, decl)
			}
			direct[decl] = append(direct[decl], s)
		}
	}
	byDecl := map[*ast.FuncDecl]*Together{}
	var list []*Together
	add := func(decl *ast.FuncDecl, s *Site) {
		t := byDecl[decl]
		if t == nil {
			t = &Together{Func: decl}
			byDecl[decl] = t
			list = append(list, t)
		}
		if !slices.ContainsFunc(t.Reads, func(have *Site) bool { return have.Key == s.Key }) {
			t.Reads = append(t.Reads, s)
		}
	}
	for _, decl := range order {
		sites := direct[decl]
		for _, s := range sites {
			if s.Role == Reader {
				add(decl, s)
			}
		}
		if len(sites) == 1 && sites[0].Role == Reader {
			c.eachCaller(decl, sites[0], func(caller *ast.FuncDecl) { add(caller, sites[0]) })
		}
	}
	list = slices.DeleteFunc(list, func(t *Together) bool { return len(t.Reads) < 2 })
	for _, t := range list {
		slices.SortStableFunc(t.Reads, func(a, b *Site) int {
			return compareIDs(c.Program.IDOf(a.Expr.Pos()), c.Program.IDOf(b.Expr.Pos()))
		})
	}
	slices.SortFunc(list, func(a, b *Together) int {
		return compareIDs(c.Program.IDOf(a.Func.Pos()), c.Program.IDOf(b.Func.Pos()))
	})
	return list
}

// declAround returns the function declaration around a site.
func (c *Census) declAround(s *Site) *ast.FuncDecl {
	for n := c.Parent(s.File, s.Expr); n != nil; n = c.Parent(s.File, n) {
		if decl, ok := n.(*ast.FuncDecl); ok {
			return decl
		}
	}
	return nil
}

// eachCaller calls f for every function of an ordinary file that calls an accessor.
func (c *Census) eachCaller(decl *ast.FuncDecl, s *Site, f func(*ast.FuncDecl)) {
	fn, ok := s.Pkg.Info.Defs[decl.Name].(*types.Func)
	if !ok {
		return
	}
	for _, u := range c.Uses(fn) {
		if u.File.Test || !u.Pkg.World {
			continue
		}
		parent, child := c.Outer(u.File, c.NameExpr(u.File, u.Ident))
		if call, ok := parent.(*ast.CallExpr); !ok || ast.Node(call.Fun) != child {
			continue
		}
		if caller := c.declAround(&Site{Expr: u.Ident, File: u.File}); caller != nil {
			f(caller)
		}
	}
}
