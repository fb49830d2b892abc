package apply

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A fileJob collects the edits of one existing file and builds its new content.
type fileJob struct {
	job   *job
	file  *program.File
	shape shape
	// src is the file's content, with a line end at its end even when the file lacks one.
	src     []byte
	splices []*edit
	specs   []removedName
	funcs   []removedFunc
	decls   []*addedDecl
}

func newFileJob(j *job, f *program.File) *fileJob {
	fj := &fileJob{job: j, file: f, shape: shapeOf(f.Src), src: f.Src}
	if !fj.shape.final {
		fj.src = slices.Concat(f.Src, []byte(fj.shape.eol))
	}
	return fj
}

// offset returns the offset of a position in the file.
func (f *fileJob) offset(pos token.Pos) int { return f.file.Tok.Offset(pos) }

// at names an offset for messages.
func (f *fileJob) at(off int) string {
	p := f.job.prog.Fset.PositionFor(f.file.Tok.Pos(min(off, f.file.Tok.Size())), false)
	return fmt.Sprintf("%s:%d:%d", f.file.Rel, p.Line, p.Column)
}

// units returns all units with an edit in the file.
func (f *fileJob) units() []int {
	var all []int
	add := func(units []int) {
		for _, u := range units {
			all = appendUnit(all, u)
		}
	}
	for _, e := range f.splices {
		add(e.units)
	}
	for _, s := range f.specs {
		add(s.units)
	}
	for _, fn := range f.funcs {
		add(fn.units)
	}
	for _, d := range f.decls {
		add(d.units)
	}
	return all
}

// only returns a copy of f with the edits of one unit.
func (f *fileJob) only(unit int) *fileJob {
	c := *f
	one := []int{unit}
	has := func(units []int) bool { return slices.Contains(units, unit) }
	c.splices, c.specs, c.funcs, c.decls = nil, nil, nil, nil
	for _, e := range f.splices {
		if has(e.units) {
			c.splices = append(c.splices, &edit{start: e.start, end: e.end, text: e.text, units: one})
		}
	}
	for _, s := range f.specs {
		if has(s.units) {
			s.units = one
			c.specs = append(c.specs, s)
		}
	}
	for _, fn := range f.funcs {
		if has(fn.units) {
			fn.units = one
			c.funcs = append(c.funcs, fn)
		}
	}
	for _, d := range f.decls {
		if has(d.units) {
			c.decls = append(c.decls, &addedDecl{AddDecl: d.AddDecl, units: one})
		}
	}
	return &c
}

// blame fails the units responsible for an error: those it names, else those that fail on
// their own, else all of the file.
func (f *fileJob) blame(err error) {
	var conflicts *conflictError
	if errors.As(err, &conflicts) {
		conflicts.blame(f)
		return
	}
	var named *unitsError
	if errors.As(err, &named) && len(named.units) > 0 {
		f.job.failAll(named.units, named.err)
		return
	}
	units := f.units()
	alone := false
	if len(units) > 1 {
		for _, u := range units {
			if _, err := f.only(u).build(); err != nil {
				f.job.fail(u, err)
				alone = true
			}
		}
	}
	if !alone {
		f.job.failAll(units, err)
	}
}

// A conflictError says which edits of a file exclude each other.
type conflictError struct{ conflicts []conflict }

func (e *conflictError) Error() string { return "edits exclude each other" }

// blame fails the later unit of each conflict, unless the earlier one falls itself.
func (e *conflictError) blame(f *fileJob) {
	falls := make(map[int]bool)
	for _, c := range e.conflicts {
		winner, loser := c.a, c.b
		if slices.Equal(c.loser(), c.a.units) {
			winner, loser = c.b, c.a
		}
		if len(winner.units) > 0 && falls[winner.units[0]] {
			continue
		}
		err := fmt.Errorf("%s: %s", f.at(loser.start), "edit overlaps another one of the same unit")
		if len(winner.units) == 0 {
			err = fmt.Errorf("%s: edit overlaps a change of the imports", f.at(loser.start))
		} else if !shareUnit(winner, loser) {
			err = fmt.Errorf("%s: edit overlaps one of unit %s", f.at(loser.start), f.job.units[winner.units[0]].ID)
		}
		for _, u := range c.loser() {
			falls[u] = true
			f.job.fail(u, err)
		}
	}
	if len(falls) == 0 {
		f.job.failAll(f.units(), e)
	}
}

