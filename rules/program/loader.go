package program

import (
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/build"
	"go/token"
	"go/types"
	"go/version"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// A loader holds what is needed to load a program and, later, to check parts of
// it again.
type loader struct {
	opts Options
	tool goTool
	tree tree
	env  goEnv
	prog *Program

	files map[string]*File
	// focus holds the directories of the world's packages, nil when they all belong to it.
	focus map[string]bool
	byTok sync.Map // *token.File -> *File
	match []pattern

	// later guards what is added to the program after Load.
	later sync.Mutex
	// reloaded holds packages that LoadBodies has checked.
	reloaded map[*Package]*Package
	// whole holds dependency files parsed again with function bodies, by name.
	whole map[string]*File
	// extra holds packages that were loaded after the program, by path.
	extra map[*Config]map[string]*Package
	// checked holds the files that Recheck has parsed last, by name.
	checked map[string]*File

	progress         sync.Mutex
	doneCount, total int
}

func newLoader(opts Options) *loader {
	l := &loader{
		opts:     opts,
		tool:     goTool{dir: opts.Dir, env: opts.Env, trace: opts.Trace},
		tree:     newTree(opts.Overlay, opts.Trace),
		files:    map[string]*File{},
		reloaded: map[*Package]*Package{},
		whole:    map[string]*File{},
		extra:    map[*Config]map[string]*Package{},
		checked:  map[string]*File{},
	}
	l.prog = &Program{Fset: token.NewFileSet(), Dir: cmp.Or(opts.Base, opts.Dir), Hints: opts.Hints, loader: l}
	if opts.Standard != nil {
		l.prog.Fset.AddFile("", ownPositions, 0)
	}
	return l
}

// load is the whole of Load.
func (l *loader) load(ctx context.Context) (err error) {
	if err := CheckModuleFiles(l.opts.Dir); err != nil {
		return err
	}
	if l.env, err = l.tool.goEnv(ctx, nil); err != nil {
		return err
	}
	l.opts.Trace.keep(l.env)
	l.seeModuleFiles()
	overlay, remove, err := overlayFiles(l.opts.Overlay)
	if err != nil {
		return err
	}
	defer remove()
	l.tool.overlay = overlay
	defer func() { l.tool.overlay = "" }()
	if err := l.findModules(ctx); err != nil {
		return err
	}
	l.makeConfigs()
	if err := l.walkWorld(); err != nil {
		return err
	}
	listed, err := l.listAndParse(ctx)
	if err != nil {
		return err
	}
	for i, c := range l.prog.Configs {
		l.buildConfig(c, listed[i])
	}
	l.share()
	if err := l.checkConfigs(ctx); err != nil {
		return err
	}
	l.finish()
	return l.selectPatterns()
}

// makeConfigs makes one configuration per platform asked for.
func (l *loader) makeConfigs() {
	platforms := l.opts.Platforms
	if len(platforms) == 0 {
		platforms = []Platform{{l.env.GOOS, l.env.GOARCH}}
	}
	seen := map[Platform]bool{}
	for _, p := range platforms {
		if seen[p] {
			continue
		}
		seen[p] = true
		sizes := types.SizesFor("gc", p.GOARCH)
		if sizes == nil {
			sizes = types.SizesFor("gc", "amd64")
		}
		l.prog.Configs = append(l.prog.Configs, &Config{
			GOOS: p.GOOS, GOARCH: p.GOARCH, sizes: sizes, byPath: map[string]*Package{},
			env: []string{"GOOS=" + p.GOOS, "GOARCH=" + p.GOARCH},
		})
	}
}

// describeBuild fills in what decides about files: tags and the build context.
func (l *loader) describeBuild(ctx context.Context, c *Config) error {
	if !l.knownPlatform(c.GOOS, c.GOARCH) {
		return fmt.Errorf("unknown platform %s/%s: `go tool dist list` prints those that Go supports", c.GOOS, c.GOARCH)
	}
	env := l.env
	if c.GOOS != env.GOOS || c.GOARCH != env.GOARCH {
		var err error
		if env, err = l.tool.goEnv(ctx, c.env); err != nil {
			return err
		}
	}
	c.Tags = l.opts.Tags
	if c.Tags == nil {
		c.Tags = flagTags(env.GOFLAGS)
	}
	b := build.Default
	b.GOOS, b.GOARCH, b.BuildTags = c.GOOS, c.GOARCH, c.Tags
	b.CgoEnabled = env.CGO_ENABLED == "1"
	b.ReleaseTags = releaseTags(env.GOVERSION, b.ReleaseTags)
	c.build = &b
	return nil
}

// knownPlatform reports whether Go was ported to an operating system and an
// architecture. go list does not complain about names that it does not know.
func (l *loader) knownPlatform(goos, goarch string) bool {
	src := filepath.Join(l.env.GOROOT, "src", "internal")
	return exists(filepath.Join(src, "goos", "zgoos_"+goos+".go")) &&
		exists(filepath.Join(src, "goarch", "zgoarch_"+goarch+".go"))
}

// flagTags returns the tags that a GOFLAGS value names.
func flagTags(flags string) []string {
	v, _ := goFlag(flags, "tags")
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
}

// goFlag returns the value that a GOFLAGS value gives to a flag; the last one counts. A whole word may be quoted.
func goFlag(flags, name string) (value string, ok bool) {
	for {
		flags = strings.TrimLeft(flags, " \t\r\n")
		if flags == "" {
			return value, ok
		}
		end, word := strings.IndexAny(flags, " \t\r\n"), ""
		if quote := flags[0]; quote == '"' || quote == '\'' {
			flags = flags[1:]
			end = strings.IndexByte(flags, quote)
		}
		if end < 0 {
			word, flags = flags, ""
		} else {
			word, flags = flags[:end], flags[end+1:]
		}
		word = strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-")
		if v, found := strings.CutPrefix(word, name+"="); found {
			value, ok = v, true
		}
	}
}

// releaseTags returns go1.1 up to the version of the go command in use, which
// need not be the one this binary was built with.
func releaseTags(goversion string, builtin []string) []string {
	minor, ok := strings.CutPrefix(version.Lang(goversion), "go1.")
	n, err := strconv.Atoi(minor)
	if !ok || err != nil {
		return builtin
	}
	tags := make([]string, n)
	for i := range tags {
		tags[i] = "go1." + strconv.Itoa(i+1)
	}
	return tags
}

// newerThanRuntime reports whether v is a language version that the type checker
// in this binary does not know.
func newerThanRuntime(v string) bool {
	own := version.Lang(strings.Fields(runtime.Version())[0])
	return own != "" && version.Compare(version.Lang(v), own) > 0
}

// listAndParse runs go list for every configuration while the world's files are parsed.
func (l *loader) listAndParse(ctx context.Context) ([][]*listedPackage, error) {
	var listed [][]*listedPackage
	if len(l.opts.Focus) > 0 {
		var err error
		if listed, err = l.listConfigs(ctx); err == nil {
			err = l.narrow(ctx, listed)
		}
		if err != nil {
			return nil, err
		}
		return listed, l.each(ctx, len(l.prog.Files), func(i int) { l.parseWorld(l.prog.Files[i]) })
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		defer Catch(&err)
		listed, err = l.listConfigs(gctx)
		return err
	})
	files := l.prog.Files
	g.Go(func() error {
		return l.each(gctx, len(files), func(i int) { l.parseWorld(files[i]) })
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := f.state.refused; err != nil {
			return nil, fmt.Errorf("%w\n   go.mod can ignore its directory, if it is not part of the program", err)
		}
	}
	return listed, nil
}

// checkConfigs parses what is needed of the dependencies and type-checks everything.
func (l *loader) checkConfigs(ctx context.Context) error {
	var all []*Package
	for _, c := range l.prog.Configs {
		all = append(all, c.Packages...)
	}
	if err := l.scanDependencies(ctx, all); err != nil {
		return err
	}
	var roots []*Package
	for _, p := range all {
		if p.World || p.Bodies {
			roots = append(roots, p)
		}
	}
	if _, err := l.parseNeeded(ctx, roots); err != nil {
		return err
	}
	var needed []*Package
	for _, p := range all {
		if p.needed {
			needed = append(needed, p)
		}
	}
	return l.checkAll(ctx, needed)
}

// scanDependencies gives every file of a dependency its positions, and finds the
// packages whose function bodies matter: those that mention context values in
// any configuration.
func (l *loader) scanDependencies(ctx context.Context, pkgs []*Package) error {
	byDir := map[string][]*Package{}
	for _, p := range pkgs {
		switch {
		case p.shared != nil:
			p.Bodies = p.shared.Bodies
		case !p.World:
			byDir[p.Dir] = append(byDir[p.Dir], p)
		}
	}
	dirs := sortedKeys(byDir)
	files := make([][]*File, len(dirs))
	for i, dir := range dirs {
		files[i] = uniqueFiles(byDir[dir])
	}
	err := l.each(ctx, len(dirs), func(i int) {
		first, verdict := byDir[dirs[i]][0], noBodies
		if first.std && standardBodies(first) {
			verdict = allBodies
		}
		for _, f := range files[i] {
			if first.std {
				f.state.size, f.Mode = sizeOf(f.Name)
				continue
			}
			l.withSource(f.Name, func(src []byte) {
				f.state.size = len(src)
				verdict = max(verdict, interestOf(src))
			})
		}
		for _, p := range byDir[dirs[i]] {
			p.Bodies, p.Partial = verdict > noBodies, verdict == someBodies
		}
	})
	for _, fs := range files {
		for _, f := range fs {
			l.reserve(f)
		}
	}
	for _, p := range pkgs {
		p.Bodies = p.Bodies || p.World
	}
	return err
}

// uniqueFiles returns the files of packages that share a directory, by name.
func uniqueFiles(pkgs []*Package) []*File {
	var files []*File
	for _, p := range pkgs {
		files = append(files, p.Files...)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	return slices.Compact(files)
}

// parseNeeded parses the given packages and, of what they import, all that their
// declarations refer to. Most of the standard library is only used inside of
// function bodies that are not checked, and is left out. It returns all packages
// that it parsed.
func (l *loader) parseNeeded(ctx context.Context, wave []*Package) ([]*Package, error) {
	var all []*Package
	for len(wave) > 0 {
		all = append(all, wave...)
		for _, p := range wave {
			p.needed = true
		}
		imports := make([][]*Package, len(wave))
		err := l.each(ctx, len(wave), func(i int) {
			if wave[i].shared != nil {
				imports[i] = l.adopt(wave[i])
				return
			}
			for _, f := range wave[i].Files {
				if wave[i].World {
					l.parseWorld(f)
				} else {
					l.parseDep(f, wave[i])
				}
			}
			imports[i] = wave[i].neededImports()
		})
		if err != nil {
			return nil, err
		}
		var next []*Package
		for _, list := range imports {
			for _, q := range list {
				if !q.needed {
					q.needed = true
					next = append(next, q)
				}
			}
		}
		wave = next
	}
	return all, nil
}

// syntax returns what is to be type-checked of some files of p.
func (p *Package) syntax(files []*File) []*ast.File {
	asts := make([]*ast.File, 0, len(files))
	for _, f := range files {
		if f.AST != nil && f.AST.Name != nil && f.AST.Name.Name != "" {
			asts = append(asts, f.parsed())
		}
	}
	if !p.Bodies {
		asts = visible(asts)
	}
	return asts
}

// neededImports returns the packages that must be checked before p.
func (p *Package) neededImports() []*Package {
	var list []*Package
	if p.Bodies {
		for _, m := range []map[string]*Package{p.Imports, p.TestImports} {
			for _, path := range sortedKeys(m) {
				list = append(list, m[path])
			}
		}
		return list
	}
	for _, file := range p.syntax(p.Files) {
		used := qualifiers(file)
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			q := p.Imports[path]
			if err != nil || q == nil {
				continue
			}
			name := q.Name
			if spec.Name != nil {
				name = spec.Name.Name
			}
			if name == "." || name == "" || used[name] {
				list = append(list, q)
			}
		}
	}
	return list
}

// qualifiers returns the names in front of a dot outside of function bodies.
func qualifiers(file *ast.File) map[string]bool {
	used := map[string]bool{}
	for _, decl := range file.Decls {
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if id, ok := n.X.(*ast.Ident); ok {
					used[id.Name] = true
				}
			case *ast.BlockStmt:
				return false
			}
			return true
		})
	}
	return used
}

