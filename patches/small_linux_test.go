package patches

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// mountSmall mounts a file system of 128 KB.
func mountSmall(dir string) (unmount func(), err error) {
	if err := syscall.Mount("ctxmend", dir, "tmpfs", 0, "size=128k"); err != nil {
		return nil, fmt.Errorf("mount: %w", err)
	}
	return func() { syscall.Unmount(dir, syscall.MNT_DETACH) }, nil
}

// TestWriteOwner keeps a file's owner and group, for those who may give files away.
func TestWriteOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	w := newWorld(t)
	name := w.name("sub/b.go")
	if err := os.Chown(name, 1234, 5678); err != nil {
		t.Skip(err)
	}
	owned := func(when string) {
		t.Helper()
		info, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 1234 || st.Gid != 5678 || info.Mode() != 0o755 {
			t.Errorf("%s: owner %d, group %d, mode %v", when, st.Uid, st.Gid, info.Mode())
		}
	}
	if err := w.write(t, w.set); err != nil {
		t.Fatal(err)
	}
	owned("after writing")
	if _, err := Undo(t.Context(), w.root, w.cache); err != nil {
		t.Fatal(err)
	}
	owned("after undo")
}

// TestJournalOfOthers has another user leave a journal in a cache directory that all may write to.
func TestJournalOfOthers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	w := newWorld(t)
	if err := w.write(t, w.set); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(osFS{}, w.root, w.cache)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(s.last(), 1234, 5678); err != nil {
		t.Skip(err)
	}
	var refused *JournalError
	if _, err := Undo(t.Context(), w.root, w.cache); !errors.As(err, &refused) || !strings.Contains(err.Error(), "another user") {
		t.Errorf("undo: %v", err)
	}
	w.is(t, w.new, "after the refused undo")
	t.Setenv("SUDO_UID", "1234")
	if _, err := Undo(t.Context(), w.root, w.cache); err != nil {
		t.Errorf("undo with sudo: %v", err)
	}
}
