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

// CutShort reports whether a context may end between the start of a goroutine and the place where the function waits for it, by what
// the function itself does: it calls the cancel function first, waits for the end of the context, starts goroutines in a loop that ends
// with it and lets them finish, or gives the goroutine something to work on when a call that got the context may have failed. Work that gets such a context is never done as a whole, although somebody waits for it.
func (f *Flow) CutShort(g *Goroutine, v *types.Var) bool {
	key := cutOf{startOf{g.Pkg, g.Node()}, v}
	cut, known := f.cuts[key]
	if !known {
		if life := f.Lifetime(g); life.Kind == Joined {
			c := &cutter{flow: f, g: g, v: v, outer: f.Enclosing(g)}
			c.waits(life)
			cut = c.cancelled() || c.endedAtWait() || c.drained() || c.fedAtEnd()
		}
		f.cuts[key] = cut
	}
	return cut
}

// A cutOf is a context that a goroutine may get.
type cutOf struct {
	start startOf
	v     *types.Var
}

// CutsShort does the same for a context that would take the place of another one, for the goroutines by which that comes to one
// of its fates.
func (f *Flow) CutsShort(pkg *program.Package, file *program.File, fate Fate, v *types.Var) bool {
	return f.cutAround(pkg, file, Path(file, fate.Pos)[0], v)
}

// WaitedLater returns the place where a function waits for a goroutine by which a context comes to one of its fates, when that is deferred
// in front of a place: what is deferred there runs first. It is NoPos for others.
func (f *Flow) WaitedLater(pkg *program.Package, file *program.File, fate Fate, at token.Pos) token.Pos {
	for _, n := range Path(file, fate.Pos) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			continue
		}
		g := f.Started(pkg, file, call)
		if g == nil || f.Lifetime(g).Kind != Joined {
			continue
		}
		c := &cutter{flow: f, g: g, outer: f.Enclosing(g)}
		c.waits(f.Lifetime(g))
		for _, w := range c.list {
			if from, _ := c.deferral(w); from != nil && from.Pos() < at {
				return w.Pos()
			}
		}
	}
	return token.NoPos
}

// cutAround reports whether the context of a variable may end before a goroutine around a node is waited for. A parameter of the
// goroutine's literal is what the go statement passes.
func (f *Flow) cutAround(pkg *program.Package, file *program.File, n ast.Node, v *types.Var) bool {
	for up := n; up != nil; up = f.census.Parent(file, up) {
		call, ok := up.(*ast.CallExpr)
		if !ok {
			continue
		}
		g := f.Started(pkg, file, call)
		if g == nil {
			continue
		}
		of := v
		if g.Lit != nil && v.Pos() >= g.Lit.Pos() && v.Pos() < g.Lit.End() {
			i := parameterIndex(g.Lit.Type, v.Pos())
			if i < 0 || g.Stmt == nil || i >= len(call.Args) {
				return false
			}
			if of = passed(census.Expr{Expr: call.Args[i], File: file, Pkg: pkg}); of == nil {
				return false
			}
		}
		if f.CutShort(g, of) {
			return true
		}
		v = of
	}
	return false
}

// A cutter looks for what ends a context before a goroutine is waited for.
type cutter struct {
	flow  *Flow
	g     *Goroutine
	v     *types.Var
	outer *ast.BlockStmt
	// list are the places where the function waits for the goroutine, as far as they can be told from others.
	list []ast.Node
}

// waits notes the places that wait for what the evidence says, and all others when that is another goroutine.
func (c *cutter) waits(life Lifetime) {
	all := c.flow.waitsIn(c.g.Pkg, c.g.File, c.outer, false)
	subject := ""
	for _, n := range all {
		if x := waited(n); x != nil && (n.Pos() == life.Pos || x.Pos() == life.Pos) {
			subject = types.ExprString(x)
		}
	}
	for _, n := range all {
		x := waited(n)
		if x == nil || subject != "" && types.ExprString(x) != subject || subject == "" && !c.blocks(x) {
			continue
		}
		c.list = append(c.list, n)
	}
}

// waited returns what a node waits for: a group, a channel. It is nil for others.
func waited(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Wait" {
			return sel.X
		}
	case *ast.UnaryExpr:
		return n.X
	case *ast.RangeStmt:
		return n.X
	}
	return nil
}

