package apply

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/ctxmend/ctxmend/rules/program"
)

const (
	testRoot   = "/ctxmend-test"
	testModule = "example.com/m"
)

// stdImporter imports the standard library from export data; it is not safe for concurrent use.
var stdImporter = sync.OnceValue(func() types.Importer { return importer.Default() })

// memWorld type-checks sources that exist in memory only, as one module.
type memWorld struct {
	prog   *program.Program
	config *program.Config
	byPath map[string]*program.Package
	files  map[string][]*program.File // by directory and package name
	errs   []string
}

// loadMem makes a program of sources named by their path below the module's directory.
// What lies below dep/ is a dependency with the rest as its import path. Sources whose first line is "//go:build ignore" belong to no configuration.
func loadMem(t testing.TB, sources map[string]string) *memWorld {
	t.Helper()
	w := &memWorld{
		prog: &program.Program{
			Fset: token.NewFileSet(), Dir: testRoot,
			Modules: []*program.Module{{Path: testModule, Dir: testRoot, GoVersion: "1.26"}},
		},
		config: &program.Config{GOOS: "linux", GOARCH: "amd64"},
		byPath: make(map[string]*program.Package),
		files:  make(map[string][]*program.File),
	}
	w.prog.Configs = []*program.Config{w.config}
	for _, name := range sortedKeys(sources) {
		w.parse(t, name, sources[name])
	}
	for _, key := range sortedKeys(w.files) {
		w.check(w.files[key][0].PkgPath, w.files[key][0].XTest)
	}
	return w
}

func (w *memWorld) parse(t testing.TB, name, src string) {
	t.Helper()
	abs := filepath.Join(testRoot, filepath.FromSlash(name))
	tree, err := parser.ParseFile(w.prog.Fset, abs, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	f := &program.File{
		Name: abs, Rel: name, Src: []byte(src), AST: tree, Tok: w.prog.Fset.File(tree.FileStart),
		PkgPath: path.Join(testModule, path.Dir(name)), PkgDir: filepath.Dir(abs),
		Test: strings.HasSuffix(name, "_test.go"), XTest: strings.HasSuffix(tree.Name.Name, "_test"),
		Generated: ast.IsGenerated(tree), Mode: 0o644, World: true,
	}
	if dep, ok := strings.CutPrefix(path.Dir(name), "dep/"); ok {
		f.PkgPath, f.World = dep, false
	}
	for _, s := range tree.Imports {
		f.Cgo = f.Cgo || s.Path.Value == `"C"`
	}
	f.Excluded = strings.HasPrefix(src, "//go:build ignore")
	w.prog.Files = append(w.prog.Files, f)
	if !f.Excluded {
		key := f.PkgDir + " " + tree.Name.Name
		w.files[key] = append(w.files[key], f)
	}
}

// Import finds packages of the world, then those of the standard library.
func (w *memWorld) Import(p string) (*types.Package, error) {
	if own := w.check(p, false); own != nil {
		return own.Types, nil
	}
	return stdImporter().Import(p)
}

// check type-checks the package at a path, once.
func (w *memWorld) check(p string, xtest bool) *program.Package {
	id := p
	if xtest {
		id += "_test"
	}
	if have := w.byPath[id]; have != nil {
		return have
	}
	var files []*program.File
	for _, list := range w.files {
		if list[0].PkgPath == p && list[0].XTest == xtest {
			files = list
		}
	}
	if files == nil {
		return nil
	}
	sort.SliceStable(files, func(a, b int) bool { return !files[a].Test && files[b].Test })
	pkg := &program.Package{
		Path: id, Name: files[0].AST.Name.Name, Dir: files[0].PkgDir, Config: w.config,
		World: files[0].World, XTest: xtest, Files: files, Bodies: true,
		Info: &types.Info{
			Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object),
			Implicits: make(map[ast.Node]types.Object), Scopes: make(map[ast.Node]*types.Scope),
			Types: make(map[ast.Expr]types.TypeAndValue), Selections: make(map[*ast.SelectorExpr]*types.Selection),
		},
	}
	if pkg.World {
		pkg.Module = w.prog.Modules[0]
	} else {
		pkg.DepModule = p
	}
	w.byPath[id] = pkg
	var trees []*ast.File
	for _, f := range files {
		trees = append(trees, f.AST)
	}
	conf := types.Config{Importer: w, FakeImportC: true, Error: func(err error) { w.errs = append(w.errs, err.Error()) }}
	pkg.Types, _ = conf.Check(id, w.prog.Fset, trees, pkg.Info)
	w.config.Packages = append(w.config.Packages, pkg)
	return pkg
}

func (w *memWorld) file(t testing.TB, name string) *program.File {
	t.Helper()
	for _, f := range w.prog.Files {
		if f.Rel == name {
			return f
		}
	}
	t.Fatalf("no file %s", name)
	return nil
}
