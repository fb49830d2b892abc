package valuechain

import (
	_ "embed"
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "valuechain"

// minimum is how many values make a row worth a struct.
const minimum = 3

// Rule reports values that are attached one by one and read together.
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Levels: []rules.Applicability{rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	c := pass.Census
	chains := slices.DeleteFunc(c.Chains(), func(ch *census.Chain) bool { return len(ch.Keys()) < minimum })
	if len(chains) == 0 {
		return nil
	}
	together := c.ReadTogether()
	var list []*rules.Finding
	for _, ch := range chains {
		group, at := largest(ch, chains, together)
		if len(group) >= minimum {
			list = append(list, finding(ch, group, at))
		}
	}
	return list
}

// largest returns the most keys of a chain that one function reads together and that belong together, with
// that function.
func largest(ch *census.Chain, chains []*census.Chain, together []*census.Together) (group []*census.Key, at *census.Together) {
	for _, t := range together {
		keys := slices.DeleteFunc(ch.Keys(), func(k *census.Key) bool {
			return !slices.ContainsFunc(t.Reads, func(s *census.Site) bool { return s.Key == k })
		})
		if keys = belonging(keys, chains); len(keys) > len(group) {
			group, at = keys, t
		}
	}
	return group, at
}

// belonging returns the most of the keys that are stored together and never one without the others.
func belonging(keys []*census.Key, chains []*census.Chain) []*census.Key {
	company := map[*census.Key][]*census.Key{}
	for _, k := range keys {
		company[k] = storedWith(k, keys, chains)
	}
	var best []*census.Key
	for _, seed := range keys {
		var group []*census.Key
		for _, k := range append([]*census.Key{seed}, keys...) {
			apart := func(have *census.Key) bool {
				return have == k || !slices.Contains(company[have], k) || !slices.Contains(company[k], have)
			}
			if slices.Contains(company[k], k) && !slices.ContainsFunc(group, apart) {
				group = append(group, k)
			}
		}
		if len(group) > len(best) {
			best = group
		}
	}
	return best
}

// storedWith returns which of the keys every writer of a key, those in tests aside, stores as well.
func storedWith(key *census.Key, keys []*census.Key, chains []*census.Chain) []*census.Key {
	for _, s := range key.Sites {
		if s.Role != census.Writer || s.File.Test {
			continue
		}
		i := slices.IndexFunc(chains, func(ch *census.Chain) bool {
			return slices.ContainsFunc(ch.Links, func(l *census.Site) bool { return l.Lookup.Call == s.Lookup.Call })
		})
		if i < 0 {
			return nil
		}
		have := chains[i].Keys()
		keys = slices.DeleteFunc(slices.Clone(keys), func(k *census.Key) bool { return !slices.Contains(have, k) })
	}
	return keys
}

// finding reports a chain at its first link.
func finding(ch *census.Chain, group []*census.Key, at *census.Together) *rules.Finding {
	var names []string
	var links []*census.Site
	for _, s := range ch.Links {
		if slices.Contains(group, s.Key) {
			links = append(links, s)
			if text := types.ExprString(s.Expr); !slices.Contains(names, text) {
				names = append(names, text)
			}
		}
	}
	f := &rules.Finding{
		Rule: name,
		Message: fmt.Sprintf("%d values (%s) are attached one by one and read together by %s: every look-up walks the links; one struct under one key says that they belong together",
			len(group), strings.Join(names, ", "), at.Func.Name.Name),
		File: links[0].File, Pos: links[0].Lookup.Call.Fun.Pos(), End: links[0].Lookup.Call.Fun.End(),
		Key: group[0].Name(), Applicability: rules.Manual, Status: rules.NoFix,
	}
	for _, s := range links[1:] {
		f.Related = append(f.Related, rules.Related{File: s.File, Pos: s.Expr.Pos(), Message: "attached here"})
	}
	for _, s := range at.Reads {
		if slices.Contains(group, s.Key) {
			f.Related = append(f.Related, rules.Related{File: s.File, Pos: s.Expr.Pos(), Message: "read here"})
		}
	}
	return f
}
