package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// An action is what action.yml says.
type action struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	Name, ID, If, Shell, Run, Uses string
	WorkingDirectory               string `yaml:"working-directory"`
	Env, With                      map[string]string
}

func readAction(t *testing.T) *action {
	t.Helper()
	file, err := os.Open("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dec := yaml.NewDecoder(file)
	var a struct {
		action            `yaml:",inline"`
		Name, Description string
		Branding          map[string]string
	}
	dec.KnownFields(true)
	if err := dec.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return &a.action
}

// expression is what GitHub replaces.
var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// TestActionIsWellFormed: every expression names an input, or an output of a step before; no script has one in it, where its text
// would run as part of the script.
func TestActionIsWellFormed(t *testing.T) {
	a := readAction(t)
	if a.Runs.Using != "composite" {
		t.Errorf("runs using %s", a.Runs.Using)
	}
	known := []string{"github.token", "github.action_path"}
	for name, in := range a.Inputs {
		known = append(known, "inputs."+name)
		if in.Description == "" {
			t.Errorf("input %s has no description", name)
		}
	}
	used := map[string]bool{}
	check := func(where, text string) {
		for _, m := range expression.FindAllStringSubmatch(text, -1) {
			for _, word := range regexp.MustCompile(`[a-z][\w.-]*\.[\w.-]+`).FindAllString(m[1], -1) {
				used[word] = true
				if !slices.Contains(known, word) {
					t.Errorf("%s: nothing is called %s", where, word)
				}
			}
		}
	}
	for _, s := range a.Runs.Steps {
		if expression.MatchString(s.Run) {
			t.Errorf("%s: an expression inside of a script", s.Name)
		}
		if s.Run != "" && s.Shell != "bash" || s.Run == "" && s.Uses == "" {
			t.Errorf("%s has no shell, or nothing to do", s.Name)
		}
		for _, text := range slices.Concat(slices.Collect(maps.Values(s.Env)), slices.Collect(maps.Values(s.With)), []string{s.If, s.WorkingDirectory}) {
			check(s.Name, text)
		}
		for _, m := range regexp.MustCompile(`echo "([\w-]+)=.*>>"\$GITHUB_OUTPUT"`).FindAllStringSubmatch(s.Run, -1) {
			known = append(known, "steps."+s.ID+".outputs."+m[1])
		}
	}
	for name, out := range a.Outputs {
		check("output "+name, out.Value)
	}
	for name := range a.Inputs {
		if !used["inputs."+name] {
			t.Errorf("input %s is not used", name)
		}
	}
}

// TestActionRuns carries out the action's own steps over the demo program as a runner would.
func TestActionRuns(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the runner's shell is bash")
	}
	needs(t, "bash")
	for _, tt := range []struct {
		name    string
		inputs  map[string]string
		code    int
		prints  string
		outputs map[string]string
	}{
		{"annotations", nil, 1, "::warning file=", map[string]string{"findings": "true"}},
		{"text", map[string]string{"format": "text", "fail-on-findings": "false", "args": "--rules builtinkey -q"}, 0, "builtinkey: string", map[string]string{"findings": "true"}},
		{"nothing found", map[string]string{"args": "--rules growingctx", "packages": "./internal/... ./cmd/..."}, 0, "", map[string]string{"findings": "false"}},
		{"sarif", map[string]string{"format": "sarif", "fail-on-findings": "false", "level": "review"}, 0, "", map[string]string{"findings": "true", "sarif-file": "TEMP/ctxmend.sarif"}},
		{"reviewdog", map[string]string{"format": "reviewdog", "fail-on-findings": "false"}, 0, "reviewdog -f=rdjson -name=ctxmend -reporter=github-pr-review with 1 document", nil},
		{"unknown format", map[string]string{"format": "xml"}, 2, "::error title=ctxmend::unknown format xml", nil},
		{"wrong flag", map[string]string{"args": "--levl safe"}, 2, "", nil},
		{"words that a shell would run", map[string]string{"packages": "./... $(touch_here) ;touch_here"}, 1, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, readAction(t), tt.inputs)
			if code := r.run(t); code != tt.code {
				t.Errorf("exit code %d, want %d\n%s", code, tt.code, r.out.String())
			}
			if !strings.Contains(r.out.String(), tt.prints) {
				t.Errorf("it does not print %q:\n%s", tt.prints, r.out.String())
			}
			for name, want := range tt.outputs {
				got := r.values["steps.check.outputs."+name]
				if want = strings.Replace(want, "TEMP", r.temp, 1); got != want {
					t.Errorf("output %s is %q, want %q", name, got, want)
				}
			}
			if file := r.values["steps.check.outputs.sarif-file"]; file != "" {
				if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), `"version": "2.1.0"`) && !strings.Contains(string(data), `"version":"2.1.0"`) {
					t.Errorf("no SARIF: %v\n%.200s", err, data)
				}
			}
		})
	}
}

