package main

import (
	"fmt"
	"go/scanner"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzLayout writes the programs of scenarios in other forms that mean the same: with comments and line ends between tokens,
// lines joined, parentheses around keys, spaces where gofmt wants none, carriage returns. What is found must stay the same, and
// all that a scenario asserts holds of the result: no new errors, formatted where the program was, nothing left for a second run,
// every byte back after undo. The script has four bytes for each change: file, place and what is done there.
func FuzzLayout(f *testing.F) {
	names := allScenarios(f)
	const inOrdinaryRuns = 6
	for i := range inOrdinaryRuns {
		var script []byte
		for k := range 12 {
			script = append(script, byte(k), byte(41*k+i), byte(7*k), byte(k+i))
		}
		f.Add(uint16(i*len(names)/inOrdinaryRuns), byte(i), script)
	}
	f.Fuzz(func(t *testing.T, which uint16, form byte, script []byte) {
		if len(script) > 400 {
			t.Skip("every place would be changed")
		}
		tryLayout(t, names[int(which)%len(names)], form, script)
	})
}

func tryLayout(t *testing.T, file string, form byte, script []byte) {
	tr := newTrial(t, file)
	if !tr.changeLayout(form, script) {
		t.Skip("the form of this program means something")
	}
	dir := tr.materialize()
	res := tr.pipeline(dir, 1, tr.patterns)
	if form&inTheWay == 0 {
		tr.sameFindings(findingLines(res, false))
	}
	tr.write(res)
	tr.formatted(tr.tree(dir))
	tr.secondRunChangesNothing(dir, res)
	tr.undoes(dir, res)
	if t.Failed() {
		t.Logf("%s, written otherwise:", file)
		for _, f := range res.Findings {
			if f.Blocker != nil {
				t.Logf("blocked: %s: %s", f.Blocker.Reason, f.Blocker.Message)
			}
		}
		for _, name := range tr.input.Names() {
			t.Logf("-- %s --\n%s", name, tr.input[name])
		}
	}
}

// inTheWay is the bit of a form that has comments among the tokens and several statements to a line. A comment may explain what
// would be a finding, and both may stand in the way of an edit.
const inTheWay = 8

// meaningful are texts in files whose layout means something.
var meaningful = regexp.MustCompile(`ctxmend:|//go:|//line|/\*line|nolint|import "C"|Code generated|// Output:|\r|\n// \+build|^\xef\xbb\xbf`)

// changeLayout changes the input as a script says. It reports whether that could be done.
func (t *trial) changeLayout(form byte, script []byte) bool {
	var files []string
	for _, name := range t.input.Names() {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		if meaningful.Match(t.input[name]) {
			return false
		}
		files = append(files, name)
	}
	if len(files) == 0 || len(t.dress.CRLF)+len(t.dress.BOM)+len(t.dress.NoFinalNewline) > 0 {
		return false
	}
	changes := map[string]map[int]byte{}
	for ; len(script) >= 4; script = script[4:] {
		name := files[int(script[0])%len(files)]
		if changes[name] == nil {
			changes[name] = map[int]byte{}
		}
		changes[name][int(script[1])<<8|int(script[2])] = script[3]
	}
	for name, at := range changes {
		src, ok := laidOut(string(t.input[name]), at, form&inTheWay != 0)
		if !ok {
			return false
		}
		t.input[name] = []byte(src)
	}
	for i, list := range []*[]string{&t.dress.CRLF, &t.dress.NoFinalNewline, &t.dress.BOM} {
		if form>>i&1 == 1 {
			*list = files[:1]
		}
	}
	t.input = t.dress.Put(t.input)
	return true
}

// A lexeme is a token with its place. An automatic semicolon is the line end that stands for it.
type lexeme struct {
	tok      token.Token
	at, end  int
	lineEnds bool
}

func lexemes(src string) ([]lexeme, bool) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, []byte(src), nil, scanner.ScanComments)
	var list []lexeme
	for {
		pos, tok, text := s.Scan()
		switch at := file.Offset(pos); {
		case tok == token.EOF:
			return list, s.ErrorCount == 0
		case tok == token.SEMICOLON && text == "\n":
			list = append(list, lexeme{tok, at, at, true})
		default:
			list = append(list, lexeme{tok, at, at + max(len(text), len(tok.String())*btoi(tok.IsOperator())), false})
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// laidOut changes what stands between tokens, at places that are counted as tokens are, modulo their number.
func laidOut(src string, at map[int]byte, hinder bool) (string, bool) {
	list, ok := lexemes(src)
	if !ok || len(list) < 4 {
		return "", false
	}
	here := map[int]byte{}
	for place, what := range at {
		here[1+place%(len(list)-2)] = what
	}
	var b strings.Builder
	done := 0
	for i, l := range list {
		what, ok := here[i]
		if !ok || l.tok == token.COMMENT || list[i-1].tok == token.COMMENT || list[i+1].tok == token.COMMENT {
			continue
		}
		b.WriteString(src[done:l.at])
		done = l.at
		before, after := list[i-1], list[i+1]
		switch {
		case l.lineEnds && l.at < len(src) && src[l.at] == '\n':
			switch what % 4 {
			case 0:
				if hinder {
					fmt.Fprintf(&b, " // f%d", i)
				}
			case 1:
				b.WriteString("\n\n\n")
			case 2:
				if hinder {
					fmt.Fprintf(&b, " /* f%d */", i)
				}
			case 3:
				if hinder {
					b.WriteString(";")
					done = l.at + 1
				}
			}
		case l.lineEnds:
		case what%5 == 0 && hinder:
			fmt.Fprintf(&b, "/* f%d */", i)
		case what%5 == 1 && slices.Contains([]token.Token{token.LPAREN, token.COMMA, token.LBRACE, token.ADD, token.ASSIGN, token.DEFINE, token.LAND}, before.tok):
			b.WriteString("\n")
		case what%5 == 2 && l.tok == token.STRING && (before.tok == token.LPAREN || before.tok == token.COMMA) && (after.tok == token.RPAREN || after.tok == token.COMMA):
			b.WriteString("(" + src[l.at:l.end] + ")")
			done = l.end
		case what%5 == 3 && (before.tok == token.COMMA || before.tok == token.DEFINE) && src[before.end:l.at] == " " && l.tok == token.IDENT:
			s := b.String()
			b.Reset()
			b.WriteString(strings.TrimSuffix(s, " "))
		default:
			b.WriteString("  ")
		}
	}
	b.WriteString(src[done:])
	return b.String(), true
}

// place is where something stands, which another layout changes, or a parenthesis around a key.
var place = regexp.MustCompile(`:\d+(:\d+)?|\("|"\)`)

func bare(finding string) string { return place.ReplaceAllString(finding, "") }

// sameFindings compares findings with those of the scenario, places and parentheses aside.
func (t *trial) sameFindings(got []string) {
	t.Helper()
	if len(got) != len(t.Findings) {
		t.Errorf("%d findings, want %d:\n%s", len(got), len(t.Findings), strings.Join(got, "\n"))
		return
	}
	for i, want := range t.Findings {
		want, got := bare(want), bare(got[i])
		if !strings.HasPrefix(got, want) {
			t.Errorf("finding:\n%s\nwant:\n%s", got, want)
		}
	}
}
