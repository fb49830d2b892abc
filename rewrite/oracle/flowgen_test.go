package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// A flowGen is a program about the flow of contexts being generated.
type flowGen struct {
	*gen
	probe *pkg
	fns   []*flowFn
	facts *flowFacts
	ids   int
	// library programs have no main.
	library bool
	// extra are packages besides those of the layout.
	extra []*pkg
	// serves is set where handlers of net/http are.
	serves bool
}

// flowFacts is what the generator knows of a program's places.
type flowFacts struct {
	// kept are the places that no fix may touch.
	kept map[string]bool
	// started are the places in goroutines, with whether they are waited for.
	started map[string]bool
	// within are those of them in a goroutine that another one waits for.
	within map[string]bool
	// born are the places where contexts are made from nothing.
	born []string
	// owner are the functions that fresh contexts are made in.
	owner map[string]string
}

// A flowFn is a function of the program.
type flowFn struct {
	id, name string
	index    int
	file     *file
	takes    string // ctx, none, blank, request, http
	ctxName  string
	form     string
	extra    string // what parameters there are behind the others
	result   string // "", "error", "int"
	comment  string
	worker   bool // may be run by a goroutine that nobody waits for
	cleanup  bool // only called to clean up
	twin     bool // has a counterpart that takes a context
	system   bool // has a counterpart in another build configuration
	dropped  bool
	cost     int
	called   bool
}

// generateFlow makes the program of a seed, without the atoms in drop.
func generateFlow(seed uint64, drop map[string]bool) *generated {
	g := &flowGen{gen: newGen(seed, drop, false), facts: &flowFacts{kept: map[string]bool{}, started: map[string]bool{}, within: map[string]bool{}, owner: map[string]string{}}}
	g.module = fmt.Sprintf("example.com/p%d", seed)
	r := newRnd(seed, "layout")
	g.layout(r)
	if r.chance(.15) && len(g.pkgs) > 2 {
		g.library = true
		g.pkgs = slices.DeleteFunc(g.pkgs, func(p *pkg) bool { return p.main })
	}
	g.probe = &pkg{index: 1000, name: "probe", dir: "internal/probe", path: g.module + "/internal/probe", names: map[string]bool{}}
	n := 4 + r.IntN(7)
	for i := range n {
		g.function(i, n)
	}
	for _, f := range slices.Backward(g.fns) {
		g.body(f)
	}
	return g.finishFlow()
}

// function decides what a function is like.
func (g *flowGen) function(i, n int) {
	id := fmt.Sprintf("f%d", i)
	g.atoms = append(g.atoms, id)
	r := newRnd(g.seed, id)
	p := g.pkgs[min(max(i*len(g.pkgs)/n+r.IntN(3)-1, 0), len(g.pkgs)-1)]
	f := &flowFn{id: id, index: i, dropped: g.drop[id], ctxName: pick(r, []string{"ctx", "ctx", "ctx", "c", "parent"})}
	f.name = pickWeighted(r, []weighted[string]{{7, "F"}, {3, "f"}}) + id[1:]
	name := pickWeighted(r, []weighted[string]{{6, "a.go"}, {3, "b.go"}, {1, "in_test.go"}})
	if r.chance(.05) {
		f.system, name = true, "sys.go"
	}
	f.file = g.newFile(p, name)
	g.spellContext(f.file)
	f.takes = pickWeighted(r, []weighted[string]{{10, "ctx"}, {9, "none"}, {1, "blank"}, {2, "request"}})
	if newRnd(g.seed, "http").chance(.08) && r.chance(.3) {
		f.takes = "http"
	}
	if f.form = pickWeighted(r, flowForms); f.system && f.form == "distant interface" {
		f.form = "interface"
	}
	f.extra = pickWeighted(r, []weighted[string]{{6, ""}, {2, "n int"}, {1, "n, m int"}, {1, "names ...string"}, {1, "f func(int) int"}, {1, "n int, names ...string"}})
	f.result = pickWeighted(r, []weighted[string]{{4, ""}, {3, "error"}, {2, "int"}})
	f.comment = pickWeighted(r, []weighted[string]{{12, ""}, {1, "trailing"}, {1, "inside"}, {1, "lines"}})
	switch x := r.Float64(); {
	case x < .12:
		f.worker, f.form = true, pick(r, []string{"plain", "method", "value"})
	case x < .2:
		f.cleanup = true
	case x < .3 && f.takes == "ctx" && !f.system:
		f.twin, f.form = true, pick(r, []string{"plain", "method"})
		f.name += "Context"
	}
	if f.form == "distant interface" && !f.exported() {
		f.name = "F" + f.name[1:]
	}
	if f.takes == "http" {
		f.extra, f.result, f.cleanup, f.form = "", "", false, pick(r, []string{"plain", "method", "value"})
	}
	g.fns = append(g.fns, f)
}

// withoutContext is the name of a function's counterpart that takes no context.
func (f *flowFn) withoutContext() string { return strings.TrimSuffix(f.name, "Context") }

// spellContext decides how a file imports package context.
func (g *flowGen) spellContext(f *file) {
	if _, done := f.imports["context"]; done {
		return
	}
	r := newRnd(g.seed, "context "+f.pkg.dir+"/"+f.name)
	switch x := r.Float64(); {
	case x < .06:
		f.imports["context"], f.quali["context"] = ".", "Context"
	case x < .14:
		f.imports["context"], f.quali["context"], f.quals["stdctx"] = "stdctx", "stdctx", true
	}
}

