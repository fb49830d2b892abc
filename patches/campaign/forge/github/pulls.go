package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v92/github"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// PullRequests lists those of a branch of the repository itself.
func (f *Forge) PullRequests(ctx context.Context, repository, head string) ([]forge.PullRequest, error) {
	owner, name, err := split(repository)
	if err != nil {
		return nil, err
	}
	moved := false
	found, err := polite.Pages(func(n int) ([]*github.PullRequest, int, error) {
		some, resp, err := f.client.PullRequests.List(ctx, owner, name, &github.PullRequestListOptions{
			State: "all", Head: owner + ":" + head, Sort: "created", Direction: "desc",
			ListOptions: github.ListOptions{Page: n, PerPage: perPage},
		})
		if err == nil {
			moved = moved || !strings.Contains(strings.ToLower(resp.Request.URL.Path), "/repos/"+strings.ToLower(repository)+"/")
		}
		return next(some, resp, err)
	})
	if err != nil {
		return nil, err
	}
	if moved {
		// GitHub follows a repository to its new name, and filters by the old owner, whose branches are none of it: that
		// there is no pull request would be wrong.
		now, err := f.Repository(ctx, repository)
		if err != nil {
			return nil, err
		}
		if now.Name == repository {
			return nil, fmt.Errorf("GitHub redirects the pull requests of %s and not the repository", repository)
		}
		return f.PullRequests(ctx, now.Name, head)
	}
	var all []forge.PullRequest
	for _, p := range found {
		// The filter by owner lets forks of the same owner through.
		if p.GetHead().GetRef() == head && strings.EqualFold(p.GetHead().GetRepo().GetFullName(), repository) {
			all = append(all, pullRequest(p))
		}
	}
	return forge.NewestFirst(all), nil
}

// Open opens a pull request, and gives it everything else that was asked for.
func (f *Forge) Open(ctx context.Context, repository string, request forge.Request) (forge.PullRequest, error) {
	owner, name, err := split(repository)
	if err != nil {
		return forge.PullRequest{}, err
	}
	opened, _, err := f.client.PullRequests.Create(ctx, owner, name, github.CreatePullRequest{
		Title: &request.Title, Head: request.Head, Base: request.Base, Body: &request.Body, Draft: &request.Draft,
	})
	if said, ok := polite.Said(err, http.StatusUnprocessableEntity); ok && strings.Contains(said, "pull request already exists") {
		return forge.PullRequest{}, fmt.Errorf("%w: %w", forge.ErrExists, polite.Cause(err))
	}
	if err != nil {
		return forge.PullRequest{}, polite.Cause(err)
	}
	return f.furnish(ctx, owner, name, opened, request)
}

// Update brings an open pull request to what a request says.
func (f *Forge) Update(ctx context.Context, repository string, number int, request forge.Request) (forge.PullRequest, error) {
	owner, name, err := split(repository)
	if err != nil {
		return forge.PullRequest{}, err
	}
	found, _, err := f.client.PullRequests.Get(ctx, owner, name, number)
	if err != nil {
		return forge.PullRequest{}, polite.Cause(err)
	}
	if state(found) != forge.Open {
		return pullRequest(found), nil
	}
	if found.GetTitle() != request.Title || body(found) != request.Body || found.GetBase().GetRef() != request.Base {
		edit := &github.PullRequest{Title: &request.Title, Body: &request.Body}
		if found.GetBase().GetRef() != request.Base {
			edit.Base = &github.PullRequestBranch{Ref: &request.Base}
		}
		if found, _, err = f.client.PullRequests.Edit(ctx, owner, name, number, edit); err != nil {
			return forge.PullRequest{}, polite.Cause(err)
		}
	}
	return f.furnish(ctx, owner, name, found, request)
}

// furnish adds the labels, assignees and reviewers that a pull request lacks. What GitHub will never accept is noted; the
// pull request is good without it.
func (f *Forge) furnish(ctx context.Context, owner, name string, p *github.PullRequest, request forge.Request) (forge.PullRequest, error) {
	done := pullRequest(p)
	number := p.GetNumber()
	settle := func(what string, err error) error {
		if err != nil && polite.Refused(err) {
			done.Refused = append(done.Refused, fmt.Sprintf("%s: %v", what, polite.Cause(err)))
			return nil
		}
		return polite.Cause(err)
	}
	if add := forge.Missing(request.Labels, done.Labels); len(add) > 0 {
		all, _, err := f.client.Issues.AddLabelsToIssue(ctx, owner, name, number, add)
		if err := settle("labels "+strings.Join(add, ", "), err); err != nil {
			return done, err
		}
		if err == nil {
			done.Labels = labels(all)
		}
	}
	if add := forge.Missing(users(request.Assignees), logins(p.Assignees)); len(add) > 0 {
		issue, _, err := f.client.Issues.AddAssignees(ctx, owner, name, number, add)
		if err := settle("assignees "+strings.Join(add, ", "), err); err != nil {
			return done, err
		}
		// GitHub drops those who cannot be assigned without a word.
		if err == nil {
			if lost := forge.Missing(add, logins(issue.Assignees)); len(lost) > 0 {
				done.Refused = append(done.Refused, "assignees "+strings.Join(lost, ", ")+": GitHub cannot assign them")
			}
		}
	}
	return done, f.requestReviews(ctx, owner, name, p, request.Reviewers, settle)
}

