package badkey

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "badkey"

// Rule reports context keys that cannot be compared.
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	r := &reporter{census: pass.Census, units: map[string]*rules.TextKeys{}, fixes: map[*rules.TextKeys]*rules.Fix{}}
	for _, k := range pass.Census.Keys {
		if k.GoType == nil || types.Comparable(k.GoType) {
			continue
		}
		for _, s := range k.Sites {
			if s.Pkg.World {
				r.report(k, s)
			}
		}
	}
	return r.list
}

// A reporter collects the findings of one program.
type reporter struct {
	census *census.Census
	list   []*rules.Finding
	units  map[string]*rules.TextKeys // by package
	fixes  map[*rules.TextKeys]*rules.Fix
}

func (r *reporter) report(k *census.Key, s *census.Site) {
	f := &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf("a context key of type %s cannot be compared and panics", types.TypeString(k.GoType, types.RelativeTo(s.Pkg.Types))),
		File:          s.File,
		Pos:           s.Expr.Pos(),
		End:           s.Expr.End(),
		Key:           k.Name(),
		Applicability: rules.Manual,
	}
	r.list = append(r.list, f)
	text, manual := r.text(k, s)
	if manual != "" {
		f.Message += "; " + manual
		f.Status = rules.NoFix
		return
	}
	in := r.unit(s.Pkg.Path, text, s)
	f.Key = text
	f.Fix, f.Applicability = r.fixes[in], rules.Review
	if hazards, _ := r.census.TypedHazards(k); len(hazards) > 0 {
		h := hazards[0]
		f.Blocker = &rules.Blocker{Reason: h.Reason, Message: h.Message, File: h.File, Pos: h.Pos}
	}
}

// unit returns the package's intent with the site added to it.
func (r *reporter) unit(pkgPath, text string, s *census.Site) *rules.TextKeys {
	in := r.units[pkgPath]
	if in == nil {
		in = &rules.TextKeys{PkgPath: pkgPath}
		r.units[pkgPath] = in
		r.fixes[in] = &rules.Fix{Title: "make the key a constant of a private type", Applicability: rules.Review, Intent: in}
	}
	for _, k := range in.Keys {
		if k.Text == text {
			k.Sites = append(k.Sites, s)
			return in
		}
	}
	in.Keys = append(in.Keys, &rules.TextKey{Text: text, Sites: []*census.Site{s}})
	return in
}

// text returns the text, in Go syntax, that a key is made of, or why it has to be mended by hand.
func (r *reporter) text(k *census.Key, s *census.Site) (text, manual string) {
	const own = "use a comparable type of your own"
	text = textOf(s)
	if text == "" {
		return "", own
	}
	for _, other := range k.Sites {
		if other.Pkg.Path != s.Pkg.Path && textOf(other) == text {
			return "", "another package writes the same text: " + own
		}
	}
	for _, other := range r.census.KeyTypes(s.Pkg.Path) {
		if other.Value == text {
			return "", "the package has a key of the same text, " + other.Name() + ": use that"
		}
	}
	return text, ""
}

// textOf returns the constant text that a site converts to a slice, in Go syntax; "" for other keys.
func textOf(s *census.Site) string {
	call, ok := s.Expr.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return ""
	}
	if tv := s.Pkg.Info.Types[call.Fun]; !tv.IsType() {
		return ""
	}
	v := s.Pkg.Info.Types[call.Args[0]].Value
	if v == nil || v.Kind() != constant.String {
		return ""
	}
	return v.ExactString()
}
