package campaign

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/internal/config"
)

func TestWindows(t *testing.T) {
	office := Window{Days: []string{"monday", "tuesday"}, Hours: "09:00-17:00", Zone: "Europe/Berlin"}
	night := Window{Days: []string{"friday"}, Hours: "22:00-05:00", Zone: "UTC"}
	for _, tt := range []struct {
		window    Window
		now, want string
	}{
		{office, "2026-03-02T08:30:00Z", "2026-03-02T08:30:00Z"}, // Monday 09:30 in Berlin
		{office, "2026-03-02T07:30:00Z", "2026-03-02T08:00:00Z"},
		{office, "2026-03-02T16:00:00Z", "2026-03-03T08:00:00Z"}, // closed at five
		{office, "2026-03-03T16:30:00Z", "2026-03-09T08:00:00Z"},
		{office, "2026-03-28T12:00:00Z", "2026-03-30T07:00:00Z"}, // clocks go forward in between
		{night, "2026-03-06T23:00:00Z", "2026-03-06T23:00:00Z"},  // Friday night
		{night, "2026-03-07T04:59:00Z", "2026-03-07T04:59:00Z"},  // still that night
		{night, "2026-03-07T05:00:00Z", "2026-03-13T22:00:00Z"},
		{Window{Zone: "UTC"}, "2026-03-07T05:00:00Z", "2026-03-07T05:00:00Z"},
		{Window{Hours: "18:00-24:00", Zone: "UTC"}, "2026-03-07T23:59:00Z", "2026-03-07T23:59:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.window.opens(now).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("%v at %s opens at %s, want %s", tt.window, tt.now, got, tt.want)
		}
	}
}

// TestPerHour lets so many through within any hour.
func TestPerHour(t *testing.T) {
	cfg := &Config{Limits: Limits{PerHour: 2, OpenPerRepository: 1}, Window: Window{Zone: "UTC"}}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var repositories []*Repository
	var changes []*Change
	for i := range 4 {
		name := fmt.Sprintf("o/%d", i)
		repositories = append(repositories, &Repository{Name: name, Order: i, State: RepositoryAnalysed})
		changes = append(changes, &Change{Repository: name, Shard: "all", State: ChangeVerified})
	}
	changes[0].State, changes[0].Admitted = ChangeMerged, now.Add(-30*time.Minute) // done with, and still one of this hour
	admit, waiting := Gate(cfg, now, repositories, changes)
	if len(admit) != 1 || admit[0] != changes[1] || len(waiting) != 2 {
		t.Fatalf("%d admitted, %d wait", len(admit), len(waiting))
	}
	if want := now.Add(30 * time.Minute); !waiting[0].Until.Equal(want) {
		t.Errorf("the next one goes at %s, want %s", waiting[0].Until, want)
	}
}

func TestOwners(t *testing.T) {
	owners := parseOwners([]byte(`# comment
*            @all
*.go         @gophers   # at the end
/docs/       @writers
docs/*       @near
apps/        @apps
/build/logs/ @doctor
a/**/z.go    @deep
no\ owner.txt
[Backend] @backend
server/
`))
	for file, want := range map[string]string{
		"README":           "@all",
		"x/y.go":           "@gophers",
		"docs/x.md":        "@near",
		"docs/deep/x.md":   "@writers",
		"x/apps/a.txt":     "@apps",
		"build/logs/a":     "@doctor",
		"x/build/logs/a":   "@all",
		"a/z.go":           "@deep",
		"a/b/c/z.go":       "@deep",
		"no owner.txt":     "",
		"server/main.java": "@backend",
	} {
		if got := strings.Join(owners.Of([]string{file}), " "); got != want {
			t.Errorf("%s is owned by %q, want %q", file, got, want)
		}
	}
	if got := owners.Of([]string{"x/y.go", "docs/x.md", "x/z.go"}); !slices.Equal(got, []string{"@gophers", "@near"}) {
		t.Errorf("together: %v", got)
	}
}

func units(names ...string) []Unit {
	var list []Unit
	for _, n := range names {
		rule, rest, _ := strings.Cut(n, ":")
		list = append(list, Unit{ID: n, Rule: rule, Title: n, Files: strings.Split(rest, ",")})
	}
	return list
}

func keys(list []Shard) string {
	var out []string
	for _, s := range list {
		out = append(out, s.Key+"="+strings.Join(s.Units, " "))
	}
	return strings.Join(out, "; ")
}

