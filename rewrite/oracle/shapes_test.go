package oracle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// TestRecords tries every way to store a map with plain readers, and every way to read one with plain writers: each
// has a key of its own, and all that need not stay maps have to become structs.
func TestRecords(t *testing.T) {
	var progs []*generated
	for i, list := range [][]shape{recordWriters, recordReaders} {
		for j, apart := range []bool{false, true} {
			id := fmt.Sprintf("%d%d", i, j)
			p := withMended(func(mended bool) *generated { return recordProgram(id, list, i == 0, apart, mended) })
			if p.err != nil {
				t.Fatal(p.err)
			}
			p.title = "records " + id
			progs = append(progs, p)
		}
	}
	for _, tr := range tryAll(t, progs) {
		if tr.aborted {
			t.Errorf("%s panics before its end", tr.prog.title)
		}
		for key := range tr.prog.records {
			if !slices.ContainsFunc(tr.reviewUnits, func(u *plan.Unit) bool {
				return u.Blocker == nil && len(u.Findings) > 0 && u.Findings[0].Rule == "mapvalue" && u.Findings[0].Key == key
			}) {
				t.Errorf("%s: the map under %s does not become a struct: %v", tr.prog.title, key, tr.prog.labels[key])
			}
		}
	}
}

// recordProgram stores and reads a record in every way of a list. Writers and readers stand in one package, or in two.
func recordProgram(id string, list []shape, writers, apart, mended bool) *generated {
	g := newGen(1, nil, mended)
	g.module = "example.com/records" + id
	g.addPackage("main", "", true)
	other := g.addPackage("web", "internal/web", false)
	home := g.addPackage("auth", "internal/auth", false)
	writing, reading := g.newFile(home, "w.go"), g.newFile(home, "r.go")
	if apart {
		writing = g.newFile(other, "w.go")
	}
	for i := range list {
		w := &list[i]
		n := fmt.Sprintf("P%d", i)
		rec := &record{plain: true, tame: !writers, elem: "any", mapType: "map[string]any", typedKey: g.typedKeyIn(home, n, n, "struct", true, "keys.go")}
		kinds := slices.Clone(fieldTypes[:2])
		if w.needs == "int" {
			rec.elem, rec.mapType = "int", "map[string]int"
			kinds[1] = kinds[0]
		}
		for j, f := range kinds {
			f.index = []string{`"id"`, `"user_name"`}[j]
			rec.fields = append(rec.fields, f)
		}
		g.own(n, rec.family)
		if writers {
			g.recordShape(n+"W", rec, writing, w, true)
			g.recordShape(n+"R", rec, reading, &recordReaders[0], false)
			if apart {
				g.recordShape(n+"V", rec, writing, &recordWriters[0], true)
				g.recordShape(n+"Q", rec, reading, named(recordReaders, "unguarded"), false)
				g.recordShape(n+"B", rec, reading, named(recordReaders, "unguarded bare"), false)
				g.recordShape(n+"M", rec, reading, named(recordReaders, "must"), false)
				g.recordShape(n+"C", rec, reading, named(recordReaders, "chained bare"), false)
			}
		} else {
			g.recordShape(n+"W", rec, writing, &recordWriters[0], true)
			g.recordShape(n+"V", rec, writing, named(recordWriters, "make"), true)
			g.recordShape(n+"R", rec, reading, w, false)
			g.recordShape(n+"Q", rec, reading, &recordReaders[0], false)
		}
		if rec.plain {
			g.records[rec.family] = true
		}
	}
	return g.finish()
}

// named returns the shape with a name.
func named(list []shape, name string) *shape {
	return &list[slices.IndexFunc(list, func(w shape) bool { return w.name == name })]
}

// TestShapes tries every shape of the other misuses with plain counterparts.
func TestShapes(t *testing.T) {
	var progs []*generated
	for _, l := range slices.Concat(deadLists(), chainLists(), halfLists()) {
		p := l.program(fmt.Sprint(len(progs)))
		if p.err != nil {
			t.Fatal(p.err)
		}
		progs = append(progs, p)
	}
	tryAll(t, progs)
}