// blocks reports whether something that is waited for may tell a goroutine's end: no loop over a list, and not the end of a context.
func (c *cutter) blocks(x ast.Expr) bool {
	t := c.g.Pkg.Info.TypeOf(x)
	if t == nil || (&ender{finder: &finder{flow: c.flow, pkg: c.g.Pkg, file: c.g.File}, source: &Source{Kind: Local}}).asks(x, "Done") {
		return false
	}
	_, isChan := Under(t).(*types.Chan)
	return isChan || c.flow.canWait(t)
}

// until returns where a wait is over: a loop goes on with what it is for.
func (c *cutter) until(n ast.Node) token.Pos {
	end := n.End()
	for up := n; up != nil && up != ast.Node(c.outer); up = c.flow.census.Parent(c.g.File, up) {
		switch up.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			if up.Pos() > c.g.Node().Pos() {
				end = up.End()
			}
		}
	}
	return end
}

// deferral returns the statement that defers a node, nil for none. known is not set where the node runs at some other time.
func (c *cutter) deferral(n ast.Node) (stmt *ast.DeferStmt, known bool) {
	for up := n; up != nil && up != ast.Node(c.outer); up = c.flow.census.Parent(c.g.File, up) {
		switch up := up.(type) {
		case *ast.DeferStmt:
			return up, true
		case *ast.GoStmt:
			return nil, false
		case *ast.FuncLit:
			call, ok := c.flow.census.Parent(c.g.File, up).(*ast.CallExpr)
			if !ok || call.Fun != ast.Expr(up) {
				return nil, false
			}
		}
	}
	return nil, true
}

// cancelled reports whether the function may cancel the context, or one that it is derived from, before it waits. Deferred code
// runs last in, first out.
func (c *cutter) cancelled() bool {
	for _, end := range c.flow.cancelsOf(c.g.Pkg, c.g.File, c.v) {
		if end.node.Pos() < c.outer.Pos() || end.node.Pos() >= c.outer.End() || end.group != nil && c.counts(end.group) {
			continue
		}
		at, known := c.deferral(end.node)
		if !known || end.handed {
			return true
		}
		if at == nil && end.node.Pos() < c.g.Node().Pos() {
			continue // on the way out, before there was a goroutine
		}
		if slices.ContainsFunc(c.list, func(w ast.Node) bool { return w != end.node && c.precedes(end.node, at, w) }) {
			return true
		}
	}
	return false
}

