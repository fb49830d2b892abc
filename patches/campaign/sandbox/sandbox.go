// Package sandbox runs commands of strangers' repositories, their builds and tests, where they can do no harm: by bubblewrap, in namespaces of
// their own. They see the programs and libraries of this machine, Go, the module cache, and the directory they work in; no home, no
// credentials, no other process, and no network unless that is asked for. Only that directory and a temporary one can be written.
//
// They are bounded: time, memory of all processes together, what they write, and how many there are. Limits of the kernel hold for single
// processes and files; the sums are watched.
package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// What a command may take where nothing is said.
const (
	defaultTime   = 10 * time.Minute
	defaultMemory = 4 << 30
	defaultDisk   = 4 << 30
	defaultProcs  = 1000
	// maxOutput is how much of the end of its output is kept.
	maxOutput = 64 << 10
)

// ErrUnavailable says that there is no sandbox on this machine. The error says what is missing.
var ErrUnavailable = errors.New("no sandbox")

// Bubblewrap is a [campaign.Sandbox].
type Bubblewrap struct {
	// Seeds is a directory for what the go command makes of the standard library, which every command would have to build again
	// otherwise: a build cache that strangers write to is no place to build from. "" keeps none.
	Seeds string

	program string
	golang  goSettings
	seeding sync.Mutex
	// standard is what seeds are made of: packages.
	standard string
}

// Unconfined is what stands in for a sandbox where somebody has decided to do without: commands get an environment without credentials and a home
// that is empty, and end in time, but may read and write whatever their user may.
type Unconfined struct {
	golang goSettings
}

var (
	_ campaign.Sandbox = (*Bubblewrap)(nil)
	_ campaign.Sandbox = (*Unconfined)(nil)
)

// goSettings tell where Go lies.
type goSettings struct{ GOROOT, GOVERSION, GOMODCACHE, GOPROXY, GONOSUMDB, GOSUMDB string }

// Open makes sure that commands can be confined here: that bubblewrap is there, and that the kernel lets it make namespaces. env tells where
// programs lie.
func Open(ctx context.Context, env []string) (*Bubblewrap, error) {
	program, err := lookPath("bwrap", env)
	if err != nil {
		return nil, fmt.Errorf("%w: bubblewrap, the program bwrap, is not installed", ErrUnavailable)
	}
	b := &Bubblewrap{program: program, standard: "std"}
	if b.golang, err = goEnv(ctx, env); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ctxmend-sandbox-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	result, err := b.Run(ctx, campaign.SandboxCommand{Dir: dir, Args: []string{"true"}, Time: 30 * time.Second})
	if err != nil {
		return nil, err
	}
	if !result.OK {
		return nil, fmt.Errorf("%w: %s does not work here: %s (namespaces for users may be switched off, see sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces and "+
			"kernel.apparmor_restrict_unprivileged_userns; containers need a profile that allows them)", ErrUnavailable, program, cmp.Or(strings.TrimSpace(result.Output), result.Reason))
	}
	return b, nil
}

// Without returns what runs commands unconfined.
func Without(ctx context.Context, env []string) (*Unconfined, error) {
	settings, err := goEnv(ctx, env)
	return &Unconfined{settings}, err
}

// Run runs a command confined.
func (b *Bubblewrap) Run(ctx context.Context, c campaign.SandboxCommand) (campaign.SandboxResult, error) {
	seed := ""
	if len(c.Args) > 0 && c.Args[0] == "go" {
		var err error
		if seed, err = b.seed(ctx); err != nil {
			return campaign.SandboxResult{}, err
		}
	}
	return b.run(ctx, c, seed)
}

// run runs a command that finds what is in a seed in its build cache.
func (b *Bubblewrap) run(ctx context.Context, c campaign.SandboxCommand, seed string) (campaign.SandboxResult, error) {
	return run(ctx, c, func(p places) (args, env []string, err error) {
		if seed != "" {
			if err := plant(seed, p.cache); err != nil {
				return nil, nil, err
			}
		}
		env = environment(b.golang, places{temp: insideTemp, cache: insideCache}, c.Network)
		return append([]string{b.program}, b.arguments(p, seed, env, c)...), env, nil
	})
}

