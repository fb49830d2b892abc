package sharedkey

import (
	_ "embed"
	"fmt"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
)

//go:embed doc.go
var doc string

const name = "sharedkey"

// Rule reports context keys that other packages can spell as well.
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, k := range pass.Census.Keys {
		why := shared(k.GoType)
		if why == "" {
			continue
		}
		for _, s := range k.Sites {
			if !s.Pkg.World {
				continue
			}
			list = append(list, &rules.Finding{
				Rule:          name,
				Message:       fmt.Sprintf("%s; declare a type for the key: type myKey struct{}", why),
				File:          s.File,
				Pos:           s.Expr.Pos(),
				End:           s.Expr.End(),
				Key:           k.Name(),
				Applicability: rules.Manual,
				Status:        rules.NoFix,
			})
		}
	}
	return list
}

// shared says why a key of type t is not one package's own; "" when it is.
func shared(t types.Type) string {
	if t == nil {
		return ""
	}
	switch t := types.Unalias(t).(type) {
	case *types.Struct:
		if types.Comparable(t) && !holdsOwn(t) {
			return fmt.Sprintf("a context key of the unnamed type %s equals that of every package that writes the same", t)
		}
	case *types.Pointer:
		if st, ok := t.Elem().Underlying().(*types.Struct); ok && st.NumFields() == 0 {
			return "a context key that points to a value without size may equal any other such pointer"
		}
	}
	return ""
}

// holdsOwn reports whether a struct type has an unexported field or a field of a named type: those tie it
// to a package.
func holdsOwn(st *types.Struct) bool {
	for f := range st.Fields() {
		if !f.Exported() {
			return true
		}
		if _, named := types.Unalias(f.Type()).(*types.Named); named {
			return true
		}
	}
	return false
}
