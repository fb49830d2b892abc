// Package analyzers makes analyzers of golang.org/x/tools/go/analysis out of rules, for drivers that show one package
// at a time: go vet, go fix, golangci-lint.
//
// # What one package proves
//
// A rule says by [rules.Rule.Alone] what its findings need. Those that need all users of a key, or all callers of a
// function, are not offered; of the others each package gives the findings that the command gives there. What
// other packages are known to do with keys comes as facts: see [forwards] and [keys].
//
// # What one package may change
//
// A fix is suggested only where everything it edits lies in one function of the package, in a file that is
// formatted (drivers format what they edit, whole), and only at a level that was asked for. A key is never changed: it
// is told by its value, so another package may have the other half of it. For such findings the message names the
// command that reads the whole program.
package analyzers

import (
	"reflect"
	"slices"

	"golang.org/x/tools/go/analysis"

	"github.com/ctxmend/ctxmend/rules"
)

// Options say which rules run and what may be suggested.
type Options struct {
	// Known are the rules there are; a directive that names another is a finding.
	Known []*rules.Rule
	// Rules get an analyzer each, but for those that need the whole program.
	Rules []*rules.Rule
	// Running are those of them that run, and leave places to each other. Nil means Rules.
	Running []*rules.Rule
	// Level points to the least certain applicability that is suggested, read when a package is analysed; nil means
	// that nothing is suggested.
	Level *rules.Applicability
	// Named is set for drivers that do not say which analyzer a message comes from.
	Named bool
	// FactsOnly is set when nobody wants findings.
	FactsOnly bool
}

// Provable returns the rules that have something to say of a single package.
func Provable(list []*rules.Rule) []*rules.Rule {
	return slices.DeleteFunc(slices.Clone(list), func(r *rules.Rule) bool { return r.Alone == nil })
}

// Make returns an analyzer for each rule, in the order of the rules, and one for directives that do not work. All of them
// need one that looks at the package, passes on facts and reports nothing.
func Make(opts Options) []*analysis.Analyzer {
	if opts.Running == nil {
		opts.Running = opts.Rules
	}
	opts.Running = Provable(opts.Running)
	first := &analysis.Analyzer{
		Name:       "ctxmend",
		Doc:        "notes what functions do with context keys, and which keys a package uses",
		Run:        func(pass *analysis.Pass) (any, error) { return look(pass, &opts) },
		ResultType: reflect.TypeFor[*sight](),
		FactTypes:  []analysis.Fact{new(forwards), new(keys), new(takes)},
	}
	var list []*analysis.Analyzer
	for _, r := range Provable(opts.Rules) {
		list = append(list, analyzerOf(r.Name, r.Summary()+"\n\n"+r.Text(), first))
	}
	return append(list, analyzerOf(rules.IgnoreRule, "reports //ctxmend:ignore comments that do not work", first))
}

// analyzerOf makes the analyzer that reports the findings of one rule.
func analyzerOf(name, doc string, first *analysis.Analyzer) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:     name,
		Doc:      doc,
		URL:      ruleURL(name),
		Requires: []*analysis.Analyzer{first},
		Run: func(pass *analysis.Pass) (any, error) {
			s := pass.ResultOf[first].(*sight)
			for _, f := range s.list {
				if f.Rule == name {
					pass.Report(s.diagnostic(f))
				}
			}
			return nil, nil
		},
	}
}

// ruleURL is where a rule's documentation can be read.
func ruleURL(name string) string {
	base := "https://pkg.go.dev/github.com/ctxmend/ctxmend/"
	if name == rules.IgnoreRule {
		return base + "cmd/ctxmend#hdr-Suppression"
	}
	return base + "rules/" + name
}