// build returns the new content of the file. It changes nothing of f.
func (f *fileJob) build() ([]byte, error) {
	names, err := f.planNames()
	if err != nil {
		return nil, err
	}
	res, planned, err := f.renderWith(names, nil)
	if err != nil {
		return nil, err
	}
	unused, err := names.unused(f, res.out)
	if err != nil {
		return nil, err
	}
	if len(unused) > 0 {
		if res, planned, err = f.renderWith(names, unused); err != nil {
			return nil, err
		}
		// An edit may have made another import of one that goes.
		if _, err := parser.ParseFile(token.NewFileSet(), "", res.out, parser.SkipObjectResolution); err != nil {
			return nil, fmt.Errorf("%s does not parse without the imports that are no longer used: %w", f.file.Rel, err)
		}
	}
	if err := f.guard(res, planned); err != nil {
		return nil, err
	}
	out, err := f.format(res)
	if err != nil {
		return nil, err
	}
	if !f.shape.final {
		out = bytes.TrimSuffix(out, []byte(f.shape.eol))
	}
	return out, nil
}

// planNames finds out which names the surviving edits refer to and by which local names
// the file knows or will know their packages.
func (f *fileJob) planNames() (*fileNames, error) {
	edits, err := f.contentEdits(newLineEditor(f.src))
	if err != nil {
		return nil, err
	}
	roots, conflicts := nest(f.src, edits)
	if len(conflicts) > 0 {
		return nil, &conflictError{conflicts}
	}
	var uses []refUse
	walk(roots, func(e *edit) {
		for _, p := range e.text {
			if p.Ref != nil {
				uses = append(uses, refUse{*p.Ref, e.start, e.units})
			}
		}
	})
	for _, d := range f.decls {
		for _, r := range declRefs(d.Decl) {
			uses = append(uses, refUse{r, packageLevel, d.units})
		}
	}
	return f.chooseNames(uses)
}

// contentEdits returns the splices and removals; whole lines go through ed.
func (f *fileJob) contentEdits(ed *lineEditor) ([]*edit, error) {
	edits := make([]*edit, 0, len(f.splices))
	for _, e := range f.splices {
		edits = append(edits, &edit{start: e.start, end: e.end, text: e.text, units: e.units})
	}
	cuts, err := f.removals(ed)
	if err != nil {
		return nil, err
	}
	return append(append(edits, cuts...), ed.edits()...), nil
}

// renderWith builds the content without formatting. The imports in unused are removed.
func (f *fileJob) renderWith(names *fileNames, unused map[*importSpec]bool) (*rendering, []*edit, error) {
	ed := newLineEditor(f.src)
	edits := make([]*edit, 0, len(f.splices))
	for _, e := range f.splices {
		edits = append(edits, &edit{start: e.start, end: e.end, text: e.text, units: e.units})
	}
	cuts, err := f.removals(ed)
	if err != nil {
		return nil, nil, err
	}
	added, err := f.declEdits(ed, names)
	if err != nil {
		return nil, nil, err
	}
	imports := names.edits(f, ed, unused)
	edits = slices.Concat(edits, cuts, added, imports, ed.edits())
	roots, conflicts := nest(f.src, edits)
	if len(conflicts) > 0 {
		return nil, nil, &conflictError{conflicts}
	}
	var live []*edit
	walk(roots, func(e *edit) { live = append(live, e) })
	r := &renderer{src: f.src, eol: f.shape.eol, all: live, name: func(ref *plan.Ref, pos int) (string, error) {
		return names.text(*ref, pos)
	}}
	res, err := r.render(roots)
	return res, roots, err
}

// hasLineDirectives reports whether positions in the file are redefined by comments.
func hasLineDirectives(f *ast.File) bool {
	for _, g := range f.Comments {
		for _, c := range g.List {
			if strings.HasPrefix(c.Text, "//line ") || strings.HasPrefix(c.Text, "/*line ") {
				return true
			}
		}
	}
	return false
}
