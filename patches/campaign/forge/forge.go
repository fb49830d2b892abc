// Package forge says what a campaign needs of a code hosting service: finding
// repositories, and opening, updating, following and closing pull requests.
// Branches and commits are git's business and not part of it.
package forge

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Forge is one hosting service, spoken to as one user. Its methods may be
// called from several goroutines. An error is one of this package's where the
// service's answer has that meaning; everything else is worth another try.
// No error, and nothing a Forge returns, ever contains the token.
type Forge interface {
	// Repositories finds what a query selects, sorted by name, all pages of it.
	Repositories(ctx context.Context, query Query) ([]Repository, error)
	// Repository looks one up by its full name.
	Repository(ctx context.Context, name string) (Repository, error)
	// PullRequests lists those, in any state, whose branch in the repository
	// itself is head, the newest first.
	PullRequests(ctx context.Context, repository, head string) ([]PullRequest, error)
	// Open opens one. Where the forge says that there is one already for head
	// and base, the error is ErrExists. A pull request that stands when something
	// else of the request failed is returned together with the error; Update does the rest.
	Open(ctx context.Context, repository string, request Request) (PullRequest, error)
	// Update gives an open one the title, body, labels, reviewers and assignees
	// of request; what people added by hand stays. One that is no longer open is
	// returned as it is.
	Update(ctx context.Context, repository string, number int, request Request) (PullRequest, error)
	// Close closes one without merging it, after a comment that says why, which
	// is not written twice. One that is no longer open is left alone.
	Close(ctx context.Context, repository string, number int, comment string) error
	// Status tells how one is doing: its state, its reviews and its checks.
	Status(ctx context.Context, repository string, number int) (Status, error)
	// Access says how git reaches a repository of this forge.
	Access() Access
}

// Query selects repositories; exactly one field is set.
type Query struct {
	Organization string // an organisation, a user, or a GitLab group with its subgroups
	Topic        string // a topic
	Search       string // a search in the forge's own language
}

// Repository is one repository as its forge describes it.
type Repository struct {
	Name          string // full name: owner/name, for GitLab group/subgroup/name
	CloneURL      string // https or http, without credentials
	WebURL        string
	DefaultBranch string // empty in an empty repository
	SizeKB        int    // as the forge reports it; 0 where it does not
	Archived      bool
	Empty         bool
	Fork          bool
	CanPush       bool // this user may push branches
	NoPulls       bool // pull requests are switched off there
}

// State is where a pull request stands.
type State string

// The states of a pull request.
const (
	Open   State = "open"
	Merged State = "merged"
	Closed State = "closed" // closed without merging
)

// PullRequest is a pull request (a merge request, in GitLab's words).
type PullRequest struct {
	Number  int
	URL     string // for people
	State   State
	Head    string // branch
	HeadSHA string
	Base    string // branch
	Title   string
	Body    string
	Labels  []string
	Draft   bool
	// Refused is what Open and Update could not do and never will, each with the
	// reason: a reviewer who may not see the repository, a label that may not be made.
	Refused []string
}

// Request is what a pull request is to look like.
type Request struct {
	Head, Base  string // branches of the repository itself
	Title, Body string
	Labels      []string
	Reviewers   []string // users; "team/NAME" or "org/NAME" for a team where the forge has them
	Assignees   []string
	Draft       bool
}

// Checks is the sum of all checks of a commit.
type Checks string

// The sums of checks.
const (
	NoChecks Checks = "none"
	Pending  Checks = "pending"
	Green    Checks = "green"
	Red      Checks = "red"
)

// Status is how a pull request is doing.
type Status struct {
	PullRequest
	Approved         bool // at least one approval and nobody who asks for changes
	ChangesRequested bool
	Checks           Checks
	Conflicts        bool // cannot be merged as it is, where the forge knows
	Mergeable        bool // nothing known stands against merging it
}

// Access says how git authenticates itself: over HTTP, by user name and
// password, which an askpass helper hands over.
type Access struct {
	Username string
	Token    Secret
}

// Errors that mean something to a campaign.
var (
	// ErrNotFound: there is no such repository or pull request, or this user
	// may not see it.
	ErrNotFound = errors.New("not found on the forge")
	// ErrForbidden: this user may see it and not do that to it.
	ErrForbidden = errors.New("not permitted by the forge")
	// ErrUnauthorized: the token is missing, wrong or has expired.
	ErrUnauthorized = errors.New("the forge does not accept the token")
	// ErrExists: there is an open pull request for that branch already.
	ErrExists = errors.New("a pull request for this branch exists")
	// ErrUnavailable: the forge cannot be reached, breaks off, or fails at its own work (5xx). Nothing is known of what was asked.
	ErrUnavailable = errors.New("the forge is not available")
	// ErrInvalid: the forge understood the request and will never accept it.
	ErrInvalid = errors.New("refused by the forge")
)

// LimitError means that the forge asks for patience; nothing was done.
type LimitError struct {
	Until     time.Time // when to come back
	Secondary bool      // the limit on bursts, not the hourly allowance
	Cause     error
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the forge asks to come back at %s: %v", e.Until.UTC().Format(time.RFC3339), e.Cause)
}

// Unwrap returns what the forge said.
func (e *LimitError) Unwrap() error { return e.Cause }
