package apply

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"sort"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A removedName is a name to remove from a const or var declaration.
type removedName struct {
	decl  *ast.GenDecl
	spec  *ast.ValueSpec
	name  *ast.Ident
	units []int
}

// A removedFunc is a function declaration to remove.
type removedFunc struct {
	decl  *ast.FuncDecl
	units []int
}

func (f *fileJob) addRemoveSpec(unit int, e *plan.RemoveSpec) error {
	if e.Decl == nil || e.Spec == nil || e.Name == nil || !f.holds(e.Decl) ||
		!slices.Contains(e.Decl.Specs, ast.Spec(e.Spec)) || !slices.Contains(e.Spec.Names, e.Name) {
		return fmt.Errorf("%s: name to remove is not declared in the file", f.file.Rel)
	}
	for i := range f.specs {
		if f.specs[i].name == e.Name {
			f.specs[i].units = appendUnit(f.specs[i].units, unit)
			return nil
		}
	}
	f.specs = append(f.specs, removedName{e.Decl, e.Spec, e.Name, []int{unit}})
	return nil
}

// holds reports whether a declaration, be it inside a function, is one of the file.
func (f *fileJob) holds(g *ast.GenDecl) bool {
	return slices.Contains(f.file.AST.Decls, ast.Decl(g)) || f.blockOf(g) != nil
}

// blockOf returns the block, case or communication clause that a declaration stands in;
// nil at top level.
func (f *fileJob) blockOf(g *ast.GenDecl) ast.Node {
	var block ast.Node
	for _, d := range f.file.AST.Decls {
		if g.Pos() < d.Pos() || d.End() < g.End() {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if n == nil || block != nil || n.End() < g.End() || g.Pos() < n.Pos() {
				return false
			}
			for _, s := range program.Statements(n) {
				if ds, ok := s.(*ast.DeclStmt); ok && ds.Decl == g {
					block = n
				}
			}
			return true
		})
	}
	return block
}

// markBlock tells ed where the block around a declaration begins and ends.
func (f *fileJob) markBlock(ed *lineEditor, g *ast.GenDecl) {
	switch b := f.blockOf(g).(type) {
	case *ast.BlockStmt:
		f.markLines(ed, b.Lbrace, b.Rbrace)
	case *ast.CaseClause:
		ed.opens[ed.line(f.offset(b.Colon))] = true
	case *ast.CommClause:
		ed.opens[ed.line(f.offset(b.Colon))] = true
	}
}

func (f *fileJob) addRemoveFunc(unit int, e *plan.RemoveFunc) error {
	if e.Decl == nil || !slices.Contains(f.file.AST.Decls, ast.Decl(e.Decl)) {
		return fmt.Errorf("%s: function to remove is not declared in the file", f.file.Rel)
	}
	for i := range f.funcs {
		if f.funcs[i].decl == e.Decl {
			f.funcs[i].units = appendUnit(f.funcs[i].units, unit)
			return nil
		}
	}
	f.funcs = append(f.funcs, removedFunc{e.Decl, []int{unit}})
	return nil
}

// removals returns the removals within lines as edits; whole lines go through ed.
func (f *fileJob) removals(ed *lineEditor) ([]*edit, error) {
	var cuts []*edit
	for _, fn := range f.funcs {
		start, end := f.extent(ed, fn.decl.Doc, fn.decl)
		cuts = append(cuts, f.removeRange(ed, start, end, fn.units)...)
	}
	var decls []*ast.GenDecl
	for _, s := range f.specs {
		if !slices.Contains(decls, s.decl) {
			decls = append(decls, s.decl)
		}
	}
	for _, g := range decls {
		f.markBlock(ed, g)
		r := f.blockRemoval(g)
		if err := r.check(); err != nil {
			return nil, err
		}
		more, err := r.edits(f, ed)
		if err != nil {
			return nil, err
		}
		cuts = append(cuts, more...)
	}
	return cuts, nil
}

// A blockRemoval is all that goes from one const or var declaration.
type blockRemoval struct {
	decl *ast.GenDecl
	// names holds who removes a name.
	names map[*ast.Ident][]int
}

