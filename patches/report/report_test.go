package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name, which -update rewrites.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run go test ./patches/report -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}

// source makes files of the world whose positions can be found by text.
type source struct {
	fset  *token.FileSet
	files map[string]*program.File
}

func newSource(files map[string]string) *source {
	s := &source{token.NewFileSet(), map[string]*program.File{}}
	for rel, src := range files {
		tok := s.fset.AddFile("/w/"+rel, -1, len(src))
		tok.SetLinesForContent([]byte(src))
		s.files[rel] = &program.File{
			Name: "/w/" + rel, Rel: rel, Src: []byte(src), Tok: tok, World: true,
			Test: strings.HasSuffix(rel, "_test.go"),
		}
	}
	return s
}

// at returns the range of the first text in file.
func (s *source) at(file, text string) (*program.File, token.Pos, token.Pos) {
	f := s.files[file]
	i := strings.Index(string(f.Src), text)
	if i < 0 {
		panic("no " + text + " in " + file)
	}
	return f, f.Tok.Pos(i), f.Tok.Pos(i + len(text))
}

func (s *source) finding(rule, file, text, message string) *rules.Finding {
	f, pos, end := s.at(file, text)
	return &rules.Finding{Rule: rule, Message: message, File: f, Pos: pos, End: end}
}

func (s *source) related(file, text, message string) rules.Related {
	f, pos, _ := s.at(file, text)
	return rules.Related{File: f, Pos: pos, Message: message}
}

// example is a report with every status.
func example() ([]*rules.Finding, []Unit) {
	const builtin = "is a context key that any package can read or overwrite"
	s := newSource(map[string]string{
		"internal/auth/middleware.go":   "package auth\n\nfunc serve() {\n\tctx := context.WithValue(r.Context(), \"user\", u)\n}\n",
		"internal/api/profile.go":       "package api\n\nvar u = ctx.Value(\"user\")\n",
		"internal/api/profile_test.go":  "package api\n\nvar (\n\ta = ctx.Value(\"user\")\n\tb = ctx.Value( \"user\")\n)\n",
		"internal/audit/log.go":         "package audit\nvar u = ctx.Value(\"user\")\n",
		"internal/web/session.go":       "package web\n\nvar 名 = f(ctx.Value(\"言語\"),\tx)\nvar key = fmt.Sprint(n)\n",
		"internal/web/lang.go":          "package web\n\nfunc f() { c.Set(\"lang\", 1) }\n",
		"internal/empty/empty.go":       "package empty\n\nvar k = struct{}{\n}\n",
		"internal/suppressed/s_test.go": "package s\n\nvar k = \"s\"\n",
	})
	user := s.finding("builtinkey", "internal/auth/middleware.go", `"user"`, `string "user" `+builtin)
	user.Key, user.Applicability, user.Status, user.Unit = `"user"`, rules.Safe, rules.Fixable, `builtinkey:"user"`
	user.Note = "unexported key in internal/auth; readers elsewhere call auth.UserFrom"
	user.Related = []rules.Related{
		s.related("internal/audit/log.go", `"user"`, "read"),
		s.related("internal/api/profile_test.go", `"user"`, "read"),
		s.related("internal/api/profile.go", `"user"`, "read"),
		s.related("internal/api/profile_test.go", ` "user"`, "read here"),
	}
	lang := s.finding("builtinkey", "internal/web/session.go", `"言語"`, `string "言語" `+builtin)
	lang.Key, lang.Applicability, lang.Status, lang.Unit = `"言語"`, rules.Safe, rules.Blocked, `builtinkey:"言語"`
	lf, lpos, _ := s.at("internal/web/lang.go", `"lang"`)
	lang.Blocker = &rules.Blocker{
		Reason: "framework-store", File: lf, Pos: lpos,
		Message: "gin answers Value only for string keys, and the key is also set with (*gin.Context).Set",
	}
	again := s.finding("builtinkey", "internal/audit/log.go", `"user"`, `string "user" `+builtin)
	again.Key, again.Applicability, again.Status, again.Unit = user.Key, user.Applicability, user.Status, user.Unit
	dynamic := s.finding("dynamickey", "internal/web/session.go", `fmt.Sprint(n)`, "key is computed at run time")
	dynamic.Applicability, dynamic.Status, dynamic.Note = rules.Manual, rules.NoFix, "use one key and a map"
	shared := s.finding("sharedkey", "internal/empty/empty.go", "struct{}{\n}", "struct{}{} equals every other struct{}{}")
	shared.Key, shared.Applicability, shared.Status, shared.Unit = "struct{}{}", rules.Review, rules.Fixable, "sharedkey:struct{}{}"
	shared.Fix = &rules.Fix{Title: "give the key a type of its own", Applicability: rules.Review}
	hidden := s.finding("builtinkey", "internal/suppressed/s_test.go", `"s"`, `string "s" `+builtin)
	hidden.Key, hidden.Applicability, hidden.Status = `"s"`, rules.Safe, rules.Suppressed
	foreign := s.finding("builtinkey", "internal/web/session.go", "ctx.Value", `string "sub" `+builtin)
	foreign.Key, foreign.Applicability, foreign.Status = `"sub"`, rules.Safe, rules.Blocked
	foreign.Blocker = &rules.Blocker{Reason: "dependency", Message: "a dependency reads it", Where: "example.com/jwt/mw.go:12:3"}

	units := []Unit{
		{ID: `builtinkey:"user"`, Rule: "builtinkey", Title: `give "user" a private type`, Applicability: "safe", Status: "fixable",
			Files: []string{"a.go", "b.go", "c.go", "d.go", "e.go"}, Notes: []string{"key in internal/auth, which writes it"}},
		{ID: `builtinkey:"言語"`, Rule: "builtinkey", Title: `give "言語" a private type`, Applicability: "safe", Status: "blocked", Blocker: NewBlocker(lang.Blocker)},
		{ID: "sharedkey:struct{}{}", Rule: "sharedkey", Title: "give the key a type of its own", Applicability: "review", Status: "fixable", Files: []string{"internal/empty/empty.go"}},
	}
	return []*rules.Finding{shared, user, hidden, foreign, lang, again, dynamic}, units
}

