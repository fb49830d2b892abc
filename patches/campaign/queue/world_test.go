package queue

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// A world is a forge with its repositories, in memory. It is its own Git, Forge and Analyser, and can lose the process
// that speaks to it before or after any word.
type world struct {
	mu    sync.Mutex
	repos map[string]*hosted
	// words counts what was said to it; at killAt, if not 0, kill is called.
	words  int
	killAt int
	kill   func()
	killed bool
	// log is everything that changed something.
	log []string
	// limit, if not nil, is what opening a pull request answers, once.
	limit error
	// ill, if not nil, is what opening a pull request answers, each time.
	ill   error
	asked int
}

// hosted is one repository of a world.
type hosted struct {
	base     string // tip of main
	misuse   bool   // whether there is something to be mended on main
	branches map[string]string
	commits  map[string]campaign.Commit
	pulls    []*forge.PullRequest
	archived bool
	approved bool
}

var errKilled = errors.New("this process has been killed")

func newWorld(names ...string) *world {
	w := &world{repos: map[string]*hosted{}}
	for _, name := range names {
		w.repos[name] = &hosted{base: "base-1", misuse: true, branches: map[string]string{}, commits: map[string]campaign.Commit{}}
	}
	return w
}

// word is one thing said to the world: the process may be lost before it is heard, and before its answer is.
func (w *world) word(do func() error) error {
	for _, part := range []func() error{nil, do} {
		w.mu.Lock()
		if w.killed {
			w.mu.Unlock()
			return errKilled
		}
		var err error
		if part != nil {
			err = part()
		}
		w.words++
		now := w.words == w.killAt
		w.killed = w.killed || now
		w.mu.Unlock()
		if now {
			w.kill()
			return errKilled
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) did(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// count is how often something was done.
func (w *world) count(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, line := range w.log {
		if line == what {
			n++
		}
	}
	return n
}

// Git.

func (w *world) Clone(_ context.Context, remote campaign.Remote, _ string) (base campaign.Base, err error) {
	err = w.word(func() error {
		base = campaign.Base{Branch: "main", Commit: w.repos[remote.URL].base}
		return nil
	})
	return base, err
}

func (w *world) Branch(_ context.Context, remote campaign.Remote, _, name string) (b campaign.Branch, err error) {
	err = w.word(func() error {
		r := w.repos[remote.URL]
		b.Commit = r.branches[name]
		for at := b.Commit; at != ""; {
			c, ok := r.commits[at]
			if !ok {
				break // main
			}
			b.Commits = append(b.Commits, campaign.CommitInfo{Hash: at, CommitterName: c.Name, CommitterEmail: c.Email, Message: c.Message})
			at = c.Parent
		}
		return nil
	})
	return b, err
}

func (w *world) Commit(_ context.Context, _ string, c campaign.Commit) (hash string, err error) {
	hash = fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, c)))[:12]
	return hash, w.word(func() error {
		for _, r := range w.repos {
			r.commits[hash] = c // objects mean nothing until a branch has them
		}
		return nil
	})
}

func (w *world) Export(context.Context, string, string, string) error {
	return w.word(func() error { return nil })
}

func (w *world) Push(_ context.Context, remote campaign.Remote, _, name, commit, expected string) error {
	return w.word(func() error {
		r := w.repos[remote.URL]
		if r.branches[name] != expected {
			return campaign.ErrLease
		}
		r.branches[name] = commit
		for _, p := range r.pulls {
			if p.Head == name {
				p.HeadSHA = commit
			}
		}
		w.did("push %s", remote.URL)
		return nil
	})
}

func (w *world) Delete(_ context.Context, remote campaign.Remote, _, name, expected string) error {
	return w.word(func() error {
		r := w.repos[remote.URL]
		if r.branches[name] != "" && r.branches[name] != expected {
			return campaign.ErrLease
		}
		delete(r.branches, name)
		return nil
	})
}

// Analyser: one unit where there is misuse, whose change depends on main.

