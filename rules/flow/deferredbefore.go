package flow

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// DeferredBefore returns the place where a context comes to one of its fates in code that is deferred in front of a statement, or where
// such code works with what a call has made with the context: what is deferred behind the statement runs first. It is NoPos for others.
// Values can be looked up in a context that has ended.
func (f *Flow) DeferredBefore(pkg *program.Package, file *program.File, fate Fate, at token.Pos) token.Pos {
	path := Path(file, fate.Pos)
	if len(path) > 0 && f.deferredBefore(pkg, file, path[0], at) && !f.onlyLooked(pkg, file, path[0]) {
		return fate.Pos
	}
	if fate.Call == nil || fate.Pos < at {
		return token.NoPos
	}
	l := &laterWork{flow: f, pkg: pkg, file: file, at: at, seen: map[*types.Var]bool{}}
	return l.results(fate.Call)
}

// onlyLooked reports whether a node, a context, is there for nothing but values to be looked up in it.
func (f *Flow) onlyLooked(pkg *program.Package, file *program.File, n ast.Node) bool {
	parent, child := f.census.Outer(file, n)
	switch p := parent.(type) {
	case *ast.SelectorExpr:
		return p.Sel.Name == "Value" && ast.Node(p.X) == child
	case *ast.CallExpr:
		arg, ok := child.(ast.Expr)
		return ok && ast.Node(p.Fun) != child && f.LooksOnly(pkg, p, arg)
	}
	return false
}

// deferredBefore reports whether a node is carried out by code that is deferred in front of a place: it stands in a literal of the function
// around the place that a defer statement holds, or that is deferred by its name. The arguments of a deferred call are worked out where
// they stand.
func (f *Flow) deferredBefore(pkg *program.Package, file *program.File, n ast.Node, at token.Pos) bool {
	for up := n; up != nil; up = f.census.Parent(file, up) {
		lit, ok := up.(*ast.FuncLit)
		if !ok {
			continue
		}
		if lit.Pos() <= at && at < lit.End() {
			return false
		}
		if stmt := f.deferOf(file, lit); stmt != nil {
			return stmt.Pos() < at
		}
		for _, call := range f.callsOf(pkg, file, lit) {
			if stmt := f.deferOf(file, call); stmt != nil && stmt.Pos() < at {
				return true
			}
			if !within(lit, call) && f.deferredBefore(pkg, file, call, at) {
				return true
			}
		}
	}
	return false
}

// deferOf returns the defer statement that holds a node, as far as no function lies between them; nil for none.
func (f *Flow) deferOf(file *program.File, n ast.Node) *ast.DeferStmt {
	for up := f.census.Parent(file, n); up != nil && !isFunc(up); up = f.census.Parent(file, up) {
		if stmt, ok := up.(*ast.DeferStmt); ok {
			return stmt
		}
	}
	return nil
}

// A laterWork follows what calls have made with a context, to find where code that is deferred in front of a place works with it.
type laterWork struct {
	flow *Flow
	pkg  *program.Package
	file *program.File
	at   token.Pos
	seen map[*types.Var]bool
}

// results follows those results of a call that may hold a context.
func (l *laterWork) results(call ast.Expr) token.Pos {
	for _, r := range resultTypes(l.pkg.Info.TypeOf(call)) {
		if l.flow.mayHold(r) {
			return l.stored(call)
		}
	}
	return token.NoPos
}

// stored follows the value of an expression into the variables to which the statement around it assigns something that may hold it.
func (l *laterWork) stored(e ast.Expr) token.Pos {
	for n := ast.Node(e); n != nil && !isFunc(n); n = l.flow.census.Parent(l.file, n) {
		switch n := n.(type) {
		case *ast.AssignStmt:
			return l.targets(n.Lhs)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				if pos := l.targets([]ast.Expr{id}); pos.IsValid() {
					return pos
				}
			}
			return token.NoPos
		case *ast.RangeStmt:
			if e.Pos() < n.Body.Pos() {
				return l.targets([]ast.Expr{n.Key, n.Value})
			}
			return token.NoPos
		case ast.Stmt:
			return token.NoPos
		}
	}
	return token.NoPos
}

func (l *laterWork) targets(list []ast.Expr) token.Pos {
	for _, lhs := range list {
		id := Root(lhs)
		if id == nil {
			continue
		}
		if v, ok := l.pkg.Info.ObjectOf(id).(*types.Var); ok && l.flow.mayHold(v.Type()) {
			if pos := l.variable(v); pos.IsValid() {
				return pos
			}
		}
	}
	return token.NoPos
}

// variable returns where deferred code works with a variable, or is given its address, or does so with one that gets its value.
func (l *laterWork) variable(v *types.Var) token.Pos {
	if l.seen[v] {
		return token.NoPos
	}
	l.seen[v] = true
	for _, u := range l.flow.census.Uses(v) {
		if u.File != l.file || u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		if l.flow.deferredBefore(l.pkg, l.file, u.Ident, l.at) || l.byAddress(u) {
			return u.Ident.Pos()
		}
		if u.Ident.Pos() < l.at {
			continue
		}
		if pos := l.stored(u.Ident); pos.IsValid() {
			return pos
		}
	}
	return token.NoPos
}

// byAddress reports whether a call that is deferred in front of the place gets the address of a variable, or is that of a method which
// does.
func (l *laterWork) byAddress(u census.Use) bool {
	stmt := l.flow.deferOf(l.file, u.Ident)
	if stmt == nil || stmt.Pos() >= l.at {
		return false
	}
	parent, _ := l.flow.census.Outer(l.file, u.Ident)
	switch p := parent.(type) {
	case *ast.UnaryExpr:
		return p.Op == token.AND
	case *ast.SelectorExpr:
		s := l.pkg.Info.Selections[p]
		if s == nil || s.Kind() != types.MethodVal {
			return true // a field, of which the address may be taken
		}
		_, byPointer := s.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer)
		_, isPointer := s.Recv().Underlying().(*types.Pointer)
		return byPointer && !isPointer
	}
	return false
}
