// Package apply turns planned edits into new file contents. It works on the bytes
// of the files as they were read: what no edit covers stays as it is, byte for byte,
// white space of an aligned block in a gofmt-clean file excepted. New declarations are
// built with dst; everything else is spliced.
package apply

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A UnitError says why one unit could not be applied. No edit of that unit
// is in the patch set that comes with it.
type UnitError struct {
	Unit *plan.Unit
	Err  error
}

func (e *UnitError) Error() string { return fmt.Sprintf("unit %s: %v", e.Unit.ID, e.Err) }

func (e *UnitError) Unwrap() error { return e.Err }

// Errors are the units left out by Apply, in the order in which they were given.
type Errors []*UnitError

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, u := range e {
		lines[i] = u.Error()
	}
	return strings.Join(lines, "\n")
}

func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, u := range e {
		errs[i] = u
	}
	return errs
}

// Apply computes the file contents that result from units, which are applied together.
// Units with a blocker are ignored. A unit that cannot be applied is left out
// as a whole and named in the error, which then is an [Errors]; the patch set holds
// all the others and is never nil. Where two units contradict each other the one given later is left
// out. Nothing is read or written apart from asking whether a file to be created exists.
func Apply(prog *program.Program, units []*plan.Unit) (*patches.Set, error) {
	w := newWorld(prog)
	failed := make(map[int]error)
	for {
		j := &job{world: w, units: units, bad: make(map[int]error)}
		for i, u := range units {
			if failed[i] == nil && u.Blocker == nil {
				j.take(i)
			}
		}
		files := j.build()
		if len(j.bad) == 0 {
			set := w.emptySet()
			set.Files = files
			return set, errorsOf(units, failed)
		}
		// A unit that falls takes its share of common edits with it, so what is left
		// is built again from scratch.
		for i, err := range j.bad {
			failed[i] = err
		}
	}
}

