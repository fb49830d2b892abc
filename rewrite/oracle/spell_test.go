package oracle

import (
	"fmt"
	"strconv"
	"strings"
)

// dynamic holds the spellings that may be any key, which lowers what can be done about all others.
var dynamic = map[string]bool{
	"computed": true, "sliced": true, "bytes": true, "reassigned variable": true, "channel": true,
	"pointer": true, "other package's variable": true, "through typed": true,
}

// spell writes a key as an expression of a file, with the declarations it needs.
func (g *gen) spell(k *key, b *body, r rnd) string {
	ways := []weighted[string]{
		{14, "literal"}, {6, "constant"}, {3, "typed constant"}, {5, "other package's constant"}, {2, "derived constant"},
		{2, "local constant"}, {2, "constant block"}, {2, "package variable"}, {2, "local variable"}, {1, "reassigned variable"},
		{1, "any variable"}, {1, "conversion"}, {1, "any conversion"}, {1, "alias conversion"}, {1, "table"}, {1, "function result"},
		{1, "any function result"}, {1, "parenthesized"}, {1, "struct field"}, {1, "local any variable"}, {1, "either"}, {1, "array element"},
		{1, "constant elsewhere's constant"}, {1, "two names"}, {1, "repetition"}, {1, "effect"}, {1, "identity"}, {1, "map element"},
		{1, "pointer"}, {1, "switch result"}, {1, "closure result"}, {1, "through typed"}, {1, "other package's variable"}, {1, "channel"}, {1, "local block"}, {1, "package struct"}, {1, "constant as any"},
	}
	switch k.kind {
	case "string":
		ways = append(ways, weighted[string]{1, "raw literal"}, weighted[string]{1, "concatenation"}, weighted[string]{1, "concatenated constants"}, weighted[string]{1, "computed"}, weighted[string]{1, "sliced"}, weighted[string]{1, "bytes"})
	case "int":
		ways = append(ways, weighted[string]{6, "iota"}, weighted[string]{1, "arithmetic"}, weighted[string]{1, "rune"})
	}
	way := pickWeighted(r, ways)
	if g.tame && dynamic[way] {
		way = "literal"
	}
	g.label(k, "key as %s", way)
	switch way {
	case "literal":
		return k.lit
	case "parenthesized":
		return "(" + k.lit + ")"
	case "raw literal":
		return "`" + k.unquoted() + "`"
	case "concatenation":
		text := k.unquoted()
		half := len(text) / 2
		for half > 0 && text[half]&0xC0 == 0x80 {
			half--
		}
		return strconv.Quote(text[:half]) + " + " + strconv.Quote(text[half:])
	case "arithmetic":
		return k.lit + " + 1 - 1"
	case "rune":
		return "int(" + k.lit + ")"
	case "conversion":
		return k.kind + "(" + k.lit + ")"
	case "any conversion":
		return "any(" + k.lit + ")"
	case "constant", "typed constant", "package variable", "any variable", "reassigned variable", "constant block", "iota":
		return g.declared(k, b, r, way)
	case "other package's constant":
		if p := g.below(r, b.file); p != nil {
			return b.ref(p, g.exported(k, p))
		}
		return g.declared(k, b, r, "constant")
	case "derived constant":
		name := b.unique("derived")
		from := g.declared(k, b, r, "constant")
		if p := g.below(r, b.file); p != nil && r.chance(.6) {
			from = b.ref(p, g.exported(k, p))
		}
		b.add("const %s = %s", name, from)
		return name
	case "concatenated constants":
		text := k.unquoted()
		name := b.unique("joined")
		b.add("const %sHead, %sTail = %q, %q", name, name, text, "")
		return name + "Head + " + name + "Tail"
	case "computed":
		text := k.unquoted()
		return fmt.Sprintf("%s.Sprintf(\"%%s\", %q)", b.std("fmt"), text)
	}
	if s := g.spellElsewhere(k, b, r, way); s != "" {
		return s
	}
	return g.spellLocally(k, b, r, way)
}

