package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// A way is one way to write a store, a look-up or what is done with the value found. Its text is a
// template: KEY, KIND, VAL, SRC (the context), CTX (package context), FN and INNER (helpers),
// READ (the look-up), TYP (the value's type) and OUT( for printing stand for what their names say.
type way struct {
	weight int
	name   string
	// typed ways need a key expression of the key's own type, not of type any.
	typed bool
	// stem and helper are the name and the text of a helper function or type, innerStem and
	// inner those of one that it uses. A far helper lives in a package below.
	stem, helper     string
	innerStem, inner string
	far              bool
	// pre are statements before expr.
	pre, expr string
	// needs is "type" when the file must be able to name the value's type, "comparable" when the
	// value is to be compared, "tag" when it has a method Tag.
	needs string
	// header marks an expression that stands in the header of an if, for or switch.
	header bool
}

var storeWays = []way{
	{weight: 12, name: "direct store", expr: "CTX.WithValue(SRC, KEY, VAL)"},
	{weight: 1, name: "multi-line call", expr: "CTX.WithValue(\nSRC,\nKEY, // the key\nVAL,\n)"},
	{weight: 1, name: "comment in call", expr: "CTX.WithValue(SRC, /* key */ KEY, VAL)"},
	{weight: 1, name: "nested stores", expr: "CTX.WithValue(CTX.WithValue(SRC, \"outer\", 1), KEY, VAL)"},
	{weight: 2, name: "store forwarder", typed: true, stem: "putKIND", expr: "FN(SRC, KEY, VAL)",
		helper: "func FN(ctx CTX.Context, k KIND, v any) CTX.Context {\n\treturn CTX.WithValue(ctx, k, v)\n}"},
	{weight: 1, name: "store any forwarder", stem: "putAny", helper: putAny, expr: "FN(SRC, KEY, VAL)"},
	{weight: 1, name: "store two levels", typed: true, stem: "outerKIND", innerStem: "putAny", inner: putAny, expr: "FN(SRC, KEY, VAL)",
		helper: "func FN(ctx CTX.Context, k KIND, v any) CTX.Context {\n\treturn INNER(ctx, k, v)\n}"},
	{weight: 1, name: "store method", typed: true, stem: "putterKIND", expr: "(&FN{}).put(SRC, KEY, VAL)",
		helper: "type FN struct{ n int }\n\nfunc (p *FN) put(ctx CTX.Context, k KIND, v any) CTX.Context {\n\tp.n++\n\treturn CTX.WithValue(ctx, k, v)\n}"},
	{weight: 1, name: "store closure", pre: "with := func(k any) CTX.Context { return CTX.WithValue(SRC, k, VAL) }", expr: "with(KEY)"},
	{weight: 1, name: "store forwarder elsewhere", typed: true, far: true, stem: "PutKIND", expr: "FN(SRC, KEY, VAL)",
		helper: "// FN stores under a key.\nfunc FN(ctx CTX.Context, k KIND, v any) CTX.Context {\n\treturn CTX.WithValue(ctx, k, v)\n}"},
	{weight: 1, name: "store generic", typed: true, stem: "putOf", needs: "value", expr: "FN(SRC, KEY, VAL)",
		helper: "func FN[K comparable, V any](ctx CTX.Context, k K, v V) CTX.Context {\n\treturn CTX.WithValue(ctx, k, v)\n}"},
	{weight: 1, name: "store in loop", typed: true, pre: "for _, k := range []KIND{KEY} {\nctx = CTX.WithValue(SRC, k, VAL)\n}", expr: "ctx"},
	{weight: 1, name: "store from field", typed: true, pre: "opt := struct {\nname KIND\nvalue any\n}{name: KEY, value: VAL}", expr: "CTX.WithValue(SRC, opt.name, opt.value)"},
	{weight: 1, name: "store through interface", typed: true, stem: "storerKIND", expr: "FN(FNImpl{}).keep(SRC, KEY, VAL)",
		helper: "type FN interface {\n\tkeep(ctx CTX.Context, k KIND, v any) CTX.Context\n}\n\ntype FNImpl struct{}\n\nfunc (FNImpl) keep(ctx CTX.Context, name KIND, v any) CTX.Context {\n\treturn CTX.WithValue(ctx, name, v)\n}"},
}

