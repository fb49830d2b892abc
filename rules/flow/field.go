package flow

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// fieldsOf asks for the context field of a type in a package.
type fieldsOf struct {
	pkg *program.Package
	typ *types.TypeName
}

// habit returns the context field of a receiver's type that its methods pass on, if that is what the type does: at least
// two places in its methods, and there is only one such field.
func (f *Flow) habit(pkg *program.Package, recv types.Type) string {
	named, ok := types.Unalias(deref(recv)).(*types.Named)
	if !ok || named.Obj().Pkg() != pkg.Types {
		return ""
	}
	key := fieldsOf{pkg, named.Origin().Obj()}
	if name, ok := f.fields[key]; ok {
		return name
	}
	name := ""
	if st, ok := named.Underlying().(*types.Struct); ok {
		for fd := range st.Fields() {
			if !IsContext(fd.Type()) || fd.Embedded() {
				continue
			}
			if name != "" {
				name = ""
				break
			}
			if f.passedOn(fd) >= 2 {
				name = fd.Name()
			}
		}
	}
	f.fields[key] = name
	return name
}

// passedOn counts the calls that get a field as their argument.
func (f *Flow) passedOn(fd *types.Var) int {
	n := 0
	for _, u := range f.census.Uses(fd) {
		parent, child := f.census.Outer(u.File, f.census.NameExpr(u.File, u.Ident))
		if call, ok := parent.(*ast.CallExpr); ok && ast.Node(call.Fun) != child {
			n++
		}
	}
	return n
}
