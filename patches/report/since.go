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
	// Was returns the name that a file had then, the same unless it was renamed.
	Was func(file string) string
	// Changed reports whether a line of a file is not what it was. It is asked only where one of several equal findings
	// has to be the new one.
	Changed func(file string, line int) bool
}

// NewSince tells for each finding whether it is new: the earlier state has no finding of the same rule about the same key, in
// the same file and in a line of the same text, white space aside. Of several equal ones as many are new as there are more
// now, first those in changed lines. What is suppressed is not new.
func (r *Report) NewSince(past Past) []bool {
	had := map[string]int{}
	for _, f := range past.Report.reported() {
		had[f.identity(f.File)]++
	}
	groups := map[string][]int{}
	for i, f := range r.Findings {
		if f.Status != string(rules.Suppressed) {
			id := f.identity(past.Was(f.File))
			groups[id] = append(groups[id], i)
		}
	}
	fresh := make([]bool, len(r.Findings))
	for id, group := range groups {
		more := len(group) - had[id]
		if more <= 0 {
			continue
		}
		if more < len(group) {
			changed := func(i int) bool { return past.Changed(r.Findings[i].File, r.Findings[i].Line) }
			slices.SortStableFunc(group, func(a, b int) int {
				switch x, y := changed(a), changed(b); {
				case x == y:
					return 0
				case x:
					return -1
				}
				return 1
			})
		}
		for _, i := range group[:more] {
			fresh[i] = true
		}
	}
	return fresh
}

// identity is what makes findings of two states of a program the same.
func (f *Finding) identity(file string) string {
	return strings.Join([]string{f.Rule, file, f.Key, strings.Join(strings.Fields(f.Source), " ")}, "\x00")
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