// ctx is the qualifier of package context in a file.
func (f *file) ctx() string {
	if f.imports["context"] == "." {
		return ""
	}
	return f.std("context") + "."
}

func (f *file) probe(g *flowGen) string { return f.imp(g.probe.path, "probe") }

// id makes the id of a place.
func (g *flowGen) id(kind string) string {
	g.ids++
	return fmt.Sprintf("%s%d", kind, g.ids)
}

// exported reports whether a function can be called from other packages.
func (f *flowFn) exported() bool { return f.name[0] == 'F' }

// callable reports whether code of a file can call a function.
func (f *flowFn) callable(from *file) bool {
	switch {
	case f.dropped || f.file.test && f.file != from:
		return false
	case f.file.pkg == from.pkg && !from.xtest:
		return true
	}
	return f.exported() && from.reaches(f.file.pkg)
}

// finishFlow adds the drivers and prints the files.
func (g *flowGen) finishFlow() *generated {
	p := &generated{seed: g.seed, module: g.module, atoms: g.atoms, files: map[string]string{}, kind: &flowKind, flow: g.facts}
	for _, pk := range g.pkgs {
		if pk.main {
			g.flowMain(pk)
		}
	}
	for _, pk := range g.pkgs {
		g.flowTest(p, pk)
	}
	for _, pk := range g.pkgs {
		g.atom("init "+pk.dir, func(r rnd) {
			if r.chance(.12) {
				g.initialise(pk)
			}
		})
	}
	g.pkgs = append(g.pkgs, g.extra...)
	if g.serves {
		p.files["internal/serving/serving.go"] = fmt.Sprintf(servingSource, g.module)
	}
	p.atoms = g.atoms
	p.files["go.mod"] = "module " + g.module + "\n\ngo 1.26\n"
	p.files["internal/probe/probe.go"] = probeSource
	for _, pk := range g.pkgs {
		if len(pk.files) > 0 && !slices.ContainsFunc(pk.files, func(f *file) bool { return !f.test && !f.tagged }) {
			g.newFile(pk, "a.go").add("// Doc is there so that the package has a file.\nconst Doc = %q", pk.name)
		}
		for _, f := range pk.files {
			text, err := f.text()
			if err != nil && p.err == nil {
				p.err = err
			}
			p.files[strings.TrimPrefix(pk.dir+"/"+f.name, "/")] = text
		}
	}
	p.tags = g.tags
	return p
}

// flowMain writes main, and a function that calls what nobody else calls: while the context lives and when it has ended.
func (g *flowGen) flowMain(p *pkg) {
	f := g.newFile(p, "main.go")
	g.spellContext(f)
	b := &flowBody{flowGen: g, f: f, r: newRnd(g.seed, "main"+p.dir), id: "main", b: &strings.Builder{}, names: new(int), budget: 200}
	b.vars = []flowVar{{ctx: "ctx", at: "at"}}
	ctx, probe := f.ctx(), f.probe(g)
	b.line("func serve(ctx %sContext, at *%s.At) {", ctx, probe)
	b.show()
	b.drive("go", true)
	b.line("}")
	serve := b.b.String()
	b.b.Reset()
	b.line("func main() {\nctx := %sWithValue(%sBackground(), %s.KeyA, 1)", ctx, ctx, probe)
	b.line("at := %s.Root(\"main\").Put(\"a\", 1)\nserve(ctx, at.Call(\"first\"))", probe)
	b.line("ctx2, cancel := %sWithCancel(ctx)\nat2 := at.Cut(%q)\nserve(ctx2, at2.Call(\"live\"))", ctx, g.id("c"))
	b.line("cancel()\nat2.Over()\n%s.Again(serve, ctx2, at2.Call(\"over\"))", probe)
	b.line("%s.Late()\n%s.Flush()\n}", probe, probe)
	f.decls = append([]string{b.b.String(), serve}, f.decls...)
}

// flowTest writes the test of a package.
func (g *flowGen) flowTest(prog *generated, p *pkg) {
	i := slices.IndexFunc(p.files, func(f *file) bool { return f.test })
	if i < 0 && !(g.library && len(p.files) > 0) {
		return
	}
	f := g.newFile(p, "in_test.go")
	g.spellContext(f)
	b := &flowBody{flowGen: g, f: f, r: newRnd(g.seed, "test"+p.dir), id: "test" + p.name, b: &strings.Builder{}, names: new(int), budget: 200}
	b.line("at := %s.Root(%q)", f.probe(g), "test"+p.name)
	b.vars = []flowVar{{ctx: "t.Context()", at: "at", test: true}}
	b.line("%s.Note(at, \"begin\", 1)", f.probe(g))
	b.drive("test", false)
	b.line("%s.Late()\n%s.Flush()", f.probe(g), f.probe(g))
	f.decls = append(f.decls, fmt.Sprintf("func TestIn(t *%s.T) {\n%s}", f.std("testing"), b.b.String()))
	prog.tests = append(prog.tests, testFunc{dir: p.dir, name: "TestIn", live: true})
}

// drive calls functions from main or a test.
func (b *flowBody) drive(what string, all bool) {
	for _, fn := range b.fns {
		if !fn.callable(b.f) || fn.cleanup || fn.worker || !all && b.r.chance(.5) || fn.called && b.r.chance(.7) || b.cost+fn.cost > b.budget {
			continue
		}
		fn.called = true
		b.callStatement(fn, fmt.Sprintf("%s%s", what, fn.id))
	}
}
