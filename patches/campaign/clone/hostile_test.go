package clone

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// object writes an object as it is, sound or not.
func (s *server) object(kind string, data []byte) string {
	s.t.Helper()
	cmd := exec.Command("git", "-C", s.bare, "hash-object", "-t", kind, "-w", "--stdin", "--literally")
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// tree writes a tree of entries as they are: mode, name and object, three words each.
func (s *server) tree(entries ...string) string {
	s.t.Helper()
	var b bytes.Buffer
	for i := 0; i < len(entries); i += 3 {
		hash, err := hex.DecodeString(entries[i+2])
		if err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\x00%s", entries[i], entries[i+1], hash)
	}
	return s.object("tree", b.Bytes())
}

// show makes a tree the newest commit of the default branch.
func (s *server) show(tree string) string {
	s.t.Helper()
	commit := s.git(s.bare, "commit-tree", "-m", "hostile", tree)
	s.git(s.bare, "update-ref", "refs/heads/trunk", commit)
	return commit
}

// TestHostileNames has trees that git would refuse to check out, for names that lead elsewhere.
func TestHostileNames(t *testing.T) {
	g := &Git{}
	for name, build := range map[string]func(s *server, blob string) string{
		"git directory":  func(s *server, b string) string { return s.tree("40000", ".git", s.tree("100644", "config", b)) },
		"git file":       func(s *server, b string) string { return s.tree("100644", ".git", b) },
		"by case":        func(s *server, b string) string { return s.tree("40000", ".GIT", s.tree("100644", "config", b)) },
		"for HFS+":       func(s *server, b string) string { return s.tree("40000", ".g\u200cit", s.tree("100644", "config", b)) },
		"for NTFS":       func(s *server, b string) string { return s.tree("40000", "git~1", s.tree("100644", "config", b)) },
		"with a space":   func(s *server, b string) string { return s.tree("40000", ".git ", s.tree("100644", "config", b)) },
		"in a directory": func(s *server, b string) string { return s.tree("40000", "d", s.tree("100644", ".git", b)) },
		"up":             func(s *server, b string) string { return s.tree("40000", "..", s.tree("100644", "evil", b)) },
		"up in one":      func(s *server, b string) string { return s.tree("100644", "../evil", b) },
		"up within":      func(s *server, b string) string { return s.tree("40000", "d", s.tree("100644", "../../evil", b)) },
		"absolute":       func(s *server, b string) string { return s.tree("100644", "/tmp/ctxmend-evil", b) },
		"dot":            func(s *server, b string) string { return s.tree("100644", ".", b) },
		"through a link": func(s *server, b string) string {
			return s.tree("120000", "a", s.object("blob", []byte("..")), "40000", "a", s.tree("100644", "evil", b))
		},
		"twice": func(s *server, b string) string { return s.tree("100644", "a", b, "100644", "a", b) },
		"link and file": func(s *server, b string) string {
			return s.tree("120000", "a", s.object("blob", []byte("../evil")), "100644", "a", b)
		},
	} {
		s := newServer(t)
		s.show(build(s, s.object("blob", []byte("spoilt\n"))))
		dir := filepath.Join(t.TempDir(), "in", "clone")
		if _, err := g.Clone(t.Context(), s.remote(), dir); !errors.Is(err, campaign.ErrHostile) {
			t.Errorf("%s: %v, want ErrHostile", name, err)
		}
		if got := tree(t, filepath.Dir(filepath.Dir(dir))); slices.ContainsFunc(got, func(f string) bool { return strings.HasSuffix(f, "evil") }) {
			t.Errorf("%s has written outside: %q", name, got)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s has left %v (%v)", name, left, err)
		}
		if _, err := os.Stat("/tmp/ctxmend-evil"); err == nil {
			t.Errorf("%s has written to /tmp", name)
		}
	}
}

// TestLinks keeps links that lead to places in the clone, and no others.
func TestLinks(t *testing.T) {
	s, g := newServer(t), &Git{}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.commit("trunk", "d/file", "kept\n", "Name", "1", "name", "2", "n\u00e9", "3", "ne\u0301", "4")
	for name, target := range map[string]string{
		"good": "d/file", "d/up": "../d/file", "dir": "d", "dangling": "not/there",
		"absolute": filepath.Join(outside, "secret"), "relative": "../../../../../../../../../.." + filepath.Join(outside, "secret"),
		"git": ".git/config", "d/git": "../.git/config", "all": "/", "proc": "/proc/self/environ", "empty-ish": "d/../..",
		"one": "two/../secret", "two": "dir2/x", "chain": "hop/..", "hop": "d/../dir",
	} {
		if err := os.Symlink(target, filepath.Join(s.work, filepath.FromSlash(name))); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	s.commit("trunk")
	dir := filepath.Join(t.TempDir(), "clone")
	mustClone(t, g, s.remote(), dir)
	top, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := tree(t, dir)
	for _, name := range files {
		to, err := filepath.EvalSymlinks(filepath.Join(dir, filepath.FromSlash(name)))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if rel, rerr := filepath.Rel(top, to); err != nil || rerr != nil || !filepath.IsLocal(rel) || firstOf(filepath.ToSlash(rel)) == ".git" {
			t.Errorf("%s leads to %s (%v)", name, to, err)
		}
	}
	for _, want := range []string{"good", "d/up", "dir", "dangling"} {
		if !slices.Contains(files, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, no := range []string{"absolute", "relative", "git", "d/git", "all", "proc", "empty-ish"} {
		if slices.Contains(files, no) {
			t.Errorf("%s is there", no)
		}
	}
	// This machine tells these names apart; then both are there, each with its own contents.
	if slices.Contains(files, "Name") && (read(t, dir, "Name") != "1" || read(t, dir, "name") != "2" || read(t, dir, "n\u00e9") != "3" || read(t, dir, "ne\u0301") != "4") {
		t.Error("files whose names are alike were mixed up")
	}
}

// TestSameName is the file system that does not tell names apart: a file, or a directory, that is there already is never written to.
func TestSameName(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := os.WriteFile(filepath.Join(dir, "readme"), []byte("first"), 0o644); err != nil {
		t.Fatal(err)
	}
	w := &writer{root: root, dir: dir, made: map[string]bool{".": true}}
	for _, e := range []entry{{mode: modeFile, name: "readme"}, {mode: modeFile, name: "readme/x"}} {
		if err := w.write(e, strings.NewReader("second")); !errors.Is(err, campaign.ErrHostile) {
			t.Errorf("%s: %v", e.name, err)
		}
	}
	w = &writer{root: root, dir: dir, made: map[string]bool{".": true}}
	if err := errors.Join(w.write(entry{mode: modeSymlink, name: "readme"}, strings.NewReader("other")), w.link()); !errors.Is(err, campaign.ErrHostile) {
		t.Errorf("link: %v", err)
	}
	if got := read(t, dir, "readme"); got != "first" {
		t.Errorf("readme is %q", got)
	}
}

// mark returns a command that leaves a file behind, and a function that tells whether it was run, and forgets it.
func mark(t *testing.T) (command string, ran func() bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ran")
	return "touch " + file, func() bool {
		_, err := os.Stat(file)
		os.Remove(file)
		return err == nil
	}
}

// hooks writes all hooks there are into a directory.
func hooks(t *testing.T, dir, command string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pre-commit", "post-commit", "post-checkout", "post-merge", "pre-push", "reference-transaction", "post-index-change", "pre-receive", "update",
		"post-receive", "post-update", "push-to-checkout", "proc-receive", "pre-auto-gc", "fsmonitor-watchman"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+command+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// everything does all that can be done with a clone.
func everything(t *testing.T, g *Git, remote campaign.Remote, dir string) {
	t.Helper()
	ctx := t.Context()
	base := mustClone(t, g, remote, dir)
	hash, err := g.Commit(ctx, dir, ours(base.Commit, campaign.FileChange{Name: "new.go", After: []byte("new\n")}))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Push(ctx, remote, dir, "mend", hash, ""); err != nil {
		t.Fatal(err)
	}
	if b, err := g.Branch(ctx, remote, dir, "mend"); err != nil || b.Commit != hash || len(b.Commits) != 1 {
		t.Fatal(b, err)
	}
	if err := g.Export(ctx, dir, hash, filepath.Join(t.TempDir(), "export")); err != nil {
		t.Fatal(err)
	}
	if err := g.Delete(ctx, remote, dir, "mend", hash); err != nil {
		t.Fatal(err)
	}
}

// TestUserConfiguration has a user whose configuration runs programs, as those of LFS and credential helpers do. git runs them when asked as people
// do, and does not when asked by us.
func TestUserConfiguration(t *testing.T) {
	s := newServer(t)
	s.commit("trunk", "a.go", "old\n", "large.bin", "version https://git-lfs.github.com/spec/v1\n", ".gitattributes", "*.bin filter=lfs\n*.go filter=lfs\n")
	command, ran := mark(t)
	home := t.TempDir()
	hooks(t, filepath.Join(home, "hooks"), command)
	hooks(t, filepath.Join(home, "template", "hooks"), command)
	config := "[core]\n\thooksPath = " + filepath.Join(home, "hooks") + "\n\tfsmonitor = " + command + "\n[init]\n\ttemplateDir = " + filepath.Join(home, "template") +
		"\n[filter \"lfs\"]\n\tsmudge = " + command + "; cat\n\tclean = " + command + "; cat\n\trequired = true\n[credential]\n\thelper = \"!" + command + "\"\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, ".gitconfig"))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
	t.Setenv("GIT_CONFIG_VALUE_0", command)
	if out, err := exec.Command("git", "clone", "-q", s.bare, filepath.Join(t.TempDir(), "clone")).CombinedOutput(); err != nil || !ran() {
		t.Fatalf("git clone runs nothing, so that this proves nothing: %v\n%s", err, out)
	}
	everything(t, &Git{}, s.remote(), filepath.Join(t.TempDir(), "clone"))
	if ran() {
		t.Error("a program of the user's configuration was run")
	}
}

// TestSpoiltClone has a clone into which a command without a sandbox has written what makes git run programs.
func TestSpoiltClone(t *testing.T) {
	s, g := newServer(t), &Git{}
	s.commit("trunk", "a.go", "old\n")
	command, ran := mark(t)
	dir := filepath.Join(t.TempDir(), "clone")
	mustClone(t, g, s.remote(), dir)
	at := filepath.Join(dir, ".git")
	spoil := func() {
		t.Helper()
		evil := "[core]\n\tbare = false\n\tfsmonitor = " + command + "\n\talternateRefsCommand = " + command + "\n\thooksPath = " + filepath.Join(at, "hooks") +
			"\n[include]\n\tpath = more\n[filter \"f\"]\n\tclean = " + command + "; cat\n\tsmudge = " + command + "; cat\n[extensions]\n\tworktreeConfig = true\n"
		hooks(t, filepath.Join(at, "hooks"), command)
		for name, text := range map[string]string{"config": evil, "config.worktree": evil, "more": "[core]\n\tfsmonitor = " + command + "\n", "info/attributes": "* filter=f\n", "objects/info/alternates": filepath.Join(s.bare, "objects") + "\n"} {
			file := filepath.Join(at, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	spoil()
	cmd := exec.Command("git", "fetch", s.bare, "trunk:refs/heads/x")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); !ran() {
		t.Fatalf("git fetch runs nothing, so that this proves nothing: %v\n%s", err, out)
	}
	s.commit("trunk", "a.go", "newer\n")
	spoil()
	everything(t, g, s.remote(), dir)
	if ran() {
		t.Error("a program of the clone's configuration was run")
	}
	if got := read(t, dir, ".git/config"); got != config {
		t.Errorf("configuration:\n%s", got)
	}
	// A .git that is a link, or a file, is no clone of ours.
	for name, replace := range map[string]func() error{
		"link": func() error { return os.Symlink(s.bare, at) },
		"file": func() error { return os.WriteFile(at, []byte("gitdir: "+s.bare+"\n"), 0o644) },
	} {
		if err := errors.Join(os.RemoveAll(at), replace()); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Commit(t.Context(), dir, ours(s.at("trunk"))); err == nil {
			t.Errorf("%s: a commit was made in another repository", name)
		}
		mustClone(t, g, s.remote(), dir)
		if info, err := os.Lstat(at); err != nil || !info.IsDir() {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
}

// TestLocalRemote has a repository of this machine whose hooks and configuration run programs: a server's would run there, these would run here.
func TestLocalRemote(t *testing.T) {
	s := newServer(t)
	s.commit("trunk", "a.go", "old\n")
	command, ran := mark(t)
	hooks(t, filepath.Join(s.bare, "hooks"), command)
	other := newServer(t)
	other.commit("trunk", "b.go", "b\n")
	if err := os.WriteFile(filepath.Join(s.bare, "objects/info/alternates"), []byte(filepath.Join(other.bare, "objects")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, kv := range [][2]string{{"core.alternateRefsCommand", command + " #"}, {"uploadpack.packObjectsHook", command + "; exec "}, {"core.fsmonitor", command}, {"core.hooksPath", filepath.Join(s.bare, "hooks")}} {
		s.git(s.bare, "config", kv[0], kv[1])
	}
	s.git(s.work, "push", "-q", s.bare, "HEAD:refs/heads/as-people-do")
	if !ran() {
		t.Fatal("git push runs nothing, so that this proves nothing")
	}
	everything(t, &Git{}, s.remote(), filepath.Join(t.TempDir(), "clone"))
	if ran() {
		t.Error("a program of the remote's configuration was run")
	}
}

// TestLocalPromisor has a repository that lacks an object and would fetch it by a command of its own.
func TestLocalPromisor(t *testing.T) {
	s := newServer(t)
	s.commit("trunk", "a.go", "old\n")
	command, ran := mark(t)
	blob := s.git(s.bare, "rev-parse", "trunk:a.go")
	if err := os.Remove(filepath.Join(s.bare, "objects", blob[:2], blob[2:])); err != nil {
		t.Fatal(err)
	}
	for _, kv := range [][2]string{{"core.repositoryformatversion", "1"}, {"extensions.partialClone", "evil"}, {"remote.evil.promisor", "true"},
		{"remote.evil.url", "file://" + s.bare}, {"remote.evil.uploadpack", command + "; git-upload-pack"}} {
		s.git(s.bare, "config", kv[0], kv[1])
	}
	if _, err := (&Git{}).Clone(t.Context(), s.remote(), filepath.Join(t.TempDir(), "clone")); err == nil {
		t.Error("a repository without its files was cloned")
	}
	if ran() {
		t.Error("a program of the remote's configuration was run")
	}
}

// TestSubmodules leaves them alone, whatever their addresses are.
func TestSubmodules(t *testing.T) {
	s, g := newServer(t), &Git{}
	other := newServer(t)
	inner := other.commit("trunk", "inner.txt", "inner\n")
	command, ran := mark(t)
	modules := "[submodule \"sub\"]\n\tpath = sub\n\turl = " + other.bare + "\n\tupdate = !" + command + "\n[submodule \"opt\"]\n\tpath = opt\n\turl = --upload-pack=" + command +
		"\n[submodule \"ext\"]\n\tpath = ext\n\turl = \"ext::sh -c " + command + "\"\n[submodule \"../../up\"]\n\tpath = up\n\turl = " + other.bare + "\n"
	blob := s.object("blob", []byte(modules))
	s.show(s.tree("100644", ".gitmodules", blob, "100644", "a.go", s.object("blob", []byte("a\n")), "160000", "ext", inner, "160000", "opt", inner, "160000", "sub", inner, "160000", "up", inner))
	dir := filepath.Join(t.TempDir(), "clone")
	everything(t, g, s.remote(), dir)
	if got := tree(t, dir); !slices.Equal(got, []string{".gitmodules", "a.go"}) || ran() {
		t.Errorf("files %q", got)
	}
	base := mustClone(t, g, s.remote(), dir)
	hash, err := g.Commit(t.Context(), dir, ours(base.Commit, campaign.FileChange{Name: "b.go", After: []byte("b\n")}))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Push(t.Context(), s.remote(), dir, "mend", hash, ""); err != nil {
		t.Fatal(err)
	}
	if got := s.git(s.bare, "diff-tree", "-r", "--name-status", base.Commit, "mend"); got != "A\tb.go" {
		t.Errorf("a commit changes submodules: %s", got)
	}
	if _, err := g.Commit(t.Context(), dir, ours(base.Commit, campaign.FileChange{Name: "sub/c.go", After: []byte("c\n")})); err == nil {
		t.Error("a file was committed into a submodule")
	}
}

// TestBranchNames has default branches with names that would be something else on a command line.
func TestBranchNames(t *testing.T) {
	s, g := newServer(t), &Git{}
	commit := s.commit("trunk", "a.go", "a\n")
	command, ran := mark(t)
	for _, name := range []string{"-x", "--upload-pack=" + strings.ReplaceAll(command, " ", "$IFS")} {
		file := filepath.Join(s.bare, "refs", "heads", filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(commit+"\n"), 0o644), os.WriteFile(filepath.Join(s.bare, "HEAD"), []byte("ref: refs/heads/"+name+"\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
		if base, err := g.Clone(t.Context(), s.remote(), filepath.Join(t.TempDir(), "clone")); err == nil && base.Branch != name || err != nil && !errors.Is(err, campaign.ErrHostile) || ran() {
			t.Errorf("%s: %+v, %v", name, base, err)
		}
	}
}

// TestLarge has repositories that would fill the disk: by their packs, by what comes out of small packs, and by the number of files.
func TestLarge(t *testing.T) {
	zeros, noise := newServer(t), newServer(t)
	zeros.commit("trunk", "zeros", strings.Repeat("\x00", 24<<20))
	random := make([]byte, 12<<20)
	if _, err := io.ReadFull(rand.Reader, random); err != nil {
		t.Fatal(err)
	}
	noise.commit("trunk", "noise", string(random))
	many := newServer(t)
	var files []string
	for i := range 300 {
		files = append(files, fmt.Sprintf("d%d/f", i), fmt.Sprint(i))
	}
	many.commit("trunk", files...)
	for name, tt := range map[string]struct {
		g      *Git
		remote campaign.Remote
	}{
		"zeros": {&Git{}, campaign.Remote{URL: zeros.bare, Local: true, MaxBytes: 4 << 20}},
		"noise": {&Git{}, campaign.Remote{URL: noise.bare, Local: true, MaxBytes: 4 << 20}},
		"many":  {&Git{Files: 299}, many.remote()},
	} {
		dir := filepath.Join(t.TempDir(), "clone")
		if _, err := tt.g.Clone(t.Context(), tt.remote, dir); !errors.Is(err, campaign.ErrTooLarge) {
			t.Errorf("%s: %v, want ErrTooLarge", name, err)
		}
		if used, err := size(dir); err != nil || used > 0 {
			t.Errorf("%s has left %d bytes (%v)", name, used, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "clone")
	mustClone(t, &Git{Files: 300}, many.remote(), dir)
}
