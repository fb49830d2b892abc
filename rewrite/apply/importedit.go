package apply

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// ranks of chunks before one line.
const (
	rankImport = iota
	rankDecl
)

// An importEditor writes the added and removed imports of one file as edits.
type importEditor struct {
	*fileNames
	f      *fileJob
	ed     *lineEditor
	unused map[*importSpec]bool
	// into holds the additions by the declaration that takes them.
	into map[*ast.GenDecl][]*addedImport
	out  []*edit
}

// edits returns the edits for the imports; whole lines go through ed.
func (n *fileNames) edits(f *fileJob, ed *lineEditor, unused map[*importSpec]bool) []*edit {
	e := &importEditor{fileNames: n, f: f, ed: ed, unused: unused, into: make(map[*ast.GenDecl][]*addedImport)}
	added := append([]*addedImport{}, n.added...)
	sortImports(added)
	blocks, singles := e.decls()
	switch {
	case len(added) == 0:
	case len(blocks) > 0:
		for _, a := range added {
			g := e.bestGroup(a, blocks)
			d := blocks[len(blocks)-1]
			if g != nil {
				d = g.decl
			}
			e.into[d] = append(e.into[d], a)
			if g != nil {
				e.addToGroup(a, g)
			}
		}
		for _, d := range blocks {
			e.addGroups(d)
		}
	case len(singles) == 1:
		e.into[singles[0]] = added
		e.growSingle(singles[0], added)
	case len(singles) > 1:
		for _, a := range added {
			e.addSingle(a, singles)
		}
	default:
		e.addDeclaration(added)
	}
	e.remove()
	return e.out
}

// decls returns the import declarations that may take others: those with parentheses and
// those without. One that holds only "C" takes none.
func (e *importEditor) decls() (blocks, singles []*ast.GenDecl) {
	for _, d := range e.f.file.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT || onlyC(g) {
			continue
		}
		if g.Lparen.IsValid() {
			blocks = append(blocks, g)
			e.f.markParens(e.ed, g)
		} else {
			singles = append(singles, g)
		}
	}
	return blocks, singles
}

func onlyC(g *ast.GenDecl) bool {
	for _, s := range g.Specs {
		if s.(*ast.ImportSpec).Path.Value != `"C"` {
			return false
		}
	}
	return len(g.Specs) > 0
}

// related reports whether imports of two origins stand in one group.
func (e *importEditor) related(a, b origin) bool {
	return a == b || a != fromStd && b != fromStd && !e.f.job.style().ownApart
}

// Weights of what makes an import a good neighbour, above any length of a common path:
// the same origin counts most, then that it is an import with a name to use.
const (
	plainScore  = 1 << 10
	originScore = 1 << 20
)

// bestGroup returns the group of the blocks that fits an import best: one with imports
// of the same origin, then the longest common path. It is nil when none fits.
func (e *importEditor) bestGroup(a *addedImport, blocks []*ast.GenDecl) *importGroup {
	want := e.f.job.originOf(a.path)
	var best *importGroup
	bestScore := -1
	for _, g := range e.groups {
		if !hasDecl(blocks, g.decl) {
			continue
		}
		for _, s := range g.specs {
			have := e.f.job.originOf(s.path)
			if s.path == "C" || !e.related(want, have) {
				continue
			}
			score := commonElems(a.path, s.path)
			if s.plain() {
				score += plainScore
			}
			if have == want {
				score += originScore
			}
			if score > bestScore {
				best, bestScore = g, score
			}
		}
	}
	return best
}

func hasDecl(list []*ast.GenDecl, g *ast.GenDecl) bool {
	for _, d := range list {
		if d == g {
			return true
		}
	}
	return false
}

