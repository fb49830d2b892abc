package builtinkey

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "builtinkey"

// Rule reports context keys of built-in type.
var Rule = &rules.Rule{
	Name:    name,
	Doc:     doc,
	Alone:   rules.Proves,
	Default: true,
	Levels:  []rules.Applicability{rules.Safe, rules.Review},
	Run:     run,
}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, f := range pass.Census.Families {
		if leftTo(pass, f) {
			for _, k := range f.Keys {
				list = append(list, left(keyFindings(k, &rules.Fix{}))...)
			}
			continue
		}
		if !slices.ContainsFunc(f.Keys, func(k *census.Key) bool { return !pass.Census.Absent(k) && !pass.Census.Decoy(k) }) {
			continue
		}
		if staged := stagedFindings(pass.Census, f); staged != nil {
			list = append(list, staged...)
			continue
		}
		fix := &rules.Fix{Applicability: applicability(f), Intent: &rules.TypeKeys{Family: f}}
		for _, k := range f.Keys {
			list = append(list, keyFindings(k, fix)...)
		}
		for _, p := range f.Points {
			f := carrierFinding(p, fix)
			switch {
			case f == nil:
			case p.AtRunTime() && pass.Runs("dynamickey"):
				list = append(list, left([]*rules.Finding{f})...)
			default:
				list = append(list, f)
			}
		}
	}
	for _, p := range pass.Census.Open {
		if len(p.Leaves) > 0 || p.Basic == nil || !p.World() {
			continue
		}
		f := openFinding(p)
		f.Left = p.AtRunTime() && pass.Runs("dynamickey")
		list = append(list, f)
	}
	return list
}

// left marks findings as those of a more specific rule.
func left(list []*rules.Finding) []*rules.Finding {
	for _, f := range list {
		f.Left, f.Fix, f.Blocker = true, nil, nil
	}
	return list
}

// leftTo reports whether a more specific rule that runs as well reports the family and knows better what to do: a
// private type would make it final that the halves of a split key do not meet, or that packages hide each
// other's values.
func leftTo(pass *rules.Pass, f *census.Family) bool {
	return pass.Runs("splitkey") && pass.Census.SplitOf(f.Keys[0]) != nil ||
		pass.Runs("keyclash") && pass.Census.Hidden(f.Keys[0])
}

// applicability is safe unless something in the census asks for a reviewer.
func applicability(f *census.Family) rules.Applicability {
	if len(f.Notes) > 0 {
		return rules.Review
	}
	return rules.Safe
}

// keyFindings reports every place in the world that names the key.
func keyFindings(k *census.Key, fix *rules.Fix) []*rules.Finding {
	var list []*rules.Finding
	seen := map[ast.Expr]bool{}
	for _, s := range k.Sites {
		if !s.Pkg.World || seen[s.Expr] {
			continue
		}
		seen[s.Expr] = true
		list = append(list, &rules.Finding{
			Rule:          name,
			Message:       fmt.Sprintf("%s %s is a context key that any package can read or overwrite", k.Basic.Name(), k.Name()),
			File:          s.File,
			Pos:           s.Expr.Pos(),
			End:           s.Expr.End(),
			Key:           k.Name(),
			KeyID:         k.UnitName(),
			Applicability: fix.Applicability,
			Related:       related(k, s),
			Fix:           fix,
			Blocker:       blocker(k),
		})
	}
	return list
}

// maxRelated bounds the places listed with one finding: a key with thousands of sites would
// otherwise list millions.
const maxRelated = 100

// related lists the key's other sites in the world.
func related(k *census.Key, at *census.Site) []rules.Related {
	var list []rules.Related
	for _, s := range k.Sites {
		if s.Expr == at.Expr || !s.Pkg.World {
			continue
		}
		if len(list) == maxRelated {
			break
		}
		verb := "read"
		if s.Role == census.Writer {
			verb = "written"
		}
		list = append(list, rules.Related{File: s.File, Pos: s.Expr.Pos(), Message: verb + " here"})
	}
	return list
}

// blocker turns the census's hazards into the finding's blocker: the key's own first, then those of keys
// that have to change together with it.
func blocker(k *census.Key) *rules.Blocker {
	if len(k.Hazards) > 0 {
		h := k.Hazards[0]
		return &rules.Blocker{Reason: h.Reason, Message: h.Message, File: h.File, Pos: h.Pos, Where: h.Where}
	}
	for _, other := range k.Family.Keys {
		if len(other.Hazards) > 0 {
			h := other.Hazards[0]
			return &rules.Blocker{
				Reason:  h.Reason,
				Message: fmt.Sprintf("it shares a look-up with %s, and there %s", other.Name(), h.Message),
				File:    h.File, Pos: h.Pos, Where: h.Where,
			}
		}
	}
	return nil
}

// carrierFinding reports a key position in the world whose key comes in through a variable,
// a parameter for example: the places that name the key are reported by themselves.
func carrierFinding(p *census.Point, fix *rules.Fix) *rules.Finding {
	if !p.World() {
		return nil
	}
	for _, l := range p.Leaves {
		if l.SiteExpr == p.Expr {
			return nil // reported as a site
		}
	}
	k := p.Leaves[0].Key
	return &rules.Finding{
		Rule:          name,
		Message:       spelled(p) + " is a context key of built-in type that any package can read or overwrite",
		File:          p.File,
		Pos:           p.Expr.Pos(),
		End:           p.Expr.End(),
		Key:           k.Name(),
		KeyID:         k.UnitName(),
		Applicability: fix.Applicability,
		Fix:           fix,
		Blocker:       blocker(k),
	}
}

// openFinding reports a key of built-in type that is computed at run time.
func openFinding(p *census.Point) *rules.Finding {
	u := p.Unknown[0]
	return &rules.Finding{
		Rule:          name,
		Message:       spelled(p) + ", computed at run time, is a context key that any package can read or overwrite",
		File:          p.File,
		Pos:           p.Expr.Pos(),
		End:           p.Expr.End(),
		Applicability: rules.Manual,
		Status:        rules.Blocked,
		Blocker: &rules.Blocker{
			Reason:  census.ReasonDynamic,
			Message: "the key " + u.Why + "; which keys it may be cannot be told",
			File:    u.File, Pos: u.Pos,
		},
	}
}

// spelled writes a key that is no constant with its type, which a conversion names by itself.
func spelled(p *census.Point) string {
	text := types.ExprString(p.Expr)
	if call, ok := p.Expr.(*ast.CallExpr); ok && types.ExprString(call.Fun) == p.Basic.Name() {
		return text
	}
	return p.Basic.Name() + " " + text
}
