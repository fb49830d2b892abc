package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteFix writes what a fix did: one entry for each unit, fixed ones first,
// then those that are blocked and those left for review, and a last line that
// adds it up. An error is one of w's.
func (r *Report) WriteFix(w io.Writer, opts TextOptions) error {
	out := newText(w, opts)
	out.units(r, "fixed")
	out.units(r, "blocked")
	out.units(r, "fixable")
	if !opts.Quiet && r.Summary.Findings > 0 {
		fmt.Fprintln(out, out.paint(bold, r.fixLine(out.left)))
	}
	return out.Flush()
}

// WriteBlocked writes what a diff does not show: the units that are blocked, what was chosen for the others, and
// a line that adds everything up. It writes nothing when there are no findings.
// An error is one of w's.
func (r *Report) WriteBlocked(w io.Writer, opts TextOptions) error {
	out := newText(w, opts)
	out.units(r, "blocked")
	if !opts.Quiet {
		out.choices(r)
	}
	if !opts.Quiet && r.Summary.Findings > 0 {
		fmt.Fprintln(out, out.paint(bold, r.summaryLine()))
	}
	return out.Flush()
}

// choices writes what was chosen for units, each choice once.
func (t *text) choices(r *Report) {
	var seen []string
	for i := range r.Units {
		u := &r.Units[i]
		if u.Choice == "" || u.Status != "fixable" || slices.Contains(seen, u.Choice) {
			continue
		}
		seen = append(seen, u.Choice)
		fmt.Fprintln(t, display(u.Choice))
	}
}

// An entry is what fix says about one unit, or about a finding that has none.
type entry struct {
	title, detail string
	notes, files  []string
}

func (t *text) units(r *Report, status string) {
	word, color := status, green
	switch status {
	case "blocked":
		color = yellow
	case "fixable":
		word, color = t.left, cyan
	}
	for _, e := range r.entries(status) {
		fmt.Fprintf(t, "%s %s\n", t.paint(color, word), t.paint(bold, e.title))
		if e.detail != "" {
			fmt.Fprintf(t, "   %s\n", e.detail)
		}
		for _, note := range e.notes {
			fmt.Fprintf(t, "   %s\n", display(note))
		}
		if len(e.files) > 0 {
			fmt.Fprintf(t, "   %s\n", t.paint(dim, "in "+fileList(e.files)))
		}
	}
}

// entries returns the units of a status in their order, then the findings of that
// status that belong to no unit.
func (r *Report) entries(status string) []entry {
	var out []entry
	units := map[string]bool{}
	for i := range r.Units {
		u := &r.Units[i]
		units[u.ID] = true
		if u.Status != status {
			continue
		}
		e := entry{title: u.heading()}
		switch status {
		case "blocked":
			e.detail = u.Blocker.text()
		default:
			e.notes, e.files = u.Notes, u.Files
		}
		out = append(out, e)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Status != status || units[f.Unit] {
			continue
		}
		e := entry{title: fmt.Sprintf("%s: %s: %s", f.Rule, place(f.File, f.Line, f.Column), display(f.Message))}
		if status == "blocked" {
			e.detail = f.Blocker.text()
		}
		out = append(out, e)
	}
	return out
}

// heading names the unit. One that is blocked may have no title: nothing is
// done; its ID says what it is about.
func (u *Unit) heading() string {
	about := u.Title
	if about == "" {
		about = strings.TrimPrefix(u.ID, u.Rule+":")
	}
	return u.Rule + ": " + display(about)
}

// maxFiles is how many of a unit's files are named.
const maxFiles = 4

func fileList(files []string) string {
	if len(files) <= maxFiles {
		return strings.Join(files, ", ")
	}
	return joinAnd(strings.Join(files[:maxFiles-1], ", "), []string{count(len(files)-maxFiles+1, "more file")})
}

// fixLine is the last line of fix:
// "6 keys in 20 places: 2 fixed, 1 blocked, 3 left for review; 5 files changed (ctxmend undo takes it back)".
func (r *Report) fixLine(left string) string {
	s := r.subjects()
	var parts, hints []string
	add := func(n int, word string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	if s.byStatus["fixed"] == 0 {
		parts = append(parts, "nothing fixed")
	}
	add(s.byStatus["fixed"], "fixed")
	add(s.byStatus["blocked"], "blocked")
	add(s.byStatus["fixable"], left)
	add(s.byStatus["manual"], "to be done by hand")
	line := s.total() + ": " + strings.Join(parts, ", ")
	if s.byStatus["fixed"] > 0 {
		line += "; " + count(r.Summary.FilesChanged, "file") + " changed"
		hints = append(hints, "ctxmend undo takes it back")
	}
	hints = append(hints, s.fixHints()...)
	if s.byStatus["manual"] > 0 {
		hints = append(hints, "ctxmend check lists what is to be done by hand")
	}
	if len(hints) == 0 {
		hints = append(hints, "ctxmend check shows the places")
	}
	return line + " (" + strings.Join(hints, ", ") + ")"
}
