package campaign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// A Step is one piece of work on a repository or a change.
type Step string

// The steps, in the order in which they follow each other.
const (
	StepClone    Step = "clone"    // repository: look whether it can be worked on, and at its default branch
	StepAnalyse  Step = "analyse"  // repository: plan its changes
	StepVerify   Step = "verify"   // change: run what the campaign asks for
	StepPush     Step = "push"     // change: bring its branch to the remote
	StepOpen     Step = "open"     // change: open its pull request, or bring it up to date
	StepFollow   Step = "follow"   // change: see what people made of it
	StepWithdraw Step = "withdraw" // change: take it back
)

// OfChange tells whether the step is one of a change and not of its repository.
func (s Step) OfChange() bool { return s != StepClone && s != StepAnalyse }

// A Mode is what a campaign is doing.
type Mode string

// The modes.
const (
	ModePlan  Mode = "plan"  // look, and tell nobody
	ModeRun   Mode = "run"   // carry it out
	ModeSync  Mode = "sync"  // look again, at repositories and pull requests
	ModeClose Mode = "close" // take it back; nothing else is done any more
)

// A Task is what a step works on, as it is stored. Steps change it, and whoever called stores it together with
// what follows, in one transaction. A step whose task was not stored is done again: what it did to the
// world by then it finds, and does not do twice.
type Task struct {
	Mode       Mode
	Repository *Repository
	// Changes are all of the repository for a step of it, with their content; those that are new are added.
	Changes []*Change
	// Change is the one that a step of a change is about, with its content.
	Change *Change
}

// An Outcome is what follows.
type Outcome struct {
	Next []Next
	// Wait, if not zero, is when to do the same step again; the task is stored as it is.
	Wait time.Time
	// Why says what is waited for, where that is worth saying.
	Why string
	// Later means that whoever wants the campaign to come to rest does not wait for it.
	Later bool
}

// Next is a step that follows; Shard names the change.
type Next struct {
	Step  Step
	Shard string
}

// An Engine does the steps of a campaign.
type Engine struct {
	Config   *Config
	Forge    forge.Forge // nil where there is none
	Git      Git
	Analyser Analyser
	// Sandbox may be nil; then a campaign that wants something run has no change verified.
	Sandbox Sandbox
	// Anonymous means that there is no token: nothing can be published.
	Anonymous bool
	// Work is where clones lie. It belongs to this process.
	Work string
	Now  func() time.Time

	mu      sync.Mutex
	clones  map[string]*workingClone // by the repository's name
	resting time.Time                // when the forge may be spoken to again
	silent  outage
}

// followEvery is how often a pull request is looked at.
const followEvery = 10 * time.Minute

// Do does one step. An error is tried again; what has no prospect is in the task's state and reason.
func (e *Engine) Do(ctx context.Context, step Step, t *Task) (Outcome, error) {
	unlock := e.lock(t.Repository.Name)
	defer unlock()
	if until := e.rests(); until.After(e.Now()) && speaks(step) {
		return e.wait(step, t, until), nil
	}
	out, err := e.listen(ctx, step, t)
	var limit *forge.LimitError
	if errors.As(err, &limit) {
		e.rest(limit.Until)
		return e.wait(step, t, limit.Until), nil
	}
	if err == nil {
		noteWait(step, t, out.Why, false)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("%s %s: %w", step, t.Repository.Name, err)
	}
	return out, nil
}

// soon is how long whoever wants the campaign to come to rest waits for a forge that asks for patience.
const soon = 90 * time.Minute

// wait has a step done when the forge may be spoken to again.
func (e *Engine) wait(step Step, t *Task, until time.Time) Outcome {
	noteWait(step, t, "the forge asks to come back at "+until.UTC().Format("2006-01-02 15:04:05 MST"), false)
	return Outcome{Wait: until, Later: until.After(e.Now().Add(soon))}
}

// outside tells that the window has closed since a change was admitted, because its steps had to wait: then it waits for the next one.
func (e *Engine) outside() (Outcome, bool) {
	opens := e.Config.Window.opens(e.Now())
	return Outcome{Wait: opens, Why: windowOpens(opens), Later: true}, opens.After(e.Now())
}

// noteWait notes what a step waits for.
func noteWait(step Step, t *Task, what string, unanswered bool) {
	if !step.OfChange() {
		t.Repository.Waits, t.Repository.Unanswered = what, unanswered
	} else if t.Change != nil {
		t.Change.Waits, t.Change.Unanswered = what, unanswered
	}
}

func (e *Engine) do(ctx context.Context, step Step, t *Task) (Outcome, error) {
	switch step {
	case StepClone:
		return e.clone(ctx, t)
	case StepAnalyse:
		return e.analyse(ctx, t)
	case StepVerify:
		return e.verify(ctx, t)
	case StepPush:
		return e.push(ctx, t)
	case StepOpen:
		return e.open(ctx, t)
	case StepFollow:
		return e.follow(ctx, t)
	case StepWithdraw:
		return e.withdraw(ctx, t)
	}
	return Outcome{}, fmt.Errorf("unknown step %q", step)
}

// GiveUp puts into a task that a step has been tried often enough.
func GiveUp(step Step, t *Task, err error) {
	if step.OfChange() {
		// What was published is followed further; only a withdrawal that fails is told as such.
		t.Change.Reason = err.Error()
		if t.Change.State != ChangeOpen {
			t.Change.State = ChangeFailed
		}
		return
	}
	t.Repository.State, t.Repository.Reason = RepositoryFailed, err.Error()
}

