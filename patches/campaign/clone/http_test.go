package clone

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

const token = "t0k/en+with%odd=s3cr3t"

// A forgeServer serves a bare repository by HTTP as forges do, to whoever knows the token, and looks meanwhile where the token lies.
type forgeServer struct {
	*httptest.Server
	mu sync.Mutex
	// asked are the requests' paths, leaks the processes that show the token where it should not be.
	asked, leaks []string
	// refuse, when set, answers in the place of git.
	refuse http.HandlerFunc
}

func serve(t *testing.T, s *server) *forgeServer {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	s.git(s.bare, "config", "http.receivepack", "true")
	f := &forgeServer{}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(s.bare), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaks := shown(token)
		f.mu.Lock()
		f.asked, f.leaks = append(f.asked, r.Method+" "+r.URL.Path), append(f.leaks, leaks...)
		f.mu.Unlock()
		user, password, ok := r.BasicAuth()
		if !ok || user != "bot" || password != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you? "+r.Header.Get("Authorization"), http.StatusUnauthorized)
			return
		}
		f.mu.Lock()
		refuse := f.refuse
		f.mu.Unlock()
		if refuse != nil {
			refuse(w, r)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *forgeServer) remote(secret string) campaign.Remote {
	return campaign.Remote{URL: f.URL + "/bare", Access: forge.Access{Username: "bot", Token: forge.NewSecret(secret)}}
}

// shown lists the processes of this machine that show a secret in their arguments, or in their environment although they are neither git nor
// what git has started as its askpass helper.
func shown(secret string) []string {
	var list []string
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		dir := filepath.Join("/proc", e.Name())
		args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if bytes.Contains(args, []byte(secret)) {
			list = append(list, fmt.Sprintf("arguments %q", args))
		}
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		exe, _ := os.Readlink(filepath.Join(dir, "exe"))
		if bytes.Contains(env, []byte(secret)) && !strings.HasPrefix(filepath.Base(exe), "git") && !bytes.Contains(env, []byte(AskpassVariable+"=")) {
			list = append(list, "environment of "+exe)
		}
	}
	return list
}

// leaves fails where a secret lies in any file below a directory.
func leaves(t *testing.T, dir, secret string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s holds the token", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHTTP does everything there is to do with a server that wants a token, which appears nowhere.
func TestHTTP(t *testing.T) {
	s := newServer(t)
	s.commit("trunk", "a.go", "old\n")
	f := serve(t, s)
	dir := filepath.Join(t.TempDir(), "clone")
	everything(t, &Git{}, f.remote(token), dir)
	leaves(t, dir, token)
	if len(f.leaks) > 0 {
		t.Errorf("the token shows in %q", f.leaks)
	}
	if !slices.Contains(f.asked, "POST /bare/git-receive-pack") || !slices.Contains(f.asked, "POST /bare/git-upload-pack") {
		t.Errorf("requests: %q", f.asked)
	}
}

// TestShown makes sure that the test above could fail.
func TestShown(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("processes cannot be looked at here")
	}
	for _, cmd := range []*exec.Cmd{exec.Command("sleep", "1000", token), {Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Env: []string{"X=" + token}}} {
		if cmd.Args[len(cmd.Args)-1] == token { // sleep would not take it for a time
			cmd = exec.Command("sh", "-c", "sleep 1000; :", token)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for len(shown(token)) == 0 { // until it has become another program; a test that does not see it does not end
			time.Sleep(10 * time.Millisecond)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// TestHTTPRefusals are what servers say instead of serving, and what becomes of a token that they say again.
func TestHTTPRefusals(t *testing.T) {
	s := newServer(t)
	s.commit("trunk", "a.go", "old\n")
	f := serve(t, s)
	echo := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, password, _ := r.BasicAuth()
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(code)
			fmt.Fprintf(w, "\x1b[31mno, %s, and %s\x07", r.Header.Get("Authorization"), password)
		}
	}
	for name, tt := range map[string]struct {
		remote campaign.Remote
		refuse http.HandlerFunc
		want   error
		says   string
	}{
		"no token":    {f.remote(""), nil, campaign.ErrNoAccess, ""},
		"wrong token": {f.remote("wrong"), nil, campaign.ErrNoAccess, ""},
		"forbidden":   {f.remote(token), echo(http.StatusForbidden), campaign.ErrNoAccess, "(hidden)"},
		"not there":   {f.remote(token), echo(http.StatusNotFound), campaign.ErrNoAccess, "(hidden)"},
		"broken":      {f.remote(token), echo(http.StatusInternalServerError), forge.ErrUnavailable, "(hidden)"},
		"cut off":     {f.remote(token), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, forge.ErrUnavailable, ""},
		"not git":     {f.remote(token), func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, nil, ""},
	} {
		f.mu.Lock()
		f.refuse = tt.refuse
		f.mu.Unlock()
		dir := filepath.Join(t.TempDir(), "clone")
		_, err := (&Git{}).Clone(t.Context(), tt.remote, dir)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
			continue
		}
		if tt.want == nil && (errors.Is(err, campaign.ErrNoAccess) || errors.Is(err, campaign.ErrTooLarge)) {
			t.Errorf("%s is final: %v", name, err)
		}
		if !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v lacks %q", name, err, tt.says)
		}
		for _, hidden := range append(secrets(tt.remote.Access), "\x1b", "\x07") {
			if strings.Contains(err.Error(), hidden) {
				t.Errorf("%s: the error holds %q: %v", name, hidden, err)
			}
		}
		leaves(t, dir, token)
	}
}

