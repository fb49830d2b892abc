package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// drafts begin with this; people write other forms, which GitLab knows as well.
const draftMark = "Draft: "

var draftMarks = regexp.MustCompile(`(?i)^(?:\s*(?:\[draft\]|\(draft\)|draft:|draft\s-))+\s*`)

// PullRequests lists those of a branch of the project itself.
func (f *Forge) PullRequests(ctx context.Context, repository, head string) ([]forge.PullRequest, error) {
	if err := project(repository); err != nil {
		return nil, err
	}
	found, err := list(ctx, func(o ...gitlab.RequestOptionFunc) ([]*gitlab.BasicMergeRequest, *gitlab.Response, error) {
		return f.client.MergeRequests.ListProjectMergeRequests(repository, &gitlab.ListProjectMergeRequestsOptions{
			ListOptions: gitlab.ListOptions{PerPage: perPage, OrderBy: "created_at", Sort: "desc"},
			State:       new("all"), Scope: new("all"), SourceBranch: &head,
		}, o...)
	})
	if err != nil {
		return nil, err
	}
	var all []forge.PullRequest
	for _, m := range found {
		if m.SourceBranch == head && m.SourceProjectID == m.TargetProjectID {
			all = append(all, pullRequest(m))
		}
	}
	return forge.NewestFirst(all), nil
}

// Open opens a merge request with all that was asked for.
func (f *Forge) Open(ctx context.Context, repository string, request forge.Request) (forge.PullRequest, error) {
	if err := project(repository); err != nil {
		return forge.PullRequest{}, err
	}
	var refused []string
	assignees, err := f.ids(ctx, "assignee", request.Assignees, &refused)
	if err != nil {
		return forge.PullRequest{}, err
	}
	reviewers, err := f.ids(ctx, "reviewer", request.Reviewers, &refused)
	if err != nil {
		return forge.PullRequest{}, err
	}
	title := request.Title
	if request.Draft {
		title = draftMark + title
	}
	options := &gitlab.CreateMergeRequestOptions{
		Title: &title, Description: new(prose(request.Body)), SourceBranch: &request.Head, TargetBranch: &request.Base,
	}
	if len(request.Labels) > 0 {
		options.Labels = new(gitlab.LabelOptions(request.Labels))
	}
	if len(assignees) > 0 {
		options.AssigneeIDs = &assignees
	}
	if len(reviewers) > 0 {
		options.ReviewerIDs = &reviewers
	}
	opened, _, err := f.client.MergeRequests.CreateMergeRequest(repository, options, gitlab.WithContext(ctx))
	if said, ok := polite.Said(err, http.StatusConflict); ok && strings.Contains(said, "already exists") {
		return forge.PullRequest{}, fmt.Errorf("%w: %w", forge.ErrExists, polite.Cause(err))
	}
	if err != nil {
		return forge.PullRequest{}, polite.Cause(err)
	}
	return settled(&opened.BasicMergeRequest, assignees, reviewers, refused), nil
}

// Update brings an open merge request to what a request says.
func (f *Forge) Update(ctx context.Context, repository string, number int, request forge.Request) (forge.PullRequest, error) {
	found, err := f.get(ctx, repository, number)
	if err != nil {
		return forge.PullRequest{}, err
	}
	if state(found.State) != forge.Open {
		return pullRequest(&found.BasicMergeRequest), nil
	}
	var refused []string
	assignees, err := f.ids(ctx, "assignee", forge.Missing(users(request.Assignees), names(found.Assignees)), &refused)
	if err != nil {
		return forge.PullRequest{}, err
	}
	reviewers, err := f.ids(ctx, "reviewer", forge.Missing(users(request.Reviewers), names(found.Reviewers)), &refused)
	if err != nil {
		return forge.PullRequest{}, err
	}
	options, changes := &gitlab.UpdateMergeRequestOptions{}, false
	set := func(field **string, now, wanted string) {
		if now != wanted {
			*field, changes = &wanted, true
		}
	}
	set(&options.Title, found.Title, draftMarks.FindString(found.Title)+request.Title)
	set(&options.Description, body(&found.BasicMergeRequest), prose(request.Body))
	set(&options.TargetBranch, found.TargetBranch, request.Base)
	if add := forge.Missing(request.Labels, found.Labels); len(add) > 0 {
		options.AddLabels, changes = new(gitlab.LabelOptions(add)), true
	}
	// The lists replace those that are there.
	assignees, reviewers = joined(found.Assignees, assignees), joined(found.Reviewers, reviewers)
	if len(assignees) > len(found.Assignees) {
		options.AssigneeIDs, changes = &assignees, true
	}
	if len(reviewers) > len(found.Reviewers) {
		options.ReviewerIDs, changes = &reviewers, true
	}
	if changes {
		if found, _, err = f.client.MergeRequests.UpdateMergeRequest(repository, int64(number), options, gitlab.WithContext(ctx)); err != nil {
			return forge.PullRequest{}, polite.Cause(err)
		}
	}
	return settled(&found.BasicMergeRequest, assignees, reviewers, refused), nil
}

