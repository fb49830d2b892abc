package callgraph

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ctxmend/ctxmend/rules/program"
)

// markFixed finds the functions whose parameters the language, the go command or other code decides.
func (g *Graph) markFixed() {
	linked := g.directives()
	assembly := map[string][]byte{}
	for _, f := range g.Funcs {
		if f.Kind != Declared {
			continue
		}
		if why := entryPoint(f); why != "" {
			f.fix(f.File, f.Pos(), why)
			continue
		}
		if f.Decl.Body == nil {
			f.fix(f.File, f.Pos(), "has no body in Go")
		}
		if f.Decl.Recv != nil {
			continue
		}
		if at, ok := linked[[2]string{f.Pkg.Path, f.Decl.Name.Name}]; ok {
			f.fix(at.file, at.pos, "is given to other code by a directive")
		}
		src, ok := assembly[f.File.PkgDir]
		if !ok {
			src = assemblyIn(g.Program, f.File.PkgDir)
			assembly[f.File.PkgDir] = src
		}
		if len(src) > 0 && strings.Contains(string(src), "·"+f.Decl.Name.Name+"(") {
			f.fix(f.File, f.Pos(), "is called from assembly")
		}
	}
}

// EntryPoint reports whether a function is called by the run-time system or the go command: main, init, a test.
func (f *Func) EntryPoint() bool { return f.Kind == Declared && entryPoint(f) != "" }

func entryPoint(f *Func) string {
	name := f.Decl.Name.Name
	switch {
	case f.Decl.Recv != nil:
		return ""
	case name == "init" || name == "_":
		return "is run when the program starts"
	case name == "main" && f.File.AST.Name.Name == "main":
		return "is run when the program starts"
	case f.File.Test && isTest(f):
		return "is run by go test"
	}
	return ""
}

// isTest reports whether the go command runs a function of a test file: by its name, and its parameter of a type of
// package testing, which examples lack.
func isTest(f *Func) bool {
	name := f.Decl.Name.Name
	for _, prefix := range []string{"Test", "Benchmark", "Fuzz", "Example"} {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if r, _ := utf8.DecodeRuneInString(rest); rest != "" && unicode.IsLower(r) {
			continue
		}
		if prefix == "Example" {
			return f.Decl.Type.Params.NumFields() == 0
		}
		return f.Signature != nil && f.Signature.Params().Len() == 1 && fromTesting(f.Signature.Params().At(0).Type())
	}
	return false
}

func fromTesting(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "testing"
}

// directives finds the functions that go:linkname and export directives of the world name, by package path and name.
func (g *Graph) directives() map[[2]string]place {
	found := map[[2]string]place{}
	for _, file := range g.Program.Files {
		if file.AST == nil {
			continue
		}
		for _, group := range file.AST.Comments {
			for _, c := range group.List {
				words := strings.Fields(c.Text)
				at := place{file, c.Pos()}
				switch {
				case len(words) >= 2 && (words[0] == "//export" || words[0] == "//go:wasmexport"):
					found[[2]string{file.PkgPath, words[1]}] = at
				case len(words) >= 2 && words[0] == "//go:linkname":
					found[[2]string{file.PkgPath, words[1]}] = at
					if len(words) == 3 {
						if i := strings.LastIndexByte(words[2], '.'); i > 0 {
							found[[2]string{words[2][:i], words[2][i+1:]}] = at
						}
					}
				}
			}
		}
	}
	return found
}

// assemblyIn returns the assembly code of a directory.
func assemblyIn(prog *program.Program, dir string) []byte {
	var all []byte
	for _, name := range prog.InDir(dir, ".s") {
		if src, err := prog.ReadFile(name); err == nil {
			all = append(all, src...)
		}
	}
	return all
}

// unread is what files that were not type-checked mention, by identifier.
type unread struct{ mentions map[string][]unreadMention }

type unreadMention struct {
	place
	// paths are the packages that the file belongs to or imports.
	file    *program.File
	imports []string
	// member is set for what follows a dot, and for declared methods.
	member bool
}

