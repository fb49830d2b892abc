package oracle

import (
	"fmt"
	"strings"
)

// An exotic is a way to spell a key, or a look-up, that people hardly write but compilers accept. In its
// text KEY stands for the key's literal, KIND for its type, ID for the atom, CTX for package context.
type exotic struct {
	name  string
	kinds string // kinds of keys it fits, "" for all
	// decls are package-level declarations, pre statements, expr the key or the look-up.
	decls, pre, expr string
}

// exoticKeys spell keys.
var exoticKeys = []exotic{
	{name: "incremented", kinds: "int", pre: "n := KEY\nn++", expr: "n"},
	{name: "added to", kinds: "int", pre: "n := KEY - 1\nn += 1", expr: "n"},
	{name: "appended to", kinds: "string", pre: "s := \"\"\ns += KEY", expr: "s"},
	{name: "appended behind", kinds: "string", pre: "s := KEY\ns += \"!\"", expr: "s"},
	{name: "changed by pointer", pre: "k := KIND(KEY)\np := &k\n*p = KIND(KEY)", expr: "k"},
	{name: "cleared by pointer", pre: "k := KIND(KEY)\np := &k\nvar zero KIND\n*p = zero", expr: "k"},
	{name: "changed by closure", pre: "var k KIND\nfunc() { k = KEY }()", expr: "k"},
	{name: "cleared by closure", pre: "k := KIND(KEY)\nfunc() {\nvar zero KIND\nk = zero\n}()", expr: "k"},
	{name: "swapped", pre: "var zero KIND\na, b := zero, KIND(KEY)\na, b = b, a\n_ = b", expr: "a"},
	{name: "one of two results", decls: "func pairID() (KIND, int) { return KEY, 1 }", pre: "k, _ := pairID()", expr: "k"},
	{name: "second result", decls: "func pairID() (zero, k KIND) { return zero, KEY }", pre: "_, k := pairID()", expr: "k"},
	{name: "named result", decls: "func namedID() (k KIND) {\nk = KEY\nreturn\n}", expr: "namedID()"},
	{name: "deferred result", decls: "func namedID() (k KIND) {\ndefer func() { k = KEY }()\nvar zero KIND\nreturn zero\n}", expr: "namedID()"},
	{name: "struct copy", pre: "type rec struct{ k KIND }\na := rec{KEY}\nb := a\nvar zero KIND\na.k = zero", expr: "b.k"},
	{name: "struct changed by pointer", pre: "type rec struct{ k KIND }\na := rec{KEY}\np := &a\nvar zero KIND\np.k = zero", expr: "a.k"},
	{name: "nested struct", pre: "type in struct{ k KIND }\ntype rec struct {\nin\nn int\n}\na := rec{in{KEY}, 1}", expr: "a.k"},
	{name: "method setter", decls: "type recID struct{ k KIND }\n\nfunc (x *recID) set(k KIND) { x.k = k }", pre: "var a recID\na.set(KEY)", expr: "a.k"},
	{name: "copied slice", pre: "list := make([]KIND, 1)\ncopy(list, []KIND{KEY})", expr: "list[0]"},
	{name: "appended slice", pre: "var list []KIND\nlist = append(list, KEY)\nlist = append(list, list...)", expr: "list[1]"},
	{name: "slice element set", pre: "list := make([]KIND, 2)\nlist[1] = KEY", expr: "list[1]"},
	{name: "slice element by pointer", pre: "list := make([]KIND, 2)\np := &list[1]\n*p = KEY", expr: "list[1]"},
	{name: "aliased slice", pre: "list := make([]KIND, 2)\nother := list[1:]\nother[0] = KEY", expr: "list[1]"},
	{name: "map value", pre: "m := map[string]KIND{}\nm[\"x\"] = KEY", expr: "m[\"x\"]"},
	{name: "map key", pre: "m := map[KIND]int{KEY: 1}\nvar k KIND\nfor k = range m {\n}", expr: "k"},
	{name: "range of map", pre: "var k KIND\nfor _, v := range map[int]KIND{1: KEY} {\nk = v\n}", expr: "k"},
	{name: "range of function", decls: "func seqID(yield func(KIND) bool) { yield(KEY) }", pre: "var k KIND\nfor v := range seqID {\nk = v\n}", expr: "k"},
	{name: "range of function of pairs", decls: "func seqID(yield func(int, KIND) bool) {\n_ = yield(1, KEY)\n}", pre: "var k KIND\nfor _, v := range seqID {\nk = v\n}", expr: "k"},
	{name: "range of int", kinds: "int", pre: "var k int\nfor i := range KEY + 1 {\nk = i\n}", expr: "k"},
	{name: "range index", kinds: "int", pre: "var k int\nfor i := range [3]bool{} {\nif i == KEY {\nk = i\n}\n}", expr: "k"},
	{name: "loop variable", kinds: "int", pre: "k := 0\nfor i := 0; i <= KEY; i++ {\nk = i\n}", expr: "k"},
	{name: "range of string", kinds: "rune", pre: "var k rune\nfor _, c := range \"xa\" {\nk = c\n}", expr: "k"},
	{name: "shifted", kinds: "int", pre: "var n uint", expr: "KEY << n"},
	{name: "divided", kinds: "int", expr: "KEY * 4 / 4"},
	{name: "length", kinds: "int", expr: "len(\"ab\")"},
	{name: "comparison", kinds: "bool", expr: "1 < 2"},
	{name: "negation", kinds: "bool", expr: "!false"},
	{name: "smallest", kinds: "string", expr: "min(KEY, \"zzz\")"},
	{name: "asserted", pre: "var x any = KEY", expr: "x.(KIND)"},
	{name: "type switched", pre: "var x any = KEY\nvar k KIND\nswitch v := x.(type) {\ncase KIND:\nk = v\n}", expr: "k"},
	{name: "interface copied", pre: "var x any = KEY\nvar y interface{} = x", expr: "any(y)"},
	{name: "through a channel", pre: "pipe := make(chan any, 1)\npipe <- KEY", expr: "any(<-pipe)"},
	{name: "scanned", kinds: "string", pre: "var k string\nfmt.Sscan(KEY, &k)", expr: "k"},
	{name: "literal called at once", expr: "func() KIND { return KEY }()"},
	{name: "generic pair", decls: "type pairID[A, B any] struct {\na A\nb B\n}", pre: "p := pairID[int, KIND]{1, KEY}", expr: "p.b"},
	{name: "generic method", decls: "type cellID[T any] struct{ v T }\n\nfunc (c cellID[T]) get() T { return c.v }", expr: "cellID[KIND]{KEY}.get()"},
	{name: "generic constraint", decls: "func keyOfID[S ~KIND](s S) KIND { return KIND(s) }", expr: "keyOfID(KIND(KEY))"},
	{name: "method of a named type", decls: "type nameID KIND\n\nfunc (n nameID) raw() KIND { return KIND(n) }", expr: "nameID(KEY).raw()"},
	{name: "array of arrays", pre: "grid := [2][2]KIND{{KEY, KEY}, {KEY, KEY}}", expr: "grid[1][0]"},
	{name: "keyed array", pre: "list := [...]KIND{2: KEY}", expr: "list[2]"},
	{name: "unset variable", pre: "var k KIND\nif at0 := len(\"\"); at0 == 0 {\nk = KEY\n}", expr: "k"},
	{name: "label and goto", pre: "var k KIND\ni := 0\nagain:\nif i < 1 {\nk = KEY\ni++\ngoto again\n}", expr: "k"},
	{name: "select", pre: "pipe := make(chan KIND, 1)\npipe <- KEY\nvar k KIND\nselect {\ncase k = <-pipe:\n}", expr: "k"},
	{name: "closed over", pre: "k := KIND(KEY)\nget := func() KIND { return k }", expr: "get()"},
	{name: "curried", pre: "mk := func(k KIND) func() KIND { return func() KIND { return k } }", expr: "mk(KEY)()"},
	{name: "function in map", pre: "fs := map[string]func() KIND{\"x\": func() KIND { return KEY }}", expr: "fs[\"x\"]()"},
	{name: "package variable set in init", decls: "var lateID KIND\n\nfunc init() { lateID = KEY }", expr: "lateID"},
	{name: "package variable cleared in init", decls: "var lateID KIND = KEY\n\nfunc init() {\nvar zero KIND\nlateID = zero\n}", expr: "lateID"},
	{name: "package table changed", decls: "var listID = []KIND{KEY}\n\nfunc init() {\nvar zero KIND\nlistID[0] = zero\n}", expr: "listID[0]"},
	{name: "package struct changed", decls: "var recID = struct{ k KIND }{KEY}\n\nfunc init() {\nvar zero KIND\nrecID.k = zero\n}", expr: "recID.k"},
	{name: "package struct changed through pointer", decls: "type recID struct{ k KIND }\n\nvar theID = &recID{KEY}\n\nfunc init() {\nvar zero KIND\n*theID = recID{zero}\n}", expr: "theID.k"},
	{name: "package map changed", decls: "var mapID = map[int]KIND{1: KEY}\n\nfunc init() { delete(mapID, 1) }", expr: "mapID[1]"},
	{name: "missing map element", decls: "var mapID = map[int]KIND{1: KEY}", expr: "mapID[2]"},
	{name: "array with gaps", decls: "var arrID = [3]KIND{1: KEY}", expr: "arrID[0]"},
	{name: "struct with zero field", pre: "type rec struct{ a, b KIND }\nr := rec{a: KEY}", expr: "r.b"},
	{name: "closed channel", pre: "pipe := make(chan KIND, 1)\npipe <- KEY\n<-pipe\nclose(pipe)", expr: "<-pipe"},
	{name: "comma-ok map", pre: "k, ok := map[int]KIND{1: KEY}[3]\n_ = ok", expr: "k"},
	{name: "comma-ok assertion", pre: "var x any = 1i\nk, _ := x.(KIND)\nif len(\"\") > 0 {\nk = KEY\n}", expr: "k"},
	{name: "grown slice", pre: "list := append(make([]KIND, 1), KEY)", expr: "list[0]"},
	{name: "cleared slice", pre: "list := []KIND{KEY}\nclear(list)", expr: "list[0]"},
	{name: "new", pre: "p := new(KIND)\n*p = KEY", expr: "*p"},
	{name: "recovered", pre: "var k KIND\nfunc() {\ndefer func() { k, _ = recover().(KIND) }()\npanic(KIND(KEY))\n}()", expr: "k"},
	{name: "zero of a generic", decls: "func zeroID[T any](T) (z T) { return z }", expr: "zeroID(KIND(KEY))"},
	{name: "embedded interface", decls: "type namerID interface{ name() KIND }\n\ntype oneID struct{}\n\nfunc (oneID) name() KIND { return KEY }\n\ntype twoID struct{ namerID }", expr: "twoID{oneID{}}.name()"},
}

