package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A draft is the plan of one unit in the making.
type draft struct {
	*planner
	unit *Unit
	// graph is the program's import graph with the imports that this unit and those planned before add.
	graph  *program.ImportGraph
	review []string // what makes the unit a matter of review
	// dropped are the lines that go as a whole.
	dropped []*droppedLines
	// stale are the directives that go with what they silence.
	stale map[*ast.Comment]bool
}

func (pl *planner) draft(u *Unit) *draft {
	return &draft{planner: pl, unit: u, graph: pl.graph.Clone()}
}

// finish ends the planning of a unit that went well or, with an error made by block, cannot be done.
func (d *draft) finish(err error) {
	if err == nil {
		d.parenthesise()
		err = d.leads()
	}
	if err == nil {
		err = d.checkFiles()
	}
	if err != nil {
		b, ok := err.(blocked)
		if !ok {
			panic(err)
		}
		d.unit.Blocker, d.unit.Edits = b.Blocker, nil
		return
	}
	d.planner.graph = d.graph
	if len(d.review) > 0 {
		d.unit.Applicability = rules.Review
		d.unit.Notes = append(d.unit.Notes, d.review...)
	}
}

// A blocked error carries a blocker out of nested planning steps.
type blocked struct{ *rules.Blocker }

func (b blocked) Error() string { return b.Message }

// block makes the error that blocks a unit.
func block(reason string, f *program.File, pos token.Pos, format string, args ...any) error {
	return blocked{&rules.Blocker{Reason: reason, Message: fmt.Sprintf(format, args...), File: f, Pos: pos}}
}

// where writes the place of a note.
func (d *draft) where(n *census.Hazard) string {
	if n.Where != "" {
		return " (" + n.Where + ")"
	}
	if n.File == nil || n.File.Shown() == "" {
		return ""
	}
	pos := d.prog.Fset.PositionFor(n.Pos, false)
	return fmt.Sprintf(" (%s:%d:%d)", n.File.Shown(), pos.Line, pos.Column)
}

// splice plans a replacement.
func (d *draft) splice(f *program.File, from, to token.Pos, parts ...Part) {
	d.spliceText(f, from, to, Text(parts))
}

func (d *draft) spliceText(f *program.File, from, to token.Pos, text Text) {
	d.unit.Edits = append(d.unit.Edits, &Splice{File: f, Start: d.offset(f, from), End: d.offset(f, to), Text: text})
}

func (d *draft) offset(f *program.File, pos token.Pos) int { return f.Tok.Offset(pos) }

// commentIn reports whether a comment lies between two offsets.
func (d *draft) commentIn(f *program.File, from, to int) bool {
	for _, g := range f.AST.Comments {
		for _, c := range g.List {
			if at := d.offset(f, c.Pos()); at >= from && at < to {
				return true
			}
		}
	}
	return false
}

// add plans a declaration.
func (d *draft) add(decl *AddDecl) { d.unit.Edits = append(d.unit.Edits, decl) }

// checkFiles blocks the unit when it would edit a file that is not to be edited, or one of a package with type
// errors: what its expressions mean is known in part only, and new errors would hide among the old ones.
func (d *draft) checkFiles() error {
	for _, e := range d.unit.Edits {
		f, from, _ := e.Span()
		if add, ok := e.(*AddDecl); ok {
			f = add.File
			if f == nil && d.broken(add.PkgPath) {
				return block("type-errors", nil, token.NoPos, "package %s, which the fix would add to, does not type-check", add.PkgPath)
			}
		}
		if f == nil {
			continue
		}
		if reason := uneditable(f); reason != "" {
			return block(reason, f, f.Tok.Pos(from), "%s", uneditableMessage(reason))
		}
		path := f.PkgPath
		if f.XTest {
			path += "_test"
		}
		if d.broken(path) {
			return block("type-errors", f, f.Tok.Pos(from), "package %s does not type-check, and is not edited before it does", path)
		}
	}
	return nil
}

// broken reports whether a package of the world has errors.
func (d *draft) broken(path string) bool {
	return slices.ContainsFunc(d.prog.Broken, func(pe *program.PackageErrors) bool { return pe.Path == path })
}

// uneditable returns the reason why a file is never edited, "" for ordinary files.
func uneditable(f *program.File) string {
	switch {
	case f.Generated:
		return "generated"
	case f.Vendored:
		return "vendored"
	case f.Cgo:
		return "cgo"
	case f.Symlink:
		return "symlink"
	}
	return ""
}

func uneditableMessage(reason string) string {
	switch reason {
	case "generated":
		return "the file is generated; change what generates it"
	case "vendored":
		return "the file is vendored; change it where it comes from"
	case "cgo":
		return "the file uses cgo, whose types are not known here"
	}
	return "the file is a symbolic link"
}