// requestReviews asks for the reviews that were neither asked for nor given. GitHub refuses a whole list for one name in
// it: then each is asked alone.
func (f *Forge) requestReviews(ctx context.Context, owner, name string, p *github.PullRequest, reviewers []string, settle func(string, error) error) error {
	var people, teams []string
	for _, r := range reviewers {
		organization, team, isTeam := forge.Team(r)
		switch {
		case isTeam && organization != "" && !strings.EqualFold(organization, owner):
			if err := settle("reviewer "+r, fmt.Errorf("the team is not one of %s: %w", owner, forge.ErrInvalid)); err != nil {
				return err
			}
		case isTeam:
			teams = append(teams, team)
		default:
			people = append(people, forge.User(r))
		}
	}
	asked := logins(p.RequestedReviewers)
	var askedTeams []string
	for _, t := range p.RequestedTeams {
		askedTeams = append(askedTeams, t.GetSlug())
	}
	people, teams = forge.Missing(people, asked), forge.Missing(teams, askedTeams)
	if len(people)+len(teams) == 0 {
		return nil
	}
	if len(people) > 0 {
		reviews, err := f.reviews(ctx, owner, name, p.GetNumber())
		if err != nil {
			return err
		}
		for _, r := range reviews {
			people = slices.DeleteFunc(people, func(name string) bool { return strings.EqualFold(name, r.GetUser().GetLogin()) })
		}
	}
	ask := func(people, teams []string) error {
		if len(people)+len(teams) == 0 {
			return nil
		}
		_, _, err := f.client.PullRequests.RequestReviewers(ctx, owner, name, p.GetNumber(), github.ReviewersRequest{Reviewers: people, TeamReviewers: teams})
		return err
	}
	err := ask(people, teams)
	if err == nil || !errors.Is(err, forge.ErrInvalid) || len(people)+len(teams) == 1 {
		return settle("reviewers "+strings.Join(slices.Concat(people, teams), ", "), err)
	}
	for _, person := range people {
		if err := settle("reviewer "+person, ask([]string{person}, nil)); err != nil {
			return err
		}
	}
	for _, team := range teams {
		if err := settle("reviewer team/"+team, ask(nil, []string{team})); err != nil {
			return err
		}
	}
	return nil
}

// Close closes a pull request after a comment.
func (f *Forge) Close(ctx context.Context, repository string, number int, comment string) error {
	owner, name, err := split(repository)
	if err != nil {
		return err
	}
	found, _, err := f.client.PullRequests.Get(ctx, owner, name, number)
	if err != nil {
		return polite.Cause(err)
	}
	if state(found) != forge.Open {
		return nil
	}
	if comment != "" {
		said, err := polite.Pages(func(n int) ([]*github.IssueComment, int, error) {
			return next(f.client.Issues.ListComments(ctx, owner, name, number, &github.IssueListCommentsOptions{ListOptions: github.ListOptions{Page: n, PerPage: perPage}}))
		})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(said, func(c *github.IssueComment) bool { return c.GetBody() == comment }) {
			if _, _, err := f.client.Issues.CreateComment(ctx, owner, name, number, github.IssueCommentRequest{Body: comment}); err != nil {
				return polite.Cause(err)
			}
		}
	}
	closed := "closed"
	_, _, err = f.client.PullRequests.Edit(ctx, owner, name, number, &github.PullRequest{State: &closed})
	return polite.Cause(err)
}

// pullRequest translates GitHub's description.
func pullRequest(p *github.PullRequest) forge.PullRequest {
	return forge.PullRequest{
		Number:  p.GetNumber(),
		URL:     p.GetHTMLURL(),
		State:   state(p),
		Head:    p.GetHead().GetRef(),
		HeadSHA: p.GetHead().GetSHA(),
		Base:    p.GetBase().GetRef(),
		Title:   p.GetTitle(),
		Body:    body(p),
		Labels:  labels(p.Labels),
		Draft:   p.GetDraft(),
	}
}

// body is the text of a pull request; what people edit in a browser comes back with other line ends.
func body(p *github.PullRequest) string { return strings.ReplaceAll(p.GetBody(), "\r\n", "\n") }

// state tells where a pull request stands. Lists do not say that one was merged, only when.
func state(p *github.PullRequest) forge.State {
	switch {
	case p.GetMerged() || p.MergedAt != nil:
		return forge.Merged
	case p.GetState() == "closed":
		return forge.Closed
	}
	return forge.Open
}

// logins are the names of users.
func logins(all []*github.User) []string {
	var names []string
	for _, u := range all {
		names = append(names, u.GetLogin())
	}
	return names
}

// users are names without the @ that people write before them.
func users(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, forge.User(n))
	}
	return all
}
