package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
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
		p.Info = &types.Info{
			Types:        map[ast.Expr]types.TypeAndValue{},
			Instances:    map[*ast.Ident]types.Instance{},
			Defs:         map[*ast.Ident]types.Object{},
			Uses:         map[*ast.Ident]types.Object{},
			Implicits:    map[ast.Node]types.Object{},
			Selections:   map[*ast.SelectorExpr]*types.Selection{},
			Scopes:       map[ast.Node]*types.Scope{},
			FileVersions: map[*ast.File]string{},
		}
	}
	conf := &types.Config{
		Importer:         packageImporter{p},
		GoVersion:        l.languageVersion(p.goVersion),
		FakeImportC:      true,
		IgnoreFuncBodies: !p.Bodies,
		Sizes:            p.Config.sizes,
		Error:            func(err error) { p.addTypeError(err) },
	}
	return types.NewChecker(conf, l.prog.Fset, p.Types, p.Info)
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
	pos := te.Fset.PositionFor(te.Pos, false)
	if more, ok := strings.CutPrefix(te.Msg, "\t"); ok && len(p.typeErrs) > 0 {
		last := &p.typeErrs[len(p.typeErrs)-1]
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
	asts := make([]*ast.File, 0, len(files))
	for _, f := range files {
		if f.AST != nil && f.AST.Name != nil && f.AST.Name.Name != "" {
			asts = append(asts, f.AST)
		}
	}
	_ = p.checker.Files(asts) // errors went to addTypeError
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
			if len(p.tests) > 0 {
				withTests = append(withTests, p)
			}
		}
	}
	l.expect(len(plain) + len(withTests) + len(xtests))
	err := runGraph(ctx, l.opts.Jobs, importEdges(plain), func(i int) {
		l.checkFiles(plain[i], plain[i].ordinary)
		if len(plain[i].tests) == 0 {
			plain[i].checker = nil
		}
		l.done(plain[i].Path)
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

// importEdges lists, for each package, the positions of the packages it imports.
func importEdges(pkgs []*Package) [][]int {
	at := make(map[*Package]int, len(pkgs))
	for i, p := range pkgs {
		at[p] = i
	}
	edges := make([][]int, len(pkgs))
	for i, p := range pkgs {
		for _, q := range p.Imports {
			if j, ok := at[q]; ok {
				edges[i] = append(edges[i], j)
			}
		}
	}
	return edges
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
// goroutines. The graph has no cycle.
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
	var mu sync.Mutex
	left := n
	finish := func(i int) {
		mu.Lock()
		defer mu.Unlock()
		for _, w := range waiters[i] {
			if pending[w]--; pending[w] == 0 {
				ready <- w
			}
		}
		if left--; left == 0 {
			close(ready)
		}
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
					run(i)
					finish(i)
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
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
