package oracle

import "fmt"

// unnamed adds keys of a type without a name, one in each of some packages. They are one key where they are equal.
func (g *gen) unnamed(id string, r rnd) {
	type part struct {
		home *pkg
		form int
	}
	used := map[*pkg]bool{}
	for i := range 1 + r.IntN(3) {
		p := part{pick(r, g.pkgs), r.IntN(6)}
		if used[p.home] {
			continue
		}
		used[p.home] = true
		v := fieldTypes[r.IntN(4)]
		site := func(sid string, list []shape, writer bool) {
			for _, key := range []string{"struct{}", "*struct{}", "[0]int", p.home.path + ".key" + id, p.home.path + ".Key" + id} {
				g.own(sid, key)
			}
			g.atom(sid, func(r rnd) {
				f := g.place(r, func(f *file) bool { return f.pkg == p.home && !f.xtest })
				if f == nil {
					return
				}
				w := pickWeighted(r, weights(list, func(w *shape) bool { return w.name != "store forwarder" && w.name != "forwarder" }))
				if !writer {
					g.alters[sid] = true
				}
				key, label := g.unnamedKey(id, f, p.form, r)
				g.labelName("struct{}", label)
				g.shape(sid, f, w, writer, []string{"KEY", key, "T0", v.typ, "V0B", pick(r, v.values), "V0", pick(r, v.values)})
			})
		}
		n := fmt.Sprintf("%s%c", id, 'a'+i)
		if r.chance(.8) {
			site(n+"W", halfWriters, true)
		}
		if r.chance(.9) {
			site(n+"R", halfReaders, false)
		}
	}
}

// unnamedKey spells a key in a file.
func (g *gen) unnamedKey(id string, f *file, form int, r rnd) (key, label string) {
	host := g.newFile(f.pkg, "keys.go")
	if g.mended {
		host.add("type mended%s struct{}", id)
		return "mended" + id + "{}", ""
	}
	switch form {
	case 0:
		return "struct{}{}", "unnamed literal"
	case 1:
		host.add("var key%s = struct{}{}", id)
		return "key" + id, "unnamed variable"
	case 2:
		host.add("var key%s = &struct{}{}", id)
		return "key" + id, "pointer to no size"
	case 3:
		host.add("var key%s = new(struct{})", id)
		return "key" + id, "new of no size"
	case 4:
		host.add("type alias%s = struct{}", id)
		return "alias" + id + "{}", "alias of an unnamed type"
	}
	return "[0]int{}", "unnamed array"
}

// bad adds a key that cannot be compared: what stores it panics.
func (g *gen) bad(id string, r rnd) {
	home := pick(r, g.pkgs)
	v := fieldTypes[r.IntN(4)]
	kind := r.IntN(5)
	key := []string{`[]byte("bad ` + id + `")`, `[]string{"bad ` + id + `"}`, `map[string]int{"bad": 1}`, `[]rune("bad ` + id + `")`, `struct{ A []int }{}`}[kind]
	site := func(sid string, list []shape, writer bool) {
		for _, t := range []string{"[]byte", "[]uint8", "[]string", "map[string]int", "[]rune", "[]int32", "struct{ A []int }", `"bad ` + id + `"`} {
			g.own(sid, t)
		}
		g.atom(sid, func(r rnd) {
			f := g.place(r, func(f *file) bool { return f.pkg == home && !f.xtest })
			if f == nil {
				return
			}
			g.alters[sid] = true
			k := key
			if g.mended {
				g.newFile(home, "keys.go").add("type mended%s string", id)
				k = fmt.Sprintf("mended%s(%q)", id, "bad "+id)
			}
			w := pickWeighted(r, weights(list, nil))
			g.labelName("[]byte", "bad "+w.name)
			g.shape(sid, f, w, writer, []string{"KEY", k, "T0", v.typ, "V0", pick(r, v.values)})
		})
	}
	site(id+"W", badWriters, true)
	for i := range 1 + r.IntN(2) {
		site(fmt.Sprintf("%sR%d", id, i), badReaders, false)
	}
}

var badWriters = []shape{
	{weight: 2, name: "store", decls: "func putIDENT(ctx CTX.Context) (out CTX.Context) {\nout = ctx\ndefer func() {\nif recover() != nil {\nFMT.Println(\"lost\", \"ID\")\n}\n}()\nreturn CTX.WithValue(ctx, KEY, V0)\n}", code: "return putIDENT(ctx)"},
	{weight: 1, name: "store in closure", code: "func() {\ndefer func() {\nif recover() != nil {\nFMT.Println(\"lost\", \"ID\")\n}\n}()\nctx = CTX.WithValue(ctx, KEY, V0)\n}()\nreturn ctx"},
}

var badReaders = []shape{
	{weight: 2, name: "ok", code: "v, ok := ctx.Value(KEY).(T0)\nOUT(v, ok)"},
	{weight: 1, name: "bare", code: "OUT(ctx.Value(KEY))"},
	{weight: 1, name: "any", code: "var k any = KEY\nOUT(ctx.Value(k) != nil)"},
}