const (
	putAny = "func FN(ctx CTX.Context, k, v any) CTX.Context {\n\treturn CTX.WithValue(ctx, k, v)\n}"
	getAny = "func FN(ctx CTX.Context, k any) any { return ctx.Value(k) }"
	getOne = "func FN(ctx CTX.Context, k KIND) any { return ctx.Value(k) }"
)

var lookupWays = []way{
	{weight: 14, name: "direct look-up", expr: "SRC.Value(KEY)"},
	{weight: 1, name: "multi-line call", expr: "SRC.Value(\nKEY,\n)"},
	{weight: 1, name: "comment in call", expr: "SRC.Value( /* key */ KEY)"},
	{weight: 2, name: "read forwarder", typed: true, stem: "getKIND", helper: getOne, expr: "FN(SRC, KEY)"},
	{weight: 1, name: "read any forwarder", stem: "getAny", helper: getAny, expr: "FN(SRC, KEY)"},
	{weight: 1, name: "read two levels", stem: "outerAny", innerStem: "getAny", inner: getAny, expr: "FN(SRC, KEY)",
		helper: "func FN(ctx CTX.Context, k any) any { return INNER(ctx, k) }"},
	{weight: 1, name: "read method", typed: true, stem: "lookupKIND", expr: "FN{SRC}.get(KEY)",
		helper: "type FN struct{ c CTX.Context }\n\nfunc (l FN) get(k KIND) any { return l.c.Value(k) }"},
	{weight: 1, name: "read closure", pre: "get := func(k any) any { return SRC.Value(k) }", expr: "get(KEY)"},
	{weight: 1, name: "read forwarder elsewhere", typed: true, far: true, stem: "GetKIND", expr: "FN(SRC, KEY)",
		helper: "// FN looks up.\nfunc FN(ctx CTX.Context, k KIND) any {\n\treturn ctx.Value(k)\n}"},
	{weight: 1, name: "read any forwarder elsewhere", far: true, stem: "GetAny", expr: "FN(SRC, KEY)",
		helper: "// FN looks up.\nfunc FN(ctx CTX.Context, k any) any {\n\treturn ctx.Value(k)\n}"},
	{weight: 1, name: "wrapper with Get", typed: true, stem: "getterKIND", expr: "FN{SRC}.Get(KEY)",
		helper: "type FN struct{ CTX.Context }\n\nfunc (c FN) Get(key KIND) any { return c.Value(key) }"},
	{weight: 1, name: "generic key parameter", stem: "getOf", expr: "FN(SRC, KEY)",
		helper: "func FN[K comparable](ctx CTX.Context, k K) any { return ctx.Value(k) }"},
	{weight: 1, name: "delegating Value", stem: "delegate", expr: "FN{SRC}.Value(KEY)",
		helper: "type FN struct{ CTX.Context }\n\nfunc (d FN) Value(key any) any { return d.Context.Value(key) }"},
	{weight: 1, name: "variadic keys", stem: "first", expr: "FN(SRC, KEY)",
		helper: "func FN(ctx CTX.Context, keys ...any) any {\n\tfor _, k := range keys {\n\t\tif v := ctx.Value(k); v != nil {\n\t\t\treturn v\n\t\t}\n\t}\n\treturn nil\n}"},
	{weight: 1, name: "read method value", pre: "look := SRC.Value", expr: "look(KEY)"},
	{weight: 1, name: "read function value", typed: true, stem: "getKIND", helper: getOne, pre: "fn := FN", expr: "fn(SRC, KEY)"},
	{weight: 1, name: "read through interface", typed: true, stem: "sourceKIND", expr: "FN(FNImpl{SRC}).find(KEY)",
		helper: "type FN interface{ find(k KIND) any }\n\ntype FNImpl struct{ c CTX.Context }\n\nfunc (s FNImpl) find(name KIND) any { return s.c.Value(name) }"},
	{weight: 1, name: "generic result", typed: true, needs: "type", stem: "getAsKIND", pre: "got, _ := FN[TYP](SRC, KEY)", expr: "any(got)",
		helper: "func FN[T any](ctx CTX.Context, k KIND) (T, bool) {\n\tv, ok := ctx.Value(k).(T)\n\treturn v, ok\n}"},
	{weight: 1, name: "read in loop", typed: true, pre: "var found any\nfor _, k := range []KIND{LIT, KEY} {\nfound = SRC.Value(k)\n}", expr: "found"},
	{weight: 1, name: "read in callback", typed: true, stem: "eachKIND", expr: "FN(func(k KIND) any { return SRC.Value(k) }, KEY)",
		helper: "func FN(f func(k KIND) any, names ...KIND) (last any) {\n\tfor _, n := range names {\n\t\tlast = f(n)\n\t}\n\treturn last\n}"},
	{weight: 1, name: "embedded context", stem: "scope", expr: "(&FN{SRC, 1}).Value(KEY)",
		helper: "type FN struct {\n\tCTX.Context\n\tn int\n}"},
}

