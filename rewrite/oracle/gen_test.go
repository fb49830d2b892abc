package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A gen is a program being generated.
type gen struct {
	seed   uint64
	drop   map[string]bool // atoms to leave out
	atoms  []string        // atoms there are
	module string
	pkgs   []*pkg
	keys   []*key
	sites  []*site
	// labels name the hazards that concern a key, by the key's name.
	labels map[string]map[string]bool
	// made are helpers that exist, by package and kind.
	made map[string]string
	// tame programs have nothing that stops every unit.
	tame   bool
	nested string // the directory of a second module, "" for none
	tags   bool   // some file stands behind a build constraint
	// owners are the keys that an atom concerns, by the atom.
	owners map[string][]string
	// alters are the atoms that print something else in the mended program.
	alters map[string]bool
	// zeroless are those of them that read what other atoms set to values of several types: whether a struct has a field of
	// one type, and so a zero, where the map was nil, depends on which of them the program has.
	zeroless map[string]bool
	// mended programs do not have the mistakes that fixes for review mend.
	mended bool
	// records are the keys whose maps should become structs, as findings name them.
	records map[string]bool
}

// A site is a function that stores or looks up one key.
type site struct {
	file   *file
	name   string
	writer bool
}

// A key is a context key of the program.
type key struct {
	id    string // F0
	kind  string // string, int, ...
	lit   string // the key as Go syntax
	value *valueType
	decl  map[*pkg]string // constants that spell it, by package
}

// name is what the census calls the key.
func (k *key) name() string {
	switch k.lit {
	case "2.0":
		return "2"
	case "'a'":
		return "97"
	}
	return k.lit
}

func (g *gen) label(k *key, format string, args ...any) {
	if g.labels[k.name()] == nil {
		g.labels[k.name()] = map[string]bool{}
	}
	g.labels[k.name()][fmt.Sprintf(format, args...)] = true
}

// atom runs one part of the generation unless it is to be left out.
func (g *gen) atom(path string, f func(r rnd)) {
	g.atoms = append(g.atoms, path)
	if !g.drop[path] {
		f(newRnd(g.seed, path))
	}
}

// A generated is a program.
type generated struct {
	seed             uint64
	title            string // of programs that have no seed
	module           string
	files            map[string]string // by slash-separated name
	atoms            []string
	labels           map[string]map[string]bool
	tags             bool
	tests            []testFunc
	owners           map[string][]string
	alters, zeroless map[string]bool
	// records are the keys whose maps should become structs.
	records map[string]bool
	// mended is the program without the mistakes that fixes for review mend; nil when it prints the same.
	mended map[string]string
	kind   *kind
	flow   *flowFacts // of programs about the flow of contexts
	err    error
}

// A testFunc is a test to run: a function of a package or of its external test package.
type testFunc struct {
	dir, name string
	xtest     bool
	live      bool // it needs a testing.T
}

// generate makes the program of a seed, without the atoms in drop.
func generate(seed uint64, drop map[string]bool) *generated {
	return withMended(func(mended bool) *generated { return generateOne(seed, drop, mended) })
}

// withMended makes a program and, where that prints something else, the one without the mistakes.
func withMended(one func(mended bool) *generated) *generated {
	p := one(false)
	if len(p.alters) > 0 {
		m := one(true)
		p.mended = m.files
		if p.err == nil {
			p.err = m.err
		}
	}
	return p
}

func newGen(seed uint64, drop map[string]bool, mended bool) *gen {
	return &gen{
		seed: seed, drop: drop, mended: mended,
		owners: map[string][]string{}, alters: map[string]bool{}, zeroless: map[string]bool{}, records: map[string]bool{},
		labels: map[string]map[string]bool{},
		made:   map[string]string{},
	}
}

func generateOne(seed uint64, drop map[string]bool, mended bool) *generated {
	g := newGen(seed, drop, mended)
	g.module = fmt.Sprintf("example.com/p%d", seed)
	g.layout(newRnd(seed, "layout"))
	g.atom("workspace", g.workspace)
	g.atom("names", g.takePackageNames)
	r := newRnd(seed, "features")
	g.tame = r.chance(.75)
	n := 1 + r.IntN(4)
	features := 0
	if len(g.pkgs) > 1 && r.chance(.5) {
		n, features = r.IntN(2), 1+r.IntN(3)
	}
	for i := range features {
		id := fmt.Sprintf("P%d", i)
		g.atom(id, func(r rnd) { g.feature(id, r) })
	}
	for i := range n {
		id := fmt.Sprintf("F%d", i)
		g.atom(id, func(r rnd) { g.keyFeature(id, r) })
	}
	for i := range r.IntN(4) {
		id := fmt.Sprintf("H%d", i)
		g.atom(id, func(r rnd) { g.hazard(id, r) })
	}
	for i := range r.IntN(4) {
		id := fmt.Sprintf("S%d", i)
		g.atom(id, func(r rnd) { g.scene(id, r) })
	}
	for i := range r.IntN(4) {
		id := fmt.Sprintf("X%d", i)
		g.atom(id, func(r rnd) {
			if len(g.keys) > 0 {
				k := pick(r, g.keys)
				g.own(id, k.name())
				g.exotic(id, k, &body{file: g.place(r, anywhere), id: id, ctx: "ctx"}, r)
			}
		})
	}
	g.atom("ballast", g.ballast)
	return g.finish()
}

