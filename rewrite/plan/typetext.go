package plan

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// typeText writes a type as the home package would, or reports that it cannot: a type
// that is unexported elsewhere, local to a function, a type parameter, or declared in a package the
// home must not import.
func (kp *keyPlan) typeText(t types.Type) (Text, bool) {
	if !kp.nameable(t, map[types.Type]bool{}) {
		return nil, false
	}
	names := map[string]string{}
	const mark = "\x00"
	s := types.TypeString(t, func(p *types.Package) string {
		if p.Path() == kp.home.path {
			return ""
		}
		names[p.Path()] = p.Name()
		return mark + p.Path() + mark
	})
	var text Text
	for s != "" {
		before, rest, found := strings.Cut(s, mark)
		if before != "" {
			text = append(text, Lit(before))
		}
		if !found {
			break
		}
		pkgPath, rest, _ := strings.Cut(rest, mark)
		rest = strings.TrimPrefix(rest, ".")
		end := 0
		for end < len(rest) && identByte(rest[end]) {
			end++
		}
		text = append(text, Name(pkgPath, names[pkgPath], rest[:end]))
		s = rest[end:]
	}
	return text, true
}

func identByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// nameable reports whether the home package can write the type.
func (kp *keyPlan) nameable(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return true
	}
	seen[t] = true
	all := func(list ...types.Type) bool {
		for _, t := range list {
			if !kp.nameable(t, seen) {
				return false
			}
		}
		return true
	}
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() != types.UntypedNil && t.Kind() != types.Invalid && t.Kind() != types.UnsafePointer
	case *types.Alias:
		return kp.nameableObject(t.Obj()) && kp.nameableArgs(t.TypeArgs(), seen)
	case *types.Named:
		return kp.nameableObject(t.Obj()) && kp.nameableArgs(t.TypeArgs(), seen)
	case *types.Pointer:
		return all(t.Elem())
	case *types.Slice:
		return all(t.Elem())
	case *types.Array:
		return all(t.Elem())
	case *types.Chan:
		return all(t.Elem())
	case *types.Map:
		return all(t.Key(), t.Elem())
	case *types.Signature:
		return t.TypeParams().Len() == 0 && all(tupleTypes(t.Params())...) && all(tupleTypes(t.Results())...)
	case *types.Interface:
		return t.Empty() && !t.IsComparable()
	case *types.Struct:
		return t.NumFields() == 0
	}
	return false
}

func (kp *keyPlan) nameableArgs(args *types.TypeList, seen map[types.Type]bool) bool {
	for i := range args.Len() {
		if !kp.nameable(args.At(i), seen) {
			return false
		}
	}
	return true
}

func tupleTypes(t *types.Tuple) []types.Type {
	var list []types.Type
	for i := range t.Len() {
		list = append(list, t.At(i).Type())
	}
	return list
}

// nameableObject reports whether the home can refer to a type name.
func (kp *keyPlan) nameableObject(obj *types.TypeName) bool {
	pkg := obj.Pkg()
	if pkg == nil {
		return true // error, comparable, any
	}
	if obj.Parent() != pkg.Scope() {
		return false
	}
	if pkg.Path() == kp.home.path {
		f := kp.prog.FileOf(obj.Pos())
		return f == nil || !f.Test
	}
	if !ast.IsExported(obj.Name()) || pkg.Name() == "main" {
		return false
	}
	from := kp.homeFile()
	if kp.graph.CanImport(from, pkg.Path()) != nil || kp.newInit(kp.graph, from, pkg.Path()) != nil {
		return false
	}
	kp.graph.Add(from, pkg.Path())
	return true
}

// homeFile is a file of the home package, for questions about imports.
func (kp *keyPlan) homeFile() *program.File {
	if kp.home.pkg != nil {
		for _, f := range kp.home.pkg.Files {
			if !f.Test {
				return f
			}
		}
		if len(kp.home.pkg.Files) > 0 {
			return kp.home.pkg.Files[0]
		}
	}
	return &program.File{PkgPath: kp.home.path, PkgDir: kp.home.dir, World: true}
}
