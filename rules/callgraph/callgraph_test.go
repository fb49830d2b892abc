package callgraph_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/program"
)

// build loads a program given as an archive, for the host or the platforms named.
func build(t *testing.T, archive string, platforms ...program.Platform) *callgraph.Graph {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte("-- go.mod --\nmodule example.com/m\ngo 1.24\n" + archive)).Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	prog, err := program.Load(context.Background(), program.Options{Dir: dir, Tests: true, Platforms: platforms})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range prog.Broken {
		if !strings.Contains(archive, "-- broken/") {
			t.Fatalf("%s: %v", b.Path, b.Errors)
		}
	}
	return callgraph.Build(prog)
}

// show writes what is known of the declared functions and methods, and of all that is linked to them.
func show(g *callgraph.Graph) string {
	var b strings.Builder
	name := func(f *callgraph.Func) string {
		if f.Kind == callgraph.Declared || f.Kind == callgraph.Abstract || f.Kind == callgraph.Foreign || strings.HasPrefix(f.Name, "type ") {
			return f.Name
		}
		return fmt.Sprintf("%s in line %d", f.Name, g.Program.Fset.Position(f.Pos()).Line)
	}
	for _, f := range g.Funcs {
		var facts []string
		for _, c := range f.Calls {
			in := "package level"
			if c.In != nil {
				in = name(c.In)
			}
			if c.Go {
				in = "go in " + in
			}
			if c.Defer {
				in = "defer in " + in
			}
			facts = append(facts, "called in "+in)
		}
		for _, l := range f.Links {
			facts = append(facts, "with "+name(l.To))
		}
		for _, m := range f.Mentions {
			if m.Slot != nil {
				facts = append(facts, "handed out")
			}
		}
		for _, x := range f.Fixed {
			facts = append(facts, x.Why)
		}
		if x := g.Unread(f); x != nil {
			facts = append(facts, x.Why)
		}
		if len(facts) > 0 {
			slices.Sort(facts)
			fmt.Fprintf(&b, "%s: %s\n", name(f), strings.Join(slices.Compact(facts), "; "))
		}
	}
	return b.String()
}

