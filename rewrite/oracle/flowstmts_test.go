package oracle

import (
	"fmt"
	"strings"
)

// A flowStatement is a kind of statement.
type flowStatement struct {
	weight int
	write  func(*flowBody, string)
	// needs says where it can stand: "ctx" where a context is in scope, "none" where there is none, "outer" outside of
	// goroutines and literals, "beside" in goroutines.
	needs string
}

// flowStatements are the kinds there are. (Filled by init: they call each other.)
var flowStatements []flowStatement

func init() {
	flowStatements = []flowStatement{
		{3, func(b *flowBody, id string) { b.show() }, ""},
		{7, (*flowBody).proper, ""},
		{7, (*flowBody).lost, ""},
		{2, (*flowBody).bornVariable, ""},
		{3, (*flowBody).put, "ctx"},
		{2, (*flowBody).cut, "ctx"},
		{2, (*flowBody).timed, "ctx"},
		{3, (*flowBody).less, "ctx"},
		{5, (*flowBody).goJoined, "outer"},
		{3, (*flowBody).goLater, "outer"},
		{1, (*flowBody).goNamed, "outer"},
		{1, (*flowBody).goTimer, "outer"},
		{4, (*flowBody).goInner, "beside"},
		{1, (*flowBody).whenOver, "ctx"},
		{2, (*flowBody).loop, ""},
		{2, (*flowBody).grow, "ctx"},
		{2, (*flowBody).stale, "ctx"},
		{1, (*flowBody).dropCancel, "ctx"},
		{2, (*flowBody).closure, ""},
		{1, (*flowBody).block, ""},
		{1, (*flowBody).runOnce, ""},
		{2, (*flowBody).deferred, "outer"},
		{2, (*flowBody).need, "ctx"},
	}
}

// statement writes one statement.
func (b *flowBody) statement(id string) {
	b.atom(id, func(r rnd) {
		old := b.r
		b.r = r
		defer func() { b.r = old }()
		var list []weighted[flowStatement]
		for _, s := range flowStatements {
			v := b.now()
			if s.needs == "ctx" && (v.ctx == "" || v.test) || s.needs == "outer" && (b.depth > 0 || b.beside) || s.needs == "beside" && (!b.beside || b.depth > 3) {
				continue
			}
			list = append(list, weighted[flowStatement]{s.weight, s})
		}
		pickWeighted(r, list).write(b, strings.ReplaceAll(id, ".", "_"))
	})
}

// inner writes statements in a block of their own.
func (b *flowBody) inner(id string, n int, change func(*flowBody)) {
	sub := *b
	sub.vars = append([]flowVar(nil), b.vars...)
	sub.depth++
	if change != nil {
		change(&sub)
	}
	before := b.b.Len()
	for i := range n {
		sub.statement(fmt.Sprintf("%s.%d", id, i))
	}
	if b.b.Len() == before {
		sub.show()
	}
	b.cost = sub.cost
}

// proper calls a function as it should be called.
func (b *flowBody) proper(id string) {
	if fn := b.callee(ordinary); fn != nil {
		b.callStatement(fn, id)
	}
}

// lost calls a function with a fresh context.
func (b *flowBody) lost(id string) {
	fn := b.callee(takesContext)
	if fn == nil {
		b.show()
		return
	}
	v := b.now()
	v.at += "." + b.born()
	v.ctx = b.birth()
	if b.r.chance(.15) {
		v.ctx = fmt.Sprintf("%sWithValue(%s, %s.KeyB, 7)", b.f.ctx(), v.ctx, b.f.probe(b.flowGen))
		v.at += `.Put("b", 7)`
	}
	b.result(fn, b.call(fn, v, fmt.Sprintf(".Call(%q)", id)), id)
}

// bornVariable makes a fresh context for several calls.
func (b *flowBody) bornVariable(id string) {
	v := flowVar{ctx: b.name("bg"), at: b.name("at")}
	if b.now().ctx == "" && b.r.chance(.7) {
		v.ctx = "ctx"
	}
	for _, have := range b.vars {
		if have.ctx == v.ctx {
			v.ctx = b.name("bg")
		}
	}
	b.line("%s := %s\n%s := %s.%s", v.ctx, b.birth(), v.at, b.now().at, b.born())
	b.withNew(v, id)
}

