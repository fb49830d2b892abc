package oracle

import (
	"fmt"
	"strings"
)

// flowForms are the ways a function can be declared and called.
var flowForms = []weighted[string]{
	{10, "plain"}, {5, "method"}, {3, "value"}, {5, "interface"}, {3, "embedded"}, {2, "promoted"}, {2, "method value"}, {2, "method expression"},
	{2, "variable"}, {2, "field"}, {2, "map"}, {1, "slice"}, {2, "named type"}, {2, "generic"}, {1, "generic type"}, {1, "constraint"}, {2, "parameter"},
	{1, "factory"}, {1, "alias"}, {1, "own interface"}, {1, "recursive"}, {3, "distant interface"},
}

// params writes the parameters of a function.
func (g *flowGen) params(fn *flowFn) string {
	f := fn.file
	if fn.takes == "http" {
		return fmt.Sprintf("w %s.ResponseWriter, r *%s.Request", f.std("net/http"), f.std("net/http"))
	}
	at := "at *" + f.probe(g) + ".At"
	var list []string
	switch fn.takes {
	case "ctx":
		list = append(list, fn.ctxName+" "+f.ctx()+"Context")
	case "blank":
		list = append(list, "_ "+f.ctx()+"Context")
	case "request":
		list = append(list, "r *"+g.requestType(f))
	}
	switch fn.comment {
	case "trailing":
		at += " /* the place */"
	case "inside":
		at = "/* where it is */ " + at
	}
	list = append(list, at)
	if fn.extra != "" {
		list = append(list, fn.extra)
	}
	if fn.comment == "lines" {
		return "\n" + strings.Join(list, ", // one\n") + ", // the last one\n"
	}
	return strings.Join(list, ", ")
}

// requestType declares a type that carries a context, once for the program, and names it.
func (g *flowGen) requestType(f *file) string {
	f.probe(g)
	return f.imp(g.probe.path, "probe") + ".Request"
}

// results writes the results of a function.
func (fn *flowFn) results() string {
	if fn.result == "" {
		return ""
	}
	return " " + fn.result
}

// extraArgs writes arguments for the other parameters.
func (fn *flowFn) extraArgs(r rnd) []string {
	var list []string
	n := fmt.Sprint(r.IntN(3))
	switch fn.extra {
	case "n int":
		list = []string{n}
	case "n, m int":
		list = []string{n, "2+1"}
	case "names ...string":
		list = pick(r, [][]string{nil, {`"x"`}, {`"x"`, `"y"`}, {`[]string{"z"}...`}})
	case "n int, names ...string":
		list = append([]string{n}, pick(r, [][]string{nil, {`"x"`}, {`[]string{"z"}...`}})...)
	case "f func(int) int":
		list = []string{pick(r, []string{"nil", "func(n int) int { return n + 1 }"})}
	}
	return list
}

// typeName is the name of a type that belongs to a function.
func (fn *flowFn) typeName(stem string) string {
	if fn.exported() {
		return strings.ToUpper(stem[:1]) + stem[1:] + fn.id[1:]
	}
	return strings.ToLower(stem[:1]) + stem[1:] + fn.id[1:]
}

// funcType writes the type of a function value.
func (g *flowGen) funcType(fn *flowFn) string {
	return "func(" + strings.ReplaceAll(g.params(fn), "\n", " ") + ")" + fn.results()
}

// hidden is the name of the function that values hold.
func (fn *flowFn) hidden() string { return "run" + fn.id[1:] }

