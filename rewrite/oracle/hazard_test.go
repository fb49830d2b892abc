package oracle

import "fmt"

// hazard adds something that stands beside keys and may stand in their way.
func (g *gen) hazard(id string, r rnd) {
	if len(g.keys) == 0 {
		return
	}
	k := pick(r, g.keys)
	f := g.place(r, anywhere)
	b := &body{file: f, id: id, ctx: "ctx"}
	name := "Show" + id
	ctx, fmtp := f.std("context"), f.std("fmt")
	show := func(format string, args ...any) {
		g.sites = append(g.sites, &site{file: f, name: name})
		f.add("// %s prints.\nfunc %s(ctx %s.Context, at string) {\n%s\n}", name, name, ctx, fmt.Sprintf(format, args...))
	}
	way := pickWeighted(r, []weighted[string]{
		{3, "other use of constant"}, {3, "same text elsewhere"}, {3, "typed key with same text"}, {3, "names taken"},
		{3, "shadowed names"}, {1, "compared as any"}, {1, "suppressed"}, {1, "store type"},
	})
	g.label(k, "%s", way)
	switch way {
	case "other use of constant":
		c := g.declared(k, b, r, "constant")
		show("m := map[any]int{%s: 1}\n%s.Println(at, %q, m[%s], %s)", c, fmtp, id, k.lit, c)
	case "same text elsewhere":
		show("m := map[%s]int{%s: 2}\n%s.Println(at, %q, m[%s])", k.kind, k.lit, fmtp, id, k.lit)
	case "typed key with same text":
		t := "contextKey"
		if f.test || f.pkg.names[t] {
			t += id
		}
		f.pkg.names[t] = true
		f.add("type %s %s", t, k.kind)
		f.add("const typedKey%s %s = %s", id, t, k.lit)
		show("_, ok := ctx.Value(typedKey%s).(int)\nctx = %s.WithValue(ctx, typedKey%s, 5)\n%s.Println(at, %q, ok, ctx.Value(typedKey%s), ctx.Value(%s) != nil)", id, ctx, id, fmtp, id, id, k.lit)
	case "names taken":
		for _, n := range []string{"userKey", "WithUser", "UserFrom", "contextKey", "langKey"} {
			if !f.pkg.names[n] && !f.test && r.chance(.7) {
				f.pkg.names[n] = true
				f.add("// %s is in the way.\nfunc %s() int { return %d }", n, n, len(n))
				f.add("var _ = %s", n)
			}
		}
	case "shadowed names":
		show("userKey, contextKey, auth, store, web := 1, 2, 3, 4, 5\nv := ctx.Value(%s)\n%s.Println(at, %q, v != nil, userKey+contextKey+auth+store+web)", k.lit, fmtp, id)
	case "compared as any":
		c := g.declared(k, b, r, "constant")
		fn := g.helper(f, "same", "func %%s(a, b any) bool { return a == b }")
		show("%s.Println(at, %q, %s(%s, %s))", fmtp, id, fn, c, k.lit)
	case "suppressed":
		show("%s.Println(at, %q, ctx.Value(%s) != nil) //ctxmend:ignore builtinkey the tests say so", fmtp, id, k.lit)
	case "store type":
		t := "bag" + id
		f.add("type %s struct {\n\t%s.Context\n\tm map[string]any\n}", t, ctx)
		f.add("func (s %s) Value(key any) any {\n\tif name, ok := key.(string); ok {\n\t\tif v, ok := s.m[name]; ok {\n\t\t\treturn v\n\t\t}\n\t}\n\treturn s.Context.Value(key)\n}", t)
		lit := k.lit
		if k.kind != "string" {
			lit = `"other"`
		}
		show("var c %s.Context = %s{ctx, map[string]any{%s: 3}}\n%s.Println(at, %q, c.Value(%s))", ctx, t, lit, fmtp, id, lit)
	}
}
