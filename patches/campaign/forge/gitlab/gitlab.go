// Package gitlab is GitLab, the public one or an own server, as a forge. Merge requests are pull requests here.
package gitlab

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// perPage is the most that GitLab gives at once.
const perPage = 100

// Forge is GitLab, spoken to as one user.
type Forge struct {
	client *gitlab.Client
	token  forge.Secret
}

// New speaks to the GitLab at o.Base.
func New(o polite.Options) (*Forge, error) {
	// Personal, group and project tokens as well as those of OAuth come in as bearers.
	o.Scheme = "Bearer"
	client, err := gitlab.NewAuthSourceClient(gitlab.Unauthenticated{},
		gitlab.WithBaseURL(strings.TrimSuffix(o.Base.String(), "/")), gitlab.WithHTTPClient(polite.Client(o)),
		gitlab.WithUserAgent("ctxmend"), gitlab.WithoutRetries(), gitlab.WithCustomLimiter(unlimited{}))
	if err != nil {
		return nil, err
	}
	return &Forge{client: client, token: o.Token}, nil
}

// unlimited is no limiter: the transport knows the limits, of all clients alike, and waits for none.
type unlimited struct{}

func (unlimited) Wait(ctx context.Context) error { return ctx.Err() }

// Access is how git gets in, by the name that GitLab documents for tokens.
func (f *Forge) Access() forge.Access {
	return forge.Access{Username: "oauth2", Token: f.token}
}

// project checks a full name. A name without a group would be taken for a number.
func project(name string) error {
	parts := strings.Split(name, "/")
	for _, part := range parts {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%q is no name of a project on GitLab: %w", name, forge.ErrInvalid)
		}
	}
	if len(parts) < 2 {
		return fmt.Errorf("%q is no full name of a project on GitLab, which are GROUP/NAME: %w", name, forge.ErrInvalid)
	}
	return nil
}

// Repository looks one up.
func (f *Forge) Repository(ctx context.Context, name string) (forge.Repository, error) {
	if err := project(name); err != nil {
		return forge.Repository{}, err
	}
	found, _, err := f.client.Projects.GetProject(name, &gitlab.GetProjectOptions{Statistics: new(true)}, gitlab.WithContext(ctx))
	if err != nil {
		return forge.Repository{}, polite.Cause(err)
	}
	return describe(found), nil
}

