// Package callgraph knows who calls, mentions and implements what. It covers every function type that is
// written down in the world: declarations, methods of interfaces, function literals, and the types of variables, fields,
// parameters and named types. Two of them are linked when a value of one becomes a value of the other, or
// when one method implements the other: they keep the same parameters or the program does not compile.
//
// # How links are found
//
// Every place where a value changes its static type is looked at: assignments, arguments, results, literals, channels,
// comparisons, conversions, assertions, type arguments. Both types are walked in step. The type checker makes one
// signature for each function type in the source, and copies of it keep the positions of its parameters, so a signature
// tells where it was written. One that was written outside the world stands for something that cannot change.
//
// # Several build configurations
//
// Functions are identified by their syntax, which configurations share. A call that ends elsewhere in another
// configuration links both functions.
package callgraph

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A Kind says what a Func is.
type Kind int

const (
	// Declared is a function or method with a declaration.
	Declared Kind = iota
	// Literal is a function literal.
	Literal
	// Abstract is a method of an interface.
	Abstract
	// Written is a function type that stands for itself: of a variable, a field, a parameter, a named type.
	Written
	// Foreign was written outside the world.
	Foreign
)

// A Func is a function type that is written down, with what it belongs to.
type Func struct {
	Kind Kind
	// Name is what people call it: f, (*T).Method, I.Method, "a function literal".
	Name string
	// File is nil for Foreign.
	File *program.File
	// Pkg is the package that contains it in the first configuration that does; nil for some of Kind Foreign.
	Pkg  *program.Package
	Type *ast.FuncType // nil for Foreign
	// Decl, Lit and Field are set for Declared, Literal and Abstract.
	Decl  *ast.FuncDecl
	Lit   *ast.FuncLit
	Field *ast.Field
	// Object is the function in the first configuration that has it; nil for Literal and Written.
	Object *types.Func
	// Signature is its type in that configuration.
	Signature *types.Signature
	// Outer is the function whose body contains it, nil at package level.
	Outer *Func
	// Top is the declaration at package level that contains it; nil for Foreign.
	Top ast.Decl
	// Calls are the calls that may end in it or in something linked to it, as far as they name it.
	Calls []*Call
	// Mentions are the places that use it as a value.
	Mentions []*Mention
	// Links lead to the functions that must keep the same parameters.
	Links []*Link
	// Fixed are the places that take it where its type is looked at when the program runs, or where others decide
	// about its parameters.
	Fixed []*Fixed
	// Boxed is a place that puts a value with this method into an interface, BoxedTypes are the types of all such
	// values; nil for none.
	Boxed      *Fixed
	BoxedTypes []types.Type
	seq        int
}

// Body returns the function's body, nil when it has none.
func (f *Func) Body() *ast.BlockStmt {
	switch {
	case f.Decl != nil:
		return f.Decl.Body
	case f.Lit != nil:
		return f.Lit.Body
	}
	return nil
}

// Pos returns the place that names the function.
func (f *Func) Pos() token.Pos {
	switch {
	case f.Decl != nil:
		return f.Decl.Name.Pos()
	case f.Field != nil:
		return f.Field.Pos()
	case f.Type != nil:
		return f.Type.Pos()
	case f.Object != nil:
		return f.Object.Pos()
	}
	return token.NoPos
}

// A Call is a call expression of the world.
type Call struct {
	File *program.File
	Pkg  *program.Package
	Expr *ast.CallExpr
	// In is the innermost function around it, nil at package level.
	In *Func
	// Go and Defer are set for the call of a go or defer statement.
	Go, Defer bool
	// Callees are what it names: one, or one for each build configuration.
	Callees []*Func
	// Named is set when the call names a function or method, and not a variable that holds one.
	Named bool
	// ByMethod is set for a call of a method expression: its first argument is the receiver.
	ByMethod bool
}

// Beside reports whether a call runs a function or method, which it names, and nothing that is linked to it: another method of the same
// interface for one. What only those need does not concern it.
func (c *Call) Beside(f *Func) bool {
	return c.Named && !slices.Contains(c.Callees, f) && !slices.ContainsFunc(c.Callees, func(g *Func) bool { return g.Kind != Declared })
}

