package report

import (
	"strings"

	"github.com/ctxmend/ctxmend/patches/report/cells"
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

func display(s string) string { return cells.Display(s) }

func firstCells(s string, n int) string { return cells.First(s, n) }

func lastCells(s string, n int) string { return cells.Last(s, n) }

// width returns how many terminal cells s takes.
func width(s string) int { return cells.Width(s) }
