package plan

import (
	"bytes"
	"go/ast"
	"regexp"

	"github.com/ctxmend/ctxmend/rules/census"
)

// staleDirective matches the directives that silence linters about nothing but the type of a context key. Those that name a whole
// linter, nolint, may have other reasons.
var staleDirective = regexp.MustCompile(`^//(lint:ignore SA1029|revive:disable-(next-)?line:context-keys-type)(\s|$)`)

// dropStale removes such directives from calls that store under a key which gets a type of its own: linters that find nothing to
// silence complain about them.
func (d *draft) dropStale(lookups []*census.Lookup) {
	for _, lk := range lookups {
		if lk.Role != census.Writer || lk.Call == nil || lk.File.Src == nil || uneditable(lk.File) != "" {
			continue
		}
		src := lk.File.Src
		start := lineStart(src, d.offset(lk.File, lk.Call.Pos()))
		end := lineEnd(src, d.offset(lk.File, lk.Call.End()))
		if bytes.Count(src[start:end], []byte("WithValue(")) != 1 {
			continue // another one may need it
		}
		for _, g := range lk.File.AST.Comments {
			for _, c := range g.List {
				from, to := d.offset(lk.File, c.Pos()), d.offset(lk.File, c.End())
				if !staleDirective.MatchString(c.Text) || d.stale[c] {
					continue
				}
				above := lineEnd(src, to) == start && isBlankTo(src, from)
				behind := from > d.offset(lk.File, lk.Call.End()) && to <= end && !isBlankTo(src, from)
				switch {
				case above:
					from, to = lineStart(src, from), start
				case behind:
					from = len(bytes.TrimRight(src[:from], " \t"))
				default:
					continue
				}
				if d.stale == nil {
					d.stale = map[*ast.Comment]bool{}
				}
				d.stale[c] = true
				d.unit.Edits = append(d.unit.Edits, &Splice{File: lk.File, Start: from, End: to})
			}
		}
	}
}

// isBlankTo reports whether nothing stands on a line before an offset.
func isBlankTo(src []byte, at int) bool { return len(bytes.TrimSpace(src[lineStart(src, at):at])) == 0 }
