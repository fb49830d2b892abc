package mapvalue

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "mapvalue"

// Rule reports maps used as records that travel in a context.
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Levels: []rules.Applicability{rules.Safe, rules.Review}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, k := range pass.Census.Keys {
		if rec := pass.Census.Record(k); rec != nil && isRecord(rec) {
			list = append(list, findings(rec)...)
		}
	}
	return list
}

// isRecord reports whether a map is used by constant indexes only and some place in the world reads one. A map that only
// code elsewhere stores may have any other entry, unless its values have any type, as those of records do.
func isRecord(rec *census.Record) bool {
	if len(rec.Stores) == 0 && !types.IsInterface(rec.Elem) {
		return false
	}
	return rec.Dynamic == nil && slices.ContainsFunc(rec.Fields, func(f *census.Field) bool { return len(f.Reads) > 0 })
}

// findings reports every place that stores the map; where the world stores none, the places that read it.
func findings(rec *census.Record) []*rules.Finding {
	fix := &rules.Fix{Applicability: rules.Safe, Intent: &rules.StructValue{Record: rec}, Title: "make the map under " + rec.Key.Name() + " a struct"}
	if len(rec.Notes) > 0 {
		fix.Applicability = rules.Review
	}
	var list []*rules.Finding
	report := func(lk *census.Lookup, from, to token.Pos) {
		list = append(list, &rules.Finding{
			Rule: name, Message: message(rec, lk), File: lk.File, Pos: from, End: to, Key: rec.Key.Name(),
			Applicability: fix.Applicability, Related: related(rec), Fix: fix, Blocker: blocker(rec),
		})
	}
	for _, lk := range rec.Stores {
		end := lk.Value.End()
		if lit, ok := ast.Unparen(lk.Value).(*ast.CompositeLit); ok && lit.Type != nil {
			end = lit.Type.End()
		}
		report(lk, lk.Value.Pos(), end)
	}
	if len(list) == 0 {
		for _, ld := range rec.Loads {
			report(ld.Lookup, ld.Assert.Type.Pos(), ld.Assert.Type.End())
		}
	}
	return list
}

// message says what the map costs.
func message(rec *census.Record, lk *census.Lookup) string {
	cost := "a misspelt one is silently empty"
	if types.IsInterface(rec.Elem) {
		cost = "each read is checked at run time only"
	}
	return fmt.Sprintf("%s under context key %s is a record whose fields (%s) are looked up by text: %s",
		census.TypeText(rec.Map), types.ExprString(lk.Key), fieldNames(rec), cost)
}

// maxNames bounds the fields that a message names.
const maxNames = 4

func fieldNames(rec *census.Record) string {
	var names []string
	for i, f := range rec.Fields {
		if i == maxNames && len(rec.Fields) > maxNames+1 {
			names = append(names, fmt.Sprintf("%d more", len(rec.Fields)-maxNames))
			break
		}
		names = append(names, strconv.Quote(f.Name))
	}
	return strings.Join(names, ", ")
}

// maxRelated bounds the places listed with one finding.
const maxRelated = 100

// related lists the places that read fields.
func related(rec *census.Record) []rules.Related {
	var list []rules.Related
	for _, f := range rec.Fields {
		for _, r := range f.Reads {
			if len(list) < maxRelated {
				list = append(list, rules.Related{File: r.File, Pos: r.Index.Pos(), Message: "read here"})
			}
		}
	}
	return list
}

func blocker(rec *census.Record) *rules.Blocker {
	if len(rec.Hazards) == 0 {
		return nil
	}
	h := rec.Hazards[0]
	return &rules.Blocker{Reason: h.Reason, Message: h.Message, File: h.File, Pos: h.Pos, Where: h.Where}
}
