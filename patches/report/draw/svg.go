package draw

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/patches/report/cells"

	_ "embed"
)

// Style is the style sheet of pictures. A document that embeds one without its own style has to contain it.
//
//go:embed style.css
var Style string

// Options say how a picture is written.
type Options struct {
	// Embedded pictures are part of an HTML document that contains Style.
	Embedded bool
}

// WriteSVG draws the picture. An error is one of w's.
func (p *Picture) WriteSVG(w io.Writer, opts Options) error {
	for _, b := range p.Boxes {
		b.measure()
	}
	p.Legend = slices.DeleteFunc(slices.Clone(p.Legend), func(e Entry) bool { return !p.shows(e) })
	l := arrange(p)
	width, height := l.place(p)
	foot := p.footHeight()
	width = max(width, p.footWidth())
	out := &writer{Writer: bufio.NewWriter(w)}
	out.head(p, width, height+foot, opts)
	out.tag("g", `class="lines"`)
	for _, line := range p.Lines {
		out.line(line, l)
	}
	out.end("g")
	for _, b := range p.Boxes {
		out.box(b)
	}
	out.foot(p, height)
	out.end("svg")
	return out.Flush()
}

// shows reports whether what an entry of the legend explains is in the picture.
func (p *Picture) shows(e Entry) bool {
	if e.Mark != "" {
		return slices.ContainsFunc(p.Boxes, func(b *Box) bool { return slices.ContainsFunc(b.Rows, func(r *Row) bool { return r.Mark == e.Mark }) })
	}
	return slices.ContainsFunc(p.Lines, func(l *Line) bool { return l.Class == e.Class })
}

// measure finds how much room a box needs.
func (b *Box) measure() {
	b.left, b.right = nil, nil
	wide := cells.Width(fit(b.Title))
	marks := 0.0
	for _, r := range b.Rows {
		n := cells.Width(fit(r.Text))
		if r.Side != "" {
			n += 1 + cells.Width(fit(r.Side))
		}
		wide = max(wide, n)
		if r.Mark != "" {
			marks = markWidth
		}
	}
	b.width = math.Ceil(float64(wide)*cell) + 2*padding + marks
	b.height = headHeight + rowHeight*float64(len(b.Rows))
	if len(b.Rows) > 0 {
		b.height += 4
	}
}

// fit makes text fit to be shown.
func fit(s string) string { return cells.Shorten(Clean(s), maxCells) }

// Clean makes text valid in XML: what cannot be shown is replaced.
func Clean(s string) string {
	s = cells.Display(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if r == 0xFFFE || r == 0xFFFF {
			return 0xFFFD
		}
		return r
	}, s)
}

// A writer writes SVG.
type writer struct {
	*bufio.Writer
}

func (w *writer) tag(name string, attrs ...string) {
	w.WriteString("<" + name)
	for _, a := range attrs {
		if a != "" {
			w.WriteString(" " + a)
		}
	}
	w.WriteString(">")
}

func (w *writer) end(name string) { w.WriteString("</" + name + ">\n") }

func (w *writer) text(s string) { w.WriteString(html.EscapeString(s)) }

func (w *writer) tip(s string) {
	if s != "" {
		w.tag("title")
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				w.WriteString("\n")
			}
			w.text(Clean(line))
		}
		w.WriteString("</title>")
	}
}

func attr(name, value string) string { return name + `="` + html.EscapeString(Clean(value)) + `"` }

