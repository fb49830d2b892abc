package flow

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A Run says when a function literal runs, as seen from where it is written.
type Run int

const (
	// InPlace is before control goes on behind the literal's statement.
	InPlace Run = iota
	// AtEnd is when the function around it returns: deferred.
	AtEnd
	// AfterEnd is when something has ended that may go on when the function around it has returned: in a test's Cleanup, in
	// context.AfterFunc.
	AfterEnd
	// Concurrent is on another goroutine.
	Concurrent
	// Anytime is for literals that are stored, returned, or handed to code that may keep them.
	Anytime
)

// callRun tells when a call runs: where it stands, unless its statement puts it off.
func (f *Flow) callRun(file *program.File, call *ast.CallExpr) Run {
	switch f.census.Parent(file, call).(type) {
	case *ast.GoStmt:
		return Concurrent
	case *ast.DeferStmt:
		return AtEnd
	}
	return InPlace
}

// Declares reports whether the world declares a function with a body.
func (f *Flow) Declares(fn *types.Func) bool { return f.body(fn) != nil || f.prog.Beyond(fn) }

// Body returns the body of a function that the world declares, with where it lies; nil for others.
func (f *Flow) Body(fn *types.Func) (*program.Package, *program.File, *ast.BlockStmt) {
	if b := f.body(fn); b != nil {
		return b.pkg, b.file, b.decl.Body
	}
	return nil, nil, nil
}

// RunsAtEnd reports whether a declared function is called by deferred code, or by what runs when a test or a context has
// ended, itself or by a function that does so: its parameters may be at their end.
func (f *Flow) RunsAtEnd(pkg *program.Package, fn ast.Node) bool {
	decl, ok := fn.(*ast.FuncDecl)
	if !ok {
		return false
	}
	start, ok := pkg.Info.Defs[decl.Name].(*types.Func)
	if !ok {
		return false
	}
	seen, todo := map[*types.Func]bool{start: true}, []*types.Func{start}
	for len(todo) > 0 {
		fn := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, u := range f.census.Uses(fn) {
			if f.atEnd(u) {
				return true
			}
			if by := f.declares(u, u.Ident); by != nil && !seen[by] {
				seen[by] = true
				todo = append(todo, by)
			}
		}
	}
	return false
}

// atEnd reports whether a function is mentioned in deferred code, or in what runs when something has ended.
func (f *Flow) atEnd(u census.Use) bool {
	for n := ast.Node(u.Ident); n != nil; n = f.census.Parent(u.File, n) {
		switch n := n.(type) {
		case *ast.DeferStmt:
			return true
		case *ast.CallExpr:
			fn := census.Callee(u.Pkg.Info, n)
			if fn != nil && runsAtEnd(fn) && u.Ident.Pos() > n.Lparen {
				return true
			}
		case *ast.FuncLit:
			if run := f.RunOf(u.Pkg, u.File, n); run == AtEnd || run == AfterEnd {
				return true
			}
		}
	}
	return false
}

// body returns the declaration of a function of the world; nil when it is another one's or has no body.
func (f *Flow) body(fn *types.Func) *funcBody {
	fn = fn.Origin()
	if b, ok := f.bodies[fn]; ok {
		return b
	}
	var found *funcBody
	for _, u := range f.census.Uses(fn) {
		if decl, ok := f.census.Parent(u.File, u.Ident).(*ast.FuncDecl); ok && decl.Name == u.Ident && decl.Body != nil && u.Pkg.World {
			found = &funcBody{u.File, u.Pkg, decl}
			break
		}
	}
	f.bodies[fn] = found
	return found
}

// A funcBody is a function declaration with a body.
type funcBody struct {
	file *program.File
	pkg  *program.Package
	decl *ast.FuncDecl
}

// Spawns reports whether a function starts the one it is given on another goroutine: Go of a group that can be
// waited for, time.AfterFunc, a pool that is handed work.
func Spawns(fn *types.Func) bool {
	if fn.Pkg() != nil && fn.Pkg().Path() == "time" && fn.Name() == "AfterFunc" {
		return true
	}
	recv := fn.Signature().Recv()
	if recv == nil || !takesFunc(fn) {
		return false
	}
	switch fn.Name() {
	case "Go", "TryGo":
		return waits(recv.Type()) || waits(types.NewPointer(recv.Type()))
	case "Submit", "TrySubmit", "Invoke":
		return isPool(recv.Type())
	}
	return false
}

// takesFunc reports whether a function has exactly one parameter that is a function.
func takesFunc(fn *types.Func) bool {
	n := 0
	for p := range fn.Signature().Params().Variables() {
		if _, ok := p.Type().Underlying().(*types.Signature); ok {
			n++
		}
	}
	return n == 1
}

// isPool reports whether a type has a method that stops its workers.
func isPool(t types.Type) bool {
	return hasMethod(t, "Release", "Stop", "StopWait", "StopAndWait", "Shutdown", "Close")
}

// callsAtOnce reports whether a function of the standard library calls what it is given before it returns, and never
// afterwards: sorting, searching, walking, subtests.
func callsAtOnce(fn *types.Func) bool {
	if fn.Pkg() == nil {
		return false
	}
	switch fn.Pkg().Path() {
	case "sort", "slices", "maps", "strings", "bytes", "path/filepath", "io/fs":
		res := fn.Signature().Results()
		for v := range res.Variables() {
			if _, ok := v.Type().Underlying().(*types.Signature); ok {
				return false // an iterator runs later
			}
		}
		return true
	case "testing":
		return fn.Name() == "Run"
	}
	return false
}

// Memoizes reports whether the function around a place makes something once and keeps it for later calls: it compares a
// package variable, or a field of its receiver, and assigns to it. What it does serves others as well.
func (f *Flow) Memoizes(pkg *program.Package, file *program.File, pos token.Pos) bool {
	for _, n := range Path(file, pos) {
		if d, ok := n.(*ast.FuncDecl); ok {
			key := declOf{pkg, d}
			memo, known := f.memos[key]
			if !known {
				memo = f.memoizes(pkg, d)
				f.memos[key] = memo
			}
			return memo
		}
	}
	return false
}

func (f *Flow) memoizes(pkg *program.Package, d *ast.FuncDecl) bool {
	asked, stored := map[types.Object]bool{}, map[types.Object]bool{}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			ast.Inspect(n.Cond, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					if obj := sharedObject(pkg, e); obj != nil {
						asked[obj] = true
					}
				}
				return true
			})
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				if obj := sharedObject(pkg, lhs); obj != nil {
					stored[obj] = true
				}
			}
		}
		return true
	})
	for obj := range stored {
		if asked[obj] {
			return true
		}
	}
	return false
}

// sharedObject returns the package variable, or the field of the receiver, that an expression denotes or selects from; nil for others.
func sharedObject(pkg *program.Package, e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := pkg.Info.Uses[e].(*types.Var); ok && v.Parent() == pkg.Types.Scope() {
			return v
		}
	case *ast.IndexExpr:
		return sharedObject(pkg, e.X)
	case *ast.SelectorExpr:
		if id, ok := ast.Unparen(e.X).(*ast.Ident); ok {
			if v, ok := pkg.Info.Uses[id].(*types.Var); ok && v.Kind() == types.RecvVar {
				return pkg.Info.Uses[e.Sel]
			}
		}
	}
	return nil
}
