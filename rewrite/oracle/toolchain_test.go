package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A toolchain compiles and links without the go command: programs become packages of
// one binary, under import paths of their own, which the go command could not do.
type toolchain struct {
	compile, link string
	std           map[string]string // export data of the standard library's packages
}

// stdPackages are those that programs may import.
var stdPackages = []string{"context", "errors", "fmt", "os", "strings", "testing", "time", "sync", "reflect", "sort", "bytes", "encoding/json", "net/http", "unsafe"}

func newToolchain() (*toolchain, error) {
	dir, err := exec.Command("go", "env", "GOTOOLDIR").Output()
	if err != nil {
		return nil, err
	}
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}, stdPackages...)
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list -export: %w", err)
	}
	tc := &toolchain{
		compile: filepath.Join(strings.TrimSpace(string(dir)), "compile"),
		link:    filepath.Join(strings.TrimSpace(string(dir)), "link"),
		std:     map[string]string{},
	}
	for line := range strings.Lines(string(out)) {
		if p, file, ok := strings.Cut(strings.TrimSpace(line), "="); ok && file != "" {
			tc.std[p] = file
		}
	}
	return tc, nil
}

// A unit is one package to compile.
type unit struct {
	path    string // as imported in source
	files   []string
	imports []string
	xtest   bool
	main    bool
}

// A build is one version of one program.
type build struct {
	tc      *toolchain
	prog    *generated
	files   map[string]string
	version string // before, after, review
	dir     string // for archives
	// archives by the path under which packages are linked.
	archives map[string]string
	linked   []linkedTest
}

// A linkedTest is an entry that the runner calls.
type linkedTest struct{ pkg, fn string }

// linkPath is the path under which a package is linked.
func (b *build) linkPath(p string) string {
	return b.version + "/" + p
}

// units sorts a tree's files into packages. In-package tests belong to their package, an external
// test is a package of its own.
func (b *build) units() ([]*unit, error) {
	byPath := map[string]*unit{}
	fset := token.NewFileSet()
	names := make([]string, 0, len(b.files))
	for name := range b.files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		src := b.files[name]
		f, err := parser.ParseFile(fset, name, src, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return nil, err
		}
		if strings.Contains(src, "//go:build special") || strings.Contains(src, "//go:build windows") {
			continue
		}
		p := b.prog.module
		if d := path.Dir(name); d != "." {
			p += "/" + d
		}
		xtest := strings.HasSuffix(f.Name.Name, "_test")
		if xtest {
			p += "_test"
		}
		u := byPath[p]
		if u == nil {
			u = &unit{path: p, xtest: xtest, main: f.Name.Name == "main"}
			byPath[p] = u
		}
		u.files = append(u.files, name)
		for _, im := range f.Imports {
			if q, _ := strconv.Unquote(im.Path.Value); !slices.Contains(u.imports, q) {
				u.imports = append(u.imports, q)
			}
		}
	}
	return order(byPath, b.prog.module)
}

// errCycle says that packages import each other when in-package tests count as part of their packages.
var errCycle = errors.New("import cycle")

