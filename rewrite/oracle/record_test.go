package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// A record is a map that is stored under a key and has constant indexes.
type record struct {
	*typedKey
	mapType string // map[string]any or another
	elem    string // what it is a map of
	mixed   bool   // its first field is set to values of several types
	named   *pkg   // declares the map's type, nil for none
	fields  []recordField
	// plain is set as long as every writer and reader leaves a struct possible.
	plain bool
	// tame records have only writers and readers that leave a struct possible.
	tame bool
}

// A recordField is an index of a record.
type recordField struct {
	index  string // as Go syntax
	typ    string
	zero   string
	values []string
}

var fieldTypes = []recordField{
	{typ: "int", zero: "0", values: []string{"7", "0", "42"}},
	{typ: "string", zero: `""`, values: []string{`"ann"`, `""`, `"bob"`}},
	{typ: "bool", zero: "false", values: []string{"true", "false", "1 < 2"}},
	{typ: "float64", zero: "0.0", values: []string{"1.5", "2.0"}},
	{typ: "int64", zero: "int64(0)", values: []string{"int64(3)", "int64(1) << 33"}},
	{typ: "[]string", zero: "[]string(nil)", values: []string{`[]string{"a", "b"}`, "[]string(nil)"}},
	{typ: "[2]int", zero: "[2]int{}", values: []string{"[2]int{1, 2}"}},
	{typ: "struct{ A int }", zero: "struct{ A int }{}", values: []string{"struct{ A int }{4}"}},
	{typ: "rune", zero: "rune(0)", values: []string{"'x'", "'y'"}},
	{typ: "map[string]int", zero: "map[string]int(nil)", values: []string{`map[string]int{"a": 1}`}},
}

var fieldNames = []string{`"id"`, `"name"`, `"user_id"`, `"ID"`, `"X-Home"`, `"a b"`, `""`, `"type"`, `"1st"`, `"\u540d"`, `"context"`, `"string"`, `"n" + "1"`, `"len"`}

// record adds a key whose values are maps.
func (g *gen) record(id string, r rnd) {
	rec := &record{plain: true, tame: r.chance(.6), typedKey: g.typedKey(id, r, weighted[string]{4, "struct"}, weighted[string]{4, "text"}, weighted[string]{1, "number"}, weighted[string]{2, "literal"})}
	rec.elem = pickWeighted(r, []weighted[string]{{8, "any"}, {1, "string"}, {1, "int"}, {1, "interface{}"}})
	rec.mapType = "map[string]" + rec.elem
	if !rec.tame && r.chance(.2) {
		rec.named, rec.plain = rec.home, false
		g.newFile(rec.home, "types.go").add("// Map%s is a record.\ntype Map%s %s", id, id, rec.mapType)
	}
	for i := range 1 + r.IntN(3) {
		f := pick(r, fieldTypes)
		if rec.elem == "string" || rec.elem == "int" {
			i := slices.IndexFunc(fieldTypes, func(f recordField) bool { return f.typ == rec.elem })
			f = fieldTypes[i]
		}
		for f.index == "" || slices.ContainsFunc(rec.fields, func(g recordField) bool { return g.index == f.index }) {
			f.index = pick(r, fieldNames)
		}
		if i == 0 && !rec.tame && r.chance(.2) && rec.open() {
			f.values = append(slices.Clone(f.values), `"other type"`, "nil")
			rec.plain, rec.mixed = false, true
		}
		rec.fields = append(rec.fields, f)
	}
	g.label(rec.key, "record")
	for i := range 1 + r.IntN(3) {
		sid := fmt.Sprintf("%sW%d", id, i)
		g.own(sid, rec.lit)
		g.atom(sid, func(r rnd) { g.recordSite(sid, rec, recordWriters, true, r) })
	}
	for i := range 1 + r.IntN(4) {
		sid := fmt.Sprintf("%sR%d", id, i)
		g.own(sid, rec.lit)
		g.atom(sid, func(r rnd) { g.recordSite(sid, rec, recordReaders, false, r) })
	}
	if !rec.tame && r.chance(.2) {
		g.atom(id+"O", func(r rnd) { g.recordObstacle(id+"O", rec, r) })
	}
	if rec.plain && rec.form != "literal" {
		g.records[rec.family] = true
	}
}

// open reports whether the map's elements are of an interface type.
func (rec *record) open() bool { return rec.elem == "any" || rec.elem == "interface{}" }

// can reports whether a file can name the key and the map's type.
func (rec *record) can(f *file) bool {
	return rec.typedKey.can(f) && (rec.named == nil || f.reaches(rec.named))
}

// recordSite adds a function that stores or reads a record.
func (g *gen) recordSite(id string, rec *record, ways []shape, writer bool, r rnd) {
	f := g.place(r, rec.can)
	if f == nil {
		f = g.newFile(rec.home, "a.go")
	}
	g.recordShape(id, rec, f, pickWeighted(r, weights(ways, func(w *shape) bool { return rec.fits(w) && (w.home == "" || f.reaches(rec.home)) })), writer)
}

