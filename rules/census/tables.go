package census

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// aliases reports whether a mention of a container gives others access to its elements.
func (ix *index) aliases(v *types.Var, u use, parent, child ast.Node) bool {
	switch p := parent.(type) {
	case *ast.AssignStmt:
		return !containsExpr(p.Lhs, child)
	case *ast.IndexExpr:
		return p.X != child
	case *ast.RangeStmt:
		return p.X != child && p.Key != child && p.Value != child
	case *ast.KeyValueExpr:
		return p.Key != child
	case *ast.BinaryExpr, *ast.SelectorExpr, *ast.Field:
		return false
	case *ast.CallExpr:
		id, ok := ast.Unparen(p.Fun).(*ast.Ident)
		if !ok {
			return false // inflowEscape looks into the function
		}
		b, ok := u.pkg.Info.Uses[id].(*types.Builtin)
		if !ok || b.Name() != "append" {
			return false
		}
		if len(p.Args) > 1 && ast.Node(p.Args[0]) != child {
			return false // its elements are copied
		}
		as, ok := ix.outer1(u.file, p).(*ast.AssignStmt)
		if !ok || len(as.Lhs) != 1 {
			return true
		}
		switch lhs := ast.Unparen(as.Lhs[0]).(type) { // v = append(v, ...)
		case *ast.Ident:
			o := u.pkg.Info.Uses[lhs]
			return o == nil || ix.rep(o) != types.Object(v)
		case *ast.SelectorExpr:
			o := u.pkg.Info.Uses[lhs.Sel]
			return o == nil || ix.rep(o) != types.Object(v)
		}
		return true
	}
	return true
}

func (ix *index) inflowRange(p *ast.RangeStmt, isKey bool, want string, u use, s *sources) {
	t := u.pkg.Info.TypeOf(p.X)
	if t == nil {
		return
	}
	switch t.Underlying().(type) {
	case *types.Map:
		w := "e"
		if isKey {
			w = "k"
		}
		s.add(ref{expr: p.X, file: u.file, pkg: u.pkg, want: w + want})
	case *types.Slice, *types.Array, *types.Pointer:
		if isKey {
			s.lose(u.file, p.Pos(), "is a loop index")
			return
		}
		s.add(ref{expr: p.X, file: u.file, pkg: u.pkg, want: "e" + want})
	default:
		s.lose(u.file, p.Pos(), "comes from a loop that cannot be followed")
	}
}

// inflowElement handles v[i] = x and m[k] = x for a container that is followed.
func (ix *index) inflowElement(p *ast.IndexExpr, want string, u use, s *sources) {
	parent, child := ix.outer(u.file, p)
	if want[0] == 'k' {
		if assigned(parent, child) {
			s.add(ref{file: u.file, pkg: u.pkg, want: want[1:], arg: true, expr: p.Index})
		}
		return
	}
	switch q := parent.(type) {
	case *ast.AssignStmt:
		for i, lhs := range q.Lhs {
			switch {
			case lhs != child:
			case q.Tok != token.ASSIGN:
				s.lose(u.file, q.Pos(), "is computed at run time")
			case len(q.Lhs) != len(q.Rhs):
				ix.inflowTuple(q.Rhs[0], i, want[1:], u, s)
			default:
				s.add(ref{file: u.file, pkg: u.pkg, want: want[1:], arg: true, expr: q.Rhs[i]})
			}
		}
	case *ast.IncDecStmt:
		s.lose(u.file, q.Pos(), "is computed at run time")
	case *ast.RangeStmt:
		if q.Key == child || q.Value == child {
			ix.inflowRange(q, q.Key == child, want[1:], u, s)
		}
	case *ast.UnaryExpr:
		if q.Op == token.AND {
			s.lose(u.file, q.Pos(), "is an element whose address is taken")
		}
	}
}

// assigned reports whether a statement stores something in its child.
func assigned(parent, child ast.Node) bool {
	switch q := parent.(type) {
	case *ast.AssignStmt:
		return containsExpr(q.Lhs, child)
	case *ast.IncDecStmt:
		return true
	case *ast.RangeStmt:
		return q.Key == child || q.Value == child
	}
	return false
}

