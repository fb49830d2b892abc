package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/internal/scenario"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// A badIntent makes the planner panic.
type badIntent struct{ rules.Intent }

func (*badIntent) UnitID() string { return "bad" }

// TestPanics has a rule, the planner and the command itself panic: that is an error which
// tells what did, and nothing is changed, not by other rules either.
func TestPanics(t *testing.T) {
	for _, test := range []struct {
		name string
		rule *rules.Rule
		want []string
	}{
		{"rule", &rules.Rule{Name: "bad", Default: true, Run: func(*rules.Pass) []*rules.Finding {
			var list []int
			return make([]*rules.Finding, list[len(os.Args)])
		}}, []string{"internal error in rule bad: runtime error: index out of range", "nothing was changed", "--skip-rules bad", "TestPanics"}},
		{"planner", &rules.Rule{Name: "bad", Default: true, Run: func(pass *rules.Pass) []*rules.Finding {
			f := pass.Program.Files[0]
			return []*rules.Finding{{Rule: "bad", File: f, Pos: f.AST.Name.Pos(), End: f.AST.Name.End(),
				Fix: &rules.Fix{Applicability: rules.Safe, Intent: &badIntent{}}}}
		}}, []string{"internal error in planning bad of rule bad, found at key.go:1", "nothing was changed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			input := scenario.Tree{"go.mod": []byte("module example.com/m\n\ngo 1.24\n"), "key.go": []byte(keyProgram)}
			if err := input.Write(dir); err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			env := append(os.Environ(), "CTXMEND_CACHE="+t.TempDir())
			a := &app{env: env, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, rules: append(slices.Clone(suite.All), test.rule)}
			if code := a.exit(a.execute(t.Context(), []string{"fix", "-C", dir})); code != exitFailure {
				t.Errorf("exit code %d", code)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr lacks %q:\n%s", want, &stderr)
				}
			}
			left, err := scenario.ReadTree(dir)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(input, left); d != "" {
				t.Error(d)
			}
		})
	}
}

// keyProgram has a key that ctxmend fixes.
const keyProgram = `package m

import "context"

func With(ctx context.Context) context.Context { return context.WithValue(ctx, "user", 1) }

func Get(ctx context.Context) int { n, _ := ctx.Value("user").(int); return n }
`
