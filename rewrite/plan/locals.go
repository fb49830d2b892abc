package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"github.com/ctxmend/ctxmend/rules"
)

// scope returns the scope in which the statement stands.
func (rc *readCheck) scope() *types.Scope {
	s := rc.in.Pkg.Types.Scope().Innermost(rc.in.Stmt.Pos())
	// A statement that opens a scope of its own (if, for, switch) begins inside it.
	for s != nil && s.Pos() == rc.in.Stmt.Pos() && s.Parent() != nil {
		s = s.Parent()
	}
	return s
}

// localValue returns a name for a value that is read in front of the statement and reserves it.
func (rc *readCheck) localValue(r *rules.UncheckedRead) string {
	var tries []string
	if base := rc.keyBase(r.Lookup); base != "" {
		tries = append(append(tries, lowerFirst(base)), withEndings(lowerFirst(base), "Value")...)
	}
	tries = append(tries, "value")
	scope := rc.scope()
	for i := 1; ; i++ {
		for _, name := range tries {
			if i > 1 {
				name += strconv.Itoa(i)
			}
			if token.IsKeyword(name) || rc.visible(name) != nil || scope.Lookup(name) != nil || rc.planner.locals[local{scope, name}] || rc.mentioned(name) {
				continue
			}
			rc.planner.locals[local{scope, name}] = true
			return name
		}
	}
}

// A local is a name that a plan introduces in a scope.
type local struct {
	scope *types.Scope
	name  string
}

// mentioned reports whether the rest of the list means something declared outside of it by a name.
func (rc *readCheck) mentioned(name string) bool {
	from, to := rc.in.Stmt.Pos(), rc.body[len(rc.body)-1].End()
	return len(rc.laterUses(name, func(obj types.Object) bool { return obj.Pos() < from || obj.Pos() >= to })) > 0
}

// laterUses returns the mentions of objects by a name from the statement on.
func (rc *readCheck) laterUses(name string, wanted func(types.Object) bool) []*ast.Ident {
	var list []*ast.Ident
	for _, s := range rc.body[slices.Index(rc.body, rc.in.Stmt):] {
		ast.Inspect(s, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == name {
				if obj := rc.in.Pkg.Info.Uses[id]; obj != nil && !isMember(obj) && wanted(obj) {
					list = append(list, id)
				}
			}
			return true
		})
	}
	return list
}

// isMember reports whether an object is a field or method, which no local name hides.
func isMember(obj types.Object) bool {
	switch obj := obj.(type) {
	case *types.Var:
		return obj.IsField()
	case *types.Func:
		return obj.Signature().Recv() != nil
	}
	return false
}

// localOK returns a name for the second result: ok, declared anew or again, if no code would see another value by it.
func (rc *readCheck) localOK() string {
	for i := 1; ; i++ {
		for _, name := range []string{"ok", "found", "present"} {
			if i > 1 {
				name += strconv.Itoa(i)
			}
			if rc.servesAsOK(name) {
				return name
			}
		}
	}
}

func (rc *readCheck) servesAsOK(name string) bool {
	if rc.planner.locals[local{rc.scope(), name}] {
		return false
	}
	for v := range rc.fn.sig.Results().Variables() {
		if v.Name() == name {
			return false // a bare return would not see the result
		}
	}
	obj := rc.scope().Lookup(name)
	switch {
	case obj == nil:
		return !rc.mentioned(name)
	case !isBool(obj.Type()):
		return false
	case obj.Pos() > rc.in.Stmt.Pos():
		return rc.redeclarable(obj) && !rc.mentioned(name)
	}
	return rc.overwritten(obj)
}

func isBool(t types.Type) bool { return types.Identical(t, types.Typ[types.Bool]) }

// redeclarable reports whether the statement that declares obj stays right when obj exists already: it
// declares another variable as well.
func (rc *readCheck) redeclarable(obj types.Object) bool {
	for _, s := range rc.body {
		as, ok := s.(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE {
			continue
		}
		mine, others := false, false
		for _, lhs := range as.Lhs {
			if id, ok := lhs.(*ast.Ident); ok && id.Name != "_" {
				if def := rc.in.Pkg.Info.Defs[id]; def == obj {
					mine = true
				} else if def != nil {
					others = true
				}
			}
		}
		if mine {
			return others
		}
	}
	return false
}

// overwritten reports whether nobody reads what obj, declared before in the same list, holds so far: its
// next mention, if any, is a statement of the list that assigns to it.
func (rc *readCheck) overwritten(obj types.Object) bool {
	if !slices.ContainsFunc(rc.body, func(s ast.Stmt) bool { return s.Pos() <= obj.Pos() && obj.Pos() < s.End() }) {
		return false // a parameter or result
	}
	captured := false
	ast.Inspect(rc.fn.body, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			captured = captured || rc.mentionedIn(lit, obj)
			return false
		}
		if b, ok := n.(*ast.BranchStmt); ok && b.Tok == token.GOTO {
			captured = true
		}
		if u, ok := n.(*ast.UnaryExpr); ok && u.Op == token.AND && rc.mentionedIn(u.X, obj) {
			captured = true
		}
		return true
	})
	if captured {
		return false
	}
	later := rc.laterUses(obj.Name(), func(o types.Object) bool { return o == obj })
	if len(later) == 0 {
		return true
	}
	next := later[0]
	for _, s := range rc.body {
		if as, ok := s.(*ast.AssignStmt); ok && (as.Tok == token.DEFINE || as.Tok == token.ASSIGN) && slices.Contains(as.Lhs, ast.Expr(next)) {
			return !slices.ContainsFunc(as.Rhs, func(e ast.Expr) bool { return rc.mentionedIn(e, obj) })
		}
	}
	return false
}

func (rc *readCheck) mentionedIn(n ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && (rc.in.Pkg.Info.Uses[id] == obj || rc.in.Pkg.Info.Defs[id] == obj) {
			found = true
		}
		return !found
	})
	return found
}
