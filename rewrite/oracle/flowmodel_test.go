package oracle

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/ast/astutil"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Programs about the flow of contexts print, beside what a context knows, what it should know: how it was derived, and at
// which places it was lost. Which of these places a run of the pipeline mends, its findings say. Both together tell what
// every line of the result has to say; nothing that the findings have not announced may change.

// A mending is what the findings of a run announce: the places mended, by their ids, with the rule.
type mending map[string]string

// along stands for the rule at places in a function that gets a parameter for the sake of others.
const along = "along"

// placeID matches what names a place in the source of a program.
var placeID = regexp.MustCompile(`\.(Born|Keep|Less|Stale|Grow|Escape|Cut|Timed)\("(\w+)"`)

// announcedBy collects what a run announces.
func (t *trial) announcedBy(findings []*rules.Finding) mending {
	m := mending{}
	for _, f := range findings {
		if f.Rule == "hiddenparam" { // nothing that is printed may change
			continue
		}
		id := ""
		if t.aboutBirth(f) {
			id = t.placeOf(f, f.File.Rel, f.File.Tok, f.Pos)
		}
		for _, r := range f.Related {
			if id == "" && r.Message == "made here" { // by a function that a goroutine runs; beside its start there may be other places
				id = t.placeOf(f, r.File.Rel, r.File.Tok, r.Pos)
			}
		}
		if id == "" {
			id = t.placeOf(f, f.File.Rel, f.File.Tok, f.Pos)
		}
		if id == "" && t.handsNothingOn(f) { // a fix has made a context for the call, and another one takes that back
			if in, param := intentOf(f).(*rules.AddParam); param && (f.Status == rules.Fixable || f.Status == rules.Fixed) {
				t.alongTargets(f, in, m)
			}
			continue
		}
		if id == "" && t.inheritsEnd(f, findings) {
			continue // as it was asked for
		}
		if id == "" {
			t.fail("a finding at an unexpected place: %s: %s (%s)", f.Rule, f.Message, f.File.Tok.PositionFor(f.Pos, false))
			continue
		}
		t.counted = append(t.counted, &counted{place: id, finding: f})
		if f.Status != rules.Fixable && f.Status != rules.Fixed {
			continue
		}
		if m[id] = f.Rule; t.prog.flow.kept[id] && t.givenToLiteral(f) {
			m[id] = along
		}
		mended := []string{id}
		for _, r := range f.Related {
			if r.File == nil || r.Message != "made here" && r.Message != "the parent is passed here" {
				continue
			}
			if id := t.placeOf(f, r.File.Rel, r.File.Tok, r.Pos); id != "" {
				m[id] = f.Rule
				mended = append(mended, id)
			}
		}
		if in, param := f.Fix.Intent.(*rules.AddParam); param {
			t.alongWith(f, in, mended, m)
		}
	}
	for id, rule := range m {
		if t.prog.flow.kept[id] && rule != along {
			t.fail("place %s is to be left alone (%s)", id, rule)
		}
	}
	return m
}

// aboutBirth reports whether a finding lies at a call that makes a context, and not at the start of a goroutine.
func (t *trial) aboutBirth(f *rules.Finding) bool {
	src, from, to := t.prog.files[f.File.Rel], f.File.Tok.Offset(f.Pos), f.File.Tok.Offset(f.End)
	return to <= len(src) && strings.HasSuffix(src[from:to], "()")
}

// givenToLiteral reports whether the context that a finding is about comes as a parameter of a literal that is stored: programs
// have no such literals, so another fix has given it one.
func (t *trial) givenToLiteral(f *rules.Finding) bool {
	in, ok := f.Fix.Intent.(*rules.UseContext)
	if !ok || in.Source.Kind != flow.Parameter {
		return false
	}
	path, _ := astutil.PathEnclosingInterval(in.File.AST, in.Source.Var.Pos(), in.Source.Var.Pos())
	lit := slices.IndexFunc(path, func(n ast.Node) bool { _, ok := n.(*ast.FuncLit); return ok })
	if lit < 0 || lit+2 >= len(path) {
		return false
	}
	stored, ok := path[lit+2].(*ast.CompositeLit) // around the pair of the key and the literal
	if !ok {
		return false
	}
	_, ok = stored.Type.(*ast.MapType)
	return ok
}