// withNew uses a context that has been declared.
func (b *flowBody) withNew(v flowVar, id string) {
	old := b.vars
	b.vars = append(append([]flowVar(nil), old...), v)
	b.show()
	if b.r.chance(.7) {
		b.proper(id)
	}
	if v.hidden = b.r.chance(.4); v.hidden {
		b.vars[len(b.vars)-1] = v
	}
}

// put stores a value.
func (b *flowBody) put(id string) {
	v := b.now()
	n := b.r.IntN(9)
	k := pick(b.r, []string{"A", "B", "C"})
	low := strings.ToLower(k)
	expr := fmt.Sprintf("%sWithValue(%s, %s.Key%s, %d)", b.f.ctx(), v.ctx, b.f.probe(b.flowGen), k, n)
	switch {
	case b.depth == 0 && !strings.Contains(v.ctx, ".") && v.at == "at" && !b.captured && b.r.chance(.5):
		b.line("%s = %s\nat = at.Put(%q, %d)", v.ctx, expr, low, n)
		b.show()
	default:
		to := flowVar{ctx: b.name("ctx"), at: b.name("at")}
		b.line("%s := %s\n%s := %s.Put(%q, %d)", to.ctx, expr, to.at, v.at, low, n)
		b.withNew(to, id)
	}
}

// cut derives a context that is cancelled, at the end or in between.
func (b *flowBody) cut(id string) {
	v := b.now()
	to := flowVar{ctx: b.name("ctx"), at: b.name("at")}
	cancel := b.name("cancel")
	b.line("%s, %s := %sWithCancel(%s)\n%s := %s.Cut(%q)", to.ctx, cancel, b.f.ctx(), v.ctx, to.at, v.at, b.flowGen.id("c"))
	if b.depth == 0 && b.r.chance(.6) {
		b.line("defer %s.Over()\ndefer %s()", to.at, cancel)
		b.withNew(to, id)
		return
	}
	old := b.vars
	b.withNew(to, id)
	b.line("%s()\n%s.Over()", cancel, to.at)
	b.show()
	to.hidden = true
	b.vars = append(append([]flowVar(nil), old...), to)
}

// timed derives a context with a timeout.
func (b *flowBody) timed(id string) {
	v := b.now()
	if b.depth > 0 {
		b.show()
		return
	}
	to := flowVar{ctx: b.name("ctx"), at: b.name("at")}
	cancel := b.name("cancel")
	b.line("%s, %s := %sWithTimeout(%s, %s.Hour)\n%s := %s.Timed(%q)", to.ctx, cancel, b.f.ctx(), v.ctx, b.f.std("time"), to.at, v.at, b.flowGen.id("t"))
	b.line("defer %s.Over()\ndefer %s()", to.at, cancel)
	b.withNew(to, id)
}

// less calls a function that takes no context although there is one that does.
func (b *flowBody) less(id string) {
	fn := b.callee(func(fn *flowFn) bool { return fn.twin && ordinary(fn) })
	if fn == nil {
		b.lost(id)
		return
	}
	less := *fn
	less.takes, less.name = "none", fn.withoutContext()
	place := b.flowGen.id("l")
	if b.beside {
		b.facts.started[place] = b.joined
	}
	call := b.call(&less, b.now(), fmt.Sprintf(".Less(%q%s).Call(%q)", place, b.others(), id))
	b.result(fn, call, id)
}

// loop repeats statements.
func (b *flowBody) loop(id string) {
	v := b.now()
	i, at := b.name("i"), b.name("at")
	cost := b.cost
	if b.r.chance(.5) {
		b.line("for %s := range 2 {\n%s := %s.Turn(%s)", i, at, v.at, i)
		b.inner(id, 1, func(sub *flowBody) { sub.turn(v, at) })
		b.line("}")
	} else {
		b.line("%s.Each(2, func(%s int) {\n%s := %s.Turn(%s)", b.f.probe(b.flowGen), i, at, v.at, i)
		b.inner(id, 1, func(sub *flowBody) { sub.turn(v, at) })
		b.line("})")
	}
	b.cost += b.cost - cost
}

func (b *flowBody) turn(v flowVar, at string) {
	b.vars = append(b.vars, flowVar{ctx: v.ctx, at: at, test: v.test})
}

