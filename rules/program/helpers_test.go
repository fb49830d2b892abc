package program

import (
	"context"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// writeTree writes a txtar archive to a new directory, whose name it returns.
func writeTree(t *testing.T, archive string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// testEnv is an environment in which the go command neither leaves the machine
// nor depends on how this one is set up.
func testEnv(extra ...string) []string {
	env := append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=", "GO111MODULE=",
		"GOOS=", "GOARCH=", "CGO_ENABLED=1")
	return append(env, extra...)
}

// load loads the program in dir with tests, adjusted by change.
func load(t *testing.T, dir string, change ...func(*Options)) *Program {
	t.Helper()
	p, err := tryLoad(dir, change...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryLoad(dir string, change ...func(*Options)) (*Program, error) {
	opts := Options{Dir: dir, Tests: true, Env: testEnv()}
	for _, c := range change {
		c(&opts)
	}
	return Load(context.Background(), opts)
}

// loadTree writes and loads an archive.
func loadTree(t *testing.T, archive string, change ...func(*Options)) *Program {
	t.Helper()
	return load(t, writeTree(t, archive), change...)
}

// wantErrors compares the program's errors with "path: file:line: message" lines, of which
// the message may be the beginning.
func wantErrors(t *testing.T, p *Program, want ...string) {
	t.Helper()
	compareErrors(t, brokenLines(p), want)
}

func brokenLines(p *Program) []string {
	var got []string
	for _, b := range p.Broken {
		got = append(got, errorLines(b.Path, b.Errors)...)
	}
	return got
}

func errorLines(path string, errs []Error) []string {
	var lines []string
	for _, e := range errs {
		at := ""
		if e.Pos.Filename != "" {
			at = fmt.Sprintf("%s:%d: ", filepath.Base(e.Pos.Filename), e.Pos.Line)
		}
		lines = append(lines, path+": "+at+e.Msg)
	}
	return lines
}

func compareErrors(t *testing.T, got, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.HasPrefix(got[i], want[i])
	}
	if !ok {
		t.Errorf("errors:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// pkg returns a package of the first configuration.
func pkg(t *testing.T, p *Program, path string) *Package {
	t.Helper()
	q := p.Configs[0].Package(path)
	if q == nil {
		t.Fatalf("package %s is not loaded", path)
	}
	return q
}

// file returns a file of the world by its name relative to the directory worked in.
func file(t *testing.T, p *Program, rel string) *File {
	t.Helper()
	for _, f := range p.Files {
		if f.Rel == rel {
			return f
		}
	}
	t.Fatalf("file %s is not among the program's files", rel)
	return nil
}

// typeOf returns the type of a package-level object.
func typeOf(t *testing.T, q *Package, name string) types.Type {
	t.Helper()
	obj := q.Types.Scope().Lookup(name)
	if obj == nil {
		t.Fatalf("%s does not declare %s", q.Path, name)
	}
	return obj.Type()
}

// names returns the base names of files.
func names(files []*File) string {
	var list []string
	for _, f := range files {
		list = append(list, filepath.Base(f.Name))
	}
	return strings.Join(list, " ")
}
