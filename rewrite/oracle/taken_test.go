package oracle

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
)

// likelyNames are names that the planner may want to give to a key's declarations.
func (k *key) likelyNames() []string {
	list := []string{"contextKey", "ctxKey", "ContextKey", "key", "ctxkeys"}
	if k.kind != "string" {
		return append(list, "context1Key", "contextValueKey", "WithContext1", "Context1From")
	}
	stem := ""
	for _, w := range strings.FieldsFunc(k.unquoted(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		stem += upper(w)
	}
	stem = strings.TrimSuffix(strings.TrimPrefix(stem, "X"), "Key")
	if stem == "" || !unicode.IsUpper([]rune(stem)[0]) {
		return append(list, "contextValueKey", "WithContextValue", "ContextValueFrom")
	}
	if s, ok := strings.CutSuffix(stem, "Id"); ok {
		stem = s + "ID"
	}
	if s, ok := strings.CutSuffix(stem, "Trace"); ok {
		stem = s + "Trace"
	}
	return append(list, lower(stem)+"Key", stem+"Key", "With"+stem, stem+"From", "Must"+stem+"From", stem+"ValueFrom", lower(stem))
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// take declares names at package level, each as some kind of thing.
func (g *gen) take(f *file, names []string, r rnd) {
	for _, n := range names {
		if f.pkg.names[n] || f.quals[n] || r.chance(.4) || types.Universe.Lookup(n) != nil || n == "main" || !token.IsIdentifier(n) || slices.ContainsFunc(g.pkgs, func(p *pkg) bool { return p.name == n }) {
			continue
		}
		f.pkg.names[n] = true
		switch r.IntN(5) {
		case 0:
			f.add("// %s is in the way.\nfunc %s() int { return %d }", n, n, len(n))
			f.add("var _ = %s", n)
		case 1:
			f.add("// %s is in the way.\ntype %s struct{ n int }", n, n)
			f.add("var _ = %s{n: 1}", n)
		case 2:
			f.add("// %s is in the way.\nvar %s = %d", n, n, len(n))
		case 3:
			f.add("// %s is in the way.\nconst %s = %d", n, n, len(n))
		case 4:
			other := pick(r, []string{"errors", "strings", "sort"})
			if f.imports[other] != "" || f.quals[other] {
				continue
			}
			f.imports[other], f.quali[other], f.quals[n] = n, n, true
			f.add("var _ = %s.%s", n, map[string]string{"errors": "New", "strings": "ToUpper", "sort": "Ints"}[other])
		}
	}
}

// takePackageNames lets some packages declare something called like another package.
func (g *gen) takePackageNames(r rnd) {
	for _, p := range g.pkgs {
		for _, q := range g.pkgs {
			if p != q && !q.main && r.chance(.05) {
				p.names[q.name] = true
				g.newFile(p, "taken.go").add("// %s is no package.\nfunc %s() string { return %q }", q.name, q.name, q.name)
				g.newFile(p, "taken.go").add("var _ = %s()", q.name)
			}
		}
	}
}

// shadow declares locals with such names, and with the names of packages, that a body does not use.
func (g *gen) shadow(k *key, b *body, code string, r rnd) string {
	names := k.likelyNames()
	for _, p := range g.pkgs {
		if !p.main && r.chance(.7) {
			names = append(names, p.name)
		}
	}
	words := strings.FieldsFunc(code, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var decls, used []string
	for _, n := range names {
		if token.IsIdentifier(n) && types.Universe.Lookup(n) == nil && n != "ctx" && n != "at" && !slices.Contains(words, n) && !slices.Contains(used, n) && r.chance(.6) {
			used = append(used, n)
			decls = append(decls, fmt.Sprintf("%s := %d\n", n, len(used)))
		}
	}
	if len(used) == 0 {
		return ""
	}
	g.label(k, "shadowed names")
	return strings.Join(decls, "") + "_ = " + strings.Join(used, " + ") + "\n"
}

// otherUse writes statements that use a constant of a key as something else, and print.
func (g *gen) otherUse(b *body, k *key, c, id string, r rnd) string {
	fmtp := b.std("fmt")
	print := func(format string, args ...any) string {
		return fmt.Sprintf("%s.Println(at, %q, %s)", fmtp, id, fmt.Sprintf(format, args...))
	}
	list := []string{
		fmt.Sprintf("m := map[any]int{%s: 1}\n%s", c, print("m[%s]", k.lit)),
		print("%s", c),
		print("any(%s) == any(%s)", c, k.lit),
		fmt.Sprintf("var v any = %s\nswitch v {\ncase %s:\n%s\ndefault:\n%s\n}", k.typed(k.lit), c, print(`"same"`), print(`"other"`)),
		fmt.Sprintf("list := []any{%s}\n%s", c, print("list[0] == %s", k.lit)),
		fmt.Sprintf("%s.Printf(\"%%s %s %%T\\n\", at, %s)", fmtp, id, c),
		fmt.Sprintf("x := %s\nvar y any = x\n%s", c, print("y == %s", k.lit)),
		fmt.Sprintf("var rec = struct{ v any }{%s}\n%s", c, print("rec.v == %s", k.lit)),
		fmt.Sprintf("ch := make(chan any, 1)\nch <- %s\n%s", c, print("<-ch == %s", k.lit)),
		fmt.Sprintf("f := func() any { return %s }\n%s", c, print("f() == %s", k.lit)),
		fmt.Sprintf("v := %s\nswitch v {\ncase %s:\n%s\n}", k.typed(k.lit), c, print(`"case"`)),
		fmt.Sprintf("var v %s = %s\n%s", k.kind, c, print("v")),
		fmt.Sprintf("type other %s\n%s", k.kind, print("ctx.Value(other(%s)) != nil", c)),
		fmt.Sprintf("%s", print("%s == %s", c, k.lit)),
	}
	if k.kind == "string" {
		str := b.std("strings")
		list = append(list,
			print("%s.ToUpper(%s)", str, c),
			print("len(%s)", c),
			print(`%s + "x"`, c),
			print("[]byte(%s)", c),
			print(`%s < "m"`, c),
			fmt.Sprintf("more := %s + \"x\"\n%s", c, print("ctx.Value(more) != nil")),
			fmt.Sprintf("h := map[string][]string{}\nh[%s] = []string{\"v\"}\n%s", c, print("h")),
		)
	}
	same := g.helper(b.file, "sameOf", "func FN[T any](a T, b any) bool { return any(a) == b }")
	list = append(list, print("%s(%s, %s)", same, c, k.lit))
	return pick(r, list)
}

// typed gives a literal its key's type.
func (k *key) typed(lit string) string { return k.kind + "(" + lit + ")" }
