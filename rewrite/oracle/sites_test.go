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
		fn := g.helper(f, "note", "func %%s[T any](what string, v T) T {\n\tfmt.Println(\"evaluated\", what)\n\treturn v\n}")
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

// store writes the call that stores.
func (g *gen) store(k *key, b *body, r rnd, expr, val string) string {
	ctx := b.std("context")
	way := pickWeighted(r, []weighted[string]{{12, "direct"}, {1, "lines"}, {1, "commented"}, {2, "func"}, {1, "any func"}, {1, "method"}, {1, "closure"}, {1, "far func"}, {1, "two levels"}, {1, "nested"}, {1, "generic func"}, {1, "loop"}, {1, "options"}, {1, "interface"}})
	switch way {
	case "nested":
		return fmt.Sprintf("%s.WithValue(%s.WithValue(%s, \"outer\", 1), %s, %s)", ctx, ctx, b.ctx, expr, val)
	case "generic func":
		if val != "nil" && !k.anyExpr(expr) {
			g.label(k, "store generic")
			fn := g.helper(b.file, "putOf", "func %%s[K comparable, V any](ctx %s.Context, k K, v V) %s.Context {\n\treturn %s.WithValue(ctx, k, v)\n}", ctx, ctx, ctx)
			return fmt.Sprintf("%s(%s, %s, %s)", fn, b.ctx, expr, val)
		}
	case "loop":
		if !k.anyExpr(expr) {
			g.label(k, "store in loop")
			b.before("for _, k := range []%s{%s} {\nctx = %s.WithValue(%s, k, %s)\n}", k.kind, expr, ctx, b.ctx, val)
			return "ctx"
		}
	case "options":
		if !k.anyExpr(expr) {
			g.label(k, "store from field")
			b.before("opt := struct{\nname %s\nvalue any\n}{name: %s, value: %s}", k.kind, expr, val)
			return fmt.Sprintf("%s.WithValue(%s, opt.name, opt.value)", ctx, b.ctx)
		}
	case "interface":
		if !k.anyExpr(expr) {
			g.label(k, "store through interface")
			t := g.helper(b.file, "storer"+k.kind, "type %%s interface {\n\tkeep(ctx %s.Context, k %s, v any) %s.Context\n}\n\ntype %%[1]sImpl struct{}\n\nfunc (%%[1]sImpl) keep(ctx %s.Context, name %s, v any) %s.Context {\n\treturn %s.WithValue(ctx, name, v)\n}", ctx, k.kind, ctx, ctx, k.kind, ctx, ctx)
			return fmt.Sprintf("%s(%sImpl{}).keep(%s, %s, %s)", t, t, b.ctx, expr, val)
		}
	case "lines":
		g.label(k, "multi-line call")
		return fmt.Sprintf("%s.WithValue(\n%s,\n%s, // the key\n%s,\n)", ctx, b.ctx, expr, val)
	case "commented":
		g.label(k, "comment in call")
		return fmt.Sprintf("%s.WithValue(%s, /* key */ %s, %s)", ctx, b.ctx, expr, val)
	case "func":
		if !k.anyExpr(expr) {
			g.label(k, "store forwarder")
			fn := g.helper(b.file, "put"+k.kind, "func %%s(ctx %s.Context, k %s, v any) %s.Context {\n\treturn %s.WithValue(ctx, k, v)\n}", ctx, k.kind, ctx, ctx)
			return fmt.Sprintf("%s(%s, %s, %s)", fn, b.ctx, expr, val)
		}
	case "any func":
		g.label(k, "store any forwarder")
		fn := g.helper(b.file, "putAny", "func %%s(ctx %s.Context, k, v any) %s.Context {\n\treturn %s.WithValue(ctx, k, v)\n}", ctx, ctx, ctx)
		return fmt.Sprintf("%s(%s, %s, %s)", fn, b.ctx, expr, val)
	case "method":
		if !k.anyExpr(expr) {
			g.label(k, "store method")
			t := g.helper(b.file, "putter"+k.kind, "type %%s struct{ n int }\n\nfunc (p *%%[1]s) put(ctx %s.Context, k %s, v any) %s.Context {\n\tp.n++\n\treturn %s.WithValue(ctx, k, v)\n}", ctx, k.kind, ctx, ctx)
			return fmt.Sprintf("(&%s{}).put(%s, %s, %s)", t, b.ctx, expr, val)
		}
	case "closure":
		g.label(k, "store closure")
		b.before("with := func(k any) %s.Context { return %s.WithValue(%s, k, %s) }", ctx, ctx, b.ctx, val)
		return fmt.Sprintf("with(%s)", expr)
	case "far func":
		if p := g.below(r, b.file); p != nil && !k.anyExpr(expr) {
			g.label(k, "store forwarder elsewhere")
			far := g.newFile(p, "far.go")
			c := far.std("context")
			fn := g.helperNamed(far, "Put"+upper(k.kind), "// %%s stores under a key.\nfunc %%[1]s(ctx %s.Context, k %s, v any) %s.Context {\n\treturn %s.WithValue(ctx, k, v)\n}", c, k.kind, c, c)
			return fmt.Sprintf("%s(%s, %s, %s)", b.ref(p, fn), b.ctx, expr, val)
		}
	case "two levels":
		if !k.anyExpr(expr) {
			g.label(k, "store two levels")
			inner := g.helper(b.file, "putAny", "func %%s(ctx %s.Context, k, v any) %s.Context {\n\treturn %s.WithValue(ctx, k, v)\n}", ctx, ctx, ctx)
			fn := g.helper(b.file, "outer"+k.kind, "func %%s(ctx %s.Context, k %s, v any) %s.Context {\n\treturn %s(ctx, k, v)\n}", ctx, k.kind, ctx, inner)
			return fmt.Sprintf("%s(%s, %s, %s)", fn, b.ctx, expr, val)
		}
	}
	return fmt.Sprintf("%s.WithValue(%s, %s, %s)", ctx, b.ctx, expr, val)
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

// helper adds a declaration once per file kind of a package and returns its name, made of a stem.
func (g *gen) helper(f *file, stem, format string, args ...any) string {
	switch {
	case f.xtest:
		stem += "Ext"
	case f.test:
		stem += "Test"
	}
	host := f
	if !f.test {
		host = g.newFile(f.pkg, "help.go")
	}
	text := fmt.Sprintf(format, args...)
	for _, p := range []string{"context", "fmt"} {
		if !strings.Contains(text, p) {
			continue
		}
		from, to := f.quali[p], host.std(p)
		if from == "" {
			from = p
		}
		if from != to {
			text = strings.ReplaceAll(text, from+".", to+".")
		}
	}
	return g.helperNamed(host, stem, "%s", text)
}

func (g *gen) helperNamed(f *file, name, format string, args ...any) string {
	id := f.pkg.dir + " " + name
	if g.made[id] == "" {
		g.made[id] = name
		f.add("%s", fmt.Sprintf(fmt.Sprintf(format, args...), name))
	}
	return name
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
		t := g.helper(b.file, "wrapped", "type %%s struct{ %s.Context }", ctx)
		b.ctx = t + "{ctx}"
	case "valuer":
		g.label(k, "valuer interface")
		b.before("var src interface{ Value(key any) any } = ctx")
		b.ctx = "src"
	case "effect":
		g.label(k, "context with effect")
		fn := g.helper(b.file, "noteCtx", "func %%s(ctx %s.Context) %s.Context {\n\tfmt.Println(\"context asked\")\n\treturn ctx\n}", ctx, ctx)
		b.ctx = fn + "(ctx)"
	case "named":
		g.label(k, "context of a named type")
		t := g.helper(b.file, "named", "type %%s %s.Context", ctx)
		b.before("var n %s = ctx", t)
		b.ctx = "n"
	case "derived":
		b.before("inner, stop := %s.WithCancel(ctx)\ndefer stop()", ctx)
		b.ctx = "inner"
	}
}

