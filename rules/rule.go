package rules

import (
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// A Rule finds one kind of misuse. Its name names the misuse, so that "allow NAME" reads well.
type Rule struct {
	Name string
	// Doc is the rule's package documentation: the source of its doc.go.
	Doc string
	// Default is set when the rule runs without being asked for: at least nine of ten of
	// its findings on real repositories are judged true.
	Default bool
	// Levels are the applicabilities that its findings can have, from the surest on.
	Levels []Applicability
	// Alone reports whether a finding, made of a program that is a single package, holds in whatever program the package
	// is part of. It is nil for a rule whose findings all need the whole program.
	Alone func(*Pass, *Finding) bool
	// Run reports the rule's findings, in any order.
	Run func(*Pass) []*Finding
}

// A Pass is what a rule gets to look at.
type Pass struct {
	Program *program.Program
	Census  *census.Census
	// Rules are all that run: of two rules at one place the more specific one reports.
	Rules  []*Rule
	flow   *flow.Flow
	calls  *callgraph.Graph
	supply *supply.Supply
}

// Supply tells from where functions could get contexts. It is made when a rule first asks.
func (p *Pass) Supply() *supply.Supply {
	if p.supply == nil {
		p.supply = supply.New(p.Calls(), p.Flow(), p.Census)
	}
	return p.supply
}

// Calls tells who calls, mentions and implements what. It is made when a rule first asks.
func (p *Pass) Calls() *callgraph.Graph {
	if p.calls == nil {
		p.calls = callgraph.Build(p.Program)
	}
	return p.calls
}

// Flow tells how contexts travel. It is made when a rule first asks.
func (p *Pass) Flow() *flow.Flow {
	if p.flow == nil {
		p.flow = flow.New(p.Program, p.Census)
	}
	return p.flow
}

// Runs reports whether a rule runs.
func (p *Pass) Runs(name string) bool {
	return slices.ContainsFunc(p.Rules, func(r *Rule) bool { return r.Name == name })
}

// Text returns the rule's documentation as plain text: the package comment of its doc.go.
func (r *Rule) Text() string {
	var b strings.Builder
	for line := range strings.Lines(r.Doc) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "package ") {
			break
		}
		if text, ok := strings.CutPrefix(line, "//"); ok {
			b.WriteString(strings.TrimPrefix(text, " "))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Summary returns the first sentence of the documentation, without "Package NAME ".
func (r *Rule) Summary() string {
	text := r.Text()
	if i := strings.Index(text, "\n\n"); i >= 0 {
		text = text[:i]
	}
	text = strings.Join(strings.Fields(text), " ")
	if rest, ok := strings.CutPrefix(text, "Package "+r.Name+" "); ok {
		text = rest
	}
	if i := strings.Index(text, ". "); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, ".")
}

// Proves is the Alone of a rule whose findings need no more than the package they are in.
func Proves(*Pass, *Finding) bool { return true }
