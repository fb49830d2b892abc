package github

import (
	"context"
	"errors"

	"github.com/google/go-github/v92/github"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// Status tells how a pull request is doing.
func (f *Forge) Status(ctx context.Context, repository string, number int) (forge.Status, error) {
	owner, name, err := split(repository)
	if err != nil {
		return forge.Status{}, err
	}
	p, _, err := f.client.PullRequests.Get(ctx, owner, name, number)
	if err != nil {
		return forge.Status{}, polite.Cause(err)
	}
	status := forge.Status{PullRequest: pullRequest(p), Checks: forge.NoChecks}
	given, err := f.reviews(ctx, owner, name, number)
	if err != nil {
		return forge.Status{}, err
	}
	var reviews []forge.Review
	for _, r := range given {
		reviews = append(reviews, forge.Review{User: r.GetUser().GetLogin(), Opinion: opinion(r)})
	}
	status.Approved, status.ChangesRequested = forge.Judge(reviews)
	if status.Checks, err = f.checks(ctx, owner, name, p); err != nil {
		return forge.Status{}, err
	}
	// GitHub works mergeable out in the background: absent means not yet known.
	status.Conflicts = status.State == forge.Open && (p.GetMergeableState() == "dirty" || p.Mergeable != nil && !*p.Mergeable)
	status.Mergeable = status.State == forge.Open && !status.Draft && p.GetMergeable() && mergeable(p.GetMergeableState())
	return status, nil
}

// mergeable tells it by GitHub's word, which knows the rules of the branch. "unstable" is a check that need not pass.
func mergeable(state string) bool {
	return state == "clean" || state == "has_hooks" || state == "unstable"
}

// reviews lists the reviews of a pull request, the oldest first.
func (f *Forge) reviews(ctx context.Context, owner, name string, number int) ([]*github.PullRequestReview, error) {
	return polite.Pages(func(n int) ([]*github.PullRequestReview, int, error) {
		return next(f.client.PullRequests.ListReviews(ctx, owner, name, number, &github.ListOptions{Page: n, PerPage: perPage}))
	})
}

// opinion tells what a review says. Anybody may review a public repository; only the word of those who belong to it counts.
func opinion(r *github.PullRequestReview) forge.Opinion {
	switch r.GetAuthorAssociation() {
	case "OWNER", "MEMBER", "COLLABORATOR":
	default:
		return forge.Comments
	}
	switch r.GetState() {
	case "APPROVED":
		return forge.Approves
	case "CHANGES_REQUESTED":
		return forge.Objects
	case "DISMISSED":
		return forge.Withdrawn
	}
	return forge.Comments
}

// checks sums up the two kinds that GitHub has: statuses, which others set, and runs of its own and of apps.
func (f *Forge) checks(ctx context.Context, owner, name string, p *github.PullRequest) (forge.Checks, error) {
	sha := p.GetHead().GetSHA()
	combined, _, err := f.client.Repositories.GetCombinedStatus(ctx, owner, name, sha, &github.ListOptions{PerPage: perPage})
	if err != nil {
		return "", polite.Cause(err)
	}
	sum := forge.NoChecks
	// A commit without any status is "pending".
	if combined.GetTotalCount() > 0 {
		sum = ofStatus(combined.GetState())
	}
	runs, err := polite.Pages(func(n int) ([]*github.CheckRun, int, error) {
		some, resp, err := f.client.Checks.ListCheckRunsForRef(ctx, owner, name, sha, &github.ListCheckRunsOptions{ListOptions: github.ListOptions{Page: n, PerPage: perPage}})
		if err != nil {
			return nil, 0, err
		}
		return some.CheckRuns, resp.NextPage, nil
	})
	if errors.Is(err, forge.ErrForbidden) {
		// Not every kind of token may read runs. GitHub's own judgement of the pull request knows them.
		if p.GetMergeableState() != "clean" {
			sum = sum.And(forge.Pending)
		}
		return sum, nil
	}
	if err != nil {
		return "", err
	}
	for _, run := range runs {
		sum = sum.And(ofRun(run))
	}
	return sum, nil
}

func ofStatus(state string) forge.Checks {
	switch state {
	case "success":
		return forge.Green
	case "failure", "error":
		return forge.Red
	}
	return forge.Pending
}

func ofRun(run *github.CheckRun) forge.Checks {
	if run.GetStatus() != "completed" {
		return forge.Pending
	}
	switch run.GetConclusion() {
	case "success", "neutral", "skipped":
		return forge.Green
	case "stale":
		return forge.Pending
	}
	return forge.Red
}
