package campaign

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// failing is a forge that answers nothing but errors.
type failing struct {
	forge.Forge
	err   error
	asked int
}

func (f *failing) Repository(_ context.Context, _ string) (forge.Repository, error) {
	f.asked++
	return forge.Repository{Archived: true}, f.err
}

// TestOutage has a forge that is gone for all: after a minute one step in half a minute asks it, and the others are put off at once.
func TestOutage(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := &failing{err: fmt.Errorf("%w: refused", forge.ErrUnavailable)}
	e := &Engine{Config: &Config{}, Forge: f, Now: func() time.Time { return now }}
	step := func(failed int) (asked bool, off bool) {
		before := f.asked
		_, err := e.Do(t.Context(), StepClone, &Task{Repository: &Repository{Name: "a/b"}})
		out, off := e.PutsOff(err, failed)
		if off && (!out.Later || out.Wait.Before(now.Add(time.Minute))) {
			t.Errorf("put off to %v, later %t", out.Wait, out.Later)
		}
		return f.asked > before, off
	}
	for i, want := range []struct {
		after      time.Duration
		failed     int
		asked, off bool
	}{
		{0, 1, true, false},
		{time.Second, 2, true, false},
		{time.Second, 3, true, true}, // one that has failed often enough
		{outageAfter, 1, true, true}, // out: this one was let through to see
		{time.Second, 1, false, true},
		{probeEvery, 1, true, true},
		{time.Second, 1, false, true},
	} {
		now = now.Add(want.after)
		if asked, off := step(want.failed); asked != want.asked || off != want.off {
			t.Errorf("step %d: asked %t, put off %t", i, asked, off)
		}
	}
	now = now.Add(probeEvery)
	f.err = nil
	if asked, off := step(1); !asked || off {
		t.Errorf("back: asked %t, put off %t", asked, off)
	}
	f.err = errors.New("something else")
	if _, off := step(9); off {
		t.Error("what is not the forge's fault was put off")
	}
}
