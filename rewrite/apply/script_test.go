package apply

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestScripts runs testdata/*.txtar. An archive holds prose, then lines of commands, then files;
// files below want/ are the expected contents of changed and new ones.
//
//	crlf|bom|nofinal FILE            give FILE (and what is wanted of it) that shape
//	unit NAME                        the following edits belong to it
//	replace FILE "old"[#n] PART...   replaces the nth occurrence of old
//	before|after FILE "text"[#n] PART...
//	removespec FILE NAME...
//	removefunc FILE NAME
//	type PLACE NAME UNDERLYING [doc]
//	const PLACE NAME @TYPE VALUE [doc]
//	with|from|must|any PLACE NAME @KEY [struct] [value PART...] [param NAME] [doc "text"]
//	error UNIT TEXT                  UNIT fails with TEXT in its message
//	brokenresult                     the result need not type-check
//
// A PART is "literal", keep("text"), or a reference @import/path.Name, with @import/path=name.Name where the
// package name is not the last element. A PLACE is FILE, FILE:NAME (after that declaration), or new:FILE:package.
func TestScripts(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { runScript(t, name) })
	}
}

type script struct {
	t       *testing.T
	archive *txtar.Archive
	sources map[string]string
	shapes  map[string][]string
	world   *memWorld
	units   []*plan.Unit
	errors  map[string]string
	broken  bool
}

func runScript(t *testing.T, name string) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, archive: archive, sources: make(map[string]string), shapes: make(map[string][]string), errors: make(map[string]string)}
	commands := s.readCommands()
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			s.sources[f.Name] = s.reshape(f.Name, string(f.Data))
		}
	}
	s.world = loadMem(t, s.sources)
	for _, c := range commands {
		s.command(c)
	}
	set, err := Apply(s.world.prog, s.units)
	s.checkErrors(err)
	s.checkResult(set)
	s.checkGuarantees(set)
	s.compare(name, set)
}

// readCommands returns the command lines and takes shape commands over at once.
func (s *script) readCommands() [][]string {
	var out [][]string
	inProse := true
	for _, line := range strings.Split(string(s.archive.Comment), "\n") {
		words := splitWords(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "crlf", "bom", "nofinal":
			if len(words) == 2 && strings.HasSuffix(words[1], ".go") {
				s.shapes[words[1]] = append(s.shapes[words[1]], words[0])
				continue
			}
		case "unit":
			inProse = false
		}
		if !inProse {
			out = append(out, words)
		}
	}
	return out
}

// splitWords splits at blanks outside Go strings.
func splitWords(line string) []string {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		end := 0
		for end < len(line) && line[end] != ' ' {
			if line[end] == '"' || line[end] == '`' {
				q, err := strconv.QuotedPrefix(line[end:])
				if err != nil {
					break
				}
				end += len(q)
				continue
			}
			end++
		}
		if end == 0 {
			end = len(line)
		}
		words = append(words, line[:end])
		line = line[end:]
	}
	return words
}

func (s *script) reshape(name, data string) string {
	for _, shape := range s.shapes[name] {
		switch shape {
		case "crlf":
			data = strings.ReplaceAll(data, "\n", "\r\n")
		case "bom":
			data = string(bom) + data
		case "nofinal":
			data = strings.TrimRight(data, "\r\n")
		}
	}
	return data
}

func (s *script) unshape(name, data string) string {
	for _, shape := range s.shapes[name] {
		switch shape {
		case "crlf":
			if strings.Count(data, "\n") != strings.Count(data, "\r\n") {
				s.t.Errorf("%s: line ends differ", name)
			}
			data = strings.ReplaceAll(data, "\r\n", "\n")
		case "bom":
			if !strings.HasPrefix(data, string(bom)) {
				s.t.Errorf("%s: byte order mark lost", name)
			}
			data = strings.TrimPrefix(data, string(bom))
		case "nofinal":
			if strings.HasSuffix(data, "\n") {
				s.t.Errorf("%s: got a final line end", name)
			}
			data += "\n"
		}
	}
	return data
}

func (s *script) command(words []string) {
	s.t.Helper()
	unit := func() *plan.Unit { return s.units[len(s.units)-1] }
	add := func(e plan.Edit) { unit().Edits = append(unit().Edits, e) }
	switch words[0] {
	case "unit":
		s.units = append(s.units, &plan.Unit{ID: words[1]})
	case "replace", "before", "after":
		f := s.world.file(s.t, words[1])
		start, end := s.find(words[1], words[2])
		switch words[0] {
		case "before":
			end = start
		case "after":
			start = end
		}
		add(&plan.Splice{File: f, Start: start, End: end, Text: s.parts(words[1], words[3:])})
	case "removespec":
		for _, n := range words[2:] {
			add(s.removeSpec(words[1], n))
		}
	case "removefunc":
		f := s.world.file(s.t, words[1])
		d, _ := s.decl(words[1], words[2]).(*ast.FuncDecl)
		add(&plan.RemoveFunc{File: f, Decl: d})
	case "type":
		add(s.place(words[1], words[2], &plan.KeyType{Name: words[2], Underlying: words[3], Doc: s.optional(words, 4)}))
	case "const":
		add(s.place(words[1], words[2], &plan.KeyConst{Name: words[2], Type: s.ref(words[3]), Value: words[4], Doc: s.optional(words, 5)}))
	case "with", "from", "must", "any":
		add(s.place(words[1], words[2], s.accessor(words)))
	case "error":
		s.errors[words[1]] = strings.Join(words[2:], " ")
	case "brokenresult":
		s.broken = true
	default:
		s.t.Fatalf("unknown command %q", words)
	}
}

func (s *script) optional(words []string, i int) string {
	if i < len(words) {
		return s.unquote(words[i])
	}
	return ""
}

func (s *script) unquote(w string) string {
	s.t.Helper()
	out, err := strconv.Unquote(w)
	if err != nil {
		s.t.Fatalf("%s: %v", w, err)
	}
	return out
}

// find returns the range of a quoted text, with #n the nth one.
func (s *script) find(file, word string) (int, int) {
	s.t.Helper()
	quoted, nth, has := strings.Cut(word, "#")
	n := 1
	if has {
		n, _ = strconv.Atoi(nth)
	}
	text, src := s.unquote(quoted), s.sources[file]
	if !has && strings.Count(src, text) != 1 {
		s.t.Fatalf("%s: %q occurs %d times", file, text, strings.Count(src, text))
	}
	at := 0
	for ; ; n-- {
		i := strings.Index(src[at:], text)
		if i < 0 {
			s.t.Fatalf("%s: no %s", file, word)
		}
		if at += i; n == 1 {
			return at, at + len(text)
		}
		at += len(text)
	}
}

func (s *script) parts(file string, words []string) plan.Text {
	s.t.Helper()
	var out plan.Text
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, "@"):
			r := s.ref(w)
			out = append(out, plan.Part{Ref: &r})
		case strings.HasPrefix(w, "keep("):
			start, end := s.find(file, strings.TrimSuffix(strings.TrimPrefix(w, "keep("), ")"))
			out = append(out, plan.Keep(start, end))
		default:
			out = append(out, plan.Lit(s.unquote(w)))
		}
	}
	return out
}

func (s *script) ref(w string) plan.Ref {
	w = strings.TrimPrefix(w, "@")
	i := strings.LastIndex(w, ".")
	p, name := w[:i], w[i+1:]
	pkgPath, pkgName, ok := strings.Cut(p, "=")
	if !ok {
		pkgName = path.Base(pkgPath)
	}
	return plan.Ref{PkgPath: pkgPath, PkgName: pkgName, Name: name}
}

func (s *script) decl(file, name string) ast.Decl {
	for _, d := range s.world.file(s.t, file).AST.Decls {
		found := false
		declaredNames(d, func(id *ast.Ident) { found = found || id.Name == name })
		if fn, ok := d.(*ast.FuncDecl); found || ok && fn.Name.Name == name {
			return d
		}
	}
	s.t.Fatalf("%s: no declaration of %s", file, name)
	return nil
}

func (s *script) removeSpec(file, name string) plan.Edit {
	var found plan.Edit
	ast.Inspect(s.world.file(s.t, file).AST, func(n ast.Node) bool {
		g, ok := n.(*ast.GenDecl)
		if !ok {
			return true
		}
		for _, spec := range g.Specs {
			vs, ok := spec.(*ast.ValueSpec)
			for i := 0; ok && i < len(vs.Names); i++ {
				if vs.Names[i].Name == name && found == nil {
					found = &plan.RemoveSpec{File: s.world.file(s.t, file), Decl: g, Spec: vs, Name: vs.Names[i]}
				}
			}
		}
		return true
	})
	if found == nil {
		s.t.Fatalf("%s: no name %s", file, name)
	}
	return found
}

// place makes an AddDecl for a PLACE.
func (s *script) place(where, id string, d plan.Decl) plan.Edit {
	e := &plan.AddDecl{ID: id, Decl: d}
	words := strings.Split(where, ":")
	name := words[0]
	if name == "new" {
		name = words[1]
		e.PkgName, e.NewFile = words[2], path.Base(name)
	} else {
		e.File = s.world.file(s.t, name)
		e.PkgName = e.File.AST.Name.Name
		if len(words) > 1 {
			e.After = s.decl(name, words[1])
		}
	}
	e.Dir = filepath.Join(testRoot, path.Dir(name))
	e.PkgPath = path.Join(testModule, path.Dir(name))
	return e
}

func (s *script) accessor(words []string) *plan.Accessor {
	kinds := map[string]plan.AccessorKind{"with": plan.With, "from": plan.From, "must": plan.Must, "any": plan.Any}
	a := &plan.Accessor{Kind: kinds[words[0]], Name: words[2], Key: s.ref(words[3])}
	for i := 4; i < len(words); i++ {
		switch words[i] {
		case "struct":
			a.Struct = true
		case "param":
			i++
			a.Param = words[i]
		case "doc":
			i++
			a.Doc = s.unquote(words[i])
		case "value":
			for i+1 < len(words) && (words[i+1][0] == '"' || words[i+1][0] == '@') {
				i++
				a.Value = append(a.Value, s.parts("", words[i:i+1])...)
			}
		}
	}
	return a
}

// checkErrors compares the units left out with those expected to be.
func (s *script) checkErrors(err error) {
	got := make(map[string]string)
	var all Errors
	if errors.As(err, &all) {
		for _, e := range all {
			got[e.Unit.ID] = e.Err.Error()
		}
	}
	for _, id := range sortedKeys(got) {
		if want := s.errors[id]; want == "" || !strings.Contains(got[id], want) {
			s.t.Errorf("unit %s: %s; want %q", id, got[id], want)
		}
	}
	for _, id := range sortedKeys(s.errors) {
		if got[id] == "" {
			s.t.Errorf("unit %s was applied; want the error %q", id, s.errors[id])
		}
	}
}

// checkResult type-checks the result: it must have no errors that the input had not.
func (s *script) checkResult(set *patches.Set) {
	if s.broken {
		return
	}
	sources := make(map[string]string)
	for n, src := range s.sources {
		sources[n] = src
	}
	for _, f := range set.Files {
		sources[f.Rel] = string(f.New)
	}
	before := strings.Join(s.world.errs, "\n")
	for _, e := range loadMem(s.t, sources).errs {
		_, msg, _ := strings.Cut(e, ": ")
		if !strings.Contains(before, msg) {
			s.t.Errorf("result: %s", e)
		}
	}
}

// checkGuarantees checks what holds for every result: gofmt-clean files stay so, and
// the order of unrelated internals does not show.
func (s *script) checkGuarantees(set *patches.Set) {
	for _, f := range set.Files {
		before, _ := normal(f.Old, nil)
		after, _ := normal(f.New, nil)
		if isClean(before) && !isClean(after) {
			s.t.Errorf("%s was gofmt-clean and is no more", f.Rel)
		}
	}
	again, _ := Apply(s.world.prog, s.units)
	if diff := cmp.Diff(set, again); diff != "" {
		s.t.Errorf("a second run differs: %s", diff)
	}
	if !sort.SliceIsSorted(set.Files, func(a, b int) bool { return set.Files[a].Name < set.Files[b].Name }) {
		s.t.Error("files are not sorted")
	}
}

func isClean(src []byte) bool {
	out, err := format.Source(src)
	return err == nil && bytes.Equal(out, src)
}

// compare compares the result with the want/ files, or rewrites them.
func (s *script) compare(name string, set *patches.Set) {
	got := make(map[string]string)
	for _, f := range set.Files {
		got[f.Rel] = s.unshape(f.Rel, string(f.New))
	}
	if *update {
		var files []txtar.File
		for _, f := range s.archive.Files {
			if !strings.HasPrefix(f.Name, "want/") {
				files = append(files, f)
			}
		}
		for _, n := range sortedKeys(got) {
			files = append(files, txtar.File{Name: "want/" + n, Data: []byte(got[n])})
		}
		s.archive.Files = files
		if err := os.WriteFile(name, txtar.Format(s.archive), 0o666); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want := make(map[string]string)
	for _, f := range s.archive.Files {
		if n, ok := strings.CutPrefix(f.Name, "want/"); ok {
			want[n] = string(f.Data)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("result (-want +got):\n%s", diff)
		for n, text := range got {
			s.t.Log(fmt.Sprintf("%s:\n%s", n, text))
		}
	}
}
