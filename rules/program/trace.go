package program

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A Trace is what loads have asked of the go command and of the disk, and a digest of each answer. Where all answers are
// the same again, everything that was made of them is, too. Files of the module cache and of the Go distribution, which are never
// written to, are told by size and time; all others by their content.
type Trace struct {
	mu     sync.Mutex
	record Record
	// fixed are the directories whose files are never written to.
	fixed []string
	// torn is set when one question had two answers.
	torn bool
}

// A Record is a Trace as it is kept. Its names are absolute.
type Record struct {
	// Commands are the calls of the go command, in their order.
	Commands []CommandRecord
	// Files, Fixed and Dirs are by name. A digest that is all zero stands for what could not be read.
	Files, Fixed, Dirs map[string][sha256.Size]byte
	// Exists are names that were asked for, and whether there is something.
	Exists map[string]bool
}

// A CommandRecord is one call of the go command that has succeeded.
type CommandRecord struct {
	Extra, Args []string
	Output      [sha256.Size]byte
}

// NewTrace begins a trace.
func NewTrace() *Trace {
	return &Trace{record: Record{
		Files: map[string][sha256.Size]byte{}, Fixed: map[string][sha256.Size]byte{},
		Dirs: map[string][sha256.Size]byte{}, Exists: map[string]bool{},
	}}
}

// Record returns what was noted; ok is false when it tells of no one state of the disk, since that has changed meanwhile.
func (t *Trace) Record() (r *Record, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &t.record, !t.torn && len(t.record.Commands) > 0
}

// Holds reports whether every answer is the same again, in a directory and an environment. It asks the disk first,
// which costs little, and then the go command.
func (r *Record) Holds(ctx context.Context, dir string, env []string) bool {
	for name, was := range r.Fixed {
		if digestOfInfo(name) != was {
			return false
		}
	}
	for name, was := range r.Exists {
		if exists(name) != was {
			return false
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Dirs)) {
		list, err := os.ReadDir(name)
		if digestOfDir(list, err) != r.Dirs[name] {
			return false
		}
	}
	var buf bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		if digestOfFile(buf.Bytes, ReadInto(&buf, name)) != r.Files[name] {
			return false
		}
	}
	tool := goTool{dir: dir, env: env}
	for _, c := range r.Commands {
		out, err := tool.run(ctx, c.Extra, c.Args...)
		if err != nil || sha256.Sum256(out) != c.Output {
			return false
		}
	}
	return len(r.Commands) > 0
}

// keep says which directories hold files that are never written to.
func (t *Trace) keep(env goEnv) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, dir := range []string{env.GOROOT, env.GOMODCACHE} {
		if dir != "" {
			t.fixed = append(t.fixed, filepath.Clean(dir)+string(filepath.Separator))
		}
	}
}

func (t *Trace) command(extra, args []string, out []byte) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := CommandRecord{Extra: slices.Clone(extra), Args: slices.Clone(args), Output: sha256.Sum256(out)}
	for _, old := range t.record.Commands {
		if slices.Equal(old.Extra, c.Extra) && slices.Equal(old.Args, c.Args) {
			t.torn = t.torn || old.Output != c.Output
			return
		}
	}
	t.record.Commands = append(t.record.Commands, c)
}

// file notes the content of a file, or that it could not be read.
func (t *Trace) file(name string, content func() []byte, err error) {
	if t == nil {
		return
	}
	t.mu.Lock()
	fixed := slices.ContainsFunc(t.fixed, func(dir string) bool { return strings.HasPrefix(name, dir) })
	t.mu.Unlock()
	if fixed {
		t.note(t.record.Fixed, name, digestOfInfo(name))
		return
	}
	t.note(t.record.Files, name, digestOfFile(content, err))
}

func (t *Trace) dir(name string, list []fs.DirEntry, err error) {
	if t != nil {
		t.note(t.record.Dirs, name, digestOfDir(list, err))
	}
}

func (t *Trace) note(in map[string][sha256.Size]byte, name string, digest [sha256.Size]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old, known := in[name]; known && old != digest {
		t.torn = true
	}
	in[name] = digest
}

func (t *Trace) exists(name string, is bool) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old, known := t.record.Exists[name]; known && old != is {
		t.torn = true
	}
	t.record.Exists[name] = is
}

func digestOfFile(content func() []byte, err error) [sha256.Size]byte {
	if err != nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(content())
}

// digestOfDir depends on the names of a directory and what kind of thing each is.
func digestOfDir(list []fs.DirEntry, err error) [sha256.Size]byte {
	if err != nil {
		return [sha256.Size]byte{}
	}
	h := sha256.New()
	for _, d := range list {
		fmt.Fprintf(h, "%q %d\n", d.Name(), d.Type())
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// digestOfInfo depends on the size and the time of a file.
func digestOfInfo(name string) (d [sha256.Size]byte) {
	info, err := os.Stat(name)
	if err != nil {
		return d
	}
	d[0] = 1
	binary.BigEndian.PutUint64(d[1:], uint64(info.Size()))
	binary.BigEndian.PutUint64(d[9:], uint64(info.ModTime().UnixNano()))
	return d
}
