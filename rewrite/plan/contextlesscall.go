package plan

import (
	"bytes"
	"go/ast"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// callTwins makes calls those of functions that take a context.
func (d *draft) callTwins(in *rules.CallTwins) error {
	for _, c := range in.Calls {
		if err := d.callTwin(in, c); err != nil {
			return err
		}
	}
	if err := d.sendRequests(in); err != nil {
		return err
	}
	if in.Source.Unnamed != nil {
		if err := d.nameParameter(in.File, in.Source); err != nil {
			return err
		}
	}
	if len(in.Requests) > 0 || slices.ContainsFunc(in.Calls, func(c *rules.TwinCall) bool { return !c.Logs }) {
		d.unit.Notes = append(d.unit.Notes, "the call now ends with "+in.Source.Text)
	}
	if slices.ContainsFunc(in.Calls, func(c *rules.TwinCall) bool { return c.Logs }) {
		d.unit.Notes = append(d.unit.Notes, "the log entry now gets "+in.Source.Text)
	}
	return nil
}

func (d *draft) callTwin(in *rules.CallTwins, c *rules.TwinCall) error {
	f, call, twin := in.File, c.Call, c.Twin
	if fn := census.Callee(in.Pkg.Info, call); fn != nil && twin.Func != nil {
		if err := d.inAllBuilds(f, fn, twin.Func); err != nil {
			return err
		}
	}
	fun := ast.Unparen(call.Fun)
	switch e := fun.(type) {
	case *ast.IndexExpr:
		fun = e.X
	case *ast.IndexListExpr:
		fun = e.X
	}
	text := c.Text
	if twin.More != "" {
		text += ", " + twin.More
	}
	if twin.Owner != "" {
		if err := d.ownedTwin(in, c, fun); err != nil {
			return err
		}
	} else if sel, ok := fun.(*ast.SelectorExpr); ok {
		d.splice(f, sel.Sel.Pos(), sel.Sel.End(), Lit(twin.Name))
	} else {
		pkgPath, pkgName := in.Pkg.Path, in.Pkg.Name
		if id, ok := fun.(*ast.Ident); ok {
			if obj := in.Pkg.Info.Uses[id]; obj != nil && obj.Pkg() != nil && obj.Pkg() != in.Pkg.Types {
				pkgPath, pkgName = obj.Pkg().Path(), obj.Pkg().Name() // a dot import
			}
		}
		d.splice(f, fun.Pos(), fun.End(), Name(strings.TrimSuffix(pkgPath, "_test"), pkgName, twin.Name))
	}
	d.firstArgument(f, call, text)
	return nil
}

// ownedTwin replaces the name of a function by a method of a variable or of a literal.
func (d *draft) ownedTwin(in *rules.CallTwins, c *rules.TwinCall, fun ast.Expr) error {
	f, twin := in.File, c.Twin
	if d.commentIn(f, d.offset(f, fun.Pos()), d.offset(f, fun.End())) {
		return block("comment", f, fun.Pos(), "a comment inside would be lost; move it")
	}
	owner := Name(twin.PkgPath, twin.PkgName, twin.Owner)
	switch {
	case !twin.Literal:
		d.splice(f, fun.Pos(), fun.End(), owner, Lit("."+twin.Name))
	case twin.Field == "":
		d.splice(f, fun.Pos(), fun.End(), Lit("(&"), owner, Lit("{})."+twin.Name))
	default:
		args := c.Call.Args
		if len(args) < 2 {
			return block("edit", f, fun.Pos(), "the arguments come from one call; take them apart")
		}
		last := args[len(args)-1]
		if effects(in.Pkg, last) {
			return block("effects", f, last.Pos(), "computing the argument may have effects, and it would be computed earlier")
		}
		before := args[len(args)-2].End()
		if d.commentIn(f, d.offset(f, before), d.offset(f, c.Call.Rparen)) {
			return block("comment", f, before, "a comment would be lost; move it")
		}
		fields := twin.Field + ": " + string(f.Src[d.offset(f, last.Pos()):d.offset(f, last.End())])
		if in.Pkg.Info.Types[ast.Unparen(last)].IsNil() {
			fields = ""
		}
		d.splice(f, fun.Pos(), fun.End(), Lit("(&"), owner, Lit("{"+fields+"})."+twin.Name))
		d.splice(f, before, last.End())
	}
	return nil
}

// firstArgument puts an argument in front of those that a call has; a call that spans lines keeps its shape.
func (d *draft) firstArgument(f *program.File, call *ast.CallExpr, text string) {
	if len(call.Args) == 0 {
		d.splice(f, call.Lparen+1, call.Lparen+1, Lit(text))
		return
	}
	first := call.Args[0].Pos()
	sep := ", "
	if at := d.offset(f, first); f.Tok.PositionFor(call.Lparen, false).Line != f.Tok.PositionFor(first, false).Line {
		line := bytes.LastIndexByte(f.Src[:at], '\n') + 1
		if indent := string(f.Src[line:at]); strings.TrimSpace(indent) == "" {
			sep = ",\n" + indent
			if line > 1 && f.Src[line-2] == '\r' {
				sep = ",\r\n" + indent
			}
		}
	}
	d.splice(f, first, first, Lit(text+sep))
}
