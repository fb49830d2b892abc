package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// MayChange is why a source does not count in a function literal that runs later, or on another goroutine, than its variable gets
// another value: the literal would see that one, or read while it is written. What is in scope outside of the literal may count.
const MayChange = "its variable gets another value when the function literal has been made"

// changes reports whether a source's variable may have another value in a function literal around the place than where the literal
// is written.
func (p *finder) changes(s *Source) bool {
	return slices.ContainsFunc(s.Through, func(lit *ast.FuncLit) bool {
		return p.flow.AssignedLater(p.file, s.Var, lit) && !p.flow.atOnce(p.pkg, p.file, lit)
	})
}

// atOnce reports whether a function literal runs where it is written, and never again.
func (f *Flow) atOnce(pkg *program.Package, file *program.File, lit *ast.FuncLit) bool {
	parent, _ := f.census.Outer(file, lit)
	_, ok := parent.(*ast.CallExpr)
	return ok && f.RunOf(pkg, file, lit) == InPlace
}

// AssignedLater reports whether a variable of a function around a literal may be given another value when the literal has been made:
// behind it, by the next turn of a loop around both, by another literal, by the literal itself, or by whoever has the variable's address.
func (f *Flow) AssignedLater(file *program.File, v *types.Var, lit *ast.FuncLit) bool {
	stores := f.storesTo(v)
	if len(stores) == 0 {
		return false
	}
	again := f.repeated(file, v, lit)
	return slices.ContainsFunc(stores, func(u census.Use) bool {
		at := u.Ident.Pos()
		if u.File != file || at > lit.Pos() || again != nil && again.Pos() <= at && at < again.End() {
			return true
		}
		other := f.literalAround(file, u.Ident, v)
		return other != nil && !(other.Pos() < lit.Pos() && lit.End() <= other.End()) && !f.atOnce(u.Pkg, file, other)
	})
}

// repeated returns the outermost loop or function literal around a literal in which a variable is not declared, nil for none.
func (f *Flow) repeated(file *program.File, v *types.Var, lit *ast.FuncLit) (found ast.Node) {
	for n := f.census.Parent(file, lit); n != nil; n = f.census.Parent(file, n) {
		if n.Pos() <= v.Pos() && v.Pos() < n.End() {
			return found
		}
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.FuncLit:
			found = n
		}
	}
	return nil // declared elsewhere
}

// storesTo returns the places that give a variable another value than its declaration, or take its address.
func (f *Flow) storesTo(v *types.Var) []census.Use {
	list, known := f.stores[v]
	if known {
		return list
	}
	for _, u := range f.census.Uses(v) {
		if u.Ident.Pos() == v.Pos() {
			continue
		}
		parent, child := f.census.Outer(u.File, u.Ident)
		stores := false
		switch p := parent.(type) {
		case *ast.AssignStmt:
			stores = slices.ContainsFunc(p.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
		case *ast.RangeStmt:
			stores = p.Key == child || p.Value == child
		case *ast.UnaryExpr:
			stores = p.Op == token.AND
		}
		if stores {
			list = append(list, u)
		}
	}
	f.stores[v] = list
	return list
}
