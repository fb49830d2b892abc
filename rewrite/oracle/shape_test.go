package oracle

import (
	"fmt"
	"strings"
)

// A shape is the body of a function that stores or reads, written as a template. In its text CTX, FMT and JSON are packages,
// ID is the atom's name and IDENT one to put behind others; OUT( prints, GUARD prints that the rest panics, NOTE(x) is x and
// prints that it was evaluated. All other words in capitals are those of the feature.
type shape struct {
	weight int
	name   string
	decls  string
	// home are declarations in the package of the key, whose names code writes behind AT.
	home string
	code string
	// mended is the code of a program without the mistake.
	mended string
	needs  string // "any" for maps of interface values, "int" for maps of numbers, "two" for more than one field
	hard   bool   // no fix is expected
	nils   bool   // there may be no map, or one without the field
}

// shape adds a site made of a shape to a file. words are pairs of words and what they stand for.
func (g *gen) shape(id string, f *file, w *shape, writer bool, words []string) {
	name := "Show" + id
	if writer {
		name = "Set" + id
	}
	g.sites = append(g.sites, &site{file: f, name: name, writer: writer})
	text := w.code
	if g.mended && w.mended != "" {
		text = w.mended
	}
	all := w.decls + w.code + w.mended
	ctx := f.std("context")
	pairs := g.commonWords(id, f, all)
	fill := strings.NewReplacer(append(pairs, words...)...)
	if w.decls != "" {
		f.add("%s", fill.Replace(w.decls))
	}
	code := fill.Replace(text)
	if writer {
		f.add("// %s stores.\nfunc %s(ctx %s.Context) %s.Context {\n%s\n}", name, name, ctx, ctx, code)
	} else {
		f.add("// %s prints.\nfunc %s(ctx %s.Context, at string) {\n%s\n}", name, name, ctx, code)
	}
}

// commonWords returns what the words stand for that all templates may have.
func (g *gen) commonWords(id string, f *file, all string) []string {
	pairs := []string{"CTX", f.std("context"), "IDENT", strings.ToLower(id), "ID", id}
	if strings.Contains(all, "FMT.") || strings.Contains(all, "OUT(") || strings.Contains(all, "GUARD") {
		fmtp := f.std("fmt")
		pairs = append(pairs, "FMT", fmtp, "OUT(", fmt.Sprintf("%s.Println(at, %q, ", fmtp, id),
			"GUARD", fmt.Sprintf("defer func() {\nif recover() != nil {\n%s.Println(at, %q, \"panics\")\n}\n}()", fmtp, id))
	}
	if strings.Contains(all, "JSON") {
		pairs = append(pairs, "JSON", f.std("encoding/json"))
	}
	if strings.Contains(all, "NOTE(") {
		fn := g.helper(f, "note", "func FN[T any](what string, v T) T {\n\tfmt.Println(\"evaluated\", what)\n\treturn v\n}")
		pairs = append(pairs, "NOTE(", fmt.Sprintf("%s(%q, ", fn, id))
	}
	return pairs
}

// weights makes a list of shapes one to pick from.
func weights(list []shape, ok func(*shape) bool) []weighted[*shape] {
	var out []weighted[*shape]
	for i := range list {
		if ok == nil || ok(&list[i]) {
			out = append(out, weighted[*shape]{list[i].weight, &list[i]})
		}
	}
	return out
}
