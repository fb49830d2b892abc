package oracle

import (
	"fmt"
	"strings"
)

// otherUses are uses of a key's name (a constant, variable or parameter called NAME) besides the key position.
// Each is a function body that returns something printable, which tells a typed key from a string.
var otherUses = []exotic{
	{name: "map of any", expr: "m := map[any]int{NAME: 1}\nreturn m[KEY]"},
	{name: "index of map of any", expr: "m := map[any]int{KEY: 1}\nreturn m[NAME]"},
	{name: "switch on any", expr: "var v any = NAME\nswitch v {\ncase KEY:\nreturn 1\n}\nreturn 0"},
	{name: "case of any", expr: "var v any = KIND(KEY)\nswitch v {\ncase NAME:\nreturn 1\n}\nreturn 0"},
	{name: "switch true", expr: "var v any = KIND(KEY)\nswitch {\ncase v == NAME:\nreturn 1\n}\nreturn 0"},
	{name: "compared with any", expr: "var v any = KIND(KEY)\nreturn v == NAME"},
	{name: "slice of any", expr: "return []any{NAME}[0] == KEY"},
	{name: "array of any", expr: "return [...]any{NAME}[0] == any(KEY)"},
	{name: "printed type", expr: "return fmt.Sprintf(\"%T\", NAME)"},
	{name: "printed", expr: "return fmt.Sprint(NAME, fmt.Sprintf(\"%v %#v\", NAME, NAME))"},
	{name: "type of generic", decls: "func typeID[T any](v T) string { return fmt.Sprintf(\"%T\", v) }", expr: "return typeID(NAME)"},
	{name: "slice of generic", decls: "func sliceID[T any](v ...T) any { return v }", expr: "return fmt.Sprintf(\"%T\", sliceID(NAME))"},
	{name: "generic struct", decls: "type boxID[T any] struct{ v T }", expr: "return any(boxID[any]{NAME}) == any(boxID[any]{KEY})"},
	{name: "conversion to any", expr: "return any(NAME) == any(KEY)"},
	{name: "asserted", expr: "_, ok := any(NAME).(KIND)\nreturn ok"},
	{name: "argument any", decls: "func sameID(a, b any) bool { return a == b }", expr: "return sameID(NAME, KEY)"},
	{name: "variadic any", decls: "func firstID(a ...any) any { return a[0] }", expr: "return firstID(NAME, 1) == KEY"},
	{name: "result any", expr: "f := func() any { return NAME }\nreturn f() == KEY"},
	{name: "results", expr: "f := func() (any, error) { return NAME, nil }\nv, _ := f()\nreturn v == KEY"},
	{name: "channel of any", expr: "c := make(chan any, 1)\nc <- NAME\nreturn <-c == KEY"},
	{name: "field of any", expr: "s := struct{ v any }{NAME}\nreturn s.v == KEY"},
	{name: "field set", expr: "var s struct{ v any }\ns.v = NAME\nreturn s.v == KEY"},
	{name: "value of map of any", expr: "return map[int]any{1: NAME}[1] == KEY"},
	{name: "element set", expr: "l := make([]any, 1)\nl[0] = NAME\nreturn l[0] == KEY"},
	{name: "appended", expr: "return append([]any{}, NAME)[0] == KEY"},
	{name: "copied to variable", expr: "x := NAME\nreturn fmt.Sprintf(\"%T\", x)"},
	{name: "copied to package variable", decls: "var copyID = NAME", expr: "return fmt.Sprintf(\"%T\", copyID)"},
	{name: "derived constant", decls: "const derivedID = NAME", expr: "return fmt.Sprintf(\"%T\", derivedID)"},
	{name: "panicked", expr: "var v any\nfunc() {\ndefer func() { v = recover() }()\npanic(NAME)\n}()\nreturn v == KEY"},
	{name: "typed key made of it", decls: "type keyID KIND", expr: "return fmt.Sprintf(\"%T\", keyID(NAME))"},
	{name: "typed key constant made of it", decls: "type keyID KIND\n\nconst typedID keyID = NAME", expr: "return fmt.Sprintf(\"%T\", typedID)"},
	{name: "pointer", expr: "x := NAME\np := &x\nreturn fmt.Sprintf(\"%T\", *p)"},
	{name: "deferred argument", expr: "var out any\nfunc() {\ndefer func(v any) { out = v }(NAME)\n}()\nreturn out == KEY"},
	{name: "goroutine argument", expr: "c := make(chan bool)\ngo func(v any) { c <- v == KEY }(NAME)\nreturn <-c"},
	{name: "literal called", expr: "return func(v any) bool { return v == KEY }(NAME)"},
	{name: "typed use", expr: "var x KIND = NAME\nreturn fmt.Sprintf(\"%T\", x)"},
	{name: "typed argument", decls: "func takeID(x KIND) string { return fmt.Sprintf(\"%T\", x) }", expr: "return takeID(NAME)"},
	{name: "typed slice", expr: "return fmt.Sprintf(\"%T\", []KIND{NAME})"},
	{name: "struct compared", expr: "type rec struct{ v any }\nreturn rec{NAME} == rec{KEY}"},
	{name: "array compared", expr: "return [1]any{NAME} == [1]any{KEY}"},
	{name: "send in select", expr: "c := make(chan any, 1)\nselect {\ncase c <- NAME:\n}\nreturn <-c == KEY"},
	{name: "stored value", expr: "return context.WithValue(context.Background(), struct{}{}, NAME).Value(struct{}{}) == KEY"},
	{name: "method value", decls: "type eqID struct{ v any }\n\nfunc (e eqID) is(v any) bool { return e.v == v }", expr: "return eqID{KEY}.is(NAME)"},
	{name: "interface method", decls: "type anyoneID interface{ is(v any) bool }\n\ntype eqID struct{ v any }\n\nfunc (e eqID) is(v any) bool { return e.v == v }", expr: "var a anyoneID = eqID{KEY}\nreturn a.is(NAME)"},
	{name: "error text", expr: "return fmt.Errorf(\"no %v\", NAME)"},
	{name: "reflected", expr: "return fmt.Sprint(reflect.TypeOf(NAME))"},
	{name: "blank", expr: "_ = NAME\nreturn nil"},
	{name: "compared", expr: "x := KIND(KEY)\nreturn x == NAME"},
	{name: "compared with itself", expr: "return NAME == KEY"},
	{name: "concatenated", kinds: "string", expr: "x := NAME + \"!\"\nreturn fmt.Sprintf(\"%T\", x)"},
	{name: "key in text", kinds: "string", expr: "return len(NAME)"},
	{name: "indexed", kinds: "string", expr: "return NAME[0]"},
	{name: "ranged", kinds: "string", expr: "n := 0\nfor range NAME {\nn++\n}\nreturn n"},
	{name: "bytes", kinds: "string", expr: "return []byte(NAME)"},
	{name: "other key", kinds: "string", expr: "return context.WithValue(context.Background(), \"user!\", 5).Value(NAME + \"!\")"},
	{name: "map key", expr: "m := map[KIND]int{NAME: 3}\nreturn fmt.Sprintf(\"%T %d\", m, m[KEY])"},
	{name: "range over it", kinds: "int", expr: "n := 0\nfor i := range NAME {\nn += i\n}\nreturn n"},
	{name: "shift", kinds: "int", expr: "return 1 << NAME"},
	{name: "array length", kinds: "int", expr: "var a [3]int\nreturn a[NAME]"},
	{name: "condition", kinds: "bool", expr: "if NAME {\nreturn 1\n}\nreturn 2"},
}

