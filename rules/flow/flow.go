// Package flow knows how contexts travel: which expressions denote a live context at a place, where
// contexts are made from nothing, what is derived from them, and which goroutines get them. It is made from
// syntax and types on demand, so that runs of rules that do not ask pay nothing.
package flow

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"slices"
	"sync"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A Flow answers questions about the contexts of one program. It is not safe for concurrent use.
type Flow struct {
	prog   *program.Program
	census *census.Census
	// packages are the packages of the world that contain a file, one for each configuration.
	packages map[*program.File][]*program.Package
	// fields caches the context fields that methods work with.
	fields map[fieldsOf]string
	// bodies caches body, circles what retains and looksOnly have found about parameters.
	bodies  map[*types.Func]*funcBody
	circles *circles
	// nils caches givenNil, made and makesRead what of holds about literals.
	nils      map[*types.Var]bool
	made      map[token.Pos][]making
	makesRead sync.Once
	// stores caches storesTo.
	stores map[*types.Var][]census.Use
	// services caches registered.
	services map[*types.TypeName][]types.Type
	// wrapping caches wrapsBirth.
	wrapping map[*types.Func]bool
	// callees caches Callees of methods of interfaces, byMethod typesWith.
	callees  map[*types.Func][]*types.Func
	byMethod map[methodForm][]types.Type
	// worldTypes caches ofWorld.
	worldTypes map[*types.Package]bool
	// joined caches joinable.
	joined map[string]bool
	// calls and births are gone through once.
	calls, births sync.Once
	// expected is what tests expect, read once.
	expected     expectations
	expectedRead sync.Once
	callList     []callAt
	goes         map[*ast.CallExpr]*ast.GoStmt // by their calls
	birthList    []*Birth
	remembered
}

// New returns the flow of a program. Everything is worked out when it is asked for.
func New(prog *program.Program, c *census.Census) *Flow {
	f := &Flow{
		prog: prog, census: c,
		packages: map[*program.File][]*program.Package{},
		fields:   map[fieldsOf]string{},
		bodies:   map[*types.Func]*funcBody{},
		circles:  newCircles(),
		nils:     map[*types.Var]bool{},
		stores:   map[*types.Var][]census.Use{},
		wrapping: map[*types.Func]bool{},
		callees:  map[*types.Func][]*types.Func{},

		remembered: newRemembered(),
	}
	for _, cfg := range prog.Configs {
		for _, p := range cfg.Packages {
			if !p.World || p.Info == nil {
				continue
			}
			for _, file := range p.Files {
				f.packages[file] = append(f.packages[file], p)
			}
		}
	}
	return f
}

// Package returns the package of the world that contains a file, in the first configuration that does; nil for none.
func (f *Flow) Package(file *program.File) *program.Package {
	if list := f.packages[file]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// AtLeast reports whether the module of a file is written for a Go version ("go1.21") or a later one.
func (f *Flow) AtLeast(file *program.File, goVersion string) bool {
	pkg := f.Package(file)
	return pkg != nil && pkg.Module != nil && version.Compare("go"+pkg.Module.GoVersion, goVersion) >= 0
}

// Path returns the nodes around a position, innermost first.
func Path(file *program.File, pos token.Pos) []ast.Node {
	var path []ast.Node
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		if n == nil || pos < n.Pos() || pos >= n.End() {
			return false
		}
		path = append(path, n)
		block, ok := n.(*ast.BlockStmt)
		if !ok {
			return true
		}
		// Long blocks are not gone through for each place in them.
		i, _ := slices.BinarySearchFunc(block.List, pos, func(s ast.Stmt, pos token.Pos) int { return cmp.Compare(s.End(), pos+1) })
		if i < len(block.List) {
			ast.Inspect(block.List[i], visit)
		}
		return false
	}
	ast.Inspect(file.AST, visit)
	slices.Reverse(path)
	return path
}

// around returns the nodes around a node, itself first.
func (f *Flow) around(file *program.File, n ast.Node) []ast.Node {
	var list []ast.Node
	for ; n != nil; n = f.census.Parent(file, n) {
		list = append(list, n)
	}
	return list
}

// Function returns the function declaration or literal that declares a parameter or local variable; the whole file for
// others.
func (f *Flow) Function(file *program.File, v *types.Var) ast.Node {
	for _, n := range Path(file, v.Pos()) {
		if isFunc(n) {
			return n
		}
	}
	return file.AST
}
