package census

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
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
	// stored are package-level variables, and fields (without package), that files store something in.
	stored  map[mentionedName][]mention
	prog    *program.Program
	imports map[*program.File]map[string]string
	// declared are the package-level constants that these files declare.
	declared map[mentionedName][]mention
	// stores are methods Value(any) any, which may answer keys in ways of their own.
	stores []mention
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

func compareMentioned(a, b mentionedName) int {
	return cmp.Or(cmp.Compare(a.pkgPath, b.pkgPath), cmp.Compare(a.name, b.name))
}

// scanExcluded reads the files that were not type-checked.
func (b *builder) scanExcluded() *excludedScan {
	ex := &excludedScan{
		texts: map[string][]mention{}, names: map[mentionedName][]mention{}, forwards: map[mentionedName][]mention{},
		literals: map[string][]mention{}, beside: map[*program.File]bool{},
		stored: map[mentionedName][]mention{}, prog: b.census.Program, imports: map[*program.File]map[string]string{},
		declared: map[mentionedName][]mention{},
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
	files = append(files, b.census.Program.Unlisted()...)
	for _, f := range append(b.census.Program.Beside(), b.census.Program.Skipped()...) {
		files = append(files, f)
		ex.beside[f] = true
	}
	for _, f := range files {
		ex.mentions(f)
	}
	if len(files) > 0 {
		b.untypedKeys(ex, files)
		b.otherValues(ex)
	}
	return ex
}

// otherValues notes the look-ups whose key has another value where these files are part of the build, since they
// declare a constant that it is made of: there it may be any key.
func (b *builder) otherValues(ex *excludedScan) {
	for _, p := range b.order {
		for _, l := range p.Leaves {
			for _, part := range b.constantParts(l) {
				for _, m := range ex.declared[mentionedName{part.Pkg().Path(), part.Name()}] {
					for _, lk := range p.Lookups {
						ex.open = append(ex.open, openMention{mention: m, role: lk.Role, known: true})
					}
				}
			}
		}
	}
}

// mentions notes the names and constants in a file.
func (ex *excludedScan) mentions(f *program.File) {
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && declaresValue(fn) {
			ex.stores = append(ex.stores, mention{f, fn.Pos()})
		}
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					n := mentionedName{f.PkgPath, name.Name}
					ex.declared[n] = append(ex.declared[n], mention{f, name.Pos()})
				}
			}
		}
	}
	imports := ex.importNames(f)
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

// declaresValue reports whether a function is, by its syntax, a method Value(any) any that does more than ask
// another context.
func declaresValue(fn *ast.FuncDecl) bool {
	if fn.Recv == nil || fn.Name.Name != "Value" || fn.Type.Params.NumFields() != 1 || fn.Type.Results.NumFields() != 1 || fn.Body == nil {
		return false
	}
	switch t := fn.Type.Params.List[0].Type.(type) {
	case *ast.InterfaceType:
	case *ast.Ident:
		if t.Name != "any" {
			return false
		}
	default:
		return false
	}
	if len(fn.Body.List) == 1 {
		if ret, ok := fn.Body.List[0].(*ast.ReturnStmt); ok && len(ret.Results) == 1 {
			call, ok := ret.Results[0].(*ast.CallExpr)
			return !ok || calledName(call) != "Value"
		}
	}
	return true
}

// importNames returns the import paths of a file by the names they have there: those of the packages
// that are loaded, a guess for others.
func (ex *excludedScan) importNames(f *program.File) map[string]string {
	if have := ex.imports[f]; have != nil {
		return have
	}
	imports := map[string]string{}
	ex.imports[f] = imports
	for _, spec := range f.AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := importBase(path)
		for _, cfg := range ex.prog.Configs {
			if p := cfg.Package(path); p != nil && p.Name != "" {
				name = p.Name
			}
		}
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
			k.hazard(ReasonDependency, m.file, m.pos, "the %s, outside the program, may use the key; %s", m.file.Constraint, b.census.Program.HowToLoad(m.file))
			return
		}
		if !b.fileCanMeet(m.file, k) {
			return
		}
		if m.file.Excluded {
			k.hazard(ReasonExcluded, m.file, m.pos, "a file that this build configuration leaves out (%s) may use the key; %s", m.file.Constraint, b.census.Program.HowToLoad(m.file))
			return
		}
		k.hazard(ReasonTypeErrors, m.file, m.pos, "package %s, which does not type-check, may use the key", m.file.PkgPath)
	}
	for _, m := range ex.texts[k.Value] {
		say(m)
	}
	for _, m := range ex.stores {
		if m.file.Excluded && !ex.beside[m.file] && b.fileCanMeet(m.file, k) {
			k.hazard(ReasonStore, m.file, m.pos, "a Value method in a file that this build configuration leaves out (%s) may answer it; %s", m.file.Constraint, b.census.Program.HowToLoad(m.file))
		}
	}
	b.excludedOpen(ex, k)
	seen, passed, declared := map[mentionedName]bool{}, map[mentionedName]bool{}, map[mentionedName]bool{}
	for i, p := range k.Points {
		for _, v := range slices.SortedFunc(maps.Keys(p.through), compareMentioned) {
			if passed[v] {
				continue
			}
			passed[v] = true
			for _, m := range ex.stored[v] {
				say(m)
			}
			if p.carriers[v] {
				for _, m := range ex.names[v] {
					say(m)
				}
			}
		}
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
			for _, part := range b.constantParts(l) {
				if n := (mentionedName{part.Pkg().Path(), part.Name()}); !declared[n] {
					declared[n] = true
					for _, m := range ex.declared[n] {
						say(m)
					}
				}
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

// constantParts returns the package-level constants that a leaf is made of, through the declarations of others.
func (b *builder) constantParts(l *Leaf) []*types.Const {
	var list []*types.Const
	seen := map[*types.Const]bool{}
	var walk func(pkg *program.Package, e ast.Expr)
	walk = func(pkg *program.Package, e ast.Expr) {
		ast.Inspect(e, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			c, _ := pkg.Info.Uses[id].(*types.Const)
			if c == nil || c.Pkg() == nil || c.Parent() != c.Pkg().Scope() || seen[c] {
				return true
			}
			seen[c] = true
			list = append(list, c)
			for _, v := range b.valuesOf(c) {
				walk(v.Pkg, v.Expr)
			}
			return true
		})
	}
	walk(l.Pkg, l.Expr)
	return list
}

// valuesOf returns the values of the declaration of a constant.
func (b *builder) valuesOf(c *types.Const) []Expr {
	list, known := b.constants[c]
	if !known {
		for _, u := range b.census.Uses(c) {
			if spec, ok := b.census.Parent(u.File, u.Ident).(*ast.ValueSpec); ok && u.Pkg.Info.Defs[u.Ident] != nil {
				for _, v := range spec.Values {
					list = append(list, Expr{v, u.File, u.Pkg})
				}
			}
		}
		b.constants[c] = list
	}
	return list
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
			h.Message = fmt.Sprintf("a file that this build configuration leaves out (%s) uses a key here that cannot be told and may be this one; %s", m.file.Constraint, b.census.Program.HowToLoad(m.file))
		}
		if hasOwn(k, Writer) && hasOwn(k, Reader) || !m.either && hasOwn(k, m.role) {
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
