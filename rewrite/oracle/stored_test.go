package oracle

import (
	"fmt"
	"strings"
	"testing"
)

// A stored is a kind of value that one package stores and another reads. In the text N stands for its number.
type stored struct {
	name string
	// decls are declarations of the writing package, pre statements before the value.
	decls, pre, value string
	// typ is the type as the reading package writes it, "" when it cannot.
	typ        string
	comparable bool
}

var storedValues = []stored{
	{name: "int", value: "5", typ: "int", comparable: true},
	{name: "untyped float", value: "5.0", typ: "float64", comparable: true},
	{name: "float read as int", value: "5.0", typ: "int", comparable: true},
	{name: "rune", value: "'x'", typ: "rune", comparable: true},
	{name: "rune read as int", value: "'x'", typ: "int", comparable: true},
	{name: "string", value: `"s"`, typ: "string", comparable: true},
	{name: "bool", value: "1 < 2", typ: "bool", comparable: true},
	{name: "nil", value: "nil", typ: "string", comparable: true},
	{name: "nil error", pre: "var v error", value: "v", typ: "error", comparable: true},
	{name: "error", value: `errors.New("bad")`, typ: "error", comparable: true},
	{name: "duration", value: "3 * time.Second", typ: "time.Duration", comparable: true},
	{name: "slice", value: "[]int{1}", typ: "[]int"},
	{name: "nil slice", value: "[]int(nil)", typ: "[]int"},
	{name: "map", value: `map[string]int{"a": 1}`, typ: "map[string]int"},
	{name: "function", value: "func() int { return 1 }", typ: "func() int"},
	{name: "nil function", value: "(func())(nil)", typ: "func()"},
	{name: "nil channel", value: "(chan int)(nil)", typ: "chan int", comparable: true},
	{name: "receive channel", value: "(<-chan int)(nil)", typ: "<-chan int", comparable: true},
	{name: "nil pointer", value: "(*int)(nil)", typ: "*int", comparable: true},
	{name: "empty struct", value: "struct{}{}", typ: "struct{}", comparable: true},
	{name: "struct", value: `model.User{Name: "ann"}`, typ: "model.User", comparable: true},
	{name: "struct pointer", value: `&model.User{Name: "ann"}`, typ: "*model.User"},
	{name: "nil struct pointer", value: "(*model.User)(nil)", typ: "*model.User", comparable: true},
	{name: "interface", pre: `var v model.Tagger = &model.User{Name: "ann"}`, value: "v", typ: "model.Tagger"},
	{name: "nil interface", pre: "var v model.Tagger", value: "v", typ: "model.Tagger", comparable: true},
	{name: "interface read as struct", pre: `var v model.Tagger = &model.User{Name: "ann"}`, value: "v", typ: "*model.User"},
	{name: "struct read as interface", value: `&model.User{Name: "ann"}`, typ: "model.Tagger"},
	{name: "unexported type", decls: "type localN struct{ a int }", value: "localN{3}"},
	{name: "unexported pointer", decls: "type localN struct{ a int }\n\nfunc (l *localN) Tag() string { return \"local\" }", value: "&localN{3}", typ: "model.Tagger"},
	{name: "local type", pre: "type inner struct{ a int }", value: "inner{4}"},
	{name: "alias", decls: "type aliasN = model.User", value: `aliasN{Name: "al"}`, typ: "model.User", comparable: true},
	{name: "generic", value: "model.Box[int]{V: 1}", typ: "model.Box[int]", comparable: true},
	{name: "generic of local", decls: "type localN struct{ a int }", value: "model.Box[localN]{}"},
	{name: "generic pointer", value: "&model.Box[string]{}", typ: "*model.Box[string]"},
	{name: "array", value: "[2]int{1, 2}", typ: "[2]int", comparable: true},
	{name: "anonymous struct", value: "struct{ A int }{1}", typ: "struct{ A int }", comparable: true},
	{name: "anonymous struct of the package", value: "struct{ a int }{1}", typ: "struct{ a int }", comparable: true},
	{name: "any", pre: "var v any = 6", value: "v", typ: "int", comparable: true},
	{name: "nil any", pre: "var v any", value: "v", typ: "int", comparable: true},
	{name: "named function", decls: "type fnN func()", value: "fnN(nil)"},
	{name: "exported function type", value: "model.Fn(nil)", typ: "model.Fn"},
	{name: "function read by its underlying type", value: "model.Fn(nil)", typ: "func()"},
	{name: "named map", value: "model.Table{}", typ: "model.Table"},
	{name: "complex", value: "2i", typ: "complex128", comparable: true},
	{name: "byte", value: "byte(7)", typ: "uint8", comparable: true},
	{name: "shift", value: "int64(1) << 40", typ: "int64", comparable: true},
	{name: "pointer to pointer", pre: "var p *int", value: "&p", typ: "**int"},
	{name: "buffer", value: `bytes.NewBufferString("buf")`, typ: "fmt.Stringer"},
	{name: "generic writer", decls: "func putN[T any](ctx context.Context, v T) context.Context {\nreturn context.WithValue(ctx, \"keyN\", v)\n}", pre: "ctx = putN(ctx, 8)\nctx = putN(ctx, \"eight\")", value: "uint(8)", typ: "uint", comparable: true},
	{name: "two types", pre: "ctx = context.WithValue(ctx, \"keyN\", 9)", value: `"nine"`, typ: "string", comparable: true},
	{name: "two related types", pre: "var e error\nctx = context.WithValue(ctx, \"keyN\", e)", value: `errors.New("bad")`, typ: "error", comparable: true},
	{name: "pointer and nil", pre: "ctx = context.WithValue(ctx, \"keyN\", &model.User{})", value: "nil", typ: "*model.User"},
	{name: "type parameter of a type", decls: "type holderN[T any] struct{ v T }\n\nfunc (h holderN[T]) put(ctx context.Context) context.Context {\nreturn context.WithValue(ctx, \"keyN\", h.v)\n}", pre: "ctx = holderN[string]{\"x\"}.put(ctx)", value: "11", typ: "int", comparable: true},
	{name: "value from two results", decls: "func pairN() (int, error) { return 12, nil }", pre: "v, _ := pairN()", value: "v", typ: "int", comparable: true},
	{name: "comma-ok value", pre: "m := map[string]int{}\nv, ok := m[\"x\"]\n_ = v", value: "ok", typ: "bool", comparable: true},
	{name: "named constant", decls: "const constN = 13", value: "constN", typ: "int", comparable: true},
	{name: "typed constant", value: "model.Level2", typ: "model.Level", comparable: true},
	{name: "typed constant read as int", value: "model.Level2", typ: "int", comparable: true},
	{name: "big constant", value: "1 << 62", typ: "int", comparable: true},
	{name: "shadowed type name", decls: "type intN int", pre: "type int intN", value: "int(14)"},
	{name: "method value", value: "(&model.User{}).Tag", typ: "func() string"},
	{name: "embedded interface", decls: "type embedN struct{ model.Tagger }", value: `embedN{&model.User{Name: "em"}}`, typ: "model.Tagger"},
	{name: "type with a field of the package", value: "model.Opaque()", typ: "model.Tagger"},
	{name: "unexported type of a third package", value: "model.Hidden()"},
	{name: "variadic function type", value: "(func(...int))(nil)", typ: "func(...int)"},
	{name: "named parameters", value: "(func(a, b int) (c error))(nil)", typ: "func(int, int) error"},
	{name: "interface literal", pre: "var v interface{ Tag() string } = &model.User{Name: \"il\"}", value: "v", typ: "interface{ Tag() string }"},
	{name: "error interface type", decls: "type failN struct{}\n\nfunc (failN) Error() string { return \"fail\" }", value: "failN{}", typ: "error"},
}

