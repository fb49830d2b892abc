package oracle

import (
	"fmt"
	"strings"
)

// A flowBody is the body of a function being written.
type flowBody struct {
	*flowGen
	f    *file
	fn   *flowFn // nil for main and tests
	r    rnd
	id   string // the prefix of statements' atoms
	b    *strings.Builder
	vars []flowVar
	// cost counts how many functions run when this one is called.
	cost, budget int
	// beside is set in a goroutine, with whether it is waited for; once in code that runs at its own time.
	beside, joined, once bool
	// within is set in a goroutine that another one waits for.
	within bool
	// captured is set when a goroutine that nobody waits for may use the context.
	captured bool
	depth    int
	names    *int
}

// A flowVar is a context in scope with what knows what it is; ctx is "" where there is none.
type flowVar struct {
	ctx, at string
	// hidden contexts are not passed on; test ones are those of tests.
	hidden, test bool
}

func (b *flowBody) line(format string, args ...any) { fmt.Fprintf(b.b, format+"\n", args...) }

// name makes the name of a local variable.
func (b *flowBody) name(stem string) string {
	*b.names++
	return fmt.Sprintf("%s%d", stem, *b.names)
}

// now is the context to use.
func (b *flowBody) now() flowVar {
	for i := len(b.vars) - 1; i >= 0; i-- {
		if !b.vars[i].hidden {
			return b.vars[i]
		}
	}
	panic("no place")
}

// others writes, as further arguments, what knows the other contexts in scope.
func (b *flowBody) others() string {
	var list []string
	for _, v := range b.vars {
		if v.ctx != "" && v.at != b.now().at {
			list = append(list, ", "+v.at)
		}
	}
	return strings.Join(list, "")
}

// body writes a function.
func (g *flowGen) body(fn *flowFn) {
	if fn.dropped {
		return
	}
	b := &flowBody{flowGen: g, f: fn.file, fn: fn, r: newRnd(g.seed, fn.id+" body"), id: fn.id, b: &strings.Builder{}, budget: 60, names: new(int), cost: 1}
	b.vars = []flowVar{{ctx: fn.givenContext(), at: "at"}}
	b.findPlace()
	if fn.worker {
		b.line("at.Enter()\ndefer at.Leave()")
	}
	b.parameters()
	for i := range 1 + b.r.IntN(4) {
		b.statement(fmt.Sprintf("%s.%d", fn.id, i))
	}
	b.end()
	fn.cost = b.cost
	g.declare(fn, b.b.String(), g.otherBody(fn, fn.otherFile(g)))
	if fn.system {
		g.declareSystem(fn)
	}
	if fn.twin {
		g.declareTwin(fn)
	}
}

// otherBody writes a short body for a function, in a file.
func (g *flowGen) otherBody(fn *flowFn, f *file) string {
	b := &flowBody{flowGen: g, f: f, fn: fn, r: newRnd(g.seed, fn.id+" other"), id: fn.id + "o", b: &strings.Builder{}, budget: 20, names: new(int)}
	b.vars = []flowVar{{ctx: fn.givenContext(), at: "at"}}
	b.findPlace()
	b.show()
	b.end()
	return b.b.String()
}

// givenContext writes the context that a function is given, "" for none.
func (fn *flowFn) givenContext() string {
	switch fn.takes {
	case "ctx":
		return fn.ctxName
	case "request", "http":
		return "r.Context()"
	}
	return ""
}

// findPlace asks a handler's request where it is.
func (b *flowBody) findPlace() {
	if b.fn.takes == "http" {
		b.line("at := %s.At(r)", b.serving(b.f))
	}
}

// parameters shows what the function got.
func (b *flowBody) parameters() {
	note := b.f.probe(b.flowGen) + ".Note(at, %q, %s)"
	switch {
	case strings.HasPrefix(b.fn.extra, "n, m"):
		b.line(note, b.fn.id, "n, m")
	case b.fn.extra == "n int, names ...string":
		b.line(note, b.fn.id, "n, names")
	case b.fn.extra == "names ...string":
		b.line(note, b.fn.id, "names")
	case b.fn.extra == "f func(int) int":
		b.line("if f != nil {\n"+note+"\n}", b.fn.id, "f(1)")
	case b.fn.form == "recursive" && b.fn.extra == "n int":
		b.again()
		b.cost *= 3
	}
	if b.now().ctx != "" {
		b.show()
	}
}

// again calls the function itself.
func (b *flowBody) again() {
	v, way := b.now(), ".Call(\"again\")"
	if b.fn.takes != "none" && v.ctx == "" {
		v.at += "." + b.born()
		v.ctx = b.birth()
	}
	b.line("if n > 0 {\n%s\n}", b.call(b.fn, v, way, "n-1"))
}

// end returns.
func (b *flowBody) end() {
	switch b.fn.result {
	case "error":
		b.line("return nil")
	case "int":
		b.line("return %d", b.fn.index)
	}
}

// show prints what the context knows.
func (b *flowBody) show() {
	v := b.now()
	probe := b.f.probe(b.flowGen)
	if v.ctx == "" {
		b.line("_ = %s.Show(%s, %s.%s, %q)", probe, b.birth(), v.at, b.born(), b.name("s"))
		return
	}
	b.line("%s%s.Show(%s, %s, %q)", pick(b.r, []string{"", "_ = "}), probe, v.ctx, v.at, b.name("s"))
}

