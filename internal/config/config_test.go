package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestGlobsAreThoseOfGitignore(t *testing.T) {
	for _, tt := range []struct {
		glob    Glob
		yes, no string
	}{
		{glob: "*.pb.go", yes: "a.pb.go api/v1/a.pb.go", no: "a.go a.pb.go.go"},
		{glob: "legacy", yes: "legacy/a.go x/legacy/y/a.go legacy", no: "legacy.go legacyx/a.go"},
		{glob: "legacy/", yes: "legacy/a.go x/legacy/a.go", no: "legacyx/a.go"},
		{glob: "/legacy", yes: "legacy/a.go", no: "x/legacy/a.go"},
		{glob: "internal/legacy", yes: "internal/legacy/a.go", no: "x/internal/legacy/a.go"},
		{glob: "internal/**/gen.go", yes: "internal/gen.go internal/a/b/gen.go", no: "gen.go internal/a/xgen.go"},
		{glob: "**/mocks/*.go", yes: "mocks/a.go x/y/mocks/a.go", no: "mocks/x/a.go"},
		{glob: "cmd/**", yes: "cmd/a/b.go", no: "cmds/a.go"},
		{glob: "a?.go", yes: "ab.go aé.go", no: "a.go abc.go a/.go"},
		{glob: "[a-c]x.go", yes: "ax.go d/cx.go", no: "dx.go"},
		{glob: "[!a]x.go", yes: "bx.go", no: "ax.go"},
		{glob: "a+b(1).go", yes: "a+b(1).go", no: "aab1.go"},
		{glob: ".", yes: "a.go b/c.go"},
		{glob: "./a/*.go", yes: "a/b.go", no: "c/a/b.go"},
	} {
		if err := tt.glob.check(); err != nil {
			t.Errorf("%s: %v", tt.glob, err)
		}
		match := Match([]Glob{tt.glob})
		for _, name := range strings.Fields(tt.yes) {
			if !match(name) {
				t.Errorf("%s does not choose %s", tt.glob, name)
			}
		}
		for _, name := range strings.Fields(tt.no) {
			if match(name) {
				t.Errorf("%s chooses %s", tt.glob, name)
			}
		}
	}
	if Match(nil)("a.go") {
		t.Error("no glob chooses something")
	}
}

func TestFormsOfNames(t *testing.T) {
	for _, good := range []FuncName{"example.com/kv.Put", "(*example.com/kv.Store).Put", "(example.com/kv.Putter).Put", "main.run", "gopkg.in/x.v3.F"} {
		if err := good.check(); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []FuncName{"", "Put", "kv.Put()", "*example.com/kv.Store.Put", "(*example.com/kv.Store)Put", "(kv).Put", "example.com/kv.9"} {
		if bad.check() == nil {
			t.Errorf("%s is taken for the name of a function", bad)
		}
	}
}

// exampleRules are the rules of the example.
var exampleRules = []string{"uncheckedread", "growingctx", "freshctx"}

// TestExampleMakesEverySetting keeps the example, which --help shows, complete and right.
func TestExampleMakesEverySetting(t *testing.T) {
	f, err := Parse([]byte(Example()), exampleRules)
	if err != nil {
		t.Fatal(err)
	}
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for _, field := range fieldsOf(typ) {
			if field.Tag.Get("doc") == "" {
				t.Errorf("%s has no documentation", join(path, field.name))
			}
			at := join(path, field.name)
			switch field.Type.Kind() {
			case reflect.Struct:
				walk(field.Type, at)
				continue
			case reflect.Map:
				walk(field.Type.Elem(), at+".freshctx")
				continue
			}
			if _, ok := f.Value(at); !ok {
				t.Errorf("the example does not make the setting %s", at)
			}
			if field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct {
				walk(field.Type.Elem(), at+"[1]")
			}
		}
	}
	walk(reflect.TypeFor[File](), "")
	if *f.Rules["growingctx"].On || !*f.Rules["uncheckedread"].On || f.Rules["freshctx"].Level != "report" {
		t.Errorf("rules: %+v", f.Rules)
	}
	if f.Forwarders[0] != (Forwarder{"example.com/kv.Put", 2, "writer"}) {
		t.Errorf("forwarders: %+v", f.Forwarders)
	}
}

func TestTheNearestFileHolds(t *testing.T) {
	top := t.TempDir()
	write := func(name string) {
		t.Helper()
		file := filepath.Join(top, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		".ctxmend.yaml", "go.work", // a workspace
		"a/go.mod", "a/b/c/d.go", "a/b/.ctxmend.yml",
		"repo/.git/HEAD", "repo/m/go.mod", "repo/m/p/p.go",
		"both/.ctxmend.yaml", "both/.ctxmend.yml",
	} {
		write(name)
	}
	for dir, want := range map[string]string{
		".": ".ctxmend.yaml", "a": ".ctxmend.yaml", "a/b": "a/b/.ctxmend.yml", "a/b/c": "a/b/.ctxmend.yml",
		"repo/m/p": "", "repo": "",
	} {
		got, err := Find(filepath.Join(top, filepath.FromSlash(dir)))
		if err != nil {
			t.Error(err)
		}
		if want != "" {
			want = filepath.Join(top, filepath.FromSlash(want))
		}
		if got != want {
			t.Errorf("in %s: %q, want %q", dir, got, want)
		}
	}
	if _, err := Find(filepath.Join(top, "both")); err == nil {
		t.Error("two files in one directory are no error")
	}
}

func TestQuotedWordsAreReadAsTheyWere(t *testing.T) {
	for _, w := range []string{"a", "*.pb.go", "a b", `a"b`, "[a]", "true", "7", "é", "# x", "a: b", "-", "null", "third_party/", "(*a.T).M"} {
		f, err := Parse([]byte("build:\n  tags: ["+strings.Join([]string{Quote(w), Quote("b")}, ", ")+"]\n"), nil)
		if w == "true" || w == "7" {
			continue // of which the file holds truth values and numbers
		}
		if err != nil || !slices.Equal(f.Build.Tags, []string{w, "b"}) {
			t.Errorf("%q: %v %v", w, f, err)
		}
	}
}

// FuzzParse: whatever stands in the file, reading it ends, with a file or with mistakes that have a line.
func FuzzParse(f *testing.F) {
	f.Add([]byte(Example()))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("--- \n--- \n"))
	f.Add([]byte("rules: {freshctx: {exclude: ['[']}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data, exampleRules)
		var wrong Errors
		switch {
		case err == nil && file == nil:
			t.Error("neither a file nor a mistake")
		case err == nil:
			excluded := Match(file.Exclude)
			excluded("a/b.go")
		case !errors.As(err, &wrong) || len(wrong) == 0:
			t.Errorf("mistakes without a place: %v", err)
		}
		for _, e := range wrong {
			if e.Line < 1 || e.Message == "" {
				t.Errorf("mistake %+v", e)
			}
		}
	})
}
