package rules

import (
	"fmt"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
)

// MeetTypes asks for assertions to name the type that is stored under a key, or for what is stored to be of the type
// that is asserted.
type MeetTypes struct {
	Key *census.Key
	// Type is the one that both sides shall have.
	Type types.Type
	// Reads are assertions that name another type.
	Reads []*RetypedRead
	// Stores are stored values of another type.
	Stores []*RetypedStore
	// Why says what makes this reading the right one.
	Why string
}

// A RetypedRead is an assertion that is to name another type.
type RetypedRead struct {
	census.Assertion
	// Back are the expressions of the new type that go where only the old one can.
	Back []ast.Expr
}

// A StoreForm says how a stored value becomes one of another type.
type StoreForm int

const (
	StoreAddress   StoreForm = iota // v becomes &v
	StoreOperand                    // &v becomes v, and *p becomes p
	StoreConverted                  // v becomes T(v)
)

// A RetypedStore is a stored value that is to be of another type.
type RetypedStore struct {
	Site *census.Site
	Form StoreForm
}

// UnitID names the unit by the key and its first place.
func (in *MeetTypes) UnitID() string {
	var at *census.Site
	var expr ast.Expr
	if len(in.Reads) > 0 {
		at, expr = in.Reads[0].Site, in.Reads[0].Expr
	} else {
		at = in.Stores[0].Site
		expr = at.Lookup.Value
	}
	f := at.Lookup.File
	pos := f.Tok.PositionFor(expr.Pos(), false)
	return fmt.Sprintf("keyclash:%s@%s:%d:%d", in.Key.Name(), f.Rel, pos.Line, pos.Column)
}

// PartKey asks for a key that several packages use for values of their own to become one private key for each.
type PartKey struct {
	Key   *census.Key
	Parts []*census.Family
}

// UnitID names the unit by the key.
func (in *PartKey) UnitID() string {
	id := "keyclash:" + in.Key.Name()
	if in.Key.Part != "" {
		id += "@" + in.Key.Part
	}
	return id
}