// lookup writes the expression that reads.
func (g *gen) lookup(k *key, b *body, r rnd, expr string) string {
	ctx := b.std("context")
	src := ctx + ".Context"
	if b.ctx == "src" {
		return fmt.Sprintf("%s.Value(%s)", b.ctx, expr)
	}
	way := pickWeighted(r, []weighted[string]{
		{14, "direct"}, {1, "lines"}, {1, "commented"}, {2, "func"}, {1, "any func"}, {1, "method"}, {1, "closure"},
		{1, "far func"}, {1, "far any func"}, {1, "two levels"}, {1, "getter type"}, {1, "generic key"}, {1, "delegating"}, {1, "variadic"},
		{1, "method value"}, {1, "function value"}, {1, "interface"}, {1, "generic result"}, {1, "loop"}, {1, "callback"}, {1, "embedded"},
	})
	switch way {
	case "lines":
		g.label(k, "multi-line call")
		return fmt.Sprintf("%s.Value(\n%s,\n)", b.ctx, expr)
	case "commented":
		g.label(k, "comment in call")
		return fmt.Sprintf("%s.Value( /* key */ %s)", b.ctx, expr)
	case "func":
		if !k.anyExpr(expr) {
			g.label(k, "read forwarder")
			fn := g.helper(b.file, "get"+k.kind, "func %%s(ctx %s, k %s) any { return ctx.Value(k) }", src, k.kind)
			return fmt.Sprintf("%s(%s, %s)", fn, b.ctx, expr)
		}
	case "any func":
		g.label(k, "read any forwarder")
		fn := g.helper(b.file, "getAny", "func %%s(ctx %s, k any) any { return ctx.Value(k) }", src)
		return fmt.Sprintf("%s(%s, %s)", fn, b.ctx, expr)
	case "method":
		if !k.anyExpr(expr) {
			g.label(k, "read method")
			t := g.helper(b.file, "lookup"+k.kind, "type %%s struct{ c %s }\n\nfunc (l %%[1]s) get(k %s) any { return l.c.Value(k) }", src, k.kind)
			return fmt.Sprintf("%s{%s}.get(%s)", t, b.ctx, expr)
		}
	case "closure":
		g.label(k, "read closure")
		b.before("get := func(k any) any { return %s.Value(k) }", b.ctx)
		return fmt.Sprintf("get(%s)", expr)
	case "far func":
		if p := g.below(r, b.file); p != nil && !k.anyExpr(expr) {
			g.label(k, "read forwarder elsewhere")
			far := g.newFile(p, "far.go")
			fn := g.helperNamed(far, "Get"+upper(k.kind), "// %%s looks up.\nfunc %%[1]s(ctx %s.Context, k %s) any {\n\treturn ctx.Value(k)\n}", far.std("context"), k.kind)
			return fmt.Sprintf("%s(%s, %s)", b.ref(p, fn), b.ctx, expr)
		}
	case "far any func":
		if p := g.below(r, b.file); p != nil {
			g.label(k, "read any forwarder elsewhere")
			far := g.newFile(p, "far.go")
			fn := g.helperNamed(far, "GetAny", "// %%s looks up.\nfunc %%[1]s(ctx %s.Context, k any) any {\n\treturn ctx.Value(k)\n}", far.std("context"))
			return fmt.Sprintf("%s(%s, %s)", b.ref(p, fn), b.ctx, expr)
		}
	case "two levels":
		g.label(k, "read two levels")
		inner := g.helper(b.file, "getAny", "func %%s(ctx %s, k any) any { return ctx.Value(k) }", src)
		fn := g.helper(b.file, "outerAny", "func %%s(ctx %s, k any) any { return %s(ctx, k) }", src, inner)
		return fmt.Sprintf("%s(%s, %s)", fn, b.ctx, expr)
	case "getter type":
		if !k.anyExpr(expr) {
			g.label(k, "wrapper with Get")
			t := g.helper(b.file, "getter"+k.kind, "type %%s struct{ %s }\n\nfunc (c %%[1]s) Get(key %s) any { return c.Value(key) }", src, k.kind)
			return fmt.Sprintf("%s{%s}.Get(%s)", t, b.ctx, expr)
		}
	case "generic key":
		g.label(k, "generic key parameter")
		fn := g.helper(b.file, "getOf", "func %%s[K comparable](ctx %s, k K) any { return ctx.Value(k) }", src)
		return fmt.Sprintf("%s(%s, %s)", fn, b.ctx, expr)
	case "delegating":
		g.label(k, "delegating Value")
		t := g.helper(b.file, "delegate", "type %%s struct{ %s }\n\nfunc (d %%[1]s) Value(key any) any { return d.Context.Value(key) }", src)
		return fmt.Sprintf("%s{%s}.Value(%s)", t, b.ctx, expr)
	case "method value":
		g.label(k, "read method value")
		b.before("look := %s.Value", b.ctx)
		return fmt.Sprintf("look(%s)", expr)
	case "function value":
		if !k.anyExpr(expr) {
			g.label(k, "read function value")
			fn := g.helper(b.file, "get"+k.kind, "func %%s(ctx %s, k %s) any { return ctx.Value(k) }", src, k.kind)
			b.before("fn := %s", fn)
			return fmt.Sprintf("fn(%s, %s)", b.ctx, expr)
		}
	case "interface":
		if !k.anyExpr(expr) {
			g.label(k, "read through interface")
			t := g.helper(b.file, "source"+k.kind, "type %%s interface{ find(k %s) any }\n\ntype %%[1]sImpl struct{ c %s }\n\nfunc (s %%[1]sImpl) find(name %s) any { return s.c.Value(name) }", k.kind, src, k.kind)
			return fmt.Sprintf("%s(%sImpl{%s}).find(%s)", t, t, b.ctx, expr)
		}
	case "generic result":
		if typ, ok := k.value.typ(b.file); ok && !k.anyExpr(expr) {
			g.label(k, "generic result")
			fn := g.helper(b.file, "getAs"+k.kind, "func %%s[T any](ctx %s, k %s) (T, bool) {\n\tv, ok := ctx.Value(k).(T)\n\treturn v, ok\n}", src, k.kind)
			b.before("got, _ := %s[%s](%s, %s)", fn, typ, b.ctx, expr)
			return "any(got)"
		}
	case "loop":
		if !k.anyExpr(expr) {
			g.label(k, "read in loop")
			b.before("var found any\nfor _, k := range []%s{%s, %s} {\nfound = %s.Value(k)\n}", k.kind, k.lit, expr, b.ctx)
			return "found"
		}
	case "callback":
		if !k.anyExpr(expr) {
			g.label(k, "read in callback")
			fn := g.helper(b.file, "each"+k.kind, "func %%s(f func(k %s) any, names ...%s) (last any) {\n\tfor _, n := range names {\n\t\tlast = f(n)\n\t}\n\treturn last\n}", k.kind, k.kind)
			return fmt.Sprintf("%s(func(k %s) any { return %s.Value(k) }, %s)", fn, k.kind, b.ctx, expr)
		}
	case "embedded":
		g.label(k, "embedded context")
		t := g.helper(b.file, "scope", "type %%s struct {\n\t%s\n\tn int\n}", src)
		return fmt.Sprintf("(&%s{%s, 1}).Value(%s)", t, b.ctx, expr)
	case "variadic":
		g.label(k, "variadic keys")
		fn := g.helper(b.file, "first", "func %%s(ctx %s, keys ...any) any {\n\tfor _, k := range keys {\n\t\tif v := ctx.Value(k); v != nil {\n\t\t\treturn v\n\t\t}\n\t}\n\treturn nil\n}", src)
		return fmt.Sprintf("%s(%s, %s)", fn, b.ctx, expr)
	}
	return fmt.Sprintf("%s.Value(%s)", b.ctx, expr)
}