// commonElems counts the leading path elements two import paths share.
func commonElems(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// addToGroup puts an import at its sorted place in a group.
func (e *importEditor) addToGroup(a *addedImport, g *importGroup) {
	for _, s := range g.specs {
		if s.path == "C" || !a.less(s.path, s.name) {
			continue
		}
		start, end := e.f.extent(e.ed, s.spec.Doc, s.spec)
		if e.ed.alone(start, end) {
			e.addLine(e.ed.line(start), a)
		} else {
			at := e.f.offset(s.spec.Pos())
			e.out = append(e.out, &edit{start: at, end: at, text: plan.Text{plan.Lit(a.String() + "; ")}})
		}
		return
	}
	e.addAfter(g.specs[len(g.specs)-1], a)
}

// addAfter puts an import after the last one of a group.
func (e *importEditor) addAfter(s *importSpec, a *addedImport) {
	start, end := e.f.extent(e.ed, s.spec.Doc, s.spec)
	if e.ed.alone(start, end) {
		e.addLine(e.ed.line(end-1)+1, a)
		return
	}
	at := e.f.offset(s.spec.End())
	e.out = append(e.out, &edit{start: at, end: at, text: plan.Text{plan.Lit("; " + a.String())}})
}

func (e *importEditor) addLine(line int, a *addedImport) {
	e.ed.insert(line, &chunk{rank: rankImport, key: a.path + " " + a.local, text: "\t" + a.String()})
}

// addGroups adds the imports of a block that no group took as groups of their own.
func (e *importEditor) addGroups(d *ast.GenDecl) {
	var rest []*addedImport
	for _, a := range e.into[d] {
		if e.bestGroup(a, []*ast.GenDecl{d}) == nil {
			rest = append(rest, a)
		}
	}
	if len(rest) == 0 {
		return
	}
	if len(d.Specs) == 0 {
		e.fillEmpty(d, rest)
		return
	}
	for _, list := range e.f.job.grouped(rest) {
		e.addGroup(d, list)
	}
}

// fillEmpty puts imports into a block that has none.
func (e *importEditor) fillEmpty(d *ast.GenDecl, list []*addedImport) {
	open, end := e.f.offset(d.Lparen), e.f.offset(d.Rparen)
	if e.ed.closes[e.ed.line(end)] {
		e.ed.insert(e.ed.line(end), &chunk{rank: rankImport, text: e.f.job.importLines(list)})
		return
	}
	e.out = append(e.out, &edit{start: open + 1, end: end, text: plan.Text{plan.Lit("\n" + e.f.job.importLines(list) + "\n")}})
}

// addGroup adds a new group to a block: before the first group of a later rank, else at the end.
func (e *importEditor) addGroup(d *ast.GenDecl, list []*addedImport) {
	rank := e.f.job.rank(e.f.job.originOf(list[0].path))
	var last *importSpec
	for _, g := range e.groups {
		if g.decl != d {
			continue
		}
		first := g.specs[0]
		start, end := e.f.extent(e.ed, first.spec.Doc, first.spec)
		if e.f.job.rank(e.f.job.originOf(first.path)) > rank && e.ed.alone(start, end) {
			e.ed.insert(e.ed.line(start), &chunk{rank: rankImport, key: list[0].path, text: e.f.job.importLines(list), apart: true})
			return
		}
		last = g.specs[len(g.specs)-1]
	}
	start, end := e.f.extent(e.ed, last.spec.Doc, last.spec)
	if e.ed.alone(start, end) {
		e.ed.insert(e.ed.line(end-1)+1, &chunk{rank: rankImport, key: list[0].path, text: e.f.job.importLines(list), apart: true})
		return
	}
	for _, a := range list {
		e.addAfter(last, a)
	}
}

// rank orders groups of imports: the standard library first, own modules as the world has them.
func (w *world) rank(o origin) int {
	if o == fromOwn && w.style().ownFirst {
		return 1
	}
	return 2 * int(o)
}

// grouped splits sorted additions into the groups they form among themselves.
func (w *world) grouped(list []*addedImport) [][]*addedImport {
	var out [][]*addedImport
	byRank := make(map[int][]*addedImport)
	for _, a := range list {
		o := w.originOf(a.path)
		r := w.rank(o)
		if o != fromStd && !w.style().ownApart {
			r = 2 * int(fromThird)
		}
		byRank[r] = append(byRank[r], a)
	}
	for r := 0; r <= 2*int(fromOwn); r++ {
		if g := byRank[r]; g != nil {
			out = append(out, g)
		}
	}
	return out
}

// importLines writes imports as the inside of a block.
func (w *world) importLines(list []*addedImport) string {
	var groups []string
	for _, g := range w.grouped(list) {
		lines := make([]string, len(g))
		for i, a := range g {
			lines[i] = "\t" + a.String()
		}
		groups = append(groups, strings.Join(lines, "\n"))
	}
	return strings.Join(groups, "\n\n")
}

// importDecl writes imports as a declaration.
func (w *world) importDecl(list []*addedImport) string {
	if len(list) == 1 {
		return "import " + list[0].String()
	}
	return "import (\n" + w.importLines(list) + "\n)"
}

// growSingle turns the only import declaration, which has no parentheses, into a block;
// when its import goes, the additions take its place.
func (e *importEditor) growSingle(d *ast.GenDecl, added []*addedImport) {
	s := e.groupOf(d).specs[0]
	start, end := e.f.offset(s.spec.Pos()), e.f.withTrailing(e.ed, e.f.offset(s.spec.End()))
	if e.unused[s] {
		text := strings.TrimPrefix(e.f.job.importDecl(added), "import ")
		e.out = append(e.out, &edit{start: start, end: end, text: plan.Text{plan.Lit(text)}})
		return
	}
	// The old import is one of the list, to be grouped and sorted with the others.
	old := &addedImport{path: s.path, local: s.name, explicit: s.name != ""}
	all := append([]*addedImport{old}, added...)
	sortImports(all)
	before, after := "(\n", "\n"
	at := &before
	for i, g := range e.f.job.grouped(all) {
		if i > 0 {
			*at += "\n"
		}
		for _, a := range g {
			if a == old {
				*at += "\t"
				at = &after
			} else {
				*at += "\t" + a.String() + "\n"
			}
		}
	}
	after += ")"
	e.out = append(e.out,
		&edit{start: start, end: start, text: plan.Text{plan.Lit(before)}},
		&edit{start: end, end: end, text: plan.Text{plan.Lit(after)}})
}

func (e *importEditor) groupOf(d *ast.GenDecl) *importGroup {
	for _, g := range e.groups {
		if g.decl == d {
			return g
		}
	}
	return nil
}

// addSingle adds an import to a file that declares each import by itself.
func (e *importEditor) addSingle(a *addedImport, singles []*ast.GenDecl) {
	want := e.f.job.originOf(a.path)
	after := singles[len(singles)-1]
	for _, d := range singles {
		s := e.groupOf(d).specs[0]
		if !s.plain() || !e.related(want, e.f.job.originOf(s.path)) {
			continue
		}
		after = d
		if !a.less(s.path, s.name) {
			continue
		}
		if start, end := e.f.extent(e.ed, d.Doc, d); e.ed.alone(start, end) {
			e.ed.insert(e.ed.line(start), &chunk{rank: rankImport, key: a.path, text: "import " + a.String()})
			return
		}
	}
	_, end := e.f.extent(e.ed, after.Doc, after)
	e.ed.insert(e.ed.line(end-1)+1, &chunk{rank: rankImport, key: a.path, text: "import " + a.String()})
}

// addDeclaration adds the first import declaration, after that of "C" if there is one.
func (e *importEditor) addDeclaration(added []*addedImport) {
	e.ed.insert(e.f.importsEnd(e.ed), &chunk{rank: rankImport, text: e.f.job.importDecl(added), apart: true})
}

// importsEnd returns the line after the imports, or after the package clause and the
// comments that belong to it.
func (f *fileJob) importsEnd(ed *lineEditor) int {
	end := f.withTrailing(ed, f.offset(f.file.AST.Name.End()))
	var first ast.Node
	for _, d := range f.file.AST.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			end = f.withTrailing(ed, f.offset(g.End()))
		} else if first == nil {
			first = d
		}
	}
	line := ed.line(end-1) + 1
	for _, c := range f.file.AST.Comments {
		if from := f.offset(c.Pos()); from >= end && ed.line(from) == line && !isDoc(first, c) {
			last := c.List[len(c.List)-1]
			at := f.offset(last.Pos())
			line = ed.line(at+commentLen(f.src[at:], last)-1) + 1
		}
	}
	return line
}

