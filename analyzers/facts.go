package analyzers

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// forwards is the fact of a function that passes parameters on as context keys: what its callers give it are keys.
type forwards struct{ Params []program.Forward }

// AFact marks a fact.
func (*forwards) AFact() {}

func (f *forwards) String() string {
	var words []string
	for _, p := range f.Params {
		word := "reads"
		if p.Writes {
			word = "writes"
		}
		words = append(words, fmt.Sprintf("%s parameter %d as a key", word, p.Param))
	}
	return strings.Join(words, ", ")
}

// keys is the fact of a package that uses context keys which others could name: those of built-in type.
type keys struct{ Uses []keyUse }

// AFact marks a fact.
func (*keys) AFact() {}

func (k *keys) String() string {
	var words []string
	for _, u := range k.Uses {
		words = append(words, u.what()+" "+u.Key)
	}
	return "keys: " + strings.Join(words, ", ")
}

// A keyUse says that a package writes or reads a key.
type keyUse struct {
	// Key is the key's type and constant, as [keyName] has it.
	Key    string
	Writes bool
	// Pkg is the path of the package.
	Pkg string
}

func (u keyUse) what() string {
	if u.Writes {
		return "writes"
	}
	return "reads"
}

// keyName names a key of built-in type.
func keyName(k *census.Key) string { return k.Type + " " + k.Value }

// takes is the fact of a function that keeps contexts which it is given, or only looks values up in them.
type takes struct{ program.Taken }

// AFact marks a fact.
func (*takes) AFact() {}

func (t *takes) String() string {
	return fmt.Sprintf("keeps contexts %v, looks into %v", t.Keeps, t.Looks)
}

// exportTaken notes for importers what the functions of a package of the main modules do with contexts: of others the
// whole program would know no more.
func exportTaken(pass *analysis.Pass, known *supply.Supply) {
	if pass.Module == nil || pass.Module.Version != "" {
		return
	}
	for _, file := range pass.Files {
		for _, d := range file.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			fn, ok := pass.TypesInfo.Defs[fd.Name].(*types.Func)
			if !ok || !visible(fn) || fn.Name() == "_" {
				continue
			}
			if t := known.Taken(fn); len(t.Keeps)+len(t.Looks) > 0 {
				pass.ExportObjectFact(fn, &takes{t})
			}
		}
	}
}

// exportKeys notes for importers what the package does with keys.
func exportKeys(pass *analysis.Pass, c *census.Census) {
	for fn, params := range c.Forwards() {
		if fn.Pkg() == pass.Pkg && visible(fn) {
			pass.ExportObjectFact(fn, &forwards{params})
		}
	}
	own := new(keys)
	for _, k := range c.Keys {
		if k.Basic == nil {
			continue
		}
		for _, s := range k.Sites {
			if s.Pkg.World && !s.File.Test {
				own.Uses = append(own.Uses, keyUse{keyName(k), s.Role == census.Writer, plainPath(pass.Pkg.Path())})
			}
		}
	}
	slices.SortFunc(own.Uses, func(x, y keyUse) int { return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.what(), y.what())) })
	if own.Uses = slices.Compact(own.Uses); len(own.Uses) > 0 {
		pass.ExportPackageFact(own)
	}
}

// visible reports whether importers can call a function: it is declared at package level, or a method.
func visible(fn *types.Func) bool {
	return fn.Signature().Recv() != nil || fn.Parent() == fn.Pkg().Scope()
}

// known tells what facts say of functions of other packages.
func known(pass *analysis.Pass) program.Known {
	return program.Known{
		Forwards: func(fn *types.Func) []program.Forward {
			f := new(forwards)
			if fn.Pkg() == nil || fn.Pkg() == pass.Pkg || !pass.ImportObjectFact(fn.Origin(), f) {
				return nil
			}
			return f.Params
		},
		Taken: func(fn *types.Func) program.Taken {
			t := new(takes)
			if fn.Pkg() != nil && fn.Pkg() != pass.Pkg {
				pass.ImportObjectFact(fn.Origin(), t)
			}
			return t.Taken
		},
	}
}

// usesElsewhere gathers what the packages that this one imports, directly or not, do with keys.
func usesElsewhere(pass *analysis.Pass) map[string][]keyUse {
	byKey := map[string][]keyUse{}
	for _, f := range pass.AllPackageFacts() {
		if k, ok := f.Fact.(*keys); ok && f.Package != pass.Pkg {
			for _, u := range k.Uses {
				byKey[u.Key] = append(byKey[u.Key], u)
			}
		}
	}
	for _, list := range byKey {
		slices.SortFunc(list, func(x, y keyUse) int { return cmp.Or(cmp.Compare(x.Pkg, y.Pkg), cmp.Compare(x.what(), y.what())) })
	}
	return byKey
}
