// Package verify type-checks a rewritten world in memory before a byte of it is shown or written.
package verify

import (
	"context"
	"fmt"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A Problem is an error that the rewritten world has and the loaded one had not.
type Problem struct {
	Config *program.Config
	Path   string
	Error  program.Error
	// Unlinks is set for code that would no longer run when a program starts; the package type-checks.
	Unlinks *program.Startup
}

func (p *Problem) String() string { return fmt.Sprintf("%s: %s", p.Path, p.Error.Msg) }

// Check type-checks every package that the patch set touches and every package of the
// world that imports one of them, in all configurations, and returns the new errors, in
// the order of configurations, packages and positions. Errors that were there before do not count. Then come
// packages with code that runs when a program starts and that programs would no longer contain.
func Check(ctx context.Context, prog *program.Program, set *patches.Set) ([]*Problem, error) {
	overlay := map[string][]byte{}
	for _, f := range set.Files {
		overlay[f.Name] = f.New
	}
	if len(overlay) == 0 {
		return nil, nil
	}
	checked, err := prog.Recheck(ctx, overlay)
	if err != nil {
		return nil, err
	}
	var list []*Problem
	for _, rc := range checked {
		known := map[known]int{}
		if rc.Package != nil {
			for _, e := range rc.Package.Errors {
				known[key(e)]++
			}
		}
		for _, e := range rc.Errors {
			if k := key(e); known[k] > 0 {
				known[k]--
				continue
			}
			list = append(list, &Problem{Config: rc.Config, Path: rc.Path, Error: e})
		}
	}
	for _, cfg := range prog.Configs {
		list = append(list, unlinked(prog, cfg, checked)...)
	}
	return list, nil
}

// known identifies an error across edits, which move lines.
type known struct{ file, msg string }

func key(e program.Error) known { return known{e.Pos.Filename, e.Msg} }
