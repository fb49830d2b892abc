package apply

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"sort"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

const contextPath = "context"

// contextRef refers to a name of package context.
func contextRef(name string) plan.Ref {
	return plan.Ref{PkgPath: contextPath, PkgName: "context", Name: name}
}

// declRefs returns the references a declaration makes, apart from its own name.
func declRefs(d plan.Decl) []plan.Ref {
	switch d := d.(type) {
	case *plan.KeyConst:
		if d.Type == (plan.Ref{}) {
			return nil
		}
		return []plan.Ref{d.Type}
	case *plan.Struct:
		return structRefs(d)
	case *plan.Func:
		return textRefs(d.Source)
	case *plan.Accessor:
		refs := []plan.Ref{contextRef("Context"), d.Key}
		if d.Kind == plan.With {
			refs = append(refs, contextRef("WithValue"))
		}
		for _, p := range d.Value {
			if p.Ref != nil {
				refs = append(refs, *p.Ref)
			}
		}
		return refs
	}
	return nil
}

// addDecl takes over a declaration for an existing file.
func (f *fileJob) addDecl(d *addedDecl) error {
	if hasLineDirectives(f.file.AST) {
		return fmt.Errorf("%s has //line directives; add %s by hand", f.file.Rel, d.ID)
	}
	if d.After != nil && !slices.Contains(f.file.AST.Decls, d.After) {
		return fmt.Errorf("%s: the declaration that %s should follow is not in the file", f.file.Rel, d.ID)
	}
	f.decls = append(f.decls, d)
	return nil
}

// declEdits returns the edits that add declarations; whole ones go through ed.
func (f *fileJob) declEdits(ed *lineEditor, names *fileNames) ([]*edit, error) {
	name := func(r plan.Ref) (string, error) { return names.text(r, packageLevel) }
	var edits []*edit
	for _, after := range f.declPlaces() {
		var here []*addedDecl
		for _, d := range f.decls {
			if d.place() == after {
				here = append(here, d)
			}
		}
		block, _ := after.(*ast.GenDecl)
		var toBlock []*addedDecl
		if block != nil {
			toBlock, here = f.splitForBlock(block, here)
		}
		if len(toBlock) > 0 {
			more, err := f.appendToBlock(block, toBlock, name)
			if err != nil {
				return nil, err
			}
			edits = append(edits, more...)
		}
		if len(here) == 0 {
			continue
		}
		text, err := declText(here, name)
		if err != nil {
			return nil, err
		}
		line := f.importsEnd(ed)
		if after != nil {
			line = f.behindRemoval(ed, ed.line(f.withTrailing(ed, f.offset(after.End()))-1)+1)
		}
		ed.insert(line, &chunk{rank: rankDecl, text: text, apart: true, units: unitsOf(here)})
	}
	return edits, nil
}

// behindRemoval returns the line where something goes that belongs at the start of a line: that line, or, when another edit
// removes what is around it, the one behind.
func (f *fileJob) behindRemoval(ed *lineEditor, line int) int {
	for moved := true; moved; {
		moved = false
		for _, e := range f.splices {
			at := ed.offset(line)
			if len(e.text) == 0 && e.start < at && at < e.end {
				line, moved = ed.line(max(e.start, e.end-1))+1, true
			}
		}
	}
	return line
}

func isImport(d ast.Decl) bool {
	g, ok := d.(*ast.GenDecl)
	return ok && g.Tok == token.IMPORT
}

// place is the declaration after which d goes, nil for the place after the imports.
func (d *addedDecl) place() ast.Decl {
	if isImport(d.After) {
		return nil
	}
	return d.After
}

// declPlaces returns the places of added declarations in file order; nil is the one
// after the imports.
func (f *fileJob) declPlaces() []ast.Decl {
	var places []ast.Decl
	seen := make(map[ast.Decl]bool)
	for _, d := range f.decls {
		if p := d.place(); !seen[p] {
			seen[p] = true
			places = append(places, p)
		}
	}
	slices.SortStableFunc(places, func(a, b ast.Decl) int {
		switch {
		case a == nil:
			return -1
		case b == nil:
			return 1
		}
		return int(a.Pos() - b.Pos())
	})
	return places
}

func unitsOf(decls []*addedDecl) []int {
	var units []int
	for _, d := range decls {
		for _, u := range d.units {
			units = appendUnit(units, u)
		}
	}
	return units
}