// parseDep reads and parses a file of a dependency unless its syntax is at hand.
// Where function bodies of its package are not wanted they are blanked first, which
// leaves all positions as they are. Syntax that was dropped comes back at its old
// positions.
func (l *loader) parseDep(f *File, p *Package) {
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	if f.AST != nil {
		return
	}
	file, tok := l.declarations(f, p)
	if f.AST = file; f.Tok == nil && tok != nil {
		f.Tok = tok
		l.register(f)
	}
}

// declarations parses a file of a dependency at its positions.
func (l *loader) declarations(f *File, p *Package) (file *ast.File, tok *token.File) {
	l.withSource(f.Name, func(src []byte) {
		if len(src) > f.state.size {
			return
		}
		switch {
		case !p.Bodies:
			blankBodies(src)
		case p.Partial:
			blankOtherBodies(src)
		}
		file, tok, _ = parseAt(f.Name, src, f.state.base, depMode)
		if !p.Bodies {
			pruneValues(file)
		}
	})
	return file, tok
}

// finish drops what is no longer used and fills in the summaries.
func (l *loader) finish() {
	p := l.prog
	sort.Slice(p.Files, func(i, j int) bool { return p.Files[i].Name < p.Files[j].Name })
	contained := map[*File]bool{}
	for _, c := range p.Configs {
		for _, pkg := range c.Packages {
			if pkg.World {
				pkg.finishErrors()
			}
			for _, f := range pkg.Files {
				contained[f] = true
			}
		}
	}
	for _, f := range p.Files {
		f.addLost()
		if !contained[f] {
			f.Excluded = true
			f.Constraint = l.whyExcluded(f)
		}
	}
	p.Broken = broken(p.Configs)
}

// broken gathers the errors of the world's packages over all configurations.
func broken(configs []*Config) []*PackageErrors {
	byPath := map[string][]Error{}
	for _, c := range configs {
		for _, p := range c.Packages {
			if len(p.Errors) > 0 {
				byPath[p.Path] = append(byPath[p.Path], p.Errors...)
			}
		}
	}
	var list []*PackageErrors
	for _, path := range sortedKeys(byPath) {
		list = append(list, &PackageErrors{Path: path, Errors: sortErrors(byPath[path])})
	}
	return list
}

// expect announces n more packages to check.
func (l *loader) expect(n int) {
	l.progress.Lock()
	l.total += n
	l.progress.Unlock()
}

// done reports one package as checked.
func (l *loader) done(path string) {
	if l.opts.Progress == nil {
		return
	}
	l.progress.Lock()
	defer l.progress.Unlock()
	l.doneCount++
	l.opts.Progress(l.doneCount, l.total, path)
}
