package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
)

// A Plan is a patch set for the index together with what it means for the working tree.
type Plan struct {
	state *State
	// updates are the new entries of the index by path; the zero entry removes one.
	updates map[string]Entry
	// Set is what changes in the working tree.
	Set *patches.Set
	// Merged are the paths whose version in the working tree, which differs from the one in the index, gets the changes too.
	Merged []string
}

// An UnstagedError says that changes of the index cannot be brought into the versions of the working tree.
type UnstagedError struct {
	Paths []string
	// Why says what stands in the way.
	Why string
}

func (e *UnstagedError) Error() string { return strings.Join(e.Paths, ", ") + ": " + e.Why }

// A BusyError says that the index cannot be replaced: another git command is at it.
type BusyError struct{ Path string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another git command is changing the index: %s exists", e.Path)
}

// Plan works out what a patch set that was made for the index changes in the index and in the working tree. Nothing is
// written but contents that nobody refers to yet.
func (s *State) Plan(ctx context.Context, set *patches.Set) (*Plan, error) {
	p := &Plan{state: s, updates: map[string]Entry{}, Set: &patches.Set{Root: set.Root, Roots: set.Roots, Base: set.Base}}
	var torn []string
	for _, f := range set.Files {
		path := s.repo.Path(f.Name)
		if path == "" || s.inSubmodule(path) {
			return nil, &UnstagedError{[]string{f.Rel}, "it does not belong to this repository, and what is committed here cannot change it: run ctxmend fix, and commit both"}
		}
		change, err := s.planFile(ctx, p, path, f)
		if errors.Is(err, errTorn) {
			torn = append(torn, path)
			continue
		}
		if err != nil {
			return nil, err
		}
		if change != nil {
			p.Set.Files = append(p.Set.Files, change)
		}
	}
	if len(torn) > 0 {
		return nil, &UnstagedError{torn, "a fix and what is not staged change the same lines"}
	}
	return p, nil
}

// errTorn says that the change of the index and that of the working tree touch the same lines.
var errTorn = errors.New("the changes overlap")

func (s *State) inSubmodule(path string) bool {
	for name, e := range s.Index {
		if e.Mode == modeModule && strings.HasPrefix(path, name+"/") {
			return true
		}
	}
	return false
}

// planFile plans the change of one path, and returns that of the file in the working tree, nil for none.
func (s *State) planFile(ctx context.Context, p *Plan, path string, f *patches.File) (*patches.File, error) {
	entry, tracked := s.Index[path]
	if f.Old == nil {
		if tracked {
			return nil, fmt.Errorf("%s is in the index already", path)
		}
		id, err := s.repo.hash(ctx, path, f.New, true, true)
		p.updates[path] = Entry{"100644", id}
		return f, err
	}
	filters, err := s.form(ctx, path, entry, f.Old)
	if err != nil {
		return nil, err
	}
	var now Entry
	if f.New != nil {
		id, err := s.repo.hash(ctx, path, f.New, filters, true)
		if err != nil {
			return nil, err
		}
		now = Entry{entry.Mode, id}
	}
	p.updates[path] = now
	if !s.differs[path] {
		return f, nil
	}
	info, err := os.Lstat(f.Name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // deleted, which is not staged, or left out of a sparse checkout
	} else if err != nil {
		return nil, err
	}
	if f.New == nil || !info.Mode().IsRegular() {
		return nil, errTorn
	}
	have, err := os.ReadFile(f.Name)
	if err != nil {
		return nil, err
	}
	base, theirs := f.Old, f.New
	if !filters {
		// The repository's own form was edited, which the working tree's need not be.
		if base, err = s.repo.smudged(ctx, path, entry.ID); err != nil {
			return nil, err
		}
		if theirs, err = s.repo.smudged(ctx, path, now.ID); err != nil {
			return nil, err
		}
	}
	merged, err := s.repo.merge(ctx, have, base, theirs)
	if err != nil || bytes.Equal(merged, have) {
		return nil, err
	}
	// Taking the change back must give every byte that is not staged.
	if back, err := s.repo.merge(ctx, merged, theirs, base); err != nil || !bytes.Equal(back, have) {
		return nil, errTorn
	}
	p.Merged = append(p.Merged, path)
	return &patches.File{Name: f.Name, Rel: f.Rel, Old: have, New: merged, Mode: f.Mode}, nil
}

// form tells in which form a content is that was edited: with filters is how a working tree has it, without is how the
// repository has it. Either way it has to be what the index holds.
func (s *State) form(ctx context.Context, path string, entry Entry, old []byte) (filters bool, err error) {
	forms := []bool{true, false}
	if s.differs[path] {
		forms = []bool{false, true}
	}
	for _, filters := range forms {
		id, err := s.repo.hash(ctx, path, old, filters, false)
		if err == nil && id == entry.ID {
			return filters, nil
		} else if ctx.Err() != nil {
			return false, err
		}
	}
	return false, &UnstagedError{[]string{path}, "what git's filters make of it is not what the index holds"}
}

// hash returns the name of a content, and stores it if write is set.
func (r *Repo) hash(ctx context.Context, path string, data []byte, filters, write bool) (string, error) {
	args := []string{"hash-object", "--stdin"}
	if write {
		args = append(args, "-w")
	}
	if filters {
		args = append(args, "--path="+path)
	} else {
		args = append(args, "--no-filters")
	}
	out, err := r.run(ctx, data, args...)
	return strings.TrimSpace(string(out)), err
}

