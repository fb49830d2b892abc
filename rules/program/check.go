package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// checkState is what the loader knows about a package beside the exported fields.
type checkState struct {
	// ordinary and tests are the two parts of Files.
	ordinary, tests []*File
	listErrs        []Error
	typeErrs        []Error
	// importErrs says why an import path as written is refused.
	importErrs map[string]string
	goVersion  string
	std        bool
	// needed is set when the package's declarations are checked.
	needed bool
	// index is the position in Config.Packages.
	index int
	// together is set when the test files must be checked along with the ordinary
	// ones, see [chooseTogether].
	together bool
	// shared is set for a package that a [Standard] has.
	shared *sharedPackage
	// checker is kept between the ordinary files and the test files.
	checker *types.Checker
}

// lookup returns the package that an import path as written in p means, or nil.
func (p *Package) lookup(path string) *Package {
	if q := p.Imports[path]; q != nil {
		return q
	}
	return p.TestImports[path]
}

// packageImporter resolves the imports of one package.
type packageImporter struct{ p *Package }

func (im packageImporter) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if msg, ok := im.p.importErrs[path]; ok {
		return nil, errors.New(msg)
	}
	if q := im.p.lookup(path); q != nil {
		return q.Types, nil
	}
	if msg, ok := im.p.Config.missing[path]; ok {
		return nil, errors.New(msg)
	}
	return nil, errors.New("the go command did not list it")
}

// newChecker prepares the type-checking of p.
func (l *loader) newChecker(p *Package) *types.Checker {
	if p.Bodies {
		p.Info = p.newInfo()
	}
	conf := &types.Config{
		Importer:         packageImporter{p},
		GoVersion:        l.languageVersion(p.goVersion),
		FakeImportC:      true,
		IgnoreFuncBodies: !p.Bodies,
		Sizes:            p.Config.sizes,
		Error:            func(err error) { p.addTypeError(err) },
		// Where bodies were blanked, imports seem unused.
		DisableUnusedImportCheck: !p.World,
	}
	return types.NewChecker(conf, l.prog.Fset, p.Types, p.Info)
}

// newInfo makes the tables of what the type checker finds out. Growing them would cost as much
// again as filling them: on average there is so much in a source text of their size.
func (p *Package) newInfo() *types.Info {
	size := 0
	if !p.Partial {
		for _, f := range p.Files {
			size += f.state.size
		}
	}
	return &types.Info{
		Types:        make(map[ast.Expr]types.TypeAndValue, size/16),
		Instances:    map[*ast.Ident]types.Instance{},
		Defs:         make(map[*ast.Ident]types.Object, size/110),
		Uses:         make(map[*ast.Ident]types.Object, size/20),
		Implicits:    map[ast.Node]types.Object{},
		Selections:   make(map[*ast.SelectorExpr]*types.Selection, size/110),
		Scopes:       map[ast.Node]*types.Scope{},
		FileVersions: map[*ast.File]string{},
	}
}

// languageVersion caps a go directive at what this binary's type checker knows:
// a newer one would make it refuse the package instead of checking what it can.
func (l *loader) languageVersion(v string) string {
	if v != "" && newerThanRuntime(v) {
		return ""
	}
	return v
}

// addTypeError records an error of the type checker. Continuation lines, which
// start with a tab, are joined to the error that they explain.
func (p *Package) addTypeError(err error) {
	var te types.Error
	if !errors.As(err, &te) {
		p.typeErrs = append(p.typeErrs, Error{Msg: err.Error()})
		return
	}
	switch {
	case p.Partial && te.Msg == "missing return":
		return // its body was blanked
	case strings.Contains(te.Msg, "invalid type"):
		// Said of what follows from another error, and of what cgo would declare,
		// where nothing is wrong.
		return
	}
	pos := te.Fset.PositionFor(te.Pos, false)
	if more, ok := strings.CutPrefix(te.Msg, "\t"); ok && len(p.typeErrs) > 0 {
		last := &p.typeErrs[len(p.typeErrs)-1]
		pos.Filename = filepath.Base(pos.Filename) // the package's: no machine's paths in what is shown
		last.Msg += fmt.Sprintf("; %s (%s)", more, pos)
		return
	}
	p.typeErrs = append(p.typeErrs, Error{Pos: pos, Msg: te.Msg})
}

