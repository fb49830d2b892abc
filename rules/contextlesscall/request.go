package contextlesscall

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// maxCheck is how many lines the handling of an error may have to be written twice.
const maxCheck = 8

// makesRequest reports whether a function of net/http makes a request and sends it.
func makesRequest(fn *types.Func) bool {
	if fn.Pkg() == nil || fn.Pkg().Path() != "net/http" || fn.Signature().Results().Len() != 2 {
		return false
	}
	switch fn.Name() {
	case "Get", "Head", "Post", "PostForm":
		return fn.Signature().Params().Len() > 0
	}
	return false
}

// request reports http.Get and its like, which need two calls instead of one. Where the call is a statement of its own and its error
// is checked, the second call gets the same check; elsewhere people have to say what becomes of the error.
func (f *finder) request(at *site) {
	src := f.source(at)
	if src == nil || f.flow.OnPurpose(at.file, at.call.Pos()) || f.wanted(at, nil) || f.flow.Memoizes(at.pkg, at.file, at.call.Pos()) || f.flow.Shares(at.pkg, at.file, at.call) ||
		f.cancels(src) && f.flow.ResultKept(at.pkg, at.file, at.call) {
		return
	}
	r := sentRequest(at)
	in := f.requestsOf(at, src)
	if r == nil || in == nil || !f.shape(at, r) {
		f.manual(at, src, instead(at, r, src))
		return
	}
	r.Text = src.Text
	in.Requests = append(in.Requests, r)
	f.list = append(f.list, &rules.Finding{
		Rule: name, File: at.file, Pos: at.call.Fun.Pos(), End: at.call.Fun.End(), Applicability: rules.Review,
		Message: fmt.Sprintf("%s takes no context although %s: it can be neither cancelled nor given values by the caller; http.NewRequestWithContext and Do do",
			flow.Callee(at.call), src.InScope()),
		Fix: &rules.Fix{Title: "make the request with " + src.Text, Applicability: rules.Review, Intent: in},
	})
}

// cancels reports whether the function ends a context: what reads a response afterwards would fail.
func (f *finder) cancels(src *flow.Source) bool {
	if src.Cancels {
		return true
	}
	for _, u := range f.census.Uses(src.Var) {
		as, ok := f.census.Parent(u.File, u.Ident).(*ast.AssignStmt)
		if !ok || len(as.Rhs) != 1 || !slices.Contains(as.Lhs, ast.Expr(u.Ident)) {
			continue
		}
		if call, ok := ast.Unparen(as.Rhs[0]).(*ast.CallExpr); ok && flow.Cancels(u.Pkg, call) {
			return true
		}
	}
	return false
}

// requestsOf returns the intent of the function around a call, nil when another one names the parameter that holds the context.
func (f *finder) requestsOf(at *site, src *flow.Source) *rules.CallTwins {
	var decl *ast.FuncDecl
	for n := f.census.Parent(at.file, at.call); n != nil; n = f.census.Parent(at.file, n) {
		if d, ok := n.(*ast.FuncDecl); ok {
			decl = d
		}
	}
	if decl == nil {
		return nil
	}
	if in := f.requests[decl]; in != nil {
		if src.Unnamed != nil && in.Source.Unnamed != src.Unnamed {
			return nil
		}
		return in
	}
	f.requests[decl] = f.intent(at, src)
	return f.requests[decl]
}

// sentRequest takes a call apart, nil when its arguments come from another call.
func sentRequest(at *site) *rules.SentRequest {
	r := &rules.SentRequest{Call: at.call, Method: "MethodGet"}
	if len(at.call.Args) != at.fn.Signature().Params().Len() {
		return nil
	}
	r.URL = at.call.Args[0]
	switch at.fn.Name() {
	case "Head":
		r.Method = "MethodHead"
	case "Post":
		r.Method, r.ContentType, r.Body = "MethodPost", at.call.Args[1], at.call.Args[2]
	case "PostForm":
		r.Method, r.Form = "MethodPost", at.call.Args[1]
	}
	if at.fn.Signature().Recv() != nil {
		sel, ok := ast.Unparen(at.call.Fun).(*ast.SelectorExpr)
		if !ok || at.pkg.Info.Types[sel.X].IsType() {
			return nil
		}
		r.Client = sel.X
	}
	return r
}

