// Package program loads the world once: every package of the modules being
// worked on, their tests, and the declarations of everything they import, all
// type-checked from source. It is the only place that runs the go command to
// find packages.
//
// # One universe per build configuration
//
// The go command knows up to four variants of one directory: p, p as compiled
// for its test (p [p.test]), the external test p_test, and other packages
// recompiled because they import p. Here each directory is checked once: first
// its ordinary files; then, after every ordinary package is done, its
// in-package test files are added to the same [types.Package]; then the external
// test packages follow. So every file belongs to exactly one package, every object
// exists once per configuration, and a type met in a test is identical to the
// type met elsewhere. The price: a method or type declared in a test file is
// visible to importers of the package, which the compiler would refuse. Nothing
// ctxmend writes relies on it, and [Program.Recheck] makes sure that it does not.
//
// # Dependencies
//
// Of a dependency, declarations are read, and of these only the packages that the
// world can see through the declarations of others. Function bodies are blanked
// before parsing, except in packages that store or look up context values under keys
// that others could use too; see [Package.Bodies], [Package.Partial] and
// [Program.LoadBodies].
//
// # Several build configurations
//
// Each configuration (operating system, architecture, tags) is a universe of its own,
// but syntax trees are shared: a file is parsed once, so a position names the same
// declaration in all of them. Objects of different configurations are matched by
// the position of their declaration, see [Program.IDOf].
package program

import (
	"go/ast"
	"go/build"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"strings"
)

// A Program is the loaded world. It is immutable after Load and safe for
// concurrent use.
type Program struct {
	// Fset holds the positions of all files.
	Fset *token.FileSet
	// Dir is the absolute directory that findings are reported relative to, the one worked in if no other was asked for.
	Dir string
	// Workspace is the absolute path of the go.work file in force, or "".
	Workspace string
	// Modules are the modules of the world, sorted by directory.
	Modules []*Module
	// Configs are the loaded build configurations; Configs[0] is the first
	// one asked for (the host's when none was named).
	Configs []*Config
	// Files are all Go files of the world's modules, sorted by name. A file that
	// no loaded configuration contains has Excluded set and is only parsed.
	// Files that the go command never builds (in testdata, or named _x or .x)
	// are left out.
	Files []*File
	// Broken are the world's packages with errors, in any configuration, sorted by path.
	Broken []*PackageErrors
	// Hints are those of the options.
	Hints Hints
	// Single is set for a program that is one package of a world nobody has read: see [Alone].
	Single bool
	// known is what a driver knows of functions of other packages.
	known  Known
	loader *loader
}

// A Module is a module of the world.
type Module struct {
	Path      string
	Dir       string // absolute
	GoVersion string // language version of the go directive, "1.22"; "" when absent
	GoMod     string // absolute path of go.mod
	// Requires holds the paths named by require directives of go.mod.
	Requires map[string]bool
	// ignore holds the paths of ignore directives.
	ignore []string
}

// A Config is one build configuration and its packages.
type Config struct {
	GOOS, GOARCH string
	// Tags are the build tags in force, those of GOFLAGS included.
	Tags []string
	// Packages are all packages, dependencies before their importers;
	// external test packages come last.
	Packages []*Package
	byPath   map[string]*Package
	// env is what selects the configuration in the go command's environment.
	env []string
	// build decides which files belong to the configuration.
	build *build.Context
	sizes types.Sizes
	// missing says why an import path has no package.
	missing map[string]string
}

