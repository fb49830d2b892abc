package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/rules"
)

// viewCommand completes a command that shows something of a program in one of several formats: as plain text of some kind, as data, as
// a picture, or on a page that shows the findings too.
func (a *app) viewCommand(cmd *cobra.Command, plain, usage string, show func(context.Context, *runFlags, []string) error) *cobra.Command {
	var flags runFlags
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if flags.format.value == "html" {
			flags.level.value = string(rules.Review) // the page shows every diff there is
		}
		return show(cmd.Context(), &flags, args)
	}
	flags.ruleFlags.addSelection(cmd.Flags())
	flags.worldFlags.add(cmd.Flags())
	flags.set = cmd.Flags()
	flags.format = newChoice(plain, plain, "json", "dot", "mermaid", "svg", "html")
	cmd.Flags().Var(&flags.format, "format", usage+", json, a graph for Graphviz (dot) or Markdown (mermaid), a picture (svg), or a page with findings and diffs (html)")
	return cmd
}
