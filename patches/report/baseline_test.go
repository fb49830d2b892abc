package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzBaseline: whatever stands in the file, reading it ends, with a baseline or with a mistake; what was read can be written, and reads
// as the same; and each finding of a report is either known or left.
func FuzzBaseline(f *testing.F) {
	for _, s := range []string{
		`{"version": 1, "findings": []}`,
		`{"version": 1}`,
		`{"version": 1, "findings": [{"fingerprint": "a:1", "rule": "builtinkey", "file": "a.go", "key": "\"user\""}]}`,
		`{"version": 1, "findings": [{"fingerprint": "a:1"}, {"fingerprint": "a:1"}, {"fingerprint": ""}]}`,
		`{"version": 1, "findings": [{"file": "\ud800<&>` + "\u2028" + `"}]} `,
		`{"version": 2}`, `{"version": 1} {}`, `null`, `[]`, "", "<<<<<<< HEAD\n{}\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ReadBaseline(bytes.NewReader(data))
		if err != nil {
			if b != nil || err.Error() == "" {
				t.Errorf("%v beside %v", b, err)
			}
			return
		}
		var out strings.Builder
		if err := b.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		again, err := ReadBaseline(strings.NewReader(out.String()))
		if err != nil {
			t.Fatalf("what was written does not read: %v\n%s", err, out.String())
		}
		if b.Findings == nil {
			b.Findings = []Known{}
		}
		if diff := cmp.Diff(b, again); diff != "" {
			t.Errorf("it reads as another (-read +again):\n%s", diff)
		}
		r := &Report{Findings: []Finding{{Fingerprint: "a:1", Unit: "u"}, {Fingerprint: "a:2"}, {Fingerprint: "b:1"}}, Units: []Unit{{ID: "u"}}}
		known, gone := r.Without(b)
		if known+len(r.Findings) != 3 || gone < 0 || known+gone > len(b.Findings) {
			t.Errorf("%d known, %d left, %d gone of %d", known, len(r.Findings), gone, len(b.Findings))
		}
	})
}
