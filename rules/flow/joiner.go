package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A joiner looks for the place where a goroutine is waited for.
type joiner struct {
	flow  *Flow
	g     *Goroutine
	depth int
	outer *ast.BlockStmt
	work  *work
	// signals are what the goroutine tells its end by, and what it tells before; groups are those that know by themselves when it ends.
	signals []signal
	groups  []place
	// foreign is set when it tells it by something that is no variable of the function: a field, a parameter.
	foreign bool
	// pipes are the other ends of pipes that the goroutine works with.
	pipes []*types.Var
	// handed is a channel or group, or the other end of a pipe, that leaves the function.
	handed types.Object
	// doubt says why what looks like waiting for the goroutine may not be that.
	doubt *Lifetime
	// passed is the context that the goroutine is to get; nil when the one that it has counts, or that it would be given.
	passed *types.Var
}

func (f *Flow) joinerOf(g *Goroutine, depth int) *joiner {
	j := &joiner{flow: f, g: g, depth: depth, outer: f.Enclosing(g), work: f.workOf(g)}
	if g.Stmt == nil {
		if sel, ok := ast.Unparen(g.Call.Fun).(*ast.SelectorExpr); ok && f.canWait(g.Pkg.Info.TypeOf(sel.X)) {
			if p, ok := placeOf(g.Pkg.Info, sel.X); ok {
				j.groups = append(j.groups, p)
				j.foreign = j.foreign || j.isForeign(p)
			}
		}
	}
	if j.work == nil {
		return j
	}
	j.signals = j.work.signals()
	if g.Lit == nil { // what a declared function tells by package variables is not for the one that starts it
		j.signals = slices.DeleteFunc(j.signals, func(s signal) bool { return s.at.root.Parent() == j.work.pkg.Types.Scope() })
	}
	for _, s := range j.signals {
		j.foreign = j.foreign || j.isForeign(s.at)
	}
	if g.Lit != nil {
		ast.Inspect(g.Lit.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				j.pipe(id)
			}
			return true
		})
	}
	return j
}

// isForeign reports whether a place is none of the function's own variables.
func (j *joiner) isForeign(p place) bool {
	v, ok := p.root.(*types.Var)
	return p.path != "" || !ok || v.Parent() == j.g.Pkg.Types.Scope() || j.flow.isParam(v)
}

func (f *Flow) lifetime(g *Goroutine, depth int) Lifetime {
	j := f.joinerOf(g, depth)
	if j.outer == nil {
		return Lifetime{}
	}
	return j.judge()
}

// pipe notes the other end of a pipe: what was made together with a variable that the goroutine captures, when both can
// be closed. Whoever gets the other end from the function decides for how long the goroutine lives.
func (j *joiner) pipe(id *ast.Ident) {
	v, ok := j.g.Pkg.Info.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Pos() >= j.g.Lit.Pos() && v.Pos() < j.g.Lit.End() || !ends(v.Type()) {
		return
	}
	for _, u := range j.flow.census.Uses(v) {
		as, ok := j.flow.census.Parent(u.File, u.Ident).(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE || len(as.Rhs) != 1 || u.Pkg.Info.Defs[u.Ident] == nil {
			continue
		}
		for _, lhs := range as.Lhs {
			if other, ok := lhs.(*ast.Ident); ok && other != u.Ident {
				mate, ok := u.Pkg.Info.Defs[other].(*types.Var)
				if !ok || !ends(mate.Type()) {
					continue
				}
				if (&tracer{flow: j.flow, pkg: u.Pkg, file: u.File, seen: map[followed]bool{}}).leaks(mate) {
					j.handed = mate
				} else if !slices.Contains(j.pipes, mate) {
					j.pipes = append(j.pipes, mate)
				}
			}
		}
	}
}

// closesPipe reports whether the goroutine closes its end of a pipe, or what else it captures that can be closed, when its work is done.
func (j *joiner) closesPipe() bool {
	found := false
	ast.Inspect(j.g.Lit.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok || !CleansUp(call) {
			return true
		}
		p, ok := j.work.place(sel.X)
		found = found || ok && p.path == "" && ends(p.root.Type()) && j.closing(call)
		return !found
	})
	return found
}

