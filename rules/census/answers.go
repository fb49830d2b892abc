package census

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// answersAny returns a place where a Value method, or what it hands the key to, may answer a key that it does not look up: a
// value that does not depend on the key, or one that comes from code that cannot be followed. Test doubles are of this kind.
func (st *foundStore) answersAny(ix *index, pkg *program.Package, decl *ast.FuncDecl, key *types.Var) *Unknown {
	for _, d := range st.Differences {
		if d.Basic == nil {
			return &Unknown{File: d.File, Pos: d.Pos, Why: "the Value method of %s " + d.How}
		}
	}
	a := &answers{ix: ix, pkg: pkg, st: st, derived: map[types.Object]bool{key: true}}
	a.derive(decl.Body)
	pos := token.NoPos
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if !pos.IsValid() && a.free(n, decl.Body) {
				pos = n.Pos()
			}
		}
		return true
	})
	if !pos.IsValid() {
		return nil
	}
	return &Unknown{File: st.File, Pos: pos, Why: "the Value method of %s answers keys without looking at them"}
}

// answers reads the return statements of one Value method.
type answers struct {
	ix  *index
	pkg *program.Package
	st  *foundStore
	// derived are the key and the variables made with it.
	derived map[types.Object]bool
}

// derive collects the variables that are assigned something made with the key.
func (a *answers) derive(body *ast.BlockStmt) {
	for more := true; more; {
		more = false
		ast.Inspect(body, func(n ast.Node) bool {
			var lhs []ast.Expr
			var rhs ast.Node
			switch n := n.(type) {
			case *ast.AssignStmt:
				lhs = n.Lhs
				for _, x := range n.Rhs {
					if a.mentions(x) {
						rhs = x
					}
				}
			case *ast.RangeStmt:
				lhs, rhs = []ast.Expr{n.Key, n.Value}, n.X
			}
			if rhs == nil || !a.mentions(rhs) {
				return true
			}
			for _, x := range lhs {
				id, ok := x.(*ast.Ident)
				if !ok {
					continue
				}
				if obj := a.pkg.Info.ObjectOf(id); obj != nil && !a.derived[obj] {
					a.derived[obj], more = true, true
				}
			}
			return true
		})
	}
}

// mentions reports whether a node names the key or what is made with it.
func (a *answers) mentions(n ast.Node) bool {
	found := false
	if n == nil {
		return false
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && a.derived[a.pkg.Info.ObjectOf(id)] && a.pkg.Info.ObjectOf(id) != nil {
			found = true
		}
		return !found
	})
	return found
}

// free reports whether a statement returns something that does not depend on the key: neither the result, nor a condition
// around the statement mentions it.
func (a *answers) free(ret *ast.ReturnStmt, body *ast.BlockStmt) bool {
	if len(ret.Results) != 1 || a.pkg.Info.Types[ret.Results[0]].IsNil() || a.mentions(ret.Results[0]) {
		return false
	}
	for n := ast.Node(ret); n != nil && n != ast.Node(body); n = a.ix.parent(a.st.File, n) {
		switch s := a.ix.parent(a.st.File, n).(type) {
		case *ast.IfStmt:
			if n != ast.Node(s.Else) && (a.mentions(s.Cond) || s.Init != nil && a.mentions(s.Init)) {
				return false
			}
		case *ast.CaseClause:
			sw := a.ix.parent(a.st.File, a.ix.parent(a.st.File, s))
			if len(s.List) > 0 && a.switches(sw, s) {
				return false
			}
		}
	}
	return true
}

// switches reports whether a switch is about the key.
func (a *answers) switches(sw ast.Node, clause *ast.CaseClause) bool {
	switch sw := sw.(type) {
	case *ast.SwitchStmt:
		if sw.Tag != nil {
			return a.mentions(sw.Tag)
		}
		for _, e := range clause.List {
			if a.mentions(e) {
				return true
			}
		}
	case *ast.TypeSwitchStmt:
		return a.mentions(sw.Assign)
	}
	return false
}
