package analysis

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// asked are the settings of the go command that hold for the child as well: where things lie, and where modules come from.
var asked = []string{"GOROOT", "GOPATH", "GOMODCACHE", "GOCACHE", "GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOVCS"}

// passed are variables without which nothing is downloaded, or no file made, on some machines.
var passed = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SystemRoot",
}

// goEnvironment returns what the child is to know of where Go lies and takes modules from, as env says. It asks the go command, in a
// directory without a module, so that no file of a repository has a say.
func goEnvironment(ctx context.Context, env []string) ([]string, error) {
	if env == nil {
		env = os.Environ()
	}
	dir, err := os.MkdirTemp("", "ctxmend-goenv-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program, err := lookPath("go", env)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"env", "-json"}, asked...)...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clone(env), "PWD="+dir, "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off")
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	values := map[string]string{}
	if err := json.Unmarshal(out, &values); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var list []string
	for _, name := range asked {
		if values[name] != "" {
			list = append(list, name+"="+values[name])
		}
	}
	for _, name := range passed {
		if value := lookup(env, name); value != "" {
			list = append(list, name+"="+value)
		}
	}
	if git, err := lookPath("git", env); err == nil {
		list = append(list, gitVariable+"="+git)
	}
	return list, nil
}

// gitVariable tells, between goEnvironment and childEnvironment, where git lies.
const gitVariable = "git"

// childEnvironment adds to what goEnvironment has found a PATH on which only go and git lie, a home with nothing in it, and what keeps the
// go command, and the git that it may fetch modules with, from running or reading anything else.
func childEnvironment(goEnv []string, home string) ([]string, error) {
	var programs []string
	env := slices.DeleteFunc(slices.Clone(goEnv), func(kv string) bool {
		git, ok := strings.CutPrefix(kv, gitVariable+"=")
		if ok {
			programs = append(programs, git)
		}
		return ok
	})
	programs = append(programs, filepath.Join(lookup(env, "GOROOT"), "bin", "go"+exeSuffix()))
	path, err := onlyPrograms(filepath.Join(home, "bin"), programs)
	if err != nil {
		return nil, err
	}
	if lookup(env, "GOVCS") == "" {
		env = append(env, "GOVCS=*:git")
	}
	empty := filepath.Join(home, "home")
	if err := os.Mkdir(empty, 0o700); err != nil {
		return nil, err
	}
	return append(env,
		"PATH="+path, "HOME="+empty, "USERPROFILE="+empty, "XDG_CONFIG_HOME="+empty, "LC_ALL=C",
		// A file named by GOENV could set GOFLAGS, and with them -toolexec.
		"GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "GO111MODULE=on", "GOAUTH=off", "CGO_ENABLED=1",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "GIT_ALLOW_PROTOCOL=https", "GIT_LFS_SKIP_SMUDGE=1",
	), nil
}

// onlyPrograms returns a PATH on which the programs lie and, where there are symbolic links, no others: neither compilers nor
// what a repository may name.
func onlyPrograms(dir string, programs []string) (string, error) {
	if runtime.GOOS == "windows" {
		var dirs []string
		for _, p := range programs {
			dirs = append(dirs, filepath.Dir(p))
		}
		return strings.Join(dirs, string(filepath.ListSeparator)), nil
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	for _, p := range programs {
		if err := os.Symlink(p, filepath.Join(dir, filepath.Base(p))); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func exeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// lookup returns the last value of a variable.
func lookup(env []string, name string) string {
	value := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

// lookPath finds a program on the PATH of an environment.
func lookPath(program string, env []string) (string, error) {
	for _, dir := range filepath.SplitList(lookup(env, "PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return found, nil
		}
	}
	return "", &exec.Error{Name: program, Err: exec.ErrNotFound}
}
