package program

import (
	"bytes"
	"strings"
)

// interest says which function bodies of a dependency matter to somebody who
// follows context values.
type interest int

const (
	// noBodies: nothing stores or looks up a context value, or only under
	// keys of a struct type of the dependency's own, T{}, which nobody else can spell.
	noBodies interest = iota
	// someBodies: values are looked up or stored under literals and names declared
	// outside of the function, so that the functions that do it tell everything.
	someBodies
	// allBodies: the key comes from a parameter, a field or a local variable, or the
	// package has a Value method of its own. Whoever calls these functions counts.
	allBodies
)

// valueCalls are the beginnings of calls and declarations that concern context
// values when an argument or parameter follows.
var valueCalls = []struct {
	text []byte
	// skip is how many arguments precede the key; -1 for a declaration.
	skip int
}{
	{[]byte(".WithValue("), 1},
	{[]byte(".Value("), 0},
	{[]byte(") Value("), -1},
}

// mentionsValues reports whether a source text may store or look up context values.
func mentionsValues(src []byte) bool {
	for _, call := range valueCalls {
		if bytes.Contains(src, call.text) {
			return true
		}
	}
	return bytes.Contains(src, []byte(`. "context"`))
}

// interestOf judges a source file of a dependency.
func interestOf(src []byte) interest {
	if !mentionsValues(src) {
		return noBodies
	}
	if bytes.Contains(src, []byte(`. "context"`)) || bytes.Contains(src, []byte("= struct{}\n")) {
		return allBodies // an alias makes T{} a key that others can spell
	}
	inside, verdict := 0, noBodies
	eachFunction(src, func(decl, body []byte) bool {
		n, v := interestOfFunction(decl, body)
		inside += n
		verdict = max(verdict, v)
		return false
	})
	if inside < countCalls(src) {
		return allBodies // in the value of a variable, or in a comment
	}
	return verdict
}

// countCalls counts the places in a text that may concern context values.
func countCalls(text []byte) int {
	n := 0
	for _, call := range valueCalls {
		n += bytes.Count(text, call.text)
	}
	return n
}

// interestOfFunction judges a function declaration, given up to its body, and
// counts the places seen in it.
func interestOfFunction(decl, body []byte) (int, interest) {
	n := countCalls(decl) + countCalls(body)
	if n == 0 {
		return 0, noBodies
	}
	var keys []string
	for _, call := range valueCalls {
		if call.skip < 0 {
			if i := bytes.Index(decl, call.text); i >= 0 && !bytes.HasPrefix(decl[i+len(call.text):], []byte(")")) {
				return n, allBodies
			}
			continue
		}
		for rest := body; ; {
			i := bytes.Index(rest, call.text)
			if i < 0 {
				break
			}
			rest = rest[i+len(call.text):]
			keys = append(keys, string(argument(rest, call.skip)))
		}
	}
	verdict := noBodies
	for _, key := range keys {
		uses := 0
		for _, k := range keys {
			if k == key {
				uses++
			}
		}
		verdict = max(verdict, interestOfKey(key, decl, body, uses))
	}
	return n, verdict
}

// argument returns the argument with the given index of a call whose argument list
// starts the text; nil when there is none, and the text so far when quotes make it
// uncertain where it ends.
func argument(text []byte, index int) []byte {
	start, depth := 0, 0
	for i, c := range text {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				if index > 0 {
					return nil
				}
				return bytes.TrimSpace(text[start:i])
			}
		case ',':
			if depth == 0 {
				if index == 0 {
					return bytes.TrimSpace(text[start:i])
				}
				index--
				start = i + 1
			}
		case '"', '\'', '`', '\n':
			if index == 0 && c != '\n' {
				return bytes.TrimSpace(text[start : i+1])
			}
		}
	}
	return nil
}

// interestOfKey judges a key expression that a function uses so many times as a key.
func interestOfKey(text string, decl, body []byte, uses int) interest {
	switch {
	case text == "":
		return noBodies // x.Value() is about something else
	case text[0] == '"' || text[0] == '`':
		return someBodies
	}
	name, literal := strings.CutSuffix(text, "{}")
	first, sel, qualified := strings.Cut(name, ".")
	if !isIdent(first) || qualified && !isIdent(sel) || name == "struct" {
		return allBodies
	}
	if literal {
		return noBodies
	}
	// A parameter is written in the declaration, a local variable once more than it is a key,
	// and either of them somewhere without a dot behind it.
	if qualified {
		uses = 0
	}
	if occurrences(decl, first, qualified) > 0 || occurrences(body, first, qualified) > uses {
		return allBodies
	}
	return someBodies
}

// occurrences counts an identifier in a text, apart from selectors .name and, for a
// qualifier, from those in front of a dot.
func occurrences(text []byte, name string, qualifier bool) int {
	n := 0
	for i := 0; i < len(text); {
		j := bytes.Index(text[i:], []byte(name))
		if j < 0 {
			break
		}
		start, end := i+j, i+j+len(name)
		before, after := byte(' '), byte(' ')
		if start > 0 {
			before = text[start-1]
		}
		if end < len(text) {
			after = text[end]
		}
		if !identByte(before) && before != '.' && !identByte(after) && !(qualifier && after == '.') {
			n++
		}
		i = end
	}
	return n
}

func isIdent(s string) bool {
	for i := range len(s) {
		if !identByte(s[i]) {
			return false
		}
	}
	return s != "" && !('0' <= s[0] && s[0] <= '9')
}
