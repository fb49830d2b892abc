package analyzers

import (
	"bytes"
	"cmp"
	"context"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"golang.org/x/tools/go/analysis"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/apply"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rewrite/verify"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A suggester finds out which fixes can be suggested. Drivers merge the edits of fixes, and some leave out fixes that a
// comment of theirs waives: what is suggested has to be right alone and with any of the others.
type suggester struct {
	prog *program.Program
	// formatted tells of files whether they are as gofmt would have them.
	formatted map[*program.File]bool
	// chosen are the units that hold together, with their edits.
	chosen []*plan.Unit
	edits  map[*plan.Unit][]patches.Replacement
}

// suggest returns fixes by the finding that shall carry them: the first of those that a fix mends.
func (s *sight) suggest(found []*rules.Finding, directives []*rules.Directive) map[*rules.Finding]*plan.Unit {
	local := slices.DeleteFunc(slices.Clone(found), func(f *rules.Finding) bool { return !s.wanted(f) })
	if len(local) == 0 {
		return nil
	}
	sg := &suggester{prog: s.prog, formatted: map[*program.File]bool{}, edits: map[*plan.Unit][]patches.Replacement{}}
	var open []*plan.Unit
	program.Doing("planning", func() {
		for _, u := range plan.Build(s.prog, s.census, local, plan.Options{KeyStyle: "auto", Accessors: "auto", Stage: "at-once", API: "preserve", Goroutines: "auto"}) {
			if u.Blocker == nil && sg.inOneFunction(u) && !forbidden(s.prog, directives, u) && sg.alone(u) {
				open = append(open, u)
			}
		}
	})
	sg.choose(open)
	first := map[*rules.Finding]*plan.Unit{}
	for _, u := range sg.chosen {
		first[u.Findings[0]] = u
	}
	s.edits = sg.edits
	return first
}

// wanted reports whether the fix of a finding may be suggested at all.
func (s *sight) wanted(f *rules.Finding) bool {
	if s.opts.Level == nil || f.Fix == nil || f.Left {
		return false
	}
	_, local := f.Fix.Intent.(rules.LocalIntent)
	return local && (f.Fix.Applicability == rules.Safe || f.Fix.Applicability == *s.opts.Level)
}

// forbidden reports whether a directive keeps a unit off one of its findings, or off a line that it would edit.
func forbidden(prog *program.Program, directives []*rules.Directive, u *plan.Unit) bool {
	return slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool { return f.Status == rules.Suppressed }) ||
		slices.ContainsFunc(u.Edits, func(e plan.Edit) bool {
			f, from, to := e.Span()
			return f == nil || rules.Forbidding(prog, directives, u.Rule, f, from, to) != nil
		})
}

// inOneFunction reports whether a unit only changes text within one function, in a file that drivers can be trusted with: they
// format what they edit, whole, and take offsets from the file that was read.
func (sg *suggester) inOneFunction(u *plan.Unit) bool {
	var around ast.Decl
	for _, e := range u.Edits {
		splice, ok := e.(*plan.Splice)
		if !ok || !sg.isFormatted(splice.File) {
			return false
		}
		decl := declAt(splice)
		if _, ok := decl.(*ast.FuncDecl); !ok || around != nil && decl != around {
			return false
		}
		around = decl
	}
	return around != nil && sg.selfContained(around)
}

// selfContained reports whether everything that is called in a function was read, or would not be read with the whole
// program either: nothing of another package of the module, and no method of an interface, behind which such a
// function may be, that is given a context.
func (sg *suggester) selfContained(decl ast.Decl) bool {
	info := sg.own().Info
	within := true
	ast.Inspect(decl, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return within
		}
		fn := census.Callee(info, call)
		if fn == nil {
			return within
		}
		recv := fn.Signature().Recv()
		byInterface := recv != nil && types.IsInterface(recv.Type()) && slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return flow.Implements(info.TypeOf(a)) })
		if sg.prog.Beyond(fn) || byInterface {
			within = false
		}
		return within
	})
	return within
}

// own returns the package.
func (sg *suggester) own() *program.Package {
	list := sg.prog.Configs[0].Packages
	return list[len(list)-1]
}

