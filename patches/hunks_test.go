package patches

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestHunks puts the hunks of random changes into the old lines: the new ones come out.
func TestHunks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	lines := func() []string {
		var list []string
		for range r.IntN(40) {
			list = append(list, string(rune('a'+r.IntN(4)))+"\n")
		}
		return list
	}
	for range 400 {
		old, new := lines(), lines()
		f := &File{Old: []byte(strings.Join(old, "")), New: []byte(strings.Join(new, ""))}
		var got []string
		at := 0
		for _, h := range f.Hunks() {
			got = append(got, old[at:h.Old-1]...)
			at = h.Old - 1
			if len(got)+1 != h.New {
				t.Fatalf("hunk at line %d, want %d: %q -> %q", h.New, len(got)+1, old, new)
			}
			for _, line := range h.Lines {
				if line[0] != '+' {
					if old[at] != line[1:]+"\n" {
						t.Fatalf("line %d is %q, not %q", at+1, old[at], line)
					}
					at++
				}
				if line[0] != '-' {
					got = append(got, line[1:]+"\n")
				}
			}
		}
		got = append(got, old[at:]...)
		if !slices.Equal(got, new) {
			t.Fatalf("%q and the hunks make %q, want %q", old, got, new)
		}
	}
	crlf := &File{Old: []byte("a\r\nb\r\n"), New: []byte("a\r\nc")}
	if h := crlf.Hunks(); len(h) != 1 || !slices.Equal(h[0].Lines, []string{" a", "-b", "+c"}) {
		t.Errorf("%v", h)
	}
	if same := (&File{Old: []byte("a"), New: []byte("a")}); same.Hunks() != nil {
		t.Error("hunks of a file that stays as it is")
	}
}
