package census

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// TypedHazards returns what stands in the way of giving another type to a key that is not of built-in type, and
// what lowers such a fix to review.
func (c *Census) TypedHazards(k *Key) (hazards, notes []*Hazard) {
	for _, s := range k.Sites {
		if !s.Pkg.World {
			hazards = append(hazards, &Hazard{Reason: ReasonDependency, Message: "package " + s.Pkg.Path + ", outside the program, uses the same key", File: s.File, Pos: s.Expr.Pos()})
		} else if !s.Lookup.Pkg.World {
			hazards = append(hazards, &Hazard{Reason: ReasonDependency, Message: "it is handed to package " + s.Lookup.Pkg.Path + ", outside the program, which looks it up", File: s.File, Pos: s.Expr.Pos()})
		} else if !s.Direct() && !c.onlyKeys(s) {
			hazards = append(hazards, &Hazard{Reason: ReasonOtherUse, Message: "the key reaches the look-up as a value of interface type, which other code may see", File: s.File, Pos: s.Expr.Pos()})
		}
	}
	if h := c.typeShows(k.GoType); h != nil {
		hazards = append(hazards, h)
	}
	hazards = append(hazards, c.uncheckedSites(k)...)
	if st, u := c.inStore(k); st != nil {
		hazards = append(hazards, &Hazard{Reason: ReasonStore, Message: fmt.Sprintf(u.Why, st.Name()), File: u.File, Pos: u.Pos})
	}
	if h := c.taken(); h != nil {
		hazards = append(hazards, h)
	}
	for _, p := range c.Open {
		if !p.uncalled && p.Basic == nil && mayHold(p.Pkg.Info.TypeOf(p.Expr), k.GoType) {
			u := p.fedBy(k.GoType)
			if u == nil {
				continue
			}
			h := &Hazard{Reason: ReasonDynamic, Message: fmt.Sprintf("the key of this look-up %s and may be this one", u.Why), File: p.File, Pos: p.Expr.Pos()}
			hazards, notes = judgeOpen(k, p.Lookups[0].Role, false, h, hazards, notes)
		}
	}
	for _, p := range c.zeroed {
		if isEmptyStruct(k.GoType) {
			h := &Hazard{Reason: ReasonDynamic, Message: "the key of this look-up may be the zero value of a type argument, and so this one", File: p.File, Pos: p.Expr.Pos()}
			hazards, notes = judgeOpen(k, p.Lookups[0].Role, false, h, hazards, notes)
		}
	}
	for _, m := range c.unchecked.open {
		if c.unchecked.beside[m.file] {
			continue
		}
		hazards, notes = judgeOpen(k, m.role, m.either, c.uncheckedUse(m.mention), hazards, notes)
	}
	return hazards, notes
}

// inStore returns a context type that answers the key, or one of its type, from a store of its own; nil for none.
func (c *Census) inStore(k *Key) (*Store, *Unknown) {
	for _, st := range c.Stores {
		for i, u := range st.Typed {
			if k.GoType != nil && types.Identical(u.Type, k.GoType) {
				return st, &st.Typed[i].At
			}
		}
	}
	return nil, nil
}

// answered returns the hazard of a context type that may answer any key; nil for none.
func (c *Census) answered() *Hazard {
	for _, st := range c.Stores {
		if st.Any != nil && !st.distant {
			return &Hazard{Reason: ReasonStore, Message: fmt.Sprintf(st.Any.Why, st.Name()), File: st.Any.File, Pos: st.Any.Pos}
		}
	}
	return nil
}

// taken returns the hazard of a context type that may treat keys by their types; nil for none.
func (c *Census) taken() *Hazard {
	for _, st := range c.Stores {
		for _, d := range st.Differences {
			if d.Basic == nil && !st.distant {
				return &Hazard{Reason: ReasonStore, Message: "the Value method of " + st.Name() + " " + d.How, File: d.File, Pos: d.Pos}
			}
		}
	}
	return nil
}