// merge brings the change from base to theirs into ours; errTorn says that it does not fit.
func (r *Repo) merge(ctx context.Context, ours, base, theirs []byte) ([]byte, error) {
	switch {
	case bytes.Equal(ours, base):
		return theirs, nil
	case bytes.Equal(ours, theirs):
		return ours, nil
	}
	dir, err := os.MkdirTemp("", "ctxmend-merge-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	names := []string{filepath.Join(dir, "ours"), filepath.Join(dir, "base"), filepath.Join(dir, "theirs")}
	for i, data := range [][]byte{ours, base, theirs} {
		if err := os.WriteFile(names[i], data, 0o600); err != nil {
			return nil, err
		}
	}
	out, err := r.run(ctx, nil, append([]string{"merge-file", "-p", "-q", "--"}, names...)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 && exit.ExitCode() < 128 {
		return nil, errTorn
	}
	return out, err
}

// Apply changes the working tree and the index, both or neither. If the process dies the working tree is whole, as it was or with all
// changes, and the index does not have them unless the working tree has.
func (p *Plan) Apply(ctx context.Context, opts patches.WriteOptions) error {
	if len(p.Set.Files) == 0 {
		_, err := p.updateIndex(ctx)
		return err
	}
	opts.Also = func(ctx context.Context) (func() error, error) { return p.updateIndex(ctx) }
	return p.Set.Write(ctx, opts)
}

// updateIndex replaces the index by one with the new entries, and returns what takes that back.
func (p *Plan) updateIndex(ctx context.Context) (takeBack func() error, err error) {
	r := p.state.repo
	before, err := os.ReadFile(r.Index)
	if err != nil {
		return nil, err
	}
	next := fmt.Sprintf("%s.ctxmend-%d", r.Index, os.Getpid())
	defer os.Remove(next)
	if err := os.WriteFile(next, before, 0o600); err != nil {
		return nil, err
	}
	if info, err := os.Stat(r.Index); err == nil {
		os.Chmod(next, info.Mode().Perm())
	}
	if err := p.edit(ctx, next); err != nil {
		return nil, err
	}
	after, err := os.ReadFile(next)
	if err != nil {
		return nil, err
	}
	if err := replace(r.Index, next, before); err != nil {
		return nil, err
	}
	return func() error {
		if err := os.WriteFile(next, before, 0o600); err != nil {
			return err
		}
		defer os.Remove(next)
		return replace(r.Index, next, after)
	}, nil
}

// edit makes the changes in a copy of the index, after a look at whether it still holds what they were planned for.
func (p *Plan) edit(ctx context.Context, index string) error {
	r := p.state.repo
	env := []string{"GIT_INDEX_FILE=" + index}
	paths := make([]string, 0, len(p.updates))
	for path := range p.updates {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	now := &State{repo: &Repo{Top: r.Top, env: append(slices.Clone(r.env), env...)}, Index: map[string]Entry{}, differs: map[string]bool{}, flags: map[string]string{}}
	if err := now.readIndex(ctx); err != nil {
		return err
	}
	var input bytes.Buffer
	flagged := map[string][]string{}
	for _, path := range paths {
		if now.Index[path] != p.state.Index[path] || slices.Contains(now.Unmerged, path) {
			return &patches.ChangedError{Files: []string{path}}
		}
		e := p.updates[path]
		if e == (Entry{}) {
			e = Entry{"0", strings.Repeat("0", len(p.state.Index[path].ID))}
		} else {
			for _, flag := range now.flags[path] {
				flagged[string(flag)] = append(flagged[string(flag)], path)
			}
		}
		fmt.Fprintf(&input, "%s %s\t%s\x00", e.Mode, e.ID, path)
	}
	if _, err := r.runWith(ctx, env, input.Bytes(), "update-index", "-z", "--index-info"); err != nil {
		return err
	}
	for _, f := range []struct{ tag, option string }{{"h", "--assume-unchanged"}, {"S", "--skip-worktree"}} {
		if list := flagged[f.tag]; len(list) > 0 {
			if _, err := r.runWith(ctx, env, []byte(strings.Join(list, "\x00")+"\x00"), "update-index", "-z", f.option, "--stdin"); err != nil {
				return err
			}
		}
	}
	// Entries without the times of their files would be compared byte by byte from now on. It fails where files differ.
	r.runWith(ctx, env, nil, "update-index", "-q", "--refresh")
	return ctx.Err()
}

// replace puts the file next in the place of the index, which must still hold before, under the lock that git takes.
func replace(index, next string, before []byte) error {
	lock := index + ".lock"
	if err := os.Link(next, lock); err != nil {
		if errors.Is(err, os.ErrExist) {
			return &BusyError{lock}
		}
		// Some file systems have no links.
		data, rerr := os.ReadFile(next)
		if rerr != nil {
			return rerr
		}
		f, err := os.OpenFile(lock, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			return &BusyError{lock}
		} else if err != nil {
			return err
		}
		_, err = f.Write(data)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			os.Remove(lock)
			return err
		}
	}
	now, err := os.ReadFile(index)
	if err == nil && !bytes.Equal(now, before) {
		err = &BusyError{index}
	}
	if err == nil {
		if err = os.Rename(lock, index); err == nil {
			return nil
		}
	}
	os.Remove(lock)
	return err
}