// guarded prints that the statements behind it panic.
const guarded = "defer func() {\nif recover() != nil {\nOUT(\"panics\")\n}\n}()\n"

var readWays = []way{
	{weight: 8, name: "ok", needs: "type", expr: "v, ok := READ.(TYP)\nOUT(v, ok)"},
	{weight: 3, name: "panic", needs: "type", expr: guarded + "v := READ.(TYP)\nOUT(v)"},
	{weight: 2, name: "nil", expr: "OUT(READ != nil)"},
	{weight: 2, name: "print", expr: "v := READ\nFMT.Printf(\"%s ID %T %v\\n\", at, v, v)"},
	{weight: 1, name: "interface", expr: "s, ok := READ.(interface{ Tag() string })\nOUT(ok && s != nil)"},
	{weight: 1, name: "switch other", header: true, expr: "switch v := READ.(type) {\ncase nil:\nOUT(\"nil\")\ncase string, int:\nOUT(v)\ncase FMT.Stringer:\nOUT(v.String())\ndefault:\nOUT(\"other\")\n}"},
	{weight: 1, name: "handed on", stem: "say", expr: "FN(at, \"ID\", READ)", helper: "func FN(at, id string, v any) { fmt.Println(at, id, v != nil, v) }"},
	{weight: 1, name: "wrong type", expr: "v, ok := READ.(uint8)\nOUT(v, ok)"},
	{weight: 1, name: "if", needs: "type", header: true, expr: "if v, ok := READ.(TYP); ok {\nOUT(v)\n} else {\nOUT(ok)\n}"},
	{weight: 1, name: "switch", needs: "type", header: true, expr: "switch v := READ.(type) {\ncase TYP:\nOUT(v)\ncase nil:\nOUT(\"nil\")\n}"},
	{weight: 1, name: "var", needs: "type", expr: "var v, ok = READ.(TYP)\nOUT(v, ok)"},
	{weight: 1, name: "ok only", needs: "type", expr: "_, ok := READ.(TYP)\nOUT(ok)"},
	{weight: 1, name: "method", needs: "tag", expr: guarded + "OUT(READ.(TYP).Tag())"},
	{weight: 1, name: "operand", needs: "type", expr: guarded + "OUT(READ.(TYP))"},
	{weight: 1, name: "assign", needs: "type", expr: "var v TYP\nvar ok bool\nv, ok = READ.(TYP)\nOUT(v, ok)"},
	{weight: 1, name: "pair", expr: "a, b := READ, ctx.Value(\"outer\")\nOUT(a != nil, b)"},
	{weight: 1, name: "goroutine", expr: "ch := make(chan any)\ngo func() { ch <- READ }()\nOUT(<-ch)"},
	{weight: 1, name: "deferred", expr: "defer func(v any) {\nOUT(v)\n}(READ)"},
	{weight: 1, name: "literal", expr: "rec := map[string]any{\"v\": READ}\nOUT(rec[\"v\"] != nil, len(rec))"},
	{weight: 1, name: "discarded", expr: "_ = READ"},
	{weight: 1, name: "statement", needs: "call", expr: "READ"},
	{weight: 1, name: "assert any", expr: "v, ok := READ.(any)\nOUT(v, ok)"},
	{weight: 1, name: "any or panic", expr: guarded + "OUT(READ.(any))"},
	{weight: 1, name: "named bool", needs: "type", expr: "type flag bool\nvar v TYP\nvar ok flag\nv, ok = READ.(TYP)\nOUT(v, ok)"},
	{weight: 1, name: "any targets", needs: "type", expr: "var v, ok any = READ.(TYP)\nOUT(v, ok)"},
	{weight: 1, name: "returned", needs: "type", expr: guarded + "result := func() TYP { return READ.(TYP) }\nOUT(result())"},
	{weight: 1, name: "argument", needs: "type", expr: guarded + "func(v TYP) {\nOUT(v)\n}(READ.(TYP))"},
	{weight: 1, name: "index assign", needs: "type", expr: "m := map[string]TYP{}\nm[\"x\"], _ = READ.(TYP)\nOUT(m[\"x\"])"},
	{weight: 1, name: "for", needs: "type", header: true, expr: "for v, ok := READ.(TYP); ok; ok = false {\nOUT(v)\n}"},
	{weight: 1, name: "switch bool", needs: "type", header: true, expr: "switch v, ok := READ.(TYP); {\ncase ok:\nOUT(v)\ndefault:\nOUT(v)\n}"},
	{weight: 1, name: "if not", needs: "type", header: true, expr: "if _, ok := READ.(TYP); !ok {\nOUT(\"missing\")\nreturn\n}\nOUT(\"there\")"},
	{weight: 1, name: "generic as", needs: "type", stem: "as", expr: "v, ok := FN[TYP](READ)\nOUT(v, ok)", helper: "func FN[T any](v any) (T, bool) {\n\tt, ok := v.(T)\n\treturn t, ok\n}"},
	{weight: 1, name: "generic reader", needs: "alone", stem: "readID", expr: "v, ok := FN[TYP](ctx)\nOUT(v, ok)",
		helper: "func FN[T any](ctx CTX.Context) (T, bool) {\n\tv, ok := READ.(T)\n\treturn v, ok\n}"},
	{weight: 1, name: "getter", needs: "alone", stem: "readID", expr: "v, ok := FN(ctx)\nOUT(v, ok)",
		helper: "func FN(ctx CTX.Context) (TYP, bool) {\n\tv, ok := READ.(TYP)\n\treturn v, ok\n}"},
	{weight: 1, name: "variable function", needs: "alone", stem: "readID", expr: "v, ok := FN(ctx)\nOUT(v, ok)",
		helper: "var FN = func(ctx CTX.Context) (v TYP, ok bool) {\n\tv, ok = READ.(TYP)\n\treturn\n}"},
	{weight: 1, name: "compare", needs: "comparable", expr: "OUT(READ == VAL)"},
}