// TestRedirect has a server that sends git to another one, which asks for a password. git goes there when asked as people do.
func TestRedirect(t *testing.T) {
	var mu sync.Mutex
	var stolen []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); ok {
			mu.Lock()
			stolen = append(stolen, user+":"+password)
			mu.Unlock()
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
	}))
	t.Cleanup(thief.Close)
	f := &forgeServer{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+r.URL.RequestURI(), http.StatusFound)
	}))}
	t.Cleanup(f.Close)
	helper := filepath.Join(t.TempDir(), "helper")
	if err := os.WriteFile(helper, []byte("#!/bin/sh\ncase $1 in User*) echo bot;; *) echo '"+token+"';; esac\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("git", "ls-remote", f.URL+"/bare")
	cmd.Env = append(os.Environ(), "GIT_ASKPASS="+helper, "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL="+os.DevNull)
	_ = cmd.Run()
	took := func() (had []string) {
		mu.Lock()
		defer mu.Unlock()
		had, stolen = stolen, nil
		return had
	}
	if len(took()) == 0 {
		t.Fatal("git does not follow, so that this proves nothing")
	}
	if _, err := (&Git{}).Clone(t.Context(), f.remote(token), filepath.Join(t.TempDir(), "clone")); err == nil {
		t.Error("a repository was cloned from another server")
	}
	if stolen := took(); len(stolen) > 0 {
		t.Errorf("the other server was told %q", stolen)
	}
}

// TestAskpass answers for one server only.
func TestAskpass(t *testing.T) {
	env := map[string]string{AskpassVariable: "https://forge.example:8443", askpassUser: "bot", askpassToken: token}
	for question, want := range map[string]string{
		"Username for 'https://forge.example:8443': ":        "bot\n",
		"Password for 'https://bot@forge.example:8443': ":    token + "\n",
		"Password for 'https://bot@FORGE.example:8443': ":    token + "\n",
		"Password for 'https://bot@forge.example': ":         "",
		"Password for 'http://bot@forge.example:8443': ":     "",
		"Password for 'https://bot@evil.example:8443': ":     "",
		"Password for 'https://forge.example:8443@evil/x': ": "",
		"Passphrase for 'https://forge.example:8443': ":      "",
		"Enter passphrase for key '/home/me/.ssh/id': ":      "",
		"Password: ": "",
		"":           "",
	} {
		var out bytes.Buffer
		code := Askpass([]string{question}, func(name string) string { return env[name] }, &out)
		if out.String() != want || (code == 0) != (want != "") {
			t.Errorf("%q: %d, %q", question, code, &out)
		}
	}
	if code := Askpass(nil, func(name string) string { return env[name] }, &bytes.Buffer{}); code == 0 {
		t.Error("a helper that is asked nothing succeeds")
	}
}

// TestHTTPLease pushes while somebody else does: what the server has is what counts.
func TestHTTPLease(t *testing.T) {
	s, g := newServer(t), &Git{}
	s.commit("trunk", "a.go", "old\n")
	f := serve(t, s)
	dir := filepath.Join(t.TempDir(), "clone")
	base := mustClone(t, g, f.remote(token), dir)
	hash, err := g.Commit(t.Context(), dir, ours(base.Commit, campaign.FileChange{Name: "b.go", After: []byte("b\n")}))
	if err != nil {
		t.Fatal(err)
	}
	// Between our look and our push somebody makes the branch.
	var once sync.Once
	git, _ := exec.LookPath("git")
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(s.bare), "GIT_HTTP_EXPORT_ALL=1"}}
	f.refuse = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "git-receive-pack") {
			once.Do(func() { s.git(s.bare, "update-ref", "refs/heads/mend", base.Commit) })
		}
		backend.ServeHTTP(w, r)
	}
	if err := g.Push(t.Context(), f.remote(token), dir, "mend", hash, ""); !errors.Is(err, campaign.ErrLease) || s.at("mend") != base.Commit {
		t.Errorf("%v; the branch is at %s, want %s", err, s.at("mend"), base.Commit)
	}
}
