package apply

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An importSpec is an import of a file.
type importSpec struct {
	spec *ast.ImportSpec
	decl *ast.GenDecl
	// index is the spec's place in its declaration.
	index int
	path  string
	// name is the explicit name, "" when there is none.
	name string
}

// plain reports whether the import gives the package a name to qualify with.
func (s *importSpec) plain() bool { return s.name != "_" && s.name != "." && s.path != "C" }

// An importGroup is a run of imports of one declaration without a blank line between them.
type importGroup struct {
	decl  *ast.GenDecl
	specs []*importSpec
}

// importGroups returns the imports of a file of the world.
func importGroups(f *program.File) []*importGroup {
	var groups []*importGroup
	for _, d := range f.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		end := -1
		for i, s := range g.Specs {
			spec := s.(*ast.ImportSpec)
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			is := &importSpec{spec: spec, decl: g, index: i, path: p}
			if spec.Name != nil {
				is.name = spec.Name.Name
			}
			start := f.Tok.Offset(spec.Pos())
			if end < 0 || start < end || hasBlankLine(f.Src[end:start]) {
				groups = append(groups, &importGroup{decl: g})
			}
			last := groups[len(groups)-1]
			last.specs = append(last.specs, is)
			end = f.Tok.Offset(spec.End())
		}
	}
	return groups
}

func hasBlankLine(b []byte) bool {
	lines := strings.Split(string(b), "\n")
	for i := 1; i < len(lines)-1; i++ {
		if strings.TrimSpace(lines[i]) == "" {
			return true
		}
	}
	return false
}

// packageLevel stands for a place outside all functions, after the imports.
const packageLevel = -1

// A refUse is a reference that an edit makes at an offset, or at package level.
type refUse struct {
	plan.Ref
	pos   int
	units []int
}

// An addedImport is an import to add.
type addedImport struct {
	path, local string
	// explicit is set when the name must be written.
	explicit bool
}

// String returns the import as it stands in the declaration.
func (a *addedImport) String() string {
	if a.explicit {
		return a.local + " " + strconv.Quote(a.path)
	}
	return strconv.Quote(a.path)
}

// less orders imports as gofmt does.
func (a *addedImport) less(path, name string) bool {
	if a.path != path {
		return a.path < path
	}
	own := ""
	if a.explicit {
		own = a.local
	}
	return own < name
}

// A place is a package seen from an offset.
type place struct {
	path string
	pos  int
}

// fileNames knows by which text a file refers to package-level names of other
// packages, now and once the imports it lacks are added.
type fileNames struct {
	scopes *scopes
	groups []*importGroup
	added  []*addedImport
	locals map[place]string
}

// chooseNames decides for every use whether the name is written bare, with an existing
// import, or with a new one.
func (f *fileJob) chooseNames(uses []refUse) (*fileNames, error) {
	n := &fileNames{scopes: f.newScopes(), groups: importGroups(f.file), locals: make(map[place]string)}
	byPath := make(map[string][]refUse)
	for _, u := range uses {
		if n.bare(u.PkgPath) {
			if err := n.scopes.checkBare(f, u); err != nil {
				return nil, &unitsError{u.units, err}
			}
			continue
		}
		if u.PkgPath == "" || u.PkgName == "" {
			return nil, &unitsError{u.units, fmt.Errorf("%s has no package", u.Name)}
		}
		byPath[u.PkgPath] = append(byPath[u.PkgPath], u)
	}
	for _, p := range sortedKeys(byPath) {
		if err := n.choose(f, p, byPath[p]); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// bare reports whether names of a package need no qualifier in the file.
func (n *fileNames) bare(pkgPath string) bool {
	return n.scopes.own(pkgPath) || n.imported(pkgPath, ".")
}

func (n *fileNames) imported(pkgPath, name string) bool {
	for _, g := range n.groups {
		for _, s := range g.specs {
			if s.path == pkgPath && s.name == name {
				return true
			}
		}
	}
	return false
}

// choose finds local names for the uses of one package.
func (n *fileNames) choose(f *fileJob, pkgPath string, uses []refUse) error {
	var existing []string
	for _, g := range n.groups {
		for _, s := range g.specs {
			if s.path == pkgPath && s.plain() {
				existing = append(existing, n.scopes.localName(s))
			}
		}
	}
	var rest []refUse
next:
	for _, u := range uses {
		for _, local := range existing {
			if n.scopes.isImport(local, u.pos) {
				n.locals[place{pkgPath, u.pos}] = local
				continue next
			}
		}
		rest = append(rest, u)
	}
	if len(rest) == 0 {
		return nil
	}
	name := rest[0].PkgName
	local, ok := pickName(pkgPath, name, func(s string) bool {
		if n.scopes.taken[s] {
			return false
		}
		for _, u := range rest {
			if !n.scopes.free(s, u.pos) {
				return false
			}
		}
		return true
	})
	if !ok {
		return &unitsError{rest[0].units, fmt.Errorf("%s: no free name for package %s", f.file.Rel, pkgPath)}
	}
	n.scopes.taken[local] = true
	n.added = append(n.added, &addedImport{pkgPath, local, local != name || assumedName(pkgPath) != name})
	for _, u := range rest {
		n.locals[place{pkgPath, u.pos}] = local
	}
	return nil
}

// pickName returns the first free name for an import: the package's, one made with the
// directory above it, then numbered ones.
func pickName(pkgPath, name string, free func(string) bool) (string, bool) {
	tries := []string{name}
	prefix := "std"
	dir := path.Dir(pkgPath)
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		base := path.Base(dir)
		if isVersion(base) || strings.Contains(base, ".") || base == name || base == "internal" || base == "pkg" || base == "src" {
			continue
		}
		prefix = base
		break
	}
	tries = append(tries, letters(prefix)+name, name+"pkg")
	for i := 2; i < 100; i++ {
		tries = append(tries, name+strconv.Itoa(i))
	}
	for _, t := range tries {
		if validName(t) && free(t) {
			return t, true
		}
	}
	return "", false
}

// letters keeps what may stand in a package name.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, s)
}