// Run runs a command as it is.
func (u *Unconfined) Run(ctx context.Context, c campaign.SandboxCommand) (campaign.SandboxResult, error) {
	return run(ctx, c, func(p places) (args, env []string, err error) {
		return c.Args, environment(u.golang, p, c.Network), nil
	})
}

// places are the directories of a command: the one it works in, a temporary one and the build cache.
type places struct{ dir, temp, cache string }

// Places within the sandbox.
const (
	insideTemp  = "/tmp"
	insideCache = "/ctxmend/cache"
	insideSeed  = "/ctxmend/seed"
	shmBytes    = 64 << 20
)

// arguments are those of bubblewrap. Later ones lie over earlier ones.
func (b *Bubblewrap) arguments(p places, seed string, env []string, c campaign.SandboxCommand) []string {
	args := []string{"--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--hostname", "sandbox"}
	if c.Network {
		args = append(args, "--share-net")
	}
	for _, name := range []string{"/usr", "/opt"} {
		args = append(args, "--ro-bind-try", name, name)
	}
	for _, name := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		// Links on most machines, directories on some.
		if target, err := os.Readlink(name); err == nil {
			args = append(args, "--symlink", target, name)
		} else {
			args = append(args, "--ro-bind-try", name, name)
		}
	}
	system := []string{"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/ssl", "/etc/ca-certificates", "/etc/pki",
		"/etc/localtime", "/etc/mime.types", "/etc/services", "/etc/protocols", "/etc/nsswitch.conf"}
	if c.Network {
		system = append(system, "/etc/resolv.conf", "/etc/hosts")
	}
	for _, name := range system {
		args = append(args, "--ro-bind-try", name, name)
	}
	args = append(args, "--proc", "/proc", "--dev", "/dev", "--size", fmt.Sprint(shmBytes), "--tmpfs", "/dev/shm", "--bind", p.temp, insideTemp, "--bind", p.cache, insideCache)
	if seed != "" {
		args = append(args, "--ro-bind", seed, insideSeed)
	}
	for _, name := range []string{b.golang.GOROOT, b.golang.GOMODCACHE} {
		if name != "" {
			args = append(args, "--ro-bind-try", name, name)
		}
	}
	args = append(args, "--bind", p.dir, p.dir, "--chdir", filepath.Join(p.dir, filepath.FromSlash(c.In)))
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		args = append(args, "--setenv", name, value)
	}
	// What is neither of the two directories is memory, and would have no bound.
	return append(append(args, "--remount-ro", "/dev", "--remount-ro", "/", "--"), c.Args...)
}

// run runs a command and watches it. wrap makes what to start, and in which environment.
func run(ctx context.Context, c campaign.SandboxCommand, wrap func(places) (args, env []string, err error)) (campaign.SandboxResult, error) {
	var result campaign.SandboxResult
	if len(c.Args) == 0 {
		return result, errors.New("there is no command to run")
	}
	if !filepath.IsAbs(c.Dir) {
		return result, fmt.Errorf("the directory of a command is absolute: %q", c.Dir)
	}
	if c.In != "" && !filepath.IsLocal(filepath.FromSlash(c.In)) {
		return result, fmt.Errorf("%q is no directory within that of the command", c.In)
	}
	dir, err := filepath.EvalSymlinks(c.Dir)
	if err != nil {
		return result, err
	}
	c.Time, c.Memory, c.Disk, c.Procs = cmp.Or(c.Time, defaultTime), cmp.Or(c.Memory, defaultMemory), cmp.Or(c.Disk, defaultDisk), cmp.Or(c.Procs, defaultProcs)
	temp, err := os.MkdirTemp("", "ctxmend-sandbox-")
	if err != nil {
		return result, err
	}
	defer removeAll(temp)
	if temp, err = filepath.EvalSymlinks(temp); err != nil {
		return result, err
	}
	p := places{dir: dir, temp: temp, cache: cmp.Or(c.Cache, filepath.Join(temp, "gocache"))}
	if err := errors.Join(os.Mkdir(filepath.Join(temp, "home"), 0o700), os.MkdirAll(p.cache, 0o700)); err != nil {
		return result, err
	}
	args, env, err := wrap(p)
	if err != nil {
		return result, err
	}
	timed, cancel := context.WithTimeout(ctx, c.Time)
	defer cancel()
	cmd := limited(timed, args, c)
	out := &tail{max: maxOutput}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = filepath.Join(dir, filepath.FromSlash(c.In)), env, out, out
	cmd.WaitDelay = 10 * time.Second
	w := watch(timed, cancel, cmd, c, dir, temp, c.Cache)
	err = runLocked(cmd, w.start)
	broken := w.stop()
	result.Output = out.text()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return result, ctx.Err()
	case broken != "":
		result.Reason = broken
	case timed.Err() != nil:
		result.Reason = fmt.Sprintf("took longer than %s", c.Time)
	case err == nil:
		result.OK = true
	case errors.As(err, &exit):
		result.Reason = exit.Error()
	case errors.Is(err, exec.ErrWaitDelay):
		result.Reason = "left processes behind that hold its output"
	default:
		return result, err
	}
	return result, nil
}

