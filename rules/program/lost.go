package program

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// A parser that meets an error leaves out what follows: a line that a merge has left in conflict may take a whole
// function with it. Whoever asks where a name or a text occurs must not be told that it does not for that reason. So what
// the tokens of such a file show is put together again, roughly, in a function that is called _.

const (
	// maxLost bounds the steps that putting one file together takes; a file that somebody writes takes a few per word.
	maxLost = 20_000_000
	// lostDepth is how many calls within calls, or texts within comments, are put together as such. What is further down is mentioned
	// on its own as well.
	lostDepth = 4
	// lostChain is how many selectors, and lostCall how many tokens of a call's argument, are put together.
	lostChain = 50
	lostCall  = 1000
)

// lost returns what the tokens of a file mention, and its imports; nil, nil if they are too many to tell.
func lost(src []byte, base int) (*ast.FuncDecl, []*ast.ImportSpec) {
	l := &lostCode{base: base, seen: map[string]bool{}, body: &ast.BlockStmt{Lbrace: token.Pos(base), Rbrace: token.Pos(base)}}
	l.scan(src, 0, 0)
	if l.steps > maxLost {
		return nil, nil
	}
	at := token.Pos(base)
	return &ast.FuncDecl{
		Name: &ast.Ident{NamePos: at, Name: "_"},
		Type: &ast.FuncType{Func: at, Params: &ast.FieldList{Opening: at, Closing: at}},
		Body: l.body,
	}, l.imports
}

// addLost adds what the parser has left out of a file to its syntax, once it was type-checked.
func (f *File) addLost() {
	if f.state.lost != nil && f.AST != nil {
		f.AST.Decls, f.AST.Imports = append(f.AST.Decls, f.state.lost), append(f.AST.Imports, f.state.lostImports...)
	}
}

// parsed returns what the parser made of a file.
func (f *File) parsed() *ast.File {
	last := len(f.AST.Decls) - 1
	if f.state.lost == nil || last < 0 || f.AST.Decls[last] != ast.Decl(f.state.lost) {
		return f.AST
	}
	parsed := *f.AST
	parsed.Decls, parsed.Imports = f.AST.Decls[:last], f.AST.Imports[:len(f.AST.Imports)-len(f.state.lostImports)]
	return &parsed
}

// parseApart parses a file that is not part of the world, and adds what the parser has left out.
func (p *Program) parseApart(name string, src []byte) *ast.File {
	file, err := parser.ParseFile(p.Fset, name, src, parser.SkipObjectResolution)
	if file == nil || err == nil {
		return file
	}
	if fn, imports := lost(src, p.Fset.File(file.FileStart).Base()); fn != nil {
		file.Decls, file.Imports = append(file.Decls, fn), append(file.Imports, imports...)
	}
	return file
}

type lostCode struct {
	base    int
	tokens  []lostToken
	seen    map[string]bool // what was mentioned already, by its text
	body    *ast.BlockStmt
	imports []*ast.ImportSpec
	steps   int
}

type lostToken struct {
	pos token.Pos
	tok token.Token
	lit string
}

// scan adds what the source from an offset on mentions. A comment or text of several lines may be one only because its end, or
// that of an earlier one, is missing: what it holds is scanned too.
func (l *lostCode) scan(src []byte, offset, depth int) {
	var inner [][2]int
	for begin := offset; begin < len(src); {
		var s scanner.Scanner
		file := token.NewFileSet().AddFile("", -1, len(src)-begin)
		s.Init(file, src[begin:], func(token.Position, string) {}, scanner.ScanComments)
		l.tokens = l.tokens[:0]
		next := len(src)
		for {
			pos, tok, lit := s.Scan()
			if tok == token.EOF {
				break
			}
			at := begin + file.Offset(pos)
			long := tok == token.COMMENT && strings.HasPrefix(lit, "/*") || tok == token.STRING && strings.HasPrefix(lit, "`")
			if long && strings.Contains(lit, "\n") {
				mark := 1
				if tok == token.COMMENT {
					mark = 2
				}
				if !strings.HasSuffix(lit[mark:], map[token.Token]string{token.COMMENT: "*/", token.STRING: "`"}[tok]) {
					// It has no end, and no other one after it has.
					src, next = bytes.ReplaceAll(src, []byte("/*"), []byte("  ")), at+mark
					if tok == token.STRING {
						src[at] = ' '
					}
					break
				}
				inner = append(inner, [2]int{at + mark, at + len(lit) - mark})
			}
			if tok != token.COMMENT {
				l.tokens = append(l.tokens, lostToken{token.Pos(l.base + at), tok, lit})
			}
		}
		l.mention()
		begin = next
	}
	if depth >= lostDepth {
		return
	}
	for _, in := range inner {
		if in[0] < in[1] && in[1] <= len(src) {
			l.scan(src[:in[1]], in[0], depth+1)
		}
	}
}

// mention adds what the tokens mention.
func (l *lostCode) mention() {
	inImport, selectors := false, 0
	for i := 0; i < len(l.tokens) && l.steps <= maxLost; i++ {
		t := l.tokens[i]
		switch {
		case t.tok == token.IMPORT:
			inImport = true
		case t.tok == token.STRING && inImport:
			spec := &ast.ImportSpec{Path: &ast.BasicLit{ValuePos: t.pos, Kind: t.tok, Value: t.lit}}
			if before := l.tokens[i-1]; before.tok == token.IDENT || before.tok == token.PERIOD {
				spec.Name = &ast.Ident{NamePos: before.pos, Name: strings.TrimSpace(before.lit + map[bool]string{true: "."}[before.tok == token.PERIOD])}
			}
			l.imports = append(l.imports, spec)
		case t.tok.IsKeyword():
			inImport = false
		}
		if !isOperand(t) {
			continue
		}
		if selectors++; i < 2 || l.tokens[i-1].tok != token.PERIOD || l.tokens[i-2].tok != token.IDENT {
			selectors = 0
		}
		if selectors%lostChain != 0 {
			continue // it was put together with what comes before it
		}
		x, end := l.operand(i, 0)
		if x == nil || !l.fresh(i, end) {
			continue
		}
		l.body.List = append(l.body.List, l.statement(x, end))
	}
}

