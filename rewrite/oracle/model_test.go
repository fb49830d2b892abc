package oracle

import (
	"fmt"
	"go/format"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// A rnd is a source of choices.
type rnd struct{ *rand.Rand }

func newRnd(seed uint64, path string) rnd {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", seed, path)
	return rnd{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

func (r rnd) chance(p float64) bool { return r.Float64() < p }

func pick[T any](r rnd, list []T) T { return list[r.IntN(len(list))] }

// A weighted is one of several things to choose from.
type weighted[T any] struct {
	weight int
	thing  T
}

func pickWeighted[T any](r rnd, list []weighted[T]) T {
	sum := 0
	for _, w := range list {
		sum += w.weight
	}
	n := r.IntN(sum)
	for _, w := range list {
		if n -= w.weight; n < 0 {
			return w.thing
		}
	}
	panic("unreachable")
}

// A pkg is a package in the making. Packages are numbered; one imports only higher numbers.
type pkg struct {
	index     int
	name, dir string // dir is slash-separated, "" for the module's root
	path      string
	main      bool
	files     []*file
	names     map[string]bool // identifiers taken at package level
}

// A file is a Go source file in the making.
type file struct {
	pkg         *pkg
	name        string
	test, xtest bool
	head        string            // build constraint or generated comment
	imports     map[string]string // path to alias, "" for none
	quals       map[string]bool   // names that imports have
	quali       map[string]string // the name of each
	decls       []string
	dress       dress
	tagged      bool // behind a build constraint: not called by drivers
}

// A dress is the form in which a file's text is written.
type dress struct {
	crlf, bom, noFinalNewline, untidy bool
}

func (g *gen) newFile(p *pkg, name string) *file {
	for _, f := range p.files {
		if f.name == name {
			return f
		}
	}
	f := &file{pkg: p, name: name, imports: map[string]string{}, quals: map[string]bool{}, quali: map[string]string{}}
	f.test = strings.HasSuffix(name, "_test.go")
	f.xtest = strings.HasSuffix(name, "ext_test.go")
	r := newRnd(g.seed, "dress "+p.dir+"/"+name)
	f.dress = dress{crlf: r.chance(.04), bom: r.chance(.02), noFinalNewline: r.chance(.04), untidy: r.chance(.08)}
	p.files = append(p.files, f)
	return f
}

func (f *file) pkgName() string {
	if f.xtest {
		return f.pkg.name + "_test"
	}
	return f.pkg.name
}

// imp imports a path and returns the qualifier to use.
func (f *file) imp(importPath, name string) string {
	if alias, ok := f.imports[importPath]; ok {
		if alias != "" {
			return alias
		}
		return name
	}
	alias := ""
	if f.quals[name] || f.pkg.names[name] {
		for i := 2; ; i++ {
			alias = fmt.Sprintf("%s%d", name, i)
			if !f.quals[alias] && !f.pkg.names[alias] {
				break
			}
		}
	}
	f.imports[importPath] = alias
	if alias == "" {
		alias = name
	}
	f.quals[alias] = true
	f.quali[importPath] = alias
	return alias
}

func (f *file) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(f.decls, text) {
		f.decls = append(f.decls, text)
	}
}

// std imports a package of the standard library.
func (f *file) std(importPath string) string { return f.imp(importPath, path.Base(importPath)) }

// reaches reports whether a file can name exported things of a package.
func (f *file) reaches(p *pkg) bool {
	if f.pkg == p && !f.xtest {
		return true
	}
	if p.main {
		return false
	}
	if i := strings.LastIndex(p.dir, "/internal/"); i > 0 && !strings.HasPrefix(f.pkg.dir+"/", p.dir[:i]+"/") {
		return false
	}
	return f.xtest || p.index > f.pkg.index
}

// ref returns an exported name of a package as a file writes it.
func (f *file) ref(p *pkg, name string) string {
	if f.pkg == p && !f.xtest {
		return name
	}
	return f.imp(p.path, p.name) + "." + name
}

// text prints the file.
func (f *file) text() (string, error) {
	var b strings.Builder
	if f.head != "" {
		b.WriteString(f.head + "\n\n")
	}
	fmt.Fprintf(&b, "package %s\n\n", f.pkgName())
	var std, own []string
	body := strings.Join(f.decls, "\n\n")
	for p, alias := range f.imports {
		if !f.uses(body, p) {
			continue
		}
		line := fmt.Sprintf("%q", p)
		if alias != "" {
			line = alias + " " + line
		}
		if strings.Contains(p, ".") {
			own = append(own, line)
		} else {
			std = append(std, line)
		}
	}
	sort.Slice(std, func(i, j int) bool { return importOf(std[i]) < importOf(std[j]) })
	sort.Slice(own, func(i, j int) bool { return importOf(own[i]) < importOf(own[j]) })
	switch {
	case len(std)+len(own) == 1:
		fmt.Fprintf(&b, "import %s\n\n", append(std, own...)[0])
	case len(std)+len(own) > 1:
		b.WriteString("import (\n" + strings.Join(std, "\n"))
		if len(std) > 0 && len(own) > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(strings.Join(own, "\n") + "\n)\n\n")
	}
	b.WriteString(body + "\n")
	src, err := format.Source([]byte(b.String()))
	if err != nil {
		return b.String(), fmt.Errorf("%s/%s: %v\n%s", f.pkg.dir, f.name, err, b.String())
	}
	return f.dress.put(string(src)), nil
}

// uses reports whether a file's text needs an import.
func (f *file) uses(body, importPath string) bool {
	if f.imports[importPath] == "." {
		return regexp.MustCompile(`(^|[^.\w])(Context|Background|TODO|With(Value|Cancel|Timeout))\b([^:]|$)`).MatchString(body)
	}
	for rest := body; ; {
		i := strings.Index(rest, f.quali[importPath]+".")
		if i < 0 {
			return false
		}
		if i == 0 || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.\"`", rune(rest[i-1])) {
			return true
		}
		rest = rest[i+1:]
	}
}

func importOf(line string) string { return line[strings.IndexByte(line, '"'):] }

func (d dress) put(s string) string {
	if d.untidy {
		s = strings.ReplaceAll(s, "\n\t", "\n  ")
		s = strings.ReplaceAll(s, " := ", ":= ")
		s = strings.ReplaceAll(s, "(ctx, ", "( ctx,")
	}
	if d.noFinalNewline {
		s = strings.TrimSuffix(s, "\n")
	}
	if d.crlf {
		s = strings.ReplaceAll(s, "\n", "\r\n")
	}
	if d.bom {
		s = "\ufeff" + s
	}
	return s
}
