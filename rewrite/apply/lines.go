package apply

import (
	"bytes"
	"sort"
	"strings"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// A lineEditor removes and inserts whole lines of a source file and settles which blank lines
// come and go with them. It yields edits; the source itself is never changed. The source
// must end in a line end.
type lineEditor struct {
	src    []byte
	starts []int // offset of each line
	// removed holds the units that remove a line, by line.
	removed map[int][]int
	chunks  map[int][]*chunk
	// opens and closes are the lines that end in an opening or start with a closing
	// parenthesis of an edited block: no blank line belongs next to them.
	opens, closes map[int]bool
}

// A chunk is text to insert before a line.
type chunk struct {
	// rank and key order the chunks of one line.
	rank int
	key  string
	// text has LF line ends and no final one.
	text string
	// apart asks for a blank line on both sides.
	apart bool
	units []int
}

func newLineEditor(src []byte) *lineEditor {
	e := &lineEditor{
		src:     src,
		removed: make(map[int][]int), chunks: make(map[int][]*chunk),
		opens: make(map[int]bool), closes: make(map[int]bool),
	}
	for off := 0; off < len(src); {
		e.starts = append(e.starts, off)
		i := bytes.IndexByte(src[off:], '\n')
		if i < 0 {
			break
		}
		off += i + 1
	}
	return e
}

// eolOf returns the line end most lines of src have.
func eolOf(src []byte) string {
	crlf := bytes.Count(src, []byte("\r\n"))
	if crlf > 0 && 2*crlf > bytes.Count(src, []byte("\n")) {
		return "\r\n"
	}
	return "\n"
}

// line returns the line that contains the byte at off.
func (e *lineEditor) line(off int) int {
	return sort.SearchInts(e.starts, off+1) - 1
}

// lineEnd returns the offset after the last byte of a line, its line end included.
func (e *lineEditor) lineEnd(line int) int {
	if line+1 < len(e.starts) {
		return e.starts[line+1]
	}
	return len(e.src)
}

func (e *lineEditor) blank(line int) bool {
	return len(bytes.TrimSpace(e.src[e.starts[line]:e.lineEnd(line)])) == 0
}

// alone reports whether [start,end) has its lines for itself, a semicolon aside.
func (e *lineEditor) alone(start, end int) bool {
	before := e.src[e.starts[e.line(start)]:start]
	after := e.src[end:e.lineEnd(e.line(max(start, end-1)))]
	before = bytes.TrimPrefix(before, bom)
	rest := strings.TrimSpace(string(after))
	return len(bytes.TrimSpace(before)) == 0 && (rest == "" || rest == ";")
}

// removeLines removes the lines of [start,end).
func (e *lineEditor) removeLines(start, end int, units []int) {
	for l := e.line(start); l <= e.line(max(start, end-1)); l++ {
		for _, u := range units {
			e.removed[l] = appendUnit(e.removed[l], u)
		}
		if len(units) == 0 && e.removed[l] == nil {
			e.removed[l] = []int{}
		}
	}
}

// insert puts a chunk before a line; line len(starts) is the end of the file.
func (e *lineEditor) insert(line int, c *chunk) {
	e.chunks[line] = append(e.chunks[line], c)
}

// A lineItem is a surviving line (line >= 0) or an inserted text (edit).
type lineItem struct {
	line  int
	blank bool
	edit  *edit
	apart bool
}

// edits returns what was asked for as edits, blank lines included: where removed lines leave
// two blank lines in a row, or one next to a parenthesis or the end of the file, one goes.
func (e *lineEditor) edits() []*edit {
	gone := make(map[int][]int, len(e.removed))
	var inserts []*edit
	var last *lineItem // last surviving item
	var cause []int    // units of the removal since last, nil when none
	for l := 0; l <= len(e.starts); l++ {
		if t, units := e.chunkText(l, last); t != "" {
			ed := &edit{start: e.offset(l), end: e.offset(l), text: plan.Text{plan.Lit(t)}, units: units, line: true}
			inserts = append(inserts, ed)
			last, cause = &lineItem{line: -1, edit: ed, apart: e.lastApart(l)}, nil
		}
		if l == len(e.starts) {
			break
		}
		if units, ok := e.removed[l]; ok {
			gone[l] = units
			cause = append([]int{}, units...)
			continue
		}
		blank := e.blank(l)
		switch {
		case cause == nil:
		case blank && (last == nil || last.blank || last.line >= 0 && e.opens[last.line]):
			gone[l], cause = cause, nil
			continue
		case e.closes[l] && last != nil && last.blank:
			gone[last.line] = cause
		}
		if last != nil && last.apart && !blank && !e.closes[l] {
			last.edit.text = append(last.edit.text, plan.Lit("\n"))
		}
		last, cause = &lineItem{line: l, blank: blank}, nil
	}
	if cause != nil && last != nil && last.blank {
		gone[last.line] = cause
	}
	return append(inserts, e.removals(gone)...)
}

// offset returns where text before a line goes.
func (e *lineEditor) offset(line int) int {
	if line < len(e.starts) {
		return e.starts[line]
	}
	return len(e.src)
}

// chunkText joins the chunks before a line, with the blank lines they need among
// themselves and after the previous surviving line.
func (e *lineEditor) chunkText(line int, last *lineItem) (string, []int) {
	chunks := e.chunks[line]
	if len(chunks) == 0 {
		return "", nil
	}
	sort.SliceStable(chunks, func(a, b int) bool {
		if chunks[a].rank != chunks[b].rank {
			return chunks[a].rank < chunks[b].rank
		}
		return chunks[a].key < chunks[b].key
	})
	var b strings.Builder
	var units []int
	for i, c := range chunks {
		switch {
		case i > 0:
			if c.apart || chunks[i-1].apart {
				b.WriteString("\n")
			}
		case last == nil || last.blank || last.line >= 0 && e.opens[last.line]:
		case c.apart || last.apart:
			b.WriteString("\n")
		}
		b.WriteString(c.text)
		b.WriteString("\n")
		for _, u := range c.units {
			units = appendUnit(units, u)
		}
	}
	return b.String(), units
}

func (e *lineEditor) lastApart(line int) bool {
	chunks := e.chunks[line]
	return chunks[len(chunks)-1].apart
}

// removals turns removed lines into edits, one for each run of lines with the same units
// and nothing inserted in between.
func (e *lineEditor) removals(gone map[int][]int) []*edit {
	lines := make([]int, 0, len(gone))
	for l := range gone {
		lines = append(lines, l)
	}
	sort.Ints(lines)
	var out []*edit
	for i := 0; i < len(lines); {
		k := i + 1
		for k < len(lines) && lines[k] == lines[k-1]+1 && len(e.chunks[lines[k]]) == 0 && equalUnits(gone[lines[k]], gone[lines[i]]) {
			k++
		}
		ed := &edit{start: e.starts[lines[i]], end: e.lineEnd(lines[k-1]), units: gone[lines[i]], removal: true}
		out = append(out, ed)
		i = k
	}
	return out
}

func equalUnits(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