// spellElsewhere writes the spellings that go far.
func (g *gen) spellElsewhere(k *key, b *body, r rnd, way string) string {
	name := b.unique("deep")
	switch way {
	case "constant elsewhere's constant":
		p := g.below(r, b.file)
		if p == nil {
			return k.lit
		}
		mid := g.newFile(p, "keys.go")
		exp := "Chain" + b.id
		if q := g.below(r, mid); q != nil {
			mid.add("// %s repeats another.\nconst %s = %s", exp, exp, mid.ref(q, g.exported(k, q)))
		} else {
			mid.add("// %s repeats another.\nconst %s = %s", exp, exp, mid.ref(p, g.exported(k, p)))
		}
		return b.ref(p, exp)
	case "two names":
		b.add("const %sA, %sB = %s, %s", name, name, k.lit, k.lit)
		return name + pick(r, []string{"A", "B"})
	case "repetition":
		b.add("const (\n%sA = %s\n%sB\n_\n%sC // third\n)", name, k.lit, name, name)
		return name + pick(r, []string{"A", "B", "C"})
	case "effect":
		b.std("fmt")
		b.add("func %s() %s {\nfmt.Println(\"asked %s\")\nreturn %s\n}", name, k.kind, b.id, k.lit)
		return name + "()"
	case "identity":
		fn := g.helper(b.file, "same1", "func FN[T any](v T) T { return v }")
		return fn + "(" + k.lit + ")"
	case "map element":
		b.add("var %s = map[int]%s{1: %s}", name, k.kind, k.lit)
		return name + "[1]"
	case "pointer":
		b.before("keyValue := %s(%s)\nptr := &keyValue", k.kind, k.lit)
		return "*ptr"
	case "switch result":
		b.add("func %s(n int) %s {\nswitch n {\ncase 1:\nreturn %s\ndefault:\nreturn %s\n}\n}", name, k.kind, k.lit, k.lit)
		return name + "(1)"
	case "closure result":
		b.before("keyOf := func() %s { return %s }", k.kind, k.lit)
		return "keyOf()"
	case "through typed":
		b.add("type %s %s", name, k.kind)
		return fmt.Sprintf("%s(%s(%s))", k.kind, name, k.lit)
	case "other package's variable":
		p := g.below(r, b.file)
		if p == nil {
			return k.lit
		}
		g.newFile(p, "keys.go").add("// Var%s may be assigned.\nvar Var%s = %s", b.id, b.id, k.lit)
		return b.ref(p, "Var"+b.id)
	case "channel":
		b.before("queue := make(chan %s, 1)\nqueue <- %s", k.kind, k.lit)
		return "<-queue"
	case "local block":
		b.before("const (\nkeyBefore = 1\n// the key\nkeyMain = %s\n)\n_ = keyBefore", k.lit)
		return "keyMain"
	case "package struct":
		b.add("var %s = struct {\nName %s\nN int\n}{Name: %s, N: 1}", name, k.kind, k.lit)
		return name + ".Name"
	case "constant as any":
		return "any(" + g.declared(k, b, r, "constant") + ")"
	case "sliced":
		b.before("whole := %q", k.unquoted()+"!!")
		return fmt.Sprintf("whole[:%d]", len(k.unquoted()))
	case "bytes":
		return fmt.Sprintf("string([]byte(%s))", k.lit)
	}
	return ""
}

