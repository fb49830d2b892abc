package dynamickey

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "dynamickey"

// Rule reports keys of built-in type that are made at run time.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, p := range pass.Census.Open {
		if p.AtRunTime() {
			list = append(list, finding(p))
		}
	}
	return list
}

// finding reports the place where the key is looked up, with the one that it comes from.
func finding(p *census.Point) *rules.Finding {
	u := p.Unknown[0]
	verb := "is not fixed"
	if len(p.Leaves) > 0 {
		verb = "is not always fixed"
	}
	f := &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf("the context key %s %s before run time (it %s), so that it may hide or find any value; keep such values in a map of your own under one typed key", spelled(p), verb, u.Why),
		File:          p.File,
		Pos:           p.Expr.Pos(),
		End:           p.Expr.End(),
		Applicability: rules.Manual,
		Status:        rules.NoFix,
	}
	if u.File != nil && u.File.World && (u.File != p.File || u.Pos < p.Expr.Pos() || u.Pos >= p.Expr.End()) {
		f.Related = []rules.Related{{File: u.File, Pos: u.Pos, Message: "it comes in here"}}
	}
	return f
}

// spelled writes the key as it stands, cut short when it is long.
func spelled(p *census.Point) string {
	text := types.ExprString(p.Expr)
	if _, ok := p.Expr.(*ast.FuncLit); ok || len(text) > 60 {
		text = text[:min(57, len(text))] + "..."
	}
	return text
}