// use writes the statements around a look-up.
func (g *gen) use(k *key, b *body, r rnd, read string) string {
	fmtp := b.std("fmt")
	typ, named := k.value.typ(b.file)
	out := func(args string) string { return fmt.Sprintf("%s.Println(at, %q, %s)", fmtp, b.id, args) }
	ways := []weighted[string]{{2, "nil"}, {2, "print"}, {1, "interface"}, {1, "switch other"}, {1, "handed on"}, {1, "wrong type"}}
	if named && typ != "any" {
		ways = append(ways, weighted[string]{8, "ok"}, weighted[string]{3, "panic"}, weighted[string]{1, "if"}, weighted[string]{1, "switch"}, weighted[string]{1, "var"}, weighted[string]{1, "ok only"}, weighted[string]{1, "field"}, weighted[string]{1, "assign"})
	}
	ways = append(ways, weighted[string]{1, "pair"}, weighted[string]{1, "goroutine"}, weighted[string]{1, "deferred"}, weighted[string]{1, "literal"}, weighted[string]{1, "statement"}, weighted[string]{1, "assert any"}, weighted[string]{1, "any or panic"})
	if named && typ != "any" {
		ways = append(ways, weighted[string]{1, "named bool"}, weighted[string]{1, "any targets"}, weighted[string]{1, "returned"}, weighted[string]{1, "argument"}, weighted[string]{1, "index assign"}, weighted[string]{1, "for"}, weighted[string]{1, "switch bool"}, weighted[string]{1, "if not"}, weighted[string]{1, "generic as"}, weighted[string]{1, "generic reader"}, weighted[string]{1, "getter"}, weighted[string]{1, "variable function"})
	}
	if k.value.comparable && k.value.home == nil && k.value.std == "" {
		ways = append(ways, weighted[string]{1, "compare"})
	}
	way := pickWeighted(r, ways)
	g.label(k, "read: %s", way)
	guard := func(s string) string {
		return fmt.Sprintf("defer func() {\nif recover() != nil {\n%s\n}\n}()\n%s", out(`"panics"`), s)
	}
	if strings.HasPrefix(b.ctx, "wrapped") { // a composite literal cannot stand in an if header
		if way == "if" {
			way = "ok"
		}
	}
	if strings.Contains(read, "}") && (way == "if" || way == "switch" || way == "switch other" || way == "for" || way == "switch bool" || way == "if not") {
		read = "(" + read + ")"
	}
	switch way {
	case "nil":
		return out(read + " != nil")
	case "print":
		return fmt.Sprintf("v := %s\n%s.Printf(\"%%s %s %%T %%v\\n\", at, v, v)", read, fmtp, b.id)
	case "interface":
		return fmt.Sprintf("s, ok := %s.(interface{ Tag() string })\n%s", read, out("ok && s != nil"))
	case "switch other":
		return fmt.Sprintf("switch v := %s.(type) {\ncase nil:\n%s\ncase string, int:\n%s\ncase %s.Stringer:\n%s\ndefault:\n%s\n}", read, out(`"nil"`), out("v"), fmtp, out("v.String()"), out(`"other"`))
	case "handed on":
		fn := g.helper(b.file, "say", "func %%s(at, id string, v any) { fmt.Println(at, id, v != nil, v) }")
		return fmt.Sprintf("%s(at, %q, %s)", fn, b.id, read)
	case "wrong type":
		return fmt.Sprintf("v, ok := %s.(uint8)\n%s", read, out("v, ok"))
	case "ok":
		return fmt.Sprintf("v, ok := %s.(%s)\n%s", read, typ, out("v, ok"))
	case "panic":
		return guard(fmt.Sprintf("v := %s.(%s)\n%s", read, typ, out("v")))
	case "if":
		return fmt.Sprintf("if v, ok := %s.(%s); ok {\n%s\n} else {\n%s\n}", read, typ, out("v"), out("ok"))
	case "switch":
		return fmt.Sprintf("switch v := %s.(type) {\ncase %s:\n%s\ncase nil:\n%s\n}", read, typ, out("v"), out(`"nil"`))
	case "var":
		return fmt.Sprintf("var v, ok = %s.(%s)\n%s", read, typ, out("v, ok"))
	case "ok only":
		return fmt.Sprintf("_, ok := %s.(%s)\n%s", read, typ, out("ok"))
	case "field":
		if k.value.tag {
			return guard(out(fmt.Sprintf("%s.(%s).Tag()", read, typ)))
		}
		return guard(out(fmt.Sprintf("%s.(%s)", read, typ)))
	case "assign":
		return fmt.Sprintf("var v %s\nvar ok bool\nv, ok = %s.(%s)\n%s", typ, read, typ, out("v, ok"))
	case "pair":
		return fmt.Sprintf("a, b := %s, ctx.Value(\"outer\")\n%s", read, out("a != nil, b"))
	case "goroutine":
		return fmt.Sprintf("ch := make(chan any)\ngo func() { ch <- %s }()\n%s", read, out("<-ch"))
	case "deferred":
		return fmt.Sprintf("defer func(v any) {\n%s\n}(%s)", out("v"), read)
	case "literal":
		return fmt.Sprintf("rec := map[string]any{\"v\": %s}\n%s", read, out(`rec["v"] != nil, len(rec)`))
	case "statement":
		if !strings.HasSuffix(read, ")") || strings.HasPrefix(read, "any(") || strings.HasPrefix(read, "(&") {
			return fmt.Sprintf("_ = %s", read)
		}
		return read
	case "assert any":
		return fmt.Sprintf("v, ok := %s.(any)\n%s", read, out("v, ok"))
	case "any or panic":
		return guard(out(read + ".(any)"))
	case "named bool":
		return fmt.Sprintf("type flag bool\nvar v %s\nvar ok flag\nv, ok = %s.(%s)\n%s", typ, read, typ, out("v, ok"))
	case "any targets":
		return fmt.Sprintf("var v, ok any = %s.(%s)\n%s", read, typ, out("v, ok"))
	case "returned":
		return guard(fmt.Sprintf("result := func() %s { return %s.(%s) }\n%s", typ, read, typ, out("result()")))
	case "argument":
		return guard(fmt.Sprintf("func(v %s) {\n%s\n}(%s.(%s))", typ, out("v"), read, typ))
	case "index assign":
		return fmt.Sprintf("m := map[string]%s{}\nm[\"x\"], _ = %s.(%s)\n%s", typ, read, typ, out(`m["x"]`))
	case "for":
		return fmt.Sprintf("for v, ok := %s.(%s); ok; ok = false {\n%s\n}", read, typ, out("v"))
	case "switch bool":
		return fmt.Sprintf("switch v, ok := %s.(%s); {\ncase ok:\n%s\ndefault:\n%s\n}", read, typ, out("v"), out("v"))
	case "if not":
		return fmt.Sprintf("if _, ok := %s.(%s); !ok {\n%s\nreturn\n}\n%s", read, typ, out(`"missing"`), out(`"there"`))
	case "generic as":
		fn := g.helper(b.file, "as", "func %%s[T any](v any) (T, bool) {\n\tt, ok := v.(T)\n\treturn t, ok\n}")
		return fmt.Sprintf("v, ok := %s[%s](%s)\n%s", fn, typ, read, out("v, ok"))
	case "generic reader", "getter", "variable function":
		if len(b.pre) > 0 || strings.Contains(read, "at") {
			return fmt.Sprintf("v, ok := %s.(%s)\n%s", read, typ, out("v, ok"))
		}
		ctx := b.std("context")
		switch way {
		case "generic reader":
			b.add("func read%s[T any](ctx %s.Context) (T, bool) {\nv, ok := %s.(T)\nreturn v, ok\n}", b.id, ctx, read)
			return fmt.Sprintf("v, ok := read%s[%s](ctx)\n%s", b.id, typ, out("v, ok"))
		case "getter":
			b.add("func read%s(ctx %s.Context) (%s, bool) {\nv, ok := %s.(%s)\nreturn v, ok\n}", b.id, ctx, typ, read, typ)
		default:
			b.add("var read%s = func(ctx %s.Context) (v %s, ok bool) {\nv, ok = %s.(%s)\nreturn\n}", b.id, ctx, typ, read, typ)
		}
		return fmt.Sprintf("v, ok := read%s(ctx)\n%s", b.id, out("v, ok"))
	case "compare":
		return out(fmt.Sprintf("%s == %s", read, pick(r, k.value.values)))
	}
	panic(way)
}
