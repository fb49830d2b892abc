package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sitesPerPackage is how many places of a generated package write or read a context key.
const sitesPerPackage = 100

// sharedKeys is how many keys all packages of a generated program use together, however
// many there are: the larger the program, the more sites each of them has.
const sharedKeys = 20

// writeProgram writes a module with the given number of sites, a multiple of
// sitesPerPackage, and returns its directory. A fifth of the sites share keys with all other
// packages, half of them by spelling the key and half by a constant; the other keys belong to
// one package, which names them by literals, by constants or through helper functions. Each key
// has readers and a writer. Package number i imports number i/2, so that a
// change in one concerns others.
func writeProgram(tb testing.TB, sites int) string {
	tb.Helper()
	p := newModule(tb)
	p.write("internal/keys/keys.go", sharedConstants())
	for i := range sites / sitesPerPackage {
		p.write(fmt.Sprintf("internal/p%03d/sites.go", i), packageText(i))
	}
	return p.dir
}

// A module is a generated program.
type module struct {
	tb  testing.TB
	dir string
}

func newModule(tb testing.TB) *module {
	tb.Helper()
	dir, err := filepath.EvalSymlinks(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	m := &module{tb, dir}
	m.write("go.mod", "module bench.example/program\n\ngo 1.26\n")
	return m
}

func (m *module) write(name, text string) {
	m.tb.Helper()
	name = filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		m.tb.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		m.tb.Fatal(err)
	}
}

// sharedConstants declares the second half of the shared keys.
func sharedConstants() string {
	var b strings.Builder
	b.WriteString("// Package keys names what all packages store in contexts.\npackage keys\n\n")
	for j := sharedKeys / 2; j < sharedKeys; j++ {
		fmt.Fprintf(&b, "const Shared%02d = \"shared.%02d\"\n\n", j, j)
	}
	return b.String()
}

// packageText returns the only file of package number i.
func packageText(i int) string {
	w := &packageWriter{number: i}
	fmt.Fprintf(&w.body, "const (\n")
	for k := range 5 {
		fmt.Fprintf(&w.body, "\tconst%02d = \"p%03d.const%02d\"\n", k, i, k)
	}
	w.body.WriteString(")\n\n" +
		"func put(ctx context.Context, key string, v int) context.Context {\n\treturn context.WithValue(ctx, key, v)\n}\n\n" +
		"func get(ctx context.Context, key string) any {\n\treturn ctx.Value(key)\n}\n\n")
	for k := range 10 {
		w.fourSites(fmt.Sprintf("%q", fmt.Sprintf("p%03d.literal%02d", i, k)), direct)
	}
	for k := range 5 {
		w.fourSites(fmt.Sprintf("const%02d", k), direct)
		w.fourSites(fmt.Sprintf("%q", fmt.Sprintf("p%03d.helper%02d", i, k)), helped)
	}
	for j := range sharedKeys {
		key := fmt.Sprintf("%q", fmt.Sprintf("shared.%02d", j))
		if j >= sharedKeys/2 {
			key = fmt.Sprintf("keys.Shared%02d", j)
		}
		if i%2 == 0 {
			w.writer(key, direct)
		} else {
			w.reader(key, direct)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "// Package p%03d writes and reads context values.\npackage p%03d\n\nimport (\n\t\"context\"\n\n\t\"bench.example/program/internal/keys\"\n", i, i)
	if i > 0 {
		fmt.Fprintf(&b, "\t\"bench.example/program/internal/p%03d\"\n", i/2)
		fmt.Fprintf(&w.body, "// Depth is the number of packages below this one.\nfunc Depth() int { return p%03d.Depth() + 1 }\n", i/2)
	} else {
		w.body.WriteString("// Depth is the number of packages below this one.\nfunc Depth() int { return 0 }\n")
	}
	b.WriteString(")\n\n")
	b.WriteString(w.body.String())
	return b.String()
}

// How a site names its key.
const (
	direct = iota // in the call of context.WithValue or Value itself
	helped        // as the argument of put or get
	shared        // as the argument of keys.Put or keys.Get
)

// A packageWriter writes one function per site.
type packageWriter struct {
	number, count int
	body          strings.Builder
}

// fourSites writes a writer and three readers of a key.
func (w *packageWriter) fourSites(key string, how int) {
	w.writer(key, how)
	for range 3 {
		w.reader(key, how)
	}
}

func (w *packageWriter) writer(key string, how int) {
	call := "context.WithValue(ctx, " + key + ", n*2)"
	switch how {
	case helped:
		call = "put(ctx, " + key + ", n*2)"
	case shared:
		call = "keys.Put(ctx, " + key + ", n*2)"
	}
	fmt.Fprintf(&w.body, "// Write%02d stores twice the number.\nfunc Write%02d(ctx context.Context, n int) context.Context {\n"+
		"\tif n < 0 {\n\t\treturn ctx\n\t}\n\treturn %s\n}\n\n", w.count, w.count, call)
	w.count++
}

func (w *packageWriter) reader(key string, how int) {
	call := "ctx.Value(" + key + ")"
	switch how {
	case helped:
		call = "get(ctx, " + key + ")"
	case shared:
		call = "keys.Get(ctx, " + key + ")"
	}
	fmt.Fprintf(&w.body, "// Read%02d returns the number stored, and whether there is one.\nfunc Read%02d(ctx context.Context) (int, bool) {\n"+
		"\tn, ok := %s.(int)\n\treturn n, ok\n}\n\n", w.count, w.count, call)
	w.count++
}

// writeHelperProgram writes a module in which all packages store and look up through one pair of functions,
// with the given number of sites, a multiple of sitesPerPackage: two for each key, so that each of the
// two functions has half of all keys.
func writeHelperProgram(tb testing.TB, sites int) string {
	tb.Helper()
	p := newModule(tb)
	p.write("internal/keys/keys.go", "// Package keys stores values in contexts.\npackage keys\n\nimport \"context\"\n\n"+
		"// Put stores a value.\nfunc Put(ctx context.Context, key string, v int) context.Context {\n\treturn context.WithValue(ctx, key, v)\n}\n\n"+
		"// Get looks a value up.\nfunc Get(ctx context.Context, key string) any {\n\treturn ctx.Value(key)\n}\n")
	for i := range sites / sitesPerPackage {
		w := &packageWriter{number: i}
		for k := range sitesPerPackage / 2 {
			key := fmt.Sprintf("%q", fmt.Sprintf("p%03d.key%02d", i, k))
			w.writer(key, shared)
			w.reader(key, shared)
		}
		p.write(fmt.Sprintf("internal/p%03d/sites.go", i), fmt.Sprintf("// Package p%03d writes and reads context values.\npackage p%03d\n\nimport (\n\t\"context\"\n\n"+
			"\t\"bench.example/program/internal/keys\"\n)\n\n%s", i, i, w.body.String()))
	}
	return p.dir
}
