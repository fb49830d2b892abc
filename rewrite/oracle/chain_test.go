package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// A chain is a row of values that are stored one after the other and read together.
type chain struct {
	keys   []*typedKey
	fields []recordField // their values
}

// chain adds three or four keys.
func (g *gen) chain(id string, r rnd) {
	c := &chain{}
	home, exported, form := pick(r, g.pkgs), r.chance(.6), pick(r, []string{"struct", "text", "struct", "text", "number", "pointer", "literal"})
	apart := r.chance(.15) // keys of several packages
	for i := range 3 + r.IntN(2) {
		kid := fmt.Sprintf("%sk%d", id, i)
		k := g.typedKeyIn(home, kid, kid, form, exported && !home.main, "keys.go")
		if apart {
			k = g.typedKey(kid+"x", r, weighted[string]{1, "struct"}, weighted[string]{1, form})
		}
		c.keys = append(c.keys, k)
		c.fields = append(c.fields, fieldTypes[r.IntN(4)])
	}
	site := func(sid string, list []shape, writer bool) {
		for _, k := range c.keys {
			g.own(sid, k.family)
		}
		g.atom(sid, func(r rnd) {
			if f := g.place(r, c.can); f != nil {
				g.chainShape(sid, f, pickWeighted(r, weights(list, nil)), writer, c, r)
			}
		})
	}
	for i := range 1 + r.IntN(2) {
		site(fmt.Sprintf("%sW%d", id, i), chainWriters, true)
	}
	for i := range 1 + r.IntN(3) {
		site(fmt.Sprintf("%sR%d", id, i), chainReaders, false)
	}
}

// chainShape adds a function that stores or reads the values.
func (g *gen) chainShape(sid string, f *file, w *shape, writer bool, c *chain, r rnd) {
	g.labelName(c.keys[0].family, "chain "+w.name)
	g.shape(sid, f, w, writer, c.words(f, r))
}

// can reports whether a file can name all keys.
func (c *chain) can(f *file) bool {
	return !slices.ContainsFunc(c.keys, func(k *typedKey) bool { return !k.can(f) })
}

// words returns what the words of a template stand for: Kn, Tn and Vn are a key, its value's type and a value;
// ROW stores all, PUTS all but the first.
func (c *chain) words(f *file, r rnd) []string {
	var words, row []string
	for i, k := range c.keys {
		n := fmt.Sprint(i)
		v := pick(r, c.fields[i].values)
		words = append(words, "K"+n, k.in(f), "T"+n, c.fields[i].typ, "V"+n, v)
		row = append(row, fmt.Sprintf("ctx = %s.WithValue(ctx, %s, %s)", f.std("context"), k.in(f), v))
	}
	return append([]string{"ROW", strings.Join(row, "\n"), "PUTS", strings.Join(row[1:], "\n")}, words...)
}