// exoticLooks look a key up; ctx is the context.
var exoticLooks = []exotic{
	{name: "parenthesized method", expr: "(ctx.Value)(KEY)"},
	{name: "method expression called", expr: "CTX.Context.Value(ctx, KEY)"},
	{name: "method expression of own type", decls: "type ownID struct{ CTX.Context }", expr: "ownID.Value(ownID{ctx}, KEY)"},
	{name: "method expression variable", pre: "look := CTX.Context.Value", expr: "look(ctx, KEY)"},
	{name: "array of contexts", pre: "all := []CTX.Context{ctx}", expr: "all[0].Value(KEY)"},
	{name: "map of contexts", pre: "all := map[string]CTX.Context{\"x\": ctx}", expr: "all[\"x\"].Value(KEY)"},
	{name: "channel of contexts", pre: "all := make(chan CTX.Context, 1)\nall <- ctx", expr: "(<-all).Value(KEY)"},
	{name: "asserted context", pre: "var x any = ctx", expr: "x.(CTX.Context).Value(KEY)"},
	{name: "asserted valuer", pre: "var x any = ctx", expr: "x.(interface{ Value(any) any }).Value(KEY)"},
	{name: "type parameter", decls: "func lookID[C CTX.Context](c C) any { return c.Value(KEY) }", expr: "lookID(ctx)"},
	{name: "type parameter valuer", decls: "func lookID[C interface{ Value(any) any }](c C) any { return c.Value(KEY) }", expr: "lookID(ctx)"},
	{name: "pointer to context", pre: "p := &ctx", expr: "(*p).Value(KEY)"},
	{name: "literal called", expr: "func(k KIND) any { return ctx.Value(k) }(KEY)"},
	{name: "literal called with any", expr: "func(k any) any { return ctx.Value(k) }(KEY)"},
	{name: "variadic spread", decls: "func lookID(ctx CTX.Context, ks ...any) any { return ctx.Value(ks[len(ks)-1]) }", expr: "lookID(ctx, []any{1i, KEY}...)"},
	{name: "spread results", decls: "func bothID(ctx CTX.Context) (CTX.Context, any) { return ctx, KEY }\n\nfunc lookID(ctx CTX.Context, k any) any { return ctx.Value(k) }", expr: "lookID(bothID(ctx))"},
	{name: "defer", pre: "defer ctx.Value(KEY)", expr: "ctx.Value(KEY) != nil"},
	{name: "go", pre: "go ctx.Value(KEY)", expr: "ctx.Value(KEY) != nil"},
	{name: "embedded pointer", pre: "type in struct{ CTX.Context }\ntype out struct{ *in }\no := out{&in{ctx}}", expr: "o.Value(KEY)"},
	{name: "named interface", decls: "type sourceID interface {\nCTX.Context\nextra() int\n}\n\ntype implID struct{ CTX.Context }\n\nfunc (implID) extra() int { return 1 }", pre: "var s sourceID = implID{ctx}", expr: "s.Value(KEY)"},
	{name: "alias of context", decls: "type ctxID = CTX.Context\n\nfunc lookID(c ctxID) any { return c.Value(KEY) }", expr: "lookID(ctx)"},
	{name: "function type", decls: "type getID func(CTX.Context, any) any", pre: "g := getID(func(c CTX.Context, k any) any { return c.Value(k) })", expr: "g(ctx, KEY)"},
	{name: "method of function type", decls: "type getID func(k any) any\n\nfunc (g getID) Value(k any) any { return g(k) }", expr: "getID(ctx.Value).Value(KEY)"},
	{name: "returned function", decls: "func lookerID(c CTX.Context) func(any) any { return c.Value }", expr: "lookerID(ctx)(KEY)"},
	{name: "function in struct", pre: "s := struct{ get func(any) any }{ctx.Value}", expr: "s.get(KEY)"},
	{name: "function argument", decls: "func useID(get func(any) any, k any) any { return get(k) }", expr: "useID(ctx.Value, KEY)"},
	{name: "two in one expression", expr: "[]bool{ctx.Value(KEY) != nil, ctx.Value(KEY) == ctx.Value(any(KEY))}"},
	{name: "nested look-ups", pre: "inner := CTX.WithValue(ctx, KEY, KEY)", expr: "ctx.Value(inner.Value(KEY))"},
	{name: "closure over context", pre: "get := func() any {\nif v := ctx.Value(KEY); v != nil {\nreturn v\n}\nreturn \"fallback\"\n}", expr: "get()"},
	{name: "receiver context", decls: "type handlerID struct{ CTX.Context }\n\nfunc (h *handlerID) read() any { return h.Value(KEY) }", expr: "(&handlerID{ctx}).read()"},
	{name: "any of several keys", pre: "var v0 any\nfor _, k := range []any{KEY, 1i, struct{}{}} {\nif v := ctx.Value(k); v != nil {\nv0 = v\n}\n}", expr: "v0"},
	{name: "iterator", decls: "func valuesID(ctx CTX.Context, keys ...KIND) func(func(KIND, any) bool) {\nreturn func(yield func(KIND, any) bool) {\nfor _, k := range keys {\nif !yield(k, ctx.Value(k)) {\nreturn\n}\n}\n}\n}", pre: "var v0 any\nfor _, v := range valuesID(ctx, KEY) {\nv0 = v\n}", expr: "v0"},
}