// counts reports whether a group is the one that counts the goroutine: when it has waited, the goroutine is done.
func (c *cutter) counts(group *types.Var) bool {
	sel, ok := ast.Unparen(c.g.Call.Fun).(*ast.SelectorExpr)
	if !ok || c.g.Stmt != nil {
		return false
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	return ok && c.g.Pkg.Info.Uses[id] == group
}

// precedes reports whether what ends the context may run before a wait is over; at is the statement that defers it, if any.
func (c *cutter) precedes(end ast.Node, at *ast.DeferStmt, wait ast.Node) bool {
	from, known := c.deferral(wait)
	switch {
	case !known:
		return true
	case at == nil:
		return from != nil || end.Pos() < c.until(wait)
	case from == nil:
		return false
	case at == from:
		return end.Pos() < c.until(wait)
	}
	return from.Pos() < at.Pos()
}

// endedAtWait reports whether the context may have ended, and not only failed, where the function waits.
func (c *cutter) endedAtWait() bool {
	return slices.ContainsFunc(c.list, func(w ast.Node) bool {
		if w.Pos() < c.g.Node().End() {
			if at, _ := c.deferral(w); at == nil {
				return false
			}
		}
		pos := w.Pos()
		if loop, ok := w.(*ast.RangeStmt); ok {
			pos = loop.X.Pos()
		}
		there := &finder{flow: c.flow, pkg: c.g.Pkg, file: c.g.File, pos: pos, path: Path(c.g.File, pos)}
		s := &Source{Kind: Local, Var: c.v}
		(&ender{finder: there, source: s, surely: true}).climb()
		return s.Ended != ""
	})
}

// drained reports whether the goroutine is started in a loop that ends with a context, and waited for behind the loop: what has been
// started is to be finished then.
func (c *cutter) drained() bool {
	e := &ender{finder: &finder{flow: c.flow, pkg: c.g.Pkg, file: c.g.File, pos: c.g.Node().Pos()}, source: &Source{Var: c.v}}
	for up := c.flow.census.Parent(c.g.File, c.g.Node()); up != nil && up != ast.Node(c.outer); up = c.flow.census.Parent(c.g.File, up) {
		behind := slices.ContainsFunc(c.list, func(w ast.Node) bool { return w == up || !within(up, w) })
		if behind && e.endsLoop(up) {
			return true
		}
	}
	return false
}

// An ending is a place where a function ends a context, or waits for the group that the context came with.
type ending struct {
	node ast.Node
	// handed is set where a function that ends it is handed on, and may be called at any time.
	handed bool
	// group is what is waited for; nil where the context is cancelled.
	group *types.Var
}

// cancelsOf returns what ends a context, or one that it is derived from, by itself.
func (f *Flow) cancelsOf(pkg *program.Package, file *program.File, v *types.Var) []ending {
	key := varOf{pkg, file, v}
	list, known := f.endings[key]
	if !known {
		for mate := range f.matesAbove(pkg, file, v, map[*types.Var]bool{}) {
			for _, u := range f.census.Uses(mate) {
				if u.File == file && u.Pkg.Info.Defs[u.Ident] == nil {
					list = f.endingBy(list, u, mate)
				}
			}
		}
		slices.SortFunc(list, func(a, b ending) int { return int(a.node.Pos() - b.node.Pos()) })
		f.endings[key] = list
	}
	return list
}

// endingBy adds what a use of a cancel function, or of a group, ends.
func (f *Flow) endingBy(list []ending, u census.Use, mate *types.Var) []ending {
	parent, child := f.census.Outer(u.File, u.Ident)
	switch p := parent.(type) {
	case *ast.CallExpr:
		if ast.Node(p.Fun) == child {
			return append(list, ending{node: p})
		}
		if fn := census.Callee(u.Pkg.Info, p); fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "testing" || !cancelFunc(mate.Type()) {
			return list
		}
	case *ast.SelectorExpr:
		if call, ok := f.census.Parent(u.File, p).(*ast.CallExpr); ok && p.Sel.Name == "Wait" && call.Fun == ast.Expr(p) {
			return append(list, ending{node: call, group: mate})
		}
		return list
	case *ast.AssignStmt:
		if id, ok := p.Lhs[0].(*ast.Ident); ok && (id.Name == "_" && len(p.Lhs) == 1 || slices.ContainsFunc(p.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })) {
			return list
		}
	case *ast.BinaryExpr:
		return list
	}
	if !cancelFunc(mate.Type()) {
		return list
	}
	return append(list, ending{node: u.Ident, handed: true})
}

// matesAbove returns the cancel functions and groups that were defined together with a context, or with those that it is derived from.
func (f *Flow) matesAbove(pkg *program.Package, file *program.File, v *types.Var, seen map[*types.Var]bool) map[*types.Var]bool {
	mates := map[*types.Var]bool{}
	if seen[v] {
		return mates
	}
	seen[v] = true
	for _, m := range f.matesOf(pkg, file, v) {
		if t := m.v.Type(); cancelFunc(t) || waits(t) {
			mates[m.v] = true
		}
	}
	for _, u := range f.census.Uses(v) {
		if from := derivedFrom(f, u, file); from != nil {
			maps.Copy(mates, f.matesAbove(pkg, file, from, seen))
		}
	}
	return mates
}

// derivedFrom returns the variable from which a context is made that is assigned to a use of another one; nil for none.
func derivedFrom(f *Flow, u census.Use, file *program.File) *types.Var {
	parent, child := f.census.Outer(u.File, u.Ident)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || u.File != file {
		return nil
	}
	i := slices.IndexFunc(as.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
	if i < 0 {
		return nil
	}
	from := ast.Unparen(as.Rhs[min(i, len(as.Rhs)-1)])
	for {
		call, ok := from.(*ast.CallExpr)
		if !ok {
			break
		}
		j := slices.IndexFunc(call.Args, func(arg ast.Expr) bool { return Implements(u.Pkg.Info.TypeOf(arg)) })
		if j < 0 || withoutCancel(u.Pkg, call) {
			return nil
		}
		from = ast.Unparen(call.Args[j])
	}
	id, ok := from.(*ast.Ident)
	if !ok {
		return nil
	}
	of, _ := u.Pkg.Info.Uses[id].(*types.Var)
	return of
}
