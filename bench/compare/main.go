// Command compare measures what ctxmend check costs beside go list -deps, the floor under every
// tool that loads Go packages, and staticcheck -checks SA1029, its nearest relative. It needs Go
// and the module proxy, and no more. Run it in its own directory:
//
//	go run . [flags] [directory [packages]]
//
// The directory is a Go module or workspace, the repository around this one by default; the
// packages are ./... by default. Nothing is written to it, and none of the user's caches is
// used, except that modules already in the module cache are copied from there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// options are what the command line asks for.
type options struct {
	coldRuns, runs int
	ctxmend        string // program to measure instead of the one built from this repository
	edit           string // file that gains a function before each run; "" leaves that scenario out
	keep           bool   // keep the temporary directory
	dir            string
	patterns       []string
}

func main() {
	var opts options
	flag.IntVar(&opts.coldRuns, "cold-runs", 3, "runs of each tool on a cold build cache; 0 leaves that scenario out")
	flag.IntVar(&opts.runs, "runs", 5, "runs of each tool in every other scenario")
	flag.StringVar(&opts.ctxmend, "ctxmend", "", "measure this `program` instead of building one from the repository around")
	flag.StringVar(&opts.edit, "edit", "", "also measure the first run after a function was added to this `file`, named relative to the directory, in a copy of the checkout")
	flag.BoolVar(&opts.keep, "keep", false, "keep the temporary directory, with all output, and print its name")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run . [flags] [directory [packages]]")
		flag.PrintDefaults()
	}
	flag.Parse()
	opts.dir, opts.patterns = filepath.Join("..", ".."), []string{"./..."}
	if flag.NArg() > 0 {
		opts.dir = flag.Arg(0)
	}
	if flag.NArg() > 1 {
		opts.patterns = flag.Args()[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := compare(ctx, opts); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// compare does the work between making the temporary directory and removing it.
func compare(ctx context.Context, opts options) (err error) {
	s, err := newSandbox(ctx, opts.dir)
	if err != nil {
		return err
	}
	defer func() {
		if opts.keep {
			fmt.Fprintln(os.Stderr, "kept", s.root)
		} else {
			err = errors.Join(err, s.remove())
		}
	}()
	note("building the tools and copying modules")
	tools, err := buildTools(ctx, s, opts)
	if err != nil {
		return err
	}
	if err := s.fetchModules(ctx, opts.patterns); err != nil {
		return err
	}
	m := &meter{sandbox: s, tools: tools, opts: opts}
	head, err := describe(ctx, s, opts)
	if err != nil {
		return err
	}
	// What was measured before an interruption took its time, too.
	results, err := m.measure(ctx)
	return errors.Join(err, writeTables(os.Stdout, head, tools, results))
}

// note tells on standard error what goes on.
func note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
