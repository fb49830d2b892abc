package oracle

import "fmt"

// goJoined starts goroutines and waits for them.
func (b *flowBody) goJoined(id string) {
	v := b.now()
	at := b.name("at")
	probe := b.f.probe(b.flowGen)
	work := func() {
		b.line("%s := %s.Fork(%q)", at, v.at, id)
		b.inner(id, 1+b.r.IntN(2), func(sub *flowBody) {
			sub.turn(v, at)
			sub.beside, sub.joined = true, true
		})
	}
	wg, done := b.name("wg"), b.name("done")
	switch b.r.IntN(6) {
	case 0:
		b.line("var %s %s.WaitGroup\n%s.Add(1)\ngo func() {\ndefer %s.Done()", wg, b.f.std("sync"), wg, wg)
		work()
		b.line("}()\n%s.Wait()", wg)
	case 1:
		b.line("var %s %s.WaitGroup\n%s.Go(func() {", wg, b.f.std("sync"), wg)
		work()
		b.line("})\n%s.Wait()", wg)
	case 2:
		b.line("%s := make(chan struct{})\ngo func() {\ndefer close(%s)", done, done)
		work()
		b.line("}()\n<-%s", done)
	case 3:
		b.line("%s := make(chan int, 1)\ngo func() {", done)
		work()
		b.line("%s <- 1\n}()\n%s.Note(%s, %q, <-%s)", done, probe, v.at, "j"+id, done)
	case 4:
		b.line("var %s %s.Group\n%s.Go(func() error {", wg, probe, wg)
		work()
		b.line("return nil\n})\n_ = %s.Wait()", wg)
	default:
		if v.ctx == "" || v.test {
			b.line("var %s %s.Group\n%s.Go(func() error {", wg, probe, wg)
		} else {
			to := flowVar{ctx: b.name("ctx"), at: b.name("at")}
			b.line("%s, %s := %s.WithContext(%s)\n%s := %s.Cut(%q)\n%s.Go(func() error {", wg, to.ctx, probe, v.ctx, to.at, v.at, b.flowGen.id("g"), wg)
			b.vars = append(b.vars, flowVar{ctx: to.ctx, at: to.at, hidden: true})
			defer b.line("%s.Over()", to.at)
			defer b.line("_ = %s.Err()", to.ctx)
			v = to
		}
		work()
		b.line("return nil\n})\n_ = %s.Wait()", wg)
	}
}

// goInner starts a goroutine inside of another one and waits for it there: it lives as long as the outer one may.
func (b *flowBody) goInner(id string) {
	v := b.now()
	at, wg := b.name("at"), b.name("wg")
	b.line("var %s %s.WaitGroup\n%s.Go(func() {\n%s := %s.Fork(%q)", wg, b.f.std("sync"), wg, at, v.at, id)
	b.inner(id, 1, func(sub *flowBody) {
		sub.turn(v, at)
		sub.within = true
	})
	b.line("})\n%s.Wait()", wg)
}

// goLater starts a goroutine that nobody waits for.
func (b *flowBody) goLater(id string) {
	v := b.now()
	at := b.name("at")
	b.captured = true
	b.line("%s := %s%s.Later()\ngo func() {\n%s.Enter()\ndefer %s.Leave()", at, v.at, b.escape(), at, at)
	b.inner(id, 1+b.r.IntN(2), func(sub *flowBody) {
		sub.turn(v, at)
		sub.beside = true
	})
	b.line("}()")
}

// goNamed runs a named function in a goroutine.
func (b *flowBody) goNamed(id string) {
	fn := b.callee(func(fn *flowFn) bool { return fn.worker })
	if fn == nil {
		b.goLater(id)
		return
	}
	v := b.now()
	switch {
	case fn.takes == "none":
		b.line("go %s", b.call(fn, v, fmt.Sprintf(".BareFork(%q%s).Later()", id, b.others())))
	case v.ctx != "" && !v.test && b.r.chance(.4):
		b.line("go %s", b.call(fn, v, b.escape()+".Later()"))
	default:
		old := *b
		b.beside = true
		v.at += "." + b.born()
		b.beside = old.beside
		v.ctx = b.birth()
		b.line("go %s", b.call(fn, v, ".Later()"))
	}
}

// escape writes what knows that a goroutine has the context of a request.
func (b *flowBody) escape() string {
	if b.fn == nil || b.fn.takes != "request" && b.fn.takes != "http" {
		return ""
	}
	return fmt.Sprintf(".Escape(%q)", b.flowGen.id("e"))
}