// closing reports whether a call that closes something is the goroutine's last deed; its value may be dropped.
func (j *joiner) closing(call *ast.CallExpr) bool {
	if as, ok := j.flow.census.Parent(j.g.File, call).(*ast.AssignStmt); ok {
		return j.work.last(as)
	}
	return j.work.last(call)
}

// A waiting is a place where the function may wait for the goroutine.
type waiting struct {
	node     ast.Node // what waits
	by       ast.Node // what control has to come to: the node, or the loop or the case of a select that it belongs to
	evidence string
}

// judge looks for the function waiting, behind the start of the goroutine or deferred, on every way to its end.
func (j *joiner) judge() Lifetime {
	list := j.waitings()
	if len(list) == 0 {
		if j.doubt != nil {
			return *j.doubt
		}
		return j.without()
	}
	exit := j.missed(list)
	if !exit.IsValid() {
		return Lifetime{Joined, list[0].evidence, list[0].node.Pos()}
	}
	for _, w := range list {
		if by := j.passedBy(w.node); by != nil {
			return Lifetime{Unclear, "the function waits for it, and may go on without it", by.Pos()}
		}
	}
	return Lifetime{Unclear, "the function waits for it, but not on every way to its end", exit}
}

// waitings returns where the function waits for the goroutine.
func (j *joiner) waitings() []waiting {
	var list []waiting
	var loops []*counted
	for _, n := range j.flow.waitsIn(j.g.Pkg, j.g.File, j.outer, len(j.pipes) > 0) {
		if n == ast.Node(j.g.Lit) {
			continue
		}
		if lit, ok := n.(*ast.FuncLit); ok {
			list = append(list, j.joins(lit)...)
			continue
		}
		if n.Pos() <= j.g.Node().End() && !j.deferred(n) {
			continue
		}
		switch n := n.(type) {
		case *ast.CallExpr:
			sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
			if ok && sel.Sel.Name == "Wait" && j.waitsOn(sel.X, n) || j.awaits(n) {
				list = append(list, waiting{n, n, types.ExprString(n.Fun) + "() waits for it"})
			}
		case *ast.UnaryExpr:
			if c := j.received(n); c != nil {
				loops = append(loops, c)
			}
		case *ast.RangeStmt:
			if j.drains(n) {
				list = append(list, waiting{n.X, n.X, "the function receives from " + types.ExprString(n.X)})
			}
		case *ast.Ident:
			if call := j.readsPipe(n); call != nil {
				list = append(list, waiting{n, call, "they share a pipe, the function has " + n.Name})
			}
		}
	}
	return append(list, j.enough(loops)...)
}

// hesitate notes why something is no proof that the function waits for the goroutine.
func (j *joiner) hesitate(n ast.Node, why string) {
	if j.doubt == nil {
		j.doubt = &Lifetime{Unclear, why, n.Pos()}
	}
}

// waitsOn reports whether to wait for a group is to wait for the goroutine.
func (j *joiner) waitsOn(group ast.Expr, n ast.Node) bool {
	p, ok := placeOf(j.g.Pkg.Info, group)
	if !ok {
		return false
	}
	counts := slices.Contains(j.groups, p)
	for _, s := range j.signals {
		switch {
		case s.kind == countsOff && s.at == p && !s.last:
			j.hesitate(n, "it counts itself off in "+types.ExprString(group)+" before its work is done")
			return false
		case s.kind == countsOff && s.at == p:
			counts = true
		case s.kind == countsOff && s.at.sameField(p):
			j.hesitate(n, "the function waits for "+types.ExprString(group)+", another one")
		}
	}
	for _, own := range j.groups {
		if own.sameField(p) {
			j.hesitate(n, "the function waits for "+types.ExprString(group)+", another one")
		}
	}
	return counts && !j.replaced(p, n)
}

// replaced reports whether a variable or field gets another value between the start of the goroutine and a place where it is waited for.
func (j *joiner) replaced(p place, n ast.Node) bool {
	loops, _ := j.flow.loopsAround(j.g.File, j.g.Node(), j.outer, p.root)
	from, to := j.g.Node().End(), n.Pos()
	if to < from { // deferred
		to = j.outer.End()
	}
	for _, lhs := range j.flow.assignedIn(j.g.Pkg, j.outer) {
		q, ok := placeOf(j.g.Pkg.Info, lhs)
		if !ok || !q.holds(p) {
			continue
		}
		again := slices.ContainsFunc(loops, func(l ast.Stmt) bool { return l.Pos() <= lhs.Pos() && lhs.Pos() < l.End() })
		if again || from <= lhs.Pos() && lhs.Pos() < to {
			j.hesitate(lhs, types.ExprString(lhs)+" gets another value before the function waits")
			return true
		}
	}
	return false
}

