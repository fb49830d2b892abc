package flow

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// maxFed bounds how many calls deep a channel is followed to those who send on it.
const maxFed = 3

// fedAtEnd reports whether the goroutine works on what it receives, and gets something to work on where the context may have ended: the
// outcome of what the context was for, its failure included. That is the last word about it, and would not be said any more. Errors
// count here, unlike where the function does no more than wait.
func (c *cutter) fedAtEnd() bool {
	for _, in := range c.inlets() {
		if c.feeds(c.g.Pkg, c.g.File, c.outer, in, c.v, 0) {
			return true
		}
	}
	return false
}

// An inlet is a channel that a goroutine receives from.
type inlet struct {
	at place
	// closed is set where it goes on with something when the channel has been closed.
	closed bool
}

// inlets returns the channels that the goroutine works on, as the function that starts it names them.
func (c *cutter) inlets() []inlet {
	info, sig := c.g.Pkg.Info, (*types.Signature)(nil)
	var inside []inlet
	if c.g.Lit != nil {
		inside = inletsOf(info, c.g.Lit.Body)
		sig, _ = info.TypeOf(c.g.Lit).(*types.Signature)
	} else if fn := census.Callee(info, c.g.Call); fn != nil && c.flow.body(fn) != nil {
		b := c.flow.body(fn)
		inside, sig = inletsOf(b.pkg.Info, b.decl.Body), fn.Origin().Signature()
	}
	for i, in := range inside {
		root, _ := in.at.root.(*types.Var)
		if at, ok := argumentFor(info, c.g.Call, sig, root); ok {
			inside[i].at = place{at.root, at.path + in.at.path}
		}
	}
	return inside
}

// argumentFor returns the place that a call hands in as a parameter of a function, its receiver among them.
func argumentFor(info *types.Info, call *ast.CallExpr, sig *types.Signature, v *types.Var) (place, bool) {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && v != nil && v == sig.Recv() {
		return placeOf(info, sel.X)
	}
	for i := range sig.Params().Len() {
		if sig.Params().At(i) == v && i < len(call.Args) {
			return placeOf(info, call.Args[i])
		}
	}
	return place{}, false
}

// inletsOf returns the channels from which a body receives to go on with something. A loop over one does nothing more when that has been
// closed, unless something comes behind the loop; a case of a select that returns at once does nothing at all, nor does what is deferred.
func inletsOf(info *types.Info, body *ast.BlockStmt) (list []inlet) {
	add := func(x ast.Expr, closed bool) {
		if at, ok := placeOf(info, x); ok && isChan(info, x) {
			list = append(list, inlet{at, closed})
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.DeferStmt:
			return false
		case *ast.CommClause:
			if len(n.Body) > 0 {
				_, returns := n.Body[0].(*ast.ReturnStmt)
				return !returns
			}
		case *ast.RangeStmt:
			add(n.X, len(body.List) == 0 || body.List[len(body.List)-1] != ast.Stmt(n))
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				add(n.X, true)
			}
		}
		return true
	})
	return list
}

// feeds reports whether a body puts something into a channel where a context may have ended, itself or by a function that gets both.
func (c *cutter) feeds(pkg *program.Package, file *program.File, body *ast.BlockStmt, in inlet, v *types.Var, depth int) bool {
	found := false
	is := func(x ast.Expr) bool {
		at, ok := placeOf(pkg.Info, x)
		return ok && at == in.at
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			found = found || is(n.Chan) && c.mayHaveEnded(pkg, file, n, v)
		case *ast.CallExpr:
			switch {
			case isBuiltin(pkg, n, "close"):
				found = found || in.closed && is(n.Args[0]) && c.mayHaveEnded(pkg, file, n, v)
			case n != c.g.Call:
				found = found || c.feedsByCall(pkg, n, in, v, depth)
			}
		}
		return !found
	})
	return found
}

// feedsByCall does the same for a function of the world that is given the channel and the context.
func (c *cutter) feedsByCall(pkg *program.Package, call *ast.CallExpr, in inlet, v *types.Var, depth int) bool {
	fn := census.Callee(pkg.Info, call)
	if fn == nil || depth >= maxFed {
		return false
	}
	b := c.flow.body(fn)
	if b == nil {
		return false
	}
	var ch, ctx *types.Var
	for p := range fn.Origin().Signature().Params().Variables() {
		at, ok := argumentFor(pkg.Info, call, fn.Origin().Signature(), p)
		switch {
		case ok && at == in.at:
			ch = p
		case ok && at == place{v, ""}:
			ctx = p
		}
	}
	return ch != nil && ctx != nil && c.feeds(b.pkg, b.file, b.decl.Body, inlet{place{ch, ""}, in.closed}, ctx, depth+1)
}

// mayHaveEnded reports whether a context may have ended at a node, by an error that comes from it as well. Deferred statements run at
// the end, after whatever has failed.
func (c *cutter) mayHaveEnded(pkg *program.Package, file *program.File, n ast.Node, v *types.Var) bool {
	if c.g.Lit != nil && within(c.g.Lit, n) {
		return false // the goroutine itself
	}
	there := &finder{flow: c.flow, pkg: pkg, file: file, pos: n.Pos(), path: Path(file, n.Pos())}
	s := &Source{Kind: Local, Var: v}
	(&ender{finder: there, source: s}).climb()
	return s.Ended != "" && s.Ended != isNone
}
