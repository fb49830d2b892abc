package plan

import (
	"go/ast"
	"slices"
	"strconv"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An import runs code: the init functions and initialisers of every package that it brings into a program
// for the first time. newInit finds the first such code of the world that is more than making
// values, nil when there is none. Packages outside the world, which know nothing of the program, are taken for
// harmless in tests; no command is made to contain a new one.
func (pl *planner) newInit(graph *program.ImportGraph, from *program.File, to string) *program.Startup {
	for _, path := range graph.NewlyLinked(from, to) {
		code := pl.startup(path)
		if code == nil && !from.Test {
			code = pl.newInCommand(from.PkgPath, path)
		}
		if code != nil {
			return code
		}
	}
	return nil
}

// newInCommand tells of a dependency that a command of the world with package from does not contain so far.
func (pl *planner) newInCommand(from, to string) *program.Startup {
	for _, cfg := range pl.prog.Configs {
		if p := cfg.Package(to); p == nil || p.World || p.DepModule == "" && pl.prog.Startup(to) == nil {
			continue
		}
		for _, p := range cfg.Packages {
			if p.World && p.Name == "main" && !p.XTest && (p.Path == from || pl.imports(p, from)) && !pl.imports(p, to) {
				return &program.Startup{PkgPath: to, What: "is new to command " + p.Path}
			}
		}
	}
	return nil
}

// forTests reports whether a package of the world helps tests: only they import it, and other packages that help tests.
func (pl *planner) forTests(path string) bool {
	known, ok := pl.testHelpers[path]
	if ok {
		return known
	}
	pl.testHelpers[path] = false // of packages that import each other, in tests, neither is one
	helps := false
	for _, f := range pl.prog.Files {
		if f.AST == nil || f.PkgPath == path || !importsPath(f, path) {
			continue
		}
		if !f.Test && !pl.forTests(f.PkgPath) {
			return false
		}
		helps = true
	}
	pl.testHelpers[path] = helps
	return helps
}

// importsPath reports whether a file names a package among its imports.
func importsPath(f *program.File, path string) bool {
	return slices.ContainsFunc(f.AST.Imports, func(spec *ast.ImportSpec) bool {
		imported, err := strconv.Unquote(spec.Path.Value)
		return err == nil && imported == path
	})
}

// startup remembers what the packages of the world do when a program starts.
func (pl *planner) startup(path string) *program.Startup {
	code, known := pl.inits[path]
	if !known {
		if p := pl.worldPackage(path); p != nil {
			code = pl.prog.Startup(path)
		}
		pl.inits[path] = code
	}
	return code
}

// worldPackage returns a package of the world, in the first configuration that has it; nil for none.
func (pl *planner) worldPackage(path string) *program.Package {
	for _, cfg := range pl.prog.Configs {
		if p := cfg.Package(path); p != nil && p.World {
			return p
		}
	}
	return nil
}
