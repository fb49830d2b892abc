package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A valuePlan turns a value that travels in contexts into a parameter. The signature engine adds the parameter and passes it
// on; what stores the value goes as a dead key does.
type valuePlan struct {
	*dropPlan
	in *rules.PassValue
	sp *sigPlan
	// base is the name that the value gets where nothing speaks against it.
	base string
	// spelled is what functions that store the value write for it.
	spelled map[*rules.ValueWrite]string
}

// passValue carries out the intent.
func (d *draft) passValue(in *rules.PassValue) error {
	vp := &valuePlan{
		dropPlan: &dropPlan{
			draft: d, accessors: map[*ast.FuncDecl]bool{}, keepAs: map[ast.Expr]string{}, moved: map[ast.Expr]bool{}, stay: typesIn(in.Type), noAliases: true, api: d.opts.API == "break",
		},
		in: in, spelled: map[*rules.ValueWrite]string{},
	}
	if err := vp.checkImporters(); err != nil {
		return err
	}
	vp.base = vp.baseName()
	reads := vp.readEdits()
	if err := vp.params(reads); err != nil {
		return err
	}
	for _, w := range vp.in.Writes {
		if err := vp.spell(w); err != nil {
			return err
		}
	}
	if err := vp.pass(); err != nil {
		return err
	}
	slices.SortStableFunc(reads, func(a, b *readEdit) int { return strings.Compare(b.Second, a.Second) }) // what goes with a condition last
	for _, r := range reads {
		if vp.goes(r.File, r.Expr.Pos()) {
			continue
		}
		if err := vp.writeRead(r); err != nil {
			return err
		}
	}
	if err := vp.dropKey(); err != nil {
		return err
	}
	vp.tell()
	return nil
}

// checkImporters blocks what other modules may read or store.
func (vp *valuePlan) checkImporters() error {
	if vp.opts.API == "break" {
		return nil
	}
	if obj := vp.census.Importers(vp.in.Key); obj != nil {
		return block("api", vp.prog.FileOf(obj.Pos()), obj.Pos(), "importers may store or read the value by %s; --api break removes the key", obj.Name())
	}
	for _, a := range vp.in.Accessors {
		if a.Object != nil && census.IsAPI(vp.prog, a.Object) {
			return block("api", a.File, a.Pos(), "importers may call %s; --api break removes it", a.Name)
		}
	}
	return nil
}

// baseName names the value: as readers do where they agree, after the key, after the type.
func (vp *valuePlan) baseName() string {
	local := ""
	for _, r := range vp.in.Reads {
		name := ""
		if as, ok := vp.readStatement(r).(*ast.AssignStmt); ok {
			if id, ok := as.Lhs[0].(*ast.Ident); ok {
				name = id.Name
			}
		}
		if name == "" || name == "_" || r.File.Test {
			continue
		}
		if local == "" {
			local = name
		}
		if local != name {
			local = "-"
		}
	}
	if len(local) > 2 {
		return local
	}
	short := strings.Trim(local, "-")
	if base := (&readCheck{draft: vp.draft}).keyBase(vp.in.Key.Sites[0].Lookup); base != "" && !token.IsKeyword(lowerFirst(base)) {
		return lowerFirst(base)
	}
	if named, ok := types.Unalias(derefType(vp.in.Type)).(*types.Named); ok {
		if base := baseName(named.Obj().Name()); base != "" && !token.IsKeyword(lowerFirst(base)) {
			return lowerFirst(base)
		}
	}
	if short != "" {
		return short
	}
	return "value"
}

// typesIn returns the places of the names of types that a type is written with.
func typesIn(t types.Type) map[token.Pos]bool {
	found := map[token.Pos]bool{}
	var walk func(t types.Type)
	walk = func(t types.Type) {
		switch t := t.(type) {
		case *types.Alias:
			found[t.Obj().Pos()] = true
		case *types.Named:
			found[t.Obj().Pos()] = true
			for a := range t.TypeArgs().Types() {
				walk(a)
			}
		case *types.Pointer:
			walk(t.Elem())
		case *types.Slice:
			walk(t.Elem())
		case *types.Array:
			walk(t.Elem())
		case *types.Chan:
			walk(t.Elem())
		case *types.Map:
			walk(t.Key())
			walk(t.Elem())
		}
	}
	walk(t)
	return found
}

// params settles which functions change and under what names they get the value.
func (vp *valuePlan) params(reads []*readEdit) error {
	in := &rules.AddParam{Supply: vp.in.Supply, Param: rules.Param{Name: vp.base, Type: vp.in.Type, Index: 1}, Everywhere: true, Only: true}
	if len(vp.in.Targets) == 0 {
		return nil // stored and read in one function
	}
	for _, t := range vp.in.Targets {
		in.Targets = append(in.Targets, &rules.ParamTarget{Func: t.Func, Index: t.Index})
	}
	sp, err := vp.signatures(in)
	if err != nil {
		return err
	}
	vp.sp = sp
	for _, r := range reads {
		if r.From.Func == nil {
			continue
		}
		p := sp.changedAround(r.Func)
		if p == nil {
			return block("unclear", r.File, r.Expr.Pos(), "no function around the read gets the value")
		}
		p.uses = append(p.uses, r.Expr.Pos())
		p.gone = append(p.gone, r.Expr)
		if r.local != nil && r.free {
			p.replaced = append(p.replaced, r.local.Pos())
			if p.target.Name == "" && (len(r.local.Name()) > 1 || !isBool(r.local.Type().Underlying())) {
				p.target.Name = r.local.Name()
			}
			p.uses = append(p.uses, r.usesOf...)
		}
	}
	sp.given = map[*callgraph.Call]Text{}
	for _, pass := range vp.in.Passes {
		if pass.From.Write != nil || pass.From.Zero {
			sp.given[pass.Call] = Text{Lit("")} // spelled when all names are known
		}
	}
	if err := sp.choosePasses(); err != nil {
		return err
	}
	sp.chooseNames()
	return nil
}

