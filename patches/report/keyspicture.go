package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches/report/draw"
)

// Limits of pictures: what is more is left out, and the picture says so.
const (
	maxKeysDrawn = 80
	// maxSitesDrawn is how many functions of a package are drawn one by one.
	maxSitesDrawn = 14
)

// WriteSVG draws the census: functions that write a key on the left, those that read it on the right. An error is one of w's.
func (k *Keys) WriteSVG(w io.Writer) error { return k.picture().WriteSVG(w, draw.Options{}) }

// picture draws the keys with their writers and readers.
func (k *Keys) picture() *draw.Picture {
	drawn, left := k.drawn()
	p := &draw.Picture{
		Title: "Context keys: who writes them, who reads them",
		Desc:  k.describe(),
		Legend: []draw.Entry{
			{Class: "writes", Text: "writes"}, {Class: "reads", Text: "reads"},
		},
		Notes: left,
	}
	var paths []string
	for _, i := range drawn {
		for _, s := range slices.Concat(k.Keys[i].Writers, k.Keys[i].Readers) {
			if !s.Outside {
				paths = append(paths, homeOf(s.Package))
			}
		}
	}
	m := &keysPicture{picture: p, short: shortener(paths)}
	writers, readers := m.side(k, drawn, 1), m.side(k, drawn, 3)
	for _, i := range drawn {
		key := &k.Keys[i]
		box := m.key(key, i)
		writers.connect(box, key.Writers, true)
		readers.connect(box, key.Readers, false)
	}
	return p
}

// homeOf is the package that an external test package belongs to.
func homeOf(pkg string) string { return strings.TrimSuffix(pkg, "_test") }

// drawn chooses the keys that are drawn, and says what is left out.
func (k *Keys) drawn() (list []int, left []string) {
	for i := range k.Keys {
		list = append(list, i)
	}
	if len(list) <= maxKeysDrawn {
		return list, nil
	}
	// Keys with something wrong first, then those of most packages.
	slices.SortStableFunc(list, func(a, b int) int {
		ka, kb := &k.Keys[a], &k.Keys[b]
		if (ka.Verdict != "") != (kb.Verdict != "") {
			if ka.Verdict != "" {
				return -1
			}
			return 1
		}
		return cmp.Compare(len(kb.Writers)+len(kb.Readers), len(ka.Writers)+len(ka.Readers))
	})
	list = list[:maxKeysDrawn]
	slices.Sort(list)
	return list, []string{fmt.Sprintf("%d more keys are left out; ctxmend keys lists all", len(k.Keys)-maxKeysDrawn)}
}

func (k *Keys) describe() string {
	wrong := 0
	for i := range k.Keys {
		if k.Keys[i].Verdict != "" {
			wrong++
		}
	}
	return fmt.Sprintf("%s in %s; something is wrong with %d of them. Functions that write a key stand to its left, those that read it to its right.",
		count(len(k.Keys), "key"), count(len(k.packages()), "package"), wrong)
}

type keysPicture struct {
	picture *draw.Picture
	short   func(string) string
}

func (m *keysPicture) key(k *Key, i int) *draw.Box {
	class := "good"
	if k.Verdict != "" {
		class = "misuse"
	}
	box := &draw.Box{Title: keyTitle(k), Tip: k.Key + "\n" + k.Type, Class: class, Column: 2, ID: fmt.Sprintf("key%d", i)}
	if len(k.ValueTypes) > 0 {
		var types []string
		for _, t := range k.ValueTypes {
			types = append(types, shortType(t))
		}
		box.Rows = append(box.Rows, &draw.Row{Text: strings.Join(types, ", "), Tip: strings.Join(k.ValueTypes, "\n"), Muted: true})
	}
	if k.Verdict != "" {
		status, _, _ := strings.Cut(k.Reason, ",")
		box.Rows = append(box.Rows, &draw.Row{Text: k.Verdict, Side: status, Mark: "lost", Tip: k.Reason})
	}
	m.picture.Boxes = append(m.picture.Boxes, box)
	return box
}