// birth writes a fresh context.
func (b *flowBody) birth() string {
	if !b.f.xtest && b.r.chance(.08) {
		return b.wrapsBirth()
	}
	return b.f.ctx() + pick(b.r, []string{"Background()", "TODO()"})
}

// born writes what knows of a fresh context.
func (b *flowBody) born() string {
	if b.once || b.fn != nil && b.fn.cleanup && b.fn.takes == "none" {
		id := b.flowGen.id("k")
		b.facts.kept[id] = true
		if b.beside {
			b.facts.started[id] = b.joined
		}
		return fmt.Sprintf("Keep(%q)", id)
	}
	id := b.flowGen.id("b")
	b.facts.born = append(b.facts.born, id)
	if b.fn != nil {
		b.facts.owner[id] = b.fn.id
	}
	if b.beside {
		b.facts.started[id], b.facts.within[id] = b.joined, b.within
	}
	return fmt.Sprintf("Born(%q%s)", id, b.others())
}

// declareTwin adds the function that takes no context.
func (g *flowGen) declareTwin(fn *flowFn) {
	id := g.id("k")
	g.facts.kept[id] = true
	less := *fn
	less.takes, less.comment, less.name = "none", "", fn.withoutContext()
	recv, to := "", ""
	if fn.form == "method" {
		recv, to = "(s *"+fn.typeName("type")+") ", "s."
	}
	call := g.forward(&less, to+fn.name+"("+fn.file.ctx()+"Background()")
	call = strings.Replace(call, "(), at", fmt.Sprintf("(), at.Keep(%q)", id), 1)
	fn.file.add("// %s asks for no context.\nfunc %s%s(%s)%s {\n%s}", less.name, recv, less.name, g.params(&less), fn.results(), call)
}

// call writes a call of a function with a context and what knows it.
func (b *flowBody) call(fn *flowFn, v flowVar, way string, extra ...string) string {
	var args []string
	probe := b.f.probe(b.flowGen)
	switch fn.takes {
	case "ctx", "blank":
		args = append(args, b.wrapped(v.ctx, probe))
	case "request":
		args = append(args, fmt.Sprintf("%s.NewRequest(%s)", probe, v.ctx))
	}
	if fn.takes == "http" {
		b.cost += fn.cost
		fn.called = true
		return b.spell(fn, b.f, []string{"nil", fmt.Sprintf("%s.Request(%s, %s)", b.serving(b.f), v.ctx, v.at+way)}, b.r)
	}
	args = append(args, v.at+way)
	if extra == nil {
		extra = fn.extraArgs(b.r)
	}
	args = append(args, extra...)
	if b.r.chance(.06) && !strings.HasPrefix(args[0], "probe.New") {
		args[0] = "\n" + args[0]
		args[len(args)-1] += ",\n"
	}
	b.cost += fn.cost
	fn.called = true
	text := b.spell(fn, b.f, args, b.r)
	return text
}

// wrapped writes a context as an argument.
func (b *flowBody) wrapped(ctx, probe string) string {
	if strings.Contains(ctx, "()") || b.r.chance(.9) {
		return ctx
	}
	return pick(b.r, []string{"(" + ctx + ")", probe + ".Own{Context: " + ctx + "}"})
}

// callStatement calls a function properly, as a statement of its own.
func (b *flowBody) callStatement(fn *flowFn, id string) {
	v := b.now()
	switch {
	case fn.takes == "none" && b.beside:
		b.result(fn, b.call(fn, v, fmt.Sprintf(".BareFork(%q%s)", id, b.others())), id)
	case fn.takes == "none":
		b.result(fn, b.call(fn, v, fmt.Sprintf(".Bare(%q%s)", id, b.others())), id)
	case v.ctx == "" || v.test:
		v.at += "." + b.born()
		v.ctx = b.birth()
		b.result(fn, b.call(fn, v, fmt.Sprintf(".Call(%q)", id)), id)
	default:
		b.result(fn, b.call(fn, v, fmt.Sprintf(".Call(%q)", id)), id)
	}
}

// result makes a statement of a call.
func (b *flowBody) result(fn *flowFn, call, id string) {
	switch fn.result {
	case "":
		b.line("%s", call)
	case "error":
		switch n := b.r.IntN(3); {
		case n == 0:
			b.line("_ = %s", call)
		case n == 1 && !strings.Contains(call, "{"):
			b.line("if err := %s; err != nil {\npanic(err)\n}", call)
		default:
			b.line("%s", call)
		}
	default:
		b.line("%s.Note(%s, %q, %s)", b.f.probe(b.flowGen), b.now().at, "r"+id, call)
	}
}

// callee picks a function to call.
func (b *flowBody) callee(ok func(*flowFn) bool) *flowFn {
	after := -1
	if b.fn != nil {
		after = b.fn.index
	}
	var list []*flowFn
	for _, fn := range b.fns {
		if fn.index > after && fn.callable(b.f) && b.cost+fn.cost <= b.budget && ok(fn) {
			list = append(list, fn)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(b.r, list)
}

func ordinary(fn *flowFn) bool { return !fn.cleanup && !fn.worker }

func takesContext(fn *flowFn) bool { return ordinary(fn) && fn.takes != "none" }
