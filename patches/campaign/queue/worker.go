package queue

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// quiet is the log of River: what happens to a step is told by its repository or change.
var quiet = slog.New(slog.DiscardHandler)

// attempts is how often a step is tried that fails.
const attempts = 4

// A Worker does the steps of campaigns.
type Worker struct {
	db      *DB
	name    string
	options Options
	client  *river.Client[*sql.Tx]
	// claimFor is how long a claim of this worker lasts.
	claimFor time.Duration

	mu      sync.Mutex
	engines map[string]*campaign.Engine
	// endFor is how long steps have that are told to end, in nanoseconds.
	endFor atomic.Int64
	// gateAfter is when changes that wait are looked through next.
	gateAfter time.Time
}

// Options say how a worker works.
type Options struct {
	// Jobs is how many steps are done at once.
	Jobs int
	// Engine makes what does the steps of a campaign, once for each. Clones go below work.
	Engine func(ctx context.Context, s Stored) (*campaign.Engine, error)
	// Told is called after every step that was stored, from several goroutines; it may be nil.
	Told func(Event)
	// KeepClones leaves clones where they are until the worker ends.
	KeepClones bool
	// RetryAfter is how long after its first failure a step is tried again; each further time it is four times as long.
	RetryAfter time.Duration
}

// An Event is a step that was done.
type Event struct {
	Campaign, Repository, Shard string
	Step                        campaign.Step
	// State is that of the repository or change now.
	State, Reason string
	// Waits is what the step waits for, if it is to be done again.
	Waits string
	// Err is why it will be tried again.
	Err error
}

// NewWorker makes a worker. It does nothing before [Worker.Run].
func (db *DB) NewWorker(o Options) (*Worker, error) {
	w := &Worker{db: db, name: workerName(), options: o, claimFor: claimFor, engines: map[string]*campaign.Engine{}}
	w.endFor.Store(int64(30 * time.Second))
	if w.options.RetryAfter == 0 {
		w.options.RetryAfter = 5 * time.Second
	}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &stepWorker{worker: w}); err != nil {
		return nil, err
	}
	client, err := river.NewClient(db.driver, &river.Config{
		ID:                   shortID(w.name),
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: max(1, o.Jobs)}},
		Workers:              workers,
		Logger:               quiet,
		PollOnly:             true,
		FetchCooldown:        20 * time.Millisecond,
		FetchPollInterval:    50 * time.Millisecond,
		JobTimeout:           -1,                   // steps have limits of their own
		RescueStuckJobsAfter: 365 * 24 * time.Hour, // claims tell sooner
		RetryPolicy:          retry{w.options.RetryAfter},
	})
	w.client = client
	return w, err
}

// shortID is as long as River permits.
func shortID(name string) string {
	return name[max(0, len(name)-90):]
}

// retry waits longer each time.
type retry struct{ first time.Duration }

func (r retry) NextRetry(job *rivertype.JobRow) time.Time {
	wait := r.first
	for range len(job.Errors) {
		wait *= 4
	}
	return time.Now().Add(min(wait, time.Hour))
}

// stepArgs name a step.
type stepArgs struct {
	Campaign   string        `json:"campaign" river:"unique"`
	Step       campaign.Step `json:"step" river:"unique"`
	Repository string        `json:"repository" river:"unique"`
	Shard      string        `json:"shard" river:"unique"`
}

// Kind implements river.JobArgs.
func (stepArgs) Kind() string { return "campaign_step" }

// priorities let what has begun be finished before more is begun, so that there are never more clones than
// workers by much. Looking at pull requests comes last.
var priorities = map[campaign.Step]int{
	campaign.StepWithdraw: 1, campaign.StepOpen: 1, campaign.StepPush: 1,
	campaign.StepVerify: 2, campaign.StepAnalyse: 2, campaign.StepClone: 3, campaign.StepFollow: followPriority,
}

// followPriority is also that of steps that were put off: nobody who waits for the campaign to come to rest waits for those.
const followPriority = 4

// InsertOpts implements river.JobArgsWithInsertOpts: a step is there once, or not.
func (a stepArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		// Being killed is no failure; failures are counted by themselves.
		MaxAttempts: 10000,
		Priority:    priorities[a.Step],
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}},
	}
}

type stepWorker struct {
	river.WorkerDefaults[stepArgs]
	worker *Worker
}

// Work does one step and stores what comes of it.
func (s *stepWorker) Work(ctx context.Context, job *river.Job[stepArgs]) error {
	err := s.worker.work(ctx, job)
	switch {
	case errors.Is(err, errClaimed), errors.Is(err, errLost):
		return river.JobSnooze(time.Second)
	case err != nil && ctx.Err() != nil:
		return river.JobSnooze(0) // the process is being ended: no failure of the step
	}
	return err
}

