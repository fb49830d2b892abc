package flow

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A Kind says what a source of contexts is.
type Kind int

const (
	// Parameter is a parameter, or receiver, of type context.Context.
	Parameter Kind = iota
	// Local is a variable of a function.
	Local
	// Request is a parameter that is asked for its context: r.Context() of a request, a command, a stream, or that
	// of the request which a web framework's context holds.
	Request
	// Framework is a parameter of another type that is a context.
	Framework
	// Test is a parameter such as t of a test, where the module's Go version has t.Context().
	Test
	// Field is a field of the receiver that the other methods of the type work with.
	Field
)

// String writes the kind as messages do.
func (k Kind) String() string {
	return [...]string{"parameter", "variable", "request", "framework context", "test", "field of the receiver"}[k]
}

// A Source is a context in scope at a place.
type Source struct {
	Kind Kind
	// Var is the variable that Text begins with.
	Var *types.Var
	// Text spells the context where it was asked for: no identifier in it is shadowed there.
	Text string
	// Through are the function literals between the variable's function and the place, outermost first. What they
	// do may happen later than it is written.
	Through []*ast.FuncLit
	// Born is set when the context is made from nothing in the same function: context.Background() and what is derived from it.
	Born bool
	// Cancels is set for a variable that was derived with a cancel function, a timeout or a deadline.
	Cancels bool
	// Unnamed is the field of a parameter without a name, or named _: it has to be called Text first. Nil for others.
	Unnamed *ast.Field
	// Type is the function type that holds Unnamed.
	Type *ast.FuncType
	// Ended says why the context may have ended when the place is reached, "" when nothing says so.
	Ended string
	// EndedAt is the place that says so.
	EndedAt token.Pos
}

// IsVar reports whether the context is a variable, and nothing that has to be asked for it.
func (s *Source) IsVar() bool { return s.Unnamed != nil || s.Text == s.Var.Name() }

// At returns the contexts in scope at a place that have not ended there, the best one first.
// Where the code has found that one of them is nil, it has chosen, and there are none.
func (f *Flow) At(file *program.File, pos token.Pos) []*Source {
	list := f.All(file, pos)
	if slices.ContainsFunc(list, func(s *Source) bool { return s.Ended == isNone }) {
		return nil
	}
	return slices.DeleteFunc(list, func(s *Source) bool { return s.Ended != "" })
}

// isNone is why a source does not count where it is nil.
const isNone = "there may be none here"

// All returns the contexts in scope at a place, the best one first, those that may have ended there included. With several
// build configurations, only those that all of them have.
func (f *Flow) All(file *program.File, pos token.Pos) []*Source { return f.common(file, pos, f.in) }

// visible returns the same without asking whether they may have ended, for those who answer that.
func (f *Flow) visible(file *program.File, pos token.Pos) []*Source {
	return f.common(file, pos, func(pkg *program.Package, file *program.File, pos token.Pos) []*Source {
		return f.finderAt(pkg, file, pos).list
	})
}

// common returns what all build configurations have of what is in scope at a place.
func (f *Flow) common(file *program.File, pos token.Pos, in func(*program.Package, *program.File, token.Pos) []*Source) []*Source {
	var list []*Source
	for i, pkg := range f.packages[file] {
		here := in(pkg, file, pos)
		if i == 0 {
			list = here
			continue
		}
		list = slices.DeleteFunc(list, func(s *Source) bool {
			return !slices.ContainsFunc(here, func(o *Source) bool { return o.Text == s.Text && o.Var.Pos() == s.Var.Pos() })
		})
	}
	return list
}

// finderAt finds the contexts in scope at a place of a package.
func (f *Flow) finderAt(pkg *program.Package, file *program.File, pos token.Pos) *finder {
	p := &finder{flow: f, pkg: pkg, file: file, pos: pos}
	if file.AST == nil || pkg.Types == nil {
		return p
	}
	p.path = Path(file, pos)
	p.scope = pkg.Types.Scope().Innermost(pos)
	for i := len(p.path) - 1; i >= 0; i-- {
		switch n := p.path[i].(type) {
		case *ast.FuncDecl:
			if n.Body != nil && n.Body.Pos() <= pos {
				p.declaration(n)
			}
		case *ast.FuncLit:
			if n.Body.Pos() <= pos {
				p.lits = append(p.lits, n)
				p.params(n.Type, n.Body)
			}
		}
	}
	p.locals()
	given := map[*Source]token.Pos{}
	for _, s := range p.list {
		p.through(s)
		given[s] = p.given(s)
	}
	slices.SortStableFunc(p.list, func(a, b *Source) int {
		return cmp.Or(cmp.Compare(p.rank(a, given[a]), p.rank(b, given[b])), cmp.Compare(given[b], given[a]))
	})
	return p
}

