package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// maxBroken is how many packages with errors are named.
const maxBroken = 10

// noteBroken names the packages with errors: findings in them may be missing,
// and nothing that touches them is edited.
func (a *app) noteBroken(broken []*program.PackageErrors) {
	for i, p := range broken {
		if i == maxBroken {
			a.note("%s more with errors", plural(len(broken)-i, "package"))
			break
		}
		first := ""
		if len(p.Errors) > 0 {
			first = ": " + a.describe(p.Errors[0])
		}
		if n := len(p.Errors) - 1; n > 0 {
			first += fmt.Sprintf(" (and %s)", plural(n, "more error"))
		}
		a.note("package %s has errors%s", p.Path, first)
	}
	if len(broken) > 0 {
		a.note("what touches them is reported as far as it can be, and not edited")
	}
}

// describe returns an error on one line: some of the go command's have several.
func (a *app) describe(e program.Error) string {
	message := strings.Join(strings.Fields(e.Msg), " ")
	if e.Pos.Filename == "" {
		return message
	}
	return fmt.Sprintf("%s:%d:%d: %s", a.relative(e.Pos.Filename), e.Pos.Line, e.Pos.Column, message)
}

// relative names a file from where the user stands, with slashes.
func (a *app) relative(name string) string {
	dir, err := a.workDir()
	if err != nil || !filepath.IsAbs(name) {
		return filepath.ToSlash(name)
	}
	if rel, err := filepath.Rel(dir, name); err == nil {
		name = rel
	}
	return filepath.ToSlash(name)
}

// packageCount says how much was looked at.
func packageCount(prog *program.Program) string {
	paths := map[string]bool{}
	for _, config := range prog.Configs {
		for _, p := range config.Packages {
			if p.World && !p.XTest {
				paths[p.Path] = true
			}
		}
	}
	return plural(len(paths), "package")
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
