package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sha(data []byte) [32]byte { return sha256.Sum256(data) }

// many returns the text that f makes of 0 to n-1.
func many(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// nested returns core wrapped n times.
func nested(n int, open, core, end string) string {
	return strings.Repeat(open, n) + core + strings.Repeat(end, n)
}

const ctxHeader = "package m\n\nimport \"context\"\n\n"

// hostileSyntax are programs that are deep, long or both: as deep as is accepted, and deeper.
func hostileSyntax() []hostile {
	var list []hostile
	for _, deep := range []struct {
		name   string
		levels int // that are close to what is accepted
		src    func(n int) string
	}{
		{"parentheses", 900, func(n int) string {
			return ctxHeader + "func f(ctx context.Context) any { return ctx.Value(" + nested(n, "(", `"user"`, ")") + ") }\n"
		}},
		{"blocks", 900, func(n int) string {
			return ctxHeader + "func f(ctx context.Context) { " + nested(n, "{", `_ = ctx.Value("user")`, "}") + " }\n"
		}},
		{"function literals", 200, func(n int) string {
			return ctxHeader + "func f(ctx context.Context) { " + nested(n, "func() {", `_ = ctx.Value("user")`, "}()") + " }\n"
		}},
		{"sum of texts", 9_000, func(n int) string {
			return ctxHeader + "func f(ctx context.Context) any { return ctx.Value(\"user\"" + strings.Repeat(` + ""`, n) + ") }\n"
		}},
		{"sum that is another key", 9_000, func(n int) string {
			return ctxHeader + "func f(ctx context.Context) any { return ctx.Value(\"x\"" + strings.Repeat(` + "x"`, n) + ") }\n"
		}},
		{"calls in a row", 450, func(n int) string {
			return "package m\n\ntype t struct{}\n\nfunc (x t) f() t { return x }\n\nfunc g() t { return t{}" + strings.Repeat(".f()", n) + " }\n"
		}},
		{"contexts in each other", 900, func(n int) string {
			return ctxHeader + "func f(ctx context.Context) context.Context { return " + nested(n, "context.WithValue(", "ctx", `, "user", 1)`) + " }\n"
		}},
		{"if and else", 900, func(n int) string {
			return ctxHeader + "func f(ctx context.Context) {\n\tif ctx.Value(\"user\") == 0 {\n\t}" + many(n, func(i int) string { return fmt.Sprintf(" else if ctx.Value(\"user\") == %d {\n\t}", i) }) + "\n}\n"
		}},
		{"composite literals", 900, func(n int) string { return "package m\n\nvar x = " + nested(n, "[]any{", "1", "}") + "\n" }},
		{"types in types", 200, func(n int) string {
			return "package m\n\nvar x " + strings.Repeat("[]", n) + "int\n\nvar y " + strings.Repeat("*", n) + "int\n\nvar z " + nested(n, "func(", "int", ")") + "\n"
		}},
		{"structs in structs", 300, func(n int) string { return "package m\n\nvar x " + nested(n, "struct{ f ", "int", " }") + "\n" }},
	} {
		list = append(list,
			hostile{name: deep.name, src: deep.src(deep.levels), deep: true},
			hostile{name: deep.name + ", too deep", src: deep.src(3 * deep.levels * 2), fails: "hostile.go:"})
	}
	return append(list, []hostile{
		{name: "parentheses that do not end", src: "package m\n\nvar x = " + strings.Repeat("(", 300_000), blocked: true},
		{name: "elements", src: "package m\n\nvar x = []int{" + many(300_000, func(i int) string { return fmt.Sprint(i, ", ") }) + "}\n"},
		{name: "sites", src: ctxHeader + "func f(ctx context.Context) {\n" + strings.Repeat("\t_ = ctx.Value(\"user\")\n", 5_000) + "}\n"},
		{name: "keys", src: ctxHeader + "func f(ctx context.Context) {\n" + many(300, func(i int) string {
			return fmt.Sprintf("\tctx = context.WithValue(ctx, \"key%d\", %d)\n\t_ = ctx.Value(\"key%d\")\n", i, i, i)
		}) + "}\n"},
		{name: "a million lines", src: ctxHeader + "func f(ctx context.Context) {\n" + strings.Repeat("\n\n\n\t// nothing\n\t_ = ctx\n", 200_000) + "\t_ = ctx.Value(\"user\")\n}\n"},
		{name: "a long line", src: ctxHeader + "func f(ctx context.Context) { _ = ctx.Value(\"user\")" + strings.Repeat("; _ = ctx", 200_000) + " }\n"},
		{name: "a long text", src: ctxHeader + "const text = \"" + strings.Repeat("x", 20<<20) + "\"\n\nfunc f(ctx context.Context) any { return ctx.Value(\"user\") }\n"},
		{name: "a long key", src: ctxHeader + "func f(ctx context.Context) any { return context.WithValue(ctx, \"" + strings.Repeat("key ", 100_000) + "\", 1).Value(\"user\") }\n"},
		{name: "a long name", src: ctxHeader + "func " + strings.Repeat("f", 1<<20) + "(ctx context.Context) any { return ctx.Value(\"user\") }\n"},
		{name: "large numbers", src: "package m\n\nconst (\n\ta = 1" + strings.Repeat("0", 100_000) + "\n\tb = 1e1000000000\n\tc = 1 << 1000000000\n\td = 0x1p-1000000000\n)\n", blocked: true},
		{name: "forwarders in a row", src: ctxHeader + "func f0(ctx context.Context, k string) any { return ctx.Value(k) }\n" + many(3_000, func(i int) string {
			return fmt.Sprintf("func f%d(ctx context.Context, k string) any { return f%d(ctx, k) }\n", i+1, i)
		}) + "func last(ctx context.Context) any { return f3000(ctx, \"user\") }\n"},
		{name: "parameters and fields", src: ctxHeader + "type t struct {\n" + many(5_000, func(i int) string { return fmt.Sprintf("\tf%d int\n", i) }) + "}\n\nfunc f(ctx context.Context" + many(5_000, func(i int) string { return fmt.Sprintf(", p%d t", i) }) + ") any { return ctx.Value(\"user\") }\n"},
	}...)
}

// hostileTypes are programs that type-checkers and those who ask them find hard.
func hostileTypes() []hostile {
	powers := func(n int, decl string) string {
		return many(n, func(i int) string {
			return strings.NewReplacer("$i", fmt.Sprint(i+1), "$j", fmt.Sprint(i)).Replace(decl)
		})
	}
	return []hostile{
		{name: "types that contain themselves", src: "package m\n\ntype T struct{ T }\n\ntype A B\n\ntype B A\n\ntype I interface{ I }\n\ntype L [len(l)]int\n\nvar l L\n\ntype X = Y\n\ntype Y = X\n", blocked: true},
		{name: "types that point to themselves", src: ctxHeader + "type P *P\n\ntype S []S\n\ntype M map[string]M\n\ntype F func(F) F\n\ntype C chan C\n\nfunc f(ctx context.Context, p P, s S, m M, g F, c C) context.Context {\n\tctx = context.WithValue(ctx, p, s)\n\treturn context.WithValue(ctx, c, map[string]any{\"m\": m, \"f\": g})\n}\n"},
		{name: "instances without end", src: ctxHeader + "type G[T any] struct{ next *G[G[T]] }\n\nfunc f[T any](ctx context.Context) any { return f[[]T](ctx) }\n\nvar x = f[int]\n", blocked: true},
		{name: "constraints in a circle", src: ctxHeader + "func f[A interface{ ~[]B }, B interface{ ~[]A }](ctx context.Context, a A, b B) any { return ctx.Value(\"user\") }\n\ntype G[T interface{ *T }] struct{}\n"},
		{name: "large unions", src: "package m\n\n" + many(90, func(i int) string { return fmt.Sprintf("type u%d int\n", i) }) + "type U interface{ int" + many(90, func(i int) string { return fmt.Sprintf(" | u%d", i) }) + " }\n\nfunc f[T U](x T) T { return x }\n\nvar x = f(1)\n"},
		{name: "structs that double", src: ctxHeader + "type T0 struct{ n int }\n" + powers(40, "type T$i struct{ a, b *T$j }\n") + "func f(ctx context.Context) any { return context.WithValue(ctx, *new(*T40), map[string]any{\"x\": new(T40)}).Value(\"user\") }\n"},
		{name: "instances that double", src: ctxHeader + "type P[T any] struct{ a, b *T }\n\ntype T = " + nested(200, "P[", "int", "]") + "\n\nfunc f(ctx context.Context) any { return context.WithValue(ctx, T{}, T{}).Value(\"user\") }\n"},
		{name: "pairs that double", src: ctxHeader + "type P[A, B any] struct{ a *A; b *B }\n\ntype T0 = P[int, int]\n" + powers(18, "type T$i = P[T$j, T$j]\n") + "func f(ctx context.Context) any { return context.WithValue(ctx, T18{}, T18{}).Value(\"user\") }\n"},
		{name: "interfaces that double", src: ctxHeader + "type I0 interface{ m() }\n" + powers(40, "type I$i interface { I$j; g$i(I$j) I$j }\n") + "func f(ctx context.Context, x I40) any { return context.WithValue(ctx, x, 1).Value(\"user\") }\n"},
		{name: "closures that double", src: ctxHeader + "func f0(ctx context.Context, k any) any { return ctx.Value(k) }\n" + powers(40, "func f$i(ctx context.Context, k any) any { f$j(ctx, k); return f$j(ctx, k) }\n") + "func last(ctx context.Context) any { return f40(ctx, \"user\") }\n"},
		{name: "constants that double", src: "package m\n\nconst c0 = \"user\"\n\nconst (\n" + powers(40, "c$i = c$j + c$j\n") + ")\n"},
		{name: "forwarders in a circle", src: ctxHeader + "func f(ctx context.Context, k any) any { return g(ctx, k) }\n\nfunc g(ctx context.Context, k any) any {\n\tif k == nil {\n\t\treturn f(ctx, k)\n\t}\n\treturn h(ctx, k)\n}\n\nfunc h(ctx context.Context, k any) any { g(ctx, k); return ctx.Value(k) }\n\nvar _ = f(context.Background(), \"other\")\n"},
		{name: "constants in a circle", src: ctxHeader + "const a = b\n\nconst b = a\n\nvar x = y\n\nvar y = x\n\nfunc f(ctx context.Context) any { return ctx.Value(a) }\n", blocked: true},
		{name: "calls that are wrong", src: ctxHeader + "func f(ctx context.Context) {\n\tctx.Value()\n\tctx.Value(1, 2)\n\tctx.Value(nil)\n\tctx.Value(undefined)\n\tcontext.WithValue()\n\tcontext.WithValue(ctx)\n\tcontext.WithValue(ctx, \"user\", 1, 2)\n\tcontext.WithValue(f(ctx), f, f)\n\tctx.Value(f())\n\tctx.Value(ctx.Value)\n\tcontext.Nothing()\n\tcontext.WithValue(ctx, \"user\", 1)...\n}\n", blocked: true},
		{name: "declarations without bodies", src: ctxHeader + "func f(ctx context.Context) any\n\nfunc (x) g()\n\nfunc (a, b int) h()\n\nfunc () i() {}\n\ntype\n\nvar\n\nconst c\n\nfunc [T any] j() {}\n", blocked: true},
		{name: "a context of one's own", src: "package m\n\ntype context struct{}\n\nfunc (context) Value(any) any { return nil }\n\nfunc (context) WithValue(c context, k, v any) context { return c }\n\nvar _ = context{}.WithValue(context{}, \"user\", 1)\n", blocked: true},
		{name: "expressions without types", src: untyped, blocked: true},
		{name: "declared twice", src: keyProgram, blocked: true},
	}
}

// hostileText are files whose bytes are not what they seem.
func hostileText() []hostile {
	read := ctxHeader + "func f(ctx context.Context) any { return ctx.Value(\"user\") }\n"
	lines := strings.Split(read, "\n")
	return []hostile{
		{name: "not UTF-8", src: ctxHeader + "// \xff\xfe\xc3\x28\n\nfunc f(ctx context.Context) any { return ctx.Value(\"us\xc3\x28er\") }\n", blocked: true},
		{name: "NUL", src: read + "// \x00\n", blocked: true},
		{name: "NULs only", src: strings.Repeat("\x00", 1<<20), blocked: true},
		{name: "byte order marks", src: "\ufeff" + read + "// \ufeff\n", blocked: true},
		{name: "one byte order mark", src: "\ufeff" + read},
		{name: "carriage returns", src: strings.ReplaceAll(read, "\n", "\r\n")},
		{name: "carriage returns only", src: strings.ReplaceAll(read, "\n", "\r"), blocked: true},
		{name: "line endings of all kinds", src: strings.Join(lines[:2], "\r\n") + "\n\r\r" + strings.Join(lines[2:], "\r\r\n")},
		{name: "other positions", src: "//line /etc/passwd:100000\n" + strings.Replace(read, "func", "//line key.go:3:70\nfunc", 1) + "/*line x.go:999999999:999999999*/ func g(ctx context.Context) any { /*line :1*/ return /*line key.go:1:1*/ ctx.Value(\"user\") }\n//line\n//line a\\b\tc:7\n"},
		{name: "no text", src: " ", blocked: true},
		{name: "a comment", src: "/* package m", blocked: true},
		{name: "no package", src: "package", blocked: true},
		{name: "another package", src: "package other\n\nimport _ \"context\"\n", blocked: true},
		{name: "imports that are wrong", src: "package m\n\nimport \"\"\nimport \"./x\"\nimport \"/x\"\nimport \"example.com/m\"\nimport \"a b\"\nimport `\n`\nimport \"../../..\"\nimport \"nowhere.example/x\"\nimport . \"context\"\nimport _ \"C\"\n", blocked: true},
		{name: "directives", src: "//go:build !(!(" + nested(500, "!(", "linux", ")") + "))\n\n" + read + "//go:embed nothing\nvar x string\n\n//go:linkname f nowhere.f\n//go:generate rm -rf /\n//ctxmend:ignore\n//ctxmend:ignore all \x01\n"},
		{name: "code that turns around", src: read + "// \u202e\u2066 }{ \u2069\nvar \u03bauser\u200d = 1\n", blocked: true},
	}
}

// hostileTrees are directories that hold more than files.
func hostileTrees() []hostile {
	link := func(to, name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Skip(err)
			}
		}
	}
	write := func(rel, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { writeHostile(t, dir, rel, text) }
	}
	pipe := func(rel string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			name := filepath.Join(dir, rel)
			os.MkdirAll(filepath.Dir(name), 0o777)
			os.Remove(name)
			if err := mkfifo(name); err != nil {
				t.Skip(err)
			}
		}
	}
	return []hostile{
		{name: "directory named x.go", make: write("x.go/y.go", "package y\n")},
		{name: "pipe", make: pipe("x.go"), fails: "x.go is a named pipe"},
		{name: "pipe in a package", make: pipe("p/x_test.go"), fails: "x_test.go is a named pipe"},
		{name: "pipe among test data", make: pipe("testdata/x.go")},
		{name: "pipe in a directory left out", make: pipe("_p/x.go")},
		{name: "pipe as assembly", make: pipe("x.s"), fails: "x.s is a named pipe"},
		{name: "pipe as template", make: pipe("x.tmpl")},
		{name: "pipe as go.mod", make: pipe("go.mod"), fails: "go.mod is a named pipe"},
		{name: "pipe as go.work", make: pipe("go.work"), fails: "go.work is a named pipe"},
		{name: "link to a device", make: link("/dev/zero", "x.go"), fails: "x.go is a device"},
		{name: "socket", make: func(t *testing.T, dir string) {
			t.Chdir(dir) // names of sockets are short
			l, err := net.Listen("unix", "x.go")
			if err != nil {
				t.Skip(err)
			}
			t.Cleanup(func() { l.Close() })
		}, blocked: true},
		{name: "link to itself", make: link("x.go", "x.go"), blocked: true},
		{name: "link to nothing", make: link("nowhere.go", ".#x.go")},
		{name: "directory in itself", make: link(".", "loop")},
		{name: "link to the key", make: link("key.go", "again.go"), blocked: true},
		{name: "a file that is too large", make: func(t *testing.T, dir string) {
			writeHostile(t, dir, "x.go", "package m\n")
			if err := os.Truncate(filepath.Join(dir, "x.go"), 3<<30); err != nil {
				t.Skip(err)
			}
		}, fails: "larger than 64 MB"},
		{name: "a file that cannot be read", make: func(t *testing.T, dir string) {
			const mem = "/proc/self/mem" // not even by root
			if _, err := os.Stat(mem); err != nil {
				t.Skip(err)
			}
			link(mem, "x.go")(t, dir)
		}, fails: "cannot read x.go: "},
		{name: "UTF-16", src: "\xff\xfep\x00a\x00c\x00k\x00", fails: "cannot read hostile.go: it is UTF-16"},
		{name: "odd names", make: func(t *testing.T, dir string) {
			for _, name := range []string{"-x.go", "a b.go", "quote\".go", "new\nline.go", "\u202e.go", "\xff.go", ".go", "x_linux_windows_amd64.go", strings.Repeat("n", 250) + ".go"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("package m\n"), 0o666); err != nil {
					t.Log(err)
				}
			}
		}, blocked: true},
		{name: "deep directories", make: write(strings.Repeat("d/", 400)+"x.go", "package d\n")},
		{name: "go.mod that is nonsense", make: write("go.mod", "\x00\xff{}"), fails: "go"},
		{name: "go.mod that is empty", make: write("go.mod", ""), fails: "go"},
		{name: "go.mod without module", make: write("go.mod", "go 1.24\n"), fails: "go"},
		{name: "go.mod of the future", make: write("go.mod", "module example.com/m\n\ngo 9.99\n"), fails: "go"},
		{name: "go.mod that requires itself", make: write("go.mod", "module example.com/m\n\ngo 1.24\n\nrequire example.com/m v1.0.0\n\nreplace example.com/m => ./\n")},
		{name: "go.mod that is a directory", make: func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "go.mod"))
			writeHostile(t, dir, "go.mod/x", "")
		}, fails: "go.mod"},
		{name: "go.work that is nonsense", make: write("go.work", "}{"), fails: "go"},
		{name: "go.work that names nothing", make: write("go.work", "go 1.24\n\nuse ./nowhere\n"), fails: "go"},
		{name: "go.work that names itself twice", make: write("go.work", "go 1.24\n\nuse (\n\t.\n\t./.\n)\n"), fails: "go"},
		{name: "module called context", make: write("go.mod", "module context\n\ngo 1.24\n"), blocked: true},
		{name: "packages that import each other", make: func(t *testing.T, dir string) {
			writeHostile(t, dir, "a/a.go", "package a\n\nimport _ \"example.com/m/b\"\n")
			writeHostile(t, dir, "b/b.go", "package b\n\nimport _ \"example.com/m/a\"\n")
		}},
		{name: "package that imports itself", make: write("a/a.go", "package a\n\nimport _ \"example.com/m/a\"\n")},
	}
}

