package plan

import (
	"bytes"
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/ctxmend/ctxmend/rules/program"
)

// leadMode says what becomes of the comment directly above lines that go.
type leadMode int

const (
	// leadStays is for what takes its documentation along by itself.
	leadStays leadMode = iota
	// leadGoes is for statements that go: what speaks of them goes as well.
	leadGoes
	// leadJoins is for statements that become part of another one: what is said of them has to stay beside it.
	leadJoins
	// leadSaid is for a statement that would give a variable to itself: what is said above it stays, unless it is what was to be done
	// and now is.
	leadSaid
)

// droppedLines are the lines of a statement or declaration that goes.
type droppedLines struct {
	*Splice
	node ast.Node
	lead leadMode
}

// leads settles what becomes of the comments above the lines that go. A directive for a linter concerns its statement alone and
// goes with it. Any other comment goes with its statement, too, unless it may speak of the statements that follow without
// a blank line; see speaksOfRest.
func (d *draft) leads() error {
	for _, l := range d.dropped {
		if err := d.takeLead(l); err != nil {
			return err
		}
	}
	for _, l := range d.dropped {
		src := l.File.Src
		if l.End < len(src) && isBlank(src, l.End) && opensOrBlank(src, d.runStart(l)) {
			l.End = lineEnd(src, l.End)
		}
	}
	return nil
}

// takeLead widens lines that go by the comment above them, or by as much of it as is a directive.
func (d *draft) takeLead(l *droppedLines) error {
	g := d.commentAbove(l.File, l.Start)
	if l.lead == leadStays || g == nil {
		return nil
	}
	run := d.run(l)
	last := run[len(run)-1]
	goes := d.endsRun(last) || !d.speaksOfRest(g, run)
	if l.lead == leadJoins {
		goes = onlyDirectives(g)
		if !goes && !d.joinsBelow(l) {
			return block("comment", l.File, g.Pos(), "the comment speaks of a statement that becomes part of another one; move it there")
		}
	}
	if l.lead == leadSaid {
		goes = goes && (onlyDirectives(g) || toDo.MatchString(g.Text()))
	}
	goes = goes && !slices.ContainsFunc(g.List, func(c *ast.Comment) bool { return wideDirective.MatchString(c.Text) })
	src := l.File.Src
	if goes {
		l.Start = lineStart(src, d.offset(l.File, g.Pos()))
		return nil
	}
	joined := true
	for _, c := range slices.Backward(g.List) {
		switch from := lineStart(src, d.offset(l.File, c.Pos())); {
		case !lineDirective(c.Text):
			joined = false
		case joined:
			l.Start = from
		default:
			d.unit.Edits = append(d.unit.Edits, &Splice{File: l.File, Start: from, End: lineEnd(src, d.offset(l.File, c.End()))})
		}
	}
	return nil
}

// dropDirectives removes the directives above and behind a statement of which only a part stays.
func (d *draft) dropDirectives(f *program.File, n ast.Node) {
	start, end := lineStart(f.Src, d.offset(f, n.Pos())), d.offset(f, n.End())
	drop := func(c *ast.Comment, from, to int) {
		if d.stale == nil {
			d.stale = map[*ast.Comment]bool{}
		}
		if !d.stale[c] {
			d.stale[c] = true
			d.unit.Edits = append(d.unit.Edits, &Splice{File: f, Start: from, End: to})
		}
	}
	if c := d.commentBehind(f, n.End()); c != nil && lineDirective(c.Text) {
		drop(c, end, d.offset(f, c.End()))
	}
	if g := d.commentAbove(f, start); g != nil {
		for _, c := range g.List {
			if lineDirective(c.Text) {
				from := lineStart(f.Src, d.offset(f, c.Pos()))
				drop(c, from, lineEnd(f.Src, from))
			}
		}
	}
}

// commentAbove returns the comment that ends on the line above an offset and has its lines for itself.
func (d *draft) commentAbove(f *program.File, start int) *ast.CommentGroup {
	for _, g := range f.AST.Comments {
		if d.offset(f, g.End()) > start {
			break
		}
		if at := d.offset(f, g.Pos()); lineEnd(f.Src, d.offset(f, g.End())) == start && len(bytes.TrimSpace(f.Src[lineStart(f.Src, at):at])) == 0 {
			return g
		}
	}
	return nil
}

// run returns lines that go with those directly below them that go as well.
func (d *draft) run(l *droppedLines) []*droppedLines {
	run := []*droppedLines{l}
	for {
		i := slices.IndexFunc(d.dropped, func(o *droppedLines) bool {
			return o.File == l.File && o.End > o.Start && lineStart(o.File.Src, d.offset(o.File, o.node.Pos())) == run[len(run)-1].End
		})
		if i < 0 {
			return run
		}
		run = append(run, d.dropped[i])
	}
}

// runStart returns where the run of lines that go which ends in the given ones begins.
func (d *draft) runStart(l *droppedLines) int {
	start := l.Start
	for {
		i := slices.IndexFunc(d.dropped, func(o *droppedLines) bool { return o.File == l.File && o.End == start })
		if i < 0 {
			return start
		}
		start = d.dropped[i].Start
	}
}

