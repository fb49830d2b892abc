package census

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"

	"github.com/ctxmend/ctxmend/rules/program"
)

// excludedScan holds what is seen, by syntax alone, in files that were not type-checked:
// those that no loaded configuration contains, and those of packages with errors.
type excludedScan struct {
	// texts maps a string literal in a key-shaped or forwarder call to its places.
	texts map[string][]mention
	// names maps an identifier to the places that may mean a package-level object of its
	// package (by package path) or of an imported one.
	names map[mentionedName][]mention
	// beside holds the files of modules that lie in the world's directories but are not part of it.
	beside map[*program.File]bool
}

type mention struct {
	file *program.File
	pos  token.Pos
}

type mentionedName struct{ pkgPath, name string }

// scanExcluded reads the files that were not type-checked. Forwarders are known by name here.
func (b *builder) scanExcluded() *excludedScan {
	ex := &excludedScan{texts: map[string][]mention{}, names: map[mentionedName][]mention{}, beside: map[*program.File]bool{}}
	broken := map[string]bool{}
	for _, pe := range b.census.Program.Broken {
		broken[pe.Path] = true
	}
	forwarders := b.forwarderNames()
	for _, f := range b.census.Program.Files {
		if f.AST == nil || f.Vendored || !f.Excluded && !broken[f.PkgPath] {
			continue
		}
		ex.file(f, forwarders)
	}
	for _, f := range b.census.Program.Beside() {
		ex.file(f, forwarders)
		ex.beside[f] = true
	}
	return ex
}

// forwarderNames returns the names of functions that pass a parameter to a key position.
func (b *builder) forwarderNames() map[string]bool {
	names := map[string]bool{}
	for _, p := range b.order {
		for _, l := range p.Leaves {
			if l.SiteExpr == p.Expr {
				continue
			}
			if call, ok := b.ix.outer1(l.SiteFile, l.SiteExpr).(*ast.CallExpr); ok {
				if n := calledName(call); n != "" {
					names[n] = true
				}
			}
		}
	}
	return names
}

func calledName(call *ast.CallExpr) string {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	switch f := fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func (ex *excludedScan) file(f *program.File, forwarders map[string]bool) {
	imports := map[string]string{}
	for _, spec := range f.AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := importBase(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = path
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				if path, ok := imports[x.Name]; ok {
					m := mentionedName{path, n.Sel.Name}
					ex.names[m] = append(ex.names[m], mention{f, n.Pos()})
				}
			}
		case *ast.Ident:
			m := mentionedName{f.PkgPath, n.Name}
			ex.names[m] = append(ex.names[m], mention{f, n.Pos()})
		case *ast.CallExpr:
			name := calledName(n)
			if name != "Value" && name != "WithValue" && !forwarders[name] {
				return true
			}
			for _, a := range n.Args {
				if lit, ok := ast.Unparen(a).(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil {
						ex.texts[s] = append(ex.texts[s], mention{f, lit.Pos()})
					}
				}
			}
		}
		return true
	})
}

// importBase guesses a package name from its path, as goimports does: the last
// element, or the one before a major version.
func importBase(path string) string {
	base := path
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] != '/' {
			continue
		}
		base = path[i+1:]
		if len(base) > 1 && base[0] == 'v' && base[1] >= '0' && base[1] <= '9' {
			path = path[:i]
			base = path
			continue
		}
		break
	}
	return base
}

// excludedHazards adds what the scan saw of a key: its text, or an object that names it.
func (b *builder) excludedHazards(ex *excludedScan, k *Key) {
	say := func(m mention) {
		if ex.beside[m.file] {
			k.hazard(ReasonDependency, m.file, m.pos, "the %s, outside the program, may use the key", m.file.Constraint)
			return
		}
		if !b.fileCanMeet(m.file, k) {
			return
		}
		if m.file.Excluded {
			k.hazard(ReasonExcluded, m.file, m.pos, "a file that this build configuration leaves out (%s) may use the key; add it with --tags or --platforms", m.file.Constraint)
			return
		}
		k.hazard(ReasonTypeErrors, m.file, m.pos, "package %s, which does not type-check, may use the key", m.file.PkgPath)
	}
	if k.Const.Kind() == constant.String {
		for _, m := range ex.texts[constant.StringVal(k.Const)] {
			say(m)
		}
	}
	seen := map[mentionedName]bool{}
	for _, p := range k.Points {
		for _, l := range p.Leaves {
			if l.Key != k {
				continue
			}
			obj := NamedConst(l.Pkg, l.Expr)
			if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
				continue
			}
			n := mentionedName{obj.Pkg().Path(), obj.Name()}
			if seen[n] {
				continue
			}
			seen[n] = true
			for _, m := range ex.names[n] {
				say(m)
			}
		}
	}
}

// NamedConst returns the constant that an expression names directly, nil for any other expression.
func NamedConst(pkg *program.Package, e ast.Expr) *types.Const {
	var id *ast.Ident
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	default:
		return nil
	}
	c, _ := pkg.Info.Uses[id].(*types.Const)
	if c == nil || c.Pkg() == nil {
		return nil // true, false, iota
	}
	return c
}

// MentionedUnchecked reports whether a file that was not type-checked has an identifier
// that may mean the package-level object.
func (c *Census) MentionedUnchecked(obj types.Object) bool {
	if obj.Pkg() == nil {
		return false
	}
	return len(c.unchecked.names[mentionedName{obj.Pkg().Path(), obj.Name()}]) > 0
}
