// Package clone keeps clones of strangers' repositories by the git program, and lets nothing in them run or reach outside
// their directory. What git would take from a repository, its server or this machine is taken away from it:
//
//   - It never checks out. Files are written from its objects, below the directory of the clone and nowhere else, without filters, hooks,
//     submodules and line-end conversion; commits are made of objects, too, so that what lies in the directory has no say.
//   - Its configuration is a file that is written anew before each command, and arguments; neither the system's nor the user's is read.
//   - Only https, http and, for repositories that are explicitly local, file are spoken; nothing is redirected.
//   - It runs with bounds of memory, of the size of a file, and of the clone.
//   - A token reaches it through an askpass helper, which is this program started again, and tells it to one server only.
package clone

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// What a clone may take where nothing is said.
const (
	defaultBytes = 2 << 30
	defaultFiles = 500_000
	defaultTime  = 30 * time.Minute
	// gitMemory bounds the address space of each git process.
	gitMemory = 4 << 30
	// maxSaid bounds what is kept of git's complaints, maxTold what an error repeats of them.
	maxSaid = 64 << 10
	maxTold = 1 << 10
)

// Git is a [campaign.Git]. Its fields may not change after its first use.
type Git struct {
	// Askpass is the executable that git asks for credentials: one whose main function calls [Askpass] first. "" is the one that runs.
	Askpass string
	// Env is the environment that tells where git lies and how the network is reached; nil is the process's own. Nothing else
	// of it reaches git.
	Env []string
	// Files bounds the files of a clone, Time each exchange with a remote; 0 stands for half a million and thirty minutes.
	Files int
	Time  time.Duration
}

var _ campaign.Git = (*Git)(nil)

// settings are git's configuration beside that of the clone's own file. They are arguments, since those beat all files.
var settings = []string{
	"core.hooksPath=" + os.DevNull, "core.fsmonitor=false", "core.attributesFile=" + os.DevNull, "core.excludesFile=" + os.DevNull,
	"core.autocrlf=false", "core.safecrlf=false", "core.protectHFS=true", "core.protectNTFS=true", "core.quotePath=true",
	"credential.helper=", "credential.useHttpPath=false", "http.followRedirects=false", "http.lowSpeedLimit=1000", "http.lowSpeedTime=120",
	"gc.auto=0", "maintenance.auto=false", "fetch.writeCommitGraph=false", "fetch.unpackLimit=1", "transfer.unpackLimit=1",
	"submodule.recurse=false", "fetch.recurseSubmodules=false", "push.recurseSubmodules=no", "push.gpgSign=false", "push.followTags=false",
	"commit.gpgSign=false", "fetch.prune=false", "fetch.output=full",
	// Objects of strangers may be made to grow in memory.
	"core.bigFileThreshold=32m", "core.packedGitWindowSize=32m", "core.packedGitLimit=512m", "core.deltaBaseCacheLimit=64m", "pack.threads=1",
	"pack.windowMemory=256m",
}

// serverSettings hold for the other side of a local exchange, which is a git program that we start in somebody's repository.
const serverSettings = "-c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.alternateRefsCommand=true " +
	"-c receive.autogc=false -c gc.auto=0 -c maintenance.auto=false -c uploadpack.allowFilter=true"

// passed are the variables that tell git how the network is reached.
var passed = []string{
	"PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "ALL_PROXY", "all_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_EXEC_PATH",
	"TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SystemRoot",
}

// A command is one call of git in a repository of ours.
type command struct {
	gitDir string
	args   []string
	stdin  []byte
	// env is added to the environment.
	env []string
	// remote is set for an exchange.
	remote *campaign.Remote
	// out, when not nil, reads standard output as it comes. An error ends the command and is what run returns.
	out func(*pipe) error
	// room is how large the repository may grow, 0 for as it likes.
	room int64
}

// full reports whether a repository has no room left: a command that may not write on fails in its own words.
func (c *command) full() bool {
	const close = 1 << 20
	used, err := size(c.gitDir)
	return err == nil && c.room > 0 && used+close > c.room
}

// An Error says that a git command failed.
type Error struct {
	Command string
	// Said is what git wrote on standard error, without secrets and control characters.
	Said string
	Err  error
}

func (e *Error) Error() string {
	return fmt.Sprintf("git %s failed: %s", e.Command, cmp.Or(e.Said, e.Err.Error()))
}

func (e *Error) Unwrap() error { return e.Err }

// run runs one git command and returns what it printed.
func (g *Git) run(ctx context.Context, c command) ([]byte, error) {
	if err := harden(c.gitDir); err != nil {
		return nil, err
	}
	git, err := g.program()
	if err != nil {
		return nil, err
	}
	env, hide, err := g.environment(c)
	if err != nil {
		return nil, err
	}
	timed, cancel := context.WithTimeout(ctx, cmp.Or(g.Time, defaultTime))
	defer cancel()
	var args []string
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd, ended, err := limited(timed, git, append(args, c.args...), cmp.Or(c.room, defaultBytes), c.remote != nil)
	if err != nil {
		return nil, err
	}
	defer ended()
	cmd.Dir, cmd.Env = c.gitDir, env
	cmd.WaitDelay = 10 * time.Second
	cmd.Stdin = bytes.NewReader(c.stdin)
	said := &bounded{max: maxSaid}
	cmd.Stderr = said
	grown := watch(timed, cancel, c)
	out, readErr, err := start(cmd, c.out, cancel)
	if tooLarge := grown(); tooLarge != nil {
		return nil, tooLarge
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case readErr != nil && (err == nil || !errors.Is(readErr, io.EOF)): // where git has failed, that is why its output ended early
		return nil, readErr
	case timed.Err() != nil:
		return nil, fmt.Errorf("%w: git %s took longer than %s", campaign.ErrTooLarge, c.args[0], cmp.Or(g.Time, defaultTime))
	case err != nil && c.full():
		return nil, tooLarge(c.room)
	case err != nil:
		return out, classify(c, &Error{Command: c.args[0], Said: clean(said.String(), hide), Err: err})
	}
	return out, nil
}