// Unread returns a place, in a file that was not type-checked, which may call, mention or implement the function; nil
// for none. Such files are left out by build constraints, belong to modules or programs beside the world, or have
// errors.
func (g *Graph) Unread(f *Func) *Fixed {
	if g.unread == nil {
		g.readRest()
	}
	for _, name := range f.names() {
		for _, m := range g.unread.mentions[name] {
			if g.reaches(m, f) {
				why := "may be used in a file that was not type-checked"
				if m.file.Excluded {
					why = "may be used in a file that this build configuration leaves out (" + m.file.Constraint + ")"
				}
				return &Fixed{m.file, m.pos, why}
			}
		}
	}
	return nil
}

// names returns the names by which other files can get at a function: its own, or those of the variables, fields, types and
// functions that it is written with.
func (f *Func) names() []string {
	if f.Object != nil {
		return []string{f.Object.Name()}
	}
	if f.File == nil {
		return nil
	}
	var names []string
	for _, n := range nodesAround(f.Top, f.Type) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body == nil || f.Type.Pos() < n.Body.Pos() {
				names = append(names, n.Name.Name)
			}
		case *ast.ValueSpec:
			if f.Outer == nil {
				for _, id := range n.Names {
					names = append(names, id.Name)
				}
			}
		case *ast.TypeSpec:
			if f.Outer == nil {
				names = append(names, n.Name.Name)
			}
		case *ast.Field:
			for _, id := range n.Names {
				names = append(names, id.Name)
			}
		}
	}
	return names
}

// nodesAround returns the nodes of a declaration that contain another node.
func nodesAround(root ast.Node, inner ast.Node) []ast.Node {
	var list []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil || inner.Pos() < n.Pos() || n.End() < inner.End() {
			return false
		}
		list = append(list, n)
		return true
	})
	return list
}

// reaches reports whether a file that was not type-checked may mean a function by its name.
func (g *Graph) reaches(m unreadMention, f *Func) bool {
	inside := m.file.PkgDir == f.File.PkgDir
	if f.Object != nil && f.Decl != nil && f.Decl.Recv == nil {
		if inside {
			return !m.member || m.file.XTest && f.Object.Exported()
		}
		return m.member && f.Object.Exported() && slices.Contains(m.imports, f.File.PkgPath)
	}
	if inside {
		return true
	}
	for _, path := range m.imports {
		if path == f.File.PkgPath {
			return true
		}
		for _, cfg := range g.Program.Configs {
			if p := cfg.Package(path); p != nil && p.ImportsTransitively(f.File.PkgPath) {
				return true
			}
		}
	}
	return false
}

// readRest notes the identifiers of all files that were not type-checked.
func (g *Graph) readRest() {
	g.unread = &unread{mentions: map[string][]unreadMention{}}
	for _, list := range [][]*program.File{g.Program.Files, g.Program.Beside(), g.Program.Skipped(), g.Program.Unlisted()} {
		for _, f := range list {
			if f.Excluded && f.AST != nil {
				g.readFile(f, func(*ast.Ident) bool { return true })
			}
		}
	}
	broken := map[string]bool{}
	for _, b := range g.Program.Broken {
		broken[b.Path] = true
	}
	for _, cfg := range g.Program.Configs {
		for _, pkg := range cfg.Packages {
			if !broken[pkg.Path] || pkg.Info == nil {
				continue
			}
			for _, f := range pkg.Files {
				if f.AST != nil {
					g.readFile(f, func(id *ast.Ident) bool { return pkg.Info.Uses[id] == nil && pkg.Info.Defs[id] == nil })
				}
			}
		}
	}
}

func (g *Graph) readFile(f *program.File, wanted func(*ast.Ident) bool) {
	var imports []string
	for _, spec := range f.AST.Imports {
		imports = append(imports, strings.Trim(spec.Path.Value, "`\""))
	}
	members := map[*ast.Ident]bool{}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			members[n.Sel] = true
		case *ast.FuncDecl:
			members[n.Name] = n.Recv != nil
		case *ast.ImportSpec:
			return false
		case *ast.Ident:
			if wanted(n) {
				g.unread.mentions[n.Name] = append(g.unread.mentions[n.Name], unreadMention{place{f, n.Pos()}, f, imports, members[n]})
			}
		}
		return true
	})
}
