package mutation

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	flagMutate = flag.Bool("mutate", false, "try the mutations")
	flagWide   = flag.Bool("mutate.wide", true, "try scenarios of all kinds where those that are named do not notice")
	flagRecord = flag.Bool("mutate.record", false, "write into README.md what notices the mutations that are tried")
	flagOracle = flag.String("mutate.oracle", "30", "how many programs of the oracle a mutation is tried with that scenarios do not notice; 0 for none")
)

// A mutation is one small breakage.
type mutation struct {
	name string
	// hazard says what goes wrong in a program when ctxmend is broken so.
	hazard string
	file   string // relative to the module
	// from is replaced by to. It occurs once.
	from, to string
	// pkg and run name the tests that are to notice.
	pkg, run string
	// alone is set where the oracle has nothing to do with it.
	alone bool
}

const root = "../.."

// mutated returns the content of the file with the breakage in it.
func (m mutation) mutated() ([]byte, error) {
	src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(src, []byte(m.from)); n != 1 {
		return nil, errors.New("the text to replace occurs " + map[bool]string{true: "no more", false: "more than once"}[n == 0] + " in " + m.file)
	}
	return bytes.Replace(src, []byte(m.from), []byte(m.to), 1), nil
}

// TestAnchors keeps the list true.
func TestAnchors(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutations {
		if _, err := m.mutated(); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if names[m.name] || m.hazard == "" || m.from == m.to || m.pkg == "" {
			t.Errorf("%s: named twice, or without hazard, change or tests", m.name)
		}
		names[m.name] = true
		if ok, err := m.hasTests(); !ok {
			t.Errorf("%s: no tests %s: %v", m.name, m.run, err)
		}
	}
	if len(mutations) < 40 {
		t.Errorf("only %d mutations", len(mutations))
	}
}

// hasTests reports whether the tests that are to notice exist. Of scenarios it looks at the files.
func (m mutation) hasTests() (bool, error) {
	pattern, scenarios := strings.CutPrefix(m.run, "TestScenarios/")
	if m.pkg == command && scenarios {
		files, err := filepath.Glob(filepath.Join(root, "testdata", path.Dir(pattern), "*.txtar"))
		if err != nil {
			return false, err
		}
		name, err := regexp.Compile(path.Base(pattern))
		return slices.ContainsFunc(files, func(f string) bool {
			return err == nil && name.MatchString(strings.TrimSuffix(filepath.Base(f), ".txtar"))
		}), err
	}
	files, err := filepath.Glob(filepath.Join(root, m.pkg, "*_test.go"))
	if err != nil {
		return false, err
	}
	top, _, _ := strings.Cut(m.run, "/")
	test, err := regexp.Compile(top)
	return slices.ContainsFunc(files, func(f string) bool {
		src, readErr := os.ReadFile(f)
		return err == nil && readErr == nil && slices.ContainsFunc(testFunc.FindAllSubmatch(src, -1), func(found [][]byte) bool { return test.Match(found[1]) })
	}), err
}

var testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// TestMutations breaks ctxmend in one way after the other.
func TestMutations(t *testing.T) {
	if !*flagMutate {
		t.Skip("-mutate tries them")
	}
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	killed, tried := 0, 0
	for _, m := range mutations {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			tried++
			by, err := m.noticed(t, dir)
			if err != nil {
				t.Fatal(err)
			}
			if *flagRecord {
				record(t, m, by)
			}
			if by == "" {
				t.Fatalf("survived: %s", m.hazard)
			}
			killed++
			t.Logf("killed by %s", by)
		})
	}
	t.Logf("%d of %d killed", killed, tried)
}

// noticed tries a mutation and returns the test that fails with it, "" when none does.
func (m mutation) noticed(t *testing.T, dir string) (by string, err error) {
	t.Helper()
	overlay := m.overlay(t, dir)
	runs := []string{m.run}
	if m.pkg == command && !m.alone && *flagWide {
		runs = append(runs, keys, plans)
	}
	binary, err := buildTests(dir, overlay, m.pkg)
	if err != nil {
		return "", err
	}
	for _, run := range runs {
		if by, err := runTests(filepath.Join(dir, m.pkg), binary, "-test.run", run); by != "" || err != nil {
			return by, err
		}
	}
	if m.alone || *flagOracle == "0" {
		return "", nil
	}
	if binary, err = buildTests(dir, overlay, "./rewrite/oracle"); err != nil {
		return "", err
	}
	return runTests(filepath.Join(dir, "rewrite/oracle"), binary, "-oracle.n", *flagOracle, "-oracle.fail", "1")
}

// overlay writes the file that makes the go command see the mutated source, and returns its name.
func (m mutation) overlay(t *testing.T, dir string) string {
	t.Helper()
	src, err := m.mutated()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	file := filepath.Join(temp, "mutated.go")
	if err := os.WriteFile(file, src, 0o666); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(dir, filepath.FromSlash(m.file)): file}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(temp, "overlay.json")
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// buildTests builds the tests of a package beside the overlay. That is most of the work, so that narrow and wide tests share it.
func buildTests(dir, overlay, pkg string) (binary string, err error) {
	binary = filepath.Join(filepath.Dir(overlay), filepath.Base(pkg)+".test")
	cmd := exec.Command("go", "test", "-trimpath", "-ldflags=-s -w", "-c", "-o", binary, "-overlay", overlay, pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("does not build:\n%s", out)
	}
	return binary, nil
}

// runTests runs tests in the directory of their package, and names the innermost that fails. Tests that do not come to an end, or of which
// there are none, tell nothing.
func runTests(dir, binary string, args ...string) (failed string, err error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(binary, append([]string{"-test.timeout", "10m", "-test.failfast"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOROOT="+strings.TrimSpace(string(root))) // what is built with -trimpath does not know it
	out, err := cmd.CombinedOutput()
	switch {
	case bytes.Contains(out, []byte("panic: test timed out")):
		return "", fmt.Errorf("no end of %s", args)
	case bytes.Contains(out, []byte("testing: warning: no tests to run")):
		return "", fmt.Errorf("no tests: %s", args)
	case err == nil:
		return "", nil
	}
	if failed = firstFailure(string(out)); failed == "" {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return failed, nil
}

// firstFailure names the innermost test that failed, or says what ended them all.
func firstFailure(out string) (last string) {
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			last, _, _ = strings.Cut(name, " (")
		} else if strings.HasPrefix(line, "panic:") { // what a program of a scenario prints is indented
			return strings.TrimSpace(line)
		}
	}
	return last
}
