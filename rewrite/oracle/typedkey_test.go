package oracle

import (
	"fmt"
	"strings"
)

// A typedKey is a key with a type of its own, or a text that should have one, declared in one package.
type typedKey struct {
	*key
	form     string // "struct", "text", "number", "pointer" or "literal"
	home     *pkg
	exported bool
	typ      string // the type's name
	ident    string // the constant's or variable's name, "" for none
	family   string // what the census calls it
}

// typedKey declares a key. Those of a built-in type have two rules to meet at once.
func (g *gen) typedKey(id string, r rnd, forms ...weighted[string]) *typedKey {
	home := pick(r, g.pkgs)
	return g.typedKeyIn(home, pick(r, []string{"user", "Claims-", "trace.", "x "})+id, id, pickWeighted(r, forms), !home.main && r.chance(.6), pick(r, []string{"keys.go", "a.go"}))
}

// typedKeyIn declares a key in a file of a package.
func (g *gen) typedKeyIn(home *pkg, text, id, form string, exported bool, file string) *typedKey {
	k := &typedKey{key: &key{id: id, kind: "string", decl: map[*pkg]string{}}, home: home, form: form, exported: exported}
	k.lit = fmt.Sprintf("%q", text)
	k.typ, k.ident = "ctxType"+id, "ctxKey"+id
	if k.exported {
		k.typ, k.ident = upper(k.typ), upper(k.ident)
	}
	path := k.home.path + "." + k.typ
	f := g.newFile(k.home, file)
	switch k.form {
	case "struct":
		f.add("// %s is a key.\ntype %s struct{}", k.typ, k.typ)
		k.ident, k.family = "", path
	case "text":
		f.add("// %s is the type of a key.\ntype %s string\n\n// %s is a key.\nconst %s %s = %s", k.typ, k.typ, k.ident, k.ident, k.typ, k.lit)
		k.family = path + "(" + k.lit + ")"
	case "number":
		f.add("type %s int\n\nconst (\n\tother%s %s = iota\n\t// %s is a key.\n\t%s\n)\n\nvar _ = other%s", k.typ, id, k.typ, k.ident, k.ident, id)
		k.family = path + "(1)"
	case "pointer":
		f.add("type %s struct{ name string }\n\n// %s is a key.\nvar %s = &%s{%s}", k.typ, k.ident, k.ident, k.typ, k.lit)
		k.family = k.home.path + "." + k.ident
	case "literal":
		k.ident, k.family = "", k.lit
	}
	return k
}

// can reports whether a file can name the key.
func (k *typedKey) can(f *file) bool {
	return k.form == "literal" || f.reaches(k.home) && (k.exported || f.pkg == k.home && !f.xtest)
}

// in writes the key in a file.
func (k *typedKey) in(f *file) string {
	switch {
	case k.form == "literal":
		return k.lit
	case k.form == "struct":
		return f.ref(k.home, k.typ) + "{}"
	}
	return f.ref(k.home, k.ident)
}

// own notes that an atom concerns a key.
func (g *gen) own(id, key string) { g.owners[id] = append(g.owners[id], key) }

// concerns reports whether a key, as findings name it, is one that an atom concerns.
func (p *generated) concerns(id, key string) bool {
	for _, k := range p.owners[id] {
		if k == key || strings.HasSuffix(key, "("+k+")") {
			return true
		}
	}
	return false
}