// alongWith notes what functions that get a parameter mend for its sake: the places in the functions that ask for it, and those that
// did not matter as long as there was nothing else to pass.
func (t *trial) alongWith(f *rules.Finding, in *rules.AddParam, mended []string, m mending) {
	asking := map[string]bool{}
	for _, id := range mended {
		asking[t.prog.flow.owner[id]] = true
	}
	for other, fn := range t.prog.flow.owner {
		if asking[fn] && m[other] == "" {
			m[other] = along
		}
	}
	for _, also := range in.Also {
		for _, use := range also.Uses {
			if other := t.placeOf(f, also.Func.File.Rel, also.Func.File.Tok, use.Pos()); other != "" && m[other] == "" {
				m[other] = along
			}
		}
	}
}

// intentOf returns what a finding asks for, nil for nothing.
func intentOf(f *rules.Finding) rules.Intent {
	if f.Fix == nil {
		return nil
	}
	return f.Fix.Intent
}

// alongTargets notes what else the functions mend that get a parameter.
func (t *trial) alongTargets(f *rules.Finding, in *rules.AddParam, m mending) {
	for _, target := range in.Targets {
		for _, use := range target.Uses {
			if other := t.placeOf(f, target.Func.File.Rel, target.Func.File.Tok, use.Pos()); other != "" && m[other] == "" {
				m[other] = along
			}
		}
	}
}

// inheritsEnd reports whether a finding says that a goroutine ends with a request, which it has got by --goroutines inherit.
func (t *trial) inheritsEnd(f *rules.Finding, findings []*rules.Finding) bool {
	if t.opts.Goroutines != "inherit" || f.Rule != "requestescape" || f.Status != rules.Blocked {
		return false
	}
	line := f.File.Tok.PositionFor(f.Pos, false).Line
	return slices.ContainsFunc(findings, func(g *rules.Finding) bool {
		return g.Rule == "detachedgo" && (g.Status == rules.Fixable || g.Status == rules.Fixed) && slices.ContainsFunc(g.Related, func(r rules.Related) bool {
			return r.Message == "started here" && r.File == f.File && r.File.Tok.PositionFor(r.Pos, false).Line == line
		})
	})
}

// handsNothingOn reports whether a finding is about a context made for a call that hands none on: where it stands, or in a function
// that a goroutine runs.
func (t *trial) handsNothingOn(f *rules.Finding) bool {
	places := []rules.Related{{File: f.File, Pos: f.Pos}}
	for _, r := range f.Related {
		if r.Message == "made here" {
			places = append(places, r)
		}
	}
	return slices.ContainsFunc(places, func(r rules.Related) bool {
		lines := strings.Split(t.prog.files[r.File.Rel], "\n")
		at := min(r.File.Tok.PositionFor(r.Pos, false).Line, len(lines))
		return strings.Contains(strings.Join(lines[at-1:min(max(at+2, callsEnd(r.File, at)), len(lines))], "\n"), ".Bare")
	})
}

// callsEnd returns the line on which the calls end that begin on a line, those of literals for example.
func callsEnd(f *program.File, line int) int {
	end := 0
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && f.Tok.PositionFor(call.Pos(), false).Line == line {
			end = max(end, f.Tok.PositionFor(call.End(), false).Line)
		}
		return true
	})
	return end
}

// A counted is a finding about a place.
type counted struct {
	place   string
	finding *rules.Finding
}

// placeOf returns the id of the place that a position speaks of: on its line or one of the next. A call of a function that has no
// context yet is none, and not about what follows it.
func (t *trial) placeOf(f *rules.Finding, rel string, tok *token.File, pos token.Pos) string {
	lines := strings.Split(t.prog.files[rel], "\n")
	at := tok.PositionFor(pos, false).Line
	if f.Rule == "requestescape" { // it lies at the start of a goroutine, which has its place on the line above
		at--
	}
	for n := at; n <= at+2 && n <= len(lines) && !strings.Contains(lines[at-1], ".Bare"); n++ {
		for _, m := range placeID.FindAllStringSubmatch(lines[n-1], -1) {
			if slices.Contains(kindsOf[f.Rule], m[1]) {
				return m[2]
			}
		}
	}
	return ""
}