// shape finds the statement that a call is all of, and the check of its error.
func (f *finder) shape(at *site, r *rules.SentRequest) bool {
	parent, child := f.census.Outer(at.file, at.call)
	list := program.Statements(f.census.Parent(at.file, parent))
	switch s := parent.(type) {
	case *ast.ReturnStmt:
		r.Stmt = s
		return len(s.Results) == 1 && slices.Contains(list, ast.Stmt(s)) && f.returnsSame(at)
	case *ast.AssignStmt:
		i := slices.Index(list, ast.Stmt(s))
		if i < 0 || i+1 >= len(list) || len(s.Rhs) != 1 || ast.Node(s.Rhs[0]) != child || len(s.Lhs) != 2 {
			return false
		}
		r.Stmt = s
		r.Check = f.errorCheck(at, s, list[i+1])
		return r.Check != nil
	}
	return false
}

// returnsSame reports whether the function around a call returns the types that the call does: a nil of another type would be
// another value.
func (f *finder) returnsSame(at *site) bool {
	for n := f.census.Parent(at.file, at.call); n != nil; n = f.census.Parent(at.file, n) {
		var sig *types.Signature
		switch n := n.(type) {
		case *ast.FuncLit:
			sig, _ = at.pkg.Info.TypeOf(n).(*types.Signature)
		case *ast.FuncDecl:
			if fn, ok := at.pkg.Info.Defs[n.Name].(*types.Func); ok {
				sig = fn.Signature()
			}
		default:
			continue
		}
		return sig != nil && sameResults(sig, at.fn.Signature())
	}
	return false
}

// errorCheck returns the statement behind an assignment when it leaves the block for an error, and can be written for another call
// as well: if err != nil { return err }.
func (f *finder) errorCheck(at *site, as *ast.AssignStmt, next ast.Stmt) *ast.IfStmt {
	check, ok := next.(*ast.IfStmt)
	if !ok || check.Init != nil || check.Else != nil || len(check.Body.List) == 0 {
		return nil
	}
	cond, ok := ast.Unparen(check.Cond).(*ast.BinaryExpr)
	err, isIdent := as.Lhs[1].(*ast.Ident)
	if !ok || !isIdent || err.Name == "_" || cond.Op != token.NEQ || !at.pkg.Info.Types[cond.Y].IsNil() {
		return nil
	}
	x, ok := ast.Unparen(cond.X).(*ast.Ident)
	if !ok || at.pkg.Info.Uses[x] != at.pkg.Info.ObjectOf(err) {
		return nil
	}
	line := func(pos token.Pos) int { return at.file.Tok.PositionFor(pos, false).Line }
	if line(check.End())-line(check.Pos()) > maxCheck || !f.leavesBlock(at, check.Body.List[len(check.Body.List)-1]) {
		return nil
	}
	result, ok := as.Lhs[0].(*ast.Ident)
	if !ok {
		return nil
	}
	clean := true
	obj := at.pkg.Info.ObjectOf(result)
	ast.Inspect(check, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			clean = clean && (obj == nil || at.pkg.Info.Uses[n] != obj) // there is no response yet
		case *ast.LabeledStmt:
			clean = false
		}
		return clean
	})
	if !clean {
		return nil
	}
	return check
}

// leavesBlock reports whether control does not go on behind a statement.
func (f *finder) leavesBlock(at *site, s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok != token.FALLTHROUGH
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && f.flow.NeverReturns(at.pkg.Info, call)
	}
	return false
}

