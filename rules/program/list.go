package program

import (
	"context"
	"fmt"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// listConfigs asks the go command for the packages of every configuration.
func (l *loader) listConfigs(ctx context.Context) ([][]*listedPackage, error) {
	patterns := make([]string, 0, len(l.prog.Modules))
	for _, m := range l.prog.Modules {
		patterns = append(patterns, filepath.Join(m.Dir, "..."))
	}
	listed := make([][]*listedPackage, len(l.prog.Configs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.opts.Jobs)
	for i, c := range l.prog.Configs {
		g.Go(func() (err error) {
			defer Catch(&err)
			if err := l.describeBuild(ctx, c); err != nil {
				return err
			}
			listed[i], err = l.tool.packages(ctx, c, l.opts.Tags, l.opts.Tests, patterns)
			return err
		})
	}
	return listed, g.Wait()
}

// A lister turns what go list printed for one configuration into packages.
type lister struct {
	l     *loader
	c     *Config
	plain map[string]*listedPackage
	// errs holds errors by package path, those of test variants included.
	errs map[string][]Error
	// missing says why an import path has no package.
	missing map[string]string
}

// buildConfig fills in c.Packages, with imports resolved and dependencies first.
func (l *loader) buildConfig(c *Config, listed []*listedPackage) {
	li := &lister{l: l, c: c, plain: map[string]*listedPackage{}, errs: map[string][]Error{}, missing: map[string]string{}}
	li.merge(listed)
	paths := sortedKeys(li.plain)
	var all, xtests []*Package
	for _, path := range paths {
		p, x := li.packagesOf(li.plain[path])
		if p != nil {
			c.byPath[p.Path] = p
			all = append(all, p)
		}
		if x != nil {
			xtests = append(xtests, x)
		}
	}
	for _, x := range xtests {
		if c.byPath[x.Path] == nil {
			c.byPath[x.Path] = x
		}
	}
	for _, p := range all {
		lp := li.plain[p.Path]
		p.Imports = li.resolve(lp, lp.Imports)
		if len(p.tests) > 0 {
			p.TestImports = li.resolve(lp, lp.TestImports)
		}
	}
	for _, x := range xtests {
		lp := li.plain[strings.TrimSuffix(x.Path, "_test")]
		x.Imports = li.resolve(lp, lp.XTestImports)
	}
	c.missing = li.missing
	chooseTogether(all)
	c.Packages = append(sortByImports(all), xtests...)
	for i, p := range c.Packages {
		p.index = i
	}
}

// merge reduces the variants that go list -test prints to one entry per package.
// A variant only adds errors and import mappings; it stands for the package when
// the package itself was not listed (a dependency that imports the world back).
func (li *lister) merge(listed []*listedPackage) {
	var variants []*listedPackage
	for _, lp := range listed {
		switch {
		case isTestMain(lp):
			li.addError(strings.TrimSuffix(lp.ImportPath, ".test"), lp)
		case strings.Contains(lp.ImportPath, " ["):
			variants = append(variants, lp)
		default:
			li.plain[lp.ImportPath] = lp
			li.addError(lp.ImportPath, lp)
		}
	}
	for _, lp := range variants {
		lp.ImportPath = stripVariant(lp.ImportPath)
		li.addError(lp.ImportPath, lp)
		target := lp.ImportPath
		if lp.ForTest+"_test" == target && li.plain[lp.ForTest] != nil && li.plain[lp.ForTest].Dir == lp.Dir {
			target = lp.ForTest
		}
		have := li.plain[target]
		if have == nil {
			li.plain[target] = lp
			continue
		}
		for from, to := range lp.ImportMap {
			if to = stripVariant(to); from != to {
				if have.ImportMap == nil {
					have.ImportMap = map[string]string{}
				}
				have.ImportMap[from] = to
			}
		}
	}
}

// isTestMain recognises the main package generated for a test binary.
func isTestMain(lp *listedPackage) bool {
	if lp.Name != "main" || !strings.HasSuffix(lp.ImportPath, ".test") {
		return false
	}
	// Its source lies in the build cache; where it could not be made, it has none.
	return len(lp.GoFiles) == 0 || filepath.IsAbs(lp.GoFiles[0]) || lp.GoFiles[0] == "_testmain.go"
}

// stripVariant removes the " [p.test]" of a test variant.
func stripVariant(path string) string {
	path, _, _ = strings.Cut(path, " [")
	return path
}

// addError records the error go list reports for a package.
func (li *lister) addError(path string, lp *listedPackage) {
	if lp.Error == nil {
		return
	}
	e := Error{Pos: li.l.position(lp.Error.Pos), Msg: strings.TrimSpace(lp.Error.Err)}
	if !slices.Contains(li.errs[path], e) {
		li.errs[path] = append(li.errs[path], e)
	}
}

// position parses "file:line:column", the file relative to the directory worked in.
func (l *loader) position(s string) token.Position {
	var pos token.Position
	rest := s
	var numbers []int
	for len(numbers) < 2 {
		i := strings.LastIndexByte(rest, ':')
		if i < 0 {
			break
		}
		n, err := strconv.Atoi(rest[i+1:])
		if err != nil {
			break
		}
		numbers = append(numbers, n)
		rest = rest[:i]
	}
	switch len(numbers) {
	case 0:
		return pos
	case 1:
		pos.Line = numbers[0]
	case 2:
		pos.Line, pos.Column = numbers[1], numbers[0]
	}
	if rest != "" && !filepath.IsAbs(rest) {
		rest = filepath.Join(l.opts.Dir, rest)
	}
	pos.Filename = rest
	return pos
}

// packagesOf makes the package of a directory and its external test package.
func (li *lister) packagesOf(lp *listedPackage) (p, x *Package) {
	if lp.Dir == "" {
		li.missing[lp.ImportPath] = li.why(lp.ImportPath)
		return nil, nil
	}
	base := Package{Path: lp.ImportPath, Name: lp.Name, Dir: lp.Dir, Config: li.c}
	base.std = lp.Standard
	base.goVersion = lp.goVersion()
	if m := li.l.prog.ModuleOf(lp.Dir); m != nil && (li.l.focus == nil || li.l.focus[lp.Dir]) && !li.l.vendored(filepath.Join(lp.Dir, "x.go")) &&
		(lp.Module == nil && lp.Standard || lp.Module != nil && lp.Module.Main && lp.Module.Path == m.Path) {
		base.World, base.Module = true, m
	} else if lp.Module != nil {
		base.DepModule = lp.Module.Path
	}
	ordinary := slices.Concat(lp.GoFiles, lp.CgoFiles)
	var tests, xtests []string
	if base.World && li.l.opts.Tests {
		tests, xtests = lp.TestGoFiles, lp.XTestGoFiles
	}
	for _, name := range lp.InvalidGoFiles {
		if strings.HasSuffix(name, "_test.go") {
			if li.l.opts.Tests && base.World && !slices.Contains(lp.TestGoFiles, name) && !slices.Contains(lp.XTestGoFiles, name) {
				tests = append(slices.Clone(tests), name)
			}
		} else if !slices.Contains(ordinary, name) {
			ordinary = append(ordinary, name)
		}
	}
	cgo := map[string]bool{}
	for _, name := range lp.CgoFiles {
		cgo[name] = true
	}
	if len(ordinary)+len(tests)+len(xtests) == 0 {
		li.missing[lp.ImportPath] = li.why(lp.ImportPath)
		return nil, nil
	}
	if len(ordinary)+len(tests) > 0 {
		p = new(Package)
		*p = base
		p.ordinary = li.filesOf(p, ordinary, cgo)
		p.tests = li.filesOf(p, tests, nil)
		p.Files = slices.Concat(p.ordinary, p.tests)
		p.listErrs = li.errs[p.Path]
		p.Types = types.NewPackage(p.Path, p.Name)
		if p.std && p.Path == "unsafe" {
			p.Types = types.Unsafe
		}
	} else {
		li.missing[lp.ImportPath] = "it has only external test files"
	}
	if len(xtests) > 0 {
		x = new(Package)
		*x = base
		x.Path, x.Name, x.XTest = base.Path+"_test", base.Name+"_test", true
		x.ordinary = li.filesOf(x, xtests, nil)
		x.Files = x.ordinary
		x.listErrs = li.errs[x.Path]
		if p == nil {
			x.listErrs = slices.Concat(li.errs[base.Path], x.listErrs)
		}
		x.Types = types.NewPackage(x.Path, "")
	}
	return p, x
}

// goVersion is the language version the compiler would be told.
func (lp *listedPackage) goVersion() string {
	switch {
	case lp.Standard || lp.Module == nil:
		return ""
	case lp.Module.GoVersion == "":
		return "go1.16" // what the go command assumes without a go directive
	}
	return "go" + lp.Module.GoVersion
}

// why says why a listed package cannot be imported.
func (li *lister) why(path string) string {
	if errs := li.errs[path]; len(errs) > 0 {
		return errs[0].Msg
	}
	return "it has no Go files for this configuration"
}

// filesOf returns the files of a package, sorted by name.
func (li *lister) filesOf(p *Package, names []string, cgo map[string]bool) []*File {
	sort.Strings(names)
	files := make([]*File, 0, len(names))
	for _, name := range slices.Compact(names) {
		full := name
		if !filepath.IsAbs(name) {
			full = filepath.Join(p.Dir, name)
		}
		var f *File
		if p.World {
			var err error
			if f, err = li.l.worldFile(full); err != nil || f == nil {
				p.listErrs = append(p.listErrs, Error{Pos: token.Position{Filename: full}, Msg: fmt.Sprintf("cannot read %s", full)})
				continue
			}
			if f.state.base == 0 { // in a directory that ./... leaves out, yet imported
				li.l.reserve(f)
				li.l.prog.Files = append(li.l.prog.Files, f)
			}
		} else {
			f = li.l.depFile(full)
			f.Cgo = cgo[name]
		}
		f.PkgPath = strings.TrimSuffix(p.Path, "_test")
		if !p.XTest {
			f.PkgPath = p.Path
		}
		files = append(files, f)
	}
	return files
}

// resolve maps import paths as written to packages.
func (li *lister) resolve(lp *listedPackage, paths []string) map[string]*Package {
	written := map[string]string{}
	for from, to := range lp.ImportMap {
		written[stripVariant(to)] = from
	}
	m := make(map[string]*Package, len(paths))
	for _, path := range paths {
		path = stripVariant(path)
		from, to := path, path
		if w, ok := written[path]; ok {
			from = w
		} else if t, ok := lp.ImportMap[path]; ok {
			to = stripVariant(t)
		}
		if q := li.l.packageNamed(li.c, to); q != nil {
			m[from] = q
		}
	}
	return m
}

// sortByImports orders packages so that imports come first, by path otherwise.
// An import that would close a cycle is taken out and noted as an error.
func sortByImports(pkgs []*Package) []*Package {
	const visiting, done = 1, 2
	state := make(map[*Package]int, len(pkgs))
	order := make([]*Package, 0, len(pkgs))
	var visit func(p *Package)
	visit = func(p *Package) {
		state[p] = visiting
		for _, path := range sortedKeys(p.Imports) {
			q := p.Imports[path]
			switch state[q] {
			case 0:
				visit(q)
			case visiting:
				delete(p.Imports, path)
				p.refuse(path, "import cycle not allowed")
			}
		}
		if p.together {
			for _, path := range sortedKeys(p.TestImports) {
				if q := p.TestImports[path]; state[q] == 0 {
					visit(q)
				}
			}
		}
		state[p] = done
		order = append(order, p)
	}
	for _, p := range pkgs {
		if state[p] == 0 {
			visit(p)
		}
	}
	return order
}

// refuse makes an import path of p an error.
func (p *Package) refuse(path, why string) {
	if p.importErrs == nil {
		p.importErrs = map[string]string{}
	}
	p.importErrs[path] = why
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
