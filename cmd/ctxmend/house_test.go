package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ctxmend/ctxmend"

// A listed is a package as go list tells of it.
type listed struct {
	ImportPath, Dir                    string
	Imports, TestImports, XTestImports []string
	GoFiles                            []string
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// own returns a package path below the module, "" for the module itself and for
// packages of others.
func own(path string) string {
	rest, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	return rest
}

// within reports whether a package is dir or lies below it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/")
}

// floors are the storeys of the house, lowest first: a package may import own
// packages of lower floors only, and of its own floor where that floor is one room.
var floors = [][]string{
	{"rules/program", "patches", "patches/report/cells", "patches/campaign/forge", "internal/config", "internal/results"},
	{"rules/census", "rules/callgraph", "patches/report/draw", "patches/campaign/forge/polite"},
	{"rules/flow", "patches/report/page", "patches/campaign/forge/forgetest", "patches/campaign/forge/github", "patches/campaign/forge/gitlab", "patches/campaign/forge/gitea"},
	{"rules/supply", "patches/campaign/forge/hosts"},
	{"rules/travel"},
	{"rules"},
	{"patches/report", "patches/git", "patches/campaign", "rewrite/plan"},
	{"rules/suite"},
	{"rewrite/apply", "rewrite/verify"},
	{"rewrite"},
	{"analyzers"},
	{"internal/scenario", "cmd/ctxmend", "golangci"},
}

// floor returns the storey of a package. A rule's own package stands between
// rules and rules/suite.
func floor(path string) int {
	for i, rooms := range floors {
		if slices.Contains(rooms, path) {
			return i
		}
	}
	if within(path, "rules") {
		return floor("rules") + 1
	}
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return floor(path[:i])
	}
	return len(floors)
}

// TestHouseLaws checks the directions of imports.
func TestHouseLaws(t *testing.T) {
	for _, p := range listPackages(t) {
		from := own(p.ImportPath)
		for _, imported := range p.Imports {
			to := own(imported)
			if to == "" {
				foreign(t, from, imported)
				continue
			}
			if (within(from, "rules") || within(from, "patches")) && within(to, "rewrite") {
				t.Errorf("%s imports %s: rules and patches know nothing of rewrite", from, to)
			}
			if to == "rules/suite" && !within(from, "cmd") && from != "golangci" {
				t.Errorf("%s imports rules/suite: rules are given, not imported", from)
			}
			if !within(to, from) && !within(from, to) && floor(to) >= floor(from) {
				t.Errorf("%s imports %s: no import runs back up", from, to)
			}
		}
	}
}

// foreign checks who may use which library.
func foreign(t *testing.T, from, imported string) {
	t.Helper()
	for library, rooms := range map[string][]string{
		"github.com/dave/dst":            {"rewrite/apply"},
		"golang.org/x/tools/go/packages": {"rules/program"},
		"github.com/sergi/go-diff":       {"patches", "rewrite/apply"},
		"github.com/spf13/cobra":         {"cmd/ctxmend"},
		"golang.org/x/sys":               {"patches"},
		"go.yaml.in/yaml/v3":             {"internal/config"},
		"github.com/riverqueue/river":    {"patches/campaign/queue"},
		"github.com/jackc/pgx":           {"patches/campaign/queue"},
		"modernc.org/sqlite":             {"patches/campaign/queue"},
		"github.com/google/go-github":    {"patches/campaign/forge/github"},
		"gitlab.com/gitlab-org":          {"patches/campaign/forge/gitlab"},
		"code.gitea.io/sdk":              {"patches/campaign/forge/gitea"},
		"golang.org/x/tools/go/analysis": {"analyzers", "golangci", "cmd/ctxmend"},
	} {
		if within(imported, library) && !slices.Contains(rooms, from) {
			t.Errorf("%s imports %s: only %s may", from, imported, strings.Join(rooms, " and "))
		}
	}
}

// goFile is one parsed file of the house.
type goFile struct {
	name string // slash-separated, relative to the module
	src  []byte
	ast  *ast.File
}

// houseFiles parses every Go file of the module, and only of it.
func houseFiles(t *testing.T, fset *token.FileSet) []goFile {
	t.Helper()
	var files []goFile
	root := "../.."
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		files = append(files, goFile{filepath.ToSlash(rel), src, parsed})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFilesAreFormatted(t *testing.T) {
	for _, f := range houseFiles(t, token.NewFileSet()) {
		if formatted, err := format.Source(f.src); err != nil || !bytes.Equal(formatted, f.src) {
			t.Errorf("%s is not formatted: run gofmt", f.name)
		}
	}
}

// TestOneLoader asserts that only rules/program asks the go command for packages.
func TestOneLoader(t *testing.T) {
	for _, f := range houseFiles(t, token.NewFileSet()) {
		if strings.HasSuffix(f.name, "_test.go") || within(f.name, "rules/program") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && (lit.Value == `"list"` || strings.HasPrefix(lit.Value, `"go list `)) {
				t.Errorf("%s runs go list: packages are loaded in rules/program only", f.name)
			}
			return true
		})
	}
}

// TestExportedNamesAreDocumented holds for types, functions, methods and
// package-level names; one comment may serve a whole group.
func TestExportedNamesAreDocumented(t *testing.T) {
	fset := token.NewFileSet()
	packageDocs := map[string]bool{}
	for _, f := range houseFiles(t, fset) {
		if strings.HasSuffix(f.name, "_test.go") {
			continue
		}
		dir := filepath.ToSlash(filepath.Dir(f.name))
		packageDocs[dir] = packageDocs[dir] || f.ast.Doc != nil
		for _, decl := range f.ast.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no comment", f.name, name)
			}
		}
	}
	for dir, has := range packageDocs {
		if !has {
			t.Errorf("package in %s has no package comment", dir)
		}
	}
}

func undocumented(decl ast.Decl) []string {
	var missing []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		// Methods that implement a well-known interface say enough by their name.
		known := []string{"Error", "String", "Unwrap", "Set", "Type", "Less", "Len", "Swap"}
		if d.Recv != nil && (slices.Contains(known, d.Name.Name) || !exportedReceiver(d.Recv)) {
			return nil
		}
		if d.Name.IsExported() && d.Doc == nil {
			missing = append(missing, d.Name.Name)
		}
	case *ast.GenDecl:
		// The constants of a documented type explain themselves or are explained there.
		documented := d.Doc != nil || d.Tok == token.CONST && typedConstants(d)
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					missing = append(missing, s.Name.Name)
				}
			case *ast.ValueSpec:
				// In a group, a comment holds until the next blank matter.
				documented = documented || s.Doc != nil || s.Comment != nil
				for _, name := range s.Names {
					if name.IsExported() && !documented {
						missing = append(missing, name.Name)
					}
				}
			}
		}
	}
	return missing
}

func typedConstants(d *ast.GenDecl) bool {
	first, ok := d.Specs[0].(*ast.ValueSpec)
	return ok && first.Type != nil
}

func exportedReceiver(recv *ast.FieldList) bool {
	return len(recv.List) > 0 && ast.IsExported(strings.Split(receiver(recv.List[0].Type), "[")[0])
}
