package analyzers

import (
	"context"
	"go/parser"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A sight is one package with what the rules find in it.
type sight struct {
	opts   *Options
	prog   *program.Program
	census *census.Census
	list   []*rules.Finding
	// fixes are suggested with the findings that are their keys, edits what they change.
	fixes map[*rules.Finding]*plan.Unit
	edits map[*plan.Unit][]patches.Replacement
	// elsewhere tells which of the imported packages use a key, by its name.
	elsewhere map[string][]keyUse
	// keyNames are the names that facts have for keys, by those that findings have.
	keyNames map[string]string
}

// look takes in one package: it passes on facts, and runs the rules.
func look(pass *analysis.Pass, opts *Options) (_ *sight, err error) {
	defer program.Catch(&err)
	s := &sight{opts: opts}
	elsewhere := usesElsewhere(pass)
	if len(pass.Files) == 0 || !reaches(pass.Pkg, "context", map[*types.Package]bool{}) {
		return s, nil
	}
	if opts.FactsOnly && (pass.Module == nil || pass.Module.Version != "") && !concernsKeys(pass) {
		return s, nil // of other people's packages only keys are of interest
	}
	u, err := unit(pass)
	if err != nil {
		return nil, err
	}
	s.prog, s.elsewhere = program.Alone(u), elsewhere
	program.Doing("the census", func() { s.census, err = census.Build(context.Background(), s.prog) })
	if err != nil {
		return nil, err
	}
	s.keyNames = map[string]string{}
	for _, k := range s.census.Keys {
		if k.Basic != nil {
			s.keyNames[k.UnitName()] = keyName(k)
		}
	}
	exportKeys(pass, s.census)
	rp := &rules.Pass{Program: s.prog, Census: s.census, Rules: opts.Running}
	program.Doing("contexts", func() { exportTaken(pass, rp.Supply()) })
	if !opts.FactsOnly {
		s.list = s.find(rp)
	}
	return s, nil
}

// unit describes the package of a pass.
func unit(pass *analysis.Pass) (program.Unit, error) {
	u := program.Unit{
		Fset: pass.Fset, Path: plainPath(pass.Pkg.Path()), Types: pass.Pkg, Info: pass.TypesInfo, Sizes: pass.TypesSizes,
		GoVersion: strings.TrimPrefix(pass.Pkg.GoVersion(), "go"), Known: known(pass),
	}
	for _, file := range pass.Files {
		name := pass.Fset.File(file.FileStart).Name()
		src, err := pass.ReadFile(name)
		if err != nil {
			return u, err
		}
		if u.Dir == "" {
			u.Dir = filepath.Dir(name)
		}
		u.Files = append(u.Files, program.UnitFile{AST: file, Src: src})
	}
	for _, name := range pass.IgnoredFiles {
		src, err := pass.ReadFile(name)
		if err != nil || !strings.HasSuffix(name, ".go") {
			continue
		}
		if file, _ := parser.ParseFile(pass.Fset, name, src, parser.ParseComments|parser.SkipObjectResolution); file != nil {
			u.Ignored = append(u.Ignored, program.UnitFile{AST: file, Src: src})
		}
	}
	if pass.Module != nil {
		u.Module = pass.Module.Path
	}
	return u, nil
}

// plainPath takes off what the go command adds to the paths of packages that it compiles for a test: "p [p.test]".
func plainPath(path string) string {
	path, _, _ = strings.Cut(path, " [")
	return path
}

// reaches reports whether a package is, or imports directly or not, the one with the given path.
func reaches(p *types.Package, path string, seen map[*types.Package]bool) bool {
	if p.Path() == path {
		return true
	}
	if seen[p] {
		return false
	}
	seen[p] = true
	return slices.ContainsFunc(p.Imports(), func(q *types.Package) bool { return reaches(q, path, seen) })
}

// concernsKeys reports whether a package may look something up in a context, or hand a key to a function that does.
func concernsKeys(pass *analysis.Pass) bool {
	forward := known(pass).Forwards
	for _, obj := range pass.TypesInfo.Uses {
		if fn, ok := obj.(*types.Func); ok && (fn.Name() == "Value" || fn.Name() == "WithValue" || forward(fn) != nil) {
			return true
		}
	}
	return false
}

// find runs the rules and keeps what a single package proves and no directive suppresses.
func (s *sight) find(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, r := range s.opts.Running {
		program.Doing("rule "+r.Name, func() {
			for _, f := range r.Run(pass) {
				if r.Alone(pass, f) {
					list = append(list, f)
				}
			}
		})
	}
	rules.Sort(s.prog, list)
	directives := rules.Directives(s.prog)
	for _, f := range list {
		if rules.Suppressing(s.prog, directives, f) != nil {
			f.Status = rules.Suppressed
		}
	}
	s.fixes = s.suggest(list, directives)
	list = slices.DeleteFunc(list, func(f *rules.Finding) bool { return f.Status == rules.Suppressed || f.Left })
	// Whether a directive has nothing left to suppress is for the whole program to say.
	return append(list, rules.CheckDirectives(directives, s.opts.Known, nil)...)
}
