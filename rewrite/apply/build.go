package apply

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/decorator"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// A namer returns how a package-level name is written at package level of a file.
type namer func(plan.Ref) (string, error)

// declText builds declarations for one place, separated by blank lines, with LF line
// ends and no final one.
func declText(decls []*addedDecl, name namer) (string, error) {
	keyTypes, consts, accessors := arrange(decls)
	var out []dst.Decl
	for _, t := range keyTypes {
		d, err := typeDecl(t)
		if err != nil {
			return "", blameDecl(decls, t, err)
		}
		out = append(out, d)
	}
	for _, block := range consts {
		d, err := constDecl(block, name)
		if err != nil {
			return "", err
		}
		out = append(out, d)
	}
	for _, t := range structs(decls) {
		d, err := structDecl(t, name)
		if err != nil {
			return "", blameDecl(decls, t, err)
		}
		out = append(out, d)
	}
	for _, a := range accessors {
		d, err := accessorDecl(a, name)
		if err != nil {
			return "", blameDecl(decls, a, err)
		}
		out = append(out, d)
	}
	for _, fn := range funcs(decls) {
		d, err := funcDecl(fn, name)
		if err != nil {
			return "", blameDecl(decls, fn, err)
		}
		out = append(out, d)
	}
	return printDecls(out)
}

// blameDecl makes the units that want a declaration responsible for an error.
func blameDecl(decls []*addedDecl, d plan.Decl, err error) error {
	for _, a := range decls {
		if a.Decl == d {
			return &unitsError{a.units, fmt.Errorf("%s: %w", a.ID, err)}
		}
	}
	return err
}

const fileHead = "package p\n"

// printDecls prints declarations as gofmt prints them.
func printDecls(decls []dst.Decl) (string, error) {
	for _, d := range decls {
		d.Decorations().Before = dst.EmptyLine
		d.Decorations().After = dst.EmptyLine
	}
	var buf bytes.Buffer
	file := &dst.File{Name: dst.NewIdent("p"), Decls: decls}
	if err := decorator.NewRestorer().Fprint(&buf, file); err != nil {
		return "", err
	}
	src, err := format.Source(buf.Bytes())
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(strings.TrimPrefix(string(src), fileHead)), nil
}

// setDoc gives a declaration or spec its doc comment.
func setDoc(n dst.Node, doc string) {
	doc = strings.TrimRight(doc, "\n ")
	if doc == "" {
		return
	}
	for _, line := range strings.Split(doc, "\n") {
		text := "//"
		if line = strings.TrimRight(line, " \r"); line != "" {
			text = "// " + line
			if strings.HasPrefix(line, "\t") {
				text = "//" + line
			}
		}
		n.Decorations().Start.Append(text)
	}
}

func typeDecl(t *plan.KeyType) (dst.Decl, error) {
	underlying, err := parseType(t.Underlying)
	if err != nil {
		return nil, err
	}
	d := &dst.GenDecl{Tok: token.TYPE, Specs: []dst.Spec{&dst.TypeSpec{Name: dst.NewIdent(t.Name), Type: underlying}}}
	setDoc(d, t.Doc)
	return d, nil
}

// constDecl declares constants of one type: a block, or a single one without parentheses. Where they count there is room for more.
func constDecl(block []*plan.KeyConst, name namer) (dst.Decl, error) {
	list := len(block) > 1 || block[0].Enum
	d := &dst.GenDecl{Tok: token.CONST, Lparen: list, Rparen: list}
	for i, c := range block {
		spec, err := constSpec(c, name, i > 0)
		if err != nil {
			return nil, err
		}
		if !list {
			setDoc(d, c.Doc)
		} else {
			setDoc(spec, c.Doc)
		}
		d.Specs = append(d.Specs, spec)
	}
	return d, nil
}