// inflowEscape handles a container handed to a function: what the function stores in it counts.
func (ix *index) inflowEscape(call *ast.CallExpr, child ast.Node, want string, u use, s *sources, seen map[*types.Var]bool) {
	info := u.pkg.Info
	argIndex := -1
	for i, a := range call.Args {
		if a == child {
			argIndex = i
		}
	}
	if tv, ok := info.Types[call.Fun]; ok && tv.IsType() || argIndex < 0 {
		return
	}
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := info.Uses[id].(*types.Builtin); ok {
			if b.Name() == "copy" && argIndex == 0 {
				s.add(ref{expr: call.Args[1], file: u.file, pkg: u.pkg, want: want})
			}
			return
		}
	}
	fn := Callee(info, call)
	if fn != nil && fn.Pkg() != nil {
		if ix.cfg.Std(fn.Pkg()) {
			ix.inflowStd(fn, call, argIndex, want, u, s)
			return
		}
		if v := ix.paramVar(fn, argIndex); v != nil {
			s.merge(ix.stored(v, want, seen))
			return
		}
	}
	s.lose(u.file, call.Pos(), "is in a table handed to a function that cannot be followed")
}

// inflowStd handles a container handed to the standard library, which keeps no hold of it: what it may put in
// are the contents of other containers and, where it returns the container, values.
func (ix *index) inflowStd(fn *types.Func, call *ast.CallExpr, argIndex int, want string, u use, s *sources) {
	info := u.pkg.Info
	results := fn.Signature().Results()
	for i := range results.Len() {
		if _, basic := results.At(i).Type().Underlying().(*types.Basic); basic {
			return // it only looks
		}
	}
	elem, _ := program.Underlying(info, call.Args[argIndex]).(interface{ Elem() types.Type })
	for i, a := range call.Args {
		t := info.TypeOf(a)
		if i == argIndex || t == nil {
			continue
		}
		switch other, isContainer := t.Underlying().(interface{ Elem() types.Type }); {
		case isContainer && elem != nil && types.Identical(other.Elem(), elem.Elem()):
			s.add(ref{expr: a, file: u.file, pkg: u.pkg, want: want})
		case elem != nil && results.Len() > 0 && types.AssignableTo(t, elem.Elem()):
			s.add(ref{expr: a, file: u.file, pkg: u.pkg, want: want[1:], arg: true})
		}
	}
}

// inflowMethod handles a method called on a container: what its body stores in the receiver counts.
func (ix *index) inflowMethod(sel *ast.SelectorExpr, want string, u use, s *sources, seen map[*types.Var]bool) {
	selection := u.pkg.Info.Selections[sel]
	if selection == nil || selection.Kind() != types.MethodVal {
		return
	}
	fn := ix.repFunc(selection.Obj().(*types.Func).Origin())
	recv := ix.repVar(fn.Signature().Recv())
	if _, ok := ix.paramOf(recv); ok {
		s.merge(ix.stored(recv, want, seen))
		return
	}
	if isInterfaceMethod(fn) || !ix.cfg.Std(fn.Pkg()) && ix.hasBody(fn) {
		return // a receiver without a name is not used
	}
	s.lose(u.file, sel.Pos(), "is in a table whose method %s cannot be followed", fn.Name())
}

// hasBody reports whether a method's declaration is at hand.
func (ix *index) hasBody(fn *types.Func) bool {
	for _, m := range ix.methods[fn.Name()] {
		if m == fn {
			return true
		}
	}
	return false
}

// stored returns only what a function body puts into a container parameter.
func (ix *index) stored(v *types.Var, want string, seen map[*types.Var]bool) sources {
	var s sources
	if seen[v] {
		return s
	}
	seen[v] = true
	for _, u := range ix.usesOf(v) {
		id := u.node.(*ast.Ident)
		if u.pkg.Info.Defs[id] != nil {
			continue
		}
		parent, child := ix.outer(u.file, id)
		if p, ok := parent.(*ast.IndexExpr); ok && p.X == child {
			ix.inflowElement(p, want, u, &s)
		} else if call, ok := parent.(*ast.CallExpr); ok && call.Fun != child {
			ix.inflowEscape(call, child, want, u, &s, seen)
		} else if sel, ok := parent.(*ast.SelectorExpr); ok && sel.X == child {
			ix.inflowMethod(sel, want, u, &s, seen)
		}
		if ix.aliases(v, u, parent, child) {
			s.lose(u.file, id.Pos(), "is in a table that is also known by another name")
		}
	}
	return s
}

func (ix *index) outer1(f *program.File, n ast.Node) ast.Node {
	p, _ := ix.outer(f, n)
	return p
}
