package apply

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// An edit replaces src[start:end) of one file by text.
type edit struct {
	start, end int
	text       plan.Text
	// units are the units that want it, ascending; none for the file's own needs.
	units []int
	// removal edits swallow what the same units do inside them.
	removal bool
	// line edits insert at the start of a line, where the order of several does not matter
	// to anybody.
	line bool
	// seq is the order in which equal-ranking edits came.
	seq   int
	inner []*edit
}

func (e *edit) insertion() bool { return e.start == e.end }

// keeps reports whether a part of e copies all of [start,end).
func (e *edit) keeps(start, end int) bool {
	for _, p := range e.text {
		if isKeep(p) && p.Start <= start && end <= p.End {
			return true
		}
	}
	return false
}

func isKeep(p plan.Part) bool { return p.Ref == nil && p.Lit == "" && p.End > p.Start }

// A conflict is a pair of edits that cannot both be made.
type conflict struct{ a, b *edit }

// loser returns the units to leave out: those of the edit that came later.
func (c conflict) loser() []int {
	switch {
	case len(c.a.units) == 0:
		return c.b.units
	case len(c.b.units) == 0 || c.b.units[0] < c.a.units[0]:
		return c.a.units
	}
	return c.b.units
}

// sortEdits brings edits into the order in which nest wants them: outer ones
// first, insertions before what starts at the same place.
func sortEdits(edits []*edit) {
	for i, e := range edits {
		e.seq = i
		e.inner = nil
	}
	slices.SortFunc(edits, func(a, b *edit) int {
		switch {
		case a.start != b.start:
			return a.start - b.start
		case a.insertion() != b.insertion():
			return truth(b.insertion()) - truth(a.insertion())
		case a.insertion() && a.line != b.line:
			return truth(b.line) - truth(a.line)
		case a.end != b.end:
			return b.end - a.end
		}
		if ka, kb := a.keeps(a.start, a.end), b.keeps(b.start, b.end); ka != kb && !a.insertion() {
			return truth(kb) - truth(ka)
		}
		if first := firstUnit(a) - firstUnit(b); first != 0 {
			return first
		}
		return a.seq - b.seq
	})
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func firstUnit(e *edit) int {
	if len(e.units) == 0 {
		return -1
	}
	return e.units[0]
}

// nest arranges edits as a forest: an edit inside a range that another one keeps hangs
// below it. Equal edits become one. Edits that a removal of the same units covers vanish, and so does what two removals
// share.
func nest(src []byte, edits []*edit) (roots []*edit, conflicts []conflict) {
	sortEdits(edits)
	var stack []*edit
	var prev *edit
	for _, e := range edits {
		if prev != nil && sameEdit(prev, e) {
			for _, u := range e.units {
				prev.units = appendUnit(prev.units, u)
			}
			continue
		}
		if prev != nil && prev.insertion() && e.insertion() && prev.start == e.start &&
			!prev.line && !e.line && !shareUnit(prev, e) {
			conflicts = append(conflicts, conflict{prev, e})
			continue
		}
		for len(stack) > 0 {
			if top := stack[len(stack)-1]; e.start < top.end {
				if e.end <= top.end || !sharesRemoval(src, top, e) {
					break
				}
				e.start = top.end
			}
			stack = stack[:len(stack)-1]
		}
		if len(stack) == 0 {
			roots = append(roots, e)
		} else {
			top := stack[len(stack)-1]
			inside := e.start >= top.start && e.end <= top.end && !(e.insertion() && e.start == top.start)
			switch {
			case inside && top.removal && subset(e.units, top.units):
				continue
			case inside && top.keeps(e.start, e.end):
				top.inner = append(top.inner, e)
			default:
				conflicts = append(conflicts, conflict{top, e})
				continue
			}
		}
		prev = e
		if !e.insertion() {
			stack = append(stack, e)
		}
	}
	return roots, conflicts
}

// sharesRemoval reports whether two edits remove text, and what both remove is a blank line, or removed by one unit: each
// took the blank line between them.
func sharesRemoval(src []byte, a, b *edit) bool {
	if len(a.text) > 0 || len(b.text) > 0 || b.insertion() {
		return false
	}
	return slices.Equal(a.units, b.units) || len(bytes.TrimSpace(src[b.start:a.end])) == 0
}

func sameEdit(a, b *edit) bool {
	if a.start != b.start || a.end != b.end || a.removal != b.removal || a.line != b.line || len(a.text) != len(b.text) {
		return false
	}
	for i, p := range a.text {
		q := b.text[i]
		if p.Lit != q.Lit || p.Start != q.Start || p.End != q.End || (p.Ref == nil) != (q.Ref == nil) || p.Ref != nil && *p.Ref != *q.Ref {
			return false
		}
	}
	return true
}

func shareUnit(a, b *edit) bool {
	for _, u := range a.units {
		if slices.Contains(b.units, u) {
			return true
		}
	}
	return false
}

func subset(a, b []int) bool {
	for _, u := range a {
		if !slices.Contains(b, u) {
			return false
		}
	}
	return true
}

// walk calls f for every edit of a forest.
func walk(roots []*edit, f func(*edit)) {
	for _, e := range roots {
		f(e)
		walk(e.inner, f)
	}
}

// A kept range is a piece of the old file that stands unchanged in the new one.
type kept struct{ old, new, n int }

// A rendering is the outcome of applying edits.
type rendering struct {
	out []byte
	// kept are the pieces of the old file in out, ascending in out.
	kept []kept
	// placed are the ranges in out of the outermost edits.
	placed []span
}

// A renderer writes the result of a forest of edits.
type renderer struct {
	src []byte
	eol string
	// name gives a reference its text; pos is the offset of the edit it is part of.
	name func(ref *plan.Ref, pos int) (string, error)
	// all are the edits of the forest, outer ones before what they contain.
	all []*edit
	rendering
	depth int
}

// maxDepth bounds nesting; beyond it an edit keeps a range that contains itself.
const maxDepth = 100

var errNesting = errors.New("edit keeps a range that contains itself")

// render applies the forest of edits to src.
func (r *renderer) render(roots []*edit) (*rendering, error) {
	at := 0
	for _, e := range roots {
		r.copy(at, e.start)
		start := len(r.out)
		if err := r.edit(e); err != nil {
			return nil, err
		}
		r.placed = append(r.placed, span{start, len(r.out)})
		at = e.end
	}
	r.copy(at, len(r.src))
	return &r.rendering, nil
}

// span writes src[start:end) with the given edits, all inside it.
func (r *renderer) span(start, end int, edits []*edit) error {
	for _, e := range edits {
		r.copy(start, e.start)
		if err := r.edit(e); err != nil {
			return err
		}
		start = e.end
	}
	r.copy(start, end)
	return nil
}

func (r *renderer) copy(start, end int) {
	if start >= end {
		return
	}
	if n := len(r.kept); n > 0 && r.kept[n-1].old+r.kept[n-1].n == start && r.kept[n-1].new+r.kept[n-1].n == len(r.out) {
		r.kept[n-1].n += end - start
	} else {
		r.kept = append(r.kept, kept{start, len(r.out), end - start})
	}
	r.out = append(r.out, r.src[start:end]...)
}

func (r *renderer) edit(e *edit) error {
	if r.depth++; r.depth > maxDepth {
		return &unitsError{e.units, errNesting}
	}
	defer func() { r.depth-- }()
	for _, p := range e.text {
		switch {
		case p.Ref != nil:
			s, err := r.name(p.Ref, e.start)
			if err != nil {
				return &unitsError{e.units, err}
			}
			r.out = append(r.out, s...)
		case p.Lit != "":
			r.out = append(r.out, withEOL(p.Lit, r.eol)...)
		case isKeep(p):
			var inner []*edit
			if e.start <= p.Start && p.End <= e.end {
				inner = innerOf(e, p)
			} else {
				inner = r.foreign(p.Start, p.End)
			}
			if err := r.span(p.Start, p.End, inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// innerOf returns the inner edits of e inside its kept part p. An insertion where
// two kept ranges meet belongs to the one that starts there.
func innerOf(e *edit, p plan.Part) []*edit {
	var out []*edit
	for _, in := range e.inner {
		if in.start < p.Start || in.end > p.End {
			continue
		}
		if in.insertion() && in.start == p.End && startsPart(e, in.start) {
			continue
		}
		out = append(out, in)
	}
	return out
}

// startsPart reports whether a kept range of e starts at off.
func startsPart(e *edit, off int) bool {
	for _, p := range e.text {
		if isKeep(p) && p.Start == off {
			return true
		}
	}
	return false
}

// foreign returns the outermost edits inside a range that an edit elsewhere copies.
// What merely takes the range away does not touch the copy.
func (r *renderer) foreign(start, end int) []*edit {
	lo := sort.Search(len(r.all), func(i int) bool { return r.all[i].start >= start })
	var out []*edit
	at := start
	for _, e := range r.all[lo:] {
		if e.start > end {
			break
		}
		takesAway := e.start == start && e.end == end && len(e.text) == 0
		outer := e.insertion() && (e.start == start || e.start == end)
		if e.end <= end && e.start >= at && !takesAway && !outer {
			out = append(out, e)
			at = e.end
		}
	}
	return out
}

// withEOL gives text with LF line ends the line ends of the file.
func withEOL(s, eol string) string {
	if eol == "\n" {
		return s
	}
	return strings.ReplaceAll(s, "\n", eol)
}

// A unitsError is an error that certain units are to blame for.
type unitsError struct {
	units []int
	err   error
}

func (e *unitsError) Error() string { return e.err.Error() }
func (e *unitsError) Unwrap() error { return e.err }

// addSplice takes a splice over after checking its ranges.
func (f *fileJob) addSplice(unit int, s *plan.Splice) error {
	if s.Start < 0 || s.End < s.Start || s.End > len(f.file.Src) {
		return fmt.Errorf("%s: range %d-%d lies outside the file", f.file.Rel, s.Start, s.End)
	}
	for _, p := range s.Text {
		if isKeep(p) && (p.Start < 0 || p.End > len(f.file.Src)) {
			return fmt.Errorf("%s: kept range %d-%d lies outside the file", f.file.Rel, p.Start, p.End)
		}
	}
	if s.Start == s.End {
		// What one unit inserts at one place is one edit, so that the order within it counts
		// and another unit's equal insertion is recognised.
		for _, e := range slices.Backward(f.splices) {
			if e.units[0] != unit {
				break
			}
			if e.start == s.Start && e.end == s.End {
				if !sameEdit(e, &edit{start: s.Start, end: s.End, text: s.Text}) {
					e.text = slices.Concat(e.text, s.Text)
				}
				return nil
			}
		}
	}
	f.splices = append(f.splices, &edit{start: s.Start, end: s.End, text: s.Text, units: []int{unit}})
	return nil
}

var bom = []byte("\xef\xbb\xbf")

// A shape is what formatting must not change about a file.
type shape struct {
	bom bool
	// final is set when the last line has a line end.
	final bool
	eol   string
	// mixed is set when not all line ends are the same, or carriage returns stand elsewhere.
	mixed bool
}

func shapeOf(src []byte) shape {
	s := shape{bom: bytes.HasPrefix(src, bom), final: bytes.HasSuffix(src, []byte("\n")), eol: eolOf(src)}
	crlf, lf := bytes.Count(src, []byte("\r\n")), bytes.Count(src, []byte("\n"))
	s.mixed = crlf != 0 && crlf != lf || bytes.Count(src, []byte("\r")) != crlf
	return s
}
