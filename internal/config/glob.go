package config

import (
	"errors"
	"path"
	"regexp"
	"strings"
)

// A Glob chooses files and directories by their names as .gitignore does: it is relative to the directory of the
// configuration file, or holds at any depth when it has no slash but a final one; * and ? stop at slashes, ** does not. What chooses a directory
// chooses everything below it.
type Glob string

func (g Glob) check() error {
	switch {
	case g == "":
		return errors.New("is empty")
	case strings.HasPrefix(string(g), "!"):
		return errors.New("cannot be taken back with !: name what is meant")
	case strings.Contains(string(g), `\`):
		return errors.New(`has a backslash: names are parted by /`)
	case strings.HasPrefix(path.Clean(string(g)), ".."):
		return errors.New("leads out of the directory of the file")
	}
	if _, err := g.compile(); err != nil {
		return err
	}
	return nil
}

// Match returns a function that tells whether a file, by its slash-separated name relative to the configuration
// file's directory, is one that the globs choose.
func Match(globs []Glob) func(name string) bool {
	var all []*regexp.Regexp
	for _, g := range globs {
		if re, err := g.compile(); err == nil {
			all = append(all, re)
		}
	}
	return func(name string) bool {
		for _, re := range all {
			if re.MatchString(name) {
				return true
			}
		}
		return false
	}
}

// compile turns the glob into an expression over whole names.
func (g Glob) compile() (*regexp.Regexp, error) {
	text := strings.TrimSuffix(string(g), "/")
	anchored := strings.Contains(text, "/")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "/"), "./")
	if text == "" || text == "." {
		return regexp.Compile(`^`)
	}
	expr := `^`
	if !anchored {
		expr += `(?:.*/)?`
	}
	for rest := text; rest != ""; {
		atStart := len(rest) == len(text) || text[len(text)-len(rest)-1] == '/'
		part, size, err := piece(rest, atStart)
		if err != nil {
			return nil, err
		}
		expr, rest = expr+part, rest[size:]
	}
	return regexp.Compile(expr + `(?:/.*)?$`)
}

// piece turns the beginning of what is left of a glob into an expression. atStart is set where an element of the name
// begins.
func piece(rest string, atStart bool) (expr string, size int, err error) {
	switch {
	case strings.HasPrefix(rest, "**/") && atStart:
		return `(?:.*/)?`, 3, nil
	case strings.HasPrefix(rest, "**"):
		return `.*`, 2, nil
	case rest[0] == '*':
		return `[^/]*`, 1, nil
	case rest[0] == '?':
		return `[^/]`, 1, nil
	case rest[0] == '[':
		return class(rest)
	}
	size = len(rest)
	if n := strings.IndexAny(rest[1:], "*?["); n >= 0 {
		size = n + 1
	}
	return regexp.QuoteMeta(rest[:size]), size, nil
}

// class turns [a-z] or [!a-z] into an expression.
func class(rest string) (expr string, size int, err error) {
	end := strings.IndexByte(rest[1:], ']')
	if end < 1 {
		return "", 0, errors.New("has a [ without its ]")
	}
	letters := rest[1 : end+1]
	expr = "[" + letters + "]"
	if letters[0] == '!' {
		expr = "[^/" + letters[1:] + "]"
	}
	if _, err := regexp.Compile(expr); err != nil || letters == "!" {
		return "", 0, errors.New("has a range of letters that is none: [" + letters + "]")
	}
	return expr, end + 2, nil
}
