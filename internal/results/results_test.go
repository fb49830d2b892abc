package results_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/internal/results"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestEntries(t *testing.T) {
	c := &results.Cache{Dir: filepath.Join(t.TempDir(), "new")}
	var got string
	if c.Get("a", &got) {
		t.Error("something is kept in the beginning")
	}
	if err := c.Put("a", "one", noon); err != nil {
		t.Fatal(err)
	}
	if !c.Get("a", &got) || got != "one" {
		t.Errorf("got %q", got)
	}
	if c.Get("a", new(int)) {
		t.Error("an entry of another kind was read")
	}
	if c.Get("a", &got) {
		t.Error("what cannot be read is still there")
	}
}

// TestDamage changes every byte of an entry, one at a time, and cuts it off at every length.
func TestDamage(t *testing.T) {
	c := &results.Cache{Dir: t.TempDir()}
	if err := c.Put("a", "content", noon); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(c.Dir, "*"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, data []byte) {
		if err := os.WriteFile(names[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		var got string
		if c.Get("a", &got) {
			t.Errorf("%s: read as %q", what, got)
		}
		if _, err := os.Stat(names[0]); err == nil {
			t.Errorf("%s: still there", what)
		}
	}
	for i := range whole {
		data := append([]byte{}, whole...)
		data[i] ^= 0x10
		try(fmt.Sprintf("byte %d", i), data)
		try(fmt.Sprintf("%d bytes", i), whole[:i])
	}
}

func TestBounds(t *testing.T) {
	c := &results.Cache{Dir: t.TempDir()}
	count := func() int {
		n, _, err := c.Usage()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 300 {
		if err := c.Put(fmt.Sprintf("%03d", i), i, noon.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(); n != 256 {
		t.Errorf("%d entries", n)
	}
	var got int
	if c.Get("000", &got) || !c.Get("299", &got) {
		t.Error("the oldest is kept, or the newest is not")
	}
	c.Used("299", noon.AddDate(0, 0, 40))
	if err := c.Put("new", 1, noon.AddDate(0, 0, 40)); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 2 {
		t.Errorf("%d entries after 40 days, want that of use and the new one", n)
	}
	left := filepath.Join(c.Dir, "tmp-1")
	if err := os.WriteFile(left, []byte(strings.Repeat("x", 10)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Clean(); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 0 {
		t.Errorf("%d entries after cleaning", n)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what a writer has left is still there")
	}
}
