package flow

import (
	"go/ast"
	"go/token"

	"github.com/ctxmend/ctxmend/rules/program"
)

// missed returns where the function around the goroutine, or a literal that runs in place and starts it, is left without coming to one of
// the places where it is waited for; NoPos when there is no such way.
func (j *joiner) missed(list []waiting) token.Pos {
	exit := token.NoPos
	for _, body := range j.levels() {
		var stops []ast.Node
		for _, w := range list {
			stops = append(stops, j.lift(w.by, body, 0)...)
		}
		graph := j.flow.graphOf(j.g.Pkg, body)
		if exit = graph.without(j.g.Node(), stops, nil); !exit.IsValid() {
			return exit
		}
		for _, s := range stops {
			if _, ok := s.(*ast.DeferStmt); ok && s.Pos() < j.g.Node().Pos() && !graph.without(nil, []ast.Node{s}, j.g.Node()).IsValid() {
				return token.NoPos
			}
		}
	}
	return exit
}

// levels returns the bodies of the functions around the start of the goroutine that run in place, innermost first, and that of the function.
func (j *joiner) levels() []*ast.BlockStmt {
	var list []*ast.BlockStmt
	for n := j.flow.census.Parent(j.g.File, j.g.Node()); n != nil && n != ast.Node(j.outer); n = j.flow.census.Parent(j.g.File, n) {
		if lit, ok := n.(*ast.FuncLit); ok {
			list = append(list, lit.Body)
		}
	}
	return append(list, j.outer)
}

// lift returns the nodes of a body that carry out a node whenever control comes to them: itself, the defer statement that it is part of,
// or the calls of the literal that holds it.
func (j *joiner) lift(n ast.Node, body *ast.BlockStmt, depth int) []ast.Node {
	if n.Pos() < body.Pos() || n.End() > body.End() || depth > 3 {
		return nil
	}
	at := n
	for up := n; up != nil && up != ast.Node(body); up = j.flow.census.Parent(j.g.File, up) {
		switch up := up.(type) {
		case *ast.DeferStmt:
			at = up
		case *ast.GoStmt:
			if ast.Node(up) != n {
				return nil
			}
		case *ast.FuncLit:
			if !j.flow.always(j.g.Pkg, up.Body, at) {
				return nil
			}
			parent, child := j.flow.census.Outer(j.g.File, up)
			if call, ok := parent.(*ast.CallExpr); ok && ast.Node(call.Fun) == child {
				return j.lift(call, body, depth+1)
			}
			var list []ast.Node
			for _, call := range j.flow.callsOf(j.g.Pkg, j.g.File, up) {
				list = append(list, j.lift(call, body, depth+1)...)
			}
			return list
		}
	}
	return []ast.Node{at}
}

// always reports whether a function comes to a node on every way through its body.
func (f *Flow) always(pkg *program.Package, body *ast.BlockStmt, n ast.Node) bool {
	return !f.graphOf(pkg, body).without(nil, []ast.Node{n}, nil).IsValid()
}

// loopsAround returns the loops between a node and the body of the function around it which turn with one value of a variable, that is
// those that do not declare it, innermost first; ok is false where a literal may run any number of times.
func (f *Flow) loopsAround(file *program.File, n ast.Node, outer ast.Node, v interface{ Pos() token.Pos }) (list []ast.Stmt, ok bool) {
	ok = true
	for up := f.census.Parent(file, n); up != nil && up != outer; up = f.census.Parent(file, up) {
		if up.Pos() <= v.Pos() && v.Pos() < up.End() {
			break
		}
		switch up := up.(type) {
		case *ast.ForStmt:
			list = append(list, up)
		case *ast.RangeStmt:
			if up.X.Pos() > n.Pos() || n.End() > up.X.End() {
				list = append(list, up)
			}
		case *ast.FuncLit:
			parent, child := f.census.Outer(file, up)
			if call, called := parent.(*ast.CallExpr); !called || ast.Node(call.Fun) != child {
				ok = false
			}
		}
	}
	return list, ok
}
