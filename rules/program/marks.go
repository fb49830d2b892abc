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

// A valueMark is a place in a text that may store or look up a context value.
type valueMark struct {
	// at is where the dot before the name stands, or the parenthesis that ends a receiver; args where the arguments start.
	at, args int
	// skip is how many arguments precede the key; -1 for the declaration of a method, -2 for a function that is not called here.
	skip int
}

// valueMarks finds calls and declarations of methods Value and calls and other uses of functions WithValue in code without
// comments. Line ends and spaces may stand around the name: a chain of calls has its dots at the ends of lines.
func valueMarks(text []byte) []valueMark {
	word := []byte("Value")
	var list []valueMark
	for i := 0; ; {
		k := bytes.Index(text[i:], word)
		if k < 0 {
			return list
		}
		start, end := i+k, i+k+len(word)
		i = end
		m := valueMark{skip: 0}
		if bytes.HasSuffix(text[:start], []byte("With")) {
			start -= len("With")
			m.skip = 1
		}
		if start > 0 && identByte(text[start-1]) || end < len(text) && identByte(text[end]) {
			continue
		}
		m.at = len(bytes.TrimRight(text[:start], " \t\r\n")) - 1
		m.args = afterSpace(text, end) + 1
		called := m.args <= len(text) && text[m.args-1] == '('
		switch {
		case m.at < 0:
			continue
		case text[m.at] == ')' && m.skip == 0 && called:
			m.skip = -1
		case text[m.at] == '.' && called && !bytes.HasSuffix(text[:m.at], []byte("driver")):
			// A conversion to driver.Value of database/sql looks like a call.
		case text[m.at] == '.' && m.skip == 1 && !called:
			m.skip = -2
		default:
			continue
		}
		list = append(list, m)
	}
}

// afterSpace returns where the space and the comments end that begin at i.
func afterSpace(text []byte, i int) int {
	for i < len(text) {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '/' && i+1 < len(text) && (text[i+1] == '/' || text[i+1] == '*'):
			i, _ = skipComment(text, i)
		default:
			return i
		}
	}
	return i
}

var (
	dotContext = regexp.MustCompile(`\.\s*"context"`)
	emptyAlias = regexp.MustCompile(`=\s*struct\s*\{\s*\}`)
)

// importsDot reports whether a file may use names of package context without qualifying them.
func importsDot(src []byte) bool {
	return bytes.Contains(src, []byte(`"context"`)) && dotContext.Match(src)
}

// mentionsValues reports whether a source text may store or look up context values, comments and texts taken for code.
func mentionsValues(src []byte) bool {
	for rest := src; ; {
		i := bytes.Index(rest, []byte("Value"))
		if i < 0 {
			return importsDot(src)
		}
		if bytes.HasSuffix(rest[:i], []byte("With")) {
			return true
		}
		rest = rest[i+len("Value"):]
		if j := afterSpace(rest, 0); j < len(rest) && rest[j] == '(' {
			return true
		}
	}
}

// interestOf judges a source file of a dependency.
func interestOf(src []byte) interest {
	if !mentionsValues(src) {
		return noBodies
	}
	if importsDot(src) || emptyAlias.Match(src) {
		return allBodies // an alias makes T{} a key that others can spell
	}
	code := withoutText(src)
	marks := len(valueMarks(code))
	inside, verdict := 0, noBodies
	eachFunction(code, func(decl, body []byte) bool {
		n, v := interestOfFunction(decl, body)
		inside += n
		verdict = max(verdict, v)
		return false
	})
	if inside < marks {
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

// interestOfFunction judges a function declaration, given up to its body, and
// counts the places seen in it.
func interestOfFunction(decl, body []byte) (int, interest) {
	declared, called := valueMarks(decl), valueMarks(body)
	verdict := noBodies
	for _, m := range declared {
		if m.skip < 0 && takesAny(argument(decl[m.args:], 0)) {
			return len(declared) + len(called), allBodies
		}
	}
	for _, m := range called {
		switch {
		case m.skip == -2:
			verdict = allBodies
		case m.skip >= 0:
			verdict = max(verdict, interestOfKey(string(argument(body[m.args:], m.skip)), decl, body))
		}
	}
	return len(declared) + len(called), verdict
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
