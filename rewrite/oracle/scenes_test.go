package oracle

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
)

// A scene is a hazard with a shape of its own: declarations and sites that belong together.
type scene struct {
	weight int
	name   string
	play   func(g *gen, id string, k *key, b *body, r rnd)
}

var scenes = []scene{
	{3, "typed key stored elsewhere", sceneTypedKey},
	{2, "type of computed keys", sceneComputedKeys},
	{3, "existing accessors", sceneAccessors},
	{2, "context type", sceneContextType},
	{2, "generic type", sceneGenericType},
	{2, "table of structs", sceneTable},
	{2, "switch of keys", sceneSwitch},
	{1, "function field", sceneFuncField},
	{1, "method expression", sceneMethodExpr},
	{2, "two keys at once", sceneTwoKeys},
	{1, "assigned field", sceneAssignedField},
	{1, "names taken in tagged file", sceneTaggedNames},
	{1, "same number, other type", sceneOtherNumber},
	{1, "constant under two types", sceneTwoTypes},
	{2, "block of keys", sceneBlock},
	{1, "wrapped WithValue", sceneWrapped},
	{1, "recursion", sceneRecursion},
	{1, "two configurations", sceneTwoConfigurations},
}

// readSite adds a function that prints what an expression sees.
func (g *gen) readSite(b *body, expr string) {
	name := "Show" + b.id
	g.sites = append(g.sites, &site{file: b.file, name: name})
	b.add("// %s prints.\nfunc %s(ctx %s.Context, at string) {\n%sv := %s\n%s.Printf(\"%%s %s %%T %%v\\n\", at, v, v)\n}", name, name, b.std("context"), b.stmts(), expr, b.std("fmt"), b.id)
}

// writeSite adds a function that stores.
func (g *gen) writeSite(b *body, expr string) {
	name := "Set" + b.id
	g.sites = append(g.sites, &site{file: b.file, name: name, writer: true})
	ctx := b.std("context")
	b.add("// %s stores.\nfunc %s(ctx %s.Context) %s.Context {\n%sreturn %s\n}", name, name, ctx, ctx, b.stmts(), expr)
}

// sceneTypedKey stores under a typed key with the same text, in its own package or another.
func sceneTypedKey(g *gen, id string, k *key, b *body, r rnd) {
	t := pick(r, []string{"contextKey", "ContextKey", "ctxKey", "Key" + id})
	if b.test || b.pkg.names[t] || b.quals[t] {
		t += id
	}
	b.pkg.names[t] = true
	ctx := b.std("context")
	b.add("// %s is a key type.\ntype %s %s", t, t, k.kind)
	if r.chance(.5) {
		b.add("const typed%s %s = %s", id, t, k.lit)
		g.writeSite(b, fmt.Sprintf("%s.WithValue(ctx, typed%s, 5)", ctx, id))
	} else {
		g.writeSite(b, fmt.Sprintf("%s.WithValue(ctx, %s(%s), 5)", ctx, t, k.lit))
	}
	b.pre = nil
	g.readSite(b, fmt.Sprintf("ctx.Value(%s(%s))", t, k.lit))
}

