//go:build unix

package analysis

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// TestEnvironment has a child that tells what it finds: nothing of what was set for others, and two programs.
func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	told := filepath.Join(dir, "told")
	// The child's PATH has no programs for a script: those that it needs have names.
	script := "#!/bin/sh\n/usr/bin/env > " + told + "\n/bin/ls \"$PATH\" | /usr/bin/tr '\\n' ' ' >> " + told + "\necho '{\"analysis\": {}}'\n"
	child := filepath.Join(dir, "child")
	if err := os.WriteFile(child, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"GITHUB_TOKEN": "s3cr3t", "CTXMEND_ASKPASS_TOKEN": "s3cr3t", "GOFLAGS": "-toolexec=s3cr3t", "GOENV": "/s3cr3t", "GOAUTH": "s3cr3t", "GOWORK": "off",
		"NETRC": "/s3cr3t", "SSH_AUTH_SOCK": "/s3cr3t", "GOPRIVATE": "corp.example", "GOTOOLCHAIN": "auto", "GOPACKAGESDRIVER": "/s3cr3t", "CC": "/s3cr3t", "LD_PRELOAD": "",
	} {
		t.Setenv(name, value)
	}
	c := &Child{Program: child}
	if _, _, err := c.Analyse(t.Context(), t.TempDir(), campaign.AnalysisOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	if strings.Contains(string(data), "s3cr3t") {
		t.Errorf("the child knows what is none of its business:\n%s", data)
	}
	for _, want := range []string{"GOTOOLCHAIN=local", "GOFLAGS=", "GOENV=off", "GOAUTH=off", "GOWORK=off", "GOPRIVATE=corp.example", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%s is missing:\n%s", want, data)
		}
	}
	if programs := strings.Fields(lines[len(lines)-1]); !slices.Equal(programs, []string{"git", "go"}) {
		t.Errorf("programs on the PATH: %q", programs)
	}
}

// TestChildren have answers that are none, or none that may be trusted.
func TestChildren(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct{ script, want string }{
		"nothing":      {"exit 0", "ended without an answer: it said nothing"},
		"half":         {`echo '{"analysis": {'; exit 1`, "ended without an answer: exit status 1"},
		"no analysis":  {`echo '{"patches": []}'`, "gave no answer"},
		"no patches":   {`echo '{"analysis": {}}'`, "ended without an answer"},
		"no JSON":      {"echo hello", "cannot be read"},
		"complaint":    {"echo 'it went wrong' >&2; exit 2", "ended without an answer: it went wrong"},
		"out of place": {`echo '{"analysis": {}} {"patches": [{"changes": [{"name": "../x", "after": "eA=="}]}]}'`, "a fix would write to \"../x\""},
		"too few":      {`echo '{"analysis": {}} {"patches": []}'`, "0 answers to 1 questions"},
		"fault":        {`echo '{"fault": {"kind": "unfit", "message": "no go.mod"}}'`, "nothing to analyse: no go.mod"},
	} {
		child := filepath.Join(dir, "child")
		if err := os.WriteFile(child, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		c := &Child{Program: child}
		want := func(*campaign.Analysis) [][]string { return [][]string{{"x"}} }
		if _, _, err := c.Analyse(t.Context(), t.TempDir(), campaign.AnalysisOptions{}, want); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
