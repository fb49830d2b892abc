package uncheckedread

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "uncheckedread"

// Rule reports reads that panic when the context lacks the value. Whether a panic is a mistake is a matter
// of taste in code that is only reached behind the middleware that stores the value.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Levels: []rules.Applicability{rules.Review}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	reads := pass.Census.Reads()
	c := &checker{census: pass.Census, lookups: map[*program.File][]*census.Lookup{}, intents: map[ast.Stmt]*rules.CheckReads{}, at: map[*ast.CallExpr]*census.Lookup{}, keysOf: map[*census.Lookup][]*census.Key{}}
	for _, k := range pass.Census.Keys {
		for _, s := range k.Sites {
			if lk := s.Lookup; lk.Role == census.Writer && lk.Call != nil {
				c.lookups[lk.File] = append(c.lookups[lk.File], lk)
			}
		}
	}
	for _, r := range reads {
		c.lookups[r.File] = append(c.lookups[r.File], r.Lookup)
	}
	for _, k := range pass.Census.Keys {
		for _, s := range k.Sites {
			if lk := s.Lookup; lk.Call != nil && !slices.Contains(c.keysOf[lk], k) {
				c.at[lk.Call] = lk
				c.keysOf[lk] = append(c.keysOf[lk], k)
			}
		}
	}
	var list []*rules.Finding
	for _, r := range reads {
		assert := c.assertion(r.Lookup)
		if assert == nil || assert.Type == nil || c.commaOK(r.File, assert) || r.File.Test || c.present(r) {
			continue
		}
		if c.meant(r.File, r.Pkg, r.Call) {
			if f := c.accessor(r, assert); f != nil {
				list = append(list, f)
			}
			continue
		}
		list = append(list, c.finding(r, assert))
	}
	return list
}

// A checker judges the reads of one program.
type checker struct {
	census *census.Census
	// lookups are the look-ups of each file.
	lookups map[*program.File][]*census.Lookup
	// at are the look-ups by their calls, keysOf the keys that each may look up.
	at      map[*ast.CallExpr]*census.Lookup
	keysOf  map[*census.Lookup][]*census.Key
	intents map[ast.Stmt]*rules.CheckReads
}

// assertion returns the type assertion, or the x.(type) of a switch, that a look-up stands in; nil for none.
func (c *checker) assertion(lk *census.Lookup) *ast.TypeAssertExpr {
	parent, _ := c.census.Outer(lk.File, lk.Call)
	assert, _ := parent.(*ast.TypeAssertExpr)
	return assert
}

// commaOK reports whether an assertion is used in its two-valued form.
func (c *checker) commaOK(f *program.File, assert *ast.TypeAssertExpr) bool {
	parent, _ := c.census.Outer(f, assert)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		return len(p.Lhs) == 2 && len(p.Rhs) == 1
	case *ast.ValueSpec:
		return len(p.Names) == 2 && len(p.Values) == 1
	}
	return false
}

func (c *checker) finding(r *census.Read, assert *ast.TypeAssertExpr) *rules.Finding {
	in := c.intent(r, assert)
	in.Reads = append(in.Reads, &rules.UncheckedRead{Assert: assert, Lookup: r.Lookup})
	f := &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf("%s panics when the context does not carry the value", types.ExprString(assert)),
		File:          r.File,
		Pos:           assert.Pos(),
		End:           assert.End(),
		Applicability: rules.Review,
		Fix:           &rules.Fix{Title: "handle the absence of the value", Applicability: rules.Review, Intent: in},
	}
	if len(r.Keys) == 1 {
		f.Key, f.KeyID = r.Keys[0].Name(), r.Keys[0].UnitName()
	}
	return f
}

// intent returns the intent for the statement around a read: several reads in one change together.
func (c *checker) intent(r *census.Read, assert *ast.TypeAssertExpr) *rules.CheckReads {
	var n ast.Node = assert
	for {
		n = c.census.Parent(r.File, n)
		stmt, ok := n.(ast.Stmt)
		if !ok && n != nil {
			continue
		}
		in := c.intents[stmt]
		if in == nil || stmt == nil {
			in = &rules.CheckReads{File: r.File, Pkg: r.Pkg, Stmt: stmt}
			c.intents[stmt] = in
		}
		return in
	}
}

// meant reports whether a panic at a place is announced, by the function's name or its documentation, or caught.
func (c *checker) meant(f *program.File, pkg *program.Package, n ast.Node) bool {
	decl := c.function(f, n)
	if decl == nil {
		return false
	}
	if rest, ok := strings.CutPrefix(decl.Name.Name, "Must"); ok {
		first, _ := utf8.DecodeRuneInString(rest)
		if rest == "" || !unicode.IsLower(first) {
			return true
		}
	}
	if decl.Doc != nil && strings.Contains(strings.ToLower(decl.Doc.Text()), "panic") {
		return true
	}
	return recovers(pkg, decl)
}

// function returns the function declaration around a node, nil for the initialiser of a variable.
func (c *checker) function(f *program.File, n ast.Node) *ast.FuncDecl {
	for n = c.census.Parent(f, n); n != nil; n = c.census.Parent(f, n) {
		if decl, ok := n.(*ast.FuncDecl); ok {
			return decl
		}
	}
	return nil
}

// recovers reports whether a function calls recover, in a deferred literal for example.
func recovers(pkg *program.Package, decl *ast.FuncDecl) bool {
	found := false
	ast.Inspect(decl, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && pkg.Info.Uses[id] == types.Universe.Lookup("recover") {
			found = true
		}
		return !found
	})
	return found
}
