package program

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// fileState is what the loader knows about a file beside its syntax.
type fileState struct {
	// size is the file's length when it was found, base its first position.
	// Bases are given out before parsing, so that positions do not depend on which
	// goroutine parses first.
	size, base int
	// marker holds the range of positions in the file set until the file is parsed.
	marker *token.File
	// readers counts the packages that have yet to check the declarations of a dependency's file.
	readers atomic.Int32
	// mu guards parsing.
	mu   sync.Mutex
	errs []Error
	// lost is what the tokens of a file with syntax errors mention, lostImports its imports. Nobody type-checks them.
	lost        *ast.FuncDecl
	lostImports []*ast.ImportSpec
	// refused says why nothing can be said of a program that has this file.
	refused error
}

// worldMode keeps comments; AllErrors reports more than the first ten.
const (
	worldMode = parser.ParseComments | parser.SkipObjectResolution | parser.AllErrors
	depMode   = parser.SkipObjectResolution
)

// walkWorld finds the Go files of the world's modules.
func (l *loader) walkWorld() error {
	for _, m := range l.prog.Modules {
		if err := l.walkModule(m); err != nil {
			return err
		}
	}
	sort.Slice(l.prog.Files, func(i, j int) bool { return l.prog.Files[i].Name < l.prog.Files[j].Name })
	if len(l.opts.Focus) > 0 {
		return nil // narrow makes them fewer
	}
	l.reserveWorld()
	return nil
}

func (l *loader) reserveWorld() {
	for _, f := range l.prog.Files {
		l.reserve(f)
	}
}

func (l *loader) walkModule(m *Module) error {
	return l.tree.walkDir(m.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("cannot read the module %s: %w", m.Path, err)
		}
		if d.IsDir() {
			if name != m.Dir && (skippedDir(d.Name()) || m.ignores(name) || l.tree.exists(filepath.Join(name, "go.mod"))) {
				return filepath.SkipDir
			}
			return nil
		}
		if goReads[filepath.Ext(name)] && d.Type()&(fs.ModeSymlink|fs.ModeNamedPipe|fs.ModeDevice) != 0 {
			if info, err := os.Stat(name); err == nil && endless(info.Mode()) {
				return waitsFor(name, info.Mode())
			}
		}
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(d.Name(), "_") || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		f, err := l.worldFile(name)
		if f != nil {
			l.prog.Files = append(l.prog.Files, f)
		}
		return err
	})
}

// goReads are the endings of files that the go command opens to see whether they belong to a build.
var goReads = map[string]bool{
	".go": true, ".c": true, ".cc": true, ".cpp": true, ".cxx": true, ".m": true, ".h": true, ".hh": true, ".hpp": true, ".hxx": true,
	".f": true, ".F": true, ".for": true, ".f90": true, ".s": true, ".S": true, ".sx": true, ".swig": true, ".swigcxx": true, ".syso": true,
}

// skippedDir reports whether ./... leaves a directory of that name out.
func skippedDir(base string) bool {
	return base == "testdata" || base == "vendor" || strings.HasPrefix(base, "_") || strings.HasPrefix(base, ".")
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// worldFile returns the entry of a file of the world, nil for what is no
// regular file in the end.
func (l *loader) worldFile(name string) (*File, error) {
	if f := l.files[name]; f != nil {
		return f, nil
	}
	if src := l.opts.Overlay[name]; src != nil {
		return l.newWorldFile(name, 0o644, len(src)), nil
	}
	info, err := os.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read a source file: %w", err)
	}
	symlink := info.Mode()&fs.ModeSymlink != 0
	if symlink {
		if info, err = os.Stat(name); errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("cannot read a source file: %w", err)
		} else if err != nil {
			return nil, nil // dangling: editors leave such locks behind
		}
	}
	if endless(info.Mode()) {
		return nil, waitsFor(name, info.Mode())
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	f := l.newWorldFile(name, info.Mode().Perm(), int(min(info.Size(), maxSource)))
	f.Symlink = symlink
	return f, nil
}

func (l *loader) newWorldFile(name string, mode fs.FileMode, size int) *File {
	f := &File{
		Name: name, Rel: l.rel(name), PkgDir: filepath.Dir(name), World: true,
		Test: strings.HasSuffix(name, "_test.go"), Mode: mode,
		state: &fileState{size: size},
	}
	f.PkgPath = l.prog.PathOf(f.PkgDir)
	l.files[name] = f
	return f
}

// rel names a file relative to the directory worked in.
func (l *loader) rel(name string) string {
	rel, err := filepath.Rel(l.prog.Dir, name)
	if err != nil {
		return filepath.ToSlash(name)
	}
	return filepath.ToSlash(rel)
}

// depFile returns the entry of a dependency's file.
func (l *loader) depFile(name string) *File {
	if f := l.files[name]; f != nil {
		return f
	}
	f := &File{Name: name, Rel: l.rel(name), PkgDir: filepath.Dir(name), Vendored: l.vendored(name), state: &fileState{}}
	l.files[name] = f
	return f
}

