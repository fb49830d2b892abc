package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An app is one run of the command and what it may touch.
type app struct {
	env            []string
	stdin          io.Reader
	stdout, stderr io.Writer
	rules          []*rules.Rule

	// Flags of every command.
	dir   string
	color choice
	quiet bool
	// configFile is a configuration to use in place of the one that is found; noConfig does without any.
	configFile string
	noConfig   bool

	// noted, when not nil, is told of notes, be they printed or not.
	noted func(string)
}

// execute parses the arguments and runs the command they name. Everything that
// goes wrong before a command begins is a mistake in the arguments.
func (a *app) execute(ctx context.Context, args []string) (err error) {
	defer program.Catch(&err)
	root := a.rootCommand()
	root.SetArgs(args)
	begun := false
	markBegin(root, &begun)
	err = root.ExecuteContext(ctx)
	if err != nil && !begun && !errors.As(err, new(*usageError)) {
		return asUsageError(err)
	}
	return err
}

// markBegin makes every command note that its arguments were accepted.
func markBegin(cmd *cobra.Command, begun *bool) {
	if runE := cmd.RunE; runE != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*begun = true
			return runE(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		markBegin(sub, begun)
	}
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ctxmend",
		Short: "ctxmend finds misuse of context.Context and rewrites whole programs to mend it",
		Long: `ctxmend finds misuse of context.Context in Go programs and rewrites whole
programs to mend it: every change is applied whole or not at all, has been
type-checked before a byte is written, and says why it is safe. What cannot be
done safely is reported with the reason, at the place.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			cmd.SetOut(a.stderr)
			if err := cmd.Help(); err != nil {
				return err
			}
			return &usageError{message: "no command given", next: "ctxmend check is a good first one; it changes nothing"}
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetIn(a.stdin)
	root.SetFlagErrorFunc(flagError)
	a.color = newChoice("auto", "auto", "always", "never")
	flags := root.PersistentFlags()
	flags.StringVarP(&a.dir, "dir", "C", "", "work in `dir` instead of the current directory")
	flags.Var(&a.color, "color", "colour the output: auto, always or never")
	flags.StringVar(&a.configFile, "config", "", "use this configuration `file` (default the nearest .ctxmend.yaml in the directory worked in or above it)")
	flags.BoolVar(&a.noConfig, "no-config", false, "use no configuration file")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print no progress, notes and summary")
	root.AddCommand(
		a.checkCommand(), a.diffCommand(), a.fixCommand(), a.undoCommand(),
		a.hookCommand(), a.keysCommand(), a.graphCommand(), a.explainCommand(), a.configCommand(), a.cacheCommand(), a.campaignCommand(), a.analyseCommand(), a.versionCommand(), a.manCommand(),
	)
	root.SetHelpCommand(helpCommand(root))
	requireShell(root)
	a.complete(root)
	return root
}

// helpCommand is cobra's, but for a topic that does not exist being a mistake.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Say how a command is used",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(root, args[0])
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// requireShell makes completion for no shell, or for an unknown one, a mistake.
func requireShell(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return
	}
	var shells []string
	for _, sub := range completion.Commands() {
		shells = append(shells, sub.Name())
	}
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(_ *cobra.Command, args []string) error {
		return &usageError{
			message: fmt.Sprintf("unknown shell %q", strings.Join(args, " ")),
			next:    "completions are there for " + strings.Join(shells, ", "),
		}
	}
}

// note tells the user something on stderr that is no result and no error.
func (a *app) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if a.noted != nil {
		a.noted(text)
	}
	if !a.quiet {
		fmt.Fprintf(a.stderr, "ctxmend: %s\n", text)
	}
}

// colored tells whether output to w is coloured.
func (a *app) colored(w io.Writer) bool {
	switch a.color.value {
	case "always":
		return true
	case "never":
		return false
	}
	// By the convention of no-color.org an empty value does not count.
	return a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb" && isTerminal(w)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// getenv returns the last value of an environment variable, as programs see it.
func (a *app) getenv(name string) string {
	value := ""
	for _, kv := range a.env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}
