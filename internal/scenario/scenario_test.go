package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const example = `A key that two packages spell.
It goes on.

-level review ./a/...
--run

-- a/a.go --
package a
-- gone.go --
package m
-- want/a/a.go --
package a // changed
-- want/new.go --
package m
-- deleted --
gone.go
-- findings --
# a comment
a/a.go:1:1: builtinkey: fixable: string "user"
-- stdout --
hello
`

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "s.txtar")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadPartsAnArchive(t *testing.T) {
	s, err := Read(write(t, example))
	if err != nil {
		t.Fatal(err)
	}
	if want := "A key that two packages spell. It goes on."; s.Prose != want {
		t.Errorf("prose %q, want %q", s.Prose, want)
	}
	for _, diff := range []string{
		cmp.Diff([]string{"-level", "review", "./a/...", "--run"}, s.Args),
		cmp.Diff([]string{"a/a.go", "go.mod", "gone.go"}, s.Input.Names()),
		cmp.Diff([]string{"a/a.go", "go.mod", "new.go"}, s.After().Names()),
		cmp.Diff([]string{`a/a.go:1:1: builtinkey: fixable: string "user"`}, s.Findings),
		cmp.Diff("hello\n", string(s.Stdout)),
		cmp.Diff("package a // changed\n", string(s.After()["a/a.go"])),
	} {
		if diff != "" {
			t.Error(diff)
		}
	}
}

func TestReadRefusesWhatNobodyCouldMean(t *testing.T) {
	for name, text := range map[string]string{
		"no prose":     "-level review\n-- a.go --\npackage a\n",
		"leads out":    "Prose.\n-- ../a.go --\npackage a\n",
		"absolute":     "Prose.\n-- /a.go --\npackage a\n",
		"twice":        "Prose.\n-- a.go --\npackage a\n-- a.go --\npackage b\n",
		"not clean":    "Prose.\n-- ./a.go --\npackage a\n",
		"want of root": "Prose.\n-- want/../../a.go --\npackage a\n",
	} {
		if _, err := Read(write(t, text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestUpdateKeepsProseFlagsAndInput(t *testing.T) {
	s, err := Read(write(t, example))
	if err != nil {
		t.Fatal(err)
	}
	after := s.After()
	if err := s.Update(s.Findings, after); err != nil {
		t.Fatal(err)
	}
	again, err := Read(s.File)
	if err != nil {
		t.Fatal(err)
	}
	for _, diff := range []string{
		cmp.Diff(string(s.archive.Comment), string(again.archive.Comment)),
		cmp.Diff(s.Input, again.Input),
		cmp.Diff(after, again.After()),
		cmp.Diff(s.Want, again.Want),
		cmp.Diff(s.Deleted, again.Deleted),
		cmp.Diff(s.Findings, again.Findings),
		cmp.Diff(s.Stdout, again.Stdout),
	} {
		if diff != "" {
			t.Error(diff)
		}
	}
	// What did not change is wanted by nobody.
	if err := again.Update(nil, again.Input); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range []string{"want/", "-- deleted", "-- findings"} {
		if strings.Contains(string(text), section) {
			t.Errorf("%s is still there:\n%s", section, text)
		}
	}
}

func TestDressIsPutOnAndTakenOff(t *testing.T) {
	d := &Dress{CRLF: []string{"a.go", "all.go"}, BOM: []string{"b.go", "all.go"}, NoFinalNewline: []string{"c.go", "all.go"}}
	bare := Tree{}
	for _, name := range []string{"a.go", "b.go", "c.go", "all.go", "plain.go"} {
		bare[name] = []byte("package m\n\nvar x int\n")
	}
	dressed := d.Put(bare)
	want := Tree{
		"a.go":     []byte("package m\r\n\r\nvar x int\r\n"),
		"b.go":     []byte("\xef\xbb\xbfpackage m\n\nvar x int\n"),
		"c.go":     []byte("package m\n\nvar x int"),
		"all.go":   []byte("\xef\xbb\xbfpackage m\r\n\r\nvar x int"),
		"plain.go": []byte("package m\n\nvar x int\n"),
	}
	if diff := cmp.Diff(want, dressed); diff != "" {
		t.Error(diff)
	}
	off, err := d.Off(dressed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bare, off); diff != "" {
		t.Error(diff)
	}
	dressed["a.go"] = []byte("package m\r\n\nvar x int\r\n")
	if _, err := d.Off(dressed); err == nil {
		t.Error("mixed line ends pass")
	}
}

func TestTreesAreWrittenAndRead(t *testing.T) {
	dir := t.TempDir()
	tree := Tree{"a/b/c.go": []byte("c"), "d.go": []byte("")}
	if err := tree.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree, got); diff != "" {
		t.Error(diff)
	}
}
