package clone

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// Modes of a tree's entries.
const (
	modeFile       = "100644"
	modeExecutable = "100755"
	modeSymlink    = "120000"
	modeGitlink    = "160000"
)

// maxTarget bounds the target of a symbolic link.
const maxTarget = 4096

// An entry is a file of a commit.
type entry struct {
	mode, hash, name string
	size             int64
}

// pipe reads the output of a command.
type pipe struct{ *bufio.Reader }

func newPipe(r io.Reader) *pipe { return &pipe{bufio.NewReaderSize(r, 1<<16)} }

// Export writes the files of a commit, and no others, into a directory that is empty or does not exist.
func (g *Git) Export(ctx context.Context, dir, commit, into string) error {
	if !isHash(commit) {
		return fmt.Errorf("%q is no commit", clean(commit, nil))
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	have, err := os.ReadDir(into)
	if err != nil {
		return err
	}
	if len(have) > 0 {
		return fmt.Errorf("%s is not empty", into)
	}
	return g.write(ctx, gitDir(dir), commit, into, defaultBytes)
}

// write puts the files of a commit, which may take as much room as is given, in the place of what lies in a directory beside .git.
func (g *Git) write(ctx context.Context, at, commit, dir string, room int64) error {
	entries, err := g.entries(ctx, at, commit)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return e.mode == modeGitlink })
	var sum int64
	for _, e := range entries {
		if sum += e.size; sum > room {
			return tooLarge(room)
		}
	}
	if err := clear(dir, gitDirName); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	w := &writer{root: root, dir: dir, made: map[string]bool{".": true}}
	if err := g.contents(ctx, at, entries, w.write); err != nil {
		return err
	}
	return w.link()
}

// entries lists the files and submodules of a commit. Names that could mean something else than a file of the clone are an error.
func (g *Git) entries(ctx context.Context, at, commit string) ([]entry, error) {
	most := cmp.Or(g.Files, defaultFiles)
	var list []entry
	names := nameSet{}
	read := func(p *pipe) error {
		for {
			record, err := p.ReadString(0)
			if err == io.EOF && record == "" {
				return nil
			}
			if err != nil {
				return fmt.Errorf("git ls-tree: %w", err)
			}
			e, err := parseEntry(strings.TrimSuffix(record, "\x00"))
			if err != nil {
				return err
			}
			if err := names.add(e.name); err != nil {
				return err
			}
			if list = append(list, e); len(list) > most {
				return fmt.Errorf("%w: the repository has more than %d files", campaign.ErrTooLarge, most)
			}
		}
	}
	_, err := g.run(ctx, command{gitDir: at, args: []string{"ls-tree", "-r", "-z", "-l", "--full-tree", commit}, out: read})
	return list, err
}

// A nameSet holds the names of files, and of the directories they lie in: true for files.
type nameSet map[string]bool

// add refuses a file that is there already, or that lies below another one: git makes no such trees.
func (n nameSet) add(name string) error {
	if _, ok := n[name]; ok {
		return fmt.Errorf("%w: %q is there twice", campaign.ErrHostile, clean(name, nil))
	}
	n[name] = true
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if file, ok := n[dir]; file {
			return fmt.Errorf("%w: %q is a file and a directory", campaign.ErrHostile, clean(dir, nil))
		} else if ok {
			break
		}
		n[dir] = false
	}
	return nil
}

// parseEntry reads a record of git ls-tree -l: mode, type, hash, size, a tab and the name.
func parseEntry(record string) (entry, error) {
	head, name, ok := strings.Cut(record, "\t")
	f := strings.Fields(head)
	if !ok || len(f) != 4 || !isHash(f[2]) {
		return entry{}, fmt.Errorf("git ls-tree printed %q", clean(record, nil))
	}
	e := entry{mode: f[0], hash: f[2], name: name}
	if err := checkName(name); err != nil {
		return e, err
	}
	switch e.mode {
	case modeGitlink:
		return e, nil
	case modeFile, modeExecutable, modeSymlink, "100664": // some early programs wrote the last
	default:
		return e, fmt.Errorf("%w: %q has mode %s", campaign.ErrHostile, clean(name, nil), e.mode)
	}
	var err error
	if e.size, err = strconv.ParseInt(f[3], 10, 64); err != nil || e.size < 0 {
		return e, fmt.Errorf("git ls-tree printed %q", clean(record, nil))
	}
	return e, nil
}

