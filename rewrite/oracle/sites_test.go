package oracle

import (
	"fmt"
	"strings"
)

// A body is the function around a site.
type body struct {
	*file
	id  string
	pre []string // statements before
	ctx string   // the context expression
}

func (b *body) before(format string, args ...any) {
	b.pre = append(b.pre, fmt.Sprintf(format, args...))
}

// writer adds a function that stores a value under a key.
func (g *gen) writer(id string, k *key, r rnd) {
	v := k.value
	if r.chance(.08) {
		v = &valueType{label: "several value types", name: "int64", values: []string{"int64(3)"}, comparable: true}
	}
	f := g.place(r, v.canWrite)
	if f == nil {
		f = g.newFile(v.home, "a.go")
	}
	val, _ := v.expr(r, f)
	g.label(k, "%s", v.label)
	b := &body{file: f, id: id, ctx: "ctx"}
	expr := g.spell(k, b, r)
	ctx := f.std("context")
	name := "Set" + id
	if r.chance(.1) && !strings.Contains(val, ".") {
		g.label(k, "value with effect")
		fn := g.helper(f, "note", "func FN[T any](what string, v T) T {\n\tfmt.Println(\"evaluated\", what)\n\treturn v\n}")
		if val != "nil" {
			val = fmt.Sprintf("%s(%q, %s)", fn, id, val)
		}
	}
	call := g.store(k, b, r, expr, val)
	g.sites = append(g.sites, &site{file: f, name: name, writer: true})
	comment := ""
	if r.chance(.2) {
		comment = " // keep " + id
	}
	switch r.IntN(8) {
	case 0:
		f.add("// %s stores.\nfunc %s(ctx %s.Context) (out %s.Context) {\n%sout = %s%s\nreturn\n}", name, name, ctx, ctx, b.stmts(), call, comment)
	case 1:
		f.add("// %s stores.\nfunc %s(ctx %s.Context) %s.Context {\n%s// store it\nctx = %s%s\nreturn ctx\n}", name, name, ctx, ctx, b.stmts(), call, comment)
	case 2:
		f.add("// %s stores.\nvar %s = func(ctx %s.Context) %s.Context {\n%sreturn %s%s\n}", name, name, ctx, ctx, b.stmts(), call, comment)
	case 3:
		f.add("type setter%s struct{}\n\nfunc (setter%s) apply(ctx %s.Context) %s.Context {\n%sreturn %s%s\n}", id, id, ctx, ctx, b.stmts(), call, comment)
		f.add("// %s stores.\nfunc %s(ctx %s.Context) %s.Context { return setter%s{}.apply(ctx) }", name, name, ctx, ctx, id)
	default:
		f.add("// %s stores.\nfunc %s(ctx %s.Context) %s.Context {\n%sreturn %s%s\n}", name, name, ctx, ctx, b.stmts(), call, comment)
	}
}

func (b *body) stmts() string {
	if len(b.pre) == 0 {
		return ""
	}
	return strings.Join(b.pre, "\n") + "\n"
}

// anyExpr reports whether a key expression has interface type.
func (k *key) anyExpr(expr string) bool {
	return strings.Contains(expr, "any") || strings.Contains(expr, "Any")
}

// below picks a package that a file can import.
func (g *gen) below(r rnd, f *file) *pkg {
	var list []*pkg
	for _, p := range g.pkgs {
		if p != f.pkg && f.reaches(p) {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(r, list)
}

// helpFile is where helpers of a file go: a file of their own, or the test file itself.
func (g *gen) helpFile(f *file) *file {
	if f.test {
		return f
	}
	return g.newFile(f.pkg, "help.go")
}

// declare adds a helper to host once, for the files of f's kind, and returns its name, made of a stem.
func (g *gen) declare(f, host *file, stem string, text func(name string) string) string {
	switch {
	case host != f && !host.test:
	case f.xtest:
		stem += "Ext"
	case f.test:
		stem += "Test"
	}
	if id := host.pkg.dir + " " + stem; g.made[id] == "" {
		g.made[id] = stem
		if t := text(stem); strings.Contains(t, "fmt.") {
			host.add("%s", strings.ReplaceAll(t, "fmt.", host.std("fmt")+"."))
		} else {
			host.add("%s", t)
		}
	}
	return stem
}

// helper adds a declaration, whose text has %s for its name and CTX for package context.
func (g *gen) helper(f *file, stem, text string) string {
	host := g.helpFile(f)
	return g.declare(f, host, stem, func(name string) string {
		if strings.Contains(text, "CTX") {
			text = strings.ReplaceAll(text, "CTX", host.std("context"))
		}
		return strings.ReplaceAll(text, "FN", name)
	})
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// reader adds a function that looks a key up and prints what it sees.
func (g *gen) reader(id string, k *key, r rnd) {
	f := g.place(r, anywhere)
	b := &body{file: f, id: id, ctx: "ctx"}
	g.contextOperand(k, b, r)
	expr := g.spell(k, b, r)
	read := g.lookup(k, b, r, expr)
	name := "Show" + id
	g.sites = append(g.sites, &site{file: f, name: name})
	code := b.stmts() + g.use(k, b, r, read)
	if r.chance(.1) {
		code = g.shadow(k, b, code, r) + code
	}
	f.add("// %s prints.\nfunc %s(ctx %s.Context, at string) {\n%s\n}", name, name, f.std("context"), code)
}

// contextOperand chooses how the reader spells its context.
func (g *gen) contextOperand(k *key, b *body, r rnd) {
	ctx := b.std("context")
	switch pickWeighted(r, []weighted[string]{{12, ""}, {1, "field"}, {1, "call"}, {1, "paren"}, {1, "wrapper"}, {1, "valuer"}, {1, "derived"}, {1, "effect"}, {1, "named"}}) {
	case "field":
		g.label(k, "context in field")
		b.before("holder := struct{ c %s.Context }{ctx}", ctx)
		b.ctx = "holder.c"
	case "call":
		g.label(k, "context from call")
		b.ctx = ctx + ".WithoutCancel(ctx)"
	case "paren":
		b.ctx = "(ctx)"
	case "wrapper":
		g.label(k, "wrapper context")
		t := g.helper(b.file, "wrapped", "type FN struct{ CTX.Context }")
		b.ctx = t + "{ctx}"
	case "valuer":
		g.label(k, "valuer interface")
		b.before("var src interface{ Value(key any) any } = ctx")
		b.ctx = "src"
	case "effect":
		g.label(k, "context with effect")
		fn := g.helper(b.file, "noteCtx", "func FN(ctx CTX.Context) CTX.Context {\n\tfmt.Println(\"context asked\")\n\treturn ctx\n}")
		b.ctx = fn + "(ctx)"
	case "named":
		g.label(k, "context of a named type")
		t := g.helper(b.file, "named", "type FN CTX.Context")
		b.before("var n %s = ctx", t)
		b.ctx = "n"
	case "derived":
		b.before("inner, stop := %s.WithCancel(ctx)\ndefer stop()", ctx)
		b.ctx = "inner"
	}
}
