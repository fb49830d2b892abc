package program

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxSource is the size above which a Go file is not read: its syntax takes some thirty times as
// much memory. The largest that generators make are a fraction of it.
const maxSource = 64 << 20

// ReadFile returns the content of a source file. What is no regular file, and might keep its reader waiting or
// never end, is an error, and so is a file that is larger than any source.
func ReadFile(name string) ([]byte, error) {
	var buf bytes.Buffer
	if err := ReadInto(&buf, name); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// ReadInto is ReadFile into a buffer that can be used again; what the buffer held is dropped.
func ReadInto(buf *bytes.Buffer, name string) error {
	buf.Reset()
	info, err := os.Stat(name) // before opening, which would wait for whoever writes to a pipe
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is %s, not a file", name, kindOf(info.Mode()))
	}
	if info.Size() > maxSource {
		return tooLarge(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buf.Grow(int(info.Size()) + bytes.MinRead) // so that the end is found without growing again
	n, err := buf.ReadFrom(io.LimitReader(f, maxSource+1))
	if n > maxSource {
		return tooLarge(name)
	}
	return err
}

var errTooLarge = fmt.Errorf("larger than %d MB, and not read", maxSource>>20)

func tooLarge(name string) error { return fmt.Errorf("%s is %w", name, errTooLarge) }

// kindOf names what is no regular file.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something unusual"
}

// endless reports whether reading what has the mode may wait for somebody, or never end.
func endless(mode fs.FileMode) bool { return mode&(fs.ModeNamedPipe|fs.ModeDevice) != 0 }

// CheckModuleFiles makes sure that the go command can read the go.mod and go.work files that hold for
// a directory: it would wait for ever for whoever writes to a pipe of that name.
func CheckModuleFiles(dir string) error {
	for {
		for _, base := range []string{"go.mod", "go.work"} {
			name := filepath.Join(dir, base)
			if info, err := os.Stat(name); err == nil && endless(info.Mode()) {
				return waitsFor(name, info.Mode())
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			return nil
		}
		dir = up
	}
}

func waitsFor(name string, mode fs.FileMode) error {
	return fmt.Errorf("%s is %s, and the go command would wait for it without end: remove or rename it", name, kindOf(mode))
}
