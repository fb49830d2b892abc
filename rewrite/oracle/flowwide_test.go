package oracle

import (
	"fmt"
	"slices"
)

// Forms that reach beyond one file: packages that programs get besides their own, files of other build configurations,
// handlers of net/http, and what is carried out before main.

// besides returns a package that every other one may import, made when it is first asked for.
func (g *flowGen) besides(name string) *pkg {
	i := slices.IndexFunc(g.extra, func(p *pkg) bool { return p.name == name })
	if i < 0 {
		i = len(g.extra)
		g.extra = append(g.extra, &pkg{index: 900 + i, name: name, dir: "internal/" + name, path: g.module + "/internal/" + name, names: map[string]bool{}})
	}
	return g.extra[i]
}

// declareDistant declares an interface in one package, which types of two others implement.
func (g *flowGen) declareDistant(fn *flowFn, typ, doc, sig, block, other string) {
	ports, fakes := g.newFile(g.besides("ports"), "ports.go"), fn.otherFile(g)
	iface, fake := "Doer"+fn.id[1:], "Fake"+fn.id[1:]
	sigIn := func(f *file) string {
		there := *fn
		there.file = f
		return "(" + g.params(&there) + ")" + fn.results()
	}
	ports.add("// %s does it.\ntype %s interface {\n// %s does it.\n%s%s\n}", iface, iface, fn.name, fn.name, sigIn(ports))
	fakes.add("// %s does nothing else.\ntype %s struct{}\n\n// %s shows what it gets.\nfunc (%s) %s%s {\n%s}", fake, fake, fn.name, fake, fn.name, sigIn(fakes), other)
	f := fn.file
	f.add("type one%s struct{ n int }\n\n%sfunc (s *one%s) %s%s%s", fn.id, doc, fn.id, fn.name, sig, block)
	f.add("// %s makes one.\nfunc %s(n int) %s {\nif n > 0 {\nreturn &one%s{n}\n}\nreturn %s{}\n}", typ, typ, f.ref(ports.pkg, iface), fn.id, f.ref(fakes.pkg, fake))
}

// otherFile is where the other implementation of an interface lies, if anywhere else.
func (fn *flowFn) otherFile(g *flowGen) *file {
	if fn.form == "distant interface" {
		return g.newFile(g.besides("fakes"), "fakes.go")
	}
	return fn.file
}

// declareSystem declares a function once more, for another build configuration.
func (g *flowGen) declareSystem(fn *flowFn) {
	there := *fn
	there.file = g.newFile(fn.file.pkg, "sys_special.go")
	there.file.head, there.file.tagged, g.tags = "//go:build special", true, true
	fn.file.head = "//go:build !special"
	other := g.otherBody(fn, there.file)
	g.declare(&there, other, other)
}

// serving is the package by which handlers get to know where they are.
func (g *flowGen) serving(f *file) string {
	g.serves = true
	return f.imp(g.module+"/internal/serving", "serving")
}

// servingSource is that package.
const servingSource = `// Package serving makes requests that know where they are.
package serving

import (
	"context"
	"net/http"
	"sync"

	"%s/internal/probe"
)

var places sync.Map

// Request makes a request.
func Request(ctx context.Context, at *probe.At) *http.Request {
	r, err := http.NewRequestWithContext(ctx, "GET", "/", nil)
	if err != nil {
		panic(err)
	}
	places.Store(r, at)
	return r
}

// At is where a request is.
func At(r *http.Request) *probe.At {
	at, _ := places.Load(r)
	return at.(*probe.At)
}
`

// initialise calls functions of other packages before main runs.
func (g *flowGen) initialise(p *pkg) {
	if p.index >= 900 || len(p.files) == 0 {
		return
	}
	f := g.newFile(p, "init.go")
	g.spellContext(f)
	r := newRnd(g.seed, "init "+p.dir)
	b := &flowBody{flowGen: g, f: f, r: r, id: "init", names: new(int), budget: 30, once: true}
	for _, fn := range g.fns {
		if !fn.callable(f) || fn.file.pkg == p || fn.file.test || !ordinary(fn) || b.cost+fn.cost > b.budget || r.chance(.4) {
			continue
		}
		v := flowVar{at: fmt.Sprintf("%s.Root(%q)", f.probe(g), "init"+p.name), ctx: b.birth()}
		way := fmt.Sprintf(".Bare(%q)", fn.id)
		if fn.takes != "none" {
			way = fmt.Sprintf(".%s.Call(%q)", b.born(), fn.id)
		}
		call := b.call(fn, v, way)
		if fn.result == "" {
			call = fmt.Sprintf("func() bool {\n%s\nreturn true\n}()", call)
		}
		f.add("var _ = %s", call)
	}
}

// goTimer lets a timer start a goroutine.
func (b *flowBody) goTimer(id string) {
	v := b.now()
	at := b.name("at")
	b.captured = true
	b.line("%s := %s%s.Later()\n%s.AfterFunc(0, func() {\n%s.Enter()\ndefer %s.Leave()", at, v.at, b.escape(), b.f.std("time"), at, at)
	b.inner(id, 1, func(sub *flowBody) {
		sub.turn(v, at)
		sub.beside = true
	})
	b.line("})")
}

// whenOver does something when a context has ended: it cannot use that.
func (b *flowBody) whenOver(id string) {
	v := b.now()
	to := flowVar{ctx: b.name("ctx"), at: b.name("at")}
	cancel, done, at := b.name("cancel"), b.name("done"), b.name("at")
	ctx := b.f.ctx()
	b.line("%s, %s := %sWithCancel(%s)\n%s := %s.Cut(%q)\n%s := make(chan struct{})", to.ctx, cancel, ctx, v.ctx, to.at, v.at, b.flowGen.id("c"), done)
	b.line("%sAfterFunc(%s, func() {\ndefer close(%s)\n%s := %s.Fork(%q)", ctx, to.ctx, done, at, v.at, id)
	b.inner(id, 1, func(sub *flowBody) { sub.once, sub.vars = true, []flowVar{{at: at}} })
	b.line("})\n%s()\n%s.Over()\n<-%s", cancel, to.at, done)
}

// wrapsBirth calls a function of the package that makes a fresh context.
func (b *flowBody) wrapsBirth() string {
	p := b.f.pkg
	name := "fresh" + p.name
	if key := p.dir + " fresh"; b.made[key] == "" {
		b.made[key] = name
		host := b.newFile(p, "fresh.go")
		b.spellContext(host)
		host.add("func %s() %sContext { return %sBackground() }", name, host.ctx(), host.ctx())
	}
	return name + "()"
}
