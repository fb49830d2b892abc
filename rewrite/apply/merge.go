package apply

import (
	"fmt"
	"go/scanner"
	"go/token"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// A tok is a token of Go source, comments included. A semicolon that a line end stands for is a token
// without text.
type tok struct {
	start, end int
	// id is equal for equal tokens, whatever the line ends and the indentation inside comments.
	id string
}

// scan splits source into tokens. Where auto is not set, the semicolons that line
// ends stand for are left out.
func scan(src []byte, auto bool) ([]tok, error) {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var first error
	s.Init(file, src, func(pos token.Position, msg string) {
		if first == nil {
			first = fmt.Errorf("%d:%d: %s", pos.Line, pos.Column, msg)
		}
	}, scanner.ScanComments)
	var toks []tok
	for {
		pos, t, lit := s.Scan()
		if t == token.EOF {
			return toks, first
		}
		start := file.Offset(pos)
		switch {
		case t == token.SEMICOLON && lit != ";":
			if auto {
				toks = append(toks, tok{start, start, ";"})
			}
			continue
		case lit == "":
			lit = t.String()
		}
		toks = append(toks, tok{start, start + tokenLen(src[start:], t, lit), tokenID(t, lit)})
	}
}

// tokenLen returns a token's length in the source: the scanner takes carriage returns
// out of comments and raw strings.
func tokenLen(src []byte, t token.Token, lit string) int {
	closing := ""
	switch {
	case t == token.COMMENT && strings.HasPrefix(lit, "/*"):
		closing = "*/"
	case t == token.STRING && lit[0] == '`':
		closing = "`"
	default:
		return len(lit)
	}
	skip := len(closing)
	if i := strings.Index(string(src[skip:]), closing); i >= 0 {
		return skip + i + len(closing)
	}
	return len(src)
}

func tokenID(t token.Token, lit string) string {
	if t != token.COMMENT {
		return lit
	}
	lines := strings.Split(lit, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// A change replaces old[start:end) by text.
type change struct {
	start, end int
	text       string
}

// A run is a maximal stretch of equal or of differing tokens of two token lists.
type run struct {
	equal          bool
	oldFrom, oldTo int
	newFrom, newTo int
}

// diffTokens aligns two token lists.
func diffTokens(old, fresh []tok) []run {
	ids := make(map[string]rune)
	code := func(list []tok) []rune {
		out := make([]rune, len(list))
		for i, t := range list {
			r, ok := ids[t.id]
			if !ok {
				r = rune(len(ids) + 1)
				if r >= 0xD800 {
					r += 0x800 // surrogates are no runes
				}
				ids[t.id] = r
			}
			out[i] = r
		}
		return out
	}
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // a deadline would make the result depend on the load of the machine
	var runs []run
	a, b := 0, 0
	for _, d := range dmp.DiffMainRunes(code(old), code(fresh), false) {
		n := len([]rune(d.Text))
		equal := d.Type == diffmatchpatch.DiffEqual
		if len(runs) == 0 || runs[len(runs)-1].equal != equal {
			runs = append(runs, run{equal: equal, oldFrom: a, oldTo: a, newFrom: b, newTo: b})
		}
		if d.Type != diffmatchpatch.DiffInsert {
			a += n
		}
		if d.Type != diffmatchpatch.DiffDelete {
			b += n
		}
		last := &runs[len(runs)-1]
		last.oldTo, last.newTo = a, b
	}
	return runs
}

// mergeTokens returns the changes that turn old into source with the tokens of fresh. Where
// the tokens are equal the old bytes stay, spacing included; changed tokens come with the new spacing
// on both sides.
func mergeTokens(old, fresh string) ([]change, error) {
	oldToks, err := scan([]byte(old), true)
	if err != nil {
		return nil, err
	}
	newToks, err := scan([]byte(fresh), true)
	if err != nil {
		return nil, err
	}
	var changes []change
	for _, r := range diffTokens(oldToks, newToks) {
		if r.equal {
			continue
		}
		from, to := gap(oldToks, r.oldFrom, r.oldTo, len(old))
		newFrom, newTo := gap(newToks, r.newFrom, r.newTo, len(fresh))
		changes = append(changes, trimCommon(old, change{from, to, fresh[newFrom:newTo]}))
	}
	return changes, nil
}

// gap returns the range of tokens [from,to) with the white space around them.
func gap(toks []tok, from, to, size int) (start, end int) {
	end = size
	if from > 0 {
		start = toks[from-1].end
	}
	if to < len(toks) {
		end = toks[to].start
	}
	return start, end
}

// trimCommon shrinks a change by what it leaves as it is.
func trimCommon(old string, c change) change {
	for c.start < c.end && c.text != "" {
		if was := old[c.start]; was == c.text[0] {
			c.start++
		} else if was == '\r' && c.start+1 < c.end && old[c.start+1] == '\n' && c.text[0] == '\n' {
			c.start += 2
		} else {
			break
		}
		c.text = c.text[1:]
	}
	for c.start < c.end && c.text != "" && old[c.end-1] == c.text[len(c.text)-1] {
		c.end--
		c.text = c.text[:len(c.text)-1]
		if c.end > c.start && old[c.end] == '\n' && old[c.end-1] == '\r' {
			c.end--
		}
	}
	return c
}