// write fills a way's template for a body; what is its text, as pairs, besides what the body says.
func (g *gen) write(w *way, k *key, b *body, r rnd, what ...string) string {
	g.label(k, "%s", w.name)
	typ := "any"
	if w.needs == "type" || w.needs == "tag" || w.needs == "alone" {
		typ, _ = k.value.typ(b.file)
	}
	pairs := append([]string{"KIND", k.kind, "LIT", k.lit, "SRC", b.ctx, "TYP", typ, "ID", b.id}, what...)
	if strings.Contains(w.expr, "OUT(") || strings.Contains(w.expr, "FMT.") {
		fmtp := b.std("fmt")
		pairs = append(pairs, "FMT", fmtp, "OUT(", fmt.Sprintf("%s.Println(at, %q, ", fmtp, b.id))
	}
	fill := func(text, ctx, fn, inner string) string {
		return strings.NewReplacer(append([]string{"CTX", ctx, "FN", fn, "INNER", inner}, pairs...)...).Replace(text)
	}
	fn, inner := "", ""
	if w.stem != "" {
		host := b.file
		if w.far {
			host = g.newFile(g.below(r, b.file), "far.go")
		} else if w.needs != "alone" {
			host = g.helpFile(b.file)
		}
		ctx := host.std("context")
		if w.inner != "" {
			inner = g.declare(b.file, host, fill(w.innerStem, "", "", ""), func(name string) string { return fill(w.inner, ctx, name, "") })
		}
		fn = g.declare(b.file, host, fill(w.stem, "", "", ""), func(name string) string { return fill(w.helper, ctx, name, inner) })
		if w.far {
			fn = b.ref(host.pkg, fn)
		}
	}
	if w.pre != "" {
		b.before("%s", fill(w.pre, b.std("context"), fn, inner))
	}
	return fill(w.expr, b.quali["context"], fn, inner)
}

