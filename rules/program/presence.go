package program

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/version"
	"slices"
	"strconv"
	"strings"
)

// presenceRule: a package that some builds leave out can be imported only by files that these leave out as well. Builds are
// not only those that are loaded.
func (g *ImportGraph) presenceRule(from *File, to string) error {
	if from.imports(to) {
		return nil
	}
	for _, c := range g.prog.Configs {
		q := c.byPath[to]
		if q == nil || q.XTest {
			continue
		}
		files := g.presence(q)
		if files == nil || g.prog.implied(from, files) {
			return nil
		}
		var where []string
		for _, f := range files {
			where = append(where, f.Condition())
		}
		slices.Sort(where)
		return fmt.Errorf("package %s is part of the build only where %s", to, strings.Join(slices.Compact(where), " or "))
	}
	return nil
}

// imports reports whether a file of the world imports a package.
func (f *File) imports(path string) bool {
	return f.AST != nil && slices.ContainsFunc(f.AST.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == strconv.Quote(path) })
}

// presence returns the ordinary files of a package, with those that no loaded configuration contains, if each of them depends on
// a condition; nil for a package that is always there.
func (g *ImportGraph) presence(p *Package) []*File {
	files, known := g.present[p.Path]
	if known {
		return files
	}
	files = slices.Clone(p.Files)
	for _, f := range g.prog.Files {
		if f.Excluded && f.PkgDir == p.Dir {
			files = append(files, f)
		}
	}
	files = slices.DeleteFunc(files, func(f *File) bool { return f.Test })
	if slices.ContainsFunc(files, func(f *File) bool { return f.condition() == nil }) {
		files = nil
	}
	g.present[p.Path] = files
	return files
}

// condition returns what a file's presence in the build depends on, nil for nothing and for a file that is to be made.
func (f *File) condition() constraint.Expr {
	if f.Name == "" {
		return nil
	}
	expr, tags := f.conditions()
	if f.Cgo {
		tags = append(slices.Clone(tags), "cgo")
	}
	if expr != "" {
		tags = append(slices.Clone(tags), "("+expr+")")
	}
	if len(tags) == 0 {
		return nil
	}
	x, err := constraint.Parse("//go:build " + strings.Join(tags, " && "))
	if err != nil {
		return &constraint.TagExpr{Tag: "ignore"} // go/build leaves it out
	}
	return x
}

// maxTags bounds the tags whose combinations are tried.
const maxTags = 10

// implied reports whether every build that contains a file contains one of others: on any system and architecture, with and without
// every tag. Only tags of releases up to that of the file's module are always set.
func (p *Program) implied(from *File, files []*File) bool {
	given := from.condition()
	var conditions []constraint.Expr
	for _, f := range files {
		conditions = append(conditions, f.condition())
	}
	b := &anyBuild{}
	if m := p.ModuleOf(from.PkgDir); m != nil {
		b.language = "go" + m.GoVersion
	}
	archs := []string{""}
	for _, x := range append(slices.Clone(conditions), given) {
		if x == nil {
			continue
		}
		eachTag(x, func(tag string) {
			switch {
			case systems[tag] != "", tag == "unix", b.released(tag), slices.Contains(b.tags, tag), slices.Contains(archs, tag):
			case architectures[tag] != "":
				archs = append(archs, tag)
			default:
				b.tags = append(b.tags, tag)
			}
		})
	}
	if len(b.tags) > maxTags {
		return false
	}
	for b.goos = range systems {
		for _, b.goarch = range archs {
			for b.set = range 1 << len(b.tags) {
				if (given == nil || given.Eval(b.has)) && !slices.ContainsFunc(conditions, func(x constraint.Expr) bool { return x.Eval(b.has) }) {
					return false
				}
			}
		}
	}
	return true
}

// An anyBuild is a build that somebody may ask for.
type anyBuild struct {
	goos, goarch string
	// language is the one of the module: "go1.22".
	language string
	// tags may be set; bit i of set tells whether tags[i] is.
	tags []string
	set  int
}

// has reports whether the build has a tag.
func (b *anyBuild) has(tag string) bool {
	switch {
	case tag == "unix":
		return unixLike(b.goos)
	case systems[tag] != "":
		return tag == b.goos || tag == alsoSystem[b.goos]
	case architectures[tag] != "":
		return tag == b.goarch
	case b.released(tag):
		return true
	}
	i := slices.Index(b.tags, tag)
	return i >= 0 && b.set&(1<<i) != 0
}

// released reports whether a tag is that of a release which the module demands.
func (b *anyBuild) released(tag string) bool {
	return version.IsValid(tag) && version.IsValid(b.language) && version.Compare(tag, b.language) <= 0
}

// alsoSystem maps systems to others whose tags they set too, as go/build does.
var alsoSystem = map[string]string{"android": "linux", "illumos": "solaris", "ios": "darwin"}
