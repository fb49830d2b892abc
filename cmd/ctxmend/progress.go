package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// patience is how long a run may take before it shows that it is alive.
const patience = time.Second

// progressWidth is the number of cells of the bar itself.
const progressWidth = 24

// A progress draws one line on a terminal while packages are loaded, and
// removes it before anything else is printed. Every method of a nil
// *progress does nothing.
type progress struct {
	w       io.Writer
	begun   time.Time
	mu      sync.Mutex
	drawn   bool
	stopped bool
	last    time.Time
}

// newProgress returns nil when nobody watches.
func (a *app) newProgress() *progress {
	if a.quiet || !isTerminal(a.stderr) || a.getenv("TERM") == "dumb" {
		return nil
	}
	return &progress{w: a.stderr, begun: time.Now()}
}

// update redraws the line, at most ten times a second. Names of packages change
// too fast to be read, and are left out.
func (p *progress) update(done, total int, _ string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.stopped || now.Sub(p.begun) < patience || now.Sub(p.last) < patience/10 {
		return
	}
	p.drawn, p.last = true, now
	full := 0
	if total > 0 {
		full = min(progressWidth*done/total, progressWidth)
	}
	bar := strings.Repeat("█", full) + strings.Repeat("░", progressWidth-full)
	fmt.Fprintf(p.w, "\r\x1b[K%s %d of %d packages", bar, done, total)
}

// stop removes the line for good.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
