package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/queue"
	"github.com/ctxmend/ctxmend/patches/report/cells"
)

// A campaignProgress shows what a campaign is doing: one line on a terminal, and what has to be tried again everywhere.
type campaignProgress struct {
	w        io.Writer
	terminal bool
	quiet    bool

	mu           sync.Mutex
	repositories int
	done         map[string]bool
	open         int
	drawn        bool
	said         map[string]bool // what went wrong, and what is waited for
	wide         func() int
}

func (a *app) newCampaignProgress() *campaignProgress {
	return &campaignProgress{
		w: a.stderr, quiet: a.quiet, done: map[string]bool{}, said: map[string]bool{},
		terminal: isTerminal(a.stderr) && a.getenv("TERM") != "dumb", wide: a.width,
	}
}

func (p *campaignProgress) total(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.repositories = n
}

// told is called after every step.
func (p *campaignProgress) told(ev queue.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet {
		return
	}
	if ev.Err != nil {
		p.erase()
		line, _, _ := strings.Cut(ev.Err.Error(), "\n")
		p.said[line] = true
		fmt.Fprintf(p.w, "ctxmend: %s; it is tried again\n", line)
		return
	}
	if ev.Waits != "" && !p.said[ev.Waits] {
		p.erase()
		p.said[ev.Waits] = true
		fmt.Fprintf(p.w, "ctxmend: %s\n", ev.Waits)
	}
	switch {
	case !ev.Step.OfChange() && ev.State != string(campaign.RepositoryCloned):
		p.done[ev.Repository] = true
	case ev.Step == campaign.StepOpen && ev.State == string(campaign.ChangeOpen):
		p.open++
	}
	if !p.terminal {
		return
	}
	p.drawn = true
	line := fmt.Sprintf("%d of %d repositories, %s opened or updated; %s %s",
		len(p.done), max(p.repositories, len(p.done)), plural(p.open, "pull request"), ev.Step, cells.Display(ev.Repository))
	// A line that is wrapped could not be taken back.
	fmt.Fprint(p.w, "\r\x1b[K"+cells.First(line, p.wide()-1))
}

func (p *campaignProgress) erase() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

// stop removes the line.
func (p *campaignProgress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.terminal = false
}