// text returns how a reference is written at an offset of the old file.
func (n *fileNames) text(ref plan.Ref, pos int) (string, error) {
	if n.bare(ref.PkgPath) {
		return ref.Name, nil
	}
	local, ok := n.locals[place{ref.PkgPath, pos}]
	if !ok {
		return "", fmt.Errorf("no name was chosen for package %s", ref.PkgPath)
	}
	return local + "." + ref.Name, nil
}

// unused returns the imports whose last use the edits took away. out is the
// content with all other edits made; it is an error if it does not parse.
func (n *fileNames) unused(f *fileJob, out []byte) (map[*importSpec]bool, error) {
	after, err := outsideNames(out)
	if err != nil {
		var list scanner.ErrorList
		if errors.As(err, &list) {
			err = list[0] // what follows is mostly its consequence
		}
		return nil, fmt.Errorf("%s does not parse after the edits: %w", f.file.Rel, err)
	}
	var before *outside
	unused := make(map[*importSpec]bool)
	for _, g := range n.groups {
		for _, s := range g.specs {
			if !s.plain() && s.name != "." || n.uses(f, after, s) {
				continue
			}
			if before == nil {
				if before, err = outsideNames(f.src); err != nil {
					return nil, fmt.Errorf("%s does not parse: %w", f.file.Rel, err)
				}
			}
			if n.uses(f, before, s) {
				unused[s] = true
			}
		}
	}
	return unused, nil
}

// uses reports whether content that mentions the given outside names uses an import.
func (n *fileNames) uses(f *fileJob, o *outside, s *importSpec) bool {
	if s.name != "." {
		return o.qualifiers[n.scopes.localName(s)]
	}
	known := false
	for _, cfg := range f.job.prog.Configs {
		p := cfg.Package(s.path)
		if p == nil || p.Types == nil {
			continue
		}
		known = true
		for name := range o.bare {
			// A name that nobody declares so far may be one that the edits add to the package.
			if ast.IsExported(name) && (p.Types.Scope().Lookup(name) != nil || !n.scopes.taken[name]) {
				return true
			}
		}
	}
	return !known
}

// An outside holds the names in a file that nothing in the file declares: those before a dot, which
// are the imports that are used, and the others.
type outside struct{ qualifiers, bare map[string]bool }

func outsideNames(src []byte) (*outside, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
	if err != nil {
		return nil, err
	}
	o := &outside{make(map[string]bool), make(map[string]bool)}
	open := make(map[*ast.Ident]bool, len(file.Unresolved))
	for _, id := range file.Unresolved {
		open[id] = true
		o.bare[id.Name] = true
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && open[id] {
				o.qualifiers[id.Name] = true
			}
		case *ast.KeyValueExpr: // the parser does not say whether it is a field
			if id, ok := n.Key.(*ast.Ident); ok {
				o.bare[id.Name] = true
			}
		}
		return true
	})
	return o, nil
}

// sortImports orders additions as gofmt does.
func sortImports(list []*addedImport) {
	sort.Slice(list, func(a, b int) bool {
		name := ""
		if list[b].explicit {
			name = list[b].local
		}
		return list[a].less(list[b].path, name)
	})
}
