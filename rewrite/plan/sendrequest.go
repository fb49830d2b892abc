package plan

import (
	"bytes"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
)

// A sender takes calls of one function apart that make a request and send it: the request is made in front, with a context, and an
// error of that is handled as one of the call.
type sender struct {
	*draft
	in *rules.CallTwins
	// req is the name of the requests, made are the scopes that declare it so far.
	req  string
	made []*types.Scope
}

// sendRequests takes the requests of an intent apart.
func (d *draft) sendRequests(in *rules.CallTwins) error {
	if len(in.Requests) == 0 {
		return nil
	}
	s := &sender{draft: d, in: in}
	for _, name := range []string{"req", "request", "httpReq"} {
		if d.unusedName(in, name) {
			s.req = name
			break
		}
	}
	if s.req == "" {
		return block("name", in.File, in.Requests[0].Call.Pos(), "no name is free for the request")
	}
	for _, r := range in.Requests {
		if err := s.send(r); err != nil {
			return err
		}
	}
	return nil
}

// send takes one call apart.
func (s *sender) send(r *rules.SentRequest) error {
	f := s.in.File
	if err := s.takesApart(s.in, r); err != nil {
		return err
	}
	at := s.offset(f, r.Stmt.Pos())
	indent := string(f.Src[bytes.LastIndexByte(f.Src[:at], '\n')+1 : at])
	if strings.TrimSpace(indent) != "" {
		return block("edit", f, r.Stmt.Pos(), "there is no line in front of it where the request could be made")
	}
	var text Text
	var err error
	switch stmt := r.Stmt.(type) {
	case *ast.AssignStmt:
		text = s.inFrontOf(stmt, r, indent)
	case *ast.ReturnStmt:
		text, err = s.inFrontOfReturn(stmt, r, indent)
	}
	if err != nil {
		return err
	}
	s.spliceText(f, r.Stmt.Pos(), r.Stmt.Pos(), text)
	client := Text{Name("net/http", "http", "DefaultClient")}
	if r.Client != nil {
		client = Text{s.keep(f, r.Client)}
	}
	s.spliceText(f, r.Call.Pos(), r.Call.End(), append(client, Lit(".Do("+s.req+")")))
	return nil
}

// inFrontOf writes what goes in front of an assignment, and makes it one that compiles there.
func (s *sender) inFrontOf(as *ast.AssignStmt, r *rules.SentRequest, indent string) Text {
	f, info := s.in.File, s.in.Pkg.Info
	id := as.Lhs[1].(*ast.Ident)
	scope := s.in.Pkg.Types.Scope().Innermost(as.Pos())
	var text Text
	tok := ":="
	switch {
	case slices.Contains(s.made, scope):
		if info.Defs[id] == nil {
			tok = "="
		}
	case as.Tok == token.ASSIGN && info.ObjectOf(id).Parent() != scope:
		text = append(text, Lit("var "+s.req+" *"), Name("net/http", "http", "Request"), Lit("\n"+indent))
		tok = "="
	}
	s.made = append(s.made, scope)
	if first, ok := as.Lhs[0].(*ast.Ident); as.Tok == token.DEFINE && !(ok && first.Name != "_" && info.Defs[first] != nil) {
		s.splice(f, as.TokPos, as.TokPos+token.Pos(len(":=")), Lit("=")) // the error has been declared in front
	}
	return append(text, s.newRequest(r, id.Name, tok, indent, Text{s.keep(f, r.Check)})...)
}

