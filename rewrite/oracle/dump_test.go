package oracle

import (
	"flag"
	"path/filepath"
	"testing"
)

var flagDump = flag.String("oracle.dump", "", "write the programs of -oracle.only to this directory")

// TestDump writes the programs of a seed to look at.
func TestDump(t *testing.T) {
	if *flagDump == "" {
		t.Skip("asked for with -oracle.dump")
	}
	for name, k := range map[string]*kind{"keys": &keyKind, "flow": &flowKind} {
		if err := writeTree(filepath.Join(*flagDump, name), k.generate(*flagOnly, nil).files); err != nil {
			t.Fatal(err)
		}
	}
}
