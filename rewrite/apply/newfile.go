package apply

import (
	"fmt"
	"go/format"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// A newFile collects the declarations of a file to be created.
type newFile struct {
	job                         *job
	name, pkgPath, pkgName, dir string
	decls                       []*addedDecl
}

func (f *newFile) units() []int { return unitsOf(f.decls) }

// build returns the content of the file, gofmt'd and with LF line ends.
func (f *newFile) build() ([]byte, error) {
	imports, name, err := f.imports()
	if err != nil {
		return nil, err
	}
	text, err := declText(f.decls, name)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if x := f.decls[0].Constraint; x != "" {
		fmt.Fprintf(&b, "//go:build %s\n\n", x)
	}
	for _, d := range f.decls {
		if d.PkgDoc != "" {
			fmt.Fprintf(&b, "// %s\n", d.PkgDoc)
			break
		}
	}
	fmt.Fprintf(&b, "package %s\n\n", f.pkgName)
	if len(imports) > 0 {
		b.WriteString(f.job.importDecl(imports))
		b.WriteString("\n\n")
	}
	b.WriteString(text)
	b.WriteString("\n")
	out, err := format.Source([]byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("%s does not parse: %w", f.job.rel(f.name), err)
	}
	return out, nil
}

// imports chooses the imports the declarations need, and how to write references with them.
func (f *newFile) imports() ([]*addedImport, namer, error) {
	taken := f.job.takenNames(f.dir, f.pkgName)
	packages := make(map[string]string)
	for _, d := range f.decls {
		for _, r := range declRefs(d.Decl) {
			if r.PkgPath == f.pkgPath {
				continue
			}
			if r.PkgPath == "" || r.PkgName == "" {
				return nil, nil, &unitsError{d.units, fmt.Errorf("%s has no package", r.Name)}
			}
			packages[r.PkgPath] = r.PkgName
		}
	}
	locals := make(map[string]string)
	var imports []*addedImport
	for _, p := range sortedKeys(packages) {
		local, ok := pickName(p, packages[p], func(s string) bool {
			return !taken[s] && types.Universe.Lookup(s) == nil
		})
		if !ok {
			return nil, nil, fmt.Errorf("%s: no free name for package %s", f.job.rel(f.name), p)
		}
		taken[local] = true
		locals[p] = local
		imports = append(imports, &addedImport{p, local, local != packages[p] || assumedName(p) != packages[p]})
	}
	sortImports(imports)
	name := func(r plan.Ref) (string, error) {
		if r.PkgPath == f.pkgPath {
			return r.Name, nil
		}
		return locals[r.PkgPath] + "." + r.Name, nil
	}
	return imports, name, nil
}
