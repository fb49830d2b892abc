package report

import (
	"cmp"
	"go/token"
	"io"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/travel"
)

// Graph is how contexts travel through a program, as it is printed.
type Graph struct {
	Version   int             `json:"version"`
	Functions []GraphFunction `json:"functions"`
	Calls     []GraphCall     `json:"calls"`
	Births    []GraphBirth    `json:"births"`
	Losses    []GraphLoss     `json:"losses"`
}

// A GraphFunction is a function that has to do with contexts, or a package outside the program that is called with one.
type GraphFunction struct {
	// ID names the function in this document.
	ID      int    `json:"id"`
	Name    string `json:"name"`
	Package string `json:"package"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	// Context spells the context that the function is given, "" for none; Source says what that is: "parameter", "request".
	Context string `json:"context"`
	Source  string `json:"source"`
	// Entry is set for main and init, Outside for a package outside the program.
	Entry   bool `json:"entry"`
	Outside bool `json:"outside"`
}

// A GraphCall is all calls of one function by another that do the same with the context.
type GraphCall struct {
	From int `json:"from"`
	To   int `json:"to"`
	// Context is "handed", "fresh" or "none".
	Context   string       `json:"context"`
	Goroutine bool         `json:"goroutine"`
	Places    []GraphPlace `json:"places"`
}

// A GraphPlace is a call in the source.
type GraphPlace struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Callee string `json:"callee"`
}

// A GraphBirth is a place where a context is made from nothing.
type GraphBirth struct {
	// Function is -1 at package level.
	Function int        `json:"function"`
	Place    GraphPlace `json:"place"`
	Lost     bool       `json:"lost"`
}

// A GraphLoss is a place where a context is lost.
type GraphLoss struct {
	// Function is where the context is missing, Context the one that is lost, of the first function on the way.
	Function int        `json:"function"`
	Context  string     `json:"context"`
	Place    GraphPlace `json:"place"`
	// Fresh is set where a fresh context takes its place. Outside is the package of the function that is called without one, "" where
	// that is not the place.
	Fresh   bool   `json:"fresh"`
	Outside string `json:"outside"`
	// Way are the calls that lead from the function that has the context to the one that misses it.
	Way []GraphStep `json:"way"`
	// Rule, Status and Message are those of the finding at the place; "" where ctxmend finds nothing wrong.
	Rule    string `json:"rule"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// A GraphStep is a call on the way to a loss.
type GraphStep struct {
	From  int        `json:"from"`
	To    int        `json:"to"`
	Place GraphPlace `json:"place"`
}

// NewGraph makes the document of a graph. Findings explain losses at the same lines. Only functions that keep accepts are
// in it, and their neighbours; nil accepts all.
func NewGraph(g *travel.Graph, findings []Finding, keep func(*program.File) bool) *Graph {
	d := &graphMaker{doc: &Graph{Version: Version, Functions: []GraphFunction{}, Calls: []GraphCall{}, Births: []GraphBirth{}, Losses: []GraphLoss{}},
		ids: map[*travel.Func]int{}, findings: map[string]*Finding{}}
	for i := range findings {
		f := &findings[i]
		if at := place(f.File, f.Line, 0); aboutFlow(f) && d.findings[at] == nil {
			d.findings[at] = f
		}
	}
	d.make(g, keep)
	return d.doc
}

// aboutFlow reports whether a finding is about a context rather than a key.
func aboutFlow(f *Finding) bool { return f.Key == "" && f.Status != "suppressed" }

type graphMaker struct {
	doc      *Graph
	ids      map[*travel.Func]int
	findings map[string]*Finding // by file and line
}

func (d *graphMaker) make(g *travel.Graph, keep func(*program.File) bool) {
	kept := keptFuncs(g, keep)
	for _, f := range g.Funcs {
		if kept[f] {
			d.function(f)
		}
	}
	for _, f := range g.Funcs {
		for _, c := range f.Out {
			if kept[c.From] && kept[c.To] && (keep == nil || selected(c.From, keep) || selected(c.To, keep)) {
				d.doc.Calls = append(d.doc.Calls, d.call(c))
			}
		}
	}
	lost := map[*travel.Birth]bool{}
	for _, l := range g.Losses {
		if l.Birth != nil {
			lost[l.Birth] = true
		}
		if concerns(l, keep) {
			d.doc.Losses = append(d.doc.Losses, d.loss(l))
		}
	}
	for _, b := range g.Births {
		if keep == nil || keep(b.File) {
			id := -1
			if b.In != nil {
				id = d.ids[b.In]
			}
			d.doc.Births = append(d.doc.Births, GraphBirth{id, graphPlace(b.File, b.Birth.Call.Pos(), b.By), lost[b]})
		}
	}
}

func selected(f *travel.Func, keep func(*program.File) bool) bool { return !f.Foreign && keep(f.File) }

// concerns reports whether a loss is about functions that keep accepts: a way that passes through them.
func concerns(l *travel.Loss, keep func(*program.File) bool) bool {
	return keep == nil || selected(l.In, keep) || slices.ContainsFunc(l.Way, func(s travel.Step) bool { return selected(s.Call.From, keep) })
}

// keptFuncs returns the functions that keep accepts, their neighbours, and those on the ways of losses that begin or end among
// them.
func keptFuncs(g *travel.Graph, keep func(*program.File) bool) map[*travel.Func]bool {
	kept := map[*travel.Func]bool{}
	for _, f := range g.Funcs {
		if keep == nil || selected(f, keep) {
			kept[f] = true
			if keep != nil {
				for _, c := range f.Out {
					kept[c.To] = true
				}
				for _, c := range f.In {
					kept[c.From] = true
				}
			}
		}
	}
	for _, l := range g.Losses {
		if keep != nil && concerns(l, keep) {
			kept[l.In] = true
			for _, s := range l.Way {
				kept[s.Call.From] = true
			}
		}
	}
	return kept
}

func (d *graphMaker) function(f *travel.Func) {
	out := GraphFunction{ID: len(d.doc.Functions), Name: f.Name, Package: f.Package, Entry: f.Entry, Outside: f.Foreign}
	if f.File != nil {
		p := position(f.File, f.Pos)
		out.File, out.Line = rel(f.File), p.Line
	}
	if f.Source != nil {
		out.Context, out.Source = f.Source.Text, f.Source.Kind.String()
	}
	d.ids[f] = out.ID
	d.doc.Functions = append(d.doc.Functions, out)
}

func (d *graphMaker) call(c *travel.Call) GraphCall {
	out := GraphCall{From: d.ids[c.From], To: d.ids[c.To], Context: c.Way.String(), Goroutine: c.Go, Places: []GraphPlace{}}
	for _, p := range c.Places {
		out.Places = append(out.Places, graphPlace(p.File, p.Pos, p.Callee))
	}
	return out
}

func (d *graphMaker) loss(l *travel.Loss) GraphLoss {
	out := GraphLoss{Function: d.ids[l.In], Place: graphPlace(l.Place.File, l.Place.Pos, l.Place.Callee), Fresh: l.Birth != nil, Way: []GraphStep{}}
	if l.To != nil {
		out.Outside = l.To.Package
	}
	if from := l.From(); from.Source != nil {
		out.Context = from.Source.Text
	}
	for _, s := range l.Way {
		out.Way = append(out.Way, GraphStep{d.ids[s.Call.From], d.ids[s.Call.To], graphPlace(s.Place.File, s.Place.Pos, s.Place.Callee)})
	}
	if f := d.findings[place(out.Place.File, out.Place.Line, 0)]; f != nil {
		out.Rule, out.Status, out.Message = f.Rule, f.Status, f.Message
	}
	return out
}

func graphPlace(f *program.File, pos token.Pos, callee string) GraphPlace {
	p := position(f, pos)
	return GraphPlace{rel(f), p.Line, p.Column, callee}
}

// WriteJSON writes the graph as one JSON document. An error is one of w's.
func (g *Graph) WriteJSON(w io.Writer) error { return writeJSON(w, g) }

// packages returns the import paths of the functions, those of the program first, sorted.
func (g *Graph) packages() []string {
	outside := map[string]bool{}
	var list []string
	for i := range g.Functions {
		f := &g.Functions[i]
		if _, seen := outside[f.Package]; !seen {
			list = append(list, f.Package)
			outside[f.Package] = f.Outside
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		if outside[a] != outside[b] {
			if outside[b] {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	return list
}

// own returns how many functions of the program there are, and in how many packages.
func (g *Graph) own() (functions, packages int) {
	seen := map[string]bool{}
	for i := range g.Functions {
		if f := &g.Functions[i]; !f.Outside {
			functions++
			seen[f.Package] = true
		}
	}
	return functions, len(seen)
}

// trimCommon removes from import paths the elements that all of the program's have in common.
func (g *Graph) trimCommon() func(string) string {
	var own []string
	for i := range g.Functions {
		if !g.Functions[i].Outside {
			own = append(own, g.Functions[i].Package)
		}
	}
	return shortener(own)
}

// shortener returns a function that takes from import paths the leading elements that all of a list have in common, but for the
// last of them: what remains still names the program.
func shortener(paths []string) func(string) string {
	if len(paths) == 0 {
		return func(s string) string { return s }
	}
	common := paths[0]
	for _, p := range paths {
		for common != "" && p != common && !strings.HasPrefix(p, common+"/") {
			common = common[:max(strings.LastIndexByte(common, '/'), 0)]
		}
	}
	return func(s string) string {
		if common == "" || s != common && !strings.HasPrefix(s, common+"/") {
			return s
		}
		if s == common {
			return common[strings.LastIndexByte(common, '/')+1:]
		}
		return strings.TrimPrefix(s, common+"/")
	}
}
