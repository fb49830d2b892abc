package gitea

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"code.gitea.io/sdk/gitea"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// draftMark is what a draft's title begins with; people write the other form, too.
const draftMark = "WIP: "

var draftMarks = regexp.MustCompile(`(?i)^(?:\s*(?:WIP:|\[WIP\]))+\s*`)

// PullRequests lists those of a branch of the repository itself. Gitea has no way to ask for a branch's, in any state, but all.
func (f *Forge) PullRequests(ctx context.Context, repository, head string) ([]forge.PullRequest, error) {
	c, owner, name, err := f.repository(ctx, repository)
	if err != nil {
		return nil, err
	}
	found, err := list(func(page gitea.ListOptions) ([]*gitea.PullRequest, *gitea.Response, error) {
		return c.ListRepoPullRequests(owner, name, gitea.ListPullRequestsOptions{ListOptions: page, State: gitea.StateAll, Sort: "oldest"})
	})
	if err != nil {
		return nil, err
	}
	var all []forge.PullRequest
	for _, p := range found {
		if p.Head != nil && p.Base != nil && p.Head.Name == head && p.Head.RepoID == p.Base.RepoID {
			all = append(all, pullRequest(p))
		}
	}
	return forge.NewestFirst(all), nil
}

// Open opens a pull request, and gives it everything else that was asked for. One name that Gitea does not accept would
// stand in the way of the whole, so people come afterwards.
func (f *Forge) Open(ctx context.Context, repository string, request forge.Request) (forge.PullRequest, error) {
	c, owner, name, err := f.repository(ctx, repository)
	if err != nil {
		return forge.PullRequest{}, err
	}
	title := request.Title
	if request.Draft {
		title = draftMark + title
	}
	opened, _, err := c.CreatePullRequest(owner, name, gitea.CreatePullRequestOption{Head: request.Head, Base: request.Base, Title: title, Body: request.Body})
	if _, ok := polite.Said(err, http.StatusConflict); ok {
		return forge.PullRequest{}, fmt.Errorf("%w: %w", forge.ErrExists, polite.Cause(err))
	}
	if err != nil {
		return forge.PullRequest{}, polite.Cause(err)
	}
	return f.furnish(c, owner, name, opened, request)
}

// Update brings an open pull request to what a request says.
func (f *Forge) Update(ctx context.Context, repository string, number int, request forge.Request) (forge.PullRequest, error) {
	c, owner, name, err := f.repository(ctx, repository)
	if err != nil {
		return forge.PullRequest{}, err
	}
	found, _, err := c.GetPullRequest(owner, name, int64(number))
	if err != nil {
		return forge.PullRequest{}, polite.Cause(err)
	}
	if state(found) != forge.Open {
		return pullRequest(found), nil
	}
	edit, changes := gitea.EditPullRequestOption{}, false
	if title := draftMarks.FindString(found.Title) + request.Title; title != found.Title {
		edit.Title, changes = title, true
	}
	if body(found) != request.Body {
		edit.Body, changes = &request.Body, true
	}
	if found.Base != nil && found.Base.Ref != request.Base {
		edit.Base, changes = request.Base, true
	}
	if changes {
		if found, _, err = c.EditPullRequest(owner, name, int64(number), edit); err != nil {
			return forge.PullRequest{}, polite.Cause(err)
		}
	}
	return f.furnish(c, owner, name, found, request)
}

// furnish adds the labels, assignees and reviewers that a pull request lacks. What Gitea will never accept is noted; the
// pull request is good without it.
func (f *Forge) furnish(c *gitea.Client, owner, name string, p *gitea.PullRequest, request forge.Request) (forge.PullRequest, error) {
	done := pullRequest(p)
	settle := func(what string, err error) error {
		if err != nil && polite.Refused(err) {
			done.Refused = append(done.Refused, fmt.Sprintf("%s: %v", what, polite.Cause(err)))
			return nil
		}
		return polite.Cause(err)
	}
	if add := forge.Missing(request.Labels, done.Labels); len(add) > 0 {
		ids, err := f.labelIDs(c, owner, name, add, settle)
		if err != nil {
			return done, err
		}
		if len(ids) > 0 {
			all, _, err := c.AddIssueLabels(owner, name, p.Index, gitea.IssueLabelsOption{Labels: ids})
			if err := settle("labels "+strings.Join(add, ", "), err); err != nil {
				return done, err
			}
			if err == nil {
				done.Labels = labelNames(all)
			}
		}
	}
	there := userNames(p.Assignees)
	for _, person := range forge.Missing(people(request.Assignees), there) {
		// The list replaces the one that is there. One by one, so that one who is not accepted costs nobody else.
		_, _, err := c.EditPullRequest(owner, name, p.Index, gitea.EditPullRequestOption{Assignees: append(slices.Clone(there), person)})
		if err := settle("assignee "+person, err); err != nil {
			return done, err
		}
		if err == nil {
			there = append(there, person)
		}
	}
	return done, f.requestReviews(c, owner, name, p, request.Reviewers, settle)
}

