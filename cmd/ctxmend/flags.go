package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctxmend/ctxmend/internal/config"
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// A choice is a flag that takes one of a few words.
type choice struct {
	value   string
	allowed []string
}

func newChoice(value string, allowed ...string) choice { return choice{value, allowed} }

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.allowed, "|") }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return &usageError{
			message: fmt.Sprintf("unknown value %q, want %s", s, orList(c.allowed)),
			next:    didYouMean(s, c.allowed, ""),
		}
	}
	c.value = s
	return nil
}

// orList returns "a, b or c".
func orList(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// worldFlags say what is loaded.
type worldFlags struct {
	tags, platforms []string
	tests           bool
	jobs            int
}

func (w *worldFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&w.tags, "tags", nil, "build `tags`, comma-separated")
	flags.StringSliceVar(&w.platforms, "platforms", nil, "build configurations to load, for example `linux/amd64,windows/amd64` (default the host's)")
	flags.BoolVar(&w.tests, "tests", true, "load test files too; without them a fix cannot know who else reads a key")
	flags.IntVar(&w.jobs, "jobs", runtime.GOMAXPROCS(0), "work on `n` packages at a time (default as many as there are processors); the result does not depend on it")
	flags.Lookup("jobs").DefValue = "0" // so that what --help and the manual say is the same everywhere
}

// platform is GOOS/GOARCH as go tool dist list prints it.
var platform = regexp.MustCompile(`^([a-z0-9]+)/([a-z0-9]+)$`)

// options checks the flags and turns them into what the loader wants.
func (w *worldFlags) options() (program.Options, error) {
	opts := program.Options{Standard: new(program.Standard), Tags: w.tags, Tests: w.tests, Jobs: w.jobs}
	for _, p := range w.platforms {
		m := platform.FindStringSubmatch(p)
		if m == nil {
			return opts, &usageError{
				message: fmt.Sprintf("unknown platform %q in --platforms", p),
				next:    "write GOOS/GOARCH, for example linux/amd64",
			}
		}
		opts.Platforms = append(opts.Platforms, program.Platform{GOOS: m[1], GOARCH: m[2]})
	}
	if w.jobs < 1 {
		return opts, &usageError{
			message: fmt.Sprintf("--jobs %d: at least one job is needed", w.jobs),
			next:    "leave --jobs out to use every processor",
		}
	}
	return opts, nil
}

// ruleFlags say which rules run and how far their fixes may go.
type ruleFlags struct {
	only, skip                 []string
	level, keyStyle, accessors choice
	keyPackage                 string
	stage, api, goroutines     choice
	// config is the configuration file that holds, nil when there is none.
	config *config.File
}

func (r *ruleFlags) add(flags *pflag.FlagSet) {
	r.addSelection(flags)
	flags.Var(&r.level, "level", "how far fixes may go: safe, or review for those that may change behaviour or exported API")
	flags.Var(&r.keyStyle, "key-style", "what new keys are: auto (what the package already does), struct (an empty struct type), string (constants of a named string type) or enum (constants of a named integer type)")
	flags.StringVar(&r.keyPackage, "key-package", "", "import `path` of the package that gets new keys (default the one that fits best)")
	flags.Var(&r.accessors, "accessors", "write accessor functions for keys: auto, always or never")
	flags.Var(&r.api, "api", "what a new parameter does to exported functions of importable packages: preserve them and add others beside them, or break them")
	flags.Var(&r.goroutines, "goroutines", "what goroutines get: inherit their caller's context, detach from it with its values alone, or auto, as evidence tells")
	flags.Var(&r.stage, "stage", "how keys go that code elsewhere uses: expand writes old and new keys and reads both, contract removes the old ones once nobody uses them; at-once leaves them alone")
}

// addSelection adds the flags that choose rules, and gives the others their defaults.
func (r *ruleFlags) addSelection(flags *pflag.FlagSet) {
	r.level = newChoice("safe", "safe", "review")
	r.keyStyle = newChoice("auto", "auto", "struct", "string", "enum")
	r.accessors = newChoice("auto", "auto", "always", "never")
	r.api = newChoice("preserve", "preserve", "break")
	r.stage = newChoice("at-once", "at-once", "expand", "contract")
	r.goroutines = newChoice("auto", "auto", "inherit", "detach")
	flags.StringSliceVar(&r.only, "rules", nil, "run these `rules` instead of the default ones, comma-separated")
	flags.StringSliceVar(&r.skip, "skip-rules", nil, "leave out these `rules`, comma-separated")
}

