package forge

import (
	"cmp"
	"slices"
	"strings"
)

// Sorted sorts repositories by name and drops what a list that changed while its pages were read has twice.
func Sorted(all []Repository) []Repository {
	slices.SortFunc(all, func(a, b Repository) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b Repository) bool { return a.Name == b.Name })
}

// NewestFirst sorts pull requests by number, the highest first, and drops what is there twice.
func NewestFirst(all []PullRequest) []PullRequest {
	slices.SortFunc(all, func(a, b PullRequest) int { return cmp.Compare(b.Number, a.Number) })
	return slices.CompactFunc(all, func(a, b PullRequest) bool { return a.Number == b.Number })
}

// Missing is what of the names wanted is not among those there, each once. No forge tells upper from lower case in the names of
// people and teams, and labels that differ in nothing else are not worth having.
func Missing(wanted, there []string) []string {
	var missing []string
	for _, w := range wanted {
		same := func(name string) bool { return strings.EqualFold(name, w) }
		if !slices.ContainsFunc(there, same) && !slices.ContainsFunc(missing, same) {
			missing = append(missing, w)
		}
	}
	return missing
}
