package patches

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary plays other processes when this variable says which.
const playEnv = "CTXMEND_TEST_PLAY"

func TestMain(m *testing.M) {
	switch args := strings.Split(os.Getenv(playEnv), "\n"); args[0] {
	case "write":
		os.Exit(playWriter(args[1], args[2], args[3]))
	case "victim":
		os.Exit(playVictim(args[1], args[2], args[3], args[4]))
	case "full":
		os.Exit(playFull(args[1]))
	case "hold":
		playHolder(args[1], args[2])
	default:
		os.Exit(m.Run())
	}
}

func play(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), playEnv+"="+strings.Join(args, "\n"))
	return cmd
}

// raceSet changes three files to one that names its writer.
func raceSet(root, who string) *Set {
	s := &Set{Root: root}
	for i := range 3 {
		rel := fmt.Sprintf("f%d.go", i)
		s.Files = append(s.Files, &File{Name: filepath.Join(root, rel), Rel: rel, Old: []byte("old"), New: []byte(who)})
	}
	return s
}

// playWriter writes its set: exit code 0 if it was first, 3 if another was.
func playWriter(root, cache, who string) int {
	err := raceSet(root, who).Write(context.Background(), WriteOptions{CacheDir: cache})
	var changed *ChangedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &changed):
		return 3
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// playHolder takes the lock, says so, and keeps it until it is killed.
func playHolder(root, cache string) {
	s, err := openStore(osFS{}, root, cache)
	if err == nil {
		_, err = s.lock(context.Background())
	}
	fmt.Println(err)
	time.Sleep(time.Minute)
}

func raceTree(t *testing.T) (root, cache string) {
	t.Helper()
	root, cache = t.TempDir(), t.TempDir()
	for _, f := range raceSet(root, "").Files {
		writeFile(t, f.Name, f.Old, 0o644)
	}
	return root, cache
}

// checkWinner checks that all three files are by one writer.
func checkWinner(t *testing.T, root string) {
	t.Helper()
	got := readTree(t, root)
	if len(got) != 3 || got["f0.go"] != got["f1.go"] || got["f1.go"] != got["f2.go"] || strings.Contains(got["f0.go"], "old") {
		t.Errorf("mixed or left over: %q", got)
	}
}

func TestProcessesRace(t *testing.T) {
	root, cache := raceTree(t)
	holder := startHolder(t, root, cache)
	cmds := make([]*exec.Cmd, 5)
	for i := range cmds {
		cmds[i] = play("write", root, cache, fmt.Sprint("writer ", i))
		cmds[i].Stderr = os.Stderr
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond) // for most to be waiting; not needed to pass
	// It dies with the lock: all want to break it at once.
	holder.Process.Kill()
	holder.Wait()
	wins := 0
	for _, cmd := range cmds {
		cmd.Wait()
		switch code := cmd.ProcessState.ExitCode(); code {
		case 0:
			wins++
		case 3:
		default:
			t.Errorf("exit code %d", code)
		}
	}
	if wins != 1 {
		t.Errorf("%d writers think they wrote", wins)
	}
	checkWinner(t, root)
}

func startHolder(t *testing.T, root, cache string) *exec.Cmd {
	t.Helper()
	holder := play("hold", root, cache)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { holder.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "<nil>\n" {
		t.Fatal(line, err)
	}
	return holder
}

func TestGoroutinesRace(t *testing.T) {
	root, cache := raceTree(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			errs[i] = raceSet(root, fmt.Sprint("writer ", i)).Write(t.Context(), WriteOptions{CacheDir: cache})
		})
	}
	wg.Wait()
	wins := 0
	for _, err := range errs {
		var changed *ChangedError
		if err == nil {
			wins++
		} else if !errors.As(err, &changed) {
			t.Error(err)
		}
	}
	if wins != 1 {
		t.Errorf("%d writers think they wrote", wins)
	}
	checkWinner(t, root)
}

func TestLocked(t *testing.T) {
	root, cache := raceTree(t)
	holder := startHolder(t, root, cache)
	s, err := openStore(osFS{}, root, cache)
	if err != nil {
		t.Fatal(err)
	}
	s.wait = 3 * lockPoll
	_, err = s.lock(t.Context())
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != holder.Process.Pid || !strings.Contains(err.Error(), locked.Path) {
		t.Errorf("%T %v", err, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), lockPoll)
	defer cancel()
	if err := raceSet(root, "x").Write(ctx, WriteOptions{CacheDir: cache}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	holder.Process.Kill()
	holder.Wait()
	unlock, err := s.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if names, _ := os.ReadDir(s.dir); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

// TestStaleLocks judges locks by what they say and how old they are.
func TestStaleLocks(t *testing.T) {
	host, _ := os.Hostname()
	me := os.Getpid()
	encode := func(h holder) string {
		data, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for _, test := range []struct {
		name, text string
		age        time.Duration
		want       bool
	}{
		{"my number, not my lock", encode(holder{PID: me, Host: host, Start: processStart(me), Space: processSpace(), Nonce: "x"}), 0, true},
		{"my parent", encode(holder{PID: os.Getppid(), Host: host, Start: processStart(os.Getppid()), Space: processSpace()}), time.Hour, false},
		{"other container", encode(holder{PID: me, Host: host, Space: "pid:[1]", Nonce: "x"}), 0, false},
		{"other container, old", encode(holder{PID: me, Host: host, Space: "pid:[1]", Nonce: "x"}), 2 * foreignLock, true},
		{"other machine", encode(holder{PID: me, Host: host + "x"}), 0, false},
		{"other machine, old", encode(holder{PID: me, Host: host + "x"}), 2 * foreignLock, true},
		{"torn", `{"pid":`, 0, false},
		{"torn, old", ``, 2 * tornLock, true},
	} {
		path := filepath.Join(t.TempDir(), "lock")
		writeFile(t, path, []byte(test.text), 0o600)
		when := time.Now().Add(-test.age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		s := &store{ops: osFS{}}
		if _, got := s.stale(path); got != test.want {
			t.Errorf("%s: stale %v, want %v", test.name, got, test.want)
		}
	}
	if start := processStart(os.Getppid()); start != "" {
		s := &store{ops: osFS{}}
		path := filepath.Join(t.TempDir(), "lock")
		writeFile(t, path, []byte(encode(holder{PID: os.Getppid(), Host: host, Start: start + "0", Space: processSpace()})), 0o600)
		if _, stale := s.stale(path); !stale {
			t.Error("the number's earlier process is taken for the present one")
		}
	}
}
