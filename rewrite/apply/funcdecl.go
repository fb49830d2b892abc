package apply

import (
	"fmt"

	"github.com/dave/dst"
	"github.com/dave/dst/decorator"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// funcs returns the functions among declarations for one place, in the order of the units, then by name.
func funcs(decls []*addedDecl) []*plan.Func {
	var list []*plan.Func
	for _, d := range inOrder(decls) {
		if fn, ok := d.Decl.(*plan.Func); ok {
			list = append(list, fn)
		}
	}
	return list
}

// textRefs returns the references in a text.
func textRefs(t plan.Text) []plan.Ref {
	var refs []plan.Ref
	for _, p := range t {
		if p.Ref != nil {
			refs = append(refs, *p.Ref)
		}
	}
	return refs
}

// funcDecl declares a function.
func funcDecl(fn *plan.Func, name namer) (dst.Decl, error) {
	text, err := typeText(fn.Source, name)
	if err != nil {
		return nil, err
	}
	file, err := decorator.Parse(fileHead + text)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", fn.Name, err)
	}
	if len(file.Decls) != 1 {
		return nil, fmt.Errorf("function %s is not one declaration", fn.Name)
	}
	d, ok := file.Decls[0].(*dst.FuncDecl)
	if !ok {
		return nil, fmt.Errorf("%s is not a function", fn.Name)
	}
	setDoc(d, fn.Doc)
	return d, nil
}
