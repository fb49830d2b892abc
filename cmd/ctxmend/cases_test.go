package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/ctxmend/ctxmend/internal/scenario"
)

// TestCasesShowWhatTheyCause holds the cases to their form: each runs, says what it prints and has a benchmark, and where ctxmend changes
// something the program prints something else afterwards. TestScenarios runs them.
func TestCasesShowWhatTheyCause(t *testing.T) {
	files, err := scenario.Find(filepath.Join(testdata, "cases"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			tr := newTrial(t, file)
			if !tr.programs || tr.Stdout == nil {
				t.Error("a case is run, and says what it prints")
			}
			if tr.Input["bench_test.go"] == nil {
				t.Error("a case has a benchmark, bench_test.go")
			}
			changes := len(tr.Want) > 0 || len(tr.Deleted) > 0
			if shows := tr.FixedStdout != nil && !bytes.Equal(tr.Stdout, tr.FixedStdout); changes != shows {
				t.Errorf("files change: %v, output changes: %v; what the misuse causes is to be seen", changes, shows)
			}
		})
	}
}