// isDoc reports whether c is the doc comment of a declaration.
func isDoc(d ast.Node, c *ast.CommentGroup) bool {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc == c
	case *ast.GenDecl:
		return d.Doc == c
	}
	return false
}

// remove takes the unused imports away. A block that loses all goes as a whole.
func (e *importEditor) remove() {
	done := make(map[*ast.GenDecl]bool)
	for _, g := range e.groups {
		if done[g.decl] {
			continue
		}
		done[g.decl] = true
		total, gone := 0, 0
		for _, other := range e.groups {
			if other.decl != g.decl {
				continue
			}
			for _, s := range other.specs {
				total++
				if e.unused[s] {
					gone++
				}
			}
		}
		switch {
		case gone == 0:
		case !g.decl.Lparen.IsValid() && len(e.into[g.decl]) > 0: // growSingle replaced it
		case gone == total && len(e.into[g.decl]) == 0 && e.removeAll(g.decl):
		default:
			e.removeSome(g.decl)
		}
	}
}

// removeAll removes a declaration, unless that would lose a comment.
func (e *importEditor) removeAll(d *ast.GenDecl) bool {
	cuts, err := e.f.removeDecl(e.ed, d, nil)
	if err != nil {
		return false
	}
	e.out = append(e.out, cuts...)
	return true
}

// removeSome removes the unused imports of a declaration line by line. A comment above the
// first of several imports is taken for the group's and stays.
func (e *importEditor) removeSome(d *ast.GenDecl) {
	e.f.markParens(e.ed, d)
	for _, g := range e.groups {
		if g.decl != d {
			continue
		}
		for i, s := range g.specs {
			if !e.unused[s] {
				continue
			}
			doc := s.spec.Doc
			if i == 0 && len(g.specs) > 1 && g.specs[1].spec.Doc == nil {
				doc = nil
			}
			e.out = append(e.out, e.f.removeSpec(e.ed, d, s.index, doc, nil)...)
		}
	}
}