// exoticStores store a value; ctx is the context.
var exoticStores = []exotic{
	{name: "parenthesized function", expr: "(CTX.WithValue)(ctx, KEY, 81)"},
	{name: "spread arguments", decls: "func tripleID(ctx CTX.Context) (CTX.Context, any, any) { return ctx, KEY, 82 }", expr: "CTX.WithValue(tripleID(ctx))"},
	{name: "spread typed arguments", decls: "func tripleID(ctx CTX.Context) (CTX.Context, KIND, int) { return ctx, KEY, 83 }", expr: "CTX.WithValue(tripleID(ctx))"},
	{name: "loop over map", pre: "for k, v := range map[KIND]int{KEY: 84} {\nctx = CTX.WithValue(ctx, k, v)\n}", expr: "ctx"},
	{name: "loop over any map", pre: "for k, v := range map[any]any{KEY: 85} {\nctx = CTX.WithValue(ctx, k, v)\n}", expr: "ctx"},
	{name: "options", decls: "type optID func(CTX.Context) CTX.Context\n\nfunc withID(k KIND, v any) optID {\nreturn func(ctx CTX.Context) CTX.Context { return CTX.WithValue(ctx, k, v) }\n}", expr: "withID(KEY, 86)(ctx)"},
	{name: "chained builder", decls: "type buildID struct{ ctx CTX.Context }\n\nfunc (b buildID) with(k KIND, v any) buildID {\nb.ctx = CTX.WithValue(b.ctx, k, v)\nreturn b\n}", expr: "buildID{ctx}.with(KEY, 87).with(KEY, 88).ctx"},
	{name: "assigned in if", pre: "if c := CTX.WithValue(ctx, KEY, 89); c != nil {\nctx = c\n}", expr: "ctx"},
	{name: "stored context", pre: "var holder struct{ c CTX.Context }\nholder.c = CTX.WithValue(ctx, KEY, 90)", expr: "holder.c"},
	{name: "generic store", decls: "func putID[K comparable, V any](ctx CTX.Context, k K, v V) CTX.Context { return CTX.WithValue(ctx, k, v) }", expr: "putID[KIND, int](ctx, KEY, 91)"},
	{name: "function variable set later", pre: "var put func(CTX.Context, any, any) CTX.Context\nput = CTX.WithValue", expr: "put(ctx, KEY, 92)"},
	{name: "value stored under itself", expr: "CTX.WithValue(ctx, KEY, KEY)"},
	{name: "stored by defer", pre: "out := ctx\nfunc() {\ndefer func() { out = CTX.WithValue(out, KEY, 93) }()\n}()", expr: "out"},
	{name: "renamed WithValue", decls: "var storeID = CTX.WithValue", expr: "storeID(ctx, KEY, 94)"},
}

