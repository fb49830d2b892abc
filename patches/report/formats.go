package report

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
)

// Formats are the names that [Report.Write] knows: documents for other programs, besides text.
var Formats = []string{"json", "jsonl", "sarif", "github", "rdjson", "checkstyle"}

// Context is what formats tell besides the report itself.
type Context struct {
	// Version is the version of ctxmend.
	Version string
	// Program names what was looked at, for headings: the path of its module.
	Program string
	// Rules describe the rules that ran.
	Rules []RuleInfo
	// Prefix leads from the top of the repository to the directory worked in, "" or "a/b/". Formats that are read
	// by a forge name files from the top.
	Prefix string
	// Set is what the fixes would change. The report's units at the level asked for are in it.
	Set *patches.Set
}

// A RuleInfo describes a rule.
type RuleInfo struct{ Name, Summary, Doc string }

// Write writes the report in one of [Formats]. An error is one of w's.
func (r *Report) Write(w io.Writer, format string, c *Context) error {
	switch format {
	case "json":
		return r.WriteJSON(w)
	case "jsonl":
		return r.writeLines(w)
	case "sarif":
		return r.writeSARIF(w, c)
	case "github":
		return r.writeGitHub(w, c)
	case "rdjson":
		return r.writeRDJSON(w, c)
	case "checkstyle":
		return r.writeCheckstyle(w, c)
	}
	return fmt.Errorf("unknown format %q", format)
}

// reported are the findings that nobody has suppressed.
func (r *Report) reported() []Finding {
	var list []Finding
	for _, f := range r.Findings {
		if f.Status != "suppressed" {
			list = append(list, f)
		}
	}
	return list
}

// fromTop returns a file's name from the top of the repository.
func (c *Context) fromTop(file string) string {
	return path.Join(c.Prefix, file)
}

// sentence is the message of a finding with what becomes of it, for formats that have one text only.
func (f *Finding) sentence() string {
	var b strings.Builder
	b.WriteString(f.Message)
	switch {
	case f.Blocker != nil:
		b.WriteString("; blocked: " + f.Blocker.Message)
		if f.Blocker.File != "" {
			fmt.Fprintf(&b, ", at %s:%d", f.Blocker.File, f.Blocker.Line)
		}
	case f.Status == "fixable" && f.Note != "":
		fmt.Fprintf(&b, "; fix (%s): %s", f.Applicability, f.Note)
	}
	return b.String()
}

// writeLines writes one JSON document on each line: every finding, every unit with its edits and what was checked, and
// the summary.
func (r *Report) writeLines(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range r.Findings {
		if err := enc.Encode(struct {
			Type string `json:"type"`
			*Finding
		}{"finding", &r.Findings[i]}); err != nil {
			return err
		}
	}
	for i := range r.Units {
		if err := enc.Encode(newUnitLine(&r.Units[i])); err != nil {
			return err
		}
	}
	return enc.Encode(struct {
		Type    string `json:"type"`
		Version int    `json:"version"`
		*Summary
	}{"summary", r.Version, &r.Summary})
}

// A unitLine is a unit with all that was decided about it.
type unitLine struct {
	Type string `json:"type"`
	*Unit
	Blocker *Blocker `json:"blocker"`
	Notes   []string `json:"notes"`
	Choice  string   `json:"choice"`
	Edits   []Edit   `json:"edits"`
	// Checks are the proofs that the unit has passed.
	Checks []string `json:"checks"`
}

func newUnitLine(u *Unit) *unitLine {
	line := &unitLine{Type: "unit", Unit: u, Blocker: u.Blocker, Notes: append([]string{}, u.Notes...), Choice: u.Choice,
		Edits: append([]Edit{}, u.Edits...), Checks: []string{}}
	if u.Status == "fixable" || u.Status == "fixed" {
		line.Checks = append(line.Checks, "bytes outside the edits are unchanged", "the program type-checks")
	}
	return line
}
