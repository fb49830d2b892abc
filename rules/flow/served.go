package flow

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Served reports whether a parameter is the context of one call of a gRPC service, which ends when its handler has returned: that of a
// method of a registered service, or of an interceptor.
func (f *Flow) Served(pkg *program.Package, v *types.Var) bool {
	if v.Kind() != types.ParamVar || !IsContext(v.Type()) {
		return false
	}
	if f.intercepts(pkg, v) {
		return true
	}
	fn, i := f.census.ParamOf(v)
	if fn == nil || i != 0 || fn.Signature().Recv() == nil || fn.Signature().Results().Len() != 2 {
		return false
	}
	named, ok := types.Unalias(deref(fn.Signature().Recv().Type())).(*types.Named)
	if !ok {
		return false
	}
	for _, service := range f.registered()[named.Origin().Obj()] {
		if obj, _, _ := types.LookupFieldOrMethod(service, false, fn.Pkg(), fn.Name()); obj != nil {
			return true
		}
	}
	return false
}

// intercepts reports whether a parameter belongs to a function with the parameters of an interceptor of a server.
func (f *Flow) intercepts(pkg *program.Package, v *types.Var) bool {
	scope := v.Parent()
	if scope == nil {
		return false
	}
	for _, name := range scope.Names() {
		other, ok := scope.Lookup(name).(*types.Var)
		if ok && other.Kind() == types.ParamVar && isNamed(deref(other.Type()), "google.golang.org/grpc", "UnaryServerInfo") {
			return true
		}
	}
	return false
}

// registered returns the services that types of the world are registered for: both are handed to a function with what registers
// services, a gRPC server for example.
func (f *Flow) registered() map[*types.TypeName][]types.Type {
	if f.services != nil {
		return f.services
	}
	f.services = map[*types.TypeName][]types.Type{}
	f.EachCall(func(pkg *program.Package, _ *program.File, call *ast.CallExpr) {
		fn := census.Callee(pkg.Info, call)
		if fn == nil || fn.Signature().Recv() != nil || fn.Signature().Params().Len() != 2 || len(call.Args) != 2 {
			return
		}
		server, service := fn.Signature().Params().At(0).Type(), fn.Signature().Params().At(1).Type()
		if !registers(server) || !types.IsInterface(service) {
			return
		}
		t := pkg.Info.TypeOf(call.Args[1])
		if t == nil {
			return
		}
		if named, ok := types.Unalias(deref(t)).(*types.Named); ok && !types.IsInterface(t) {
			obj := named.Origin().Obj()
			f.services[obj] = append(f.services[obj], service)
		}
	})
	return f.services
}

// registers reports whether a value of type t registers services: it has a method RegisterService(*grpc.ServiceDesc, any).
func registers(t types.Type) bool {
	sel := types.NewMethodSet(t).Lookup(nil, "RegisterService")
	if sel == nil {
		return false
	}
	fn, ok := sel.Obj().(*types.Func)
	return ok && fn.Signature().Params().Len() == 2 && isNamed(deref(fn.Signature().Params().At(0).Type()), "google.golang.org/grpc", "ServiceDesc")
}
