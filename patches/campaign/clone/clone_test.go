package clone

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// TestMain makes the test's own executable the askpass helper, as ctxmend is, and a process to be killed.
func TestMain(m *testing.M) {
	if _, ok := os.LookupEnv(AskpassVariable); ok {
		os.Exit(Askpass(os.Args[1:], os.Getenv, os.Stdout))
	}
	if url := os.Getenv("CTXMEND_TEST_CLONE"); url != "" {
		_, _ = (&Git{}).Clone(context.Background(), campaign.Remote{URL: url}, os.Args[1])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A server is a bare repository, and a working tree with which people would push to it.
type server struct {
	t          *testing.T
	bare, work string
}

// newServer makes one whose default branch is trunk.
func newServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{t, filepath.Join(dir, "bare"), filepath.Join(dir, "work")}
	s.git(dir, "init", "-q", "--bare", "--initial-branch=trunk", "bare")
	s.git(dir, "init", "-q", "--initial-branch=trunk", "work")
	return s
}

// git runs git as somebody else would.
func (s *server) git(dir string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits files, given as name and content, and pushes them to a branch.
func (s *server) commit(branch string, files ...string) string {
	s.t.Helper()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(s.work, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	s.git(s.work, "add", "-A")
	s.git(s.work, "commit", "-q", "--allow-empty", "-m", "more")
	return s.push(branch)
}

func (s *server) push(branch string) string {
	s.t.Helper()
	s.git(s.work, "push", "-q", "--force", s.bare, "HEAD:refs/heads/"+branch)
	return s.git(s.work, "rev-parse", "HEAD")
}

func (s *server) remote() campaign.Remote { return campaign.Remote{URL: s.bare, Local: true} }

func (s *server) at(branch string) string {
	s.t.Helper()
	return s.git(s.bare, "for-each-ref", "--format=%(objectname)", "refs/heads/"+branch)
}

// tree lists what lies below a directory, .git left out.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(dir, name)
		if !d.IsDir() {
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mustClone(t *testing.T, g *Git, remote campaign.Remote, dir string) campaign.Base {
	t.Helper()
	base, err := g.Clone(t.Context(), remote, dir)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// ours is a commit as campaigns make them.
func ours(parent string, changes ...campaign.FileChange) campaign.Commit {
	return campaign.Commit{
		Parent: parent, Changes: changes, Message: "Mend contexts\n\nAll of them.", Name: "Mender", Email: "mender@example.com",
		When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func TestCloneAndUpdate(t *testing.T) {
	s, g := newServer(t), &Git{}
	first := s.commit("trunk", "a.txt", "one\r\n", "d/b.txt", "two\n", ".gitattributes", "* text=auto eol=crlf\n")
	dir := filepath.Join(t.TempDir(), "clone")
	base := mustClone(t, g, s.remote(), dir)
	if base != (campaign.Base{Branch: "trunk", Commit: first}) {
		t.Errorf("base %+v, want trunk at %s", base, first)
	}
	if got := tree(t, dir); !slices.Equal(got, []string{".gitattributes", "a.txt", "d/b.txt"}) {
		t.Errorf("files %q", got)
	}
	if got, want := read(t, dir, "d/b.txt"), "two\n"; got != want {
		t.Errorf("b.txt is %q: attributes have had a say", got)
	}
	// What commands have left in the directory goes, what came since comes.
	if err := os.WriteFile(filepath.Join(dir, "left"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.git(s.work, "rm", "-q", "a.txt")
	second := s.commit("trunk", "c.txt", "three\n")
	if base = mustClone(t, g, s.remote(), dir); base.Commit != second {
		t.Errorf("base %+v, want %s", base, second)
	}
	if got := tree(t, dir); !slices.Equal(got, []string{".gitattributes", "c.txt", "d/b.txt"}) {
		t.Errorf("files %q", got)
	}
	// The default branch is the one that the remote says, and may change; and history may be rewritten.
	s.git(s.work, "checkout", "-q", "--orphan", "fresh")
	third := s.commit("main", "m.txt", "main\n")
	s.git(s.bare, "symbolic-ref", "HEAD", "refs/heads/main")
	if base = mustClone(t, g, s.remote(), dir); base != (campaign.Base{Branch: "main", Commit: third}) {
		t.Errorf("base %+v, want main at %s", base, third)
	}
	// Another remote in the same directory is another clone.
	other := newServer(t)
	fourth := other.commit("trunk", "o.txt", "other\n")
	if base = mustClone(t, g, other.remote(), dir); base.Commit != fourth {
		t.Errorf("base %+v, want %s", base, fourth)
	}
}

// TestCloneAfterInterruption leaves what commands that are killed leave, and breaks what they may break.
func TestCloneAfterInterruption(t *testing.T) {
	s, g := newServer(t), &Git{}
	s.commit("trunk", "a.txt", "one\n")
	dir := filepath.Join(t.TempDir(), "clone")
	mustClone(t, g, s.remote(), dir)
	at := filepath.Join(dir, ".git")
	for name, spoil := range map[string]func() error{
		"locks": func() error {
			return errors.Join(os.WriteFile(filepath.Join(at, "shallow.lock"), nil, 0o644), os.WriteFile(filepath.Join(at, "refs/ctxmend/base.lock"), nil, 0o644))
		},
		"no objects":   func() error { return os.RemoveAll(filepath.Join(at, "objects", "pack")) },
		"half a clone": func() error { return os.Remove(filepath.Join(at, "HEAD")) },
		"no mark":      func() error { return os.Remove(filepath.Join(at, markName)) },
		"no files":     func() error { return os.Remove(filepath.Join(dir, "a.txt")) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		want := s.commit("trunk", "a.txt", name)
		base, err := g.Clone(t.Context(), s.remote(), dir)
		if err != nil || base.Commit != want || read(t, dir, "a.txt") != name {
			t.Errorf("%s: %+v, %v", name, base, err)
		}
	}
}

func TestCloneRefuses(t *testing.T) {
	g := &Git{}
	empty, headless := newServer(t), newServer(t)
	headless.commit("side", "a.txt", "one\n") // and no trunk
	for name, tt := range map[string]struct {
		remote campaign.Remote
		want   error
	}{
		"empty":          {empty.remote(), campaign.ErrEmpty},
		"no HEAD":        {headless.remote(), campaign.ErrEmpty},
		"not there":      {campaign.Remote{URL: filepath.Join(t.TempDir(), "none"), Local: true}, campaign.ErrNoAccess},
		"relative":       {campaign.Remote{URL: "bare", Local: true}, nil},
		"not local":      {campaign.Remote{URL: headless.bare}, errURL},
		"file":           {campaign.Remote{URL: "file://" + headless.bare}, errURL},
		"ext":            {campaign.Remote{URL: "ext::sh -c touch% " + t.TempDir()}, errURL},
		"ssh":            {campaign.Remote{URL: "ssh://git@example.com/a"}, errURL},
		"scp":            {campaign.Remote{URL: "git@example.com:a/b"}, errURL},
		"option":         {campaign.Remote{URL: "--upload-pack=touch x"}, errURL},
		"local option":   {campaign.Remote{URL: "--upload-pack=touch x", Local: true}, nil},
		"password":       {campaign.Remote{URL: "https://me:secret@example.com/a"}, errURL},
		"white space":    {campaign.Remote{URL: "https://example.com/a\nb"}, errURL},
		"too many bytes": {campaign.Remote{URL: headless.bare, Local: true, MaxBytes: 10}, campaign.ErrEmpty},
	} {
		_, err := g.Clone(t.Context(), tt.remote, filepath.Join(t.TempDir(), "clone"))
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error repeats a password: %v", name, err)
		}
	}
	if _, err := g.Clone(t.Context(), headless.remote(), "relative"); err == nil {
		t.Error("a relative directory is cloned into")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Clone(ctx, headless.remote(), t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestCommitPushDelete(t *testing.T) {
	s, g, ctx := newServer(t), &Git{}, t.Context()
	s.commit("trunk", "a.go", "old\n", "sub/b.go", "b\n", "run.sh", "#!/bin/sh\n", ".gitattributes", "*.go filter=evil text eol=crlf\n")
	if err := os.Chmod(filepath.Join(s.work, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.commit("trunk")
	dir := filepath.Join(t.TempDir(), "clone")
	base := mustClone(t, g, s.remote(), dir)
	c := ours(base.Commit,
		campaign.FileChange{Name: "a.go", Before: []byte("old\n"), After: []byte("new\r\n")},
		campaign.FileChange{Name: "new/dir/c.go", After: []byte("c\n")},
		campaign.FileChange{Name: "run.sh", Before: []byte("#!/bin/sh\n"), After: []byte("#!/bin/sh\n:\n")},
		campaign.FileChange{Name: "sub/b.go", Before: []byte("b\n")},
	)
	hash, err := g.Commit(ctx, dir, c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := g.Commit(ctx, dir, c); err != nil || again != hash {
		t.Errorf("the same commit is %s and %s (%v)", hash, again, err)
	}
	if got := read(t, dir, "a.go"); got != "old\n" {
		t.Errorf("committing has changed the file that is checked out: %q", got)
	}
	if err := g.Push(ctx, s.remote(), dir, "mend/one", hash, ""); err != nil {
		t.Fatal(err)
	}
	if got := s.git(s.bare, "log", "-1", "--format=%an <%ae> %cn <%ce> %ct %P%n%B", "mend/one"); got != "Mender <mender@example.com> Mender <mender@example.com> 1767323045 "+base.Commit+"\nMend contexts\n\nAll of them." {
		t.Errorf("commit: %s", got)
	}
	if got := s.git(s.bare, "diff-tree", "-r", "--name-status", base.Commit, hash); got != "M\ta.go\nA\tnew/dir/c.go\nM\trun.sh\nD\tsub/b.go" {
		t.Errorf("changes: %s", got)
	}
	if got := s.git(s.bare, "ls-tree", hash, "run.sh"); !strings.HasPrefix(got, "100755") {
		t.Errorf("mode: %s", got)
	}
	if got := s.git(s.bare, "cat-file", "-p", hash+":a.go"); got != "new\r" && got != "new" {
		t.Errorf("contents: %q", got)
	}
	into := filepath.Join(t.TempDir(), "export")
	if err := g.Export(ctx, dir, hash, into); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, into); !slices.Equal(got, []string{".gitattributes", "a.go", "new/dir/c.go", "run.sh"}) || read(t, into, "a.go") != "new\r\n" {
		t.Errorf("exported %q, a.go %q", got, read(t, into, "a.go"))
	}
	if info, err := os.Stat(filepath.Join(into, "run.sh")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("run.sh cannot be run: %v %v", info, err)
	}
	if err := g.Export(ctx, dir, hash, into); err == nil {
		t.Error("exported into a directory that is not empty")
	}
	// Pushing again is no error; pushing over something else is.
	if err := g.Push(ctx, s.remote(), dir, "mend/one", hash, ""); err != nil {
		t.Errorf("again: %v", err)
	}
	c.Message = "Other words"
	next, err := g.Commit(ctx, dir, c)
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"push as new":    g.Push(ctx, s.remote(), dir, "mend/one", next, ""),
		"push over":      g.Push(ctx, s.remote(), dir, "mend/one", next, base.Commit),
		"push over gone": g.Push(ctx, s.remote(), dir, "mend/two", next, base.Commit),
		"delete":         g.Delete(ctx, s.remote(), dir, "mend/one", base.Commit),
	} {
		if !errors.Is(err, campaign.ErrLease) {
			t.Errorf("%s: %v, want ErrLease", what, err)
		}
	}
	if err := g.Push(ctx, s.remote(), dir, "trunk", next, base.Commit); err == nil || s.at("trunk") != base.Commit {
		t.Errorf("pushing to the default branch: %v", err)
	}
	if err := g.Push(ctx, s.remote(), dir, "mend/one", next, hash); err != nil || s.at("mend/one") != next {
		t.Errorf("with the right lease: %v", err)
	}
	if err := g.Delete(ctx, s.remote(), dir, "mend/one", next); err != nil || s.at("mend/one") != "" {
		t.Errorf("delete: %v", err)
	}
	if err := g.Delete(ctx, s.remote(), dir, "mend/one", next); err != nil {
		t.Errorf("delete what is gone: %v", err)
	}
	// A server has rules of its own.
	s.git(s.bare, "config", "receive.denyDeletes", "true")
	if err := g.Push(ctx, s.remote(), dir, "mend/kept", next, ""); err != nil {
		t.Error(err)
	}
	if err := g.Delete(ctx, s.remote(), dir, "mend/kept", next); !errors.Is(err, campaign.ErrRefused) {
		t.Errorf("delete what the server keeps: %v", err)
	}
}

func TestCommitRefuses(t *testing.T) {
	s, g := newServer(t), &Git{}
	s.commit("trunk", "a.go", "old\n", "dir/b.go", "b\n")
	if err := os.Symlink("/etc", filepath.Join(s.work, "etc")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := os.Symlink("a.go", filepath.Join(s.work, "link.go")); err != nil {
		t.Fatal(err)
	}
	s.commit("trunk")
	dir := filepath.Join(t.TempDir(), "clone")
	base := mustClone(t, g, s.remote(), dir)
	for what, change := range map[string]campaign.FileChange{
		"stale":             {Name: "a.go", Before: []byte("older\n"), After: []byte("new\n")},
		"there already":     {Name: "a.go", After: []byte("new\n")},
		"not there":         {Name: "none.go", Before: []byte("x"), After: []byte("new\n")},
		"up":                {Name: "../a.go", After: []byte("new\n")},
		"up within":         {Name: "dir/../../a.go", After: []byte("new\n")},
		"absolute":          {Name: "/tmp/a.go", After: []byte("new\n")},
		"through a link":    {Name: "etc/a.go", After: []byte("new\n")},
		"a link":            {Name: "link.go", Before: []byte("a.go"), After: []byte("new\n")},
		"below a file":      {Name: "a.go/b.go", After: []byte("new\n")},
		"git":               {Name: ".git/config", After: []byte("new\n")},
		"git by case":       {Name: "dir/.GiT/config", After: []byte("new\n")},
		"git for HFS+":      {Name: ".g\u200cit/config", After: []byte("new\n")},
		"git for NTFS":      {Name: "git~1/config", After: []byte("new\n")},
		"a stream for NTFS": {Name: ".git::$INDEX_ALLOCATION/config", After: []byte("new\n")},
		"NUL":               {Name: "a\x00b", After: []byte("new\n")},
		"empty":             {Name: "", After: []byte("new\n")},
	} {
		if hash, err := g.Commit(t.Context(), dir, ours(base.Commit, change)); err == nil {
			t.Errorf("%s: committed as %s", what, hash)
		}
	}
	for what, spoil := range map[string]func(*campaign.Commit){
		"name":    func(c *campaign.Commit) { c.Name = "A <b@c>" },
		"email":   func(c *campaign.Commit) { c.Email = "a\nparent x" },
		"message": func(c *campaign.Commit) { c.Message = " \n" },
		"parent":  func(c *campaign.Commit) { c.Parent = "--all" },
	} {
		c := ours(base.Commit)
		spoil(&c)
		if hash, err := g.Commit(t.Context(), dir, c); err == nil {
			t.Errorf("%s: committed as %s", what, hash)
		}
	}
}

// TestBranchCommits tells commits that are not in the default branch, however far that has moved on.
func TestBranchCommits(t *testing.T) {
	s, g, ctx := newServer(t), &Git{}, t.Context()
	s.commit("trunk", "a.go", "old\n")
	dir := filepath.Join(t.TempDir(), "clone")
	base := mustClone(t, g, s.remote(), dir)
	if b, err := g.Branch(ctx, s.remote(), dir, "mend"); err != nil || b.Commit != "" || len(b.Commits) != 0 {
		t.Errorf("no branch: %+v, %v", b, err)
	}
	hash, err := g.Commit(ctx, dir, ours(base.Commit, campaign.FileChange{Name: "a.go", Before: []byte("old\n"), After: []byte("new\n")}))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Push(ctx, s.remote(), dir, "mend", hash, ""); err != nil {
		t.Fatal(err)
	}
	alone := func(what string) {
		t.Helper()
		b, err := g.Branch(ctx, s.remote(), dir, "mend")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if b.Commit != hash || len(b.Commits) != 1 || b.Commits[0] != (campaign.CommitInfo{Hash: hash, CommitterName: "Mender", CommitterEmail: "mender@example.com", Message: "Mend contexts\n\nAll of them.\n"}) {
			t.Errorf("%s: %+v", what, b)
		}
	}
	alone("base not moved")
	s.commit("trunk", "b.go", "1\n")
	alone("base moved")
	for range 60 {
		s.git(s.work, "commit", "-q", "--allow-empty", "-m", "on")
	}
	s.push("trunk")
	alone("base moved by more than is looked at first")
	// Somebody adds to it.
	s.git(s.work, "fetch", "-q", s.bare, "mend")
	s.git(s.work, "checkout", "-q", "FETCH_HEAD")
	human := s.commit("mend", "c.go", "human\n")
	b, err := g.Branch(ctx, s.remote(), dir, "mend")
	if err != nil || b.Commit != human || len(b.Commits) != 2 || b.Commits[0].CommitterEmail != "ann@example.com" || b.Commits[1].Hash != hash {
		t.Errorf("human commit: %+v, %v", b, err)
	}
	// Somebody merges the default branch into it: its commits are none of the branch's own.
	s.git(s.work, "fetch", "-q", s.bare, "trunk")
	s.git(s.work, "merge", "-q", "-m", "merge", "FETCH_HEAD")
	merge := s.push("mend")
	b, err = g.Branch(ctx, s.remote(), dir, "mend")
	if err != nil || len(b.Commits) != 3 || b.Commits[0].Hash != merge {
		t.Errorf("merged base: %d commits, %v", len(b.Commits), err)
	}
	// What is in the default branch is not beyond it.
	s.push("trunk")
	if b, err = g.Branch(ctx, s.remote(), dir, "mend"); err != nil || len(b.Commits) != 0 || b.Commit != merge {
		t.Errorf("merged: %+v, %v", b, err)
	}
	for _, name := range []string{"", "-x", "a..b", "a b", "a\nb", "a.lock", "x~1"} {
		if b, err := g.Branch(ctx, s.remote(), dir, name); err == nil {
			t.Errorf("branch %q: %+v", name, b)
		}
	}
}
