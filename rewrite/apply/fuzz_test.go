package apply

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules/program"
)

var fuzzSources = []string{
	"package p\n\nimport \"fmt\"\n\n// F does.\nfunc F(a, b int) string {\n\treturn fmt.Sprint(a + b) //nolint\n}\n",
	"package p\n\nconst (\n\ta = 1 // one\n\tbb = 2 // two\n\n\tc // three\n)\n\nvar x = `raw\nstring`\n",
	"package p\r\n\r\nfunc f() {\r\n\tg(\"a\", /* c */ \"b\")\r\n}\r\n\r\nfunc g(...string) {}",
	"\xef\xbb\xbfpackage p\n\ntype T struct {\n\tA int // a\n\tLonger string // b\n}\n",
	"package p; func  f( ) { if x := 1; x > 0 { return } }\nvar ( y = 2 ; z = 3 )\n",
	"//go:build linux\n\npackage p\n\nimport (\n\t\"os\"\n\n\t_ \"embed\"\n)\n\n//go:noinline\nfunc f() { _ = os.Args }\n\n//line x.go:3\nvar q = 1\n",
}

// fuzzTexts are inserted by the fuzz test.
var fuzzTexts = []string{"", "x", " ", "\n", "f(1)", "// c\n", "/* c */", "\"s\"", ", 1", ";", "(", "}", "a + b", "if true {\n}\n", "\t", "`r\nr`"}

// FuzzSplice makes random splices on random sources. What is accepted equals the splices made
// directly, formatted where the source was.
func FuzzSplice(f *testing.F) {
	for i, src := range fuzzSources {
		for k := range 8 {
			f.Add(src, []byte{byte(7 * i), byte(31 * k), byte(k), byte(i + k), 1, byte(90 - 11*k), 0, byte(3 * k), 0, byte(20 + k), 4, 7})
		}
	}
	f.Fuzz(func(t *testing.T, src string, script []byte) {
		prog, file := fuzzProgram(src)
		if file == nil {
			return
		}
		var units []*plan.Unit
		for i := 0; i+4 <= len(script) && i < 40; i += 4 {
			start := (int(script[i])<<8 | int(script[i+1])) % (len(src) + 1)
			end := min(len(src), start+int(script[i+2])%16)
			s := &plan.Splice{File: file, Start: start, End: end, Text: plan.Text{plan.Lit(fuzzTexts[int(script[i+3])%len(fuzzTexts)])}}
			if script[i+3] > 128 && end > start {
				s.Text = append(s.Text, plan.Keep(start, end))
			}
			units = append(units, &plan.Unit{ID: fmt.Sprint(i), Edits: []plan.Edit{s}})
		}
		set, err := Apply(prog, units)
		out := []byte(src)
		if len(set.Files) > 0 {
			out = set.Files[0].New
		}
		checkSplices(t, src, out, survivors(t, units, err))
	})
}

func fuzzProgram(src string) (*program.Program, *program.File) {
	prog := &program.Program{Fset: token.NewFileSet(), Dir: "/fuzz"}
	tree, err := parser.ParseFile(prog.Fset, "/fuzz/a.go", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil
	}
	f := &program.File{
		Name: "/fuzz/a.go", Rel: "a.go", Src: []byte(src), AST: tree, Tok: prog.Fset.File(tree.FileStart),
		PkgPath: "fuzz", PkgDir: "/fuzz", World: true,
	}
	prog.Files = []*program.File{f}
	return prog, f
}

// survivors returns the splices of the units that were not left out.
func survivors(t *testing.T, units []*plan.Unit, err error) []*plan.Splice {
	failed := make(map[*plan.Unit]bool)
	var all Errors
	if err != nil && !errors.As(err, &all) {
		t.Fatalf("unexpected kind of error: %v", err)
	}
	for _, e := range all {
		failed[e.Unit] = true
		if strings.Contains(e.Error(), "please report") {
			t.Errorf("guard: %v", e)
		}
	}
	var out []*plan.Splice
	for _, u := range units {
		if !failed[u] {
			out = append(out, u.Edits[0].(*plan.Splice))
		}
	}
	return out
}

func checkSplices(t *testing.T, src string, out []byte, splices []*plan.Splice) {
	direct, ok := spliceDirectly(src, splices)
	if !ok {
		return // nested or merged: covered by the scripts
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", out, 0); err != nil {
		t.Fatalf("accepted result does not parse: %v\n%s", err, out)
	}
	before, err := outsideNames([]byte(src))
	if err != nil {
		return
	}
	after, err := outsideNames(direct)
	if err != nil {
		t.Fatalf("accepted splices that do not parse: %v", err)
	}
	for name := range before.qualifiers {
		if !after.qualifiers[name] {
			return // an import may go
		}
	}
	old, _ := normal([]byte(src), nil)
	shape := shapeOf([]byte(src))
	if !shape.final {
		old = append(old, '\n')
	}
	if shape.mixed || !isClean(old) {
		if !bytes.Equal(out, direct) {
			t.Fatalf("got %q\nwant %q", out, direct)
		}
		return
	}
	got, _ := normal(out, nil)
	want, _ := normal(direct, nil)
	if formatted, err := format.Source(want); err != nil || !sameTokens(got, formatted) {
		t.Fatalf("got %q\nwant %q", got, formatted)
	}
	if !shape.final {
		got = append(got, '\n')
	}
	if !isClean(got) {
		t.Fatalf("was gofmt-clean and is no more: %q", got)
	}
}

func sameTokens(a, b []byte) bool {
	x, _ := scan(a, false)
	y, _ := scan(b, false)
	return slices.EqualFunc(x, y, func(p, q tok) bool { return p.id == q.id })
}

// spliceDirectly makes splices that do not touch each other.
func spliceDirectly(src string, splices []*plan.Splice) ([]byte, bool) {
	sorted := slices.Clone(splices)
	slices.SortStableFunc(sorted, func(a, b *plan.Splice) int { return a.Start - b.Start })
	eol := eolOf([]byte(src))
	var out []byte
	at := 0
	for i, s := range sorted {
		if s.Start < at || i > 0 && s.Start == at {
			return nil, false
		}
		out = append(out, src[at:s.Start]...)
		for _, p := range s.Text {
			if isKeep(p) {
				out = append(out, src[p.Start:p.End]...)
			} else {
				out = append(out, strings.ReplaceAll(p.Lit, "\n", eol)...)
			}
		}
		at = s.End
	}
	return append(out, src[at:]...), true
}

// TestSwallowedComment has an edit begin a comment in front of another one, which would be part of it from then on.
func TestSwallowedComment(t *testing.T) {
	src := "package p\n\nvar x = 1 /* why */\n\nvar y = 2 // keep\n"
	for text, at := range map[string]int{" //": strings.Index(src, " // keep"), " /*": strings.Index(src, " /* why")} {
		prog, file := fuzzProgram(src)
		unit := &plan.Unit{ID: "u", Edits: []plan.Edit{&plan.Splice{File: file, Start: at, End: at, Text: plan.Text{plan.Lit(text)}}}}
		set, err := Apply(prog, []*plan.Unit{unit})
		if err == nil || !strings.Contains(err.Error(), "swallow") || len(set.Files) > 0 {
			t.Errorf("%q in front of a comment: %v, %d files", text, err, len(set.Files))
		}
	}
}
