package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
)

// A readCheck is the plan of one statement with unchecked reads.
type readCheck struct {
	*draft
	in *rules.CheckReads
	// fn is the innermost function around, body its list of statements that holds the statement.
	fn   *enclosing
	body []ast.Stmt
	// indent is what the statement's line begins with.
	indent string
}

// checkReads plans the two-valued form of the reads of one statement.
func (d *draft) checkReads(in *rules.CheckReads) error {
	rc := &readCheck{draft: d, in: in}
	if err := rc.surroundings(); err != nil {
		return err
	}
	exits := make([]Text, len(in.Reads))
	for i, r := range in.Reads {
		text, err := rc.exit(r)
		if err != nil {
			return err
		}
		exits[i] = text
	}
	if id, at := rc.definition(); id != nil {
		return rc.define(id, at, exits[0])
	}
	return rc.hoist(exits)
}

// surroundings looks at what stands around the statement: it must be one of a list, with lines of its own.
func (rc *readCheck) surroundings() error {
	in := rc.in
	at := in.Reads[0].Assert.Pos()
	if in.Stmt == nil {
		return block("statement", in.File, at, "the read is part of the initialisation of the package, which has no way to report an error")
	}
	rc.fn = rc.enclosingFunction(in.File, in.Pkg, in.Stmt)
	if rc.fn == nil {
		return block("statement", in.File, at, "the function around the read cannot be told")
	}
	switch p := rc.census.Parent(in.File, in.Stmt).(type) {
	case *ast.BlockStmt:
		rc.body = p.List
	case *ast.CaseClause:
		rc.body = p.Body
	case *ast.CommClause:
		rc.body = p.Body
	}
	if !slices.Contains(rc.body, in.Stmt) {
		return block("statement", in.File, at, "nothing can be put in front of the statement; read the value in a statement of its own")
	}
	src := in.File.Src
	start := rc.offset(in.File, in.Stmt.Pos())
	lineStart := strings.LastIndexByte(string(src[:start]), '\n') + 1
	rc.indent = string(src[lineStart:start])
	if strings.TrimLeft(rc.indent, " \t") != "" {
		return block("layout", in.File, at, "the statement shares its line with other code; give it a line of its own")
	}
	return nil
}

// definition returns the variable that the statement does nothing but define or declare by the read,
// and the end of its name; nil for other statements.
func (rc *readCheck) definition() (id *ast.Ident, end token.Pos) {
	if len(rc.in.Reads) != 1 {
		return nil, token.NoPos
	}
	var names []*ast.Ident
	var values []ast.Expr
	switch s := rc.in.Stmt.(type) {
	case *ast.AssignStmt:
		if id, ok := s.Lhs[0].(*ast.Ident); ok && s.Tok == token.DEFINE && len(s.Lhs) == 1 {
			names, values = []*ast.Ident{id}, s.Rhs
		}
	case *ast.DeclStmt:
		if g := s.Decl.(*ast.GenDecl); g.Tok == token.VAR && !g.Lparen.IsValid() {
			if spec := g.Specs[0].(*ast.ValueSpec); spec.Type == nil {
				names, values = spec.Names, spec.Values
			}
		}
	}
	if len(names) != 1 || len(values) != 1 || ast.Unparen(values[0]) != rc.in.Reads[0].Assert {
		return nil, token.NoPos
	}
	return names[0], names[0].End()
}

// define turns u := read into u, ok := read and handles absence below.
func (rc *readCheck) define(id *ast.Ident, at token.Pos, exit Text) error {
	f := rc.in.File
	end, err := rc.lineEnd(rc.in.Stmt.End())
	if err != nil {
		return err
	}
	ok := rc.localOK()
	rc.splice(f, at, at, Lit(", "+ok))
	rc.claim(rc.in.Reads[0])
	text := append(Text{Lit("\n" + rc.indent + "if !" + ok + " {\n" + rc.indent + "\t")}, exit...)
	text = append(text, Lit("\n"+rc.indent+"}"))
	rc.unit.Edits = append(rc.unit.Edits, &Splice{File: f, Start: end, End: end, Text: text})
	return nil
}

// claim writes the end of an assertion as it is: a fix that makes the read a call of an accessor has to wait, and finds
// a read with two values then.
func (rc *readCheck) claim(r *rules.UncheckedRead) {
	rc.splice(rc.in.File, r.Assert.Rparen, r.Assert.End(), Lit(")"))
}