func TestTextForPeople(t *testing.T) {
	findings, units := example()
	var plain, color bytes.Buffer
	r := New(findings, units, 0)
	if err := r.WriteText(&plain, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "check.txt", plain.String())
	if err := r.WriteText(&color, TextOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	if got := stripColors(color.String()); got != plain.String() {
		t.Errorf("colours change more than colours:\n%s", cmp.Diff(plain.String(), got))
	}
	if color.Len() == plain.Len() {
		t.Error("no colours")
	}
}

func stripColors(s string) string {
	for _, c := range []style{bold, dim, red, green, yellow, cyan, reset} {
		s = strings.ReplaceAll(s, string(c), "")
	}
	return s
}

func TestFixForPeople(t *testing.T) {
	findings, units := example()
	findings[1].Status, findings[5].Status = rules.Fixed, rules.Fixed
	units[0].Status = "fixed"
	var out bytes.Buffer
	if err := New(findings, units, 5).WriteFix(&out, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "fix.txt", out.String())
	out.Reset()
	if err := New(findings, units, 5).WriteBlocked(&out, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "blocked.txt", out.String())
}

func TestJSONIsTheContract(t *testing.T) {
	findings, units := example()
	var out bytes.Buffer
	if err := New(findings, units, 0).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "check.json", out.String())
}

func TestJSONHasNoNullArrays(t *testing.T) {
	var out bytes.Buffer
	patch := ""
	r := New(nil, nil, 0)
	r.Patch = &patch
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if err := NewKeys([]Key{{}}).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "null") {
		t.Errorf("null in\n%s", out.String())
	}
	var doc map[string]any
	if err := json.NewDecoder(&out).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if _, ok := doc["patch"]; !ok {
		t.Error("an empty patch is left out")
	}
}

func TestExcerptUnderlinesWhatIsMeant(t *testing.T) {
	long := strings.Repeat("x", 300)
	for name, tt := range map[string]struct {
		line            string
		start, end      int
		text, underline string
	}{
		"indented by tabs":         {"\t\tf(k)", 4, 5, "f(k)", "  ^"},
		"tabs inside":              {"a\tb\tc", 2, 5, "a b c", "  ^^^"},
		"wide runes before":        {"名 = k", 6, 7, "名 = k", "     ^"},
		"wide runes marked":        {"f(\"名\")", 2, 7, "f(\"名\")", "  ^^^^"},
		"combining marks":          {"e\u0301 k", 4, 5, "e\u0301 k", "  ^"},
		"emoji":                    {"😀k", 4, 5, "😀k", "  ^"},
		"empty range":              {"abc", 1, 1, "abc", " ^"},
		"range past the end":       {"abc", 1, 99, "abc", " ^^"},
		"begins past the end":      {"abc", 9, 99, "abc", "   ^"},
		"trailing blanks unmarked": {"f(  ", 0, 4, "f(", "^^"},
		"escape sequence":          {"\x1b[31mk", 5, 6, "\ufffd[31mk", "     ^"},
		"begins in the indent":     {"\t\tf", 1, 3, " f", "^^"},
		"long line":                {long + "k" + long, 300, 301, "…" + strings.Repeat("x", 78) + "k" + strings.Repeat("x", 79) + "…", strings.Repeat(" ", 79) + "^"},
		"long range":               {long, 0, 300, strings.Repeat("x", 159) + "…", strings.Repeat("^", 160)},
	} {
		t.Run(name, func(t *testing.T) {
			text, underline := excerpt(tt.line, tt.start, tt.end)
			if text != tt.text || underline != tt.underline {
				t.Errorf("got\n%s\n%s\nwant\n%s\n%s", text, underline, tt.text, tt.underline)
			}
		})
	}
}