// sceneComputedKeys declares a key type of the package and stores under one of it that is made at run time, or has a context answer it, with the
// same text: the key must not get that type.
func sceneComputedKeys(g *gen, id string, k *key, b *body, r rnd) {
	if k.kind != "string" {
		sceneTypedKey(g, id, k, b, r)
		return
	}
	t := pick(r, []string{"contextKey", "ContextKey", "ctxKey", "Key" + id})
	if b.test || b.pkg.names[t] || b.quals[t] {
		t += id
	}
	b.pkg.names[t] = true
	ctx, fmtp := b.std("context"), b.std("fmt")
	b.add("// %s is a key type.\ntype %s string", t, t)
	b.add("const (\n\tfirst%s %s = %q\n\tsecond%s %s = %q\n)", id, t, "first"+id, id, t, "second"+id)
	stored := fmt.Sprintf("%s.WithValue(%s.WithValue(ctx, first%s, 1), second%s, 2)", ctx, ctx, id, id)
	if r.chance(.5) {
		g.writeSite(b, fmt.Sprintf("%s.WithValue(%s, %s(%s.Sprint(%s)), 7)", ctx, stored, t, fmtp, k.lit))
	} else {
		b.add("type told%s struct {\n\t%s.Context\n\tsent map[string]int\n}", id, ctx)
		b.add("func (c told%s) Value(key any) any {\n\tif k, ok := key.(%s); ok {\n\t\tif v, ok := c.sent[string(k)]; ok {\n\t\t\treturn v\n\t\t}\n\t}\n\treturn c.Context.Value(key)\n}", id, t)
		g.writeSite(b, fmt.Sprintf("told%s{%s, map[string]int{%s.Sprint(%s): 7}}", id, stored, fmtp, k.lit))
	}
	b.pre = nil
	g.readSite(b, fmt.Sprintf("%s.Sprint(ctx.Value(first%s), ctx.Value(second%s), ctx.Value(%s))", fmtp, id, id, k.lit))
}

// sceneAccessors declares functions that look like the accessors the planner would add.
func sceneAccessors(g *gen, id string, k *key, b *body, r rnd) {
	names := k.likelyNames()
	with, from := "WithThing"+id, "ThingFrom"+id
	for _, n := range names {
		switch {
		case len(n) > 4 && n[:4] == "With" && !b.test && !b.pkg.names[n]:
			with = n
		case len(n) > 4 && n[len(n)-4:] == "From" && n[:4] != "Must" && !b.test && !b.pkg.names[n]:
			from = n
		}
	}
	b.pkg.names[with], b.pkg.names[from] = true, true
	ctx, fmtp := b.std("context"), b.std("fmt")
	typ := pick(r, []string{"int", "string", "any", "[]string"})
	if named, ok := k.value.typ(b.file); ok && r.chance(.6) {
		typ = named
	}
	effect := ""
	if r.chance(.3) {
		effect = fmt.Sprintf("%s.Println(\"effect %s\")\n", fmtp, id)
	}
	b.add("// %s stores.\nfunc %s(ctx %s.Context, v %s) %s.Context {\n%sreturn %s.WithValue(ctx, %s, v)\n}", with, with, ctx, typ, ctx, effect, ctx, k.lit)
	switch r.IntN(5) {
	case 0:
		b.add("// %s looks up.\nfunc %s(ctx %s.Context) (%s, bool) {\n%sv, ok := ctx.Value(%s).(%s)\nreturn v, ok\n}", from, from, ctx, typ, effect, k.lit, typ)
		b.before("v0, ok := %s(ctx)\n_ = ok", from)
	case 1:
		b.add("// %s looks up.\nfunc %s(ctx %s.Context) any {\n%sreturn ctx.Value(%s)\n}", from, from, ctx, effect, k.lit)
		b.before("v0 := %s(ctx)", from)
	case 2:
		b.add("// %s looks up.\nfunc %s(ctx %s.Context) %s {\n%sv, _ := ctx.Value(%s).(%s)\nreturn v\n}", from, from, ctx, typ, effect, k.lit, typ)
		b.before("v0 := %s(ctx)", from)
	case 3:
		b.add("// %s looks up.\nfunc %s(ctx %s.Context) (v %s, ok bool) {\n%sv, ok = ctx.Value(%s).(%s)\nif !ok {\nreturn v, true\n}\nreturn\n}", from, from, ctx, typ, effect, k.lit, typ)
		b.before("v0, ok := %s(ctx)\n_ = ok", from)
	default:
		b.add("// %s looks up.\nfunc %s(ctx %s.Context) (v %s, err error) {\n%sif x := ctx.Value(%s); x != nil {\nv, _ = x.(%s)\nreturn v, nil\n}\nreturn v, %s.Errorf(\"none\")\n}", from, from, ctx, typ, effect, k.lit, typ, fmtp)
		b.before("v0, err := %s(ctx)\n_ = err", from)
	}
	g.readSite(b, "v0")
}

