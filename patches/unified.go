package patches

import (
	"bytes"
	"io"
	"io/fs"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// contextLines is the number of unchanged lines around a change in a hunk.
const contextLines = 3

// maxLines is how many lines the two sides of a file may have together to be
// compared line by line; go-diff codes each distinct line as one rune.
const maxLines = 1_000_000

// Unified writes the set to w as a unified diff in git's extended format, which
// git apply and patch -p1 accept: one section per file, sorted by name, that
// turns the old bytes into the new ones exactly. Files that do not change are
// left out, so an empty set writes nothing. Names are relative to Base. The
// output depends on nothing but the set. An error is w's, or says that a file
// has no name relative to Base.
func (s *Set) Unified(w io.Writer) error {
	names, err := s.diffNames()
	if err != nil {
		return err
	}
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return names[order[i]] < names[order[j]] })
	var b bytes.Buffer
	for _, i := range order {
		b.Reset()
		writeFileDiff(&b, names[i], s.Files[i])
		if _, err := w.Write(b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// changes reports whether the file differs before and after.
func (f *File) changes() bool {
	return (f.Old == nil) != (f.New == nil) || !bytes.Equal(f.Old, f.New)
}

// writeFileDiff writes one file's section of a diff.
func writeFileDiff(b *bytes.Buffer, name string, f *File) {
	if !f.changes() {
		return
	}
	from, to := quoteName("a/", name), quoteName("b/", name)
	b.WriteString("diff --git " + from + " " + to + "\n")
	switch {
	case f.Old == nil:
		b.WriteString("new file mode " + gitMode(f.Mode) + "\n")
		from = "/dev/null"
	case f.New == nil:
		b.WriteString("deleted file mode " + gitMode(f.Mode) + "\n")
		to = "/dev/null"
	}
	old, new := splitLines(f.Old), splitLines(f.New)
	if len(old) == 0 && len(new) == 0 {
		writeEmptyIndex(b, f.Old == nil)
		return // an empty file comes or goes: there is no hunk
	}
	b.WriteString("--- " + endName(from) + "+++ " + endName(to))
	writeHunks(b, old, new, diffLines(old, new))
}

// emptyBlob is how git abbreviates the name of empty contents.
const emptyBlob = "e69de29"

// writeEmptyIndex writes the line without which patch does not see that an empty
// file goes; git writes it in every section.
func writeEmptyIndex(b *bytes.Buffer, created bool) {
	const none = "0000000"
	if created {
		b.WriteString("index " + none + ".." + emptyBlob + "\n")
	} else {
		b.WriteString("index " + emptyBlob + ".." + none + "\n")
	}
}

// endName ends a file name in a --- or +++ line: after one with a space git puts a
// tab, since patch would otherwise take what follows the space for a time.
func endName(name string) string {
	if strings.Contains(name, " ") {
		return name + "\t\n"
	}
	return name + "\n"
}

// gitMode is the mode git records: it knows only of plain and executable files.
func gitMode(mode fs.FileMode) string {
	if mode&0o100 != 0 {
		return "100755"
	}
	return "100644"
}

// splitLines splits data after each newline; a last line without one is kept.
func splitLines(data []byte) []string {
	if len(data) == 0 {
		return nil
	}
	lines := strings.SplitAfter(string(data), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

// An edit says that old lines [a0, a1) become new lines [b0, b1).
type edit struct{ a0, a1, b0, b1 int }

// NewLines returns a function that tells the lines, counted from 1, that stand in place of a line of the old content: the line
// itself, or all that the change around it has put there. to is less than from when nothing has.
func (f *File) NewLines() func(line int) (from, to int, changed bool) {
	edits := diffLines(splitLines(f.Old), splitLines(f.New))
	return func(line int) (from, to int, changed bool) {
		shift := 0
		for _, e := range edits {
			if line-1 < e.a0 {
				break
			}
			if line-1 < e.a1 {
				return e.b0 + 1, e.b1, true
			}
			shift = e.b1 - e.a1
		}
		return line + shift, line + shift, false
	}
}

// diffLines returns the edits that turn old into new, in order, with at least one
// line kept between any two.
func diffLines(old, new []string) []edit {
	if len(old) == 0 || len(new) == 0 || len(old)+len(new) > maxLines {
		return []edit{outerEdit(old, new)}
	}
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // a time limit would make the output depend on the machine's load
	r1, r2, _ := dmp.DiffLinesToRunes(strings.Join(old, ""), strings.Join(new, ""))
	var edits []edit
	a, b, open := 0, 0, false
	for _, d := range dmp.DiffMainRunes(r1, r2, false) {
		n := utf8.RuneCountInString(d.Text) // one rune for each line
		if n == 0 {
			continue
		}
		if d.Type == diffmatchpatch.DiffEqual {
			a, b, open = a+n, b+n, false
			continue
		}
		if !open {
			edits, open = append(edits, edit{a, a, b, b}), true
		}
		e := &edits[len(edits)-1]
		if d.Type == diffmatchpatch.DiffDelete {
			a += n
			e.a1 = a
		} else {
			b += n
			e.b1 = b
		}
	}
	return slideDown(old, new, edits)
}

// OneRun returns the lines from and to, counted from 1, that the change of a file replaces, and what by, without the last
// line end. What is inserted replaces the line it stands beside. It is not ok when the change has several runs of
// lines, or when the file is created or deleted.
func (f *File) OneRun() (from, to int, text string, ok bool) {
	old, new := splitLines(f.Old), splitLines(f.New)
	if len(old) == 0 || len(new) == 0 || !f.changes() {
		return 0, 0, "", false
	}
	edits := diffLines(old, new)
	if len(edits) != 1 {
		return 0, 0, "", false
	}
	e := edits[0]
	switch {
	case e.a0 < e.a1:
	case e.a0 > 0:
		e.a0, e.b0 = e.a0-1, e.b0-1
	default:
		e.a1, e.b1 = e.a1+1, e.b1+1
	}
	return e.a0 + 1, e.a1, strings.TrimSuffix(strings.Join(new[e.b0:e.b1], ""), "\n"), true
}

// outerEdit returns the one edit that spans from the first differing line to the last.
func outerEdit(old, new []string) edit {
	e := edit{0, len(old), 0, len(new)}
	for e.a0 < e.a1 && e.b0 < e.b1 && old[e.a0] == new[e.b0] {
		e.a0, e.b0 = e.a0+1, e.b0+1
	}
	for e.a0 < e.a1 && e.b0 < e.b1 && old[e.a1-1] == new[e.b1-1] {
		e.a1, e.b1 = e.a1-1, e.b1-1
	}
	return e
}

// slideDown moves pure insertions and deletions down as far as the text allows
// without touching the next edit, as git does: an added function then shows with
// its own closing brace, not with its predecessor's.
func slideDown(old, new []string, edits []edit) []edit {
	for i := len(edits) - 1; i >= 0; i-- {
		e := &edits[i]
		limit := len(old)
		if i+1 < len(edits) {
			limit = edits[i+1].a0 - 1 // keep a line between
		}
		lines, from, to := new, &e.b0, &e.b1
		switch {
		case e.a0 == e.a1:
		case e.b0 == e.b1:
			lines, from, to = old, &e.a0, &e.a1
		default:
			continue
		}
		for e.a1 < limit && lines[*from] == lines[*to] {
			e.a0, e.a1, e.b0, e.b1 = e.a0+1, e.a1+1, e.b0+1, e.b1+1
		}
	}
	return edits
}

// writeHunks writes the edits as hunks; edits whose contexts meet share one.
func writeHunks(b *bytes.Buffer, old, new []string, edits []edit) {
	for len(edits) > 0 {
		n := together(edits)
		writeHunk(b, old, new, edits[:n])
		edits = edits[n:]
	}
}

// writeHunk writes one hunk holding all the edits, deletions before insertions.
func writeHunk(b *bytes.Buffer, old, new []string, edits []edit) {
	first, last := edits[0], edits[len(edits)-1]
	before := min(contextLines, first.a0)
	after := min(contextLines, len(old)-last.a1)
	b.WriteString("@@ -")
	writeRange(b, first.a0-before, last.a1+after)
	b.WriteString(" +")
	writeRange(b, first.b0-before, last.b1+after)
	b.WriteString(" @@\n")
	at := first.a0 - before
	for _, e := range edits {
		writeLines(b, ' ', old[at:e.a0])
		writeLines(b, '-', old[e.a0:e.a1])
		writeLines(b, '+', new[e.b0:e.b1])
		at = e.a1
	}
	writeLines(b, ' ', old[at:last.a1+after])
}

// writeRange writes lines [from, to) as a hunk header does: the first line counted
// from 1 and the number of lines unless 1; an empty range names the line before.
func writeRange(b *bytes.Buffer, from, to int) {
	n := to - from
	if n > 0 {
		from++
	}
	b.WriteString(strconv.Itoa(from))
	if n != 1 {
		b.WriteString("," + strconv.Itoa(n))
	}
}

// writeLines writes lines with the mark in front. A line without a newline is the
// last of its file, and says so.
func writeLines(b *bytes.Buffer, mark byte, lines []string) {
	for _, line := range lines {
		b.WriteByte(mark)
		b.WriteString(line)
		if !strings.HasSuffix(line, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}
