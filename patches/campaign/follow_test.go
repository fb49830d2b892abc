package campaign

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// A told forge says what it is given.
type toldForge struct {
	forge.Forge
	requests []forge.PullRequest
	status   forge.Status
	closed   []int
}

func (f *toldForge) PullRequests(context.Context, string, string) ([]forge.PullRequest, error) {
	return f.requests, nil
}

func (f *toldForge) Status(context.Context, string, int) (forge.Status, error) { return f.status, nil }

func (f *toldForge) Close(_ context.Context, _ string, number int, _ string) error {
	f.closed = append(f.closed, number)
	return nil
}

func (f *toldForge) Access() forge.Access { return forge.Access{} }

// A told git says what it is given.
type toldGit struct {
	Git
	branch  Branch
	deleted string
}

func (g *toldGit) Delete(_ context.Context, _ Remote, _, _, expected string) error {
	g.deleted = expected
	return nil
}

func (g *toldGit) Clone(context.Context, Remote, string) (Base, error) {
	return Base{"main", "base"}, nil
}

func (g *toldGit) Branch(context.Context, Remote, string, string) (Branch, error) {
	return g.branch, nil
}

func following(f *toldForge, g *toldGit, c *Change) (*Engine, *Task) {
	e := &Engine{Config: &Config{Name: "keys"}, Forge: f, Git: g, Now: func() time.Time { return time.Unix(1e9, 0) }}
	e.Config.Commit.Name, e.Config.Commit.Email = "Mender", "mender@example.com"
	return e, &Task{Mode: ModeRun, Repository: &Repository{Name: "a/b"}, Change: c}
}

// TestForgeLagsBehind has a forge that has not taken note of our last push: the branch says whose it is.
func TestForgeLagsBehind(t *testing.T) {
	mine := CommitInfo{Hash: "new", CommitterName: "Mender", CommitterEmail: "mender@example.com", Message: "x\n\n" + trailer("keys") + "\n"}
	for name, tt := range map[string]struct {
		branch Branch
		want   ChangeState
		reason string
	}{
		"the forge is late":  {Branch{"new", []CommitInfo{mine}}, ChangeOpen, ""},
		"somebody committed": {Branch{"theirs", []CommitInfo{{Hash: "theirs", CommitterName: "Ann"}, mine}}, ChangeForeign, "Ann committed to the branch"},
		"somebody amended":   {Branch{"theirs", []CommitInfo{{Hash: "theirs", CommitterName: "Ann", Message: mine.Message}}}, ChangeForeign, "Ann committed to the branch"},
		"somebody reset it":  {Branch{"older", nil}, ChangeForeign, "moved to older by somebody else"},
	} {
		f := &toldForge{status: forge.Status{PullRequest: forge.PullRequest{State: forge.Open, HeadSHA: "old"}}}
		e, task := following(f, &toldGit{branch: tt.branch}, &Change{Repository: "a/b", State: ChangeOpen, Pushed: "new", Number: 1})
		out, err := e.Do(t.Context(), StepFollow, task)
		if c := task.Change; err != nil || c.State != tt.want || !strings.Contains(c.Reason, tt.reason) {
			t.Errorf("%s: %s, %q, %v", name, c.State, c.Reason, err)
		}
		if out.Wait.IsZero() {
			t.Errorf("%s: it is not followed further", name)
		}
	}
}

// TestFollowWithoutNumber has a change whose pull request was opened by a step that was killed before it could store that, and which
// nothing has opened again since, because the default branch no longer needs it.
func TestFollowWithoutNumber(t *testing.T) {
	c := &Change{Repository: "a/b", State: ChangePushed, Pushed: "new"}
	unneeded(c)
	f := &toldForge{requests: []forge.PullRequest{{Number: 7, URL: "u", State: forge.Open}}, status: forge.Status{PullRequest: forge.PullRequest{State: forge.Open, HeadSHA: "new"}}}
	e, task := following(f, &toldGit{}, c)
	if out, err := e.Do(t.Context(), StepFollow, task); err != nil || c.Number != 7 || c.URL != "u" || c.State != ChangeOpen || out.Wait.IsZero() {
		t.Errorf("%+v, %v", c, err)
	}
	c.Number, f.requests[0].State = 0, forge.Closed
	if _, err := e.Do(t.Context(), StepFollow, task); err != nil || c.State != ChangeClosed || c.Number != 7 {
		t.Errorf("closed meanwhile: %+v, %v", c, err)
	}
	never := &Change{Repository: "a/b", State: ChangeVerified}
	e, task = following(f, &toldGit{}, never)
	if _, err := e.Do(t.Context(), StepFollow, task); err != nil || never.State != ChangeVerified {
		t.Errorf("never pushed: %+v, %v", never, err)
	}
}

// TestWithdrawnWhilePublishing has a pull request opened, and a branch pushed, by steps that were under way when the change was withdrawn
// by another process. They cannot store what they did, and are done again.
func TestWithdrawnWhilePublishing(t *testing.T) {
	mine := CommitInfo{Hash: "new", CommitterName: "Mender", CommitterEmail: "mender@example.com", Message: "x\n\n" + trailer("keys") + "\n"}
	for _, step := range []Step{StepPush, StepOpen} {
		f, g := &toldForge{}, &toldGit{branch: Branch{"new", []CommitInfo{mine}}}
		if step == StepOpen {
			f.requests = []forge.PullRequest{{Number: 7, State: forge.Open}}
		}
		e, task := following(f, g, &Change{Repository: "a/b", State: ChangeWithdrawn, Pushed: "old"})
		task.Mode = ModeClose
		if _, err := e.Do(t.Context(), step, task); err != nil || task.Change.State != ChangeWithdrawn || g.deleted != "new" || len(f.closed) != len(f.requests) {
			t.Errorf("%s: %+v, %v; closed %v, deleted %q", step, task.Change, err, f.closed, g.deleted)
		}
	}
}

// TestWindowClosesMeanwhile has changes that were admitted in time and could not be published before the window closed.
func TestWindowClosesMeanwhile(t *testing.T) {
	for step, state := range map[Step]ChangeState{StepPush: ChangeAdmitted, StepOpen: ChangePushed} {
		// A forge and a git that are not to be asked.
		e, task := following(nil, nil, &Change{Repository: "a/b", State: state, Pushed: "new"})
		e.Config.Window = Window{Days: []string{"monday"}, Hours: "09:00-16:00", Zone: "Europe/Berlin"}
		e.Now = func() time.Time { return time.Date(2026, 11, 23, 15, 0, 1, 0, time.UTC) } // a Monday, one second late
		out, err := e.Do(t.Context(), step, task)
		if want := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC); err != nil || !out.Wait.Equal(want) || !out.Later {
			t.Errorf("%s: waits until %v, later %t, %v", step, out.Wait, out.Later, err)
		}
		if c := task.Change; c.State != state || c.Waits != "the window opens at Mon 2026-11-30 09:00 CET" {
			t.Errorf("%s: %s, waits %q", step, c.State, c.Waits)
		}
	}
}
