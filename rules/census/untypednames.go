package census

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// twins judges declarations of what another configuration declares as well: variables that are keys, and functions
// that return them.
func (s *untypedScan) twins(f *program.File) {
	for _, d := range f.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if n := (mentionedName{f.PkgPath, d.Name.Name}); s.results[n] {
				s.stores(f, d.Pos(), n)
				m := mention{f, d.Pos()}
				s.opaque[m] = openMention{mention: m, either: true, known: true}
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				vs, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for i, name := range vs.Names {
					n := mentionedName{f.PkgPath, name.Name}
					if !s.vars[n] {
						continue
					}
					s.stores(f, name.Pos(), n)
					if i < len(vs.Values) {
						s.key(f, vs.Values[i], openMention{either: true, known: true}, nil)
					}
				}
			}
		}
	}
}

// storesNear notes a call of, or a function value that is, a forwarder of that name.
func (s *untypedScan) storesNear(f *program.File, pos token.Pos, name string) {
	s.stores(f, pos, mentionedName{f.PkgPath, name})
	if s.methods[name] {
		for n := range s.owners {
			if n.name == name {
				s.stores(f, pos, n)
			}
		}
	}
	for _, path := range s.ex.importNames(f) {
		s.stores(f, pos, mentionedName{path, name})
	}
}

// assignment judges what is stored in variables and fields that hold keys.
func (s *untypedScan) assignment(f *program.File, n *ast.AssignStmt, stack []ast.Node) {
	for i, lhs := range n.Lhs {
		if !s.storesIn(f, lhs) {
			continue
		}
		if _, whole := ast.Unparen(lhs).(*ast.IndexExpr); !whole && len(n.Lhs) == len(n.Rhs) && n.Tok == token.ASSIGN {
			s.key(f, n.Rhs[i], openMention{either: true, known: true}, stack)
			continue
		}
		m := mention{f, lhs.Pos()}
		s.opaque[m] = openMention{mention: m, either: true, known: true}
	}
}

// storesIn notes that something is stored in a variable or field that holds keys, or in an element of it.
func (s *untypedScan) storesIn(f *program.File, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.storesIn(f, e.X)
	case *ast.IndexExpr:
		return s.storesIn(f, e.X)
	case *ast.StarExpr:
		return s.storesIn(f, e.X)
	case *ast.Ident:
		n := mentionedName{f.PkgPath, e.Name}
		if s.vars[n] {
			s.stores(f, e.Pos(), n)
			return true
		}
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if n := (mentionedName{s.ex.importNames(f)[x.Name], e.Sel.Name}); s.vars[n] {
				s.stores(f, e.Pos(), n)
				return true
			}
		}
		if s.fields[e.Sel.Name] {
			s.stores(f, e.Pos(), mentionedName{name: e.Sel.Name})
			return true
		}
	}
	return false
}

func (s *untypedScan) stores(f *program.File, pos token.Pos, n mentionedName) {
	if m := (mention{f, pos}); !slices.Contains(s.ex.stored[n], m) {
		s.ex.stored[n] = append(s.ex.stored[n], m)
	}
}

// unkeyed judges the elements of a struct literal without field names.
func (s *untypedScan) unkeyed(f *program.File, lit *ast.CompositeLit, stack []ast.Node) {
	var n mentionedName
	switch t := lit.Type.(type) {
	case *ast.Ident:
		n = mentionedName{f.PkgPath, t.Name}
	case *ast.SelectorExpr:
		if x, ok := t.X.(*ast.Ident); ok {
			n = mentionedName{s.ex.importNames(f)[x.Name], t.Sel.Name}
		}
	}
	for _, i := range s.structs[n] {
		if i >= len(lit.Elts) {
			continue
		}
		if _, keyed := lit.Elts[i].(*ast.KeyValueExpr); !keyed {
			s.key(f, lit.Elts[i], openMention{either: true, known: true}, stack)
			for field := range s.fields {
				s.stores(f, lit.Pos(), mentionedName{name: field})
			}
		}
	}
}