const modelSource = `// Package model has types that values have.
package model

type User struct{ Name string }

func (u *User) Tag() string { return u.Name }

type Tagger interface{ Tag() string }

type Box[T any] struct{ V T }

type Fn func()

type Table map[string]int

type Level int

const (
	Level1 Level = iota
	Level2
)

type opaque struct{ a int }

func (opaque) Tag() string { return "opaque" }

func Opaque() Tagger { return opaque{1} }

func Hidden() opaque { return opaque{2} }
`

// storedReads are ways to look up keyN as T, with what they do to the value: OUT(x) prints x.
var storedReads = []struct {
	name, code string
	needs      string // "type", "comparable"
}{
	{"ok", "v, ok := ctx.Value(\"keyN\").(T)\nOUT(ok)\nOUT(v)", "type"},
	{"must", "defer func() { OUT(recover() != nil) }()\nv := ctx.Value(\"keyN\").(T)\nOUT(v)", "type"},
	{"discarded", "v, _ := ctx.Value(\"keyN\").(T)\nOUT(v)", "type"},
	{"bare", "v := ctx.Value(\"keyN\")\nOUT(v)", ""},
	{"nil", "OUT(ctx.Value(\"keyN\") == nil)", ""},
	{"switch", "switch v := ctx.Value(\"keyN\").(type) {\ncase T:\nOUT(v)\ncase nil:\nOUT(\"nil\")\ndefault:\nOUT(\"other\")\n}", "type"},
	{"if", "if v, ok := ctx.Value(\"keyN\").(T); ok {\nOUT(v)\n}", "type"},
	{"interface", "v, ok := ctx.Value(\"keyN\").(interface{ Tag() string })\nOUT(ok && v.Tag() != \"\")", ""},
	{"mixed", "v, ok := ctx.Value(\"keyN\").(T)\nOUT(ok)\nOUT(v)\nOUT(ctx.Value(\"keyN\"))\nOUT(func() (s string) {\ndefer func() {\nif recover() != nil {\ns = \"panic\"\n}\n}()\n_ = ctx.Value(\"keyN\").(T)\nreturn \"fine\"\n}())", "type"},
	{"compared", "var zero T\nOUT(ctx.Value(\"keyN\") == any(zero))", "comparable"},
	{"returned", "f := func() (T, bool) {\nv, ok := ctx.Value(\"keyN\").(T)\nreturn v, ok\n}\nv, ok := f()\nOUT(ok)\nOUT(v)", "type"},
	{"assigned", "var v T\nvar ok bool\nif v, ok = ctx.Value(\"keyN\").(T); !ok {\nOUT(\"none\")\n}\nOUT(v)", "type"},
}