// grow makes a context longer with every turn.
func (b *flowBody) grow(id string) {
	fn := b.callee(takesContext)
	if fn == nil {
		b.show()
		return
	}
	v := b.now()
	grown, at, i := b.name("ctx"), b.name("at"), b.name("i")
	probe := b.f.probe(b.flowGen)
	b.line("%s, %s := %s, %s", grown, at, v.ctx, v.at)
	b.line("for %s, k := range []%s.Key{%s.KeyB, %s.KeyC} {", i, probe, probe, probe)
	b.line("%s = %sWithValue(%s, k, %s)", grown, b.f.ctx(), grown, i)
	b.line("%s = %s.Grow(%q, %s).Put(string(k), %s)", at, at, b.flowGen.id("n"), v.at, i)
	b.result(fn, b.call(fn, flowVar{ctx: grown, at: at}, fmt.Sprintf(".Turn(%s).Call(%q)", i, id)), id)
	b.line("}")
	b.cost += fn.cost
}

// stale derives a context and passes its parent on.
func (b *flowBody) stale(id string) {
	fn := b.callee(takesContext)
	if fn == nil || b.depth > 0 {
		b.show()
		return
	}
	v := b.now()
	to := flowVar{ctx: b.name("ctx"), at: b.name("at"), hidden: true}
	cancel, after, timed := b.name("cancel"), b.name("at"), b.flowGen.id("t")
	b.line("%s, %s := %sWithTimeout(%s, %s.Hour)\n%s := %s.Timed(%q)", to.ctx, cancel, b.f.ctx(), v.ctx, b.f.std("time"), to.at, v.at, timed)
	b.line("defer %s.Over()\ndefer %s()", to.at, cancel)
	b.result(fn, b.call(fn, v, fmt.Sprintf(".Stale(%q, %s).Call(%q)", b.flowGen.id("s"), to.at, id)), id)
	b.line("_ = %s.Err()", to.ctx)
	b.line("%s := %s.MayBeStale(%q, %s)", after, v.at, timed, to.at)
	b.vars = append(b.vars, to, flowVar{ctx: v.ctx, at: after})
	b.show()
}

// dropCancel loses a cancel function.
func (b *flowBody) dropCancel(id string) {
	v := b.now()
	to := flowVar{ctx: b.name("ctx"), at: b.name("at")}
	switch b.r.IntN(3) {
	case 0:
		b.line("%s, _ := %sWithTimeout(%s, %s.Hour)\n%s := %s.Timed(%q)", to.ctx, b.f.ctx(), v.ctx, b.f.std("time"), to.at, v.at, b.flowGen.id("t"))
	case 1:
		b.line("%s, _ := %sWithCancel(%s)\n%s := %s.Cut(%q)", to.ctx, b.f.ctx(), v.ctx, to.at, v.at, b.flowGen.id("c"))
	default:
		cancel := b.name("cancel")
		b.line("%s, %s := %sWithCancel(%s)\n%s := %s.Cut(%q)", to.ctx, cancel, b.f.ctx(), v.ctx, to.at, v.at, b.flowGen.id("c"))
		b.line("if %s == nil {\n%s()\n}", to.at, cancel)
	}
	b.withNew(to, id)
}

// closure calls a function literal.
func (b *flowBody) closure(id string) {
	v := b.now()
	do := b.name("do")
	probe := b.f.probe(b.flowGen)
	switch b.r.IntN(3) {
	case 0:
		at := b.name("at")
		b.line("%s := func(%s *%s.At) {", do, at, probe)
		b.inner(id, 1, func(sub *flowBody) { sub.turn(v, at) })
		b.line("}\n%s(%s.Call(%q))", do, v.at, id)
	case 1:
		b.line("func() {")
		b.inner(id, 2, nil)
		b.line("}()")
	default:
		at := b.name("at")
		b.line("%s := map[string]func(*%s.At){%q: func(%s *%s.At) {", do, probe, "x", at, probe)
		b.inner(id, 1, func(sub *flowBody) { sub.once, sub.vars = true, []flowVar{{at: at}} })
		b.line("}}\n%s[\"x\"](%s.Bare(%q%s))", do, v.at, id, b.others())
	}
}

// block puts statements into a block, which may have its own ctx.
func (b *flowBody) block(id string) {
	v := b.now()
	b.line("if %s != nil {", v.at)
	if v.ctx == "" || strings.Contains(v.ctx, ".") || v.test {
		b.inner(id, 2, nil)
	} else {
		b.line("%s := %sWithValue(%s, %s.KeyC, 4)\n%s := %s.Put(\"c\", 4)", v.ctx, b.f.ctx(), v.ctx, b.f.probe(b.flowGen), v.at, v.at)
		b.show()
		b.inner(id, 2, nil)
	}
	b.line("}")
}

