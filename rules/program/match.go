package program

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// A pattern chooses files of the world.
type pattern struct {
	text string
	// file is the one file chosen, absolute; "" for a pattern of packages.
	file string
	// dir tells whether re matches absolute slash-separated directories; otherwise
	// it matches import paths.
	dir bool
	re  *regexp.Regexp
}

// A NoFilesError says that the modules worked on have no Go files, in whatever build.
type NoFilesError struct{ Dir string }

func (e *NoFilesError) Error() string { return "there are no Go files in " + e.Dir }

// selectPatterns compiles the patterns and makes sure each matches something.
func (l *loader) selectPatterns() error {
	if len(l.prog.Files) == 0 {
		return &NoFilesError{l.prog.Modules[0].Dir}
	}
	texts := l.opts.Patterns
	if len(texts) == 0 {
		if l.prog.Workspace != "" {
			return nil // every module
		}
		texts = []string{"./..."}
	}
	for _, text := range texts {
		pat := l.compilePattern(text)
		if !pat.matchesAny(l.prog.Files) {
			return l.noMatch(pat)
		}
		l.match = append(l.match, pat)
	}
	return nil
}

func (l *loader) compilePattern(text string) pattern {
	pat := pattern{text: text}
	slashed := filepath.ToSlash(text)
	switch {
	case text == "all" || text == "work":
		pat.re = regexp.MustCompile("")
	case strings.HasSuffix(slashed, ".go") && l.tree.exists(l.abs(text)):
		pat.file = l.abs(text)
	case filepath.IsAbs(text) || slashed == "." || slashed == ".." ||
		strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../"):
		pat.dir = true
		pat.re = wildcard(filepath.ToSlash(l.abs(text)))
	default:
		pat.re = wildcard(slashed)
	}
	return pat
}

// abs resolves a name against the directory worked in.
func (l *loader) abs(name string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.opts.Dir, name)
	}
	return filepath.Clean(name)
}

// wildcard compiles a pattern in which "..." stands for anything; a final "/..."
// also matches what precedes it.
func wildcard(pat string) *regexp.Regexp {
	re := strings.ReplaceAll(regexp.QuoteMeta(pat), `\.\.\.`, `.*`)
	if head, ok := strings.CutSuffix(re, `/.*`); ok {
		re = head + `(/.*)?`
	}
	return regexp.MustCompile(`^` + re + `$`)
}

func (pat pattern) matches(f *File) bool {
	switch {
	case pat.file != "":
		return f.Name == pat.file
	case pat.dir:
		return pat.re.MatchString(filepath.ToSlash(f.PkgDir))
	}
	return pat.re.MatchString(f.PkgPath)
}

func (pat pattern) matchesAny(files []*File) bool {
	for _, f := range files {
		if pat.matches(f) {
			return true
		}
	}
	return false
}

// noMatch explains a pattern that chooses nothing.
func (l *loader) noMatch(pat pattern) error {
	world := l.prog.Modules[0].Path
	if len(l.prog.Modules) > 1 {
		world = fmt.Sprintf("the %d modules of %s", len(l.prog.Modules), l.prog.Workspace)
	}
	return fmt.Errorf("pattern %s matches no package of %s: packages are chosen like ./..., ./dir or an import path", pat.text, world)
}

// Selected reports whether a file of the world belongs to a package that the
// patterns choose.
func (p *Program) Selected(f *File) bool {
	if !f.World {
		return false
	}
	if len(p.loader.match) == 0 {
		return true
	}
	for _, pat := range p.loader.match {
		if pat.matches(f) {
			return true
		}
	}
	return false
}
