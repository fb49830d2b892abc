package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/internal/scenario"
	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/suite"
)

var (
	update = flag.Bool("update", false, "rewrite what scenarios and scripts expect")
	vet    = flag.Bool("govet", false, "only run go vet over every scenario before and after the fix (slow)")
)

const testdata = "../../testdata"

// TestScenarios runs every scenario through the whole pipeline and asserts what
// testdata/README.md promises.
func TestScenarios(t *testing.T) {
	for _, dir := range []string{"rules", "plan", "cases"} {
		files, err := scenario.Find(filepath.Join(testdata, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			rel, _ := filepath.Rel(testdata, file)
			t.Run(strings.TrimSuffix(filepath.ToSlash(rel), ".txtar"), func(t *testing.T) {
				t.Parallel()
				runScenario(t, file)
			})
		}
	}
}

// A trial is one scenario being run.
type trial struct {
	*testing.T
	*scenario.Scenario
	flags    runFlags
	dress    scenario.Dress
	patterns []string
	programs bool // run main programs before and after
	related  bool // findings name their other places
	input    scenario.Tree
	cache    string // for journals
}

func newTrial(t *testing.T, file string) *trial {
	t.Helper()
	s, err := scenario.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{T: t, Scenario: s, cache: t.TempDir()}
	// The same flags as on the command line, by the same code.
	cmd := &cobra.Command{}
	tr.flags.add(cmd)
	cmd.Flags().BoolVar(&tr.programs, "run", false, "")
	cmd.Flags().BoolVar(&tr.related, "related", false, "")
	cmd.Flags().StringSliceVar(&tr.dress.CRLF, "crlf", nil, "")
	cmd.Flags().StringSliceVar(&tr.dress.BOM, "bom", nil, "")
	cmd.Flags().StringSliceVar(&tr.dress.NoFinalNewline, "no-final-newline", nil, "")
	if rule, ok := ruleOf(file); ok {
		tr.flags.only = []string{rule}
	}
	if err := cmd.ParseFlags(doubleDashes(s.Args)); err != nil {
		t.Fatalf("flags %q: %v", s.Args, err)
	}
	tr.patterns = cmd.Flags().Args()
	tr.input = tr.dress.Put(s.Input)
	return tr
}

// ruleOf returns the rule whose folder a scenario lies in. Scenarios of the
// planner belong to no rule and run all that are on by default.
func ruleOf(file string) (string, bool) {
	dir := filepath.Dir(file)
	return filepath.Base(dir), filepath.Base(filepath.Dir(dir)) == "rules"
}

// doubleDashes lets scenarios write -level as well as --level.
func doubleDashes(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		if len(arg) > 2 && arg[0] == '-' && arg[1] != '-' {
			out[i] = "-" + arg
		}
	}
	return out
}

func runScenario(t *testing.T, file string) {
	tr := newTrial(t, file)
	dir, other := tr.materialize(), tr.materialize()

	res := tr.pipeline(dir, 1, tr.patterns)
	findings := findingLines(res, tr.related)
	if *vet {
		tr.write(res)
		tr.vets(dir)
		return
	}
	before := tr.output(dir, res.Program)
	tr.write(res)
	after := tr.tree(dir)
	if *update {
		tr.update(findings, after)
	}

	tr.compareFindings(findings)
	tr.compareTrees("fix", tr.dress.Put(tr.After()), after)
	tr.formatted(after)
	tr.orderDoesNotMatter(other, res)
	tr.gitApplies(other, res, after)
	tr.secondRunChangesNothing(dir, res)
	tr.compareOutput(before, tr.output(dir, res.Program))
	tr.undoes(dir, res)
}