// blockRemoval collects the removals of a declaration, nil when there are none.
func (f *fileJob) blockRemoval(g *ast.GenDecl) *blockRemoval {
	r := &blockRemoval{decl: g, names: make(map[*ast.Ident][]int)}
	for _, s := range f.specs {
		if s.decl == g {
			r.names[s.name] = s.units
		}
	}
	if len(r.names) == 0 {
		return nil
	}
	return r
}

// whole returns the units that remove a spec as a whole; ok is false when a name of it stays.
func (r *blockRemoval) whole(s ast.Spec) (units []int, ok bool) {
	vs, isValue := s.(*ast.ValueSpec)
	if !isValue {
		return nil, false
	}
	for _, n := range vs.Names {
		by, gone := r.names[n]
		if !gone {
			return nil, false
		}
		for _, u := range by {
			units = appendUnit(units, u)
		}
	}
	return units, true
}

// all returns the units when the whole declaration goes.
func (r *blockRemoval) all() (units []int, ok bool) {
	for _, s := range r.decl.Specs {
		by, gone := r.whole(s)
		if !gone {
			return nil, false
		}
		for _, u := range by {
			units = appendUnit(units, u)
		}
	}
	return units, true
}

// check refuses removals that give a remaining constant another value: through iota,
// which counts specs, or through implicit repetition of a spec that goes.
func (r *blockRemoval) check() error {
	if r.decl.Tok != token.CONST {
		return nil
	}
	var removed []int         // units of the first spec removed so far
	var source *ast.ValueSpec // the spec whose values are in force
	for _, s := range r.decl.Specs {
		vs, ok := s.(*ast.ValueSpec)
		if !ok {
			continue
		}
		implicit := len(vs.Values) == 0 && vs.Type == nil
		if !implicit {
			source = vs
		}
		units, gone := r.whole(vs)
		if gone {
			if removed == nil {
				removed = units
			}
			continue
		}
		if err := r.checkSpec(vs, source, implicit, removed); err != nil {
			return err
		}
	}
	return nil
}

// checkSpec checks a spec of which at least one name stays.
func (r *blockRemoval) checkSpec(vs, source *ast.ValueSpec, implicit bool, removed []int) error {
	first := vs.Names[0].Name
	if removed != nil && source != nil && usesIota(source) {
		return &unitsError{removed, fmt.Errorf("removing a constant before %s changes the value iota gives it", first)}
	}
	if implicit && source != nil && source != vs {
		for _, n := range source.Names {
			if units, ok := r.names[n]; ok {
				return &unitsError{units, fmt.Errorf("%s repeats the value of %s, which is to be removed", first, n.Name)}
			}
		}
	}
	if implicit {
		for _, n := range vs.Names {
			if units, ok := r.names[n]; ok {
				return &unitsError{units, fmt.Errorf("%s stands in a list that repeats the values of another line and cannot be removed alone", n.Name)}
			}
		}
	}
	return nil
}

func usesIota(s *ast.ValueSpec) bool {
	found := false
	for _, v := range s.Values {
		ast.Inspect(v, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == "iota" {
				found = true
			}
			return !found
		})
	}
	return found
}

// edits removes what the declaration loses.
func (r *blockRemoval) edits(f *fileJob, ed *lineEditor) ([]*edit, error) {
	g := r.decl
	if units, ok := r.all(); ok {
		return f.removeDecl(ed, g, units)
	}
	f.markParens(ed, g)
	var cuts []*edit
	for i, s := range g.Specs {
		vs, ok := s.(*ast.ValueSpec)
		if !ok {
			continue
		}
		if units, ok := r.whole(vs); ok {
			cuts = append(cuts, f.removeSpec(ed, g, i, vs.Doc, units)...)
			continue
		}
		cuts = append(cuts, r.cutNames(f, vs)...)
	}
	return cuts, nil
}

// markParens tells ed where the parentheses of a block are, when nothing else shares their lines.
func (f *fileJob) markParens(ed *lineEditor, g *ast.GenDecl) {
	if g.Lparen.IsValid() && g.Rparen.IsValid() {
		f.markLines(ed, g.Lparen, g.Rparen)
	}
}