// order sorts packages so that imports come first, and checks what the compiler does not.
func order(byPath map[string]*unit, module string) ([]*unit, error) {
	var list []*unit
	state := map[*unit]int{}
	var visit func(u *unit) error
	visit = func(u *unit) error {
		switch state[u] {
		case 1:
			return errCycle
		case 2:
			return nil
		}
		state[u] = 1
		for _, im := range u.imports {
			if !strings.HasPrefix(im+"/", module+"/") {
				continue
			}
			to := byPath[im]
			if to == nil {
				return fmt.Errorf("%s imports %s, which does not exist", u.path, im)
			}
			if to.main {
				return fmt.Errorf("%s imports %s, a program", u.path, im)
			}
			if i := strings.LastIndex(im, "/internal"); i > 0 && !strings.HasPrefix(u.path+"/", im[:i]+"/") {
				return fmt.Errorf("%s imports %s, which is internal", u.path, im)
			}
			if err := visit(to); err != nil {
				return err
			}
		}
		state[u] = 2
		list = append(list, u)
		return nil
	}
	paths := make([]string, 0, len(byPath))
	for p := range byPath {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for _, p := range paths {
		if err := visit(byPath[p]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// compileAll compiles the program; same is a build whose archives serve where nothing changed.
func (b *build) compileAll() error {
	units, err := b.units()
	if err != nil {
		return err
	}
	b.archives = map[string]string{}
	for i, u := range units {
		src := filepath.Join(b.dir, b.version, fmt.Sprint(i))
		if err := os.MkdirAll(src, 0o777); err != nil {
			return err
		}
		args := []string{"-p", b.linkPath(u.path), "-o", filepath.Join(src, "pkg.a"), "-pack", "-complete", "-c=1", "-N", "-l", "-dwarf=false", "-lang=go1.26", "-importcfg", filepath.Join(src, "importcfg")}
		var cfg bytes.Buffer
		for _, im := range u.imports {
			if file := b.tc.std[im]; file != "" {
				fmt.Fprintf(&cfg, "packagefile %s=%s\n", im, file)
				continue
			}
			fmt.Fprintf(&cfg, "importmap %s=%s\npackagefile %s=%s\n", im, b.linkPath(im), b.linkPath(im), b.archives[b.linkPath(im)])
		}
		if err := os.WriteFile(filepath.Join(src, "importcfg"), cfg.Bytes(), 0o666); err != nil {
			return err
		}
		for _, name := range u.files {
			file := filepath.Join(src, path.Base(name))
			if err := os.WriteFile(file, []byte(b.files[name]), 0o666); err != nil {
				return err
			}
			args = append(args, file)
		}
		if u.main {
			file := filepath.Join(src, "oracle_entry.go")
			if err := os.WriteFile(file, []byte("package main\n\nfunc OracleEntry() { main() }\n"), 0o666); err != nil {
				return err
			}
			args = append(args, file)
		}
		if out, err := exec.Command(b.tc.compile, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s does not compile: %s", u.path, strings.ReplaceAll(string(out), src+"/", ""))
		}
		b.archives[b.linkPath(u.path)] = filepath.Join(src, "pkg.a")
		if u.main {
			b.linked = append(b.linked, linkedTest{b.linkPath(u.path), "OracleEntry()"})
		}
	}
	for _, t := range b.prog.tests {
		p := b.prog.module
		if t.dir != "" {
			p += "/" + t.dir
		}
		if t.xtest {
			p += "_test"
		}
		arg := "(nil)"
		if t.live {
			arg = "(test())"
		}
		b.linked = append(b.linked, linkedTest{b.linkPath(p), t.name + arg})
	}
	return nil
}

// linkAll makes one binary of many builds; its first argument chooses the build by its version and module.
func (tc *toolchain) linkAll(dir string, builds []*build) (string, error) {
	var src, cfg bytes.Buffer
	names := map[string]string{}
	var imports []string
	var body bytes.Buffer
	for _, b := range builds {
		fmt.Fprintf(&body, "\tcase %q:\n", b.version+" "+b.prog.module)
		for _, t := range b.linked {
			if names[t.pkg] == "" {
				names[t.pkg] = fmt.Sprintf("p%d", len(names))
				imports = append(imports, t.pkg)
			}
			fmt.Fprintf(&body, "\t\tcall(func() { %s.%s })\n", names[t.pkg], t.fn)
		}
	}
	src.WriteString("package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"os\"\n\t\"reflect\"\n\t\"testing\"\n\t\"unsafe\"\n")
	for _, p := range imports {
		fmt.Fprintf(&src, "\t%s %q\n", names[p], p)
	}
	src.WriteString(")\n\nfunc call(f func()) {\n\tdefer func() {\n\t\tif recover() != nil {\n\t\t\tfmt.Println(\"PANIC\")\n\t\t}\n\t}()\n\tf()\n}\n\n" + liveTest + "\n\nfunc main() {\n\tswitch os.Args[1] {\n")
	src.Write(body.Bytes())
	src.WriteString("\t}\n}\n")
	for p, file := range tc.std {
		fmt.Fprintf(&cfg, "packagefile %s=%s\n", p, file)
	}
	for _, b := range builds {
		for p, file := range b.archives {
			fmt.Fprintf(&cfg, "packagefile %s=%s\n", p, file)
		}
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("main.go"), src.Bytes(), 0o666); err != nil {
		return "", err
	}
	if err := os.WriteFile(file("importcfg"), cfg.Bytes(), 0o666); err != nil {
		return "", err
	}
	if out, err := exec.Command(tc.compile, "-p", "main", "-o", file("main.a"), "-pack", "-complete", "-importcfg", file("importcfg"), file("main.go")).CombinedOutput(); err != nil {
		return "", fmt.Errorf("the runner does not compile: %s", out)
	}
	if out, err := exec.Command(tc.link, "-o", file("run"), "-s", "-w", "-importcfg", file("importcfg"), file("main.a")).CombinedOutput(); err != nil {
		return "", fmt.Errorf("the runner does not link: %s", out)
	}
	return file("run"), nil
}

// liveTest makes a testing.T that has a context, as that of a test which runs has.
const liveTest = `func test() *testing.T {
	t := new(testing.T)
	ctx, _ := context.WithCancel(context.Background())
	*(*context.Context)(unsafe.Pointer(reflect.ValueOf(t).Elem().FieldByName("ctx").UnsafeAddr())) = ctx
	return t
}`

// run runs one build in the binary and returns what it prints.
func (b *build) run(binary string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, b.version+" "+b.prog.module).Output()
	if err != nil {
		return string(out) + "exit: " + err.Error() + "\n"
	}
	// A type argument's package is printed with the path it is linked under.
	return strings.ReplaceAll(string(out), b.version+"/"+b.prog.module, b.prog.module)
}

// goRun runs a tree's program and tests with the go command and returns what they print: the slow way.
func goRun(dir string, files map[string]string) (string, error) {
	var out strings.Builder
	test := []string{"test", "-C", dir, "-count=1", "-v", "-p=1", "-vet=off", "./..."}
	var runs [][]string
	for _, module := range append(moduleDirs(files), "") {
		if module != "" {
			test = append(test, "./"+module+"/...")
		}
		for _, main := range []string{"cmd/second", "cmd/tool", "."} {
			main = path.Join(module, main)
			if files[path.Join(main, "main.go")] != "" {
				runs = append(runs, []string{"run", "-C", dir, "./" + main})
			}
		}
	}
	for _, args := range append([][]string{test}, runs...) {
		cmd := exec.Command("go", args...)
		cmd.Env = goEnv(files["go.work"] != "")
		text, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("go %s: %v\n%s", args[0], err, text)
		}
		for line := range strings.Lines(string(text)) {
			if !timed.MatchString(line) {
				out.WriteString(line)
			}
		}
	}
	return out.String(), nil
}

// timed matches the lines of go test that speak of time or packages.
var timed = regexp.MustCompile(`^(ok\s|\?\s|--- |=== |PASS|FAIL)`)
