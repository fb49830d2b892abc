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
	title, text string
	samples     map[*tool][]sample
}

// A meter runs tools and measures them.
type meter struct {
	sandbox *sandbox
	tools   []*tool
	opts    options
	edits   int
}

// scenarios measures one after the other. Within one, the tools take turns.
func (m *meter) scenarios(ctx context.Context) ([]*result, error) {
	var all []*result
	add := func(runs int, title, text string, prepare func(*tool) error, cache func(*tool) string, build string) error {
		if runs == 0 {
			return nil
		}
		r := &result{title: title, text: text, samples: map[*tool][]sample{}}
		for i := range runs {
			for _, t := range m.tools {
				if err := prepare(t); err != nil {
					return err
				}
				one, err := m.run(ctx, t, cache(t), build)
				if err != nil {
					return err
				}
				note("%s, run %d of %d, %s: %.2f CPU s", title, i+1, runs, t.name, one.cpu.Seconds())
				r.samples[t] = append(r.samples[t], one)
			}
		}
		all = append(all, r)
		return nil
	}
	fresh := func(*tool) string { return "fresh" }
	kept := func(t *tool) string { return filepath.Join("kept", t.name) }
	err := add(m.opts.coldRuns, "Cold build cache", "All caches are empty: a fresh clone, or a CI job without a cache.",
		func(*tool) error { return m.remove("fresh", "cold-build") }, fresh, "cold-build")
	if err == nil && m.opts.runs > 0 {
		err = m.warm(ctx)
	}
	if err == nil {
		err = add(m.opts.runs, "Warm build cache", "The build cache holds all that the tools ask of it, their own caches are empty.",
			func(*tool) error { return m.remove("fresh") }, fresh, "warm-build")
	}
	if err == nil && m.opts.runs > 0 {
		for _, t := range m.tools {
			if _, err = m.run(ctx, t, kept(t), "warm-build"); err != nil {
				return nil, err
			}
		}
		err = add(m.opts.runs, "Nothing changed", "Every cache is as the same command has left it.",
			func(*tool) error { return nil }, kept, "warm-build")
	}
	if err == nil && m.opts.edit != "" && m.opts.runs > 0 {
		if err = m.prepareEdits(ctx, kept); err == nil {
			err = add(m.opts.runs, "After an edit", "As before, but "+filepath.ToSlash(m.opts.edit)+" has gained a function since the last run.",
				func(*tool) error { return m.editFile() }, kept, "warm-build")
		}
	}
	return all, err
}

// warm fills the build cache with what the tools ask the go command for: every tool runs once.
func (m *meter) warm(ctx context.Context) error {
	for _, t := range m.tools {
		note("filling the build cache: %s", t.name)
		if err := m.remove("fresh"); err != nil {
			return err
		}
		if _, err := m.run(ctx, t, "fresh", "warm-build"); err != nil {
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

// prepareEdits moves to a copy of the checkout, in which every tool has run once.
func (m *meter) prepareEdits(ctx context.Context, cache func(*tool) string) error {
	if err := m.sandbox.copyCheckout(); err != nil {
		return err
	}
	for _, t := range m.tools {
		if _, err := m.run(ctx, t, cache(t), "warm-build"); err != nil {
			return err
		}
	}
	return nil
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