// untyped is a program in which much refers to what is not declared.
const untyped = ctxHeader + `type own struct{ context.Context }

func (o own) Value(k any) any {
	if k == undefined || undefined.x == k || k == undefined() {
		return 1
	}
	switch k {
	case undefined(), missing, missing.x:
		return 2
	}
	switch k := k.(type) {
	case undefined:
		return k
	}
	return undefined[k].Value(k)
}

func f(ctx context.Context, get undefined, list []undefined) {
	var v any
	for _, v = range undefined {
		undefined <- v
	}
	for _, k := range list {
		ctx = context.WithValue(ctx, k, undefined)
	}
	undefined <- ctx.Value("user")
	undefined(ctx, "user", ctx.Value("user"), get(ctx.Value("user")))
	_ = undefined{ctx.Value("user"), "user": ctx}
	_ = []undefined{ctx.Value("user"), ctx}
	_ = undefined[ctx.Value("user")]
	undefined.f(ctx.Value("user").(undefined)).g(ctx)
	m := ctx.Value("user").(map[string]undefined)
	m["x"], m[undefined] = ctx.Value(undefined), m["y"].(undefined)
	go undefined(context.Background())
	go func() { undefined.f(context.TODO(), get) }()
	select {
	case x := <-undefined:
		_ = x
	case undefined <- ctx.Value("user"):
	}
	defer undefined(context.WithValue(ctx, undefined{}, undefined))
	ctx, cancel := undefined.WithCancel(ctx)
	for {
		ctx = context.WithValue(ctx, undefined, cancel)
		ctx, _ = context.WithTimeout(ctx, undefined)
	}
}
`