// splitForBlock separates the constants that join an existing const block, because
// it holds constants of their type and does not go as a whole.
func (f *fileJob) splitForBlock(block *ast.GenDecl, decls []*addedDecl) (join, rest []*addedDecl) {
	if block.Tok != token.CONST || !block.Lparen.IsValid() {
		return nil, decls
	}
	if r := f.blockRemoval(block); r != nil {
		if _, all := r.all(); all {
			return nil, decls
		}
	}
	for _, d := range decls {
		if c, ok := d.Decl.(*plan.KeyConst); ok && f.holdsType(block, c.Type) {
			join = append(join, d)
		} else {
			rest = append(rest, d)
		}
	}
	return join, rest
}

// holdsType reports whether a const block holds a constant of a type.
func (f *fileJob) holdsType(block *ast.GenDecl, t plan.Ref) bool {
	packages := f.job.packages[f.file]
	for _, s := range block.Specs {
		vs := s.(*ast.ValueSpec)
		if id, ok := vs.Type.(*ast.Ident); ok && len(packages) == 0 && id.Name == t.Name && t.PkgPath == f.file.PkgPath {
			return true
		}
		for _, p := range packages {
			for _, id := range vs.Names {
				if obj := p.Info.Defs[id]; obj != nil && isNamed(obj.Type(), t) {
					return true
				}
			}
		}
	}
	return false
}

func isNamed(t types.Type, ref plan.Ref) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == ref.Name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == ref.PkgPath
}

// inOrder orders declarations by unit, then by name.
func inOrder(decls []*addedDecl) []*addedDecl {
	sorted := slices.Clone(decls)
	sort.SliceStable(sorted, func(a, b int) bool {
		if x, y := sorted[a].units[0], sorted[b].units[0]; x != y {
			return x < y
		}
		return sorted[a].ID < sorted[b].ID
	})
	return sorted
}

// arrange orders declarations for one place: types, then constants in blocks of one type, then
// accessors key by key. Otherwise they stand in the order of the units, then by name.
func arrange(decls []*addedDecl) (types []*plan.KeyType, consts [][]*plan.KeyConst, accessors []*plan.Accessor) {
	sorted := inOrder(decls)
	blockOf := make(map[plan.Ref]int)
	keyOrder := make(map[plan.Ref]int)
	for _, d := range sorted {
		switch d := d.Decl.(type) {
		case *plan.KeyType:
			types = append(types, d)
		case *plan.KeyConst:
			i, ok := blockOf[d.Type]
			if !ok {
				i = len(consts)
				blockOf[d.Type] = i
				consts = append(consts, nil)
			}
			consts[i] = append(consts[i], d)
		case *plan.Accessor:
			if _, ok := keyOrder[d.Key]; !ok {
				keyOrder[d.Key] = len(keyOrder)
			}
			accessors = append(accessors, d)
		}
	}
	sort.SliceStable(accessors, func(a, b int) bool {
		x, y := accessors[a], accessors[b]
		if keyOrder[x.Key] != keyOrder[y.Key] {
			return keyOrder[x.Key] < keyOrder[y.Key]
		}
		return x.Kind < y.Kind
	})
	return types, consts, accessors
}

// appendToBlock adds constants at the end of a const block. The block is rebuilt, and
// what that changes about its tokens is merged into the original bytes.
func (f *fileJob) appendToBlock(block *ast.GenDecl, decls []*addedDecl, name namer) ([]*edit, error) {
	units := unitsOf(decls)
	start, end := f.offset(block.Pos()), f.offset(block.End())
	old := string(f.src[start:end])
	_, consts, _ := arrange(decls)
	fresh, err := rebuildBlock(old, slices.Concat(consts...), name)
	if err != nil {
		return nil, &unitsError{units, fmt.Errorf("%s: %w", f.at(start), err)}
	}
	changes, err := mergeTokens(old, fresh)
	if err != nil {
		return nil, &unitsError{units, fmt.Errorf("%s: %w", f.at(start), err)}
	}
	var edits []*edit
	for _, c := range changes {
		edits = append(edits, &edit{
			start: start + c.start, end: start + c.end,
			text: plan.Text{plan.Lit(c.text)}, units: units, line: c.start == c.end,
		})
	}
	return edits, nil
}
