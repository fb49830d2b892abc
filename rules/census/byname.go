package census

import (
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// CallsByName reports whether a program may call exported methods by names that its code does not spell: it, or a
// dependency, imports a template package of the standard library, or its own code picks methods by reflection.
func CallsByName(prog *program.Program) bool {
	for _, cfg := range prog.Configs {
		for _, p := range cfg.Packages {
			if p.Std() {
				continue
			}
			for _, imports := range []map[string]*program.Package{p.Imports, p.TestImports} {
				if imports["text/template"] != nil || imports["html/template"] != nil || imports["reflect"] != nil && p.World && picksMethods(p) {
					return true
				}
			}
		}
	}
	return false
}

// picksMethods reports whether a package asks reflection for a method.
func picksMethods(p *program.Package) bool {
	if p.Info == nil {
		return false
	}
	for _, obj := range p.Info.Uses {
		fn, ok := obj.(*types.Func)
		if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "reflect" {
			continue
		}
		if name := fn.Name(); name == "Method" || name == "MethodByName" {
			return true
		}
	}
	return false
}
