package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/queue"
	"github.com/ctxmend/ctxmend/patches/campaign/sandbox"
	"github.com/ctxmend/ctxmend/patches/git"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Exit codes. Scripts depend on them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitFindings    = 3
	exitInterrupted = 130
)

// errFindings is the outcome of a run that worked and has findings to show, or
// a diff that --exit-code was to report.
var errFindings = errors.New("there are findings")

// A usageError is a mistake in the arguments.
type usageError struct {
	message string
	// next says what to do about it; "" when the message does.
	next string
}

func (e *usageError) Error() string { return e.message }

// A failure is a kind of error that users can meet, with its exit code and what
// to do about it.
type failure struct {
	is   func(error) bool
	code int
	// says replaces the error's own text where that is no help.
	says string
	// next is "" where the error itself says what to do: those of the loader,
	// of the patch set and of the journal do, since they know the file.
	next string
}

// failures are tried in order; the first that matches counts. What matches none
// is a failure without more to say.
var failures = []failure{
	{is: as[*patches.RollbackError], code: exitFailure}, // first: it wraps any other
	{is: is(context.Canceled), code: exitInterrupted, says: "interrupted", next: "nothing was changed"},
	{is: is(patches.ErrNothingToUndo), code: exitFailure, next: "only the last fix that changed something can be taken back, once, and in the module or workspace it was made in"},
	{is: as[*patches.InterruptedError], code: exitFailure},
	{is: as[*patches.ChangedError], code: exitFailure, next: "nothing was changed"},
	{is: as[*patches.ReadOnlyError], code: exitFailure, next: "nothing was changed"},
	{is: as[*patches.OutsideError], code: exitFailure, next: "nothing was changed"},
	{is: as[*patches.IrregularError], code: exitFailure, next: "nothing was changed"},
	{is: as[*patches.ExistsError], code: exitFailure, next: "nothing was changed"},
	{is: as[*patches.WriteError], code: exitFailure},
	{is: as[*patches.JournalError], code: exitFailure, next: "nothing was changed"},
	{is: as[*leftoverError], code: exitFailure, next: "nothing was changed; wait for it, or run ctxmend undo in the module or workspace it was made in, with the CTXMEND_CACHE it had; if there is nothing to undo, look at the file and remove it"},
	{is: as[*patches.LockedError], code: exitFailure, next: "nothing was changed"},
	{is: isMissing("git"), code: exitFailure, says: "the git command was not found", next: "install git from https://git-scm.com or add it to PATH"},
	{is: as[*git.UnstagedError], code: exitFailure, next: "nothing was changed; stage the whole of it (git add), or put what is not staged aside (git stash --keep-index), and run it again"},
	{is: as[*git.BusyError], code: exitFailure, next: "nothing was changed; wait for it to end, and if no git command runs, remove the file"},
	{is: as[*git.Error], code: exitFailure, next: "nothing was changed"},
	{is: is(errNoCache), code: exitFailure, next: "set CTXMEND_CACHE to the name of one"},
	{is: is(git.ErrNoRepository), code: exitFailure, next: "work in a repository's directory (-C dir)"},
	{is: is(errCampaignInterrupted), code: exitInterrupted, next: "what was done is kept; run it again and it goes on"},
	{is: is(errNoToken), code: exitUsage, next: "nothing was done; put the token into that environment variable, or name another one or a file in campaign.yaml"},
	{is: is(sandbox.ErrUnavailable), code: exitFailure, next: "nothing was run; install it, or take verify out of campaign.yaml; --no-sandbox does without, for repositories that are trusted"},
	{is: is(queue.ErrWithdrawn), code: exitFailure, next: "nothing was done; give a new campaign a new name"},
	{is: is(queue.ErrNoCampaign), code: exitFailure, next: "ctxmend campaign plan or ctxmend campaign run begins it; --queue names another database"},
	{is: is(campaign.ErrNoTargets), code: exitUsage, next: "nothing was done; see targets in campaign.yaml"},
	{is: is(campaign.ErrForeignDirectory), code: exitFailure, next: "nothing was written there; --out names another one"},
	{is: as[*fileExistsError], code: exitFailure, next: "nothing was changed; -f names another one"},
	{is: is(errIncomplete), code: exitFailure, next: "the table says why; run it again to try them again"},
	{is: as[*leftOpenError], code: exitFailure, next: "the table says why; run it again to try again"},
	{is: is(forge.ErrUnauthorized), code: exitFailure, next: "see that the token is right, has not expired, and may read repositories and write branches and pull requests"},
	{is: is(forge.ErrUnavailable), code: exitFailure, next: "what was done is kept; run it again when the forge is back, and it goes on"},
	{is: as[*forge.LimitError], code: exitFailure, next: "run it again then"},
	{is: as[*conflictError], code: exitFailure, next: "nothing was changed; resolve it and git add the result"},
	{is: is(errPartialCommit), code: exitFailure, next: "nothing was changed; use git add and git commit without paths, or run ctxmend fix before"},
	{is: is(exec.ErrNotFound), code: exitFailure, next: "install Go from https://go.dev/dl or add it to PATH"},
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// isMissing matches a program that is not installed.
func isMissing(program string) func(error) bool {
	return func(err error) bool {
		var e *exec.Error
		return errors.As(err, &e) && e.Name == program && errors.Is(err, exec.ErrNotFound)
	}
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// exit prints what went wrong, if anything, and returns the exit code.
func (a *app) exit(err error) int {
	var usage *usageError
	var wrong *configError
	var unprinted *unprintedError
	var bug *program.PanicError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.As(err, &unprinted):
		printError(a.stderr, err.Error(), unprinted.done)
		return exitFailure
	case errors.As(err, &bug):
		a.printBug(bug)
		return exitFailure
	case errors.As(err, &usage):
		printError(a.stderr, usage.message, usage.next)
		return exitUsage
	}
	var wrongCampaign *campaignError
	if errors.As(err, &wrongCampaign) {
		printError(a.stderr, wrongCampaign.Error(), "ctxmend campaign --help says what the file may hold")
		return exitUsage
	}
	if errors.As(err, &wrong) {
		printError(a.stderr, wrong.Error(), "ctxmend config --help says what the file may hold; --no-config does without it")
		return exitUsage
	}
	var foreign *foreignHookError
	if errors.As(err, &foreign) {
		printError(a.stderr, foreign.what, foreign.add)
		return exitFailure
	}
	for _, f := range failures {
		if f.is(err) {
			printError(a.stderr, cmp.Or(f.says, err.Error()), f.next)
			return f.code
		}
	}
	printError(a.stderr, err.Error(), "")
	return exitFailure
}

// printBug prints what a report of a mistake in ctxmend itself needs. Files are written after
// everything that knows what it was doing.
func (a *app) printBug(bug *program.PanicError) {
	next := "this is a mistake in ctxmend: please report it with the lines below"
	if bug.Doing != "" {
		next = "nothing was changed; " + next
	}
	if name, ok := strings.CutPrefix(bug.Doing, "rule "); ok {
		next += "; --skip-rules " + name + " does without the rule"
	}
	printError(a.stderr, bug.Error(), next)
	fmt.Fprintf(a.stderr, "\n%s", bug.Stack)
}

func printError(w io.Writer, message, next string) {
	fmt.Fprintf(w, "ctxmend: %s\n", strings.TrimSpace(message))
	if next != "" {
		fmt.Fprintf(w, "   %s\n", next)
	}
}

// flagError explains what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		return unknownFlag(cmd, unknown)
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		var usage *usageError
		if errors.As(invalid.Unwrap(), &usage) {
			return &usageError{message: "--" + invalid.GetFlag().Name + ": " + usage.message, next: usage.next}
		}
	}
	return asUsageError(err)
}

func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	name := err.GetSpecifiedName()
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return &usageError{
		message: err.Error(),
		next:    didYouMean("--"+name, names, cmd.CommandPath()+" --help lists the flags"),
	}
}

func unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, sub := range root.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return &usageError{
		message: fmt.Sprintf("unknown command %q", name),
		next:    didYouMean(name, names, "ctxmend --help lists the commands"),
	}
}

// noArgs refuses arguments that a command has no use for.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{
		message: fmt.Sprintf("%s: unexpected argument %q", cmd.Name(), args[0]),
		next:    cmd.CommandPath() + " --help says more",
	}
}

func asUsageError(err error) error {
	return &usageError{message: err.Error(), next: "ctxmend --help says more"}
}
