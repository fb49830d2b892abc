package oracle

import (
	"fmt"
	"strings"
)

// dead adds a key that is only stored, beside one that is also read.
func (g *gen) dead(id string, r rnd) {
	k := g.typedKey(id, r, weighted[string]{2, "struct"}, weighted[string]{2, "text"}, weighted[string]{1, "pointer"}, weighted[string]{1, "literal"})
	live := g.typedKey(id+"x", r, weighted[string]{1, "struct"})
	v := fieldTypes[r.IntN(4)]
	both := func(f *file) bool { return k.can(f) && live.can(f) }
	for i := range 1 + r.IntN(2) {
		sid := fmt.Sprintf("%sW%d", id, i)
		g.own(sid, k.family)
		g.atom(sid, func(r rnd) {
			if f := g.place(r, both); f != nil {
				g.deadShape(sid, f, pickWeighted(r, weights(deadWriters, nil)), k, live, v, r)
			}
		})
	}
	g.atom(id+"R", func(r rnd) {
		if f := g.place(r, live.can); f != nil {
			g.shape(id+"R", f, &halfReaders[0], false, []string{"KEY", live.in(f), "T0", v.typ})
		}
	})
}

// deadShape adds a function that stores under both keys.
func (g *gen) deadShape(sid string, f *file, w *shape, k, live *typedKey, v recordField, r rnd) {
	g.labelName(k.family, "dead "+w.name)
	g.shape(sid, f, w, true, []string{"KEY", k.in(f), "LIVE", live.in(f), "T0", v.typ, "V0B", pick(r, v.values), "V0", pick(r, v.values)})
}

