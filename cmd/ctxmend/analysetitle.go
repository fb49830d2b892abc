package main

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A packageNamer writes the packages of a clone as people who work in it do: by their directories, and the one at the top by its name.
type packageNamer struct {
	paths []string // the longest first
	names map[string]string
}

func newPackageNamer(prog *program.Program, top string) *packageNamer {
	n := &packageNamer{names: map[string]string{}}
	for _, c := range prog.Configs {
		for _, p := range c.Packages {
			rel, err := filepath.Rel(top, p.Dir)
			if !p.World || p.XTest || err != nil || !filepath.IsLocal(rel) || n.names[p.Path] != "" {
				continue
			}
			n.names[p.Path] = filepath.ToSlash(rel)
			if rel == "." {
				n.names[p.Path] = p.Name
			}
			n.paths = append(n.paths, p.Path)
		}
	}
	slices.SortFunc(n.paths, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return n
}

// shorten writes a title with the short names of packages. What stands in quotation marks is a key, whatever it looks like.
func (n *packageNamer) shorten(title string) string {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(title); i++ {
		c := title[i]
		switch {
		case quote == 0 && (i == 0 || !inPath(title[i-1])):
			if path := n.at(title[i:]); path != "" {
				b.WriteString(n.names[path])
				i += len(path) - 1
				continue
			}
			if c == '"' || c == '`' {
				quote = c
			}
		case quote == 0 && (c == '"' || c == '`'):
			quote = c
		case quote == '"' && c == '\\' && i+1 < len(title):
			b.WriteByte(c)
			i++
			c = title[i]
		case c == quote:
			quote = 0
		}
		b.WriteByte(c)
	}
	return b.String()
}

// at returns the package that a text begins with.
func (n *packageNamer) at(text string) string {
	for _, path := range n.paths {
		if rest, ok := strings.CutPrefix(text, path); ok && (rest == "" || !inPath(rest[0]) || rest[0] == '.') {
			return path
		}
	}
	return ""
}

// inPath tells whether a letter may be part of an import path.
func inPath(c byte) bool {
	return c >= 0x80 || unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) || strings.IndexByte("/._-~+", c) >= 0
}
