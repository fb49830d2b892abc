package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
	"unicode"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// names knows which identifiers are taken in which package and hands out free ones.
type names struct {
	prog  *program.Program
	taken map[string]map[string]bool // package directory -> name
	// external are the names taken in external test packages, by directory, handed those that were given out for a directory: the
	// names of a package are none of its external test's.
	external map[string]map[string]bool
	handed   map[string][]string
	// files are those of each package directory, dots the imports for all names, by path: both are gone through once, not for each
	// directory that gets a name.
	files map[string][]*program.File
	dots  map[string][]*program.File
	// dirs are the directories of packages with files to look at, by path.
	dirs map[string]string
}

func newNames(prog *program.Program, c *census.Census) *names {
	n := &names{prog: prog, taken: map[string]map[string]bool{}, external: map[string]map[string]bool{}, handed: map[string][]string{}, files: map[string][]*program.File{}, dots: map[string][]*program.File{}, dirs: map[string]string{}}
	for _, f := range prog.Files {
		if f.AST == nil {
			continue
		}
		n.files[f.PkgDir] = append(n.files[f.PkgDir], f)
		n.dirs[f.PkgPath] = f.PkgDir
		for _, spec := range f.AST.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil && f.World && spec.Name != nil && spec.Name.Name == "." {
				n.dots[path] = append(n.dots[path], f)
			}
		}
	}
	return n
}

// scope returns the names taken at package level in a directory, those of its test
// files, of files left out of the build, and of file imports included.
func (n *names) scope(dir string) map[string]bool {
	if t := n.taken[dir]; t != nil {
		return t
	}
	t := map[string]bool{}
	n.declaredIn(dir, t)
	for _, f := range n.files[dir] {
		for _, spec := range f.AST.Imports {
			if spec.Name != nil {
				t[spec.Name.Name] = true
			} else if path, err := strconv.Unquote(spec.Path.Value); err == nil {
				t[n.packageName(path)] = true
			}
		}
		n.dotImported(f, dir, t)
	}
	n.dotImporters(dir, t)
	n.taken[dir] = t
	return t
}

// dotImported adds the names that a file has by dot imports of other packages than the one in dir: they can be declared neither by the
// file's package nor by another one that the file imports so.
func (n *names) dotImported(f *program.File, dir string, t map[string]bool) {
	for _, spec := range f.AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || spec.Name == nil || spec.Name.Name != "." || n.dirs[path] == dir {
			continue
		}
		for _, cfg := range n.prog.Configs {
			if p := cfg.Package(path); p != nil && p.Types != nil {
				for _, name := range p.Types.Scope().Names() {
					t[name] = true
				}
			}
		}
		n.declaredIn(n.dirs[path], t)
	}
}

// dotImporters adds the package-level names of packages that dot-import the one in dir, and what else their files have by dot
// imports: a file of theirs would declare the name twice.
func (n *names) dotImporters(dir string, t map[string]bool) {
	for path, files := range n.dots {
		if n.dirs[path] != dir {
			continue
		}
		for _, f := range files {
			n.dotImported(f, dir, t)
			n.declaredIn(f.PkgDir, t)
		}
	}
}

// declaredIn adds the names that the files of a directory declare at package level.
func (n *names) declaredIn(dir string, t map[string]bool) {
	for _, f := range n.files[dir] {
		for _, d := range f.AST.Decls {
			declaredNames(d, t)
		}
	}
}

// packageName returns the name of the package with the given path as far as it is loaded,
// else the path's last element.
func (n *names) packageName(path string) string {
	for _, cfg := range n.prog.Configs {
		if p := cfg.Package(path); p != nil && p.Name != "" {
			return p.Name
		}
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

func declaredNames(d ast.Decl, t map[string]bool) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			t[d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				t[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range s.Names {
					t[name.Name] = true
				}
			}
		}
	}
}

// free returns the first candidate that is taken neither in the package directory nor,
// by a local name, at any of the places where it will be written, and reserves it.
func (n *names) free(dir string, places []place, candidates ...string) string {
	return n.freeOf(dir, n.scope(dir), places, candidates)
}

// freeIn is free for a home, which may be an external test package: it shares the directory, not the names.
func (n *names) freeIn(h *home, places []place, candidates ...string) string {
	if !h.xtest {
		return n.free(h.dir, places, candidates...)
	}
	return n.freeOf(h.dir, n.externalScope(h.dir), places, candidates)
}

// freeOf returns the first candidate that is not taken, and reserves it in all packages of the directory.
func (n *names) freeOf(dir string, taken map[string]bool, places []place, candidates []string) string {
	for i := 1; ; i++ {
		for _, c := range candidates {
			if i > 1 {
				c += strconv.Itoa(i)
			}
			if !taken[c] && token.IsIdentifier(c) && types.Universe.Lookup(c) == nil && !shadowed(c, places) {
				taken[c] = true
				n.scope(dir)[c] = true
				n.handed[dir] = append(n.handed[dir], c)
				if t := n.external[dir]; t != nil {
					t[c] = true
				}
				return c
			}
		}
	}
}

