package apply

import (
	"fmt"
	"go/token"

	"github.com/dave/dst"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// structs returns the struct types among declarations for one place, in the order of the units, then by name.
func structs(decls []*addedDecl) []*plan.Struct {
	var list []*plan.Struct
	for _, d := range inOrder(decls) {
		if s, ok := d.Decl.(*plan.Struct); ok {
			list = append(list, s)
		}
	}
	return list
}

// structRefs returns the references in the types of a struct's fields.
func structRefs(s *plan.Struct) []plan.Ref {
	var refs []plan.Ref
	for _, f := range s.Fields {
		refs = append(refs, textRefs(f.Type)...)
	}
	return refs
}

// structDecl declares a struct type.
func structDecl(s *plan.Struct, name namer) (dst.Decl, error) {
	list := &dst.FieldList{Opening: true, Closing: true}
	for _, f := range s.Fields {
		text, err := typeText(f.Type, name)
		if err != nil {
			return nil, err
		}
		t, err := parseType(text)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		field := &dst.Field{Names: []*dst.Ident{dst.NewIdent(f.Name)}, Type: t}
		field.Decs.Before = dst.NewLine
		field.Decs.After = dst.NewLine
		list.List = append(list.List, field)
	}
	d := &dst.GenDecl{Tok: token.TYPE, Specs: []dst.Spec{&dst.TypeSpec{Name: dst.NewIdent(s.Name), Type: &dst.StructType{Fields: list}}}}
	setDoc(d, s.Doc)
	return d, nil
}
