// Package github is GitHub, and GitHub Enterprise Server, as a forge.
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

// perPage is the most that GitHub gives at once.
const perPage = 100

// searchable is how many results of a search GitHub shows, however many there are.
const searchable = 1000

// Forge is GitHub, spoken to as one user.
type Forge struct {
	client *github.Client
	token  forge.Secret
}

// New speaks to the GitHub whose API lies at o.Base: https://api.github.com, or /api/v3 of an own server.
func New(o polite.Options) (*Forge, error) {
	o.Scheme = "Bearer"
	base := strings.TrimSuffix(o.Base.String(), "/") + "/"
	// The transport knows the limits, of all clients alike.
	client, err := github.NewClient(github.WithHTTPClient(polite.Client(o)), github.WithURLs(&base, nil),
		github.WithUserAgent("ctxmend"), github.WithDisableRateLimitCheck())
	if err != nil {
		return nil, err
	}
	return &Forge{client: client, token: o.Token}, nil
}

// Access is how git gets in: GitHub looks at the token only.
func (f *Forge) Access() forge.Access {
	return forge.Access{Username: "x-access-token", Token: f.token}
}

// split parts a full name. The client puts names into addresses as they are.
func split(name string) (owner, repository string, err error) {
	owner, repository, ok := strings.Cut(name, "/")
	if !ok || !plain(owner) || !plain(repository) {
		return "", "", fmt.Errorf("%q is no name of a repository on GitHub, which are OWNER/NAME: %w", name, forge.ErrInvalid)
	}
	return owner, repository, nil
}

// plain reports whether a name has only the letters that GitHub allows in names.
func plain(name string) bool {
	return name != "" && name != "." && name != ".." && strings.Trim(name,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// Repository looks one up.
func (f *Forge) Repository(ctx context.Context, name string) (forge.Repository, error) {
	owner, repository, err := split(name)
	if err != nil {
		return forge.Repository{}, err
	}
	found, _, err := f.client.Repositories.Get(ctx, owner, repository)
	if err != nil {
		return forge.Repository{}, polite.Cause(err)
	}
	return f.describe(ctx, found)
}

// Repositories finds what a query selects.
func (f *Forge) Repositories(ctx context.Context, query forge.Query) ([]forge.Repository, error) {
	var found []*github.Repository
	var err error
	switch {
	case query.Organization != "":
		found, err = f.owned(ctx, query.Organization)
	case query.Topic != "":
		found, err = f.search(ctx, "topic:"+query.Topic+" fork:true")
	case query.Search != "":
		found, err = f.search(ctx, query.Search)
	default:
		err = fmt.Errorf("a query for nothing: %w", forge.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	all := make([]forge.Repository, 0, len(found))
	for _, r := range found {
		described, err := f.describe(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, described)
	}
	return forge.Sorted(all), nil
}

// owned lists the repositories of an organisation, or of a user; those that are private of the user we are.
func (f *Forge) owned(ctx context.Context, owner string) ([]*github.Repository, error) {
	if !plain(owner) {
		return nil, fmt.Errorf("%q is no name of an organisation on GitHub: %w", owner, forge.ErrInvalid)
	}
	page := func(n int) github.ListOptions { return github.ListOptions{Page: n, PerPage: perPage} }
	found, err := polite.Pages(func(n int) ([]*github.Repository, int, error) {
		return next(f.client.Repositories.ListByOrg(ctx, owner, &github.RepositoryListByOrgOptions{Type: "all", Sort: "full_name", ListOptions: page(n)}))
	})
	if !errors.Is(err, forge.ErrNotFound) {
		return found, err
	}
	if me, _, meErr := f.client.Users.Get(ctx, ""); meErr == nil && strings.EqualFold(me.GetLogin(), owner) {
		return polite.Pages(func(n int) ([]*github.Repository, int, error) {
			return next(f.client.Repositories.ListByAuthenticatedUser(ctx, &github.RepositoryListByAuthenticatedUserOptions{Affiliation: "owner", Sort: "full_name", ListOptions: page(n)}))
		})
	}
	return polite.Pages(func(n int) ([]*github.Repository, int, error) {
		return next(f.client.Repositories.ListByUser(ctx, owner, &github.RepositoryListByUserOptions{Type: "owner", Sort: "full_name", ListOptions: page(n)}))
	})
}

// search finds repositories in GitHub's own language. A search that has more results than can be had is an error: half of
// them would look like all.
func (f *Forge) search(ctx context.Context, words string) ([]*github.Repository, error) {
	return polite.Pages(func(n int) ([]*github.Repository, int, error) {
		found, resp, err := f.client.Search.Repositories(ctx, words, &github.SearchOptions{ListOptions: github.ListOptions{Page: n, PerPage: perPage}})
		switch {
		case err != nil:
			return nil, 0, err
		case found.GetIncompleteResults():
			return nil, 0, fmt.Errorf("GitHub had no time to finish the search %q", words)
		case found.GetTotal() > searchable:
			return nil, 0, fmt.Errorf("the search %q finds %d repositories, of which GitHub shows %d; narrow it, with org: for one: %w", words, found.GetTotal(), searchable, forge.ErrInvalid)
		}
		return found.Repositories, resp.NextPage, nil
	})
}

// next gives what a list's page says to polite.Pages.
func next[T any](some []T, resp *github.Response, err error) ([]T, int, error) {
	if err != nil {
		return nil, 0, err
	}
	return some, resp.NextPage, nil
}

// describe says of a repository what a campaign asks. GitHub does not say which are empty: those without size are asked.
func (f *Forge) describe(ctx context.Context, r *github.Repository) (forge.Repository, error) {
	d := forge.Repository{
		Name:          r.GetFullName(),
		CloneURL:      r.GetCloneURL(),
		WebURL:        r.GetHTMLURL(),
		DefaultBranch: r.GetDefaultBranch(),
		SizeKB:        r.GetSize(),
		Archived:      r.GetArchived() || r.GetDisabled(),
		Fork:          r.GetFork(),
		CanPush:       r.GetPermissions().GetPush(),
		NoPulls:       r.HasPullRequests != nil && !*r.HasPullRequests,
	}
	if d.SizeKB > 0 || d.Archived {
		return d, nil
	}
	owner, name, err := split(d.Name)
	if err != nil {
		return d, err
	}
	_, _, err = f.client.Repositories.ListCommits(ctx, owner, name, &github.CommitsListOptions{ListOptions: github.ListOptions{PerPage: 1}})
	if _, empty := polite.Said(err, http.StatusConflict); empty {
		d.Empty, d.DefaultBranch = true, ""
		return d, nil
	}
	if err != nil && !polite.Refused(err) {
		return d, polite.Cause(err)
	}
	return d, nil
}

// labels are the names of labels, sorted.
func labels(all []*github.Label) []string {
	var names []string
	for _, l := range all {
		names = append(names, l.GetName())
	}
	slices.Sort(names)
	return names
}
