package analyzers

import (
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

// maxRelated bounds the places listed with one finding: go vet prints each on a line of its own.
const maxRelated = 5

// diagnostic says a finding in the driver's terms.
func (s *sight) diagnostic(f *rules.Finding) analysis.Diagnostic {
	d := analysis.Diagnostic{Pos: f.Pos, End: f.End, Category: f.Rule, URL: ruleURL(f.Rule)}
	for _, r := range f.Related[:min(len(f.Related), maxRelated)] {
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: r.Pos, Message: r.Message})
	}
	unit := s.fixes[f]
	if unit != nil {
		d.SuggestedFixes = []analysis.SuggestedFix{s.suggestion(unit)}
	}
	d.Message = f.Message + s.users(f)
	if unit == nil {
		d.Message += s.advice(f)
	}
	if s.opts.Named {
		d.Message = f.Rule + ": " + d.Message
	}
	return d
}

// users tells which of the imported packages use the same key.
func (s *sight) users(f *rules.Finding) string {
	var words []string
	for _, u := range s.elsewhere[s.keyNames[f.KeyID]] {
		words = append(words, u.Pkg+" "+u.what()+" it")
	}
	if len(words) == 0 {
		return ""
	}
	if rest := len(words) - maxRelated; rest > 0 {
		words = append(words[:maxRelated], census.Count(rest, "more use"))
	}
	return "; " + strings.Join(words, ", ")
}

// advice names the command that can do more about a finding than the driver.
func (s *sight) advice(f *rules.Finding) string {
	if f.Fix == nil {
		return ""
	}
	command := "ctxmend fix --rules " + f.Rule
	if !s.safe(f.Rule) {
		command += " --level review"
	}
	if _, local := f.Fix.Intent.(rules.LocalIntent); local {
		return "; to mend it: " + command
	}
	if f.Key != "" {
		return "; to mend " + f.Key + " in the whole program: " + command
	}
	return "; to mend it in the whole program: " + command
}

// safe reports whether fixes of a rule can be safe: whether one is, only the whole program tells.
func (s *sight) safe(name string) bool {
	return slices.ContainsFunc(s.opts.Known, func(r *rules.Rule) bool { return r.Name == name && slices.Contains(r.Levels, rules.Safe) })
}
