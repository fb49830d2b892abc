package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// chooseNames names the struct after what the keys' names have in common, and the fields after the rest.
func (jp *joinPlan) chooseNames() error {
	list := make([][]string, len(jp.fields))
	for i, f := range jp.fields {
		list[i] = words(jp.stemOf(f.key))
	}
	common := commonWords(list)
	stem := baseName(strings.Join(list[0][:common], "_"))
	if stem == "" || trimmable(stem) { // keyUser, keyTenant
		stem = jp.writerStem()
	}
	var candidates []string
	if stem != "" && !trimmable(stem) {
		candidates = append([]string{stem}, withEndings(stem, "Values", "Info")...)
	} else {
		candidates = []string{"ContextValues", "ContextInfo", "RequestValues"}
	}
	jp.name = jp.freeName(candidates...)
	last := words(jp.name)
	key := jp.name + "Key"
	if jp.opts.Accessors != "never" {
		key = lowerFirst(key)
	}
	jp.key = jp.names.free(jp.home.dir, jp.homePlaces(), key, key+"Type")
	jp.chooseKeyType()
	jp.local = strings.ToLower(last[len(last)-1])
	if strings.EqualFold(jp.local, jp.name) {
		jp.local = "values"
	}
	jp.nameFields(list, common)
	return nil
}

// chooseKeyType finds the type of a key that is to be a constant: one of the home's string types for keys that stays, else a new one.
func (jp *joinPlan) chooseKeyType() {
	switch jp.opts.KeyStyle {
	case "string":
		if jp.keyType = jp.stringType(); jp.keyType != "" {
			return
		}
	case "enum":
	default:
		return
	}
	jp.newType = true
	candidates := []string{"contextKey", "ctxKey"}
	if token.IsExported(jp.key) {
		candidates = []string{"ContextKey", "CtxKey"}
	}
	jp.keyType = jp.names.free(jp.home.dir, jp.homePlaces(), candidates...)
}

// stringType returns a string type of the home for keys, one that stays and under which the new key meets no other; "" for none.
func (jp *joinPlan) stringType() string {
	for _, k := range jp.census.KeyTypes(jp.home.path) {
		named, ok := types.Unalias(k.GoType).(*types.Named)
		if !ok || !isString(named) || named.NumMethods() > 0 || jp.byKey[k] != nil {
			continue
		}
		hidden := slices.ContainsFunc(jp.homePlaces(), func(p place) bool {
			obj := lookup(p, named.Obj().Name())
			return obj == nil || obj.Pos() != named.Obj().Pos()
		})
		open := slices.ContainsFunc(jp.census.KeyTypes(jp.home.path), func(o *census.Key) bool {
			return o.Type == k.Type && (o.Value == "" || o.Value == strconv.Quote(lowerFirst(jp.name)) ||
				jp.census.Elsewhere(o, census.Writer) != nil || jp.census.Elsewhere(o, census.Reader) != nil)
		})
		if !hidden && !open {
			return named.Obj().Name()
		}
	}
	return ""
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// nameFields gives the fields, and their flags, names.
func (jp *joinPlan) nameFields(list [][]string, common int) {
	taken := map[string]bool{}
	free := func(name string) string {
		for n := 1; ; n++ {
			try := name
			if n > 1 {
				try += strconv.Itoa(n)
			}
			if !taken[try] {
				taken[try] = true
				return try
			}
		}
	}
	for i, f := range jp.fields {
		f.name = free(fieldName(strings.Join(list[i][common:], "_"), i, jp.exported))
	}
	for _, f := range jp.fields {
		if f.flag != "" {
			f.flag = free(fieldName("has_"+f.name, 0, jp.exported))
		}
	}
}

// stemOf finds the words that name a key.
func (jp *joinPlan) stemOf(k *census.Key) string {
	var tries []string
	if obj := jp.keyObject(k); obj != nil {
		tries = append(tries, obj.Name())
	}
	if k.Value != "" {
		tries = append(tries, strings.Trim(k.Value, `"`))
	}
	for _, t := range tries {
		if b := baseName(t); b != "" && b != "Context" && b != "Key" && b != "Ctx" {
			return b
		}
	}
	return "Value"
}

// commonWords counts the words that all names begin with; each keeps one of its own.
func commonWords(list [][]string) int {
	n := len(list[0]) - 1
	for _, l := range list[1:] {
		n = min(n, len(l)-1)
		for i := range n {
			if !strings.EqualFold(l[i], list[0][i]) {
				n = i
				break
			}
		}
	}
	return max(n, 0)
}

// writerStem takes a name from a function that does the attaching: WithIdentity attaches an identity.
func (jp *joinPlan) writerStem() string {
	for _, ch := range jp.in.Chains {
		s := ch.Links[0]
		decl, ok := jp.topDecl(s.File, s.Expr).(*ast.FuncDecl)
		if !ok {
			continue
		}
		if list := words(decl.Name.Name); len(list) > 1 && strings.EqualFold(list[0], "with") {
			return baseName(strings.Join(list[1:], "_"))
		}
	}
	return ""
}

func (jp *joinPlan) freeName(candidates ...string) string {
	if !jp.exported {
		for i, c := range candidates {
			candidates[i] = lowerFirst(c)
		}
	}
	return jp.names.free(jp.home.dir, jp.homePlaces(), candidates...)
}

// homePlaces are the places in the home package where its names are written bare.
func (jp *joinPlan) homePlaces() []place {
	var at []place
	for _, s := range jp.named() {
		if !jp.foreign(s) {
			at = append(at, place{s.Pkg, s.Expr.Pos()})
		}
	}
	return at
}

// topDecl returns the package-level declaration around a node.
func (d *draft) topDecl(f *program.File, n ast.Node) ast.Decl {
	for _, decl := range f.AST.Decls {
		if decl.Pos() <= n.Pos() && n.Pos() < decl.End() {
			return decl
		}
	}
	return nil
}

// A joinLocal is a variable that the plan declares, with where it is in scope.
type joinLocal struct {
	name     string
	from, to token.Pos
}

// localName returns a name for a variable declared in a statement, one that means nothing else in the whole declaration
// around it and is not in scope by the plan, and reserves it.
func (jp *joinPlan) localName(f *program.File, stmt ast.Node, tries ...string) string {
	decl := jp.topDecl(f, stmt)
	used := jp.used[decl]
	if used == nil {
		used = map[string]bool{jp.name: true, jp.key: true, jp.home.name: true, "context": true}
		ast.Inspect(decl, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				used[id.Name] = true
			}
			return true
		})
		jp.used[decl] = used
	}
	here := joinLocal{from: stmt.Pos(), to: jp.census.Parent(f, stmt).End()}
	clash := func(l joinLocal) bool { return l.name == here.name && l.from < here.to && here.from < l.to }
	for i := 1; ; i++ {
		for _, name := range tries {
			if i > 1 {
				name += strconv.Itoa(i)
			}
			here.name = name
			if !used[name] && !token.IsKeyword(name) && types.Universe.Lookup(name) == nil && !slices.ContainsFunc(jp.locals[decl], clash) {
				jp.locals[decl] = append(jp.locals[decl], here)
				return name
			}
		}
	}
}
