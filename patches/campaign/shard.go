package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Shard is what one pull request holds.
type Shard struct {
	Key   string   // the same each time for the same purpose
	Label string   // for people; "" where there is one for all
	Units []string // identifiers, in the order of the analysis
}

// shards parts the units that are to be carried out. Units that a change of old already holds stay with it,
// so that what has been merged elsewhere moves nothing from one pull request to another. Where people have closed a pull
// request of a group, they have said no to all of the group: its other units are declined, and not asked about again.
func shards(s Sharding, units []Unit, owners Owners, old []*Change) (_ []Shard, declined []Unit) {
	home := map[string]string{}
	for _, c := range old {
		for _, id := range c.Units {
			if _, taken := home[id]; !taken && c.State != ChangeObsolete {
				home[id] = c.Shard
			}
		}
	}
	var list []Shard
	at := map[string]int{} // index by key
	files := map[string]map[string]bool{}
	add := func(key, label string, u Unit) {
		i, ok := at[key]
		if !ok {
			i = len(list)
			at[key], files[key] = i, map[string]bool{}
			list = append(list, Shard{Key: key, Label: label})
		}
		list[i].Units = append(list[i].Units, u.ID)
		for _, f := range u.Files {
			files[key][f] = true
		}
	}
	fits := func(key string, u Unit) bool {
		i, ok := at[key]
		if !ok {
			return true
		}
		more := 0
		for _, f := range u.Files {
			if !files[key][f] {
				more++
			}
		}
		return (s.MaxUnits == 0 || len(list[i].Units) < s.MaxUnits) && (s.MaxFiles == 0 || len(files[key])+more <= s.MaxFiles)
	}
	var fresh []Unit
	for _, u := range units {
		if key, ok := home[u.ID]; ok {
			_, label := s.of(u, owners)
			add(key, label, u)
			continue
		}
		fresh = append(fresh, u)
	}
	used := map[string]bool{} // shards that exist or existed: a finished one gets nothing new
	for _, c := range old {
		used[c.Shard] = c.Final()
	}
	open := map[string]string{} // the shard that units of a group go to
	for _, u := range fresh {
		group, label := s.of(u, owners)
		if slices.ContainsFunc(old, func(c *Change) bool { return c.State == ChangeClosed && ofGroup(c.Shard, group) }) {
			declined = append(declined, u)
			continue
		}
		key := open[group]
		if key == "" && !used[group] {
			key = group
		}
		if key == "" || !fits(key, u) {
			key = group
			if _, ok := at[group]; ok || used[group] {
				// A further shard is called after its first unit: a number would mean another one when units come and go.
				key = further(group, u)
			}
		}
		open[group] = key
		add(key, label, u)
	}
	slices.SortFunc(list, func(a, b Shard) int { return strings.Compare(a.Key, b.Key) })
	return list, declined
}

// further is the key of one more shard of a group.
func further(group string, first Unit) string { return group + "+" + short(first.ID) }

// ofGroup tells whether a key is that of a group's shard, or of a further one of it.
func ofGroup(key, group string) bool {
	rest, ok := strings.CutPrefix(key, group)
	return ok && (rest == "" || furtherForm.MatchString(rest))
}

var furtherForm = regexp.MustCompile(`^\+[0-9a-f]{8}$`)

// of returns the group that a unit belongs to, and what people call it.
func (s Sharding) of(u Unit, owners Owners) (group, label string) {
	switch s.By {
	case "unit":
		return u.ID, at(u)
	case "rule":
		return u.Rule, u.Rule
	case "owner":
		who := owners.Of(u.Files)
		if len(who) == 0 {
			return "unowned", "no owner"
		}
		return strings.Join(who, " "), strings.Join(who, ", ")
	case "directory":
		dir := s.directory(u.Files)
		if dir == "." {
			return dir, "top directory"
		}
		return dir, dir
	}
	return "all", ""
}

// directory returns the deepest directory, at most Depth deep, that all files lie in.
func (s Sharding) directory(files []string) string {
	var common []string
	for i, f := range files {
		var parts []string
		if dir := path.Dir(f); dir != "." {
			parts = strings.Split(dir, "/")
		}
		if i == 0 {
			common = parts
		}
		n := 0
		for n < len(common) && n < len(parts) && common[n] == parts[n] {
			n++
		}
		common = common[:n]
	}
	if len(common) > s.Depth {
		common = common[:s.Depth]
	}
	if len(common) == 0 {
		return "."
	}
	return strings.Join(common, "/")
}

func short(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// branchName names the branch of a shard: for the same campaign and shard always the same one.
func (c *Config) branchName(key string) string {
	name := string(c.Branch) + string(c.Name)
	if key == "all" {
		return name
	}
	// The hash tells apart what reads alike once letters that branches cannot have are gone, and
	// for file systems that take upper and lower case for the same.
	return name + "-" + strings.ToLower(slug(key)) + "-" + short(key)
}
