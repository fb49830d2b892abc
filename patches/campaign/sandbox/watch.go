package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// looking is how often processes are looked at. Files are looked at less often where there are many.
const looking = 200 * time.Millisecond

// A watcher ends a command whose processes, taken together, exceed a limit.
type watcher struct {
	ctx    context.Context
	end    context.CancelFunc
	cmd    *exec.Cmd
	limits campaign.SandboxCommand
	dirs   []string
	at     int64 // how much the directories took at first

	once   sync.WaitGroup
	quit   context.CancelFunc
	broken string
}

func watch(ctx context.Context, end context.CancelFunc, cmd *exec.Cmd, limits campaign.SandboxCommand, dirs ...string) *watcher {
	w := &watcher{end: end, cmd: cmd, limits: limits, dirs: dirs}
	w.ctx, w.quit = context.WithCancel(ctx)
	w.at = w.size()
	return w
}

// start begins to watch; the command runs.
func (w *watcher) start() {
	w.once.Go(func() {
		var nextSize time.Time
		tick := time.NewTicker(looking)
		defer tick.Stop()
		for {
			select {
			case <-w.ctx.Done():
				return
			case <-tick.C:
			}
			if w.broken = w.processes(); w.broken == "" && time.Now().After(nextSize) {
				begun := time.Now()
				if w.size()-w.at > w.limits.Disk {
					w.broken = fmt.Sprintf("wrote more than %d MB", w.limits.Disk>>20)
				}
				nextSize = time.Now().Add(10 * time.Since(begun))
			}
			if w.broken != "" {
				w.end()
				return
			}
		}
	})
}

// stop ends watching and returns which limit was exceeded, "" for none.
func (w *watcher) stop() string {
	w.quit()
	w.once.Wait()
	return w.broken
}

// processes tells which limit on processes is exceeded.
func (w *watcher) processes() string {
	count, memory := below(w.cmd.Process.Pid)
	switch {
	case count > w.limits.Procs:
		return fmt.Sprintf("had more than %d processes", w.limits.Procs)
	case memory > w.limits.Memory:
		return fmt.Sprintf("used more than %d MB of memory", w.limits.Memory>>20)
	}
	return ""
}

// size is how much the directories take.
func (w *watcher) size() int64 {
	var sum int64
	for _, dir := range w.dirs {
		if dir == "" {
			continue
		}
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				if d != nil && d.IsDir() && !errors.Is(err, fs.ErrNotExist) {
					return fs.SkipDir
				}
				return nil
			}
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				sum += info.Size()
			}
			return nil
		})
	}
	return sum
}
