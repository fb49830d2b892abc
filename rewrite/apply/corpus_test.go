package apply

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules/program"
)

var (
	wholeCorpus = flag.Bool("corpus", false, "run the corpus tests on all of GOROOT/src and all modules of the build")
	corpusDirs  = flag.String("corpusdir", "", "comma-separated directories to use as corpus instead")
)

// corpus returns directories with Go files: all of them with -corpus, else every nth.
func corpus(t *testing.T) []string {
	t.Helper()
	roots := []string{filepath.Join(runtime.GOROOT(), "src")}
	if *corpusDirs != "" {
		roots = strings.Split(*corpusDirs, ",")
	} else {
		roots = append(roots, moduleDirs(t)...)
	}
	var dirs []string
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if *wholeCorpus || *corpusDirs != "" {
		return dirs
	}
	var sample []string
	for i := 0; i < len(dirs); i += 80 {
		sample = append(sample, dirs[i])
	}
	return sample
}

// moduleDirs returns the directories of the modules this module requires.
func moduleDirs(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-mod=readonly", "-m", "-json", "all").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	var dirs []string
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct {
			Dir  string
			Main bool
		}
		if err := dec.Decode(&m); err == io.EOF {
			return dirs
		} else if err != nil {
			t.Fatal(err)
		}
		if m.Dir != "" && !m.Main {
			dirs = append(dirs, m.Dir)
		}
	}
}

// parseDir makes a program of the Go files of a directory, as if they were the world's. Every
// fifth file gets CRLF line ends.
func parseDir(t *testing.T, dir string) *program.Program {
	t.Helper()
	prog := &program.Program{Fset: token.NewFileSet(), Dir: dir, Modules: []*program.Module{{Path: "corpus", Dir: dir}}}
	names, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for i, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if i%5 == 4 && !bytes.Contains(src, []byte("\r")) {
			src = bytes.ReplaceAll(src, []byte("\n"), []byte("\r\n"))
		}
		tree, err := parser.ParseFile(prog.Fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			continue // test inputs with errors
		}
		f := &program.File{
			Name: name, Rel: filepath.Base(name), Src: src, AST: tree, Tok: prog.Fset.File(tree.FileStart),
			PkgPath: "corpus", PkgDir: dir, Mode: 0o644, World: true,
		}
		prog.Files = append(prog.Files, f)
	}
	return prog
}

// literals returns the first string literal that is an argument of a call, for each function.
func literals(f *program.File) []*ast.BasicLit {
	var out []*ast.BasicLit
	for _, d := range f.AST.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		var found *ast.BasicLit
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || found != nil {
				return found == nil
			}
			for _, a := range call.Args {
				if l, ok := a.(*ast.BasicLit); ok && l.Kind == token.STRING && l.Value[0] == '"' && found == nil {
					found = l
				}
			}
			return found == nil
		})
		if found != nil {
			out = append(out, found)
		}
	}
	return out
}

// spliceUnits makes one unit for each file, which replaces every literal by text.
func spliceUnits(prog *program.Program, text plan.Text) []*plan.Unit {
	var units []*plan.Unit
	for _, f := range prog.Files {
		u := &plan.Unit{ID: f.Rel}
		for _, l := range literals(f) {
			start := f.Tok.Offset(l.Pos())
			u.Edits = append(u.Edits, &plan.Splice{File: f, Start: start, End: start + len(l.Value), Text: text})
		}
		if len(u.Edits) > 0 {
			units = append(units, u)
		}
	}
	return units
}

// replaced is the expected result, computed directly: bytes replaced, formatted where
// the file was formatted.
func replaced(f *program.File, text string) []byte {
	var out []byte
	at := 0
	for _, l := range literals(f) {
		start := f.Tok.Offset(l.Pos())
		out = append(append(out, f.Src[at:start]...), text...)
		at = start + len(l.Value)
	}
	out = append(out, f.Src[at:]...)
	lf, _ := normal(f.Src, nil)
	if clean, err := format.Source(lf); err != nil || !bytes.Equal(clean, lf) || shapeOf(f.Src).mixed || !shapeOf(f.Src).final {
		return out
	}
	plain, _ := normal(out, nil)
	clean, err := format.Source(plain)
	if err != nil {
		return out
	}
	if shapeOf(f.Src).eol == "\r\n" {
		clean = bytes.ReplaceAll(clean, []byte("\n"), []byte("\r\n"))
	}
	return clean
}

// TestCorpusMinimal edits a call argument in every function of the corpus: nothing else changes.
func TestCorpusMinimal(t *testing.T) {
	files, edits := 0, 0
	for _, dir := range corpus(t) {
		prog := parseDir(t, dir)
		units := spliceUnits(prog, plan.Text{plan.Lit(`"REPLACED"`)})
		set, err := Apply(prog, units)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		changed := byRel(set)
		for _, u := range units {
			f := fileOf(prog, u.ID)
			files++
			edits += len(u.Edits)
			want := replaced(f, `"REPLACED"`)
			got := f.Src
			if c := changed[u.ID]; c != nil {
				got = c.New
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: result differs at %q", f.Name, around(got, want))
			}
		}
	}
	t.Logf("%d edits in %d files", edits, files)
}

