package main

import (
	"context"
	"time"

	"github.com/ctxmend/ctxmend/rules/program"
)

// farewell is how long an interrupted run may take to end by itself, so that
// the go command it started is gone too, before it is left behind.
const farewell = 300 * time.Millisecond

// interruptible runs work, which must neither write files nor print, and stops
// waiting for it soon after ctx is cancelled: whoever presses Ctrl-C wants the
// prompt back, and reading leaves nothing behind.
func interruptible[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		func() {
			defer program.Catch(&o.err)
			o.value, o.err = work()
		}()
		done <- o
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(farewell):
	}
	var zero T
	return zero, ctx.Err()
}
