// Package census builds the whole-program table of context keys: which values serve as
// keys, who writes and who reads under each, through which forwarders, what is stored, and what
// stands in the way of changing a key. It is computed once and shared by all rules.
//
// # How keys are found
//
// It starts from objects, never from names: calls of [context.WithValue], and calls of a
// method Value(any) any on anything that is, or may hold, a context. The expression in
// the key position is followed backwards. As long as its static type is an interface or a
// type parameter the dynamic key is still hidden, and the walk goes on through parameters,
// variables, fields, table elements and results ("carriers"). Where the static type
// becomes concrete stands a [Point]: the place where a key of that type enters the context
// machinery. A point of built-in type is what has to change; its own value is
// followed further back to the constants it may be ([Leaf]). A function whose parameter
// is passed on the way is a forwarder, and its call sites are the real readers or writers ([Site]).
//
// # What closes the world
//
// Every place a value can come from must be seen, so whatever cannot be
// followed is recorded as [Unknown] and makes the point open: it may carry any key.
package census

import (
	"context"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"sync"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Role tells writers from readers.
type Role int

const (
	Reader Role = iota
	Writer
)

func (r Role) String() string {
	if r == Writer {
		return "writer"
	}
	return "reader"
}

// A Census is the table of keys of one program. It is immutable.
type Census struct {
	Program *program.Program
	// Keys are all keys with a site anywhere, built-in ones first, then by type and value.
	Keys []*Key
	// Families are the built-in keys that have to change together, those with sites in the world.
	Families []*Family
	// Points are all places in the world where a key of built-in type enters, in file order.
	Points []*Point
	// Open are the points whose key cannot be told before run time: those of the world, and those of
	// dependencies that the world feeds.
	Open []*Point
	// Stores are the types that answer Value from a store or body of their own.
	Stores []*Store
	keys   map[keyID]*Key
	// unchecked is what the files that were not type-checked mention.
	// zeroed are look-ups of the world whose key may be the zero value of a type argument.
	zeroed    []*Point
	unchecked *excludedScan
	// indexes answer questions about objects, one per build configuration.
	indexes []*index
	// closures caches closureOf.
	closures map[token.Pos]*closure
	closing  sync.Mutex
	// joining caches Joining, by the name of the type.
	joining sync.Map
	// splits caches Splits, splitOf the split of each key, byValue the keys with the same constant, byStem those of one name.
	splits    []*Split
	splitOf   map[*Key]*Split
	byValue   map[string][]*Key
	byStem    map[string][]*Key
	splitting sync.Once
	// keyAt and shared cache Shared.
	keyAt   map[ast.Expr]*Key
	shared  map[ast.Expr]bool
	sharing sync.Once
	// apart caches Apart.
	apart map[*Key][]*Family
	links *linker
	// assignments caches assignmentsTo.
	assignments map[*types.Var][]assignment
	assigning   sync.Mutex
	// roles are the parameters that keys come in through, for a program that is a single package.
	roles map[keyRole]bool
	// takes are the variables, parameters and fields that keys come in through, in every program.
	takes map[keyRole]bool
	// reached caches reaches.
	reached  []*reach
	reaching sync.Once
}

type keyID struct {
	typ, value string
	object     program.ID // of a pointer key's variable
}

// A Key is what identifies a context value as == on interfaces sees it.
type Key struct {
	// Type is the key's type with full package path; Value its constant in Go syntax, ""
	// when the type (an empty struct) or an object (a pointer) is the identity.
	Type, Value string
	// Const is the constant's value, nil when Value is "".
	Const constant.Value
	// Object is the package-level variable whose pointer is the key, nil for other keys and for pointers
	// that cannot be told.
	Object *types.Var
	// Basic is set for keys of built-in type.
	Basic *types.Basic
	// GoType is the key's type in the first configuration that has it.
	GoType types.Type
	// Part is set where the same value serves as several keys that no program contains
	// together: the package path of the first place.
	Part  string
	whole *Key
	Sites []*Site
	// Points are the places where the key enters; for built-in keys only.
	Points []*Point
	// leaves[i] are those of Points[i] that are this key: a helper's parameter has one for every key there is.
	leaves [][]*Leaf
	// Hazards stand in the way of changing the key; the first is the most telling.
	Hazards []*Hazard
	// Notes lower a fix from safe to review: an open point that may name the key, for example.
	Notes []*Hazard
	// ValueTypes are the static types of what is stored, sorted.
	ValueTypes []string
	Family     *Family
}

// Name returns the key as people write it.
func (k *Key) Name() string {
	if k.Object != nil {
		return k.Object.Pkg().Path() + "." + k.Object.Name()
	}
	if k.Value == "" {
		return k.Type
	}
	if k.Basic != nil {
		return k.text()
	}
	return k.Type + "(" + k.text() + ")"
}

// text is the constant as people write it.
func (k *Key) text() string {
	if k.Const.Kind() == constant.Float || k.Const.Kind() == constant.Complex {
		return k.Const.String()
	}
	return k.Value
}

// A Family is a set of built-in keys that one point, carrying several of them, ties together.
type Family struct {
	Keys    []*Key
	Points  []*Point // of all its keys, world and dependencies, in file order
	Hazards []*Hazard
	Notes   []*Hazard
}

// A Site is a writer or reader of a key: the expression that names the key there.
type Site struct {
	Role   Role
	Key    *Key
	Point  *Point // nil for typed keys
	Lookup *Lookup
	Expr   ast.Expr
	File   *program.File
	Pkg    *program.Package
	// Via is the function that is called here to store the value, for links of a chain that are such calls; nil for all others.
	Via *Attacher
}

// A Lookup is a call of context.WithValue or of a context's Value.
type Lookup struct {
	Role Role
	Call *ast.CallExpr
	// Context is the context operand: WithValue's parent, or what Value is called on.
	Context ast.Expr
	Key     ast.Expr
	// Value is what WithValue stores; nil for readers.
	Value ast.Expr
	File  *program.File
	Pkg   *program.Package
	// ways are what the key passes in interface form.
	ways ways
}

// A Point is an expression of concrete static type that becomes a key.
type Point struct {
	Expr   ast.Expr // without parentheses
	File   *program.File
	Pkg    *program.Package
	Basic  *types.Basic
	Leaves []*Leaf
	// Unknown says where the key may come from besides the leaves; empty when closed.
	Unknown []Unknown
	Lookups []*Lookup
	// Forwarders are the functions whose parameters of built-in type the key passes, in order of position.
	Forwarders []*types.Func
	// OtherUses are places other than key positions that the key's value reaches in interface form.
	OtherUses   []Unknown
	known       map[leafID]bool
	carriers    map[mentionedName]bool // package-level variables that hold the key in interface form
	through     map[mentionedName]bool // functions, package-level variables, and fields (without package), that the key passes
	element     bool                   // the key may be a missing element of a table, or a variable to which nothing was assigned
	zeroType    bool                   // the key may be the zero value of a type argument
	uncalled    bool                   // nothing calls the function that the key comes in through
	fromCallers bool                   // the key comes in through a parameter, and no call is seen
	// ThroughDependency names the dependency package whose code does the look-up, "" when the world's does.
	ThroughDependency string
	// told is the function that looks the key up as users say, "" when it is read from the program.
	told string
	ways ways // what the key passes in its own type
}

// Direct reports whether the point is itself the key argument of its only look-up.
// A conversion to an interface type around it does not count.
func (p *Point) Direct() bool {
	if len(p.Lookups) != 1 {
		return false
	}
	lk := p.Lookups[0]
	e := ast.Unparen(lk.Key)
	for e != p.Expr {
		call, ok := e.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 || !isConversion(lk.Pkg.Info, call) || !carrierType(lk.Pkg.Info.TypeOf(call)) {
			return false
		}
		e = ast.Unparen(call.Args[0])
	}
	return true
}

// AtRunTime reports whether the point, in the world, has a key of built-in type that is, or may be, made at run time. A
// test that looks up what it expects, name by name, does not count.
func (p *Point) AtRunTime() bool {
	return p.World() && p.Basic != nil && len(p.Unknown) > 0 && !p.fromCallers && !(p.File.Test && p.Lookups[0].Role == Reader)
}

// World reports whether the point lies in the world.
func (p *Point) World() bool { return p.Pkg.World }

// Constant reports whether the point is itself a constant expression.
func (p *Point) Constant() bool {
	return len(p.Leaves) == 1 && ast.Unparen(p.Leaves[0].Expr) == p.Expr
}

// A Leaf is a constant expression that a point's value may come from.
type Leaf struct {
	Expr  ast.Expr
	File  *program.File
	Pkg   *program.Package
	Key   *Key
	Value constant.Value
	// SiteExpr, SiteFile and SitePkg are the place to report: the call argument that names the key.
	SiteExpr ast.Expr
	SiteFile *program.File
	SitePkg  *program.Package
	// missing is set for the zero value that stands for an element a table lacks.
	missing bool
}

// A Hazard is a reason not to touch a key, with the place.
type Hazard struct {
	Reason  string
	Message string
	File    *program.File
	Pos     token.Pos
	Where   string
}

// Build takes the census of a program.
func Build(ctx context.Context, prog *program.Program) (*Census, error) {
	c := &Census{
		Program: prog,
		keys:    map[keyID]*Key{},
	}
	b := &builder{census: c, points: map[pointID]*Point{}, lookups: map[program.ID]*Lookup{}, sites: map[siteID]bool{}, opaqueModules: map[string]*Lookup{}, constants: map[*types.Const][]Expr{}}
	for _, cfg := range prog.Configs {
		if err := b.config(ctx, cfg); err != nil {
			return nil, err
		}
	}
	b.finish()
	c.links = b.linker
	return c, nil
}

// HasKey reports whether the program already has a key of the given type (full
// package path) and constant value, "" for identity by type.
func (c *Census) HasKey(typ, value string) bool {
	return c.keys[keyID{typ: typ, value: value}] != nil
}

// KeyTypes returns the keys whose type is declared in the package with the given path.
func (c *Census) KeyTypes(pkgPath string) []*Key {
	var list []*Key
	for _, k := range c.Keys {
		if k.Basic == nil && typePackage(k.Type) == pkgPath {
			list = append(list, k)
		}
	}
	return list
}
