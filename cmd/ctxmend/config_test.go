package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctxmend/ctxmend/internal/config"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// committed compares a file that is made from the code with what the code makes now. With -update it is written.
func committed(t *testing.T, file, now string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	then, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(then), now); diff != "" {
		t.Errorf("%s is not up to date: run go test ./cmd/ctxmend -run %s -update\n%s", file, t.Name(), diff)
	}
}

// TestSchemaIsUpToDate keeps the schema that editors read the one of the file that is read.
func TestSchemaIsUpToDate(t *testing.T) {
	committed(t, "../../docs/ctxmend.schema.json", runApp(t, exitOK, "config", "schema"))
}

// TestSettingsHaveTheWordsOfTheirFlags: what the file takes for a setting the flag takes as well, and the other way round.
func TestSettingsHaveTheWordsOfTheirFlags(t *testing.T) {
	var flags runFlags
	cmd := &cobra.Command{}
	flags.add(cmd)
	file, err := config.Parse([]byte(config.Example()), ruleNames(suite.All))
	if err != nil {
		t.Fatal(err)
	}
	beaten := map[string]bool{}
	for _, s := range configSettings {
		beaten[s.flag] = true
		if _, ok := file.Value(s.path); !ok {
			t.Errorf("the example does not make the setting %s of --%s", s.path, s.flag)
		}
		c, ok := cmd.Flags().Lookup(s.flag).Value.(*choice)
		if !ok {
			continue
		}
		if diff := cmp.Diff(c.allowed, config.Words(s.path)); diff != "" {
			t.Errorf("words of --%s and of %s (-flag +file):\n%s", s.flag, s.path, diff)
		}
	}
	// What is about one run, and nothing for a repository to decide.
	once := map[string]bool{"rules": true, "skip-rules": true, "stage": true, "since": true, "jobs": true, "format": true, "no-cache": true}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !beaten[f.Name] && !once[f.Name] {
			t.Errorf("--%s is neither a setting of the file nor about one run only", f.Name)
		}
	})
}