func (f *fileJob) markLines(ed *lineEditor, left, right token.Pos) {
	if open, end := ed.line(f.offset(left)), ed.line(f.offset(right)); open != end {
		ed.opens[open] = true
		ed.closes[end] = true
	}
}

// removeSpec removes spec i of a declaration of which other specs remain.
func (f *fileJob) removeSpec(ed *lineEditor, g *ast.GenDecl, i int, doc *ast.CommentGroup, units []int) []*edit {
	start, end := f.extent(ed, doc, g.Specs[i])
	if ed.alone(start, end) {
		ed.removeLines(start, end, units)
		return nil
	}
	if cut := f.throughSemicolon(end); cut > end {
		return []*edit{{start: start, end: cut, units: units, removal: true}}
	}
	if i > 0 {
		// The last of a line takes the semicolon before it.
		at := start
		for at > 0 && (f.src[at-1] == ' ' || f.src[at-1] == '\t') {
			at--
		}
		if at > f.offset(g.Specs[i-1].End()) && f.src[at-1] == ';' {
			start = at - 1
		}
	}
	return []*edit{{start: start, end: end, units: units, removal: true}}
}

// throughSemicolon returns the offset after a semicolon that follows end on its line, and
// the blanks after it; end when there is none.
func (f *fileJob) throughSemicolon(end int) int {
	at := skipBlanks(f.src, end)
	if at >= len(f.src) || f.src[at] != ';' {
		return end
	}
	return skipBlanks(f.src, at+1)
}

func skipBlanks(src []byte, at int) int {
	for at < len(src) && (src[at] == ' ' || src[at] == '\t') {
		at++
	}
	return at
}

// cutNames removes some of a spec's names and their values.
func (r *blockRemoval) cutNames(f *fileJob, vs *ast.ValueSpec) []*edit {
	names := make([]ast.Node, len(vs.Names))
	gone := make([][]int, len(vs.Names))
	any := false
	for i, n := range vs.Names {
		names[i] = n
		if units, ok := r.names[n]; ok {
			gone[i], any = units, true
		}
	}
	if !any {
		return nil
	}
	if len(vs.Values) != 0 && len(vs.Values) != len(vs.Names) {
		// One call gives all the values: its result still needs a place.
		var cuts []*edit
		for i, n := range vs.Names {
			if gone[i] != nil {
				cuts = append(cuts, &edit{start: f.offset(n.Pos()), end: f.offset(n.End()), text: plan.Text{plan.Lit("_")}, units: gone[i]})
			}
		}
		return cuts
	}
	cuts := f.cutList(names, gone)
	if len(vs.Values) == len(vs.Names) {
		values := make([]ast.Node, len(vs.Values))
		for i, v := range vs.Values {
			values[i] = v
		}
		cuts = append(cuts, f.cutList(values, gone)...)
	}
	return cuts
}

// cutList removes elements of a comma-separated list, of which at least one stays.
func (f *fileJob) cutList(list []ast.Node, gone [][]int) []*edit {
	lastKept := 0
	for i := range list {
		if gone[i] == nil {
			lastKept = i
		}
	}
	var cuts []*edit
	for i, n := range list {
		if gone[i] == nil {
			continue
		}
		start, end := f.offset(n.Pos()), f.offset(n.End())
		if i < lastKept {
			end = f.offset(list[i+1].Pos())
		} else {
			start = f.offset(list[i-1].End())
		}
		cuts = append(cuts, &edit{start: start, end: end, units: gone[i], removal: true})
	}
	return cuts
}

// removeDecl removes a whole declaration. Comments that stand free in its parentheses stay.
func (f *fileJob) removeDecl(ed *lineEditor, g *ast.GenDecl, units []int) ([]*edit, error) {
	start, end := f.extent(ed, g.Doc, g)
	free := f.freeComments(ed, g)
	if len(free) == 0 {
		return f.removeRange(ed, start, end, units), nil
	}
	var cuts []*edit
	at := start
	for _, c := range free {
		from, to := f.offset(c.Pos()), f.offset(c.End())
		if !ed.alone(from, to) || !ed.alone(start, end) {
			return nil, &unitsError{units, fmt.Errorf("%s: removing the declaration would lose a comment", f.at(from))}
		}
		f.removeNonBlank(ed, at, ed.starts[ed.line(from)], units)
		for l := ed.line(from); l <= ed.line(to-1); l++ {
			if s := ed.starts[l]; f.src[s] == '\t' {
				cuts = append(cuts, &edit{start: s, end: s + 1, units: units, removal: true})
			}
		}
		at = ed.lineEnd(ed.line(to - 1))
	}
	f.removeNonBlank(ed, at, end, units)
	return cuts, nil
}

