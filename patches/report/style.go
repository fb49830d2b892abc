package report

import (
	"bufio"
	"bytes"
	"io"
)

// A style is an ANSI escape sequence; the empty style prints nothing.
type style string

const (
	plain  style = ""
	bold   style = "\x1b[1m"
	dim    style = "\x1b[2m"
	red    style = "\x1b[31m"
	green  style = "\x1b[32m"
	yellow style = "\x1b[33m"
	cyan   style = "\x1b[36m"
	reset        = "\x1b[0m"
)

// A painter colours text, or leaves it alone when colours are off.
type painter bool

func (p painter) paint(s style, text string) string {
	if !p || s == plain || text == "" {
		return text
	}
	return string(s) + text + reset
}

// WriteDiff writes a unified diff, coloured line by line when color is set.
// Without color the bytes are those of diff: it stays fit for git apply.
// An error is one of w's.
func WriteDiff(w io.Writer, diff []byte, color bool) error {
	if !color {
		_, err := w.Write(diff)
		return err
	}
	out := bufio.NewWriter(w)
	for len(diff) > 0 {
		line, rest, ended := bytes.Cut(diff, []byte("\n"))
		out.WriteString(painter(true).paint(diffStyle(line), string(line)))
		if ended {
			out.WriteByte('\n')
		}
		diff = rest
	}
	return out.Flush()
}

// diffStyle is right for what ctxmend prints; a removed line of SQL comment
// ("-- x") looks like a file header only when three dashes and a space begin it.
func diffStyle(line []byte) style {
	switch {
	case bytes.HasPrefix(line, []byte("diff ")), bytes.HasPrefix(line, []byte("--- ")), bytes.HasPrefix(line, []byte("+++ ")):
		return bold
	case bytes.HasPrefix(line, []byte("@@")):
		return cyan
	case bytes.HasPrefix(line, []byte("+")):
		return green
	case bytes.HasPrefix(line, []byte("-")):
		return red
	}
	return plain
}

// StyleDoc colours the headings of a rule's documentation, lines that begin
// with "#", when color is set.
func StyleDoc(doc string, color bool) string {
	if !color {
		return doc
	}
	var out bytes.Buffer
	for line := range bytes.Lines([]byte(doc)) {
		if bytes.HasPrefix(line, []byte("#")) {
			text, end, _ := bytes.Cut(line, []byte("\n"))
			out.WriteString(painter(true).paint(bold, string(text)))
			if len(end) == 0 && !bytes.HasSuffix(line, []byte("\n")) {
				continue
			}
			out.WriteByte('\n')
			continue
		}
		out.Write(line)
	}
	return out.String()
}
