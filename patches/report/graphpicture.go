package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches/report/draw"
)

// Limits of pictures of graphs.
const (
	// maxFunctionsDrawn is how many functions are drawn all; of a larger program, those on the ways of losses.
	maxFunctionsDrawn = 110
	maxPackagesDrawn  = 26
	maxRowsDrawn      = 16
)

// WriteSVG draws the graph: a box for each package, a row for each function. An error is one of w's.
func (g *Graph) WriteSVG(w io.Writer) error { return g.picture().WriteSVG(w, draw.Options{}) }

// graphPicture draws a graph.
type graphPicture struct {
	g       *Graph
	picture *draw.Picture
	short   func(string) string
	// lost and born count by function; onWay are the functions that lie on the way of a loss.
	lost, born map[int]int
	onWay      map[int]bool
	// called are the functions that others of the program hand a context.
	called map[int]bool
	// losing is set for large programs, of which only the ways of losses are drawn.
	losing bool
	boxes  map[string]*draw.Box
	rows   map[int]int // of functions, -1 for the package as a whole
	folded map[string][]int
}

func (g *Graph) picture() *draw.Picture {
	m := &graphPicture{g: g, short: g.trimCommon(), lost: map[int]int{}, born: map[int]int{}, onWay: map[int]bool{}, called: map[int]bool{},
		boxes: map[string]*draw.Box{}, rows: map[int]int{}, folded: map[string][]int{}}
	m.picture = &draw.Picture{Title: "How contexts travel", Desc: g.describe(), Legend: graphLegend}
	for _, l := range g.Losses {
		m.lost[l.Function]++
		m.onWay[l.Function] = true
		for _, s := range l.Way {
			m.onWay[s.From] = true
		}
	}
	for _, c := range g.Calls {
		m.called[c.To] = m.called[c.To] || c.Context != "none"
	}
	for _, b := range g.Births {
		if b.Function >= 0 {
			m.born[b.Function]++
		}
	}
	m.place()
	m.lines()
	return m.picture
}

var graphLegend = []draw.Entry{
	{Mark: "enters", Text: "a request comes in"}, {Mark: "has", Text: "is given a context"}, {Mark: "none", Text: "is given none"},
	{Mark: "born", Text: "makes one"}, {Mark: "lost", Text: "loses one"},
	{Class: "handed", Text: "handed on"}, {Class: "fresh", Text: "a fresh one"}, {Class: "none", Text: "none, though needed"},
}

func (g *Graph) describe() string {
	functions, packages := g.own()
	return fmt.Sprintf("%s in %s have to do with contexts. Fresh contexts are made in %s; a context is lost in %s.",
		count(functions, "function"), count(packages, "package"), count(len(g.Births), "place"), count(len(g.Losses), "place"))
}

// place chooses packages and functions, and makes their boxes and rows.
func (m *graphPicture) place() {
	m.losing = len(m.g.Functions) > maxFunctionsDrawn && len(m.g.Losses) > 0
	drawn, left := m.choose()
	for _, pkg := range drawn {
		var shown []int
		for i := range m.g.Functions {
			f := &m.g.Functions[i]
			if f.Package != pkg {
				continue
			}
			if f.Outside || m.losing && !m.onWay[i] || len(shown) == maxRowsDrawn {
				m.folded[pkg] = append(m.folded[pkg], i)
			} else {
				shown = append(shown, i)
			}
		}
		m.box(pkg, shown)
	}
	if m.losing {
		m.note("only packages in which contexts are lost, or from which they come, are drawn, and calls that hand one on are drawn from package to package")
	}
	if left > 0 {
		m.note("%s left out, those with the fewest losses; ctxmend graph PACKAGES draws a part of the program", countAre(left, "package"))
	}
}

func (m *graphPicture) note(format string, args ...any) {
	m.picture.Notes = append(m.picture.Notes, fmt.Sprintf(format, args...))
}

func countAre(n int, noun string) string {
	if n == 1 {
		return "1 more " + noun + " is"
	}
	return fmt.Sprintf("%d more %ss are", n, noun)
}