// settled is a merge request with what GitLab left out of it without a word: without a licence it keeps one reviewer and
// one assignee, and it keeps nobody who may not see the project.
func settled(m *gitlab.BasicMergeRequest, assignees, reviewers []int64, refused []string) forge.PullRequest {
	done := pullRequest(m)
	done.Refused = refused
	for _, kind := range []struct {
		what  string
		asked []int64
		there []*gitlab.BasicUser
	}{{"assignees", assignees, m.Assignees}, {"reviewers", reviewers, m.Reviewers}} {
		if lost := len(kind.asked) - len(kind.there); lost > 0 {
			done.Refused = append(done.Refused, fmt.Sprintf("%s: GitLab kept %d of %d", kind.what, len(kind.there), len(kind.asked)))
		}
	}
	return done
}

// Close closes a merge request after a comment.
func (f *Forge) Close(ctx context.Context, repository string, number int, comment string) error {
	found, err := f.get(ctx, repository, number)
	if err != nil {
		return err
	}
	if state(found.State) != forge.Open {
		return nil
	}
	if comment = prose(comment); comment != "" {
		notes, err := list(ctx, func(o ...gitlab.RequestOptionFunc) ([]*gitlab.Note, *gitlab.Response, error) {
			return f.client.Notes.ListMergeRequestNotes(repository, int64(number), &gitlab.ListMergeRequestNotesOptions{ListOptions: gitlab.ListOptions{PerPage: perPage}}, o...)
		})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(notes, func(n *gitlab.Note) bool { return n.Body == comment }) {
			if _, _, err := f.client.Notes.CreateMergeRequestNote(repository, int64(number), &gitlab.CreateMergeRequestNoteOptions{Body: &comment}, gitlab.WithContext(ctx)); err != nil {
				return polite.Cause(err)
			}
		}
	}
	_, _, err = f.client.MergeRequests.UpdateMergeRequest(repository, int64(number), &gitlab.UpdateMergeRequestOptions{StateEvent: new("close")}, gitlab.WithContext(ctx))
	return polite.Cause(err)
}

func (f *Forge) get(ctx context.Context, repository string, number int) (*gitlab.MergeRequest, error) {
	if err := project(repository); err != nil {
		return nil, err
	}
	found, _, err := f.client.MergeRequests.GetMergeRequest(repository, int64(number), nil, gitlab.WithContext(ctx))
	return found, polite.Cause(err)
}

// ids looks people up. GitLab has no teams that could be asked for a review, and whoever it does not know cannot be asked either.
func (f *Forge) ids(ctx context.Context, what string, people []string, refused *[]string) ([]int64, error) {
	var all []int64
	for _, person := range people {
		if _, _, team := forge.Team(person); team {
			*refused = append(*refused, fmt.Sprintf("%s %s: GitLab asks people, not groups", what, person))
			continue
		}
		name := forge.User(person)
		found, _, err := f.client.Users.ListUsers(&gitlab.ListUsersOptions{Username: &name}, gitlab.WithContext(ctx))
		switch {
		case err != nil:
			return nil, polite.Cause(err)
		case len(found) == 0:
			*refused = append(*refused, fmt.Sprintf("%s %s: GitLab knows no such user", what, person))
		case !slices.Contains(all, found[0].ID):
			all = append(all, found[0].ID)
		}
	}
	return all, nil
}

// pullRequest translates GitLab's description.
func pullRequest(m *gitlab.BasicMergeRequest) forge.PullRequest {
	labels := slices.Clone([]string(m.Labels))
	slices.Sort(labels)
	return forge.PullRequest{
		Number:  int(m.IID),
		URL:     m.WebURL,
		State:   state(m.State),
		Head:    m.SourceBranch,
		HeadSHA: m.SHA,
		Base:    m.TargetBranch,
		Title:   strings.TrimPrefix(m.Title, draftMarks.FindString(m.Title)),
		Body:    body(m),
		Labels:  labels,
		Draft:   m.Draft,
	}
}

// body is the text of a merge request; what people edit in a browser comes back with other line ends.
func body(m *gitlab.BasicMergeRequest) string {
	return strings.ReplaceAll(m.Description, "\r\n", "\n")
}

// state translates GitLab's word; a merge request is "locked" while it is being merged.
func state(word string) forge.State {
	switch word {
	case "merged":
		return forge.Merged
	case "closed":
		return forge.Closed
	}
	return forge.Open
}

var quickAction = regexp.MustCompile(`(?m)^/([a-zA-Z])`)

// prose is text without quick actions: GitLab carries out lines that begin with a slash, and what we
// write quotes files of strangers.
func prose(text string) string {
	return quickAction.ReplaceAllString(text, `\/$1`)
}

// names are the names of users.
func names(all []*gitlab.BasicUser) []string {
	var some []string
	for _, u := range all {
		some = append(some, u.Username)
	}
	return some
}

// users are names without the @ that people write before them.
func users(all []string) []string {
	var some []string
	for _, n := range all {
		some = append(some, forge.User(n))
	}
	return some
}

// joined are the users that are there, then those to be added.
func joined(there []*gitlab.BasicUser, add []int64) []int64 {
	var all []int64
	for _, u := range there {
		all = append(all, u.ID)
	}
	for _, id := range add {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}