// contents hands the bytes of files to a function, one after the other.
func (g *Git) contents(ctx context.Context, at string, entries []entry, take func(entry, io.Reader) error) error {
	var ask strings.Builder
	for _, e := range entries {
		ask.WriteString(e.hash + "\n")
	}
	read := func(p *pipe) error {
		for _, e := range entries {
			head, err := p.ReadString('\n')
			if err != nil {
				return fmt.Errorf("git cat-file: %w", err)
			}
			if want := fmt.Sprintf("%s blob %d\n", e.hash, e.size); head != want {
				return fmt.Errorf("git cat-file printed %q in place of %q", clean(head, nil), clean(want, nil))
			}
			body := &io.LimitedReader{R: p, N: e.size}
			if err := take(e, body); err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, body); err != nil {
				return err
			}
			if end, err := p.ReadByte(); err != nil || end != '\n' {
				return errors.New("git cat-file ended too early")
			}
		}
		return nil
	}
	if len(entries) == 0 {
		return nil
	}
	_, err := g.run(ctx, command{gitDir: at, args: []string{"cat-file", "--batch"}, stdin: []byte(ask.String()), out: read})
	return err
}

// A writer writes files below one directory. Links come last, when there is nothing left to be written through them.
type writer struct {
	root  *os.Root
	dir   string
	made  map[string]bool
	links []string
}

func (w *writer) write(e entry, r io.Reader) error {
	name := filepath.FromSlash(e.name)
	if err := w.mkdir(path.Dir(e.name)); err != nil {
		return err
	}
	if e.mode == modeSymlink {
		target, err := io.ReadAll(io.LimitReader(r, maxTarget+1))
		if err != nil || len(target) > maxTarget || !staysInside(e.name, string(target)) {
			return err
		}
		w.links = append(w.links, e.name, string(target))
		return nil
	}
	mode := fs.FileMode(0o644)
	if e.mode == modeExecutable {
		mode = 0o755
	}
	f, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return sameName(e.name)
	} else if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// sameName is the error about a name that is another one for this file system.
func sameName(name string) error {
	return fmt.Errorf("%w: %q is the same name as another one on this machine", campaign.ErrHostile, clean(name, nil))
}

func (w *writer) mkdir(dir string) error {
	if w.made[dir] {
		return nil
	}
	if err := w.mkdir(path.Dir(dir)); err != nil {
		return err
	}
	err := w.root.Mkdir(filepath.FromSlash(dir), 0o755)
	if errors.Is(err, fs.ErrExist) {
		return sameName(dir)
	}
	w.made[dir] = true
	return err
}

// link makes the links, and takes back those that lead out of the directory by way of others.
func (w *writer) link() error {
	for i := 0; i < len(w.links); i += 2 {
		err := w.root.Symlink(w.links[i+1], filepath.FromSlash(w.links[i]))
		if errors.Is(err, fs.ErrExist) {
			return sameName(w.links[i])
		} else if err != nil {
			return err
		}
	}
	top, err := filepath.EvalSymlinks(w.dir)
	if err != nil {
		return err
	}
	for i := 0; i < len(w.links); i += 2 {
		name := filepath.FromSlash(w.links[i])
		to, err := filepath.EvalSymlinks(filepath.Join(top, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			rel, rerr := filepath.Rel(top, to)
			if rerr == nil && filepath.IsLocal(rel) && !isGitName(firstOf(filepath.ToSlash(rel))) {
				continue
			}
		}
		if err := w.root.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// staysInside reports whether a link leads to a place in the clone, as far as its text tells.
func staysInside(name, target string) bool {
	if target == "" || path.IsAbs(target) || filepath.IsAbs(target) || strings.ContainsAny(target, "\x00\\") {
		return false
	}
	to := path.Join(path.Dir(name), target)
	return filepath.IsLocal(filepath.FromSlash(to)) && !isGitName(firstOf(to))
}

func firstOf(name string) string {
	first, _, _ := strings.Cut(name, "/")
	return first
}
