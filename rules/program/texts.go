package program

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// maxText is the size from which on a file is not taken for a template.
const maxText = 1 << 20

// Texts shows the files below the modules' directories that are not Go and hold text, module by module in the order of their names, until
// visit returns false. Nobody says which of them are read when a program runs. The content is valid until the next one is shown.
func (p *Program) Texts(visit func(name string, src []byte) bool) {
	var buf bytes.Buffer
	seen := map[string]bool{}
	for _, m := range p.Modules {
		p.WalkDir(m.Dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if d.IsDir() {
				if base := d.Name(); name != m.Dir && (strings.HasPrefix(base, ".") || slices.Contains([]string{"vendor", "node_modules"}, base)) || seen[name] {
					return filepath.SkipDir
				}
				seen[name] = true
				return nil
			}
			info, err := d.Info()
			if err != nil || !info.Mode().IsRegular() || info.Size() > maxText || strings.HasSuffix(name, ".go") {
				return nil
			}
			if p.ReadInto(&buf, name) != nil || bytes.IndexByte(buf.Bytes(), 0) >= 0 {
				return nil
			}
			if !visit(name, buf.Bytes()) {
				return filepath.SkipAll
			}
			return nil
		})
	}
}

// ShownName returns the name of a file that is not Go as users read it: relative to the directory worked in.
func (p *Program) ShownName(name string) string {
	rel, err := filepath.Rel(p.Dir, name)
	if err != nil {
		rel = name
	}
	return filepath.ToSlash(rel)
}