func TestShards(t *testing.T) {
	all := units("r1:a/b/x.go", "r2:a/c/y.go", "r1:d/z.go,d/w.go", "r3:m.go,a/b/x.go")
	for _, tt := range []struct {
		shard Sharding
		want  string
	}{
		{Sharding{By: "all"}, "all=r1:a/b/x.go r2:a/c/y.go r1:d/z.go,d/w.go r3:m.go,a/b/x.go"},
		{Sharding{By: "rule"}, "r1=r1:a/b/x.go r1:d/z.go,d/w.go; r2=r2:a/c/y.go; r3=r3:m.go,a/b/x.go"},
		{Sharding{By: "directory", Depth: 1}, ".=r3:m.go,a/b/x.go; a=r1:a/b/x.go r2:a/c/y.go; d=r1:d/z.go,d/w.go"},
		{Sharding{By: "directory", Depth: 2}, ".=r3:m.go,a/b/x.go; a/b=r1:a/b/x.go; a/c=r2:a/c/y.go; d=r1:d/z.go,d/w.go"},
		{Sharding{By: "owner"}, "@a=r1:a/b/x.go r2:a/c/y.go; @a @top=r3:m.go,a/b/x.go; unowned=r1:d/z.go,d/w.go"},
	} {
		if got := keys(allOf(shards(tt.shard, all, parseOwners([]byte("/a/ @a\n/m.go @top\n")), nil))); got != tt.want {
			t.Errorf("%v:\n%s\nwant\n%s", tt.shard, got, tt.want)
		}
	}
}

// TestShardsStay: units stay in the pull request they are in, whatever goes away or comes; nothing joins one that is finished.
func TestShardsStay(t *testing.T) {
	s := Sharding{By: "all", MaxUnits: 2}
	before, _ := shards(s, units("r:1", "r:2", "r:3", "r:4", "r:5"), Owners{}, nil)
	if len(before) != 3 || len(before[0].Units) != 2 {
		t.Fatalf("%s", keys(before))
	}
	var old []*Change
	for _, one := range before {
		old = append(old, &Change{Shard: one.Key, Units: one.Units, State: ChangeOpen})
	}
	// r:1 has been mended by somebody, r:6 is new.
	after, _ := shards(s, units("r:2", "r:3", "r:4", "r:5", "r:6"), Owners{}, old)
	for _, one := range after {
		was := find(old, one.Key)
		for _, u := range one.Units {
			if u != "r:6" && (was == nil || !slices.Contains(was.Units, u)) {
				t.Errorf("%s has moved: %s, before %s", u, keys(after), keys(before))
			}
		}
	}
	for _, c := range old {
		c.State = ChangeMerged
	}
	list, declined := shards(s, units("r:9"), Owners{}, old)
	for _, one := range list {
		if find(old, one.Key) != nil {
			t.Errorf("%s joins a pull request that is merged", one.Key)
		}
	}
	if len(list) != 1 || len(declined) != 0 {
		t.Errorf("after merges: %s, declined %v", keys(list), declined)
	}
}

// TestClosedMeansNo: what comes later of a group whose pull request was closed is not proposed either; other groups are.
func TestClosedMeansNo(t *testing.T) {
	for _, tt := range []struct {
		shard          Sharding
		closed         string
		want, declined int
	}{
		{Sharding{By: "all"}, "all", 0, 2},
		{Sharding{By: "all"}, "all+0123abcd", 0, 2},
		{Sharding{By: "rule"}, "r", 1, 1},
		{Sharding{By: "unit"}, "r:1", 2, 0}, // another unit
		{Sharding{By: "directory", Depth: 1}, "al", 1, 0},
	} {
		old := []*Change{{Shard: tt.closed, Units: []string{"r:1"}, State: ChangeClosed}}
		fresh := units("r:2", "q:1")
		fresh[1].Rule = "q"
		list, declined := shards(tt.shard, fresh, Owners{}, old)
		if len(list) != tt.want || len(declined) != tt.declined {
			t.Errorf("%v, %s closed: %s, declined %v", tt.shard, tt.closed, keys(list), declined)
		}
	}
}

func allOf(list []Shard, _ []Unit) []Shard { return list }

