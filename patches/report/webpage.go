package report

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/patches/report/page"
)

// maxHunks is how many places a page shows of one fix.
const maxHunks = 12

// WriteHTML writes the census, with the findings of the report and what their fixes would change, as one web page. An error is one
// of w's.
func (k *Keys) WriteHTML(w io.Writer, r *Report, c *Context) error {
	p := r.page(c)
	p.Title = "Context keys" + of(c)
	p.Intro = k.describe()
	p.Picture = k.picture()
	p.Stats = append([]page.Stat{{Count: len(k.Keys), Label: "keys"}}, p.Stats...)
	list := page.List{ID: "keys", Title: "Keys", Intro: "Open one to see who writes and who reads it."}
	for i := range k.Keys {
		list.Items = append(list.Items, k.Keys[i].item())
	}
	p.Lists = []page.List{list}
	return p.Write(w)
}

// of names the program in headings.
func of(c *Context) string {
	if c.Program == "" {
		return ""
	}
	return " of " + c.Program
}

func (k *Key) item() page.Item {
	it := page.Item{Head: k.Key, Rule: k.Verdict, Side: strings.TrimPrefix(strings.Join(k.ValueTypes, ", ")+"; "+k.Reason, "; ")}
	it.Side = strings.TrimSuffix(it.Side, "; ")
	if k.Verdict != "" {
		it.Class = "bad"
	}
	for _, side := range []struct {
		label string
		sites []Site
	}{{"Written", k.Writers}, {"Read", k.Readers}, {"By way of", k.Forwarders}} {
		if len(side.sites) == 0 {
			continue
		}
		fact := page.Fact{Label: side.label}
		for _, s := range side.sites {
			fact.Places = append(fact.Places, siteText(s))
			if it.Package == "" {
				it.Package = homeOf(s.Package)
			}
		}
		it.Facts = append(it.Facts, fact)
	}
	return it
}

func siteText(s Site) string {
	text := place(s.File, s.Line, s.Column)
	if s.Function != "" {
		text += "  " + s.Function
	}
	if s.Via != "" {
		text += " via " + s.Via
	}
	if s.Test {
		text += " (test)"
	}
	return text
}

// WriteHTML writes the graph, with the findings of the report and what their fixes would change, as one web page. An error is one
// of w's.
func (g *Graph) WriteHTML(w io.Writer, r *Report, c *Context) error {
	p := r.page(c)
	p.Title = "How contexts travel" + in(c)
	p.Intro = g.describe()
	p.Picture = g.picture()
	functions, _ := g.own()
	p.Stats = append([]page.Stat{
		{Count: functions, Label: "functions"}, {Count: len(g.Births), Label: "fresh contexts"}, {Count: len(g.Losses), Label: "losses", Class: badIf(len(g.Losses))},
	}, p.Stats...)
	p.Lists = []page.List{g.lossList(), g.birthList()}
	return p.Write(w)
}

func in(c *Context) string {
	if c.Program == "" {
		return ""
	}
	return " in " + c.Program
}

func badIf(n int) string {
	if n > 0 {
		return "bad"
	}
	return ""
}

func (g *Graph) lossList() page.List {
	list := page.List{ID: "losses", Title: "Where contexts are lost",
		Intro: "The way from a function that has a context to the place that does without. Those that no rule objects to may be on purpose."}
	for i := range g.Losses {
		l := &g.Losses[i]
		it := page.Item{Head: place(l.Place.File, l.Place.Line, l.Place.Column), Rule: l.Rule, Package: g.Functions[l.Function].Package, Side: l.Message, Steps: g.steps(l)}
		if l.Rule != "" {
			it.Class = "bad"
		}
		list.Items = append(list.Items, it)
	}
	return list
}

// steps are the functions on the way of a loss.
func (g *Graph) steps(l *GraphLoss) []page.Step {
	var steps []page.Step
	for i, s := range l.Way {
		f := &g.Functions[s.From]
		step := page.Step{Name: f.qualified(), Where: place(s.Place.File, s.Place.Line, 0)}
		if i == 0 {
			step.Detail = l.Context
		}
		steps = append(steps, step)
	}
	f := &g.Functions[l.Function]
	step := page.Step{Name: f.qualified(), Where: place(f.File, f.Line, 0)}
	if len(l.Way) == 0 {
		step.Detail = l.Context
	}
	return append(steps, step, page.Step{Name: l.Place.Callee, Detail: l.Outside, Where: place(l.Place.File, l.Place.Line, 0)})
}

// qualified is the name of a function with its package.
func (f *GraphFunction) qualified() string {
	if f.Outside {
		return f.Name
	}
	return f.Package[strings.LastIndexByte(f.Package, '/')+1:] + "." + f.Name
}