// A Package is one directory's package (or its external test package) in
// one build configuration.
type Package struct {
	// Path is the import path; that of an external test package ends in "_test".
	Path   string
	Name   string
	Dir    string
	Config *Config
	// Module is the world module the package belongs to; nil for dependencies.
	Module *Module
	// DepModule is the path of the module a dependency comes from; "" for the standard library.
	DepModule string
	// World is set for packages of the modules being worked on.
	World bool
	// XTest is set for an external test package (package p_test).
	XTest bool
	// Files are the compiled files: ordinary ones first, then in-package test files.
	Files []*File
	// Imports maps import paths as written in ordinary files to packages.
	Imports map[string]*Package
	// TestImports maps import paths as written in in-package test files to packages.
	// For an external test package it is nil and Imports is used.
	TestImports map[string]*Package
	// Types is never nil. For a dependency that no declaration the world can
	// see refers to, it is an empty package that is not Complete.
	Types *types.Package
	// Info is set for packages of the world and for dependencies whose function bodies were checked.
	Info *types.Info
	// Bodies tells whether function bodies were checked.
	Bodies bool
	// Partial is set, beside Bodies, for a dependency of which only functions that
	// mention context values kept their bodies: its keys are all literals or declared at
	// package level. The other functions look empty; [Program.LoadBodies] reads them too.
	Partial bool
	// Errors are parse, type and listing errors of a package of the world.
	Errors []Error

	checkState
}

// An Error is a problem found while listing, parsing or type-checking.
type Error struct {
	Pos token.Position // unadjusted; the zero position when unknown
	Msg string
}

// PackageErrors are the errors of one package of the world.
type PackageErrors struct {
	Path   string
	Errors []Error
}

// A File is a Go source file. Files of the world keep their source.
type File struct {
	Name string // absolute
	Rel  string // slash-separated, relative to Program.Dir; ../ where it lies beside it
	// Src is the content read at load; nil for dependencies.
	Src []byte
	// AST is the syntax tree, with comments for files of the world; positions
	// are to be read unadjusted, with Fset.PositionFor(pos, false). It is nil for
	// files of dependencies whose function bodies were not checked. In a file with
	// syntax errors the last declaration, called _ and never type-checked, mentions
	// again, as far as tokens tell, what the whole file does.
	AST *ast.File
	// Tok is the file's entry in the file set; nil for a file that was not parsed.
	Tok *token.File
	// PkgPath is the import path of the file's directory, without "_test";
	// for a file that no configuration contains it is derived from the module path.
	PkgPath string
	// PkgDir is the file's directory, absolute.
	PkgDir string
	// Test is set for files named *_test.go, XTest also when the package clause ends in _test.
	Test, XTest bool
	// Generated, Vendored and Cgo files are never edited.
	Generated, Vendored, Cgo bool
	// Excluded is set when no loaded configuration contains the file;
	// Constraint is then its //go:build expression or the reason ("file name").
	Excluded   bool
	Constraint string
	// Symlink is set when the file is a symbolic link: never edited.
	Symlink bool
	// Mode is the file's permission bits.
	Mode fs.FileMode
	// World is set for files of the world's modules.
	World bool

	state *fileState
}

// Shown returns the name by which people know the file: Rel, or for a file of a package elsewhere, in the module
// cache for example, the package's import path with the file's base name.
func (f *File) Shown() string {
	if f.World || f.PkgPath == "" || !strings.HasPrefix(f.Rel, "../") && !filepath.IsAbs(f.Rel) && f.Rel != "" {
		return f.Rel
	}
	return f.PkgPath + "/" + filepath.Base(f.Name)
}

// An ID names a position independently of build configuration and of how often
// a file was parsed: file name and byte offset. The zero ID names nothing.
type ID struct {
	File   string
	Offset int
}

// IDOf returns the ID of a position.
func (p *Program) IDOf(pos token.Pos) ID {
	if !pos.IsValid() {
		return ID{}
	}
	f := p.Fset.File(pos)
	if f == nil {
		return ID{}
	}
	return ID{f.Name(), f.Offset(pos)}
}

// Package returns the package with the given path in this configuration, or nil.
func (c *Config) Package(path string) *Package { return c.byPath[path] }

// Std reports whether the package is one of the standard library.
func (p *Package) Std() bool { return !p.World && p.DepModule == "" }

// Std reports whether a package is one of the standard library, nil standing for that of what is predeclared. Where the package is not among
// those that were loaded its path tells: that of a module begins with a host's name.
func (c *Config) Std(pkg *types.Package) bool {
	if pkg == nil {
		return true
	}
	if p := c.Package(pkg.Path()); p != nil {
		return p.Std()
	}
	first, _, _ := strings.Cut(pkg.Path(), "/")
	return !strings.Contains(first, ".")
}
