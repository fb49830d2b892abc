package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// A terminal is where a person is asked. Between two questions it is as it was found, so that whatever ends the
// program leaves it in order.
type terminal struct {
	in      *os.File
	outFile *os.File
	out     io.Writer
	color   bool
	// typed are bytes that were read and not used yet.
	typed []byte
	// reads brings what a read that was begun will bring.
	reads chan read
}

// A read is the outcome of reading from the terminal.
type read struct {
	data []byte
	err  error
}

// Keys that are no letters.
const (
	endOfInput rune = 4  // Ctrl-D, or nobody there any more
	interrupt  rune = 3  // Ctrl-C
	escape     rune = 27 // the first byte of arrow keys and the like
)

// terminal returns the terminal at both ends of the command, if there is one.
func (a *app) terminal() (*terminal, bool) {
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || !isTerminal(a.stdout) || a.getenv("TERM") == "dumb" {
		return nil, false
	}
	return &terminal{in: in, outFile: a.stdout.(*os.File), out: a.stdout, color: a.colored(a.stdout)}, true
}

// The size of terminals that do not tell theirs, and the least that is reckoned with.
const (
	usualWidth, usualHeight = 80, 24
	leastWidth, leastHeight = 20, 5
)

// size is asked for anew each time: windows change theirs.
func (t *terminal) size() (width, height int) {
	width, height, err := term.GetSize(int(t.outFile.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return usualWidth, usualHeight
	}
	return max(width, leastWidth), max(height, leastHeight)
}

func (t *terminal) height() int {
	_, height := t.size()
	return height
}

func (t *terminal) wrap(text, indent string) string {
	width, _ := t.size()
	return wrap(text, indent, width)
}

func (t *terminal) say(format string, args ...any) error {
	_, err := fmt.Fprintf(t.out, format, args...)
	return err
}

// heading prints lines that stand out.
func (t *terminal) heading(text string) error {
	if t.color {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	return t.say("%s\n", text)
}

// key asks for one key stroke. The key is shown behind the prompt, as if it had been typed in a line. The terminal is told not to
// show it before the prompt is there: who types early would see it twice.
func (t *terminal) key(ctx context.Context, prompt string) (rune, error) {
	state, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return 0, err
	}
	key, err := t.rawKey(ctx, prompt)
	if again := term.Restore(int(t.in.Fd()), state); err == nil {
		err = again
	}
	shown := ""
	if key > ' ' {
		shown = string(key)
	}
	if said := t.say("%s\n", shown); err == nil {
		err = said
	}
	return key, err
}

// rawKey prints the prompt and waits for a key that means something.
func (t *terminal) rawKey(ctx context.Context, prompt string) (rune, error) {
	if err := t.say("%s", prompt); err != nil {
		return 0, err
	}
	for {
		if len(t.typed) == 0 {
			if err := t.read(ctx); err != nil {
				return 0, err
			}
		}
		key, size := utf8.DecodeRune(t.typed)
		t.typed = t.typed[size:]
		switch {
		case key == interrupt:
			return 0, context.Canceled
		case key == escape:
			t.typed = afterEscape(t.typed)
		case key == endOfInput, key > ' ':
			return key, nil
		}
	}
}

// afterEscape returns what follows the rest of an escape sequence, which a key that is no letter sends: of ESC [ 1 ; 5 A all up to
// the letter, else one byte.
func afterEscape(typed []byte) []byte {
	if len(typed) == 0 {
		return typed // the key Esc itself
	}
	if typed[0] != '[' {
		return typed[1:]
	}
	for i, c := range typed[1:] {
		if c >= '@' && c <= '~' {
			return typed[i+2:]
		}
	}
	return nil
}

// line asks for a line of text. It is edited with what the terminal itself can do.
func (t *terminal) line(ctx context.Context, prompt string) (string, error) {
	if err := t.say("%s", prompt); err != nil {
		return "", err
	}
	for {
		if text, rest, ok := strings.Cut(string(t.typed), "\n"); ok {
			t.typed = []byte(rest)
			return strings.TrimSpace(text), nil
		}
		if err := t.read(ctx); err != nil {
			return "", err
		}
		if len(t.typed) > 0 && t.typed[len(t.typed)-1] == byte(endOfInput) {
			t.typed = nil
			return "", t.say("\n")
		}
	}
}

// read waits for input, or for the run to be interrupted. A read that is then still going on ends with the program.
func (t *terminal) read(ctx context.Context) error {
	if t.reads == nil {
		t.reads = make(chan read, 1)
		go func(reads chan<- read) {
			buf := make([]byte, 256)
			n, err := t.in.Read(buf)
			reads <- read{buf[:n], err}
		}(t.reads)
	}
	select {
	case r := <-t.reads:
		t.reads = nil
		t.typed = append(t.typed, r.data...)
		if r.err != nil || len(r.data) == 0 {
			t.typed = append(t.typed, byte(endOfInput))
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