func (g *Graph) birthList() page.List {
	list := page.List{ID: "births", Title: "Where contexts are born", Intro: "Fresh contexts, made from nothing. Contexts of requests are born in the server that calls the handler."}
	for _, b := range g.Births {
		it := page.Item{Head: place(b.Place.File, b.Place.Line, b.Place.Column), Side: b.Place.Callee}
		if b.Function >= 0 {
			it.Side += " in " + g.Functions[b.Function].qualified()
			it.Package = g.Functions[b.Function].Package
		}
		list.Items = append(list.Items, it)
	}
	return list
}

// page makes the page of the findings.
func (r *Report) page(c *Context) *page.Page {
	p := &page.Page{Foot: "ctxmend " + c.Version}
	p.Stats = []page.Stat{{Count: r.Summary.Findings, Label: "findings", Class: badIf(r.Summary.Findings)}, {Count: r.Summary.Fixable, Label: "fixable", Class: "good"}, {Count: r.Summary.Blocked, Label: "blocked"}}
	h := newHunks(r, c.Set)
	for _, f := range r.reported() {
		out := page.Finding{
			Rule: f.Rule, Package: f.pkg(), Status: f.Status, Where: place(f.File, f.Line, f.Column), Message: f.Message, Key: f.Key, Level: f.Applicability,
			Source: strings.TrimSpace(f.Source),
		}
		if f.Status == "fixable" {
			out.Note = f.Note
			out.Hunks = h.of(f.Unit, f.File, f.Line)
			if n := len(out.Hunks); n > maxHunks {
				out.Hunks, out.Others = out.Hunks[:maxHunks], n-maxHunks
			}
		}
		if f.Blocker != nil {
			out.Blocked = f.Blocker.Message
			if f.Blocker.File != "" {
				out.Blocked += ", at " + place(f.Blocker.File, f.Blocker.Line, f.Blocker.Column)
			}
		}
		for _, rel := range f.Related {
			out.Related = append(out.Related, rel.Message+": "+place(rel.File, rel.Line, rel.Column))
		}
		p.Findings = append(p.Findings, out)
	}
	p.Hunks = h.list
	return p
}

// pkg is the import path of the package of a finding.
func (f *Finding) pkg() string {
	if i := strings.LastIndexByte(f.Where, '/'); i >= 0 {
		return f.Where[:i]
	}
	return ""
}

// hunks are the changed places of all files, and which of them belong to which unit.
type hunks struct {
	list   []page.Hunk
	spans  []span
	units  map[string]*Unit
	byFile map[string][]int
	// nobodys are those that lie beside every edit: imports, declarations that are added.
	nobodys map[int]bool
}

// span is the old lines of a hunk, and what it adds.
type span struct{ from, to int }

func newHunks(r *Report, set *patches.Set) *hunks {
	h := &hunks{units: map[string]*Unit{}, byFile: map[string][]int{}, nobodys: map[int]bool{}}
	if set == nil {
		return h
	}
	for _, f := range set.Files {
		for _, hunk := range f.Hunks() {
			n := 0
			for _, line := range hunk.Lines {
				if line[0] != '+' {
					n++
				}
			}
			h.byFile[f.Rel] = append(h.byFile[f.Rel], len(h.list))
			h.nobodys[len(h.list)] = true
			h.list = append(h.list, page.Hunk{File: f.Rel, Old: hunk.Old, New: hunk.New, Lines: hunk.Lines})
			h.spans = append(h.spans, span{hunk.Old, hunk.Old + n - 1})
		}
	}
	for i := range r.Units {
		u := &r.Units[i]
		h.units[u.ID] = u
		for _, j := range h.touched(u) {
			delete(h.nobodys, j)
		}
	}
	return h
}

// touched returns the hunks that hold an edit of a unit.
func (h *hunks) touched(u *Unit) []int {
	var list []int
	for _, e := range u.Edits {
		for _, i := range h.byFile[e.File] {
			if s := h.spans[i]; e.Line > 0 && e.Line <= s.to && e.EndLine >= s.from {
				list = append(list, i)
			}
		}
	}
	return list
}

// of returns the hunks of a unit: those that hold its edits, and those in its files that hold nobody's. First comes the one
// where a finding is.
func (h *hunks) of(unit, file string, line int) []int {
	u := h.units[unit]
	if u == nil || u.Status != "fixable" {
		return nil
	}
	list := h.touched(u)
	for _, file := range u.Files {
		for _, i := range h.byFile[file] {
			if h.nobodys[i] {
				list = append(list, i)
			}
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(h.distance(a, file, line), h.distance(b, file, line)) })
	return list
}

// distance is 0 for the hunk that holds a line, 1 for others in its file, 2 for those elsewhere.
func (h *hunks) distance(i int, file string, line int) int {
	switch s := h.spans[i]; {
	case h.list[i].File != file:
		return 2
	case line < s.from || line > s.to:
		return 1
	}
	return 0
}
