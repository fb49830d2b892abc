package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctxmend/ctxmend/internal/results"
	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A runOutcome is what check and diff print of a run.
type runOutcome struct {
	Report *report.Report
	Set    *patches.Set
	// Notes are what the run said beside it.
	Notes []string
}

// A keptOutcome is an outcome as it is kept, with what it was made of. Encoding does not tell an empty file from none.
type keptOutcome struct {
	Made     *program.Record
	Outcome  *runOutcome
	Old, New []bool
}

// errNoCache means that the system names no directory for what programs keep.
var errNoCache = errors.New("there is no directory for a cache")

// outcome runs the pipeline, or finds that a run before has read the same and takes over what that has found.
func (a *app) outcome(ctx context.Context, flags *runFlags, patterns []string) (*runOutcome, error) {
	key := a.outcomeKey(flags, patterns)
	if key != "" {
		if out := a.kept(ctx, key); out != nil {
			file, err := a.readConfig()
			if err == nil {
				err = flags.configure(file) // as the run would have
			}
			if err != nil {
				return nil, err
			}
			for _, note := range out.Notes {
				a.note("%s", note)
			}
			return out, nil
		}
	}
	var notes []string
	a.noted = func(text string) { notes = append(notes, text) }
	defer func() { a.noted = nil }()
	trace := program.NewTrace()
	res, err := a.analyze(ctx, flags, patterns, func(o *rewrite.Options) {
		if key != "" {
			o.Load.Trace = trace
		}
	})
	if err != nil {
		return nil, err
	}
	left := a.leftovers(res.Program)
	if left != nil {
		a.note("%v; ctxmend undo takes it back", left)
	}
	out := &runOutcome{Report: makeReport(res, 0), Set: res.Set, Notes: notes}
	if made, whole := trace.Record(); key != "" && whole && left == nil { // else the next run would not say it
		a.keep(key, made, out)
	}
	return out, nil
}

// outcomeKey names everything that decides about an outcome and is not read from the program: the program that runs, where, its flags
// and its configuration. It is "" where outcomes are not kept.
func (a *app) outcomeKey(flags *runFlags, patterns []string) string {
	if flags.noCache || flags.since != "" || a.resultCache() == nil {
		return ""
	}
	dir, err := a.workDir()
	if err != nil {
		return ""
	}
	self, err := selfDigest()
	if err != nil {
		return ""
	}
	file, err := a.readConfig()
	if err != nil {
		return ""
	}
	parts := []string{self, dir}
	if file != nil {
		data, err := os.ReadFile(file.Name)
		if err != nil {
			return ""
		}
		parts = append(parts, file.Name, string(data))
	}
	shown := []string{"format", "color", "quiet", "jobs", "dir", "baseline", "write-baseline", "exit-code"}
	flags.set.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(shown, f.Name) {
			parts = append(parts, "--"+f.Name, f.Value.String(), strconv.FormatBool(f.Changed)) // a flag that is given beats the configuration
		}
	})
	return results.Key(append(append(parts, "--"), patterns...)...)
}

// selfDigest tells this program from every other one.
func selfDigest() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// kept returns the outcome of a run that has read what is there now, nil when there is none.
func (a *app) kept(ctx context.Context, key string) *runOutcome {
	cache := a.resultCache()
	var have keptOutcome
	if !cache.Get(key, &have) || have.Made == nil || have.Outcome == nil || have.Outcome.Report == nil || have.Outcome.Set == nil {
		return nil
	}
	dir, err := a.workDir()
	if err != nil || !have.Made.Holds(ctx, dir, a.env) {
		return nil
	}
	out := have.Outcome
	out.Report.Fill()
	for i, f := range out.Set.Files {
		f.Old, f.New = present(f.Old, have.Old[i]), present(f.New, have.New[i])
	}
	cache.Used(key, now())
	return out
}

// present returns content that is nil only if there is no file.
func present(content []byte, is bool) []byte {
	if is && content == nil {
		return []byte{}
	}
	return content
}

// keep keeps an outcome. That it could not be kept is no failure of the run.
func (a *app) keep(key string, made *program.Record, out *runOutcome) {
	k := keptOutcome{Made: made, Outcome: out}
	for _, f := range out.Set.Files {
		k.Old, k.New = append(k.Old, f.Old != nil), append(k.New, f.New != nil)
	}
	_ = a.resultCache().Put(key, &k, now())
}

// resultCache is where outcomes are kept, nil when there is no such place.
func (a *app) resultCache() *results.Cache {
	dir := a.cacheDir()
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		dir = filepath.Join(user, "ctxmend")
	}
	return &results.Cache{Dir: filepath.Join(dir, "results")}
}

func (a *app) cacheCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Say how much is kept of runs before, or remove it",
		Long: `Check and diff keep what they have found, with digests of all that was read for it. When they are run again
and nothing of that has changed, they ask the go command for the packages, compare, and print the same again. What is kept
is bounded: 256 runs, 256 MB, and 30 days without use. It lies in the directory CTXMEND_CACHE, or ctxmend in the user's
cache directory. --no-cache does without.

Cache prints the directory, and how much it holds.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{message: fmt.Sprintf("unknown command %q", "cache "+args[0]), next: didYouMean(args[0], []string{"clean"}, "ctxmend cache --help lists the commands")}
			}
			cache := a.resultCache()
			if cache == nil {
				return errNoCache
			}
			n, size, err := cache.Usage()
			if err != nil {
				return fmt.Errorf("cannot read the cache: %w", err)
			}
			_, err = fmt.Fprintf(a.stdout, "%s: %s, %.1f MB\n", cache.Dir, plural(n, "run"), float64(size)/1e6)
			return err
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "clean",
		Short: "Remove what is kept of runs before",
		Long: `Clean removes what check and diff have kept. What undo needs is not touched.
`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			cache := a.resultCache()
			if cache == nil {
				return errNoCache
			}
			if err := cache.Clean(); err != nil {
				return fmt.Errorf("cannot clean the cache: %w", err)
			}
			return nil
		},
	})
	return cmd
}