// endsRun reports whether nothing follows on the next line that a comment above could speak of: a blank line, another
// comment, the end of the block.
func (d *draft) endsRun(l *droppedLines) bool {
	src := l.File.Src
	return isBlank(src, l.End) || closes(src, l.End) || strings.HasPrefix(strings.TrimSpace(string(src[l.End:lineEnd(src, l.End)])), "//")
}

func isBlank(src []byte, at int) bool { return len(bytes.TrimSpace(src[at:lineEnd(src, at)])) == 0 }

// joinsBelow reports whether the statement that stays after some lines is edited as well, and makes what is said above both
// one comment.
func (d *draft) joinsBelow(l *droppedLines) bool {
	list := d.listAround(l)
	i := slices.IndexFunc(list, func(s ast.Stmt) bool { return ast.Node(s) == l.node })
	if i < 0 {
		return false
	}
	for _, s := range list[i+1:] {
		if slices.ContainsFunc(d.dropped, func(o *droppedLines) bool { return o.node == ast.Node(s) }) {
			continue
		}
		if !slices.ContainsFunc(d.unit.Edits, func(e Edit) bool {
			f, from, to := e.Span()
			return f == l.File && d.offset(f, s.Pos()) <= from && to <= d.offset(f, s.End())
		}) {
			return false
		}
		for l.End < len(l.File.Src) && isBlank(l.File.Src, l.End) {
			l.End = lineEnd(l.File.Src, l.End)
		}
		return true
	}
	return false
}

// listAround returns the list of statements that holds lines that go.
func (d *draft) listAround(l *droppedLines) []ast.Stmt {
	return program.Statements(d.census.Parent(l.File, l.node))
}

// below returns the statement that begins on the line after the given ones, nil for none.
func (d *draft) below(l *droppedLines) ast.Stmt {
	for _, s := range d.listAround(l) {
		if lineStart(l.File.Src, d.offset(l.File, s.Pos())) == l.End {
			return s
		}
	}
	return nil
}

// speaksOfRest reports whether a comment may speak of what follows the statements that go: it has a word of that which they lack,
// or it has no word of theirs and what follows is of the same kind.
func (d *draft) speaksOfRest(g *ast.CommentGroup, run []*droppedLines) bool {
	last := run[len(run)-1]
	next := d.below(last)
	if next == nil {
		return true // it cannot be told
	}
	gone := map[string]bool{}
	for _, l := range run {
		stmtWords(l.node, gone)
	}
	rest := map[string]bool{}
	stmtWords(firstLine(next), rest)
	speaks := map[string]bool{}
	for _, c := range g.List {
		if !lineDirective(c.Text) {
			addWords(c.Text, speaks)
		}
	}
	ofGone := false
	for w := range speaks {
		if rest[w] && !gone[w] {
			return true
		}
		ofGone = ofGone || gone[w] && !rest[w]
	}
	return !ofGone && sameShape(last.node, next)
}

// firstLine is what a comment above a statement is most likely to speak of: of compound statements their head.
func firstLine(s ast.Stmt) ast.Node {
	switch s := s.(type) {
	case *ast.IfStmt:
		return s.Cond
	case *ast.ForStmt:
		if s.Cond != nil {
			return s.Cond
		}
	case *ast.RangeStmt:
		return s.X
	case *ast.SwitchStmt:
		if s.Tag != nil {
			return s.Tag
		}
	}
	return s
}

// sameShape reports whether two statements are assignments to one variable, or of what one function returns.
func sameShape(a ast.Node, b ast.Stmt) bool {
	x, ok := a.(*ast.AssignStmt)
	y, yOK := b.(*ast.AssignStmt)
	if !ok || !yOK {
		return false
	}
	return slices.ContainsFunc(x.Lhs, func(e ast.Expr) bool {
		return slices.ContainsFunc(y.Lhs, func(f ast.Expr) bool { return sameText(e, f) })
	})
}

// stmtWords adds the words of the names and texts in a statement.
func stmtWords(n ast.Node, words map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			addWords(n.Name, words)
		case *ast.BasicLit:
			addWords(n.Value, words)
		}
		return true
	})
}

// addWords adds the words of a text in lower case; those of names are told by their capitals.
func addWords(text string, words map[string]bool) {
	var word []rune
	end := func() {
		if len(word) > 2 {
			words[strings.TrimSuffix(strings.ToLower(string(word)), "s")] = true
		}
		word = nil
	}
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case unicode.IsUpper(r) && len(word) > 0 && !unicode.IsUpper(word[len(word)-1]):
			end()
		}
		word = append(word, r)
	}
	end()
}

var (
	// directive matches comments that tell a tool something, wideDirective those that concern more than a line: a file, or a region
	// that another one closes.
	directive     = regexp.MustCompile(`^(//|/\*)\s?(nolint\b|#nosec\b)|^//[a-z0-9]+:[a-z0-9]`)
	wideDirective = regexp.MustCompile(`^//(lint:file-ignore|revive:(enable|disable)(:|\s|$))`)
)

// lineDirective reports whether a comment tells a tool about the line it stands on or above.
func lineDirective(text string) bool {
	return directive.MatchString(text) && !wideDirective.MatchString(text)
}

// onlyDirectives reports whether a comment has no words for people.
func onlyDirectives(g *ast.CommentGroup) bool {
	return !slices.ContainsFunc(g.List, func(c *ast.Comment) bool { return !lineDirective(c.Text) })
}