// sceneContextType adds a context type with a Value method and looks the key up through it.
func sceneContextType(g *gen, id string, k *key, b *body, r rnd) {
	t, ctx := "scoped"+id, b.std("context")
	recv := pick(r, []string{"", "*"})
	lit := map[string]string{"": t + "{", "*": "&" + t + "{"}[recv]
	b.add("type %s struct {\n%s.Context\nextra map[any]any\n}", t, ctx)
	switch r.IntN(6) {
	case 0:
		b.add("func (s %s%s) Value(key any) any {\nreturn s.Context.Value(key)\n}", recv, t)
	case 1:
		b.add("func (s %s%s) Value(key any) any {\nif v, ok := s.extra[key]; ok {\nreturn v\n}\nreturn s.Context.Value(key)\n}", recv, t)
	case 2:
		b.add("func (s %s%s) Value(key any) any {\nif v := s.Context.Value(key); v != nil {\nreturn v\n}\nreturn s.extra[key]\n}", recv, t)
	case 3:
		b.add("func (s %s%s) Value(key any) any {\nif key == %s {\nreturn 99\n}\nreturn s.Context.Value(key)\n}", recv, t, k.lit)
	case 4:
		b.add("func (s %s%s) Value(key any) any {\nswitch key.(type) {\ncase %s:\nreturn nil\n}\nreturn s.Context.Value(key)\n}", recv, t, k.kind)
	case 5:
		b.add("type private%s struct{}\n\nfunc (s %s%s) Value(key any) any {\nif key == (private%s{}) {\nreturn 98\n}\nreturn s.Context.Value(key)\n}", id, recv, t, id)
	}
	extra := pick(r, []string{"nil", fmt.Sprintf("map[any]any{%s: 77}", k.lit), "map[any]any{5: 6}"})
	b.before("var c %s.Context = %sctx, %s}", ctx, lit, extra)
	if r.chance(.4) {
		b.id = id + "B"
		name := "Set" + b.id
		g.sites = append(g.sites, &site{file: b.file, name: name, writer: true})
		b.add("// %s wraps.\nfunc %s(ctx %s.Context) %s.Context {\nreturn %sctx, %s}\n}", name, name, ctx, ctx, lit, extra)
	}
	b.id = id
	g.readSite(b, fmt.Sprintf("c.Value(%s)", g.spell(k, b, r)))
}

// sceneGenericType looks the key up through a method of a generic type.
func sceneGenericType(g *gen, id string, k *key, b *body, r rnd) {
	t, ctx := "box"+id, b.std("context")
	if r.chance(.5) {
		b.add("type %s[T any] struct{ c %s.Context }\n\nfunc (x %s[T]) get(k %s) (T, bool) {\nv, ok := x.c.Value(k).(T)\nreturn v, ok\n}", t, ctx, t, k.kind)
		b.before("v0, _ := %s[int]{ctx}.get(%s)", t, k.lit)
	} else {
		b.add("type %s[K comparable] struct{ key K }\n\nfunc (x %s[K]) get(ctx %s.Context) any { return ctx.Value(x.key) }", t, t, ctx)
		b.before("v0 := %s[%s]{%s}.get(ctx)", t, k.kind, k.lit)
	}
	g.readSite(b, "v0")
}