// store writes the call that stores a value under a key.
func (g *gen) store(k *key, b *body, r rnd, expr, val string) string {
	b.std("context")
	ways := fitting(storeWays, func(w *way) bool {
		return !(w.typed && k.anyExpr(expr)) && !(w.far && g.below(r, b.file) == nil) && !(w.needs == "value" && val == "nil")
	})
	return g.write(pickWeighted(r, ways), k, b, r, "KEY", expr, "VAL", val)
}

// lookup writes the expression that reads.
func (g *gen) lookup(k *key, b *body, r rnd, expr string) string {
	if b.ctx == "src" {
		return fmt.Sprintf("%s.Value(%s)", b.ctx, expr)
	}
	b.std("context")
	_, named := k.value.typ(b.file)
	ways := fitting(lookupWays, func(w *way) bool {
		return !(w.typed && k.anyExpr(expr)) && !(w.far && g.below(r, b.file) == nil) && (w.needs == "" || named)
	})
	return g.write(pickWeighted(r, ways), k, b, r, "KEY", expr)
}

// use writes the statements around a look-up.
func (g *gen) use(k *key, b *body, r rnd, read string) string {
	b.std("context")
	typ, named := k.value.typ(b.file)
	named = named && typ != "any"
	ways := fitting(readWays, func(w *way) bool {
		switch w.needs {
		case "type":
			return named
		case "tag":
			return named && k.value.tag
		case "alone":
			return named && len(b.pre) == 0 && !strings.Contains(read, "\n") && b.ctx == "ctx"
		case "comparable":
			return k.value.comparable && k.value.home == nil && k.value.std == ""
		case "call":
			return strings.HasSuffix(read, ")") && !strings.HasPrefix(read, "any(") && !strings.HasPrefix(read, "(")
		}
		return true
	})
	w := pickWeighted(r, ways)
	if w.header && strings.Contains(read, "}") { // a composite literal cannot stand in a header
		read = "(" + read + ")"
	}
	return g.write(w, k, b, r, "READ", read, "VAL", pick(r, k.value.values))
}

func fitting(list []way, ok func(*way) bool) []weighted[*way] {
	var out []weighted[*way]
	for i := range list {
		if ok(&list[i]) {
			out = append(out, weighted[*way]{list[i].weight, &list[i]})
		}
	}
	return slices.Clip(out)
}