// checkFiles type-checks files as (a further) part of p.
func (l *loader) checkFiles(p *Package, files []*File) {
	if p.Types == types.Unsafe {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			buf := make([]byte, 2048)
			buf = buf[:runtime.Stack(buf, false)]
			p.typeErrs = append(p.typeErrs, Error{Pos: token.Position{Filename: p.Dir},
				Msg: fmt.Sprintf("the type checker failed: %v\n%s", r, buf)})
		}
	}()
	if p.checker == nil {
		p.checker = l.newChecker(p)
	}
	_ = p.checker.Files(p.syntax(files)) // errors went to addTypeError
	if p.Name == "" {
		p.Name = p.Types.Name()
	}
}

// checkAll type-checks packages in three phases: ordinary files, in-package test
// files, external test packages. pkgs are in the order of their imports.
func (l *loader) checkAll(ctx context.Context, pkgs []*Package) error {
	var plain, withTests, xtests []*Package
	for _, p := range pkgs {
		switch {
		case p.XTest:
			xtests = append(xtests, p)
		default:
			plain = append(plain, p)
			if p.twoSteps() {
				withTests = append(withTests, p)
			}
		}
	}
	l.expect(len(plain) + len(withTests) + len(xtests))
	countReaders(plain)
	err := runGraph(ctx, l.opts.Jobs, importEdges(plain), func(i int) {
		p := plain[i]
		if p.shared != nil {
			l.done(p.Path)
			return
		}
		if p.twoSteps() {
			l.checkFiles(p, p.ordinary)
		} else {
			l.checkFiles(p, p.Files)
			p.checker = nil
			p.dropSyntax()
		}
		l.done(p.Path)
	})
	if err != nil {
		return err
	}
	err = runGraph(ctx, l.opts.Jobs, testEdges(withTests), func(i int) {
		l.checkFiles(withTests[i], withTests[i].tests)
		withTests[i].checker = nil
		l.done(withTests[i].Path)
	})
	if err != nil {
		return err
	}
	return runGraph(ctx, l.opts.Jobs, make([][]int, len(xtests)), func(i int) {
		l.checkFiles(xtests[i], xtests[i].ordinary)
		xtests[i].checker = nil
		l.done(xtests[i].Path)
	})
}

// countReaders notes for each file of a dependency how many of the packages, in different
// configurations, have yet to be checked: the last one drops the syntax. Together the
// declarations of all dependencies would be a third of what is in memory.
func countReaders(pkgs []*Package) {
	for _, p := range pkgs {
		if p.Bodies || p.shared != nil {
			continue
		}
		for _, f := range p.Files {
			f.state.readers.Add(1)
		}
	}
}

// dropSyntax forgets the syntax of a dependency of which only the declarations
// were wanted, but for files that another configuration has yet to check.
func (p *Package) dropSyntax() {
	if p.Bodies {
		return
	}
	for _, f := range p.Files {
		if f.state.readers.Add(-1) == 0 {
			f.AST = nil
		}
	}
}

// importEdges lists, for each package, the positions of the packages it imports.
func importEdges(pkgs []*Package) [][]int {
	at := make(map[*Package]int, len(pkgs))
	for i, p := range pkgs {
		at[p] = i
	}
	edges := make([][]int, len(pkgs))
	for i, p := range pkgs {
		for _, q := range p.before() {
			if j, ok := at[q]; ok {
				edges[i] = append(edges[i], j)
			}
		}
	}
	return edges
}

// twoSteps reports whether the test files are added in a step of their own.
func (p *Package) twoSteps() bool { return len(p.tests) > 0 && !p.together }

// before returns the packages that must be checked before the first step of p.
func (p *Package) before() []*Package {
	var list []*Package
	for _, path := range sortedKeys(p.Imports) {
		list = append(list, p.Imports[path])
	}
	if p.together {
		for _, path := range sortedKeys(p.TestImports) {
			list = append(list, p.TestImports[path])
		}
	}
	return list
}

// chooseTogether finds the packages whose test files declare methods of generic
// types. The type checker cannot add a method to a generic type that has been
// instantiated, so these files are checked along with the ordinary ones, unless
// what they import depends on the package itself in the same way (two packages
// whose tests import each other).
func chooseTogether(pkgs []*Package) {
	for _, p := range pkgs {
		if !declaresGenericMethods(p.tests) {
			continue
		}
		seen := map[*Package]bool{}
		var reaches func(q *Package) bool
		reaches = func(q *Package) bool {
			if q == p {
				return true
			}
			if seen[q] {
				return false
			}
			seen[q] = true
			return slices.ContainsFunc(q.before(), reaches)
		}
		cyclic := false
		for _, q := range p.TestImports {
			cyclic = cyclic || reaches(q)
		}
		p.together = !cyclic
	}
}

