package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// namesOf returns the uses of the local variable that holds a function literal, in the literal's file.
func (f *Flow) namesOf(pkg *program.Package, file *program.File, lit *ast.FuncLit) []*ast.Ident {
	parent, child := f.census.Outer(file, lit)
	var name ast.Expr
	switch n := parent.(type) {
	case *ast.AssignStmt:
		if i := slices.IndexFunc(n.Rhs, func(e ast.Expr) bool { return ast.Node(e) == child }); i >= 0 && i < len(n.Lhs) {
			name = n.Lhs[i]
		}
	case *ast.ValueSpec:
		if i := slices.IndexFunc(n.Values, func(e ast.Expr) bool { return ast.Node(e) == child }); i >= 0 && i < len(n.Names) {
			name = n.Names[i]
		}
	}
	id, ok := name.(*ast.Ident)
	if !ok {
		return nil
	}
	v, ok := pkg.Info.ObjectOf(id).(*types.Var)
	if !ok || v.Parent() == pkg.Types.Scope() {
		return nil
	}
	var list []*ast.Ident
	for _, u := range f.census.Uses(v) {
		if u.File == file && u.Ident != id {
			list = append(list, u.Ident)
		}
	}
	return list
}

// callsOf returns the calls of a function literal by the local variable that holds it.
func (f *Flow) callsOf(pkg *program.Package, file *program.File, lit *ast.FuncLit) []*ast.CallExpr {
	var list []*ast.CallExpr
	for _, id := range f.namesOf(pkg, file, lit) {
		parent, child := f.census.Outer(file, id)
		if call, ok := parent.(*ast.CallExpr); ok && ast.Node(call.Fun) == child {
			list = append(list, call)
		}
	}
	return list
}

// A handing is what is known of the calls that give a parameter its context.
type handing struct {
	// ended is set when one of them passes a context that may have ended, and no error is the only sign of it.
	ended bool
	// failed is set when every one of them does, for whatever reason.
	failed bool
	// from are the callers' own parameters that others pass on.
	from []paramAt
}

// A paramAt is a parameter, or another variable, by its place: one without a name has no object of its own.
type paramAt struct {
	pkg  *program.Package
	file *program.File
	pos  token.Pos
}

// calledWhenEnded says why a source may have ended of which the function itself does not tell.
const calledWhenEnded = "a caller passes it when it may have ended"