// keyTitle is the key without the directories of its type's package: auth.contextKey("user").
func keyTitle(k *Key) string {
	if rest, ok := strings.CutPrefix(k.Key, k.Type); ok && k.Type != "" {
		return shortType(k.Type) + rest
	}
	return k.Key
}

// shortType drops the directories of the package from a type: "*auth.User".
func shortType(t string) string {
	i := strings.LastIndexByte(t, '/')
	if i < 0 {
		return t
	}
	star := t[:len(t)-len(strings.TrimLeft(t, "*[]"))]
	return star + t[i+1:]
}

// A keysSide is the writers, or the readers: a box for each package with a row for each function.
type keysSide struct {
	m      *keysPicture
	column int
	boxes  map[string]*draw.Box
	rows   map[string]int // by package and function
	lines  map[*draw.Box]map[string]*draw.Line
}

func (m *keysPicture) side(k *Keys, drawn []int, column int) *keysSide {
	s := &keysSide{m: m, column: column, boxes: map[string]*draw.Box{}, rows: map[string]int{}, lines: map[*draw.Box]map[string]*draw.Line{}}
	for _, i := range drawn {
		sites := k.Keys[i].Readers
		if column == 1 {
			sites = k.Keys[i].Writers
		}
		for _, site := range sites {
			s.row(site)
		}
	}
	return s
}

// row returns the box and the row of a place, which it makes.
func (s *keysSide) row(site Site) (*draw.Box, int) {
	pkg := homeOf(site.Package)
	box := s.boxes[pkg]
	if box == nil {
		box = &draw.Box{Title: s.m.short(pkg), Tip: pkg, Column: s.column, ID: fmt.Sprintf("side%d-%d", s.column, len(s.m.picture.Boxes))}
		if site.Outside {
			box.Class = "outside"
		}
		s.boxes[pkg] = box
		s.m.picture.Boxes = append(s.m.picture.Boxes, box)
	}
	name := site.Function
	switch {
	case site.Test:
		name = "tests"
	case name == "":
		name = "package level"
	}
	id := pkg + "\x00" + name
	row, known := s.rows[id]
	if !known {
		if len(box.Rows) == maxSitesDrawn {
			name, id = "more functions", pkg+"\x00"
			if row, known = s.rows[id]; known {
				return box, row
			}
		}
		row = len(box.Rows)
		s.rows[id] = row
		box.Rows = append(box.Rows, &draw.Row{
			Text: name, Muted: site.Test || id == pkg+"\x00", ID: fmt.Sprintf("side%d-%d-%d", s.column, len(s.m.picture.Boxes), row),
		})
	}
	return box, row
}

// connect draws the lines between a key and its places.
func (s *keysSide) connect(key *draw.Box, sites []Site, writes bool) {
	lines := map[[2]int]*draw.Line{}
	for _, site := range sites {
		box, row := s.row(site)
		at := [2]int{slices.Index(s.m.picture.Boxes, box), row}
		line := lines[at]
		if line == nil {
			line = &draw.Line{From: key, FromRow: -1, To: box, ToRow: row, Class: "reads"}
			if writes {
				line = &draw.Line{From: box, FromRow: row, To: key, ToRow: -1, Class: "writes"}
			}
			lines[at] = line
			s.m.picture.Lines = append(s.m.picture.Lines, line)
		}
		line.Count++
		if via := site.Via; via != "" && !site.Test && !strings.Contains(box.Rows[row].Side, via) {
			box.Rows[row].Side = strings.TrimPrefix(box.Rows[row].Side+", via "+via, ", ")
		}
		tip := place(site.File, site.Line, site.Column)
		if site.Via != "" {
			tip += " via " + site.Via
		}
		line.Tip = strings.TrimPrefix(line.Tip+"\n"+tip, "\n")
	}
}
