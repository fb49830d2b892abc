package program

import (
	"bytes"
	"context"
	"slices"
)

// narrow makes the world those packages that Options.Focus asks for.
func (l *loader) narrow(ctx context.Context, listed [][]*listedPackage) error {
	l.focus = map[string]bool{}
	touched := map[string]bool{}
	for _, dir := range l.opts.Focus {
		l.focus[dir] = true
	}
	for _, config := range listed {
		for _, lp := range config {
			if l.focus[lp.Dir] {
				touched[stripVariant(lp.ImportPath)] = true
			}
		}
	}
	imported := func(path string) bool { return touched[stripVariant(path)] }
	importers := map[string]bool{}
	for _, config := range listed {
		for _, lp := range config {
			if slices.ContainsFunc(lp.Imports, imported) || slices.ContainsFunc(lp.TestImports, imported) || slices.ContainsFunc(lp.XTestImports, imported) {
				importers[lp.Dir] = true
			}
		}
	}
	speaks := make([]bool, len(l.prog.Files))
	err := l.each(ctx, len(l.prog.Files), func(i int) {
		l.withSource(l.prog.Files[i].Name, func(src []byte) {
			speaks[i] = bytes.Contains(src, []byte("Value")) && interestOf(src) > noBodies
		})
	})
	for i, f := range l.prog.Files {
		l.focus[f.PkgDir] = l.focus[f.PkgDir] || importers[f.PkgDir] || speaks[i]
	}
	l.prog.Files = slices.DeleteFunc(l.prog.Files, func(f *File) bool {
		if !l.focus[f.PkgDir] {
			delete(l.files, f.Name)
		}
		return !l.focus[f.PkgDir]
	})
	l.reserveWorld()
	return err
}
