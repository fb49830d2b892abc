package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxExcerpt is the width in terminal cells of the source shown for a finding;
// what is cut away at either side is marked by an ellipsis.
const maxExcerpt = 160

// excerpt returns a line of source as a terminal may show it, and under it the
// underline of the bytes [start, end). Indentation is dropped, tabs become
// blanks, and control characters cannot reach the terminal. An empty range gets
// one caret.
func excerpt(line string, start, end int) (text, underline string) {
	start = min(max(start, 0), len(line))
	end = min(max(end, start), len(line))
	end = max(start, len(strings.TrimRight(line[:end], " \t")))
	indent := len(line) - len(strings.TrimLeft(line, " \t"))
	indent = min(indent, start)
	before, marked := display(line[indent:start]), display(line[start:end])
	after := display(strings.TrimRight(line[end:], " \t"))

	before, after = clip(before, marked, after)
	marks := min(max(width(marked), 1), maxExcerpt)
	if width(marked) > maxExcerpt {
		marked = firstCells(marked, maxExcerpt-1) + "…"
	}
	return before + marked + after, strings.Repeat(" ", width(before)) + strings.Repeat("^", marks)
}

// clip shortens what stands before and after the marked text so that all of it
// fits maxExcerpt, giving both sides their fair share.
func clip(before, marked, after string) (string, string) {
	room := max(maxExcerpt-width(marked), 0)
	left, right := width(before), width(after)
	if left+right <= room {
		return before, after
	}
	takeLeft := min(left, max(room/2, room-right))
	takeRight := min(right, room-takeLeft)
	if takeLeft < left {
		before = "…" + lastCells(before, max(takeLeft-1, 0))
	}
	if takeRight < right {
		after = firstCells(after, max(takeRight-1, 0)) + "…"
	}
	return before, after
}

// display replaces what a terminal would not show as itself.
func display(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			// Escape sequences and bidirectional overrides in source
			// must not act on the reader's terminal.
			return utf8.RuneError
		}
		return r
	}, s)
}

func firstCells(s string, cells int) string {
	for i, r := range s {
		cells -= runeWidth(r)
		if cells < 0 {
			return s[:i]
		}
	}
	return s
}

func lastCells(s string, cells int) string {
	for i := len(s); i > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:i])
		cells -= runeWidth(r)
		if cells < 0 {
			return s[i:]
		}
		i -= size
	}
	return s
}

// width returns how many terminal cells s takes.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth follows the Unicode property East_Asian_Width as far as terminals
// agree on it: scripts written in full-width cells and emoji take two,
// combining marks none.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Yi),
		r >= 0x3000 && r <= 0x303e,
		r >= 0xff01 && r <= 0xff60,
		r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1f64f,
		r >= 0x1f680 && r <= 0x1f6ff,
		r >= 0x1f900 && r <= 0x1faff:
		// Half-width forms share the scripts of their full-width counterparts.
		if r >= 0xff61 && r <= 0xffdc {
			return 1
		}
		return 2
	}
	return 1
}
