package report

import (
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
)

// A Past is an earlier state of a program with what was reported of it.
type Past struct {
	// Report is about the same directory as the one that is compared with it.
	Report *Report
	// Changed reports whether a line of a file is not what it was. It is asked only where one of several equal findings
	// has to be the new one.
	Changed func(file string, line int) bool
}

// NewSince tells for each finding whether it is new: the earlier state has no finding of the same rule about the same key in a
// line of the same text, white space aside, that this one could be. One in the same file is it first; what
// has gone from one file and come to another was moved or renamed, and is not new. Of several equal ones in a file those in
// changed lines are the new ones. What is suppressed is not new.
func (r *Report) NewSince(past Past) []bool {
	had := map[string]map[string]int{} // identity to file to number
	for _, f := range past.Report.reported() {
		id := f.identity()
		if had[id] == nil {
			had[id] = map[string]int{}
		}
		had[id][f.File]++
	}
	fresh := make([]bool, len(r.Findings))
	for id, files := range r.byIdentity() {
		var more []int
		gone := 0
		for file, n := range had[id] {
			gone += max(0, n-len(files[file]))
		}
		for file, group := range files {
			if n := had[id][file]; n < len(group) {
				if n > 0 {
					r.changedFirst(group, past.Changed)
				}
				more = append(more, group[:len(group)-n]...)
			}
		}
		slices.Sort(more)
		for _, i := range more[min(gone, len(more)):] {
			fresh[i] = true
		}
	}
	return fresh
}

// byIdentity groups the findings that nobody has suppressed, by identity and file.
func (r *Report) byIdentity() map[string]map[string][]int {
	groups := map[string]map[string][]int{}
	for i, f := range r.Findings {
		if f.Status == string(rules.Suppressed) {
			continue
		}
		id := f.identity()
		if groups[id] == nil {
			groups[id] = map[string][]int{}
		}
		groups[id][f.File] = append(groups[id][f.File], i)
	}
	return groups
}

// changedFirst puts those of a group first that are in changed lines.
func (r *Report) changedFirst(group []int, changed func(string, int) bool) {
	is := func(i int) int {
		if changed(r.Findings[i].File, r.Findings[i].Line) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(group, func(a, b int) int { return is(a) - is(b) })
}

// identity is what makes findings of two states of a program the same, beside their file.
func (f *Finding) identity() string {
	return strings.Join([]string{f.Rule, f.Key, strings.Join(strings.Fields(f.Source), " ")}, "\x00")
}

// Keep takes the findings out of the report that keep does not hold true for, by their place in it, and the units that
// have no others.
func (r *Report) Keep(keep []bool) {
	units := map[string]bool{}
	left := make([]Finding, 0, len(r.Findings))
	r.Summary = Summary{FilesChanged: r.Summary.FilesChanged}
	for i, f := range r.Findings {
		if keep[i] {
			left = append(left, f)
			units[f.Unit] = true
			r.Summary.count(rules.Status(f.Status))
		}
	}
	r.Findings = left
	r.Units = slices.DeleteFunc(r.Units, func(u Unit) bool { return !units[u.ID] })
}
