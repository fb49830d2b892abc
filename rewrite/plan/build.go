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
	// KeyStyle is "auto", "struct", "string" or "enum".
	KeyStyle string
	// KeyPackage is the import path of the package that gets keys and accessors, "" to choose.
	KeyPackage string
	// Accessors is "auto", "always" or "never".
	Accessors string
	// Goroutines is "auto" to let evidence decide whether a goroutine gets the context of its caller or its values alone, "inherit"
	// for the context, "detach" for the values.
	Goroutines string
	// Stage is "at-once" to leave keys alone that others use, "expand" to write and read a new key beside
	// them, "contract" to remove those that nobody else uses any more.
	Stage string
	// API is "preserve" to keep the signatures of exported functions of importable packages, and add others beside
	// them, or "break" to change them.
	API string
	// KeyNames are names for keys, by [KeyName.Key], in place of those made of their texts.
	KeyNames map[string]string
}

// Build groups findings into units and plans each: edits or a blocker. Findings get the
// ID of their unit. The units come in the order of the source.
func Build(prog *program.Program, c *census.Census, findings []*rules.Finding, opts Options) []*Unit {
	pl := &planner{prog: prog, census: c, opts: opts, names: newNames(prog, c), closures: map[*program.Package]map[string]bool{}, graph: prog.ImportGraph().Clone(), types: map[typeWanted]*keyType{}, anchors: map[*AddDecl]*keyType{}, inits: map[string]*program.Startup{}, testHelpers: map[string]bool{}, fileConditions: map[*program.File]string{}, packageConditions: map[*program.Package]string{}, locals: map[local]bool{}}
	byIntent := map[rules.Intent][]*rules.Finding{}
	var order []rules.Intent
	for _, f := range findings {
		if f.Fix == nil || f.Fix.Intent == nil {
			continue
		}
		if byIntent[f.Fix.Intent] == nil {
			order = append(order, f.Fix.Intent)
		}
		byIntent[f.Fix.Intent] = append(byIntent[f.Fix.Intent], f)
	}
	order = pl.splitDrops(order, byIntent)
	slices.SortStableFunc(order, pl.before)
	order = pl.mergeParams(order, byIntent)
	var units []*Unit
	for _, in := range order {
		list := byIntent[in]
		u := &Unit{ID: in.UnitID(), Rule: list[0].Rule, Findings: list, Applicability: list[0].Fix.Applicability, Title: list[0].Fix.Title}
		for _, f := range list {
			f.Unit = u.ID
			if f.Blocker != nil && u.Blocker == nil {
				u.Blocker = f.Blocker
			}
		}
		at := prog.Fset.PositionFor(list[0].Pos, false)
		program.Doing(fmt.Sprintf("planning %s of rule %s, found at %s:%d", u.ID, u.Rule, list[0].File.Rel, at.Line), func() { pl.carryOut(u, in) })
		units = append(units, u)
	}
	pl.anchor()
	return units
}

// carryOut plans a unit unless a rule has blocked it.
func (pl *planner) carryOut(u *Unit, in rules.Intent) {
	if keys, ok := in.(*rules.TypeKeys); ok {
		pl.keys(u, keys.Family)
		return
	}
	switch in.(type) {
	case *rules.JoinValues:
		u.Removes, u.Joins = true, true
	case *rules.CheckReads:
		u.Reads, u.Checks = true, true
	case *rules.StructValue:
		u.Reads = true
	case *rules.DropWrites, *rules.PassValue:
		u.Removes = true
	}
	if u.Blocker == nil {
		d := pl.draft(u)
		d.finish(d.carryOut(in))
	}
}

// carryOut drafts the edits of an intent. An error is the blocker of its unit.
func (d *draft) carryOut(in rules.Intent) error {
	switch in := in.(type) {
	case *rules.ContractKey:
		return d.contract(in)
	case *rules.NameKeys:
		return d.nameKeys(in)
	case *rules.TextKeys:
		return d.textKeys(in)
	case *rules.RetypeText:
		return d.retypeText(in)
	case *rules.CheckReads:
		return d.checkReads(in)
	case *rules.UnifyKeys:
		return d.unifyKeys(in)
	case *rules.DropWrites:
		return d.dropWrites(in)
	case *rules.MeetTypes:
		return d.meetTypes(in)
	case *rules.PartKey:
		return d.partKey(in)
	case *rules.DeferCancel:
		return d.deferCancel(in)
	case *rules.UseDerived:
		return d.useDerived(in)
	case *rules.ShadowContext:
		return d.shadowContext(in)
	case *rules.PassToGoroutine:
		return d.passToGoroutine(in)
	case *rules.CallTwins:
		return d.callTwins(in)
	case *rules.UseContext:
		return d.useContext(in)
	case *rules.StructValue:
		return d.structValue(in)
	case *rules.JoinValues:
		return d.joinValues(in)
	case *rules.PassValue:
		return d.passValue(in)
	case *rules.AddParam:
		return d.addParam(in)
	default:
		panic(fmt.Sprintf("plan: unknown intent %T", in))
	}
}

// before orders intents for planning. Families with ordinary files come first, so that a key type they share
// with tests is not declared in a test; otherwise they keep the order of the source, which declarations
// inherit. All other intents follow in the order of their findings.
func (pl *planner) before(a, b rules.Intent) int {
	x, xOK := a.(*rules.TypeKeys)
	y, yOK := b.(*rules.TypeKeys)
	switch {
	case xOK && yOK:
		return cmp.Or(cmp.Compare(onlyInTests(x.Family), onlyInTests(y.Family)), comparePlaces(pl.prog, x.Family, y.Family), strings.Compare(a.UnitID(), b.UnitID()))
	case xOK:
		return -1
	case yOK:
		return 1
	}
	return 0
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
	// inits caches startup.
	inits map[string]*program.Startup
	// testHelpers caches forTests.
	testHelpers map[string]bool
	// fileConditions and packageConditions cache what presence in the build depends on.
	fileConditions    map[*program.File]string
	packageConditions map[*program.Package]string
	// locals are names that plans introduce in functions.
	locals map[local]bool
	// methods caches reachable.
	methods map[token.Pos]bool
	// anchors say where declarations go; see anchor.
	anchors map[*AddDecl]*keyType
}
