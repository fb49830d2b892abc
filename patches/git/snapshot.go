package git

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// A Snapshot is a state of the files, as an overlay of the working tree: absolute name to content, nil where there is no
// file. Files that are in the working tree as they are in the snapshot are left out.
type Snapshot struct {
	Overlay map[string][]byte
	// Notes say what could not be shown as it is.
	Notes []string
}

// Staged returns the snapshot of the index.
func (s *State) Staged(ctx context.Context) (*Snapshot, error) { return s.snapshot(ctx, s.Index) }

// At returns the snapshot of a commit; "" is one without files.
func (s *State) At(ctx context.Context, commit string) (*Snapshot, error) {
	entries := map[string]Entry{}
	if commit != "" {
		var err error
		if entries, err = s.repo.entriesOf(ctx, commit); err != nil {
			return nil, err
		}
	}
	return s.snapshot(ctx, entries)
}

// Differs reports whether the working tree has another content for a path of the index than the index.
func (s *State) Differs(path string) bool { return s.differs[path] }

// snapshot compares the wanted entries with what the working tree has.
func (s *State) snapshot(ctx context.Context, want map[string]Entry) (*Snapshot, error) {
	snap := &Snapshot{Overlay: map[string][]byte{}}
	var fetch []string
	for _, name := range sorted(want) {
		have, tracked := s.Index[name]
		same := tracked && have == want[name]
		switch {
		case want[name].Mode == modeModule:
			if err := s.submodule(ctx, snap, name, want[name].ID, same && !s.differs[name]); err != nil {
				return nil, err
			}
		case same && !s.differs[name]:
		case goReads(name):
			fetch = append(fetch, name)
		case !exists(s.repo.abs(name)):
			// A file that a package embeds has to be there, whatever it holds.
			snap.Overlay[s.repo.abs(name)] = []byte{}
		}
	}
	contents, err := s.repo.contents(ctx, fetch, want)
	if err != nil {
		return nil, err
	}
	for i, name := range fetch {
		snap.Overlay[s.repo.abs(name)] = contents[i]
	}
	for _, list := range [][]string{sorted(s.Index), s.Unmerged, s.untracked} {
		for _, name := range list {
			if _, ok := want[name]; !ok && goReads(name) {
				snap.Overlay[s.repo.abs(name)] = nil
			}
		}
	}
	return snap, nil
}

// submodule adds what a submodule holds at a commit. One that is not checked out has no files anyway.
func (s *State) submodule(ctx context.Context, snap *Snapshot, name, commit string, clean bool) error {
	dir := s.repo.abs(name)
	if clean || !exists(filepath.Join(dir, ".git")) {
		return nil
	}
	sub, err := Open(ctx, dir, dir, withoutLocal(s.repo.env))
	if err != nil || sub.Top != dir {
		return err
	}
	state, err := sub.Read(ctx)
	if err != nil {
		return err
	}
	if _, err := sub.Commit(ctx, commit); err != nil {
		snap.Notes = append(snap.Notes, fmt.Sprintf("submodule %s: commit %.12s is not there; its files are taken as they are", name, commit))
		return ctx.Err()
	}
	inner, err := state.At(ctx, commit)
	if err != nil {
		return err
	}
	for file, src := range inner.Overlay {
		snap.Overlay[file] = src
	}
	snap.Notes = append(snap.Notes, inner.Notes...)
	return nil
}

// contents reads files as programs find them in a working tree: filters, those of LFS for one, have been applied; line ends
// are the repository's.
func (r *Repo) contents(ctx context.Context, names []string, entries map[string]Entry) ([][]byte, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var ids bytes.Buffer
	for _, name := range names {
		fmt.Fprintln(&ids, entries[name].ID)
	}
	out, err := r.run(ctx, ids.Bytes(), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	contents := make([][]byte, len(names))
	for i, name := range names {
		head, rest, _ := bytes.Cut(out, []byte("\n"))
		words := strings.Fields(string(head))
		if len(words) != 3 {
			return nil, fmt.Errorf("git has no content for %s: %s", name, head)
		}
		size, err := strconv.Atoi(words[2])
		if err != nil || size >= len(rest) {
			return nil, fmt.Errorf("git cat-file printed %q", head)
		}
		contents[i] = bytes.Clone(rest[:size:size])
		if contents[i] == nil {
			contents[i] = []byte{}
		}
		out = rest[size+1:]
	}
	filtered, err := r.filtered(ctx, names)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		switch {
		case entries[name].Mode == modeLink:
			contents[i], err = r.followed(ctx, name, string(contents[i]), entries)
		case filtered[name]:
			contents[i], err = r.smudged(ctx, name, entries[name].ID)
		}
		if err != nil {
			return nil, err
		}
	}
	return contents, nil
}

