package program

import (
	"go/ast"
	"go/token"
	"strconv"
)

// visible returns copies of the files of a dependency without those declarations that
// importers cannot see: unexported functions that no value of a variable calls. The
// files themselves may be shared with other configurations.
func visible(files []*ast.File) []*ast.File {
	called := map[string]bool{}
	for _, file := range files {
		for _, decl := range file.Decls {
			if gd, ok := decl.(*ast.GenDecl); ok {
				ast.Inspect(gd, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						called[id.Name] = true
					}
					return true
				})
			}
		}
	}
	copies := make([]*ast.File, len(files))
	for i, file := range files {
		c := *file
		c.Decls = make([]ast.Decl, 0, len(file.Decls))
		for _, decl := range file.Decls {
			fd, ok := decl.(*ast.FuncDecl)
			if !ok || fd.Recv != nil || fd.Name.IsExported() || called[fd.Name.Name] {
				c.Decls = append(c.Decls, decl)
			}
		}
		copies[i] = &c
	}
	return copies
}

// pruneValues drops those parts of the values of package-level variables that have
// no influence on types: tables, mostly, and function literals.
func pruneValues(file *ast.File) {
	for _, decl := range file.Decls {
		gd, ok := decl.(*ast.GenDecl)
		if !ok || gd.Tok != token.VAR {
			continue
		}
		for _, spec := range gd.Specs {
			vs, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			if vs.Type != nil {
				vs.Values = nil
			}
			for _, v := range vs.Values {
				pruneValue(v)
			}
		}
	}
}

func pruneValue(v ast.Expr) {
	switch v := ast.Unparen(v).(type) {
	case *ast.UnaryExpr:
		pruneValue(v.X)
	case *ast.FuncLit:
		v.Body = &ast.BlockStmt{Lbrace: v.Body.Lbrace, Rbrace: v.Body.Rbrace}
	case *ast.CompositeLit:
		if array, ok := v.Type.(*ast.ArrayType); ok && !countElements(array, v.Elts) {
			return
		}
		v.Elts = nil
	}
}

// countElements writes the number of elements into an array type that leaves it open, [...]T. It reports
// false where the elements have keys, on which the number depends.
func countElements(array *ast.ArrayType, elems []ast.Expr) bool {
	open, ok := array.Len.(*ast.Ellipsis)
	if !ok {
		return true
	}
	for _, elem := range elems {
		if _, ok := elem.(*ast.KeyValueExpr); ok {
			return false
		}
	}
	array.Len = &ast.BasicLit{ValuePos: open.Pos(), Kind: token.INT, Value: strconv.Itoa(len(elems))}
	return true
}

// blankBodies replaces what stands inside the bodies of function declarations by
// spaces, so that the parser need not build what nobody looks at. Newlines stay, and
// with them all positions.
func blankBodies(src []byte) {
	eachFunction(src, func(_, _ []byte) bool { return true })
}

// blankOtherBodies does so for functions that have nothing to do with context values.
func blankOtherBodies(src []byte) {
	eachFunction(src, func(_, body []byte) bool { return !mentionsValues(body) })
}

// eachFunction calls visit for every function declaration with a body: with what
// precedes the body and the body, braces included. Bodies are blanked where visit
// says so. The source need not be valid: where it is unclear where a body ends, the
// function is left out.
func eachFunction(src []byte, visit func(decl, body []byte) (blank bool)) {
	s := bodyScanner{src: src, last: ';', visit: visit}
	for s.i < len(s.src) {
		if !s.skipSpace() {
			return
		}
		if s.atDecl() {
			start := s.i
			s.skipIdent()
			s.function(start)
			continue
		}
		s.token()
	}
}

// A bodyScanner walks over top-level declarations, token by token as far as
// nesting and the insertion of semicolons go.
type bodyScanner struct {
	src []byte
	i   int
	// depth counts open parentheses, brackets and braces.
	depth int
	// last is the last byte of the token before i; newline tells whether the line
	// was broken since.
	last    byte
	newline bool
	// typeWord is set after the keywords struct and interface, whose braces are no body.
	typeWord bool
	visit    func(decl, body []byte) (blank bool)
}

// skipSpace moves over white space and comments; it reports whether anything follows.
func (s *bodyScanner) skipSpace() bool {
	for s.i < len(s.src) {
		switch c := s.src[s.i]; {
		case c == '\n':
			s.newline = true
			s.i++
		case c == ' ' || c == '\t' || c == '\r':
			s.i++
		case c == '/' && s.i+1 < len(s.src) && (s.src[s.i+1] == '/' || s.src[s.i+1] == '*'):
			end, broken := skipComment(s.src, s.i)
			s.i = end
			s.newline = s.newline || broken
		default:
			return true
		}
	}
	return false
}

