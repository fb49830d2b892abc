package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A sandbox is a temporary directory that stands in for the user's home and caches.
type sandbox struct {
	root string
	// dir is the directory to measure in: the checkout, or a copy of it.
	dir string
	// own is the directory of this module.
	own string
	env goEnv
}

// goEnv is what the measured go commands inherit from the user's settings.
type goEnv struct {
	GOENV, GOFLAGS, GOMOD, GOMODCACHE, GOPROXY, GOVERSION, GOWORK string
}

// newSandbox makes the temporary directory. It never has the user's caches.
func newSandbox(ctx context.Context, dir string) (*sandbox, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &sandbox{}
	if s.dir, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, fmt.Errorf("cannot measure in %s: %w", dir, err)
	}
	if s.own, err = ownDir(ctx); err != nil {
		return nil, err
	}
	if s.env, err = readEnv(ctx, s.dir); err != nil {
		return nil, err
	}
	if s.env.GOMOD == "" || s.env.GOMOD == os.DevNull {
		if s.env.GOWORK == "" {
			return nil, fmt.Errorf("%s is in no Go module: name the directory of one", dir)
		}
	}
	s.root, err = os.MkdirTemp("", "ctxmend-compare-")
	return s, err
}

// ownDir finds this module, in which staticcheck's version is written down.
func ownDir(ctx context.Context) (string, error) {
	env, err := readEnv(ctx, ".")
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(env.GOMOD)
	if err != nil || !bytes.Contains(data, []byte("tool honnef.co/go/tools/cmd/staticcheck")) {
		return "", errors.New("run it in its own directory, bench/compare, where go.mod names the version of staticcheck")
	}
	return filepath.Dir(env.GOMOD), nil
}

func readEnv(ctx context.Context, dir string) (goEnv, error) {
	var env goEnv
	cmd := exec.CommandContext(ctx, "go", "env", "-json")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return env, fmt.Errorf("go env failed in %s: %w", dir, err)
	}
	return env, json.Unmarshal(out, &env)
}

// remove deletes the directory. What a killed process has not finished writing may get in its
// way for a moment.
func (s *sandbox) remove() error {
	var err error
	for range 10 {
		if err = os.RemoveAll(s.root); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// path names a file or directory of the sandbox.
func (s *sandbox) path(elem ...string) string {
	return filepath.Join(append([]string{s.root}, elem...)...)
}

// environ is the environment of a child: the user's, with every cache replaced. cache is
// the tool's cache directory, build that of the go command, both below root.
func (s *sandbox) environ(cache, build string, extra ...string) []string {
	env := append(os.Environ(),
		"GOCACHE="+s.path(build),
		"GOMODCACHE="+s.path("modules"),
		"GOENV="+s.env.GOENV,
		// Read-only module files could not be removed in the end.
		"GOFLAGS="+strings.TrimSpace(s.env.GOFLAGS+" -modcacherw"),
		"STATICCHECK_CACHE="+s.path(cache, "staticcheck"),
		"XDG_CACHE_HOME="+s.path(cache),
		"TMPDIR="+s.path("tmp"),
	)
	return append(env, extra...)
}

// measured is the environ of a measured run: it cannot leave the machine nor see the home directory.
func (s *sandbox) measured(cache, build string) []string {
	return s.environ(cache, build, "GOPROXY=off", "GOPATH="+s.path("gopath"), "HOME="+s.path(cache), "XDG_CONFIG_HOME="+s.path("config"))
}

// goRun runs the go command outside of what is measured, with module downloads served from the
// user's module cache where they are there.
func (s *sandbox) goRun(ctx context.Context, dir string, args ...string) ([]byte, error) {
	if err := os.MkdirAll(s.path("tmp"), 0o755); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	withChildren(cmd)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = s.environ("setup", "setup-build", "GOPROXY="+fileURL(filepath.Join(s.env.GOMODCACHE, "cache", "download"))+","+s.env.GOPROXY)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s failed in %s: %w", strings.Join(args, " "), dir, err)
	}
	return out, nil
}

func fileURL(dir string) string {
	dir = filepath.ToSlash(dir)
	if !strings.HasPrefix(dir, "/") {
		dir = "/" + dir
	}
	return "file://" + dir
}

// floorArgs is the go command under every tool.
const floorArgs = "list -deps"

// fetchModules brings what the packages and their tests import into the sandbox's module cache.
func (s *sandbox) fetchModules(ctx context.Context, patterns []string) error {
	_, err := s.goRun(ctx, s.dir, append(strings.Fields(floorArgs+" -test"), patterns...)...)
	if err != nil {
		return err
	}
	// ctxmend reads the modules of a workspace whole, whatever the patterns are.
	if s.env.GOWORK == "" {
		return nil
	}
	out, err := s.goRun(ctx, s.dir, strings.Fields("list -m -f {{.Dir}}")...)
	if err != nil {
		return err
	}
	args := strings.Fields(floorArgs + " -e -test")
	for dir := range strings.Lines(string(out)) {
		args = append(args, filepath.Join(strings.TrimSpace(dir), "..."))
	}
	_, err = s.goRun(ctx, s.dir, args...)
	return err
}

// copyCheckout replaces dir by a copy of the whole checkout it lies in.
func (s *sandbox) copyCheckout() error {
	top := s.dir
	for up := s.dir; ; up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, ".git")); err == nil {
			top = up
			break
		}
		if up == filepath.Dir(up) {
			break
		}
	}
	rel, err := filepath.Rel(top, s.dir)
	if err != nil {
		return err
	}
	if err := copyTree(top, s.path("checkout")); err != nil {
		return fmt.Errorf("cannot copy the checkout %s: %w", top, err)
	}
	s.dir = s.path("checkout", rel)
	return nil
}

// copyTree copies files and symbolic links, and leaves out what git keeps for itself.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.Name() == ".git" && d.IsDir():
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(name)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}

// exe adds the suffix of programs.
func exe(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