// removeNonBlank removes the lines of [start,end) that are not blank.
func (f *fileJob) removeNonBlank(ed *lineEditor, start, end int, units []int) {
	for l := ed.line(start); start < end && l <= ed.line(end-1); l++ {
		if !ed.blank(l) {
			ed.removeLines(ed.starts[l], ed.starts[l]+1, units)
		}
	}
}

// freeComments returns the comments inside the parentheses of a declaration that belong
// to no spec and do not share a line with a parenthesis.
func (f *fileJob) freeComments(ed *lineEditor, g *ast.GenDecl) []*ast.CommentGroup {
	if !g.Lparen.IsValid() {
		return nil
	}
	open, end := ed.line(f.offset(g.Lparen)), ed.line(f.offset(g.Rparen))
	var free []*ast.CommentGroup
	for _, c := range f.file.AST.Comments {
		if c.Pos() < g.Lparen || c.Pos() > g.Rparen {
			continue
		}
		if l := ed.line(f.offset(c.Pos())); l == open || l == end || ownedBySpec(g, c) {
			continue
		}
		free = append(free, c)
	}
	return free
}

func ownedBySpec(g *ast.GenDecl, c *ast.CommentGroup) bool {
	for _, s := range g.Specs {
		var doc, line *ast.CommentGroup
		switch s := s.(type) {
		case *ast.ValueSpec:
			doc, line = s.Doc, s.Comment
		case *ast.ImportSpec:
			doc, line = s.Doc, s.Comment
		}
		if c == doc || c == line || s.Pos() <= c.Pos() && c.Pos() < s.End() {
			return true
		}
	}
	return false
}

// removeRange removes [start,end), by lines when nothing else is on them.
func (f *fileJob) removeRange(ed *lineEditor, start, end int, units []int) []*edit {
	if ed.alone(start, end) {
		ed.removeLines(start, end, units)
		return nil
	}
	return []*edit{{start: start, end: f.throughSemicolon(end), units: units, removal: true}}
}

// extent returns the offsets of a node with its doc comment and the comments after it on its last line.
func (f *fileJob) extent(ed *lineEditor, doc *ast.CommentGroup, n ast.Node) (start, end int) {
	start, end = f.offset(n.Pos()), f.offset(n.End())
	if doc != nil {
		start = f.offset(doc.Pos())
	}
	return start, f.withTrailing(ed, end)
}

// withTrailing moves end over the comments that follow on the same line.
func (f *fileJob) withTrailing(ed *lineEditor, end int) int {
	comments := f.file.AST.Comments
	first := sort.Search(len(comments), func(i int) bool { return f.offset(comments[i].Pos()) >= end })
	for _, g := range comments[first:] {
		for _, c := range g.List {
			from := f.offset(c.Pos())
			at := skipBlanks(f.src, end)
			if at < len(f.src) && f.src[at] == ';' {
				at = skipBlanks(f.src, at+1)
			}
			if at != from {
				return end
			}
			end = f.offset(c.Pos()) + commentLen(f.src[from:], c)
		}
	}
	return end
}

// commentLen returns the length of a comment in the source; its Text lacks carriage returns.
func commentLen(src []byte, c *ast.Comment) int {
	if c.Text[1] == '/' {
		n := 0
		for n < len(src) && src[n] != '\n' {
			n++
		}
		if n > 0 && src[n-1] == '\r' {
			n--
		}
		return n
	}
	for n := 2; n+1 < len(src); n++ {
		if src[n] == '*' && src[n+1] == '/' {
			return n + 2
		}
	}
	return len(src)
}
