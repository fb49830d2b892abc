package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// meetTypes lets assertions name what is stored, or stores what is asserted.
func (d *draft) meetTypes(in *rules.MeetTypes) error {
	d.review = append(d.review, in.Why)
	for _, r := range in.Reads {
		if err := d.retypeRead(r, in.Type); err != nil {
			return err
		}
	}
	for _, s := range in.Stores {
		if err := d.retypeStore(s, in.Type); err != nil {
			return err
		}
	}
	return nil
}

// retypeRead writes another type into an assertion, and converts the result where only the old type can go.
func (d *draft) retypeRead(r *rules.RetypedRead, t types.Type) error {
	lk := r.Site.Lookup
	f := lk.File
	text, err := d.typeAt(f, lk.Pkg, t, r.Expr.Type.Pos())
	if err != nil {
		return err
	}
	if d.commentIn(f, d.offset(f, r.Expr.Type.Pos()), d.offset(f, r.Expr.Type.End())) {
		return block("comment", f, r.Expr.Type.Pos(), "a comment inside the type would be lost; move it")
	}
	old := f.Src[d.offset(f, r.Expr.Type.Pos()):d.offset(f, r.Expr.Type.End())]
	for _, e := range r.Back {
		if e == ast.Expr(r.Expr) {
			d.splice(f, e.Pos(), e.Pos(), Lit(string(old)+"("))
			d.splice(f, e.End(), e.End(), Lit(")"))
			continue
		}
		d.splice(f, e.Pos(), e.End(), Lit(string(old)+"("), d.keep(f, e), Lit(")"))
	}
	d.spliceText(f, r.Expr.Type.Pos(), r.Expr.Type.End(), text)
	return nil
}

// retypeStore makes a stored value one of another type.
func (d *draft) retypeStore(s *rules.RetypedStore, t types.Type) error {
	lk := s.Site.Lookup
	f, e := lk.File, lk.Value
	switch s.Form {
	case rules.StoreAddress:
		d.splice(f, e.Pos(), e.Pos(), Lit("&"))
	case rules.StoreOperand:
		inner := ast.Unparen(e)
		var operand ast.Expr
		switch x := inner.(type) {
		case *ast.UnaryExpr:
			operand = x.X
		case *ast.StarExpr:
			operand = x.X
		}
		if d.commentIn(f, d.offset(f, e.Pos()), d.offset(f, operand.Pos())) {
			return block("comment", f, e.Pos(), "a comment inside the value would be lost; move it")
		}
		d.splice(f, inner.Pos(), operand.Pos())
	case rules.StoreConverted:
		text, err := d.typeAt(f, lk.Pkg, t, e.Pos())
		if err != nil {
			return err
		}
		d.spliceText(f, e.Pos(), e.Pos(), append(text, Lit("(")))
		d.splice(f, e.End(), e.End(), Lit(")"))
	}
	return nil
}

// typeAt writes a type as the code at a place would.
func (d *draft) typeAt(f *program.File, pkg *program.Package, t types.Type, pos token.Pos) (Text, error) {
	text, ok := (&typeWriter{draft: d, home: &home{path: pkg.Path, name: pkg.Name, dir: pkg.Dir, pkg: pkg, xtest: pkg.XTest}}).typeText(t)
	if !ok {
		return nil, block("placement", f, pos, "type %s cannot be named here", types.TypeString(t, nil))
	}
	for _, p := range text {
		if p.Ref == nil || p.Ref.PkgPath != pkg.Path {
			continue
		}
		if o := lookup(place{pkg, pos}, p.Ref.Name); o == nil || o.Pkg() == nil || o.Parent() != o.Pkg().Scope() {
			return nil, block("placement", f, pos, "%s means something else here", p.Ref.Name)
		}
	}
	return text, nil
}

// partKey gives each package a private key of its own for what was one.
func (d *draft) partKey(in *rules.PartKey) error {
	homes := map[string]bool{}
	title := d.unit.Title
	for _, fam := range in.Parts {
		kp := &keyPlan{
			draft: d, fam: fam, basic: fam.Keys[0].Basic,
			byExpr:   map[ast.Expr]*spot{},
			retyped:  map[token.Pos]types.Object{},
			keys:     map[*census.Key]*keyNames{},
			replaced: map[ast.Expr]bool{}, importers: map[string]int{},
		}
		if err := kp.plan(); err != nil {
			return err
		}
		if homes[kp.home.path] {
			s := kp.spots[0]
			return block("placement", s.File, s.Expr.Pos(), "both keys would live in %s, where they would be one again", kp.home.path)
		}
		homes[kp.home.path] = true
	}
	d.unit.Title = title
	d.review = append(d.review, "what one package stores no longer hides what another one does")
	return nil
}
