package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// A counted is a receive from a channel that the goroutine sends on or closes when its work is done.
type counted struct {
	at   place
	node *ast.UnaryExpr
	// by is the receive, or the loop or the case of a select that it belongs to; also are other cases of that select which serve as well.
	by   ast.Node
	also []ast.Node
	// need is how many values goroutines send, times how many are received here; both are 1 where one is as good as all.
	need, times int
}

// received judges a receive; it returns nil where it says nothing about the end of the goroutine.
func (j *joiner) received(n *ast.UnaryExpr) *counted {
	p, ok := placeOf(j.g.Pkg.Info, n.X)
	if !ok {
		return nil
	}
	sent, told := false, false
	for _, s := range j.signals {
		if s.kind == countsOff || s.at != p {
			if s.kind != countsOff && s.at.sameField(p) {
				j.hesitate(n, "the function receives from "+types.ExprString(n.X)+", another one")
			}
			continue
		}
		if !s.last {
			j.hesitate(n, "it goes on when it has told something by "+types.ExprString(n.X))
			return nil
		}
		sent, told = sent || s.kind == sends, true
	}
	if !told || j.replaced(p, n) {
		return nil
	}
	c := &counted{at: p, node: n, by: n, need: 1, times: 1}
	if own, sel := j.selectAround(n); sel != nil {
		c.by, c.also = own, j.enders(own, sel)
	}
	if !j.match(c, n, sent) {
		j.hesitate(n, "the function may go on before it has received from "+types.ExprString(n.X)+" all that is sent")
		return nil
	}
	return c
}

// match sets how many values are sent and received; it returns false where that cannot be told.
func (j *joiner) match(c *counted, n *ast.UnaryExpr, sent bool) bool {
	starts, ok := j.starts(c.at, n.X)
	if !ok {
		return false
	}
	if !sent {
		return len(starts) <= 1 // one goroutine closes it, and nobody sends
	}
	started, ok := j.flow.loopsAround(j.g.File, j.g.Node(), j.outer, c.at.root)
	if !ok || jumps(j.outer) {
		return false
	}
	received, ok := j.flow.loopsAround(j.g.File, n, j.outer, c.at.root)
	if len(started) == 0 && len(starts) == 1 {
		return true
	}
	if len(started) == 1 && len(starts) == 1 && slices.Equal(started, received) {
		// Each turn receives what it has started.
		return ok && !j.flow.graphOf(j.g.Pkg, j.outer).without(j.g.Node(), append(c.also[:len(c.also):len(c.also)], c.by), j.g.Node()).IsValid()
	}
	for _, s := range starts {
		if loops, once := j.flow.loopsAround(j.g.File, s, j.outer, c.at.root); s != j.g.Node() && (!once || len(loops) > 0) {
			return false
		}
	}
	if !ok || len(received) > 1 || len(started) > 1 || len(started) == 1 && (len(starts) != 1 || len(received) != 1 || received[0] == started[0]) {
		return false
	}
	if len(received) == 0 {
		c.need = len(starts)
		return true
	}
	turns := j.boundOf(received[0])
	if turns == nil || !j.eachTurn(n, received[0], c) {
		return false
	}
	c.by, c.also = turns.head, nil
	if len(started) == 0 {
		c.need, c.times = len(starts), turns.number
		return turns.number > 0
	}
	return received[0].Pos() > started[0].End() && j.sameBound(j.boundOf(started[0]), turns, started[0], received[0])
}

// enough returns those receives by which the function has all that goroutines send.
func (j *joiner) enough(list []*counted) []waiting {
	var found []waiting
	for _, c := range list {
		sum := 0
		for _, o := range list {
			if o.at == c.at && (c.need == 1 || o == c || !j.missed(o.waitings()).IsValid()) {
				sum += o.times
			}
		}
		if sum < c.need {
			j.hesitate(c.node, "the function receives from "+types.ExprString(c.node.X)+" less often than goroutines send")
			continue
		}
		found = append(found, c.waitings()...)
	}
	return found
}

func (c *counted) waitings() []waiting {
	list := []waiting{{c.node, c.by, "the function receives from " + types.ExprString(c.node.X)}}
	for _, by := range c.also {
		list = append(list, waiting{c.node, by, ""})
	}
	return list
}