// fresh reports whether the tokens up to end, and what they are assigned, were not seen before.
func (l *lostCode) fresh(i, end int) bool {
	var b strings.Builder
	for ; i < min(end+2, len(l.tokens)); i++ {
		l.steps += 1 + len(l.tokens[i].lit)/16
		b.WriteString(l.tokens[i].tok.String())
		b.WriteString(l.tokens[i].lit)
		b.WriteByte(' ')
	}
	if l.seen[b.String()] {
		return false
	}
	l.seen[b.String()] = true
	return true
}

// statement returns a statement with x, and with what it is given as a field, a variable or a constant.
func (l *lostCode) statement(x ast.Expr, end int) ast.Stmt {
	if end+1 < len(l.tokens) && isOperand(l.tokens[end+1]) {
		y, _ := l.operand(end+1, 0)
		switch name, isName := x.(*ast.Ident); l.tokens[end].tok {
		case token.COLON:
			x = &ast.CompositeLit{Lbrace: x.Pos(), Elts: []ast.Expr{&ast.KeyValueExpr{Key: x, Colon: l.tokens[end].pos, Value: y}}, Rbrace: y.End()}
		case token.DEFINE:
			return &ast.AssignStmt{Lhs: []ast.Expr{x}, TokPos: l.tokens[end].pos, Tok: token.DEFINE, Rhs: []ast.Expr{y}}
		case token.ASSIGN:
			if lit, ok := y.(*ast.BasicLit); ok && isName {
				return &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: x.Pos(), Tok: token.CONST, Specs: []ast.Spec{
					&ast.ValueSpec{Names: []*ast.Ident{name}, Values: []ast.Expr{lit}}}}}
			}
			return &ast.AssignStmt{Lhs: []ast.Expr{x}, TokPos: l.tokens[end].pos, Tok: token.ASSIGN, Rhs: []ast.Expr{y}}
		}
	}
	return &ast.ExprStmt{X: x}
}

func isOperand(t lostToken) bool { return t.tok == token.IDENT || t.tok.IsLiteral() }

// operand returns the literal, or the name with its selectors and calls, that begins with token i, and the first token after it.
func (l *lostCode) operand(i, depth int) (ast.Expr, int) {
	t := l.tokens[i]
	if t.tok != token.IDENT {
		return &ast.BasicLit{ValuePos: t.pos, Kind: t.tok, Value: t.lit}, i + 1
	}
	var x ast.Expr = &ast.Ident{NamePos: t.pos, Name: t.lit}
	chain := 0
	for i++; i < len(l.tokens); {
		l.steps++
		switch {
		case l.tokens[i].tok == token.PERIOD && chain < lostChain && i+1 < len(l.tokens) && l.tokens[i+1].tok == token.IDENT:
			x = &ast.SelectorExpr{X: x, Sel: &ast.Ident{NamePos: l.tokens[i+1].pos, Name: l.tokens[i+1].lit}}
			i += 2
			chain++
		case l.tokens[i].tok == token.LPAREN && chain < lostChain && depth < lostDepth:
			chain++
			call := &ast.CallExpr{Fun: x, Lparen: l.tokens[i].pos}
			i = l.arguments(call, i+1, depth+1)
			x = call
		default:
			return x, i
		}
	}
	return x, i
}

// arguments fills in the arguments that begin with token i, and returns the first token after the call. A call that does not
// end is taken to end with its line.
func (l *lostCode) arguments(call *ast.CallExpr, i, depth int) int {
	for begin := i; ; {
		nested := 0
		for i < len(l.tokens) && (nested > 0 || l.tokens[i].tok != token.COMMA && l.tokens[i].tok != token.RPAREN) {
			switch l.tokens[i].tok {
			case token.LPAREN, token.LBRACK, token.LBRACE:
				nested++
			case token.RPAREN, token.RBRACK, token.RBRACE:
				nested--
			}
			if nested < 0 || nested == 0 && l.tokens[i].tok == token.SEMICOLON || i-begin > lostCall {
				break
			}
			i++
			l.steps++
		}
		if i > begin {
			call.Args = append(call.Args, l.argument(begin, i, depth))
		}
		if i >= len(l.tokens) || l.tokens[i].tok != token.COMMA {
			call.Rparen = l.tokens[min(i, len(l.tokens)-1)].pos
			return min(i+1, len(l.tokens))
		}
		i++
		begin = i
	}
}

// argument returns tokens i to end as an expression: one operand, a sum of some, or one that cannot be told.
func (l *lostCode) argument(i, end, depth int) ast.Expr {
	var sum ast.Expr
	for at := i; at < end && isOperand(l.tokens[at]); {
		x, next := l.operand(at, depth)
		if sum == nil {
			sum = x
		} else {
			sum = &ast.BinaryExpr{X: sum, OpPos: l.tokens[at-1].pos, Op: token.ADD, Y: x}
		}
		if next == end {
			return sum
		}
		if next > end || l.tokens[next].tok != token.ADD {
			break
		}
		at = next + 1
	}
	return &ast.BadExpr{From: l.tokens[i].pos, To: l.tokens[end-1].pos}
}
