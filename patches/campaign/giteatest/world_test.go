package giteatest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a campaign has to make of a repository.
type fate int

const (
	changed   fate = iota // exactly one pull request
	untouched             // none, and no branch
	either                // at most one: what matters is what else does not happen
)

// A sample is a repository of the tests.
type sample struct {
	fate   fate
	branch string // the default branch, main if empty
	files  map[string]string
	links  map[string]string        // symbolic links
	raw    func(*testing.T, string) // what only git can do, in the working tree before its commit
}

const module = "module example.com/m\n\ngo 1.24\n"

const program = `package main

import (
	"context"
	"fmt"
)

func main() {
	ctx := context.WithValue(context.Background(), "user", "ada")
	show(ctx)
}

func show(ctx context.Context) {
	fmt.Println(ctx.Value("user"))
}
`

// mended is what tells the program with its fix.
const mended = "context.WithValue(context.Background(), userKey"

// with is the program, its module and further files.
func with(more map[string]string) map[string]string {
	files := map[string]string{"go.mod": module, "main.go": program}
	maps.Copy(files, more)
	return files
}

// samples are thirty repositories: most as one would wish, some that cannot be worked on, some that mean harm. What harm would do is
// make the file pwned. With -short there are only some of those that one would wish.
func samples(pwned string) map[string]sample {
	touch := "touch " + pwned
	all := map[string]sample{
		"empty":        {fate: untouched},
		"no-go":        {fate: untouched, files: map[string]string{"README.md": "# nothing\n"}},
		"clean":        {fate: untouched, files: map[string]string{"go.mod": module, "main.go": "package main\n\nfunc main() {}\n"}},
		"archived":     {fate: untouched, files: with(nil)},
		"protected":    {fate: untouched, files: with(nil)},
		"broken":       {fate: untouched, files: map[string]string{"go.mod": module, "main.go": program + "func {\n"}},
		"broken-mod":   {fate: untouched, files: map[string]string{"go.mod": "modul example.com/m\n", "main.go": program}},
		"toolchain":    {fate: untouched, files: map[string]string{"go.mod": "module example.com/m\n\ngo 1.99.0\n\ntoolchain go1.99.1\n", "main.go": program}},
		"generate":     {fate: changed, files: with(map[string]string{"gen.go": "package main\n\n//go:generate " + touch + "\n"})},
		"make":         {fate: changed, files: with(map[string]string{"Makefile": "all:\n\t" + touch + "\n", ".envrc": touch + "\n"})},
		"cgo":          {fate: either, files: with(map[string]string{"c.go": "package main\n\n// #cgo CFLAGS: -fplugin=./evil.so\n// #cgo pkg-config: --define-variable=x=`" + touch + "` x\n// int x;\nimport \"C\"\n\nvar _ = C.x\n"})},
		"attributes":   {fate: either, files: with(map[string]string{".gitattributes": "*.go filter=evil diff=evil merge=evil\n*.bin filter=lfs diff=lfs merge=lfs -text\n", ".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:1/\n", "a.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"})},
		"modules":      {fate: either, files: with(map[string]string{".gitmodules": "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c '" + touch + "'\n\tfetchRecurseSubmodules = true\n"}), raw: gitlink},
		"links":        {fate: either, files: with(nil), links: map[string]string{"passwd.go": "/etc/passwd", "up": "../../../..", "loop": "loop", "z.go": "main.go"}},
		"text":         {fate: either, files: map[string]string{"go.mod": module, "main.go": strings.ReplaceAll(program, `"user"`, `"@ada `+"```"+` </details> ]( <script> {{.}}"`)}},
		"unicode":      {fate: either, files: with(map[string]string{"caf\u00e9.go": "package main\n", "cafe\u0301.go": "package main\n", "Main.go": "package main\n"})},
		"vendored":     {fate: either, files: with(map[string]string{"vendor/modules.txt": "# example.com/gone v1.0.0\n## explicit\nexample.com/gone\n"})},
		"human-branch": {fate: either, files: with(nil)},
	}
	services := 14
	if testing.Short() {
		maps.DeleteFunc(all, func(name string, _ sample) bool { return !slices.Contains(always, name) })
		services = 7
	}
	for i := range services {
		s := sample{fate: changed, files: with(map[string]string{"README.md": fmt.Sprintf("# service %d\n", i)})}
		if i%5 == 3 {
			s.branch = "trunk"
		}
		all[fmt.Sprintf("svc-%02d", i)] = s
	}
	return all
}

// always are the samples that the tests speak of by name, and that are no services.
var always = []string{"empty", "archived", "protected", "toolchain", "human-branch"}

// gitlink makes x a submodule.
func gitlink(t *testing.T, dir string) {
	run(t, dir, nil, "git", "update-index", "--add", "--cacheinfo", "160000,4d7a214614ab2935c943f9e0ff69d22eadbb8f32,x")
}

// found makes the repositories of the samples in an organisation, one more that the bot may not push to, and one that is a fork.
func (s *server) found(all map[string]sample) {
	s.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s.do("POST", "/orgs/acme/repos", object{"name": name})
		if all[name].files != nil {
			s.push("acme/"+name, all[name])
		}
	}
	s.do("PATCH", "/repos/acme/archived", object{"archived": true})
	s.do("POST", "/repos/acme/protected/branch_protections", object{"rule_name": "ctxmend/**", "enable_push": false})
	s.do("POST", "/user/repos", object{"name": "locked"})
	s.push("ops/locked", sample{files: with(nil)})
	s.do("POST", "/repos/ops/locked/forks", object{"organization": "acme", "name": "fork"})
}

// push makes the first commit of a repository.
func (s *server) push(repository string, one sample) {
	s.t.Helper()
	dir := s.t.TempDir()
	branch := "main"
	if one.branch != "" {
		branch = one.branch
	}
	for name, text := range one.files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			s.t.Fatal(err)
		}
	}
	for name, to := range one.links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			s.t.Fatal(err)
		}
	}
	run(s.t, dir, nil, "git", "init", "-q", "-b", branch)
	run(s.t, dir, nil, "git", "add", "-A")
	if one.raw != nil {
		one.raw(s.t, dir)
	}
	run(s.t, dir, nil, "git", "-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "-q", "-m", "first")
	address := strings.Replace(s.url, "http://", "http://ops:"+s.root+"@", 1) + "/" + repository + ".git"
	run(s.t, dir, nil, "git", "push", "-q", address, branch)
	if one.branch != "" {
		s.do("PATCH", "/repos/"+repository, object{"default_branch": branch})
	}
	if err := os.RemoveAll(dir); err != nil {
		s.t.Fatal(err)
	}
}
