package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// ErrWithdrawn means that a campaign was closed: it is not taken up again under the same name, since its
// branches and the answers of people have that name.
var ErrWithdrawn = errors.New("this campaign was closed")

// Begin puts a campaign into the database, or brings it up to date, with the steps that come first.
func (w *Worker) Begin(ctx context.Context, s Stored, targets []*campaign.Repository) error {
	return w.db.in(ctx, func(tx *sql.Tx) error {
		old, err := stored(ctx, tx, s.Name)
		switch {
		case errors.Is(err, ErrNoCampaign):
		case err != nil:
			return err
		case old.Mode == campaign.ModeClose:
			return fmt.Errorf("%w: %s", ErrWithdrawn, s.Name)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO ctxmend_campaign (name, mode, config, dir, turn) VALUES ($1, $2, $3, $4, 0)
			ON CONFLICT (name) DO UPDATE SET mode = excluded.mode, config = excluded.config, dir = excluded.dir`, s.Name, string(s.Mode), s.Config, s.Dir)
		if err != nil {
			return err
		}
		l, err := loadAll(ctx, tx, s.Name)
		if err != nil {
			return err
		}
		if err := w.targets(ctx, tx, s.Name, l, targets); err != nil {
			return err
		}
		for _, c := range l.changes {
			step := map[campaign.ChangeState]campaign.Step{
				campaign.ChangeAdmitted: campaign.StepPush, campaign.ChangePushed: campaign.StepOpen,
				campaign.ChangeOpen: campaign.StepFollow, campaign.ChangeForeign: campaign.StepFollow,
			}[c.State]
			if step == "" || s.Mode == campaign.ModePlan || s.Mode == campaign.ModeSync && step != campaign.StepFollow {
				continue
			}
			if err := w.now(ctx, tx, stepArgs{s.Name, step, c.Repository, c.Shard}); err != nil {
				return err
			}
		}
		return nil
	})
}

// targets stores the targets and has each looked at.
func (w *Worker) targets(ctx context.Context, tx *sql.Tx, name string, l *rows, targets []*campaign.Repository) error {
	known := map[string]*campaign.Repository{}
	for _, r := range l.repositories {
		known[r.Name] = r
	}
	for _, target := range targets {
		r := known[target.Name]
		if r == nil {
			r = target
		} else {
			r.Order, r.URL, r.Local = target.Order, target.URL, target.Local
			delete(known, target.Name)
		}
		if err := l.saveRepository(ctx, tx, name, r); err != nil {
			return err
		}
		if err := w.now(ctx, tx, stepArgs{name, campaign.StepClone, r.Name, ""}); err != nil {
			return err
		}
	}
	for _, r := range l.repositories {
		if known[r.Name] == nil {
			continue
		}
		r.Order, r.State, r.Reason = len(targets)+r.Order, campaign.RepositorySkipped, "no longer one of the targets"
		if err := l.saveRepository(ctx, tx, name, r); err != nil {
			return err
		}
	}
	return nil
}

// now has a step done as soon as can be, also when it is waiting for its time.
func (w *Worker) now(ctx context.Context, tx *sql.Tx, a stepArgs) error {
	res, err := w.client.InsertTx(ctx, tx, a, nil)
	if err != nil {
		return err
	}
	if state := res.Job.State; !res.UniqueSkippedAsDuplicate || state != rivertype.JobStateScheduled && state != rivertype.JobStateRetryable {
		return nil
	}
	// Anew: how often it has failed before does not count against it, nor that it was put off.
	if _, err := w.client.JobDeleteTx(ctx, tx, res.Job.ID); err != nil {
		return err
	}
	_, err = w.client.InsertTx(ctx, tx, a, nil)
	return err
}

// Withdraw has everything taken back that a campaign has published and people have not answered.
func (w *Worker) Withdraw(ctx context.Context, name string) error {
	return w.db.in(ctx, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE ctxmend_campaign SET mode = $1 WHERE name = $2`, string(campaign.ModeClose), name)); errors.Is(err, errLost) {
			return fmt.Errorf("%w: %s", ErrNoCampaign, name)
		} else if err != nil {
			return err
		}
		l, err := loadAll(ctx, tx, name)
		if err != nil {
			return err
		}
		for _, c := range l.changes {
			switch {
			case c.Final():
			case c.Admitted.IsZero():
				c.State, c.Reason = campaign.ChangeWithdrawn, "never opened"
				if err := l.saveChange(ctx, tx, name, c); err != nil {
					return err
				}
			default:
				if err := w.now(ctx, tx, stepArgs{name, campaign.StepWithdraw, c.Repository, c.Shard}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// admit lets changes of a campaign through whose turn has come, and returns those that wait.
func (w *Worker) admit(ctx context.Context, name string, now time.Time) (waiting []campaign.Waiting, err error) {
	e, mode, err := w.engine(ctx, name)
	if err != nil || mode != campaign.ModeRun {
		return nil, err
	}
	err = w.db.in(ctx, func(tx *sql.Tx) error {
		// Whoever counts what is open does so alone: this row is locked until the end of the transaction.
		if _, err := tx.ExecContext(ctx, `UPDATE ctxmend_campaign SET turn = turn + 1 WHERE name = $1`, name); err != nil {
			return err
		}
		l, err := loadAll(ctx, tx, name)
		if err != nil {
			return err
		}
		var admitted []*campaign.Change
		admitted, waiting = campaign.Gate(e.Config, now, l.repositories, l.changes)
		for _, c := range admitted {
			c.State = campaign.ChangeAdmitted
			if c.Admitted.IsZero() {
				c.Admitted = now.UTC()
			}
			if err := l.saveChange(ctx, tx, name, c); err != nil {
				return err
			}
			if err := w.now(ctx, tx, stepArgs{name, campaign.StepPush, c.Repository, c.Shard}); err != nil {
				return err
			}
		}
		return nil
	})
	return waiting, err
}

// Busy counts the steps that will be done without anybody doing anything.
func (db *DB) Busy(ctx context.Context) (int, error) {
	var n int
	err := db.sql.QueryRowContext(ctx, `SELECT count(*) FROM river_job WHERE state IN ('available', 'pending', 'running')
		OR state IN ('retryable', 'scheduled') AND priority <> $1`, followPriority).Scan(&n)
	return n, err
}

// Run works on all campaigns of the database until the context ends or, if idle is true, until nothing is left
// that could be done now.
func (w *Worker) Run(ctx context.Context, idle bool) (err error) {
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	kept := make(chan struct{})
	go func() { defer close(kept); w.keep(keeping) }()
	defer func() {
		// Steps that are being done are told to end; what they leave is done again by whoever comes next.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(w.endFor.Load()))
		defer cancel()
		if stopErr := w.client.StopAndCancel(ending); err == nil && ctx.Err() == nil {
			err = stopErr
		}
		stop()
		<-kept
	}()
	quietFor := 0
	for {
		done, err := w.turn(ctx)
		if err != nil {
			return err
		}
		if quietFor++; !done {
			quietFor = 0
		}
		if idle && quietFor >= 2 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(turnEvery):
		}
	}
}

const turnEvery = 100 * time.Millisecond

// turn lets changes through where some are ready, and tells whether nothing is left to be done.
func (w *Worker) turn(ctx context.Context) (done bool, err error) {
	ready, err := all(ctx, w.db.sql, func(row scanner, name *string) error { return row.Scan(name) },
		`SELECT DISTINCT campaign FROM ctxmend_change WHERE state = $1 ORDER BY campaign`, string(campaign.ChangeVerified))
	if err != nil {
		return false, err
	}
	if len(ready) > 0 {
		begun := time.Now()
		if begun.Before(w.gateAfter) {
			return false, nil
		}
		for _, name := range ready {
			if _, err := w.admit(ctx, name, begun); err != nil && !errors.Is(err, errLost) {
				return false, err
			}
		}
		// Looking through a large campaign takes a while; so it may take a twentieth of the time and no more.
		w.gateAfter = time.Now().Add(20 * time.Since(begun))
	}
	n, err := w.db.Busy(ctx)
	return n == 0, err
}
