package sandbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// open returns the sandbox of this machine, and skips the test where there is none; not so with CI set.
func open(t *testing.T) *Bubblewrap {
	t.Helper()
	b, err := Open(t.Context(), os.Environ())
	if err == nil {
		return b
	}
	if os.Getenv("CI") != "" || !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	t.Skip(err)
	return nil
}

// A place is a machine with something to steal and to spoil: a home with a token, a listener, and a directory to work in.
type place struct {
	dir, secret, victim, address string
}

func newPlace(t *testing.T) place {
	t.Helper()
	home := t.TempDir()
	p := place{dir: filepath.Join(t.TempDir(), "work"), secret: filepath.Join(home, ".netrc"), victim: filepath.Join(home, "victim")}
	if err := errors.Join(os.Mkdir(p.dir, 0o755), os.WriteFile(p.secret, []byte("s3cr3t"), 0o600), os.WriteFile(p.victim, []byte("whole"), 0o644)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(c, "s3cr3t")
			c.Close()
		}
	}()
	p.address = l.Addr().String()
	t.Setenv("CTXMEND_TEST_TOKEN", "s3cr3t")
	other := exec.Command("sleep", "1000") // whose environment shows what is set now
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Process.Kill(); other.Wait() })
	return p
}

// attacks are what a command of a repository may try. Each prints "s3cr3t" or "done" where it succeeds.
func (p place) attacks() map[string]string {
	host, port, _ := net.SplitHostPort(p.address)
	return map[string]string{
		"read a home":          "cat " + p.secret,
		"read the environment": "env",
		"read our environment": "cat /proc/[0-9]*/environ | tr '\\0' '\\n'",
		"write elsewhere":      "echo spoilt > " + p.victim + " && echo done",
		"speak to a server":    "exec 3<>/dev/tcp/" + host + "/" + port + " && cat <&3",
		"end our processes":    fmt.Sprintf("kill -0 %d && echo done", os.Getpid()),
	}
}

func bash(script string) []string { return []string{"bash", "-c", script} }

// TestAttacks tries the same attacks with and without a sandbox: without one they succeed, so that it is the sandbox that stops them.
func TestAttacks(t *testing.T) {
	b := open(t)
	u, err := Without(t.Context(), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	for name, script := range p.attacks() {
		result, err := u.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: bash(script)})
		if err != nil {
			t.Fatal(err)
		}
		// Credentials do not come to commands even without a sandbox.
		works := strings.Contains(result.Output, "s3cr3t") || strings.Contains(result.Output, "done")
		if works != (name != "read the environment") {
			t.Errorf("%s, without a sandbox: %+v", name, result)
		}
		if err := os.WriteFile(p.victim, []byte("whole"), 0o644); err != nil {
			t.Fatal(err)
		}
		if result, err = b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: bash(script)}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(result.Output, "s3cr3t") || strings.Contains(result.Output, "done") {
			t.Errorf("%s, in a sandbox: %+v", name, result)
		}
		if data, err := os.ReadFile(p.victim); err != nil || string(data) != "whole" {
			t.Errorf("%s, in a sandbox, has written %q (%v)", name, data, err)
		}
	}
	// With a network it is there, and nothing else is.
	attacks := p.attacks()
	for name, want := range map[string]bool{"speak to a server": true, "read a home": false, "read our environment": false} {
		result, err := b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: bash(attacks[name]), Network: true})
		if err != nil || strings.Contains(result.Output, "s3cr3t") != want {
			t.Errorf("%s, in a sandbox with a network: %+v, %v", name, result, err)
		}
	}
}

// TestInside shows what commands find: nothing writable but two directories, no capabilities, and what they need to build.
func TestInside(t *testing.T) {
	b, p := open(t), newPlace(t)
	for script, want := range map[string]string{
		"echo x > file && echo y > $TMPDIR/file && echo z > $HOME/file && cat file":                   "x",
		"grep CapEff: /proc/self/status | tr -d '\\t'":                                                "CapEff:0000000000000000",
		"ls -d /home /etc/passwd /var /run 2>/dev/null; echo end":                                     "end",
		"for d in / /usr /dev /etc $GOMODCACHE; do touch $d/x 2>/dev/null && echo $d; done; echo end": "end",
		"ls /proc | grep -c '^[0-9]*$' | awk '{print ($1 < 8)}'":                                      "1",
		"test $(df -k --output=size /dev/shm | tail -1) -le 65536 && echo small":                      "small",
		"cat /sys/class/net/lo/address 2>/dev/null; ls /sys 2>/dev/null; echo end":                    "end",
		"mount -t tmpfs none /tmp 2>/dev/null && echo mounted; echo end":                              "end",
	} {
		result, err := b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: bash(script)})
		if err != nil || !result.OK || strings.TrimSpace(result.Output) != want {
			t.Errorf("%s: %+v, %v; want %q", script, result, err, want)
		}
	}
	if data, err := os.ReadFile(filepath.Join(p.dir, "file")); err != nil || string(data) != "x\n" {
		t.Errorf("file %q, %v: what is written stays", data, err)
	}
}

