package report

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ctxmend/ctxmend/patches"
)

// TestLineHashes compares with values of github/codeql-action, src/fingerprints.test.ts: other values would make GitHub
// warn, and lose track of results.
func TestLineHashes(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"", "c129715d7a2bc9a3:1"},
		{" a\nb\n  \t\tc\n d", "271789c17abda88f:1 54703d4cd895b18:1 180aee12dab6264:1 a23a3dc5e078b07b:1"},
		{" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", "e9496ae3ebfced30:1 fb7c023a8b9ccb3f:1 ce8ba1a563dcdaca:1 e20e36e16fcb0cc8:1 b3edc88f2938467e:1 c8e28b0b4002a3a0:1 c129715d7a2bc9a3:1"},
		{strings.Repeat("Lorem ipsum dolor sit amet.\n", 3), "a9cf91f7bbf1862b:1 55ec222b86bcae53:1 cc97dc7b1d7d8f7b:1 c129715d7a2bc9a3:1"},
		{strings.Repeat("Lorem ipsum dolor sit amet.\n", 6), "a7f2ff13bc495cf2:1 a7f2ff13bc495cf2:2 a7f2ff1481e87703:1 a9cf91f7bbf1862b:1 55ec222b86bcae53:1 cc97dc7b1d7d8f7b:1 c129715d7a2bc9a3:1"},
	} {
		got := strings.Join(lineHashes(utf16.Encode([]rune(test.src))), " ")
		if got != test.want {
			t.Errorf("lineHashes(%.20q) = %s, want %s", test.src, got, test.want)
		}
	}
}

func TestFingerprintsStay(t *testing.T) {
	at := func(line int, source string) Finding {
		return Finding{Rule: "builtinkey", File: "a.go", Line: line, Source: source}
	}
	before := &Report{Findings: []Finding{at(3, `f("a")`), at(5, `g("a")`), at(7, `f("a")`)}}
	after := &Report{Findings: []Finding{at(13, `f("a")`), at(15, "\tg(\"a\")"), at(17, `f("a")`)}}
	before.fingerprint()
	after.fingerprint()
	seen := map[string]bool{}
	for i := range before.Findings {
		name := before.Findings[i].Fingerprint
		if name != after.Findings[i].Fingerprint {
			t.Errorf("finding %d is %s and then %s", i, name, after.Findings[i].Fingerprint)
		}
		if seen[name] {
			t.Errorf("two findings are %s", name)
		}
		seen[name] = true
	}
}

func TestSARIF(t *testing.T) {
	r := &Report{Findings: []Finding{
		{
			Rule: "builtinkey", Message: "string key", File: "a b/c.go", Line: 6, Column: 45, EndLine: 6, EndColumn: 51, Key: `"user"`,
			Applicability: "safe", Status: "blocked", Unit: `builtinkey:"user"`, Blocker: &Blocker{Reason: "store", Message: "gin", File: "g.go", Line: 3},
			Related:     []Related{{File: "r.go", Line: 9, Message: "read here", UnitColumn: 2}, {File: "w.go", Line: 1, Message: "written here", UnitColumn: 4}},
			Fingerprint: "0123456789abcdef:1", UnitColumn: 44, UnitEndColumn: 50, LineHash: "1:1",
		},
		{Rule: "other", Message: "no rule of ours", File: "../up/d.go", Line: 1, EndLine: 1, Status: "suppressed", Fingerprint: "f:1"},
	}}
	var b bytes.Buffer
	err := r.Write(&b, "sarif", &Context{Version: "v1", Prefix: "sub", Rules: []RuleInfo{{"builtinkey", "reports keys", "Package builtinkey\n\n\ta\n\n\tb\n\nEnd.\n"}}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "check.sarif", b.String())
}

func TestAnnotationsEscape(t *testing.T) {
	r := &Report{Findings: []Finding{
		{Rule: "r", File: "a,b:c.go", Line: 1, EndLine: 2, Message: "100%\nmore"},
		{Rule: "r", File: "s.go", Line: 1, EndLine: 1, Status: "suppressed"},
	}}
	var b bytes.Buffer
	if err := r.Write(&b, "github", &Context{Prefix: "sub"}); err != nil {
		t.Fatal(err)
	}
	want := "::warning file=sub/a%2Cb%3Ac.go,line=1,endLine=2,title=ctxmend r::100%25%0Amore\n"
	if b.String() != want {
		t.Errorf("got  %swant %s", b.String(), want)
	}
}

func TestCheckstyleIsXML(t *testing.T) {
	r := &Report{Findings: []Finding{{Rule: "r", File: "a.go", Line: 1, Message: "<\"\x01\xff&>"}, {Rule: "r", File: "a.go", Line: 2}, {Rule: "r", File: "b.go", Line: 1}}}
	var b bytes.Buffer
	if err := r.Write(&b, "checkstyle", &Context{}); err != nil {
		t.Fatal(err)
	}
	var doc checkstyle
	if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Files) != 2 || len(doc.Files[0].Errors) != 2 || !strings.HasPrefix(doc.Files[0].Errors[0].Message, `<"`) {
		t.Errorf("read back: %+v", doc)
	}
}

// TestSuggestions sees to it that nobody is offered a part of a unit.
func TestSuggestions(t *testing.T) {
	file := func(name, old, new string) *patches.File {
		return &patches.File{Rel: name, Old: []byte(old), New: []byte(new)}
	}
	set := &patches.Set{Files: []*patches.File{
		file("insert.go", "a\nb\n", "a\nx\nb\n"),
		file("replace.go", "a\nb\nc\n", "a\nB\nc\n"),
		file("shared.go", "a\n", "b\n"),
		file("twice.go", "a\nb\nc\n", "A\nb\nC\n"),
		file("wide1.go", "a\n", "b\n"),
		file("wide2.go", "a\n", "b\n"),
	}}
	unit := func(id string, files ...string) Unit { return Unit{ID: id, Status: "fixable", Files: files} }
	r := &Report{Units: []Unit{
		unit("insert", "insert.go"), unit("replace", "replace.go"), unit("one", "shared.go"), unit("other", "shared.go"),
		unit("twice", "twice.go"), unit("wide", "wide1.go", "wide2.go"),
	}}
	got := r.suggestions(set)
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"insert", "replace"}) {
		t.Fatalf("suggestions for %v", names)
	}
	if s := got["insert"]; s.Range.Start.Line != 1 || s.Range.End.Line != 1 || s.Text != "a\nx" {
		t.Errorf("insert: %+v", s)
	}
	if s := got["replace"]; s.Range.Start.Line != 2 || s.Range.End.Line != 2 || s.Text != "B" {
		t.Errorf("replace: %+v", s)
	}
}
