// Package forgetest is for tests of forges: a world of repositories and pull requests that a test's server shows in the way of
// one service, and the behaviour that a campaign expects of every Forge in front of it.
package forgetest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// Token is what the user of a world authenticates with, and Me is that user.
const (
	Token = "s3cr3t-t0ken-0f-the-b0t"
	Me    = "bot"
)

// A World is what a service knows. While it answers, nobody else may look at it.
type World struct {
	mu    sync.Mutex
	Clock *Clock
	Repos []*Repo
	Users []string            // all but Me
	Teams map[string][]string // by organisation
	Orgs  []string            // the owners of repositories that are organisations

	// Faults are answers that take the place of the service's own.
	Faults []*Fault
	// Seen are the requests that arrived, "POST /path?query".
	Seen []string
}

// A Repo is a repository.
type Repo struct {
	forge.Repository
	Topics []string
	Pulls  []*Pull
	Labels []string // its own, in the order they were made
	Shared []string // of its organisation
}

// A Pull is a pull request.
type Pull struct {
	Number             int
	Title, Body        string // the title without the mark of a draft
	Draft              bool
	State              forge.State
	Head, HeadRepo     string // HeadRepo is the full name of a fork, usually the repository itself
	SHA, Base          string
	Labels             []string
	Assignees          []string
	Reviewers, Teams   []string
	Comments           []string
	Reviews            []Review
	Checks             []Check
	Conflicts, Unknown bool // Unknown: the service has not found out yet whether it can be merged
	BranchGone         bool
}

// A Review is one review.
type Review struct {
	User     string
	Opinion  forge.Opinion
	Stranger bool // by somebody who does not belong to the repository
}

// A Check is one check of the newest commit.
type Check struct {
	Name string
	Sum  forge.Checks
	// Run: one of those that GitHub has beside statuses.
	Run bool
	// Before is an earlier result of the same check, none where empty.
	Before forge.Checks
}

// A Fault is an answer that takes the place of the service's own.
type Fault struct {
	Method, Path string // "" for any; Path is a part of it
	Status       int
	Header       map[string]string
	Body         string
	Abort        bool // the connection breaks off without an answer
	Half         bool // the answer breaks off in the middle
	After        bool // what was asked is done all the same
	Times        int  // how often; 0 for always
}

// Repo returns a repository by name, nil if there is none.
func (w *World) Repo(name string) *Repo {
	for _, r := range w.Repos {
		if strings.EqualFold(r.Name, name) {
			return r
		}
	}
	return nil
}

// Pull returns a pull request by number, nil if there is none.
func (r *Repo) Pull(number int) *Pull {
	for _, p := range r.Pulls {
		if p.Number == number {
			return p
		}
	}
	return nil
}

// Add adds a pull request, numbered, open and of the repository itself where it does not say otherwise.
func (r *Repo) Add(p Pull) *Pull {
	p.Number = len(r.Pulls) + 1
	if p.State == "" {
		p.State = forge.Open
	}
	if p.HeadRepo == "" {
		p.HeadRepo = r.Name
	}
	if p.Base == "" {
		p.Base = r.DefaultBranch
	}
	if p.SHA == "" {
		p.SHA = fmt.Sprintf("%040x", 0xabc000+p.Number)
	}
	r.Pulls = append(r.Pulls, &p)
	return &p
}

// Open does what a service does when it is asked for a pull request. There may be one already.
func (r *Repo) Open(head, base, title, body string, draft bool) (p *Pull, exists bool) {
	for _, p := range r.Pulls {
		if p.State == forge.Open && p.Head == head && p.HeadRepo == r.Name {
			return p, true
		}
	}
	return r.Add(Pull{Head: head, Base: base, Title: title, Body: body, Draft: draft}), false
}

// Known reports whether there is a user of that name.
func (w *World) Known(user string) bool { return user == Me || slices.Contains(w.Users, user) }

// UserID is the number of a user, from 1.
func (w *World) UserID(user string) int {
	if user == Me {
		return 1000
	}
	return slices.Index(w.Users, user) + 1
}

// UserOf is the user of a number, "" for none.
func (w *World) UserOf(id int) string {
	if id == 1000 {
		return Me
	}
	if id < 1 || id > len(w.Users) {
		return ""
	}
	return w.Users[id-1]
}

// Changes counts the requests seen that change something.
func (w *World) Changes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.Seen {
		if !strings.HasPrefix(s, "GET ") {
			n++
		}
	}
	return n
}

// Serve puts what all services share before a service: the token is asked for, faults come true, and the world is locked.
func (w *World) Serve(t *testing.T, scheme string, service http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.Seen = append(w.Seen, r.Method+" "+r.URL.RequestURI())
		if strings.Contains(r.URL.String(), Token) {
			t.Errorf("the token is part of %s", r.URL.Path)
		}
		if r.Header.Get("Authorization") != scheme+" "+Token {
			http.Error(out, `{"message":"Bad credentials `+Token+`"}`, http.StatusUnauthorized)
			return
		}
		f := w.fault(r)
		if f == nil || f.After {
			recorded := &answer{header: http.Header{}}
			service.ServeHTTP(recorded, r)
			if f == nil {
				recorded.send(out)
				return
			}
			if f.Half {
				recorded.half(out)
			}
		}
		if f.Abort || f.Half {
			panic(http.ErrAbortHandler)
		}
		for k, v := range f.Header {
			out.Header().Set(k, v)
		}
		out.WriteHeader(f.Status)
		_, _ = out.Write([]byte(f.Body))
	})
}

// fault finds the fault that a request meets.
func (w *World) fault(r *http.Request) *Fault {
	for i, f := range w.Faults {
		if f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				w.Faults = slices.Delete(w.Faults, i, i+1)
			}
		}
		return f
	}
	return nil
}

// An answer is kept until it is known what becomes of it.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) {
	a.body = append(a.body, p...)
	return len(p), nil
}

func (a *answer) send(w http.ResponseWriter) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = w.Write(a.body)
}

// half sends the first half of an answer that says how long all of it is.
func (a *answer) half(w http.ResponseWriter) {
	a.header.Set("Content-Length", fmt.Sprint(len(a.body)))
	a.body = a.body[:len(a.body)/2]
	a.send(w)
	_ = http.NewResponseController(w).Flush()
}
