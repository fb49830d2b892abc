package oracle

import (
	"flag"
	"testing"
)

var flagDump = flag.String("oracle.dump", "", "write the program of -oracle.only to this directory")

// TestDump writes a program to look at.
func TestDump(t *testing.T) {
	if *flagDump == "" {
		t.Skip("asked for with -oracle.dump")
	}
	if err := writeTree(*flagDump, generate(*flagOnly, nil).files); err != nil {
		t.Fatal(err)
	}
}
