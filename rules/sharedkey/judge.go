package sharedkey

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

// A judgement says what the sites of one shared key are meant to be, as far as the program tells.
type judgement struct {
	census *census.Census
	key    *census.Key
	// fixes holds what is wanted for each site; sites without one are left to a person, for the reason manual.
	fixes   map[*census.Site]*rules.Fix
	manual  string
	blocker *rules.Blocker
	notes   []string
}

// A group is the sites that name the key by one variable or alias, or in one package.
type group struct {
	rules.KeyGroup
	writes, reads, literals bool
	stored                  []string
}

func judge(c *census.Census, k *census.Key) *judgement {
	j := &judgement{census: c, key: k, fixes: map[*census.Site]*rules.Fix{}}
	hazards, notes := c.TypedHazards(k)
	if len(hazards) > 0 {
		h := hazards[0]
		j.blocker = &rules.Blocker{Reason: h.Reason, Message: h.Message, File: h.File, Pos: h.Pos}
	}
	_, pointer := types.Unalias(k.GoType).(*types.Pointer)
	if half := c.Half(k); half != nil && !pointer {
		notes = append(notes, half)
	}
	for _, n := range notes {
		if !slices.Contains(j.notes, n.Message) && len(j.notes) < maxNotes {
			j.notes = append(j.notes, n.Message)
		}
	}
	if pointer {
		j.pointers()
	} else {
		j.structs()
	}
	return j
}

// maxNotes bounds the reasons given for asking for review.
const maxNotes = 2

// want records a fix for the sites of its groups.
func (j *judgement) want(in *rules.NameKeys) {
	fix := &rules.Fix{Title: "give the key a type of its own", Applicability: rules.Safe, Intent: in}
	in.Type = j.key.GoType
	in.Notes = append(in.Notes, j.notes...)
	if len(in.Notes) > 0 {
		fix.Applicability = rules.Review
	}
	for _, g := range in.Groups {
		for _, s := range g.Sites {
			j.fixes[s] = fix
		}
	}
}

// structs judges keys of an unnamed struct type, which are all one key today.
func (j *judgement) structs() {
	packages := j.groups(j.home)
	if j.manual = j.nameless(); j.manual != "" {
		return
	}
	if len(packages) == 1 {
		j.onePackage(packages[0])
		return
	}
	if apart(packages) {
		in := &rules.NameKeys{Notes: []string{"until now " + packagePaths(packages) + " shared one key"}}
		for _, g := range packages {
			in.Groups = append(in.Groups, &g.KeyGroup)
		}
		j.want(in)
		return
	}
	writers := slices.DeleteFunc(slices.Clone(packages), func(g *group) bool { return !g.writes })
	if len(writers) != 1 {
		j.manual = "several packages write under it, each perhaps a key of its own: declare a type for each"
		return
	}
	if stored := writers[0].stored; len(stored) > 1 && j.single() {
		j.manual = fmt.Sprintf("values of several types (%s) are stored under it: declare a type for each", strings.Join(stored, ", "))
		return
	}
	all := &rules.KeyGroup{PkgPath: writers[0].PkgPath}
	for _, g := range packages {
		all.Sites = append(all.Sites, g.Sites...)
		all.Vars = append(all.Vars, g.Vars...)
		if g.PkgPath == all.PkgPath {
			all.Alias = g.Alias
		}
	}
	j.want(&rules.NameKeys{Groups: []*rules.KeyGroup{all}})
}

// onePackage judges the sites of a key that only one package uses: variables and aliases that name it were meant
// to be keys of their own.
func (j *judgement) onePackage(pkg *group) {
	vars := j.groups(func(s *census.Site) string { return fmt.Sprint(positionOf(siteName(s))) })
	literals := slices.ContainsFunc(vars, func(g *group) bool { return g.literals })
	switch {
	case len(vars) > 1 && !literals && j.single():
		if slices.ContainsFunc(vars, func(g *group) bool { return !g.writes }) {
			j.manual = "the names that it goes by are one key, and not all of them are stored under: declare a type for each, unless one is meant to find what another stores"
			return
		}
		var names []string
		in := &rules.NameKeys{}
		for _, g := range vars {
			names = append(names, siteName(g.Sites[0]).Name())
			if len(g.Vars) == 0 && g.Alias == nil {
				j.manual = "the names that it goes by are one key and serve for other things as well: declare a type for each"
				return
			}
			in.Groups = append(in.Groups, &g.KeyGroup)
		}
		in.Notes = []string{"until now " + strings.Join(names, " and ") + " were the same key"}
		j.want(in)
	case len(pkg.stored) > 1 && j.single():
		j.manual = fmt.Sprintf("values of several types (%s) are stored under it: declare a type for each", strings.Join(pkg.stored, ", "))
	default:
		j.want(&rules.NameKeys{Groups: []*rules.KeyGroup{&pkg.KeyGroup}})
	}
}

// nameless says that a package has several names for the one key, each perhaps meant to be a key of its own, beside a place that
// spells it without a name, or that another package names otherwise: which of them such a place means is not to be told, and
// one type for all would hide that they are one key. "" when that is not so.
func (j *judgement) nameless() string {
	if !j.single() {
		return ""
	}
	names := map[string][]types.Object{}
	literals := false
	for _, s := range j.key.Sites {
		obj := siteName(s)
		literals = literals || obj == nil
		if home := j.home(s); obj != nil && !slices.ContainsFunc(names[home], func(o types.Object) bool { return o.Pos() == obj.Pos() }) {
			names[home] = append(names[home], obj)
		}
	}
	for _, s := range j.key.Sites {
		if list := names[j.home(s)]; len(list) > 1 && (literals || len(names) > 1) {
			return fmt.Sprintf("%s and %s are one key, and which of them other places mean is not to be told: declare a type for each", list[0].Name(), list[1].Name())
		}
	}
	return ""
}

