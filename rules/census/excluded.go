package census

import (
	"fmt"
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
	// texts maps a constant (in exact form) that is, or may be, a key there to its places.
	texts map[string][]mention
	// names maps an identifier to the places that may mean a package-level object of its
	// package (by package path) or of an imported one.
	names map[mentionedName][]mention
	// forwards are the functions, declared there, whose parameter becomes a key.
	forwards map[mentionedName][]mention
	// open are the keys there that cannot be told.
	open []openMention
	// literals are all constants written there, by exact form.
	literals map[string][]mention
	// beside holds the files of modules that lie in the world's directories but are not part of it.
	beside map[*program.File]bool
}

type mention struct {
	file *program.File
	pos  token.Pos
}

// An openMention is a key that cannot be told.
type openMention struct {
	mention
	role   Role
	either bool // it may be written as well as read
	known  bool // certainly a key, where others are known by a function's name alone
}

type mentionedName struct{ pkgPath, name string }

// scanExcluded reads the files that were not type-checked.
func (b *builder) scanExcluded() *excludedScan {
	ex := &excludedScan{
		texts: map[string][]mention{}, names: map[mentionedName][]mention{}, forwards: map[mentionedName][]mention{},
		literals: map[string][]mention{}, beside: map[*program.File]bool{},
	}
	broken := map[string]bool{}
	for _, pe := range b.census.Program.Broken {
		broken[pe.Path] = true
	}
	var files []*program.File
	for _, f := range b.census.Program.Files {
		if f.AST == nil || f.Vendored || !f.Excluded && !broken[f.PkgPath] {
			continue
		}
		files = append(files, f)
	}
	for _, f := range b.census.Program.Beside() {
		files = append(files, f)
		ex.beside[f] = true
	}
	for _, f := range files {
		ex.mentions(f)
	}
	if len(files) > 0 {
		b.untypedKeys(ex, files)
	}
	return ex
}

// mentions notes the names and constants in a file.
func (ex *excludedScan) mentions(f *program.File) {
	imports := importNames(f)
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
			if path, ok := imports["."]; ok {
				m := mentionedName{path, n.Name}
				ex.names[m] = append(ex.names[m], mention{f, n.Pos()})
			}
		case *ast.BasicLit:
			if v := constant.MakeFromLiteral(n.Value, n.Kind, 0); v.Kind() != constant.Unknown {
				ex.literals[v.ExactString()] = append(ex.literals[v.ExactString()], mention{f, n.Pos()})
			}
		}
		return true
	})
}

// importNames returns the import paths of a file by the names they have there.
func importNames(f *program.File) map[string]string {
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
	return imports
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
	for _, m := range ex.texts[k.Value] {
		say(m)
	}
	b.excludedOpen(ex, k)
	seen := map[mentionedName]bool{}
	for i, p := range k.Points {
		for _, fn := range p.Forwarders {
			if fn.Pkg() == nil || seen[mentionedName{fn.Pkg().Path(), fn.Name()}] {
				continue
			}
			seen[mentionedName{fn.Pkg().Path(), fn.Name()}] = true
			for _, m := range ex.forwards[mentionedName{fn.Pkg().Path(), fn.Name()}] {
				say(m)
			}
		}
		for _, l := range k.leaves[i] {
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

// excludedOpen judges the keys, in files that were not type-checked, that cannot be told, as openHazards does.
func (b *builder) excludedOpen(ex *excludedScan, k *Key) {
	for _, m := range ex.open {
		if ex.beside[m.file] || !b.fileCanMeet(m.file, k) {
			continue
		}
		h := &Hazard{
			Reason:  ReasonTypeErrors,
			Message: "a package that does not type-check uses a key here that cannot be told and may be this one",
			File:    m.file, Pos: m.pos,
		}
		if m.file.Excluded {
			h.Reason = ReasonExcluded
			h.Message = fmt.Sprintf("a file that this build configuration leaves out (%s) uses a key here that cannot be told and may be this one; add it with --tags or --platforms", m.file.Constraint)
		}
		if hasRole(k, Writer) && hasRole(k, Reader) || !m.either && hasRole(k, m.role) {
			k.Notes = append(k.Notes, h)
		} else {
			k.Hazards = append(k.Hazards, h)
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

// WrittenUnchecked reports whether a file that was not type-checked contains a constant, in exact form.
func (c *Census) WrittenUnchecked(exact string) bool { return len(c.unchecked.literals[exact]) > 0 }
