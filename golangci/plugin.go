// Package golangci is ctxmend as a module plugin of golangci-lint. A golangci-lint that is built with it has one more
// linter, ctxmend, which says of each package what that package proves; see the package analyzers. README.md shows how.
package golangci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/ctxmend/ctxmend/analyzers"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/suite"
)

func init() { register.Plugin("ctxmend", New) }

// Settings are what the configuration of golangci-lint may say, under linters.settings.custom.ctxmend.settings.
type Settings struct {
	// Rules replaces the rules that are on by default.
	Rules []string `json:"rules"`
	// Skip leaves rules out.
	Skip []string `json:"skip-rules"`
	// Level is the least certain fix that --fix makes: safe, which is the default, or review.
	Level string `json:"level"`
}

// A plugin is one golangci-lint run's instance of ctxmend.
type plugin struct {
	rules []*rules.Rule
	level rules.Applicability
}

// New makes the linter, for golangci-lint.
func New(conf any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[Settings](conf)
	if err != nil {
		return nil, err
	}
	p := &plugin{level: rules.Safe}
	switch level := rules.Applicability(s.Level); level {
	case "":
	case rules.Safe, rules.Review:
		p.level = level
	default:
		return nil, fmt.Errorf("ctxmend: unknown level %q: want safe or review", s.Level)
	}
	provable := analyzers.Provable(suite.All)
	for _, name := range slices.Concat(s.Rules, s.Skip) {
		if err := check(provable, name); err != nil {
			return nil, err
		}
	}
	for _, r := range provable {
		on := r.Default
		if len(s.Rules) > 0 {
			on = slices.Contains(s.Rules, r.Name)
		}
		if on && !slices.Contains(s.Skip, r.Name) {
			p.rules = append(p.rules, r)
		}
	}
	return p, nil
}

// check refuses the name of a rule that golangci-lint cannot run.
func check(provable []*rules.Rule, name string) error {
	var names []string
	for _, r := range provable {
		if r.Name == name {
			return nil
		}
		names = append(names, r.Name)
	}
	for _, r := range suite.All {
		if r.Name == name {
			return fmt.Errorf("ctxmend: rule %s needs the whole program: run ctxmend check --rules %s", name, name)
		}
	}
	return fmt.Errorf("ctxmend: unknown rule %q: there are %s", name, strings.Join(names, ", "))
}

// BuildAnalyzers returns the analyzers of the rules that were chosen.
func (p *plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	return analyzers.Make(analyzers.Options{Known: suite.All, Rules: p.rules, Level: &p.level}), nil
}

// GetLoadMode asks for types.
func (p *plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
