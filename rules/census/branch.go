package census

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A branchReader reads the code that runs only for keys of one built-in type. It must do
// nothing but look the key up and return what is found; else an absent key of that type
// fares otherwise than one of another type.
type branchReader struct {
	r     *valueReader
	pkg   *program.Package
	file  *program.File
	basic *types.Basic
	// key is the key as a value of the built-in type, nil when it has no name.
	key *types.Var
}

func (b *branchReader) differ(pos token.Pos, how string) { b.r.differ(b.file, pos, b.basic, how) }

func (b *branchReader) own(pos token.Pos) {
	b.differ(pos, "treats keys of type "+b.basic.Name()+" in a way of its own")
}

// okUse reads one use of the ok of s, ok := key.(string).
func (b *branchReader) okUse(id *ast.Ident) {
	ix := b.r.sf.ix
	parent, child := ix.outer(b.file, id)
	if un, ok := parent.(*ast.UnaryExpr); ok && un.Op == token.NOT {
		parent, child = ix.outer(b.file, un)
		ifs, ok := parent.(*ast.IfStmt)
		if !ok || ast.Node(ifs.Cond) != child || ifs.Else != nil || len(ifs.Body.List) != 1 || !b.passesOn(ifs.Body.List[0]) {
			b.own(id.Pos())
			return
		}
		b.block(b.after(ifs))
		return
	}
	found := false
	for {
		bin, ok := parent.(*ast.BinaryExpr)
		if !ok {
			break
		}
		other := bin.Y
		if ast.Node(other) == child {
			other = bin.X
		}
		if bin.Op != token.LAND {
			b.own(id.Pos())
			return
		}
		found = found || b.finds(other, nil)
		parent, child = ix.outer(b.file, bin)
	}
	ifs, ok := parent.(*ast.IfStmt)
	if !ok || ast.Node(ifs.Cond) != child {
		b.own(id.Pos())
		return
	}
	if !found {
		b.block(ifs.Body.List)
	}
	if block, ok := ifs.Else.(*ast.BlockStmt); ok {
		if len(block.List) != 1 || !b.passesOn(block.List[0]) {
			b.own(block.Pos())
		}
	} else if ifs.Else != nil {
		b.own(ifs.Else.Pos())
	}
}

// after returns the statements that follow s in its block.
func (b *branchReader) after(s ast.Stmt) []ast.Stmt {
	var list []ast.Stmt
	switch p := b.r.sf.ix.parent(b.file, s).(type) {
	case *ast.BlockStmt:
		list = p.List
	case *ast.CaseClause:
		list = p.Body
	}
	for i, have := range list {
		if have == s {
			return list[i+1:]
		}
	}
	return nil
}

// block reads statements that run for keys of the built-in type only.
func (b *branchReader) block(list []ast.Stmt) {
	looked := map[types.Object]bool{}
	for _, s := range list {
		b.stmt(s, looked)
	}
}

// stmt reads one statement. looked holds the variables that hold the outcome of a look-up.
func (b *branchReader) stmt(s ast.Stmt, looked map[types.Object]bool) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		b.assign(s, looked)
	case *ast.DeclStmt, *ast.EmptyStmt:
	case *ast.BlockStmt:
		for _, s := range s.List {
			b.stmt(s, looked)
		}
	case *ast.IfStmt:
		b.ifStmt(s, looked)
	case *ast.SwitchStmt:
		b.switchStmt(s)
	case *ast.RangeStmt:
		for _, s := range s.Body.List {
			b.stmt(s, looked)
		}
	case *ast.ReturnStmt:
		if !b.passesOn(s) && !b.returnsLooked(s, looked) {
			b.differ(s.Pos(), "answers every key of type "+b.basic.Name()+" without asking the parent context")
		}
	case *ast.ExprStmt:
		b.effect(s.X)
	case *ast.DeferStmt:
		b.effect(s.Call)
	default:
		b.own(s.Pos())
	}
}