// inFrontOfReturn writes what goes in front of a return.
func (s *sender) inFrontOfReturn(ret *ast.ReturnStmt, r *rules.SentRequest, indent string) (Text, error) {
	scope := s.in.Pkg.Types.Scope().Innermost(ret.Pos())
	tok := ":="
	if obj := lookup(place{s.in.Pkg, ret.Pos()}, "err"); obj != nil {
		if v, ok := obj.(*types.Var); !ok || !isError(v.Type()) {
			return nil, block("name", s.in.File, ret.Pos(), "err means something else here")
		}
		if slices.Contains(s.made, scope) && obj.Parent() == scope {
			tok = "="
		}
	}
	s.made = append(s.made, scope)
	return s.newRequest(r, "err", tok, indent, Text{Lit("if err != nil {\n" + indent + "\treturn nil, err\n" + indent + "}")}), nil
}

// newRequest writes the statements that make a request.
func (s *sender) newRequest(r *rules.SentRequest, errName, tok, indent string, failed Text) Text {
	f := s.in.File
	text := Text{Lit(s.req + ", " + errName + " " + tok + " "), Name("net/http", "http", "NewRequestWithContext"), Lit("(" + r.Text + ", "), Name("net/http", "http", r.Method), Lit(", "), s.keep(f, r.URL), Lit(", ")}
	switch {
	case r.Form != nil && s.in.Pkg.Info.Types[ast.Unparen(r.Form)].IsNil():
		text = append(text, Name("strings", "strings", "NewReader"), Lit(`("")`))
	case r.Form != nil:
		text = append(text, Name("strings", "strings", "NewReader"), Lit("("), s.keep(f, r.Form), Lit(".Encode())"))
	case r.Body != nil:
		text = append(text, s.keep(f, r.Body))
	default:
		text = append(text, Lit("nil"))
	}
	text = append(append(text, Lit(")\n"+indent)), failed...)
	text = append(text, Lit("\n"+indent))
	switch {
	case r.Form != nil:
		text = append(text, Lit(s.req+`.Header.Set("Content-Type", "application/x-www-form-urlencoded")`+"\n"+indent))
	case r.ContentType != nil:
		text = append(text, Lit(s.req+`.Header.Set("Content-Type", `), s.keep(f, r.ContentType), Lit(")\n"+indent))
	}
	return text
}

// takesApart says why the parts of a call cannot be moved apart, nil when they can.
func (d *draft) takesApart(in *rules.CallTwins, r *rules.SentRequest) error {
	f := in.File
	if d.commentIn(f, d.offset(f, r.Call.Pos()), d.offset(f, r.Call.End())) {
		return block("comment", f, r.Call.Pos(), "a comment inside would be lost; move it")
	}
	for _, e := range []ast.Expr{r.ContentType, r.Client} {
		if e != nil && effects(in.Pkg, e) {
			return block("effects", f, e.Pos(), "computing %s may have effects, and it would be computed later", types.ExprString(e))
		}
	}
	if r.Form == nil || in.Pkg.Info.Types[ast.Unparen(r.Form)].IsNil() {
		return nil
	}
	named, ok := types.Unalias(in.Pkg.Info.TypeOf(r.Form)).(*types.Named)
	if !ok || named.Obj().Name() != "Values" || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "net/url" {
		return block("edit", f, r.Form.Pos(), "the form is no url.Values; convert it")
	}
	switch ast.Unparen(r.Form).(type) {
	case *ast.UnaryExpr, *ast.BinaryExpr, *ast.StarExpr:
		return block("edit", f, r.Form.Pos(), "store the form in a variable first")
	}
	return nil
}

// unusedName reports whether no variable, function or import has a name in the declaration around the requests.
func (d *draft) unusedName(in *rules.CallTwins, name string) bool {
	call := in.Requests[0].Call
	if lookup(place{in.Pkg, call.Pos()}, name) != nil {
		return false
	}
	var around ast.Node = call
	for n := around; n != nil; n = d.census.Parent(in.File, n) {
		if _, ok := n.(*ast.FuncDecl); ok {
			around = n
		}
	}
	free := true
	ast.Inspect(around, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			if obj := in.Pkg.Info.ObjectOf(id); obj != nil && !isMember(obj) {
				free = false
			}
		}
		return free
	})
	return free
}
