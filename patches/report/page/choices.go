package page

import (
	"cmp"
	"slices"
)

// A choice is a value that findings can be filtered by.
type choice struct {
	Name  string
	Count int
}

// choices counts what can be chosen among.
func (v *view) choices() {
	rules, pkgs, states := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range v.Findings {
		f := &v.Findings[i]
		rules[f.Rule]++
		pkgs[f.Package]++
		states[f.Status]++
	}
	for _, l := range v.Lists {
		for _, it := range l.Items {
			if _, known := pkgs[it.Package]; !known && it.Package != "" {
				pkgs[it.Package] = 0
			}
		}
	}
	v.Rules, v.Pkgs, v.States = sorted(rules), sorted(pkgs), sorted(states)
}

func sorted(counts map[string]int) []choice {
	var list []choice
	for name, n := range counts {
		list = append(list, choice{name, n})
	}
	slices.SortFunc(list, func(a, b choice) int { return cmp.Compare(a.Name, b.Name) })
	return list
}