// materialize writes the scenario's input to a fresh directory.
func (t *trial) materialize() string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := t.input.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (t *trial) tree(dir string) scenario.Tree {
	t.Helper()
	tree, err := scenario.ReadTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// offline keeps scenarios away from the network and from the tester's settings.
func offline() []string {
	return append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=")
}

func (t *trial) pipeline(dir string, jobs int, patterns []string) *rewrite.Result {
	t.Helper()
	t.flags.jobs = jobs
	a := &app{env: offline(), dir: dir, rules: suite.All}
	opts, err := a.options(&t.flags, patterns)
	if err != nil {
		t.Fatal(err)
	}
	opts.Load.Standard = &standard
	res, err := rewrite.Run(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// standard spares all scenarios but the first the reading of the standard library.
var standard program.Standard

func (t *trial) write(res *rewrite.Result) {
	t.Helper()
	if err := res.Set.Write(context.Background(), patches.WriteOptions{CacheDir: t.cache}); err != nil {
		t.Fatal(err)
	}
}

func (t *trial) update(findings []string, after scenario.Tree) {
	t.Helper()
	bare, err := t.dress.Off(after)
	if err != nil {
		t.Fatal(err)
	}
	if err := t.Scenario.Update(findings, bare); err != nil {
		t.Fatal(err)
	}
	updated, err := scenario.Read(t.File)
	if err != nil {
		t.Fatal(err)
	}
	t.Scenario = updated
}

// findingLines prints findings as scenarios expect them.
func findingLines(res *rewrite.Result, related bool) []string {
	var lines []string
	for _, f := range report.New(res.Findings, nil, 0).Findings {
		status := f.Status
		if f.Blocker != nil {
			status += ": " + f.Blocker.Reason
		}
		line := fmt.Sprintf("%s:%d:%d: %s: %s: %s", f.File, f.Line, f.Column, f.Rule, status, f.Message)
		for _, r := range f.Related {
			if related {
				line += fmt.Sprintf("; %s (%s:%d)", r.Message, r.File, r.Line)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// compareFindings accepts an expectation that is the beginning of the finding.
func (t *trial) compareFindings(got []string) {
	t.Helper()
	expected := slices.Clone(t.Findings)
	for i := range min(len(expected), len(got)) {
		if strings.HasPrefix(got[i], expected[i]) {
			expected[i] = got[i]
		}
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func (t *trial) compareTrees(what string, want, got scenario.Tree) {
	t.Helper()
	for _, name := range want.Names() {
		switch data, ok := got[name]; {
		case !ok:
			t.Errorf("after %s: %s is gone", what, name)
		case !bytes.Equal(data, want[name]):
			t.Errorf("after %s: %s (-want +got):\n%s", what, name, cmp.Diff(string(want[name]), string(data)))
		}
	}
	for _, name := range got.Names() {
		if _, ok := want[name]; !ok {
			t.Errorf("after %s: unexpected file %s:\n%s", what, name, got[name])
		}
	}
}

// formatted asserts that what was gofmt-clean still is.
func (t *trial) formatted(after scenario.Tree) {
	t.Helper()
	for _, name := range after.Names() {
		old, had := t.input[name]
		if !strings.HasSuffix(name, ".go") || had && (bytes.Equal(old, after[name]) || !clean(old)) {
			continue
		}
		if !clean(after[name]) {
			t.Errorf("%s is not formatted:\n%s", name, after[name])
		}
	}
}

// clean reports whether gofmt would leave a file as it is, line ends and byte
// order mark aside: gofmt knows only one form of each.
func clean(src []byte) bool {
	src = bytes.ReplaceAll(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
	if !bytes.HasSuffix(src, []byte("\n")) {
		src = append(bytes.Clone(src), '\n')
	}
	formatted, err := format.Source(src)
	return err == nil && bytes.Equal(formatted, src)
}

// orderDoesNotMatter runs once more with many workers and the packages named one
// by one, last first.
func (t *trial) orderDoesNotMatter(dir string, first *rewrite.Result) {
	t.Helper()
	patterns := slices.Clone(t.patterns)
	if len(patterns) == 0 {
		patterns = packageDirs(first.Program)
	}
	slices.Reverse(patterns)
	res := t.pipeline(dir, 8, patterns)
	if diff := cmp.Diff(findingLines(first, true), findingLines(res, true)); diff != "" {
		t.Errorf("findings depend on package order or jobs (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(unified(t, first.Set), unified(t, res.Set)); diff != "" {
		t.Errorf("the diff depends on package order or jobs (-first +second):\n%s", diff)
	}
}

// packageDirs returns a pattern for every directory of the world with Go files.
func packageDirs(prog *program.Program) []string {
	var dirs []string
	for _, f := range prog.Files {
		if dir := "./" + path.Dir(f.Rel); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func unified(t testing.TB, set *patches.Set) string {
	t.Helper()
	var out bytes.Buffer
	if err := set.Unified(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// gitApplies asserts that git makes of the diff what fix wrote.
func (t *trial) gitApplies(dir string, res *rewrite.Result, after scenario.Tree) {
	t.Helper()
	diff := unified(t, res.Set)
	if diff == "" {
		return
	}
	cmd := exec.Command("git", "apply", "--whitespace=nowarn", "-")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	cmd.Stdin = strings.NewReader(diff)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("git apply: %v\n%s\n%s", err, out, diff)
		return
	}
	t.compareTrees("git apply", after, t.tree(dir))
}

// secondRunChangesNothing loads the fixed program: it must have no new errors,
// no new findings and no fix left.
func (t *trial) secondRunChangesNothing(dir string, first *rewrite.Result) {
	t.Helper()
	again := t.pipeline(dir, 2, t.patterns)
	if diff := unified(t, again.Set); diff != "" {
		t.Errorf("a second run changes more:\n%s", diff)
	}
	known := map[string]bool{}
	for _, e := range brokenLines(first.Program) {
		known[e] = true
	}
	for _, e := range brokenLines(again.Program) {
		if !known[e] {
			t.Errorf("new error: %s", e)
		}
	}
	left := map[string]int{}
	markFixed(first)
	for _, f := range first.Findings {
		if f.Status != rules.Fixed {
			left[f.Rule]++
		}
	}
	for _, f := range again.Findings {
		if f.Blocker == nil || f.Blocker.Reason != "staged" { // what is between two stages is reported
			left[f.Rule]--
		}
	}
	for rule, n := range left {
		if n < 0 {
			t.Errorf("%s finds more after the fix than it left:\n%s", rule, strings.Join(findingLines(again, false), "\n"))
		}
	}
}

// brokenLines lists errors without their places, which move.
func brokenLines(prog *program.Program) []string {
	var out []string
	for _, p := range prog.Broken {
		for _, e := range p.Errors {
			out = append(out, p.Path+": "+e.Msg)
		}
	}
	return out
}

// undoes asserts that undo restores every byte.
func (t *trial) undoes(dir string, res *rewrite.Result) {
	t.Helper()
	if len(res.Set.Files) == 0 {
		return
	}
	if _, err := patches.Undo(context.Background(), res.Set.Root, t.cache); err != nil {
		t.Error(err)
		return
	}
	t.compareTrees("undo", t.input, t.tree(dir))
}

// output runs the scenario's main programs and returns what they print.
func (t *trial) output(dir string, prog *program.Program) string {
	t.Helper()
	if !t.programs {
		return ""
	}
	var out strings.Builder
	mains := 0
	for _, p := range prog.Configs[0].Packages {
		if p.World && p.Name == "main" {
			out.WriteString(t.goCommand(dir, "run", p.Path))
			mains++
		}
	}
	if mains == 0 {
		t.Fatal("-run, but there is no main program")
	}
	return out.String()
}

func (t *trial) goCommand(dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, offline()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

func (t *trial) compareOutput(before, after string) {
	t.Helper()
	want := before
	if t.FixedStdout != nil {
		want = string(t.FixedStdout)
	}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("the mended program prints something else (-want +got):\n%s", diff)
	}
	if t.Stdout == nil {
		return
	}
	if diff := cmp.Diff(string(t.Stdout), before); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
}

// vets asserts that go vet says nothing it did not say before, places aside.
func (t *trial) vets(dir string) {
	t.Helper()
	before := map[string]int{}
	for _, line := range t.vetLines(t.materialize()) {
		before[line]++
	}
	for _, line := range t.vetLines(dir) {
		if before[line]--; before[line] < 0 {
			t.Errorf("go vet says: %s", line)
		}
	}
}

func (t *trial) vetLines(dir string) []string {
	cmd := exec.Command("go", "vet", "./...")
	cmd.Dir, cmd.Env = dir, offline()
	out, _ := cmd.CombinedOutput()
	var said []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, message, ok := strings.Cut(line, ".go:"); ok {
			_, line, _ = strings.Cut(message, ": ")
		}
		said = append(said, strings.TrimSpace(line))
	}
	return said
}