// declAt returns the declaration that a splice lies in.
func declAt(e *plan.Splice) ast.Decl {
	for _, d := range e.File.AST.Decls {
		if e.File.Tok.Offset(d.Pos()) <= e.Start && e.End <= e.File.Tok.Offset(d.End()) {
			return d
		}
	}
	return nil
}

func (sg *suggester) isFormatted(f *program.File) bool {
	is, known := sg.formatted[f]
	if !known {
		src, err := format.Source(f.Src)
		is = err == nil && bytes.Equal(src, f.Src) && !bytes.Contains(f.Src, []byte("//line "))
		sg.formatted[f] = is
	}
	return is
}

// alone reports whether a unit can be carried out by itself, and keeps what it changes.
func (sg *suggester) alone(u *plan.Unit) bool {
	set := sg.carryOut([]*plan.Unit{u})
	if set == nil || len(set.Files) != 1 {
		return false
	}
	sg.edits[u] = set.Files[0].Replacements()
	return true
}

// carryOut returns what units change together, nil when the result is not in order.
func (sg *suggester) carryOut(units []*plan.Unit) *patches.Set {
	set, err := apply.Apply(sg.prog, units)
	if err != nil {
		return nil
	}
	for _, f := range set.Files {
		if src, err := format.Source(f.New); err != nil || !bytes.Equal(src, f.New) {
			return nil
		}
		if sg.unlinks(f) {
			return nil
		}
	}
	if problems, err := verify.Check(context.Background(), sg.prog, set); err != nil || len(problems) > 0 {
		return nil
	}
	return set
}

// unlinks reports whether a changed file no longer imports a package that is not of the standard library: that may be what
// brought code into a program which runs when it starts.
func (sg *suggester) unlinks(f *patches.File) bool {
	fset := token.NewFileSet()
	after, err := parser.ParseFile(fset, f.Name, f.New, parser.ImportsOnly)
	if err != nil {
		return true
	}
	kept := map[string]bool{}
	for _, spec := range after.Imports {
		kept[spec.Path.Value] = true
	}
	for _, spec := range sg.prog.FileNamed(f.Name).AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if p := sg.own().Imports[path]; !kept[spec.Path.Value] && (err != nil || p == nil || p.DepModule != "") {
			return true
		}
	}
	return false
}

// choose adds units that hold together with those chosen, as many as possible, found by bisecting.
func (sg *suggester) choose(more []*plan.Unit) {
	if len(more) == 0 {
		return
	}
	all := slices.Concat(sg.chosen, more)
	if sg.independent(all) {
		sg.chosen = all
		return
	}
	if len(more) > 1 {
		half := len(more) / 2
		sg.choose(more[:half])
		sg.choose(more[half:])
	}
}

// independent reports whether carrying out units together changes what each of them changes alone, and no more.
func (sg *suggester) independent(units []*plan.Unit) bool {
	set := sg.carryOut(units)
	if set == nil {
		return false
	}
	for _, f := range set.Files {
		var edits []patches.Replacement
		for _, u := range units {
			if file, _, _ := u.Edits[0].Span(); file.Name == f.Name {
				edits = append(edits, sg.edits[u]...)
			}
		}
		if got, ok := merged(f.Old, edits); !ok || !bytes.Equal(got, f.New) {
			return false
		}
	}
	return true
}

// merged carries out replacements, of which equal ones count once; not ok when they touch each other.
func merged(old []byte, edits []patches.Replacement) (_ []byte, ok bool) {
	slices.SortFunc(edits, func(x, y patches.Replacement) int {
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To), cmp.Compare(x.New, y.New))
	})
	var b bytes.Buffer
	at := 0
	for i, e := range slices.Compact(edits) {
		if e.From < at || i > 0 && e.From == at {
			return nil, false
		}
		b.Write(old[at:e.From])
		b.WriteString(e.New)
		at = e.To
	}
	b.Write(old[at:])
	return b.Bytes(), true
}

// suggestion says a unit in the driver's terms.
func (s *sight) suggestion(u *plan.Unit) analysis.SuggestedFix {
	f, _, _ := u.Edits[0].Span()
	fix := analysis.SuggestedFix{Message: u.Title}
	for _, e := range s.edits[u] {
		fix.TextEdits = append(fix.TextEdits, analysis.TextEdit{Pos: f.Tok.Pos(e.From), End: f.Tok.Pos(e.To), NewText: []byte(e.New)})
	}
	return fix
}
