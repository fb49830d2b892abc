package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
)

// TextOptions say how text is printed.
type TextOptions struct {
	// Color turns on ANSI escape sequences.
	Color bool
	// Quiet leaves out the summary.
	Quiet bool
	// Left is what WriteFix calls fixes that were not applied: "left for review" when empty.
	Left string
}

// text carries what every printing function needs. Errors of the underlying
// writer stick to the bufio.Writer and come out of its Flush.
type text struct {
	*bufio.Writer
	painter
	left string
}

func newText(w io.Writer, opts TextOptions) *text {
	return &text{bufio.NewWriter(w), painter(opts.Color), cmp.Or(opts.Left, "left for review")}
}

// WriteText writes the findings the way compilers do: place, rule and message,
// the line with the misuse underlined, the other places concerned, and what can
// be done. Suppressed findings are not shown. An error is one of w's.
func (r *Report) WriteText(w io.Writer, opts TextOptions) error {
	out := newText(w, opts)
	first, units := map[string]*Finding{}, map[string]*Finding{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Status == "suppressed" {
			continue
		}
		out.misuse(f)
		// What is to be said about a key is said once, at its first site.
		same := f.subject(i) + "\x00" + f.Status
		if told := first[same]; told != nil {
			fmt.Fprintf(out, "   %s\n", out.paint(dim, "same key as "+place(told.File, told.Line, told.Column)))
			continue
		}
		first[same] = f
		out.details(f, units[f.Unit])
		if f.Unit != "" && units[f.Unit] == nil {
			units[f.Unit] = f
		}
	}
	if !opts.Quiet && r.Summary.Findings > 0 {
		fmt.Fprintln(out, out.paint(bold, r.summaryLine()))
	}
	return out.Flush()
}

// misuse says what is wrong, and shows it.
func (t *text) misuse(f *Finding) {
	fmt.Fprintf(t, "%s: %s: %s\n",
		t.paint(bold, place(f.File, f.Line, f.Column)), t.paint(red, f.Rule), display(f.Message))
	if strings.TrimSpace(f.Source) != "" {
		end := f.EndColumn - 1
		if f.EndLine > f.Line {
			end = len(f.Source)
		}
		line, underline := excerpt(f.Source, f.Column-1, end)
		gutter := t.paint(dim, "   |  ")
		fmt.Fprintf(t, "%s%s\n%s%s\n", gutter, line, gutter, t.paint(red, underline))
	}
}

// details say where else the matter lies, and what can be done: once for all keys that change together, at the first.
func (t *text) details(f, first *Finding) {
	for _, line := range relatedLines(f.Related) {
		fmt.Fprintf(t, "   %s\n", line)
	}
	switch f.Status {
	case "blocked":
		fmt.Fprintf(t, "   %s %s\n", t.paint(yellow, "blocked:"), f.Blocker.text())
	case "fixed":
		fmt.Fprintf(t, "   %s %s\n", t.paint(green, "fixed:"), display(f.Note))
	case "fixable":
		label := t.paint(green, "fix ("+f.Applicability+"):")
		note := display(f.Note)
		if first != nil && first.Note == f.Note && first.Status == f.Status {
			note = "together with " + place(first.File, first.Line, first.Column)
		}
		fmt.Fprintf(t, "   %s %s\n", label, note)
	default:
		if f.Note != "" {
			fmt.Fprintf(t, "   %s %s\n", t.paint(cyan, "by hand:"), display(f.Note))
		}
	}
}

// text returns the reason with its place, unless the message names the place already.
func (b *Blocker) text() string {
	if b == nil {
		return "no reason is known; please report this"
	}
	message := display(b.Message)
	if message == "" {
		message = b.Reason
	}
	at := place(b.File, b.Line, b.Column)
	if at == "" || strings.Contains(message, at) {
		return message
	}
	return message + ", at " + at
}

// place formats a position as compilers do, leaving out what is zero.
func place(file string, line, column int) string {
	switch {
	case line == 0:
		return file
	case column == 0:
		return fmt.Sprintf("%s:%d", file, line)
	}
	return fmt.Sprintf("%s:%d:%d", file, line, column)
}

// maxPlaces is how many related places of one kind are listed one by one.
const maxPlaces = 3

// relatedLines says where else a finding's matter is touched, one line for each
// thing that happens there, in order of first mention:
// "read at a.go:1:2, b.go:3:4 and in 3 tests".
func relatedLines(related []Related) []string {
	var order []string
	groups := map[string][]Related{}
	for _, r := range related {
		message := strings.TrimSuffix(r.Message, " here")
		if _, seen := groups[message]; !seen {
			order = append(order, message)
		}
		groups[message] = append(groups[message], r)
	}
	var lines []string
	for _, message := range order {
		lines = append(lines, strings.TrimSpace(display(message)+" "+places(groups[message])))
	}
	return lines
}

// places lists ordinary files' places before it counts those of tests; where
// there are only tests, they are what matters and are listed.
func places(group []Related) string {
	var code, tests []Related
	for _, r := range group {
		if r.Test {
			tests = append(tests, r)
		} else {
			code = append(code, r)
		}
	}
	listed := code
	if len(code) == 0 {
		listed, tests = tests, nil
	}
	var parts []string
	for _, r := range listed[:min(len(listed), maxPlaces)] {
		parts = append(parts, place(r.File, r.Line, r.Column))
	}
	var more []string
	if n := len(listed) - maxPlaces; n > 0 {
		more = append(more, count(n, "more place"))
	}
	if len(tests) > 0 {
		more = append(more, "in "+count(len(tests), "test"))
	}
	return "at " + joinAnd(strings.Join(parts, ", "), more)
}

// joinAnd appends the rest to what comes first: "a", "a and b", "a, b and c".
func joinAnd(first string, rest []string) string {
	for i, s := range rest {
		if i == len(rest)-1 {
			first += " and " + s
		} else {
			first += ", " + s
		}
	}
	return first
}

// count returns "1 thing", "2 things".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
