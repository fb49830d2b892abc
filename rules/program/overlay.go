package program

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// overlayFiles writes what an overlay says where the go command can read it, and returns the name of the description to
// give it, with a function that removes both. Without an overlay there is nothing to write.
func overlayFiles(overlay map[string][]byte) (name string, remove func(), err error) {
	if len(overlay) == 0 {
		return "", func() {}, nil
	}
	dir, err := os.MkdirTemp("", "ctxmend-overlay-")
	if err != nil {
		return "", nil, fmt.Errorf("cannot make a directory for changed files: %w", err)
	}
	remove = func() { os.RemoveAll(dir) }
	replace := map[string]string{}
	for i, file := range sortedKeys(overlay) {
		replace[file] = ""
		if overlay[file] == nil {
			continue
		}
		replace[file] = filepath.Join(dir, strconv.Itoa(i)+".go")
		if err = os.WriteFile(replace[file], overlay[file], 0o600); err != nil {
			break
		}
	}
	name = filepath.Join(dir, "overlay.json")
	if err == nil {
		var data []byte
		if data, err = json.Marshal(map[string]any{"Replace": replace}); err == nil {
			err = os.WriteFile(name, data, 0o600)
		}
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("cannot write changed files for the go command: %w", err)
	}
	return name, remove, nil
}

// overlaid adds the files that the overlay creates and takes out those that it removes.
func (l *loader) overlaid(files []*File) []*File {
	var kept []*File
	seen := map[string]bool{}
	for _, f := range files {
		seen[f.Name] = true
		if src, changed := l.opts.Overlay[f.Name]; !changed || src != nil {
			kept = append(kept, f)
		} else {
			delete(l.files, f.Name)
		}
	}
	for _, name := range sortedKeys(l.opts.Overlay) {
		if src := l.opts.Overlay[name]; src != nil && !seen[name] && strings.HasSuffix(name, ".go") {
			f := &File{
				Name: name, Rel: l.rel(name), PkgDir: filepath.Dir(name), World: true,
				Test: strings.HasSuffix(name, "_test.go"), Mode: 0o644, state: &fileState{size: len(src)},
			}
			f.PkgPath = l.prog.PathOf(f.PkgDir)
			l.files[name] = f
			kept = append(kept, f)
		}
	}
	return kept
}

// source reads a file of the world.
func (l *loader) source(name string) ([]byte, error) {
	if src, ok := l.opts.Overlay[name]; ok && src != nil {
		return src, nil
	}
	return ReadFile(name)
}