// speaks tells whether a step asks the forge.
func speaks(s Step) bool { return s != StepAnalyse && s != StepVerify }

func (e *Engine) rests() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.resting
}

func (e *Engine) rest(until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if until.After(e.resting) {
		e.resting = until
	}
}

// A workingClone is a clone that this process has made, and its lock.
type workingClone struct {
	sync.Mutex
	base Base // zero when there is none
}

// lock keeps two steps of one repository apart: they share its clone.
func (e *Engine) lock(name string) (unlock func()) {
	c := e.working(name)
	c.Lock()
	return c.Unlock
}

func (e *Engine) working(name string) *workingClone {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.clones == nil {
		e.clones = map[string]*workingClone{}
	}
	c := e.clones[name]
	if c == nil {
		c = &workingClone{}
		e.clones[name] = c
	}
	return c
}

func (e *Engine) dir(r *Repository) string {
	return filepath.Join(e.Work, CloneName(r.Name))
}

// CloneName is what the directory of a repository's clone is called.
func CloneName(repository string) string { return slug(repository) + "-" + short(repository) }

func (e *Engine) remote(r *Repository) Remote {
	remote := Remote{URL: r.URL, Local: r.Local, MaxBytes: int64(e.Config.Targets.MaxSize) << 20}
	if e.Forge != nil && !r.Local {
		remote.Access = e.Forge.Access()
	}
	return remote
}

// refresh makes a clone, or brings the one there is up to date.
func (e *Engine) refresh(ctx context.Context, r *Repository) (Base, error) {
	c := e.working(r.Name)
	c.base = Base{}
	base, err := e.Git.Clone(ctx, e.remote(r), e.dir(r))
	if err == nil {
		c.base = base
	}
	return base, err
}

// at makes sure that there is a clone, and returns what it was made at: the commit wanted, where this process has
// cloned that already, and otherwise the newest one.
func (e *Engine) at(ctx context.Context, r *Repository, want Base) (Base, error) {
	if e.working(r.Name).base == want && want.Commit != "" {
		return want, nil
	}
	return e.refresh(ctx, r)
}

// Forget removes the clone of a repository, once nothing more is to be done with it soon.
func (e *Engine) Forget(r *Repository) error {
	unlock := e.lock(r.Name)
	defer unlock()
	e.working(r.Name).base = Base{}
	return os.RemoveAll(e.dir(r))
}

// Resting tells whether a repository waits for people, or for nothing: its clone is not needed soon.
func Resting(r *Repository, changes []*Change) bool {
	if r.State == RepositoryNew || r.State == RepositoryCloned {
		return false
	}
	return !slices.ContainsFunc(changes, func(c *Change) bool {
		return c.State == ChangePlanned || c.State == ChangeAdmitted || c.State == ChangePushed
	})
}

// skip ends work on a repository for good, as far as its default branch stays as it is.
func skip(r *Repository, reason string) {
	r.State, r.Reason = RepositorySkipped, reason
}

// final tells whether an error says something about the repository that trying again does not change.
func final(err error) bool {
	for _, is := range []error{ErrEmpty, ErrUnfit, ErrTooLarge, ErrHostile, ErrNoAccess, forge.ErrNotFound, forge.ErrForbidden} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// clone looks at a repository: may it be worked on, and where does its default branch stand?
func (e *Engine) clone(ctx context.Context, t *Task) (Outcome, error) {
	r := t.Repository
	if e.Forge != nil && !r.Local {
		info, err := e.Forge.Repository(ctx, r.Name)
		if final(err) {
			skip(r, err.Error())
			return Outcome{}, nil
		}
		if err != nil {
			return Outcome{}, err
		}
		r.URL = info.CloneURL
		if why := e.unwanted(info); why != "" {
			skip(r, why)
			return Outcome{}, nil
		}
	}
	base, err := e.refresh(ctx, r)
	if final(err) {
		skip(r, err.Error())
		return Outcome{}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	for _, c := range t.Changes {
		if c.State == ChangeRed || c.State == ChangeFailed {
			c.State, c.Reason = ChangePlanned, "" // whoever starts the campaign again wants it tried again
		}
	}
	if r.State == RepositoryAnalysed && r.Base == base && r.Digest == e.Config.digest() {
		return Outcome{Next: toVerify(t.Changes)}, nil
	}
	r.State, r.Reason, r.Base = RepositoryCloned, "", base
	return Outcome{Next: []Next{{Step: StepAnalyse}}}, nil
}

func toVerify(changes []*Change) []Next {
	var next []Next
	for _, c := range changes {
		if c.State == ChangePlanned {
			next = append(next, Next{StepVerify, c.Shard})
		}
	}
	return next
}

// unwanted says why a repository is left out, "" when it is not.
func (e *Engine) unwanted(info forge.Repository) string {
	switch {
	case info.Archived:
		return "it is archived"
	case info.Empty || info.DefaultBranch == "":
		return ErrEmpty.Error()
	case info.Fork && !e.Config.Targets.Forks:
		return "it is a fork (targets.forks takes them in)"
	case !info.CanPush && !e.Anonymous:
		return "no permission to push branches"
	case info.NoPulls:
		return "it takes no pull requests"
	case info.SizeKB > e.Config.Targets.MaxSize<<10:
		return fmt.Sprintf("%s: %d MB (targets.max_size)", ErrTooLarge, info.SizeKB>>10)
	}
	return ""
}
