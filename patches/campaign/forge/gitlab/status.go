package gitlab

import (
	"context"
	"strings"

	"gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// Status tells how a merge request is doing.
func (f *Forge) Status(ctx context.Context, repository string, number int) (forge.Status, error) {
	m, err := f.get(ctx, repository, number)
	if err != nil {
		return forge.Status{}, err
	}
	status := forge.Status{PullRequest: pullRequest(&m.BasicMergeRequest), Checks: checks(m)}
	var reviews []forge.Review
	// "approved" is also true where nobody has to approve; who did is what counts.
	approvals, _, err := f.client.MergeRequestApprovals.GetConfiguration(repository, int64(number), gitlab.WithContext(ctx))
	if err != nil && !polite.Refused(err) {
		return forge.Status{}, polite.Cause(err)
	}
	if err == nil {
		for _, a := range approvals.ApprovedBy {
			if a.User != nil {
				reviews = append(reviews, forge.Review{User: a.User.Username, Opinion: forge.Approves})
			}
		}
	}
	reviewers, _, err := f.client.MergeRequests.GetMergeRequestReviewers(repository, int64(number), gitlab.WithContext(ctx))
	if err != nil && !polite.Refused(err) {
		return forge.Status{}, polite.Cause(err)
	}
	if err == nil {
		for _, r := range reviewers {
			if r.User != nil && r.State == "requested_changes" {
				reviews = append(reviews, forge.Review{User: r.User.Username, Opinion: forge.Objects})
			}
		}
	}
	status.Approved, status.ChangesRequested = forge.Judge(reviews)
	if m.DetailedMergeStatus == "requested_changes" {
		status.Approved, status.ChangesRequested = false, true
	}
	open := status.State == forge.Open
	status.Conflicts = open && (m.HasConflicts || m.DetailedMergeStatus == "conflict")
	status.Mergeable = open && !status.Draft && m.DetailedMergeStatus == "mergeable"
	return status, nil
}

// checks sums up the newest pipeline, which statuses set from outside are part of.
func checks(m *gitlab.MergeRequest) forge.Checks {
	p := m.HeadPipeline
	if p == nil {
		return forge.NoChecks
	}
	// A pipeline of the merged result runs on a commit of its own. Any other of an earlier commit says nothing of this one,
	// whose own is about to come.
	if p.SHA != m.SHA && !strings.HasPrefix(p.Ref, "refs/merge-requests/") {
		return forge.Pending
	}
	switch p.Status {
	case "success", "skipped":
		return forge.Green
	case "failed", "canceled":
		return forge.Red
	}
	return forge.Pending
}
