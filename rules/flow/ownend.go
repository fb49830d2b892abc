package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// OwnEnd reports whether a source has an end that was made for it: a deadline, a cancel function, a group. That counts as well for a request
// which the function has given such a context.
func (f *Flow) OwnEnd(pkg *program.Package, file *program.File, s *Source) bool {
	if s.Kind != Request {
		return s.Cancels
	}
	return slices.ContainsFunc(f.assignsTo(file, s.Var), func(as *ast.AssignStmt) bool {
		found := false
		ast.Inspect(as, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok || found || !Implements(pkg.Info.TypeOf(e)) {
				return !found
			}
			var o origin
			o.value(f, file, pkg, e, map[*types.Var]bool{})
			found = o.cancels
			return !found
		})
		return found
	})
}