// uncheckedUse is the hazard of a file that was not type-checked.
func (c *Census) uncheckedUse(m mention) *Hazard {
	h := &Hazard{Reason: ReasonTypeErrors, Message: "a package that does not type-check uses a key here that may be this one", File: m.file, Pos: m.pos}
	if m.file.Excluded {
		h.Reason = ReasonExcluded
		h.Message = fmt.Sprintf("a file that this build configuration leaves out (%s) uses a key here that may be this one; %s", m.file.Constraint, c.Program.HowToLoad(m.file))
	}
	return h
}

// uncheckedSites finds files that were not type-checked and use the variable or type that a site names the key by, or
// hand a value of an unnamed struct type to a function, as they would a key of such a type.
func (c *Census) uncheckedSites(k *Key) []*Hazard {
	var list []*Hazard
	seen := map[mentionedName]bool{}
	for _, s := range k.Sites {
		obj := s.named()
		if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
			continue
		}
		name := mentionedName{obj.Pkg().Path(), obj.Name()}
		if uses := c.unchecked.names[name]; len(uses) > 0 && !seen[name] {
			seen[name] = true
			list = append(list, c.uncheckedUse(uses[0]))
		}
	}
	if _, unnamed := deref(k.GoType).(*types.Struct); !unnamed {
		return list
	}
	broken := map[string]bool{}
	for _, pe := range c.Program.Broken {
		broken[pe.Path] = true
	}
	for _, f := range c.Program.Files {
		if f.AST == nil || f.Vendored || !f.Excluded && !broken[f.PkgPath] {
			continue
		}
		if pos := unnamedArgument(f.AST); pos.IsValid() {
			list = append(list, c.uncheckedUse(mention{f, pos}))
		}
	}
	return list
}

// named returns the variable that the site's expression names, or the type of its composite literal; nil for others.
func (s *Site) named() types.Object {
	e := s.Expr
	if lit, ok := e.(*ast.CompositeLit); ok {
		e = lit.Type
	}
	switch e := e.(type) {
	case *ast.Ident:
		return s.Pkg.Info.Uses[e]
	case *ast.SelectorExpr:
		return s.Pkg.Info.Uses[e.Sel]
	}
	return nil
}

// unnamedArgument returns the place of a call argument that is a literal of an unnamed struct type, or the address
// of one.
func unnamedArgument(file *ast.File) token.Pos {
	pos := token.NoPos
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || pos.IsValid() {
			return !pos.IsValid()
		}
		for _, a := range call.Args {
			a = ast.Unparen(a)
			if u, ok := a.(*ast.UnaryExpr); ok && u.Op == token.AND {
				a = ast.Unparen(u.X)
			}
			if lit, ok := a.(*ast.CompositeLit); ok {
				if _, ok := lit.Type.(*ast.StructType); ok {
					pos = a.Pos()
				}
			}
		}
		return true
	})
	return pos
}

// judgeOpen adds a hazard for a look-up that may concern the key: it counts against a key that nobody else
// reads, or writes.
func judgeOpen(k *Key, role Role, either bool, h *Hazard, hazards, notes []*Hazard) ([]*Hazard, []*Hazard) {
	if hasOwn(k, Writer) && hasOwn(k, Reader) || !either && hasOwn(k, role) {
		return hazards, append(notes, h)
	}
	return append(hazards, h), notes
}

// mayHold reports whether a variable of a type may hold a key of another.
func mayHold(t, key types.Type) bool {
	if t == nil {
		return true
	}
	if iface, ok := t.Underlying().(*types.Interface); ok {
		return types.Implements(key, iface)
	}
	return types.Identical(t, key)
}

// Direct reports whether the site's expression is itself the key argument of its look-up, a conversion to an
// interface type around it not counted.
func (s *Site) Direct() bool {
	e := ast.Unparen(s.Lookup.Key)
	for e != s.Expr {
		call, ok := e.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 || !isConversion(s.Lookup.Pkg.Info, call) || !carrierType(s.Lookup.Pkg.Info.TypeOf(call)) {
			return false
		}
		e = ast.Unparen(call.Args[0])
	}
	return true
}

// onlyKeys reports whether the look-up of a site names a variable that gets the site's value itself, out of no table, and serves
// for nothing but keys.
func (c *Census) onlyKeys(s *Site) bool {
	v := namedVar(ref{expr: s.Lookup.Key, file: s.Lookup.File, pkg: s.Lookup.Pkg})
	return v != nil && !v.IsField() && c.assigns(s, v) && !c.MentionedUnchecked(v) && c.ServesAsKey(v)
}

