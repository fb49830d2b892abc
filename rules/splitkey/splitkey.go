package splitkey

import (
	_ "embed"
	"fmt"
	"go/ast"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "splitkey"

// Rule reports one text used as a key under two types.
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Levels: []rules.Applicability{rules.Review}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, s := range pass.Census.Splits() {
		list = append(list, findings(pass.Program, s)...)
	}
	return list
}

// findings reports the places of the half that has no counterpart, and those of the key that is to go.
func findings(prog *program.Program, s *census.Split) []*rules.Finding {
	from, to := direction(prog, s)
	fix := &rules.Fix{
		Title:         fmt.Sprintf("use %s instead of %s", to.Spelled(), from.Spelled()),
		Applicability: rules.Review,
		Intent:        &rules.UnifyKeys{From: from, To: to},
	}
	var blocker *rules.Blocker
	if len(from.Hazards) > 0 {
		h := from.Hazards[0]
		blocker = &rules.Blocker{Reason: h.Reason, Message: h.Message, File: h.File, Pos: h.Pos, Where: h.Where}
	}
	var list []*rules.Finding
	seen := map[ast.Expr]bool{}
	report := func(k *census.Key, message func(*census.Site) string) {
		for _, site := range k.Sites {
			if !site.Pkg.World || seen[site.Expr] {
				continue
			}
			seen[site.Expr] = true
			list = append(list, &rules.Finding{
				Rule: name, Message: message(site),
				File: site.File, Pos: site.Expr.Pos(), End: site.Expr.End(),
				Key: k.Name(), KeyID: k.UnitName(), Applicability: rules.Review, Related: related(s, k), Fix: fix, Blocker: blocker,
			})
		}
	}
	report(s.Half, func(site *census.Site) string {
		if site.Role == census.Writer {
			return fmt.Sprintf("what is stored under %s is looked up under %s, which is another key: nothing finds it", s.Half.Spelled(), s.Other.Spelled())
		}
		return fmt.Sprintf("%s is looked up, but stored under %s, which is another key: the result is always nil", s.Half.Spelled(), s.Other.Spelled())
	})
	if from == s.Other {
		report(from, func(*census.Site) string {
			return fmt.Sprintf("%s is also spelled %s, which is another key", from.Spelled(), to.Spelled())
		})
	}
	return list
}

// maxRelated bounds the places listed with one finding.
const maxRelated = 20

// related lists the places of the other key.
func related(s *census.Split, k *census.Key) []rules.Related {
	other := s.Other
	if k == other {
		other = s.Half
	}
	var list []rules.Related
	for _, site := range other.Sites {
		if !site.Pkg.World || len(list) == maxRelated {
			continue
		}
		verb := "looked up"
		if site.Role == census.Writer {
			verb = "stored"
		}
		list = append(list, rules.Related{File: site.File, Pos: site.Expr.Pos(), Message: verb + " as " + other.Spelled() + " here"})
	}
	return list
}
