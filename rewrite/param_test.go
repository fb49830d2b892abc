package rewrite_test

import (
	"context"
	"go/ast"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/rewrite/apply"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rewrite/verify"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// TestAnyParameter adds parameters that are no contexts, at any place, to the function f of a program. Callers hand the
// value down from where main makes it, an expression that the test names.
func TestAnyParameter(t *testing.T) {
	const head = "package main\n\nimport \"strings\"\n\n"
	for _, test := range []struct {
		name, program, want string
		index               int
		blocked             string
	}{
		{"first", "func f(a int) {}\n\nfunc main() { f(1) }\n", "func f(by *strings.Builder, a int) {}\n\nfunc main() { f(new(strings.Builder), 1) }\n", 0, ""},
		{"last", "func f(a int) {}\n\nfunc main() { f(1) }\n", "func f(a int, by *strings.Builder) {}\n\nfunc main() { f(1, new(strings.Builder)) }\n", 1, ""},
		{"between", "func f(a, b int, c string) {}\n\nfunc main() { f(1, 2, \"\") }\n", "func f(a int, by *strings.Builder, b int, c string) {}\n\nfunc main() { f(1, new(strings.Builder), 2, \"\") }\n", 1, ""},
		{"after a group", "func f(a, b int, c string) {}\n\nfunc main() { f(1, 2, \"\") }\n", "func f(a, b int, by *strings.Builder, c string) {}\n\nfunc main() { f(1, 2, new(strings.Builder), \"\") }\n", 2, ""},
		{"before the variadic one", "func f(a int, b ...int) {}\n\nfunc main() { f(1); f(1, 2, 3) }\n", "func f(a int, by *strings.Builder, b ...int) {}\n\nfunc main() { f(1, new(strings.Builder)); f(1, new(strings.Builder), 2, 3) }\n", 2, ""},
		{"on lines", "func f(\n\ta int, // a\n\tb int,\n) {\n}\n\nfunc main() {\n\tf(\n\t\t1,\n\t\t2, // two\n\t)\n}\n", "func f(\n\ta int, // a\n\tby *strings.Builder,\n\tb int,\n) {\n}\n\nfunc main() {\n\tf(\n\t\t1,\n\t\tnew(strings.Builder),\n\t\t2, // two\n\t)\n}\n", 1, ""},
		{"at the end of lines", "func f(\n\ta int,\n\tb int,\n) {\n}\n\nfunc main() {\n\tf(\n\t\t1,\n\t\t2,\n\t)\n}\n", "func f(\n\ta int,\n\tb int,\n\tby *strings.Builder,\n) {\n}\n\nfunc main() {\n\tf(\n\t\t1,\n\t\t2,\n\t\tnew(strings.Builder),\n\t)\n}\n", 2, ""},
		{"through callers", "func f() {}\n\nfunc g(n int) { f() }\n\nfunc h() { go func() { g(1) }() }\n\nfunc main() { h() }\n", "func f(by *strings.Builder) {}\n\nfunc g(by *strings.Builder, n int) { f(by) }\n\nfunc h(by *strings.Builder) { go func() { g(by, 1) }() }\n\nfunc main() { h(new(strings.Builder)) }\n", 0, ""},
		{"name taken", "func f() {}\n\nfunc g() { by := 1; _ = by; f() }\n\nfunc main() { g() }\n", "func f(by *strings.Builder) {}\n\nfunc g(byValue *strings.Builder) { by := 1; _ = by; f(byValue) }\n\nfunc main() { g(new(strings.Builder)) }\n", 0, ""},
		{"method expression", "type T struct{}\n\nfunc (T) f(a int) {}\n\nfunc main() { T.f(T{}, 1) }\n", "type T struct{}\n\nfunc (T) f(a int, by *strings.Builder) {}\n\nfunc main() { T.f(T{}, 1, new(strings.Builder)) }\n", 1, ""},
		{"too far", "func f() {}\n\nfunc main() { f() }\n", "", 1, "position"},
		{"spread", "func f(a, b int) {}\n\nfunc two() (int, int) { return 1, 2 }\n\nfunc main() { f(two()) }\n", "", 0, "spread-call"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, blocker := addParam(t, head+test.program+"\nvar made = new(strings.Builder)\n", test.index)
			if blocker != nil {
				if blocker.Reason != test.blocked {
					t.Fatalf("blocked: %s: %s", blocker.Reason, blocker.Message)
				}
				return
			}
			if test.blocked != "" {
				t.Fatalf("not blocked, want %s:\n%s", test.blocked, got)
			}
			if diff := cmp.Diff(head+test.want+"\nvar made = new(strings.Builder)\n", unmark(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// unmark removes the blank identifier that functions get which do not use the parameter.
func unmark(src string) string {
	return strings.ReplaceAll(src, "_ *strings.Builder", "by *strings.Builder")
}

func addParam(t *testing.T, src string, index int) (string, *rules.Blocker) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": src} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	prog, err := program.Load(context.Background(), program.Options{Dir: dir, Tests: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(prog.Broken) > 0 {
		t.Fatalf("%v", prog.Broken[0].Errors)
	}
	c, err := census.Build(context.Background(), prog)
	if err != nil {
		t.Fatal(err)
	}
	g := callgraph.Build(prog)
	var target *callgraph.Func
	for _, f := range g.Funcs {
		if f.Object != nil && f.Object.Name() == "f" {
			target = f
		}
	}
	builder := prog.Configs[0].Package("strings").Types.Scope().Lookup("Builder").Type()
	value := func(*callgraph.Call) (*program.File, ast.Expr) {
		decls := target.File.AST.Decls
		return target.File, decls[len(decls)-1].(*ast.GenDecl).Specs[0].(*ast.ValueSpec).Values[0]
	}
	in := &rules.AddParam{
		Supply: supply.New(g, flow.New(prog, c), c), Targets: []*rules.ParamTarget{{Func: target}}, Everywhere: true,
		Param: rules.Param{Name: "by", Type: types.NewPointer(builder), Index: index, Value: value},
	}
	finding := &rules.Finding{Rule: "hiddenparam", File: target.File, Pos: target.Pos(), Fix: &rules.Fix{Applicability: rules.Review, Intent: in}}
	u := plan.Build(prog, c, []*rules.Finding{finding}, plan.Options{API: "break"})[0]
	if u.Blocker != nil {
		return "", u.Blocker
	}
	set, err := apply.Apply(prog, []*plan.Unit{u})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := verify.Check(context.Background(), prog, set)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		t.Errorf("%v", problems[0])
	}
	return string(set.Files[0].New), nil
}
