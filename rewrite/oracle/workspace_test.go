package oracle

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// workspace moves some packages of some programs to a module of its own below the program's, so that a go.work file holds
// them together. Paths stay what directories make of them.
func (g *gen) workspace(r rnd) {
	if !r.chance(.15) {
		return
	}
	home := pick(r, []string{"lib", "libs/core", "tools"})
	for _, p := range g.pkgs {
		if p.index > 0 && r.chance(.5) {
			p.dir = strings.TrimSuffix(home+"/"+p.dir, "/")
			p.path = g.module + "/" + p.dir
			g.nested = home
		}
	}
}

// goMods writes go.mod files, and go.work where there are two. What is imported is required, most of the time: go.work
// would do.
func (g *gen) goMods(files map[string]string) {
	files["go.mod"] = "module " + g.module + "\n\ngo 1.26\n"
	if g.nested == "" {
		return
	}
	nested := g.module + "/" + g.nested
	files[g.nested+"/go.mod"] = "module " + nested + "\n\ngo 1.26\n"
	files["go.work"] = "go 1.26\n\nuse (\n\t.\n\t./" + g.nested + "\n)\n"
	r := newRnd(g.seed, "requires")
	needed := crossings(g.module, files)
	for _, m := range []struct{ dir, to string }{{"", nested}, {g.nested, g.module}} {
		if need := needed[m.dir] != ""; need && r.chance(.8) || r.chance(.2) {
			files[path.Join(m.dir, "go.mod")] += fmt.Sprintf("\nrequire %s v0.0.0\n", m.to)
		}
	}
}

// moduleDirs returns the directories of a tree's modules below its root.
func moduleDirs(files map[string]string) (list []string) {
	for name := range files {
		if dir, ok := strings.CutSuffix(name, "/go.mod"); ok {
			list = append(list, dir)
		}
	}
	slices.Sort(list)
	return list
}

// crossings returns, by the directory of the module, an import of the other one.
func crossings(module string, files map[string]string) map[string]string {
	nested := moduleDirs(files)
	of := func(name string) string {
		for _, dir := range nested {
			if strings.HasPrefix(name+"/", dir+"/") {
				return dir
			}
		}
		return ""
	}
	found := map[string]string{}
	for name, src := range files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			continue // is reported elsewhere
		}
		for _, im := range f.Imports {
			p, _ := strconv.Unquote(im.Path.Value)
			if rel, ok := strings.CutPrefix(p, module+"/"); (ok || p == module) && of(rel) != of(name) {
				found[of(name)] = max(found[of(name)], name+" imports "+p)
			}
		}
	}
	return found
}

// checkRequires checks that no module needs another one that its go.mod does not name: go.work would hide that.
func (t *trial) checkRequires(name string, files map[string]string) {
	before := crossings(t.prog.module, t.prog.files)
	for dir, what := range crossings(t.prog.module, files) {
		if before[dir] == "" && !strings.Contains(files[path.Join(dir, "go.mod")], "require ") {
			t.fail("an import lacks its require (%s): %s", name, what)
		}
	}
}

// sceneTwoConfigurations looks the key up in a function that is there twice, for two configurations.
func sceneTwoConfigurations(g *gen, id string, k *key, b *body, r rnd) {
	if b.test {
		return
	}
	g.tags = true
	tag := pick(r, []string{"special", "windows"})
	for i, head := range []string{"//go:build !" + tag, "//go:build " + tag} {
		f := g.newFile(b.pkg, fmt.Sprintf("twin%d%s.go", i, strings.ToLower(id)))
		f.head, f.tagged = head, i > 0
		name := k.lit
		if r.chance(.3) {
			name = g.declared(k, &body{file: f, id: id, ctx: "ctx"}, r, "constant")
		}
		f.add("func twin%s(ctx %s.Context) any { return ctx.Value(%s) }", id, f.std("context"), name)
	}
	g.readSite(b, fmt.Sprintf("twin%s(ctx)", id))
}