func (x *exotic) fill(id string, k *key, ctx string) (decls, pre, expr string) {
	rep := strings.NewReplacer("KEY", k.lit, "KIND", k.kind, "ID", id, "CTX", ctx)
	return rep.Replace(x.decls), rep.Replace(x.pre), rep.Replace(x.expr)
}

// fits reports whether an exotic serves for keys of a kind.
func (x *exotic) fits(k *key) bool { return x.kinds == "" || x.kinds == k.kind }

// tameExotics are those that do not make other keys a matter of review.
var tameExotics = map[string]bool{
	"one of two results": true, "named result": true, "nested struct": true, "copied slice": true, "divided": true, "length": true,
	"comparison": true, "negation": true, "smallest": true, "interface copied": true, "generic pair": true, "generic method": true,
	"array of arrays": true, "keyed array": true, "label and goto": true, "closed over": true, "map key": true,
	"function in struct": false, "function type": false, "method of function type": false, "nested look-ups": false,
	"returned function": false, "spread results": false, "generic store": false, "spread arguments": false, "spread typed arguments": false,
}

// pickExotic picks one that fits a key; a tame program has no exotic keys but known tame ones, and all
// look-ups and stores but those known to be wild.
func (g *gen) pickExotic(r rnd, list []exotic, k *key) *exotic {
	keys := list[0].name == exoticKeys[0].name
	for {
		x := &list[r.IntN(len(list))]
		tame, known := tameExotics[x.name]
		if x.fits(k) && (!g.tame || tame || !known && !keys) {
			return x
		}
	}
}

