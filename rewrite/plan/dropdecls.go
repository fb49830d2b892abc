package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// unusedLocals blocks the unit when a local variable would be left without use, which does not compile.
func (p *dropPlan) unusedLocals() error {
	for _, n := range p.names {
		v, ok := n.Pkg.Info.Uses[n.Ident].(*types.Var)
		if !ok || v.IsField() || v.Parent() == nil || v.Parent() == n.Pkg.Types.Scope() || !p.goes(n.File, n.Ident.Pos()) {
			continue
		}
		if p.localLeft(v) {
			return block("unused", n.File, v.Pos(), "variable %s would be left without use; remove it with what computes it", v.Name())
		}
	}
	return nil
}

// localLeft reports whether a local variable stays declared and loses its last use.
func (p *dropPlan) localLeft(v *types.Var) bool {
	for _, u := range p.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			if _, param := p.census.Parent(u.File, u.Ident).(*ast.Field); param || p.goes(u.File, u.Ident.Pos()) {
				return false
			}
			continue
		}
		if p.goes(u.File, u.Ident.Pos()) {
			continue
		}
		as, ok := p.census.Parent(u.File, u.Ident).(*ast.AssignStmt)
		if !ok || !assigns(as, u.Ident) {
			return false
		}
	}
	return true
}

func assigns(as *ast.AssignStmt, id *ast.Ident) bool {
	for _, lhs := range as.Lhs {
		if lhs == ast.Expr(id) {
			return true
		}
	}
	return false
}

// dropDecls removes the declarations of the key, and then of its type, that nothing else uses.
func (p *dropPlan) dropDecls() {
	var typeNames []*types.TypeName
	done := map[types.Object]bool{}
	for _, n := range p.names {
		obj := n.Pkg.Info.Uses[n.Ident]
		if obj == nil || done[obj] || obj.Exported() || obj.Pkg() == nil || !p.goes(n.File, n.Ident.Pos()) {
			continue
		}
		done[obj] = true
		switch obj := obj.(type) {
		case *types.TypeName:
			typeNames = append(typeNames, obj)
		case *types.Const, *types.Var:
			if tn := p.dropValue(obj); tn != nil && !done[tn] {
				done[tn] = true
				typeNames = append(typeNames, tn)
			}
		}
	}
	p.dropTypes(typeNames)
}

// dropTypes removes types that are left without use: whole declarations where nothing else is in them.
func (p *dropPlan) dropTypes(list []*types.TypeName) {
	var unused []*types.TypeName
	for _, tn := range list {
		if p.typeUnused(tn) {
			unused = append(unused, tn)
		}
	}
	done := map[*ast.GenDecl]bool{}
	for _, tn := range unused {
		f := p.prog.FileOf(tn.Pos())
		decl, spec := typeSpec(f, tn)
		if spec == nil || done[decl] {
			continue
		}
		whole := !slices.ContainsFunc(decl.Specs, func(s ast.Spec) bool {
			return !slices.ContainsFunc(unused, func(tn *types.TypeName) bool { return tn.Pos() == s.(*ast.TypeSpec).Name.Pos() })
		})
		switch {
		case whole:
			done[decl] = true
			p.dropDecl(f, decl, decl.Doc)
		case p.othersStay(decl, spec):
			p.dropDecl(f, spec, spec.Doc)
		}
	}
}

// dropValue removes an unused constant or package-level variable and returns the type it has, or points to.
func (p *dropPlan) dropValue(obj types.Object) *types.TypeName {
	if v, ok := obj.(*types.Var); ok && (v.IsField() || v.Parent() != v.Pkg().Scope()) {
		return nil
	}
	for _, u := range p.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] == nil && !p.goes(u.File, u.Ident.Pos()) {
			return nil
		}
	}
	d := p.declOf(obj)
	if d == nil || d.spec == nil || len(d.spec.Names) > 1 || uneditable(d.file) != "" || p.census.MentionedUnchecked(obj) {
		return nil
	}
	pkg := p.pkgOf(d.file)
	if _, isConst := obj.(*types.Const); isConst {
		head, chain := repetition(d)
		for _, v := range head.Values {
			if len(chain) > 1 || mentionsIota(pkg, v) {
				return nil // its place in the list gives others their value
			}
		}
	}
	for _, v := range d.spec.Values {
		if effects(pkg, v) {
			return nil
		}
	}
	p.unit.Edits = append(p.unit.Edits, &RemoveSpec{File: d.file, Decl: d.decl, Spec: d.spec, Name: d.name})
	p.lost = append(p.lost, lostRange{d.file, d.spec.Pos(), d.spec.End(), nil})
	if named, ok := types.Unalias(derefType(obj.Type())).(*types.Named); ok && !named.Obj().Exported() && p.packageOf(named.Obj()) != nil {
		return named.Obj()
	}
	return nil
}

func derefType(t types.Type) types.Type {
	if t == nil {
		return types.Typ[types.Invalid]
	}
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		return ptr.Elem()
	}
	return t
}

// typeUnused reports whether nothing is left that uses a type, which has no methods.
func (p *dropPlan) typeUnused(tn *types.TypeName) bool {
	named, ok := tn.Type().(*types.Named)
	f := p.prog.FileOf(tn.Pos())
	if p.stay[tn.Pos()] || !ok && !tn.IsAlias() || ok && !tn.IsAlias() && named.NumMethods() > 0 || f == nil || !f.World || uneditable(f) != "" || p.census.MentionedUnchecked(tn) {
		return false
	}
	for _, u := range p.census.TypeUses(tn) {
		if !p.goes(u.File, u.Ident.Pos()) {
			return false
		}
	}
	return true
}

// othersStay reports whether a type declared beside another is none that the fix of another key may remove, so that the
// parentheses are not left empty.
func (p *dropPlan) othersStay(decl *ast.GenDecl, spec *ast.TypeSpec) bool {
	keys := map[token.Pos]bool{}
	for _, k := range p.census.Keys {
		if named, ok := types.Unalias(derefType(k.GoType)).(*types.Named); ok {
			keys[named.Obj().Pos()] = true
		}
	}
	for _, s := range decl.Specs {
		if other := s.(*ast.TypeSpec); other != spec && !keys[other.Name.Pos()] {
			return true
		}
	}
	for _, k := range p.census.Keys {
		named, ok := types.Unalias(derefType(k.GoType)).(*types.Named)
		if !ok || named.Obj().Pos() == spec.Name.Pos() || named.Obj().Pos() < decl.Pos() || named.Obj().Pos() >= decl.End() {
			continue
		}
		if _, dead := p.census.Unpaired(k); !dead && p.census.SplitOf(k) == nil {
			return true
		}
	}
	return false
}

// dropDecl removes a declaration with its documentation, unless its lines hold other code.
func (p *dropPlan) dropDecl(f *program.File, n ast.Node, doc *ast.CommentGroup) {
	from := n.Pos()
	if doc != nil {
		from = doc.Pos()
	}
	if p.dropLines(f, lines{from, n.End()}, leadStays) == nil {
		p.lost = append(p.lost, lostRange{f, from, n.End(), nil})
	}
}

// lines is a range as a node.
type lines struct{ from, to token.Pos }

func (l lines) Pos() token.Pos { return l.from }
func (l lines) End() token.Pos { return l.to }

// typeSpec finds the declaration of a type at package level.
func typeSpec(f *program.File, tn *types.TypeName) (*ast.GenDecl, *ast.TypeSpec) {
	for _, d := range f.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.Pos() == tn.Pos() {
				return g, ts
			}
		}
	}
	return nil, nil
}
