package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/internal/scenario"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// TestRuleContract asserts what every rule owes: one name for the rule, its
// folder, its package and its scenarios; documentation; and scenarios that show
// a fix, no finding and a blocker. A rule that only ever reports what people must do
// by hand owes such a finding instead of fix and blocker.
func TestRuleContract(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range suite.All {
		t.Run(rule.Name, func(t *testing.T) {
			if seen[rule.Name] {
				t.Errorf("%s is registered twice", rule.Name)
			}
			seen[rule.Name] = true
			if rule.Summary() == "" || rule.Run == nil || len(rule.Levels) == 0 {
				t.Error("no summary or no run function")
			}
			if len(strings.Fields(rule.Text())) < 40 {
				t.Errorf("documentation is too short:\n%s", rule.Text())
			}
			if _, err := os.Stat(filepath.Join("../../rules", rule.Name, "doc.go")); err != nil {
				t.Error(err)
			}
			ruleScenarios(t, rule.Name)
		})
	}
	for _, left := range suite.LeftOut {
		if seen[left.Name] || left.Reason == "" {
			t.Errorf("%s is left out, but is registered or has no reason", left.Name)
		}
	}
}

func ruleScenarios(t *testing.T, rule string) {
	t.Helper()
	files, err := scenario.Find(filepath.Join(testdata, "rules", rule))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, file := range files {
		s, err := scenario.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Findings) == 0 {
			shown["no finding"] = true
		}
		if len(s.Want) > 0 || len(s.Deleted) > 0 {
			shown["fix"] = true
		}
		for _, line := range s.Findings {
			shown["blocker"] = shown["blocker"] || strings.Contains(line, ": "+rule+": blocked: ")
			shown["manual"] = shown["manual"] || strings.Contains(line, ": "+rule+": manual")
			shown["fixable"] = shown["fixable"] || strings.Contains(line, ": "+rule+": fixable")
		}
	}
	owed := []string{"fix", "no finding", "blocker"}
	if shown["manual"] && !shown["fixable"] && !shown["blocker"] {
		owed = []string{"no finding"}
	}
	for _, kind := range owed {
		if !shown[kind] {
			t.Errorf("no scenario in testdata/rules/%s shows a %s", rule, kind)
		}
	}
}

// TestEveryScenarioFolderHasARule keeps scenarios from being left behind.
func TestEveryScenarioFolderHasARule(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join(testdata, "rules"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if !slices.Contains(ruleNames(suite.All), folder.Name()) {
			t.Errorf("testdata/rules/%s belongs to no rule", folder.Name())
		}
	}
}

// TestExplainCoversAllRules asserts that explain prints every rule and lists it.
func TestExplainCoversAllRules(t *testing.T) {
	list := runApp(t, exitOK, "explain")
	for _, rule := range suite.All {
		if !strings.Contains(list, rule.Name) || !strings.Contains(list, rule.Summary()) {
			t.Errorf("ctxmend explain does not list %s", rule.Name)
		}
		doc := runApp(t, exitOK, "explain", rule.Name)
		if !strings.Contains(doc, strings.TrimSpace(rule.Text())) {
			t.Errorf("ctxmend explain %s does not print its documentation", rule.Name)
		}
	}
}

// runApp runs the command in process and returns what it prints on stdout.
func runApp(t *testing.T, code int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(args, os.Environ(), strings.NewReader(""), &stdout, &stderr); got != code {
		t.Errorf("ctxmend %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, &stderr)
	}
	return stdout.String()
}
