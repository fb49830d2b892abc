package queue

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// claimFor is how long a claim lasts, which says which process does a job. It is renewed five times in that time.
const claimFor = 20 * time.Second

// errClaimed means that another process, which is alive, does the job.
var errClaimed = errors.New("another process does this job")

// workerName names this process for all machines that share a queue: machine, process, and chance.
func workerName() string {
	return place() + ":" + strconv.Itoa(os.Getpid()) + ":" + rand.Text()[:8]
}

// place names what numbers of processes mean something in: this machine since it was started and, in containers, this
// space of processes.
func place() string {
	host, _ := os.Hostname()
	space, _ := os.Readlink("/proc/self/ns/pid")
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.Map(func(r rune) rune {
		if r == ':' || r == '\n' {
			return '.'
		}
		return r
	}, host+"/"+space+"/"+string(boot))
}

// dead tells whether the process that a worker's name names is certain not to run any more.
func dead(worker string) bool {
	parts := strings.Split(worker, ":")
	if len(parts) != 3 || parts[0] != place() {
		return false
	}
	pid, err := strconv.Atoi(parts[1])
	if err != nil || pid == os.Getpid() {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	err = p.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

func milli(t time.Time) int64 { return t.UnixMilli() }

// claim takes a job for this process.
func (w *Worker) claim(ctx context.Context, job int64) error {
	now := time.Now()
	res, err := w.db.sql.ExecContext(ctx, `INSERT INTO ctxmend_claim (job, worker, until) VALUES ($1, $2, $3)
		ON CONFLICT (job) DO UPDATE SET worker = excluded.worker, until = excluded.until
		WHERE ctxmend_claim.until < $4 OR ctxmend_claim.worker = excluded.worker`,
		job, w.name, milli(now.Add(w.claimFor)), milli(now))
	if err := one(res, err); errors.Is(err, errLost) {
		return errClaimed
	} else if err != nil {
		return err
	}
	return nil
}

// release gives a claim up within the transaction that stores what the job has done. It fails when the claim was
// taken over: then nothing may be stored.
func (w *Worker) release(ctx context.Context, tx *sql.Tx, job int64) error {
	return one(tx.ExecContext(ctx, `DELETE FROM ctxmend_claim WHERE job = $1 AND worker = $2`, job, w.name))
}

// keep renews the claims of this process and takes over jobs of others until the context ends.
func (w *Worker) keep(ctx context.Context) {
	seen := map[int64]time.Time{}
	for {
		// An error is met again by whoever wants to store something; claims that cannot be renewed run out.
		_, _ = w.db.sql.ExecContext(ctx, `UPDATE ctxmend_claim SET until = $1 WHERE worker = $2`, milli(time.Now().Add(w.claimFor)), w.name)
		_ = w.takeOver(ctx, seen)
		select {
		case <-ctx.Done():
			return
		case <-time.After(w.claimFor / 5):
		}
	}
}

// takeOver makes jobs available again whose process is gone: its claim has run out, or is of a process of this
// machine that does not exist, or there has been none for as long as one lasts.
func (w *Worker) takeOver(ctx context.Context, unclaimed map[int64]time.Time) error {
	type held struct {
		job, until int64
		worker     string
	}
	claims, err := all(ctx, w.db.sql, func(row scanner, h *held) error { return row.Scan(&h.job, &h.worker, &h.until) },
		`SELECT job, worker, until FROM ctxmend_claim`)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, h := range claims {
		if h.until >= milli(now) && !dead(h.worker) {
			continue
		}
		err := w.db.in(ctx, func(tx *sql.Tx) error {
			if err := one(tx.ExecContext(ctx, `DELETE FROM ctxmend_claim WHERE job = $1 AND worker = $2 AND until = $3`, h.job, h.worker, h.until)); err != nil {
				return err
			}
			return w.revive(ctx, tx, h.job)
		})
		if err != nil && !errors.Is(err, errLost) {
			return err
		}
	}
	orphans, err := all(ctx, w.db.sql, func(row scanner, id *int64) error { return row.Scan(id) },
		`SELECT id FROM river_job WHERE state = 'running' AND id NOT IN (SELECT job FROM ctxmend_claim)`)
	if err != nil {
		return err
	}
	still := map[int64]bool{}
	for _, id := range orphans {
		still[id] = true
		if _, ok := unclaimed[id]; !ok {
			unclaimed[id] = now
		}
		if now.Sub(unclaimed[id]) < w.claimFor {
			continue
		}
		delete(unclaimed, id)
		if err := w.db.in(ctx, func(tx *sql.Tx) error { return w.revive(ctx, tx, id) }); err != nil {
			return err
		}
	}
	for id := range unclaimed {
		if !still[id] {
			delete(unclaimed, id)
		}
	}
	return nil
}

// revive makes a job available that nobody does.
func (w *Worker) revive(ctx context.Context, tx *sql.Tx, job int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE id = $1 AND state = 'running' AND NOT EXISTS (SELECT 1 FROM ctxmend_claim WHERE job = $1)`, job)
	return err
}