// start runs a command to its end and reads its output.
func start(cmd *exec.Cmd, read func(*pipe) error, cancel context.CancelFunc) (out []byte, readErr, err error) {
	if read == nil {
		var b bytes.Buffer
		cmd.Stdout = &b
		err = runLocked(cmd)
		return b.Bytes(), nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd.Stdout = w
	done := make(chan error, 1)
	go func() {
		err := read(newPipe(r))
		if err != nil && !errors.Is(err, io.EOF) {
			cancel()
		}
		r.Close()
		done <- err
	}()
	err = runLocked(cmd)
	w.Close()
	return nil, <-done, err
}

// program finds git.
func (g *Git) program() (string, error) {
	for _, dir := range filepath.SplitList(lookup(g.environ(), "PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, "git")); err == nil {
			return found, nil
		}
	}
	return "", &exec.Error{Name: "git", Err: exec.ErrNotFound}
}

func (g *Git) environ() []string {
	if g.Env == nil {
		return os.Environ()
	}
	return g.Env
}

// environment returns that of one command, and what in it is secret.
func (g *Git) environment(c command) (env, hide []string, err error) {
	for _, name := range passed {
		if value := lookup(g.environ(), name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	env = append(env,
		"GIT_DIR="+c.gitDir, "HOME="+os.DevNull, "XDG_CONFIG_HOME="+os.DevNull, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GCM_INTERACTIVE=never", "GIT_LFS_SKIP_SMUDGE=1", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_LITERAL_PATHSPECS=1", "GIT_PROTOCOL_FROM_USER=0", "GIT_SSH_COMMAND=false", "GIT_ADVICE=0",
	)
	env = append(env, c.env...)
	switch {
	case c.remote == nil:
		return append(env, "GIT_ALLOW_PROTOCOL="), nil, nil
	case c.remote.Local:
		return append(env, "GIT_ALLOW_PROTOCOL=file"), nil, nil
	}
	env = append(env, "GIT_ALLOW_PROTOCOL=https:http")
	asked, err := g.askpass(c.remote)
	return append(env, asked...), secrets(c.remote.Access), err
}

// classify tells what a failure means, as far as git says so.
func classify(c command, e *Error) error {
	if c.remote == nil {
		return e
	}
	for _, sign := range []string{
		"Authentication failed", "could not read Username", "could not read Password", "returned error: 401", "returned error: 403",
		"returned error: 404", "' not found", "does not appear to be a git repository", "Permission denied", "dubious ownership",
	} {
		if strings.Contains(e.Said, sign) {
			return fmt.Errorf("%w: %w", campaign.ErrNoAccess, e)
		}
	}
	for _, sign := range []string{
		"returned error: 5", "Could not resolve host", "Failed to connect", "Couldn't connect", "Connection refused", "Connection timed out",
		"Connection reset", "Operation timed out", "Empty reply from server",
	} {
		if !c.remote.Local && strings.Contains(e.Said, sign) {
			return fmt.Errorf("%w: %w", forge.ErrUnavailable, e)
		}
	}
	if strings.Contains(e.Said, "index-pack died of signal") || strings.Contains(e.Said, "Out of memory") || strings.Contains(e.Said, "out of memory") {
		return fmt.Errorf("%w: %w", campaign.ErrTooLarge, e)
	}
	return e
}

// clean prepares what git, or a server through git, has said for logs and reports.
func clean(said string, hide []string) string {
	for _, secret := range hide {
		said = strings.ReplaceAll(said, secret, "(hidden)")
	}
	said = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(said, "\r", "\n"), ""))
	said = strings.Join(strings.Fields(said), " ")
	if len(said) > maxTold {
		said = strings.ToValidUTF8(said[:maxTold], "") + "..."
	}
	return said
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	max int
}

// Write never fails, so that git is not kept waiting.
func (b *bounded) Write(p []byte) (int, error) {
	if room := b.max - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
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

// config is the configuration of every repository that is kept here.
const config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\tlogallrefupdates = false\n"

// harden takes out of a repository of ours whatever could make git run or read something else. Nobody but git should have written there; commands of
// a repository that were run without a sandbox could have.
func harden(gitDir string) error {
	info, err := os.Lstat(gitDir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is not a directory", campaign.ErrHostile, filepath.Base(gitDir))
	}
	for _, name := range []string{"hooks", "info", "modules", "worktrees", "commondir", "gitdir", "config.worktree", "objects/info/alternates", "objects/info/http-alternates"} {
		if err := os.RemoveAll(filepath.Join(gitDir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	name := filepath.Join(gitDir, "config")
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
		if have, err := os.ReadFile(name); err == nil && string(have) == config {
			return nil
		}
	}
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(config), 0o644)
}

// lines splits output into lines.
func lines(out []byte) []string {
	return slices.DeleteFunc(strings.Split(string(out), "\n"), func(s string) bool { return s == "" })
}