// declaresGenericMethods reports whether a file has a method whose receiver is
// written with type parameters.
func declaresGenericMethods(files []*File) bool {
	for _, f := range files {
		if f.AST == nil {
			continue
		}
		for _, decl := range f.AST.Decls {
			fd, ok := decl.(*ast.FuncDecl)
			if !ok || fd.Recv == nil || len(fd.Recv.List) == 0 {
				continue
			}
			t := ast.Unparen(fd.Recv.List[0].Type)
			if star, ok := t.(*ast.StarExpr); ok {
				t = ast.Unparen(star.X)
			}
			switch t.(type) {
			case *ast.IndexExpr, *ast.IndexListExpr:
				return true
			}
		}
	}
	return false
}

// testEdges orders the adding of test files. Adding them changes the types of a
// package, so nothing that sees that package may be checked at the same time;
// of two packages that see each other, the earlier one goes first.
func testEdges(pkgs []*Package) [][]int {
	at := make(map[*Package]int, len(pkgs))
	for i, p := range pkgs {
		at[p] = i
	}
	edges := make([][]int, len(pkgs))
	for i, p := range pkgs {
		seen := map[*Package]bool{}
		var visit func(q *Package)
		visit = func(q *Package) {
			if seen[q] {
				return
			}
			seen[q] = true
			if j, ok := at[q]; ok && j < i {
				edges[i] = append(edges[i], j)
			} else if ok && j > i {
				edges[j] = append(edges[j], i)
			}
			for _, r := range q.Imports {
				visit(r)
			}
		}
		visit(p)
		for _, q := range p.TestImports {
			visit(q)
		}
	}
	for i := range edges {
		slices.Sort(edges[i])
		edges[i] = slices.Compact(edges[i])
	}
	return edges
}

// runGraph calls run for every node after the nodes it waits for, on several
// goroutines. The graph has no cycle. A panic ends it with an error.
func runGraph(ctx context.Context, jobs int, waitsFor [][]int, run func(i int)) error {
	n := len(waitsFor)
	if n == 0 {
		return ctx.Err()
	}
	waiters := make([][]int, n)
	pending := make([]int, n)
	ready := make(chan int, n)
	for i, deps := range waitsFor {
		pending[i] = len(deps)
		for _, d := range deps {
			waiters[d] = append(waiters[d], i)
		}
		if len(deps) == 0 {
			ready <- i
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make([]error, n)
	var mu sync.Mutex
	left, open := n, len(ready) // open counts nodes that are ready or running
	finish := func(i int) {
		mu.Lock()
		defer mu.Unlock()
		for _, w := range waiters[i] {
			if pending[w]--; pending[w] == 0 {
				ready <- w
				open++
			}
		}
		left--
		if open--; open == 0 {
			close(ready)
		}
	}
	if open == 0 {
		close(ready)
	}
	var wg sync.WaitGroup
	for range min(jobs, n) {
		wg.Go(func() {
			for ctx.Err() == nil {
				select {
				case <-ctx.Done():
				case i, ok := <-ready:
					if !ok {
						return
					}
					if failed[i] = caught(i, run); failed[i] != nil {
						cancel()
						return
					}
					finish(i)
				}
			}
		})
	}
	wg.Wait()
	if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
		return failed[i]
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if left > 0 {
		return fmt.Errorf("internal error: %d packages wait for each other", left)
	}
	return nil
}

// caught runs one node and returns its panic.
func caught(i int, run func(i int)) (err error) {
	defer Catch(&err)
	run(i)
	return nil
}

// each calls run for 0 to n-1 on several goroutines.
func (l *loader) each(ctx context.Context, n int, run func(i int)) error {
	return runGraph(ctx, l.opts.Jobs, make([][]int, n), run)
}

// finishErrors gathers the errors of a package of the world.
func (p *Package) finishErrors() {
	var errs []Error
	parsed := map[string]bool{}
	line := func(e Error) string { return e.Pos.Filename + ":" + strconv.Itoa(e.Pos.Line) }
	for _, f := range p.Files {
		for _, e := range f.state.errs {
			errs = append(errs, e)
			parsed[line(e)] = true
		}
	}
	errs = append(errs, p.typeErrs...)
	for _, e := range p.listErrs {
		if !parsed[line(e)] { // the go command repeats the parser's first error
			errs = append(errs, e)
		}
	}
	p.Errors = sortErrors(errs)
}

// sortErrors orders errors by place and drops repetitions.
func sortErrors(errs []Error) []Error {
	slices.SortStableFunc(errs, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(a.Msg, b.Msg))
	})
	return slices.CompactFunc(errs, func(a, b Error) bool {
		return a.Msg == b.Msg && a.Pos.Filename == b.Pos.Filename && a.Pos.Line == b.Pos.Line && a.Pos.Column == b.Pos.Column
	})
}
