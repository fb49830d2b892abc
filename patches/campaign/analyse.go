package campaign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// analyse plans the changes of a repository on its default branch. What others can see already is changed
// only where the new plan differs from the old one.
func (e *Engine) analyse(ctx context.Context, t *Task) (Outcome, error) {
	r := t.Repository
	base, err := e.at(ctx, r, r.Base)
	if err != nil && !final(err) {
		return Outcome{}, err
	}
	r.Base = base
	w := &wanting{engine: e, task: t}
	var a *Analysis
	var made []*Patch
	if err == nil {
		a, made, err = e.Analyser.Analyse(ctx, e.dir(r), e.Config.Options(), w.lists)
	}
	if final(err) {
		skip(r, err.Error())
		return Outcome{}, nil
	}
	if err == nil && len(made) != len(w.shards) {
		err = fmt.Errorf("%d patches for %d pull requests", len(made), len(w.shards))
	}
	if err != nil {
		return Outcome{}, err
	}
	r.measure(a, e.Now())
	for _, u := range w.declined {
		r.Notes = append(r.Notes, u.ID+" is left: a pull request with its like was closed here, which means no")
	}
	for i, s := range w.shards {
		for _, u := range made[i].Dropped {
			r.Notes = append(r.Notes, fmt.Sprintf("%s is left for another time: %s", u.ID, u.Blocker))
		}
		if len(made[i].Changes) == 0 {
			w.keys[s.Key] = false
		} else if err := e.plan(t, s, made[i]); err != nil {
			return Outcome{}, err
		}
	}
	for _, c := range t.Changes {
		if !w.keys[c.Shard] {
			unneeded(c)
		}
	}
	r.leave(a, t.Changes)
	r.State, r.Reason, r.Digest = RepositoryAnalysed, "", e.Config.digest()
	return Outcome{Next: toVerify(t.Changes)}, nil
}

// wanting says what is wanted of a repository, once it is known what there is.
type wanting struct {
	engine   *Engine
	task     *Task
	shards   []Shard         // to be planned
	keys     map[string]bool // of those and of others that stay as they are
	declined []Unit
}

// lists returns the units of each shard that is to be planned.
func (w *wanting) lists(a *Analysis) [][]string {
	e, t := w.engine, w.task
	w.shards, w.declined = shards(e.Config.Shard, e.wanted(a.Units), readOwners(e.dir(t.Repository)), t.Changes)
	w.keys = map[string]bool{}
	for _, s := range w.shards {
		w.keys[s.Key] = true
	}
	w.shards = slices.DeleteFunc(w.shards, func(s Shard) bool {
		old := find(t.Changes, s.Key)
		return old != nil && old.Final() && old.State != ChangeObsolete // people have answered
	})
	var lists [][]string
	for _, s := range w.shards {
		lists = append(lists, s.Units)
	}
	return lists
}

// wanted are the units that the campaign is to carry out.
func (e *Engine) wanted(units []Unit) []Unit {
	var list []Unit
	for _, u := range units {
		if u.Status == "fixable" && (u.Applicability == "safe" || u.Applicability == "review" && e.Config.Level == "review") {
			list = append(list, u)
		}
	}
	return list
}

func find(changes []*Change, shard string) *Change {
	for _, c := range changes {
		if c.Shard == shard {
			return c
		}
	}
	return nil
}

