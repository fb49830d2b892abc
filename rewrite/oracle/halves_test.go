package oracle

import "fmt"

// halves adds a text that some places use as a key and others under a type of its own. No other key has the text.
func (g *gen) halves(id string, r rnd) {
	k := g.typedKey(id, r, weighted[string]{1, "text"})
	v := fieldTypes[r.IntN(4)]
	turned := r.chance(.3) // the readers were migrated, not the writers
	site := func(sid string, list []shape, writer, typed bool) {
		g.own(sid, k.family)
		g.atom(sid, func(r rnd) {
			f := g.place(r, func(f *file) bool { return !typed || k.can(f) })
			if f == nil {
				return
			}
			w := pickWeighted(r, weights(list, nil))
			g.labelName(k.family, "half "+w.name)
			if !writer {
				g.alters[sid] = true
			}
			g.shape(sid, f, w, writer, append(g.spelled(k, f, typed && !g.mended, r), "T0", v.typ, "V0B", pick(r, v.values), "V0", pick(r, v.values)))
		})
	}
	other := r.chance(.15) // both spellings are written, or read
	for i := range 1 + r.IntN(2) {
		site(fmt.Sprintf("%sW%d", id, i), halfWriters, true, turned != (i == 0 || !other))
	}
	for i := range 1 + r.IntN(3) {
		site(fmt.Sprintf("%sR%d", id, i), halfReaders, false, turned != (i > 0 && r.chance(.5)))
	}
}

// spelled returns the words for a key and the type a forwarder's parameter has.
func (g *gen) spelled(k *typedKey, f *file, typed bool, r rnd) []string {
	form := r.IntN(4)
	switch {
	case typed && form == 0:
		return []string{"KEY", f.ref(k.home, k.typ) + "(" + k.lit + ")", "KIND", f.ref(k.home, k.typ)}
	case typed:
		return []string{"KEY", k.in(f), "KIND", f.ref(k.home, k.typ)}
	case form == 0:
		name, host := "text"+k.id, f
		switch {
		case f.xtest:
			name += "Ext"
		case f.test:
			name += "Test"
		default:
			host = g.newFile(f.pkg, "keys.go")
		}
		host.add("const %s = %s", name, k.lit)
		return []string{"KEY", name, "KIND", "string"}
	}
	return []string{"KEY", k.lit, "KIND", "string"}
}

var halfWriters = []shape{
	{weight: 4, name: "store", code: "return CTX.WithValue(ctx, KEY, V0)"},
	{weight: 1, name: "store in a statement", code: "ctx = CTX.WithValue(ctx, KEY, V0) // store\nreturn ctx"},
	{weight: 1, name: "store with effect", code: "return CTX.WithValue(ctx, KEY, NOTE(V0))"},
	{weight: 1, name: "store accessor", decls: "func putIDENT(ctx CTX.Context, v T0) CTX.Context { return CTX.WithValue(ctx, KEY, v) }", code: "return putIDENT(ctx, V0)"},
	{weight: 1, name: "store forwarder", decls: "func putIDENT(ctx CTX.Context, k KIND, v any) CTX.Context { return CTX.WithValue(ctx, k, v) }", code: "return putIDENT(ctx, KEY, V0)"},
	{weight: 1, name: "store twice", code: "ctx = CTX.WithValue(ctx, KEY, V0B)\nreturn CTX.WithValue(ctx, KEY, V0)"},
}

var halfReaders = []shape{
	{weight: 4, name: "ok", code: "v, ok := ctx.Value(KEY).(T0)\nOUT(v, ok)"},
	{weight: 2, name: "must", code: "GUARD\nv := ctx.Value(KEY).(T0)\nOUT(v)"},
	{weight: 2, name: "bare", code: "OUT(ctx.Value(KEY))"},
	{weight: 1, name: "nil", code: "OUT(ctx.Value(KEY) != nil)"},
	{weight: 1, name: "getter", decls: "func getIDENT(ctx CTX.Context) (T0, bool) {\nv, ok := ctx.Value(KEY).(T0)\nreturn v, ok\n}", code: "v, ok := getIDENT(ctx)\nOUT(v, ok)"},
	{weight: 1, name: "forwarder", decls: "func lookIDENT(ctx CTX.Context, k KIND) any { return ctx.Value(k) }", code: "OUT(lookIDENT(ctx, KEY))"},
	{weight: 1, name: "any forwarder", decls: "func lookIDENT(ctx CTX.Context, k any) any { return ctx.Value(k) }", code: "OUT(lookIDENT(ctx, KEY))"},
	{weight: 1, name: "other type", code: "v, ok := ctx.Value(KEY).(uint16)\nOUT(v, ok)"},
	{weight: 1, name: "switch", code: "switch v := ctx.Value(KEY).(type) {\ncase T0:\nOUT(v)\ndefault:\nOUT(\"other\", v)\n}"},
	{weight: 1, name: "own store", code: "inner := CTX.WithValue(ctx, KEY, V0)\nOUT(inner.Value(KEY), ctx.Value(KEY))"},
	{weight: 1, name: "if", code: "if v, ok := ctx.Value(KEY).(T0); ok {\nOUT(v)\n}"},
}

// clash adds a key whose writers store, or readers expect, several types.
func (g *gen) clash(id string, r rnd) {
	k := g.typedKey(id, r, weighted[string]{2, "struct"}, weighted[string]{2, "text"}, weighted[string]{1, "pointer"}, weighted[string]{2, "literal"})
	types := []recordField{pick(r, fieldTypes[:5]), pick(r, fieldTypes[:5])}
	if r.chance(.4) {
		types = []recordField{{typ: "int64", values: []string{"int64(3)"}}, {typ: "int", values: []string{"7"}}}
	}
	site := func(sid string, list []shape, writer bool) {
		g.own(sid, k.family)
		g.atom(sid, func(r rnd) {
			v := pick(r, types)
			if f := g.place(r, k.can); f != nil {
				w := pickWeighted(r, weights(list, nil))
				g.labelName(k.family, "clash "+w.name)
				g.shape(sid, f, w, writer, []string{"KEY", k.in(f), "KIND", "any", "T0", v.typ, "V0B", pick(r, v.values), "V0", pick(r, v.values)})
			}
		})
	}
	for i := range 1 + r.IntN(2) {
		site(fmt.Sprintf("%sW%d", id, i), halfWriters, true)
	}
	for i := range 1 + r.IntN(3) {
		site(fmt.Sprintf("%sR%d", id, i), halfReaders, false)
	}
}