// labelIDs finds the labels of a repository and of its organisation by name, and makes those that neither has.
func (f *Forge) labelIDs(c *gitea.Client, owner, name string, wanted []string, settle func(string, error) error) ([]int64, error) {
	f.labels.Lock()
	defer f.labels.Unlock()
	known, err := list(func(page gitea.ListOptions) ([]*gitea.Label, *gitea.Response, error) {
		return c.ListRepoLabels(owner, name, gitea.ListLabelsOptions{ListOptions: page})
	})
	if err != nil {
		return nil, err
	}
	if len(forge.Missing(wanted, labelNames(known))) > 0 {
		shared, err := list(func(page gitea.ListOptions) ([]*gitea.Label, *gitea.Response, error) {
			return c.ListOrgLabels(owner, gitea.ListOrgLabelsOptions{ListOptions: page})
		})
		// Users have none.
		if err != nil && !errors.Is(err, forge.ErrNotFound) && !errors.Is(err, forge.ErrForbidden) {
			return nil, err
		}
		known = append(known, shared...)
	}
	var ids []int64
	for _, w := range wanted {
		i := slices.IndexFunc(known, func(l *gitea.Label) bool { return strings.EqualFold(l.Name, w) })
		if i >= 0 {
			ids = append(ids, known[i].ID)
			continue
		}
		made, _, err := c.CreateLabel(owner, name, gitea.CreateLabelOption{Name: w, Color: "#0e8a8a"})
		if err := settle("label "+w, err); err != nil {
			return nil, err
		}
		if err == nil {
			ids = append(ids, made.ID)
		}
	}
	return ids, nil
}

// requestReviews asks for the reviews that were neither asked for nor given, one by one: Gitea stops at the first name it
// does not accept.
func (f *Forge) requestReviews(c *gitea.Client, owner, name string, p *gitea.PullRequest, reviewers []string, settle func(string, error) error) error {
	asked := userNames(p.RequestedReviewers)
	var askedTeams []string
	for _, t := range p.RequestedReviewersTeams {
		askedTeams = append(askedTeams, t.Name)
	}
	var reviewed []string
	if len(reviewers) > 0 {
		given, err := f.reviews(c, owner, name, p.Index)
		if err != nil {
			return err
		}
		for _, r := range given {
			if r.Reviewer != nil {
				reviewed = append(reviewed, r.Reviewer.UserName)
			}
		}
	}
	for _, r := range reviewers {
		organization, team, isTeam := forge.Team(r)
		var ask gitea.PullReviewRequestOptions
		switch {
		case isTeam && organization != "" && !strings.EqualFold(organization, owner):
			if err := settle("reviewer "+r, fmt.Errorf("the team is not one of %s: %w", owner, forge.ErrInvalid)); err != nil {
				return err
			}
			continue
		case isTeam:
			ask.TeamReviewers = forge.Missing([]string{team}, askedTeams)
			askedTeams = append(askedTeams, team)
		default:
			ask.Reviewers = forge.Missing([]string{forge.User(r)}, slices.Concat(asked, reviewed))
			asked = append(asked, forge.User(r))
		}
		if len(ask.Reviewers)+len(ask.TeamReviewers) == 0 {
			continue
		}
		_, err := c.CreateReviewRequests(owner, name, p.Index, ask)
		if err := settle("reviewer "+r, err); err != nil {
			return err
		}
	}
	return nil
}

// Close closes a pull request after a comment.
func (f *Forge) Close(ctx context.Context, repository string, number int, comment string) error {
	c, owner, name, err := f.repository(ctx, repository)
	if err != nil {
		return err
	}
	found, _, err := c.GetPullRequest(owner, name, int64(number))
	if err != nil {
		return polite.Cause(err)
	}
	if state(found) != forge.Open {
		return nil
	}
	if comment != "" {
		said, err := list(func(page gitea.ListOptions) ([]*gitea.Comment, *gitea.Response, error) {
			return c.ListIssueComments(owner, name, int64(number), gitea.ListIssueCommentOptions{ListOptions: page})
		})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(said, func(c *gitea.Comment) bool { return c.Body == comment }) {
			if _, _, err := c.CreateIssueComment(owner, name, int64(number), gitea.CreateIssueCommentOption{Body: comment}); err != nil {
				return polite.Cause(err)
			}
		}
	}
	closed := gitea.StateClosed
	_, _, err = c.EditPullRequest(owner, name, int64(number), gitea.EditPullRequestOption{State: &closed})
	return polite.Cause(err)
}

// pullRequest translates Gitea's description. The branch is in the name: the reference is another one when the branch is gone.
func pullRequest(p *gitea.PullRequest) forge.PullRequest {
	d := forge.PullRequest{
		Number: int(p.Index),
		URL:    p.HTMLURL,
		State:  state(p),
		Title:  strings.TrimPrefix(p.Title, draftMarks.FindString(p.Title)),
		Body:   body(p),
		Labels: labelNames(p.Labels),
		Draft:  p.Draft,
	}
	if p.Head != nil {
		d.Head, d.HeadSHA = p.Head.Name, p.Head.Sha
	}
	if p.Base != nil {
		d.Base = p.Base.Ref
	}
	return d
}

// body is the text of a pull request; what people edit in a browser comes back with other line ends.
func body(p *gitea.PullRequest) string { return strings.ReplaceAll(p.Body, "\r\n", "\n") }

func state(p *gitea.PullRequest) forge.State {
	switch {
	case p.HasMerged:
		return forge.Merged
	case p.State == gitea.StateClosed:
		return forge.Closed
	}
	return forge.Open
}

// labelNames are the names of labels, sorted.
func labelNames(all []*gitea.Label) []string {
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return names
}

// userNames are the names of users.
func userNames(all []*gitea.User) []string {
	var names []string
	for _, u := range all {
		names = append(names, u.UserName)
	}
	return names
}

// people are names without the @ that people write before them.
func people(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, forge.User(n))
	}
	return all
}
