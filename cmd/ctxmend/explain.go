package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

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
		ValidArgs: append(ruleNames(a.rules), rules.IgnoreRule),
	}
}

// ignoreDoc documents the rule about directives, which has no folder because it is
// part of suppression itself.
const (
	ignoreSummary = "reports //ctxmend:ignore comments that do not work"
	ignoreDoc     = `A comment

	//ctxmend:ignore RULE reason

suppresses the findings of RULE on its line, on the line below when it stands alone,
and in the whole declaration when it is part of its documentation. A suppressed
line is never edited, so a suppressed place of a key blocks the fix of that key.

Reported is such a comment without a rule or a reason (it suppresses nothing),
one that names no rule, and one that has nothing left to suppress. This rule is
always on.`
)

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
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, rule := range a.rules {
		optIn := ""
		if !rule.Default {
			optIn = " (off by default; switch it on with --rules)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s%s\n", rule.Name, levels(rule), rule.Summary(), optIn)
	}
	fmt.Fprintf(table, "%s\t%s\t%s\n", rules.IgnoreRule, rules.Manual, ignoreSummary)
	if err := table.Flush(); err != nil {
		return err
	}
	a.note("ctxmend explain RULE says more about one")
	return nil
}

// levels lists how far the findings of a rule can be mended.
func levels(rule *rules.Rule) string {
	var words []string
	for _, l := range rule.Levels {
		words = append(words, string(l))
	}
	return strings.Join(words, ", ")
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
		where := "; needs the whole program"
		if rule.Alone != nil {
			where = "; in go vet too"
		}
		return a.printDoc(rule.Name, on+"; "+levels(rule)+where, rule.Text())
	}
	if name == rules.IgnoreRule {
		return a.printDoc(name, "always on", ignoreDoc)
	}
	return unknownRule(name, ruleNames(a.rules))
}

func (a *app) printDoc(name, on, text string) error {
	doc := fmt.Sprintf("# %s (%s)\n\n%s\n", name, on, strings.TrimSpace(text))
	_, err := fmt.Fprint(a.stdout, report.StyleDoc(doc, a.colored(a.stdout)))
	return err
}