// choose returns the packages that are drawn: of a large program where contexts are lost, and of too many those where
// most are. It tells how many are left out for want of room.
func (m *graphPicture) choose() (drawn []string, left int) {
	weight := map[string]int{}
	for i := range m.g.Functions {
		if m.onWay[i] {
			weight[m.g.Functions[i].Package] += 100 + 1000*m.lost[i]
		}
	}
	for _, c := range m.g.Calls {
		from, to := &m.g.Functions[c.From], &m.g.Functions[c.To]
		if to.Outside && c.Context == "none" && m.onWay[c.From] {
			weight[to.Package] += 100 * len(c.Places)
		}
		if !m.losing {
			weight[from.Package]++
			weight[to.Package]++
		}
	}
	all := m.g.packages()
	drawn = slices.DeleteFunc(slices.Clone(all), func(p string) bool { return m.losing && weight[p] == 0 })
	if len(drawn) <= maxPackagesDrawn {
		return drawn, 0
	}
	left = len(drawn) - maxPackagesDrawn
	slices.SortStableFunc(drawn, func(a, b string) int { return cmp.Compare(weight[b], weight[a]) })
	chosen := drawn[:maxPackagesDrawn]
	return slices.DeleteFunc(all, func(p string) bool { return !slices.Contains(chosen, p) }), left
}

// box makes the box of a package.
func (m *graphPicture) box(pkg string, shown []int) {
	box := &draw.Box{Title: m.short(pkg), Tip: pkg, ID: "pkg" + pkg}
	m.boxes[pkg] = box
	m.picture.Boxes = append(m.picture.Boxes, box)
	for _, i := range shown {
		m.rows[i] = len(box.Rows)
		box.Rows = append(box.Rows, m.row(i))
	}
	folded := m.folded[pkg]
	if len(folded) == 0 {
		return
	}
	at := len(box.Rows)
	if m.g.Functions[folded[0]].Outside {
		box.Class, at = "outside", -1
	} else {
		text := count(len(folded), "function")
		if len(shown) > 0 {
			text = fmt.Sprintf("%d more", len(folded))
		}
		row := &draw.Row{Text: text, Muted: true, Mark: "has", ID: "more" + pkg}
		for _, i := range folded {
			if m.lost[i] > 0 {
				row.Mark = "lost"
			} else if m.born[i] > 0 && row.Mark != "lost" {
				row.Mark = "born"
			}
		}
		row.Tip = m.names(folded)
		box.Rows = append(box.Rows, row)
	}
	for _, i := range folded {
		m.rows[i] = at
	}
}

// maxNames is how many functions a tooltip lists.
const maxNames = 24

func (m *graphPicture) names(list []int) string {
	var names []string
	for _, i := range list[:min(len(list), maxNames)] {
		names = append(names, m.g.Functions[i].Name)
	}
	if len(list) > maxNames {
		names = append(names, fmt.Sprintf("and %d more", len(list)-maxNames))
	}
	return strings.Join(names, "\n")
}

func (m *graphPicture) row(i int) *draw.Row {
	f := &m.g.Functions[i]
	row := &draw.Row{Text: f.Name, Side: f.Context, Mark: "none", ID: fmt.Sprintf("f%d", i), Tip: place(f.File, f.Line, 0)}
	switch {
	case m.lost[i] > 0:
		row.Mark = "lost"
	case m.born[i] > 0:
		row.Mark = "born"
	case f.Source == "request" && !m.called[i]:
		row.Mark = "enters"
	case f.Context != "":
		row.Mark = "has"
	}
	for _, l := range m.g.Losses {
		if l.Function == i {
			row.Tip += "\n" + m.g.lossText(&l)
		}
	}
	return row
}

// lines draws the calls between the rows; several between the same rows become one.
func (m *graphPicture) lines() {
	type ends struct {
		from, to       *draw.Box
		fromRow, toRow int
		class          string
	}
	made := map[ends]*draw.Line{}
	for i := range m.g.Calls {
		c := &m.g.Calls[i]
		from, to := m.boxes[m.g.Functions[c.From].Package], m.boxes[m.g.Functions[c.To].Package]
		if from == nil || to == nil {
			continue
		}
		at := ends{from, to, m.rows[c.From], m.rows[c.To], c.Context}
		if m.losing && (c.Context != "none" || !m.onWay[c.From]) {
			at.fromRow, at.toRow = -1, -1
		}
		if from == to && at.fromRow == at.toRow {
			continue
		}
		line := made[at]
		if line == nil {
			line = &draw.Line{From: from, FromRow: at.fromRow, To: to, ToRow: at.toRow, Class: c.Context}
			made[at] = line
			m.picture.Lines = append(m.picture.Lines, line)
		}
		line.Count += len(c.Places)
		if line.Tip == "" {
			line.Tip = m.g.Functions[c.From].Name + " → " + m.g.Functions[c.To].Name + "\n" + place(c.Places[0].File, c.Places[0].Line, 0)
		}
	}
}

// lossText says where a context is lost, on one line.
func (g *Graph) lossText(l *GraphLoss) string {
	text := "lost at " + place(l.Place.File, l.Place.Line, l.Place.Column) + ": " + l.Place.Callee
	if l.Rule != "" {
		text += " (" + l.Rule + ")"
	}
	return text
}
