package plan

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Options are the user's choices about how to fix.
type Options struct {
	// KeyStyle is "auto", "struct" or "string".
	KeyStyle string
	// KeyPackage is the import path of the package that gets keys and accessors, "" to choose.
	KeyPackage string
	// Accessors is "auto", "always" or "never".
	Accessors string
}

// Build groups findings into units and plans each: edits or a blocker. Findings get the
// ID of their unit. The units come in the order of the source.
func Build(prog *program.Program, c *census.Census, findings []*rules.Finding, opts Options) []*Unit {
	pl := &planner{prog: prog, census: c, opts: opts, names: newNames(prog, c), closures: map[*program.Package]map[string]bool{}, graph: prog.ImportGraph().Clone(), types: map[typeWanted]*keyType{}, anchors: map[*AddDecl]*keyType{}, inits: map[string]*initCode{}}
	byIntent := map[any][]*rules.Finding{}
	var order []*census.Family
	for _, f := range findings {
		if f.Fix == nil {
			continue
		}
		switch in := f.Fix.Intent.(type) {
		case *rules.TypeKeys:
			if byIntent[in.Family] == nil {
				order = append(order, in.Family)
			}
			byIntent[in.Family] = append(byIntent[in.Family], f)
		}
	}
	// Families with ordinary files come first, so that a key type they share with tests
	// is not declared in a test; otherwise they keep the order of the source, which declarations inherit.
	slices.SortFunc(order, func(a, b *census.Family) int {
		return cmp.Or(cmp.Compare(onlyInTests(a), onlyInTests(b)), comparePlaces(prog, a, b), strings.Compare(familyID(a), familyID(b)))
	})
	var units []*Unit
	for _, fam := range order {
		list := byIntent[fam]
		u := &Unit{ID: familyID(fam), Rule: list[0].Rule, Findings: list, Applicability: list[0].Fix.Applicability}
		for _, f := range list {
			f.Unit = u.ID
		}
		pl.keys(u, fam)
		units = append(units, u)
	}
	pl.anchor()
	return units
}

// comparePlaces orders families by where their first key is first spelled.
func comparePlaces(prog *program.Program, a, b *census.Family) int {
	x, y := prog.IDOf(a.Keys[0].FirstPos()), prog.IDOf(b.Keys[0].FirstPos())
	return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Offset, y.Offset))
}

// onlyInTests is 1 when every point of the family lies in a test file, else 0.
func onlyInTests(f *census.Family) int {
	for _, p := range f.Points {
		if !p.File.Test {
			return 0
		}
	}
	return 1
}

// familyID names the unit of a family by its keys.
func familyID(f *census.Family) string {
	var names []string
	for _, k := range f.Keys {
		name := k.Name()
		if !strings.HasPrefix(name, `"`) {
			name = k.Type + " " + name
		}
		if k.Part != "" {
			name += "@" + k.Part
		}
		names = append(names, name)
	}
	if len(names) > 4 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return "builtinkey:" + strings.Join(names, ",")
}

// A planner holds what units share: names taken, key types chosen.
type planner struct {
	prog   *program.Program
	census *census.Census
	opts   Options
	names  *names
	graph  *program.ImportGraph
	// closures caches what packages import, directly or not.
	closures map[*program.Package]map[string]bool
	types    map[typeWanted]*keyType
	// inits caches initOf.
	inits map[string]*initCode
	// anchors say where declarations go; see anchor.
	anchors map[*AddDecl]*keyType
}

// A blocked error carries a blocker out of nested planning steps.
type blocked struct{ *rules.Blocker }

func (b blocked) Error() string { return b.Message }

// block makes the error that blocks a unit.
func block(reason string, f *program.File, pos token.Pos, format string, args ...any) error {
	return blocked{&rules.Blocker{Reason: reason, Message: fmt.Sprintf(format, args...), File: f, Pos: pos}}
}
