package patches

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// gitRepo is an empty repository in which diffs are applied, cut off from the
// user's configuration.
type gitRepo struct{ dir string }

func newGitRepo(t testing.TB) *gitRepo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	r := &gitRepo{t.TempDir()}
	r.git(t, nil, "init", "-q")
	return r
}

func (r *gitRepo) run(stdin []byte, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_CEILING_DIRECTORIES="+filepath.Dir(r.dir), "HOME="+r.dir,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	return cmd.CombinedOutput()
}

func (r *gitRepo) git(t testing.TB, stdin []byte, args ...string) string {
	t.Helper()
	out, err := r.run(stdin, args...)
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// clear removes everything but the repository itself.
func (r *gitRepo) clear(t testing.TB) {
	t.Helper()
	list, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if d.Name() != ".git" {
			if err := os.RemoveAll(filepath.Join(r.dir, d.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// files returns the contents of all files, by slash-separated name.
func (r *gitRepo) files(t testing.TB) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(r.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == r.dir {
			return err
		}
		if d.Name() == ".git" && filepath.Dir(name) == r.dir {
			return filepath.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(name)
		got[filepath.ToSlash(name[len(r.dir)+1:])] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func writeFile(t testing.TB, name string, data []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// checkApply writes the set's old files, applies its diff with git and compares
// what is there then, byte for byte; then it applies the diff in reverse.
func checkApply(t testing.TB, r *gitRepo, s *Set) {
	t.Helper()
	r.clear(t)
	old, new := map[string]string{}, map[string]string{}
	changed := false
	for _, f := range s.Files {
		if f.Old != nil {
			writeFile(t, filepath.Join(r.dir, filepath.FromSlash(f.Rel)), f.Old, 0o644)
			old[f.Rel] = string(f.Old)
		}
		if f.New != nil {
			new[f.Rel] = string(f.New)
		}
		changed = changed || f.changes()
	}
	var b bytes.Buffer
	if err := s.Unified(&b); err != nil {
		t.Fatal(err)
	}
	if !changed {
		if b.Len() != 0 {
			t.Fatalf("no change, but a diff:\n%s", b.Bytes())
		}
		return
	}
	for _, step := range []struct {
		args []string
		want map[string]string
	}{
		{[]string{"apply", "--whitespace=nowarn"}, new},
		{[]string{"apply", "--whitespace=nowarn", "-R"}, old},
	} {
		if out, err := r.run(b.Bytes(), step.args...); err != nil {
			t.Fatalf("git %q: %v\n%s\ndiff:\n%s\nold: %q\nnew: %q", step.args, err, out, b.Bytes(), old, new)
		}
		if d := cmp.Diff(step.want, r.files(t)); d != "" {
			t.Fatalf("git %q gave other bytes (-want +got):\n%s\ndiff:\n%s", step.args, d, b.Bytes())
		}
	}
}

var oddNames = []string{
	"a.go", "dir/sub/b.go", "with space.go", " lead.go", "trail ", "dir with space/x y.go",
	"tab\there.go", "quote\"d.go", "back\\slash.go", "new\nline.go", "über/größe.go", "日本.go",
	"-dash.go", "a b/b/a b.go", "x b/x b", "cr\r.go", "bell\a\b\v\f\x01\x7f.go", "bad\xff\xfeutf8.go",
	"'single'.go", "dev/null", "sp\tand tab.go", "{brace}.go", "a.go\t", "ends b",
}

func usableName(name string) bool {
	if runtime.GOOS == "linux" {
		return true
	}
	return !strings.ContainsAny(name, "\t\n\r\"\\\a\b\v\f\x01\x7f\xff") && name == strings.TrimSpace(name)
}

var lineStock = []string{
	"", "}", "{", "\treturn nil", "func f() {", "x := 1", "x := 1 ", "-- a", "++ b", "@@ -1 +1 @@", "\\ No newline at end of file",
	"diff --git a/x b/x", "// é 世界", "\xff\xfe", "--- a/x", "+++ b/x", " lead", "\t", "\f", "a\rb", "GIT binary patch", "-- ",
}

// randomText returns a text of up to n lines with line ends of one or both kinds.
func randomText(rnd *rand.Rand, n int) []byte {
	var b []byte
	crlf := rnd.IntN(3) // never, always, mixed
	for range rnd.IntN(n + 1) {
		b = append(b, lineStock[rnd.IntN(len(lineStock))]...)
		if rnd.IntN(3) == 0 {
			b = fmt.Appendf(b, "%d", rnd.IntN(30))
		}
		b = append(b, lineEnd(rnd, crlf)...)
	}
	if rnd.IntN(3) == 0 && len(b) > 0 {
		b = b[:len(b)-1] // no newline at the end, perhaps a lone carriage return
	}
	if b == nil {
		b = []byte{}
	}
	return b
}

func lineEnd(rnd *rand.Rand, crlf int) string {
	if crlf == 1 || crlf == 2 && rnd.IntN(2) == 0 {
		return "\r\n"
	}
	return "\n"
}

// mutate returns data with some lines deleted, inserted, changed or moved.
func mutate(rnd *rand.Rand, data []byte) []byte {
	lines := splitLines(data)
	for range 1 + rnd.IntN(6) {
		at := rnd.IntN(len(lines) + 1)
		switch k := rnd.IntN(6); {
		case k == 0 || at == len(lines):
			lines = append(lines[:at:at], append([]string{string(randomText(rnd, 3))}, lines[at:]...)...)
		case k == 1:
			lines = append(lines[:at:at], lines[at+1:]...)
		case k == 2:
			lines[at] = strings.TrimRight(lines[at], "\r\n") + lineEnd(rnd, rnd.IntN(3))
		case k == 3:
			to := rnd.IntN(len(lines))
			lines[at], lines[to] = lines[to], lines[at]
		case k == 4:
			lines = append(lines[:at:at], append([]string{lines[at], lines[at]}, lines[at+1:]...)...)
		default:
			lines[at] = "new " + lines[at]
		}
	}
	out := []byte(strings.Join(lines, ""))
	switch rnd.IntN(6) {
	case 0:
		out = bytes.TrimRight(out, "\r\n")
	case 1:
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, '\n')
		}
	}
	return out
}

// randomFile returns a random change of the file.
func randomFile(rnd *rand.Rand, name string) *File {
	size := []int{0, 1, 4, 30, 200}[rnd.IntN(5)]
	f := &File{Rel: name, Mode: 0o644}
	switch rnd.IntN(8) {
	case 0:
		f.New = randomText(rnd, size)
	case 1:
		f.Old = randomText(rnd, size)
	case 2:
		f.Old, f.New = randomText(rnd, size), randomText(rnd, size)
	default:
		f.Old = randomText(rnd, size)
		f.New = mutate(rnd, f.Old)
	}
	return f
}

func TestUnifiedApplies(t *testing.T) {
	r := newGitRepo(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		s := &Set{Root: r.dir}
		for _, k := range rnd.Perm(len(oddNames))[:1+rnd.IntN(4)] {
			if usableName(oddNames[k]) {
				f := randomFile(rnd, oddNames[k])
				f.Name = filepath.Join(r.dir, filepath.FromSlash(f.Rel))
				s.Files = append(s.Files, f)
			}
		}
		checkApply(t, r, s)
		if t.Failed() {
			t.Fatalf("case %d", i)
		}
	}
}

// TestUnifiedCorners holds the cases that random texts seldom meet, alone in their set.
func TestUnifiedCorners(t *testing.T) {
	r := newGitRepo(t)
	texts := []string{"", "a", "a\n", "a\r\n", "a\nb", "a\nb\n", "b\na\n", "\n", "\r", "\n\n", "a\x00b\n", "\xef\xbb\xbfa\n"}
	for _, old := range texts {
		for _, new := range texts {
			f := &File{Rel: "x.go", Name: filepath.Join(r.dir, "x.go"), Old: []byte(old), New: []byte(new)}
			checkApply(t, r, &Set{Files: []*File{f}})
		}
		for _, name := range oddNames {
			if usableName(name) {
				n := filepath.Join(r.dir, name)
				checkApply(t, r, &Set{Files: []*File{{Rel: name, Name: n, Old: []byte(old)}}})
				checkApply(t, r, &Set{Files: []*File{{Rel: name, Name: n, New: []byte(old)}}})
			}
		}
	}
}

// TestUnifiedHeaders compares every line before the hunks with git's own.
func TestUnifiedHeaders(t *testing.T) {
	r := newGitRepo(t)
	s := &Set{}
	add := func(name string, mode fs.FileMode, old, new []byte) {
		if usableName(name) {
			s.Files = append(s.Files, &File{Rel: name, Name: filepath.Join(r.dir, name), Mode: mode, Old: old, New: new})
		}
	}
	for i, name := range oddNames {
		add(name, 0o644, []byte("a\n"), []byte("b\n"))
		add(name+"+", []fs.FileMode{0o644, 0o755, 0o600}[i%3], nil, []byte("b\n"))
		add(name+"-", []fs.FileMode{0o644, 0o755, 0o640}[i%3], []byte("a\n"), nil)
		add(name+"e", 0o644, nil, []byte{})
		add(name+"f", 0o644, []byte{}, nil)
	}
	for _, f := range s.Files {
		if f.Old != nil {
			writeFile(t, f.Name, f.Old, f.Mode)
		}
	}
	r.git(t, nil, "add", "-A")
	r.git(t, nil, "commit", "-qm", "old")
	for _, f := range s.Files {
		if f.New != nil {
			writeFile(t, f.Name, f.New, f.Mode)
		} else if err := os.Remove(f.Name); err != nil {
			t.Fatal(err)
		}
	}
	r.git(t, nil, "add", "-A")
	want := r.git(t, nil, "diff", "--cached", "--no-renames")
	var lines []string
	for line := range strings.Lines(want) {
		// Sets name no blobs but the empty one.
		if !strings.HasPrefix(line, "index ") || strings.Contains(line, "000..e69de29") || strings.Contains(line, "e69de29..000") {
			lines = append(lines, line)
		}
	}
	var b bytes.Buffer
	if err := s.Unified(&b); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Join(lines, ""), b.String()); d != "" {
		t.Errorf("differs from git (-git +set):\n%s", d)
	}
}

func TestUnifiedText(t *testing.T) {
	old := "package p\n\nimport \"x\"\n\nfunc a() {\n\tone()\n}\n\nfunc b() {\n}\n"
	new := "package p\n\nimport \"y\"\n\nfunc a() {\n\tone()\n}\n\nfunc c() {\n}\n\nfunc b() {\n}"
	s := &Set{Files: []*File{{Name: "/w/p.go", Rel: "p.go", Old: []byte(old), New: []byte(new)}}}
	want := `diff --git a/p.go b/p.go
--- a/p.go
+++ b/p.go
@@ -1,10 +1,13 @@
 package p
 
-import "x"
+import "y"
 
 func a() {
 	one()
 }
 
+func c() {
+}
+
 func b() {
-}
+}
\ No newline at end of file
`
	var b strings.Builder
	if err := s.Unified(&b); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestUnifiedNames(t *testing.T) {
	root, err := filepath.Abs(filepath.FromSlash("/w/app"))
	if err != nil {
		t.Fatal(err)
	}
	file := func(rel string) *File {
		return &File{Name: filepath.Join(root, filepath.FromSlash(rel)), Rel: rel, New: []byte{}}
	}
	for _, test := range []struct {
		name  string
		base  string
		files []*File
		want  []string
		err   string
	}{
		{"directory worked in", "", []*File{file("z.go"), file("sub/a.go")}, []string{"sub/a.go", "z.go"}, ""},
		{"sibling module", "", []*File{file("z.go"), file("../lib/a.go")}, []string{"app/z.go", "lib/a.go"}, ""},
		{"two levels up", "", []*File{file("../../o/a.go"), file("../lib/a.go"), file("z.go")}, []string{"o/a.go", "w/app/z.go", "w/lib/a.go"}, ""},
		{"given base", filepath.Dir(root), []*File{file("z.go")}, []string{"app/z.go"}, ""},
		{"outside the base", filepath.Join(root, "sub"), []*File{file("z.go")}, nil, "lies outside"},
		{"no name", "", []*File{{Name: filepath.Join(root, "a.go"), New: []byte{}}}, nil, "no relative name"},
		{"wrong name", "", []*File{{Name: filepath.Join(root, "a.go"), Rel: "../lib/b.go", New: []byte{}}}, nil, "does not end in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b strings.Builder
			err := (&Set{Root: root, Base: test.base, Files: test.files}).Unified(&b)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(b.String()) {
				if name, ok := strings.CutPrefix(line, "diff --git a/"); ok {
					name, _, _ = strings.Cut(name, " b/")
					got = append(got, name)
				}
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestUnifiedLarge is a file with more distinct lines than there are runes below
// the surrogates.
func TestUnifiedLarge(t *testing.T) {
	r := newGitRepo(t)
	var old, new []byte
	for i := range 70_000 {
		old = fmt.Appendf(old, "line %d\n", i)
		if i == 55_296 || i == 65_533 || i == 12 {
			new = fmt.Appendf(new, "other %d\n", i)
		} else {
			new = fmt.Appendf(new, "line %d\n", i)
		}
	}
	s := &Set{Files: []*File{{Name: filepath.Join(r.dir, "l.go"), Rel: "l.go", Old: old, New: new}}}
	checkApply(t, r, s)
	var b bytes.Buffer
	if err := s.Unified(&b); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b.Bytes(), []byte("\n@@ ")); n != 3 {
		t.Errorf("%d hunks, want 3", n)
	}
}

func FuzzUnified(f *testing.F) {
	f.Add("a.go", []byte("a\nb\nc\n"), []byte("a\nc\nd"), byte(0))
	f.Add("a b.go", []byte("a\r\nb\r\n"), []byte("a\nb\r\n"), byte(0))
	f.Add("ä\t\".go", []byte(""), []byte("x"), byte(1))
	f.Add("d/e", []byte("\n"), []byte(""), byte(2))
	f.Add("x", []byte("a\n\n\nb\n\n\n\n\n\n\nc\n"), []byte("\n\nb\n\n\n\n\n\n\nc\na"), byte(0))
	r := newGitRepo(f)
	f.Fuzz(func(t *testing.T, name string, old, new []byte, kind byte) {
		if !fuzzName(name) {
			t.Skip()
		}
		file := &File{Name: filepath.Join(r.dir, filepath.FromSlash(name)), Rel: name, Mode: 0o644}
		switch kind % 4 {
		case 1:
			file.New = append([]byte{}, new...)
		case 2:
			file.Old = append([]byte{}, old...)
		default:
			file.Old, file.New = append([]byte{}, old...), append([]byte{}, new...)
		}
		checkApply(t, r, &Set{Files: []*File{file}})
	})
}

// fuzzName reports whether name is one that a file in a repository can have.
func fuzzName(name string) bool {
	if !fs.ValidPath(strings.ToValidUTF8(name, "x")) || name == "." || len(name) > 200 || !usableName(name) {
		return false
	}
	if strings.ContainsRune(name, 0) || strings.Contains(strings.ToLower(name), "git") {
		return false // git refuses to touch its own files, in many spellings
	}
	return true
}
