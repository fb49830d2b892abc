package plan

import (
	"go/ast"
	"go/token"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// writePlaces plans the edits at every place of the record.
func (sp *structPlan) writePlaces() error {
	for _, o := range sp.rec.Origins {
		if err := sp.writeOrigin(o); err != nil {
			return err
		}
	}
	for _, e := range sp.rec.Spelled {
		if call, ok := sp.parentOf(e).(*ast.CallExpr); ok && sp.made[call] {
			continue
		}
		if err := sp.writeType(e); err != nil {
			return err
		}
	}
	for _, f := range sp.fields {
		for _, s := range f.Sets {
			if err := sp.writeSet(f, s); err != nil {
				return err
			}
		}
		for _, r := range f.Reads {
			if err := sp.writeRead(f, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeType makes an expression that names the map's type name the struct's, or a pointer to it.
func (sp *structPlan) writeType(e census.Expr) error {
	mark := ""
	if sp.rec.Pointer != nil {
		mark = "*"
		if lit, ok := sp.parentOf(e).(*ast.CompositeLit); ok && lit.Type == e.Expr {
			mark = "&"
		}
	}
	if !sp.isNamed(e) {
		sp.loses(e, e.Expr)
		return sp.replace(e.File, e.Expr.Pos(), e.Expr.End(), Lit(mark), sp.structName())
	}
	if mark != "" {
		sp.splice(e.File, e.Expr.Pos(), e.Expr.Pos(), Lit(mark))
	}
	return nil
}

// isNamed reports whether an expression is the declared name that becomes the struct's.
func (sp *structPlan) isNamed(e census.Expr) bool {
	if sp.rec.Named == nil {
		return false
	}
	var id *ast.Ident
	switch x := ast.Unparen(e.Expr).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	}
	return id != nil && e.Pkg.Info.Uses[id] != nil && e.Pkg.Info.Uses[id].Pos() == sp.rec.Named.Pos()
}

func (sp *structPlan) parentOf(e census.Expr) ast.Node {
	parent, _ := sp.census.Outer(e.File, e.Expr)
	return parent
}

func (sp *structPlan) structName() Part { return Name(sp.home.path, sp.home.name, sp.name) }

// replace plans a replacement that may not swallow a comment.
func (sp *structPlan) replace(f *program.File, from, to token.Pos, parts ...Part) error {
	if sp.commentIn(f, sp.offset(f, from), sp.offset(f, to)) {
		return block("comment", f, from, "a comment here would be lost; move it")
	}
	sp.splice(f, from, to, parts...)
	return nil
}

// loses notes that the names at package level in an expression lose this use.
func (sp *structPlan) loses(at census.Expr, e ast.Expr) {
	sp.drop.lost = append(sp.drop.lost, lostRange{at.File, e.Pos(), e.End(), nil})
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if obj := at.Pkg.Info.Uses[id]; obj != nil && sp.packageLevel(obj) {
				sp.drop.names = append(sp.drop.names, census.Use{Ident: id, File: at.File, Pkg: at.Pkg})
			}
		}
		return true
	})
}

// writeOrigin makes a literal of a call of make, or of nil.
func (sp *structPlan) writeOrigin(o *census.Origin) error {
	e := ast.Unparen(o.Expr.Expr)
	switch e := e.(type) {
	case *ast.CallExpr:
		sp.made[e] = true
	case *ast.Ident:
		if !o.Nil || e.Name != "nil" {
			return nil // a variable without a value, whose type changes
		}
	default:
		return nil // the literal stays one
	}
	mark := ""
	if sp.rec.Pointer != nil {
		mark = "&"
	}
	return sp.replace(o.File, e.Pos(), e.End(), Lit(mark), sp.structName(), Lit("{}"))
}

// writeSet makes the key of an element, or the index assigned to, a field.
func (sp *structPlan) writeSet(f *structField, s *census.FieldSet) error {
	if s.Index == nil {
		sp.loses(s.Expr, s.Key)
		return sp.replace(s.File, s.Key.Pos(), s.Key.End(), Lit(f.name))
	}
	sp.loses(s.Expr, s.Index.Index)
	return sp.replace(s.File, s.Index.X.End(), s.Index.End(), Lit("."+f.name))
}

// writeRead makes an index a field, and drops the assertion on it where the field has that type.
func (sp *structPlan) writeRead(f *structField, r *census.FieldRead) error {
	sp.loses(r.Expr, r.Index.Index)
	if !f.typed || r.Assert == nil {
		return sp.replace(r.File, r.Index.X.End(), r.Index.End(), Lit("."+f.name))
	}
	if r.Pair != nil {
		first, second := pairOf(r.Pair)
		if err := sp.replace(r.File, first.End(), second.End()); err != nil {
			return err
		}
	}
	if r.Index.Pos() == r.Assert.Pos() {
		return sp.replace(r.File, r.Index.X.End(), r.Assert.End(), Lit("."+f.name))
	}
	x := r.Index.X
	if sp.commentIn(r.File, sp.offset(r.File, r.Assert.Pos()), sp.offset(r.File, x.Pos())) || sp.commentIn(r.File, sp.offset(r.File, x.End()), sp.offset(r.File, r.Assert.End())) {
		return block("comment", r.File, r.Assert.Pos(), "a comment here would be lost; move it")
	}
	sp.splice(r.File, r.Assert.Pos(), r.Assert.End(), sp.keep(r.File, x), Lit("."+f.name))
	return nil
}

// pairOf returns the two names that a statement gives the values of an assertion.
func pairOf(n ast.Node) (first, second ast.Expr) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return n.Lhs[0], n.Lhs[1]
	case *ast.ValueSpec:
		return n.Names[0], n.Names[1]
	}
	panic("plan: no statement with two names")
}
