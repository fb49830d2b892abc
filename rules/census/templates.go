package census

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"slices"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// maxTemplateFiles and maxTemplateBytes bound what is read in search of templates that lie beside the code.
const (
	maxTemplateFiles = 20_000
	maxTemplateBytes = 128 << 20
)

// templateLooks are the look-ups in the templates of a program: in its string constants, and in the files that are not Go.
type templateLooks struct {
	// keys are look-ups by the text of the key, the first of each.
	keys map[string]*Hazard
	// open is the first look-up whose key the template computes, nil for none; words are the string literals of all templates, any of
	// which may be that key.
	open  *Hazard
	words map[string]bool
}

// templateHazards looks for the key in the text of templates, which call methods by name. A template that computes the key counts
// as code that does.
func (b *builder) templateHazards(k *Key) {
	if !b.byTemplates() {
		return
	}
	t := b.templateLooks()
	if k.Const.Kind() == constant.String {
		text := constant.StringVal(k.Const)
		h := t.keys[text]
		if h == nil && t.words[text] {
			h = t.open
		}
		if h != nil {
			k.Hazards = append(k.Hazards, h)
			return
		}
	}
	switch {
	case t.open == nil:
	case hasOwn(k, Reader):
		k.Notes = append(k.Notes, t.open)
	default:
		k.Hazards = append(k.Hazards, t.open)
	}
}

// templateLooks reads the templates when first asked.
func (b *builder) templateLooks() *templateLooks {
	if b.looks != nil {
		return b.looks
	}
	b.looks = &templateLooks{keys: map[string]*Hazard{}, words: map[string]bool{}}
	for _, ix := range b.census.indexes {
		for _, u := range ix.templates {
			text := constant.StringVal(u.pkg.Info.Types[u.node.(ast.Expr)].Value)
			b.looks.add(text, func(int) Hazard {
				return Hazard{Message: "a template", File: u.file, Pos: u.node.Pos()}
			})
		}
	}
	files, size := 0, 0
	b.census.Program.Texts(func(name string, src []byte) bool {
		if files, size = files+1, size+len(src); files > maxTemplateFiles || size > maxTemplateBytes {
			if b.looks.open == nil {
				b.looks.open = &Hazard{Reason: ReasonOtherUse, Message: "there are too many files beside the code to look for templates in all of them, and one may look the key up", Where: b.census.Program.ShownName(name)}
			}
			return false
		}
		if !bytes.Contains(src, []byte("{{")) && !bytes.Contains(src, []byte(".Value")) {
			return true
		}
		text := string(src)
		b.looks.add(text, func(at int) Hazard {
			line := 1 + strings.Count(text[:at], "\n")
			column := at - strings.LastIndexByte(text[:at], '\n')
			return Hazard{Message: "a template", Where: fmt.Sprintf("%s:%d:%d", b.census.Program.ShownName(name), line, column)}
		})
		return true
	})
	return b.looks
}

// add notes the look-ups of one text, and its words. place makes a hazard of an offset.
func (t *templateLooks) add(text string, place func(at int) Hazard) {
	for _, at := range valueCalls(text) {
		if key, ok := literalKey(text[at:], false); ok {
			t.look(key, place(at))
		}
	}
	for _, a := range templateActions(text) {
		action := text[a.from:a.to]
		t.addWords(action)
		for _, at := range valueCalls(action) {
			if key, ok := literalKey(action[at:], true); ok {
				t.look(key, place(a.from+at))
			} else if t.open == nil && computesKey(action, at) {
				h := place(a.from + at)
				h.Reason = ReasonDynamic
				h.Message += " looks up a key that it computes and that may be this one"
				t.open = &h
			}
		}
	}
}

func (t *templateLooks) look(key string, h Hazard) {
	if t.keys[key] == nil {
		h.Reason = ReasonOtherUse
		h.Message += " looks it up by its text"
		t.keys[key] = &h
	}
}

// addWords notes the string literals of an action.
func (t *templateLooks) addWords(action string) {
	for i := 0; i < len(action); i++ {
		if text, n, ok := quotedPrefix(action[i:]); ok {
			t.words[text] = true
			i += n - 1
		}
	}
}

// An action is what stands between {{ and }} in a text.
type action struct{ from, to int }

