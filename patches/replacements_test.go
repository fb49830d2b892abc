package patches

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestReplacements applies what Replacements says to the old content, which must give the new one.
func TestReplacements(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString([]string{"a\n", "ab\n", "abc\r\n", "\n", "ü", "b"}[r.IntN(6)])
		}
		return b.String()
	}
	for range 3000 {
		f := &File{Old: []byte(text()), New: []byte(text())}
		var b strings.Builder
		at := 0
		for _, e := range f.Replacements() {
			if e.From < at || e.To < e.From {
				t.Fatalf("%q to %q: replacement %v is out of order", f.Old, f.New, e)
			}
			b.Write(f.Old[at:e.From])
			b.WriteString(e.New)
			at = e.To
		}
		b.Write(f.Old[at:])
		if b.String() != string(f.New) {
			t.Fatalf("%q to %q: replacements give %q", f.Old, f.New, b.String())
		}
	}
}