// kindsOf are the places that a rule may mend.
var kindsOf = map[string][]string{
	"freshctx": {"Born", "Keep"}, "missingparam": {"Born", "Keep"}, "detachedgo": {"Born", "Keep"}, "contextlesscall": {"Less"},
	"staleparent": {"Stale", "Cut", "Timed"}, "growingctx": {"Grow"}, "requestescape": {"Escape"}, "lostcancel": {"Cut", "Timed"},
}

// A seen is what a context knows.
type seen struct {
	values      [3]string
	ended, time bool
}

func (s seen) String() string {
	var list []string
	for i, v := range s.values {
		if v != "" {
			list = append(list, fmt.Sprintf("%c=%s", 'a'+i, v))
		}
	}
	if s.ended {
		list = append(list, "ended")
	}
	if s.time {
		list = append(list, "timed")
	}
	return "[" + strings.Join(list, " ") + "]"
}

// uncut is what is left by context.WithoutCancel.
func (s seen) uncut() seen { return seen{values: s.values} }

// A states is what a context may know, with whether it was handed down by all calls on the way.
type states struct {
	list  []seen
	loose bool
	// behind are, of a context that starts from nothing, those of the contexts beside which it was made: what is born beside
	// it in the same function may get one of them.
	behind []seen
	// beside are, of a context that is mended or made of such a one, those of the contexts at hand where it was made: another one that is
	// born in its reach may get one of them as well.
	beside []seen
}

func (s states) each(f func(seen) seen) states {
	out := states{loose: s.loose, beside: s.beside}
	for _, x := range s.list {
		out.add(f(x))
	}
	return out
}

func (s *states) add(list ...seen) {
	for _, x := range list {
		if !slices.Contains(s.list, x) {
			s.list = append(s.list, x)
		}
	}
}

// A reader reads what a line says that its context should be.
type flowReader struct {
	text   string
	mended mending
	flow   *flowFacts
	detach string // --goroutines
}

// read returns the states of the next node.
func (r *flowReader) read() states {
	i := strings.IndexAny(r.text, "(,)")
	if i < 0 {
		i = len(r.text)
	}
	what, arg, _ := strings.Cut(r.text[:i], ":")
	r.text = r.text[i:]
	over := strings.HasSuffix(what, "!") || strings.HasSuffix(arg, "!")
	arg = strings.TrimSuffix(arg, "!")
	var from []states
	for strings.HasPrefix(r.text, "(") || len(from) > 0 && strings.HasPrefix(r.text, ",") {
		r.text = r.text[1:]
		from = append(from, r.read())
	}
	if len(from) > 0 {
		r.text = strings.TrimPrefix(r.text, ")")
	}
	if what == "r" {
		return states{list: []seen{{}}}
	}
	return r.node(what, arg, over, from)
}

func (r *flowReader) node(what, arg string, over bool, from []states) states {
	rule, mended := r.mended[arg]
	s := from[0]
	switch what {
	case "k":
		return s
	case "v":
		return s.each(func(x seen) seen {
			x.values[arg[0]-'a'] = arg[2:]
			return x
		})
	case "c", "t":
		s = s.each(func(x seen) seen {
			x.ended = x.ended || over
			x.time = x.time || what == "t"
			return x
		})
		return s
	case "w":
		return s.each(seen.uncut)
	case "i": // also that of a context beside a fresh one
		s.add(s.behind...)
		s.loose, s.behind = true, nil
		for _, f := range from[1:] {
			s.add(f.list...)
		}
		return s
	case "g": // whatever waits for it gets the context, what does not its values
		s.add(s.behind...)
		s.loose, s.behind = true, nil
		for _, f := range from[1:] {
			s.add(f.list...)
		}
		s.add(s.each(seen.uncut).list...)
		return s
	case "x": // a literal that gets a parameter for the sake of another place in it
		fresh := states{list: []seen{{}}}
		if mended {
			fresh.add(s.list...)
			if _, started := r.flow.started[arg]; started { // in a goroutine that gets the values alone
				fresh.add(s.each(seen.uncut).list...)
			}
		}
		return fresh
	case "d": // what is deferred gets a context of its own
		return states{list: []seen{{}}}
	case "s", "n":
		if mended {
			return from[1]
		}
		return s
	case "S": // goroutines and deferred code keep theirs
		if rule == "staleparent" {
			s.add(from[1].list...)
		}
		return s
	case "l": // what is called instead gets one of those at hand, also that beside a fresh one
		s.add(s.behind...)
		for _, f := range from[1:] {
			s.add(f.list...)
		}
		if _, started := r.flow.started[arg]; started { // in a goroutine that another fix gives its context
			s.add(s.each(seen.uncut).list...)
		}
		return s
	case "e":
		if mended { // a goroutine may use several contexts of one request
			s.add(s.each(seen.uncut).list...)
		}
		return s
	case "b":
		if !mended {
			fresh := states{list: []seen{{}}}
			for _, f := range from {
				fresh.behind = slices.Concat(fresh.behind, f.list, f.behind)
			}
			return fresh
		}
		return r.born(arg, rule, from)
	}
	panic("unknown node " + what)
}