// TestBranchNames: names that git takes, different for different shards, also where upper and lower case are the same.
func TestBranchNames(t *testing.T) {
	c := &Config{Name: "keys", Branch: "ctxmend/"}
	seen := map[string]string{}
	for _, key := range []string{"all", `builtinkey:"user"`, `builtinkey:"User"`, "a/b", "a-b", "..", "@{", "x.lock", "ü", strings.Repeat("x/", 200)} {
		name := c.branchName(key)
		if other, ok := seen[strings.ToLower(name)]; ok {
			t.Errorf("%q and %q are both %s", key, other, name)
		}
		seen[strings.ToLower(name)] = key
		if strings.ContainsAny(name, " ~^:?*[\\\"@{}") || strings.Contains(name, "..") || strings.HasSuffix(name, ".lock") || len(name) > 120 || !strings.HasPrefix(name, "ctxmend/keys") {
			t.Errorf("%q makes the branch %s", key, name)
		}
	}
}

// TestBodies: what a repository calls its things cannot mention people, close code or hide, and a body fits.
func TestBodies(t *testing.T) {
	c := &Config{Name: "keys"}
	words := sample
	words.Units = slices.Clone(sample.Units)
	words.Units[0].Title = "give \"@everyone\" `<script>` a\u202etype\n\n# heading"
	words.Units[0].Hunks = nil
	for i := range 5000 {
		words.Units[0].Hunks = append(words.Units[0].Hunks, Hunk{File: "a.go", Line: i, Before: "// ````\n", After: "x\n"})
	}
	title, message, body, err := c.texts(words)
	if err != nil {
		t.Fatal(err)
	}
	if len(body) > maxBody || strings.ContainsAny(title, "\n\u202e") {
		t.Errorf("the body has %d bytes, the title is %q", len(body), title)
	}
	for _, bad := range []string{"@everyone", "<script>", "\u202e", "\n# heading"} {
		if strings.Contains(strings.Split(body, "<details>")[0], bad) {
			t.Errorf("the body contains %q", bad)
		}
	}
	if strings.Contains(body, "\n```diff\n-// ````") {
		t.Error("a fence of four closes one of three")
	}
	if !strings.HasSuffix(message, "\n\nCtxmend-Campaign: keys\n") {
		t.Errorf("the message ends without the trailer: %q", message)
	}
}

// TestMistakes: what is wrong with a campaign.yaml is told with its place.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"name: a\n": "1:1: targets is missing",
		"name: A b\ntargets: {directories: [x]}\n":                                       "1:7: name: \"A b\" is not a name",
		"name: a\ntargets: {repositories: [o/r]}\n":                                      "targets name repositories of a forge",
		"name: a\nforge: {kind: gitea}\ntargets: {topic: go}\n":                          "2:15: forge.url is missing",
		"name: a\nforge: {kind: github, url: 'https://me:pw@x'}\ntargets: {topic: go}\n": "has credentials in it",
		"name: a\ntargets: {directories: [x]}\nrules: [builtinkey, bultinkey]\n":         "3:8: unknown rule \"bultinkey\"",
		"name: a\ntargets: {directories: [x]}\npull_request: {title: '{{.Nope}}'}\n":     "is not a template that works",
		"name: a\ntargets: {directories: [x]}\nwindow: {hours: 9-17}\n":                  "is not a span of the day",
		"name: a\ntargets: {directories: [x]}\nwindow: {zone: Mars}\n":                   "is not a time zone",
		"name: a\ntargets: {directories: [x]}\nlimits: {per_hour: 0}\n":                  "want a number from 1",
		"name: a\ntargets: {directories: [x]}\nlimitz: {}\n":                             "3:1: unknown field \"limitz\"",
		"": "1: the file is empty",
	} {
		_, err := Parse([]byte(text), []string{"builtinkey"})
		var wrong config.Errors
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestExample: the file that the help shows is right and makes every setting there is.
func TestExample(t *testing.T) {
	rules := []string{"builtinkey", "sharedkey", "splitkey"}
	if _, err := Parse([]byte(Example()), rules); err != nil {
		t.Fatal(err)
	}
	values, err := config.Decode([]byte(Example()), &Config{}, rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"forge.token_env", "targets.max_size", "shard.max_files", "commit.message", "pull_request.draft", "verify.time", "limits.clones", "canary.until", "window.zone"} {
		if _, ok := values[path]; !ok {
			t.Errorf("the example does not set %s", path)
		}
	}
}
