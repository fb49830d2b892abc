package program

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestBlankBodies(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"package p\nfunc f() { return }\n", "package p\nfunc f() {        }\n"},
		{"package p; func f() { g('}', \"}\", `}`) /* } */ // }\n}\n", "package p; func f() {                              \n}\n"},
		{"func f() struct{ a int } { x() }", "func f() struct{ a int } {     }"},
		{"func f() interface{ m() } { x() }", "func f() interface{ m() } {     }"},
		{"func f[T interface{ ~int }](a struct{}) { x() }", "func f[T interface{ ~int }](a struct{}) {     }"},
		{"func (r *T[K]) f(\n\ta int,\n) (b func() error) { x() }", "func (r *T[K]) f(\n\ta int,\n) (b func() error) {     }"},
		{"func f() func(a struct{}) { x() }", "func f() func(a struct{}) {     }"},
		{"func asm()\nfunc f() { x() }", "func asm()\nfunc f() {     }"},
		{"func asm() /*\n*/ func f() { x() }", "func asm() /*\n*/ func f() {     }"},
		{"var v = func() { x() }", "var v = func() { x() }"},
		{"var v =\nfunc() { x() }", "var v =\nfunc() { x() }"},
		{"type F func()\nfunc f() { x() }", "type F func()\nfunc f() {     }"},
		{"type T struct {\n\tf func() // {\n}\nfunc f() { x() }", "type T struct {\n\tf func() // {\n}\nfunc f() {     }"},
		{"func f() { '\\'' }\nfunc g() { \"\\\"{\" }", "func f() {      }\nfunc g() {       }"},
		{"func f() {", "func f() {"},
		{"func f() { if x {", "func f() { if x {"},
		{"var funcs = 1\nfunc f() { é }", "var funcs = 1\nfunc f() {    }"},
		{"", ""},
		{"func", "func"},
	} {
		got := []byte(test.in)
		blankBodies(got)
		if string(got) != test.want {
			t.Errorf("%q\ngives %q\nwant  %q", test.in, got, test.want)
		}
	}
}

// skeleton describes a file apart from the bodies of function declarations.
func skeleton(src []byte) (string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, depMode)
	if err != nil {
		return "", err
	}
	for _, decl := range file.Decls {
		if fd, ok := decl.(*ast.FuncDecl); ok && fd.Body != nil {
			fd.Body.List = nil
		}
	}
	var b bytes.Buffer
	err = ast.Fprint(&b, nil, file, nil)
	return b.String(), err
}

// Blanking must leave declarations and all their positions as they are.
func TestBlankBodiesOfTheStandardLibrary(t *testing.T) {
	roots := []string{"go/types", "reflect", "testing"}
	if os.Getenv("CTXMEND_ALL") != "" {
		roots = []string{"."}
	} else if testing.Short() {
		roots = roots[:1]
	}
	n := 0
	for _, root := range roots {
		err := filepath.WalkDir(filepath.Join(runtime.GOROOT(), "src", root), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
				return err
			}
			src, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			want, err := skeleton(src)
			if err != nil {
				return nil // test input that is wrong on purpose
			}
			n++
			blanked := slices.Clone(src)
			blankBodies(blanked)
			got, err := skeleton(blanked)
			if err != nil || got != want {
				t.Errorf("%s: blanking changes more than bodies: %v", name, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n == 0 {
		t.Error("no file was compared")
	}
}

func FuzzBlankBodies(f *testing.F) {
	f.Add("package p\nfunc f() struct{} { return struct{}{} }\nvar v = func() {}\n")
	f.Add("package p; func f() { g('}', \"}\", `}`) /* } */ // }\n}\n")
	f.Fuzz(func(t *testing.T, text string) {
		blanked := []byte(text)
		blankBodies(blanked)
		if len(blanked) != len(text) {
			t.Fatal("the length changed")
		}
		want, err := skeleton([]byte(text))
		if err != nil {
			return
		}
		if got, err := skeleton(blanked); err != nil || got != want {
			t.Errorf("%q became %q: %v", text, blanked, err)
		}
	})
}
