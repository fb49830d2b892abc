package badkey

import (
	_ "embed"
	"fmt"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "badkey"

// Rule reports context keys that cannot be compared.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	r := &reporter{census: pass.Census, units: map[string]*rules.TextKeys{}, fixes: map[*rules.TextKeys]*rules.Fix{}}
	for _, k := range pass.Census.Keys {
		if k.GoType == nil || types.Comparable(k.GoType) {
			continue
		}
		r.key(k)
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

// key reports the sites of one type.
func (r *reporter) key(k *census.Key) {
	fix, why := r.retype(k)
	for _, s := range k.Sites {
		if !s.Pkg.World {
			continue
		}
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
		switch {
		case fix != nil:
			f.Fix, f.Applicability = fix, rules.Review
		case why != "":
			r.manual(f, why)
		default:
			r.text(f, k, s)
		}
		if h, _ := r.census.TypedHazards(k); f.Fix != nil && len(h) > 0 {
			f.Blocker = &rules.Blocker{Reason: h[0].Reason, Message: h[0].Message, File: h[0].File, Pos: h[0].Pos, Where: h[0].Where}
		}
	}
}

func (r *reporter) manual(f *rules.Finding, why string) {
	f.Message += "; " + why
	f.Status = rules.NoFix
}

// text gives a site of a type that is no key type of its own, []byte, the fix for the text it holds.
func (r *reporter) text(f *rules.Finding, k *census.Key, s *census.Site) {
	text := r.byteText(s)
	if text == "" {
		r.manual(f, "use a comparable type of your own")
		return
	}
	if why := r.unclear(k, s, text); why != "" {
		r.manual(f, why)
		return
	}
	in := r.unit(s.Pkg.Path, text, k, s)
	f.Key = text
	f.Fix, f.Applicability = r.fixes[in], rules.Review
	for _, other := range k.Sites {
		if other.Pkg.World && r.byteText(other) == "" {
			f.Blocker = &rules.Blocker{Reason: census.ReasonDynamic, Message: "the text of this key is not constant and may be the same; give it a comparable type first", File: other.File, Pos: other.Expr.Pos()}
			return
		}
	}
}

// unit returns the package's intent with the site added to it.
func (r *reporter) unit(pkgPath, text string, k *census.Key, s *census.Site) *rules.TextKeys {
	in := r.units[pkgPath]
	if in == nil {
		in = &rules.TextKeys{PkgPath: pkgPath}
		r.units[pkgPath] = in
		r.fixes[in] = &rules.Fix{Title: "make the key a constant of a private type", Applicability: rules.Review, Intent: in}
	}
	for _, have := range in.Keys {
		if have.Text == text && have.Sites[0].Key == k {
			have.Sites = append(have.Sites, s)
			return in
		}
	}
	in.Keys = append(in.Keys, &rules.TextKey{Text: text, Sites: []*census.Site{s}})
	return in
}

// unclear says why it takes a person to tell which key a text is meant to be; "" when it is plain. Two keys of
// different types never meet, whatever their texts: a constant for both would change that.
func (r *reporter) unclear(k *census.Key, s *census.Site, text string) string {
	for _, other := range r.census.KeyTypes(s.Pkg.Path) {
		if other.Value == text {
			return "the package has a key of the same text, " + other.Spelled() + ": use that"
		}
	}
	for _, other := range r.census.Keys {
		for _, at := range other.Sites {
			if other.Value != text && (other.GoType == nil || types.Comparable(other.GoType) || r.byteText(at) != text) {
				continue
			}
			switch here := at.Pkg.Path == s.Pkg.Path; {
			case other == k && !here:
				return "another package writes the same text: use a comparable type of your own"
			case other != k && here:
				return fmt.Sprintf("the package has a key of the same text in another type, %s, which it never meets today: decide whether the two are one", other.Spelled())
			}
		}
	}
	return ""
}