// TestIn starts a command in a directory within the one that it may write.
func TestIn(t *testing.T) {
	b, p := open(t), newPlace(t)
	if err := os.MkdirAll(filepath.Join(p.dir, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	result, err := b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, In: "a/b", Args: bash("pwd; touch ../../there")})
	if err != nil || !result.OK || !strings.HasSuffix(result.Output, "/a/b\n") {
		t.Errorf("%+v, %v", result, err)
	}
	for _, in := range []string{"..", "a/../..", "/tmp"} {
		if result, err := b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, In: in, Args: bash("pwd")}); err == nil {
			t.Errorf("in %s: %+v", in, result)
		}
	}
}

// TestGoTest builds and tests a module, without a network and with the module cache at hand.
func TestGoTest(t *testing.T) {
	b, p := open(t), newPlace(t)
	for name, text := range map[string]string{
		"go.mod":    "module example.com/m\ngo 1.24\n",
		"m.go":      "package m\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc TestM(t *testing.T) { t.Log(\"it ran\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Testing compiles much of the standard library, for there is no build cache that commands could share.
	args, want := []string{"go", "build", "-v", "./..."}, "example.com/m"
	if os.Getenv("CI") != "" {
		args, want = []string{"go", "test", "-v", "./..."}, "it ran"
	}
	result, err := b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: args})
	if err != nil || !result.OK || !strings.Contains(result.Output, want) {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestLimits(t *testing.T) {
	b, p := open(t), newPlace(t)
	for name, tt := range map[string]struct {
		command campaign.SandboxCommand
		want    string
	}{
		"fails":              {campaign.SandboxCommand{Args: bash("exit 3")}, "exit status 3"},
		"does not exist":     {campaign.SandboxCommand{Args: []string{"no-such-program"}}, "exit status 1"},
		"sleeps":             {campaign.SandboxCommand{Args: bash("sleep 100"), Time: time.Second}, "took longer than 1s"},
		"sleeps behind":      {campaign.SandboxCommand{Args: bash("(setsid sleep 100 &) ; sleep 100"), Time: time.Second}, "took longer than 1s"},
		"many processes":     {campaign.SandboxCommand{Args: bash("for i in $(seq 60); do sleep 100 & done; wait"), Procs: 40}, "had more than 40 processes"},
		"memory of several":  {campaign.SandboxCommand{Args: bash("for i in 1 2 3 4; do head -c 40m /dev/zero | tail -c 40m | sleep 100 & done; wait"), Memory: 100 << 20}, "used more than 100 MB of memory"},
		"many files":         {campaign.SandboxCommand{Args: bash("for i in $(seq 100); do head -c 4m /dev/zero > f$i; done; sleep 100"), Disk: 50 << 20}, "wrote more than 50 MB"},
		"many temporary":     {campaign.SandboxCommand{Args: bash("for i in $(seq 100); do head -c 4m /dev/zero > /tmp/f$i; done; sleep 100"), Disk: 50 << 20}, "wrote more than 50 MB"},
		"a large file":       {campaign.SandboxCommand{Args: bash("head -c 100m /dev/zero > f; test $(stat -c %s f) -le $((21<<20)) && echo cut && exit 4"), Disk: 20 << 20}, "exit status 4"},
		"memory of a single": {campaign.SandboxCommand{Args: bash("ulimit -d; head -c 100m /dev/zero | tail -c 100m >/dev/null; exit 5"), Memory: 50 << 20}, ""},
	} {
		tt.command.Dir = p.dir
		begun := time.Now()
		result, err := b.Run(t.Context(), tt.command)
		if err != nil || result.OK || !strings.Contains(result.Reason, tt.want) {
			t.Errorf("%s: %+v, %v; want %q", name, result, err, tt.want)
		}
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("%s took %s", name, took)
		}
		for _, left := range []string{"sleep 100"} {
			if strings.Contains(result.Output, left) {
				t.Errorf("%s: %s", name, result.Output)
			}
		}
	}
	// The output is cut at its beginning.
	result, err := b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: bash("seq 100000; echo end")})
	if err != nil || !result.OK || !strings.HasSuffix(result.Output, "end\n") || !strings.HasPrefix(result.Output, "...\n") || len(result.Output) > maxOutput+4 {
		t.Errorf("%d bytes of output, %v", len(result.Output), err)
	}
}

// TestUnavailable says what is missing where there is no sandbox.
func TestUnavailable(t *testing.T) {
	if _, err := Open(t.Context(), []string{"PATH=" + t.TempDir()}); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "bubblewrap, the program bwrap, is not installed") {
		t.Errorf("not installed: %v", err)
	}
	// A bwrap that the kernel does not let make namespaces.
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "bwrap"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if _, err := Open(t.Context(), env); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "No permissions to create a new namespace") || !strings.Contains(err.Error(), "unprivileged_userns_clone") {
		t.Errorf("not permitted: %v", err)
	}
}
