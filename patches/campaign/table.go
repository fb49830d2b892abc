package campaign

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches/report/cells"
)

// WriteTable writes one line for each pull request, or repository without any.
func (r *Report) WriteTable(w io.Writer) error {
	rows := [][]string{{"REPOSITORY", "STATE", "FINDINGS", "FILES", "PULL REQUEST"}}
	for _, repo := range r.Repositories {
		findings := ""
		if repo.Last != nil {
			findings = fmt.Sprint(repo.Last.Findings)
		}
		changes := slices.DeleteFunc(slices.Clone(repo.Changes), func(c ChangeReport) bool { return c.State == ChangeObsolete })
		if len(changes) == 0 {
			state, say := string(repo.State), repo.Reason
			if repo.State == RepositoryAnalysed {
				state, say = "nothing to do", ""
				if n := len(repo.Left); n > 0 {
					say = plural(n, "finding") + " that no change of this campaign mends"
				}
			}
			if repo.Waits != "" {
				say = strings.TrimSpace(say + " (waits: " + repo.Waits + ")")
			}
			rows = append(rows, []string{repo.Name, state, findings, "", say})
		}
		for i, c := range changes {
			name := repo.Name
			if i > 0 {
				name, findings = "", ""
			}
			rows = append(rows, []string{name, c.shown(), findings, fmt.Sprint(c.Files), c.says()})
		}
	}
	if err := writeColumns(w, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.Summary)
	return err
}

// shown is the state of a change in a word or two.
func (c ChangeReport) shown() string {
	switch {
	case c.State == ChangeOpen && c.Checks == "red":
		return "open, red"
	case c.State == ChangeOpen && c.Conflicts:
		return "open, conflicts"
	case c.State == ChangeOpen && c.Asked:
		return "open, changes asked for"
	case c.State == ChangeOpen && c.Approved:
		return "open, approved"
	case c.State == ChangeVerified:
		return "planned"
	}
	return string(c.State)
}

// says is the rest of a line: where it is, or else what it is, and why it goes no further.
func (c ChangeReport) says() string {
	text := cmp.Or(c.URL, c.Title)
	if why := cmp.Or(c.Reason, waits(c)); why != "" {
		first, _, _ := strings.Cut(why, "\n")
		text += " (" + first + ")"
	}
	return text
}

func waits(c ChangeReport) string {
	if c.Waits == "" {
		return ""
	}
	return "waits: " + c.Waits
}

// writeColumns writes rows with all columns but the last as wide as their widest cell.
func writeColumns(w io.Writer, rows [][]string) error {
	var width []int
	for _, row := range rows {
		for i, cell := range row {
			row[i] = strings.Join(strings.Fields(printable(cell)), " ")
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], cells.Width(row[i]))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-cells.Width(cell)+2))
			}
		}
		if _, err := io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
