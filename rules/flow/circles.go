package flow

import (
	"go/types"
	"math"
)

// A question is one about a parameter, the answer to which may depend on the same question about others.
type question struct {
	v    *types.Var
	what string
}

// circles remembers what questions came to. Functions may call one another in a circle: while a question is being looked at,
// its answer is taken to be the usual one, and answers that rest on this count only as long as it turns out so. An answer that differs
// never rests on it. So none depends on which question came first.
type circles struct {
	known map[question]bool
	open  map[question]int // index in stack
	stack []question
	low   int // the lowest index that the question being looked at rests on
}

func newCircles() *circles {
	return &circles{known: map[question]bool{}, open: map[question]int{}, low: math.MaxInt}
}

// ask returns the answer to a question, which find looks for.
func (a *circles) ask(q question, find func() bool) bool {
	usual := usually[q.what]
	if answer, ok := a.known[q]; ok {
		return answer
	}
	if i, ok := a.open[q]; ok {
		a.low = min(a.low, i)
		return usual
	}
	outer, i := a.low, len(a.stack)
	a.open[q], a.low = i, math.MaxInt
	a.stack = append(a.stack, q)
	answer := find()
	low := a.low
	a.low = outer
	switch {
	case answer != usual:
		a.close(i, false)
		a.known[q] = answer
	case low >= i:
		a.close(i, true)
	default:
		a.low = min(outer, low)
	}
	return answer
}

// close forgets the questions from an index on that rest on what is not known; they keep the usual answers if those hold.
func (a *circles) close(i int, holds bool) {
	for _, q := range a.stack[i:] {
		delete(a.open, q)
		if holds {
			a.known[q] = usually[q.what]
		}
	}
	a.stack = a.stack[:i]
}

// usually has the usual answers: no context is kept, and all are only looked at.
var usually = map[string]bool{"keeps": false, "looks": true}
