package plan

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A typeWriter writes types as a home package would.
type typeWriter struct {
	*draft
	home *home
	// structs allows struct types without a name.
	structs bool
	// tags are those of the struct types.
	tags []string
}

// typeText writes a type as the key's home would, or reports that it cannot.
func (kp *keyPlan) typeText(t types.Type) (Text, bool) {
	return (&typeWriter{draft: kp.draft, home: kp.home}).typeText(t)
}

// typeText writes a type as the home package would, or reports that it cannot: a type
// that is unexported elsewhere, local to a function, a type parameter, or declared in a package the
// home must not import.
func (tw *typeWriter) typeText(t types.Type) (Text, bool) {
	if !tw.nameable(t, map[types.Type]bool{}) {
		return nil, false
	}
	names := map[string]string{}
	const mark = "\x00"
	s := types.TypeString(t, func(p *types.Package) string {
		if p.Path() == tw.home.path {
			return ""
		}
		names[p.Path()] = p.Name()
		return mark + p.Path() + mark
	})
	for _, tag := range tw.tags {
		s = strings.ReplaceAll(s, strconv.Quote(tag), "`"+tag+"`")
	}
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
func (tw *typeWriter) nameable(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return true
	}
	seen[t] = true
	all := func(list ...types.Type) bool {
		for _, t := range list {
			if !tw.nameable(t, seen) {
				return false
			}
		}
		return true
	}
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() != types.UntypedNil && t.Kind() != types.Invalid && t.Kind() != types.UnsafePointer
	case *types.Alias:
		return tw.nameableObject(t.Obj()) && tw.nameableArgs(t.TypeArgs(), seen)
	case *types.Named:
		return tw.nameableObject(t.Obj()) && tw.nameableArgs(t.TypeArgs(), seen)
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
		return t.NumFields() == 0 || tw.structs && tw.nameableFields(t, seen)
	}
	return false
}

// nameableFields reports whether the home can write a struct type: each package has unexported fields of its own.
func (tw *typeWriter) nameableFields(t *types.Struct, seen map[types.Type]bool) bool {
	for i := range t.NumFields() {
		f := t.Field(i)
		if tag := t.Tag(i); tag != "" && strconv.CanBackquote(tag) {
			tw.tags = append(tw.tags, tag)
		}
		if !f.Exported() && f.Pkg().Path() != tw.home.path || !tw.nameable(f.Type(), seen) {
			return false
		}
	}
	return true
}

func (tw *typeWriter) nameableArgs(args *types.TypeList, seen map[types.Type]bool) bool {
	for i := range args.Len() {
		if !tw.nameable(args.At(i), seen) {
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
func (tw *typeWriter) nameableObject(obj *types.TypeName) bool {
	pkg := obj.Pkg()
	if pkg == nil {
		return true // error, comparable, any
	}
	if obj.Parent() != pkg.Scope() {
		return false
	}
	if pkg.Path() == tw.home.path {
		f := tw.prog.FileOf(obj.Pos())
		return f == nil || !f.Test && tw.everywhere(f)
	}
	if !ast.IsExported(obj.Name()) || pkg.Name() == "main" {
		return false
	}
	if f := tw.prog.FileOf(obj.Pos()); f != nil && f.World && !tw.everywhere(f) {
		return false // it is declared under a condition
	}
	from := tw.homeFile()
	if tw.graph.CanImport(from, pkg.Path()) != nil || tw.newInit(tw.graph, from, pkg.Path()) != nil {
		return false
	}
	tw.graph.Add(from, pkg.Path())
	return true
}

// homeFile is a file of the home package, for questions about imports: an ordinary one that every build contains if there is one, for
// which the answers are the strictest.
func (tw *typeWriter) homeFile() *program.File {
	if tw.home.pkg == nil || len(tw.home.pkg.Files) == 0 {
		return &program.File{PkgPath: tw.home.path, PkgDir: tw.home.dir, World: true}
	}
	best := tw.home.pkg.Files[0]
	for _, f := range tw.home.pkg.Files {
		if !f.Test && (best.Test || tw.fileCondition(best) != "" && tw.fileCondition(f) == "") {
			best = f
		}
	}
	return best
}