// pass writes the parameters and what calls pass.
func (vp *valuePlan) pass() error {
	if vp.sp == nil {
		return nil
	}
	for _, pass := range vp.in.Passes {
		switch {
		case pass.From.Write != nil:
			vp.sp.given[pass.Call] = Text{Lit(vp.spelled[pass.From.Write])}
		case pass.From.Zero:
			text, err := vp.zero(pass.Call)
			if err != nil {
				return err
			}
			vp.sp.given[pass.Call] = text
		}
	}
	return vp.sp.write()
}

// zero writes the zero value of the parameter's type at a call.
func (vp *valuePlan) zero(call *callgraph.Call) (Text, error) {
	switch t := vp.in.Type.Underlying().(type) {
	case *types.Basic:
		switch {
		case t.Info()&types.IsBoolean != 0:
			return Text{Lit("false")}, nil
		case t.Info()&types.IsString != 0:
			return Text{Lit(`""`)}, nil
		case t.Info()&types.IsNumeric != 0:
			return Text{Lit("0")}, nil
		}
	case *types.Pointer, *types.Slice, *types.Map, *types.Chan, *types.Signature, *types.Interface:
		return Text{Lit("nil")}, nil
	case *types.Struct:
		tw := &typeWriter{draft: vp.draft, home: &home{path: call.Pkg.Path, name: call.Pkg.Name, dir: call.Pkg.Dir, pkg: call.Pkg, xtest: call.Pkg.XTest}}
		if text, ok := tw.typeText(vp.in.Type); ok {
			return append(text, Lit("{}")), nil
		}
	}
	return nil, block("absent", call.File, call.Expr.Pos(), "the context made here lacks the value, and its zero value cannot be written")
}

// nameFor returns what a place writes for the value.
func (vp *valuePlan) nameFor(f *callgraph.Func, from rules.ValueOrigin) string {
	if from.Write != nil {
		return vp.spelled[from.Write]
	}
	return vp.sp.changedAround(f).name
}

// dropKey removes what stores the value, what reads it for others, and the key.
func (vp *valuePlan) dropKey() error {
	for _, a := range vp.in.Accessors {
		if err := vp.dropReader(a); err != nil {
			return err
		}
	}
	done := map[ast.Node]bool{}
	for _, s := range vp.in.Key.Sites {
		if s.Role != census.Writer || done[s.Expr] {
			continue
		}
		done[s.Expr] = true
		if err := vp.dropSite(s); err != nil {
			return err
		}
	}
	if err := vp.settleAliases(); err != nil {
		return err
	}
	if err := vp.unusedLocals(); err != nil {
		return err
	}
	vp.dropStorers()
	vp.dropDecls()
	return nil
}

// dropReader removes an accessor.
func (vp *valuePlan) dropReader(a *callgraph.Func) error {
	f, decl := a.File, a.Decl
	if vp.census.MentionedUnchecked(a.Object) || vp.hasOtherType(a.Object) {
		return block("accessor", f, a.Pos(), "function %s does nothing but read the value, and other code may call it; remove it with its calls", a.Name)
	}
	if vp.commentIn(f, vp.offset(f, decl.Body.Lbrace), vp.offset(f, decl.Body.Rbrace)) {
		return block("comment", f, decl.Body.Pos(), "a comment inside function %s would be lost; move it", a.Name)
	}
	vp.noteAll(f, a.Pkg, decl.Body)
	vp.dropFunc(f, decl)
	return nil
}

// noteAll remembers the names that code mentions which goes.
func (vp *valuePlan) noteAll(f *program.File, pkg *program.Package, root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			vp.names = append(vp.names, census.Use{Ident: id, File: f, Pkg: pkg})
		}
		return true
	})
}

// tell says what the unit does.
func (vp *valuePlan) tell() {
	what := vp.in.Key.Spelled()
	if vp.sp == nil {
		vp.unit.Title = "use the value that " + what + " stores where it is"
		return
	}
	vp.sp.describe()
	vp.unit.Title += " instead of context key " + what
	lacking := slices.ContainsFunc(vp.in.Passes, func(p *rules.ValuePass) bool { return p.From.Zero })
	if !lacking && slices.ContainsFunc(vp.in.Reads, func(r *rules.ValueRead) bool { return r.Second != "" }) {
		vp.unit.Notes = append(vp.unit.Notes, "what readers did when the context lacked the value is gone: all contexts that reach them carry it")
	}
}