// templateActions finds the actions of a text. One that does not end in the text, which may be a piece of one, goes on to its end.
func templateActions(text string) []action {
	var list []action
	for at := 0; ; {
		i := strings.Index(text[at:], "{{")
		if i < 0 {
			return list
		}
		at += i + 2
		end := strings.Index(text[at:], "}}")
		if end < 0 {
			return append(list, action{at, len(text)})
		}
		list = append(list, action{at, at + end})
		at += end + 2
	}
}

const valueMethod = ".Value"

// valueCalls returns the offsets of .Value in a text, as a whole name.
func valueCalls(text string) []int {
	var list []int
	for at := 0; ; {
		i := strings.Index(text[at:], valueMethod)
		if i < 0 {
			return list
		}
		at += i
		if rest := text[at+len(valueMethod):]; rest == "" || !isNameByte(rest[0]) {
			list = append(list, at)
		}
		at += len(valueMethod)
	}
}

func isNameByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b >= 0x80
}

const blanks = " \t\r\n"

// literalKey returns the literal that .Value at the start of a text is given. In an action it may stand in parentheses.
func literalKey(text string, inAction bool) (key string, ok bool) {
	rest := text[len(valueMethod):]
	if inAction {
		rest = strings.TrimLeft(rest, blanks+"(")
	} else {
		rest = strings.TrimLeft(rest, blanks)
	}
	key, _, ok = quotedPrefix(rest)
	return key, ok
}

// computesKey reports whether .Value at an offset of an action is called with something else than a literal: it begins a command, and
// what follows is an operand, or what is piped into it. As an argument of another function a field is never given any.
func computesKey(action string, at int) bool {
	before := strings.TrimRight(action[:at], "$.")
	for before != "" && (isNameByte(before[len(before)-1]) || strings.IndexByte("$.", before[len(before)-1]) >= 0) {
		before = before[:len(before)-1]
	}
	head, piped := commandHead(before)
	if !head {
		return false
	}
	rest := strings.TrimLeft(action[at+len(valueMethod):], blanks)
	switch {
	case rest == "":
		return piped
	case action[at+len(valueMethod)] == '.':
		return false // the name goes on
	case rest[0] == '-':
		return piped || len(rest) > 1 && '0' <= rest[1] && rest[1] <= '9'
	case isNameByte(rest[0]) || strings.IndexByte("$.('\"`+", rest[0]) >= 0:
		return true
	}
	return piped
}

// commandHead reports whether a command begins behind what stands before it in an action, and whether something is piped into it.
func commandHead(before string) (head, piped bool) {
	if strings.HasSuffix(before, ")") {
		return true, false // (expression).Value
	}
	before = strings.TrimRight(before, blanks)
	if before == "" || before == "-" {
		return true, false
	}
	switch before[len(before)-1] {
	case '|':
		return true, true
	case '(', '=':
		return true, false
	}
	words := strings.FieldsFunc(before, func(r rune) bool { return strings.ContainsRune(blanks+"(|=-", r) })
	return len(words) > 0 && slices.Contains([]string{"if", "else", "with", "range", "call"}, words[len(words)-1]), false
}

// quotedPrefix returns the string literal that a text begins with and how long it is. Its quotation marks may be those of a literal inside another one, as in JSON.
func quotedPrefix(text string) (value string, n int, ok bool) {
	switch {
	case text == "":
		return "", 0, false
	case strings.HasPrefix(text, `\"`):
		if end := strings.Index(text[2:], `\"`); end >= 0 {
			return text[2 : 2+end], end + 4, true
		}
	case text[0] == '"' || text[0] == '`':
		if quoted, err := strconv.QuotedPrefix(text); err == nil {
			value, err = strconv.Unquote(quoted)
			return value, len(quoted), err == nil
		}
	}
	return "", 0, false
}

// isTemplateText reports whether a literal, or a sum of literals, may be part of a template with a look-up, or with the key of one. Sums of
// named constants are left out: each name may double the text, and its own literal has been looked at.
func isTemplateText(pkg *program.Package, e ast.Expr) bool {
	v := pkg.Info.Types[e].Value
	if v == nil || v.Kind() != constant.String || !ofLiterals(e) {
		return false
	}
	text := constant.StringVal(v)
	return strings.Contains(text, "{{") || strings.Contains(text, valueMethod)
}

// ofLiterals reports whether an expression is a string literal, or adds such.
func ofLiterals(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.BasicLit:
		return true
	case *ast.BinaryExpr:
		return ofLiterals(e.X) && ofLiterals(e.Y)
	}
	return false
}