var pkgNames = []string{"auth", "store", "web", "logx", "api", "model", "trace", "user", "keys", "app", "context", "errors"}

// layout makes the packages.
func (g *gen) layout(r rnd) {
	dir := ""
	if r.chance(.5) {
		dir = "cmd/tool"
	}
	g.addPackage("main", dir, true)
	if r.chance(.2) {
		g.addPackage("main", "cmd/second", true)
	}
	if r.chance(.1) {
		return
	}
	names := slices.Clone(pkgNames)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:2+r.IntN(3)] {
		dir := pickWeighted(r, []weighted[string]{{8, "internal/" + name}, {1, name}, {1, "pkg/" + name}, {2, "internal/core/" + name}})
		if r.chance(.1) {
			name += "lib"
		}
		g.addPackage(name, dir, false)
	}
}

func (g *gen) addPackage(name, dir string, main bool) *pkg {
	p := &pkg{index: len(g.pkgs), name: name, dir: dir, main: main, names: map[string]bool{}}
	p.path = strings.TrimSuffix(g.module+"/"+dir, "/")
	g.pkgs = append(g.pkgs, p)
	return p
}

// place picks a file that satisfies a condition.
func (g *gen) place(r rnd, ok func(*file) bool) *file {
	for range 30 {
		p := pick(r, g.pkgs)
		name := pickWeighted(r, []weighted[string]{{6, "a.go"}, {3, "b.go"}, {2, "in_test.go"}, {1, "ext_test.go"}})
		if p.main && name == "ext_test.go" {
			continue
		}
		f := &file{pkg: p, name: name, test: strings.HasSuffix(name, "_test.go"), xtest: name == "ext_test.go"}
		if ok(f) {
			return g.newFile(p, name)
		}
	}
	return nil
}

func anywhere(*file) bool { return true }

// keyFeature adds a key with writers and readers.
func (g *gen) keyFeature(id string, r rnd) {
	k := &key{id: id, decl: map[*pkg]string{}}
	if len(g.keys) > 0 && r.chance(.2) {
		old := pick(r, g.keys)
		k.kind, k.lit = old.kind, old.lit
		g.label(k, "same text twice")
	} else {
		k.kind, k.lit = g.keyText(r)
	}
	g.own(id, k.name())
	g.label(k, "key of type %s", k.kind)
	k.value = g.valueType(id, r)
	g.keys = append(g.keys, k)
	for i := range 1 + r.IntN(3) {
		sid := fmt.Sprintf("%sW%d", id, i)
		g.own(sid, k.name())
		g.atom(sid, func(r rnd) { g.writer(sid, k, r) })
	}
	for i := range 1 + r.IntN(4) {
		sid := fmt.Sprintf("%sR%d", id, i)
		g.own(sid, k.name())
		g.atom(sid, func(r rnd) { g.reader(sid, k, r) })
	}
}

var texts = []string{
	"user", "user_id", "X-Request-ID", "trace.id", "lang", "a b", "", "ctxUser", "\u540d\u524d", "type", "func", "nil", "string", "error",
	"1st", "userKey", "default", "context", "key", "ctx", "contextKey", "with", "main", "any", "auth", "store", "user", "user", "session",
}

// keyText picks a key's type and value.
func (g *gen) keyText(r rnd) (kind, lit string) {
	return pickWeighted(r, []weighted[func() (string, string)]{
		{16, func() (string, string) { return "string", fmt.Sprintf("%q", pick(r, texts)) }},
		{2, func() (string, string) { return "int", fmt.Sprint(r.IntN(3)) }},
		{1, func() (string, string) { return "bool", pick(r, []string{"true", "false"}) }},
		{1, func() (string, string) { return "float64", pick(r, []string{"1.5", "2.0"}) }},
		{1, func() (string, string) { return "rune", "'a'" }},
	})()
}

