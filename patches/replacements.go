package patches

import "strings"

// A Replacement says that bytes [From, To) of the old content become New.
type Replacement struct {
	From, To int
	New      string
}

// Replacements returns what changes in the old content, in order: for each run of lines that differ, what is between the
// parts that its old and new form have in common.
func (f *File) Replacements() []Replacement {
	old, now := splitLines(f.Old), splitLines(f.New)
	var list []Replacement
	at, line := 0, 0
	for _, e := range diffLines(old, now) {
		for ; line < e.a0; line++ {
			at += len(old[line])
		}
		from, to := strings.Join(old[e.a0:e.a1], ""), strings.Join(now[e.b0:e.b1], "")
		head := 0
		for head < len(from) && head < len(to) && from[head] == to[head] {
			head++
		}
		tail := 0
		for tail < len(from)-head && tail < len(to)-head && from[len(from)-1-tail] == to[len(to)-1-tail] {
			tail++
		}
		list = append(list, Replacement{at + head, at + len(from) - tail, to[head : len(to)-tail]})
	}
	return list
}
