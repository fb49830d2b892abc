package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// chooseStyle decides between constants of a named type, constants that count up, and empty struct types: what was asked for,
// else what the home's keys are already, else constants with the text they had.
func (kp *keyPlan) chooseStyle() {
	kp.style = "string"
	if len(kp.retyped) > 0 || kp.hasCarriers() {
		return // several keys must share a type, or the declaration that is there is the key
	}
	switch kp.opts.KeyStyle {
	case "struct":
		kp.style = "struct"
	case "enum":
		kp.enum = true
	case "string":
	default:
		structs, counted, others := kp.keysAlready()
		switch {
		case structs > 0 && others == 0 && counted == 0:
			kp.style = "struct"
		case counted > others && counted >= structs && kp.existingEnum() != nil:
			kp.enum = true
		}
	}
}

// keysAlready counts the keys of the home package that are empty structs, constants that count up, and others. Those that a
// function keeps to itself say nothing about the package, nor do those of its tests about what is not a test.
func (kp *keyPlan) keysAlready() (structs, counted, others int) {
	for _, k := range kp.census.KeyTypes(kp.home.path) {
		switch {
		case !kp.setsExample(k):
		case k.Value == "":
			structs++
		case isInteger(k.GoType):
			counted++
		default:
			others++
		}
	}
	return structs, counted, others
}

// setsExample reports whether a key's type is declared for the whole package, and in tests only where the new key is one of them.
func (kp *keyPlan) setsExample(k *census.Key) bool {
	named, ok := types.Unalias(k.GoType).(*types.Named)
	if !ok {
		return true
	}
	obj := named.Obj()
	f := kp.prog.FileOf(obj.Pos())
	return obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() && (f == nil || !f.Test || kp.testHome())
}

func isInteger(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

// form says what the key is, where that follows what the package does already or was asked for.
func (kp *keyPlan) form() string {
	why, all := "as the package's other keys are", "as the package already does"
	switch kp.opts.KeyStyle {
	case "struct", "string", "enum":
		why, all = "as asked for", "as asked for"
	}
	exists := kp.kt != nil && kp.kt.add == nil
	one, many := "", ""
	switch {
	case kp.staged || len(kp.retyped) > 0 && !exists:
	case kp.style == "struct":
		one, many = "an empty struct type", "empty struct types"
	case exists && kp.enum:
		one, many = "at the end of the constants of "+kp.kt.ref.Name, "constants of "+kp.kt.ref.Name
	case exists || kp.kt != nil && all == why:
		one, many = "a constant of "+kp.kt.ref.Name, "constants of "+kp.kt.ref.Name
	}
	if one == "" {
		return ""
	}
	kp.unit.Choice = "keys in " + kp.home.path + " are " + many + ", " + all
	return ", " + one + " " + why
}

// existingEnum finds a type of the home package whose constants count up in one block and serve for nothing but keys, so that
// another one can be added at its end. It is nil where somebody might see the number: the type has methods, a String that was
// generated from the constants for one, or is used for more than its constants.
func (kp *keyPlan) existingEnum() *keyType {
	if kp.home.pkg == nil {
		return nil
	}
	for _, k := range kp.census.KeyTypes(kp.home.path) {
		if !isInteger(k.GoType) {
			continue
		}
		named, ok := types.Unalias(k.GoType).(*types.Named)
		if !ok || named.NumMethods() > 0 || named.TypeParams().Len() > 0 || census.IsAPI(kp.prog, named.Obj()) {
			continue
		}
		if f, block := kp.enumBlock(named); block != nil && kp.meansType(named.Obj()) {
			return &keyType{ref: Ref{PkgPath: kp.home.path, PkgName: kp.home.name, Name: named.Obj().Name()}, file: f, after: block}
		}
	}
	return nil
}

// enumBlock returns the block that holds all constants of a type, when each of them is a key and nothing else, and a further
// name at its end would count on.
func (kp *keyPlan) enumBlock(t *types.Named) (*program.File, *ast.GenDecl) {
	var file *program.File
	var block *ast.GenDecl
	for _, f := range kp.home.pkg.Files {
		if f.AST == nil {
			continue
		}
		for _, d := range f.AST.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST || !kp.declares(g, t) {
				continue
			}
			if block != nil {
				return nil, nil
			}
			file, block = f, g
		}
	}
	if block == nil || !block.Lparen.IsValid() || uneditable(file) != "" || file.Test != kp.testHome() || !kp.everywhere(file) || !kp.countsOn(block, t) {
		return nil, nil
	}
	for _, u := range kp.census.TypeUses(t.Obj()) {
		if u.File == file && block.Pos() <= u.Ident.Pos() && u.Ident.Pos() < block.End() {
			continue
		}
		if _, param := kp.census.Parent(u.File, u.Ident).(*ast.Field); !param {
			return nil, nil
		}
	}
	if kp.census.MentionedUnchecked(t.Obj()) {
		return nil, nil
	}
	return file, block
}

// declares reports whether a block declares a constant of a type.
func (kp *keyPlan) declares(g *ast.GenDecl, t *types.Named) bool {
	for _, s := range g.Specs {
		for _, id := range s.(*ast.ValueSpec).Names {
			if c := kp.home.pkg.Info.Defs[id]; c != nil && types.Identical(c.Type(), t) {
				return true
			}
		}
	}
	return false
}

// countsOn reports whether every constant of a block is a key of the type, the first is iota, or iota and a number, and
// the others repeat it.
func (kp *keyPlan) countsOn(g *ast.GenDecl, t *types.Named) bool {
	for i, s := range g.Specs {
		spec := s.(*ast.ValueSpec)
		if len(spec.Names) != 1 || i == 0 && (len(spec.Values) != 1 || !plainIota(kp.home.pkg, spec.Values[0])) || i > 0 && len(spec.Values) > 0 {
			return false
		}
		c, ok := kp.home.pkg.Info.Defs[spec.Names[0]].(*types.Const)
		switch {
		case spec.Names[0].Name == "_":
		case !ok || !types.Identical(c.Type(), t) || !kp.onlyKey(c):
			return false
		}
	}
	return true
}

// onlyKey reports whether every use of a constant names a key; a last one that only counts the others does not.
func (kp *keyPlan) onlyKey(c *types.Const) bool {
	sites := 0
	for _, u := range kp.census.Uses(c) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		if !kp.keyPlace(u) {
			return false
		}
		sites++
	}
	name := strings.ToLower(c.Name())
	return sites > 0 || strings.HasSuffix(name, "key")
}

// keyPlace reports whether a use of a constant is the place of a key in the census, or an argument for a parameter that is one.
func (kp *keyPlan) keyPlace(u census.Use) bool {
	e := kp.census.NameExpr(u.File, u.Ident)
	if kp.census.NamesKey(e) {
		return true
	}
	parent, child := kp.census.Outer(u.File, e)
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := census.Callee(u.Pkg.Info, call)
	if fn == nil {
		return false
	}
	for i, a := range call.Args {
		if ast.Node(a) == child && i < fn.Signature().Params().Len() {
			return kp.paramIsKey(fn.Origin().Signature().Params().At(i))
		}
	}
	return false
}

// paramIsKey reports whether every mention of a parameter is the place of a key.
func (kp *keyPlan) paramIsKey(v *types.Var) bool {
	n := 0
	for _, u := range kp.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		if !kp.census.NamesKey(u.Ident) {
			return false
		}
		n++
	}
	return n > 0
}
