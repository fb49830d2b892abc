package gitea

import (
	"context"
	"time"

	"code.gitea.io/sdk/gitea"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// settling is how long Gitea may need to find out whether a pull request that has changed can be merged. It does not say that it has
// yet to find out.
const settling = time.Minute

// Status tells how a pull request is doing.
func (f *Forge) Status(ctx context.Context, repository string, number int) (forge.Status, error) {
	c, owner, name, err := f.repository(ctx, repository)
	if err != nil {
		return forge.Status{}, err
	}
	p, _, err := c.GetPullRequest(owner, name, int64(number))
	if err != nil {
		return forge.Status{}, polite.Cause(err)
	}
	status := forge.Status{PullRequest: pullRequest(p)}
	given, err := f.reviews(c, owner, name, p.Index)
	if err != nil {
		return forge.Status{}, err
	}
	var reviews []forge.Review
	for _, r := range given {
		if r.Reviewer != nil {
			reviews = append(reviews, forge.Review{User: r.Reviewer.UserName, Opinion: opinion(r)})
		}
	}
	status.Approved, status.ChangesRequested = forge.Judge(reviews)
	if status.Checks, err = f.checks(c, owner, name, status.HeadSHA); err != nil {
		return forge.Status{}, err
	}
	open := status.State == forge.Open
	settled := p.Updated == nil || f.now().Sub(*p.Updated) > settling
	status.Conflicts = open && !p.Mergeable && !p.Draft && settled
	status.Mergeable = open && p.Mergeable && !p.Draft && !status.ChangesRequested && (status.Checks == forge.Green || status.Checks == forge.NoChecks)
	return status, nil
}

// reviews lists the reviews of a pull request, the oldest first.
func (f *Forge) reviews(c *gitea.Client, owner, name string, number int64) ([]*gitea.PullReview, error) {
	return list(func(page gitea.ListOptions) ([]*gitea.PullReview, *gitea.Response, error) {
		return c.ListPullReviews(owner, name, number, gitea.ListPullReviewsOptions{ListOptions: page})
	})
}

// opinion tells what a review says. Anybody may review a public repository; "official" are the reviews of those who may write to
// it, or are named by the rules of its branch.
func opinion(r *gitea.PullReview) forge.Opinion {
	switch {
	case !r.Official:
	case r.Dismissed:
		return forge.Withdrawn
	case r.State == gitea.ReviewStateApproved:
		return forge.Approves
	case r.State == gitea.ReviewStateRequestChanges:
		return forge.Objects
	}
	return forge.Comments
}

// checks sums up the newest status of every kind that a commit has. The list is asked, not Gitea's own sum: the SDK takes a sum that
// breaks off for none.
func (f *Forge) checks(c *gitea.Client, owner, name, sha string) (forge.Checks, error) {
	if sha == "" {
		return forge.NoChecks, nil
	}
	all, err := list(func(page gitea.ListOptions) ([]*gitea.Status, *gitea.Response, error) {
		return c.ListStatuses(owner, name, sha, gitea.ListStatusesOption{ListOptions: page})
	})
	if err != nil {
		return "", err
	}
	newest := map[string]*gitea.Status{}
	for _, s := range all {
		if known := newest[s.Context]; known == nil || known.ID < s.ID {
			newest[s.Context] = s
		}
	}
	sum := forge.NoChecks
	for _, s := range newest {
		sum = sum.And(check(s.State))
	}
	return sum, nil
}

func check(state gitea.StatusState) forge.Checks {
	switch state {
	case gitea.StatusSuccess, gitea.StatusWarning, "skipped":
		return forge.Green
	case gitea.StatusFailure, gitea.StatusError:
		return forge.Red
	}
	return forge.Pending
}
