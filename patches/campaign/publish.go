package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// push brings a change's branch to the remote. It looks before it acts: what people have decided about the
// pull request, and whose commits the branch has.
func (e *Engine) push(ctx context.Context, t *Task) (Outcome, error) {
	c, r := t.Change, t.Repository
	if t.Mode == ModeClose {
		return e.withdraw(ctx, t)
	}
	if c.State != ChangeAdmitted || t.Mode != ModeRun {
		return Outcome{}, nil
	}
	if out, closed := e.outside(); closed {
		return out, nil
	}
	existing, err := e.existing(ctx, c)
	if err != nil {
		return Outcome{}, err
	}
	if existing.answered(c) {
		return Outcome{}, nil
	}
	if moved, out, err := e.onBase(ctx, t); moved || err != nil {
		return out, err
	}
	branch, err := e.Git.Branch(ctx, e.remote(r), e.dir(r), c.Branch)
	if err != nil {
		return Outcome{}, err
	}
	commit, err := e.Git.Commit(ctx, e.dir(r), e.commit(c))
	if err != nil {
		return Outcome{}, err
	}
	c.Commit = commit
	if !e.ours(c, branch) {
		c.State, c.Reason = ChangeForeign, whose(branch)
		return Outcome{}, nil
	}
	if branch.Commit != commit {
		err := e.Git.Push(ctx, e.remote(r), e.dir(r), c.Branch, commit, branch.Commit)
		if errors.Is(err, ErrNoAccess) || errors.Is(err, ErrRefused) {
			c.State, c.Reason = ChangeFailed, err.Error()
			return Outcome{}, nil
		}
		if err != nil {
			return Outcome{}, err // after ErrLease it is looked at again
		}
	}
	c.State, c.Reason, c.Pushed = ChangePushed, "", commit
	return Outcome{Next: []Next{{StepOpen, c.Shard}}}, nil
}

// ours tells whether all there is on a branch was made by this campaign: what we remember to have pushed, or, where a
// crash or a lost database kept us from remembering, a single commit that is signed as ours.
func (e *Engine) ours(c *Change, b Branch) bool {
	switch {
	case b.Commit == "" || b.Commit == c.Pushed || b.Commit == c.Commit:
		return true
	case len(b.Commits) != 1:
		return false
	}
	only := b.Commits[0]
	return only.Hash == b.Commit && only.CommitterEmail == string(e.Config.Commit.Email) && only.CommitterName == e.Config.Commit.Name &&
		slices.Contains(strings.Split(only.Message, "\n"), trailer(e.Config.Name))
}

// whose says who else has committed to a branch.
func whose(b Branch) string {
	if len(b.Commits) == 0 {
		return fmt.Sprintf("the branch was moved to %.12s by somebody else", b.Commit)
	}
	return fmt.Sprintf("%s committed to the branch (%.12s)", shorten(printable(b.Commits[0].CommitterName), 80), b.Commits[0].Hash)
}

// A standing is what the forge knows of pull requests for a branch.
type standing struct {
	open *forge.PullRequest
	last *forge.PullRequest // the newest one that is no longer open
}

func (e *Engine) existing(ctx context.Context, c *Change) (standing, error) {
	var s standing
	if e.Forge == nil {
		return s, nil
	}
	list, err := e.Forge.PullRequests(ctx, c.Repository, c.Branch)
	if err != nil {
		return s, err
	}
	for i, p := range list {
		switch {
		case p.State == forge.Open && s.open == nil:
			s.open = &list[i]
		case p.State != forge.Open && s.last == nil:
			s.last = &list[i]
		}
	}
	return s, nil
}

// answered puts into a change what people have answered already: then nothing more is published.
func (s standing) answered(c *Change) bool {
	if s.open != nil || s.last == nil {
		return false
	}
	c.Number, c.URL = s.last.Number, s.last.URL
	if s.last.State == forge.Merged {
		c.State, c.Reason = ChangeMerged, ""
	} else {
		c.State, c.Reason = ChangeClosed, "closed without merging: it is not opened again"
	}
	return true
}

