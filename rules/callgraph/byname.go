package callgraph

import (
	"bytes"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// byName knows the methods that are found by their names when the program runs.
type byName struct {
	// reflected are the calls of MethodByName, by the name; open are those with another name than a constant, and those that
	// find all methods.
	reflected map[string][]*reflection
	open      []*reflection
	// rpc is an import of net/rpc, which serves methods of a certain shape.
	rpc *Fixed
	// templates are texts with actions in them.
	templates []template
}

type template struct {
	text []byte
	at   *Fixed
}

// maxTemplate is the size from which on a file is not taken for a template.
const maxTemplate = 1 << 20

// ByName returns a place from where a method may be found by its name when the program runs: reflection, a
// template, a test suite; nil for none, and for functions. With importers set, code that imports the program counts as well.
func (g *Graph) ByName(f *Func, importers bool) *Fixed {
	if f.Decl == nil || f.Decl.Recv == nil || f.Object == nil || !f.Object.Exported() {
		return nil
	}
	if g.names == nil {
		g.readNames()
	}
	name := f.Object.Name()
	for _, r := range g.names.reflected[name] {
		if r.finds(f, importers) {
			return r.at
		}
	}
	for _, r := range g.names.open {
		if (f.Boxed != nil || !r.every) && r.finds(f, importers) {
			return r.at
		}
	}
	if f.Boxed == nil {
		return nil
	}
	if f.File.Test && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Benchmark")) {
		return &Fixed{f.File, f.Pos(), "may be run by a test suite"}
	}
	if g.names.rpc != nil && servesRPC(f) {
		return g.names.rpc
	}
	for _, t := range g.names.templates {
		if mentions(t.text, name) {
			return t.at
		}
	}
	return nil
}

// servesRPC reports whether a method has the shape that net/rpc serves: two arguments, the second a pointer, and an error.
func servesRPC(f *Func) bool {
	p, r := f.Signature.Params(), f.Signature.Results()
	if p.Len() != 2 || r.Len() != 1 || r.At(0).Type().String() != "error" {
		return false
	}
	_, ok := p.At(1).Type().Underlying().(*types.Pointer)
	return ok
}

// mentions reports whether an action of a template has .Name in it.
func mentions(text []byte, name string) bool {
	for rest := text; ; {
		i := bytes.Index(rest, []byte("."+name))
		if i < 0 {
			return false
		}
		rest = rest[i+1+len(name):]
		if len(rest) == 0 || !isWordByte(rest[0]) {
			return true
		}
	}
}

func isWordByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b >= 0x80
}

// readNames looks through the world for reflection by name and for templates.
func (g *Graph) readNames() {
	g.names = &byName{reflected: map[string][]*reflection{}}
	templates := false
	for _, cfg := range g.Program.Configs {
		var s *stores
		called := map[ast.Expr]bool{}
		for _, pkg := range cfg.Packages {
			if !pkg.World || pkg.Info == nil {
				continue
			}
			for _, file := range pkg.Files {
				if file.AST == nil {
					continue
				}
				for _, spec := range file.AST.Imports {
					switch spec.Path.Value {
					case `"text/template"`, `"html/template"`:
						templates = true
					case `"net/rpc"`:
						g.names.rpc = &Fixed{file, spec.Pos(), "may be served by net/rpc, which finds methods by their shape"}
					}
				}
				ast.Inspect(file.AST, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.CallExpr:
						called[ast.Unparen(n.Fun)] = true
						if asksForMethods(pkg.Info, n.Fun) {
							if s == nil {
								s = collectStores(cfg)
							}
							g.noteReflection(s, pkg, file, n)
						}
					case *ast.SelectorExpr:
						if !called[n] && asksForMethods(pkg.Info, n) {
							g.names.open = append(g.names.open, &reflection{at: &Fixed{file, n.Pos(), "may be called by reflection"}, every: true})
						}
					case *ast.BasicLit:
						if n.Kind == token.STRING && strings.Contains(n.Value, "{{") {
							if text, err := strconv.Unquote(n.Value); err == nil {
								g.names.templates = append(g.names.templates, template{actions([]byte(text)), &Fixed{file, n.Pos(), "may be called by a template"}})
							}
						}
					}
					return true
				})
			}
		}
	}
	if !templates {
		g.names.templates = nil
		return
	}
	for _, m := range g.Program.Modules {
		g.templateFiles(m.Dir)
	}
}

// asksForMethods reports whether an expression names a method of package reflect that finds methods of a type or value.
func asksForMethods(info *types.Info, e ast.Expr) bool {
	fn := funcNamed(info, e)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "reflect" || fn.Signature().Recv() == nil {
		return false
	}
	switch fn.Name() {
	case "MethodByName", "Method", "Methods":
		return true
	}
	return false
}

// noteReflection notes a call that finds methods, with the types that come to it.
func (g *Graph) noteReflection(s *stores, pkg *program.Package, file *program.File, call *ast.CallExpr) {
	r := &reflection{at: &Fixed{file, call.Pos(), "may be called by reflection"}, several: len(g.Program.Configs) > 1}
	w := &follower{g: g, stores: s, seen: map[types.Object]bool{}, out: r}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && !pkg.Info.Types[sel.X].IsType() {
		w.mirror(pkg, sel.X)
	} else {
		r.every = true
	}
	if len(call.Args) == 1 {
		if v := pkg.Info.Types[call.Args[0]].Value; v != nil && v.Kind() == constant.String {
			name := constant.StringVal(v)
			g.names.reflected[name] = append(g.names.reflected[name], r)
			return
		}
	}
	g.names.open = append(g.names.open, r)
}

// templateFiles reads the files below a directory that may be templates.
func (g *Graph) templateFiles(dir string) {
	g.Program.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if d.IsDir() {
			if base := d.Name(); name != dir && (strings.HasPrefix(base, ".") || slices.Contains([]string{"vendor", "node_modules"}, base)) {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxTemplate || strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := g.Program.ReadFile(name)
		if err != nil || !bytes.Contains(src, []byte("{{")) || bytes.IndexByte(src, 0) >= 0 {
			return nil
		}
		rel, err := filepath.Rel(g.Program.Dir, name)
		if err != nil {
			rel = name
		}
		g.names.templates = append(g.names.templates, template{actions(src), &Fixed{Why: "may be called by the template " + filepath.ToSlash(rel)}})
		return nil
	})
}

// actions returns what stands between {{ and }} in a text.
func actions(text []byte) []byte {
	var out []byte
	for {
		i := bytes.Index(text, []byte("{{"))
		if i < 0 {
			return out
		}
		text = text[i+2:]
		end := bytes.Index(text, []byte("}}"))
		if end < 0 {
			return append(out, text...)
		}
		out = append(append(out, text[:end]...), '\n')
		text = text[end:]
	}
}
