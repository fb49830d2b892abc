package patches

import (
	"fmt"
	"os"
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