// instead writes the calls that take the place of one.
func instead(at *site, r *rules.SentRequest, src *flow.Source) string {
	if r == nil {
		return fmt.Sprintf("make the request with http.NewRequestWithContext(%s, ...), and send it with Do", src.Text)
	}
	short := func(e ast.Expr, other string) string {
		if text := types.ExprString(e); len(text) <= 40 {
			return text
		}
		return other
	}
	body, header, client := "nil", "", "http.DefaultClient"
	switch {
	case r.Form != nil:
		body, header = fmt.Sprintf("strings.NewReader(%s.Encode())", short(r.Form, "form")), `"application/x-www-form-urlencoded"`
		if at.pkg.Info.Types[ast.Unparen(r.Form)].IsNil() {
			body = `strings.NewReader("")`
		}
	case r.Body != nil:
		body, header = short(r.Body, "body"), short(r.ContentType, "contentType")
	}
	if header != "" {
		header = fmt.Sprintf("set the header by req.Header.Set(\"Content-Type\", %s), ", header)
	}
	if r.Client != nil {
		client = short(r.Client, "client")
	}
	return fmt.Sprintf("write req, err := http.NewRequestWithContext(%s, http.%s, %s, %s), check err, %sand call %s.Do(req)", src.Text, r.Method, short(r.URL, "url"), body, header, client)
}

// otherResult says where the result of a call is used as only the old type can be, "" when the new one fits as well: tls.Dial returns a
// *tls.Conn, DialContext a net.Conn.
func (f *finder) otherResult(at *site, twin *rules.Twin) string {
	if twin.PkgPath != "crypto/tls" {
		return ""
	}
	conn, ok := at.fn.Pkg().Scope().Lookup("Dialer").Type().(*types.Named)
	if !ok {
		return "its type is not known"
	}
	m, _, _ := types.LookupFieldOrMethod(types.NewPointer(conn), true, at.fn.Pkg(), "DialContext")
	fn, ok := m.(*types.Func)
	if !ok {
		return "its type is not known"
	}
	iface := fn.Signature().Results().At(0).Type()
	parent, _ := f.census.Outer(at.file, at.call)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Lhs) != 2 {
		return "it is not assigned"
	}
	id, ok := as.Lhs[0].(*ast.Ident)
	if !ok {
		return "it is stored"
	}
	v, ok := at.pkg.Info.ObjectOf(id).(*types.Var)
	if !ok || id.Name == "_" || types.Identical(v.Type(), iface) || types.IsInterface(v.Type()) && types.AssignableTo(iface, v.Type()) {
		return ""
	}
	if at.pkg.Info.Defs[id] == nil {
		return "the variable has the type *tls.Conn"
	}
	set := types.NewMethodSet(iface)
	for _, u := range f.census.Uses(v) {
		if u.Ident == id {
			continue
		}
		sel, ok := f.census.Parent(u.File, u.Ident).(*ast.SelectorExpr)
		switch {
		case ok && set.Lookup(nil, sel.Sel.Name) != nil:
		case ok:
			return "it has no " + sel.Sel.Name
		default:
			if !fits(at, f.census.Parent(u.File, u.Ident), u.Ident, iface) {
				return "it is used as a *tls.Conn"
			}
		}
	}
	return ""
}

// fits reports whether a call takes a value of type t where an argument stands.
func fits(at *site, parent ast.Node, arg *ast.Ident, t types.Type) bool {
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return false
	}
	sig, ok := at.pkg.Info.TypeOf(call.Fun).(*types.Signature)
	if !ok {
		return false
	}
	for i, a := range call.Args {
		if ast.Expr(arg) == a && i < sig.Params().Len() && !(sig.Variadic() && i == sig.Params().Len()-1) {
			p := sig.Params().At(i).Type()
			_, isParam := types.Unalias(p).(*types.TypeParam)
			return !isParam && types.AssignableTo(t, p)
		}
	}
	return false
}
