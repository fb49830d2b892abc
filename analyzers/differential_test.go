package analyzers

import (
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/types"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"

	"github.com/ctxmend/ctxmend/internal/scenario"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/suite"
)

var every = flag.Int("every", 6, "compare each nth scenario with what one package at a time shows; 1 for all")

// TestOnePackageAgrees shows the packages of scenarios one at a time, with facts, and compares the findings with those of
// the whole program. What a single package says must be true of the program; what it leaves out is for the whole program to say.
func TestOnePackageAgrees(t *testing.T) {
	for _, dir := range []string{"rules", "plan"} {
		files, err := scenario.Find(filepath.Join("../testdata", dir))
		if err != nil {
			t.Fatal(err)
		}
		for i, file := range files {
			if i%*every != 0 {
				continue
			}
			rel, _ := filepath.Rel("../testdata", file)
			t.Run(strings.TrimSuffix(filepath.ToSlash(rel), ".txtar"), func(t *testing.T) {
				t.Parallel()
				compare(t, file)
			})
		}
	}
}

// A place is where a finding is, with its rule.
type place struct {
	file   string
	offset int
	rule   string
}

func compare(t *testing.T, file string) {
	s, err := scenario.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Input.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, chosen := range [][]*rules.Rule{byDefault(), Provable(suite.All)} {
		opts := rewrite.Options{
			Load:  program.Options{Dir: dir, Tests: true, Env: append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=", "GOTOOLCHAIN=local"), Standard: &standard},
			Rules: chosen, Known: suite.All, Level: rules.Review,
		}
		res, err := rewrite.Run(context.Background(), opts)
		if err != nil {
			t.Fatal(err)
		}
		now, err := rewrite.Find(context.Background(), opts)
		if err != nil {
			t.Fatal(err)
		}
		d := &driver{t: t, prog: res.Program, facts: map[any][]analysis.Fact{}}
		level := rules.Review
		d.run(Make(Options{Known: suite.All, Rules: chosen, Level: &level}))
		d.hold(res, now.Findings)
	}
}

// standard spares all scenarios but the first the reading of the standard library.
var standard program.Standard

func byDefault() []*rules.Rule {
	return slices.DeleteFunc(slices.Clone(suite.All), func(r *rules.Rule) bool { return !r.Default })
}

// A driver runs analyzers over the packages of a loaded program, each as if it were alone.
type driver struct {
	t     *testing.T
	prog  *program.Program
	facts map[any][]analysis.Fact
	found map[place]analysis.Diagnostic
}

func (d *driver) run(list []*analysis.Analyzer) {
	d.found = map[place]analysis.Diagnostic{}
	done := map[*program.Package]bool{}
	var again []*program.Package
	for _, pkg := range d.prog.Configs[0].Packages {
		d.runOn(pkg, list)
		done[pkg] = true
		for _, imported := range pkg.TestImports {
			if imported.World && !done[imported] && !slices.Contains(again, pkg) {
				again = append(again, pkg)
			}
		}
	}
	// Packages come after what they import. Other drivers analyse a package with its tests once more, after what those import.
	for _, pkg := range again {
		maps.DeleteFunc(d.found, func(p place, _ analysis.Diagnostic) bool {
			return slices.ContainsFunc(pkg.Files, func(f *program.File) bool { return f.Rel == p.file })
		})
		d.runOn(pkg, list)
	}
}

func (d *driver) runOn(pkg *program.Package, list []*analysis.Analyzer) {
	if pkg.Info == nil || len(pkg.Errors) > 0 || !pkg.World && pkg.DepModule == "" {
		return
	}
	results := map[*analysis.Analyzer]any{}
	for _, a := range append([]*analysis.Analyzer{list[0].Requires[0]}, list...) {
		pass := d.pass(pkg, a, results)
		res, err := a.Run(pass)
		if err != nil {
			d.t.Fatalf("%s of %s: %v", a.Name, pkg.Path, err)
		}
		results[a] = res
	}
}

// pass shows a package to an analyzer as other drivers do.
func (d *driver) pass(pkg *program.Package, a *analysis.Analyzer, results map[*analysis.Analyzer]any) *analysis.Pass {
	var files []*ast.File
	for _, f := range pkg.Files {
		files = append(files, f.AST)
	}
	module := &analysis.Module{Path: pkg.DepModule, Version: "v1.0.0"}
	if pkg.Module != nil {
		module = &analysis.Module{Path: pkg.Module.Path, GoVersion: "go" + pkg.Module.GoVersion}
	}
	var ignored []string
	for _, f := range d.prog.Files {
		if f.Excluded && f.PkgDir == pkg.Dir {
			ignored = append(ignored, f.Name)
		}
	}
	pass := &analysis.Pass{
		Analyzer: a, Fset: d.prog.Fset, Files: files, Pkg: pkg.Types, TypesInfo: pkg.Info, ResultOf: results,
		Module: module, IgnoredFiles: ignored,
		Report: func(diag analysis.Diagnostic) {
			f := d.prog.FileOf(diag.Pos)
			if !pkg.World {
				return
			}
			d.found[place{f.Rel, f.Tok.Offset(diag.Pos), a.Name}] = diag
		},
		ReadFile:          os.ReadFile,
		ImportObjectFact:  func(obj types.Object, f analysis.Fact) bool { return d.load(obj, f) },
		ExportObjectFact:  func(obj types.Object, f analysis.Fact) { d.facts[obj] = append(d.facts[obj], f) },
		ExportPackageFact: func(f analysis.Fact) { d.facts[pkg.Types] = append(d.facts[pkg.Types], f) },
		AllPackageFacts: func() []analysis.PackageFact {
			var list []analysis.PackageFact
			for obj, facts := range d.facts {
				if p, ok := obj.(*types.Package); ok && reaches(pkg.Types, p.Path(), map[*types.Package]bool{}) {
					for _, f := range facts {
						list = append(list, analysis.PackageFact{Package: p, Fact: f})
					}
				}
			}
			return list
		},
	}
	return pass
}

func (d *driver) load(obj any, f analysis.Fact) bool {
	for _, have := range d.facts[obj] {
		if reflect.TypeOf(have) == reflect.TypeOf(f) {
			reflect.ValueOf(f).Elem().Set(reflect.ValueOf(have).Elem())
			return true
		}
	}
	return false
}

// hold compares what was reported with the findings of the whole program. Those that only come up once others are mended
// are not among the findings of now.
func (d *driver) hold(res *rewrite.Result, now []*rules.Finding) {
	present := map[place]bool{}
	for _, f := range now {
		present[place{f.File.Rel, f.File.Tok.Offset(f.Pos), f.Rule}] = true
	}
	whole := map[place]*rules.Finding{}
	at := map[place]bool{} // some rule reports it
	// Of keys that these rules report builtinkey leaves other places to them as well, or reports what their fix leaves.
	left := slices.ContainsFunc(res.Findings, func(f *rules.Finding) bool { return f.Rule == "splitkey" || f.Rule == "keyclash" })
	for _, f := range res.Findings {
		p := place{f.File.Rel, f.File.Tok.Offset(f.Pos), f.Rule}
		whole[p] = f
		p.rule = ""
		at[p] = true
	}
	absent := map[place]bool{} // that nobody stores what a test looks up, or looks up what it stores, shows in the whole program alone
	for _, k := range res.Census.Keys {
		if res.Census.Absent(k) || res.Census.Decoy(k) {
			for _, s := range k.Sites {
				for _, rule := range []string{"builtinkey", "sharedkey"} {
					absent[place{s.File.Rel, s.File.Tok.Offset(s.Expr.Pos()), rule}] = true
				}
			}
		}
	}
	var lines []string
	for p, diag := range d.found {
		any := p
		any.rule = ""
		if whole[p] == nil && !at[any] && !absent[p] && !(left && p.rule == "builtinkey") {
			lines = append(lines, fmt.Sprintf("only a single package says: %s:%d %s: %s", p.file, d.line(p), p.rule, diag.Message))
		}
		if f := whole[p]; f != nil && len(diag.SuggestedFixes) > 0 && f.Status != rules.Fixable {
			lines = append(lines, fmt.Sprintf("a fix is suggested that is %s for the whole program: %s:%d %s", f.Status, p.file, d.line(p), p.rule))
		}
	}
	for p, f := range whole {
		if _, ok := d.found[p]; !ok && present[p] && complete[p.rule] && !left && !d.throughInterface(f) && !d.variableElsewhere(f) && !d.fieldElsewhere(f) && !d.bodyElsewhere(f) && !f.File.Excluded && !d.broken(f.File) && f.Status != rules.Suppressed && !inDependency(f) {
			lines = append(lines, fmt.Sprintf("only the whole program says: %s:%d %s: %s", p.file, d.line(p), p.rule, f.Message))
		}
	}
	slices.Sort(lines)
	for _, l := range lines {
		d.t.Error(l)
	}
}

// throughInterface reports whether the key is handed to a method of an interface: facts tell of functions, and which one is called
// shows only in the whole program.
func (d *driver) throughInterface(f *rules.Finding) bool {
	for _, p := range d.prog.Configs[0].Packages {
		if !slices.Contains(p.Files, f.File) {
			continue
		}
		for n := range ast.Preorder(f.File.AST) {
			call, ok := n.(*ast.CallExpr)
			if !ok || f.Pos < call.Lparen || f.Pos >= call.Rparen {
				continue
			}
			if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && p.Info.Selections[sel] != nil && types.IsInterface(p.Info.TypeOf(sel.X)) && !isContext(p.Info.TypeOf(sel.X)) {
				return true
			}
		}
	}
	return false
}

// names yields what the names in the place of a finding stand for, with the package.
func (d *driver) names(f *rules.Finding) iter.Seq2[*program.Package, types.Object] {
	return func(yield func(*program.Package, types.Object) bool) {
		for _, p := range d.prog.Configs[0].Packages {
			if !slices.Contains(p.Files, f.File) {
				continue
			}
			for n := range ast.Preorder(f.File.AST) {
				id, ok := n.(*ast.Ident)
				if ok && id.Pos() >= f.Pos && id.Pos() < f.End && p.Info.Uses[id] != nil && !yield(p, p.Info.Uses[id]) {
					return
				}
			}
		}
	}
}

// world reports whether an object is one of a package of the world.
func (d *driver) world(obj types.Object) bool {
	return slices.ContainsFunc(d.prog.Configs[0].Packages, func(p *program.Package) bool {
		return p.World && obj.Pkg() != nil && p.Path == obj.Pkg().Path()
	})
}

// variableElsewhere reports whether the key is a variable of a dependency: export data do not tell what it holds.
func (d *driver) variableElsewhere(f *rules.Finding) bool {
	for _, obj := range d.names(f) {
		if v, ok := obj.(*types.Var); ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() && !d.world(v) {
			return true
		}
	}
	return false
}

// fieldElsewhere reports whether the key is a field of a variable of another package, or the text that such a field gets in a package
// that knows no contexts: facts tell of constants and functions.
func (d *driver) fieldElsewhere(f *rules.Finding) bool {
	if f.Rule != "builtinkey" {
		return false
	}
	for _, p := range d.prog.Configs[0].Packages {
		if slices.Contains(p.Files, f.File) && !slices.ContainsFunc(p.Types.Imports(), func(i *types.Package) bool { return i.Path() == "context" }) {
			return true
		}
	}
	field, elsewhere := false, false
	for p, obj := range d.names(f) {
		if v, ok := obj.(*types.Var); ok {
			field = field || v.IsField()
			elsewhere = elsewhere || v.Pkg() != p.Types
		}
	}
	return field && elsewhere
}

// bodyElsewhere reports whether a call is one of a function of another package of the world: what it does with a context shows in its
// body alone.
func (d *driver) bodyElsewhere(f *rules.Finding) bool {
	if f.Rule != "contextlesscall" {
		return false
	}
	for p, obj := range d.names(f) {
		if fn, ok := obj.(*types.Func); ok && fn.Pkg() != p.Types && d.world(fn) {
			return true
		}
	}
	return false
}

func isContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context"
}

// inDependency reports whether a dependency uses the key: it may have got it in ways that facts do not tell of.
func inDependency(f *rules.Finding) bool {
	return f.Blocker != nil && f.Blocker.Reason == census.ReasonDependency
}

func (d *driver) broken(f *program.File) bool {
	return slices.ContainsFunc(d.prog.Broken, func(b *program.PackageErrors) bool { return strings.TrimSuffix(b.Path, "_test") == f.PkgPath })
}

func (d *driver) line(p place) int {
	for _, f := range d.prog.Files {
		if f.Rel == p.file {
			return f.Tok.PositionFor(f.Tok.Pos(p.offset), false).Line
		}
	}
	return 0
}

// complete are the rules of which one package at a time shows everything.
var complete = map[string]bool{
	"builtinkey": true, "badkey": true, "sharedkey": true, "lostcancel": true, "growingctx": true, "staleparent": true,
	"contextlesscall": true, "requestescape": true, "detachedgo": true, "dynamickey": true,
}