// selected returns the rules that run.
func (r *ruleFlags) selected(all []*rules.Rule) ([]*rules.Rule, error) {
	names := ruleNames(all)
	for _, name := range append(slices.Clone(r.only), r.skip...) {
		if !slices.Contains(names, name) {
			return nil, unknownRule(name, names)
		}
	}
	var out []*rules.Rule
	for _, rule := range all {
		chosen := r.on(rule)
		if len(r.only) > 0 {
			chosen = slices.Contains(r.only, rule.Name)
		}
		if chosen && !slices.Contains(r.skip, rule.Name) {
			out = append(out, rule)
		}
	}
	if len(out) == 0 {
		return nil, &usageError{message: "no rule is left to run", next: "see --rules and --skip-rules"}
	}
	return out, nil
}

func unknownRule(name string, names []string) error {
	if name == rules.IgnoreRule {
		return &usageError{message: "rule ignore is always on", next: "leave it out of --rules and --skip-rules"}
	}
	message := fmt.Sprintf("unknown rule %q", name)
	for _, left := range suite.LeftOut {
		if left.Name == name {
			return &usageError{message: message + ": " + left.Reason, next: "ctxmend explain lists the rules"}
		}
	}
	return &usageError{message: message, next: didYouMean(name, names, "ctxmend explain lists the rules")}
}

// runFlags are the flags of the commands that run rules.
type runFlags struct {
	worldFlags
	ruleFlags
	format choice
	// noCache is set when what runs before have found is not to be used, and nothing kept.
	noCache bool
	// set is what tells which flags were given: they beat the configuration file.
	set   *pflag.FlagSet
	since string
}

func (f *runFlags) add(cmd *cobra.Command) {
	addSince(cmd, &f.since)
	f.addFormat(cmd.Flags())
	f.ruleFlags.add(cmd.Flags())
	f.worldFlags.add(cmd.Flags())
	f.set = cmd.Flags()
}

// addCache adds the flag of commands that keep what they have found.
func (f *runFlags) addCache(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.noCache, "no-cache", false, "look at everything again; ctxmend cache says what is kept otherwise")
}

func (f *runFlags) addFormat(flags *pflag.FlagSet) {
	f.format = newChoice("text", append([]string{"text"}, report.Formats...)...)
	flags.Var(&f.format, "format", "print text, json or jsonl (one decision a line), sarif, github (annotations), rdjson (reviewdog) or checkstyle")
}

// options turns flags and package patterns into what the pipeline wants.
func (a *app) options(f *runFlags, patterns []string) (rewrite.Options, error) {
	file, err := a.readConfig()
	if err != nil {
		return rewrite.Options{}, err
	}
	if err := f.configure(file); err != nil {
		return rewrite.Options{}, err
	}
	chosen, err := f.selected(a.rules)
	if err != nil {
		return rewrite.Options{}, err
	}
	load, err := a.loadOptions(&f.worldFlags, patterns)
	if err != nil {
		return rewrite.Options{}, err
	}
	opts := rewrite.Options{
		Load:       load,
		Rules:      chosen,
		Level:      rules.Applicability(f.level.value),
		KeyStyle:   f.keyStyle.value,
		Stage:      f.stage.value,
		Goroutines: f.goroutines.value,
		KeyPackage: f.keyPackage,
		Accessors:  f.accessors.value,
		API:        f.api.value,
	}
	f.told(&opts)
	return opts, nil
}

// loadOptions adds to the flags where to work and what to report.
func (a *app) loadOptions(w *worldFlags, patterns []string) (program.Options, error) {
	opts, err := w.options()
	if err != nil {
		return opts, err
	}
	if opts.Dir, err = a.workDir(); err != nil {
		return opts, err
	}
	opts.Patterns, opts.Env = patterns, a.env
	return opts, nil
}

// workDir returns the absolute directory to work in.
func (a *app) workDir() (string, error) {
	dir, err := filepath.Abs(a.dir)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return "", &usageError{message: fmt.Sprintf("-C %s: %v", a.dir, err), next: "name the directory of a Go module"}
	}
	return dir, nil
}

// complete lets the shell complete the words that flags take.
func (a *app) complete(cmd *cobra.Command) {
	words := func(flag *pflag.Flag) {
		var known []string
		if c, ok := flag.Value.(*choice); ok {
			known = c.allowed
		} else if flag.Name == "rules" || flag.Name == "skip-rules" {
			known = ruleNames(a.rules)
		} else {
			return
		}
		// The only possible error is a flag that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag.Name, cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
	}
	cmd.PersistentFlags().VisitAll(words)
	cmd.Flags().VisitAll(words)
	for _, sub := range cmd.Commands() {
		a.complete(sub)
	}
}
