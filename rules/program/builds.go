package program

import (
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// An otherBuilds tells what builds contain that nobody has loaded. It remembers what it is asked again and again.
type otherBuilds struct {
	prog *Program
	// overlay replaces files of the program.
	overlay    map[string]*File
	conditions map[*File]string
	found      map[declared][]*File
	present    map[string][]*File
	needs      map[needing][][]*File
}

func newOtherBuilds(p *Program, overlay map[string]*File) *otherBuilds {
	return &otherBuilds{p, overlay, map[*File]string{}, map[declared][]*File{}, map[string][]*File{}, map[needing][][]*File{}}
}

// A declared is a function, a method, or what else is declared at package level.
type declared struct{ dir, recv, name string }

// A needing is the files of a package that builds contain which contain one of some condition.
type needing struct {
	pkg       *Package
	condition string
	test      bool
}

// presence returns the ordinary files of a package, with those that no loaded configuration contains, if some builds contain none
// of them; nil for a package that is always there.
func (b *otherBuilds) presence(p *Package) []*File {
	files, known := b.present[p.Path]
	if !known {
		files = b.prog.conditional(p, false)
		b.present[p.Path] = files
	}
	return files
}

// needed returns what builds that contain a file need already, as lists of files one of which has to be there: what the package imports and
// uses in files that come with this one.
func (b *otherBuilds) needed(pkg *Package, with *File) [][]*File {
	if pkg == nil || pkg.Info == nil {
		return nil
	}
	key := needing{pkg, b.condition(with), with.Test}
	lists, known := b.needs[key]
	if known {
		return lists
	}
	seen := map[string]bool{}
	add := func(f *File, files []*File) {
		if where := b.where(files); len(files) > 0 && !seen[where] && !b.prog.implied(f, files) {
			seen[where] = true
			lists = append(lists, files)
		}
	}
	for _, f := range pkg.Files {
		if f.AST == nil || f.Test && !with.Test || b.condition(f) != "" && !b.prog.implied(with, []*File{f}) {
			continue
		}
		for _, spec := range f.AST.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil {
				if q := pkg.lookup(path); q != nil {
					add(f, b.presence(q))
				}
			}
		}
		b.eachUse(pkg, f, func(_ *ast.Ident, at declared, decl *File) {
			add(f, b.declaring(at, decl))
		})
	}
	b.needs[key] = lists
	return lists
}

// eachUse calls do for the names in a file that stand for what other files of the world declare under a condition.
func (b *otherBuilds) eachUse(pkg *Package, f *File, do func(id *ast.Ident, at declared, decl *File)) {
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if at, decl := b.declaration(pkg.Info.Uses[id]); decl != nil && decl != f && b.condition(decl) != "" {
				do(id, at, decl)
			}
		}
		return true
	})
}

// declaration returns what a name of the world stands for, and the file that declares it; nil for local names, fields and others.
func (b *otherBuilds) declaration(obj types.Object) (declared, *File) {
	if obj == nil || obj.Pkg() == nil || !obj.Pos().IsValid() {
		return declared{}, nil
	}
	at := declared{name: obj.Name()}
	if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
		t := types.Unalias(fn.Signature().Recv().Type())
		if p, ok := t.(*types.Pointer); ok {
			t = types.Unalias(p.Elem())
		}
		named, ok := t.(*types.Named)
		if !ok || types.IsInterface(named) {
			return declared{}, nil
		}
		at.recv = named.Obj().Name()
	} else if obj.Parent() != obj.Pkg().Scope() {
		return declared{}, nil
	}
	decl := b.prog.FileOf(obj.Pos())
	if decl == nil || !decl.World {
		return declared{}, nil
	}
	at.dir = decl.PkgDir
	return at, decl
}

// condition caches what a file's presence in the build depends on.
func (b *otherBuilds) condition(f *File) string {
	c, known := b.conditions[f]
	if !known {
		c = f.Condition()
		b.conditions[f] = c
	}
	return c
}

// where lists the conditions of files.
func (b *otherBuilds) where(files []*File) string {
	var list []string
	for _, f := range files {
		list = append(list, b.condition(f))
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " or ")
}

// declaring returns the files, of all builds, that declare what one of them does.
func (b *otherBuilds) declaring(at declared, one *File) []*File {
	files, known := b.found[at]
	if known {
		return files
	}
	for _, f := range b.prog.Files {
		if now := b.overlay[f.Name]; now != nil {
			f = now
		}
		if f.PkgDir == at.dir && f.XTest == one.XTest && f.AST != nil && f != one && declares(f.AST, at) {
			files = append(files, f)
		}
	}
	files = append(files, one)
	b.found[at] = files
	return files
}

// declares reports whether a file declares something at package level, or a method.
func declares(file *ast.File, at declared) bool {
	return slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		switch d := d.(type) {
		case *ast.FuncDecl:
			return d.Name.Name == at.name && receiverName(d) == at.recv
		case *ast.GenDecl:
			return at.recv == "" && slices.ContainsFunc(d.Specs, func(s ast.Spec) bool {
				switch s := s.(type) {
				case *ast.TypeSpec:
					return s.Name.Name == at.name
				case *ast.ValueSpec:
					return slices.ContainsFunc(s.Names, func(id *ast.Ident) bool { return id.Name == at.name })
				}
				return false
			})
		}
		return false
	})
}

// receiverName returns the name of the type that a method belongs to, "" for a function.
func receiverName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	t := ast.Unparen(d.Recv.List[0].Type)
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = ast.Unparen(x.X)
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