var chainWriters = []shape{
	{weight: 6, name: "row", code: "ROW\nreturn ctx"},
	{weight: 2, name: "row that returns", code: "PUTS\nreturn CTX.WithValue(ctx, K0, V0)"},
	{weight: 2, name: "nested", code: "PUTS\nreturn CTX.WithValue(CTX.WithValue(CTX.WithValue(ctx, K0, V0), K1, V1), K2, V2)"},
	{weight: 1, name: "other value between", code: "PUTS\n// between\nctx = CTX.WithValue(ctx, \"between IDENT\", 1)\nctx = CTX.WithValue(ctx, K0, V0) // the last\n_ = ctx.Value(\"between IDENT\")\nreturn ctx"},
	{weight: 1, name: "partly", code: "PUTS\nreturn ctx"},
	{weight: 1, name: "one alone", code: "ctx = CTX.WithValue(ctx, K0, V0)\nreturn ctx"},
	{weight: 1, name: "in a branch", code: "if ctx.Err() == nil {\nROW\n}\nreturn ctx"},
	{weight: 1, name: "one in a branch", code: "PUTS\nif ctx.Value(K0) == nil {\nctx = CTX.WithValue(ctx, K0, V0)\n}\nreturn ctx"},
	{weight: 1, name: "twice", code: "ROW\nROW\nreturn ctx"},
	{weight: 1, name: "effects", code: "ctx = CTX.WithValue(ctx, K0, NOTE(V0))\nctx = CTX.WithValue(ctx, K1, NOTE(V1))\nreturn CTX.WithValue(ctx, K2, NOTE(V2))"},
	{weight: 1, name: "depends on the one before", code: "ctx = CTX.WithValue(ctx, K0, V0)\nctx = CTX.WithValue(ctx, K1, V1)\nif v, ok := ctx.Value(K0).(T0); ok {\nctx = CTX.WithValue(ctx, K2, V2)\n_ = v\n}\nreturn ctx"},
	{weight: 1, name: "value of the one before", code: "PUTS\nold, ok := ctx.Value(K0).(T0)\nif !ok {\nold = V0\n}\nreturn CTX.WithValue(ctx, K0, old)"},
	{weight: 1, name: "several contexts", code: "ctx1 := CTX.WithValue(ctx, K0, V0)\nctx2 := CTX.WithValue(ctx1, K1, V1)\nctx3 := CTX.WithValue(ctx2, K2, V2)\nreturn ctx3"},
	{weight: 1, name: "the middle one goes on", code: "ctx1 := CTX.WithValue(ctx, K0, V0)\nctx2 := CTX.WithValue(ctx1, K1, V1)\nctx3 := CTX.WithValue(ctx2, K2, V2)\n_ = ctx3\nreturn ctx2"},
	{weight: 1, name: "the first one goes on", code: "ctx1 := CTX.WithValue(ctx, K0, V0)\nctx2 := CTX.WithValue(ctx1, K1, V1)\nctx3 := CTX.WithValue(ctx2, K2, V2)\n_ = ctx3\nreturn ctx1"},
	{weight: 1, name: "a part goes on", code: "part := ctx\nfor range 2 {\nctx = part\npart = CTX.WithValue(ctx, K0, V0)\npart = CTX.WithValue(part, K1, V1)\nctx = CTX.WithValue(part, K2, V2)\n}\nif ctx.Err() != nil {\nreturn ctx\n}\nreturn part"},
	{weight: 1, name: "declared before", code: "var ctx2 CTX.Context\nctx1 := CTX.WithValue(ctx, K0, V0)\nctx2 = CTX.WithValue(ctx1, K1, V1)\nctx3 := CTX.WithValue(ctx2, K2, V2)\nreturn ctx3"},
	{weight: 1, name: "a literal has a part", code: "var ctx2 CTX.Context\npart := func() CTX.Context { return ctx2 }\nctx1 := CTX.WithValue(ctx, K0, V0)\nctx2 = CTX.WithValue(ctx1, K1, V1)\nctx3 := CTX.WithValue(ctx2, K2, V2)\n_ = ctx3\nreturn part()"},
	{weight: 1, name: "cancel between", code: "ctx, stop := CTX.WithCancel(ctx)\ndefer stop()\nROW\nreturn ctx"},
	{weight: 1, name: "nil value", code: "PUTS\nreturn CTX.WithValue(ctx, K0, nil)"},
	{weight: 1, name: "another type", code: "PUTS\nreturn CTX.WithValue(ctx, K0, uint16(9))"},
	{weight: 1, name: "any value", code: "PUTS\nvar v any = V0\nreturn CTX.WithValue(ctx, K0, v)"},
	{weight: 1, name: "loop", code: "for range 2 {\nROW\n}\nreturn ctx"},
	{weight: 1, name: "closure", code: "with := func(ctx CTX.Context) CTX.Context {\nROW\nreturn ctx\n}\nreturn with(ctx)"},
	{weight: 1, name: "early return", code: "ctx = CTX.WithValue(ctx, K0, V0)\nif ctx.Err() != nil {\nreturn ctx\n}\nctx = CTX.WithValue(ctx, K1, V1)\nctx = CTX.WithValue(ctx, K2, V2)\nreturn ctx"},
	{weight: 2, name: "accessors", decls: "func with0IDENT(ctx CTX.Context, v T0) CTX.Context { return CTX.WithValue(ctx, K0, v) }\n\nfunc with1IDENT(ctx CTX.Context, v T1) CTX.Context { return CTX.WithValue(ctx, K1, v) }\n\nfunc with2IDENT(ctx CTX.Context, v T2) CTX.Context {\nreturn CTX.WithValue(ctx, K2, v)\n}",
		code: "ctx = with0IDENT(ctx, V0)\nctx = with1IDENT(ctx, V1)\nreturn with2IDENT(ctx, V2)"},
	{weight: 2, name: "parameters", decls: "func attachIDENT(ctx CTX.Context, a T0, b T1, c T2) CTX.Context {\nctx = CTX.WithValue(ctx, K0, a)\nctx = CTX.WithValue(ctx, K1, b)\nctx = CTX.WithValue(ctx, K2, c)\nreturn ctx\n}", code: "return attachIDENT(ctx, V0, V1, V2)"},
	{weight: 2, name: "middlewares", decls: "type stepIDENT func(CTX.Context) CTX.Context\n\nfunc mw0IDENT(next stepIDENT) stepIDENT {\nreturn func(ctx CTX.Context) CTX.Context { return next(CTX.WithValue(ctx, K0, V0)) }\n}\n\nfunc mw1IDENT(next stepIDENT) stepIDENT {\nreturn func(ctx CTX.Context) CTX.Context {\nctx = CTX.WithValue(ctx, K1, V1)\nreturn next(ctx)\n}\n}\n\nfunc mw2IDENT(next stepIDENT) stepIDENT {\nreturn func(ctx CTX.Context) CTX.Context {\nreturn next(CTX.WithValue(ctx, K2, V2))\n}\n}",
		code: "h := mw0IDENT(mw1IDENT(mw2IDENT(func(ctx CTX.Context) CTX.Context { return ctx })))\nreturn h(ctx)"},
}