// constSpec declares one constant; follows is set when others stand before it in the block.
func constSpec(c *plan.KeyConst, name namer, follows bool) (*dst.ValueSpec, error) {
	if c.Enum && follows {
		spec := &dst.ValueSpec{Names: []*dst.Ident{dst.NewIdent(c.Name)}}
		spec.Decs.Before = dst.NewLine
		spec.Decs.After = dst.NewLine
		return spec, nil
	}
	var t dst.Expr
	if c.Type != (plan.Ref{}) {
		var err error
		if t, err = refExpr(c.Type, name); err != nil {
			return nil, err
		}
	}
	value, err := parseExpr(c.Value)
	if err != nil {
		return nil, fmt.Errorf("value of %s: %w", c.Name, err)
	}
	spec := &dst.ValueSpec{Names: []*dst.Ident{dst.NewIdent(c.Name)}, Type: t, Values: []dst.Expr{value}}
	spec.Decs.Before = dst.NewLine
	spec.Decs.After = dst.NewLine
	return spec, nil
}

// rebuildBlock returns the text of a const block with constants added at its end.
func rebuildBlock(old string, consts []*plan.KeyConst, name namer) (string, error) {
	file, err := decorator.NewDecorator(token.NewFileSet()).Parse(fileHead + "\n" + strings.ReplaceAll(old, "\r\n", "\n") + "\n")
	if err != nil {
		return "", err
	}
	block, ok := file.Decls[0].(*dst.GenDecl)
	if !ok || len(file.Decls) != 1 {
		return "", errors.New("not a declaration by itself")
	}
	for _, c := range consts {
		spec, err := constSpec(c, name, true)
		if err != nil {
			return "", err
		}
		setDoc(spec, c.Doc)
		block.Specs = append(block.Specs, spec)
	}
	return printDecls([]dst.Decl{block})
}

// parseType parses a type in Go syntax.
func parseType(src string) (dst.Expr, error) {
	file, err := decorator.Parse(fileHead + "\nvar _ " + src + "\n")
	if err != nil {
		return nil, fmt.Errorf("%q is not a type: %w", src, err)
	}
	if len(file.Decls) == 1 {
		if g, ok := file.Decls[0].(*dst.GenDecl); ok && len(g.Specs) == 1 {
			if vs, ok := g.Specs[0].(*dst.ValueSpec); ok && vs.Type != nil && len(vs.Values) == 0 && len(vs.Names) == 1 {
				return dst.Clone(vs.Type).(dst.Expr), nil
			}
		}
	}
	return nil, fmt.Errorf("%q is not a type", src)
}

// parseExpr parses an expression in Go syntax.
func parseExpr(src string) (dst.Expr, error) {
	file, err := decorator.Parse(fileHead + "\nvar _ = " + src + "\n")
	if err != nil {
		return nil, fmt.Errorf("%q is not an expression: %w", src, err)
	}
	if len(file.Decls) == 1 {
		if g, ok := file.Decls[0].(*dst.GenDecl); ok && len(g.Specs) == 1 {
			if vs, ok := g.Specs[0].(*dst.ValueSpec); ok && len(vs.Values) == 1 {
				return dst.Clone(vs.Values[0]).(dst.Expr), nil
			}
		}
	}
	return nil, fmt.Errorf("%q is not an expression", src)
}

// refExpr returns a reference as an expression.
func refExpr(r plan.Ref, name namer) (dst.Expr, error) {
	s, err := name(r)
	if err != nil {
		return nil, err
	}
	return nameExpr(s), nil
}

// nameExpr makes an identifier or a qualified one.
func nameExpr(s string) dst.Expr {
	if pkg, sel, ok := strings.Cut(s, "."); ok {
		return &dst.SelectorExpr{X: dst.NewIdent(pkg), Sel: dst.NewIdent(sel)}
	}
	return dst.NewIdent(s)
}

// An accessorNames is how an accessor writes what it refers to.
type accessorNames struct {
	context, withValue string // context.Context, context.WithValue
	key                string
	old                string // the key that is written and read as well, "" for none
	value              string // the value's type
	ctx, param         string // parameters
}

