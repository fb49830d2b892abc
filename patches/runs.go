package patches

import "strings"

// A Run is a run of lines that change, without any around it.
type Run struct {
	// Line is the number, counted from 1, of its first line before, or of the line it is inserted in front of.
	Line int
	// Before and After are its lines, with their ends.
	Before, After string
}

// Runs returns the runs of lines that change in a file, in order.
func (f *File) Runs() []Run {
	if !f.changes() {
		return nil
	}
	old, now := splitLines(f.Old), splitLines(f.New)
	var list []Run
	for _, e := range diffLines(old, now) {
		list = append(list, Run{e.a0 + 1, strings.Join(old[e.a0:e.a1], ""), strings.Join(now[e.b0:e.b1], "")})
	}
	return list
}

// Meets reports whether two runs of the same file, each made to it by itself, have a line in common or insert at one place.
func (r Run) Meets(other Run) bool {
	n, m := strings.Count(r.Before, "\n"), strings.Count(other.Before, "\n")
	if n == 0 && m == 0 {
		return r.Line == other.Line
	}
	return r.Line <= other.Line+m && other.Line <= r.Line+n
}