// Repositories finds what a query selects: of topics and searches, whose results are from the whole of GitLab otherwise, in the
// projects that this user is a member of.
func (f *Forge) Repositories(ctx context.Context, query forge.Query) ([]forge.Repository, error) {
	// By id, GitLab gives lists of any length (keyset pagination).
	keyset := gitlab.ListOptions{Pagination: "keyset", OrderBy: "id", Sort: "asc", PerPage: perPage}
	var found []*gitlab.Project
	var err error
	switch {
	case query.Organization != "":
		found, err = f.owned(ctx, query.Organization)
	case query.Topic != "":
		found, err = list(ctx, func(o ...gitlab.RequestOptionFunc) ([]*gitlab.Project, *gitlab.Response, error) {
			return f.client.Projects.ListProjects(&gitlab.ListProjectsOptions{ListOptions: keyset, Topic: &query.Topic, Membership: new(true)}, o...)
		})
	case query.Search != "":
		found, err = list(ctx, func(o ...gitlab.RequestOptionFunc) ([]*gitlab.Project, *gitlab.Response, error) {
			return f.client.Projects.ListProjects(&gitlab.ListProjectsOptions{ListOptions: keyset, Search: &query.Search, SearchNamespaces: new(true), Membership: new(true)}, o...)
		})
	default:
		err = fmt.Errorf("a query for nothing: %w", forge.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	all := make([]forge.Repository, 0, len(found))
	for _, p := range found {
		all = append(all, describe(p))
	}
	return forge.Sorted(all), nil
}

// owned lists the projects of a group and its subgroups, or of a user.
func (f *Forge) owned(ctx context.Context, owner string) ([]*gitlab.Project, error) {
	ofGroup := func(least *gitlab.AccessLevelValue) ([]*gitlab.Project, error) {
		return list(ctx, func(o ...gitlab.RequestOptionFunc) ([]*gitlab.Project, *gitlab.Response, error) {
			return f.client.Groups.ListGroupProjects(owner, &gitlab.ListGroupProjectsOptions{
				ListOptions:      gitlab.ListOptions{OrderBy: "id", Sort: "asc", PerPage: perPage},
				IncludeSubGroups: new(true), WithShared: new(false), MinAccessLevel: least,
			}, o...)
		})
	}
	found, err := ofGroup(nil)
	if errors.Is(err, forge.ErrNotFound) {
		return list(ctx, func(o ...gitlab.RequestOptionFunc) ([]*gitlab.Project, *gitlab.Response, error) {
			return f.client.Projects.ListUserProjects(owner, &gitlab.ListProjectsOptions{ListOptions: gitlab.ListOptions{OrderBy: "id", Sort: "asc", PerPage: perPage}}, o...)
		})
	}
	if err != nil {
		return nil, err
	}
	return found, f.permit(found, ofGroup)
}

// permit learns which projects of a group may be pushed to: the list of a group does not say it, but can be asked for those.
func (f *Forge) permit(found []*gitlab.Project, ofGroup func(*gitlab.AccessLevelValue) ([]*gitlab.Project, error)) error {
	told := true
	for _, p := range found {
		told = told && p.Permissions != nil
	}
	if told {
		return nil
	}
	mine, err := ofGroup(new(gitlab.DeveloperPermissions))
	if err != nil {
		return err
	}
	may := map[int64]bool{}
	for _, p := range mine {
		may[p.ID] = true
	}
	for _, p := range found {
		if may[p.ID] {
			p.Permissions = &gitlab.Permissions{ProjectAccess: &gitlab.ProjectAccess{AccessLevel: gitlab.DeveloperPermissions}}
		}
	}
	return nil
}

// list gets all pages of a list, whether GitLab names the next one by a number or by a link.
func list[T any](ctx context.Context, get func(...gitlab.RequestOptionFunc) ([]T, *gitlab.Response, error)) ([]T, error) {
	options := []gitlab.RequestOptionFunc{gitlab.WithContext(ctx)}
	more := true
	return polite.Pages(func(page int) ([]T, int, error) {
		some, resp, err := get(options...)
		if err != nil {
			return nil, 0, err
		}
		var following gitlab.RequestOptionFunc
		if following, more = gitlab.WithNext(resp); !more {
			return some, 0, nil
		}
		options = []gitlab.RequestOptionFunc{gitlab.WithContext(ctx), following}
		return some, page + 1, nil
	})
}

// describe says of a project what a campaign asks.
func describe(p *gitlab.Project) forge.Repository {
	d := forge.Repository{
		Name:          p.PathWithNamespace,
		CloneURL:      p.HTTPURLToRepo,
		WebURL:        p.WebURL,
		DefaultBranch: p.DefaultBranch,
		Archived:      p.Archived || p.MarkedForDeletionOn != nil,
		Empty:         p.EmptyRepo,
		Fork:          p.ForkedFromProject != nil,
		NoPulls:       p.MergeRequestsAccessLevel == gitlab.DisabledAccessControl,
	}
	if d.Empty {
		d.DefaultBranch = ""
	}
	if p.Statistics != nil {
		d.SizeKB = int(p.Statistics.RepositorySize >> 10)
	}
	if a := p.Permissions; a != nil {
		d.CanPush = a.ProjectAccess != nil && a.ProjectAccess.AccessLevel >= gitlab.DeveloperPermissions ||
			a.GroupAccess != nil && a.GroupAccess.AccessLevel >= gitlab.DeveloperPermissions
	}
	return d
}
