package plan

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
)

// A key that code elsewhere uses cannot change at once. Expanding gives it a typed twin: accessors write
// both, and read the new one, then the old. Whoever is elsewhere goes on as before, and can move
// to the accessors; contracting then removes the old key.

// crosses reports whether the keys of a family cross a boundary that does not move with the program:
// nothing but dependencies stands in the way, or importers know it by an exported name.
func (pl *planner) crosses(fam *census.Family) bool {
	if _, ok := fam.Foreign(); ok {
		return true
	}
	if len(fam.Hazards) > 0 {
		return false
	}
	for _, p := range fam.Points {
		for _, l := range p.Leaves {
			if c := census.NamedConst(l.Pkg, l.Expr); c != nil && census.IsAPI(pl.prog, c) {
				return true
			}
		}
	}
	return false
}

// unblock takes back the blockers of a unit that can be done in stages.
func unblock(u *Unit) {
	u.Blocker = nil
	for _, f := range u.Findings {
		f.Blocker = nil
	}
}

// foreignPoint reports whether a key enters a look-up of a dependency.
func foreignPoint(p *census.Point) bool {
	return !p.World() || slices.ContainsFunc(p.Lookups, func(lk *census.Lookup) bool { return !lk.Pkg.World })
}

// canStage blocks what accessors cannot stand for.
func (kp *keyPlan) canStage() error {
	if len(kp.fam.Keys) > 1 {
		return block("staged", kp.fam.Points[0].File, kp.fam.Points[0].Expr.Pos(), "several keys share a look-up, which cannot write and read old and new ones")
	}
	for _, s := range kp.spots {
		if s.lookup == nil || s.form == carried {
			return block("staged", s.File, s.Expr.Pos(), "the key comes in through %s, which cannot write and read an old and a new one", types.ExprString(s.Expr))
		}
	}
	if len(kp.spots) == 0 {
		p := kp.fam.Points[0]
		return block("staged", p.File, p.Expr.Pos(), "the program itself neither writes nor reads the key")
	}
	return nil
}

// expand plans accessors for every place.
func (kp *keyPlan) expand() error {
	kp.style = "string"
	writes := slices.ContainsFunc(kp.spots, func(s *spot) bool { return s.lookup.Role == census.Writer })
	reads := slices.ContainsFunc(kp.spots, func(s *spot) bool { return s.lookup.Role == census.Reader })
	hazards, _ := kp.fam.Foreign()
	switch {
	case len(hazards) == 0:
		kp.review = append(kp.review, "importers that store a value over the program's own, under the old key, are no longer read")
	case writes && reads && kp.fam.ForeignWriter():
		kp.review = append(kp.review, "a value that the dependency stores over the program's own, under the old key, is no longer read")
	}
	for _, s := range kp.spots {
		kp.replaced[s.Expr] = true
		if err := kp.access(s, kp.keys[s.key]); err != nil {
			return err
		}
	}
	if err := kp.writeDecls(); err != nil {
		return err
	}
	kp.removeUnused()
	kp.describe()
	kp.unit.Title = "write and read " + quotedKeys(kp.fam) + " under a typed key as well"
	return nil
}

// oldKey is how accessors write the old key: by the exported constant of the world that importers know, else
// by its value.
func (kp *keyPlan) oldKey(k *census.Key) Text {
	for _, s := range kp.spots {
		if s.form == named && s.key == k && kp.inHome(s.obj) && s.obj.Exported() && kp.packageLevel(s.obj) && !kp.prog.FileOf(s.obj.Pos()).Test {
			return Text{Name(kp.home.path, kp.home.name, s.obj.Name())}
		}
	}
	switch k.Basic.Kind() {
	case types.String, types.Int, types.Bool:
		return Text{Lit(constText(k))}
	}
	return Text{Lit(k.Basic.Name() + "(" + constText(k) + ")")}
}

// waits says, at the end of an accessor's documentation, what the old key is for.
func (kp *keyPlan) waits(kind AccessorKind) string {
	who := "importers use it"
	if hazards, ok := kp.fam.Foreign(); ok {
		who = strings.Replace(strings.TrimPrefix(hazards[0].Message, "it is handed to "), ", outside the program,", "", 1)
	}
	if kind == With {
		return fmt.Sprintf("\nIt stores it under the old key too: %s.", who)
	}
	return fmt.Sprintf("\nIt looks under the old key too: %s.", who)
}