// A Mention is a use of a function or method as a value.
type Mention struct {
	File *program.File
	Pkg  *program.Package
	// Expr names the function: an identifier, a selector, an instantiation.
	Expr ast.Expr
	// In is the innermost function around it, nil at package level.
	In *Func
	// Slot is the foreign function type that takes the value where Expr stands; nil for others.
	Slot *Func
	// ByMethod is set for method expressions, T.Method.
	ByMethod bool
}

// A Link ties two functions together.
type Link struct {
	To *Func
	// File and Pos are the place that does it.
	File *program.File
	Pos  token.Pos
	// Why says what happens there: "implements", "becomes", "stands for".
	Why string
}

// A Fixed is a place where a function's type cannot change.
type Fixed struct {
	File *program.File
	Pos  token.Pos
	// Why says what happens there.
	Why string
}

// A Graph is the call graph of one program. It is immutable but for what it works out on demand, and not safe for
// concurrent use.
type Graph struct {
	Program *program.Program
	// Funcs are those of the world, in the order of files and positions.
	Funcs []*Func
	// CallList are all calls that name one of Funcs, in the same order.
	CallList []*Call

	byType  map[*ast.FuncType]*Func
	byPos   map[token.Pos]*Func // by the name of what is declared
	byParam map[token.Pos]*Func // by the first parameter, or result
	calls   map[*ast.CallExpr]*Call
	linked  map[[2]*Func]bool
	unread  *unread
	asked   map[string][]anonymous
	names   *byName
}

// Build makes the graph.
func Build(prog *program.Program) *Graph {
	g := &Graph{
		Program: prog, byType: map[*ast.FuncType]*Func{}, byPos: map[token.Pos]*Func{}, byParam: map[token.Pos]*Func{},
		calls: map[*ast.CallExpr]*Call{}, linked: map[[2]*Func]bool{},
	}
	for _, cfg := range prog.Configs {
		g.collect(cfg)
	}
	for _, cfg := range prog.Configs {
		newWalker(g, cfg).run()
	}
	slices.SortFunc(g.Funcs, func(a, b *Func) int {
		return cmp.Or(cmp.Compare(a.File.Name, b.File.Name), cmp.Compare(a.Type.Pos(), b.Type.Pos()))
	})
	slices.SortFunc(g.CallList, compareCalls)
	for _, f := range g.Funcs {
		slices.SortFunc(f.Calls, compareCalls)
	}
	g.markFixed()
	return g
}

func compareCalls(a, b *Call) int {
	return cmp.Or(cmp.Compare(a.File.Name, b.File.Name), cmp.Compare(a.Expr.Pos(), b.Expr.Pos()), cmp.Compare(a.Expr.End(), b.Expr.End()))
}

// FuncOf returns the function of a declared object, nil for one outside the world.
func (g *Graph) FuncOf(obj *types.Func) *Func { return g.byPos[obj.Origin().Pos()] }

// FuncAt returns the function that a type in the syntax belongs to.
func (g *Graph) FuncAt(t *ast.FuncType) *Func { return g.byType[t] }

// CallAt returns the call that an expression is, nil when it names no function of the world.
func (g *Graph) CallAt(e *ast.CallExpr) *Call { return g.calls[e] }

// Enclosing returns the innermost function of a file whose body contains a position; nil for none.
func (g *Graph) Enclosing(file *program.File, pos token.Pos) *Func {
	var in *Func
	ast.Inspect(file.AST, func(n ast.Node) bool {
		if n == nil || pos < n.Pos() || pos >= n.End() {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil && n.Body.Pos() <= pos {
				in = g.byType[n.Type]
			}
		case *ast.FuncLit:
			if n.Body.Pos() <= pos {
				in = g.byType[n.Type]
			}
		}
		return true
	})
	return in
}

// link ties two functions together, both ways, once.
func (g *Graph) link(a, b *Func, file *program.File, pos token.Pos, why string) {
	if a == b || a.Kind == Foreign && b.Kind == Foreign || g.linked[[2]*Func{a, b}] {
		return
	}
	g.linked[[2]*Func{a, b}], g.linked[[2]*Func{b, a}] = true, true
	a.Links = append(a.Links, &Link{b, file, pos, why})
	b.Links = append(b.Links, &Link{a, file, pos, why})
}
