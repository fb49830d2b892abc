package program

import (
	"go/build/constraint"
	"path/filepath"
	"slices"
	"strings"
)

// HowToLoad says what would make a file part of the world that no loaded configuration contains: "add it with --tags
// integration". It is what a message about the file can end with.
func (p *Program) HowToLoad(f *File) string {
	switch reason, where, _ := strings.Cut(f.Constraint, " in "); {
	case reason == "module" && p.Workspace == "":
		return "add the module with go work init . " + where
	case reason == "module":
		return "add the module with go work use " + where
	case reason == "program":
		return "change it by hand, or move it to a directory that the go command lists"
	case f.Constraint == whyNoTests:
		return "run without --tests=false"
	case f.Constraint == whyNoCgo:
		return "set CGO_ENABLED=1"
	case f.Constraint == whyUnlisted:
		return "go list does not name it either; change it by hand"
	}
	platform, tags, ok := p.satisfying(f, true)
	without := false
	if !ok {
		platform, tags, ok = p.satisfying(f, false)
		without = true
	}
	switch {
	case ok && without && platform == "" && tags == "":
		return "set CGO_ENABLED=0"
	case ok && platform == "" && tags == "" && p.needsCgo(f):
		return "set CGO_ENABLED=1"
	case !ok:
		return "no build contains it; change it by hand, or move it to a directory of its own"
	case platform == "" && tags == "":
		return "run without the tags that leave it out"
	case platform == "":
		return "add it with --tags " + tags
	case tags == "":
		return "add it with --platforms " + p.withPlatform(platform)
	}
	return "add it with --tags " + tags + " --platforms " + p.withPlatform(platform)
}

// The reasons for leaving a file out that are no build constraints.
const (
	whyNoTests  = "tests not loaded"
	whyNoCgo    = "cgo is disabled"
	whyUnlisted = "not part of any package"
	whyFileName = "file name"
)

// withPlatform lists the platforms that are loaded, and one more.
func (p *Program) withPlatform(platform string) string {
	var list []string
	for _, c := range p.Configs {
		list = append(list, c.GOOS+"/"+c.GOARCH)
	}
	return strings.Join(append(list, platform), ",")
}

// satisfying finds the platform, "" for the one that is loaded, and the tags, those given included, with which a file is built; ok is
// false where there are none, or the tag ignore says that the file is not meant to be built with others.
func (p *Program) satisfying(f *File, cgo bool) (platform, tags string, ok bool) {
	var expr constraint.Expr
	if x, err := constraint.Parse("//go:build " + constraintOf(f.Src)); err == nil {
		expr = x
	}
	goos, goarch := platformOfName(f.Name)
	var custom, platforms []string
	first := p.Configs[0]
	platforms = append(platforms, first.GOOS+"/"+first.GOARCH)
	note := func(tag string) {
		switch {
		case systems[tag] != "":
			platforms = append(platforms, tag+"/"+systems[tag])
		case architectures[tag] != "":
			platforms = append(platforms, architectures[tag]+"/"+tag)
		case tag == "unix":
			platforms = append(platforms, "linux/amd64")
		case tag != "ignore" && tag != "cgo" && tag != "gc" && tag != "gccgo" && !strings.HasPrefix(tag, "go1."):
			custom = append(custom, tag)
		}
	}
	note(goos)
	note(goarch)
	if goos != "" && goarch != "" {
		platforms = append(platforms, goos+"/"+goarch)
	}
	if expr != nil {
		eachTag(expr, note)
	}
	platforms = append(platforms, "windows/amd64", "linux/amd64", "darwin/arm64") // for what is excluded by name
	slices.Sort(custom)
	custom = slices.DeleteFunc(slices.Compact(custom), func(t string) bool { return t == "" || slices.Contains(first.Tags, t) })
	for _, set := range append([][]string{first.Tags, nil}, tagSets(first.Tags, custom)...) {
		for i, pl := range platforms {
			os, arch, _ := strings.Cut(pl, "/")
			if goos != "" && goos != os || goarch != "" && goarch != arch || expr != nil && !expr.Eval(func(tag string) bool {
				return tag == os || tag == arch || tag == "gc" || tag == "cgo" && cgo || tag == "unix" && unixLike(os) || strings.HasPrefix(tag, "go1.") || slices.Contains(set, tag)
			}) {
				continue
			}
			if i == 0 {
				pl = ""
			}
			if slices.Equal(set, first.Tags) {
				set = nil
			}
			return pl, strings.Join(set, ","), true
		}
	}
	return "", "", false
}

// needsCgo reports whether a build constraint names cgo, which is not there.
func (p *Program) needsCgo(f *File) bool {
	needs := false
	if x, err := constraint.Parse("//go:build " + constraintOf(f.Src)); err == nil {
		eachTag(x, func(tag string) { needs = needs || tag == "cgo" })
	}
	return needs && p.Configs[0].build != nil && !p.Configs[0].build.CgoEnabled
}

// tagSets lists the sets of tags to try: those given with one more, and with all.
func tagSets(given, more []string) [][]string {
	var list [][]string
	for _, t := range more {
		list = append(list, append(slices.Clone(given), t))
	}
	if len(more) > 1 {
		list = append(list, append(slices.Clone(given), more...))
	}
	return list
}

// eachTag calls f for every tag that a constraint names.
func eachTag(x constraint.Expr, f func(tag string)) {
	switch x := x.(type) {
	case *constraint.TagExpr:
		f(x.Tag)
	case *constraint.NotExpr:
		eachTag(x.X, f)
	case *constraint.AndExpr:
		eachTag(x.X, f)
		eachTag(x.Y, f)
	case *constraint.OrExpr:
		eachTag(x.X, f)
		eachTag(x.Y, f)
	}
}

// platformOfName returns the operating system and architecture that a file's name asks for, as the go command reads it.
func platformOfName(name string) (goos, goarch string) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(filepath.Base(name), ".go"), "_test"), "_")[1:]
	if n := len(parts); n > 0 && architectures[parts[n-1]] != "" {
		goarch, parts = parts[n-1], parts[:n-1]
	}
	if n := len(parts); n > 0 && systems[parts[n-1]] != "" {
		goos = parts[n-1]
	}
	return goos, goarch
}

func unixLike(goos string) bool {
	switch goos {
	case "windows", "plan9", "js", "wasip1":
		return false
	}
	return systems[goos] != ""
}

// systems are the operating systems of go tool dist list, each with a common architecture; architectures the other way round.
var (
	systems = map[string]string{
		"aix": "ppc64", "android": "arm64", "darwin": "arm64", "dragonfly": "amd64", "freebsd": "amd64", "illumos": "amd64",
		"ios": "arm64", "js": "wasm", "linux": "amd64", "netbsd": "amd64", "openbsd": "amd64", "plan9": "amd64",
		"solaris": "amd64", "wasip1": "wasm", "windows": "amd64",
	}
	architectures = map[string]string{
		"386": "linux", "amd64": "linux", "arm": "linux", "arm64": "linux", "loong64": "linux", "mips": "linux", "mips64": "linux",
		"mips64le": "linux", "mipsle": "linux", "ppc64": "linux", "ppc64le": "linux", "riscv64": "linux", "s390x": "linux", "wasm": "js",
	}
)
