package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/astutil"

	"github.com/ctxmend/ctxmend/rules/program"
)

// parenthesise puts parentheses around composite literals of named types that the edits bring into the head of an if, for or
// switch: there a brace behind a name opens the body.
func (d *draft) parenthesise() {
	for _, e := range d.unit.Edits {
		s, ok := e.(*Splice)
		if !ok || len(s.Text) == 0 || s.File == nil || s.File.Tok == nil {
			continue
		}
		if !slices.ContainsFunc(s.Text, func(p Part) bool { return p.Ref != nil }) || !inHeader(s.File, s.File.Tok.Pos(s.Start)) {
			continue
		}
		if lit := literalOfType(s); lit != nil {
			s.Text = append(Text{Lit("(")}, s.Text...)
			end := d.offset(s.File, lit.End())
			d.unit.Edits = append(d.unit.Edits, &Splice{File: s.File, Start: end, End: end, Text: Text{Lit(")")}})
			continue
		}
		s.Text = withParens(s.Text)
	}
}

// withParens puts parentheses around each reference in a text that a brace follows, up to the brace that closes it, where the text
// has none around it.
func withParens(text Text) Text {
	var out Text
	depth, opened, within := 0, false, 0
	for i, p := range text {
		within += strings.Count(p.Lit, "(") - strings.Count(p.Lit, ")")
		if p.Ref != nil && depth == 0 && within == 0 && i+1 < len(text) && strings.HasPrefix(text[i+1].Lit, "{") {
			out = append(out, Lit("("))
			opened = true
		}
		if p.Lit == "" || !opened {
			out = append(out, p)
			continue
		}
		for at := 0; at < len(p.Lit); at++ {
			switch p.Lit[at] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if opened && depth == 0 {
				p.Lit = p.Lit[:at+1] + ")" + p.Lit[at+1:]
				opened = false
				break
			}
		}
		out = append(out, p)
	}
	return out
}

// literalOfType returns the composite literal whose type a splice replaces, nil for others.
func literalOfType(s *Splice) *ast.CompositeLit {
	path := pathAt(s.File, s.File.Tok.Pos(s.Start))
	for _, n := range path {
		if lit, ok := n.(*ast.CompositeLit); ok && lit.Type != nil && s.File.Tok.Offset(lit.Type.Pos()) == s.Start && s.File.Tok.Offset(lit.Type.End()) == s.End {
			return lit
		}
	}
	return nil
}

// pathAt returns the nodes around a position, innermost first.
func pathAt(f *program.File, pos token.Pos) []ast.Node {
	file := *f.AST
	i, _ := slices.BinarySearchFunc(file.Decls, pos, func(d ast.Decl, pos token.Pos) int { return cmp.Compare(d.End(), pos+1) })
	if i < len(file.Decls) {
		// All of a long file, and of a long function, would be gone through for each of its places.
		file.Decls = []ast.Decl{narrowed(file.Decls[i], pos)}
	}
	path, _ := astutil.PathEnclosingInterval(&file, pos, pos+1)
	return path
}

// narrowed returns a function declaration with no other statement in its body than the one around a position.
func narrowed(d ast.Decl, pos token.Pos) ast.Decl {
	fd, ok := d.(*ast.FuncDecl)
	if !ok || fd.Body == nil {
		return d
	}
	i, _ := slices.BinarySearchFunc(fd.Body.List, pos, func(s ast.Stmt, pos token.Pos) int { return cmp.Compare(s.End(), pos+1) })
	if i == len(fd.Body.List) || fd.Body.List[i].Pos() > pos {
		return d
	}
	decl, body := *fd, *fd.Body
	decl.Body, body.List = &body, body.List[i:i+1]
	return &decl
}

// inHeader reports whether a brace behind a name at a position would open the body of a statement.
func inHeader(f *program.File, pos token.Pos) bool {
	var child ast.Node
	for _, n := range pathAt(f, pos) {
		switch n := n.(type) {
		case *ast.ParenExpr, *ast.FuncLit, *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, *ast.GenDecl:
			return false
		case *ast.CompositeLit:
			if pos > n.Lbrace {
				return false
			}
		case *ast.CallExpr:
			if pos > n.Lparen {
				return false
			}
		case *ast.IndexExpr:
			if pos > n.Lbrack {
				return false
			}
		case *ast.IfStmt:
			return child != n.Body && child != n.Else
		case *ast.ForStmt:
			return child != n.Body
		case *ast.RangeStmt:
			return child != n.Body
		case *ast.SwitchStmt:
			return child != n.Body
		case *ast.TypeSwitchStmt:
			return child != n.Body
		}
		child = n
	}
	return false
}