// declare adds a function to its file.
func (g *flowGen) declare(fn *flowFn, body, other string) {
	f := fn.file
	sig := "(" + g.params(fn) + ")" + fn.results()
	block := " {\n" + body + "}"
	typ := fn.typeName("type")
	doc := fmt.Sprintf("// %s is %s.\n", fn.name, strings.ReplaceAll(fn.form, " ", "-"))
	if fn.comment == "lines" {
		fn.comment = ""
		defer func() { fn.comment = "lines" }()
	}
	switch fn.form {
	case "plain", "recursive":
		f.add("%sfunc %s%s%s", doc, fn.name, sig, block)
	case "method", "method value":
		f.add("// %s has it.\ntype %s struct{ N int }\n\n%sfunc (s *%s) %s%s%s", typ, typ, doc, typ, fn.name, sig, block)
	case "value", "method expression":
		f.add("// %s has it.\ntype %s struct{ N int }\n\n%sfunc (%s) %s%s%s", typ, typ, doc, typ, fn.name, sig, block)
	case "interface", "own interface":
		g.declareInterface(fn, typ, doc, sig, block, other)
	case "distant interface":
		g.declareDistant(fn, typ, doc, sig, block, other)
	case "embedded", "promoted":
		base := fn.typeName("base")
		f.add("// %s has it.\ntype %s struct{}\n\n%sfunc (%s) %s%s%s", base, base, doc, base, fn.name, sig, block)
		f.add("// %s has it from another.\ntype %s struct {\n%s\nN int\n}", typ, typ, base)
		if fn.form == "promoted" {
			f.add("// %s asks for it.\ntype %s interface {\n%s%s\n}\n\nvar _ %s = %s{}", fn.typeName("asker"), fn.typeName("asker"), fn.name, sig, fn.typeName("asker"), typ)
		}
	case "variable":
		f.add("%svar %s = func%s%s", doc, fn.name, sig, block)
	case "field":
		f.add("func %s%s%s", fn.hidden(), sig, block)
		f.add("// %s holds it.\ntype %s struct {\nRun %s\nN int\n}\n\n// %s makes one.\nfunc %s() *%s { return &%s{Run: %s} }", typ, typ, g.funcType(fn), fn.name, fn.name, typ, typ, fn.hidden())
	case "map":
		f.add("func %s%s%s", fn.hidden(), sig, block)
		f.add("%svar %s = map[string]%s{\n\"x\": %s,\n\"y\": func%s {\n%s},\n}", doc, fn.name, g.funcType(fn), fn.hidden(), sig, other)
	case "slice":
		f.add("func %s%s%s", fn.hidden(), sig, block)
		f.add("%svar %s = []%s{%s}", doc, fn.name, g.funcType(fn), fn.hidden())
	case "named type":
		f.add("// %s is its type.\ntype %s func%s", typ, typ, sig)
		f.add("func %s%s%s", fn.hidden(), sig, block)
		f.add("%svar %s %s = %s", doc, fn.name, typ, fn.hidden())
	case "generic":
		f.add("%sfunc %s[T any]%s%s", doc, fn.name, sig, block)
	case "generic type":
		f.add("// %s has it.\ntype %s[T any] struct{ V T }\n\n%sfunc (s %s[T]) %s%s%s", typ, typ, doc, typ, fn.name, sig, block)
	case "constraint":
		f.add("// %s has it.\ntype %s struct{}\n\n%sfunc (s %s) Work%s%s", typ, typ, doc, typ, sig, block)
		f.add("// %s runs what it gets.\nfunc %s[R interface{ Work%s }](w R, %s)%s {\n%s}", fn.name, fn.name, sig, g.params(fn), fn.results(), g.forward(fn, "w.Work"))
	case "parameter":
		f.add("func %s%s%s", fn.hidden(), sig, block)
		f.add("func apply%s(do %s, %s)%s {\n%s}", fn.id, g.funcType(fn), g.params(fn), fn.results(), g.forward(fn, "do"))
		f.add("%sfunc %s%s {\n%s}", doc, fn.name, sig, g.forward(fn, "apply"+fn.id+"("+fn.hidden()))
	case "factory":
		f.add("%sfunc %s(n int) %s {\nif n > 3 {\nreturn nil\n}\nreturn func%s%s\n}", doc, fn.name, g.funcType(fn), sig, block)
	case "alias":
		f.add("// %s is its type.\ntype %s = func%s", typ, typ, sig)
		f.add("func %s%s%s", fn.hidden(), sig, block)
		f.add("%svar %s %s = %s", doc, fn.name, typ, fn.hidden())
	default:
		panic(fn.form)
	}
}

