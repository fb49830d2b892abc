package program

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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

// seeModuleFiles makes go env's idea of the go.mod and go.work files in force that of the overlay, which go env alone of the
// go command's parts does not ask for.
func (l *loader) seeModuleFiles() {
	changed := map[string]bool{}
	for name := range l.opts.Overlay {
		changed[filepath.Base(name)] = true
	}
	if changed["go.mod"] {
		l.env.GOMOD = l.above("go.mod")
	}
	// One that GOWORK names may lie anywhere; the go command looks for others above only.
	if changed["go.work"] && l.env.GOWORK != "off" && (l.env.GOWORK == "" || within(filepath.Dir(l.env.GOWORK), l.opts.Dir)) {
		l.env.GOWORK = l.above("go.work")
	}
}

// above returns the nearest file of that name in the directory worked in or above it, or "".
func (l *loader) above(base string) string {
	for dir := l.opts.Dir; ; dir = filepath.Dir(dir) {
		if name := filepath.Join(dir, base); l.tree.exists(name) {
			return name
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
