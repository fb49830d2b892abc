// Package plan turns what rules want into units of edits, before any text exists.
package plan

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
)

// A Unit is the smallest set of edits that must land together.
type Unit struct {
	// ID is stable for the same input: rule and what it is about, `builtinkey:"user"`.
	ID            string
	Rule          string
	Title         string
	Applicability rules.Applicability
	Edits         []Edit
	Findings      []*rules.Finding
	// Blocker is set when the unit cannot be done.
	Blocker *rules.Blocker
	// Removes is set for a unit that takes out every place of a key.
	Removes bool
	// Joins is set for a unit that removes keys whose values it stores under another one.
	Joins bool
	// Reads is set for a unit that changes what is stored under a key, or how it is read, and leaves the key.
	Reads bool
	// Checks is set for a unit that makes reads tell whether the value is there.
	Checks bool
	// Names are those that the unit gives to keys.
	Names []KeyName
	// Left is set for a unit that somebody has left out.
	Left bool
	// Status is set by the pipeline.
	Status rules.Status
	// Files are the slash-separated names, relative to the directory worked in, that the unit edits or creates.
	Files []string
	// Notes tell choices made for the user, placement for one.
	Notes []string
	// Choice says, in the same words for all units alike, what the unit follows: "keys in internal/auth are constants
	// of contextKey, as the package already does"; "" where there was nothing to follow.
	Choice string
}

// EditedFiles returns the files that the unit edits or creates, relative and sorted.
func (u *Unit) EditedFiles() []string {
	var list []string
	for _, e := range u.Edits {
		name := ""
		if d, ok := e.(*AddDecl); ok {
			name = d.Target()
		} else if f, _, _ := e.Span(); f != nil {
			name = f.Rel
		}
		if name != "" {
			list = append(list, path.Clean(name))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Target is the file that gets the declaration, relative to the directory worked in.
func (d *AddDecl) Target() string {
	if d.File != nil {
		return d.File.Rel
	}
	return path.Clean(d.NewRel)
}

// A KeyName is one that a unit makes of a key's text, and that users may choose otherwise.
type KeyName struct {
	// Key is the key's [census.Key.UnitName].
	Key string
	// Is is the identifier that declares the key.
	Is string
}

// Before orders units by where their first findings stand.
func (u *Unit) Before(other *Unit) int {
	a, b := u.Findings[0], other.Findings[0]
	return cmp.Or(strings.Compare(a.File.Rel, b.File.Rel), cmp.Compare(a.Pos, b.Pos), strings.Compare(u.ID, other.ID))
}
