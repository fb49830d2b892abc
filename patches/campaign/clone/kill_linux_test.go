package clone

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// speaking counts the processes that have an address among their arguments.
func speaking(address string) int {
	n := 0
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if args, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")); err == nil && bytes.Contains(args, []byte(address)) {
			n++
		}
	}
	return n
}

// TestKilled kills a process in the middle of a clone: its git ends with it, so that whoever takes over is alone in the directory.
func TestKilled(t *testing.T) {
	asked, end := make(chan struct{}, 10), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-end
	}))
	defer s.Close()
	defer close(end)
	worker := exec.Command(os.Args[0], filepath.Join(t.TempDir(), "clone"))
	worker.Env = append(os.Environ(), "CTXMEND_TEST_CLONE="+s.URL)
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if speaking(s.URL) == 0 {
		t.Error("git is not seen, so that this proves nothing")
	}
	if err := worker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = worker.Wait()
	for speaking(s.URL) > 0 { // a test in which git goes on does not end
		time.Sleep(10 * time.Millisecond)
	}
}