// TestCorpusImports replaces the literals by references that need an import: besides the
// edits only an import is added, and gofmt-clean files stay so.
func TestCorpusImports(t *testing.T) {
	ref := plan.Name("example.com/quuxes/quux", "quux", "Key")
	files := 0
	for _, dir := range corpus(t) {
		prog := parseDir(t, dir)
		units := spliceUnits(prog, plan.Text{ref})
		set, err := Apply(prog, units)
		var failed Errors
		if err != nil && !errors.As(err, &failed) {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, e := range failed {
			// gofmt moves block comments that stand among imports; that is not taken.
			if !hasBlockCommentInImports(fileOf(prog, e.Unit.ID)) {
				t.Errorf("%s: %v", dir, e)
			}
		}
		changed := byRel(set)
		for _, u := range units {
			f := fileOf(prog, u.ID)
			c := changed[u.ID]
			if c == nil {
				continue // refused
			}
			files++
			checkImportAdded(t, f, c.New)
		}
	}
	t.Logf("%d files", files)
}

func hasBlockCommentInImports(f *program.File) bool {
	for _, g := range f.AST.Comments {
		for _, c := range g.List {
			for _, d := range f.AST.Decls {
				if isImport(d) && d.Pos() <= c.Pos() && c.Pos() < d.End() && strings.HasPrefix(c.Text, "/*") {
					return true
				}
			}
		}
	}
	return false
}

// TestCorpusDecls removes functions and constants and adds declarations all over the
// corpus: every other line stays, and gofmt-clean files stay so.
func TestCorpusDecls(t *testing.T) {
	files, edits, refused := 0, 0, 0
	for _, dir := range corpus(t) {
		prog := parseDir(t, dir)
		var units []*plan.Unit
		gone := make(map[*plan.Unit][]ast.Node)
		owner := make(map[*plan.Unit]*program.File)
		for _, f := range prog.Files {
			for i, d := range f.AST.Decls {
				u := &plan.Unit{ID: fmt.Sprintf("%s %d", f.Rel, i)}
				e, nodes := declEdit(f, d, i)
				if e == nil {
					continue
				}
				u.Edits = e
				gone[u], owner[u] = nodes, f
				units = append(units, u)
			}
		}
		edits += len(units)
		set, err := Apply(prog, units)
		failed := make(map[*plan.Unit]bool)
		var errs Errors
		if errors.As(err, &errs) {
			for _, e := range errs {
				failed[e.Unit] = true
				refused++
				if !expectedRefusal(e.Error()) && !hasBlockCommentInImports(owner[e.Unit]) {
					t.Errorf("%s: %v", dir, e)
				}
			}
		}
		removed := make(map[*program.File][]ast.Node)
		for _, u := range units {
			if !failed[u] {
				removed[owner[u]] = append(removed[owner[u]], gone[u]...)
			}
		}
		for _, c := range set.Files {
			files++
			checkLines(t, fileOf(prog, c.Rel), c.New, removed[fileOf(prog, c.Rel)])
		}
	}
	t.Logf("%d edits in %d files, %d refused", edits, files, refused)
}

func expectedRefusal(msg string) bool {
	for _, s := range []string{"iota", "repeats the value", "cannot be removed alone", "would lose a comment", "//line directives"} {
		if strings.Contains(msg, s) {
			return true
		}
	}
	return false
}

// declEdit removes or adds something at a declaration, by turns, and returns what is removed.
func declEdit(f *program.File, d ast.Decl, i int) ([]plan.Edit, []ast.Node) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if i%3 == 0 {
			nodes := []ast.Node{d}
			if d.Doc != nil {
				nodes = append(nodes, d.Doc)
			}
			return []plan.Edit{&plan.RemoveFunc{File: f, Decl: d}}, nodes
		}
	case *ast.GenDecl:
		if (d.Tok == token.CONST || d.Tok == token.VAR) && i%2 == 0 {
			return removeSome(f, d)
		}
	}
	if i%5 != 4 || isImport(d) {
		return nil, nil
	}
	name := fmt.Sprintf("ctxmendKey%s%d", strings.TrimSuffix(f.Rel, ".go"), i)
	name = letters(name)
	home := plan.Ref{PkgPath: f.PkgPath, PkgName: f.AST.Name.Name, Name: name}
	add := func(id string, decl plan.Decl) plan.Edit {
		return &plan.AddDecl{PkgPath: f.PkgPath, PkgName: f.AST.Name.Name, Dir: f.PkgDir, File: f, ID: id, After: d, Decl: decl}
	}
	return []plan.Edit{
		add(name, &plan.KeyType{Name: name, Underlying: "struct{}", Doc: name + " is a key."}),
		add("From"+name, &plan.Accessor{Kind: plan.From, Name: "From" + name, Key: home, Struct: true}),
	}, nil
}

