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
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

// A row is a chain with those of its values that belong together. A chain can be several rows.
type row struct {
	chain *census.Chain
	group []*census.Key
	at    *census.Together
}

func run(pass *rules.Pass) []*rules.Finding {
	c := pass.Census
	together := slices.DeleteFunc(c.ReadTogether(), func(t *census.Together) bool { return len(t.Reads) < minimum })
	if len(together) == 0 {
		return nil
	}
	chains := slices.DeleteFunc(c.Chains(), func(ch *census.Chain) bool { return len(ch.Keys()) < minimum })
	var rows []*row
	for _, ch := range chains {
		keys := ch.Keys()
		for len(keys) >= minimum {
			group, at := largest(c, keys, chains, together)
			if len(group) < minimum {
				break
			}
			rows = append(rows, &row{ch, group, at})
			keys = slices.DeleteFunc(keys, func(k *census.Key) bool { return slices.Contains(group, k) })
		}
	}
	var list []*rules.Finding
	for _, r := range rows {
		list = append(list, finding(r.chain, r.group, r.at))
	}
	fix(rows, list)
	found := composed(c, together, func(keys []*census.Key) bool {
		return slices.ContainsFunc(rows, func(r *row) bool {
			return !slices.ContainsFunc(keys, func(k *census.Key) bool { return !slices.Contains(r.group, k) })
		})
	})
	return append(list, found...)
}

// fix gives the rows of the same values one fix: rows that share one of them share them all.
func fix(rows []*row, list []*rules.Finding) {
	done := make([]bool, len(rows))
	for i, first := range rows {
		if done[i] {
			continue
		}
		in := &rules.JoinValues{Keys: first.group}
		fx := &rules.Fix{Title: "make them fields of one struct", Applicability: rules.Review, Intent: in}
		for j, r := range rows {
			if !done[j] && slices.ContainsFunc(r.group, func(k *census.Key) bool { return slices.Contains(first.group, k) }) {
				done[j] = true
				in.Chains = append(in.Chains, r.chain)
				list[j].Fix = fx
			}
		}
	}
}

// largest returns the most of a chain's keys that one function reads together and that belong together, with
// that function.
func largest(c *census.Census, chain []*census.Key, chains []*census.Chain, together []*census.Together) (group []*census.Key, at *census.Together) {
	for _, t := range together {
		keys := slices.DeleteFunc(slices.Clone(chain), func(k *census.Key) bool {
			return !slices.ContainsFunc(t.Reads, func(s *census.Site) bool { return s.Key == k })
		})
		if keys = belonging(c, keys, chains); len(keys) > len(group) {
			group, at = keys, t
		}
	}
	return group, at
}

// belonging returns the most of the keys that are stored together: never one without the others, or, where that leaves too few, with
// some set again by themselves.
func belonging(c *census.Census, keys []*census.Key, chains []*census.Chain) []*census.Key {
	if group := inseparable(c, keys, chains, false); len(group) >= minimum {
		return group
	}
	return inseparable(c, keys, chains, true)
}

// inseparable returns the most of the keys that every chain stores together; alone allows a key one writer by itself for each chain.
func inseparable(c *census.Census, keys []*census.Key, chains []*census.Chain, alone bool) []*census.Key {
	company := map[*census.Key]map[*census.Key]bool{}
	for _, k := range keys {
		company[k] = map[*census.Key]bool{}
		for _, with := range storedWith(c, k, keys, chains, alone) {
			company[k][with] = true
		}
	}
	var best []*census.Key
	for _, seed := range keys {
		if len(best) == len(keys) {
			break
		}
		var group []*census.Key
		for _, k := range append([]*census.Key{seed}, keys...) {
			apart := func(have *census.Key) bool {
				return have == k || !company[have][k] || !company[k][have]
			}
			if company[k][k] && !slices.ContainsFunc(group, apart) {
				group = append(group, k)
			}
		}
		if len(group) > len(best) {
			best = group
		}
	}
	return best
}

// storedWith returns which of the keys every chain that stores a key stores as well; none when the key has a writer
// of its own in an ordinary file, or more of them than chains where alone allows that. A function that is called to store
// the value is one writer of its own, when some of its calls are links of no chain.
func storedWith(c *census.Census, key *census.Key, keys []*census.Key, chains []*census.Chain, alone bool) []*census.Key {
	single, rows := 0, 0
	link := func(s *census.Site) bool {
		i := slices.IndexFunc(chains, func(ch *census.Chain) bool {
			return slices.ContainsFunc(ch.Links, func(l *census.Site) bool { return l.Lookup.Call == s.Lookup.Call })
		})
		if i < 0 {
			return false
		}
		rows++
		have := map[*census.Key]bool{}
		for _, l := range chains[i].Links {
			have[l.Key] = true
		}
		keys = slices.DeleteFunc(slices.Clone(keys), func(k *census.Key) bool { return !have[k] })
		return true
	}
	for _, s := range key.Sites {
		if s.Role != census.Writer || s.File.Test {
			continue
		}
		calls, others := c.Calls(s)
		calls = slices.DeleteFunc(calls, func(s *census.Site) bool { return s.File.Test })
		if len(calls) == 0 {
			others = !link(s)
		}
		for _, call := range calls {
			others = !link(call) || others
		}
		if others {
			single++
		}
	}
	if single > 0 && (!alone || single > rows) {
		return nil
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
			key := s.Expr
			if s.Via != nil {
				key = s.Via.Site.Expr
			}
			if text := types.ExprString(key); !slices.Contains(names, text) {
				names = append(names, text)
			}
		}
	}
	f := &rules.Finding{
		Rule: name,
		Message: fmt.Sprintf("%d values (%s) are attached one by one and read together by %s: every look-up walks the links; one struct under one key says that they belong together",
			len(group), strings.Join(names, ", "), at.Func.Name.Name),
		File: links[0].File, Pos: links[0].Lookup.Call.Fun.Pos(), End: links[0].Lookup.Call.Fun.End(),
		Key: group[0].Name(), Applicability: rules.Review,
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