// lineEnd returns the offset where the line of a position ends, if nothing but a comment follows there.
func (rc *readCheck) lineEnd(pos token.Pos) (int, error) {
	f := rc.in.File
	from := rc.offset(f, pos)
	end := len(f.Src)
	if i := strings.IndexByte(string(f.Src[from:]), '\n'); i >= 0 {
		end = from + i
	}
	rest := strings.TrimSpace(string(f.Src[from:end]))
	if rest != "" && !strings.HasPrefix(rest, "//") {
		return 0, block("layout", f, pos, "the statement shares its line with other code; give it a line of its own")
	}
	return from + len(strings.TrimRight(string(f.Src[from:end]), "\r")), nil
}

// hoist reads into variables in front of the statement.
func (rc *readCheck) hoist(exits []Text) error {
	in, f := rc.in, rc.in.File
	if err := rc.hoistable(); err != nil {
		return err
	}
	var front, rest Text
	at := rc.offset(f, in.Stmt.Pos())
	ok := rc.localOK()
	for i, r := range in.Reads {
		v := rc.localValue(r)
		from, to := rc.offset(f, r.Assert.Pos()), rc.offset(f, r.Assert.End())
		front = append(front, Lit(v+", "+ok+" := "), Keep(from, rc.offset(f, r.Assert.Rparen)), Lit(")\n"+rc.indent+"if !"+ok+" {\n"+rc.indent+"\t"))
		front = append(front, exits[i]...)
		front = append(front, Lit("\n"+rc.indent+"}\n"+rc.indent))
		rest = append(rest, Keep(at, from), Lit(v))
		at = to
	}
	rc.unit.Edits = append(rc.unit.Edits, &Splice{File: f, Start: rc.offset(f, in.Stmt.Pos()), End: at, Text: append(front, rest...)})
	return nil
}

// hoistable reports whether all reads of the statement happen once, whenever the statement is run, and before
// anything else that it does.
func (rc *readCheck) hoistable() error {
	in := rc.in
	var heads []ast.Node
	switch s := in.Stmt.(type) {
	case *ast.AssignStmt, *ast.ExprStmt, *ast.ReturnStmt, *ast.SendStmt, *ast.DeclStmt, *ast.GoStmt, *ast.DeferStmt:
		heads = []ast.Node{s}
	case *ast.IfStmt:
		if s.Init == nil {
			heads = []ast.Node{s.Cond}
		}
	case *ast.SwitchStmt:
		if s.Init == nil && s.Tag != nil {
			heads = []ast.Node{s.Tag}
		}
	case *ast.RangeStmt:
		heads = []ast.Node{s.X}
	}
	for _, r := range in.Reads {
		if !slices.ContainsFunc(heads, func(n ast.Node) bool { return n.Pos() <= r.Assert.Pos() && r.Assert.End() <= n.End() }) {
			return block("statement", in.File, r.Assert.Pos(), "nothing can be put in front of the read; read the value in a statement of its own")
		}
		if err := rc.conditional(r.Assert); err != nil {
			return err
		}
	}
	return rc.first()
}

// conditional blocks a read on the right of && or ||, which may not happen.
func (rc *readCheck) conditional(read ast.Node) error {
	for n, p := read, rc.census.Parent(rc.in.File, read); p != nil && p != ast.Node(rc.in.Stmt); n, p = p, rc.census.Parent(rc.in.File, p) {
		if b, ok := p.(*ast.BinaryExpr); ok && (b.Op == token.LAND || b.Op == token.LOR) && ast.Node(b.Y) == n {
			return block("statement", rc.in.File, read.Pos(), "the read happens only when the condition on its left asks for it; read the value in a statement of its own")
		}
	}
	return nil
}

// first blocks reads that happen after a call or receive of the same statement.
func (rc *readCheck) first() error {
	in := rc.in
	last := in.Reads[len(in.Reads)-1].Assert
	inRead := func(n ast.Node) bool {
		return slices.ContainsFunc(in.Reads, func(r *rules.UncheckedRead) bool {
			return r.Assert.Pos() <= n.Pos() && n.End() <= r.Assert.End()
		})
	}
	var found ast.Node
	ast.Inspect(in.Stmt, func(n ast.Node) bool {
		if n == nil || found != nil {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if tv := in.Pkg.Info.Types[n.Fun]; n.End() <= last.Pos() && !inRead(n) && !tv.IsType() {
				found = n
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW && n.End() <= last.Pos() && !inRead(n) {
				found = n
			}
		}
		return true
	})
	if found != nil {
		return block("statement", in.File, found.Pos(), "%s comes before the read in the same statement and would come after it; read the value in a statement of its own", types.ExprString(found.(ast.Expr)))
	}
	return nil
}
