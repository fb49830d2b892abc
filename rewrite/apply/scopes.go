package apply

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// scopes answers what a name means at an offset of a file, in all build
// configurations that contain the file.
type scopes struct {
	world *world
	file  *program.File
	// taken are the names that an import must not get: those of the package, its
	// additions and the file's other imports.
	taken map[string]bool
	// declared are all names the file declares below package level; used when no
	// configuration contains the file, so that it has no types.
	declared map[string]bool
	packages []*program.Package
}

func (f *fileJob) newScopes() *scopes {
	w := f.job.world
	s := &scopes{world: w, file: f.file, packages: w.packages[f.file]}
	s.taken = f.job.takenNames(f.file.PkgDir, f.file.AST.Name.Name)
	for _, g := range importGroups(f.file) {
		for _, spec := range g.specs {
			s.taken[s.localName(spec)] = true
		}
	}
	if len(s.packages) == 0 {
		s.declared = localNames(f.file.AST)
	}
	return s
}

// takenNames returns the package-level names of a package, those about to be added included.
func (j *job) takenNames(dir, pkgName string) map[string]bool {
	names := j.packageNames(dir, pkgName)
	for _, d := range j.decls {
		if d.PkgName == pkgName && d.targetDir() == dir {
			names[d.ID] = true
		}
	}
	return names
}

func (d *addedDecl) targetDir() string {
	if d.File != nil {
		return d.File.PkgDir
	}
	return d.Dir
}

// own reports whether pkgPath is the package that the file itself belongs to.
func (s *scopes) own(pkgPath string) bool {
	if s.file.XTest {
		return pkgPath == s.file.PkgPath+"_test"
	}
	return pkgPath == s.file.PkgPath
}

// localName returns the name an import has in the file.
func (s *scopes) localName(spec *importSpec) string {
	if spec.name != "" {
		return spec.name
	}
	for _, p := range s.packages {
		if obj := p.Info.Implicits[spec.spec]; obj != nil {
			return obj.Name()
		}
	}
	if p := s.world.pathInfo[spec.path]; p != nil && p.Name != "" {
		return p.Name
	}
	return assumedName(spec.path)
}

// lookup returns what a name means at an offset, once for each configuration; entries are
// nil where it means nothing.
func (s *scopes) lookup(name string, pos int) []types.Object {
	objs := make([]types.Object, 0, len(s.packages))
	for _, p := range s.packages {
		scope := p.Info.Scopes[s.file.AST]
		if scope == nil {
			scope = p.Types.Scope()
		}
		at := token.NoPos
		if pos != packageLevel {
			at = s.file.Tok.Pos(pos)
			if inner := scope.Innermost(at); inner != nil {
				scope = inner
			}
		}
		_, obj := scope.LookupParent(name, at)
		objs = append(objs, obj)
	}
	return objs
}

// isImport reports whether a name of one of the file's imports means that import at an offset.
func (s *scopes) isImport(name string, pos int) bool {
	for _, obj := range s.lookup(name, pos) {
		if _, ok := obj.(*types.PkgName); obj != nil && !ok {
			return false
		}
	}
	return pos == packageLevel || !s.declared[name]
}

// free reports whether a name means nothing at an offset.
func (s *scopes) free(name string, pos int) bool {
	for _, obj := range s.lookup(name, pos) {
		if obj != nil {
			return false
		}
	}
	return types.Universe.Lookup(name) == nil && !s.declared[name]
}

// checkBare returns an error when a package-level name is hidden at an offset.
func (s *scopes) checkBare(f *fileJob, u refUse) error {
	hidden := u.pos != packageLevel && s.declared[u.Name]
	for _, obj := range s.lookup(u.Name, u.pos) {
		if obj == nil || obj.Parent() == types.Universe {
			continue
		}
		if _, isImport := obj.(*types.PkgName); isImport || obj.Pkg() != nil && obj.Parent() != obj.Pkg().Scope() {
			hidden = true
		}
	}
	if !hidden {
		return nil
	}
	where := f.file.Rel
	if u.pos != packageLevel {
		where = f.at(u.pos)
	}
	return fmt.Errorf("%s: %s means something else here; rename what hides it", where, u.Name)
}

// localNames returns every name a file declares below package level.
func localNames(file *ast.File) map[string]bool {
	names := make(map[string]bool)
	add := func(id *ast.Ident) {
		if id != nil {
			names[id.Name] = true
		}
	}
	addExpr := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok {
			add(id)
		}
	}
	top := make(map[ast.Spec]bool)
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok {
			for _, s := range g.Specs {
				top[s] = true
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, l := range n.Lhs {
					addExpr(l)
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				addExpr(n.Key)
				addExpr(n.Value)
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				if !top[n] {
					add(id)
				}
			}
		case *ast.TypeSpec:
			addFields(n.TypeParams, add)
			if !top[n] {
				add(n.Name)
			}
		case *ast.FuncType:
			for _, list := range []*ast.FieldList{n.TypeParams, n.Params, n.Results} {
				addFields(list, add)
			}
		case *ast.FuncDecl:
			addFields(n.Recv, add)
		}
		return true
	})
	return names
}

func addFields(list *ast.FieldList, add func(*ast.Ident)) {
	if list == nil {
		return
	}
	for _, f := range list.List {
		for _, id := range f.Names {
			add(id)
		}
	}
}
