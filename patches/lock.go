package patches

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A holder is what a lock file says: who made it.
type holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Start tells apart processes that had the same number at different times,
	// where the system tells when a process started.
	Start string `json:"start,omitempty"`
	// Space is the name space in which PID is a number, where there are several: containers may share a directory and a host name.
	Space string `json:"space,omitempty"`
	Nonce string `json:"nonce"`
}

// held are the nonces of the locks this process holds: a lock with its number
// that is not among them was left by an earlier process of the same number, as is
// usual in containers, where it is 1.
var held = struct {
	sync.Mutex
	nonces map[string]bool
}{nonces: map[string]bool{}}

const (
	lockPoll = 20 * time.Millisecond
	// foreignLock is the age at which a lock of another machine, or container, is taken for
	// abandoned. Locks are held while files are being written, which takes
	// seconds; the analysis before holds none.
	foreignLock = 10 * time.Minute
	// tornLock is the age at which a lock file that does not say who made it is:
	// it is written at once after it is created.
	tornLock = 2 * time.Second
)

// lock makes this process the only one that writes to the root. It waits for
// another that does, for at most s.wait, and takes over the lock of one that died.
func (s *store) lock(ctx context.Context) (unlock func(), err error) {
	if err := s.makeDir(); err != nil {
		return nil, &JournalError{Path: s.dir, Err: err}
	}
	host, _ := os.Hostname()
	me := holder{PID: os.Getpid(), Host: host, Start: processStart(os.Getpid()), Space: processSpace(), Nonce: randomID()}
	path := s.lockFile()
	deadline := time.Now().Add(s.wait)
	for {
		data, err := s.tryLock(path, me)
		if err == nil {
			s.sweep()
			return func() { s.unlock(path, me, data) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, &JournalError{Path: s.dir, Err: err}
		}
		if s.breakStale(path, me) {
			continue
		}
		if !time.Now().Before(deadline) {
			return nil, s.lockedError(path)
		}
		select {
		case <-ctx.Done():
			return nil, cancelled(ctx)
		case <-time.After(lockPoll):
		}
	}
}

// tryLock creates the lock file, and fails with fs.ErrExist if it exists.
func (s *store) tryLock(path string, me holder) ([]byte, error) {
	data, err := json.Marshal(me)
	if err != nil {
		return nil, err
	}
	held.Lock()
	held.nonces[me.Nonce] = true
	held.Unlock()
	if err := create(s.ops, path, data, 0o600, nil); err != nil {
		held.Lock()
		delete(held.nonces, me.Nonce)
		held.Unlock()
		return nil, err
	}
	return data, nil
}

// sweep removes what crashes have left in the store: claims on locks that are gone
// and a journal that was never complete. The lock must be held.
func (s *store) sweep() {
	names, err := s.ops.ReadNames(s.dir)
	if err != nil {
		return // they do no harm
	}
	for _, name := range names {
		if strings.HasPrefix(name, "lock-") || name == "pending.tmp" {
			s.ops.Remove(filepath.Join(s.dir, name))
		}
	}
}

// unlock removes the lock file if it is still the one that was made.
func (s *store) unlock(path string, me holder, data []byte) {
	if now, err := s.ops.ReadFile(path); err == nil && bytes.Equal(now, data) {
		s.ops.Remove(path)
	}
	held.Lock()
	delete(held.nonces, me.Nonce)
	held.Unlock()
}

// breakStale removes the lock if its holder is gone, and reports whether it is
// worth trying again at once.
//
// Two processes may find the same lock stale, and the slower must not remove the
// lock that the faster has made meanwhile. So who removes a lock first claims
// it by a file named after its contents, then looks again.
func (s *store) breakStale(path string, me holder) bool {
	data, stale := s.stale(path)
	if !stale {
		return false
	}
	claim := path + "-" + sum(data)[:16]
	if _, err := s.tryLock(claim, me); err != nil {
		if _, dead := s.stale(claim); dead {
			return s.ops.Remove(claim) == nil // died while breaking a lock
		}
		return false
	}
	again, stale := s.stale(path)
	ok := stale && bytes.Equal(again, data) && s.ops.Remove(path) == nil
	s.ops.Remove(claim)
	held.Lock()
	delete(held.nonces, me.Nonce)
	held.Unlock()
	return ok
}

// stale reports whether the lock file was left behind, and returns its contents.
func (s *store) stale(path string) (data []byte, stale bool) {
	info, err := s.ops.Lstat(path)
	if err != nil {
		return nil, false
	}
	data, err = s.ops.ReadFile(path)
	if err != nil {
		return nil, false
	}
	var h holder
	host, _ := os.Hostname()
	if json.Unmarshal(data, &h) != nil {
		return data, time.Since(info.ModTime()) > tornLock
	}
	if h.Host != host || h.Space != processSpace() {
		return data, time.Since(info.ModTime()) > foreignLock
	}
	if h.PID == os.Getpid() {
		held.Lock()
		defer held.Unlock()
		return data, !held.nonces[h.Nonce]
	}
	return data, !alive(h.PID) || processStart(h.PID) != h.Start
}

func (s *store) lockedError(path string) error {
	e := &LockedError{Path: path}
	var h holder
	if data, err := s.ops.ReadFile(path); err == nil && json.Unmarshal(data, &h) == nil {
		e.PID, e.Host = h.PID, h.Host
	}
	return e
}

// alive reports whether a process of this machine runs. In doubt it does.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// processStart returns something that stays the same as long as a process lives,
// "" where the system does not tell.
func processStart(pid int) string {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	// The second field, the command in parentheses, may hold anything.
	_, rest, ok := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return ""
	}
	return fields[19] // the 22nd: ticks since the machine started
}

// processSpace names the space of process numbers that this process lives in, "" where the system has one only, or does not tell.
func processSpace() string {
	name, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return name
}
