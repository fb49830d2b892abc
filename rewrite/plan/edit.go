package plan

import (
	"go/ast"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An Edit is one wanted change of one file, in terms the apply stage understands.
// Edits of different units never overlap; equal AddDecl edits (same
// package, same ID) of several units are one.
type Edit interface {
	// Span is the file edited and the bytes concerned; the file is nil for declarations to be added.
	Span() (f *program.File, from, to int)
}

// Text is replacement source made of parts.
type Text []Part

// A Part is a piece of replacement source: literal text, a copy of
// original bytes of the same file (edits inside that range still apply), or a reference to a
// package-level name that is qualified as its file demands.
type Part struct {
	Lit string
	// Start and End are byte offsets of original source to keep; used when End > Start.
	Start, End int
	// Ref is a reference to a package-level name.
	Ref *Ref
}

// A Ref names a package-level identifier. Apply writes it bare inside the package
// itself and qualified elsewhere, adding the import when the file has none.
type Ref struct {
	// PkgPath is the import path of the declaring package, PkgName its package name.
	PkgPath, PkgName string
	Name             string
}

// Lit is literal source.
func Lit(s string) Part { return Part{Lit: s} }

// Keep is the original source between two byte offsets.
func Keep(start, end int) Part { return Part{Start: start, End: end} }

// Name is a reference to a package-level name.
func Name(pkgPath, pkgName, name string) Part { return Part{Ref: &Ref{pkgPath, pkgName, name}} }

// A Splice replaces the bytes [Start, End) of File by Text. Start == End inserts.
type Splice struct {
	File       *program.File
	Start, End int
	Text       Text
}

// RemoveSpec deletes one name from a const or var declaration (its spec when it was
// the spec's only name, with doc and line comment; the whole declaration when it was the only spec).
type RemoveSpec struct {
	File *program.File
	Decl *ast.GenDecl
	Spec *ast.ValueSpec
	Name *ast.Ident
}

// RemoveFunc deletes a function declaration with its doc comment.
type RemoveFunc struct {
	File *program.File
	Decl *ast.FuncDecl
}

// AddDecl adds a package-level declaration to a package. All AddDecls with the same
// PkgPath, External and ID are one. Kind-specific payload is in Decl.
type AddDecl struct {
	// PkgPath, PkgName and Dir name the package that gets it; the directory may not exist yet.
	PkgPath, PkgName, Dir string
	// File is the file that gets it; nil means a new file called NewFile in Dir.
	File    *program.File
	NewFile string
	// Constraint is the new file's build constraint, without "//go:build"; "" for none.
	Constraint string
	// PkgDoc is the package comment of a file in a package that is made, without "//".
	PkgDoc string
	// NewRel is NewFile relative to the directory worked in, for reports.
	NewRel string
	// ID identifies the declaration: its name.
	ID string
	// After, when not nil, is the declaration of File after which to insert;
	// nil means after the imports.
	After ast.Decl
	Decl  Decl
}

// A Decl is a declaration to add.
type Decl interface{ decl() }

// KeyType declares `type Name Underlying`, Underlying being "string", "int", ... or "struct{}".
type KeyType struct {
	Name, Underlying string
	Doc              string // without "//"; "" for none
}

// KeyConst declares `const Name Type = Value`, without Type when that is the zero Ref. Constants added at one place form one block.
type KeyConst struct {
	Name  string
	Type  Ref
	Value string // Go syntax
	// Enum is set for a constant whose value is its place in the block: iota, repeated by itself after the first.
	Enum bool
	Doc  string
}

// AccessorKind is the form of an accessor function.
type AccessorKind int

const (
	// With: func Name(ctx context.Context, v T) context.Context.
	With AccessorKind = iota
	// From: func Name(ctx context.Context) (T, bool).
	From
	// Must: func Name(ctx context.Context) T, panics when absent or of another type.
	Must
	// Any: func Name(ctx context.Context) any, nil when absent.
	Any
)

// Accessor declares an accessor function of a key.
type Accessor struct {
	Kind AccessorKind
	Name string
	// Key is the key expression: a Ref to a constant, or to an empty struct type
	// when Struct is set (written Name{}).
	Key    Ref
	Struct bool
	// Old is the key that the accessor writes and reads as well, as Go syntax with references; nil for none.
	Old Text
	// Value is the value's type as Go syntax with references; nil for any, and for the kind Any.
	Value Text
	// NoAny is set where the language version does not know any (before go 1.18).
	NoAny bool
	// Param is the name of With's value parameter.
	Param string
	Doc   string
}

// Span implements Edit.
func (e *Splice) Span() (*program.File, int, int) { return e.File, e.Start, e.End }

// Span implements Edit.
func (e *RemoveSpec) Span() (*program.File, int, int) { return nodeSpan(e.File, e.Spec) }

// Span implements Edit.
func (e *RemoveFunc) Span() (*program.File, int, int) { return nodeSpan(e.File, e.Decl) }

// Span implements Edit.
func (e *AddDecl) Span() (*program.File, int, int) { return nil, 0, 0 }

func nodeSpan(f *program.File, n ast.Node) (*program.File, int, int) {
	return f, f.Tok.Offset(n.Pos()), f.Tok.Offset(n.End())
}

func (*KeyType) decl()  {}
func (*KeyConst) decl() {}
func (*Accessor) decl() {}
