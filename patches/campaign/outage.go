package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// When a forge is not available, steps are tried again as after any error, but not by each of thousands of repositories, and not for
// ever: what waits for the forge is put off, and says so, until somebody starts the campaign again or a process that goes on working finds it back.
const (
	// outageAfter is how long nothing may come from the forge before it counts as not available for all.
	outageAfter = time.Minute
	// probeEvery is how often one step is let through then, to see.
	probeEvery = 30 * time.Second
	// putOffFor is when a step is done again that was put off.
	putOffFor = 20 * time.Minute
	// tries is how often a step asks a forge that answers others.
	tries = 3
)

// An outage is a time in which every step that spoke to the forge failed because it was not available.
type outage struct {
	since, probed time.Time
}

// listen does a step, unless it would speak to a forge that is known not to be available, and notes whether it is.
func (e *Engine) listen(ctx context.Context, step Step, t *Task) (Outcome, error) {
	if !speaks(step) {
		return e.do(ctx, step, t)
	}
	begun := e.Now()
	if since, out := e.out(begun, true); out {
		return Outcome{}, fmt.Errorf("%w since %s", forge.ErrUnavailable, since.UTC().Format("2006-01-02 15:04:05 MST"))
	}
	outcome, err := e.do(ctx, step, t)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == nil:
		e.silent = outage{}
	case errors.Is(err, forge.ErrUnavailable) && e.silent.since.IsZero():
		e.silent.since = begun
	}
	return outcome, err
}

// out tells whether the forge is not available for anybody. If it is asked by a step that wants to speak, one is let through now and then.
func (e *Engine) out(now time.Time, probe bool) (since time.Time, out bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.silent.since.IsZero() || now.Sub(e.silent.since) < outageAfter {
		return time.Time{}, false
	}
	if probe && now.Sub(e.silent.probed) >= probeEvery {
		e.silent.probed = now
		return time.Time{}, false
	}
	return e.silent.since, true
}

// PutsOff tells whether a step that has failed for the given time is done later, and when.
func (e *Engine) PutsOff(err error, failed int) (Outcome, bool) {
	if !errors.Is(err, forge.ErrUnavailable) {
		return Outcome{}, false
	}
	now := e.Now()
	if _, out := e.out(now, false); !out && failed < tries {
		return Outcome{}, false
	}
	return Outcome{Wait: now.Add(putOffFor), Later: true}, true
}

// PutOff puts into a task that a step waits for the forge.
func PutOff(step Step, t *Task, err error) { noteWait(step, t, err.Error(), true) }