// followed returns what a symbolic link to another file of the same state leads to, nil for any other.
func (r *Repo) followed(ctx context.Context, name, target string, entries map[string]Entry) ([]byte, error) {
	to := path.Join(path.Dir(name), target)
	if e, ok := entries[to]; ok && e.Mode != modeLink && e.Mode != modeModule {
		out, err := r.run(ctx, nil, "cat-file", "blob", e.ID)
		if out == nil && err == nil {
			out = []byte{}
		}
		return out, err
	}
	return nil, nil
}

// filtered returns the paths whose content a program changes on its way into the working tree, or which have another encoding there.
func (r *Repo) filtered(ctx context.Context, names []string) (map[string]bool, error) {
	out, err := r.run(ctx, []byte(strings.Join(names, "\x00")+"\x00"), "check-attr", "-z", "--stdin", "filter", "working-tree-encoding")
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	list := fields(out)
	for i := 0; i+2 < len(list); i += 3 {
		if v := list[i+2]; v != "unspecified" && v != "unset" {
			found[list[i]] = true
		}
	}
	return found, nil
}

// smudged returns a content as checking it out would write it.
func (r *Repo) smudged(ctx context.Context, name, id string) ([]byte, error) {
	out, err := r.run(ctx, nil, "cat-file", "--filters", "--path="+name, id)
	if out == nil {
		out = []byte{}
	}
	return out, err
}

// readUntracked finds the Go files and module files that are not tracked. Files that .gitignore names stay where a build
// puts them: generated code, vendored modules, a go.work file of one's own.
func (s *State) readUntracked(ctx context.Context) error {
	globs := []string{":(top,glob)**/*.go", ":(top,glob)**/go.mod", ":(top,glob)**/go.work", ":(top,glob)**/go.sum"}
	all, err := s.repo.run(ctx, nil, append([]string{"ls-files", "-o", "-z", "--full-name", "--"}, globs...)...)
	if err != nil {
		return err
	}
	plain, err := s.repo.run(ctx, nil, append([]string{"ls-files", "-o", "-z", "--full-name", "--exclude-standard", "--"}, globs...)...)
	if err != nil {
		return err
	}
	visible := map[string]bool{}
	for _, name := range fields(plain) {
		visible[name] = true
	}
	for _, name := range fields(all) {
		switch {
		case visible[name]:
			s.untracked = append(s.untracked, name)
		case path.Ext(name) != ".go" || strings.Contains("/"+name, "/vendor/") || generated(s.repo.abs(name)):
		default:
			s.untracked = append(s.untracked, name)
		}
	}
	return s.readNested(ctx)
}

// readNested adds the Go files of untracked repositories that lie in the working tree: git lists their directories only.
func (s *State) readNested(ctx context.Context) error {
	out, err := s.repo.run(ctx, nil, "ls-files", "-o", "-z", "--full-name", "--exclude-standard", "--directory", "--no-empty-directory", "--", ":/")
	if err != nil {
		return err
	}
	for _, name := range fields(out) {
		if !strings.HasSuffix(name, "/") || !exists(filepath.Join(s.repo.abs(name), ".git")) {
			continue
		}
		err := filepath.WalkDir(s.repo.abs(name), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if !d.IsDir() && (strings.HasSuffix(file, ".go") || d.Name() == "go.mod") {
				s.untracked = append(s.untracked, s.repo.Path(file))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	sort.Strings(s.untracked)
	s.untracked = slices.Compact(s.untracked)
	return nil
}

// generated reports whether a file says of itself that it is generated.
func generated(file string) bool {
	src, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	for line := range bytes.Lines(src) {
		line = bytes.TrimRight(line, "\r\n")
		if bytes.HasPrefix(line, []byte("// Code generated ")) && bytes.HasSuffix(line, []byte(" DO NOT EDIT.")) {
			return true
		}
		if bytes.HasPrefix(line, []byte("package ")) {
			return false
		}
	}
	return false
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func sorted[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}