// in returns the contexts in scope at a place of a package, with why they may have ended.
func (f *Flow) in(pkg *program.Package, file *program.File, pos token.Pos) []*Source {
	p := f.finderAt(pkg, file, pos)
	for _, s := range p.list {
		p.endings(s)
		if s.Ended == "" && (p.flow.givenNil(s.Var) || p.flow.holdsNil(s)) {
			s.Ended, s.EndedAt = "a caller passes nil", s.Var.Pos()
		}
		if s.Ended == "" && p.flow.givenEnded(p.pkg, p.file, s.Var) {
			s.Ended, s.EndedAt = calledWhenEnded, s.Var.Pos()
		}
	}
	for _, s := range p.list {
		if s.Ended == "" && s.Kind == Local && p.comesFromEnded(s.Var, map[*types.Var]bool{}) {
			s.Ended, s.EndedAt = calledWhenEnded, s.Var.Pos()
		}
	}
	for _, s := range p.list {
		if s.Ended == "" && p.changes(s) {
			s.Ended, s.EndedAt = MayChange, s.Var.Pos()
		}
	}
	return p.list
}

// given returns where a source's variable got the value that it has at the place, as far as a statement before the place says so
// that is carried out in any case: its declaration, or an assignment.
func (p *finder) given(s *Source) token.Pos {
	last := s.Var.Pos()
	for _, as := range p.flow.assignsTo(p.file, s.Var) {
		if as.End() <= p.pos && as.Pos() >= last && slices.Contains(p.path, p.flow.census.Parent(p.file, as)) {
			last = as.Pos()
		}
	}
	return last
}

// A finder looks for the contexts in scope at one place.
type finder struct {
	flow  *Flow
	pkg   *program.Package
	file  *program.File
	pos   token.Pos
	path  []ast.Node // innermost first
	scope *types.Scope
	// lits are the function literals around the place, outermost first.
	lits []*ast.FuncLit
	decl *ast.FuncDecl
	list []*Source
}

// visible reports whether a variable's name means it at the place.
func (p *finder) visible(v *types.Var) bool {
	if p.scope == nil || v.Name() == "_" || v.Name() == "" {
		return false
	}
	_, obj := p.scope.LookupParent(v.Name(), p.pos)
	return obj == v
}

// free reports whether a name can be given to a parameter of the function with this body: nothing in the function
// means something else by it, but for variables of inner blocks, and one that would be the parameter itself: ctx := context.Background().
func (p *finder) free(name string, body *ast.BlockStmt) bool {
	ok := map[types.Object]bool{}
	for _, s := range body.List {
		if as, isAssign := s.(*ast.AssignStmt); isAssign && as.Tok == token.DEFINE && len(as.Lhs) == 1 && len(as.Rhs) == 1 && p.flow.Fresh(p.pkg, as.Rhs[0]) {
			if id, isIdent := as.Lhs[0].(*ast.Ident); isIdent {
				ok[p.pkg.Info.Defs[id]] = true
			}
		}
	}
	free := true
	ast.Inspect(body, func(n ast.Node) bool {
		if id, isIdent := n.(*ast.Ident); isIdent && id.Name == name {
			obj := p.pkg.Info.ObjectOf(id)
			if v, isVar := obj.(*types.Var); obj != nil && !(isVar && (v.IsField() || ok[v] || p.inner(v, body))) {
				free = false
			}
		}
		return free
	})
	return free
}

// inner reports whether a variable belongs to a block inside the body of a function.
func (p *finder) inner(v *types.Var, body *ast.BlockStmt) bool {
	return v.Pos() > body.Pos() && v.Pos() < body.End() && v.Parent() != nil && v.Parent().Pos() > body.Pos()
}

func (p *finder) declaration(d *ast.FuncDecl) {
	p.decl = d
	p.params(d.Type, d.Body)
	if d.Recv == nil || len(d.Recv.List) != 1 || len(d.Recv.List[0].Names) != 1 {
		return
	}
	recv, ok := p.pkg.Info.Defs[d.Recv.List[0].Names[0]].(*types.Var)
	if !ok || !p.visible(recv) {
		return
	}
	switch {
	case Implements(recv.Type()):
		if !givesItself(d.Name.Name) {
			p.add(&Source{Kind: Framework, Var: recv, Text: recv.Name()})
		}
	default:
		if name := p.flow.habit(p.pkg, recv.Type()); name != "" {
			p.add(&Source{Kind: Field, Var: recv, Text: recv.Name() + "." + name})
		}
	}
}

// givesItself reports whether a method with this name makes its receiver a context: it must not ask itself.
func givesItself(name string) bool {
	switch name {
	case "Deadline", "Done", "Err", "Value", "Context":
		return true
	}
	return false
}

