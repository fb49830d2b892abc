package report

import (
	"io"

	"github.com/ctxmend/ctxmend/patches"
)

// The types are the part of the Reviewdog Diagnostic Format that is written. Columns count bytes of UTF-8 from 1.
// Source: github.com/reviewdog/reviewdog, proto/rdf/reviewdog.proto.
type (
	rdResult struct {
		Source      rdSource       `json:"source"`
		Severity    string         `json:"severity"`
		Diagnostics []rdDiagnostic `json:"diagnostics"`
	}
	rdSource struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	rdDiagnostic struct {
		Message     string         `json:"message"`
		Location    rdLocation     `json:"location"`
		Severity    string         `json:"severity"`
		Code        rdCode         `json:"code"`
		Suggestions []rdSuggestion `json:"suggestions,omitempty"`
		Related     []rdRelated    `json:"related_locations,omitempty"`
	}
	rdCode struct {
		Value string `json:"value"`
	}
	rdLocation struct {
		Path  string   `json:"path"`
		Range *rdRange `json:"range,omitempty"`
	}
	rdRange struct {
		Start rdPosition  `json:"start"`
		End   *rdPosition `json:"end,omitempty"`
	}
	rdPosition struct {
		Line   int `json:"line"`
		Column int `json:"column,omitempty"`
	}
	rdSuggestion struct {
		Range rdRange `json:"range"`
		Text  string  `json:"text"`
	}
	rdRelated struct {
		Message  string     `json:"message"`
		Location rdLocation `json:"location"`
	}
)

func (r *Report) writeRDJSON(w io.Writer, c *Context) error {
	doc := rdResult{rdSource{"ctxmend", homepage}, "WARNING", []rdDiagnostic{}}
	suggestions := r.suggestions(c.Set)
	for _, f := range r.reported() {
		d := rdDiagnostic{
			Message:  f.sentence(),
			Location: rdLocation{f.File, &rdRange{rdPosition{f.Line, f.Column}, &rdPosition{f.EndLine, f.EndColumn}}},
			Severity: "WARNING",
			Code:     rdCode{f.Rule},
		}
		if s, ok := suggestions[f.Unit]; ok && f.Unit != "" {
			d.Suggestions = []rdSuggestion{s}
			delete(suggestions, f.Unit) // once is enough, whatever the number of findings
		}
		for _, rel := range f.Related {
			d.Related = append(d.Related, rdRelated{rel.Message, rdLocation{rel.File, &rdRange{Start: rdPosition{rel.Line, rel.Column}}}})
		}
		doc.Diagnostics = append(doc.Diagnostics, d)
	}
	return writeJSON(w, doc)
}

// suggestions are the fixes that a reviewer may apply one by one without making half a change: those of units
// that change nothing but one run of lines of one file, which no other unit changes. They are named by the unit.
func (r *Report) suggestions(set *patches.Set) map[string]rdSuggestion {
	list := map[string]rdSuggestion{}
	if set == nil {
		return list
	}
	units := map[string][]*Unit{}
	for i, u := range r.Units {
		if u.Status == "fixable" {
			for _, file := range u.Files {
				units[file] = append(units[file], &r.Units[i])
			}
		}
	}
	for _, f := range set.Files {
		changing := units[f.Rel]
		if len(changing) != 1 || len(changing[0].Files) != 1 {
			continue
		}
		if from, to, text, ok := f.OneRun(); ok {
			list[changing[0].ID] = rdSuggestion{rdRange{rdPosition{Line: from}, &rdPosition{Line: to}}, text}
		}
	}
	return list
}