func (w *world) Analyse(_ context.Context, dir string, _ campaign.AnalysisOptions, want func(*campaign.Analysis) [][]string) (a *campaign.Analysis, list []*campaign.Patch, err error) {
	err = w.word(func() error {
		a = &campaign.Analysis{Modules: []string{"."}}
		if r := w.at(dir); r != nil && r.misuse {
			a.Findings = []campaign.Finding{{Rule: "builtinkey", File: "a.go", Line: 1, Status: "fixable", Unit: "u"}}
			a.Units = []campaign.Unit{unit()}
		}
		for range want(a) {
			list = append(list, &campaign.Patch{Units: []campaign.Unit{unit()}, Changes: []campaign.FileChange{{Name: "a.go", Before: []byte(w.at(dir).base), After: []byte("mended")}}})
		}
		return nil
	})
	return a, list, err
}

func unit() campaign.Unit {
	return campaign.Unit{ID: "u", Rule: "builtinkey", Title: "give it a type", Applicability: "safe", Status: "fixable", Files: []string{"a.go"}}
}

// at finds the repository that a clone is of: the engine names directories after repositories.
func (w *world) at(dir string) *hosted {
	for name, r := range w.repos {
		if campaign.CloneName(name) == filepath.Base(dir) {
			return r
		}
	}
	return nil
}

// Forge.

func (w *world) Access() forge.Access { return forge.Access{} }

func (w *world) Repositories(_ context.Context, _ forge.Query) (list []forge.Repository, err error) {
	err = w.word(func() error {
		for name := range w.repos {
			list = append(list, forge.Repository{Name: name, CloneURL: name})
		}
		slices.SortFunc(list, func(a, b forge.Repository) int { return cmp.Compare(a.Name, b.Name) })
		return nil
	})
	return list, err
}

func (w *world) Repository(_ context.Context, name string) (info forge.Repository, err error) {
	err = w.word(func() error {
		r := w.repos[name]
		if r == nil {
			return forge.ErrNotFound
		}
		info = forge.Repository{Name: name, CloneURL: name, DefaultBranch: "main", CanPush: true, Archived: r.archived}
		return nil
	})
	return info, err
}

func (w *world) PullRequests(_ context.Context, repository, head string) (list []forge.PullRequest, err error) {
	err = w.word(func() error {
		for _, p := range slices.Backward(w.repos[repository].pulls) {
			if p.Head == head {
				list = append(list, *p)
			}
		}
		return nil
	})
	return list, err
}

func (w *world) Open(_ context.Context, repository string, q forge.Request) (p forge.PullRequest, err error) {
	err = w.word(func() error {
		if err := w.limit; err != nil {
			w.limit = nil
			return err
		}
		if w.ill != nil {
			w.asked++
			return w.ill
		}
		r := w.repos[repository]
		for _, old := range r.pulls {
			if old.Head == q.Head && old.State == forge.Open {
				return forge.ErrExists
			}
		}
		p = forge.PullRequest{Number: len(r.pulls) + 1, URL: fmt.Sprintf("https://forge/%s/%d", repository, len(r.pulls)+1), State: forge.Open, Head: q.Head, HeadSHA: r.branches[q.Head], Base: q.Base, Title: q.Title, Body: q.Body}
		stored := p
		r.pulls = append(r.pulls, &stored)
		w.did("open %s", repository)
		return nil
	})
	return p, err
}

func (w *world) Update(_ context.Context, repository string, number int, q forge.Request) (p forge.PullRequest, err error) {
	err = w.word(func() error {
		old := w.repos[repository].pulls[number-1]
		old.Title, old.Body = q.Title, q.Body
		p = *old
		w.did("update %s", repository)
		return nil
	})
	return p, err
}

func (w *world) Close(_ context.Context, repository string, number int, _ string) error {
	return w.word(func() error {
		w.repos[repository].pulls[number-1].State = forge.Closed
		w.did("close %s", repository)
		return nil
	})
}

func (w *world) Status(_ context.Context, repository string, number int) (s forge.Status, err error) {
	err = w.word(func() error {
		r := w.repos[repository]
		s = forge.Status{PullRequest: *r.pulls[number-1], Checks: forge.Green, Approved: r.approved}
		return nil
	})
	return s, err
}
