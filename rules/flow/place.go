package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// A place is where a channel or a group lies: a variable, or a field of what it holds.
type place struct {
	root types.Object
	path string // ".wg", "" for the variable itself
}

// placeOf returns the place that an expression denotes, also by its address or through a pointer; ok is false for what a call returns
// and for elements.
func placeOf(info *types.Info, e ast.Expr) (p place, ok bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := info.ObjectOf(e).(*types.Var)
		return place{v, ""}, ok
	case *ast.SelectorExpr:
		if _, field := info.Selections[e]; !field {
			v, ok := info.Uses[e.Sel].(*types.Var)
			return place{v, ""}, ok
		}
		p, ok := placeOf(info, e.X)
		return place{p.root, p.path + "." + e.Sel.Name}, ok
	case *ast.StarExpr:
		return placeOf(info, e.X)
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return placeOf(info, e.X)
		}
	}
	return place{}, false
}

// holds reports whether p is q, or what q is a field of.
func (p place) holds(q place) bool {
	return p.root == q.root && (p.path == q.path || strings.HasPrefix(q.path, p.path+"."))
}

// sameField reports whether two places are the same field of different values.
func (p place) sameField(q place) bool {
	last := func(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
	return p != q && p.path != "" && q.path != "" && last(p.path) == last(q.path)
}

// isChan reports whether an expression is a channel.
func isChan(info *types.Info, e ast.Expr) bool {
	t := info.TypeOf(e)
	if t == nil {
		return false
	}
	_, ok := Under(t).(*types.Chan)
	return ok
}