// born is what a context knows at a mended place where it was born: that of one of the contexts at hand.
func (r *flowReader) born(id, rule string, from []states) states {
	var s states
	for _, f := range from {
		s.add(f.list...)
		s.add(f.behind...)
		s.add(f.beside...)
		s.loose = s.loose || f.loose
	}
	s.beside = slices.Clone(s.list)
	if joined, started := r.flow.started[id]; started && (r.detach == "detach" || r.detach == "auto" && !joined) {
		uncut := s.each(seen.uncut)
		if rule != "detachedgo" || r.flow.within[id] { // that of the goroutine, if that gets one for the sake of another place or has its own
			uncut.add(s.list...)
		}
		s = uncut
	}
	if s.loose || rule == along { // callers that no context reaches make one
		s.add(seen{})
	}
	return s
}

// A flowLine is a line that a program prints.
type flowLine struct{ path, way, sees string }

// flowLines parts an output: what runs beside other code is sorted.
func flowLines(output string) []flowLine {
	var list, beside []flowLine
	for line := range strings.Lines(output) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(words) < 3 {
			words = append(words, "", "")
		}
		l := flowLine{words[0], words[1], words[2]}
		if strings.Contains(l.path, "~") {
			beside = append(beside, l)
		} else {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(beside, func(a, b flowLine) int { return strings.Compare(a.path, b.path) })
	return append(list, beside...)
}

// compareFlow checks what the programs print.
func (t *trial) compareFlow(outputs map[string]string) {
	before := flowLines(outputs["before"])
	t.checkFlow("before", before, mending{})
	after, ok := outputs["review"]
	if len(t.failures) > 0 || !ok {
		return
	}
	lines := flowLines(after)
	if a, b := paths(before), paths(lines); !slices.Equal(a, b) {
		t.fail("other places are reached at level review (-before +after):\n%s", cmp.Diff(a, b))
		return
	}
	t.checkFlow("review", lines, t.mending)
	if len(t.failures) > 0 {
		return
	}
	for i, l := range lines {
		if l.sees != before[i].sees {
			t.mended++
		}
	}
}

func paths(lines []flowLine) []string {
	var list []string
	for _, l := range lines {
		path := l.path
		if l.way == "-" {
			path += " " + l.sees
		}
		list = append(list, path)
	}
	return list
}

// checkFlow checks that every line says what it has to.
func (t *trial) checkFlow(version string, lines []flowLine, m mending) {
	bad := 0
	for _, l := range lines {
		if l.way == "-" {
			continue
		}
		if l.way == "" {
			t.fail("%s does not run to its end: %s", version, l.path)
			return
		}
		r := &flowReader{text: l.way, mended: m, flow: t.prog.flow, detach: t.opts.Goroutines}
		s := r.read()
		if !slices.ContainsFunc(s.list, func(x seen) bool { return x.String() == l.sees }) {
			if bad++; bad <= 5 {
				t.fail("%s: %s sees %s by the way of %s; expected %v, mended %v", version, l.path, l.sees, l.way, s.list, slices.Sorted(maps.Keys(m)))
			}
		}
	}
}
