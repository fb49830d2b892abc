package program

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestLost has the tokens of broken sources show what they mention.
func TestLost(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"f(x.Y(\"a\", b))", "f(x.Y(\"a\", b)); x.Y(\"a\", b); \"a\"; b"},
		{"f(\"a\" + b, c[1], \"d\" }", "f(\"a\"+b, BadExpr, \"d\"); \"a\"; b; c; 1; \"d\""},
		{"f(a\ng(b)", "f(a); a; g(b); b"},
		{"x.k = \"a\"\nconst k = \"b\"\nv := \"c\"\nT{K: \"d\"}", `x.k = "a"; "a"; const k = "b"; "b"; v := "c"; "c"; T; {K: "d"}; "d"`},
		{"var s = `\nf(a)\n", "s; f(a); a"},
		{"x := 1 /* \nf(a) /* b", "x := 1; 1; f(a); a; b"},
		{"var s = `\nf(a)\n` `json:\"a\"`", "const s = `\nf(a)\n`; `\nf(a)\n`; `json:\"a\"`; f(a); a"},
		{"x.(T).y(", "x; T; y()"},
		{"1.f(", "1.; f()"},
		{"f((a", "f(BadExpr); a"},
	} {
		fn, _ := lost([]byte(test.src), 1)
		var got []string
		for _, s := range fn.Body.List {
			var b bytes.Buffer
			if err := format.Node(&b, token.NewFileSet(), s); err != nil {
				t.Fatal(err)
			}
			got = append(got, b.String())
		}
		if got := strings.Join(got, "; "); got != test.want {
			t.Errorf("%q\ngives %s\nwant  %s", test.src, got, test.want)
		}
	}
	_, imports := lost([]byte("pakage p\nimport (\n\t\"a\"\n\tb \"c\"\n\t. \"d\"\n)\nfunc"), 1)
	var got []string
	for _, spec := range imports {
		name := ""
		if spec.Name != nil {
			name = spec.Name.Name
		}
		got = append(got, name+spec.Path.Value)
	}
	if want := []string{`"a"`, `b"c"`, `."d"`}; !slices.Equal(got, want) {
		t.Errorf("imports %q, want %q", got, want)
	}
}

// TestLostLarge has sources that take long when something is read over and over again.
func TestLostLarge(t *testing.T) {
	const n = 300_000
	for _, src := range []string{
		strings.Repeat("/*\n", n), strings.Repeat("`\n", n), strings.Repeat("f(", n), strings.Repeat("f(a,\n", n),
		strings.Repeat("a.", n), "f(" + strings.Repeat("a,", n), "f(" + strings.Repeat("a+", n), strings.Repeat("(", n),
		strings.Repeat("f(`\n/*\n", n), strings.Repeat("{[(", n), strings.Repeat("import", n), "import (" + strings.Repeat("\"a\"\n", n),
		strings.Repeat("f", n) + "(", strings.Repeat("\x00\xff", n),
	} {
		fn, _ := lost([]byte(src), 1)
		if fn == nil {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			if n != nil && n.Pos() > token.Pos(len(src)+1) {
				t.Fatalf("%.20q: a position outside the file", src)
			}
			return true
		})
	}
}
