package program

import (
	"fmt"
	"go/build/constraint"
	"go/version"
	"slices"
	"strings"
)

// presenceRule: a package that some builds leave out can be imported only by files that these leave out as well. Builds are
// not only those that are loaded.
func (g *ImportGraph) presenceRule(from *File, to string) error {
	for _, c := range g.prog.Configs {
		q := c.byPath[to]
		if q == nil || q.XTest {
			continue
		}
		files := g.builds.presence(q)
		if len(files) == 0 || g.prog.implied(from, files) || g.prog.implied(from, files, g.builds.needed(c.packageWith(from), from)...) {
			return nil
		}
		return fmt.Errorf("package %s is part of the build only where %s", to, g.builds.where(files))
	}
	return nil
}

// packageWith returns the package of a file, nil for a file that the configuration leaves out.
func (c *Config) packageWith(f *File) *Package {
	for _, path := range []string{f.PkgPath, f.PkgPath + "_test"} {
		if p := c.byPath[path]; p != nil && slices.Contains(p.Files, f) {
			return p
		}
	}
	return nil
}

// conditional returns the files of a package, and of its tests if these count, when some builds contain none of them. A file of
// another package that lies beside them, to generate them for example, is none of theirs.
func (p *Program) conditional(pkg *Package, tests bool) []*File {
	files := slices.Clone(pkg.Files)
	for _, f := range p.Files {
		if f.PkgDir == pkg.Dir && !slices.Contains(files, f) && !stranger(pkg, f) {
			files = append(files, f)
		}
	}
	files = slices.DeleteFunc(files, func(f *File) bool { return f.Test && !tests })
	if p.implied(&File{PkgDir: pkg.Dir}, files) {
		return nil
	}
	return files
}

// stranger reports whether a file in the directory of a package says that it belongs to another one.
func stranger(pkg *Package, f *File) bool {
	if f.AST == nil || len(pkg.Files) == 0 || pkg.Files[0].AST == nil {
		return false
	}
	name := func(f *File) string { return strings.TrimSuffix(f.AST.Name.Name, "_test") }
	return name(f) != name(pkg.Files[0])
}

// NewFileConstraint returns the build constraint, without "//go:build", of a new file of a package which is to be part of every build that
// another one is part of, and of no other; "" for none. For a new test file, tests is set: then test files count as well.
func (p *Program) NewFileConstraint(pkg *Package, tests bool) string {
	files := p.conditional(pkg, tests)
	slices.SortStableFunc(files, func(a, b *File) int { return strings.Compare(a.Condition(), b.Condition()) })
	files = slices.CompactFunc(files, func(a, b *File) bool { return a.Condition() == b.Condition() })
	for i := 0; i < len(files); {
		if others := slices.Delete(slices.Clone(files), i, i+1); p.implied(files[i], others) {
			files = others
			continue
		}
		i++
	}
	if x := anyOf(files); x != nil {
		return x.String()
	}
	return ""
}

// anyOf returns the condition under which a build contains one of the files; nil for always, and for no files.
func anyOf(files []*File) constraint.Expr {
	var any constraint.Expr
	for _, f := range files {
		x := f.condition()
		switch {
		case x == nil:
			return nil
		case any == nil:
			any = x
		default:
			any = &constraint.OrExpr{X: any, Y: x}
		}
	}
	return any
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

// Together reports whether every build that contains a file, and the package of another one, contains that file as well.
func (p *Program) Together(from, other *File) bool { return p.implied(from, []*File{other}) }

// maxTags bounds the tags whose combinations are tried.
const maxTags = 10

// implied reports whether every build that contains a file, and one file of each of the lists it needs, contains one of others: on any
// system and architecture, with and without every tag. Only tags of releases up to that of the file's module are always set.
func (p *Program) implied(from *File, files []*File, needed ...[]*File) bool {
	conditions := anyOf(files)
	if conditions == nil {
		return len(files) > 0
	}
	given := from.condition()
	for _, list := range needed {
		switch x := anyOf(list); {
		case x == nil:
		case given == nil:
			given = x
		default:
			given = &constraint.AndExpr{X: given, Y: x}
		}
	}
	b := &anyBuild{language: "go1.16"} // what the go command takes a module without the directive for
	if m := p.ModuleOf(from.PkgDir); m != nil && m.GoVersion != "" {
		b.language = "go" + m.GoVersion
	}
	archs := []string{""}
	for _, x := range []constraint.Expr{conditions, given} {
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
				if (given == nil || given.Eval(b.has)) && !conditions.Eval(b.has) {
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