func FuzzExcerptFitsTheLine(f *testing.F) {
	f.Add("\tctx.Value(\"名\")", 11, 16)
	f.Add("\x80\xff", 1, 0)
	f.Fuzz(func(t *testing.T, line string, start, end int) {
		text, underline := excerpt(line, start, end)
		if strings.ContainsAny(text, "\t\x1b") {
			t.Errorf("control characters in %q", text)
		}
		if width(text) > maxExcerpt+2 || width(underline) > maxExcerpt+2 {
			t.Errorf("too wide: %d, %d", width(text), width(underline))
		}
		if !strings.HasSuffix(underline, "^") {
			t.Errorf("nothing marked: %q", underline)
		}
	})
}

func TestRelatedPlacesAreSummedUp(t *testing.T) {
	at := func(line int, message string, test bool) Related {
		return Related{File: "a.go", Line: line, Column: 1, Message: message + " here", Test: test}
	}
	for want, related := range map[string][]Related{
		"":                                     nil,
		"read at a.go:1:1":                     {at(1, "read", false)},
		"read at a.go:1:1 and in 1 test":       {at(1, "read", false), at(2, "read", true)},
		"read at a.go:2:1":                     {at(2, "read", true)},
		"read at a.go:1:1|written at a.go:2:1": {at(1, "read", false), at(2, "written", false)},
		"read at a.go:1:1, a.go:2:1, a.go:3:1, 2 more places and in 2 tests": {
			at(1, "read", false), at(2, "read", false), at(3, "read", false), at(4, "read", false), at(5, "read", false),
			at(6, "read", true), at(7, "read", true)},
	} {
		if got := strings.Join(relatedLines(related), "|"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBlockersOutsideTheWorldKeepTheirPlace(t *testing.T) {
	for where, want := range map[string]Blocker{
		"example.com/m/f.go:12:3": {File: "example.com/m/f.go", Line: 12, Column: 3},
		"example.com/m/f.go:12":   {File: "example.com/m/f.go", Line: 12},
		"example.com/m":           {File: "example.com/m"},
		`C:\m\f.go:1:2`:           {File: `C:\m\f.go`, Line: 1, Column: 2},
	} {
		if diff := cmp.Diff(&want, NewBlocker(&rules.Blocker{Where: where})); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDiffColours(t *testing.T) {
	diff := "diff --git a/a.go b/a.go\n--- a/a.go\n+++ b/a.go\n@@ -1 +1 @@\n-a\n+b\n c\n\\ No newline at end of file"
	var out bytes.Buffer
	if err := WriteDiff(&out, []byte(diff), false); err != nil || out.String() != diff {
		t.Errorf("without colours: %q, %v", out.String(), err)
	}
	out.Reset()
	if err := WriteDiff(&out, []byte(diff), true); err != nil || stripColors(out.String()) != diff {
		t.Errorf("with colours: %q, %v", out.String(), err)
	}
	if !strings.Contains(out.String(), string(red)+"-a"+reset+"\n") {
		t.Errorf("no red line in %q", out.String())
	}
}

func TestHeadingsAreStyled(t *testing.T) {
	const doc = "text\n\n# Heading\n\nmore"
	if got := StyleDoc(doc, false); got != doc {
		t.Errorf("without colours: %q", got)
	}
	if got, want := StyleDoc(doc, true), "text\n\n"+string(bold)+"# Heading"+reset+"\n\nmore"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKeysFormats(t *testing.T) {
	site := func(pkg, file string, line int) Site {
		return Site{File: file, Line: line, Column: 2, Package: pkg, Function: "f"}
	}
	keys := NewKeys([]Key{
		{Key: `"user"`, Type: "string", Text: "user", ValueTypes: []string{"*auth.User"}, Verdict: "builtinkey", Reason: "fixable",
			Writers: []Site{site("m/auth", "auth/a.go", 3)},
			Readers: []Site{site("m/api", "api/a.go", 4), site("m/api", "api/a.go", 9), site("m/auth", "auth/a.go", 8)}},
		{Key: "traceKey{}", Type: "log.traceKey", ValueTypes: []string{"map[string]<-chan int"}, Writers: []Site{site("m/log", "log/l.go", 7)}},
	})
	var table, dot, mermaid, doc bytes.Buffer
	for _, err := range []error{
		keys.WriteTable(&table, TextOptions{}), keys.WriteDot(&dot), keys.WriteMermaid(&mermaid), keys.WriteJSON(&doc),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "keys.txt", table.String())
	golden(t, "keys.dot", dot.String())
	golden(t, "keys.mmd", mermaid.String())
	golden(t, "keys.json", doc.String())
}
