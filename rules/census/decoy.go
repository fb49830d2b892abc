package census

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// Decoy reports a key that tests alone store and nobody looks up, or they alone do beside a key of the program's own type and the
// same name: they make sure that the program takes it for no key of its own. Under a type of its own it would be none, whatever
// the program does. A text that other code looks up, which no program contains together with the test, is no such key.
func (c *Census) Decoy(k *Key) bool {
	if !onlyTests(k) || c.ofPrograms(k) || !hasRole(k, Writer) || c.Elsewhere(k, Reader) != nil {
		return false
	}
	return !hasRole(k, Reader) || k.Basic != nil && c.besideTyped(k)
}

// ofPrograms reports whether the value of a key is one in code outside of tests too, in programs that do not contain the key.
func (c *Census) ofPrograms(k *Key) bool {
	return k.whole != nil && (!onlyTests(k.whole) || slices.ContainsFunc(c.Keys, func(o *Key) bool { return o.whole == k.whole && !onlyTests(o) }))
}

// besideTyped reports whether a program with a place of a key of built-in type contains a typed key of the same value or name.
func (c *Census) besideTyped(k *Key) bool {
	c.Splits()
	list := slices.DeleteFunc(slices.Clone(c.byValue[k.Value]), func(o *Key) bool { return !hasWorldPoint(o) })
	for _, s := range stems(k) {
		list = append(list, slices.DeleteFunc(slices.Clone(c.byStem[s]), func(o *Key) bool { return !comparableNames(k, o) })...)
	}
	return slices.ContainsFunc(list, func(o *Key) bool {
		return o.Basic == nil && slices.ContainsFunc(o.Sites, func(t *Site) bool {
			return slices.ContainsFunc(k.Sites, func(s *Site) bool { return c.inOneProgram(s, t) })
		})
	})
}

// ofTests reports a key of tests alone that is no half of another one.
func (c *Census) ofTests(k *Key) bool { return c.Absent(k) || c.unexpected(k) }

// unexpected reports a key that tests store without a sign that they expect to find the value again: none of them mentions what
// it stores a second time. One that does was forgotten when the key got its type. It is a text, or a key that has its name in
// tests: what a text becomes there is no half either.
func (c *Census) unexpected(k *Key) bool {
	return onlyTests(k) && !hasRole(k, Reader) && !slices.ContainsFunc(k.Sites, func(s *Site) bool {
		return k.Basic == nil && c.namedByProgram(s) || c.expected(s)
	})
}

// namedByProgram reports whether the constant, variable or type that names a key at a place is declared outside of tests.
func (c *Census) namedByProgram(s *Site) bool {
	obj := s.named()
	if obj == nil {
		return false
	}
	f := c.Program.FileOf(obj.Pos())
	return f == nil || !f.Test
}

// expected reports whether a part of what a place stores is mentioned again around it, or may be since it is not stored there.
func (c *Census) expected(s *Site) bool {
	lk := s.Lookup
	if lk.Value == nil || lk.File != s.File || !s.Direct() {
		return true
	}
	scope := c.aroundStore(s)
	if scope == nil {
		return true
	}
	m := &marks{info: s.Pkg.Info}
	m.collect(lk.Value)
	again := false
	ast.Inspect(scope, func(n ast.Node) bool {
		if n == ast.Node(lk.Value) {
			return false
		}
		if e, ok := n.(ast.Expr); ok && m.has(e) {
			again = true
		}
		return !again
	})
	return again
}

// aroundStore returns the element of a table that a store stands in, else the function, else the declaration.
func (c *Census) aroundStore(s *Site) ast.Node {
	var child ast.Node = s.Expr
	for {
		n := c.Parent(s.File, child)
		switch n := n.(type) {
		case nil, *ast.File:
			return child
		case *ast.FuncLit, *ast.FuncDecl:
			return n
		case *ast.CompositeLit:
			if t := s.Pkg.Info.TypeOf(n); t != nil {
				switch t.Underlying().(type) {
				case *types.Slice, *types.Array, *types.Map:
					return child
				}
			}
		}
		child = n
	}
}

// marks are the variables and constants that a value is made of.
type marks struct {
	info   *types.Info
	vars   []types.Object
	values []constant.Value
}

func (m *marks) collect(value ast.Expr) {
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			for _, a := range n.Args {
				m.collect(a)
			}
			return false
		case ast.Expr:
			if v := m.info.Types[n].Value; v != nil {
				m.values = append(m.values, v)
				return false
			}
			if v := m.variable(n); v != nil {
				m.vars = append(m.vars, v)
			}
		}
		return true
	})
}

// has reports whether an expression is one of them.
func (m *marks) has(e ast.Expr) bool {
	if v := m.info.Types[e].Value; v != nil {
		return slices.ContainsFunc(m.values, func(w constant.Value) bool {
			return v.Kind() == w.Kind() && constant.Compare(v, token.EQL, w)
		})
	}
	v := m.variable(e)
	return v != nil && slices.Contains(m.vars, v)
}

// variable returns the variable that an expression names, apart from fields; nil for none.
func (m *marks) variable(e ast.Expr) types.Object {
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil
	}
	v, ok := m.info.Uses[id].(*types.Var)
	if !ok || v.IsField() {
		return nil
	}
	return v
}