// runOnce does something in a sync.Once, which must not depend on the first caller.
func (b *flowBody) runOnce(id string) {
	once := b.name("once")
	b.line("var %s %s.Once\n%s.Do(func() {", once, b.f.std("sync"), once)
	at := b.now().at
	b.inner(id, 1, func(sub *flowBody) { sub.once, sub.vars = true, []flowVar{{at: at}} })
	b.line("})")
}

// deferred cleans up.
func (b *flowBody) deferred(id string) {
	fn := b.callee(func(fn *flowFn) bool { return fn.cleanup })
	v := b.now()
	if fn == nil {
		b.show()
		return
	}
	switch {
	case fn.takes == "none":
		b.line("defer %s", b.call(fn, v, fmt.Sprintf(".Defer(%q)", id)))
	case v.ctx != "" && !v.test && b.r.chance(.4):
		b.line("defer %s", b.call(fn, v, fmt.Sprintf(".Call(%q)", id)))
	default:
		old := b.once
		b.once = true
		v.at += "." + b.born()
		b.once = old
		v.ctx = b.birth()
		if b.r.chance(.5) {
			b.line("defer %s", b.call(fn, v, fmt.Sprintf(".Call(%q)", id)))
		} else {
			b.line("defer func() {\n%s\n}()", b.call(fn, v, fmt.Sprintf(".Call(%q)", id)))
		}
	}
}

// need hands a value to a function that cannot work without it, by the context.
func (b *flowBody) need(id string) {
	v := b.now()
	n := "need" + id
	host := b.f
	ctx, probe := host.ctx(), host.probe(b.flowGen)
	value := pick(b.r, []string{"&" + n + "Value{7}", n + "Value{7}"})
	star := ""
	if value[0] == '&' {
		star = "*"
	}
	host.add("type %sValue struct{ n int }\n\ntype %sKey struct{}", n, n)
	read := fmt.Sprintf("v, ok := ctx.Value(%sKey{}).(%s%sValue)\nif !ok {\npanic(\"no value\")\n}\nreturn v.n + m", n, star, n)
	switch b.r.IntN(4) {
	case 0:
		host.add("func %s(ctx %sContext, at *%s.At, m int) int {\n%s\n}", n, ctx, probe, read)
	case 1:
		host.add("func %sRead(ctx %sContext, m int) int {\n%s\n}", n, ctx, read)
		host.add("func %s(ctx %sContext, at *%s.At, m int) int {\nctx = %sWithValue(ctx, %s.KeyB, 3)\n_ = %s.Show(ctx, at.Put(\"b\", 3), %q)\nreturn %sRead(ctx, m)\n}", n, ctx, probe, ctx, probe, probe, n, n)
	case 2:
		host.add("type %sType struct{}\n\nfunc (%sType) read(ctx %sContext, m int) int {\n%s\n}", n, n, ctx, read)
		host.add("func %s(ctx %sContext, at *%s.At, m int) int {\nr := interface{ read(%sContext, int) int }(%sType{})\nreturn r.read(ctx, m)\n}", n, ctx, probe, ctx, n)
	default:
		host.add("func %sFrom(ctx %sContext) (%s%sValue, bool) {\nv, ok := ctx.Value(%sKey{}).(%s%sValue)\nreturn v, ok\n}", n, ctx, star, n, n, star, n)
		host.add("func %s(ctx %sContext, at *%s.At, m int) int {\nv, ok := %sFrom(ctx)\nif !ok {\npanic(\"none\")\n}\ndo := func() int { return v.n + m }\nreturn do()\n}", n, ctx, probe, n)
	}
	if b.r.chance(.5) {
		b.line("%s.Note(%s, %q, %s(%sWithValue(%s, %sKey{}, %s), %s, 2))", probe, v.at, n, n, ctx, v.ctx, n, value, v.at)
		return
	}
	to := b.name("ctx")
	b.line("%s := %sWithValue(%s, %sKey{}, %s)\n%s.Note(%s, %q, %s(%s, %s, 2))", to, ctx, v.ctx, n, value, probe, v.at, n, n, to, v.at)
}