// passesOn reports whether a statement returns what another context answers, or, in a helper,
// that nothing was found.
func (b *branchReader) passesOn(s ast.Stmt) bool {
	ret, ok := s.(*ast.ReturnStmt)
	if !ok {
		return false
	}
	if delegates(b.pkg, ret) {
		return true
	}
	if !b.r.helper || len(ret.Results) == 0 {
		return false
	}
	for _, e := range ret.Results {
		if !b.nothing(e) {
			return false
		}
	}
	return true
}

// nothing reports whether an expression is nil or false.
func (b *branchReader) nothing(e ast.Expr) bool {
	tv := b.pkg.Info.Types[e]
	return tv.IsNil() || tv.Value != nil && tv.Value.Kind() == constant.Bool && !constant.BoolVal(tv.Value)
}

// returnsLooked reports whether a helper's return gives exactly what a look-up found: for an absent key
// that is nothing.
func (b *branchReader) returnsLooked(ret *ast.ReturnStmt, looked map[types.Object]bool) bool {
	if !b.r.helper || len(ret.Results) == 0 {
		return false
	}
	for _, e := range ret.Results {
		switch e := ast.Unparen(e).(type) {
		case *ast.Ident:
			if looked[b.pkg.Info.Uses[e]] || b.nothing(e) {
				continue
			}
		case *ast.IndexExpr:
			if b.isKey(e.Index) {
				continue
			}
		}
		return false
	}
	return true
}

// assign allows new local variables.
func (b *branchReader) assign(s *ast.AssignStmt, looked map[types.Object]bool) {
	if s.Tok != token.DEFINE {
		b.own(s.Pos())
		return
	}
	mentions := false
	for _, rhs := range s.Rhs {
		mentions = mentions || b.mentionsKey(rhs)
	}
	for _, lhs := range s.Lhs {
		id, ok := lhs.(*ast.Ident)
		if !ok || !mentions {
			continue
		}
		if v := definedVar(b.pkg.Info, lhs); v != nil {
			looked[v] = true
		} else if v := b.pkg.Info.Uses[id]; v != nil {
			looked[v] = true
		}
	}
}

func (b *branchReader) ifStmt(s *ast.IfStmt, looked map[types.Object]bool) {
	if s.Init != nil {
		b.stmt(s.Init, looked)
	}
	if !b.finds(s.Cond, looked) {
		b.own(s.Pos())
		return
	}
	if s.Else != nil {
		b.stmt(s.Else, looked)
	}
}

// finds reports whether a condition depends on a look-up having found something: it mentions the
// outcome of one, makes one with the key, or compares the key.
func (b *branchReader) finds(cond ast.Expr, looked map[types.Object]bool) bool {
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			found = found || looked[b.pkg.Info.Uses[n]]
		case *ast.CallExpr:
			if !isConversion(b.pkg.Info, n) && b.mentionsKey(n) && Callee(b.pkg.Info, n) != nil {
				found = true
			}
		case *ast.BinaryExpr:
			if n.Op == token.EQL && (b.isKey(n.X) || b.isKey(n.Y)) {
				found = true
			}
		}
		return true
	})
	return found
}

func (b *branchReader) isKey(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && b.key != nil && b.pkg.Info.Uses[id] == b.key
}

func (b *branchReader) mentionsKey(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if x, ok := n.(ast.Expr); ok && b.isKey(x) {
			found = true
		}
		return true
	})
	return found
}

// switchStmt allows switch key { case "a": ... }; a default clause is read like the rest.
func (b *branchReader) switchStmt(s *ast.SwitchStmt) {
	if s.Tag == nil || !b.isKey(s.Tag) || s.Init != nil {
		b.own(s.Pos())
		return
	}
	for _, c := range s.Body.List {
		if clause := c.(*ast.CaseClause); clause.List == nil {
			b.block(clause.Body)
		}
	}
}

// effect allows locking and nothing else.
func (b *branchReader) effect(e ast.Expr) {
	if call, ok := e.(*ast.CallExpr); ok {
		if fn := Callee(b.pkg.Info, call); fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "sync" {
			return
		}
	}
	b.own(e.Pos())
}
