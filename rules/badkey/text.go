package badkey

import (
	"go/ast"
	"go/constant"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// ofText reports whether texts can be converted to a type: it is a slice of bytes or runes.
func ofText(t types.Type) bool {
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	elem, ok := s.Elem().Underlying().(*types.Basic)
	return ok && (elem.Kind() == types.Byte || elem.Kind() == types.Rune)
}

// byteText returns the constant text, in Go syntax, that a site converts to a slice, there or in the declaration of a variable
// that serves for nothing but keys; "" for other keys.
func (r *reporter) byteText(s *census.Site) string {
	if text := textOf(s.Pkg, s.Expr); text != "" {
		return text
	}
	id, ok := s.Expr.(*ast.Ident)
	if !ok {
		return ""
	}
	v, ok := s.Pkg.Info.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Pkg() != s.Pkg.Types || v.Exported() || !r.census.ServesAsKey(v) || r.census.MentionedUnchecked(v) {
		return ""
	}
	return textOf(s.Pkg, r.initial(v))
}

// initial returns what a variable is declared with by itself; nil for others.
func (r *reporter) initial(v *types.Var) ast.Expr {
	for _, u := range r.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] == nil {
			continue
		}
		switch p := r.census.Parent(u.File, u.Ident).(type) {
		case *ast.ValueSpec:
			if len(p.Names) == 1 && len(p.Values) == 1 {
				return ast.Unparen(p.Values[0])
			}
		case *ast.AssignStmt:
			if len(p.Lhs) == 1 && len(p.Rhs) == 1 {
				return ast.Unparen(p.Rhs[0])
			}
		}
	}
	return nil
}

// textOf returns the constant text that an expression converts to a slice, in Go syntax; "" for other expressions.
func textOf(pkg *program.Package, e ast.Expr) string {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return ""
	}
	if tv := pkg.Info.Types[call.Fun]; !tv.IsType() {
		return ""
	}
	v := pkg.Info.Types[call.Args[0]].Value
	if v == nil || v.Kind() != constant.String {
		return ""
	}
	return v.ExactString()
}
