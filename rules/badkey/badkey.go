package badkey

import (
	_ "embed"
	"fmt"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
)

//go:embed doc.go
var doc string

const name = "badkey"

// Rule reports context keys that cannot be compared.
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, k := range pass.Census.Keys {
		if k.GoType == nil || types.Comparable(k.GoType) {
			continue
		}
		for _, s := range k.Sites {
			if !s.Pkg.World {
				continue
			}
			list = append(list, &rules.Finding{
				Rule:          name,
				Message:       fmt.Sprintf("a context key of type %s cannot be compared and panics; use a comparable type of your own", types.TypeString(k.GoType, types.RelativeTo(s.Pkg.Types))),
				File:          s.File,
				Pos:           s.Expr.Pos(),
				End:           s.Expr.End(),
				Key:           k.Name(),
				Applicability: rules.Manual,
				Status:        rules.NoFix,
			})
		}
	}
	return list
}