// assigns reports whether a site's expression, converted to an interface perhaps, is what a variable is declared with or assigned.
func (c *Census) assigns(s *Site, v *types.Var) bool {
	parent, child := c.Outer(s.File, s.Expr)
	for {
		call, ok := parent.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 || !isConversion(s.Pkg.Info, call) || !carrierType(s.Pkg.Info.TypeOf(call)) {
			break
		}
		parent, child = c.Outer(s.File, call)
	}
	is := func(id ast.Expr, value ast.Expr) bool {
		name, ok := id.(*ast.Ident)
		return ok && ast.Node(value) == child && s.Pkg.Info.ObjectOf(name) == v
	}
	switch p := parent.(type) {
	case *ast.AssignStmt:
		for i, lhs := range p.Lhs {
			if len(p.Lhs) == len(p.Rhs) && is(lhs, p.Rhs[i]) {
				return true
			}
		}
	case *ast.ValueSpec:
		for i, id := range p.Names {
			if len(p.Names) == len(p.Values) && is(id, p.Values[i]) {
				return true
			}
		}
	}
	return false
}

// ServesAsKey reports whether every mention of a variable, apart from its declaration, is the key of a look-up.
func (c *Census) ServesAsKey(v *types.Var) bool {
	if fn, _ := c.ParamOf(v); fn != nil {
		return false // its callers may hand it anything
	}
	for _, u := range c.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] == nil && !c.IsKeyArgument(u) {
			return false
		}
	}
	return true
}

// IsKeyArgument reports whether a mention is the key of a look-up.
func (c *Census) IsKeyArgument(u Use) bool {
	parent, child := c.Outer(u.File, c.NameExpr(u.File, u.Ident))
	call, ok := parent.(*ast.CallExpr)
	return ok && isKeyArgument(u, call, child)
}

// isKeyArgument reports whether an argument is the key of a call that looks up, or stores under, it.
func isKeyArgument(u Use, call *ast.CallExpr, arg ast.Node) bool {
	fn := Callee(u.Pkg.Info, call)
	switch {
	case fn == nil:
		return false
	case IsWithValue(fn):
		return len(call.Args) == 3 && ast.Node(call.Args[1]) == arg
	case isValueMethod(fn) && isContextLike(fn.Signature().Recv().Type()):
		return len(call.Args) > 0 && ast.Node(call.Args[len(call.Args)-1]) == arg
	}
	return false
}

// typeShows returns a place, in a package with a Value method of its own, where code tells values of a type
// from others: a type switch, an assertion, or a comparison with an interface value; nil for none.
func (c *Census) typeShows(t types.Type) *Hazard {
	for _, ix := range c.indexes {
		own := map[string]bool{}
		for _, fn := range ix.methods["Value"] {
			if isValueMethod(fn) && fn.Pkg() != nil {
				own[fn.Pkg().Path()] = true
			}
		}
		for _, pkg := range ix.pkgs {
			if !own[pkg.Path] {
				continue
			}
			for _, f := range pkg.Files {
				if f.AST == nil || pkg.Info == nil {
					continue
				}
				if pos := typeShownIn(pkg.Info, f.AST, t); pos.IsValid() {
					return &Hazard{Reason: ReasonOtherUse, Message: fmt.Sprintf("code tells values of type %s from others here, keys perhaps among them", t), File: f, Pos: pos}
				}
			}
		}
	}
	return nil
}

func typeShownIn(info *types.Info, file *ast.File, t types.Type) token.Pos {
	pos := token.NoPos
	is := func(e ast.Expr) bool { have := info.TypeOf(e); return have != nil && types.Identical(have, t) }
	ast.Inspect(file, func(n ast.Node) bool {
		if pos.IsValid() {
			return false
		}
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && is(n.X) != is(n.Y) && (is(n.X) || is(n.Y)) {
				pos = n.Pos()
			}
		case *ast.TypeAssertExpr:
			if n.Type != nil && is(n.Type) {
				pos = n.Pos()
			}
		case *ast.CaseClause:
			if slices.ContainsFunc(n.List, is) {
				pos = n.Pos()
			}
		}
		return true
	})
	return pos
}
