package main

import (
	"slices"
	"strings"
)

// nearest returns the candidate that name was most likely meant to be, or "".
// A candidate is near when at most a third of its letters (but always two) were
// mistyped, or when name begins it.
func nearest(name string, candidates []string) string {
	name = strings.ToLower(name)
	best, bestDistance := "", -1
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		d := distance(name, strings.ToLower(c))
		if len(name) >= 3 && strings.HasPrefix(strings.ToLower(c), name) {
			d = 1
		}
		if d > max(2, len(c)/3) || d >= max(len(name), len(c)) {
			continue
		}
		if bestDistance < 0 || d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to get from a to b.
func distance(a, b string) int {
	var before, last, row []int
	row = make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last = last, row
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// didYouMean is the next step after an unknown name: the near one if there is
// one, else where to find the names.
func didYouMean(name string, candidates []string, otherwise string) string {
	if c := nearest(name, candidates); c != "" {
		return "did you mean " + c + "?"
	}
	return otherwise
}
