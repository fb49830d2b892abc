package callgraph

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An anonymous interface is one without a name in the source of a dependency, x.(interface{ Unwrap() error }), as far as its
// syntax tells.
type anonymous struct {
	pkgPath         string
	params, results int
}

// Asked returns the foreign interface, or the package with an interface without a name, that a method's type
// implements by the method without the world saying so: code elsewhere may ask values of the type for it. It
// is "" for functions, for methods of types that never become values of interfaces, and when there is none.
func (g *Graph) Asked(f *Func) string {
	if f.Boxed == nil || f.Decl == nil || f.Object == nil || !f.Object.Exported() {
		return ""
	}
	for _, cfg := range g.Program.Configs {
		for _, pkg := range cfg.Packages {
			if name := asks(pkg, f); name != "" {
				return name
			}
		}
	}
	if g.asked == nil {
		g.readAnonymous()
	}
	for _, a := range g.asked[f.Object.Name()] {
		if a.params == f.Signature.Params().Len() && a.results == f.Signature.Results().Len() {
			return "an interface without a name in package " + a.pkgPath
		}
	}
	return ""
}

// asks returns the name of an interface of a package outside the world that a method is part of.
func asks(pkg *program.Package, f *Func) string {
	if pkg.World || pkg.Types == nil {
		return ""
	}
	scope := pkg.Types.Scope()
	for _, name := range scope.Names() {
		tn, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || tn.IsAlias() {
			continue
		}
		iface, ok := tn.Type().Underlying().(*types.Interface)
		if !ok || !hasMethod(iface, f.Object.Name()) {
			continue
		}
		if slices.ContainsFunc(f.BoxedTypes, func(t types.Type) bool { return types.Implements(t, iface) }) {
			return pkg.Path + "." + name
		}
	}
	return ""
}

func hasMethod(iface *types.Interface, name string) bool {
	for m := range iface.Methods() {
		if m.Name() == name {
			return true
		}
	}
	return false
}

// readAnonymous finds the interfaces without names in function bodies outside the world.
func (g *Graph) readAnonymous() {
	g.asked = map[string][]anonymous{}
	seen := map[*program.File]bool{}
	var src bytes.Buffer // one for all: there are thousands of files
	for _, cfg := range g.Program.Configs {
		for _, pkg := range cfg.Packages {
			if pkg.World {
				continue
			}
			for _, file := range pkg.Files {
				if seen[file] {
					continue
				}
				seen[file] = true
				if g.Program.ReadInto(&src, file.Name) == nil && mayAsk(src.Bytes()) {
					g.anonymousIn(pkg.Path, file.Name, src.Bytes())
				}
			}
		}
	}
}

// mayAsk reports whether a file may have an interface type with methods that is not the whole of a type declaration.
func mayAsk(src []byte) bool {
	const keyword, space = "interface", " \t\r\n"
	for at := 0; ; at += len(keyword) {
		i := bytes.Index(src[at:], []byte(keyword))
		if i < 0 {
			return false
		}
		at += i
		body, opens := bytes.CutPrefix(bytes.TrimLeft(src[at+len(keyword):], space), []byte("{"))
		if !opens || bytes.HasPrefix(bytes.TrimLeft(body, space), []byte("}")) {
			continue
		}
		if line := src[bytes.LastIndexByte(src[:at], '\n')+1:]; !bytes.HasPrefix(line, []byte("type ")) {
			return true
		}
	}
}

func (g *Graph) anonymousIn(pkgPath, name string, src []byte) {
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil && file == nil {
		return
	}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			it, ok := n.(*ast.InterfaceType)
			if !ok {
				return true
			}
			for _, m := range it.Methods.List {
				if ft, ok := m.Type.(*ast.FuncType); ok && len(m.Names) == 1 {
					a := anonymous{pkgPath, ft.Params.NumFields(), 0}
					if ft.Results != nil {
						a.results = ft.Results.NumFields()
					}
					g.asked[m.Names[0].Name] = append(g.asked[m.Names[0].Name], a)
				}
			}
			return true
		})
	}
}
