package draw

import "slices"

// A wire is a line, or a piece of one between two columns beside each other. Its ends are boxes, or the places of a line in a column
// that it passes.
type wire struct {
	line     *Line
	from, to *Box
	// fromAt and toAt are where the wire meets its boxes, below their tops.
	fromAt, toAt float64
}

// columns puts boxes into columns. It returns the lines that lead to the right, and those that lead back.
func columns(p *Picture) (forward, back []*Line) {
	fixed := true
	for i, b := range p.Boxes {
		b.index, b.column = i, b.Column-1
		fixed = fixed && b.Column > 0
	}
	if fixed {
		return split(p.Lines)
	}
	next := map[*Box][]*Box{}
	for _, l := range p.Lines {
		if l.From != l.To && !slices.Contains(next[l.From], l.To) {
			next[l.From] = append(next[l.From], l.To)
		}
	}
	turned := circles(p.Boxes, next)
	rank(p.Boxes, next, turned)
	return split(p.Lines)
}

// split tells lines to the right from lines to the left. Lines within a box are neither.
func split(lines []*Line) (forward, back []*Line) {
	for _, l := range lines {
		switch {
		case l.From == l.To:
		case l.From.column < l.To.column:
			forward = append(forward, l)
		default:
			back = append(back, l)
		}
	}
	return forward, back
}

// circles returns the connections that lead back to a box which is being visited.
func circles(boxes []*Box, next map[*Box][]*Box) map[[2]*Box]bool {
	turned := map[[2]*Box]bool{}
	const visiting, done = 1, 2
	state := map[*Box]int{}
	var visit func(b *Box)
	visit = func(b *Box) {
		state[b] = visiting
		for _, to := range next[b] {
			switch state[to] {
			case visiting:
				turned[[2]*Box{b, to}] = true
			case 0:
				visit(to)
			}
		}
		state[b] = done
	}
	// Those that nothing leads to come first: they are where ways begin.
	led := map[*Box]bool{}
	for _, b := range boxes {
		for _, to := range next[b] {
			led[to] = true
		}
	}
	for _, first := range []bool{true, false} {
		for _, b := range boxes {
			if state[b] == 0 && led[b] != first {
				visit(b)
			}
		}
	}
	return turned
}

// rank gives every box the first column to the right of all that lead to it, and then moves boxes to the right, next to those that they
// lead to.
func rank(boxes []*Box, next map[*Box][]*Box, turned map[[2]*Box]bool) {
	out, in := map[*Box][]*Box{}, map[*Box][]*Box{}
	for _, b := range boxes {
		for _, to := range next[b] {
			from, to := b, to
			if turned[[2]*Box{from, to}] {
				from, to = to, from
			}
			out[from] = append(out[from], to)
			in[to] = append(in[to], from)
		}
	}
	order := topological(boxes, out, in)
	for _, b := range order {
		b.column = 0
		for _, from := range in[b] {
			b.column = max(b.column, from.column+1)
		}
	}
	for _, b := range slices.Backward(order) {
		if len(out[b]) == 0 || len(in[b]) > len(out[b]) {
			continue
		}
		nearest := out[b][0].column
		for _, to := range out[b] {
			nearest = min(nearest, to.column)
		}
		b.column = max(b.column, nearest-1)
	}
}

// topological orders boxes so that connections lead forward; those that are free go in the order given.
func topological(boxes []*Box, out, in map[*Box][]*Box) []*Box {
	waiting := map[*Box]int{}
	var ready, order []*Box
	for _, b := range boxes {
		if waiting[b] = len(in[b]); waiting[b] == 0 {
			ready = append(ready, b)
		}
	}
	for len(ready) > 0 {
		b := ready[0]
		ready = ready[1:]
		order = append(order, b)
		for _, to := range out[b] {
			if waiting[to]--; waiting[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	return order
}
