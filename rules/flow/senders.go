package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
)

// starts returns the starts of the goroutines that send on a channel or close it, this one among them; ok is false when others may, or when
// that cannot be told.
func (j *joiner) starts(at place, e ast.Expr) (list []ast.Node, ok bool) {
	v, isVar := at.root.(*types.Var)
	if !isVar || v.Parent() == j.g.Pkg.Types.Scope() {
		return nil, false
	}
	obj := types.Object(v)
	if at.path != "" {
		sel, isSel := ast.Unparen(e).(*ast.SelectorExpr)
		if !isSel {
			return nil, false
		}
		if obj = j.g.Pkg.Info.ObjectOf(sel.Sel); j.flow.isParam(v) && j.sendsOn(at) {
			return nil, false // another call may send at the same time
		}
	} else if j.flow.isParam(v) {
		return nil, false
	}
	list = []ast.Node{j.g.Node()}
	for _, u := range j.flow.census.Uses(obj) {
		if !j.maySend(u) || j.own(u) {
			continue
		}
		start := j.startAround(u)
		if start == nil || at.path != "" {
			return nil, false
		}
		if !slices.Contains(list, start) {
			list = append(list, start)
		}
	}
	return list, at.path == "" || j.g.Lit != nil || j.startedOnce()
}

func (j *joiner) sendsOn(at place) bool {
	return slices.ContainsFunc(j.signals, func(s signal) bool { return s.kind == sends && s.at == at })
}

// startedOnce reports whether the declared function that the goroutine runs is mentioned nowhere else.
func (j *joiner) startedOnce() bool {
	fn := census.Callee(j.g.Pkg.Info, j.g.Call)
	n := 0
	for _, u := range j.flow.census.Uses(fn) {
		if u.Pkg.Info.Defs[u.Ident] == nil && !u.File.Test {
			n++
		}
	}
	return n == 1
}

// maySend reports whether a mention of a channel may lead to a value being sent on it, or to its end: it is no receive, and nothing that
// only receives gets it.
func (j *joiner) maySend(u census.Use) bool {
	if u.Pkg.Info.Defs[u.Ident] != nil {
		return false
	}
	parent, child := j.flow.census.Outer(u.File, u.Ident)
	if sel, ok := parent.(*ast.SelectorExpr); ok && ast.Node(sel.Sel) == child {
		parent, child = j.flow.census.Outer(u.File, sel)
	}
	switch p := parent.(type) {
	case *ast.UnaryExpr:
		return !receives(p)
	case *ast.RangeStmt:
		return ast.Node(p.X) != child
	case *ast.BinaryExpr:
		return false
	case *ast.KeyValueExpr:
		return ast.Node(p.Key) != child
	case *ast.AssignStmt:
		return !slices.ContainsFunc(p.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
	case *ast.CallExpr:
		if isBuiltin(u.Pkg, p, "len") || isBuiltin(u.Pkg, p, "cap") {
			return false
		}
		sig, ok := u.Pkg.Info.TypeOf(p.Fun).(*types.Signature)
		i := slices.IndexFunc(p.Args, func(arg ast.Expr) bool { return ast.Node(arg) == child })
		if !ok || i < 0 || i >= sig.Params().Len() {
			return true
		}
		ch, ok := sig.Params().At(i).Type().Underlying().(*types.Chan)
		return !ok || ch.Dir() != types.RecvOnly
	}
	return true
}

// own reports whether a mention is part of the goroutine: of its start, or of the function that it runs.
func (j *joiner) own(u census.Use) bool {
	at := func(n ast.Node) bool { return n.Pos() <= u.Ident.Pos() && u.Ident.Pos() < n.End() }
	return u.File == j.g.File && at(j.g.Node()) || j.work != nil && u.File == j.work.file && at(j.work.whole)
}

// startAround returns the outermost start of a goroutine in the function that a mention belongs to; nil for none, and where a literal around
// it runs at another time.
func (j *joiner) startAround(u census.Use) ast.Node {
	if u.File != j.g.File || u.Ident.Pos() < j.outer.Pos() || u.Ident.Pos() >= j.outer.End() {
		return nil
	}
	var start ast.Node
	for up := ast.Node(u.Ident); up != nil && up != ast.Node(j.outer); up = j.flow.census.Parent(j.g.File, up) {
		switch up := up.(type) {
		case *ast.GoStmt:
			start = up
		case *ast.CallExpr:
			if g := j.flow.Started(j.g.Pkg, j.g.File, up); g != nil {
				start = g.Node()
			}
		case *ast.FuncLit:
			start = nil
			if run := j.flow.RunOf(j.g.Pkg, j.g.File, up); run != InPlace && run != Concurrent {
				return nil
			}
		}
	}
	return start
}