// plan makes a change of a patch, or brings the one there is up to date.
func (e *Engine) plan(t *Task, s Shard, patch *Patch) error {
	r, c := t.Repository, find(t.Changes, s.Key)
	if c != nil && c.State == ChangeOpen && (!c.Conflicts || c.Base == r.Base) && same(c.Content.Changes, patch.Changes) && r.Digest == e.Config.digest() {
		c.Reason = ""
		return nil // what people look at is what would be made today
	}
	if c == nil {
		c = &Change{Repository: r.Name, Shard: s.Key, Branch: e.Config.branchName(s.Key)}
		t.Changes = append(t.Changes, c)
	}
	if c.State == ChangePlanned || c.State == ChangeVerified || c.State == ChangeAdmitted {
		if c.Base == r.Base && c.Content != nil && same(c.Content.Changes, patch.Changes) && r.Digest == e.Config.digest() {
			return nil
		}
	}
	words := Words{
		Campaign: string(e.Config.Name), Repository: r.Name, Branch: c.Branch, Base: r.Base.Branch, Commit: r.Base.Commit,
		Shard: s.Label, Summary: summary(patch.Units, s.Label), Units: patch.Units, Verified: e.Config.Verify.names(),
	}
	c.Units = nil
	for _, u := range patch.Units {
		c.Units = append(c.Units, u.ID)
	}
	for _, f := range patch.Changes {
		words.Files = append(words.Files, f.Name)
	}
	title, message, body, err := e.Config.texts(words)
	if err != nil {
		return err
	}
	c.State, c.Reason, c.Verified, c.Commit, c.Conflicts = ChangePlanned, "", nil, "", false
	c.Title, c.Files, c.Base, c.Planned = title, len(patch.Changes), r.Base, e.Now().UTC().Truncate(time.Second)
	c.Content = &Content{Body: body, Message: message, Units: patch.Units, Changes: patch.Changes}
	return nil
}

func same(a, b []FileChange) bool {
	return slices.EqualFunc(a, b, func(x, y FileChange) bool {
		return x.Name == y.Name && bytes.Equal(x.Before, y.Before) && bytes.Equal(x.After, y.After) &&
			(x.Before == nil) == (y.Before == nil) && (x.After == nil) == (y.After == nil)
	})
}

// unneeded is told of a change that the default branch no longer calls for. What is open stays open: people
// see there that it has nothing left to do, and may know better.
func unneeded(c *Change) {
	switch {
	case c.Final():
	case c.Number > 0 || c.Pushed != "":
		c.State, c.Reason = ChangeOpen, "the default branch no longer needs it"
	default:
		c.State, c.Reason = ChangeObsolete, "the default branch no longer needs it"
	}
}

// measure notes what the default branch is like.
func (r *Repository) measure(a *Analysis, now time.Time) {
	m := &Measure{Commit: r.Base.Commit, When: now.UTC().Truncate(time.Second), Cost: a.Cost}
	for _, f := range a.Findings {
		switch f.Status {
		case "suppressed":
			continue
		case "fixable":
			m.Fixable++
		case "blocked":
			m.Blocked++
		}
		m.Findings++
	}
	if r.First == nil {
		r.First = m
	}
	r.Last = m
	r.Notes = slices.Clone(a.Notes)
}

// leave notes the findings that no change mends.
func (r *Repository) leave(a *Analysis, changes []*Change) {
	mended := map[string]bool{}
	for _, c := range changes {
		for _, id := range c.Units {
			mended[id] = mended[id] || !c.Final()
		}
	}
	r.Left = nil
	for _, f := range a.Findings {
		if f.Status != "suppressed" && !mended[f.Unit] {
			r.Left = append(r.Left, f)
		}
	}
}

// commands are what a campaign wants run.
func (v Verification) commands() [][]string {
	var list [][]string
	if v.Build {
		list = append(list, []string{"go", "build", "./..."})
	}
	if v.Vet {
		list = append(list, []string{"go", "vet", "./..."})
	}
	if v.Test {
		list = append(list, []string{"go", "test", "./..."})
	}
	if len(v.Command) > 0 {
		list = append(list, v.Command)
	}
	return list
}

// names are the commands as people read them.
func (v Verification) names() []string {
	var list []string
	for _, args := range v.commands() {
		list = append(list, strings.Join(args, " "))
	}
	return list
}

// Asks tells whether something is to be run.
func (v Verification) Asks() bool { return len(v.commands()) > 0 }