// skipComment returns the end of the comment at i, before the newline that ends a
// line comment, and whether a general comment breaks the line.
func skipComment(src []byte, i int) (end int, broken bool) {
	if src[i+1] == '/' {
		for i < len(src) && src[i] != '\n' {
			i++
		}
		return i, false
	}
	for i += 2; i < len(src); i++ {
		if src[i] == '\n' {
			broken = true
		}
		if src[i] == '*' && i+1 < len(src) && src[i+1] == '/' {
			return i + 2, broken
		}
	}
	return len(src), broken
}

// semicolon reports whether a declaration or statement ends before the token at i.
func (s *bodyScanner) semicolon() bool {
	return s.last == ';' || s.newline && endsOperand(s.last)
}

// endsOperand reports whether a semicolon is inserted when the line ends after
// a token with this last byte. For keywords it may be wrong.
func endsOperand(c byte) bool {
	return identByte(c) || c == ')' || c == ']' || c == '}' || c == '"' || c == '`' || c == '\''
}

func identByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}

// atDecl reports whether a function declaration starts at i.
func (s *bodyScanner) atDecl() bool {
	const word = "func"
	return s.depth == 0 && s.semicolon() && s.i+len(word) < len(s.src) &&
		string(s.src[s.i:s.i+len(word)]) == word && !identByte(s.src[s.i+len(word)])
}

// token moves over one token.
func (s *bodyScanner) token() {
	c := s.src[s.i]
	s.newline = false
	if identByte(c) {
		s.skipIdent()
		return
	}
	s.typeWord = false
	s.last = c
	switch c {
	case '(', '[', '{':
		s.depth++
		s.i++
	case ')', ']', '}':
		s.depth = max(0, s.depth-1)
		s.i++
	case '"', '\'', '`':
		s.i = skipQuoted(s.src, s.i)
	default:
		s.i++
	}
}

// skipIdent moves over an identifier, keyword or number.
func (s *bodyScanner) skipIdent() {
	start := s.i
	for s.i < len(s.src) && identByte(s.src[s.i]) {
		s.i++
	}
	word := string(s.src[start:s.i])
	s.typeWord = word == "struct" || word == "interface"
	s.newline = false
	s.last = s.src[s.i-1]
}

// skipQuoted returns the end of the string or rune literal at i. An unterminated one ends
// with its line.
func skipQuoted(src []byte, i int) int {
	quote := src[i]
	for i++; i < len(src); i++ {
		switch c := src[i]; {
		case c == quote:
			return i + 1
		case quote == '`':
		case c == '\\':
			i++
		case c == '\n':
			return i
		}
	}
	return len(src)
}

// function moves over a function declaration that begins at start, from behind the
// keyword func.
func (s *bodyScanner) function(start int) {
	for s.skipSpace() {
		if s.depth == 0 && s.semicolon() {
			return // declared without a body
		}
		if s.depth > 0 || s.src[s.i] != '{' || s.typeWord {
			s.token()
			continue
		}
		end := bodyEnd(s.src, s.i)
		if end < 0 {
			s.token()
			return
		}
		if s.visit(s.src[start:s.i], s.src[s.i:end+1]) {
			for j := s.i + 1; j < end; j++ {
				if s.src[j] != '\n' {
					s.src[j] = ' '
				}
			}
		}
		s.i, s.last, s.newline = end+1, '}', false
		return
	}
}

// bodyBytes marks the bytes that matter in a function body.
var bodyBytes = [256]bool{'{': true, '}': true, '"': true, '\'': true, '`': true, '/': true}

// bodyEnd returns the index of the brace that closes the one at i, or -1.
func bodyEnd(src []byte, i int) int {
	depth := 0
	for i < len(src) {
		c := src[i]
		if !bodyBytes[c] {
			i++
			continue
		}
		switch c {
		case '{':
			depth++
			i++
		case '}':
			if depth--; depth == 0 {
				return i
			}
			i++
		case '/':
			if i+1 < len(src) && (src[i+1] == '/' || src[i+1] == '*') {
				i, _ = skipComment(src, i)
			} else {
				i++
			}
		default:
			i = skipQuoted(src, i)
		}
	}
	return -1
}
