package rules

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// IgnoreRule is the name under which faulty directives are reported. It is always on.
const IgnoreRule = "ignore"

const directivePrefix = "//ctxmend:ignore"

// A Directive is a //ctxmend:ignore RULE reason comment. It suppresses a rule's
// findings on its line, on the next line when it stands alone, or in the declaration
// whose documentation it is part of.
type Directive struct {
	File     *program.File
	Pos, End token.Pos
	// Rule is the rule named, "" when none is; Reason what follows it.
	Rule, Reason string
	// from and to are the byte offsets of the lines it covers.
	from, to int
	used     bool
	// all is set when a more specific rule reports in the place of the one that is named.
	all bool
}

// Directives returns the directives of the world's files, by file and position.
func Directives(prog *program.Program) []*Directive {
	var list []*Directive
	for _, f := range prog.Files {
		if f.AST == nil || f.Excluded || f.Tok == nil {
			continue
		}
		for _, g := range f.AST.Comments {
			for _, c := range g.List {
				rest, ok := strings.CutPrefix(c.Text, directivePrefix)
				if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
					continue
				}
				d := &Directive{File: f, Pos: c.Pos(), End: c.End()}
				d.Rule, d.Reason, _ = strings.Cut(strings.TrimSpace(rest), " ")
				d.Reason = strings.TrimSpace(d.Reason)
				d.from, d.to = span(f, g, c)
				list = append(list, d)
			}
		}
	}
	return list
}

// span returns the byte range that a directive covers.
func span(f *program.File, g *ast.CommentGroup, c *ast.Comment) (from, to int) {
	if decl := documented(f.AST, g); decl != nil {
		return f.Tok.Offset(decl.Pos()), f.Tok.Offset(decl.End())
	}
	line := f.Tok.PositionFor(c.Pos(), false).Line
	from = lineStart(f, line)
	if strings.TrimSpace(string(f.Src[from:f.Tok.Offset(c.Pos())])) == "" {
		line = f.Tok.PositionFor(g.End(), false).Line + 1 // it stands alone: the line below
		from = lineStart(f, line)
	}
	return from, lineStart(f, line+1)
}

func lineStart(f *program.File, line int) int {
	if line > f.Tok.LineCount() {
		return len(f.Src)
	}
	return f.Tok.Offset(f.Tok.LineStart(line))
}

// documented returns the declaration or spec that a comment group documents.
func documented(file *ast.File, g *ast.CommentGroup) ast.Node {
	var found ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Doc == g {
				found = n
			}
		case *ast.GenDecl:
			if n.Doc == g {
				found = n
			}
		case *ast.ValueSpec:
			if n.Doc == g {
				found = n
			}
		case *ast.TypeSpec:
			if n.Doc == g {
				found = n
			}
		}
		return found == nil
	})
	return found
}

// Suppressing returns the directive that suppresses a finding and marks it used; nil for none.
func Suppressing(prog *program.Program, list []*Directive, f *Finding) *Directive {
	d := directiveAt(list, func(d *Directive) bool { return d.Rule == f.Rule }, f.File, f.File.Tok.Offset(f.Pos), f.File.Tok.Offset(f.End))
	if d != nil && f.Left {
		d.all = true
	}
	return d
}

// Forbidding returns the directive that keeps a rule off the bytes [from, to) of a
// file and marks it used; nil for none.
func Forbidding(prog *program.Program, list []*Directive, rule string, file *program.File, from, to int) *Directive {
	return directiveAt(list, func(d *Directive) bool { return d.Rule == rule || d.all }, file, from, to)
}

func directiveAt(list []*Directive, concerns func(*Directive) bool, file *program.File, from, to int) *Directive {
	for _, d := range list {
		if d.File == file && concerns(d) && d.Reason != "" && from < d.to && max(to, from+1) > d.from {
			d.used = true
			return d
		}
	}
	return nil
}

// CheckDirectives reports directives that do not work: without a rule or a reason, with
// an unknown rule, or, for rules that ran, with nothing to suppress.
func CheckDirectives(list []*Directive, known, ran []*Rule) []*Finding {
	var out []*Finding
	isRule := func(rules []*Rule, name string) bool {
		return slices.ContainsFunc(rules, func(r *Rule) bool { return r.Name == name })
	}
	for _, d := range list {
		var msg string
		switch {
		case d.Rule == "":
			msg = "ctxmend:ignore names no rule and suppresses nothing; write //ctxmend:ignore RULE reason"
		case !isRule(known, d.Rule):
			msg = fmt.Sprintf("ctxmend:ignore names %s, which is no rule", d.Rule)
		case d.Reason == "":
			msg = fmt.Sprintf("ctxmend:ignore %s gives no reason and suppresses nothing; say why after the rule", d.Rule)
		case !d.used && isRule(ran, d.Rule):
			msg = fmt.Sprintf("ctxmend:ignore %s suppresses nothing; remove it", d.Rule)
		default:
			continue
		}
		out = append(out, &Finding{Rule: IgnoreRule, Message: msg, File: d.File, Pos: d.Pos, End: d.End, Applicability: Manual, Status: NoFix})
	}
	return out
}

// Sort orders findings by file, position and rule.
func Sort(prog *program.Program, list []*Finding) {
	slices.SortStableFunc(list, func(a, b *Finding) int {
		return cmp.Or(
			cmp.Compare(a.File.Rel, b.File.Rel),
			cmp.Compare(a.File.Tok.Offset(a.Pos), b.File.Tok.Offset(b.Pos)),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