// drains reports whether a loop receives from a channel, until it is closed, what the goroutine sends, and has waited for it then: the
// goroutine closes the channel when its work is done, or sends when it is done, so that whoever closes it has to know of that.
func (j *joiner) drains(loop *ast.RangeStmt) bool {
	p, ok := placeOf(j.g.Pkg.Info, loop.X)
	if !ok || !isChan(j.g.Pkg.Info, loop.X) {
		return false
	}
	sent, closed, last := false, false, true
	for _, s := range j.signals {
		if s.at == p && s.kind == closes {
			closed = closed || s.last
			last = last && s.last
		} else if s.at == p && s.kind == sends {
			sent = true
		}
	}
	if !closed && sent {
		last = last && !slices.ContainsFunc(j.signals, func(s signal) bool { return s.at == p && s.kind == sends && !s.last })
	}
	switch {
	case !sent && !closed:
		return false
	case !last:
		j.hesitate(loop.X, "it goes on when it has told something by "+types.ExprString(loop.X))
		return false
	case j.leftEarly(loop, loop.Body, loop.X, nil):
		j.hesitate(loop.X, "the function may stop to receive from "+types.ExprString(loop.X))
		return false
	}
	return !j.replaced(p, loop.X)
}

// eachTurn reports whether a loop comes to a receive on each turn, and is not left before the last one.
func (j *joiner) eachTurn(n ast.Node, loop ast.Stmt, c *counted) bool {
	body := bodyOf(loop)
	child := n
	for up := j.flow.census.Parent(j.g.File, n); up != ast.Node(body); child, up = up, j.flow.census.Parent(j.g.File, up) {
		switch up := up.(type) {
		case *ast.ParenExpr, *ast.ExprStmt, *ast.AssignStmt, *ast.UnaryExpr, *ast.CallExpr, *ast.SelectorExpr, *ast.SendStmt, *ast.DeclStmt, *ast.GenDecl, *ast.ValueSpec:
		case *ast.BinaryExpr:
			if (up.Op == token.LAND || up.Op == token.LOR) && ast.Node(up.X) != child {
				return false
			}
		case *ast.IfStmt:
			if child != ast.Node(up.Init) && child != ast.Node(up.Cond) || j.flow.census.Parent(j.g.File, up) != ast.Node(body) {
				return false
			}
		case *ast.CommClause:
			sel, _ := j.flow.census.Parent(j.g.File, j.flow.census.Parent(j.g.File, up)).(*ast.SelectStmt)
			if sel == nil || child != ast.Node(up.Comm) || len(c.also) != len(sel.Body.List)-1 || j.flow.census.Parent(j.g.File, sel) != ast.Node(body) {
				return false
			}
			return !j.leftEarly(loop, body, n, c.also)
		default:
			return false
		}
	}
	return !j.leftEarly(loop, body, n, nil)
}

// leftEarly reports whether a statement in a loop leaves it, or begins the next turn before a place; some cases of select aside.
func (j *joiner) leftEarly(loop ast.Stmt, body *ast.BlockStmt, from ast.Node, aside []ast.Node) (early bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil || early || slices.Contains(aside, n) {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			early = true
		case *ast.BranchStmt:
			early = n.Label != nil || n.Tok == token.GOTO || j.target(n) == loop && (n.Tok == token.BREAK || n.Pos() < from.Pos())
		}
		return !early
	})
	return early
}

// target returns the statement that a break or continue without a label belongs to.
func (j *joiner) target(b *ast.BranchStmt) ast.Node {
	for up := j.flow.census.Parent(j.g.File, b); up != nil; up = j.flow.census.Parent(j.g.File, up) {
		switch up.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return up
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if b.Tok == token.BREAK {
				return up
			}
		}
	}
	return nil
}

// jumps reports whether a function has a goto, by which it may carry out a statement any number of times.
func jumps(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		b, ok := n.(*ast.BranchStmt)
		found = found || ok && b.Tok == token.GOTO
		return !found
	})
	return found
}

func bodyOf(loop ast.Stmt) *ast.BlockStmt {
	if r, ok := loop.(*ast.RangeStmt); ok {
		return r.Body
	}
	return loop.(*ast.ForStmt).Body
}
