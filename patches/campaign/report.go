package campaign

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// ReportVersion is the version of the JSON document. It changes when a field changes its meaning or goes away.
const ReportVersion = 1

// A Report is where a campaign stands. Its JSON form is a contract with scripts; lists are never null.
type Report struct {
	Version      int                `json:"version"`
	Campaign     string             `json:"campaign"`
	Mode         Mode               `json:"mode"`
	Repositories []RepositoryReport `json:"repositories"`
	Summary      Summary            `json:"summary"`
}

// A RepositoryReport is one repository of a report.
type RepositoryReport struct {
	Name   string          `json:"name"`
	State  RepositoryState `json:"state"`
	Reason string          `json:"reason"`
	Waits  string          `json:"waits"`  // what its next step waits for
	Branch string          `json:"branch"` // the default branch
	Commit string          `json:"commit"`
	// First and Last are what the default branch was like when it was analysed first and last; null before.
	First   *Measure       `json:"first"`
	Last    *Measure       `json:"last"`
	Notes   []string       `json:"notes"`
	Changes []ChangeReport `json:"changes"`
	Left    []Finding      `json:"left"` // findings that no change mends
}

// A ChangeReport is one pull request of a report, or one to be.
type ChangeReport struct {
	Shard     string       `json:"shard"`
	State     ChangeState  `json:"state"`
	Reason    string       `json:"reason"`
	Waits     string       `json:"waits"` // why it is not published yet, or what its next step waits for
	Title     string       `json:"title"`
	Branch    string       `json:"branch"`
	Number    int          `json:"number"`
	URL       string       `json:"url"`
	Checks    forge.Checks `json:"checks"`
	Approved  bool         `json:"approved"`
	Asked     bool         `json:"changes_requested"`
	Conflicts bool         `json:"conflicts"`
	Units     []string     `json:"units"`
	Files     int          `json:"files"`
	Verified  []string     `json:"verified"`
	// Diff and Body are files below the directory of the plan, where they were written.
	Diff string `json:"diff,omitempty"`
	Body string `json:"body,omitempty"`

	content *Content
}

// A Summary counts.
type Summary struct {
	Repositories int `json:"repositories"`
	Analysed     int `json:"analysed"`
	Skipped      int `json:"skipped"`
	Failed       int `json:"failed"`
	Pending      int `json:"pending"` // not looked at yet
	Changes      int `json:"changes"` // without those that became obsolete
	Planned      int `json:"planned"` // not published
	Red          int `json:"red"`     // verification failed, or the pull request's checks
	Open         int `json:"open"`
	Merged       int `json:"merged"`
	Closed       int `json:"closed"`
	Foreign      int `json:"foreign"`
	Withdrawn    int `json:"withdrawn"`
	Unanswered   int `json:"unanswered"` // repositories and changes that wait for a forge that was not available
	// Before and Now are the findings on all default branches, when they were analysed first and last: the progress
	// of the migration, whoever made it.
	Before int `json:"findings_before"`
	Now    int `json:"findings_now"`
}

// NewReport makes the report of what is stored.
func NewReport(cfg *Config, mode Mode, repositories []*Repository, changes []*Change, now time.Time) *Report {
	r := &Report{Version: ReportVersion, Campaign: string(cfg.Name), Mode: mode, Repositories: []RepositoryReport{}}
	_, waiting := Gate(cfg, now, repositories, changes)
	why := map[*Change]string{}
	for _, w := range waiting {
		why[w.Change] = w.Why
	}
	of := map[string][]ChangeReport{}
	for _, c := range changes {
		of[c.Repository] = append(of[c.Repository], ChangeReport{
			Shard: c.Shard, State: c.State, Reason: c.Reason, Waits: cmp.Or(c.waits(), why[c]), Title: c.Title, Branch: c.Branch, Number: c.Number, URL: c.URL,
			Checks: cmp.Or(c.Checks, forge.NoChecks), Approved: c.Approved, Asked: c.Asked, Conflicts: c.Conflicts,
			Units: notNil(c.Units), Files: c.Files, Verified: notNil(c.Verified), content: c.Content,
		})
		r.Summary.countChange(c)
	}
	for _, repo := range repositories {
		r.Repositories = append(r.Repositories, RepositoryReport{
			Name: repo.Name, State: repo.State, Reason: repo.Reason, Waits: repo.Waits, Branch: repo.Base.Branch, Commit: repo.Base.Commit,
			First: repo.First, Last: repo.Last, Notes: notNil(repo.Notes), Changes: notNil(of[repo.Name]), Left: notNil(repo.Left),
		})
		r.Summary.countRepository(repo)
	}
	return r
}

// Settled tells whether nothing is left to be done, by the campaign or by people.
func (r *Report) Settled() bool {
	s := r.Summary
	return s.Pending+s.Planned+s.Open+s.Unanswered == 0
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// waits says what the next step of a change waits for.
func (c *Change) waits() string {
	if c.Final() {
		return ""
	}
	return c.Waits
}

func (s *Summary) countRepository(r *Repository) {
	s.Repositories++
	if r.Unanswered {
		s.Unanswered++
	}
	switch r.State {
	case RepositoryAnalysed:
		s.Analysed++
	case RepositorySkipped:
		s.Skipped++
	case RepositoryFailed:
		s.Failed++
	default:
		s.Pending++
	}
	if r.First != nil && r.Last != nil {
		s.Before += r.First.Findings
		s.Now += r.Last.Findings
	}
}

func (s *Summary) countChange(c *Change) {
	if c.State == ChangeObsolete {
		return
	}
	s.Changes++
	if c.Unanswered && !c.Final() {
		s.Unanswered++
	}
	if c.State == ChangeRed || c.State == ChangeFailed || c.State == ChangeOpen && c.Checks == forge.Red {
		s.Red++
	}
	switch c.State {
	case ChangePlanned, ChangeVerified, ChangeAdmitted, ChangePushed:
		s.Planned++
	case ChangeOpen:
		s.Open++
	case ChangeMerged:
		s.Merged++
	case ChangeClosed:
		s.Closed++
	case ChangeForeign:
		s.Foreign++
	case ChangeWithdrawn:
		s.Withdrawn++
	}
}

// WriteJSON writes the document.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// String sums a campaign up in a line or two.
func (s Summary) String() string {
	parts := []string{plural(s.Repositories, "repository")}
	if s.Repositories != 1 {
		parts[0] = fmt.Sprintf("%d repositories", s.Repositories)
	}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(s.Pending, "not looked at yet")
	add(s.Skipped, "skipped")
	add(s.Failed, "failed")
	text := strings.Join(parts, ", ")
	parts = []string{plural(s.Changes, "change")}
	add(s.Planned, "to be opened")
	add(s.Open, "open")
	add(s.Merged, "merged")
	add(s.Closed, "closed")
	add(s.Foreign, "taken over by others")
	add(s.Withdrawn, "withdrawn")
	add(s.Red, "red")
	text += "; " + strings.Join(parts, ", ")
	if s.Unanswered > 0 {
		text += fmt.Sprintf("\n%d wait for the forge, which was not available", s.Unanswered)
	}
	if s.Analysed > 0 {
		text += fmt.Sprintf("\nfindings on the default branches: %d", s.Now)
		if s.Now != s.Before {
			text += fmt.Sprintf(", %d at first", s.Before)
		}
	}
	return text
}