var chainReaders = []shape{
	{weight: 4, name: "all", code: "a, ok := ctx.Value(K0).(T0)\nif !ok {\nOUT(\"none\")\nreturn\n}\nb, _ := ctx.Value(K1).(T1)\nc, okC := ctx.Value(K2).(T2)\nOUT(a, b, c, okC)"},
	{weight: 2, name: "all dropped", code: "a, _ := ctx.Value(K0).(T0)\nb, _ := ctx.Value(K1).(T1)\nc, _ := ctx.Value(K2).(T2)\nOUT(a, b, c)"},
	{weight: 2, name: "all must", code: "GUARD\na := ctx.Value(K0).(T0)\nb := ctx.Value(K1).(T1)\nOUT(a, b, ctx.Value(K2).(T2))"},
	{weight: 2, name: "all bare", code: "OUT(ctx.Value(K0), ctx.Value(K1), ctx.Value(K2))"},
	{weight: 2, name: "accessors of all", decls: "func get0IDENT(ctx CTX.Context) (T0, bool) {\nv, ok := ctx.Value(K0).(T0)\nreturn v, ok\n}\n\nfunc get1IDENT(ctx CTX.Context) T1 {\nv, _ := ctx.Value(K1).(T1)\nreturn v\n}\n\nfunc get2IDENT(ctx CTX.Context) any { return ctx.Value(K2) }",
		code: "a, ok := get0IDENT(ctx)\nOUT(a, ok, get1IDENT(ctx), get2IDENT(ctx))"},
	{weight: 1, name: "one", code: "v, ok := ctx.Value(K1).(T1)\nOUT(v, ok)"},
	{weight: 1, name: "presence", code: "OUT(ctx.Value(K0) != nil, ctx.Value(K1) == nil, ctx.Value(K2) != nil)"},
	{weight: 1, name: "in header", code: "if a, ok := ctx.Value(K0).(T0); ok {\nOUT(a, ctx.Value(K1), ctx.Value(K2))\n} else if b, ok := ctx.Value(K1).(T1); ok {\nOUT(b, ctx.Value(K2))\n}"},
	{weight: 1, name: "from several contexts", code: "inner := CTX.WithValue(ctx, K0, V0)\nOUT(inner.Value(K0), ctx.Value(K1), ctx.Value(K2), ctx.Value(K0))"},
	{weight: 1, name: "hidden by its own row", code: "inner := CTX.WithValue(ctx, K2, V2)\nfunc(ctx CTX.Context) {\nOUT(ctx.Value(K0), ctx.Value(K1), ctx.Value(K2))\n}(inner)"},
	{weight: 1, name: "list of keys", code: "for _, k := range []any{K0, K1, K2} {\nOUT(ctx.Value(k))\n}"},
	{weight: 1, name: "wrong type", code: "a, ok := ctx.Value(K0).(uint16)\nOUT(a, ok, ctx.Value(K1), ctx.Value(K2))"},
	{weight: 1, name: "type switch", code: "switch a := ctx.Value(K0).(type) {\ncase T0:\nOUT(a, ctx.Value(K1), ctx.Value(K2))\ncase nil:\nOUT(\"none\", ctx.Value(K1), ctx.Value(K2))\n}"},
}
