package draw

import (
	"cmp"
	"slices"
)

// A layout is a picture on its way to coordinates.
type layout struct {
	// cols are the columns, top to bottom; some are places of passing lines.
	cols  [][]*Box
	wires []*wire
	// routes are the wires of each line, left to right.
	routes   map[*Line][]*wire
	passages map[passage]*Box
}

// arrange puts boxes in columns and orders them.
func arrange(p *Picture) *layout {
	forward, back := columns(p)
	l := &layout{routes: map[*Line][]*wire{}, passages: map[passage]*Box{}}
	for _, b := range p.Boxes {
		for len(l.cols) <= b.column {
			l.cols = append(l.cols, nil)
		}
		l.cols[b.column] = append(l.cols[b.column], b)
	}
	for _, line := range forward {
		l.route(line, line.From, line.FromRow, line.To, line.ToRow, false)
	}
	for _, line := range back {
		l.route(line, line.To, line.ToRow, line.From, line.FromRow, true)
	}
	l.sweep()
	return l
}

// A passage is a place where lines pass a column on their way to the same row: they go on together, or as many lines of a large
// program would fill the picture.
type passage struct {
	column int
	to     *Box
	toRow  int
	class  string
	back   bool
}

// route leads a line through the columns between two boxes. Lines that lead back share the way that they come from.
func (l *layout) route(line *Line, from *Box, fromRow int, to *Box, toRow int, back bool) {
	at, offset := from, from.rowAt(fromRow)
	for c := from.column + 1; c < to.column; c++ {
		key := passage{c, to, toRow, line.Class, back}
		stop := l.passages[key]
		if stop == nil {
			stop = &Box{passes: true, column: c, index: len(l.wires) + 1<<20, height: wireGap}
			l.cols[c] = append(l.cols[c], stop)
			l.passages[key] = stop
		}
		l.wire(&wire{line, at, stop, offset, wireGap / 2.0})
		at, offset = stop, wireGap/2.0
	}
	l.wire(&wire{line, at, to, offset, to.rowAt(toRow)})
}

func (l *layout) wire(w *wire) {
	l.wires = append(l.wires, w)
	l.routes[w.line] = append(l.routes[w.line], w)
	w.from.right = append(w.from.right, w)
	w.to.left = append(w.to.left, w)
}

// rowAt returns where lines meet a row, below the top of the box.
func (b *Box) rowAt(row int) float64 {
	if row < 0 {
		return headHeight / 2.0
	}
	return headHeight + rowHeight*(float64(row)+0.5)
}

// sweeps is how often columns are put into the order of their neighbours; more change little.
const sweeps = 12

// sweep orders the columns by turns to the right and to the left, and keeps the order with the fewest crossings.
func (l *layout) sweep() {
	best, least := l.snapshot(), l.crossings()
	for i := range sweeps {
		if i%2 == 0 {
			for _, col := range l.cols {
				sortBy(col, func(b *Box) (float64, bool) {
					return mean(b.left, func(w *wire) float64 { return w.from.y + w.fromAt })
				})
			}
		} else {
			for _, col := range slices.Backward(l.cols) {
				sortBy(col, func(b *Box) (float64, bool) { return mean(b.right, func(w *wire) float64 { return w.to.y + w.toAt }) })
			}
		}
		if n := l.crossings(); n < least {
			best, least = l.snapshot(), n
		}
	}
	l.cols = best
	for _, col := range l.cols {
		stack(col)
	}
}

func (l *layout) snapshot() [][]*Box {
	var cols [][]*Box
	for _, col := range l.cols {
		stack(col)
		cols = append(cols, slices.Clone(col))
	}
	return cols
}

// stack gives the boxes of a column places below each other.
func stack(col []*Box) {
	y := 0.0
	for _, b := range col {
		b.y = y
		y += b.height + b.gap()
	}
}

// gap is the space below a box.
func (b *Box) gap() float64 {
	if b.passes {
		return 3
	}
	return boxGap
}

func mean(wires []*wire, at func(*wire) float64) (float64, bool) {
	if len(wires) == 0 {
		return 0, false
	}
	sum := 0.0
	for _, w := range wires {
		sum += at(w)
	}
	return sum / float64(len(wires)), true
}

// sortBy orders a column; boxes without neighbours stay where they are, between those that move.
func sortBy(col []*Box, value func(*Box) (float64, bool)) {
	type moved struct {
		box *Box
		at  float64
	}
	var list []moved
	var places []int
	for i, b := range col {
		if at, ok := value(b); ok {
			list = append(list, moved{b, at})
			places = append(places, i)
		}
	}
	slices.SortStableFunc(list, func(a, b moved) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.box.y, b.box.y), cmp.Compare(a.box.index, b.box.index))
	})
	for i, m := range list {
		col[places[i]] = m.box
	}
	stack(col)
}

// crossings counts how often wires between columns beside each other cross.
func (l *layout) crossings() int {
	byColumn := make([][]*wire, len(l.cols))
	for _, w := range l.wires {
		byColumn[w.from.column] = append(byColumn[w.from.column], w)
	}
	n := 0
	for _, wires := range byColumn {
		slices.SortStableFunc(wires, func(a, b *wire) int {
			return cmp.Or(cmp.Compare(a.from.y+a.fromAt, b.from.y+b.fromAt), cmp.Compare(a.to.y+a.toAt, b.to.y+b.toAt))
		})
		n += inversions(wires)
	}
	return n
}

// inversions counts the pairs of wires that end in another order than they begin.
func inversions(wires []*wire) int {
	if len(wires) < 2 {
		return 0
	}
	half := len(wires) / 2
	a, b := slices.Clone(wires[:half]), slices.Clone(wires[half:])
	n := inversions(a) + inversions(b)
	end := func(w *wire) float64 { return w.to.y + w.toAt }
	slices.SortStableFunc(a, func(x, y *wire) int { return cmp.Compare(end(x), end(y)) })
	slices.SortStableFunc(b, func(x, y *wire) int { return cmp.Compare(end(x), end(y)) })
	j := 0
	for _, w := range a {
		for j < len(b) && end(b[j]) < end(w) {
			j++
		}
		n += j
	}
	return n
}
