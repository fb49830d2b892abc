package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
)

// A Baseline lists findings that a program is known to have, so that only others are reported.
type Baseline struct {
	// Version is that of the format, [Version].
	Version  int     `json:"version"`
	Findings []Known `json:"findings"`
}

// A Known finding is named by its fingerprint. The rest is for people who read the file.
type Known struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	File        string `json:"file"`
	Key         string `json:"key,omitempty"`
}

// Baseline lists the findings of a report that nobody has suppressed, by fingerprint, so that the file changes as little
// as the findings do.
func (r *Report) Baseline() *Baseline {
	b := &Baseline{Version: Version, Findings: []Known{}}
	for _, f := range r.reported() {
		b.Findings = append(b.Findings, Known{f.Fingerprint, f.Rule, f.File, f.Key})
	}
	slices.SortFunc(b.Findings, func(x, y Known) int { return strings.Compare(x.Fingerprint, y.Fingerprint) })
	return b
}

// WriteJSON writes the baseline, one finding a line, so that version control shows and merges single findings. An error
// is one of w's.
func (b *Baseline) WriteJSON(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "{\n  \"version\": %d,\n  \"findings\": [", b.Version)
	for i, k := range b.Findings {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString("\n    ")
		enc := json.NewEncoder(&trimmed{&text})
		enc.SetEscapeHTML(false)
		if err := enc.Encode(k); err != nil {
			return err
		}
	}
	if len(b.Findings) > 0 {
		text.WriteString("\n  ")
	}
	text.WriteString("]\n}\n")
	_, err := io.WriteString(w, text.String())
	return err
}

// trimmed leaves out the line end that a JSON encoder adds.
type trimmed struct{ to *strings.Builder }

func (t *trimmed) Write(p []byte) (int, error) {
	t.to.WriteString(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// ReadBaseline reads what [Baseline.WriteJSON] wrote. The error says what is wrong with the file.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	b := new(Baseline)
	if err := dec.Decode(b); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a baseline: something follows the document")
	}
	if b.Version != Version {
		return nil, fmt.Errorf("a baseline of version %d, want %d", b.Version, Version)
	}
	return b, nil
}

// Without takes the findings of a baseline out of the report, and the units that have no others. It returns how many there
// were, and how many of the baseline are there no more.
func (r *Report) Without(b *Baseline) (known, gone int) {
	names := map[string]bool{}
	for _, k := range b.Findings {
		names[k.Fingerprint] = true
	}
	gone = len(names)
	units := map[string]bool{}
	left := make([]Finding, 0, len(r.Findings))
	files := r.Summary.FilesChanged
	r.Summary = Summary{FilesChanged: files}
	for _, f := range r.Findings {
		if names[f.Fingerprint] {
			known++
			gone--
			continue
		}
		left = append(left, f)
		units[f.Unit] = true
		r.Summary.count(rules.Status(f.Status))
	}
	r.Findings = left
	r.Units = slices.DeleteFunc(r.Units, func(u Unit) bool { return !units[u.ID] })
	return known, gone
}