func (w *Worker) work(ctx context.Context, job *river.Job[stepArgs]) error {
	if err := w.claim(ctx, job.ID); err != nil {
		return err
	}
	a := job.Args
	e, mode, err := w.engine(ctx, a.Campaign)
	if err != nil {
		return w.failed(ctx, job, nil, nil, err)
	}
	loaded, err := loadOne(ctx, w.db.sql, a.Campaign, a.Repository)
	if err != nil {
		return err
	}
	task := &campaign.Task{Mode: mode, Repository: loaded.repositories[0], Changes: loaded.changes}
	if a.Step.OfChange() {
		for _, c := range loaded.changes {
			if c.Shard == a.Shard {
				task.Change = c
			}
		}
	}
	var out campaign.Outcome
	if task.Change != nil || !a.Step.OfChange() {
		out, err = e.Do(ctx, a.Step, task)
	}
	if err != nil {
		return w.failed(ctx, job, e, task, err)
	}
	err = w.store(ctx, job, loaded, task, out)
	if err != nil || w.options.KeepClones || out.Next != nil || !campaign.Resting(task.Repository, task.Changes) {
		return err
	}
	return e.Forget(task.Repository)
}

// failed has a step tried again, puts it off, or gives it up.
func (w *Worker) failed(ctx context.Context, job *river.Job[stepArgs], e *campaign.Engine, task *campaign.Task, err error) error {
	if ctx.Err() != nil {
		return w.unclaim(context.WithoutCancel(ctx), job.ID, err)
	}
	w.tell(job.Args, task, err)
	if task == nil {
		return w.unclaim(ctx, job.ID, err)
	}
	out, later := e.PutsOff(err, len(job.Errors)+1)
	if !later && len(job.Errors)+1 < attempts {
		return w.unclaim(ctx, job.ID, err)
	}
	// What the failed step did to the task does not count.
	again, loadErr := loadOne(ctx, w.db.sql, job.Args.Campaign, job.Args.Repository)
	if loadErr != nil {
		return loadErr
	}
	t := &campaign.Task{Mode: task.Mode, Repository: again.repositories[0], Changes: again.changes}
	for _, c := range again.changes {
		if task.Change != nil && c.Shard == task.Change.Shard {
			t.Change = c
		}
	}
	if later {
		campaign.PutOff(job.Args.Step, t, err)
	} else {
		campaign.GiveUp(job.Args.Step, t, err)
	}
	return w.store(ctx, job, again, t, out)
}

// unclaim releases a job that will be done later, and returns err.
func (w *Worker) unclaim(ctx context.Context, job int64, err error) error {
	_ = w.db.in(ctx, func(tx *sql.Tx) error { return w.release(ctx, tx, job) })
	return err
}

// store stores a task and adds the jobs that follow, in one transaction with the end of this one.
func (w *Worker) store(ctx context.Context, job *river.Job[stepArgs], loaded *rows, t *campaign.Task, out campaign.Outcome) error {
	a := job.Args
	err := w.db.in(ctx, func(tx *sql.Tx) error {
		if err := w.release(ctx, tx, job.ID); err != nil {
			return err
		}
		if err := loaded.save(ctx, tx, a, t); err != nil {
			return err
		}
		if out.Wait.IsZero() {
			if _, err := river.JobCompleteTx[riverdriver.Driver[*sql.Tx]](ctx, tx, job); err != nil {
				return err
			}
		}
		if out.Later {
			if _, err := tx.ExecContext(ctx, `UPDATE river_job SET priority = $1 WHERE id = $2`, followPriority, job.ID); err != nil {
				return err
			}
		}
		for _, n := range out.Next {
			if _, err := w.client.InsertTx(ctx, tx, stepArgs{a.Campaign, n.Step, a.Repository, n.Shard}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.tell(a, t, nil)
	if !out.Wait.IsZero() {
		return river.JobSnooze(max(time.Second, time.Until(out.Wait)))
	}
	return nil
}

// save stores what a step may have changed.
func (l *rows) save(ctx context.Context, tx *sql.Tx, a stepArgs, t *campaign.Task) error {
	if a.Step.OfChange() {
		if t.Change == nil {
			return nil
		}
		return l.saveChange(ctx, tx, a.Campaign, t.Change)
	}
	if err := l.saveRepository(ctx, tx, a.Campaign, t.Repository); err != nil {
		return err
	}
	for _, c := range t.Changes {
		if err := l.saveChange(ctx, tx, a.Campaign, c); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) tell(a stepArgs, t *campaign.Task, err error) {
	if w.options.Told == nil {
		return
	}
	ev := Event{Campaign: a.Campaign, Repository: a.Repository, Shard: a.Shard, Step: a.Step, Err: err}
	switch {
	case t == nil:
	case t.Change != nil:
		ev.State, ev.Reason, ev.Waits = string(t.Change.State), t.Change.Reason, t.Change.Waits
	case t.Repository != nil:
		ev.State, ev.Reason, ev.Waits = string(t.Repository.State), t.Repository.Reason, t.Repository.Waits
	}
	w.options.Told(ev)
}

// engine returns what does the steps of a campaign, and what that is doing now.
func (w *Worker) engine(ctx context.Context, name string) (*campaign.Engine, campaign.Mode, error) {
	s, err := w.db.Campaign(ctx, name)
	if err != nil {
		return nil, "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key := s.Config + "\x00" + s.Dir
	if e, ok := w.engines[key]; ok {
		return e, s.Mode, nil
	}
	e, err := w.options.Engine(ctx, s)
	if err == nil {
		w.engines[key] = e
	}
	return e, s.Mode, err
}