// single reports whether the type has one value only, so that it is one key.
func (j *judgement) single() bool {
	st, ok := j.key.GoType.Underlying().(*types.Struct)
	return ok && st.NumFields() == 0
}

// apart reports whether every package writes and reads values of types that no other one stores.
func apart(packages []*group) bool {
	seen := map[string]bool{}
	for _, g := range packages {
		if !g.writes || !g.reads || len(g.stored) != 1 || seen[g.stored[0]] {
			return false
		}
		seen[g.stored[0]] = true
	}
	return true
}

func packagePaths(list []*group) string {
	var paths []string
	for _, g := range list {
		paths = append(paths, g.PkgPath)
	}
	return strings.Join(paths, " and ")
}

// groups sorts the key's sites by a name, in the order of the first sites.
func (j *judgement) groups(name func(*census.Site) string) []*group {
	byName := map[string]*group{}
	var list []*group
	for _, s := range j.key.Sites {
		n := name(s)
		g := byName[n]
		if g == nil {
			g = &group{KeyGroup: rules.KeyGroup{PkgPath: j.home(s)}}
			byName[n] = g
			list = append(list, g)
		}
		g.Sites = append(g.Sites, s)
		g.note(j, s)
	}
	return list
}

func (g *group) note(j *judgement, s *census.Site) {
	if s.Role == census.Writer {
		g.writes = true
		if t := storedType(s); !slices.Contains(g.stored, t) {
			g.stored = append(g.stored, t)
		}
	} else {
		g.reads = true
	}
	switch obj := siteName(s).(type) {
	case *types.Var:
		if !slices.Contains(g.Vars, obj) && j.census.ServesAsKey(obj) {
			g.Vars = append(g.Vars, obj)
		}
	case *types.TypeName:
		if g.Alias == nil && j.aliasServes(obj) {
			g.Alias = obj
		}
	default:
		g.literals = true
	}
}

// siteName returns the variable, or the alias of the type, that a site names the key by; nil for none.
func siteName(s *census.Site) types.Object {
	if v := siteVar(s); v != nil {
		return v
	}
	lit, ok := s.Expr.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	var id *ast.Ident
	switch t := lit.Type.(type) {
	case *ast.Ident:
		id = t
	case *ast.SelectorExpr:
		id = t.Sel
	}
	if id != nil {
		if tn, ok := s.Pkg.Info.Uses[id].(*types.TypeName); ok && tn.IsAlias() {
			return tn
		}
	}
	return nil
}

// aliasServes reports whether an alias is declared at package level in the program and names the key wherever
// it stands.
func (j *judgement) aliasServes(tn *types.TypeName) bool {
	f := j.census.Program.FileOf(tn.Pos())
	if f == nil || !f.World || tn.Parent() != tn.Pkg().Scope() {
		return false
	}
	return !slices.ContainsFunc(j.census.TypeUses(tn), func(u census.Use) bool {
		lit := j.census.Parent(u.File, j.census.NameExpr(u.File, u.Ident))
		return !slices.ContainsFunc(j.key.Sites, func(s *census.Site) bool { return ast.Node(s.Expr) == lit })
	})
}

// storedType is the static type of what a writer stores, as messages write it.
func storedType(s *census.Site) string {
	if s.Lookup.Value == nil || s.Lookup.Pkg.Info.TypeOf(s.Lookup.Value) == nil {
		return "unknown"
	}
	return types.TypeString(types.Default(s.Lookup.Pkg.Info.TypeOf(s.Lookup.Value)), (*types.Package).Name)
}

// home returns the path of the package that a site's key belongs to: that of the variable or alias that names it, or
// the site's.
func (j *judgement) home(s *census.Site) string {
	if obj := siteName(s); obj != nil && obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
		return obj.Pkg().Path()
	}
	return s.Pkg.Path
}

// siteVar returns the variable that a site names the key by, nil for none.
func siteVar(s *census.Site) *types.Var {
	var id *ast.Ident
	switch e := s.Expr.(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	default:
		return nil
	}
	v, _ := s.Pkg.Info.Uses[id].(*types.Var)
	if v == nil || v.IsField() {
		return nil
	}
	return v
}

func positionOf(obj types.Object) token.Pos {
	if obj == nil {
		return token.NoPos
	}
	return obj.Pos()
}

// pointers judges keys that point to values without size. Variables of a package that each hold such a pointer
// were meant to be keys of their own.
func (j *judgement) pointers() {
	const own = "declare a type for the key: type myKey struct{}"
	for _, s := range j.key.Sites {
		v := siteVar(s)
		if v == nil || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
			j.manual = "a pointer made anew may find it or not; " + own
			return
		}
		if !j.census.ServesAsKey(v) {
			j.manual = "the variable serves for other things as well; " + own
			return
		}
	}
	vars := j.groups(func(s *census.Site) string { return fmt.Sprint(positionOf(siteVar(s))) })
	byPackage := map[string]*rules.NameKeys{}
	var order []*rules.NameKeys
	for _, g := range vars {
		in := byPackage[g.PkgPath]
		if in == nil {
			in = &rules.NameKeys{Pointers: true}
			byPackage[g.PkgPath] = in
			order = append(order, in)
		}
		in.Groups = append(in.Groups, &g.KeyGroup)
	}
	if len(vars) > 1 {
		j.notes = append(j.notes, "until now it and "+census.Count(len(vars)-1, "other key")+" of its type were perhaps the same key")
	}
	for _, in := range order {
		slices.SortFunc(in.Groups, func(a, b *rules.KeyGroup) int { return cmp.Compare(a.Vars[0].Pos(), b.Vars[0].Pos()) })
		j.want(in)
	}
}