// sceneTable walks a table of names.
func sceneTable(g *gen, id string, k *key, b *body, r rnd) {
	ctx := b.std("context")
	b.add("var fields%s = []struct {\nname %s\nuse bool\n}{\n{%s, true},\n{name: %s, use: false}, // twice\n}", id, k.kind, k.lit, k.lit)
	if r.chance(.5) {
		b.before("for _, f := range fields%s {\nif f.use {\nctx = %s.WithValue(ctx, f.name, 21)\n}\n}", id, ctx)
		g.writeSite(b, "ctx")
		b.pre = nil
	}
	b.before("var v0 any\nfor i := range fields%s {\nv0 = ctx.Value(fields%s[i].name)\n}", id, id)
	g.readSite(b, "v0")
}

// sceneSwitch chooses one of two keys.
func sceneSwitch(g *gen, id string, k *key, b *body, r rnd) {
	other := pick(r, g.keys)
	if other.kind != k.kind {
		other = k
	}
	g.own(id, other.name())
	b.add("func choose%s(n int) %s {\nif n > 3 {\nreturn %s\n}\nreturn %s\n}", id, k.kind, other.lit, k.lit)
	b.before("v1 := ctx.Value(choose%s(5)) != nil", id)
	g.readSite(b, fmt.Sprintf("[]any{ctx.Value(choose%s(1)) != nil, v1}", id))
}

// sceneFuncField keeps a look-up in a field.
func sceneFuncField(g *gen, id string, k *key, b *body, r rnd) {
	ctx := b.std("context")
	b.add("var ops%s = struct{ get func(c %s.Context, k %s) any }{\nget: func(c %s.Context, k %s) any { return c.Value(k) },\n}", id, ctx, k.kind, ctx, k.kind)
	g.readSite(b, fmt.Sprintf("ops%s.get(ctx, %s)", id, k.lit))
}

// sceneMethodExpr calls Value as a method expression or WithValue as a value.
func sceneMethodExpr(g *gen, id string, k *key, b *body, r rnd) {
	ctx := b.std("context")
	if r.chance(.5) {
		g.readSite(b, fmt.Sprintf("%s.Context.Value(ctx, %s)", ctx, k.lit))
		return
	}
	b.before("with := %s.WithValue", ctx)
	g.writeSite(b, fmt.Sprintf("with(ctx, %s, 31)", k.lit))
}

// sceneTwoKeys passes two keys through one forwarder.
func sceneTwoKeys(g *gen, id string, k *key, b *body, r rnd) {
	other := pick(r, g.keys)
	if other.kind != k.kind {
		other = k
	}
	g.own(id, other.name())
	b.add("func both%s(ctx %s.Context, keys ...%s) (list []bool) {\nfor _, k := range keys {\nlist = append(list, ctx.Value(k) != nil)\n}\nreturn list\n}", id, b.std("context"), k.kind)
	g.readSite(b, fmt.Sprintf("both%s(ctx, %s, %s)", id, k.lit, g.literalOf(other, b, r)))
}

// literalOf spells a key as a literal or a constant.
func (g *gen) literalOf(k *key, b *body, r rnd) string {
	if r.chance(.5) {
		return k.lit
	}
	return g.declared(k, b, r, "constant")
}

// sceneAssignedField sets a field to the key later.
func sceneAssignedField(g *gen, id string, k *key, b *body, r rnd) {
	b.add("type conf%s struct{ key %s }", id, k.kind)
	b.before("c := conf%s{}\nc.key = %s", id, k.lit)
	g.readSite(b, "ctx.Value(c.key)")
}

// sceneTaggedNames takes names in a file that another configuration builds.
func sceneTaggedNames(g *gen, id string, k *key, b *body, r rnd) {
	if b.test {
		return
	}
	g.tags = true
	t := g.newFile(b.pkg, pick(r, []string{"special.go", "special_windows.go"}))
	t.tagged = true
	if t.name == "special.go" {
		t.head = "//go:build special"
	}
	for _, n := range k.likelyNames() {
		if !b.pkg.names[n] && !b.quals[n] && r.chance(.7) && token.IsIdentifier(n) && types.Universe.Lookup(n) == nil && n != "context" && n != "main" &&
			!slices.ContainsFunc(g.pkgs, func(p *pkg) bool { return p.name == n }) {
			b.pkg.names[n] = true
			t.add("// %s is in the way.\nconst %s = 1", n, n)
		}
	}
	g.readSite(b, fmt.Sprintf("ctx.Value(%s)", k.lit))
}

