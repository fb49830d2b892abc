package plan

import (
	"bytes"
	"go/ast"
	"go/token"
	"regexp"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// dropStatement removes an assignment; the stored value stays as _ = v when computing it may have effects.
func (p *dropPlan) dropStatement(c *storeCall, as *ast.AssignStmt, valueStays bool) error {
	f := c.file
	var keep ast.Expr
	if valueStays {
		keep = c.value
	}
	if err := p.lose(f, as, keep); err != nil {
		return err
	}
	if valueStays {
		p.splice(f, as.Pos(), as.End(), Lit(p.keptAs(keep)), Keep(p.offset(f, keep.Pos()), p.offset(f, keep.End())))
		p.dropDirectives(f, as)
		return nil
	}
	if p.alone(f, as) {
		return block("empty", f, as.Pos(), "nothing else stands in the block around it; remove both by hand")
	}
	return p.dropLines(f, as, leadGoes)
}

// keptAs returns what stands before a stored value that stays: it is thrown away, or a variable gets it.
func (p *dropPlan) keptAs(value ast.Expr) string {
	if name := p.keepAs[value]; name != "" {
		return name + " := "
	}
	return "_ = "
}

// alone reports whether a statement is the only one of its block or clause.
func (p *dropPlan) alone(f *program.File, s ast.Stmt) bool {
	switch b := p.census.Parent(f, s).(type) {
	case *ast.BlockStmt:
		return len(b.List) == 1
	case *ast.CaseClause:
		return len(b.Body) == 1
	case *ast.CommClause:
		return len(b.Body) == 1
	}
	return false
}

// replace puts a part of an expression in its place.
func (p *dropPlan) replace(f *program.File, whole, stays ast.Expr) error {
	if err := p.lose(f, whole, stays); err != nil {
		return err
	}
	p.splice(f, whole.Pos(), whole.End(), Keep(p.offset(f, stays.Pos()), p.offset(f, stays.End())))
	return nil
}

// lose notes that code goes, unless a comment would go with it.
func (p *dropPlan) lose(f *program.File, n ast.Node, keep ast.Expr) error {
	from, to := p.offset(f, n.Pos()), p.offset(f, n.End())
	lost := p.commentIn(f, from, to)
	if keep != nil {
		lost = p.commentIn(f, from, p.offset(f, keep.Pos())) || p.commentIn(f, p.offset(f, keep.End()), to)
	}
	if lost {
		return block("comment", f, n.Pos(), "a comment inside would be lost; move it")
	}
	p.lost = append(p.lost, lostRange{f, n.Pos(), n.End(), keep})
	return nil
}

// insertBefore puts _ = value on a line of its own before a statement.
func (p *dropPlan) insertBefore(f *program.File, stmt ast.Stmt, value ast.Expr) error {
	at := p.offset(f, stmt.Pos())
	line := bytes.LastIndexByte(f.Src[:at], '\n') + 1
	indent := string(f.Src[line:at])
	if strings.TrimSpace(indent) != "" {
		return block("effects", f, value.Pos(), "the stored value is computed in the middle of a line, and computing it may have effects; compute it on a line of its own")
	}
	eol := "\n"
	if line > 1 && f.Src[line-2] == '\r' {
		eol = "\r\n"
	}
	text := string(f.Src[p.offset(f, value.Pos()):p.offset(f, value.End())])
	p.splice(f, stmt.Pos(), stmt.Pos(), Lit(p.keptAs(value)+text+eol+indent))
	p.kept = append(p.kept, lostRange{f, value.Pos(), value.End(), nil})
	return nil
}

// dropOwn removes a statement that would give a variable to itself. What is said above it stays, and what is said behind it on its
// line, unless it is a directive, or what was to be done and now is.
func (d *draft) dropOwn(f *program.File, as *ast.AssignStmt) error {
	c := d.commentBehind(f, as.End())
	if c == nil || lineDirective(c.Text) || toDo.MatchString(c.Text) {
		return (&dropPlan{draft: d}).dropLines(f, as, leadSaid)
	}
	src, from, to := f.Src, d.offset(f, as.Pos()), d.offset(f, c.Pos())
	if !isBlankTo(src, from) || len(bytes.TrimSpace(src[d.offset(f, as.End()):to])) > 0 {
		return block("edit", f, as.Pos(), "the line holds something else as well")
	}
	d.unit.Edits = append(d.unit.Edits, &Splice{File: f, Start: from, End: to})
	return nil
}

// toDo matches comments that say what is left to do.
var toDo = regexp.MustCompile(`(?i)\b(todo|fixme|xxx)\b`)

// dropLines removes a node that has its lines for itself, with the comment at their end. Of two blank lines that meet the one
// below goes as well. What becomes of a comment above is settled when all is planned; see leads.
func (p *dropPlan) dropLines(f *program.File, n ast.Node, lead leadMode) error {
	src := f.Src
	from, to := p.offset(f, n.Pos()), p.offset(f, n.End())
	if to < len(src) && src[to] == ';' {
		to++
	}
	for _, g := range f.AST.Comments {
		if at := p.offset(f, g.Pos()); at >= to && !bytes.ContainsRune(src[to:at], '\n') {
			if end := p.offset(f, g.End()); len(bytes.TrimSpace(src[to:at])) == 0 {
				to = end
			}
		}
	}
	start := lineStart(src, from)
	end := lineEnd(src, to)
	if len(bytes.TrimSpace(src[start:from])) > 0 || len(bytes.TrimSpace(src[to:end])) > 0 {
		return block("edit", f, n.Pos(), "the line holds something else as well")
	}
	sp := &Splice{File: f, Start: start, End: end}
	p.unit.Edits = append(p.unit.Edits, sp)
	p.dropped = append(p.dropped, &droppedLines{node: n, lead: lead, Splice: sp})
	return nil
}

// lineStart returns the offset where the line of the byte at off begins.
func lineStart(src []byte, off int) int { return bytes.LastIndexByte(src[:off], '\n') + 1 }

// lineEnd returns the offset after the line that holds the byte at off.
func lineEnd(src []byte, off int) int {
	if i := bytes.IndexByte(src[off:], '\n'); i >= 0 {
		return off + i + 1
	}
	return len(src)
}

// closes reports whether the line that starts at an offset closes a block or opens the next clause.
func closes(src []byte, at int) bool {
	line := strings.TrimSpace(string(src[at:lineEnd(src, at)]))
	return strings.HasPrefix(line, "}") || strings.HasPrefix(line, ")") || strings.HasPrefix(line, "case ") || strings.HasPrefix(line, "default:")
}

// opensOrBlank reports whether the line before an offset is blank or opens a block.
func opensOrBlank(src []byte, at int) bool {
	if at == 0 {
		return true
	}
	line := strings.TrimSpace(string(src[bytes.LastIndexByte(src[:at-1], '\n')+1 : at]))
	return line == "" || strings.HasSuffix(line, "{") || strings.HasSuffix(line, "(") || strings.HasSuffix(line, ":")
}

// goes reports whether the code at a position is removed.
func (p *dropPlan) goes(f *program.File, pos token.Pos) bool {
	for _, k := range p.kept {
		if k.file == f && k.holds(pos) {
			return false
		}
	}
	for _, r := range p.lost {
		if r.file == f && r.holds(pos) {
			return true
		}
	}
	return false
}
