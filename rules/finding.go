package rules

import (
	"go/token"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Applicability says how far a fix can be trusted.
type Applicability string

const (
	// Safe fixes keep behaviour and comments, proved within the world.
	Safe Applicability = "safe"
	// Review fixes are right in intent but may change behaviour or exported API.
	Review Applicability = "review"
	// Manual findings have no edit; the message explains what to do.
	Manual Applicability = "manual"
)

// Status says what became of a finding or a unit.
type Status string

const (
	Fixable    Status = "fixable"
	Blocked    Status = "blocked"
	Fixed      Status = "fixed"
	NoFix      Status = "manual"
	Suppressed Status = "suppressed"
)

// A Finding is one misuse at one place.
type Finding struct {
	// Rule is the name of the rule that reports it.
	Rule string
	// Message names the misuse in one line, without a full stop.
	Message string
	// File, Pos and End delimit the offending syntax.
	File     *program.File
	Pos, End token.Pos
	// Key is the context key concerned as people write it ("user" with quotes), "" for other misuse.
	Key string
	// KeyID is the key's [census.Key.UnitName], which no other key has; "" where Key and Unit tell it.
	KeyID         string
	Applicability Applicability
	Status        Status
	// Unit is the ID of the unit that fixes it, "" when there is none.
	Unit string
	// Note says what the fix does and how far it goes; "" when there is none.
	Note    string
	Blocker *Blocker
	Related []Related
	// Fix is what the rule wants; nil for manual findings.
	Fix *Fix
	// Left is set where the rule leaves the place to a more specific one that runs as well. Such a finding is not
	// reported: a directive that would suppress it has its purpose, and keeps all fixes off its line.
	Left bool
}

// A Fix is what a rule wants done about its findings.
type Fix struct {
	// Title is a verb phrase.
	Title         string
	Applicability Applicability
	Intent        Intent
}

// A Blocker says why something cannot be done.
type Blocker struct {
	// Reason is one of the documented reason words, stable for scripts.
	Reason string
	// Message is one line: what stands in the way and, where possible, what to do.
	Message string
	// File and Pos are the place that stands in the way; File may be nil.
	File *program.File
	Pos  token.Pos
	// Where replaces File and Pos for places outside the world ("module/path/file.go:12:3").
	Where string
}

// A Related place belongs to a finding: the other sites of its key, for example.
type Related struct {
	File    *program.File
	Pos     token.Pos
	Message string
}