// A runner plays the part of GitHub's.
type runner struct {
	action    *action
	temp, dir string
	bin       string // programs that are installed on it
	values    map[string]string
	out       strings.Builder
}

func newRunner(t *testing.T, a *action, inputs map[string]string) *runner {
	t.Helper()
	ctxmend, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{action: a, temp: t.TempDir(), dir: demoRepository(t), bin: t.TempDir(), values: map[string]string{"github.token": "none", "github.action_path": "../.."}}
	for name, in := range a.Inputs {
		r.values["inputs."+name] = r.expand(in.Default)
	}
	for name, value := range inputs {
		r.values["inputs."+name] = value
	}
	// The go command is there, and installs what the test has built already.
	for name, script := range map[string]string{
		"go":         "[ \"$1\" = install ] || exec " + needs(t, "go") + " \"$@\"\n[ \"$*\" = 'install ./cmd/ctxmend' ] && exec cp " + ctxmend + " \"$GOBIN/ctxmend\"",
		"reviewdog":  "echo reviewdog \"$@\" with \"$(grep -c '\"diagnostics\"')\" document",
		"touch_here": "touch here",
	} {
		if err := os.WriteFile(filepath.Join(r.bin, name), []byte("#!/bin/bash\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// expand replaces expressions that name a value.
func (r *runner) expand(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string { return r.values[expression.FindStringSubmatch(e)[1]] })
}

// holds judges a condition: comparisons with ==, joined by &&.
func (r *runner) holds(t *testing.T, condition string) bool {
	t.Helper()
	if condition == "" {
		return true
	}
	for part := range strings.SplitSeq(expression.FindStringSubmatch(condition)[1], " && ") {
		name, want, ok := strings.Cut(part, " == ")
		if !ok {
			t.Fatalf("condition %s is not understood", condition)
		}
		if r.values[name] != strings.Trim(want, "'") {
			return false
		}
	}
	return true
}

// run carries out the steps up to the first that fails, and returns its exit code.
func (r *runner) run(t *testing.T) int {
	t.Helper()
	path := r.bin + ":" + os.Getenv("PATH")
	for _, s := range r.action.Runs.Steps {
		if !r.holds(t, s.If) || s.Uses != "" {
			continue
		}
		output, extra := filepath.Join(t.TempDir(), "output"), filepath.Join(t.TempDir(), "path")
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		cmd.Dir = filepath.Join(r.dir, r.expand(s.WorkingDirectory))
		if s.ID == "install" {
			cmd.Dir = "."
		}
		cmd.Env = append(offline(), "RUNNER_TEMP="+r.temp, "GITHUB_OUTPUT="+output, "GITHUB_PATH="+extra, "PATH="+path, "CTXMEND_CACHE="+r.temp)
		for name, value := range s.Env {
			cmd.Env = append(cmd.Env, name+"="+r.expand(value))
		}
		cmd.Stdout, cmd.Stderr = &r.out, &r.out
		if err := cmd.Run(); err != nil {
			if _, err := os.Stat(filepath.Join(r.dir, "here")); err == nil {
				t.Error("an input was run as a command")
			}
			return cmd.ProcessState.ExitCode()
		}
		for line := range strings.Lines(contentOf(output)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			r.values["steps."+s.ID+".outputs."+name] = value
		}
		if dir := strings.TrimSpace(contentOf(extra)); dir != "" {
			path = dir + ":" + path
		}
	}
	return 0
}

// contentOf returns the content of a file, "" when there is none.
func contentOf(name string) string {
	data, _ := os.ReadFile(name)
	return string(data)
}
