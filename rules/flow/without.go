package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// without judges a goroutine of which nothing shows that the function waits for it.
func (j *joiner) without() Lifetime {
	told := j.told()
	if j.leaves(told) {
		return Lifetime{Unclear, "what tells its end, " + j.handed.Name() + ", leaves the function", j.handed.Pos()}
	}
	if by := j.shares(); by != nil {
		return Lifetime{Unclear, "the function may wait for it at " + types.ExprString(by), by.Pos()}
	}
	switch {
	case j.foreign:
		return Lifetime{Outlives, "the function returns without waiting for it; others may", j.g.Node().Pos()}
	case len(told) > 0:
		return Lifetime{Unclear, "nothing in the function waits for what it signals", j.g.Node().Pos()}
	}
	return Lifetime{Outlives, "the function returns without waiting for it", j.g.Node().Pos()}
}

// told returns the places by which the goroutine tells something, or may: the channels and groups that its function is given count.
func (j *joiner) told() []place {
	list := slices.Clone(j.groups)
	for _, s := range j.signals {
		list = append(list, s.at)
	}
	if j.g.Stmt == nil {
		return list
	}
	for _, arg := range j.g.Call.Args {
		if p, ok := placeOf(j.g.Pkg.Info, arg); ok && j.tells(arg) {
			list = append(list, p)
			j.foreign = j.foreign || j.isForeign(p)
		}
	}
	return list
}

// tells reports whether an expression is a channel or a group.
func (j *joiner) tells(e ast.Expr) bool {
	return isChan(j.g.Pkg.Info, e) || j.flow.canWait(j.g.Pkg.Info.TypeOf(e))
}

// leaves reports whether a local channel or group is returned, stored or handed to a call.
func (j *joiner) leaves(told []place) bool {
	for _, at := range told {
		v, ok := at.root.(*types.Var)
		if !ok || j.isForeign(at) {
			continue
		}
		for _, u := range j.flow.census.Uses(v) {
			parent, child := j.flow.census.Outer(u.File, u.Ident)
			switch p := parent.(type) {
			case *ast.ReturnStmt, *ast.KeyValueExpr, *ast.CompositeLit:
				j.handed = v
			case *ast.AssignStmt:
				for _, rhs := range p.Rhs {
					if ast.Node(rhs) == child {
						j.handed = v
					}
				}
			case *ast.CallExpr:
				if id, ok := ast.Unparen(p.Fun).(*ast.Ident); ast.Node(p.Fun) != child && p != j.g.Call && !(ok && (id.Name == "close" || id.Name == "len" || id.Name == "cap")) {
					j.handed = v
				}
			}
		}
	}
	return j.handed != nil
}

// shares returns what the function does behind the start with a channel, group or pool that the goroutine works with too, or with what
// holds it, and that may wait; nil for nothing.
func (j *joiner) shares() (by ast.Expr) {
	touched := j.touched()
	if len(touched) == 0 {
		return nil
	}
	is := func(e ast.Expr) bool {
		p, ok := placeOf(j.g.Pkg.Info, e)
		return ok && slices.Contains(touched, p)
	}
	for _, n := range j.flow.touches(j.g.Pkg, j.outer) {
		if by != nil {
			break
		}
		if n.Pos() < j.g.Node().End() && !j.deferred(n) || j.g.Node().Pos() <= n.Pos() && n.End() <= j.g.Node().End() {
			continue
		}
		switch n := n.(type) {
		case *ast.SendStmt:
			if is(n.Chan) {
				by = n.Chan
			}
		case *ast.UnaryExpr:
			if is(n.X) {
				by = n
			}
		case *ast.RangeStmt:
			if is(n.X) {
				by = n.X
			}
		case *ast.CallExpr:
			if j.callWaits(n, touched) {
				by = n
			}
		}
	}
	return by
}

// touches returns what may wait in the body of a function by a channel, a group or a pool.
func (f *Flow) touches(pkg *program.Package, body *ast.BlockStmt) []ast.Node {
	key := waitsOf{pkg, body, false}
	list, known := f.touching[key]
	if !known {
		ast.Inspect(body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SendStmt, *ast.CallExpr:
				list = append(list, n)
			case *ast.UnaryExpr:
				if n.Op == token.ARROW {
					list = append(list, n)
				}
			case *ast.RangeStmt:
				if isChan(pkg.Info, n.X) {
					list = append(list, n)
				}
			}
			return true
		})
		f.touching[key] = list
	}
	return list
}

// touched returns the channels, groups and pools that the goroutine works with and that are none of its own.
func (j *joiner) touched() []place {
	list := j.told()
	if j.g.Stmt == nil {
		if sel, ok := ast.Unparen(j.g.Call.Fun).(*ast.SelectorExpr); ok {
			if p, ok := placeOf(j.g.Pkg.Info, sel.X); ok {
				list = append(list, p)
			}
		}
	}
	if j.work == nil {
		return list
	}
	ast.Inspect(j.work.body, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		switch e.(type) {
		case *ast.Ident, *ast.SelectorExpr:
			if isChan(j.work.pkg.Info, e) || j.flow.canWait(j.work.pkg.Info.TypeOf(e)) {
				if p, ok := j.work.place(e); ok && !slices.Contains(list, p) {
					list = append(list, p)
				}
			}
		}
		return true
	})
	return list
}

// callWaits reports whether a call may wait by one of some channels, groups and pools: it is given one, or it is that of a method of one,
// or of what holds it.
func (j *joiner) callWaits(call *ast.CallExpr, touched []place) bool {
	info := j.g.Pkg.Info
	if tv := info.Types[call.Fun]; tv.IsBuiltin() || tv.IsType() || j.flow.Started(j.g.Pkg, j.g.File, call) != nil {
		return false
	}
	for _, arg := range call.Args {
		if p, ok := placeOf(info, arg); ok && slices.Contains(touched, p) {
			return true
		}
	}
	fn := census.Callee(info, call)
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if fn == nil || !ok || fn.Signature().Recv() == nil {
		return false
	}
	p, ok := placeOf(info, sel.X)
	if !ok {
		return false
	}
	if b := j.flow.body(fn); b != nil {
		return slices.ContainsFunc(touched, p.holds) && j.flow.mayWait(b)
	}
	return slices.Contains(touched, p) && fn.Name() != "Done" && (fn.Signature().Params().Len() == 0 || CleansUp(call))
}

// mayWait reports whether a function receives, sends, selects, or calls Wait.
func (f *Flow) mayWait(b *funcBody) (found bool) {
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt, *ast.SelectStmt:
			found = true
		case *ast.RangeStmt:
			found = found || isChan(b.pkg.Info, n.X)
		default:
			found = found || n != nil && f.maySignal(n)
		}
		return !found
	})
	return found
}
