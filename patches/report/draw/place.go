package draw

import "math"

// place gives boxes their coordinates and returns the size of the drawing.
func (l *layout) place(p *Picture) (width, height float64) {
	for i := range 8 {
		for c := range l.cols {
			at := c
			if i%2 == 1 {
				at = len(l.cols) - 1 - c
			}
			l.settle(l.cols[at], i%2 == 0 || i > 5, i%2 == 1 || i > 5)
		}
	}
	top := math.Inf(1)
	for _, col := range l.cols {
		for _, b := range col {
			top = min(top, b.y)
		}
	}
	x := float64(margin)
	for c, col := range l.cols {
		wide := 0.0
		for _, b := range col {
			wide = max(wide, b.width)
		}
		for _, b := range col {
			b.y = math.Round(b.y - top + margin)
			b.x = x
			if b.passes {
				b.width = wide
			}
			b.edge = x + wide
			height = max(height, b.y+b.height)
		}
		x += wide
		if c < len(l.cols)-1 {
			x += l.gapAfter(c)
		}
	}
	return x + margin + l.loops(p.Lines), height + margin
}

// gapAfter is the space to the right of a column: the more wires, and the steeper, the wider.
func (l *layout) gapAfter(c int) float64 {
	n, steep := 0, 0.0
	for _, w := range l.wires {
		if w.from.column == c {
			n++
			steep = max(steep, math.Abs(w.from.y+w.fromAt-w.to.y-w.toAt))
		}
	}
	return math.Round(70 + min(60, 1.5*float64(n)) + min(70, steep/10))
}

// loops is the room that lines within the boxes of the last column need at their right.
func (l *layout) loops(lines []*Line) float64 {
	room := 0.0
	for _, line := range lines {
		if line.From == line.To && line.From.column == len(l.cols)-1 {
			room = maxBow
		}
	}
	return room
}

// settle moves the boxes of a column to where their neighbours would have them, without changing their order: boxes that
// would overlap form a block, which stands where that is best for all of it.
func (l *layout) settle(col []*Box, left, right bool) {
	type block struct {
		first, last int     // of col
		want        float64 // mean of where its first box would be
		weight      float64
		height      float64
	}
	var blocks []block
	for i, b := range col {
		at, weight := l.wanted(b, left, right)
		blocks = append(blocks, block{i, i, at, weight, b.height + b.gap()})
		for len(blocks) > 1 {
			a, b := blocks[len(blocks)-2], blocks[len(blocks)-1]
			if a.want+a.height <= b.want {
				break
			}
			sum := a.weight + b.weight
			merged := block{a.first, b.last, (a.want*a.weight + (b.want-a.height)*b.weight) / sum, sum, a.height + b.height}
			blocks = append(blocks[:len(blocks)-2], merged)
		}
	}
	for _, bl := range blocks {
		y := bl.want
		for _, b := range col[bl.first : bl.last+1] {
			b.y = y
			y += b.height + b.gap()
		}
	}
}

// wanted returns where a box would stand if only its neighbours counted, and how much that matters. Passing lines matter more: they
// are to be straight.
func (l *layout) wanted(b *Box, left, right bool) (at, weight float64) {
	sum, n := 0.0, 0.0
	if left {
		for _, w := range b.left {
			sum += w.from.y + w.fromAt - w.toAt
			n++
		}
	}
	if right {
		for _, w := range b.right {
			sum += w.to.y + w.toAt - w.fromAt
			n++
		}
	}
	if n == 0 {
		return b.y, 0.1
	}
	if b.passes {
		n *= 2
		sum *= 2
	}
	return sum / n, n
}