// vendored reports whether a file lies in a vendor directory of the world.
func (l *loader) vendored(name string) bool {
	roots := []string{filepath.Dir(l.prog.Workspace)}
	if l.prog.Workspace == "" {
		roots = nil
	}
	for _, m := range l.prog.Modules {
		roots = append(roots, m.Dir)
	}
	for _, root := range roots {
		if within(root, name) && strings.Contains(filepath.ToSlash(name[len(root):]), "/vendor/") {
			return true
		}
	}
	return false
}

// reserve gives the file its range of positions.
func (l *loader) reserve(f *File) {
	f.state.marker = l.prog.Fset.AddFile(f.Name, -1, f.state.size)
	f.state.base = f.state.marker.Base()
}

// parseWorld reads and parses a file of the world once.
func (l *loader) parseWorld(f *File) {
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	if f.AST != nil {
		return
	}
	src, err := l.tree.read(f.Name)
	if errors.Is(err, errTooLarge) {
		f.state.refused = err
	}
	if err == nil && len(src) > f.state.size {
		err = errors.New("it grew while it was read; run ctxmend again")
	}
	if err == nil && (bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff"))) {
		err = errors.New("it is UTF-16, and Go files are UTF-8")
	}
	if err != nil {
		// What it holds may be what keeps a change from being whole.
		if f.state.refused == nil {
			var path *fs.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			f.state.refused = fmt.Errorf("cannot read %s: %w", f.Rel, err)
		}
		return
	}
	f.Src = src
	Doing("reading "+f.Rel, func() {
		f.AST, f.Tok, f.state.errs = parseAt(f.Name, src, f.state.base, worldMode)
		l.register(f)
		f.describe()
		f.Generated = f.Generated || l.opts.Hints.Generated != nil && l.opts.Hints.Generated(f.Name)
		f.state.refused = tooDeep(f)
		if len(f.state.errs) > 0 && f.state.refused == nil {
			if f.state.lost, f.state.lostImports = lost(src, f.state.base); f.state.lost == nil {
				f.state.refused = fmt.Errorf("%s has syntax errors, and too much text to tell what it mentions", f.Rel)
			}
		}
	})
}

// sources holds buffers for the sources of dependencies, none of which is kept.
var sources = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// withSource calls use with the content of a file of a dependency, which use may change
// and must not keep. It does not call use for a file that cannot be read.
func (l *loader) withSource(name string, use func(src []byte)) {
	buf := sources.Get().(*bytes.Buffer)
	defer sources.Put(buf)
	if l.tree.readInto(buf, name) == nil {
		use(buf.Bytes())
	}
}

// describe sets what the syntax tells about a file.
func (f *File) describe() {
	f.XTest = f.Test && strings.HasSuffix(f.AST.Name.Name, "_test")
	f.Generated = ast.IsGenerated(f.AST)
	for _, spec := range f.AST.Imports {
		if spec.Path.Value == `"C"` {
			f.Cgo = true
		}
	}
}

// register makes the file findable by position.
func (l *loader) register(f *File) {
	l.prog.Fset.RemoveFile(f.state.marker)
	f.state.marker = nil
	l.prog.Fset.AddExistingFiles(f.Tok)
	l.byTok.Store(f.Tok, f)
}

// parseAt parses src so that its first position is base. The tree is never nil.
func parseAt(name string, src []byte, base int, mode parser.Mode) (*ast.File, *token.File, []Error) {
	fset := token.NewFileSet()
	if base > 1 {
		fset.AddFile("", 1, base-2)
	}
	file, err := parser.ParseFile(fset, name, src, mode)
	tok := fset.File(token.Pos(base))
	return file, tok, parseErrors(name, tok, err)
}

// parseErrors converts the parser's errors, giving them unadjusted positions.
func parseErrors(name string, tok *token.File, err error) []Error {
	if err == nil {
		return nil
	}
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return []Error{{Pos: token.Position{Filename: name}, Msg: err.Error()}}
	}
	var errs []Error
	for _, e := range list {
		pos := token.Position{Filename: name}
		if e.Pos.Offset <= tok.Size() {
			pos = tok.PositionFor(tok.Pos(e.Pos.Offset), false)
		}
		errs = append(errs, Error{Pos: pos, Msg: e.Msg})
	}
	return errs
}

// FileOf returns the file that a position lies in, or nil.
func (p *Program) FileOf(pos token.Pos) *File {
	if !pos.IsValid() {
		return nil
	}
	tok := p.Fset.File(pos)
	if tok == nil {
		return nil
	}
	if f, ok := p.loader.byTok.Load(tok); ok {
		return f.(*File)
	}
	return nil
}

// FileNamed returns the file of the world or of a dependency with the given
// absolute name, or nil.
func (p *Program) FileNamed(abs string) *File { return p.loader.files[abs] }
