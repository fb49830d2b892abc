package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A tool is a command to measure.
type tool struct {
	name    string
	program string
	args    []string
	// codes are the exit codes of a run that did its work.
	codes []int
	// failed tells from the output that a run was in vain although its exit code does not.
	failed func(output string) bool
}

// buildTools builds ctxmend and staticcheck. The first tool is the one the others are compared with.
func buildTools(ctx context.Context, s *sandbox, opts options) ([]*tool, error) {
	ctxmend := opts.ctxmend
	if ctxmend == "" {
		ctxmend = s.path("bin", exe("ctxmend"))
		if _, err := s.goRun(ctx, filepath.Dir(filepath.Dir(s.own)), "build", "-o", ctxmend, "./cmd/ctxmend"); err != nil {
			return nil, err
		}
	}
	ctxmend, err := filepath.Abs(ctxmend)
	if err != nil {
		return nil, err
	}
	staticcheck := s.path("bin", exe("staticcheck"))
	if _, err := s.goRun(ctx, s.own, "build", "-o", staticcheck, "honnef.co/go/tools/cmd/staticcheck"); err != nil {
		return nil, err
	}
	return []*tool{
		{name: "ctxmend check", program: ctxmend, args: []string{"check"}, codes: []int{0, 3}},
		{name: "go " + floorArgs, program: "go", args: strings.Fields(floorArgs), codes: []int{0}},
		{name: "staticcheck -checks SA1029", program: staticcheck, args: []string{"-checks", "SA1029"}, codes: []int{0, 1},
			failed: func(output string) bool { return strings.Contains(output, "(compile)") }},
	}, nil
}

// check returns an error for a run that did not do its work, whose cost would mean nothing.
func (t *tool) check(code int, output string) error {
	if slices.Contains(t.codes, code) && (t.failed == nil || !t.failed(output)) {
		return nil
	}
	if len(output) > 2000 {
		output = output[:2000] + "..."
	}
	return fmt.Errorf("%s failed with exit code %d:\n%s", t.name, code, output)
}
