package plan

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
)

// checkInstances blocks a plan where the key is an argument of a generic function that is told its built-in type.
func (kp *keyPlan) checkInstances() error {
	for _, s := range kp.spots {
		parent, child := kp.census.Outer(s.File, s.Expr)
		call, ok := parent.(*ast.CallExpr)
		if !ok {
			continue
		}
		var told []ast.Expr
		switch fun := ast.Unparen(call.Fun).(type) {
		case *ast.IndexExpr:
			told = []ast.Expr{fun.Index}
		case *ast.IndexListExpr:
			told = fun.Indices
		}
		fn := census.Callee(s.Pkg.Info, call)
		if fn == nil {
			continue
		}
		params := fn.Origin().Signature().Params()
		for i, a := range call.Args {
			if ast.Node(a) != child || i >= params.Len() {
				continue
			}
			if p, ok := params.At(i).Type().(*types.TypeParam); ok && p.Index() < len(told) && basicTypeExpr(s.Pkg, told[p.Index()]) {
				return block("forwarder", s.File, s.Expr.Pos(), "the key is handed to %s, whose type argument says %s; leave the type argument out", fn.Name(), kp.basic.Name())
			}
		}
	}
	return nil
}
