package census

import (
	"cmp"
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A keyRole is a parameter of a function with what becomes of the key that it brings.
type keyRole struct {
	param *types.Var
	role  Role
}

// noteRole notes what a parameter or field is used for, if it is one.
func (b *builder) noteRole(v *types.Var, role Role) {
	if v == nil || v.IsField() || !b.census.Program.Single {
		return
	}
	if b.census.roles == nil {
		b.census.roles = map[keyRole]bool{}
	}
	b.census.roles[keyRole{v, role}] = true
}

// forwarded takes the arguments of a call that are known to become keys in another package, whose body nobody has
// read. What is stored is not known.
func (b *builder) forwarded(pkg *program.Package, f *program.File, call *ast.CallExpr) {
	fn := Callee(pkg.Info, call)
	if fn == nil {
		return
	}
	for _, fw := range b.census.Program.Forwards(fn) {
		role := Reader
		if fw.Writes {
			role = Writer
		}
		if fw.Param == receiver {
			if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && !methodExpr(pkg.Info, sel) {
				b.follow(ref{expr: sel.X, file: f, pkg: pkg}, &Lookup{Role: role, Context: sel.X, Key: sel.X, File: f, Pkg: pkg}, map[refSeen]bool{}, nil, nil)
			}
			continue
		}
		last := fw.Param + 1
		if sig := fn.Signature(); sig.Variadic() && fw.Param == sig.Params().Len()-1 {
			last = len(call.Args)
			if call.Ellipsis.IsValid() {
				continue
			}
		}
		for i := fw.Param; i < last && i < len(call.Args); i++ {
			key := call.Args[i]
			lk := &Lookup{Role: role, Context: key, Key: key, File: f, Pkg: pkg}
			b.follow(ref{expr: key, file: f, pkg: pkg}, lk, map[refSeen]bool{}, nil, nil)
		}
	}
}

// Forwards returns the functions, methods among them, of a program that is a single package which pass parameters on as keys.
func (c *Census) Forwards() map[*types.Func][]program.Forward {
	list := map[*types.Func][]program.Forward{}
	for r := range c.roles {
		p, ok := c.indexes[0].paramOf(r.param)
		if ok && p.fn != nil {
			list[p.fn] = append(list[p.fn], program.Forward{Param: p.index, Writes: r.role == Writer})
		}
	}
	for fn := range list {
		slices.SortFunc(list[fn], func(x, y program.Forward) int {
			switch {
			case x.Param != y.Param || x.Writes == y.Writes:
				return cmp.Compare(x.Param, y.Param)
			case y.Writes:
				return -1
			}
			return 1
		})
		list[fn] = slices.Compact(list[fn])
	}
	return list
}