func TestGraph(t *testing.T) {
	for _, test := range []struct{ name, program, want string }{
		{"calls", `-- a.go --
package m
func f(int) {}
func g() { f(1); go f(2); defer func() { f(3) }() }
var x = h()
func h() int { g(); return 1 }
`, `f: called in a function literal in line 3; called in g; called in go in g
g: called in h
a function literal in line 3: called in defer in g
h: called in package level
`},
		{"interfaces", `-- a.go --
package m
type I interface{ Do(int) }
type T struct{}
func (T) Do(int) {}
type P struct{ *Q }
type Q struct{}
func (*Q) Do(int) {}
type alone struct{}
func (alone) Do(int) {}
var _ I = T{}
func use(i I) { i.Do(1) }
func run(p P) { use(p) }
`, `I.Do: called in use; with (*Q).Do; with T.Do
T.Do: with I.Do
(*Q).Do: with I.Do
use: called in run
`},
		{"asserted at run time", `-- a.go --
package m
type T struct{}
func (*T) Flush() {}
func use(x any) {
	if f, ok := x.(interface{ Flush() }); ok {
		f.Flush()
	}
}
func run() { use(&T{}) }
`, `(*T).Flush: with Flush
use: called in run
Flush: called in use; with (*T).Flush
`},
		{"function values", `-- a.go --
package m
type T struct{ on func(string) }
func (t T) Log(string) {}
func plain(string) {}
var table = map[string]func(string){"a": plain}
func run(t T) {
	t.on = t.Log
	h := plain
	h("x")
	t.on("y")
	table["a"]("z")
	T.Log(t, "w")
}
`, `a function type in line 2: called in run; with T.Log
T.Log: called in run; with a function type in line 2
plain: called in run; with a function type in line 5
a function type in line 5: called in run; with plain
`},
		{"named types and generics", `-- a.go --
package m
type H func(int) error
type Chain[T any] struct{ next func(T) error }
func (c Chain[T]) Do(t T) error { return c.next(t) }
func one(int) error { return nil }
func two[T any](T) error { return nil }
func run() {
	var h H = one
	_ = h(1)
	c := Chain[int]{next: two[int]}
	_ = c.Do(1)
	_ = apply(one, 1)
}
func apply[T any, F interface{ ~func(T) error }](f F, t T) error { return f(t) }
type Doer interface{ Do(int) error }
func each[D Doer](d D) { _ = d.Do(1) }
func more(c Chain[int]) { each(c) }
`, `type H: called in run; with one
a function type in line 3: called in Chain.Do; with two
Chain.Do: called in run; with Doer.Do
one: is a type argument for a set of types; with type H
two: with a function type in line 3
apply: called in run
Doer.Do: called in each; with Chain.Do
each: called in more
`},
		{"foreign", `-- a.go --
package m
import (
	"fmt"
	"net/http"
	"sort"
)
type T struct{}
func (T) ServeHTTP(http.ResponseWriter, *http.Request) {}
func page(http.ResponseWriter, *http.Request) {}
func less(i, j int) bool { return false }
func main1() {
	http.Handle("/t", T{})
	http.HandleFunc("/p", page)
	sort.Slice(nil, less)
	fmt.Println(less)
	f := T.ServeHTTP
	_ = f
}
`, `T.ServeHTTP: is used as a method expression, whose first parameter is the receiver; with http.Handler.ServeHTTP
page: handed out
less: handed out; is stored in an interface, and its type may be looked at
`},
		{"entry points and directives", `-- main.go --
package main
import _ "unsafe"
func main() {}
func init() {}
//go:linkname linked other.name
func linked() {}
func asm()
-- x_amd64.s --
TEXT ·asm(SB)
	CALL ·fromasm(SB)
-- y.go --
package main
func fromasm() {}
-- a_test.go --
package main
import "testing"
func TestX(t *testing.T) {}
func Testing() {}
func ExampleX() {}
func helper(t *testing.T) {}
`, `TestX: is run by go test
ExampleX: is run by go test
main: is run when the program starts
init: is run when the program starts
linked: is given to other code by a directive
asm: has no body in Go
fromasm: is called from assembly
`},
		{"ranged over and filled", `-- a.go --
package m
import "errors"
type seq struct{}
func (seq) All(yield func(int) bool) { yield(1) }
func count() func(func(int) bool) { return func(yield func(int) bool) { yield(2) } }
type coded struct{}
func (coded) Error() string { return "" }
func (coded) Code() int { return 1 }
func run(err error) {
	for range (seq{}).All {
	}
	for range count() {
	}
	var c interface{ Code() int }
	if errors.As(err, &c) {
		_ = c.Code()
	}
	run(coded{})
}
`, `seq.All: is ranged over
a function type in line 4: called in seq.All; is what a function that is ranged over calls
count: called in run
a function type in line 5: is ranged over; with a function literal in line 5
a function type in line 5: is what a function that is ranged over calls; with a function type in line 5
a function literal in line 5: with a function type in line 5
a function type in line 5: called in a function literal in line 5; with a function type in line 5
coded.Error: with error.Error
coded.Code: with Code
run: called in run
Code: called in run; with coded.Code
`},
		{"files left out", `-- a.go --
package m
func open() {}
func Close() {}
type T struct{}
func (T) Sync() {}
func other() {}
-- a_plan9.go --
package m
func start(t T) { open(); t.Sync() }
-- sub/b.go --
//go:build never
package sub
import "example.com/m"
func x() { m.Close(); m.other() }
`, `open: may be used in a file that this build configuration leaves out (file name)
Close: may be used in a file that this build configuration leaves out (never)
T.Sync: may be used in a file that this build configuration leaves out (file name)
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, show(build(t, test.program))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestPlatforms checks that functions of different files that one call reaches are tied together.
func TestPlatforms(t *testing.T) {
	g := build(t, `-- a.go --
package m
func run() { open() }
-- a_linux.go --
package m
func open() {}
-- a_windows.go --
package m
func open() {}
`, program.Platform{GOOS: "linux", GOARCH: "amd64"}, program.Platform{GOOS: "windows", GOARCH: "amd64"})
	want := "open: called in run; with open\nopen: called in run; with open\n"
	if diff := cmp.Diff(want, show(g)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
