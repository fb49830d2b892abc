package draw

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// random makes a picture of some boxes with some lines, circles among them.
func random(seed uint64) *Picture {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &Picture{Title: "random", Desc: fmt.Sprint(seed)}
	for i := range 2 + r.IntN(25) {
		b := &Box{Title: strings.Repeat("b", 1+r.IntN(60)), ID: fmt.Sprint("b", i)}
		for j := range r.IntN(7) {
			b.Rows = append(b.Rows, &Row{Text: strings.Repeat("row ", 1+r.IntN(9)), Side: strings.Repeat("世", r.IntN(4)), Mark: "has", ID: fmt.Sprint("b", i, "r", j)})
		}
		p.Boxes = append(p.Boxes, b)
	}
	for range r.IntN(60) {
		from, to := p.Boxes[r.IntN(len(p.Boxes))], p.Boxes[r.IntN(len(p.Boxes))]
		l := &Line{From: from, FromRow: r.IntN(len(from.Rows)+1) - 1, To: to, ToRow: r.IntN(len(to.Rows)+1) - 1, Class: lineClasses[r.IntN(len(lineClasses))], Count: r.IntN(40)}
		if l.From != l.To || l.FromRow != l.ToRow {
			p.Lines = append(p.Lines, l)
		}
	}
	return p
}

func svg(t *testing.T, p *Picture) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.WriteSVG(&out, Options{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestLayout draws many pictures: no two boxes overlap, all lies in the frame, no line that passes a column crosses a box there, every line
// is drawn, and the same picture is the same bytes.
func TestLayout(t *testing.T) {
	for seed := range uint64(150) {
		p := random(seed)
		out := svg(t, p)
		if again := svg(t, random(seed)); again != out {
			t.Fatalf("picture %d: drawn in two ways", seed)
		}
		if again := svg(t, p); again != out {
			t.Fatalf("picture %d: drawn in another way the second time", seed)
		}
		if n := strings.Count(out, `class="line `); n != len(p.Lines) {
			t.Errorf("picture %d: %d lines drawn of %d", seed, n, len(p.Lines))
		}
		checkOverlap(t, seed, p)
	}
}

func checkOverlap(t *testing.T, seed uint64, p *Picture) {
	t.Helper()
	for _, b := range p.Boxes {
		b.measure()
	}
	l := arrange(p)
	width, height := l.place(p)
	var all []*Box
	for _, col := range l.cols {
		all = append(all, col...)
	}
	for i, a := range all {
		if a.x < 0 || a.y < 0 || a.x+a.width > width || a.y+a.height > height {
			t.Errorf("picture %d: box %q lies outside", seed, a.Title)
		}
		for _, b := range all[:i] {
			if a.x < b.x+b.width && b.x < a.x+a.width && a.y < b.y+b.height-1 && b.y < a.y+a.height-1 {
				t.Errorf("picture %d: %q and %q overlap", seed, a.Title, b.Title)
			}
		}
	}
	for _, w := range l.wires {
		if w.from.column+1 != w.to.column {
			t.Errorf("picture %d: a line skips a column", seed)
		}
		for _, b := range all { // lines bend between the edge of one column and the next
			if b.x < w.to.x && b.x+b.width > w.from.edge {
				t.Fatalf("picture %d: %q stands where lines bend", seed, b.Title)
			}
		}
	}
}

// TestWellFormed holds that any text makes well-formed XML, and is shown without what could act on the reader's program.
func TestWellFormed(t *testing.T) {
	for _, text := range []string{"", "<b>&amp;\"'", "]]>", "\x00\x1b[31m\x7f", "\xff\xfe", "\u202eabc\u2066", "\ufffe\uffff", strings.Repeat("世界", 99), "a\nb\tc"} {
		box := &Box{Title: text, Tip: text, ID: text, Class: "misuse", Rows: []*Row{{Text: text, Side: text, Tip: text, ID: text, Mark: "born"}}}
		p := &Picture{Title: text, Desc: text, Boxes: []*Box{box, {Title: "x"}}, Notes: []string{text}, Legend: []Entry{{Class: "fresh", Text: text}}}
		p.Lines = []*Line{{From: box, FromRow: 0, To: p.Boxes[1], ToRow: -1, Class: "reads", Tip: text}}
		out := svg(t, p)
		for dec := xml.NewDecoder(strings.NewReader(out)); ; {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		if strings.ContainsAny(out, "\u202e\u2066\x00\x1b\x7f") {
			t.Errorf("%q is written as it is", text)
		}
	}
}

// TestReadable holds what makes a picture accessible: a name, a description, no script, and styles for both schemes.
func TestReadable(t *testing.T) {
	out := svg(t, random(3))
	for _, want := range []string{`role="img"`, `aria-labelledby="picture-title picture-desc"`, `<title id="picture-title">random</title>`, `<desc id="picture-desc">3</desc>`, "prefers-color-scheme: dark", `class="canvas"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(out, "<script") {
		t.Error("a script")
	}
	p := &Picture{Boxes: []*Box{{Title: "a", Rows: []*Row{{Mark: "has"}}}}, Legend: []Entry{{Mark: "has", Text: "is there"}, {Mark: "lost", Text: "is not"}, {Class: "fresh", Text: "is not"}}}
	if out := svg(t, p); !strings.Contains(out, "is there") || strings.Contains(out, "is not") {
		t.Error("the legend explains something else than what is shown")
	}
}

// TestRank holds that lines lead to the right where nothing turns them.
func TestRank(t *testing.T) {
	a, b, c := &Box{Title: "a"}, &Box{Title: "b"}, &Box{Title: "c"}
	p := &Picture{Boxes: []*Box{c, b, a}, Lines: []*Line{{From: a, To: b, FromRow: -1, ToRow: -1}, {From: b, To: c, FromRow: -1, ToRow: -1}, {From: c, To: b, FromRow: -1, ToRow: -1}, {From: a, To: c, FromRow: -1, ToRow: -1}}}
	forward, back := columns(p)
	if a.column != 0 || b.column != 1 || c.column != 2 || len(forward) != 3 || len(back) != 1 {
		t.Errorf("columns %d %d %d, %d forward, %d back", a.column, b.column, c.column, len(forward), len(back))
	}
}
