package census

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strings"
	"unicode"
)

// A key may be split between a text and an empty struct type, or a constant that counts, of the same name, or between two of
// those: "user" and userKey{}, or userKey = iota. Names alone prove nothing, so what is stored under the one has to be what the
// other expects.

// named reports whether a key is an empty struct type of the world that a package declares, or a named constant, other than a
// text, of such a type.
func (c *Census) named(k *Key) bool {
	if k.Basic == nil && k.Const != nil && k.Const.Kind() == constant.Int && hasWorldPoint(k) {
		return k.constName() != ""
	}
	if k.Value != "" || k.Object != nil || k.GoType == nil || !isEmptyStruct(k.GoType) || !hasWorldPoint(k) {
		return false
	}
	t, ok := types.Unalias(k.GoType).(*types.Named)
	if !ok || t.TypeArgs().Len() > 0 || t.Obj().Parent() != t.Obj().Pkg().Scope() {
		return false
	}
	f := c.Program.FileOf(t.Obj().Pos())
	return f != nil && f.World
}

// comparableNames reports whether two keys may be one by their names: two texts have to be equal, which is another matter.
func comparableNames(a, b *Key) bool {
	text := func(k *Key) bool { return k.Const != nil && k.Const.Kind() == constant.String }
	return a.Type != b.Type && !(text(a) && text(b))
}

// constName returns the name of a constant, at package level, that a site of the key spells; "" for none.
func (k *Key) constName() string {
	for _, s := range k.Sites {
		if c := NamedConst(s.Pkg, s.Expr); c != nil && s.Pkg.World && c.Parent() == c.Pkg().Scope() {
			return c.Name()
		}
	}
	return ""
}

// Spelled returns the key as people write it, a constant that is a number by its name.
func (k *Key) Spelled() string {
	if k.Basic == nil && k.Const != nil && k.Const.Kind() == constant.Int {
		if name := k.constName(); name != "" {
			return k.Type[:strings.LastIndexByte(k.Type, '.')+1] + name
		}
	}
	return k.Name()
}

// stems are what a key's text, type or constant is called, without case, punctuation, and the words that say it is a key.
func stems(k *Key) []string {
	var list []string
	add := func(name string) {
		if s := stem(name); s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	switch {
	case k.Const == nil:
		add(k.Type[strings.LastIndexByte(k.Type, '.')+1:])
	case k.Const.Kind() == constant.String:
		add(constant.StringVal(k.Const))
	default:
		add(k.constName())
	}
	return list
}

func stem(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	s := b.String()
	for cut := true; cut; {
		cut = false
		for _, word := range []string{"key", "ctx", "context"} {
			if rest, ok := strings.CutSuffix(s, word); ok && rest != "" {
				s, cut = rest, true
			}
			if rest, ok := strings.CutPrefix(s, word); ok && rest != "" && word != "key" {
				s, cut = rest, true
			}
		}
	}
	switch s {
	case "key", "ctx", "context":
		return ""
	}
	return s
}

// means reports whether one key is, by every sign, the other half of another: some place stores under the one
// a value of the very type that a place of the other expects, in a program that contains both. A type that
// is declared in the world says more than a string does: with any other, and of two struct types, both keys must lack their
// other half.
func (c *Census) means(k *Key, role Role, other *Key, lacks Role) bool {
	_, lonely := c.unpaired(other)
	text := k.Basic != nil || other.Basic != nil
	for _, s := range k.Sites {
		if s.Role != role {
			continue
		}
		for _, t := range other.Sites {
			if t.Role != lacks || !c.inOneProgram(s, t) {
				continue
			}
			w, r := s, t
			if role == Reader {
				w, r = t, s
			}
			if v := c.sameType(w, r); v != nil && (lonely || text && c.declared(v)) {
				return true
			}
		}
	}
	return false
}

// sameType returns the type that a writer stores and a reader expects, nil when they are not one.
func (c *Census) sameType(w, r *Site) types.Type {
	stored := storedType(w.Lookup)
	if stored == nil || carrierType(stored) {
		return nil
	}
	for _, t := range c.expectedTypes(r) {
		if types.Identical(t, stored) {
			return stored
		}
	}
	return nil
}

// declared reports whether a type, or what it points to, is declared in the world.
func (c *Census) declared(t types.Type) bool {
	named, ok := types.Unalias(deref(t)).(*types.Named)
	if !ok {
		return false
	}
	f := c.Program.FileOf(named.Obj().Pos())
	return f != nil && f.World
}

// expectedTypes returns the types that a look-up's result is asserted to: on the spot, on a variable, by the type argument of
// the function that looks up, or by the callers of one that returns what it finds.
func (c *Census) expectedTypes(s *Site) []types.Type {
	lk := s.Lookup
	if lk.Call == nil || !lk.Pkg.World {
		return nil
	}
	found, _ := c.assertionsOf(s)
	var list []types.Type
	for _, a := range found {
		if p, ok := types.Unalias(a.Type).(*types.TypeParam); ok {
			if t := typeArgument(s, c.callAround(s), p); t != nil {
				list = append(list, t)
			}
			continue
		}
		list = append(list, a.Type)
	}
	if len(found) > 0 {
		return list
	}
	if ret, _ := c.Outer(lk.File, lk.Call); ret != nil {
		if _, ok := ret.(*ast.ReturnStmt); ok {
			return c.callersExpect(s)
		}
	}
	return nil
}

// callAround returns the call that a site's expression is an argument of, nil for none.
func (c *Census) callAround(s *Site) *ast.CallExpr {
	parent, _ := c.Outer(s.File, s.Expr)
	call, _ := parent.(*ast.CallExpr)
	return call
}

// typeArgument returns what a call of a generic function stands in for a type parameter.
func typeArgument(s *Site, call *ast.CallExpr, p *types.TypeParam) types.Type {
	if call == nil {
		return nil
	}
	var id *ast.Ident
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	switch x := ast.Unparen(fun).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	}
	if id == nil {
		return nil
	}
	args := s.Pkg.Info.Instances[id].TypeArgs
	if args == nil || p.Index() >= args.Len() {
		return nil
	}
	return args.At(p.Index())
}

// callersExpect returns the types that the result of a function which returns what it looks up is asserted to: by the call that
// names the key, or by all calls where the function itself does.
func (c *Census) callersExpect(s *Site) []types.Type {
	asserted := func(info *types.Info, call *ast.CallExpr, u Use) types.Type {
		parent, _ := c.Outer(u.File, call)
		if a, ok := parent.(*ast.TypeAssertExpr); ok && a.Type != nil {
			return info.TypeOf(a.Type)
		}
		return nil
	}
	if ast.Unparen(s.Lookup.Key) != s.Expr {
		if call := c.callAround(s); call != nil {
			if t := asserted(s.Pkg.Info, call, Use{File: s.File, Pkg: s.Pkg}); t != nil {
				return []types.Type{t}
			}
		}
		return nil
	}
	decl := c.function(s)
	if decl == nil {
		return nil
	}
	var list []types.Type
	for _, u := range c.Uses(s.Pkg.Info.Defs[decl.Name]) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, _ := c.Outer(u.File, c.NameExpr(u.File, u.Ident))
		if call, ok := parent.(*ast.CallExpr); ok {
			if t := asserted(u.Pkg.Info, call, u); t != nil {
				list = append(list, t)
			}
		}
	}
	return list
}
