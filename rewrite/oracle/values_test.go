package oracle

import (
	"strings"
)

// A valueType is what a key's writers store.
type valueType struct {
	label string
	home  *pkg // nil for types of the language and the standard library
	// name is the type's name in its home, or its whole expression.
	name     string
	prefix   string // "*"
	exported bool
	std      string // package of the standard library it needs
	// values are expressions, of functions in home when home is set.
	values     []string
	comparable bool
	tag        bool // it has a method Tag() string
	declare    func()
}

// valueType makes a type for a key's values.
func (g *gen) valueType(id string, r rnd) *valueType {
	if r.chance(.55) {
		return pick(r, []*valueType{
			{label: "string value", name: "string", values: []string{`"alice"`, `""`, `"bob"`}, comparable: true},
			{label: "int value", name: "int", values: []string{"7", "0", "42"}, comparable: true},
			{label: "bool value", name: "bool", values: []string{"true", "false"}, comparable: true},
			{label: "error value", name: "error", std: "errors", values: []string{`errors.New("bad")`}, comparable: true},
			{label: "slice value", name: "[]string", values: []string{`[]string{"a", "b"}`, "[]string(nil)"}},
			{label: "map value", name: "map[string]int", values: []string{`map[string]int{"a": 1}`}},
			{label: "duration value", name: "time.Duration", std: "time", values: []string{"3 * time.Second", "time.Duration(0)"}, comparable: true},
			{label: "struct value", name: "struct{}", values: []string{"struct{}{}"}, comparable: true},
			{label: "any value", name: "any", values: []string{`any("x")`, "any(5)", "nil", "any(nil)"}, comparable: true},
			{label: "mixed numbers", name: "int", values: []string{"7", "7.0", "'a'", "int64(7)", "1 << 3", "uint8(3)"}, comparable: true},
			{label: "array value", name: "[2]int", values: []string{"[2]int{1, 2}"}, comparable: true},
			{label: "anonymous struct value", name: "struct{ A int }", values: []string{"struct{ A int }{4}"}, comparable: true},
			{label: "function value", name: "func() int", values: []string{"(func() int)(nil)"}},
			{label: "typed any value", name: "any", values: []string{"error(nil)", "any(struct{}{})", `fmt.Stringer(nil)`}, std: "fmt", comparable: true},
			{label: "untyped nil value", name: "string", values: []string{"nil", `"x"`}, comparable: true},
		})
	}
	home := pick(r, g.pkgs)
	v := &valueType{home: home, tag: true, exported: true, name: "User" + id}
	if !home.names["User"] && r.chance(.3) {
		v.name = "User"
	}
	home.names[v.name] = true
	kind := r.IntN(5)
	if kind == 4 {
		v.exported, v.name = false, "session"+id
	}
	newName := "New" + v.name
	if !v.exported {
		newName = "NewSession" + id
	}
	tagger := "Tagger" + id
	switch kind {
	case 0, 1, 4:
		v.label, v.prefix = "struct pointer", "*"
		if kind == 4 {
			v.label = "unexported struct pointer"
		}
		v.values = []string{newName + `("ann")`, newName + `("")`, "None" + id + "()"}
	case 2:
		v.label, v.comparable = "named struct", true
		v.values = []string{newName + `("ann")`, newName + `("")`}
	case 3:
		v.label = "interface value"
		v.values = []string{newName + `("ann")`}
	}
	name := v.name
	v.declare = func() {
		v.declare = func() {}
		f := g.newFile(home, "types.go")
		f.add("// %s is a stored value.\ntype %s struct {\n\tName string\n\tAge  int\n}", name, name)
		switch kind {
		case 0, 1, 4:
			f.add("func (v *%s) Tag() string {\n\tif v == nil {\n\t\treturn \"nil\"\n\t}\n\treturn v.Name\n}", name)
			f.add("// %s makes one.\nfunc %s(name string) *%s { return &%s{Name: name} }", newName, newName, name, name)
			f.add("// None%s is a typed nil.\nfunc None%s() *%s { return nil }", id, id, name)
		case 2:
			f.add("func (v %s) Tag() string { return v.Name }", name)
			f.add("// %s makes one.\nfunc %s(name string) %s { return %s{Name: name} }", newName, newName, name, name)
		case 3:
			f.add("func (v *%s) Tag() string { return v.Name }", name)
			f.add("// %s is what is stored.\ntype %s interface{ Tag() string }", tagger, tagger)
			f.add("// %s makes one.\nfunc %s(name string) %s { return &%s{Name: name} }", newName, newName, tagger, name)
		}
	}
	if kind == 3 {
		v.name = tagger
	}
	return v
}

// typ writes the type in a file; false when the file cannot name it.
func (v *valueType) typ(f *file) (string, bool) {
	if v.home == nil {
		if v.std == "time" {
			return f.std("time") + ".Duration", true
		}
		return v.name, true
	}
	if !f.reaches(v.home) || !v.exported && (f.pkg != v.home || f.xtest) {
		return "", false
	}
	v.declare()
	return v.prefix + f.ref(v.home, v.name), true
}

// expr writes a value in a file; false when the file cannot.
func (v *valueType) expr(r rnd, f *file) (string, bool) {
	e := pick(r, v.values)
	if v.home == nil {
		if v.std != "" {
			e = strings.ReplaceAll(e, v.std+".", f.std(v.std)+".")
		}
		return e, true
	}
	if !f.reaches(v.home) {
		return "", false
	}
	v.declare()
	return f.ref(v.home, e), true
}

// canWrite reports whether a file can write the values.
func (v *valueType) canWrite(f *file) bool { return v.home == nil || f.reaches(v.home) }
