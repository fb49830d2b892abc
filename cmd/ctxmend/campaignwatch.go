package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/queue"
	"github.com/ctxmend/ctxmend/patches/report/cells"
)

// watchEvery is how often a campaign is looked at that is watched.
const watchEvery = time.Second

// watchCampaign prints where a campaign stands as often as that changes, until nothing is left to be done.
func (a *app) watchCampaign(ctx context.Context, db *queue.DB, cfg *campaign.Config, f *campaignFlags) error {
	live := isTerminal(a.stdout) && a.getenv("TERM") != "dumb" && f.format.value == "table"
	var screen liveScreen
	var last []byte
	for {
		begun := time.Now()
		doc, err := loadCampaign(ctx, db, cfg, false)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		sub := *a
		sub.stdout = &b
		if err := sub.printCampaign(doc, f); err != nil {
			return err
		}
		done := doc.Settled()
		switch {
		case live && !done:
			text := screen.draw(b.String(), a.width(), a.height())
			_, err = a.stdout.Write([]byte(text))
		case live: // all of it stays
			_, err = a.stdout.Write(append([]byte(screen.clear()), b.Bytes()...))
		case !bytes.Equal(b.Bytes(), last):
			_, err = a.stdout.Write(b.Bytes())
		}
		if err != nil || done {
			return err
		}
		last = b.Bytes()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(watchEvery, 20*time.Since(begun))): // a large campaign takes a while to load
		}
	}
}

// A liveScreen is what stands at the bottom of a terminal, to be drawn over.
type liveScreen struct{ lines int }

// clear returns what takes away what was drawn.
func (s *liveScreen) clear() string {
	up := s.lines
	s.lines = 0
	if up == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", up)
}

// draw returns what puts a text in the place of the last one, cut to the size of the terminal. Its end, where the sums are, is shown in any case.
func (s *liveScreen) draw(text string, width, height int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if room := max(height-1, 8); len(lines) > room {
		const end = 4
		hidden := len(lines) - room + 1
		lines = append(append(lines[:room-end-1:room-end-1], fmt.Sprintf("... %d more lines", hidden)), lines[len(lines)-end:]...)
	}
	var b strings.Builder
	b.WriteString(s.clear())
	for _, line := range lines {
		b.WriteString(cells.First(line, width-1) + "\n")
	}
	s.lines = len(lines)
	return b.String()
}

// width and height are those of the terminal, or what terminals have mostly.
func (a *app) width() int {
	width, _ := a.size()
	return width
}

func (a *app) height() int {
	_, height := a.size()
	return height
}

func (a *app) size() (width, height int) {
	for _, w := range []any{a.stdout, a.stderr} {
		if f, ok := w.(*os.File); ok {
			if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 && height > 0 {
				return width, height
			}
		}
	}
	return 80, 24
}
