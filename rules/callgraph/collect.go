package callgraph

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// collect makes a Func of every function type in the files of a configuration.
func (g *Graph) collect(cfg *program.Config) {
	for _, pkg := range cfg.Packages {
		if !pkg.World || pkg.Info == nil {
			continue
		}
		for _, file := range pkg.Files {
			if file.AST == nil {
				continue
			}
			c := &collector{g: g, pkg: pkg, file: file}
			for _, d := range file.AST.Decls {
				c.top = d
				c.visit(d, nil)
			}
		}
	}
}

// A collector goes through one file.
type collector struct {
	g    *Graph
	pkg  *program.Package
	file *program.File
	top  ast.Decl
}

// visit collects what lies in a node; outer is the function whose body that is.
func (c *collector) visit(root ast.Node, outer *Func) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			obj, _ := c.pkg.Info.Defs[n.Name].(*types.Func)
			f := c.add(n.Type, Declared, outer)
			f.Decl = n
			f.Name = declName(n)
			c.named(f, n.Name, obj)
			if n.Recv != nil {
				c.visit(n.Recv, outer)
			}
			c.inside(n.Type, outer)
			if n.Body != nil {
				c.visit(n.Body, f)
			}
			return false
		case *ast.FuncLit:
			f := c.add(n.Type, Literal, outer)
			f.Lit, f.Name = n, "a function literal"
			c.inside(n.Type, outer)
			c.visit(n.Body, f)
			return false
		case *ast.InterfaceType:
			c.methods(n, outer)
			return false
		case *ast.FuncType:
			f := c.add(n, Written, outer)
			f.Name = "a function type"
			c.inside(n, outer)
			return false
		case *ast.TypeSpec:
			if ft, ok := n.Type.(*ast.FuncType); ok {
				f := c.add(ft, Written, outer)
				f.Name = "type " + n.Name.Name
				c.inside(ft, outer)
				if n.TypeParams != nil {
					c.visit(n.TypeParams, outer)
				}
				return false
			}
			if it, ok := n.Type.(*ast.InterfaceType); ok {
				for _, m := range it.Methods.List {
					if ft, ok := m.Type.(*ast.FuncType); ok && len(m.Names) == 1 {
						c.add(ft, Abstract, outer).Name = n.Name.Name + "." + m.Names[0].Name
					}
				}
			}
		}
		return true
	})
}

// inside collects the function types among the parameters and results of one.
func (c *collector) inside(t *ast.FuncType, outer *Func) {
	for _, list := range []*ast.FieldList{t.TypeParams, t.Params, t.Results} {
		if list != nil {
			c.visit(list, outer)
		}
	}
}

func (c *collector) methods(t *ast.InterfaceType, outer *Func) {
	for _, m := range t.Methods.List {
		ft, ok := m.Type.(*ast.FuncType)
		if !ok || len(m.Names) != 1 {
			c.visit(m.Type, outer)
			continue
		}
		f := c.add(ft, Abstract, outer)
		f.Field = m
		if f.Name == "" {
			f.Name = m.Names[0].Name
		}
		obj, _ := c.pkg.Info.Defs[m.Names[0]].(*types.Func)
		c.named(f, m.Names[0], obj)
		c.inside(ft, outer)
	}
}

// add returns the Func of a function type in the syntax.
func (c *collector) add(t *ast.FuncType, kind Kind, outer *Func) *Func {
	if f := c.g.byType[t]; f != nil {
		return f
	}
	f := &Func{Kind: kind, File: c.file, Pkg: c.pkg, Type: t, Outer: outer, Top: c.top, seq: len(c.g.Funcs)}
	f.Signature, _ = c.pkg.Info.TypeOf(t).(*types.Signature)
	c.g.byType[t] = f
	c.g.Funcs = append(c.g.Funcs, f)
	if pos := firstParam(t); pos.IsValid() {
		c.g.byParam[pos] = f
	}
	return f
}

func (c *collector) named(f *Func, name *ast.Ident, obj *types.Func) {
	c.g.byPos[name.Pos()] = f
	if obj != nil && f.Object == nil {
		f.Object, f.Signature = obj, obj.Signature()
	}
}

// firstParam returns the position that the type checker gives the first parameter of a function type, or its first
// result when it has no parameters.
func firstParam(t *ast.FuncType) token.Pos {
	for _, list := range []*ast.FieldList{t.Params, t.Results} {
		if list == nil || len(list.List) == 0 {
			continue
		}
		f := list.List[0]
		if len(f.Names) > 0 {
			return f.Names[0].Pos()
		}
		if e, ok := f.Type.(*ast.Ellipsis); ok {
			return e.Elt.Pos()
		}
		return f.Type.Pos()
	}
	return token.NoPos
}

// declName writes a declared function's name, with its receiver.
func declName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	star := ""
	t := ast.Unparen(d.Recv.List[0].Type)
	if s, ok := t.(*ast.StarExpr); ok {
		star, t = "*", ast.Unparen(s.X)
	}
	switch x := t.(type) {
	case *ast.IndexExpr:
		t = x.X
	case *ast.IndexListExpr:
		t = x.X
	}
	id, ok := t.(*ast.Ident)
	switch {
	case !ok:
		return d.Name.Name
	case star != "":
		return "(*" + id.Name + ")." + d.Name.Name
	}
	return id.Name + "." + d.Name.Name
}
