package campaign

import (
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// RepositoryState is how far a repository has come.
type RepositoryState string

// The states of a repository.
const (
	RepositoryNew      RepositoryState = "new"      // not looked at yet
	RepositoryCloned   RepositoryState = "cloned"   // and not analysed, or its default branch has moved since
	RepositoryAnalysed RepositoryState = "analysed" // its changes are planned
	RepositorySkipped  RepositoryState = "skipped"  // nothing can be done there; Reason says why
	RepositoryFailed   RepositoryState = "failed"   // tried several times in vain
)

// A Repository is a target with what is known of it.
type Repository struct {
	Name string `json:"name"`
	// Order is its place among the targets, from 0.
	Order int             `json:"order"`
	URL   string          `json:"url"`
	Local bool            `json:"local,omitempty"`
	State RepositoryState `json:"state"`
	// Reason says why it is skipped or has failed.
	Reason string `json:"reason,omitempty"`
	// Waits says what its next step waits for, and Unanswered that this is a forge that was not available.
	Waits      string `json:"waits,omitempty"`
	Unanswered bool   `json:"unanswered,omitempty"`
	Base       Base   `json:"base"`
	// Digest is that of the settings it was analysed with.
	Digest string   `json:"digest,omitempty"`
	Notes  []string `json:"notes,omitempty"`
	// First and Last are what the default branch was like, when it was first and last analysed.
	First *Measure `json:"first,omitempty"`
	Last  *Measure `json:"last,omitempty"`
	// Findings are those of the last analysis that no change mends.
	Left []Finding `json:"left,omitempty"`
}

// A Measure is what an analysis found on a default branch.
type Measure struct {
	Commit   string    `json:"commit"`
	When     time.Time `json:"when"`
	Findings int       `json:"findings"` // without those suppressed
	Fixable  int       `json:"fixable"`
	Blocked  int       `json:"blocked"`
	Cost     Cost      `json:"cost"`
}

// Organization is the part of the name before the last slash.
func (r *Repository) Organization() string {
	if dir := path.Dir(r.Name); dir != "." {
		return dir
	}
	return ""
}

// ChangeState is how far a change has come.
type ChangeState string

// The states of a change. All after Open are final.
const (
	ChangePlanned   ChangeState = "planned"   // planned on its base, and type-checked
	ChangeVerified  ChangeState = "verified"  // what the campaign asks for has been run; it waits for its turn
	ChangeRed       ChangeState = "red"       // verification failed; nothing is pushed
	ChangeAdmitted  ChangeState = "admitted"  // its turn has come: it counts as open from here on
	ChangePushed    ChangeState = "pushed"    // the branch is there
	ChangeOpen      ChangeState = "open"      // the pull request is there
	ChangeMerged    ChangeState = "merged"    // by people
	ChangeClosed    ChangeState = "closed"    // by people: it is not opened again
	ChangeForeign   ChangeState = "foreign"   // the branch has commits of others: it is left to them
	ChangeObsolete  ChangeState = "obsolete"  // never opened, and no longer needed
	ChangeFailed    ChangeState = "failed"    // tried several times in vain, or refused by the forge
	ChangeWithdrawn ChangeState = "withdrawn" // taken back by campaign close
)

// A Change is what becomes one pull request: some units of a repository.
type Change struct {
	Repository string `json:"repository"`
	// Shard tells the changes of a repository apart, and never changes.
	Shard  string      `json:"shard"`
	Branch string      `json:"branch"`
	State  ChangeState `json:"state"`
	Reason string      `json:"reason,omitempty"`
	// Waits says what its next step waits for, and Unanswered that this is a forge that was not available.
	Waits      string `json:"waits,omitempty"`
	Unanswered bool   `json:"unanswered,omitempty"`
	Title      string `json:"title"`
	// Units are the identifiers of what it mends.
	Units    []string `json:"units"`
	Files    int      `json:"files"`
	Base     Base     `json:"base"`
	Verified []string `json:"verified,omitempty"` // the checks it has passed, for people
	// Planned is when its content was made: the date of its commit, which makes the same commit each time.
	Planned time.Time `json:"planned"`
	// Admitted is when its turn came; zero before.
	Admitted time.Time `json:"admitted,omitzero"`
	Opened   time.Time `json:"opened,omitzero"`
	// Commit is what the branch is to point to, Pushed what we last made it point to.
	Commit string       `json:"commit,omitempty"`
	Pushed string       `json:"pushed,omitempty"`
	Number int          `json:"number,omitempty"`
	URL    string       `json:"url,omitempty"`
	Checks forge.Checks `json:"checks,omitempty"`
	// Approved, Asked (changes were requested) and Conflicts are as the forge last told.
	Approved  bool `json:"approved,omitempty"`
	Asked     bool `json:"asked,omitempty"`
	Conflicts bool `json:"conflicts,omitempty"`
	// Content is apart: it is large, and most questions do without.
	Content *Content `json:"-"`
}

// Content is what a change says and does.
type Content struct {
	Body    string       `json:"body"`
	Message string       `json:"message"`
	Units   []Unit       `json:"units"`
	Changes []FileChange `json:"changes"`
}

// Published tells whether others can see the change, or soon will.
func (c *Change) Published() bool {
	return c.State == ChangeAdmitted || c.State == ChangePushed || c.State == ChangeOpen || !c.Admitted.IsZero() && !c.Final()
}

// Final tells whether nothing more is done with it.
func (c *Change) Final() bool {
	switch c.State {
	case ChangeMerged, ChangeClosed, ChangeForeign, ChangeObsolete, ChangeWithdrawn:
		return true
	}
	return false
}

var notInFileNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// slug makes of a text what branches and files may be called. Different texts may have the same.
func slug(text string) string {
	s := notInFileNames.ReplaceAllString(text, "-")
	for strings.Contains(s, "..") {
		s = strings.ReplaceAll(s, "..", ".")
	}
	s = strings.Trim(s, "-.")
	if len(s) > 50 {
		s = strings.TrimRight(s[:50], "-.")
	}
	return strings.TrimSuffix(s, ".lock")
}
