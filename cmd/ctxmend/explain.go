package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rules"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [RULE]",
		Short: "Print a rule's documentation, or the list of rules",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return noArgs(cmd, args[1:])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listRules()
			}
			return a.explain(args[0])
		},
		ValidArgs: ruleNames(a.rules),
	}
}

func ruleNames(all []*rules.Rule) []string {
	names := make([]string, 0, len(all))
	for _, rule := range all {
		names = append(names, rule.Name)
	}
	return names
}

// listRules prints the rules in the order of the registry, which goes from the common
// to the special.
func (a *app) listRules() error {
	widest := 0
	for _, rule := range a.rules {
		widest = max(widest, len(rule.Name))
	}
	for _, rule := range a.rules {
		optIn := ""
		if !rule.Default {
			optIn = " (off by default; switch it on with --rules)"
		}
		if _, err := fmt.Fprintf(a.stdout, "%-*s  %s%s\n", widest, rule.Name, rule.Summary(), optIn); err != nil {
			return err
		}
	}
	a.note("ctxmend explain RULE says more about one")
	return nil
}

func (a *app) explain(name string) error {
	for _, rule := range a.rules {
		if rule.Name != name {
			continue
		}
		on := "on by default"
		if !rule.Default {
			on = "off by default; switch it on with --rules " + rule.Name
		}
		doc := fmt.Sprintf("# %s (%s)\n\n%s\n", rule.Name, on, strings.TrimSpace(rule.Text()))
		_, err := fmt.Fprint(a.stdout, report.StyleDoc(doc, a.colored(a.stdout)))
		return err
	}
	return unknownRule(name, ruleNames(a.rules))
}
