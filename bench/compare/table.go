package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// describe returns lines that say what is measured, where and when.
func describe(ctx context.Context, s *sandbox, opts options) ([]string, error) {
	count := func(args string) (int, error) {
		out, err := s.goRun(ctx, s.dir, append(strings.Fields(args), opts.patterns...)...)
		return bytes.Count(out, []byte("\n")), err
	}
	roots, err := count("list -e")
	if err != nil {
		return nil, err
	}
	all, err := count(floorArgs)
	if err != nil {
		return nil, err
	}
	program := fmt.Sprintf("%s %s, %d packages, %d with dependencies", filepath.Base(s.dir), strings.Join(opts.patterns, " "), roots, all)
	if s.env.GOWORK != "" && s.env.GOWORK != "off" {
		program += ", workspace"
	}
	if rev := revision(ctx, s.dir); rev != "" {
		program += ", revision " + rev
	}
	peer, err := s.goRun(ctx, s.own, strings.Fields("list -m honnef.co/go/tools")...)
	if err != nil {
		return nil, err
	}
	machine := fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if model := processor(); model != "" {
		machine += ", " + model
	}
	if l := load(); l != "" {
		machine += ", load average before " + l
	}
	return []string{
		"program: " + program,
		"machine: " + machine,
		"tools: " + s.env.GOVERSION + ", " + strings.TrimSpace(string(peer)),
		"date: " + time.Now().Format(time.DateOnly),
	}, nil
}

// revision names the commit that is checked out, "" outside of git.
func revision(ctx context.Context, dir string) string {
	cmd := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--exclude=*")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// processor returns the processor's model where Linux tells it.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// load returns the load averages where Linux tells them.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(data))
	if err != nil || len(fields) < 3 {
		return ""
	}
	return strings.Join(fields[:3], " ")
}

// writeTables prints one Markdown table per scenario, with medians.
func writeTables(w io.Writer, head []string, tools []*tool, results []*result) error {
	var b strings.Builder
	for _, line := range head {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, r := range results {
		runs := len(r.samples[tools[0]])
		fmt.Fprintf(&b, "\n%s (%d %s each, medians). %s\n\n", r.title, runs, plural(runs, "run"), r.text)
		b.WriteString("| | CPU s | least to most | x ctxmend | wall s | peak MB | x ctxmend |\n|---|--:|--:|--:|--:|--:|--:|\n")
		base := summarize(r.samples[tools[0]])
		for _, t := range tools {
			m := summarize(r.samples[t])
			fmt.Fprintf(&b, "| `%s` | %s | %s to %s | %s | %s | %d | %s |\n", t.name,
				seconds(m.cpu), seconds(m.least), seconds(m.most), ratio(float64(m.cpu), float64(base.cpu)),
				seconds(m.wall), m.peak>>20, ratio(float64(m.peak), float64(base.peak)))
		}
	}
	if l := load(); l != "" {
		fmt.Fprintf(&b, "\nload average after: %s\n", l)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// A summary holds medians and the range of CPU time.
type summary struct {
	sample
	least, most time.Duration
}

func summarize(samples []sample) summary {
	var cpu, wall []time.Duration
	var peak []int64
	for _, s := range samples {
		cpu, wall, peak = append(cpu, s.cpu), append(wall, s.wall), append(peak, s.peak)
	}
	return summary{sample{median(cpu), median(wall), median(peak)}, slices.Min(cpu), slices.Max(cpu)}
}

// median returns the middle value, or the mean of the two in the middle.
func median[T ~int64](list []T) T {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }

// ratio writes a/b with two or three significant digits.
func ratio(a, b float64) string {
	switch r := a / b; {
	case b == 0:
		return ""
	case r < 10:
		return fmt.Sprintf("%.2f", r)
	default:
		return fmt.Sprintf("%.1f", r)
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
