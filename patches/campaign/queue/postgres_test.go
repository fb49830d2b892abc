//go:build unix

package queue

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/clone"
)

var repositories = flag.Int("repositories", 40, "how many repositories two workers share")

// TestMain is a worker where a test starts one.
func TestMain(m *testing.M) {
	if name := os.Getenv("CTXMEND_TEST_QUEUE"); name != "" {
		if err := workerProcess(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// workerProcess works until nothing is left to be done, on real repositories.
func workerProcess(name string) error {
	ctx := context.Background()
	db, err := Open(ctx, name)
	if err != nil {
		return err
	}
	defer db.Close()
	work, remove, err := WorkDir(os.Getenv("CTXMEND_TEST_WORK"))
	if err != nil {
		return err
	}
	defer remove()
	w, err := db.NewWorker(Options{Jobs: 1, Engine: func(_ context.Context, s Stored) (*campaign.Engine, error) {
		cfg, err := campaign.Parse([]byte(s.Config), nil)
		if err != nil {
			return nil, err
		}
		cfg.Dir = s.Dir
		return &campaign.Engine{Config: cfg, Git: &clone.Git{}, Analyser: reader{}, Work: work, Now: time.Now}, nil
	}})
	if err != nil {
		return err
	}
	w.claimFor = 2 * time.Second
	return w.Run(ctx, true)
}

// A reader is an analysis that looks for one word, and writes down what it has been asked.
type reader struct{}

func (reader) Analyse(_ context.Context, dir string, _ campaign.AnalysisOptions, want func(*campaign.Analysis) [][]string) (*campaign.Analysis, []*campaign.Patch, error) {
	log, err := os.OpenFile(os.Getenv("CTXMEND_TEST_LOG"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	if _, err := fmt.Fprintf(log, "%d %s\n", os.Getpid(), filepath.Base(dir)); err != nil {
		return nil, nil, err
	}
	before, err := os.ReadFile(filepath.Join(dir, "a.go"))
	if err != nil {
		return nil, nil, err
	}
	a := &campaign.Analysis{Units: []campaign.Unit{unit()}}
	var made []*campaign.Patch
	for range want(a) {
		made = append(made, &campaign.Patch{Units: a.Units, Changes: []campaign.FileChange{{Name: "a.go", Before: before, After: []byte("package mended\n")}}})
	}
	return a, made, nil
}

// postgres starts a server for a test and returns the address of an empty database.
func postgres(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the server is started as on Unix")
	}
	bin := postgresPrograms(t)
	dir, err := os.MkdirTemp("", "pg") // short: the name of a socket may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 { // the server does not run as root
		who, err := user.Lookup("postgres")
		if err != nil {
			who, err = user.Lookup("nobody")
		}
		if err != nil {
			absent(t, "nobody to run the server as: neither postgres nor nobody is a user here")
		}
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.SysProcAttr, cmd.Dir = as, dir
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "ctxmend", "-A", "trust", "--no-sync", "-E", "UTF8").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	log := filepath.Join(dir, "log")
	start := run("pg_ctl", "-D", data, "-w", "-l", log, "-o", "-k "+dir+" -c listen_addresses= -c fsync=off", "start")
	if out, err := start.CombinedOutput(); err != nil {
		said, _ := os.ReadFile(log)
		t.Fatalf("pg_ctl: %v\n%s%s", err, out, said)
	}
	t.Cleanup(func() {
		if out, err := run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop").CombinedOutput(); err != nil {
			t.Errorf("pg_ctl stop: %v\n%s", err, out)
		}
	})
	return "postgres:///postgres?user=ctxmend&host=" + dir
}

// absent ends a test for which something is missing on this machine; where everything is installed on purpose it fails.
func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// postgresPrograms returns where the programs of the server lie, on PATH or where Debian has them.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "pg_ctl")); err == nil {
			return filepath.Dir(path)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		absent(t, "PostgreSQL is not installed")
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

// TestPostgres: what holds for a file of SQLite holds for a server.
func TestPostgres(t *testing.T) {
	s := newStage(t, plainConfig+"canary: {repositories: 1}\n", "shop/a", "shop/b")
	s.database = postgres(t)
	for at := 5; at < 30; at += 6 {
		s.world.killAt = s.world.words + at
		_ = s.run(campaign.ModeRun)
	}
	s.world.killAt = 0
	s.must(campaign.ModeRun)
	s.expect("shop/a open, shop/b verified")
	s.world.repos["shop/a"].pulls[0].State = "merged"
	s.must(campaign.ModeRun)
	s.must(campaign.ModeRun)
	s.expect("shop/a merged, shop/b open")
	for name, r := range s.world.repos {
		if len(r.pulls) != 1 || len(r.branches) != 1 {
			t.Errorf("%s has %d pull requests and %d branches", name, len(r.pulls), len(r.branches))
		}
	}
	s.must(campaign.ModeClose)
	s.expect("shop/a merged, shop/b withdrawn")
}

// TestWorkersShare has two processes share real repositories on a server, and kills one of them: no repository is done twice but what
// the killed one was doing, and each has one branch.
func TestWorkersShare(t *testing.T) {
	if testing.Short() {
		t.Skip("many git processes")
	}
	database, dir := postgres(t), t.TempDir()
	makeRepositories(t, dir, *repositories)
	s := &stage{T: t, database: database, config: "name: keys\ntargets: {directories: [repos/*]}\nlimits: {per_hour: 1000}\n"}
	db, w, e := s.start()
	defer db.Close()
	e.Config.Dir = dir
	targets, err := e.Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Begin(t.Context(), Stored{Name: "keys", Mode: campaign.ModeRun, Config: s.config, Dir: dir}, targets); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	start := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CTXMEND_TEST_QUEUE="+database, "CTXMEND_TEST_LOG="+log, "CTXMEND_TEST_WORK="+filepath.Join(dir, "work"))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	first, second := start(), start()
	for { // the second one is killed when it has done something and is doing more
		done, _ := os.ReadFile(log)
		if bytes.Count(done, fmt.Appendf(nil, "%d ", second.Process.Pid)) >= 3 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait()
	if err := first.Wait(); err != nil {
		t.Fatalf("the other worker: %v", err)
	}
	_, changes, err := db.Load(t.Context(), "keys")
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for _, c := range changes {
		if c.State == campaign.ChangeOpen {
			open++
		}
	}
	if open != *repositories {
		t.Errorf("%d of %d are open", open, *repositories)
	}
	done, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]string{}
	for line := range strings.Lines(string(done)) {
		pid, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		by[name] = append(by[name], pid)
	}
	twice := 0
	for _, pids := range by {
		if len(pids) > 1 {
			twice++
		}
	}
	if len(by) != *repositories || twice > 1 {
		t.Errorf("%d of %d repositories were analysed, %d of them twice", len(by), *repositories, twice)
	}
	for i := range *repositories {
		out, err := exec.Command("git", "-C", filepath.Join(dir, "repos", fmt.Sprintf("r%03d.git", i)), "for-each-ref", "--format=%(refname)").Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != "refs/heads/ctxmend/keys\nrefs/heads/main\n" {
			t.Errorf("r%03d has %q", i, out)
		}
	}
}

// makeRepositories makes bare repositories with one commit.
func makeRepositories(t *testing.T, dir string, n int) {
	t.Helper()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	seed := filepath.Join(dir, "seed")
	git("init", "-q", "-b", "main", seed)
	if err := os.WriteFile(filepath.Join(seed, "a.go"), []byte("package a\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	git("-C", seed, "add", "-A")
	git("-C", seed, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "seed")
	for i := range n {
		git("clone", "-q", "--bare", "--no-hardlinks", seed, filepath.Join(dir, "repos", fmt.Sprintf("r%03d.git", i)))
	}
}
