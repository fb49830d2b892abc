package census

import (
	"go/ast"
	"go/constant"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A handing is a string constant of the world that is given to a dependency: as an argument, or in
// a literal of one of its struct types.
type handing struct {
	module string // module path of the dependency
	file   *program.File
	expr   ast.Expr
}

// addHandings notes the string constants that a call gives to a dependency.
func (ix *index) addHandings(info *types.Info, f *program.File, call *ast.CallExpr) {
	fn := Callee(info, call)
	var pkg *types.Package
	if fn != nil {
		pkg = fn.Pkg()
	} else if isConversion(info, call) {
		pkg = packageOfType(info.TypeOf(call))
	}
	for _, a := range call.Args {
		ix.addHanding(info, f, pkg, a)
	}
}

// addLiteralHandings notes the string constants in a literal of a dependency's type.
func (ix *index) addLiteralHandings(info *types.Info, f *program.File, lit *ast.CompositeLit) {
	pkg := packageOfType(info.TypeOf(lit))
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		ix.addHanding(info, f, pkg, e)
	}
}

func packageOfType(t types.Type) *types.Package {
	if t == nil {
		return nil
	}
	if named, ok := types.Unalias(deref(t)).(*types.Named); ok {
		return named.Obj().Pkg()
	}
	return nil
}

// addHanding notes an expression, and the elements of a table, given to a package outside the world.
func (ix *index) addHanding(info *types.Info, f *program.File, pkg *types.Package, e ast.Expr) {
	if pkg == nil {
		return
	}
	p := ix.cfg.Package(pkg.Path())
	if p == nil || p.World || p.DepModule == "" {
		return
	}
	if lit, ok := ast.Unparen(e).(*ast.CompositeLit); ok {
		for _, elt := range lit.Elts {
			if kv, ok := elt.(*ast.KeyValueExpr); ok {
				elt = kv.Value
			}
			ix.addHanding(info, f, pkg, elt)
		}
		return
	}
	if v := info.Types[e].Value; v != nil && v.Kind() == constant.String {
		text := constant.StringVal(v)
		ix.handed[text] = append(ix.handed[text], handing{p.DepModule, f, e})
	}
}

// opaque notes a look-up of a dependency whose key comes from where nobody can follow, inside the dependency.
func (b *builder) opaque(lk *Lookup) {
	if lk.Pkg.DepModule != "" && b.opaqueModules[lk.Pkg.DepModule] == nil {
		b.opaqueModules[lk.Pkg.DepModule] = lk
	}
}

// handedHazards judges keys whose text the world hands to a dependency that looks up keys of the
// caller's choice by a way that cannot be followed.
func (b *builder) handedHazards(k *Key) {
	if k.Const == nil || k.Const.Kind() != constant.String {
		return
	}
	for _, ix := range b.census.indexes {
		for _, h := range ix.handed[constant.StringVal(k.Const)] {
			lk := b.opaqueModules[h.module]
			if lk == nil {
				continue
			}
			k.hazard(ReasonDependency, h.file, h.expr.Pos(), "its text is handed to module %s, which %s keys that callers choose (package %s)", h.module, verb(lk.Role), lk.Pkg.Path)
			return
		}
	}
}