// environment is all that commands know. The module cache cannot be written; without a network nothing is looked for elsewhere.
func environment(g goSettings, p places, network bool) []string {
	temp := p.temp
	env := []string{
		"PATH=" + strings.Join([]string{filepath.Join(g.GOROOT, "bin"), "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}, ":"),
		"HOME=" + temp + "/home", "TMPDIR=" + temp, "LANG=C.UTF-8", "USER=sandbox", "LOGNAME=sandbox",
		"GOROOT=" + g.GOROOT, "GOPATH=" + temp + "/gopath", "GOCACHE=" + p.cache, "GOTOOLCHAIN=local", "GOENV=off", "GOFLAGS=", "GOTELEMETRY=off",
	}
	if !network {
		return append(env, "GOMODCACHE="+g.GOMODCACHE, "GOPROXY=off")
	}
	// What is missing is fetched into a cache of the command's own, from the one that is there.
	env = append(env, "GOPROXY=file://"+filepath.ToSlash(g.GOMODCACHE)+"/cache/download,"+g.GOPROXY)
	for _, kv := range []string{"GONOSUMDB=" + g.GONOSUMDB, "GOSUMDB=" + g.GOSUMDB} {
		if !strings.HasSuffix(kv, "=") {
			env = append(env, kv)
		}
	}
	return env
}

// goEnv asks the go command where things lie, in a directory without a module.
func goEnv(ctx context.Context, env []string) (goSettings, error) {
	var g goSettings
	program, err := lookPath("go", env)
	if err != nil {
		return g, err
	}
	cmd := exec.CommandContext(ctx, program, "env", "-json", "GOROOT", "GOVERSION", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOSUMDB")
	cmd.Dir = filepath.VolumeName(os.TempDir()) + string(filepath.Separator)
	cmd.Env = append(slices.Clone(env), "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off", "PWD="+cmd.Dir)
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.Output()
	if err != nil {
		return g, fmt.Errorf("go env: %w", err)
	}
	if err := json.Unmarshal(out, &g); err != nil {
		return g, fmt.Errorf("go env: %w", err)
	}
	return g, nil
}

// lookPath finds a program on the PATH of an environment.
func lookPath(program string, env []string) (string, error) {
	path := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = v
		}
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return found, nil
		}
	}
	return "", &exec.Error{Name: program, Err: exec.ErrNotFound}
}

// tail keeps the end of what is written to it.
type tail struct {
	data []byte
	max  int
	cut  bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if over := len(t.data) - t.max; over > t.max { // not at each write
		t.data, t.cut = append([]byte(nil), t.data[over:]...), true
	}
	return len(p), nil
}

func (t *tail) text() string {
	data := t.data
	if over := len(data) - t.max; over > 0 {
		data, t.cut = data[over:], true
	}
	text := strings.ToValidUTF8(string(data), "\ufffd")
	if t.cut {
		text = "...\n" + text
	}
	return text
}

// removeAll removes a tree in which directories may have been made read-only, as module caches are.
func removeAll(name string) {
	if os.RemoveAll(name) == nil {
		return
	}
	_ = filepath.WalkDir(name, func(name string, d os.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700)
		}
		return nil
	})
	_ = os.RemoveAll(name)
}