// A shapeList is a list of shapes to try, with what adds the sites of one of them to a program.
type shapeList struct {
	title string
	list  []shape
	site  func(g *gen, n string, w *shape, f *file, r rnd)
}

// program makes one program of all shapes.
func (l *shapeList) program(id string) *generated {
	p := withMended(func(mended bool) *generated {
		g := newGen(1, nil, mended)
		g.module = "example.com/shapes" + id
		g.addPackage("main", "", true)
		f := g.newFile(g.addPackage("auth", "internal/auth", false), "a.go")
		for i := range l.list {
			l.site(g, fmt.Sprintf("P%d", i), &l.list[i], f, newRnd(uint64(i), "shape "+id))
		}
		return g.finish()
	})
	p.title = l.title
	return p
}

// shapeKey declares a key for the sites of one shape.
func shapeKey(g *gen, n, form string, f *file) *typedKey {
	k := g.typedKeyIn(f.pkg, n, n, form, true, "keys.go")
	atom, _, _ := strings.Cut(n, "k")
	g.own(atom+"W", k.family)
	g.own(atom+"R", k.family)
	return k
}

func deadLists() []*shapeList {
	v := fieldTypes[0]
	dead := func(g *gen, n string, w *shape, f *file, r rnd) {
		live := shapeKey(g, n+"x", "struct", f)
		g.deadShape(n+"W", f, w, shapeKey(g, n, "struct", f), live, v, r)
		g.shape(n+"R", f, &halfReaders[0], false, []string{"KEY", live.in(f), "T0", v.typ})
	}
	unchecked := func(g *gen, n string, w *shape, f *file, r rnd) {
		k := shapeKey(g, n, "struct", f)
		g.uncheckedShape(n+"W", f, &halfWriters[0], true, k, v, r)
		g.uncheckedShape(n+"R", f, w, false, k, v, r)
	}
	return []*shapeList{{"dead keys", deadWriters, dead}, {"unchecked reads", uncheckedReaders, unchecked}}
}

func chainLists() (lists []*shapeList) {
	for i, list := range [][]shape{chainWriters, chainReaders} {
		for _, form := range []string{"struct", "text"} {
			lists = append(lists, &shapeList{"rows of keys of type " + form, list, func(g *gen, n string, w *shape, f *file, r rnd) {
				c := &chain{}
				for j := range 3 {
					c.keys = append(c.keys, shapeKey(g, fmt.Sprintf("%sk%d", n, j), form, f))
					c.fields = append(c.fields, fieldTypes[j])
				}
				writer, reader := w, &chainReaders[0]
				if i == 1 {
					writer, reader = &chainWriters[0], w
				}
				g.chainShape(n+"W", f, writer, true, c, r)
				g.chainShape(n+"R", f, reader, false, c, r)
			}})
		}
	}
	return lists
}

func halfLists() (lists []*shapeList) {
	v := fieldTypes[0]
	for i, list := range [][]shape{halfWriters, halfReaders} {
		for _, typed := range []string{"writers", "readers"} {
			lists = append(lists, &shapeList{"halves, typed " + typed, list, func(g *gen, n string, w *shape, f *file, r rnd) {
				k := shapeKey(g, n, "text", f)
				writer, reader := w, &halfReaders[0]
				if i == 1 {
					writer, reader = &halfWriters[0], w
				}
				words := func(typed bool) []string {
					return append(g.spelled(k, f, typed && !g.mended, r), "T0", v.typ, "V0B", v.values[1], "V0", v.values[0])
				}
				g.alters[n+"R"] = true
				g.shape(n+"W", f, writer, true, words(typed == "writers"))
				g.shape(n+"R", f, reader, false, words(typed == "readers"))
			}})
		}
	}
	return lists
}