// errorsOf returns the failures in unit order, nil when there are none.
func errorsOf(units []*plan.Unit, failed map[int]error) error {
	var errs Errors
	for i, u := range units {
		if err := failed[i]; err != nil {
			errs = append(errs, &UnitError{Unit: u, Err: err})
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// A job is one attempt at building all files from a set of units.
type job struct {
	*world
	units []*plan.Unit
	// bad holds why units of this attempt cannot be applied.
	bad map[int]error

	files    map[*program.File]*fileJob
	newFiles map[string]*newFile
	decls    map[declKey]*addedDecl
}

// declKey identifies an added declaration: equal ones of several units are one.
type declKey struct{ pkgPath, pkgName, id string }

// An addedDecl is a declaration to add and the units that want it.
type addedDecl struct {
	*plan.AddDecl
	units []int
}

// fail leaves a unit out; the first reason stays.
func (j *job) fail(unit int, err error) {
	if j.bad[unit] == nil {
		j.bad[unit] = err
	}
}

func (j *job) failAll(units []int, err error) {
	for _, u := range units {
		j.fail(u, err)
	}
}

// take distributes the edits of a unit to the files they concern.
func (j *job) take(unit int) {
	for _, e := range j.units[unit].Edits {
		if err := j.takeEdit(unit, e); err != nil {
			j.fail(unit, err)
			return
		}
	}
}

func (j *job) takeEdit(unit int, e plan.Edit) error {
	switch e := e.(type) {
	case *plan.Splice:
		f, err := j.file(e.File)
		if err != nil {
			return err
		}
		return f.addSplice(unit, e)
	case *plan.RemoveSpec:
		f, err := j.file(e.File)
		if err != nil {
			return err
		}
		return f.addRemoveSpec(unit, e)
	case *plan.RemoveFunc:
		f, err := j.file(e.File)
		if err != nil {
			return err
		}
		return f.addRemoveFunc(unit, e)
	case *plan.AddDecl:
		return j.takeDecl(unit, e)
	}
	return fmt.Errorf("edit of unknown type %T", e)
}

// takeDecl files an added declaration under the file that gets it. When several
// units add the same one, the first says where it goes.
func (j *job) takeDecl(unit int, e *plan.AddDecl) error {
	key := declKey{e.PkgPath, e.PkgName, e.ID}
	if have := j.decls[key]; have != nil {
		if !reflect.DeepEqual(have.Decl, e.Decl) {
			return fmt.Errorf("%s of package %s is declared in two different ways", e.ID, e.PkgPath)
		}
		have.units = appendUnit(have.units, unit)
		return nil
	}
	d := &addedDecl{AddDecl: e, units: []int{unit}}
	if e.File != nil {
		f, err := j.file(e.File)
		if err != nil {
			return err
		}
		if err := f.addDecl(d); err != nil {
			return err
		}
	} else if err := j.addToNewFile(d); err != nil {
		return err
	}
	if j.decls == nil {
		j.decls = make(map[declKey]*addedDecl)
	}
	j.decls[key] = d
	return nil
}

// file returns the job of a file, after making sure that the file may be edited.
func (j *job) file(f *program.File) (*fileJob, error) {
	if f == nil {
		return nil, errors.New("edit without a file")
	}
	if fj := j.files[f]; fj != nil {
		return fj, nil
	}
	if err := editable(f); err != nil {
		return nil, err
	}
	if j.files == nil {
		j.files = make(map[*program.File]*fileJob)
	}
	fj := newFileJob(j, f)
	j.files[f] = fj
	return fj, nil
}

// editable returns why a file must not be edited, or nil.
func editable(f *program.File) error {
	switch {
	case !f.World:
		return fmt.Errorf("%s lies outside the modules being worked on", f.Name)
	case f.Generated:
		return fmt.Errorf("%s is generated; change its generator", f.Rel)
	case f.Vendored:
		return fmt.Errorf("%s is vendored; change it where it comes from", f.Rel)
	case f.Cgo:
		return fmt.Errorf("%s uses cgo; edit it by hand", f.Rel)
	case f.Symlink:
		return fmt.Errorf("%s is a symbolic link; edit its target by hand", f.Rel)
	case f.Src == nil || f.AST == nil || f.Tok == nil:
		return fmt.Errorf("%s was not read", f.Rel)
	}
	return nil
}

// build builds every file of the job. Its result is meaningful only if no unit failed.
func (j *job) build() []*patches.File {
	var out []*patches.File
	for _, f := range j.sortedFiles() {
		content, err := f.build()
		if err != nil {
			f.blame(err)
			continue
		}
		if string(content) == string(f.file.Src) {
			continue
		}
		out = append(out, &patches.File{Name: f.file.Name, Rel: f.file.Rel, Old: f.file.Src, New: content, Mode: f.file.Mode})
	}
	for _, name := range sortedKeys(j.newFiles) {
		nf := j.newFiles[name]
		content, err := nf.build()
		if err != nil {
			j.failAll(nf.units(), err)
			continue
		}
		out = append(out, &patches.File{Name: name, Rel: j.rel(name), New: content, Mode: 0o644})
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Name < out[b].Name })
	return out
}

func (j *job) sortedFiles() []*fileJob {
	out := make([]*fileJob, 0, len(j.files))
	for _, f := range j.files {
		out = append(out, f)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].file.Name < out[b].file.Name })
	return out
}

// addToNewFile puts a declaration into a file to be created.
func (j *job) addToNewFile(d *addedDecl) error {
	if d.Dir == "" || d.NewFile == "" || filepath.Base(d.NewFile) != d.NewFile || !strings.HasSuffix(d.NewFile, ".go") {
		return fmt.Errorf("%s has no place: want a directory and the name of a Go file, have %q and %q", d.ID, d.Dir, d.NewFile)
	}
	name := filepath.Join(d.Dir, d.NewFile)
	nf := j.newFiles[name]
	if nf == nil {
		if j.exists(name) {
			return fmt.Errorf("%s exists already; choose another file for %s", j.rel(name), d.ID)
		}
		nf = &newFile{job: j, name: name, pkgPath: d.PkgPath, pkgName: d.PkgName, dir: d.Dir}
		if j.newFiles == nil {
			j.newFiles = make(map[string]*newFile)
		}
		j.newFiles[name] = nf
	}
	if nf.pkgName != d.PkgName {
		return fmt.Errorf("%s cannot be both package %s and package %s", j.rel(name), nf.pkgName, d.PkgName)
	}
	nf.decls = append(nf.decls, d)
	return nil
}

// exists reports whether there is a file of that name, in the program or on disk.
func (w *world) exists(name string) bool {
	if w.byName[name] != nil {
		return true
	}
	_, err := os.Lstat(name)
	return err == nil
}

// appendUnit adds a unit to an ascending list.
func appendUnit(units []int, unit int) []int {
	i := sort.SearchInts(units, unit)
	if i < len(units) && units[i] == unit {
		return units
	}
	units = append(units, 0)
	copy(units[i+1:], units[i:])
	units[i] = unit
	return units
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
