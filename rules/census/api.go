package census

import (
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// IsAPI reports whether other modules can name an object: it is exported, at package level or a
// method of such a type, in a package that is neither main nor internal, and not in a test.
func IsAPI(prog *program.Program, obj types.Object) bool {
	pkg := obj.Pkg()
	if prog.Single && (obj.Exported() || pkg == nil) {
		return true // to the packages around it, and through its test files to the external test
	}
	if !obj.Exported() || pkg == nil || pkg.Name() == "main" || program.IsInternal(pkg.Path()) {
		return false
	}
	if f := prog.FileOf(obj.Pos()); f != nil && f.Test {
		return false
	}
	if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
		named, ok := types.Unalias(deref(fn.Signature().Recv().Type())).(*types.Named)
		return !ok || named.Obj().Exported()
	}
	return obj.Parent() == pkg.Scope()
}
