package census

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// mentions looks at every place that names the key type, and at the constants of it: a value of the
// type that none of them makes or holds is none that Go code can have.
func (w *closer) mentions() {
	tn := w.ix.typeNameAt(w.typ)
	if tn == nil {
		return
	}
	if w.c.MentionedUnchecked(tn) {
		w.failMakes(nil, token.NoPos, "a file that was not type-checked mentions %s", tn.Name())
	}
	if IsAPI(w.c.Program, tn) && w.api == nil {
		w.api = tn
	}
	for _, pkg := range w.ix.naming(tn) {
		for _, u := range typeUses(w.c.Program, pkg, tn) {
			if !w.named(u) {
				w.failMakes(u.file, u.node.Pos(), "keys of the type may be made or handed on here: %s", w.excerpt(u))
			}
		}
		w.constants(pkg)
	}
}

// failMakes notes a place where the type is named and a key of any value may be made.
func (w *closer) failMakes(f *program.File, pos token.Pos, format string, args ...any) {
	if w.makes == nil {
		w.makes = &Hazard{Reason: ReasonOtherUse, Message: fmt.Sprintf(format, args...), File: f, Pos: pos}
	}
	w.fail(f, pos, format, args...)
}

// typeNameAt returns this configuration's type name declared where tn is.
func (ix *index) typeNameAt(tn *types.TypeName) *types.TypeName {
	for _, pkg := range ix.pkgs {
		if pkg.Path != tn.Pkg().Path() {
			continue
		}
		if scope := pkg.Types.Scope().Innermost(tn.Pos()); scope != nil {
			if _, obj := scope.LookupParent(tn.Name(), token.NoPos); obj != nil && obj.Pos() == tn.Pos() {
				return obj.(*types.TypeName)
			}
		}
		if obj, ok := pkg.Types.Scope().Lookup(tn.Name()).(*types.TypeName); ok && obj.Pos() == tn.Pos() {
			return obj
		}
	}
	return nil
}

// naming returns the world's packages that can name a type.
func (ix *index) naming(tn *types.TypeName) []*program.Package {
	var list []*program.Package
	for _, pkg := range ix.pkgs {
		if pkg.World && (pkg.Path == tn.Pkg().Path() || tn.Exported() && importsDirectly(pkg, tn.Pkg().Path())) {
			list = append(list, pkg)
		}
	}
	return list
}

// importsDirectly reports whether a file of a package, tests included, imports a path.
func importsDirectly(pkg *program.Package, path string) bool {
	for _, imports := range []map[string]*program.Package{pkg.Imports, pkg.TestImports} {
		for _, p := range imports {
			if p != nil && p.Path == path {
				return true
			}
		}
	}
	return false
}

// typeUses returns the mentions of a type name in a package, in order.
func typeUses(prog *program.Program, pkg *program.Package, tn *types.TypeName) []use {
	var list []use
	for id, obj := range pkg.Info.Uses {
		if o, ok := obj.(*types.TypeName); ok && o.Pos() == tn.Pos() {
			list = append(list, use{id, prog.FileOf(id.Pos()), pkg})
		}
	}
	slices.SortFunc(list, func(a, b use) int { return cmp.Compare(a.node.Pos(), b.node.Pos()) })
	return list
}

// TypeUses returns the mentions of a type of the world, its declaration not included, over all build
// configurations, each place once, by file and position.
func (c *Census) TypeUses(tn *types.TypeName) []Use {
	var list []Use
	seen := map[ast.Node]bool{}
	for _, ix := range c.indexes {
		have := ix.typeNameAt(tn)
		if have == nil {
			continue
		}
		for _, pkg := range ix.naming(have) {
			for _, u := range typeUses(c.Program, pkg, have) {
				if !seen[u.node] {
					seen[u.node] = true
					list = append(list, Use{u.node.(*ast.Ident), u.file, u.pkg})
				}
			}
		}
	}
	return list
}

// constants checks the mentions of the constants of the key type that a package declares.
func (w *closer) constants(pkg *program.Package) {
	var list []*types.Const
	for _, obj := range pkg.Info.Defs {
		if k, ok := obj.(*types.Const); ok && w.isKeyType(k.Type()) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b *types.Const) int { return cmp.Compare(a.Pos(), b.Pos()) })
	for _, k := range list {
		value := k.Val().ExactString()
		if IsAPI(w.c.Program, k) && w.valueAPI[value] == nil {
			w.valueAPI[value] = k
		}
		if w.values[value] != nil {
			continue
		}
		if k.Parent() == k.Pkg().Scope() && w.c.MentionedUnchecked(k) {
			w.values[value] = &Hazard{Reason: ReasonOtherUse, Message: "a file that was not type-checked mentions " + k.Name()}
		}
		for _, u := range w.ix.usesOf(k) {
			if !w.understood(u) {
				w.values[value] = &Hazard{Reason: ReasonOtherUse, Message: "the key is used otherwise as well: " + w.excerpt(u), File: u.file, Pos: u.node.Pos()}
				break
			}
		}
	}
}

// named reports whether a mention of the key type declares something whose own mentions are looked at, or
// makes a key that is followed.
func (w *closer) named(u use) bool {
	var node ast.Node = w.ix.nameExpr(u.file, u.node.(*ast.Ident))
	for {
		parent := w.ix.parent(u.file, node)
		switch p := parent.(type) {
		case *ast.ParenExpr, *ast.StarExpr, *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.Ellipsis:
			node = p
			continue
		case *ast.Field:
			return w.field(u, p)
		case *ast.ValueSpec:
			for _, name := range p.Names {
				if v, ok := u.pkg.Info.Defs[name].(*types.Var); ok {
					w.hold(v)
				}
			}
			return true
		case *ast.CallExpr:
			if ast.Node(p.Fun) != node && !freshPointer(u.pkg, p) {
				return false
			}
			return w.goesWhereKnown(u, p)
		case *ast.CompositeLit:
			if un, ok := w.ix.parent(u.file, p).(*ast.UnaryExpr); ok && un.Op == token.AND {
				return w.goesWhereKnown(u, un)
			}
			return w.goesWhereKnown(u, p)
		}
		return false
	}
}

// field looks at the parameter, result, receiver or struct field of the key type.
func (w *closer) field(u use, f *ast.Field) bool {
	if len(f.Names) == 0 {
		list, _ := w.ix.parent(u.file, f).(*ast.FieldList)
		switch w.ix.parent(u.file, list).(type) {
		case *ast.StructType, *ast.InterfaceType:
			return false // embedded
		}
		return true
	}
	for _, name := range f.Names {
		if v, ok := u.pkg.Info.Defs[name].(*types.Var); ok {
			w.hold(v)
		}
	}
	return true
}

// goesWhereKnown reports whether a key made by an expression is looked up in a place that is known, or
// stored where its mentions are looked at.
func (w *closer) goesWhereKnown(u use, e ast.Expr) bool {
	if w.visited[e] {
		return true
	}
	parent, child := w.ix.outer(u.file, e)
	switch p := parent.(type) {
	case *ast.ValueSpec:
		return w.valueOf(u.pkg, p.Names, p.Values, child)
	case *ast.AssignStmt:
		var names []*ast.Ident
		for _, lhs := range p.Lhs {
			id, ok := lhs.(*ast.Ident)
			if !ok {
				return false
			}
			names = append(names, id)
		}
		return w.valueOf(u.pkg, names, p.Rhs, child)
	}
	return false
}
