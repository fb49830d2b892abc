package clone

import (
	"context"
	"sync"
	"time"
)

// looking is how often the size of a clone is looked at while git works.
const looking = 200 * time.Millisecond

// watch ends a command whose repository outgrows its room. The function that it returns stops watching and tells whether that has happened.
func watch(ctx context.Context, end context.CancelFunc, c command) func() error {
	if c.room == 0 {
		return func() error { return nil }
	}
	ctx, stop := context.WithCancel(ctx)
	var grown error
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(looking)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if used, err := size(c.gitDir); err == nil && used > c.room {
				grown = tooLarge(c.room)
				end()
				return
			}
		}
	})
	return func() error {
		stop()
		wg.Wait()
		return grown
	}
}
