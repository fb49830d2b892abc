package schemas

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestConfigurationSchemaAgreesWithTheReader: what the schema of .ctxmend.yaml takes, ctxmend takes, and what one of them refuses the
// other refuses too. JSON is YAML, so both read the same text.
func TestConfigurationSchemaAgreesWithTheReader(t *testing.T) {
	schema, err := os.ReadFile(filepath.Join(root, "docs", "ctxmend.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(t.TempDir(), "ctxmend.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", command, "./cmd/ctxmend")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for document, right := range map[string]bool{
		`{}`: true,
		`{"version": 1, "level": "review", "exclude": ["a/**", "*.go"], "generated": []}`:                                                                 true,
		`{"rules": {"freshctx": true, "deadkey": {"on": false, "level": "report", "exclude": ["a"]}}}`:                                                    true,
		`{"keys": {"style": "enum", "package": "example.com/m/keys", "accessors": "never"}, "api": "break"}`:                                              true,
		`{"goroutines": {"context": "detach", "starts": ["example.com/a.Go"], "joins": ["(*example.com/a.T).Wait"]}}`:                                     true,
		`{"forwarders": [{"func": "example.com/kv.Put", "key": 1, "as": "reader"}], "stores": [{"type": "example.com/w.C", "set": ["A"], "get": ["B"]}]}`: true,
		`{"build": {"tags": ["a"], "platforms": ["linux/amd64"], "tests": false}}`:                                                                        true,
		`{"version": 2}`:                               false,
		`{"version": "1"}`:                             false,
		`{"level": "manual"}`:                          false,
		`{"levels": "safe"}`:                           false,
		`{"rules": {"nosuchrule": true}}`:              false,
		`{"rules": {"freshctx": "on"}}`:                false,
		`{"rules": {"freshctx": {"off": true}}}`:       false,
		`{"rules": {"freshctx": {"level": "x"}}}`:      false,
		`{"rules": ["freshctx"]}`:                      false,
		`{"exclude": "a"}`:                             false,
		`{"exclude": [1]}`:                             false,
		`{"forwarders": [{"key": 1, "as": "reader"}]}`: false,
		`{"forwarders": [{"func": "example.com/kv.Put", "key": 0, "as": "reader"}]}`:    false,
		`{"forwarders": [{"func": "example.com/kv.Put", "key": 1.5, "as": "reader"}]}`:  false,
		`{"forwarders": [{"func": "example.com/kv.Put", "key": 1, "as": "forwarder"}]}`: false,
		`{"stores": [{"set": ["A"]}]}`: false,
		`{"build": {"tests": "yes"}}`:  false,
		`{"keys": []}`:                 false,
		`[]`:                           false,
	} {
		if found := errorsOf(t, schema, []byte(document)); (len(found) == 0) != right {
			t.Errorf("the schema about %s: %v", document, found)
		}
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), command, "config", "check", "--config", file).CombinedOutput()
		var exit *exec.ExitError
		if refused := errors.As(err, &exit) && exit.ExitCode() == 2; refused == right || err != nil && !refused {
			t.Errorf("ctxmend about %s: %v\n%s", document, err, out)
		}
	}
}