func (e *Engine) request(c *Change) forge.Request {
	p := e.Config.PullRequest
	return forge.Request{
		Head: c.Branch, Base: c.Base.Branch, Title: c.Title, Body: c.Content.Body,
		Labels: p.Labels, Reviewers: p.Reviewers, Assignees: p.Assignees, Draft: p.Draft,
	}
}

// open opens the pull request of a branch that was pushed, or brings the one there is up to date.
func (e *Engine) open(ctx context.Context, t *Task) (Outcome, error) {
	c := t.Change
	follow := Outcome{Next: []Next{{StepFollow, c.Shard}}}
	switch {
	case t.Mode == ModeClose:
		return e.withdraw(ctx, t)
	case t.Mode != ModeRun:
		return Outcome{}, nil
	case c.State == ChangeOpen && c.Number == 0 && c.Pushed != "":
		return follow, nil // not needed any more since it was pushed, and maybe opened
	case c.State != ChangePushed:
		return Outcome{}, nil
	}
	if out, closed := e.outside(); closed {
		return out, nil
	}
	if c.Opened.IsZero() {
		c.Opened = e.Now().UTC()
	}
	if e.Forge == nil {
		c.State, c.Reason = ChangeOpen, ""
		return follow, nil
	}
	s, err := e.existing(ctx, c)
	if err != nil {
		return Outcome{}, err
	}
	if s.answered(c) {
		return Outcome{}, nil
	}
	var p forge.PullRequest
	if s.open != nil {
		p, err = e.Forge.Update(ctx, c.Repository, s.open.Number, e.request(c))
	} else {
		p, err = e.Forge.Open(ctx, c.Repository, e.request(c))
	}
	switch {
	case errors.Is(err, forge.ErrInvalid), errors.Is(err, forge.ErrForbidden), errors.Is(err, forge.ErrNotFound):
		c.State, c.Reason = ChangeFailed, err.Error()
		return Outcome{}, nil
	case err != nil:
		return Outcome{}, err // forge.ErrExists: the next look finds it
	}
	c.State, c.Reason, c.Number, c.URL = ChangeOpen, "", p.Number, p.URL
	return follow, nil
}