// exoticKey picks how a key is spelled. What is not known to be tame may come to no key at all: the zero value of its type, which is
// another key if there is one.
func (g *gen) exoticKey(id string, k *key, r rnd) *exotic {
	x := g.pickExotic(r, exoticKeys, k)
	if !tameExotics[x.name] {
		g.own(id, zeroKey(k.kind))
	}
	return x
}

// zeroKey writes the zero value of a kind of keys.
func zeroKey(kind string) string {
	switch kind {
	case "string":
		return `""`
	case "bool":
		return "false"
	}
	return "0"
}

// exotic adds a site written in an exotic way.
func (g *gen) exotic(id string, k *key, b *body, r rnd) {
	ctx := b.std("context")
	put := func(x *exotic, what string) string {
		g.label(k, "exotic %s: %s", what, x.name)
		decls, pre, expr := x.fill(id, k, ctx)
		if decls != "" {
			b.add("%s", decls)
		}
		if strings.Contains(pre, "fmt.") {
			b.std("fmt")
		}
		if pre != "" {
			b.before("%s", pre)
		}
		return expr
	}
	switch r.IntN(5) {
	case 0:
		g.writeSite(b, put(g.pickExotic(r, exoticStores, k), "store"))
	case 1:
		key := put(g.exoticKey(id, k, r), "key")
		g.writeSite(b, fmt.Sprintf("%s.WithValue(ctx, %s, 95)", ctx, key))
	case 2:
		key := put(g.exoticKey(id, k, r), "key")
		g.readSite(b, fmt.Sprintf("ctx.Value(%s)", key))
	default:
		g.readSite(b, put(g.pickExotic(r, exoticLooks, k), "look-up"))
	}
}
