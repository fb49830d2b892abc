package storedctx

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An at is a place in the syntax of a package.
type at struct {
	file *program.File
	pkg  *program.Package
	node ast.Node
}

// A source says where a context comes from.
type source int

const (
	unknown   source = iota
	parameter        // of the function around
	made             // from nothing, by context.Background or context.TODO
	derived          // with a cancel function
)

// source follows an expression within its function.
func (f *finder) source(u at, fn *function, e ast.Expr, depth int) source {
	if depth > 5 {
		return unknown
	}
	info := u.pkg.Info
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		if fresh(u.pkg, e) {
			return made
		}
		if tuple, ok := info.TypeOf(e).(*types.Tuple); ok && tuple.Len() > 1 && isContext(tuple.At(0).Type()) {
			return derived
		}
		if len(e.Args) > 0 && isContext(info.TypeOf(e.Args[0])) {
			return f.source(u, fn, e.Args[0], depth+1) // WithValue and the like
		}
	case *ast.Ident:
		v, ok := info.Uses[e].(*types.Var)
		if !ok {
			return unknown
		}
		found := unknown
		for p := range fn.obj.Signature().Params().Variables() {
			if p == v {
				found = parameter
			}
		}
		ast.Inspect(fn.decl.Body, func(n ast.Node) bool {
			as, ok := n.(*ast.AssignStmt)
			if !ok || as.Pos() > e.Pos() {
				return true
			}
			for i, lhs := range as.Lhs {
				id, ok := lhs.(*ast.Ident)
				if !ok || info.Uses[id] != v && info.Defs[id] != v {
					continue
				}
				rhs := as.Rhs[0]
				if len(as.Rhs) == len(as.Lhs) {
					rhs = as.Rhs[i]
				}
				if s := f.source(u, fn, rhs, depth+1); s != unknown && found != derived {
					found = s
				}
			}
			return true
		})
		return found
	}
	return unknown
}

// A function is a function declaration.
type function struct {
	decl *ast.FuncDecl
	obj  *types.Func
	// inLiteral is set when the place in hand lies in a function literal inside.
	inLiteral bool
}

// function returns the declaration around a place, nil at package level.
func (f *finder) function(u at) *function {
	fn := &function{}
	for n := f.census.Parent(u.file, u.node); n != nil; n = f.census.Parent(u.file, n) {
		switch n := n.(type) {
		case *ast.FuncLit:
			fn.inLiteral = true
		case *ast.FuncDecl:
			obj, ok := u.pkg.Info.Defs[n.Name].(*types.Func)
			if !ok || n.Body == nil {
				return nil
			}
			fn.decl, fn.obj = n, obj
			return fn
		}
	}
	return nil
}
