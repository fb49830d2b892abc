package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// effects reports whether evaluating an expression may do more than give a value: call code, receive, or panic
// otherwise than through a nil pointer.
func effects(pkg *program.Package, e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			found = found || !quietCall(pkg, n)
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.TypeAssertExpr:
			found = true
		case *ast.SliceExpr:
			found = true
		case *ast.BinaryExpr:
			found = found || n.Op == token.QUO || n.Op == token.REM || n.Op == token.SHL || n.Op == token.SHR
		case *ast.IndexExpr:
			found = found || mayPanic(pkg, n)
		}
		return !found
	})
	return found
}

// mayPanic reports whether an index expression is other than a look-up in a map or an instantiation.
func mayPanic(pkg *program.Package, e *ast.IndexExpr) bool {
	tv := pkg.Info.Types[e.X]
	if tv.Type == nil || !tv.IsValue() {
		return false
	}
	switch tv.Type.Underlying().(type) {
	case *types.Map, *types.Signature:
		return false
	}
	return true
}

// quietCall reports whether a call has no effects of its own: a conversion to a concrete type, len and the like, a
// context derived from another by a value, a context asked for.
func quietCall(pkg *program.Package, call *ast.CallExpr) bool {
	if tv := pkg.Info.Types[call.Fun]; tv.IsType() {
		return true
	}
	if tv := pkg.Info.Types[call]; tv.Value != nil {
		return true
	}
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := pkg.Info.Uses[id].(*types.Builtin); ok {
			switch b.Name() {
			case "len", "cap", "new", "min", "max", "real", "imag", "complex":
				return true
			}
			return false
		}
	}
	fn := census.Callee(pkg.Info, call)
	if fn == nil {
		return false
	}
	sig := fn.Signature()
	if sig.Recv() != nil {
		return fn.Name() == "Context" && sig.Params().Len() == 0 && sig.Results().Len() == 1 && isContextType(sig.Results().At(0).Type())
	}
	if fn.Pkg() == nil || fn.Pkg().Path() != "context" {
		return false
	}
	switch fn.Name() {
	case "Background", "TODO", "WithValue", "WithoutCancel":
		return true
	}
	return false
}
