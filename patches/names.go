package patches

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// diffNames returns the slash-separated names the set's files carry in a diff,
// in the order of s.Files.
func (s *Set) diffNames() ([]string, error) {
	base, err := s.diffBase()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(s.Files))
	for i, f := range s.Files {
		if base == "" {
			names[i] = path.Clean(f.Rel)
			continue
		}
		rel, err := filepath.Rel(base, f.Name)
		if err != nil || !filepath.IsLocal(rel) {
			return nil, fmt.Errorf("%s lies outside %s, which the names in the diff are relative to", f.Name, base)
		}
		names[i] = filepath.ToSlash(rel)
	}
	return names, nil
}

// diffBase returns the directory that names in a diff are relative to, or "" when
// that is the directory Rel is relative to.
func (s *Set) diffBase() (string, error) {
	if s.Base != "" {
		return filepath.Clean(s.Base), nil
	}
	deepest, ups := "", 0
	for _, f := range s.Files {
		rel := path.Clean(f.Rel)
		if f.Rel == "" || path.IsAbs(rel) {
			return "", fmt.Errorf("%s has no relative name to print in a diff", f.Name)
		}
		n := 0
		for strings.HasPrefix(rel, "../") {
			rel = rel[len("../"):]
			n++
		}
		if n <= ups {
			continue
		}
		// What remains of Rel hangs below the directory n levels up from the one
		// worked in.
		tail := string(filepath.Separator) + filepath.FromSlash(rel)
		dir, ok := strings.CutSuffix(filepath.Clean(f.Name), tail)
		if !ok {
			return "", fmt.Errorf("%s does not end in its relative name %s", f.Name, f.Rel)
		}
		if dir == "" || strings.HasSuffix(dir, ":") {
			dir += string(filepath.Separator)
		}
		deepest, ups = dir, n
	}
	return deepest, nil
}

// quoteName returns prefix+name as git writes names in a diff: in double quotes
// with C escapes when a byte needs it, as it is otherwise.
func quoteName(prefix, name string) string {
	plain := true
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(prefix + name) {
		esc, special := quoteByte(c)
		if special {
			plain = false
			b.WriteString(esc)
		} else {
			b.WriteByte(c)
		}
	}
	if plain {
		return prefix + name
	}
	b.WriteByte('"')
	return b.String()
}

// quoteByte returns the escape git uses for c inside a quoted name, if it needs one.
func quoteByte(c byte) (esc string, special bool) {
	switch c {
	case '"', '\\':
		return `\` + string(rune(c)), true
	case '\a':
		return `\a`, true
	case '\b':
		return `\b`, true
	case '\t':
		return `\t`, true
	case '\n':
		return `\n`, true
	case '\v':
		return `\v`, true
	case '\f':
		return `\f`, true
	case '\r':
		return `\r`, true
	}
	if c < ' ' || c >= 0x7f {
		return fmt.Sprintf(`\%03o`, c), true
	}
	return "", false
}

// label returns name as messages show it: relative to root where that is
// possible, with slashes.
func label(root, name string) string {
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}
