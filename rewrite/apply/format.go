package apply

import (
	"bytes"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"sort"
)

// A span is a range of offsets.
type span struct{ start, end int }

// format gives the result the layout of gofmt if the file had it. It refuses what changes
// more than white space, or white space far from the edits.
func (f *fileJob) format(res *rendering) ([]byte, error) {
	if f.shape.mixed {
		return res.out, nil
	}
	before, _ := normal(f.src, nil)
	if clean, err := format.Source(before); err != nil || !bytes.Equal(clean, before) {
		return res.out, nil
	}
	after, inserted := normal(res.out, res.inserted(len(f.src)))
	clean, err := gofmt(after)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.file.Rel, err)
	}
	if !bytes.Equal(clean, after) {
		if err := allowed(after, clean, inserted); err != nil {
			return nil, fmt.Errorf("%s: gofmt would change more than the edit: %w", f.file.Rel, err)
		}
	}
	if f.shape.eol == "\r\n" {
		clean = bytes.ReplaceAll(clean, []byte("\n"), []byte("\r\n"))
	}
	if f.shape.bom {
		clean = append(bytes.Clone(bom), clean...)
	}
	return clean, nil
}

// gofmt formats until nothing changes any more.
func gofmt(src []byte) ([]byte, error) {
	for range 3 {
		out, err := format.Source(src)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(out, src) {
			return out, nil
		}
		src = out
	}
	return nil, fmt.Errorf("gofmt does not settle on a layout")
}

// inserted returns the ranges of the result that are not copies of the old file, those
// where something was taken away included. oldSize is the old file's length.
func (r *rendering) inserted(oldSize int) []span {
	var spans []span
	at, oldAt := 0, 0
	for _, k := range r.kept {
		if k.new > 0 || k.old > 0 {
			spans = append(spans, span{at, k.new})
		}
		at, oldAt = k.new+k.n, k.old+k.n
	}
	if at < len(r.out) || oldAt < oldSize {
		spans = append(spans, span{at, len(r.out)})
	}
	return spans
}

// normal returns src without byte order mark and carriage returns at line ends, and
// spans in terms of it.
func normal(src []byte, spans []span) ([]byte, []span) {
	lost := 0
	if bytes.HasPrefix(src, bom) {
		lost = len(bom)
	}
	out := make([]byte, 0, len(src))
	var dropped []int // offsets of dropped bytes
	for i := lost; i < len(src); i++ {
		if src[i] == '\r' && i+1 < len(src) && src[i+1] == '\n' {
			dropped = append(dropped, i)
			continue
		}
		out = append(out, src[i])
	}
	shift := func(off int) int {
		return max(0, off-lost-sort.SearchInts(dropped, off))
	}
	moved := make([]span, len(spans))
	for i, s := range spans {
		moved[i] = span{shift(s.start), shift(s.end)}
	}
	return out, moved
}

// A layout knows where gofmt may change white space.
type layout struct {
	// edited are the declarations with an edit and what was inserted elsewhere.
	edited []span
	// aligned are the runs of lines without a blank one that touch them.
	aligned []span
}

func layoutOf(src []byte, inserted []span) (*layout, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	tf := fset.File(file.FileStart)
	l := &layout{edited: append([]span{}, inserted...)}
	for _, d := range file.Decls {
		s := span{tf.Offset(d.Pos()), tf.Offset(d.End())}
		for _, in := range inserted {
			if in.start <= s.end && s.start <= in.end {
				l.edited = append(l.edited, s)
				break
			}
		}
	}
	for _, s := range l.edited {
		l.aligned = append(l.aligned, paragraph(src, s))
	}
	return l, nil
}

// paragraph extends a range to whole lines, and on to the next blank line on both sides.
func paragraph(src []byte, s span) span {
	start := lineStart(src, s.start)
	for start > 0 && !blankAt(src, lineStart(src, start-1)) {
		start = lineStart(src, start-1)
	}
	end := lineStart(src, s.end)
	for end < len(src) && !blankAt(src, end) {
		i := bytes.IndexByte(src[end:], '\n')
		if i < 0 {
			return span{start, len(src)}
		}
		end += i + 1
	}
	return span{start, max(end, s.end)}
}

func lineStart(src []byte, off int) int { return bytes.LastIndexByte(src[:off], '\n') + 1 }

// blankAt reports whether the line that starts at off is blank.
func blankAt(src []byte, off int) bool {
	line := src[off:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	return len(bytes.TrimSpace(line)) == 0
}

func covered(list []span, start, end int) bool {
	for _, s := range list {
		if s.start <= start && end <= s.end {
			return true
		}
	}
	return false
}

// space decides whether white space may become other white space. start and end delimit
// it, without the tokens around.
func (l *layout) space(was, is []byte, start, end int) bool {
	if bytes.Equal(was, is) {
		return true
	}
	for _, s := range l.edited {
		if s.start <= end && start <= s.end {
			return true
		}
	}
	return covered(l.aligned, start, end) && bytes.Count(was, []byte("\n")) == bytes.Count(is, []byte("\n"))
}

// allowed returns an error if formatting changed more of src than it may.
func allowed(src, out []byte, inserted []span) error {
	l, err := layoutOf(src, inserted)
	if err != nil {
		return err
	}
	oldToks, err := scan(src, false)
	if err != nil {
		return err
	}
	newToks, err := scan(out, false)
	if err != nil {
		return err
	}
	for _, r := range tokenRuns(oldToks, newToks) {
		var bad int
		ok := true
		if r.equal {
			bad, ok = l.equalRun(r, src, out, oldToks, newToks)
		} else {
			bad, ok = l.tokens(oldToks[r.oldFrom:r.oldTo], newToks[r.newFrom:r.newTo], inserted)
		}
		if !ok {
			return fmt.Errorf("line %d", 1+bytes.Count(src[:bad], []byte("\n")))
		}
	}
	return nil
}

// equalRun checks the white space in and around a run of equal tokens, and their inside:
// gofmt indents comments. It returns the offset of what may not change.
func (l *layout) equalRun(r run, src, out []byte, oldToks, newToks []tok) (int, bool) {
	for i := 0; i <= r.oldTo-r.oldFrom; i++ {
		k, n := r.oldFrom+i, r.newFrom+i
		start, end := gap(oldToks, k, k, len(src))
		newStart, newEnd := gap(newToks, n, n, len(out))
		if !l.space(src[start:end], out[newStart:newEnd], start, end) {
			return end, false
		}
		if k == r.oldTo {
			break
		}
		was, is := oldToks[k], newToks[n]
		if !l.space(src[was.start:was.end], out[is.start:is.end], was.start, was.end) {
			return was.start, false
		}
	}
	return 0, true
}

// tokenRuns aligns two token lists; equal ones, the usual case, without a diff.
func tokenRuns(a, b []tok) []run {
	if len(a) == len(b) {
		i := 0
		for i < len(a) && a[i].id == b[i].id {
			i++
		}
		if i == len(a) {
			return []run{{equal: true, oldTo: len(a), newTo: len(b)}}
		}
	}
	return diffTokens(a, b)
}

// tokens decides whether gofmt may replace tokens: those that an edit inserted, and
// punctuation that follows from the layout. Otherwise it returns the offset of one it may not.
func (l *layout) tokens(was, is []tok, inserted []span) (int, bool) {
	for _, t := range was {
		if !covered(inserted, t.start, t.end) && !(t.id == "," || t.id == ";") {
			return t.start, false
		}
	}
	if len(was) > 0 {
		return 0, true
	}
	for _, t := range is {
		if t.id != "," && t.id != ";" {
			return 0, false
		}
	}
	return 0, true
}
