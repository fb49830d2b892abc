package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// useContext puts the context in scope in the place of contexts that are made from nothing.
func (d *draft) useContext(in *rules.UseContext) error {
	for _, p := range in.Places {
		if err := d.usePlace(in, p); err != nil {
			return err
		}
	}
	if in.Source.Unnamed != nil {
		if err := d.nameParameter(in.File, in.Source); err != nil {
			return err
		}
	}
	note := "the work now ends with " + in.Source.Text + " and sees its values"
	if in.Source.Kind == flow.Test {
		note = "the work now ends with the " + in.Source.TestNoun() + ", just before its Cleanup functions run"
	}
	d.unit.Notes = append(d.unit.Notes, note)
	return nil
}

// usePlace replaces one expression.
func (d *draft) usePlace(in *rules.UseContext, p *rules.ContextPlace) error {
	f := in.File
	if d.commentIn(f, d.offset(f, p.Expr.Pos()), d.offset(f, p.Expr.End())) {
		return block("comment", f, p.Expr.Pos(), "a comment inside would be lost; move it")
	}
	text := p.Text
	if in.Source.Kind == flow.Framework && d.defines(in, p.Expr) != nil {
		d.splice(f, p.Expr.Pos(), p.Expr.End(), Name("context", "context", "Context"), Lit("("+text+")"))
		return nil
	}
	if as, ok := d.census.Parent(f, p.Expr).(*ast.AssignStmt); ok && as.Tok == token.ASSIGN && len(as.Lhs) == 1 && !p.Lives {
		if id, ok := as.Lhs[0].(*ast.Ident); ok && in.Pkg.Info.Uses[id] == in.Source.Var && id.Name == text {
			return d.dropOwn(f, as)
		}
	}
	if as := d.defines(in, p.Expr); as != nil && !p.Lives {
		if id, ok := as.Lhs[0].(*ast.Ident); ok && id.Name == text && (d.neverAssigned(in, id) || in.Source.Unnamed != nil && d.inBody(in, as)) {
			if d.dropOwn(f, as) == nil {
				return nil
			}
		}
	}
	if p.Lives {
		d.splice(f, p.Expr.Pos(), p.Expr.End(), Name("context", "context", "WithoutCancel"), Lit("("+text+")"))
		return nil
	}
	d.splice(f, p.Expr.Pos(), p.Expr.End(), Lit(text))
	return nil
}

// defines returns the statement v := e that an expression is the right side of, nil for others.
func (d *draft) defines(in *rules.UseContext, e ast.Expr) *ast.AssignStmt {
	parent, child := d.census.Outer(in.File, e)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || as.Tok != token.DEFINE || len(as.Lhs) != 1 || len(as.Rhs) != 1 || ast.Node(as.Rhs[0]) != child {
		return nil
	}
	return as
}

// inBody reports whether a statement stands directly in the body of a function.
func (d *draft) inBody(in *rules.UseContext, as *ast.AssignStmt) bool {
	switch d.census.Parent(in.File, d.census.Parent(in.File, as)).(type) {
	case *ast.FuncDecl, *ast.FuncLit:
		return true
	}
	return false
}

// neverAssigned reports whether a variable keeps what its declaration gives it.
func (d *draft) neverAssigned(in *rules.UseContext, id *ast.Ident) bool {
	v, ok := in.Pkg.Info.Defs[id].(*types.Var)
	return ok && !(&dropPlan{draft: d}).reassigned(v)
}

// nameParameter gives the context parameter its name, and others without a name the blank one. It is blocked where the function goes on
// declaring that name.
func (d *draft) nameParameter(f *program.File, src *flow.Source) error {
	if id := d.declaredAgain(f, src); id != nil {
		return block("name-taken", f, id.Pos(), "%s is declared here, and another context; call the parameter something else by hand", src.Text)
	}
	if len(src.Unnamed.Names) == 1 {
		id := src.Unnamed.Names[0]
		d.splice(f, id.Pos(), id.End(), Lit(src.Text))
		return nil
	}
	for _, field := range src.Type.Params.List {
		name := "_ "
		if field == src.Unnamed {
			name = src.Text + " "
		}
		d.splice(f, field.Type.Pos(), field.Type.Pos(), Lit(name))
	}
	return nil
}

// declaredAgain returns the name of a variable that is called as a parameter is to be, in the same block, and that no edit takes away.
func (d *draft) declaredAgain(f *program.File, src *flow.Source) *ast.Ident {
	var body *ast.BlockStmt
	switch fn := d.census.Parent(f, src.Type).(type) {
	case *ast.FuncDecl:
		body = fn.Body
	case *ast.FuncLit:
		body = fn.Body
	}
	if body == nil {
		return nil
	}
	for _, s := range body.List {
		as, ok := s.(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE {
			continue
		}
		for _, lhs := range as.Lhs {
			if id, ok := lhs.(*ast.Ident); ok && id.Name == src.Text && !d.edits(f, id) {
				return id
			}
		}
	}
	return nil
}

// edits reports whether an edit of the unit replaces a node, or the text around it.
func (d *draft) edits(f *program.File, n ast.Node) bool {
	return slices.ContainsFunc(d.unit.Edits, func(e Edit) bool {
		file, from, to := e.Span()
		return file == f && from <= d.offset(f, n.Pos()) && d.offset(f, n.End()) <= to
	})
}