// sceneOtherNumber uses the same number under another type.
func sceneOtherNumber(g *gen, id string, k *key, b *body, r rnd) {
	if k.kind == "string" || k.kind == "bool" {
		return
	}
	other := pick(r, []string{"int64", "uint8", "float64", "int"})
	if k.lit == "1.5" {
		other = "float32"
	}
	g.writeSite(b, fmt.Sprintf("%s.WithValue(ctx, %s(%s), 41)", b.std("context"), other, k.lit))
	g.readSite(b, fmt.Sprintf("ctx.Value(%s(%s))", other, k.lit))
}

// sceneTwoTypes uses one constant under its default type and under another.
func sceneTwoTypes(g *gen, id string, k *key, b *body, r rnd) {
	b.add("type other%s %s", id, k.kind)
	b.add("const both%s = %s", id, k.lit)
	g.writeSite(b, fmt.Sprintf("%s.WithValue(ctx, other%s(both%s), 51)", b.std("context"), id, id))
	g.readSite(b, fmt.Sprintf("[]any{ctx.Value(both%s) != nil, ctx.Value(other%s(both%s))}", id, id, id))
}

// sceneBlock declares a block of keys of which some are used otherwise.
func sceneBlock(g *gen, id string, k *key, b *body, r rnd) {
	ctx := b.std("context")
	typ := pick(r, []string{"", " " + k.kind})
	b.add("// Keys of %s.\nconst (\n// block%sA is the first.\nblock%sA%s = %s // A\nblock%sB%s = %s\n\nblock%sC%s = %s // C\n)", id, id, id, typ, k.lit, id, typ, k.lit, id, typ, k.lit)
	other := pick(r, []string{"A", "B", "C"})
	if r.chance(.5) {
		b.add("var use%s = map[%s]int{block%s%s: 1}", id, k.kind, id, other)
		b.add("var _ = use%s", id)
	}
	g.writeSite(b, fmt.Sprintf("%s.WithValue(%s.WithValue(ctx, block%sA, 61), block%sB, 62)", ctx, ctx, id, id))
	g.readSite(b, fmt.Sprintf("[]any{ctx.Value(block%sB) != nil, ctx.Value(block%sC) != nil}", id, id))
}

// sceneWrapped wraps WithValue under another name, with the key's position moved.
func sceneWrapped(g *gen, id string, k *key, b *body, r rnd) {
	ctx := b.std("context")
	b.add("func keep%s(v any, name %s, ctx %s.Context) %s.Context {\nif v == nil {\nreturn ctx\n}\nreturn %s.WithValue(ctx, name, v)\n}", id, k.kind, ctx, ctx, ctx)
	g.writeSite(b, fmt.Sprintf("keep%s(71, %s, ctx)", id, k.lit))
	b.add("func pull%s(name %s) func(%s.Context) any {\nreturn func(c %s.Context) any { return c.Value(name) }\n}", id, k.kind, ctx, ctx)
	g.readSite(b, fmt.Sprintf("pull%s(%s)(ctx)", id, k.lit))
}

// sceneRecursion passes the key through a recursive function.
func sceneRecursion(g *gen, id string, k *key, b *body, r rnd) {
	ctx := b.std("context")
	b.add("func deep%s(ctx %s.Context, k %s, n int) any {\nif n == 0 {\nreturn ctx.Value(k)\n}\nreturn deep%s(ctx, k, n-1)\n}", id, ctx, k.kind, id)
	g.readSite(b, fmt.Sprintf("deep%s(ctx, %s, 3)", id, k.lit))
}
