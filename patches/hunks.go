package patches

// A Hunk is a run of changed lines of a file with some unchanged ones around it.
type Hunk struct {
	// Old and New are the numbers of its first line before and after, counted from 1.
	Old, New int
	// Lines are its lines, each with its mark in front: ' ', '-' or '+'.
	Lines []string
}

// Hunks returns what changes in a file as [Set.Unified] shows it, without line ends.
func (f *File) Hunks() []Hunk {
	if !f.changes() {
		return nil
	}
	old, new := splitLines(f.Old), splitLines(f.New)
	var list []Hunk
	for edits := diffLines(old, new); len(edits) > 0; {
		n := together(edits)
		list = append(list, makeHunk(old, new, edits[:n]))
		edits = edits[n:]
	}
	return list
}

func makeHunk(old, new []string, edits []edit) Hunk {
	first, last := edits[0], edits[len(edits)-1]
	at := first.a0 - min(contextLines, first.a0)
	h := Hunk{Old: at + 1, New: first.b0 - (first.a0 - at) + 1}
	add := func(mark string, lines []string) {
		for _, line := range lines {
			h.Lines = append(h.Lines, mark+trimLineEnd(line))
		}
	}
	for _, e := range edits {
		add(" ", old[at:e.a0])
		add("-", old[e.a0:e.a1])
		add("+", new[e.b0:e.b1])
		at = e.a1
	}
	add(" ", old[at:min(len(old), last.a1+contextLines)])
	return h
}

func trimLineEnd(line string) string {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// together is how many of the first edits share a hunk: their contexts meet.
func together(edits []edit) int {
	n := 1
	for n < len(edits) && edits[n].a0-edits[n-1].a1 <= 2*contextLines {
		n++
	}
	return n
}