// finish adds the drivers and prints the files.
func (g *gen) finish() *generated {
	p := &generated{kind: &keyKind, seed: g.seed, module: g.module, atoms: g.atoms, labels: g.labels, tags: g.tags, owners: g.owners, alters: g.alters, zeroless: g.zeroless, records: g.records, files: map[string]string{}}
	for _, pk := range g.pkgs {
		if pk.main {
			g.mainDriver(pk)
		}
	}
	for _, pk := range g.pkgs {
		g.testDriver(p, pk, "in_test.go")
		if !pk.main {
			g.testDriver(p, pk, "ext_test.go")
		}
	}
	for _, pk := range g.pkgs {
		if len(pk.files) > 0 && !slices.ContainsFunc(pk.files, func(f *file) bool { return !f.test && !f.tagged }) {
			f := g.newFile(pk, "a.go")
			f.add("// Doc is there so that the package has a file.\nconst Doc = %q", pk.name)
		}
		for _, f := range pk.files {
			text, err := f.text()
			if err != nil && p.err == nil {
				p.err = err
			}
			p.files[strings.TrimPrefix(pk.dir+"/"+f.name, "/")] = text
		}
	}
	g.goMods(p.files)
	return p
}

// mainDriver writes main: it stores under all keys, one after the other, and lets all readers look each time.
func (g *gen) mainDriver(main *pkg) {
	f := g.newFile(main, "main.go")
	ctx := f.std("context")
	var b, show strings.Builder
	fmt.Fprintf(&b, "func main() {\nctx := %s.Background()\nshowAll(ctx, \"none\")\n", ctx)
	fmt.Fprintf(&show, "func showAll(ctx %s.Context, at string) {\n", ctx)
	for _, s := range g.sites {
		if s.file.test || s.file.tagged || !f.reaches(s.file.pkg) {
			continue
		}
		if s.writer {
			fmt.Fprintf(&b, "ctx = %s(ctx)\nshowAll(ctx, %q)\n", f.ref(s.file.pkg, s.name), s.name)
		} else {
			fmt.Fprintf(&show, "%s(ctx, at)\n", f.ref(s.file.pkg, s.name))
		}
	}
	f.decls = append([]string{b.String() + "}", show.String() + "}"}, f.decls...)
}

// testDriver writes the test of one test file: what its own functions see, and those it can reach.
func (g *gen) testDriver(prog *generated, p *pkg, name string) {
	i := slices.IndexFunc(p.files, func(f *file) bool { return f.name == name })
	if i < 0 {
		return
	}
	f := p.files[i]
	ctx, testing := f.std("context"), f.std("testing")
	test := "TestIn"
	if f.xtest {
		test = "TestExt"
	}
	var b, show strings.Builder
	fmt.Fprintf(&b, "func %s(t *%s.T) {\nctx := %s.Background()\nshowIn%s(ctx, \"test\")\n", test, testing, ctx, test)
	fmt.Fprintf(&show, "func showIn%s(ctx %s.Context, at string) {\n", test, ctx)
	for _, s := range g.sites {
		if s.file.tagged || s.file != f && (s.file.test || !f.reaches(s.file.pkg)) {
			continue
		}
		ref := s.name
		if s.file != f {
			ref = f.ref(s.file.pkg, s.name)
		}
		if s.writer {
			fmt.Fprintf(&b, "ctx = %s(ctx)\nshowIn%s(ctx, %q)\n", ref, test, s.name)
		} else {
			fmt.Fprintf(&show, "%s(ctx, at)\n", ref)
		}
	}
	f.decls = append(f.decls, b.String()+"}", show.String()+"}")
	prog.tests = append(prog.tests, testFunc{dir: p.dir, name: test, xtest: f.xtest})
}

// scene adds one of the scenes.
func (g *gen) scene(id string, r rnd) {
	if len(g.keys) == 0 {
		return
	}
	var list []weighted[scene]
	for _, s := range scenes {
		list = append(list, weighted[scene]{s.weight, s})
	}
	s := pickWeighted(r, list)
	if g.tame && obstacles[s.name] {
		s = scenes[1]
	}
	k := pick(r, g.keys)
	g.own(id, k.name())
	g.label(k, "%s", s.name)
	s.play(g, id, k, &body{file: g.place(r, anywhere), id: id, ctx: "ctx"}, r)
}

// ballast adds imports between packages, which limit where keys can live.
func (g *gen) ballast(r rnd) {
	for _, from := range g.pkgs {
		for _, to := range g.pkgs {
			if to.index > from.index && !to.main && r.chance(.3) && len(to.files) > 0 && len(from.files) > 0 && (&file{pkg: from}).reaches(to) {
				g.newFile(to, "a.go").add("// Ballast is used by other packages.\nfunc Ballast() int { return %d }", to.index)
				f := g.newFile(from, "a.go")
				f.add("var _ = %s()", f.ref(to, "Ballast"))
			}
		}
	}
}

func (p *generated) names() []string { return slices.Sorted(maps.Keys(p.files)) }
