package flow_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// The calls of at in this program name the contexts that are in scope and alive where they stand, the best first.
const inScope = `package m

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"
)

func at(...string)               {}
func load(context.Context) error { return nil }

func param(ctx context.Context) { at("ctx") }
func blank(_ context.Context)   { at("ctx") }
func unnamed(context.Context)   { at("ctx") }
func taken(_ context.Context)   { ctx := 1; _ = ctx; at() }
func inner2(_ context.Context)  { at("ctx"); { ctx := 1; _ = ctx; at() } }
func becomes(_ context.Context) { at("ctx"); ctx := context.Background(); at("ctx"); _ = ctx }
func variadic(ctxs ...context.Context) { at() }
func result() (ctx context.Context)    { at(); return nil }

func shadowed(ctx context.Context) {
	{
		ctx := 1
		_ = ctx
		at()
	}
	at("ctx")
}

func request(w http.ResponseWriter, r *http.Request) {
	at("r.Context()")
	go func() { at("r.Context()") }()
	out, _ := http.NewRequest("GET", "", nil)
	_ = out
	at("r.Context()")
	ctx := r.Context()
	at("ctx", "r.Context()")
	_ = ctx
}

type web struct {
	Request *http.Request
	Writer  http.ResponseWriter
}

func response(resp *http.Response) { at() }

func framework(c *web) { at("c.Request.Context()") }

type own struct{ context.Context }

func (o own) work()                        { at("o") }
func (o own) Value(key any) any            { at(); return nil }
func wrapped(o own)                        { at("o") }

func locals(ctx context.Context) {
	var none context.Context
	_ = none
	at("ctx")
	value := context.WithValue(ctx, 1, 2)
	at("value", "ctx")
	short, cancel := context.WithTimeout(ctx, time.Second)
	at("value", "ctx", "short")
	cancel()
	at("value", "ctx")
	_, _ = value, short
	made := context.Background()
	at("value", "ctx", "made")
	_ = made
}

func deferred(ctx context.Context) {
	defer func() { at() }()
	clean := func() { at() }
	defer clean()
	at("ctx")
}

func done(ctx context.Context, other chan int) {
	select {
	case <-ctx.Done():
		at()
		return
	case <-other:
		at("ctx")
	}
	at("ctx")
	for {
		select {
		case <-ctx.Done():
			break
		case <-other:
		}
		at()
	}
}

func waited(ctx context.Context) {
	<-ctx.Done()
	at()
}

func failed(ctx context.Context) error {
	if err := load(ctx); err != nil {
		at()
		return err
	}
	at("ctx")
	if _, err := strconv.Atoi("1"); err != nil {
		at("ctx")
		return err
	}
	err := load(ctx)
	if errors.Is(err, context.Canceled) {
		at()
	}
	switch {
	case err != nil:
		at()
	default:
		at("ctx")
	}
	return nil
}

func succeeded(ctx context.Context) error {
	err := load(ctx)
	if err == nil {
		return nil
	}
	at()
	return err
}

func given(ctx context.Context, err error) { at() }

type group struct{}

func (*group) Wait() error                                              { return nil }
func withContext(ctx context.Context) (*group, context.Context)         { return nil, ctx }

func grouped(parent context.Context) {
	g, ctx := withContext(parent)
	at("parent", "ctx")
	_ = ctx
	g.Wait()
	at("parent")
}

func after(ctx context.Context) {
	context.AfterFunc(ctx, func() { at() })
}

func inTest(t *testing.T) {
	at("t.Context()")
	t.Cleanup(func() { at() })
	t.Run("", func(t *testing.T) { at("t.Context()") })
}

func nilGiven(r *http.Request, ctx context.Context) { at("ctx") }
func givesNil() { nilGiven(nil, context.TODO()) }

type worker struct{ ctx context.Context }

func (w *worker) one() { load(w.ctx); at("w.ctx") }
func (w *worker) two(ctx context.Context) { load(w.ctx); at("ctx", "w.ctx") }

type keeper struct{ ctx context.Context }

func (k *keeper) one() { load(k.ctx); at() }

func inner(ctx context.Context) {
	f := func(c context.Context) { at("c", "ctx") }
	f(ctx)
}

func generic[T any](ctx context.Context, v T) { at("ctx") }
`

func TestAt(t *testing.T) {
	prog, f := load(t, "1.26", inScope)
	checked := 0
	for _, file := range prog.Files {
		ast.Inspect(file.AST, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if id, ok := call.Fun.(*ast.Ident); !ok || id.Name != "at" {
				return true
			}
			var want, got []string
			for _, arg := range call.Args {
				text, err := strconv.Unquote(arg.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, text)
			}
			for _, s := range f.At(file, call.Pos()) {
				got = append(got, s.Text)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", prog.Fset.PositionFor(call.Pos(), false), got, want)
			}
			checked++
			return true
		})
	}
	if checked < 40 {
		t.Errorf("only %d places", checked)
	}
}

// TestAtOlderGo checks that t.Context is left alone where the module may be built without it.
func TestAtOlderGo(t *testing.T) {
	prog, f := load(t, "1.23", "package m\n\nimport \"testing\"\n\nfunc inTest(t *testing.T) { _ = t }\n")
	file := prog.Files[0]
	if list := f.At(file, file.AST.Decls[1].End()-2); len(list) != 0 {
		t.Errorf("got %v", list[0])
	}
}

// load loads a module of one file.
func load(t *testing.T, goVersion, src string) (*program.Program, *flow.Flow) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo " + goVersion + "\n", "m.go": src} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	prog, err := program.Load(t.Context(), program.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(prog.Broken) > 0 {
		t.Fatal(prog.Broken[0].Errors)
	}
	c, err := census.Build(t.Context(), prog)
	if err != nil {
		t.Fatal(err)
	}
	return prog, flow.New(prog, c)
}