// comesFromEnded reports whether a local variable is made of a context that may have ended: a copy, one with more values, one with an
// earlier end. That was so where it was made, or callers pass the function such a context.
func (p *finder) comesFromEnded(v *types.Var, seen map[*types.Var]bool) bool {
	if seen[v] {
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(p.madeOf(v), func(m derivation) bool {
		return p.flow.givenEnded(p.pkg, p.file, m.of) || p.comesFromEnded(m.of, seen) || p.endedAt(m)
	})
}

// madeOfEnded does the same without a look at callers.
func (p *finder) madeOfEnded(v *types.Var, seen map[*types.Var]bool) bool {
	if seen[v] {
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(p.madeOf(v), func(m derivation) bool { return p.madeOfEnded(m.of, seen) || p.endedAt(m) })
}

// A derivation is an assignment that makes a context of another variable's.
type derivation struct {
	of *types.Var
	as *ast.AssignStmt
}

// madeOf returns what a variable is made of in front of the place.
func (p *finder) madeOf(v *types.Var) (list []derivation) {
	for _, u := range p.flow.census.Uses(v) {
		parent, child := p.flow.census.Outer(u.File, u.Ident)
		as, ok := parent.(*ast.AssignStmt)
		i := -1
		if ok {
			i = slices.IndexFunc(as.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
		}
		if i < 0 || u.File != p.file || as.Pos() >= p.pos {
			continue
		}
		from := as.Rhs[min(i, len(as.Rhs)-1)]
		for {
			call, ok := ast.Unparen(from).(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !Implements(p.pkg.Info.TypeOf(call.Args[0])) || withoutCancel(p.pkg, call) {
				break
			}
			from = call.Args[0]
		}
		if of := passed(census.Expr{Expr: from, File: p.file, Pkg: p.pkg}); of != nil {
			list = append(list, derivation{of, as})
		}
	}
	return list
}

// endedAt reports whether a context may have ended where another one was made of it: that one has ended from the start.
func (p *finder) endedAt(m derivation) bool {
	there := &finder{flow: p.flow, pkg: p.pkg, file: p.file, pos: m.as.Pos(), path: Path(p.file, m.as.Pos())}
	s := &Source{Kind: Local, Var: m.of}
	switch {
	case fromTesting(m.of.Type()):
		s.Kind = Test
	case m.of.Kind() == types.ParamVar:
		s.Kind = Parameter
	}
	(&ender{finder: there, source: s}).climb()
	return s.Ended != "" && s.Ended != isNone
}

// givenEnded reports whether callers pass a parameter a context that may have ended: the final write of a worker, what a deferred call
// does. Directly, or by way of parameters of their own. Where all that callers do is handle an error, all have to.
// Tests do not count, but for what is theirs: they pass ended contexts to see what happens.
func (f *Flow) givenEnded(pkg *program.Package, file *program.File, v *types.Var) bool {
	start := paramAt{pkg, file, v.Pos()}
	if f.handingOf(start).failed {
		return true
	}
	seen, todo := map[paramAt]bool{start: true}, []paramAt{start}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		ended, known := f.endedParams[at]
		if known && !ended {
			continue
		}
		h := f.handingOf(at)
		if h.ended || ended {
			f.endedParams[start] = true
			return true
		}
		for _, from := range h.from {
			if !seen[from] {
				seen[from] = true
				todo = append(todo, from)
			}
		}
	}
	for at := range seen {
		f.endedParams[at] = false
	}
	return false
}

// handingOf looks at the calls that give a parameter its value.
func (f *Flow) handingOf(at paramAt) *handing {
	h, known := f.handings[at]
	if known {
		return h
	}
	h = &handing{}
	f.handings[at] = h
	args, open := f.argumentsOf(at)
	endings := 0
	for _, arg := range args {
		if arg.File.Test && !at.file.Test {
			continue
		}
		v := passed(arg)
		if v == nil {
			open = true
			continue
		}
		p := &finder{flow: f, pkg: arg.Pkg, file: arg.File, pos: arg.Expr.Pos(), path: Path(arg.File, arg.Expr.Pos())}
		s, own := &Source{Kind: Local, Var: v, Text: v.Name()}, v.Kind() == types.ParamVar
		switch {
		case fromTesting(v.Type()):
			s.Kind = Test // no error tells that a test has ended
		case own:
			s.Kind = Parameter
		}
		p.endings(s)
		if s.Ended == "" && s.Kind == Local && p.madeOfEnded(v, map[*types.Var]bool{}) {
			s.Ended = calledWhenEnded
		}
		switch {
		case s.Ended == "" || s.Ended == isNone || p.renewed(v, s.EndedAt):
			open = true
			if own {
				h.from = append(h.from, paramAt{arg.Pkg, arg.File, v.Pos()})
			}
		case fromError(s.Ended):
			endings++
			if own {
				h.from = append(h.from, paramAt{arg.Pkg, arg.File, v.Pos()})
			}
		default:
			endings++
			h.ended = true
		}
	}
	h.failed = endings > 0 && !open
	return h
}

// renewed reports whether a variable gets another value between a place where its context may have ended and the finder's, by a
// statement that is carried out in any case.
func (p *finder) renewed(v *types.Var, since token.Pos) bool {
	return slices.ContainsFunc(p.flow.census.Uses(v), func(u census.Use) bool {
		parent, child := p.flow.census.Outer(u.File, u.Ident)
		as, ok := parent.(*ast.AssignStmt)
		return ok && u.File == p.file && as.Pos() > since && as.End() <= p.pos && slices.Contains(p.path, p.flow.census.Parent(p.file, as)) &&
			slices.ContainsFunc(as.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
	})
}

// passed returns the variable that an argument passes on, by itself, with a value more, or as what holds it: ctx, r.Context(). It
// is nil for others, such as contexts that have just been made and do not end with another one.
func passed(arg census.Expr) *types.Var {
	e := ast.Unparen(arg.Expr)
	for {
		call, ok := e.(*ast.CallExpr)
		if !ok {
			break
		}
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && len(call.Args) == 0 {
			e = ast.Unparen(sel.X)
		} else if fn := census.Callee(arg.Pkg.Info, call); fn != nil && fn.FullName() == "context.WithValue" && len(call.Args) > 0 {
			e = ast.Unparen(call.Args[0])
		} else {
			return nil
		}
	}
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil
	}
	v, ok := arg.Pkg.Info.Uses[id].(*types.Var)
	if !ok || v.Parent() == arg.Pkg.Types.Scope() {
		return nil
	}
	return v
}

// argumentsOf returns what calls pass for a parameter of a declared function, or of a literal that a local variable holds; open is set
// when there are calls that cannot be seen.
func (f *Flow) argumentsOf(at paramAt) (args []census.Expr, open bool) {
	for _, n := range Path(at.file, at.pos) {
		switch fn := n.(type) {
		case *ast.FuncDecl:
			obj, ok := at.pkg.Info.Defs[fn.Name].(*types.Func)
			if i := parameterIndex(fn.Type, at.pos); ok && i >= 0 {
				return f.census.Args(obj, i)
			}
			return nil, true
		case *ast.FuncLit:
			i := parameterIndex(fn.Type, at.pos)
			names := f.namesOf(at.pkg, at.file, fn)
			calls := f.callsOf(at.pkg, at.file, fn)
			for _, call := range calls {
				if i >= 0 && i < len(call.Args) {
					args = append(args, census.Expr{Expr: call.Args[i], File: at.file, Pkg: at.pkg})
				}
			}
			return args, len(calls) < len(names)
		}
	}
	return nil, true
}

// parameterIndex returns which parameter is declared at a place, by its name or, without one, by its type; -1 for none.
func parameterIndex(ft *ast.FuncType, pos token.Pos) int {
	i := 0
	for _, field := range ft.Params.List {
		if len(field.Names) == 0 {
			if field.Pos() == pos {
				return i
			}
			i++
		}
		for _, name := range field.Names {
			if name.Pos() == pos {
				return i
			}
			i++
		}
	}
	return -1
}
