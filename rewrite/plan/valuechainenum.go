package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// countsAnew reports whether the constants of a block may get other numbers when some of them go: they count up, those that stay are
// nothing but keys that importers cannot name, and nobody can see the numbers otherwise.
func (jp *joinPlan) countsAnew(d *valueDecl, goes func(*ast.Ident) bool) bool {
	pkg := jp.pkgOf(d.file)
	var named *types.Named
	for i, s := range d.decl.Specs {
		vs := s.(*ast.ValueSpec)
		if len(vs.Names) != 1 || vs.Comment != nil || (i == 0) != (len(vs.Values) == 1) || (i == 0) != (vs.Type != nil) || i == 0 && !plainIota(pkg, vs.Values[0]) {
			return false
		}
		c, ok := pkg.Info.Defs[vs.Names[0]].(*types.Const)
		if !ok || vs.Names[0].Name == "_" {
			return false
		}
		if named, ok = types.Unalias(c.Type()).(*types.Named); !ok {
			return false
		}
		if !goes(vs.Names[0]) && !jp.onlyKey(c) {
			return false
		}
	}
	return named != nil && jp.packageOf(named.Obj()) != nil && named.NumMethods() == 0 && !census.IsAPI(jp.prog, named.Obj()) &&
		!jp.census.MentionedUnchecked(named.Obj()) && !slices.ContainsFunc(jp.census.TypeUses(named.Obj()), func(u census.Use) bool {
		return u.File != d.file || u.Ident.Pos() < d.decl.Pos() || u.Ident.Pos() >= d.decl.End()
	})
}

// onlyKey reports whether a constant names a key wherever it is used, and importers cannot use it.
func (jp *joinPlan) onlyKey(c *types.Const) bool {
	return !census.IsAPI(jp.prog, c) && !jp.census.MentionedUnchecked(c) && !slices.ContainsFunc(jp.census.Uses(c), func(u census.Use) bool {
		return u.Pkg.Info.Defs[u.Ident] == nil && !jp.census.NamesKey(jp.census.NameExpr(u.File, u.Ident))
	})
}

// plainIota reports whether an expression is iota, or the sum of it and a number.
func plainIota(pkg *program.Package, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return pkg.Info.Uses[e] == types.Universe.Lookup("iota")
	case *ast.BinaryExpr:
		_, literal := ast.Unparen(e.Y).(*ast.BasicLit)
		return e.Op == token.ADD && literal && plainIota(pkg, e.X)
	}
	return false
}

// dropCounted removes constants from a block whose others count anew; the first that stays says how.
func (jp *joinPlan) dropCounted(d *valueDecl, goes func(*ast.Ident) bool) bool {
	var lost []*ast.ValueSpec
	var first *ast.ValueSpec
	for _, s := range d.decl.Specs {
		vs := s.(*ast.ValueSpec)
		switch {
		case goes(vs.Names[0]):
			lost = append(lost, vs)
		case first == nil:
			first = vs
		}
	}
	before := len(jp.unit.Edits)
	for _, vs := range lost {
		from := vs.Pos()
		if vs.Doc != nil {
			from = vs.Doc.Pos()
		}
		if jp.drop.dropLines(d.file, lines{from, vs.End()}, leadStays) != nil {
			jp.unit.Edits = jp.unit.Edits[:before]
			return false
		}
	}
	for _, vs := range lost {
		jp.drop.lost = append(jp.drop.lost, lostRange{d.file, vs.Pos(), vs.End(), nil})
	}
	if head := d.decl.Specs[0].(*ast.ValueSpec); head != first {
		jp.splice(d.file, first.End(), first.End(), Lit(" "+string(d.file.Src[jp.offset(d.file, head.Names[0].End())+1:jp.offset(d.file, head.End())])))
		jp.drop.kept = append(jp.drop.kept, lostRange{d.file, head.Names[0].End(), head.End(), nil})
	}
	jp.counted[d.decl] = true
	return true
}