// useProgram is a program in which a key's name is also used otherwise. how says what the name is.
func useProgram(id, how string, x *exotic, k *key) *generated {
	rep := strings.NewReplacer("KEY", k.lit, "KIND", k.kind, "ID", "X", "NAME", "name")
	decls, use := rep.Replace(x.decls), rep.Replace(x.expr)
	outer, inner, params, args := "", "", "ctx context.Context", "ctx"
	switch how {
	case "constant":
		outer = "const name = " + k.lit
	case "variable":
		outer = fmt.Sprintf("var name %s = %s", k.kind, k.lit)
	case "local":
		inner = "const name = " + k.lit + "\n"
	case "parameter":
		params, args = "ctx context.Context, name "+k.kind, "ctx, "+k.lit
	}
	if how == "local" || how == "parameter" {
		// Declarations cannot see the name.
		if strings.Contains(decls, "name") {
			outer = "const name = " + k.lit
		}
	}
	src := fmt.Sprintf(`package main

import (
	"context"
	"fmt"
	"reflect"
)

var _ = reflect.TypeOf

%s

%s

func run(%s) any {
	%suse := func() any {
		%s
	}
	return fmt.Sprint(ctx.Value(name), use())
}

func main() {
	ctx := context.Background()
	fmt.Println(run(%[6]s))
	ctx = context.WithValue(ctx, %[7]s, 7)
	fmt.Println(run(%[6]s))
}
`, outer, decls, params, inner, use, args, k.lit)
	module := "example.com/use" + how + id
	return &generated{kind: &keyKind, seed: 1, module: module, files: map[string]string{"main.go": src, "go.mod": "module " + module + "\n\ngo 1.26\n"}}
}