// verify runs what the campaign asks for on the files as the change leaves them, in a directory of their own.
func (e *Engine) verify(ctx context.Context, t *Task) (Outcome, error) {
	c := t.Change
	if c.State != ChangePlanned {
		return Outcome{}, nil
	}
	if moved, out, err := e.onBase(ctx, t); moved || err != nil {
		return out, err
	}
	commit, err := e.Git.Commit(ctx, e.dir(t.Repository), e.commit(c))
	if err != nil {
		return Outcome{}, err
	}
	c.Commit = commit
	defer removeAll(e.dir(t.Repository) + ".cache")
	for _, args := range e.Config.Verify.commands() {
		name := strings.Join(args, " ")
		if e.Sandbox == nil {
			c.State, c.Reason = ChangeRed, name+" was not run: there is no sandbox"
			return Outcome{}, nil
		}
		after, err := e.runOn(ctx, t, commit, args)
		if err != nil {
			return Outcome{}, err
		}
		if after.OK {
			continue
		}
		before, err := e.runOn(ctx, t, c.Base.Commit, args)
		if err != nil {
			return Outcome{}, err
		}
		c.State, c.Reason = ChangeRed, fmt.Sprintf("%s fails: %s", name, after.Reason)
		if !before.OK {
			c.Reason = fmt.Sprintf("%s fails without the change as well: %s", name, before.Reason)
		}
		if out := lastLines(after.Output); out != "" {
			c.Reason += "\n" + out
		}
		return Outcome{}, nil
	}
	c.State, c.Reason, c.Verified = ChangeVerified, "", e.Config.Verify.names()
	return Outcome{}, nil
}

// runOn runs a command on the files of a commit: what the go command is asked in each module that the change edits, other commands at
// the top.
func (e *Engine) runOn(ctx context.Context, t *Task, commit string, args []string) (result SandboxResult, err error) {
	r := t.Repository
	dir := e.dir(r) + ".files"
	if err := removeAll(dir); err != nil {
		return result, err
	}
	defer removeAll(dir)
	into := filepath.Join(dir, filepath.Base(r.Name))
	if err := e.Git.Export(ctx, e.dir(r), commit, into); err != nil {
		return result, err
	}
	modules := []string{"."}
	if !slices.Equal(args, e.Config.Verify.Command) {
		modules = modulesOf(into, t.Change.Content.Changes)
	}
	for _, module := range modules {
		result, err = e.Sandbox.Run(ctx, SandboxCommand{
			Dir: into, In: module, Args: args, Network: e.Config.Verify.Network, Cache: e.dir(r) + ".cache", Time: e.Config.Verify.Time.Value(10 * time.Minute),
		})
		if err != nil || !result.OK {
			if module != "." {
				result.Reason = "in " + module + ": " + result.Reason
			}
			break
		}
	}
	return result, err
}

// modulesOf returns the directories of the modules that files lie in, below top and relative to it: that of the nearest go.mod.
func modulesOf(top string, files []FileChange) []string {
	var list []string
	for _, f := range files {
		dir := path.Dir(f.Name)
		for dir != "." {
			if info, err := os.Lstat(filepath.Join(top, filepath.FromSlash(dir), "go.mod")); err == nil && info.Mode().IsRegular() {
				break
			}
			dir = path.Dir(dir)
		}
		list = append(list, dir)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// removeAll removes a directory in which commands may have made others unwritable.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// lastLines returns the end of what a command printed.
func lastLines(output string) string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(printable(output)), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// onBase makes sure that the clone stands where the change was planned. When the default branch has moved
// since, the repository is planned anew.
func (e *Engine) onBase(ctx context.Context, t *Task) (moved bool, out Outcome, err error) {
	base, err := e.at(ctx, t.Repository, t.Change.Base)
	if err != nil {
		return false, Outcome{}, err
	}
	if base == t.Change.Base {
		return false, Outcome{}, nil
	}
	t.Change.State = ChangePlanned
	return true, Outcome{Next: []Next{{Step: StepClone}}}, nil
}

// commit is what a change's commit is made of: the same each time.
func (e *Engine) commit(c *Change) Commit {
	return Commit{
		Parent: c.Base.Commit, Changes: c.Content.Changes, Message: c.Content.Message,
		Name: e.Config.Commit.Name, Email: string(e.Config.Commit.Email), When: c.Planned,
	}
}
