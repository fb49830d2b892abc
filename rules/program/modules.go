package program

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/modfile"
)

// findModules fills in the modules of the world.
func (l *loader) findModules(ctx context.Context) error {
	env := l.env
	if env.GO111MODULE == "off" {
		return fmt.Errorf("GO111MODULE=off: packages are found through modules; unset GO111MODULE")
	}
	if _, ok := goFlag(env.GOFLAGS, "overlay"); ok {
		return fmt.Errorf("GOFLAGS=-overlay: what is built is not what the files hold, and edits of them would not fit; unset it, or work on a copy that has what the overlay puts in their place")
	}
	if env.GOWORK == "off" {
		env.GOWORK = ""
	}
	l.prog.Workspace = env.GOWORK
	if env.GOWORK == "" && (env.GOMOD == "" || env.GOMOD == os.DevNull) {
		return fmt.Errorf("no go.mod in %s or above it: work in a module's directory (-C dir), or make one with `go mod init`", l.opts.Dir)
	}
	listed, err := l.tool.mainModules(ctx)
	if err != nil {
		return err
	}
	for _, lm := range listed {
		if lm.Dir == "" {
			continue
		}
		if lm.GoMod != "" && !filepath.IsAbs(lm.GoMod) { // as -modfile names it
			lm.GoMod = filepath.Join(l.opts.Dir, lm.GoMod)
		}
		m := &Module{Path: lm.Path, Dir: lm.Dir, GoVersion: lm.GoVersion, GoMod: lm.GoMod,
			Requires: map[string]bool{}}
		if err := m.readGoMod(l.tree); err != nil {
			return err
		}
		l.prog.Modules = append(l.prog.Modules, m)
	}
	if len(l.prog.Modules) == 0 {
		return fmt.Errorf("%s names no module: add one with `go work use`", l.prog.Workspace)
	}
	if err := l.checkMember(env.GOMOD); err != nil {
		return err
	}
	sort.Slice(l.prog.Modules, func(i, j int) bool { return l.prog.Modules[i].Dir < l.prog.Modules[j].Dir })
	return nil
}

// A NotInWorkspaceError says that the module worked in does not belong to the workspace in force.
type NotInWorkspaceError struct{ GoMod, Workspace string }

func (e *NotInWorkspaceError) Error() string {
	return fmt.Sprintf("%s is not part of the workspace %s: set GOWORK=off to work on it alone, or add it with `go work use`", e.GoMod, e.Workspace)
}

// checkMember makes sure that the module worked in, if any, belongs to the workspace in force.
func (l *loader) checkMember(gomod string) error {
	if l.prog.Workspace == "" || gomod == "" || gomod == os.DevNull {
		return nil
	}
	for _, m := range l.prog.Modules {
		if m.GoMod == gomod {
			return nil
		}
	}
	return &NotInWorkspaceError{GoMod: gomod, Workspace: l.prog.Workspace}
}

// readGoMod reads requirements and ignored directories.
func (m *Module) readGoMod(t tree) error {
	if m.GoMod == "" {
		return nil
	}
	data, err := t.read(m.GoMod)
	if err != nil {
		return fmt.Errorf("cannot read the module file: %w", err)
	}
	// Lax parsing would drop ignore directives; the go command has accepted the file.
	f, err := modfile.Parse(m.GoMod, data, nil)
	if err != nil {
		if f, err = modfile.ParseLax(m.GoMod, data, nil); err != nil {
			return fmt.Errorf("cannot parse the module file: %w", err)
		}
	}
	for _, r := range f.Require {
		m.Requires[r.Mod.Path] = true
	}
	for _, ig := range f.Ignore {
		m.ignore = append(m.ignore, ig.Path)
	}
	return nil
}

// ignores reports whether an ignore directive names the directory.
func (m *Module) ignores(dir string) bool {
	if len(m.ignore) == 0 {
		return false
	}
	rel, err := filepath.Rel(m.Dir, dir)
	if err != nil {
		return false
	}
	rel = filepath.ToSlash(rel)
	for _, ig := range m.ignore {
		rooted, ok := strings.CutPrefix(ig, "./")
		if rel == rooted || !ok && strings.HasSuffix(rel, "/"+ig) {
			return true
		}
	}
	return false
}

// within reports whether name is dir or lies below it.
func within(dir, name string) bool {
	if dir == name {
		return true
	}
	if !strings.HasSuffix(dir, string(filepath.Separator)) {
		dir += string(filepath.Separator)
	}
	return strings.HasPrefix(name, dir)
}

// ModuleOf returns the module of the world whose directory holds dir (the
// innermost of nested ones), or nil.
func (p *Program) ModuleOf(dir string) *Module {
	var best *Module
	for _, m := range p.Modules {
		if within(m.Dir, dir) && (best == nil || len(m.Dir) > len(best.Dir)) {
			best = m
		}
	}
	return best
}

// PathOf returns the import path of the package in a directory of the world,
// whether or not the directory exists yet, or "" for a directory outside it.
func (p *Program) PathOf(dir string) string {
	m := p.ModuleOf(dir)
	if m == nil {
		return ""
	}
	rel, err := filepath.Rel(m.Dir, dir)
	if err != nil {
		return ""
	}
	if m.Path == "std" {
		return filepath.ToSlash(rel)
	}
	return path.Join(m.Path, filepath.ToSlash(rel))
}
