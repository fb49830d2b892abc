package verify

import (
	"fmt"
	"go/token"
	"maps"
	"path/filepath"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An import that goes may be the only one that linked a package into a program, and with it code that runs when the
// program starts: registrations of drivers and formats, flags, metrics.

// unlinked returns a problem for every package with such code that a program of one configuration no longer contains.
func unlinked(prog *program.Program, cfg *program.Config, checked []program.Rechecked) []*Problem {
	now := map[*program.Package]*program.Package{}
	var lost []program.Rechecked
	for _, rc := range checked {
		if rc.Config != cfg || rc.Package == nil {
			continue
		}
		now[rc.Package] = rc.New
		if rc.New == nil || loses(rc.Package.Imports, rc.New.Imports) || loses(rc.Package.TestImports, rc.New.TestImports) {
			lost = append(lost, rc)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	var list []*Problem
	reported := map[string]bool{}
	commands := map[string]bool{}
	for _, root := range cfg.Packages {
		if root.World && root.Name == "main" && !root.XTest {
			maps.Copy(commands, linked(cfg, root, nil))
		}
	}
	for _, root := range cfg.Packages {
		if !root.World || !runs(root, commands) {
			continue
		}
		before, after := linked(cfg, root, nil), linked(cfg, root, now)
		for _, path := range slices.Sorted(maps.Keys(before)) {
			if after[path] || reported[path] {
				continue
			}
			if code := prog.Startup(path); code != nil {
				reported[path] = true
				list = append(list, &Problem{Config: cfg, Path: root.Path, Unlinks: code, Error: program.Error{
					Pos: importOf(lost, path),
					Msg: fmt.Sprintf("package %s would no longer be part of %s: it %s", path, programOf(root), code.What),
				}})
			}
		}
	}
	return list
}

func loses(before, after map[string]*program.Package) bool {
	for path := range before {
		if after[path] == nil {
			return true
		}
	}
	return false
}

// runs reports whether a package is the root of programs: a command, a package with tests, or a library, which no command of
// the world contains.
func runs(p *program.Package, commands map[string]bool) bool {
	return p.Name == "main" || p.XTest || len(p.TestImports) > 0 || !program.IsInternal(p.Path) && !commands[p.Path]
}

// programOf names the program that a root makes.
func programOf(root *program.Package) string {
	switch {
	case root.Name == "main":
		return "command " + root.Path
	case root.XTest || len(root.TestImports) > 0:
		return "the test of " + root.Path
	}
	return "programs with " + root.Path
}

// linked returns the paths of the packages that a program with the root contains; now holds the new versions of changed
// packages. The imports of the root's tests count.
func linked(cfg *program.Config, root *program.Package, now map[*program.Package]*program.Package) map[string]bool {
	current := func(p *program.Package) *program.Package {
		if q, changed := now[p]; changed {
			return q
		}
		return p
	}
	set := map[string]bool{}
	var add func(p *program.Package)
	add = func(p *program.Package) {
		if p == nil || set[p.Path] {
			return
		}
		set[p.Path] = true
		// A changed package may be named by its old or its new version.
		if old := cfg.Package(p.Path); old != nil {
			p = old
		}
		if p = current(p); p != nil {
			for _, q := range p.Imports {
				add(q)
			}
		}
	}
	add(root)
	if p := current(root); p != nil {
		for _, q := range p.TestImports {
			add(q)
		}
	}
	return set
}

// importOf returns where a package was imported that is no longer; the zero position when other imports linked it.
func importOf(lost []program.Rechecked, path string) token.Position {
	for _, rc := range lost {
		for _, f := range rc.Package.Files {
			if f.AST == nil {
				continue
			}
			for _, spec := range f.AST.Imports {
				if spec.Path.Value == `"`+path+`"` {
					return token.Position{Filename: filepath.Clean(f.Name), Line: f.Tok.PositionFor(spec.Pos(), false).Line, Column: f.Tok.PositionFor(spec.Pos(), false).Column}
				}
			}
		}
	}
	return token.Position{}
}
