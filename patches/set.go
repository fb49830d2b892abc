// Package patches holds the result of a rewrite as bytes: which files change from
// what to what. It prints sets as unified diffs that git apply accepts, writes
// them in place all or nothing, and takes them back. It knows no syntax and no types.
package patches

import "io/fs"

// A File is one file's change.
type File struct {
	// Name is the absolute file name, Rel the slash-separated name relative to
	// the directory worked in, for diffs and messages.
	Name, Rel string
	// Old and New are the contents before and after. Old is nil for a file to be
	// created, New for one to be deleted.
	Old, New []byte
	// Mode holds the permission bits of the file; for a new file those it gets
	// (0644 when zero). Writing keeps the bits an existing file has on disk.
	Mode fs.FileMode
}

// A Set is a patch set: file changes sorted by name, one per file.
type Set struct {
	// Root is the absolute directory that names the set's journal: the root of
	// the main module or workspace. Files outside Roots are refused.
	Root string
	// Roots are the absolute directories of the modules that may be written to.
	Roots []string
	// Base is the absolute directory that names in diffs are relative to, so
	// that the diff applies there. Empty means the directory worked in, or, when
	// a file lies beside it (Rel starts with ../), the nearest directory above it
	// that holds all the files.
	Base  string
	Files []*File
}