// declareInterface declares an interface with two types that implement it.
func (g *flowGen) declareInterface(fn *flowFn, typ, doc, sig, block, other string) {
	f := fn.file
	iface := fn.typeName("doer")
	if fn.form == "own interface" {
		f.add("// %s does it.\ntype %s = interface {\n%s%s // by whom it may be\n}", iface, iface, fn.name, sig)
	} else {
		f.add("// %s does it.\ntype %s interface {\n// %s does it.\n%s%s\n}", iface, iface, fn.name, fn.name, sig)
	}
	f.add("type one%s struct{ n int }\n\n%sfunc (s *one%s) %s%s%s", fn.id, doc, fn.id, fn.name, sig, block)
	f.add("type two%s struct{}\n\n%sfunc (two%s) %s%s {\n%s}", fn.id, doc, fn.id, fn.name, sig, other)
	f.add("var _ %s = (*one%s)(nil)", iface, fn.id)
	f.add("// %s makes one.\nfunc %s(n int) %s {\nif n > 0 {\nreturn &one%s{n}\n}\nreturn two%s{}\n}", typ, typ, iface, fn.id, fn.id)
}

// forward writes a call that hands all parameters on, the first ones given.
func (g *flowGen) forward(fn *flowFn, to string) string {
	var args []string
	at := "at"
	switch fn.takes {
	case "ctx":
		args = append(args, fn.ctxName)
	case "blank":
		id := g.id("b")
		g.facts.owner[id] = fn.id
		args = append(args, fn.file.ctx()+"TODO()")
		at = fmt.Sprintf("at.Born(%q)", id)
	case "request":
		args = append(args, "r")
	}
	args = append(args, at)
	switch fn.extra {
	case "n int":
		args = append(args, "n")
	case "n, m int":
		args = append(args, "n", "m")
	case "names ...string":
		args = append(args, "names...")
	case "n int, names ...string":
		args = append(args, "n", "names...")
	case "f func(int) int":
		args = append(args, "f")
	}
	open := "("
	if strings.Contains(to, "(") {
		open = ", "
	}
	ret := ""
	if fn.result != "" {
		ret = "return "
	}
	return fmt.Sprintf("%s%s%s%s)\n", ret, to, open, strings.Join(args, ", "))
}

// spell writes a call of a function.
func (g *flowGen) spell(fn *flowFn, from *file, args []string, r rnd) string {
	f := fn.file
	ref := func(name string) string { return from.ref(f.pkg, name) }
	typ, list := fn.typeName("type"), strings.Join(args, ", ")
	call := func(fun string) string { return fun + "(" + list + ")" }
	switch fn.form {
	case "plain", "recursive", "variable", "named type", "alias", "parameter":
		if fn.takes == "http" && r.chance(.4) {
			return call(from.std("net/http") + ".HandlerFunc(" + ref(fn.name) + ").ServeHTTP")
		}
		return call(ref(fn.name))
	case "method":
		return call(pick(r, []string{"(&" + ref(typ) + "{})", "new(" + ref(typ) + ")"}) + "." + fn.name)
	case "value":
		return call(ref(typ) + "{N: 1}." + fn.name)
	case "interface", "own interface", "distant interface":
		return call(fmt.Sprintf("%s(%d).%s", ref(typ), r.IntN(2), fn.name))
	case "embedded", "promoted":
		if fn.form == "promoted" && r.chance(.5) {
			return call(fmt.Sprintf("%s(%s{}).%s", ref(fn.typeName("asker")), ref(typ), fn.name))
		}
		return call(ref(typ) + "{N: 1}." + fn.name)
	case "method value":
		return call("(new(" + ref(typ) + ")." + fn.name + ")")
	case "method expression":
		return ref(typ) + "." + fn.name + "(" + strings.Join(append([]string{ref(typ) + "{}"}, args...), ", ") + ")"
	case "field":
		return call(ref(fn.name) + "().Run")
	case "map":
		return call(fmt.Sprintf("%s[%q]", ref(fn.name), pick(r, []string{"x", "y"})))
	case "slice":
		return call(ref(fn.name) + "[0]")
	case "generic":
		return call(ref(fn.name) + "[" + pick(r, []string{"int", "string"}) + "]")
	case "generic type":
		return call(ref(typ) + "[int]{V: 1}." + fn.name)
	case "constraint":
		return ref(fn.name) + "(" + strings.Join(append([]string{ref(typ) + "{}"}, args...), ", ") + ")"
	case "factory":
		return call(ref(fn.name) + "(1)")
	}
	panic(fn.form)
}
