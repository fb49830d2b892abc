package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A member is a function or method by its names, which is all that files tell that were not type-checked.
type member struct {
	dir  string
	recv string // name of the receiver's type, "" for a function
	name string
}

func memberOf(fn *types.Func, file *program.File) member {
	m := member{dir: file.PkgDir, name: fn.Name()}
	if recv := fn.Signature().Recv(); recv != nil {
		if named, ok := types.Unalias(derefType(recv.Type())).(*types.Named); ok {
			m.recv = named.Obj().Name()
		}
	}
	return m
}

// declared returns where a file declares the member itself.
func (m member) declared(file *program.File) token.Pos {
	for _, decl := range file.AST.Decls {
		names := map[string]bool{}
		declaredNames(decl, names)
		fn, ok := decl.(*ast.FuncDecl)
		switch {
		case m.recv == "" && names[m.name]:
			return decl.Pos()
		case ok && m.recv != "" && receiverType(fn) == m.recv && fn.Name.Name == m.name:
			return fn.Name.Pos()
		}
	}
	return token.NoPos
}

// typeDeclared returns where a file declares the type that the member is a method of, and whether that names the method: an
// interface does.
func (m member) typeDeclared(file *program.File) (at token.Pos, names bool) {
	for _, decl := range file.AST.Decls {
		gd, ok := decl.(*ast.GenDecl)
		if !ok || m.recv == "" {
			continue
		}
		for _, spec := range gd.Specs {
			ts, ok := spec.(*ast.TypeSpec)
			if !ok || ts.Name.Name != m.recv {
				continue
			}
			at = ts.Pos()
			if iface, ok := ts.Type.(*ast.InterfaceType); ok {
				names = slices.ContainsFunc(iface.Methods.List, func(f *ast.Field) bool {
					return slices.ContainsFunc(f.Names, func(id *ast.Ident) bool { return id.Name == m.name })
				})
			}
		}
	}
	return at, names
}

// counterpart finds what may stand for a function, or for the type that it is a method of, in another build configuration than
// those that are loaded.
func (d *draft) counterpart(m member) (*program.File, token.Pos) {
	for _, file := range d.leftOut(m.dir) {
		if pos := m.declared(file); pos.IsValid() {
			return file, pos
		}
		if pos, _ := m.typeDeclared(file); pos.IsValid() {
			return file, pos
		}
	}
	return nil, token.NoPos
}

// leftOut returns the files of a directory that no loaded configuration contains.
func (d *draft) leftOut(dir string) []*program.File {
	var files []*program.File
	for _, file := range d.prog.Files {
		if file.Excluded && file.PkgDir == dir && file.AST != nil {
			files = append(files, file)
		}
	}
	return files
}

// inAllBuilds says why a call in a file of one function must not become one of another: there are builds in which the call
// compiles and the other function is missing.
func (d *draft) inAllBuilds(from *program.File, fn, other *types.Func) error {
	was, now := d.prog.FileOf(fn.Pos()), d.prog.FileOf(other.Pos())
	if was == nil || now == nil {
		return nil
	}
	cond := now.Condition()
	if cond == "" || cond == from.Condition() || d.prog.Together(from, now) || d.prog.Configs[0].Std(other.Pkg()) {
		return nil // the standard library offers the same for all systems
	}
	for _, cfg := range d.prog.Configs {
		if p := cfg.Package(now.PkgPath); p != nil && p.Condition() == cond && len(d.leftOut(now.PkgDir)) == 0 {
			return nil // who imports the package is never built without it
		}
	}
	if was.Condition() != cond || !now.World {
		return block("excluded", now, other.Pos(), "%s is declared for some builds only (%s), and this is a call in all of them", other.Name(), cond)
	}
	old, want := memberOf(fn, was), memberOf(other, now)
	for _, file := range d.leftOut(was.PkgDir) {
		at := old.declared(file)
		if typ, named := old.typeDeclared(file); !at.IsValid() && named {
			at = typ
		}
		if !at.IsValid() || d.declaredBeside(want, file) {
			continue
		}
		return block("excluded", file, at, "a file that this build configuration leaves out (%s) declares %s and no %s; %s", file.Constraint, fn.Name(), other.Name(), d.prog.HowToLoad(file))
	}
	return nil
}

// declaredBeside reports whether every build that contains a file declares the member.
func (d *draft) declaredBeside(m member, file *program.File) bool {
	return slices.ContainsFunc(d.leftOut(m.dir), func(f *program.File) bool {
		_, named := m.typeDeclared(f)
		return f.Condition() == file.Condition() && (named || m.declared(f).IsValid())
	})
}