// assignedIn returns what is given a value in the body of a function, declarations aside.
func (f *Flow) assignedIn(pkg *program.Package, body *ast.BlockStmt) []ast.Expr {
	key := waitsOf{pkg, body, false}
	list, known := f.assigned[key]
	if known {
		return list
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				if id, ok := ast.Unparen(lhs).(*ast.Ident); !ok || pkg.Info.Defs[id] == nil && id.Name != "_" {
					list = append(list, lhs)
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				for _, e := range []ast.Expr{n.Key, n.Value} {
					if e != nil {
						list = append(list, e)
					}
				}
			}
		case *ast.IncDecStmt:
			list = append(list, n.X)
		}
		return true
	})
	f.assigned[key] = list
	return list
}

// readsPipe returns the call that reads the other end of the goroutine's pipe: one that makes nothing which could read on later.
func (j *joiner) readsPipe(id *ast.Ident) *ast.CallExpr {
	v, ok := j.g.Pkg.Info.Uses[id].(*types.Var)
	if !ok || !slices.Contains(j.pipes, v) {
		return nil
	}
	parent, child := j.flow.census.Outer(j.g.File, id)
	call, ok := parent.(*ast.CallExpr)
	if !ok || ast.Node(call.Fun) == child {
		j.hesitate(id, "they share a pipe, the function has "+id.Name)
		return nil
	}
	for _, r := range resultTypes(j.g.Pkg.Info.TypeOf(call)) {
		if lives(r) || !plain(r, map[types.Type]bool{}) {
			j.hesitate(id, "they share a pipe, which the function may not read to its end")
			return nil
		}
	}
	if !j.closesPipe() {
		j.hesitate(id, "they share a pipe, and it does not close that when its work is done")
		return nil
	}
	return call
}

// deferred reports whether a node is part of deferred code.
func (j *joiner) deferred(n ast.Node) bool {
	for ; n != nil && n != ast.Node(j.outer); n = j.flow.census.Parent(j.g.File, n) {
		if _, ok := n.(*ast.DeferStmt); ok {
			return true
		}
	}
	return false
}

// joins returns where the function waits for another goroutine that waits for this one, on every way through its literal.
func (j *joiner) joins(lit *ast.FuncLit) []waiting {
	if j.depth > 2 || len(j.groups)+len(j.signals) == 0 {
		return nil
	}
	parent, _ := j.flow.census.Outer(j.g.File, lit)
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return nil
	}
	other := j.flow.Started(j.g.Pkg, j.g.File, call)
	if other == nil || other.Lit != lit || other.Node().Pos() <= j.g.Node().Pos() && j.g.Node().End() <= other.Node().End() {
		return nil
	}
	by := j.waitIn(lit)
	if by == nil || !j.flow.always(j.g.Pkg, lit.Body, by) {
		return nil
	}
	next := j.flow.joinerOf(other, j.depth+1)
	if next.outer != j.outer || next.judge().Kind != Joined {
		j.hesitate(by, "another goroutine waits for it, and the function may not wait for that")
		return nil
	}
	const evidence = "the function waits for another goroutine that waits for it"
	if other.Node().Pos() > j.g.Node().End() {
		return []waiting{{lit, other.Node(), evidence}}
	}
	var list []waiting
	for _, w := range next.waitings() {
		if w.by.Pos() > j.g.Node().End() || j.deferred(w.by) {
			list = append(list, waiting{lit, w.by, evidence})
		}
	}
	return list
}

// waitIn returns what waits for the goroutine in the literal of another one, nil for nothing.
func (j *joiner) waitIn(lit *ast.FuncLit) (by ast.Node) {
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Wait" && by == nil && j.waitsOn(sel.X, n) {
				by = n
			}
		case *ast.UnaryExpr:
			if by == nil && n.Op == token.ARROW {
				if c := j.received(n); c != nil && len(j.enough([]*counted{c})) > 0 {
					by = c.by
				}
			}
		case *ast.RangeStmt:
			if by == nil && j.drains(n) {
				by = n.X
			}
		}
		return by == nil
	})
	return by
}