// TestStoredValues tries all kinds of values with all ways to read them. The writers and the readers live in
// packages of their own; how says which imports which, each way to read with one of the three unless all are asked for.
func TestStoredValues(t *testing.T) {
	var progs []*generated
	for i, how := range []string{"apart", "reader imports writer", "writer imports reader"} {
		for j, read := range storedReads {
			if !*flagAll && (j+*flagShift)%3 != i {
				continue
			}
			p := storedProgram(fmt.Sprintf("%d%c", i, 'a'+j), how, read.code, read.needs)
			p.title = how + ": " + read.name
			progs = append(progs, p)
		}
	}
	tryAll(t, progs)
}

func storedProgram(id, how, read, needs string) *generated {
	var w, r, wMain, rMain strings.Builder
	for i, s := range storedValues {
		n := fmt.Sprint(i + 1)
		if needs != "" && s.typ == "" || needs == "comparable" && !s.comparable {
			continue
		}
		fill := func(text string) string {
			for _, word := range []string{"keyN", "localN", "aliasN", "fnN", "putN", "holderN", "pairN", "constN", "intN", "embedN", "failN"} {
				text = strings.ReplaceAll(text, word, word[:len(word)-1]+n)
			}
			return text
		}
		fmt.Fprintf(&w, "%s\n\n// Set%s stores: %s.\nfunc Set%s(ctx context.Context) context.Context {\n%s\nreturn context.WithValue(ctx, \"key%s\", %s)\n}\n\n", fill(s.decls), n, s.name, n, fill(s.pre), n, fill(s.value))
		code := strings.ReplaceAll(fill(read), ".(T)", ".("+s.typ+")")
		code = strings.NewReplacer("case T:", "case "+s.typ+":", "zero T\n", "zero "+s.typ+"\n", "(T, bool)", "("+s.typ+", bool)", "v T\n", "v "+s.typ+"\n").Replace(code)
		code = strings.ReplaceAll(code, "OUT(", fmt.Sprintf("show(at, %s, ", n))
		fmt.Fprintf(&r, "// Show%s reads: %s.\nfunc Show%s(ctx context.Context, at string) {\n%s\n}\n\n", n, s.name, n, code)
		fmt.Fprintf(&wMain, "\tctx = w.Set%s(ctx)\n\tr.Show%s(ctx, \"set\")\n", n, n)
		fmt.Fprintf(&rMain, "\tr.Show%s(ctx, \"none\")\n", n)
	}
	module := "example.com/stored" + id
	head := func(pkg, extra string) string {
		src := "package " + pkg + "\n\nimport (\n\t\"bytes\"\n\t\"context\"\n\t\"errors\"\n\t\"fmt\"\n\t\"strings\"\n\t\"time\"\n\n\t\"" + module + "/internal/model\"\n" + extra + ")\n\n"
		return src + "var _, _, _, _, _, _ = bytes.NewBuffer, errors.New, fmt.Sprint, strings.ToUpper, time.Second, model.Level1\n\n"
	}
	wImports, rImports := "", ""
	switch how {
	case "reader imports writer":
		rImports = "\t_ \"" + module + "/internal/w\"\n"
	case "writer imports reader":
		wImports = "\t_ \"" + module + "/internal/r\"\n"
	}
	show := `func show(at string, n int, v any) {
	text := fmt.Sprint(v)
	if strings.Contains(text, "0x") {
		text = "address"
	}
	fmt.Printf("%s %d %T %s\n", at, n, v, text)
}
`
	main := "package main\n\nimport (\n\t\"context\"\n\n\t\"" + module + "/internal/r\"\n\t\"" + module + "/internal/w\"\n)\n\nfunc main() {\n\tctx := context.Background()\n" + rMain.String() + wMain.String() + "}\n"
	return &generated{kind: &keyKind, seed: 1, module: module, files: map[string]string{
		"go.mod": "module " + module + "\n\ngo 1.26\n", "main.go": main, "internal/model/model.go": modelSource,
		"internal/w/w.go": head("w", wImports) + w.String(), "internal/r/r.go": head("r", rImports) + r.String() + show,
	}}
}