var deadWriters = []shape{
	{weight: 3, name: "assigned", code: "ctx = CTX.WithValue(ctx, KEY, V0)\nctx = CTX.WithValue(ctx, LIVE, V0B)\nreturn ctx"},
	{weight: 3, name: "with effect", code: "ctx = CTX.WithValue(ctx, KEY, NOTE(V0))\nreturn CTX.WithValue(ctx, LIVE, NOTE(V0B))"},
	{weight: 2, name: "inside another", code: "return CTX.WithValue(CTX.WithValue(ctx, KEY, V0), LIVE, V0B)"},
	{weight: 2, name: "around another", code: "return CTX.WithValue(CTX.WithValue(ctx, LIVE, V0B), KEY, V0)"},
	{weight: 1, name: "inside with effect", code: "return CTX.WithValue(CTX.WithValue(ctx, KEY, NOTE(V0)), LIVE, NOTE(V0B))"},
	{weight: 1, name: "nothing else", code: "return CTX.WithValue(ctx, KEY, V0)"},
	{weight: 1, name: "nothing else, in a statement", code: "ctx = CTX.WithValue(ctx, KEY, V0)\nreturn ctx"},
	{weight: 1, name: "new variable", code: "ctx2 := CTX.WithValue(ctx, KEY, V0)\nreturn CTX.WithValue(ctx2, LIVE, V0B)"},
	{weight: 1, name: "shadowing", code: "if ctx.Err() == nil {\nctx := CTX.WithValue(ctx, KEY, V0)\nreturn CTX.WithValue(ctx, LIVE, V0B)\n}\nreturn ctx"},
	{weight: 1, name: "in a branch", code: "if ctx.Err() == nil {\nctx = CTX.WithValue(ctx, KEY, V0)\n}\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "in a header", code: "if ctx := CTX.WithValue(ctx, KEY, NOTE(V0)); ctx.Err() == nil {\nreturn CTX.WithValue(ctx, LIVE, V0B)\n}\nreturn ctx"},
	{weight: 1, name: "in a case", code: "switch {\ncase ctx.Err() != nil:\nctx = CTX.WithValue(ctx, KEY, V0)\ndefault:\nctx = CTX.WithValue(ctx, KEY, NOTE(V0))\n}\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "in a loop", code: "for i := range 2 {\nctx = CTX.WithValue(ctx, KEY, NOTE(i))\n}\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "deferred", code: "defer CTX.WithValue(ctx, KEY, NOTE(V0))\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "closure", code: "with := func(ctx CTX.Context) CTX.Context { return CTX.WithValue(ctx, KEY, NOTE(V0)) }\nreturn CTX.WithValue(with(ctx), LIVE, V0B)"},
	{weight: 1, name: "value may panic", code: "func() {\ndefer func() {\nif recover() != nil {\nFMT.Println(\"lost\", \"ID\")\n}\n}()\nm := map[string]any{}\nctx = CTX.WithValue(ctx, KEY, m[\"x\"].(int))\n}()\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "index may panic", code: "func() {\ndefer func() {\nif recover() != nil {\nFMT.Println(\"lost\", \"ID\")\n}\n}()\nlist := []int{}\nctx = CTX.WithValue(ctx, KEY, list[len(list)])\n}()\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "pointer may be nil", code: "func() {\ndefer func() {\nif recover() != nil {\nFMT.Println(\"lost\", \"ID\")\n}\n}()\nvar p *struct{ A int }\nctx = CTX.WithValue(ctx, KEY, p.A)\n}()\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "division", code: "func() {\ndefer func() {\nif recover() != nil {\nFMT.Println(\"lost\", \"ID\")\n}\n}()\nzero := len(FMT.Sprint())\nctx = CTX.WithValue(ctx, KEY, 1/zero)\n}()\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "received", code: "ch := make(chan int, 2)\nch <- 1\nch <- 2\nctx = CTX.WithValue(ctx, KEY, <-ch)\nFMT.Println(\"left\", \"ID\", len(ch))\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "closure as value", code: "n := 1\nctx = CTX.WithValue(ctx, KEY, func() int { n++; return n })\nFMT.Println(\"n\", \"ID\", n)\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "literal with effects", code: "ctx = CTX.WithValue(ctx, KEY, []any{NOTE(1), NOTE(V0)})\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "variable used only there", code: "v := NOTE(V0)\nctx = CTX.WithValue(ctx, KEY, v)\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "operand with effect", decls: "func sameIDENT(ctx CTX.Context) CTX.Context {\nFMT.Println(\"same\", \"ID\")\nreturn ctx\n}", code: "ctx = CTX.WithValue(sameIDENT(ctx), KEY, V0)\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "several at once", code: "ctx, n := CTX.WithValue(ctx, KEY, V0), NOTE(1)\n_ = n\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "argument", decls: "func twoIDENT(ctx CTX.Context, n int) CTX.Context { return ctx }", code: "return CTX.WithValue(twoIDENT(CTX.WithValue(ctx, KEY, NOTE(V0)), NOTE(2)), LIVE, V0B)"},
	{weight: 1, name: "discarded", code: "_ = CTX.WithValue(ctx, KEY, NOTE(V0))\nreturn CTX.WithValue(ctx, LIVE, V0B)"},
	{weight: 1, name: "nil context kept", code: "ctx = CTX.WithValue(ctx, LIVE, V0B)\nif v := CTX.WithValue(ctx, KEY, V0); v == nil {\nFMT.Println(\"nil\", \"ID\")\n}\nreturn ctx"},
}

// unchecked adds reads that panic where there is no value, in functions that can say so.
func (g *gen) unchecked(id string, r rnd) {
	k := g.typedKey(id, r, weighted[string]{2, "struct"}, weighted[string]{2, "text"}, weighted[string]{1, "literal"})
	v := fieldTypes[r.IntN(4)]
	site := func(sid string, list []shape, writer bool) {
		g.own(sid, k.family)
		g.atom(sid, func(r rnd) {
			if f := g.place(r, k.can); f != nil {
				g.uncheckedShape(sid, f, pickWeighted(r, weights(list, nil)), writer, k, v, r)
			}
		})
	}
	site(id+"W", halfWriters[:3], true)
	for i := range 1 + r.IntN(3) {
		site(fmt.Sprintf("%sR%d", id, i), uncheckedReaders, false)
	}
}

// uncheckedShape adds a function that stores, or one that reads and says what came of it: a panic and an error are the same.
func (g *gen) uncheckedShape(sid string, f *file, w *shape, writer bool, k *typedKey, v recordField, r rnd) {
	g.labelName(k.family, "unchecked "+w.name)
	errorf := f.std("fmt") + ".Errorf"
	if r.chance(.5) {
		errorf = f.std("errors") + ".New"
	}
	show := fmt.Sprintf("defer func() {\nif recover() != nil {\n%[1]s.Println(at, %[2]q, \"absent\")\n}\n}()\nv, err := load%[3]s(ctx)\nif err != nil {\n%[1]s.Println(at, %[2]q, \"absent\")\nreturn\n}\n%[1]s.Println(at, %[2]q, v)", f.std("fmt"), sid, strings.ToLower(sid))
	g.shape(sid, f, w, writer, []string{"KEY", k.in(f), "KIND", "any", "T0", v.typ, "Z0", v.zero, "V0B", pick(r, v.values), "V0", pick(r, v.values), "ERRORF", errorf, "SHOW", show})
}

var uncheckedReaders = []shape{
	{weight: 3, name: "variable", decls: "func loadIDENT(ctx CTX.Context) (T0, error) {\nv := ctx.Value(KEY).(T0)\nreturn v, nil\n}", code: "SHOW"},
	{weight: 3, name: "returned", decls: "func loadIDENT(ctx CTX.Context) (T0, error) { return ctx.Value(KEY).(T0), nil }", code: "SHOW"},
	{weight: 1, name: "returned in a block", decls: "func loadIDENT(ctx CTX.Context) (T0, error) {\nif ctx == nil {\nreturn Z0, ERRORF(\"no context\")\n}\nreturn ctx.Value(KEY).(T0), nil\n}", code: "SHOW"},
	{weight: 1, name: "named results", decls: "func loadIDENT(ctx CTX.Context) (v T0, err error) {\nv = ctx.Value(KEY).(T0)\nreturn\n}", code: "SHOW"},
	{weight: 1, name: "argument", decls: "func loadIDENT(ctx CTX.Context) (string, error) {\ns := FMT.Sprint(\"v\", ctx.Value(KEY).(T0))\nreturn s, nil\n}", code: "SHOW"},
	{weight: 1, name: "behind an effect", decls: "func loadIDENT(ctx CTX.Context) (string, error) {\ns := FMT.Sprint(NOTE(1), ctx.Value(KEY).(T0))\nreturn s, nil\n}", code: "SHOW"},
	{weight: 1, name: "before an effect", decls: "func loadIDENT(ctx CTX.Context) (string, error) {\ns := FMT.Sprint(ctx.Value(KEY).(T0), NOTE(1))\nreturn s, nil\n}", code: "SHOW"},
	{weight: 1, name: "after statements", decls: "func loadIDENT(ctx CTX.Context) (T0, error) {\nNOTE(1)\nv := ctx.Value(KEY).(T0)\nNOTE(2)\nreturn v, nil\n}", code: "SHOW"},
	{weight: 1, name: "twice", decls: "func loadIDENT(ctx CTX.Context) ([]any, error) {\na := ctx.Value(KEY).(T0)\nb := ctx.Value(KEY).(T0)\nreturn []any{a, b}, nil\n}", code: "SHOW"},
	{weight: 1, name: "condition", decls: "func loadIDENT(ctx CTX.Context) (bool, error) {\nif FMT.Sprint(ctx.Value(KEY).(T0)) == \"7\" {\nreturn true, nil\n}\nreturn false, nil\n}", code: "SHOW"},
	{weight: 1, name: "else if", decls: "func loadIDENT(ctx CTX.Context) (bool, error) {\nif NOTE(1) > 1 {\nreturn true, nil\n} else if FMT.Sprint(ctx.Value(KEY).(T0)) == \"7\" {\nreturn false, nil\n}\nreturn true, nil\n}", code: "SHOW"},
	{weight: 1, name: "and", decls: "func loadIDENT(ctx CTX.Context) (bool, error) {\nok := NOTE(1) > 1 && FMT.Sprint(ctx.Value(KEY).(T0)) == \"7\"\nreturn ok, nil\n}", code: "SHOW"},
	{weight: 1, name: "loop", decls: "func loadIDENT(ctx CTX.Context) (n int, err error) {\nfor n < 2 {\nn += len(FMT.Sprint(ctx.Value(KEY).(T0))) + 1\n}\nreturn n, nil\n}", code: "SHOW"},
	{weight: 1, name: "loop condition", decls: "func loadIDENT(ctx CTX.Context) (n int, err error) {\nfor n < 2 && FMT.Sprint(ctx.Value(KEY).(T0)) != \"-\" {\nn++\n}\nreturn n, nil\n}", code: "SHOW"},
	{weight: 1, name: "after a defer", decls: "func loadIDENT(ctx CTX.Context) (v T0, err error) {\ndefer func() { NOTE(err == nil) }()\nv = ctx.Value(KEY).(T0)\nreturn v, nil\n}", code: "SHOW"},
	{weight: 1, name: "closure", decls: "func loadIDENT(ctx CTX.Context) (any, error) {\nget := func() T0 { return ctx.Value(KEY).(T0) }\nreturn get(), nil\n}", code: "SHOW"},
	{weight: 1, name: "declaration", decls: "func loadIDENT(ctx CTX.Context) (T0, error) {\nvar v = ctx.Value(KEY).(T0)\nvar w T0 = v\nreturn w, nil\n}", code: "SHOW"},
	{weight: 1, name: "any result", decls: "func loadIDENT(ctx CTX.Context) (any, error) {\nvar v any = ctx.Value(KEY).(T0)\nreturn v, nil\n}", code: "SHOW"},
	{weight: 1, name: "nested", decls: "func loadIDENT(ctx CTX.Context) (any, error) {\nif NOTE(true) {\nfor range 1 {\nv := ctx.Value(KEY).(T0)\nreturn v, nil\n}\n}\nreturn nil, nil\n}", code: "SHOW"},
	{weight: 1, name: "case", decls: "func loadIDENT(ctx CTX.Context) (any, error) {\nswitch v := ctx.Value(KEY).(T0); FMT.Sprint(v) {\ncase \"7\":\nreturn 7, nil\ndefault:\nreturn v, nil\n}\n}", code: "SHOW"},
	{weight: 1, name: "passed through", decls: "func mustIDENT(ctx CTX.Context) T0 { return ctx.Value(KEY).(T0) }\n\nfunc loadIDENT(ctx CTX.Context) (any, error) {\nreturn mustIDENT(ctx), nil\n}", code: "SHOW"},
	{weight: 1, name: "wrapped error", decls: "func loadIDENT(ctx CTX.Context) (T0, error) {\nif ctx.Err() != nil {\nreturn Z0, ERRORF(\"ended\")\n}\nv, w := ctx.Value(KEY).(T0), NOTE(3)\n_ = w\nreturn v, nil\n}", code: "SHOW"},
	{weight: 1, name: "index", decls: "func loadIDENT(ctx CTX.Context) (any, error) {\nm := map[string]T0{}\nm[\"x\"] = ctx.Value(KEY).(T0)\nreturn m[\"x\"], nil\n}", code: "SHOW"},
	{weight: 1, name: "goroutine", decls: "func loadIDENT(ctx CTX.Context) (any, error) {\nch := make(chan any, 1)\nch <- ctx.Value(KEY).(T0)\nreturn <-ch, nil\n}", code: "SHOW"},
	{weight: 1, name: "shadowed names", decls: "func loadIDENT(ctx CTX.Context) (any, error) {\nok, err, value := 1, 2, 3\n_, _, _ = ok, err, value\nv := ctx.Value(KEY).(T0)\nreturn v, nil\n}", code: "SHOW"},
}
