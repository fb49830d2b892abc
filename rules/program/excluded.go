package program

import (
	"bytes"
	"go/build/constraint"
	"path/filepath"
	"strings"
)

// whyExcluded says why no configuration contains a file of the world.
func (l *loader) whyExcluded(f *File) string {
	if expr := constraintOf(f.Src); expr != "" {
		return expr
	}
	if f.Test && !l.opts.Tests {
		return whyNoTests
	}
	for _, c := range l.prog.Configs {
		if ok, err := c.build.MatchFile(f.PkgDir, filepath.Base(f.Name)); err == nil && ok {
			if f.Cgo && !c.build.CgoEnabled {
				return whyNoCgo
			}
			return whyUnlisted
		}
	}
	return whyFileName
}

// constraintOf returns the build constraint in the head of a source file, in
// //go:build syntax without the prefix, or "".
func constraintOf(src []byte) string {
	var plus []constraint.Expr
	for line := range bytes.Lines(src) {
		text := strings.TrimSpace(strings.TrimPrefix(string(line), "\ufeff"))
		switch {
		case strings.HasPrefix(text, "package "):
			return joinPlus(plus)
		case constraint.IsGoBuild(text):
			if x, err := constraint.Parse(text); err == nil {
				return x.String()
			}
			return strings.TrimPrefix(text, "//go:build ")
		case constraint.IsPlusBuild(text):
			if x, err := constraint.Parse(text); err == nil {
				plus = append(plus, x)
			}
		}
	}
	return joinPlus(plus)
}

// joinPlus combines // +build lines, all of which must hold.
func joinPlus(lines []constraint.Expr) string {
	if len(lines) == 0 {
		return ""
	}
	x := lines[0]
	for _, y := range lines[1:] {
		x = &constraint.AndExpr{X: x, Y: y}
	}
	return x.String()
}
