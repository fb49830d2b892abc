package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rules"
)

func TestNearestName(t *testing.T) {
	names := []string{"builtinkey", "sharedkey", "badkey", "splitkey", "freshctx", "storedctx"}
	for name, want := range map[string]string{
		"builtinky":  "builtinkey",
		"bulitinkey": "builtinkey",
		"BuiltinKey": "builtinkey",
		"builtin":    "builtinkey",
		"shardkey":   "sharedkey",
		"bad":        "badkey",
		"fresh":      "freshctx",
		"x":          "",
		"":           "",
		"stringkeys": "",
		"éé":         "",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

// testRules are rules that find nothing.
func testRules() []*rules.Rule {
	return []*rules.Rule{
		{Name: "one", Default: true}, {Name: "two", Default: true}, {Name: "optin"},
	}
}

func TestRuleSelection(t *testing.T) {
	for _, tt := range []struct {
		only, skip string
		want       string
	}{
		{"", "", "one two"},
		{"optin", "", "optin"},
		{"two,optin", "", "two optin"},
		{"", "one", "two"},
		{"one,optin", "one", "optin"},
		{"onee", "", `unknown rule "onee"; did you mean one?`},
		{"", "zzz", `unknown rule "zzz"; ctxmend explain lists the rules`},
		{"one", "one", "no rule is left to run; see --rules and --skip-rules"},
	} {
		f := ruleFlags{only: split(tt.only), skip: split(tt.skip)}
		chosen, err := f.selected(testRules())
		got := strings.Join(ruleNames(chosen), " ")
		if usage := (*usageError)(nil); errors.As(err, &usage) {
			got = usage.message + "; " + usage.next
		}
		if got != tt.want {
			t.Errorf("--rules %q --skip-rules %q: got %q, want %q", tt.only, tt.skip, got, tt.want)
		}
	}
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
		says string
	}{
		{nil, exitOK, ""},
		{errFindings, exitFindings, ""},
		{&usageError{message: "bad flag", next: "try this"}, exitUsage, "ctxmend: bad flag\n   try this\n"},
		{fmt.Errorf("loading: %w", context.Canceled), exitInterrupted, "ctxmend: interrupted\n   nothing was changed\n"},
		{patches.ErrNothingToUndo, exitFailure, "nothing to undo"},
		{&patches.ChangedError{Files: []string{"a.go"}}, exitFailure, "a.go changed since"},
		{&patches.RollbackError{Err: context.Canceled, Rollback: errors.New("disk")}, exitFailure, "putting the files back failed"},
		{errors.New("something else"), exitFailure, "ctxmend: something else\n"},
	} {
		var stderr bytes.Buffer
		a := &app{stderr: &stderr}
		if code := a.exit(tt.err); code != tt.code {
			t.Errorf("%v: exit code %d, want %d", tt.err, code, tt.code)
		}
		if !strings.Contains(stderr.String(), tt.says) || tt.says == "" && stderr.Len() > 0 {
			t.Errorf("%v: prints %q, want %q", tt.err, &stderr, tt.says)
		}
	}
}

func TestColorFollowsFlagEnvironmentAndTerminal(t *testing.T) {
	var w bytes.Buffer // no terminal
	for _, tt := range []struct {
		color string
		env   []string
		want  bool
	}{
		{"always", []string{"NO_COLOR=1"}, true},
		{"never", nil, false},
		{"auto", nil, false},
		{"auto", []string{"NO_COLOR=1"}, false},
	} {
		a := &app{env: tt.env, color: newChoice(tt.color, "auto", "always", "never")}
		if got := a.colored(&w); got != tt.want {
			t.Errorf("--color %s with %v: %v", tt.color, tt.env, got)
		}
	}
}

func TestProgressAppearsOnlyAfterAWhileAndGoes(t *testing.T) {
	var w bytes.Buffer
	var nobody *progress
	nobody.update(1, 2, "")
	nobody.stop()

	p := &progress{w: &w, begun: time.Now()}
	p.update(1, 4, "a")
	p.stop()
	if w.Len() > 0 {
		t.Errorf("a quick run shows %q", &w)
	}
	p = &progress{w: &w, begun: time.Now().Add(-2 * patience)}
	p.update(1, 4, "a")
	if !strings.Contains(w.String(), "1 of 4 packages") {
		t.Errorf("a slow run shows %q", &w)
	}
	p.stop()
	p.update(2, 4, "b")
	if !strings.HasSuffix(w.String(), "\r\x1b[K") {
		t.Errorf("the line stays: %q", &w)
	}
}

func TestWithoutGoTheNextStepIsToInstallIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, command := range []string{"check", "fix", "undo"} {
		var stdout, stderr bytes.Buffer
		code := run([]string{command}, os.Environ(), strings.NewReader(""), &stdout, &stderr)
		if code != exitFailure || !strings.Contains(stderr.String(), "install Go") {
			t.Errorf("%s: exit code %d\n%s", command, code, &stderr)
		}
	}
}