// accessorDecl builds an accessor function.
func accessorDecl(a *plan.Accessor, name namer) (dst.Decl, error) {
	n, err := nameAccessor(a, name)
	if err != nil {
		return nil, err
	}
	params := []*dst.Field{{Names: []*dst.Ident{dst.NewIdent(n.ctx)}, Type: nameExpr(n.context)}}
	value := func() dst.Expr { return mustParse(n.value) }
	var results []*dst.Field
	var body []dst.Stmt
	switch a.Kind {
	case plan.With:
		params = append(params, &dst.Field{Names: []*dst.Ident{dst.NewIdent(n.param)}, Type: value()})
		results = []*dst.Field{{Type: nameExpr(n.context)}}
		store := func(key dst.Expr) dst.Expr {
			return &dst.CallExpr{Fun: nameExpr(n.withValue), Args: []dst.Expr{dst.NewIdent(n.ctx), key, dst.NewIdent(n.param)}}
		}
		body = []dst.Stmt{&dst.ReturnStmt{Results: []dst.Expr{store(keyExpr(a, n))}}}
		if a.Old != nil {
			body = []dst.Stmt{
				&dst.AssignStmt{Lhs: []dst.Expr{dst.NewIdent(n.ctx)}, Tok: token.ASSIGN, Rhs: []dst.Expr{store(keyExpr(a, n))}},
				&dst.ReturnStmt{Results: []dst.Expr{store(n.oldKey())}},
			}
		}
	case plan.From:
		results = []*dst.Field{{Type: value()}, {Type: dst.NewIdent("bool")}}
		body = []dst.Stmt{
			&dst.AssignStmt{
				Lhs: []dst.Expr{dst.NewIdent("v"), dst.NewIdent("ok")}, Tok: token.DEFINE,
				Rhs: []dst.Expr{&dst.TypeAssertExpr{X: lastRead(a, n), Type: value()}},
			},
			&dst.ReturnStmt{Results: []dst.Expr{dst.NewIdent("v"), dst.NewIdent("ok")}},
		}
	case plan.Must:
		results = []*dst.Field{{Type: value()}}
		body = []dst.Stmt{&dst.ReturnStmt{Results: []dst.Expr{&dst.TypeAssertExpr{X: lastRead(a, n), Type: value()}}}}
	case plan.Any:
		results = []*dst.Field{{Type: mustParse(emptyInterface(a))}}
		body = []dst.Stmt{&dst.ReturnStmt{Results: []dst.Expr{lastRead(a, n)}}}
	default:
		return nil, fmt.Errorf("unknown kind of accessor %d", a.Kind)
	}
	if a.Old != nil && a.Kind != plan.With {
		body = append([]dst.Stmt{newFirst(a, n, value)}, body...)
	}
	for _, s := range body {
		s.Decorations().Before = dst.NewLine
		s.Decorations().After = dst.NewLine
	}
	d := &dst.FuncDecl{
		Name: dst.NewIdent(a.Name),
		Type: &dst.FuncType{Params: &dst.FieldList{List: params}, Results: &dst.FieldList{List: results}},
		Body: &dst.BlockStmt{List: body},
	}
	setDoc(d, a.Doc)
	return d, nil
}

// mustParse parses a type that nameAccessor parsed before.
func mustParse(src string) dst.Expr {
	t, err := parseType(src)
	if err != nil {
		panic(err)
	}
	return t
}

// keyExpr is the key as an expression.
func keyExpr(a *plan.Accessor, n *accessorNames) dst.Expr {
	if a.Struct {
		return &dst.CompositeLit{Type: nameExpr(n.key)}
	}
	return nameExpr(n.key)
}

// readExpr is ctx.Value(key).
func readExpr(a *plan.Accessor, n *accessorNames) dst.Expr {
	return &dst.CallExpr{
		Fun:  &dst.SelectorExpr{X: dst.NewIdent(n.ctx), Sel: dst.NewIdent("Value")},
		Args: []dst.Expr{keyExpr(a, n)},
	}
}

// lastRead is the look-up that decides: of the old key where there is one.
func lastRead(a *plan.Accessor, n *accessorNames) dst.Expr {
	if a.Old == nil {
		return readExpr(a, n)
	}
	return &dst.CallExpr{
		Fun:  &dst.SelectorExpr{X: dst.NewIdent(n.ctx), Sel: dst.NewIdent("Value")},
		Args: []dst.Expr{n.oldKey()},
	}
}