// recordShape adds a function of a shape.
func (g *gen) recordShape(id string, rec *record, f *file, w *shape, writer bool) {
	g.label(rec.key, "record %s", w.name)
	if rec.family != rec.lit {
		g.labelName(rec.family, "record "+w.name)
	}
	if w.hard {
		rec.plain = false
	}
	if !writer {
		g.alters[id], g.zeroless[id] = true, rec.mixed
	}
	if !rec.tame { // what panics is told, and the program goes on
		c := *w
		w = &c
		switch {
		case writer && strings.Contains(w.code, "ctx.Value"):
			w.decls += "\n\nfunc tryIDENT(ctx CTX.Context) (out CTX.Context) {\nout = ctx\ndefer func() {\nif recover() != nil {\nFMT.Println(\"lost\", \"ID\")\n}\n}()\n" + w.code + "\n}"
			w.code, w.mended = "return tryIDENT(ctx)", ""
		case !writer && !strings.Contains(w.code, "GUARD"):
			w.code = "GUARD\n" + w.code
		}
	}
	words := func(f *file) []string { return g.recordWords(w, rec, f, newRnd(g.seed, "words "+id)) }
	if w.home != "" {
		host := g.newFile(rec.home, "access.go")
		host.add("%s", strings.NewReplacer(append(g.commonWords(id, host, w.home), words(host)...)...).Replace(w.home))
	}
	g.shape(id, f, w, writer, append([]string{"AT", f.ref(rec.home, "")}, words(f)...))
}

// recordObstacle adds a place that reads the map and that no fix can edit.
func (g *gen) recordObstacle(id string, rec *record, r rnd) {
	rec.plain = false
	f, comment := g.newFile(rec.home, "a.go"), ""
	switch r.IntN(4) {
	case 0:
		f = g.newFile(rec.home, "special.go")
		f.head, f.tagged, g.tags = "//go:build special", true, true
	case 1:
		f = g.newFile(rec.home, "special_windows.go")
		f.tagged, g.tags = true, true
	case 2:
		f = g.newFile(rec.home, "gen.go")
		f.head = "// Code generated by tool; DO NOT EDIT."
	case 3:
		comment = " //ctxmend:ignore mapvalue the tests say so"
	}
	words := append([]string{"IDENT", id, "CTX", f.std("context")}, g.recordWords(nil, rec, f, r)...)
	f.add("%s", strings.NewReplacer(words...).Replace("// ReadIDENT reads.\nfunc ReadIDENT(ctx CTX.Context) any {\nm, _ := ctx.Value(KEY).(MAP)"+comment+"\nreturn m[F0]\n}"))
}

// fits reports whether a shape goes with the record's fields.
func (rec *record) fits(w *shape) bool {
	return !(rec.tame && w.hard || w.needs == "any" && !rec.open() || w.needs == "one type" && rec.mixed || w.needs == "int" && rec.elem != "int" || w.needs == "two" && len(rec.fields) < 2)
}

// recordWords returns what the words of a template stand for.
func (g *gen) recordWords(w *shape, rec *record, f *file, r rnd) []string {
	typ := rec.mapType
	if rec.named != nil {
		typ = f.ref(rec.named, "Map"+rec.id)
	}
	order := r.Perm(len(rec.fields))
	f0, f1 := rec.fields[order[0]], rec.fields[order[len(order)-1]]
	load := "m, _ := ctx.Value(KEY).(MAP)"
	if g.mended {
		load = "m, there := ctx.Value(KEY).(MAP)\nif !there {\nm = ZERO\n}"
	}
	literal := func(skip int, value func(recordField) string) string {
		var elts []string
		for i, f := range rec.fields {
			if i != skip {
				elts = append(elts, f.index+": "+value(f))
			}
		}
		if len(elts) > 2 {
			return typ + "{\n" + strings.Join(elts, ",\n") + ",\n}"
		}
		return typ + "{" + strings.Join(elts, ", ") + "}"
	}
	sets := func(m string) string {
		var lines []string
		for _, i := range order {
			lines = append(lines, fmt.Sprintf("%s[%s] = %s", m, rec.fields[i].index, pick(r, rec.fields[i].values)))
		}
		return strings.Join(lines, "\n")
	}
	value := func(f recordField) string { return pick(r, f.values) }
	assert := func(f recordField) string {
		if rec.open() {
			return ".(" + f.typ + ")"
		}
		return ""
	}
	words := []string{
		"LIT2", literal(-1, value), "LIT", literal(-1, value), "PART", literal(order[0], value), "SETS", sets("m"),
		"ZERO", literal(-1, func(f recordField) string { return f.zero }), "MAP", typ, "KEY", rec.in(f),
		"F0", f0.index, "F1", f1.index, "V0B", pick(r, f0.values), "V0", pick(r, f0.values), "V1", pick(r, f1.values),
		"T0", f0.typ, "T1", f1.typ, "A0", assert(f0), "A1", assert(f1), "Z0", f0.zero, "ELEM", rec.elem,
	}
	return append([]string{"LOAD", strings.NewReplacer(words...).Replace(load)}, words...)
}

// labelName counts a hazard for a key that findings name otherwise than by its literal.
func (g *gen) labelName(key, label string) {
	if g.labels[key] == nil {
		g.labels[key] = map[string]bool{}
	}
	g.labels[key][label] = true
}