func num(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

func (w *writer) head(p *Picture, width, height float64, opts Options) {
	w.tag("svg", `xmlns="http://www.w3.org/2000/svg"`, `class="picture"`, attr("width", num(width)), attr("height", num(height)),
		attr("viewBox", "0 0 "+num(width)+" "+num(height)), `role="img"`, `aria-labelledby="picture-title picture-desc"`)
	w.WriteString("\n<title id=\"picture-title\">")
	w.text(Clean(p.Title))
	w.WriteString("</title>\n<desc id=\"picture-desc\">")
	w.text(Clean(p.Desc))
	w.WriteString("</desc>\n")
	if !opts.Embedded {
		w.WriteString("<style>\n" + Style + "</style>\n")
	}
	w.WriteString("<defs>")
	for _, class := range lineClasses {
		fmt.Fprintf(w, `<marker id="end-%s" class="end %s" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0.5 8 4 0 7.5z"/></marker>`, class, class)
	}
	w.WriteString("</defs>\n")
	fmt.Fprintf(w, `<rect class="canvas" width="%s" height="%s" rx="6"/>`+"\n", num(width), num(height))
}

// lineClasses are the classes of lines.
var lineClasses = []string{"handed", "fresh", "none", "writes", "reads"}

// maxBow is how far lines within a box stand out to its right.
const maxBow = 46

// line draws one line.
func (w *writer) line(line *Line, l *layout) {
	thick := min(3.5, 1.1+0.5*math.Log2(float64(max(line.Count, 1))))
	attrs := []string{attr("class", "line "+line.Class), attr("stroke-width", num(thick)), attr("marker-end", "url(#end-"+line.Class+")"),
		attr("data-from", line.From.rowID(line.FromRow)), attr("data-to", line.To.rowID(line.ToRow))}
	var d strings.Builder
	switch route := l.routes[line]; {
	case line.From == line.To:
		bow(&d, line)
	case len(route) == 0:
		return
	default:
		curve(&d, route, route[0].from != line.From)
	}
	w.tag("path", append(attrs, attr("d", d.String()))...)
	w.tip(line.Tip)
	w.end("path")
}

// curve leads a line along its wires; reverse draws it from right to left. It bends between columns only, where no box is.
func curve(d *strings.Builder, route []*wire, reverse bool) {
	type point struct{ x, y float64 }
	first := route[0]
	points := []point{{first.from.x + first.from.width, first.from.y + first.fromAt}}
	for _, w := range route {
		points = append(points, point{w.from.edge, w.from.y + w.fromAt}, point{w.to.x, w.to.y + w.toAt})
	}
	if reverse {
		slices.Reverse(points)
	}
	fmt.Fprintf(d, "M%s %s", num(points[0].x), num(points[0].y))
	for i, b := range points[1:] {
		a := points[i]
		if along := i%2 == 0; along != reverse { // a column, beside a box or where the line passes
			if a.x != b.x {
				fmt.Fprintf(d, "H%s", num(b.x))
			}
			continue
		}
		mid := (a.x + b.x) / 2
		fmt.Fprintf(d, "C%s %s %s %s %s %s", num(mid), num(a.y), num(mid), num(b.y), num(b.x), num(b.y))
	}
}

// bow leads a line from one row of a box to another, around its right side.
func bow(d *strings.Builder, line *Line) {
	b := line.From
	x, y1, y2 := b.x+b.width, b.y+b.rowAt(line.FromRow), b.y+b.rowAt(line.ToRow)
	out := min(maxBow, 14+math.Abs(y1-y2)/6)
	if y1 == y2 {
		y1, y2 = y1-4, y2+4
	}
	fmt.Fprintf(d, "M%s %sC%s %s %s %s %s %s", num(x), num(y1), num(x+out), num(y1), num(x+out), num(y2), num(x), num(y2))
}

func (b *Box) rowID(row int) string {
	if row >= 0 && row < len(b.Rows) {
		return b.Rows[row].ID
	}
	return b.ID
}

func (w *writer) box(b *Box) {
	class := "box"
	if b.Class != "" {
		class += " " + b.Class
	}
	id := ""
	if b.ID != "" {
		id = attr("data-id", b.ID)
	}
	w.tag("g", attr("class", class), id, attr("transform", "translate("+num(b.x)+" "+num(b.y)+")"))
	w.tip(b.Tip)
	fmt.Fprintf(w, `<rect class="frame" width="%s" height="%s" rx="5"/>`, num(b.width), num(b.height))
	fmt.Fprintf(w, `<text class="head" x="%d" y="%s">`, padding, num(headHeight/2.0+4))
	w.text(fit(b.Title))
	w.WriteString("</text>")
	if len(b.Rows) > 0 {
		fmt.Fprintf(w, `<path class="rule" d="M0 %d H%s"/>`, headHeight, num(b.width))
	}
	marks := 0
	for _, r := range b.Rows {
		if r.Mark != "" {
			marks = markWidth
		}
	}
	for i, r := range b.Rows {
		w.row(b, r, i, marks)
	}
	w.end("g")
}

func (w *writer) row(b *Box, r *Row, i, marks int) {
	class, id := "row", ""
	if r.Muted {
		class += " muted"
	}
	if r.ID != "" {
		id = attr("data-id", r.ID)
	}
	y := b.rowAt(i)
	w.tag("g", attr("class", class), id)
	w.tip(r.Tip)
	fmt.Fprintf(w, `<rect class="hit" x="1" y="%s" width="%s" height="%d"/>`, num(y-rowHeight/2.0), num(b.width-2), rowHeight)
	w.mark(r.Mark, padding+4, y)
	fmt.Fprintf(w, `<text x="%d" y="%s">`, padding+marks, num(y+4))
	w.text(fit(r.Text))
	if r.Side != "" {
		w.WriteString(`<tspan class="side"> `)
		w.text(fit(r.Side))
		w.WriteString("</tspan>")
	}
	w.WriteString("</text>")
	w.WriteString("</g>")
}

// mark draws a mark: their shapes differ, since colours are not for everybody.
func (w *writer) mark(mark string, x, y float64) {
	switch mark {
	case "has":
		fmt.Fprintf(w, `<circle class="mark has" cx="%s" cy="%s" r="3.6"/>`, num(x), num(y))
	case "enters":
		fmt.Fprintf(w, `<path class="mark has" d="M%s %sl8 4.8 -8 4.8z"/>`, num(x-3.6), num(y-4.8))
	case "none":
		fmt.Fprintf(w, `<circle class="mark none" cx="%s" cy="%s" r="3.2"/>`, num(x), num(y))
	case "born":
		fmt.Fprintf(w, `<path class="mark born" d="M%s %sl4.6 4.6 -4.6 4.6 -4.6 -4.6z"/>`, num(x), num(y-4.6))
	case "lost":
		fmt.Fprintf(w, `<path class="mark lost" d="M%s %sl7.6 7.6m0 -7.6l-7.6 7.6"/>`, num(x-3.8), num(y-3.8))
	}
}

// footLine is the height of a line of the legend or of a note.
const footLine = 20

func (p *Picture) footHeight() float64 {
	n := len(p.Notes)
	if len(p.Legend) > 0 {
		n++
	}
	if n == 0 {
		return 0
	}
	return float64(n*footLine) + 8
}

func (e *Entry) width() float64 { return 44 + float64(cells.Width(Clean(e.Text)))*cell }

func (p *Picture) footWidth() float64 {
	wide := 0.0
	for i := range p.Legend {
		wide += p.Legend[i].width()
	}
	for _, n := range p.Notes {
		wide = max(wide, float64(cells.Width(Clean(n)))*cell)
	}
	return wide + 2*margin
}

func (w *writer) foot(p *Picture, y float64) {
	x := float64(margin)
	y += 6
	if len(p.Legend) > 0 {
		w.tag("g", `class="legend"`)
		for _, e := range p.Legend {
			if e.Mark != "" {
				w.mark(e.Mark, x+16, y)
			} else {
				fmt.Fprintf(w, `<path class="line %s" marker-end="url(#end-%s)" stroke-width="1.6" d="M%s %sh26"/>`, e.Class, e.Class, num(x), num(y))
			}
			fmt.Fprintf(w, `<text x="%s" y="%s">`, num(x+32), num(y+4))
			w.text(Clean(e.Text))
			w.WriteString("</text>")
			x += e.width()
		}
		w.end("g")
		y += footLine
	}
	for _, n := range p.Notes {
		fmt.Fprintf(w, `<text class="note" x="%d" y="%s">`, margin, num(y+4))
		w.text(Clean(n))
		w.end("text")
		y += footLine
	}
}