// newFirst returns what is found under the new key.
func newFirst(a *plan.Accessor, n *accessorNames, value func() dst.Expr) dst.Stmt {
	v, ok := dst.NewIdent("v"), dst.NewIdent("ok")
	guard := &dst.IfStmt{
		Init: &dst.AssignStmt{Lhs: []dst.Expr{v, ok}, Tok: token.DEFINE, Rhs: []dst.Expr{&dst.TypeAssertExpr{X: readExpr(a, n), Type: value()}}},
		Cond: dst.NewIdent("ok"),
	}
	results := []dst.Expr{dst.NewIdent("v")}
	switch a.Kind {
	case plan.From:
		results = append(results, dst.NewIdent("true"))
	case plan.Any:
		guard.Init = &dst.AssignStmt{Lhs: []dst.Expr{v}, Tok: token.DEFINE, Rhs: []dst.Expr{readExpr(a, n)}}
		guard.Cond = &dst.BinaryExpr{X: dst.NewIdent("v"), Op: token.NEQ, Y: dst.NewIdent("nil")}
	}
	guard.Body = &dst.BlockStmt{List: []dst.Stmt{&dst.ReturnStmt{Results: results}}}
	return guard
}

// emptyInterface is how the accessor's package writes the type of any value.
func emptyInterface(a *plan.Accessor) string {
	if a.NoAny {
		return "interface{}"
	}
	return "any"
}

// nameAccessor resolves an accessor's references and names its parameters so that they
// hide nothing the body needs.
func nameAccessor(a *plan.Accessor, name namer) (*accessorNames, error) {
	n := &accessorNames{value: emptyInterface(a)}
	var err error
	if n.context, err = name(contextRef("Context")); err != nil {
		return nil, err
	}
	if n.key, err = name(a.Key); err != nil {
		return nil, err
	}
	needed := map[string]bool{root(n.key): true}
	if a.Old != nil {
		if n.old, err = typeText(a.Old, name); err != nil {
			return nil, err
		}
		needed[root(n.old)] = true
		if a.Kind == plan.From {
			needed["true"] = true
		}
	}
	if a.Kind == plan.With {
		if n.withValue, err = name(contextRef("WithValue")); err != nil {
			return nil, err
		}
		needed[root(n.withValue)] = true
	}
	if a.Value != nil {
		if n.value, err = typeText(a.Value, name); err != nil {
			return nil, err
		}
		roots, err := typeRoots(n.value)
		if err != nil {
			return nil, err
		}
		if a.Kind != plan.With { // With needs the type outside its body only
			for _, r := range roots {
				needed[r] = true
			}
		}
	}
	pick := func(tries ...string) string {
		for i := 2; ; i++ {
			for _, t := range tries {
				if validName(t) && !needed[t] {
					needed[t] = true
					return t
				}
			}
			tries = append(tries, fmt.Sprintf("%s%d", tries[0], i))
		}
	}
	n.ctx = pick("ctx", "c", "parent")
	if a.Kind == plan.With {
		param := a.Param
		if !validName(param) {
			param = "v"
		}
		n.param = pick(param, "v", "value")
	}
	return n, nil
}

// root returns the identifier that a written name starts with.
func root(s string) string {
	first, _, _ := strings.Cut(s, ".")
	return first
}

// typeText writes a type with its references resolved.
func typeText(t plan.Text, name namer) (string, error) {
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.Ref != nil:
			s, err := name(*p.Ref)
			if err != nil {
				return "", err
			}
			b.WriteString(s)
		case isKeep(p):
			return "", errors.New("the type of an accessor's value cannot copy text of a file")
		default:
			b.WriteString(p.Lit)
		}
	}
	return b.String(), nil
}

// typeRoots returns the identifiers of a type that scopes give a meaning; it is an error if
// src is no type.
func typeRoots(src string) ([]string, error) {
	if _, err := parseType(src); err != nil {
		return nil, err
	}
	e, err := parser.ParseExpr(src)
	if err != nil {
		return nil, fmt.Errorf("%q is not a type: %w", src, err)
	}
	var roots []string
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok {
				roots = append(roots, id.Name)
			}
			return false
		case *ast.Ident:
			roots = append(roots, n.Name)
		}
		return true
	})
	return roots, nil
}

// oldKey is the old key as an expression.
func (n *accessorNames) oldKey() dst.Expr {
	e, err := parseExpr(n.old)
	if err != nil {
		panic(err) // it is a literal or a name
	}
	return e
}
