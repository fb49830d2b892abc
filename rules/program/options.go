package program

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// A Platform is an operating system and architecture, as GOOS and GOARCH name them.
type Platform struct{ GOOS, GOARCH string }

// Options say what to load.
type Options struct {
	// Dir is the directory worked in; "" is the current one.
	Dir string
	// Base is the absolute directory that files are reported relative to; "" means Dir.
	Base string
	// Patterns choose the packages that are reported, in the go command's
	// syntax; a name ending in .go chooses that file alone. None means ./..., and
	// every module when a go.work file is in force. The world is loaded whole
	// whatever they say.
	Patterns []string
	// Tags are build tags. nil means none given, so that those of GOFLAGS
	// hold; any other value replaces them.
	Tags []string
	// Platforms are loaded one configuration each; none means the host's.
	Platforms []Platform
	// Tests tells whether test files are loaded. Without them they are
	// Excluded, for the reason "tests not loaded".
	Tests bool
	// Overlay replaces, creates or, with nil, removes files: absolute name to content. It is what the go command
	// and ctxmend see of the disk, go.mod and go.work files included.
	Overlay map[string][]byte
	// Focus, when not empty, names the directories of packages that matter. The world is then they, the packages that import
	// them, and those that store or look up context values; the rest of the modules counts as dependencies. What is found is less
	// than all there is, and nothing that is planned on such a program is to be carried out.
	Focus []string
	// Jobs bounds the goroutines that parse and check; 0 or less means
	// GOMAXPROCS. The result does not depend on it.
	Jobs int
	// Env is the environment of the go command; nil means the process's own.
	Env []string
	// Hints are what cannot be read from the program.
	Hints Hints
	// Standard, when not nil, keeps what is read of the standard library for other loads.
	Standard *Standard
	// Trace, when not nil, notes what the program was made of.
	Trace *Trace
	// Progress, when not nil, is called after each package that was checked,
	// from one goroutine at a time. The total grows until the graph is known.
	Progress func(done, total int, what string)
}

// normalize fills in defaults and checks the directory.
func (o *Options) normalize() error {
	if o.Dir == "" {
		o.Dir = "."
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("cannot resolve directory %s: %w", o.Dir, err)
	}
	o.Dir = dir
	if _, err := os.ReadDir(dir); err != nil {
		return fmt.Errorf("cannot read the directory to work in: %w", err)
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	for _, p := range o.Platforms {
		if p.GOOS == "" || p.GOARCH == "" {
			return fmt.Errorf("platform %q is incomplete: write goos/goarch, linux/amd64 for example", p.GOOS+"/"+p.GOARCH)
		}
	}
	return nil
}

// Load reads, parses and type-checks the world that opts.Dir belongs to. It
// runs go env and go list, never a compiler.
//
// Packages with errors are recorded in [Program.Broken] and are not fatal. Load
// fails when there is no module, a pattern matches nothing, the go command
// fails, a directory cannot be read, or nothing could be loaded.
func Load(ctx context.Context, opts Options) (_ *Program, err error) {
	defer Catch(&err)
	if err := opts.normalize(); err != nil {
		return nil, err
	}
	l := newLoader(opts)
	if err := l.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return l.prog, nil
}