// params adds what the parameters of a function give.
func (p *finder) params(ft *ast.FuncType, body *ast.BlockStmt) {
	for _, field := range ft.Params.List {
		if len(field.Names) == 0 {
			p.unnamed(ft, field, nil, body)
		}
		for _, id := range field.Names {
			if id.Name == "_" {
				p.unnamed(ft, field, id, body)
				continue
			}
			v, ok := p.pkg.Info.Defs[id].(*types.Var)
			if !ok || !p.visible(v) {
				continue
			}
			if _, variadic := field.Type.(*ast.Ellipsis); !variadic {
				p.param(v)
			}
		}
	}
}

// unnamed adds a context parameter that has no name yet.
func (p *finder) unnamed(ft *ast.FuncType, field *ast.Field, id *ast.Ident, body *ast.BlockStmt) {
	const name = "ctx"
	if !IsContext(p.pkg.Info.TypeOf(field.Type)) || len(field.Names) > 1 || !p.free(name, body) {
		return
	}
	if p.scope != nil {
		if _, obj := p.scope.LookupParent(name, p.pos); obj != nil && obj.Pos() > ft.Pos() {
			return
		}
	}
	for _, other := range ft.Params.List {
		for _, n := range other.Names {
			if n.Name == name {
				return
			}
		}
	}
	v := types.NewParam(field.Pos(), p.pkg.Types, name, p.pkg.Info.TypeOf(field.Type))
	if id != nil {
		if def, ok := p.pkg.Info.Defs[id].(*types.Var); ok {
			v = def
		}
	}
	p.add(&Source{Kind: Parameter, Var: v, Text: name, Unnamed: field, Type: ft})
}

// param adds what a named parameter gives.
func (p *finder) param(v *types.Var) {
	t := v.Type()
	switch {
	case IsContext(t):
		p.add(&Source{Kind: Parameter, Var: v, Text: v.Name()})
	case fromTesting(t):
		if path := asked(t); path != "" && p.flow.AtLeast(p.file, "go1.24") {
			p.add(&Source{Kind: Test, Var: v, Text: v.Name() + path})
		}
	default:
		if path := asked(t); path != "" {
			p.add(&Source{Kind: Request, Var: v, Text: v.Name() + path})
		} else if Implements(t) {
			p.add(&Source{Kind: Framework, Var: v, Text: v.Name()})
		}
	}
}

// fromTesting reports whether a type is one of package testing.
func fromTesting(t types.Type) bool {
	named, ok := types.Unalias(deref(t)).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "testing"
}

func (p *finder) add(s *Source) { p.list = append(p.list, s) }

// through notes the function literals between the source and the place.
func (p *finder) through(s *Source) {
	for _, lit := range p.lits {
		if lit.Pos() > s.Var.Pos() {
			s.Through = append(s.Through, lit)
		}
	}
}

// locals adds the variables of type context.Context that are visible at the place and hold something.
func (p *finder) locals() {
	for s := p.scope; s != nil && s != p.pkg.Types.Scope(); s = s.Parent() {
		for _, name := range s.Names() {
			v, ok := s.Lookup(name).(*types.Var)
			if !ok || !IsContext(v.Type()) || !p.visible(v) || p.have(v) {
				continue
			}
			o := p.flow.originOf(p.file, p.pkg, v)
			if o.values > 0 && !o.nothing {
				p.add(&Source{Kind: Local, Var: v, Text: v.Name(), Born: o.born && !o.given, Cancels: o.cancels})
			}
		}
	}
}

func (p *finder) have(v *types.Var) bool {
	return slices.ContainsFunc(p.list, func(s *Source) bool { return s.Var == v })
}

// rank orders sources: what the caller gives before what is made here, what belongs to the call before
// what belongs to the receiver. A parameter that is given another value counts as made here.
func (p *finder) rank(s *Source, given token.Pos) int {
	r := 0
	switch {
	case s.Kind == Local && !s.Cancels || s.Kind == Parameter && given != s.Var.Pos():
		r = 0
	case s.Kind == Parameter && s.Unnamed == nil:
		r = 1
	case s.Kind == Local:
		r = 2
	case s.Kind == Request:
		r = 3
	case s.Kind == Parameter:
		r = 4
	case s.Kind == Framework:
		r = 5
	case s.Kind == Test:
		r = 6
	default:
		r = 7
	}
	if s.Born {
		r += 10
	}
	if len(s.Through) > 0 {
		r += 20 * len(s.Through) // the innermost function's own come first
	}
	return r
}

// InScope says in messages where the context is.
func (s *Source) InScope() string {
	if s.Unnamed != nil {
		return "the function is given a context, which it does not name"
	}
	return s.Text + " is in scope"
}

// TestNoun says in messages what a context of kind Test ends with.
func (s *Source) TestNoun() string {
	if named, ok := types.Unalias(deref(s.Var.Type())).(*types.Named); ok && named.Obj().Name() == "B" {
		return "benchmark"
	}
	return "test"
}

// String writes the source for debugging.
func (s *Source) String() string { return fmt.Sprintf("%s (%s)", s.Text, s.Kind) }
