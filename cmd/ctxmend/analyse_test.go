package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/analysis"
)

// analyser returns one that starts the command under test.
func analyser(t *testing.T) *analysis.Child {
	t.Helper()
	self, err := exec.LookPath("ctxmend") // testscript.Main has put it into PATH
	if err != nil {
		t.Fatal(err)
	}
	return &analysis.Child{Program: self, Env: append(os.Environ(), "GOPROXY=off")}
}

// each asks for each of the lists.
func each(lists ...[]string) func(*campaign.Analysis) [][]string {
	return func(*campaign.Analysis) [][]string { return lists }
}

// patchOf plans some units, and nothing else.
func patchOf(t *testing.T, child *analysis.Child, dir string, opts campaign.AnalysisOptions, units ...string) *campaign.Patch {
	t.Helper()
	_, patches, err := child.Analyse(t.Context(), dir, opts, each(units))
	if err != nil {
		t.Fatal(err)
	}
	return patches[0]
}

// unpack writes an archive into a new directory.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestAnalyseShards plans the units of the demo one by one and together: each alone is what it is beside others, and all
// together are what fix makes.
func TestAnalyseShards(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(testdata, "demo"))); err != nil {
		t.Fatal(err)
	}
	child, ctx := analyser(t), t.Context()
	opts := campaign.AnalysisOptions{Level: "review"}
	var fixable []string
	var shards [][]string
	found, patches, err := child.Analyse(ctx, dir, opts, func(found *campaign.Analysis) [][]string {
		for _, u := range found.Units {
			if u.Status == "fixable" {
				fixable = append(fixable, u.ID)
				shards = append(shards, []string{u.ID})
			}
		}
		shards = append(shards, fixable, []string{"builtinkey:gone"})
		return shards
	})
	if err != nil {
		t.Fatal(err)
	}
	if found.Cost.CPU <= 0 || found.Cost.Memory <= 0 || !slices.Equal(found.Modules, []string{"."}) {
		t.Errorf("modules %v, cost %+v", found.Modules, found.Cost)
	}
	if len(fixable) < 4 || len(fixable) == len(found.Units) {
		t.Fatalf("%d of %d units are fixable: too few to part, or none is blocked", len(fixable), len(found.Units))
	}
	gone := patches[len(fixable)+1]
	if len(gone.Units)+len(gone.Changes) != 0 || len(gone.Dropped) != 1 || gone.Dropped[0].Blocker != "there is no such unit any more" {
		t.Errorf("a unit that does not exist: %+v", gone)
	}
	for i, id := range fixable {
		p := patches[i]
		if len(p.Units) != 1 || p.Units[0].ID != id || len(p.Dropped) != 0 {
			t.Errorf("%s alone: %d units, dropped %+v", id, len(p.Units), p.Dropped)
			continue
		}
		u := p.Units[0]
		if u.Title == "" || len(u.Findings) == 0 || u.Check != "type-checked in 1 build configuration" {
			t.Errorf("%s says too little: %+v", id, u)
		}
		hunksAreChanges(t, id, p)
		if len(p.Changes) > len(u.Files) {
			t.Errorf("%s changes more than it says: %v", id, u.Files)
		}
	}
	// What was planned beside others is what is planned by itself.
	alone := patchOf(t, child, dir, opts, fixable[len(fixable)-1])
	if diff := cmp.Diff(alone, patches[len(fixable)-1]); diff != "" {
		t.Errorf("the same shard, the last of many and alone (-alone +last):\n%s", diff)
	}
	all := patches[len(fixable)]
	if len(all.Units) != len(fixable) {
		t.Errorf("all together: %d units of %d; dropped %+v", len(all.Units), len(fixable), all.Dropped)
	}
	hunksAreChanges(t, "all", all)
	var stderr bytes.Buffer
	if code := run([]string{"-C", dir, "fix", "-q", "--level", "review"}, append(os.Environ(), "CTXMEND_CACHE="+t.TempDir()), nil, &bytes.Buffer{}, &stderr); code != exitOK {
		t.Fatalf("fix: %d\n%s", code, &stderr)
	}
	for _, c := range all.Changes {
		fixed, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(c.Name)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(fixed), string(c.After)); diff != "" {
			t.Errorf("%s (-fix +all units):\n%s", c.Name, diff)
		}
	}
}

