package oracle

import (
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
)

// TestExotics tries every exotic once, in a program of its own with plain writers and readers of the key.
func TestExotics(t *testing.T) {
	var progs []*generated
	for _, c := range []struct {
		what string
		list []exotic
	}{{"key", exoticKeys}, {"lookup", exoticLooks}, {"store", exoticStores}} {
		for i := range c.list {
			x := &c.list[i]
			p := exoticProgram(fmt.Sprint(i), c.what, x, x.key())
			p.title = c.what + ": " + x.name
			progs = append(progs, p)
		}
	}
	tryAll(t, progs)
}

// TestOtherUses tries every other use of a key's name, the name being a constant, a variable or a parameter.
func TestOtherUses(t *testing.T) {
	var progs []*generated
	names := []string{"constant", "variable", "local", "parameter"}
	for h, how := range names {
		for i := range otherUses {
			x := &otherUses[i]
			if !*flagAll && (i+*flagShift)%len(names) != h {
				continue
			}
			if how != "constant" && x.name == "derived constant" || how != "constant" && x.name == "typed key constant made of it" {
				continue
			}
			p := useProgram(fmt.Sprint(i), how, x, x.key())
			p.title = how + ": " + x.name
			progs = append(progs, p)
		}
	}
	tryAll(t, progs)
}

// key is a key that the exotic fits.
func (x *exotic) key() *key {
	switch x.kinds {
	case "int":
		return &key{kind: "int", lit: "2"}
	case "bool":
		return &key{kind: "bool", lit: "true"}
	case "rune":
		return &key{kind: "rune", lit: "'a'"}
	}
	return &key{kind: "string", lit: `"user"`}
}

var flagAll = flag.Bool("oracle.all", false, "try other uses with every kind of name, and stored values with every order of packages, instead of one each")

var flagShift = flag.Int("oracle.shift", 0, "which option set the first enumerated program gets")

// optionSets are shared out among enumerated programs.
var optionSets = []struct{ style, accessors string }{
	{"auto", "auto"}, {"struct", "always"}, {"string", "never"}, {"auto", "always"}, {"struct", "auto"}, {"auto", "auto"}, {"struct", "never"},
}

// tryAll tries programs that were not generated from a seed.
func tryAll(t *testing.T, progs []*generated) []*trial {
	tc, err := newToolchain()
	if err != nil {
		t.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	dir := t.TempDir()
	trials := make([]*trial, len(progs))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range progs {
		tr := &trial{tc: tc, prog: p, dir: filepath.Join(dir, fmt.Sprint(i))}
		trials[i] = tr
		g.Go(func() error {
			tr.setup()
			o := optionSets[(i+*flagShift)%len(optionSets)]
			tr.opts.KeyStyle, tr.opts.Accessors = o.style, o.accessors
			tr.pipelines()
			tr.compileVersions()
			return nil
		})
	}
	_ = g.Wait()
	if err := tc.finish(dir, trials); err != nil {
		t.Fatal(err)
	}
	fixed, blocked := 0, 0
	for _, tr := range trials {
		for _, u := range tr.units {
			t.Logf("%s: %s: %s %s", tr.prog.title, u.ID, u.Applicability, reason(u))
			if u.Blocker != nil {
				blocked++
			} else if u.Applicability == rules.Safe {
				fixed++
			}
		}
		if len(tr.failures) == 0 {
			continue
		}
		var b strings.Builder
		for _, name := range tr.prog.names() {
			fmt.Fprintf(&b, "-- %s --\n%s", name, tr.prog.files[name])
			if tr.after[name] != tr.prog.files[name] {
				fmt.Fprintf(&b, "-- after %s --\n%s", name, tr.after[name])
			}
		}
		t.Errorf("%s (%s, %s): %s\n%s", tr.prog.title, tr.opts.KeyStyle, tr.opts.Accessors, strings.Join(tr.failures, "\n"), b.String())
	}
	t.Logf("%d programs, %d units fixed as safe, %d blocked", len(trials), fixed, blocked)
	return trials
}

func reason(u *plan.Unit) string {
	if u.Blocker == nil {
		return "fixed"
	}
	return "blocked: " + u.Blocker.Reason + ": " + u.Blocker.Message
}

// exoticProgram is a program of one file with one exotic.
func exoticProgram(id, what string, x *exotic, k *key) *generated {
	decls, pre, expr := x.fill("X", k, "context")
	site := ""
	switch what {
	case "key":
		site = fmt.Sprintf("func exotic(ctx context.Context) any {\n%s\nreturn ctx.Value(%s)\n}\n\nfunc put(ctx context.Context) context.Context {\n%s\nreturn context.WithValue(ctx, %s, 6)\n}", pre, expr, pre, expr)
	case "lookup":
		site = fmt.Sprintf("func exotic(ctx context.Context) any {\n%s\nreturn %s\n}\n\nfunc put(ctx context.Context) context.Context { return ctx }", pre, expr)
	case "store":
		site = fmt.Sprintf("func put(ctx context.Context) context.Context {\n%s\nreturn %s\n}\n\nfunc exotic(ctx context.Context) any { return ctx.Value(%s) }", pre, expr, k.lit)
	}
	zero := map[string]string{"string": `""`, "int": "0", "bool": "false", "rune": `'\x00'`}[k.kind]
	lib := fmt.Sprintf("package lib\n\nimport (\n\t\"context\"\n\t\"fmt\"\n)\n\n%s\n\n%s\n\n"+
		"func Run(ctx context.Context) {\n\tfmt.Println(exotic(ctx), put(ctx).Value(%[3]s))\n"+
		"\tctx = context.WithValue(ctx, %[3]s, 7)\n\tfmt.Println(exotic(ctx), put(ctx).Value(%[3]s), exotic(put(ctx)))\n}\n\n"+
		"func Put(ctx context.Context) context.Context { return put(ctx) }\n", decls, site, k.lit)
	other := fmt.Sprintf("package other\n\nimport (\n\t\"context\"\n\t\"fmt\"\n)\n\n"+
		"func Set(ctx context.Context) context.Context { return context.WithValue(ctx, %[1]s, 8) }\n\n"+
		"func Show(ctx context.Context) { fmt.Println(ctx.Value(%[1]s)) }\n", zero)
	module := "example.com/" + strings.ReplaceAll(what, "-", "") + id
	main := `package main

import (
	"context"

	"example.com/x/internal/lib"
	"example.com/x/internal/other"
)

func main() {
	ctx := context.Background()
	lib.Run(ctx)
	other.Show(lib.Put(ctx))
	ctx = other.Set(ctx)
	lib.Run(ctx)
	other.Show(ctx)
	other.Show(lib.Put(ctx))
}
`
	return &generated{
		kind: &keyKind,
		seed: 1, module: module,
		files: map[string]string{
			"main.go": strings.ReplaceAll(main, "example.com/x", module), "internal/lib/lib.go": lib, "internal/other/other.go": other,
			"go.mod": "module " + module + "\n\ngo 1.26\n",
		},
	}
}
