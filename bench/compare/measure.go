package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A sample is the cost of one run, children included.
type sample struct {
	cpu, wall time.Duration
	// peak is the resident memory, in bytes, of the largest single process.
	peak int64
}

// A result holds the samples of one scenario, by tool.
type result struct {
	scenario
	samples map[*tool][]sample
}

// A meter runs tools and measures them.
type meter struct {
	sandbox *sandbox
	tools   []*tool
	opts    options
	edits   int
}

// A scenario is what the caches hold when a tool runs.
type scenario struct {
	title, text string
	runs        int
	// begin is called once, before the first run.
	begin func(context.Context) error
	// prepare is called before each run.
	prepare func() error
	// cache and build are the directories of the tool's own cache and of the build cache.
	cache func(*tool) string
	build string
}

// scenarios lists what is to be measured, in an order in which each leaves the caches as the next needs them.
func (m *meter) scenarios() []scenario {
	fresh := func(*tool) string { return "fresh" }
	kept := func(t *tool) string { return filepath.Join("kept", t.name) }
	list := []scenario{{
		title: "Cold build cache", text: "All caches are empty: a fresh clone, or a CI job without a cache.",
		runs:    m.opts.coldRuns,
		prepare: func() error { return m.remove("fresh", "cold-build") },
		cache:   fresh, build: "cold-build",
	}, {
		title: "Warm build cache", text: "The build cache holds all that the tools ask of it, their own caches are empty.",
		runs: m.opts.runs,
		begin: func(ctx context.Context) error {
			// A tool that finds its results in its own cache asks for less.
			if err := m.remove("fresh"); err != nil {
				return err
			}
			return m.all(ctx, fresh)
		},
		prepare: func() error { return m.remove("fresh") },
		cache:   fresh, build: warmBuild,
	}, {
		title: "Nothing changed", text: "Every cache is as the same command has left it.",
		runs:  m.opts.runs,
		begin: func(ctx context.Context) error { return m.all(ctx, kept) },
		cache: kept, build: warmBuild,
	}}
	if m.opts.edit != "" {
		list = append(list, scenario{
			title: "After an edit", text: "As before, but " + filepath.ToSlash(m.opts.edit) + " has gained a function since the last run.",
			runs: m.opts.runs,
			begin: func(ctx context.Context) error {
				if err := m.sandbox.copyCheckout(); err != nil {
					return err
				}
				return m.all(ctx, kept)
			},
			prepare: m.editFile,
			cache:   kept, build: warmBuild,
		})
	}
	return list
}

// measure goes through the scenarios. With an error it returns the whole rounds that came before.
func (m *meter) measure(ctx context.Context) ([]*result, error) {
	var results []*result
	for _, sc := range m.scenarios() {
		if sc.runs == 0 {
			continue
		}
		if sc.begin != nil {
			if err := sc.begin(ctx); err != nil {
				return results, err
			}
		}
		r := &result{scenario: sc, samples: map[*tool][]sample{}}
		for i := range sc.runs {
			round, err := m.round(ctx, sc, fmt.Sprintf("%s, run %d of %d", sc.title, i+1, sc.runs))
			if err != nil {
				return results, err
			}
			if i == 0 {
				results = append(results, r)
			}
			for t, one := range round {
				r.samples[t] = append(r.samples[t], one)
			}
		}
	}
	return results, nil
}

// round lets every tool run once.
func (m *meter) round(ctx context.Context, sc scenario, what string) (map[*tool]sample, error) {
	round := map[*tool]sample{}
	for _, t := range m.tools {
		if sc.prepare != nil {
			if err := sc.prepare(); err != nil {
				return nil, err
			}
		}
		one, err := m.run(ctx, t, sc.cache(t), sc.build)
		if err != nil {
			return nil, err
		}
		note("%s, %s: %.2f CPU s", what, t.name, one.cpu.Seconds())
		round[t] = one
	}
	return round, nil
}

// warmBuild is the build cache that is filled.
const warmBuild = "warm-build"

// all runs every tool once, unmeasured, to fill the build cache and the tools' own.
func (m *meter) all(ctx context.Context, cache func(*tool) string) error {
	for _, t := range m.tools {
		note("filling caches: %s", t.name)
		if _, err := m.run(ctx, t, cache(t), warmBuild); err != nil {
			return err
		}
	}
	return nil
}

// remove empties caches of the sandbox.
func (m *meter) remove(names ...string) error {
	for _, name := range names {
		if err := os.RemoveAll(m.sandbox.path(name)); err != nil {
			return err
		}
	}
	return nil
}

// run measures one run of a tool.
func (m *meter) run(ctx context.Context, t *tool, cache, build string) (sample, error) {
	for _, dir := range []string{cache, build, "tmp", "gopath", "config"} {
		if err := os.MkdirAll(m.sandbox.path(dir), 0o755); err != nil {
			return sample{}, err
		}
	}
	cmd := exec.CommandContext(ctx, t.program, append(t.args[:len(t.args):len(t.args)], m.opts.patterns...)...)
	withChildren(cmd)
	cmd.Dir = m.sandbox.dir
	cmd.Env = m.sandbox.measured(cache, build)
	// The output goes to a file: what this process holds in memory when it starts a child counts
	// as the child's, until the child has more of its own.
	out, err := os.Create(m.sandbox.path("output"))
	if err != nil {
		return sample{}, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	begun := time.Now()
	err = cmd.Run()
	s := sample{wall: time.Since(begun)}
	if ctx.Err() != nil {
		return s, errors.New("interrupted")
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return s, fmt.Errorf("cannot run %s: %w", t.name, err)
	}
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	s.peak = peakMemory(cmd.ProcessState)
	output, err := readStart(m.sandbox.path("output"))
	if err != nil {
		return s, err
	}
	return s, t.check(cmd.ProcessState.ExitCode(), output)
}

// readStart returns the beginning of a file.
func readStart(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	n, err := io.ReadFull(f, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return string(bytes.TrimSpace(buf[:n])), err
}

// editFile adds one more function to the file that is edited.
func (m *meter) editFile() error {
	name := filepath.Join(m.sandbox.dir, m.opts.edit)
	src, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("cannot edit the file that --edit names: %w", err)
	}
	m.edits++
	var b strings.Builder
	fmt.Fprintf(&b, "\n// AddedByCompare%d is no part of the program.\nfunc AddedByCompare%d() int { return %d }\n", m.edits, m.edits, m.edits)
	return os.WriteFile(name, append(src, b.String()...), 0o644)
}