// hunksAreChanges makes the changes of a patch again from the hunks of its units.
func hunksAreChanges(t *testing.T, what string, p *campaign.Patch) {
	t.Helper()
	for _, c := range p.Changes {
		var hunks []campaign.Hunk
		for _, u := range p.Units {
			for _, h := range u.Hunks {
				if h.File == c.Name && !slices.Contains(hunks, h) {
					hunks = append(hunks, h)
				}
			}
		}
		slices.SortFunc(hunks, func(a, b campaign.Hunk) int { return b.Line - a.Line })
		lines := strings.SplitAfter(string(c.Before), "\n")
		for _, h := range hunks {
			n := strings.Count(h.Before, "\n")
			if got := strings.Join(lines[h.Line-1:h.Line-1+n], ""); got != h.Before {
				t.Errorf("%s: %s:%d is %q before, the hunk has %q", what, h.File, h.Line, got, h.Before)
			}
			lines = slices.Replace(lines, h.Line-1, h.Line-1+n, h.After)
		}
		if got := strings.Join(lines, ""); got != string(c.After) {
			t.Errorf("%s: hunks do not make %s:\n%s", what, c.Name, cmp.Diff(string(c.After), got))
		}
	}
}

// TestAnalyseModules names units of several modules apart, and leaves alone what reaches out of the clone.
func TestAnalyseModules(t *testing.T) {
	const key = `package k

import "context"

func With(ctx context.Context) context.Context { return context.WithValue(ctx, "k", 1) }

func From(ctx context.Context) any { return ctx.Value("k") }
`
	dir := unpack(t, `
-- go.mod --
module example.com/m
go 1.24
-- k.go --
`+key+`
-- tools/go.mod --
module example.com/tools
go 1.24
-- tools/k.go --
`+key+`
-- work/go.work --
go 1.24
use ./one
-- work/one/go.mod --
module example.com/one
go 1.24
-- work/one/k.go --
`+key+`
-- out/go.mod --
module example.com/out
go 1.24
require example.com/elsewhere v0.0.0
replace example.com/elsewhere => ../../elsewhere
-- out/k.go --
`+key+`
-- new/go.mod --
module example.com/new
go 1.999
-- new/k.go --
`+key+`
-- testdata/x/go.mod --
module example.com/x
-- testdata/x/k.go --
`+key)
	child := analyser(t)
	found, _, err := child.Analyse(t.Context(), dir, campaign.AnalysisOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{".", "tools", "work"}; !slices.Equal(found.Modules, want) {
		t.Errorf("modules %v, want %v", found.Modules, want)
	}
	var ids []string
	for _, u := range found.Units {
		ids = append(ids, u.ID)
	}
	if want := []string{`builtinkey:"k"`, `tools:builtinkey:"k"`, `work:builtinkey:"k"`}; !slices.Equal(ids, want) {
		t.Errorf("units %v, want %v", ids, want)
	}
	notes := strings.Join(found.Notes, "\n")
	for _, want := range []string{"out is left alone: it replaces example.com/elsewhere by ../../elsewhere: that lies outside of the repository", "new: go list failed: go: go.mod requires go >= 1.999"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	if strings.Contains(notes, dir) {
		t.Errorf("notes name the directory of this machine:\n%s", notes)
	}
	patch := patchOf(t, child, dir, campaign.AnalysisOptions{}, `work:builtinkey:"k"`, `tools:builtinkey:"k"`)
	var names []string
	for _, c := range patch.Changes {
		names = append(names, c.Name)
	}
	if want := []string{"tools/k.go", "work/one/k.go"}; !slices.Equal(names, want) {
		t.Errorf("changes %v, want %v", names, want)
	}
	hunksAreChanges(t, "two modules", patch)
}

// TestAnalyseUnfit tells what is wrong with a repository apart from what may be better next time.
func TestAnalyseUnfit(t *testing.T) {
	child := analyser(t)
	for name, archive := range map[string]string{
		"no go.mod":    "-- main.go --\npackage main\n",
		"syntax error": "-- go.mod --\nmodule\n",
		"wrong config": "-- go.mod --\nmodule m\n-- m.go --\npackage m\n-- .ctxmend.yaml --\nlevel: reckless\n",
		"one outside":  "-- go.work --\ngo 1.24\nuse ../elsewhere\n",
	} {
		if _, _, err := child.Analyse(t.Context(), unpack(t, archive), campaign.AnalysisOptions{}, nil); !errors.Is(err, campaign.ErrUnfit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := child.Analyse(t.Context(), unpack(t, "-- go.mod --\nmodule m\n-- m.go --\npackage m\n"), campaign.AnalysisOptions{Rules: []string{"nonesuch"}}, nil); err == nil || !strings.Contains(err.Error(), "nonesuch") {
		t.Errorf("an unknown rule: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := child.Analyse(ctx, t.TempDir(), campaign.AnalysisOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
