// Package cells measures text in the cells of a terminal, or of any font whose letters are of one width, and makes it fit to be shown.
package cells

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Display replaces what would not be shown as itself: escape sequences and bidirectional overrides in source must not act
// on what the reader sees.
func Display(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return utf8.RuneError
		}
		return r
	}, s)
}

// Width returns how many cells s takes.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += RuneWidth(r)
	}
	return n
}

// RuneWidth follows the Unicode property East_Asian_Width as far as terminals
// agree on it: scripts written in full-width cells and emoji take two,
// combining marks none.
func RuneWidth(r rune) int {
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

// First returns as much of the beginning of s as fits.
func First(s string, cells int) string {
	for i, r := range s {
		cells -= RuneWidth(r)
		if cells < 0 {
			return s[:i]
		}
	}
	return s
}

// Last returns as much of the end of s as fits.
func Last(s string, cells int) string {
	for i := len(s); i > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:i])
		cells -= RuneWidth(r)
		if cells < 0 {
			return s[i:]
		}
		i -= size
	}
	return s
}

// Shorten cuts s in the middle, where names of packages and functions differ least, so that it fits.
func Shorten(s string, cells int) string {
	if Width(s) <= cells {
		return s
	}
	head := (cells - 1) / 3
	return First(s, head) + "…" + Last(s, cells-1-head)
}
