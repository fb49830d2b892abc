package mutation

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const (
	tableFile = "README.md"
	tableHead = "| mutation | what goes wrong | noticed by |\n|---|---|---|\n"
)

// record writes into the table what notices a mutation.
func record(t *testing.T, m mutation, by string) {
	t.Helper()
	prose, seen := readTable(t)
	if seen[m.name] = "nothing"; by != "" {
		seen[m.name] = "`" + by + "`"
	}
	if err := os.WriteFile(tableFile, []byte(prose+table(seen)), 0o666); err != nil {
		t.Fatal(err)
	}
}

// readTable returns what stands before the table, and what it says of mutations.
func readTable(t *testing.T) (prose string, seen map[string]string) {
	t.Helper()
	data, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	prose, rows, ok := strings.Cut(string(data), tableHead)
	if !ok {
		t.Fatalf("%s has no table", tableFile)
	}
	seen = map[string]string{}
	for row := range strings.Lines(rows) {
		if cells := strings.Split(row, " | "); len(cells) == 3 {
			seen[strings.TrimPrefix(cells[0], "| ")] = strings.TrimSuffix(cells[2], " |\n")
		}
	}
	return prose, seen
}

// table has the mutations in the order of the list.
func table(seen map[string]string) string {
	var b strings.Builder
	b.WriteString(tableHead)
	for _, m := range mutations {
		by := seen[m.name]
		if by == "" {
			by = "not tried"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.name, m.hazard, by)
	}
	return b.String()
}

// TestTable keeps the table complete, and without survivors.
func TestTable(t *testing.T) {
	prose, seen := readTable(t)
	data, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != prose+table(seen) {
		t.Errorf("the table is not of the list; -mutate -mutate.record -run 'TestMutations/^NAME$' writes what has become of one")
	}
	for _, m := range mutations {
		if seen[m.name] == "nothing" {
			t.Errorf("%s: survived", m.name)
		}
	}
}
