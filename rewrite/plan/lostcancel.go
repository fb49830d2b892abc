package plan

import (
	"bytes"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

// deferCancel defers a cancel function on the line below the statement that makes it.
func (d *draft) deferCancel(in *rules.DeferCancel) error {
	f, as := in.File, in.Assign
	switch d.census.Parent(f, as).(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
	default:
		return block("edit", f, as.Pos(), "the statement has no line below it; take it out of the condition")
	}
	name := in.Cancel.Name
	if name == "_" {
		if as.Tok != token.DEFINE && !d.sameScope(in) {
			return block("edit", f, in.Cancel.Pos(), "the statement declares nothing; declare a variable for the cancel function")
		}
		if name = d.cancelName(in); name == "" {
			return block("name", f, in.Cancel.Pos(), "no name is free for the cancel function")
		}
		d.splice(f, in.Cancel.Pos(), in.Cancel.End(), Lit(name))
		if as.Tok != token.DEFINE {
			d.splice(f, as.TokPos, as.TokPos+token.Pos(len("=")), Lit(":="))
		}
	}
	at := d.offset(f, as.Pos())
	line := bytes.LastIndexByte(f.Src[:at], '\n') + 1
	indent := string(f.Src[line:at])
	end := d.offset(f, as.End())
	below := lineEnd(f.Src, end)
	rest := strings.TrimSpace(string(f.Src[end:below]))
	if strings.TrimSpace(indent) != "" || rest != "" && !strings.HasPrefix(rest, "//") || below == len(f.Src) {
		return block("edit", f, as.Pos(), "the line holds something else as well")
	}
	eol := "\n"
	if below > 1 && f.Src[below-2] == '\r' {
		eol = "\r\n"
	}
	pos := f.Tok.Pos(below)
	d.splice(f, pos, pos, Lit(indent+"defer "+name+"("+cause(in)+")"+eol))
	d.unit.Notes = append(d.unit.Notes, "the context ends when the function returns")
	if listens(in) {
		d.unit.Notes = append(d.unit.Notes, "signals do by then what they do by default: a second one may end the program while it shuts down")
	}
	return nil
}

// listens reports whether the context ends with a signal: its cancel function gives the signal back its default action.
func listens(in *rules.DeferCancel) bool {
	call, ok := ast.Unparen(in.Assign.Rhs[0]).(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := census.Callee(in.Pkg.Info, call)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "os/signal"
}

// sameScope reports whether the statement could declare the cancel function and still assign to the same context: both belong to
// the scope that it stands in.
func (d *draft) sameScope(in *rules.DeferCancel) bool {
	id, ok := in.Assign.Lhs[0].(*ast.Ident)
	if !ok {
		return false
	}
	scope := in.Pkg.Types.Scope().Innermost(in.Assign.Pos())
	return scope != nil && id.Name != "_" && scope.Lookup(id.Name) == in.Pkg.Info.Uses[id]
}

// cause is the argument of the cancel function: none, or nil where it takes an error.
func cause(in *rules.DeferCancel) string {
	tuple, ok := in.Pkg.Info.TypeOf(in.Assign.Rhs[0]).(*types.Tuple)
	if !ok {
		return ""
	}
	if sig, ok := tuple.At(1).Type().Underlying().(*types.Signature); ok && sig.Params().Len() == 1 {
		return "nil"
	}
	return ""
}

// cancelName returns a free name for the cancel function, "" when there is none.
func (d *draft) cancelName(in *rules.DeferCancel) string {
	for _, name := range []string{"cancel", "cancelFunc", "stop"} {
		if d.freeName(in, name) {
			return name
		}
	}
	return ""
}

// freeName reports whether nothing from the statement to the end of its block means anything by a name, and the block does
// not declare it.
func (d *draft) freeName(in *rules.DeferCancel, name string) bool {
	scope := in.Pkg.Types.Scope().Innermost(in.Assign.Pos())
	if scope == nil || scope.Lookup(name) != nil || d.planner.locals[local{scope, name}] {
		return false
	}
	free := true
	ast.Inspect(d.census.Parent(in.File, in.Assign), func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name && id.Pos() > in.Assign.Pos() {
			if obj := in.Pkg.Info.Uses[id]; obj != nil && !isMember(obj) {
				free = false
			}
		}
		return free
	})
	if free {
		d.planner.locals[local{scope, name}] = true
	}
	return free
}
