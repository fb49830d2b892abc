package mutation

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	flagMutate = flag.Bool("mutate", false, "try the mutations")
	flagWide   = flag.Bool("mutate.wide", true, "try scenarios of all kinds where those that are named do not notice")
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
	}
	if len(mutations) < 40 {
		t.Errorf("only %d mutations", len(mutations))
	}
}

// TestMutations breaks ctxmend in one way after the other.
func TestMutations(t *testing.T) {
	if !*flagMutate {
		t.Skip("-mutate tries them")
	}
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, m := range mutations {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			overlay := m.overlay(t, dir)
			binary, out, err := buildTests(dir, overlay, m.pkg)
			if err != nil {
				t.Fatalf("does not build:\n%s", out)
			}
			runs := []string{m.run}
			if m.pkg == command && !m.alone && *flagWide {
				runs = append(runs, keys, plans)
			}
			for _, run := range runs {
				if out, err := runTests(filepath.Join(dir, m.pkg), binary, "-test.run", run); err != nil {
					killed++
					t.Logf("killed by %s", firstFailure(out))
					return
				}
			}
			if !m.alone && *flagOracle != "0" {
				binary, out, err := buildTests(dir, overlay, "./rewrite/oracle")
				if err != nil {
					t.Fatalf("does not build:\n%s", out)
				}
				if out, err := runTests(filepath.Join(dir, "rewrite/oracle"), binary, "-oracle.n", *flagOracle, "-oracle.fail", "1"); err != nil {
					killed++
					t.Logf("killed by the oracle: %s", firstFailure(out))
					return
				}
			}
			t.Errorf("survived: %s", m.hazard)
		})
	}
	t.Logf("%d of %d killed", killed, len(mutations))
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
func buildTests(dir, overlay, pkg string) (binary, out string, err error) {
	binary = filepath.Join(filepath.Dir(overlay), filepath.Base(pkg)+".test")
	cmd := exec.Command("go", "test", "-trimpath", "-c", "-o", binary, "-overlay", overlay, pkg)
	cmd.Dir = dir
	data, err := cmd.CombinedOutput()
	return binary, string(data), err
}

// runTests runs tests in the directory of their package.
func runTests(dir, binary string, args ...string) (out string, err error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err.Error(), err
	}
	cmd := exec.Command(binary, append([]string{"-test.timeout", "10m", "-test.failfast"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOROOT="+strings.TrimSpace(string(root))) // what is built with -trimpath does not know it
	data, err := cmd.CombinedOutput()
	return string(data), err
}

// firstFailure names the innermost test that failed.
func firstFailure(out string) string {
	last := "the build"
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			last = name
		} else if strings.HasPrefix(line, "panic:") {
			return strings.TrimSpace(line)
		}
	}
	return last
}