// externalScope returns the names taken at package level in the external test package of a directory, or in the whole directory
// where that dot-imports the package.
func (n *names) externalScope(dir string) map[string]bool {
	if t := n.external[dir]; t != nil {
		return t
	}
	t := map[string]bool{}
	for _, f := range n.files[dir] {
		if !f.XTest {
			continue
		}
		for _, d := range f.AST.Decls {
			declaredNames(d, t)
		}
		for _, spec := range f.AST.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			switch {
			case err == nil && spec.Name != nil && spec.Name.Name == ".":
				return n.scope(dir)
			case spec.Name != nil:
				t[spec.Name.Name] = true
			case err == nil:
				t[n.packageName(path)] = true
			}
		}
	}
	for _, name := range n.handed[dir] {
		t[name] = true
	}
	n.external[dir] = t
	return t
}

// A place is a position at which a name will be written.
type place struct {
	pkg *program.Package
	pos token.Pos
}

// shadowed reports whether name already means something at one of the places.
func shadowed(name string, places []place) bool {
	for _, p := range places {
		if lookup(p, name) != nil {
			return true
		}
	}
	return false
}

// lookup returns the object that a name means at a place, nil when it is free.
func lookup(p place, name string) types.Object {
	scope := p.pkg.Types.Scope().Innermost(p.pos)
	if scope == nil {
		scope = p.pkg.Types.Scope()
	}
	_, obj := scope.LookupParent(name, token.NoPos)
	return obj
}

// meaning returns the object that a name means in an expression at a place: variables declared further down, or by
// the statement itself, do not count.
func meaning(p place, name string) types.Object {
	scope := p.pkg.Types.Scope().Innermost(p.pos)
	if scope == nil {
		scope = p.pkg.Types.Scope()
	}
	_, obj := scope.LookupParent(name, p.pos)
	return obj
}

// initialisms are written in capitals, as Go code reviewers ask.
var initialisms = map[string]bool{
	"acl": true, "api": true, "ascii": true, "cpu": true, "css": true, "db": true, "dns": true, "eof": true,
	"grpc": true, "guid": true, "html": true, "http": true, "https": true, "id": true, "ip": true, "json": true,
	"jwt": true, "qps": true, "ram": true, "rpc": true, "sla": true, "smtp": true, "sql": true, "ssh": true,
	"tcp": true, "tls": true, "ttl": true, "udp": true, "ui": true, "uid": true, "uri": true, "url": true,
	"utf8": true, "uuid": true, "vm": true, "xml": true, "xmpp": true, "xsrf": true, "xss": true,
}

// words cuts a text, or an identifier, into words.
func words(text string) []string {
	var list []string
	var cur []rune
	flush := func() {
		if len(cur) > 0 {
			list = append(list, string(cur))
			cur = nil
		}
	}
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) ||
			unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1]) && !pluralTail(runes[i:])):
			flush()
			cur = append(cur, r)
		default:
			cur = append(cur, r)
		}
	}
	flush()
	return list
}

// pluralTail reports whether the rest of an identifier is the s of a plural initialism (IDs).
func pluralTail(rest []rune) bool {
	return len(rest) == 2 && rest[1] == 's'
}

// baseName makes an exported identifier stem of a key's text: "user_id" becomes "UserID",
// "X-Request-ID" becomes "RequestID", "userKey" becomes "User". It is "" when the text has no letters.
func baseName(text string) string {
	list := words(text)
	if len(list) > 1 && strings.EqualFold(list[0], "x") {
		list = list[1:]
	}
	for len(list) > 1 && trimmable(list[len(list)-1]) {
		list = list[:len(list)-1]
	}
	for len(list) > 1 && (strings.EqualFold(list[0], "ctx") || strings.EqualFold(list[0], "context")) {
		list = list[1:]
	}
	var b strings.Builder
	for _, w := range list {
		lower := strings.ToLower(w)
		if initialisms[lower] {
			b.WriteString(strings.ToUpper(w))
			continue
		}
		if w == strings.ToUpper(w) {
			w = lower
		}
		r := []rune(w)
		b.WriteString(string(unicode.ToUpper(r[0])) + string(r[1:]))
	}
	name := b.String()
	if name == "" || !token.IsIdentifier(name) || !ast.IsExported(name) || len([]rune(name)) > 40 {
		return ""
	}
	return name
}

// withEndings lists a name with each of the words behind it that it does not end in already, be it without its plural s.
func withEndings(name string, endings ...string) []string {
	list := words(name)
	last := list[len(list)-1]
	var out []string
	for _, e := range endings {
		if !strings.EqualFold(strings.TrimSuffix(last, "s"), strings.TrimSuffix(e, "s")) {
			out = append(out, name+e)
		}
	}
	return out
}

// trimmable reports whether a word says no more than that the text is a context key.
func trimmable(w string) bool {
	switch strings.ToLower(w) {
	case "key", "ctx", "context":
		return true
	}
	return false
}

// lowerFirst makes an exported identifier unexported: UserID becomes userID, HTTPURL httpURL, IDs ids.
func lowerFirst(name string) string {
	list := words(name)
	if len(list) == 0 {
		return name
	}
	first := list[0]
	if n := initialismPrefix(first); n > 0 {
		return strings.ToLower(first[:n]) + name[n:]
	}
	r := []rune(first)
	return string(unicode.ToLower(r[0])) + string(r[1:]) + name[len(first):]
}

// initialismPrefix returns the length of the longest initialism, its plural s included, that a word
// in capitals starts with; 0 for other words.
func initialismPrefix(word string) int {
	for n := len(word); n > 1; n-- {
		head := word[:n]
		stem := head
		if n == len(word) {
			stem = strings.TrimSuffix(head, "s")
		}
		if stem == strings.ToUpper(stem) && initialisms[strings.ToLower(stem)] {
			return n
		}
	}
	return 0
}