// looksLikeContext reports whether an expression is, by its syntax, a context: what a method Context or a
// function of package context returns, or a parameter whose type is called Context.
func looksLikeContext(e ast.Expr, stack []ast.Node) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		if sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok {
			x, ok := sel.X.(*ast.Ident)
			return sel.Sel.Name == "Context" || ok && x.Name == "context"
		}
	case *ast.Ident:
		for _, n := range stack {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if contextParam(n.Type, e.Name) {
					return true
				}
			case *ast.FuncLit:
				if contextParam(n.Type, e.Name) {
					return true
				}
			}
		}
		return e.Name == "ctx"
	}
	return false
}

func contextParam(ft *ast.FuncType, name string) bool {
	for _, field := range ft.Params.List {
		for _, n := range field.Names {
			if n.Name != name {
				continue
			}
			switch t := field.Type.(type) {
			case *ast.Ident:
				return t.Name == "Context"
			case *ast.SelectorExpr:
				return t.Sel.Name == "Context"
			}
		}
	}
	return false
}

// isCalled reports whether an expression is the function of the call around it, given the nodes around it.
func isCalled(e ast.Expr, stack []ast.Node) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *ast.ParenExpr:
		case *ast.IndexExpr, *ast.IndexListExpr:
		case *ast.CallExpr:
			return n.Fun == e || ast.Unparen(n.Fun) != nil && n.Fun.Pos() <= e.Pos() && e.End() <= n.Fun.End()
		default:
			return false
		}
	}
	return false
}

// A binding is what a name means inside the functions around it.
type binding int

const (
	unbound        binding = iota // something outside of them
	boundParameter                // a parameter of the declared function, and nothing else
	boundOther
)

// bound finds what binds a name in the functions around an expression, any place in them counting.
func bound(name string, stack []ast.Node) binding {
	b := unbound
	for _, n := range stack {
		switch fn := n.(type) {
		case *ast.FuncLit:
			if i, _ := paramIndex(fn.Type, name); i >= 0 {
				return boundOther // its calls are not known
			}
		case *ast.FuncDecl:
			if fn.Body != nil && binds(fn, name) {
				return boundOther
			}
			if i, _ := paramIndex(fn.Type, name); i >= 0 {
				b = boundParameter
			}
		}
	}
	return b
}

// binds reports whether a function declares or assigns a name in its body, or has a receiver or result of it.
func binds(fn *ast.FuncDecl, name string) bool {
	found := false
	names := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok && id.Name == name {
				found = true
			}
		}
	}
	for _, fields := range []*ast.FieldList{fn.Recv, fn.Type.Results} {
		if fields == nil {
			continue
		}
		for _, field := range fields.List {
			for _, id := range field.Names {
				names(id)
			}
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			names(n.Lhs...)
		case *ast.RangeStmt:
			names(n.Key, n.Value)
		case *ast.IncDecStmt:
			names(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				names(n.X)
			}
		case *ast.GenDecl:
			for _, spec := range n.Specs {
				if vs, ok := spec.(*ast.ValueSpec); ok && n.Tok == token.VAR {
					for _, id := range vs.Names {
						names(id)
					}
				}
			}
		}
		return !found
	})
	return found
}

// parameter notes that the declared function around an expression passes a parameter to a key position.
func (s *untypedScan) parameter(f *program.File, id *ast.Ident, stack []ast.Node) {
	for i := len(stack) - 1; i >= 0; i-- {
		fn, ok := stack[i].(*ast.FuncDecl)
		if !ok || fn.Name.Name == "Value" && fn.Recv != nil { // the look-ups through a Value method are seen
			continue
		}
		j, variadic := paramIndex(fn.Type, id.Name)
		s.forwards(f.PkgPath, fn.Name.Name, j, variadic)
		n := mentionedName{f.PkgPath, fn.Name.Name}
		m := mention{f, fn.Name.Pos()}
		if !slices.Contains(s.ex.forwards[n], m) {
			s.ex.forwards[n] = append(s.ex.forwards[n], m)
			s.callers(f, n, j)
		}
	}
}

// paramIndex finds a parameter by name; i is -1 when there is none.
func paramIndex(ft *ast.FuncType, name string) (i int, variadic bool) {
	for _, field := range ft.Params.List {
		for _, n := range field.Names {
			if n.Name == name {
				_, variadic := field.Type.(*ast.Ellipsis)
				return i, variadic
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return -1, false
}