// spellLocally writes the spellings that need statements or a helper.
func (g *gen) spellLocally(k *key, b *body, r rnd, way string) string {
	switch way {
	case "alias conversion":
		name := b.unique("text")
		b.add("type %s = %s", name, k.kind)
		return name + "(" + k.lit + ")"
	case "local constant":
		b.before("const key = %s", k.lit)
		return "key"
	case "local variable":
		if r.chance(.5) {
			b.before("var key %s = %s", k.kind, k.lit)
		} else {
			b.before("key := %s", k.lit)
		}
		return "key"
	case "local any variable":
		b.before("var key any = %s", k.lit)
		return g.anyName(b)
	case "table":
		b.before("table := []%s{%s}", k.kind, k.lit)
		return "table[0]"
	case "array element":
		name := b.unique("table")
		b.add("var %s = [...]%s{%s}", name, k.kind, k.lit)
		return name + "[0]"
	case "struct field":
		b.before("opts := struct{ key %s }{%s}", k.kind, k.lit)
		return "opts.key"
	case "function result":
		name := b.unique("name")
		b.add("func %s() %s { return %s }", name, k.kind, k.lit)
		return name + "()"
	case "any function result":
		name := b.unique("nameAny")
		b.add("func %s() any { return %s }", name, k.lit)
		return name + "()"
	case "either":
		b.before("key := %s\nif ctx == nil {\nkey = %s\n}", k.lit, k.lit)
		return "key"
	}
	panic(way)
}

// anyName renames the last local any variable so that its type shows in its name.
func (g *gen) anyName(b *body) string {
	i := len(b.pre) - 1
	b.pre[i] = strings.Replace(b.pre[i], "var key any", "var keyAny any", 1)
	return "keyAny"
}

func (k *key) unquoted() string {
	s, err := strconv.Unquote(k.lit)
	if err != nil {
		panic(err)
	}
	return s
}

// unique makes a package-level name for one site.
func (b *body) unique(stem string) string { return stem + b.id }

// declared spells a key through a declaration of the file's package.
func (g *gen) declared(k *key, b *body, r rnd, way string) string {
	suffix := k.id
	switch {
	case b.xtest:
		suffix += "Ext"
	case b.test:
		suffix += "Test"
	}
	host := b.file
	if !b.test {
		host = g.newFile(b.pkg, "keys.go")
	}
	stem := pick(r, []string{"key", "Key"})
	switch way {
	case "constant":
		name := stem + suffix
		comment := ""
		if r.chance(.2) {
			comment = " // names " + k.id
		}
		if id := b.pkg.dir + " const " + name; g.made[id] == "" {
			g.made[id] = name
			host.add("const %s = %s%s", name, k.lit, comment)
		}
		return name
	case "typed constant":
		name := stem + "Typed" + suffix
		host.add("const %s %s = %s", name, k.kind, k.lit)
		return name
	case "constant block":
		name := stem + "In" + suffix
		host.add("// Names of %s.\nconst (\n\tfirst%s = \"first\"\n\t// %s is the key.\n\t%s = %s\n\tlast%s = 9 // last\n)", name, name, name, name, k.lit, name)
		host.add("var _, _ = first%s, last%s", name, name)
		return name
	case "iota":
		name := stem + "Iota" + suffix
		n, _ := strconv.Atoi(k.lit)
		var lines []string
		for i := range 3 {
			line := fmt.Sprintf("%sV%d", name, i)
			if i == 0 {
				line += pick(r, []string{" = iota", " int = iota"})
			}
			lines = append(lines, line)
		}
		id := b.pkg.dir + " iota " + name
		if g.made[id] == "" {
			g.made[id] = name
			host.add("const (\n%s\n)", strings.Join(lines, "\n"))
		}
		return fmt.Sprintf("%sV%d", name, n)
	case "package variable":
		name := stem + "Var" + suffix
		host.add("var %s = %s", name, k.lit)
		return name
	case "any variable":
		name := stem + "AnyVar" + suffix
		host.add("var %s any = %s", name, k.lit)
		return name
	case "reassigned variable":
		name := stem + "Moving" + suffix
		host.add("var %s = %s", name, k.lit)
		host.add("func move%s() { %s = %s }", name, name, k.lit)
		return name
	}
	panic(way)
}

// exported declares an exported constant for a key in a package and returns its name.
func (g *gen) exported(k *key, p *pkg) string {
	name := "Key" + k.id + "Name"
	g.newFile(p, "keys.go").add("// %s names a value.\nconst %s = %s", name, name, k.lit)
	return name
}
