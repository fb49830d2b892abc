// Package giteatest tries campaigns on a real Gitea, which it builds and starts. Everything that a campaign should have brought
// about is looked up through Gitea's own API, with a user of its own, and never by what a test asks of ctxmend.
package giteatest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// programs is where what the tests run is built, once.
var programs string

// TestMain leaves nothing behind.
func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "ctxmend-gitea-"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(programs)
	os.Exit(code)
}

// build builds a program of some module and returns its file.
func build(t *testing.T, name, module, pkg string, args ...string) string {
	t.Helper()
	file := filepath.Join(programs, name)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	run(t, module, nil, "go", append(append([]string{"build", "-trimpath", "-o", file}, args...), pkg)...)
	return file
}

// run runs a program that has to succeed.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// A server is a Gitea of the test's own.
type server struct {
	t    *testing.T
	url  string
	root string // the token of its administrator
	log  string
}

const settings = `
APP_NAME = test
RUN_MODE = prod
WORK_PATH = %[1]s
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %[2]s
ROOT_URL = %[4]s/
STATIC_ROOT_PATH = %[3]s
DISABLE_SSH = true
OFFLINE_MODE = true
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = %[1]s/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = of-a-test-that-nobody-else-can-reach
PASSWORD_HASH_ALGO = pbkdf2_v1
[service]
DISABLE_REGISTRATION = true
[repository]
DEFAULT_BRANCH = main
[actions]
ENABLED = false
[packages]
ENABLED = false
[indexer]
ISSUE_INDEXER_TYPE = db
[log]
MODE = console
LEVEL = Warn
[cron]
ENABLED = false
`

// serve starts a Gitea that ends with the test, with an administrator named ops. It speaks of itself by an address that leads to it, its
// own if that is empty.
func serve(t *testing.T, address string) *server {
	t.Helper()
	if os.Getenv("CTXMEND_TEST_GITEA") == "" {
		t.Skip("set CTXMEND_TEST_GITEA=1 for the tests with a real Gitea; building it takes minutes the first time")
	}
	const tags = "-tags=sqlite sqlite_unlock_notify"
	gitea := build(t, "gitea", "server", "code.gitea.io/gitea", tags)
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	config := filepath.Join(dir, "app.ini")
	static := run(t, "server", nil, "go", "list", "-m", "-f", "{{.Dir}}", "code.gitea.io/gitea")
	if address == "" {
		address = "http://127.0.0.1:" + port
	}
	if err := os.WriteFile(config, fmt.Appendf(nil, settings, dir, port, static, address), 0o600); err != nil {
		t.Fatal(err)
	}
	// Hooks that Gitea gives to its repositories call it with this environment.
	env := append(os.Environ(), "HOME="+dir, "GITEA_WORK_DIR="+dir)
	s := &server{t: t, url: "http://127.0.0.1:" + port, log: filepath.Join(dir, "log.txt")}
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(gitea, "web", "--config", config)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = log.Close()
		if t.Failed() {
			said, _ := os.ReadFile(s.log)
			t.Logf("Gitea said:\n%s", said)
		}
	})
	s.ready(ended)
	run(t, dir, env, gitea, "admin", "user", "create", "--config", config, "--admin", "--username", "ops", "--password", password, "--email", "ops@example.com", "--must-change-password=false")
	// What it logs comes first.
	said := strings.Fields(run(t, dir, env, gitea, "admin", "user", "generate-access-token", "--config", config, "--username", "ops", "--token-name", "test", "--scopes", "all", "--raw"))
	s.root = said[len(said)-1]
	return s
}

const password = "of-nobody-in-particular-1"

// ready waits until the server answers, or has ended.
func (s *server) ready(ended chan error) {
	s.t.Helper()
	for range 1200 {
		if resp, err := http.Get(s.url + "/api/healthz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-ended:
			ended <- err
			said, _ := os.ReadFile(s.log)
			s.t.Fatalf("Gitea ended: %v\n%s", err, said)
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.t.Fatal("Gitea does not answer")
}

type object = map[string]any

// ask sends a request to Gitea's API and returns status and body.
func (s *server) ask(token, method, path string, body any) (int, []byte) {
	s.t.Helper()
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		sent = bytes.NewReader(encoded)
	}
	req, err := http.NewRequest(method, s.url+"/api/v1"+path, sent)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if user, ok := strings.CutPrefix(token, "user:"); ok {
		req.SetBasicAuth(user, password)
	} else {
		req.Header.Set("Authorization", "token "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// as sends a request that has to succeed.
func (s *server) as(token, method, path string, body any) []byte {
	s.t.Helper()
	status, answer := s.ask(token, method, path, body)
	if status >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

// do sends one as the administrator and returns the object that is answered, if it is one.
func (s *server) do(method, path string, body any) object {
	s.t.Helper()
	var v object
	if answer := s.as(s.root, method, path, body); bytes.HasPrefix(answer, []byte("{")) {
		if err := json.Unmarshal(answer, &v); err != nil {
			s.t.Fatalf("%s %s: %s", method, path, answer)
		}
	}
	return v
}

// deleted waits until the server has dealt with the end of a branch, which comes later than its answer.
func (s *server) deleted(repository, branch string) {
	s.t.Helper()
	for range 600 {
		for _, did := range s.list("/repos/" + repository + "/activities/feeds") {
			if ref, _ := did["ref_name"].(string); did["op_type"] == "delete_branch" && strings.HasSuffix(ref, branch) {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Fatalf("%s is still there", branch)
}

// list gets a list, as the administrator, of at most fifty.
func (s *server) list(path string) []object {
	s.t.Helper()
	var all []object
	if err := json.Unmarshal(s.as(s.root, http.MethodGet, path, nil), &all); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// user makes a user and returns a token.
func (s *server) user(name string) string {
	s.t.Helper()
	s.do("POST", "/admin/users", object{"username": name, "email": name + "@example.com", "password": password, "must_change_password": false})
	var made struct{ Sha1 string }
	if err := json.Unmarshal(s.as("user:"+name, "POST", "/users/"+name+"/tokens", object{"name": "test", "scopes": []string{"all"}}), &made); err != nil {
		s.t.Fatal(err)
	}
	return made.Sha1
}

// commit changes or makes files on a branch, or on a new one made from it, in one commit.
func (s *server) commit(token, repository, branch, newBranch string, files map[string]string) {
	s.t.Helper()
	var changes []object
	for name, text := range files {
		change := object{"operation": "create", "path": name, "content": base64.StdEncoding.EncodeToString([]byte(text))}
		if status, there := s.ask(s.root, "GET", "/repos/"+repository+"/contents/"+name+"?ref="+branch, nil); status == 200 {
			var file struct{ SHA string }
			if err := json.Unmarshal(there, &file); err != nil {
				s.t.Fatal(err)
			}
			change["operation"], change["sha"] = "update", file.SHA
		}
		changes = append(changes, change)
	}
	ask := object{"files": changes, "message": "change", "branch": branch}
	if newBranch != "" {
		ask["new_branch"] = newBranch
	}
	s.as(token, "POST", "/repos/"+repository+"/contents", ask)
}
