package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// maxRetries bounds how many functions up it is looked for a loop that repeats what a call is part of.
const maxRetries = 3

// Persists reports whether a call that does not ask for an end, or gets a context that has none, is repeated until it succeeds: by a
// loop around it that has no other way out, by one around the function that it lies in, or by one in a function that is
// given the literal around it. With a context that has ended it would fail for ever.
func (f *Flow) Persists(pkg *program.Package, file *program.File, call ast.Node) bool {
	persists, known := f.persisting[call]
	if !known {
		persists = f.persists(pkg, file, call, 0)
		f.persisting[call] = persists
	}
	return persists
}

func (f *Flow) persists(pkg *program.Package, file *program.File, call ast.Node, depth int) bool {
	for n := f.census.Parent(file, call); n != nil; n = f.census.Parent(file, n) {
		switch n := n.(type) {
		case *ast.GoStmt:
			return false
		case *ast.ForStmt, *ast.RangeStmt:
			if f.onlyBySuccess(pkg, file, n.(ast.Stmt), call) {
				return true
			}
		case *ast.FuncLit:
			return f.literalPersists(pkg, file, n, depth)
		case *ast.FuncDecl:
			fn, ok := pkg.Info.Defs[n.Name].(*types.Func)
			return ok && depth < maxRetries && tellsFailure(fn.Signature()) && f.callersPersist(fn, depth)
		}
	}
	return false
}

// literalPersists reports whether what is called in a function literal is repeated by whoever calls that.
func (f *Flow) literalPersists(pkg *program.Package, file *program.File, lit *ast.FuncLit, depth int) bool {
	if depth >= maxRetries {
		return false
	}
	sig, ok := pkg.Info.TypeOf(lit).(*types.Signature)
	parent, child := f.census.Outer(file, lit)
	switch p := parent.(type) {
	case *ast.CallExpr:
		if ast.Node(p.Fun) != child {
			if ok && tellsFailure(sig) && f.calleePersists(pkg, p, child, depth) {
				return true
			}
		}
		return f.persists(pkg, file, p, depth+1)
	case *ast.AssignStmt:
		for i, rhs := range p.Rhs {
			if ast.Node(rhs) == child && len(p.Lhs) == len(p.Rhs) && ok && tellsFailure(sig) {
				id, _ := p.Lhs[i].(*ast.Ident)
				v, _ := pkg.Info.ObjectOf(id).(*types.Var)
				return v != nil && f.callsPersist(pkg, v, depth)
			}
		}
	}
	return false
}

// calleePersists reports whether a function of the world repeats a function that it is given until that succeeds.
func (f *Flow) calleePersists(pkg *program.Package, call *ast.CallExpr, arg ast.Node, depth int) bool {
	fn := census.Callee(pkg.Info, call)
	if fn == nil {
		return false
	}
	for _, callee := range f.Callees(fn) {
		if b, v := f.body(callee), variable(callee, call, arg); b != nil && v != nil && f.callsPersist(b.pkg, v, depth) {
			return true
		}
	}
	return false
}

// callsPersist reports whether what a variable holds is called until it succeeds.
func (f *Flow) callsPersist(pkg *program.Package, v *types.Var, depth int) bool {
	return slices.ContainsFunc(f.census.Uses(v), func(u census.Use) bool {
		parent, child := f.census.Outer(u.File, u.Ident)
		call, ok := parent.(*ast.CallExpr)
		switch {
		case !ok || u.Pkg != pkg:
			return false
		case ast.Node(call.Fun) != child:
			return depth < maxRetries && f.calleePersists(u.Pkg, call, child, depth+1)
		}
		return f.persists(u.Pkg, u.File, call, depth+1)
	})
}

// callersPersist reports whether a function is called until it succeeds where there is, or could be, a context.
func (f *Flow) callersPersist(fn *types.Func, depth int) bool {
	return slices.ContainsFunc(f.census.Uses(fn), func(u census.Use) bool {
		var called ast.Node = u.Ident
		if sel, ok := f.census.Parent(u.File, u.Ident).(*ast.SelectorExpr); ok && sel.Sel == u.Ident {
			called = sel
		}
		call, ok := f.census.Parent(u.File, called).(*ast.CallExpr)
		return ok && ast.Node(call.Fun) == called && u.Pkg.World && !u.File.Test && !f.inEntry(u) && f.persists(u.Pkg, u.File, call, depth+1)
	})
}

// inEntry reports whether a name is used in main or init, which have no context but their own.
func (f *Flow) inEntry(u census.Use) bool {
	for n := ast.Node(u.Ident); n != nil; n = f.census.Parent(u.File, n) {
		if d, ok := n.(*ast.FuncDecl); ok {
			return d.Recv == nil && (d.Name.Name == "init" || d.Name.Name == "main" && u.Pkg.Name == "main")
		}
	}
	return false
}

// tellsFailure reports whether a function returns an error, or whether it has done its work.
func tellsFailure(sig *types.Signature) bool {
	for v := range sig.Results().Variables() {
		if types.Implements(v.Type(), errorType) || isBool(v.Type()) {
			return true
		}
	}
	return false
}

// onlyBySuccess reports whether a loop ends when a call in it succeeds, and never while it fails. Errors that do not depend on a context
// are no way out, since they do not come with its end.
func (f *Flow) onlyBySuccess(pkg *program.Package, file *program.File, loop ast.Stmt, call ast.Node) bool {
	switch loop := loop.(type) {
	case *ast.ForStmt:
		if loop.Init != nil && within(loop.Init, call) {
			return false
		}
	case *ast.RangeStmt:
		ch, ok := Under(pkg.Info.TypeOf(loop.X)).(*types.Chan)
		if !ok || !isNamed(ch.Elem(), "time", "Time") || !within(loop.Body, call) {
			return false // it ends with what it goes over; a ticker never does
		}
	}
	ends := func(fails, doubts bool) bool {
		a := &attempt{flow: f, pkg: pkg, file: file, loop: loop, call: call, fails: fails, doubts: doubts, state: map[*types.Var]outcome{}}
		return a.ends()
	}
	return (ends(false, false) || ends(false, true)) && !(ends(true, false) && ends(true, true))
}

// leavesLoop reports whether a branch statement leaves a loop; nested counts the loops, switches and selects between them.
func leavesLoop(loop ast.Stmt, own *ast.LabeledStmt, s *ast.BranchStmt, nested int) bool {
	if s.Tok == token.FALLTHROUGH || s.Label == nil {
		return s.Tok == token.BREAK && nested == 0
	}
	if own != nil && s.Label.Name == own.Label.Name {
		return s.Tok == token.BREAK
	}
	inside := false
	ast.Inspect(loop, func(n ast.Node) bool {
		l, ok := n.(*ast.LabeledStmt)
		inside = inside || ok && l.Label.Name == s.Label.Name
		return !inside
	})
	return !inside
}
