package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Error is a mistake in the file. Column is 0 where only the line is known.
type Error struct {
	Line, Column int
	Message      string
	// Word is a name that does not exist, Known are those that would: for a suggestion.
	Word  string
	Known []string
}

func (e *Error) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("%d: %s", e.Line, e.Message)
	}
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message)
}

// Errors are all mistakes of a file, in the order of its lines.
type Errors []*Error

func (e Errors) Error() string {
	var lines []string
	for _, one := range e {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

func (e Errors) sort() {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
