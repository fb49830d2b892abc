package apply

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// TestConcurrent applies the same units many times at once: the program and the plan are only read.
func TestConcurrent(t *testing.T) {
	w := loadMem(t, map[string]string{
		"auth/a.go": "package auth\n\nconst Key = \"k\"\n",
		"a.go":      "package m\n\nimport \"os\"\n\nfunc f() { print(\"user\", os.Args) }\n",
	})
	f := w.file(t, "a.go")
	at := strings.Index(string(f.Src), `"user"`)
	units := []*plan.Unit{{ID: "u", Edits: []plan.Edit{
		&plan.Splice{File: f, Start: at, End: at + 6, Text: plan.Text{plan.Name("example.com/m/auth", "auth", "Key")}},
		&plan.AddDecl{PkgPath: f.PkgPath, PkgName: "m", Dir: f.PkgDir, File: f, ID: "key", After: f.AST.Decls[0], Decl: &plan.KeyType{Name: "key", Underlying: "int"}},
	}}}
	first, err := Apply(w.prog, units)
	if err != nil || len(first.Files) != 1 {
		t.Fatalf("%v: %v", first, err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			set, err := Apply(w.prog, units)
			if diff := cmp.Diff(first, set); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
	wg.Wait()
}

// TestSet checks what a set says about itself.
func TestSet(t *testing.T) {
	w := loadMem(t, map[string]string{"a.go": "package m\n\nvar x = 1\n"})
	w.prog.Files[0].Mode = 0o755
	w.prog.Dir = testRoot + "/sub"
	f := w.file(t, "a.go")
	units := []*plan.Unit{
		{ID: "blocked", Blocker: &rules.Blocker{}, Edits: []plan.Edit{&plan.Splice{File: f, Start: 0, End: 1}}},
		{ID: "same", Edits: []plan.Edit{&plan.Splice{File: f, Start: 19, End: 20, Text: plan.Text{plan.Lit("1")}}}},
	}
	set, err := Apply(w.prog, units)
	if err != nil || len(set.Files) != 0 || set.Root != testRoot || len(set.Roots) != 1 {
		t.Fatalf("%+v: %v", set, err)
	}
	units[1].Edits = append(units[1].Edits, &plan.AddDecl{
		PkgPath: "example.com/m/k", PkgName: "k", Dir: testRoot + "/k", NewFile: "k.go", ID: "K", Decl: &plan.KeyType{Name: "K", Underlying: "int"},
	}, &plan.Splice{File: f, Start: 19, End: 19, Text: plan.Text{plan.Lit("2")}})
	set, err = Apply(w.prog, units)
	if err != nil || len(set.Files) != 2 {
		t.Fatalf("%+v: %v", set, err)
	}
	old, fresh := set.Files[0], set.Files[1]
	if old.Name != testRoot+"/a.go" || old.Mode != 0o755 || string(old.New) != "package m\n\nvar x = 21\n" {
		t.Errorf("%+v", old)
	}
	if fresh.Name != testRoot+"/k/k.go" || fresh.Old != nil || fresh.Mode != 0o644 || string(fresh.New) != "package k\n\ntype K int\n" {
		t.Errorf("%+v", fresh)
	}
}

// TestErrors checks that bad edits are refused, each for its reason.
func TestErrors(t *testing.T) {
	w := loadMem(t, map[string]string{"a.go": "package m\n\nconst x, y = 1, 2\n"})
	f := w.file(t, "a.go")
	other := loadMem(t, map[string]string{"b.go": "package m\n\nfunc f() {}\n"}).file(t, "b.go")
	link := *f
	link.Symlink = true
	add := func(d plan.Decl) *plan.AddDecl {
		return &plan.AddDecl{PkgPath: f.PkgPath, PkgName: "m", Dir: f.PkgDir, File: f, ID: "q", Decl: d}
	}
	tests := []struct {
		edit plan.Edit
		want string
	}{
		{&plan.Splice{File: f, Start: 5, End: 4}, "outside the file"},
		{&plan.Splice{File: f, Start: 0, End: 0, Text: plan.Text{plan.Keep(0, 9999)}}, "outside the file"},
		{&plan.Splice{File: f, Start: 0, End: 0, Text: plan.Text{plan.Lit("+")}}, "does not parse"},
		{&plan.Splice{File: f, Start: 9, End: 9, Text: plan.Text{plan.Keep(0, 12)}}, "contains itself"},
		{&plan.Splice{File: &link}, "symbolic link"},
		{&plan.Splice{}, "without a file"},
		{&plan.RemoveFunc{File: f, Decl: nil}, "not declared"},
		{&plan.RemoveSpec{File: f}, "not declared"},
		{&plan.AddDecl{PkgName: "m", ID: "q", Decl: &plan.KeyType{}}, "has no place"},
		{&plan.AddDecl{PkgName: "m", Dir: "/x", NewFile: "a/b.go", ID: "q", Decl: &plan.KeyType{}}, "has no place"},
		{&plan.AddDecl{File: f, ID: "q", After: other.AST.Decls[0], Decl: &plan.KeyType{}}, "is not in the file"},
		{add(&plan.KeyType{Name: "q", Underlying: "="}), "is not a type"},
		{add(&plan.KeyConst{Name: "q", Type: plan.Ref{PkgPath: f.PkgPath, Name: "t"}, Value: "1; 2"}), "not an expression"},
		{add(&plan.Accessor{Name: "q", Kind: plan.Must, Key: plan.Ref{PkgPath: f.PkgPath, Name: "t"}, Value: plan.Text{plan.Lit("1")}}), "is not a type"},
		{add(&plan.Accessor{Name: "q", Kind: 77, Key: plan.Ref{PkgPath: f.PkgPath, Name: "t"}}), "unknown kind"},
		{add(&plan.Accessor{Name: "q", Key: plan.Ref{Name: "t"}}), "has no package"},
	}
	for _, tt := range tests {
		fine := &plan.Unit{ID: "fine", Edits: []plan.Edit{&plan.Splice{File: f, Start: 24, End: 25, Text: plan.Text{plan.Lit("3")}}}}
		set, err := Apply(w.prog, []*plan.Unit{{ID: "bad", Edits: []plan.Edit{tt.edit}}, fine})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "fine") {
			t.Errorf("%T: got %v, want %q", tt.edit, err, tt.want)
		}
		if len(set.Files) != 1 || string(set.Files[0].New) != "package m\n\nconst x, y = 3, 2\n" {
			t.Errorf("%T: the other unit was not applied: %+v", tt.edit, set.Files)
		}
	}
}

// BenchmarkSites edits 10,000 sites of one program, each its own unit, in 10 files.
func BenchmarkSites(b *testing.B) {
	sources := map[string]string{"auth/a.go": "package auth\n\nconst Key = \"k\"\n"}
	for i := range 10 {
		var s strings.Builder
		fmt.Fprintf(&s, "package m\n\n")
		for k := range 1000 {
			fmt.Fprintf(&s, "func f%d_%d() { print(\"user\") }\n", i, k)
		}
		sources[fmt.Sprintf("f%d.go", i)] = s.String()
	}
	w := loadMem(b, sources)
	var units []*plan.Unit
	for _, f := range w.prog.Files {
		if f.Rel != "auth/a.go" {
			units = append(units, literalUnits(f)...)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		if set, err := Apply(w.prog, units); err != nil || len(set.Files) != 10 {
			b.Fatal(err, len(set.Files))
		}
	}
}

func literalUnits(f *program.File) []*plan.Unit {
	var units []*plan.Unit
	for at := 0; ; at += 6 {
		i := strings.Index(string(f.Src[at:]), `"user"`)
		if i < 0 {
			return units
		}
		at += i
		units = append(units, &plan.Unit{ID: fmt.Sprintf("%s %d", f.Rel, at), Edits: []plan.Edit{
			&plan.Splice{File: f, Start: at, End: at + 6, Text: plan.Text{plan.Name("example.com/m/auth", "auth", "Key")}},
		}})
	}
}
