package program

import (
	"bytes"
	"regexp"
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
	code := withoutText(src)
	inside, verdict := 0, noBodies
	eachFunction(code, func(decl, body []byte) bool {
		n, v := interestOfFunction(decl, body)
		inside += n
		verdict = max(verdict, v)
		return false
	})
	if inside < countCalls(code) {
		return allBodies // in the value of a variable
	}
	return verdict
}

// withoutText returns a copy of a source text without its comments and with string
// and rune literals emptied, all of the same length.
func withoutText(src []byte) []byte {
	code := bytes.Clone(src)
	for i := 0; i < len(src); {
		end := i + 1
		from, to := i, i // what is blanked
		switch c := src[i]; {
		case c == '/' && i+1 < len(src) && (src[i+1] == '/' || src[i+1] == '*'):
			end, _ = skipComment(src, i)
			to = end
		case c == '"' || c == '\'' || c == '`':
			end = skipQuoted(src, i)
			from, to = i+1, max(i+1, end-1)
		}
		for j := from; j < to; j++ {
			if code[j] != '\n' {
				code[j] = ' '
			}
		}
		i = end
	}
	return code
}

// countCalls counts the places in a text that may concern context values. A conversion to
// driver.Value of database/sql looks like one and is none.
func countCalls(text []byte) int {
	n := -bytes.Count(text, []byte("driver.Value("))
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
	verdict := noBodies
	for _, call := range valueCalls {
		if call.skip < 0 {
			if i := bytes.Index(decl, call.text); i >= 0 && takesAny(argument(decl[i+len(call.text):], 0)) {
				return n, allBodies
			}
			continue
		}
		for rest := body; ; {
			i := bytes.Index(rest, call.text)
			if i < 0 {
				break
			}
			before := rest[:i]
			rest = rest[i+len(call.text):]
			if bytes.HasSuffix(before, []byte("driver")) {
				continue
			}
			verdict = max(verdict, interestOfKey(string(argument(rest, call.skip)), decl, body))
		}
	}
	return n, verdict
}

// takesAny reports whether a parameter is declared with an empty interface as its type, as
// that of a context's Value method is.
func takesAny(param []byte) bool {
	return bytes.HasSuffix(param, []byte("any")) || bytes.HasSuffix(param, []byte("interface{}"))
}

// argument returns the argument with the given index of a call whose argument list
// starts the text; nil when there is none.
func argument(text []byte, index int) []byte {
	start, depth := 0, 0
	for i, c := range text {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth >= 0 {
				continue
			}
			if index > 0 {
				return nil
			}
			return bytes.TrimSpace(text[start:i])
		case ',':
			switch {
			case depth > 0:
			case index == 0:
				return bytes.TrimSpace(text[start:i])
			default:
				index--
				start = i + 1
			}
		}
	}
	return nil
}

// interestOfKey judges a key expression in a function.
func interestOfKey(key string, decl, body []byte) interest {
	switch {
	case key == "":
		return noBodies // x.Value() is about something else
	case key[0] == '"' || key[0] == '`':
		return someBodies
	}
	name, literal := strings.CutSuffix(key, "{}")
	first, sel, qualified := strings.Cut(name, ".")
	if !isIdent(first) || qualified && !isIdent(sel) || name == "struct" {
		return allBodies
	}
	if literal {
		return noBodies
	}
	if isParameter(decl, first) || isLocal(body, first) {
		return allBodies
	}
	return someBodies
}

// isParameter reports whether a name is written in front of a function's body other than
// as a package name.
func isParameter(decl []byte, name string) bool {
	return regexp.MustCompile(`(^|[^\w.])` + name + `($|[^\w.]|\.\.\.)`).Match(decl)
}

// isLocal reports whether a function's body seems to declare a name: in front of
// := or of a type, further names between them.
func isLocal(body []byte, name string) bool {
	return regexp.MustCompile(`(^|[^\w.])` + name + `(,[ \t]*\w+)*([ \t]*:=|[ \t]+(\.\.\.|<-|[A-Za-z_*\[(]))`).Match(body)
}

// isIdent reports whether s is an identifier of ASCII letters and digits.
func isIdent(s string) bool {
	for i := range len(s) {
		if !identByte(s[i]) || s[i] >= 0x80 {
			return false
		}
	}
	return s != "" && !('0' <= s[0] && s[0] <= '9')
}
