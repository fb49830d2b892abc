package census

import (
	"go/scanner"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// partial returns the package that declares a variable at package level, if it was read in part; nil otherwise.
func (ix *index) partial(v *types.Var) *program.Package {
	if v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
		return nil
	}
	pkg := ix.cfg.Package(v.Pkg().Path())
	if pkg == nil || !pkg.Partial || ix.twice[pkg.Path] {
		return nil
	}
	return pkg
}

// assignedUnread reports whether the text of a package that was read in part assigns to a variable by that name in a function, or takes
// its address.
func (ix *index) assignedUnread(pkg *program.Package, name string) bool {
	for _, f := range pkg.Files {
		src, err := ix.prog.ReadFile(f.Name)
		if err != nil || assigns(src, name) {
			return true
		}
	}
	return false
}

// assigns reports whether a source text assigns to a variable by that name in a function, or takes its address.
func assigns(src []byte, name string) bool {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(src)), src, func(token.Position, string) {}, 0)
	depth := 0                                   // of braces
	var open []token.Token                       // brackets of all kinds
	before, last := token.ILLEGAL, token.ILLEGAL // the tokens in front of the next one
	named := false                               // the last one is the name
	for {
		_, tok, lit := s.Scan()
		if named && depth > 0 && before != token.PERIOD {
			switch {
			case before == token.AND, tok == token.ASSIGN, tok == token.INC, token.ADD_ASSIGN <= tok && tok <= token.AND_NOT_ASSIGN:
				return true
			case tok == token.COMMA && before != token.CASE && len(open) > 0 && open[len(open)-1] == token.LBRACE:
				return true // one of several on the left, or in a literal
			}
		}
		switch tok {
		case token.EOF:
			return false
		case token.LBRACE:
			depth++
			open = append(open, tok)
		case token.LPAREN, token.LBRACK:
			open = append(open, tok)
		case token.RBRACE, token.RPAREN, token.RBRACK:
			if tok == token.RBRACE {
				depth--
			}
			open = open[:max(len(open)-1, 0)]
		}
		before, last = last, tok
		named = tok == token.IDENT && lit == name
	}
}