// follow sees what people made of a pull request.
func (e *Engine) follow(ctx context.Context, t *Task) (Outcome, error) {
	c := t.Change
	if c.Final() && c.State != ChangeForeign || t.Mode == ModePlan || t.Mode == ModeClose {
		return Outcome{}, nil
	}
	if e.Forge == nil {
		return e.followBranch(ctx, t)
	}
	if c.Number == 0 && c.Pushed == "" {
		return Outcome{}, nil // there is none yet, or the branch was others' before there could be one
	}
	if c.Number == 0 {
		// One may have been opened by a step that was killed before its number could be stored.
		s, err := e.existing(ctx, c)
		if err != nil || s.open == nil {
			s.answered(c)
			return Outcome{}, err
		}
		c.Number, c.URL = s.open.Number, s.open.URL
	}
	status, err := e.Forge.Status(ctx, c.Repository, c.Number)
	if errors.Is(err, forge.ErrNotFound) {
		c.State, c.Reason = ChangeClosed, "the pull request is gone"
		return Outcome{}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	c.Checks, c.Approved, c.Asked = status.Checks, status.Approved, status.ChangesRequested
	moved := status.Conflicts && !c.Conflicts
	c.Conflicts = status.Conflicts
	switch {
	case status.State == forge.Merged:
		c.State, c.Reason = ChangeMerged, ""
		return Outcome{}, nil
	case status.State == forge.Closed:
		c.State, c.Reason = ChangeClosed, "closed without merging: it is not opened again"
		return Outcome{}, nil
	case c.State == ChangeOpen && c.Pushed != "" && status.HeadSHA != "" && status.HeadSHA != c.Pushed:
		if err := e.foreign(ctx, t); err != nil {
			return Outcome{}, err
		}
	}
	out := Outcome{Wait: e.Now().Add(followEvery)}
	if moved && t.Mode == ModeRun && c.State == ChangeOpen {
		out.Next = []Next{{Step: StepClone}}
	}
	return out, nil
}

// foreign looks whether others have committed to the branch of a pull request. It asks the branch itself: forges take note of a push
// some time after it.
func (e *Engine) foreign(ctx context.Context, t *Task) error {
	c, r := t.Change, t.Repository
	if _, err := e.at(ctx, r, c.Base); err != nil {
		return err
	}
	b, err := e.Git.Branch(ctx, e.remote(r), e.dir(r), c.Branch)
	if err != nil {
		return err
	}
	if !e.ours(c, b) {
		c.State, c.Reason = ChangeForeign, whose(b)
	}
	return nil
}

// followBranch follows a branch where there are no pull requests: it is merged when the default branch contains it.
func (e *Engine) followBranch(ctx context.Context, t *Task) (Outcome, error) {
	c, r := t.Change, t.Repository
	if _, err := e.refresh(ctx, r); err != nil {
		return Outcome{}, err
	}
	if c.Pushed == "" {
		return Outcome{}, nil
	}
	b, err := e.Git.Branch(ctx, e.remote(r), e.dir(r), c.Branch)
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case b.Commit == "":
		c.State, c.Reason = ChangeClosed, "the branch is gone: it is not pushed again"
	case len(b.Commits) == 0:
		c.State, c.Reason = ChangeMerged, ""
	case b.Commit != c.Pushed:
		c.State, c.Reason = ChangeForeign, whose(b)
	default:
		return Outcome{Wait: e.Now().Add(followEvery)}, nil
	}
	return Outcome{}, nil
}

// withdraw closes a pull request and removes its branch, unless others have committed to it. A step that was publishing the change while it
// was withdrawn finds that when it cannot store what it did, and comes here to take that back.
func (e *Engine) withdraw(ctx context.Context, t *Task) (Outcome, error) {
	c, r := t.Change, t.Repository
	if c.Final() && c.State != ChangeWithdrawn || t.Mode != ModeClose {
		return Outcome{}, nil
	}
	s, err := e.existing(ctx, c)
	if err != nil {
		return Outcome{}, err
	}
	if s.answered(c) && c.State == ChangeMerged {
		return Outcome{}, nil
	}
	// One that is closed may have been closed here, before a crash: its branch goes in any case.
	if _, err := e.at(ctx, r, c.Base); err != nil {
		return Outcome{}, err
	}
	b, err := e.Git.Branch(ctx, e.remote(r), e.dir(r), c.Branch)
	if err != nil {
		return Outcome{}, err
	}
	if b.Commit != "" && !e.ours(c, b) {
		c.State, c.Reason = ChangeForeign, whose(b)
		return Outcome{}, nil
	}
	if s.open != nil {
		why := fmt.Sprintf("The campaign %s was withdrawn. Nothing is wrong with this change that is known here; it can be reopened, or made by ctxmend fix.", e.Config.Name)
		if err := e.Forge.Close(ctx, c.Repository, s.open.Number, why); err != nil {
			return Outcome{}, err
		}
		c.Number, c.URL = s.open.Number, s.open.URL
	}
	if b.Commit != "" {
		err := e.Git.Delete(ctx, e.remote(r), e.dir(r), c.Branch, b.Commit)
		if errors.Is(err, ErrRefused) {
			c.State, c.Reason = ChangeWithdrawn, "its branch is still there: "+err.Error()
			return Outcome{}, nil
		}
		if err != nil {
			return Outcome{}, err
		}
	}
	c.State, c.Reason = ChangeWithdrawn, ""
	return Outcome{}, nil
}