// removeSome removes every other name of a declaration.
func removeSome(f *program.File, d *ast.GenDecl) ([]plan.Edit, []ast.Node) {
	var edits []plan.Edit
	var nodes []ast.Node
	for k, s := range d.Specs {
		vs := s.(*ast.ValueSpec)
		if k%2 == 1 {
			continue
		}
		for n, id := range vs.Names {
			if n%2 == 0 {
				edits = append(edits, &plan.RemoveSpec{File: f, Decl: d, Spec: vs, Name: id})
			}
		}
		nodes = append(nodes, vs)
		for _, c := range []*ast.CommentGroup{vs.Doc, vs.Comment} {
			if c != nil {
				nodes = append(nodes, c)
			}
		}
	}
	nodes = append(nodes, &ast.BadDecl{From: d.Pos(), To: d.Pos() + 5})
	if d.Rparen.IsValid() {
		nodes = append(nodes, &ast.BadDecl{From: d.Rparen, To: d.Rparen + 1}, &ast.BadDecl{From: d.Lparen, To: d.Lparen + 1})
	}
	if d.Doc != nil {
		nodes = append(nodes, d.Doc)
	}
	return edits, nodes
}

// checkLines checks that every line without a removed node or an import is in the result.
func checkLines(t *testing.T, f *program.File, out []byte, removed []ast.Node) {
	t.Helper()
	if _, err := parser.ParseFile(token.NewFileSet(), "", out, parser.SkipObjectResolution); err != nil {
		t.Errorf("%s: %v", f.Name, err)
		return
	}
	have := make(map[string]int)
	for _, l := range bytes.Split(out, []byte("\n")) {
		have[squeeze(l)]++
	}
	for _, d := range f.AST.Decls {
		if isImport(d) {
			removed = append(removed, d)
		}
	}
	ed := newLineEditor(f.Src)
	for _, n := range removed {
		ed.removeLines(f.Tok.Offset(n.Pos()), max(f.Tok.Offset(n.Pos())+1, f.Tok.Offset(n.End())), nil)
	}
	for i, start := range ed.starts {
		line := squeeze(f.Src[start:ed.lineEnd(i)])
		if _, gone := ed.removed[i]; gone || line == "" {
			continue
		}
		if have[line]--; have[line] < 0 {
			t.Errorf("%s: line %d is lost: %s", f.Name, i+1, line)
		}
	}
	before, _ := normal(f.Src, nil)
	after, _ := normal(out, nil)
	if isClean(before) && !isClean(after) {
		t.Errorf("%s: was gofmt-clean and is no more", f.Name)
	}
}

// squeeze takes all white space out of a line.
func squeeze(l []byte) string { return strings.Join(strings.Fields(string(l)), "") }

func checkImportAdded(t *testing.T, f *program.File, out []byte) {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, "", out, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%s: %v", f.Name, err)
		return
	}
	have := make(map[string]int)
	for _, s := range tree.Imports {
		have[s.Path.Value]++
	}
	for _, s := range f.AST.Imports {
		have[s.Path.Value]--
	}
	const added = `"example.com/quuxes/quux"`
	if have[added] != 1 {
		t.Errorf("%s: %d new imports", f.Name, have[added])
	}
	delete(have, added)
	for p, n := range have {
		if n != 0 {
			t.Errorf("%s: import %s: %+d", f.Name, p, n)
		}
	}
	if want := replaced(f, "quux.Key"); !bytes.HasSuffix(want, tail(fset, tree, out)) {
		t.Errorf("%s: result differs after the imports at %q", f.Name, around(reverse(tail(fset, tree, out)), reverse(want)))
	}
	before, _ := normal(f.Src, nil)
	after, _ := normal(out, nil)
	if isClean(before) && !isClean(after) {
		t.Errorf("%s: was gofmt-clean and is no more", f.Name)
	}
}

// tail returns the declarations after the imports, without what stands between.
func tail(fset *token.FileSet, tree *ast.File, src []byte) []byte {
	for _, d := range tree.Decls {
		if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
			return src[fset.File(tree.FileStart).Offset(d.Pos()):]
		}
	}
	return nil
}

func reverse(b []byte) []byte {
	out := bytes.Clone(b)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// around returns what got has where it first differs from want.
func around(got, want []byte) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return string(got[max(0, i-60):min(len(got), i+60)])
}

func byRel(set *patches.Set) map[string]*patches.File {
	out := make(map[string]*patches.File)
	for _, f := range set.Files {
		out[f.Rel] = f
	}
	return out
}

func fileOf(prog *program.Program, rel string) *program.File {
	for _, f := range prog.Files {
		if f.Rel == rel {
			return f
		}
	}
	return nil
}
