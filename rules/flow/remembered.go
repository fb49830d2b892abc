package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// What is asked about each of many places of one long function, a table of goroutines for example, is remembered here: to go through the
// function again for each of them would take time that is quadratic in its length.
type remembered struct {
	lifetimes map[startOf]Lifetime
	waits     map[waitsOf][]ast.Node
	mates     map[varOf][]mate
	preceded  map[listOf]*preceded
	memos     map[declOf]bool
	sharings  map[declOf]*sharing
	assigns   map[varIn][]*ast.AssignStmt
	// handings and endedParams cache handingOf and givenEnded.
	handings    map[paramAt]*handing
	endedParams map[paramAt]bool
	// runs caches RunOf, parallels madeParallel.
	runs      map[callable]Run
	parallels map[*types.Var]bool
	// registrars caches registering.
	registrars map[*types.Func]bool
	// graphs, assigned and touching cache graphOf, assignedIn and touches.
	graphs   map[waitsOf]*graph
	assigned map[waitsOf][]ast.Expr
	touching map[waitsOf][]ast.Node
	// cuts caches CutShort, endings cancelsOf, endChans tellsEnd.
	cuts     map[cutOf]bool
	endings  map[varOf][]ending
	endChans map[endChan]bool
	// final caches endsItself.
	final map[*types.Func]bool
	// swallowing caches swallows, leftovers leftBy.
	swallowing map[*types.Func]bool
	leftovers  map[waitsOf]unseen
	// lasting are the places of calls that lasts has found.
	lasting map[token.Pos]bool
	// persisting caches Persists.
	persisting map[ast.Node]bool
	// lastings and workers cache returnsAtEnd and countsUntilEnd.
	lastings map[atEnd]bool
	workers  map[*types.Var]bool
	// touched caches touchedAtEnd.
	touched map[*types.Var]bool
}

func newRemembered() remembered {
	return remembered{
		lifetimes:   map[startOf]Lifetime{},
		waits:       map[waitsOf][]ast.Node{},
		mates:       map[varOf][]mate{},
		preceded:    map[listOf]*preceded{},
		memos:       map[declOf]bool{},
		sharings:    map[declOf]*sharing{},
		assigns:     map[varIn][]*ast.AssignStmt{},
		handings:    map[paramAt]*handing{},
		endedParams: map[paramAt]bool{},
		runs:        map[callable]Run{},
		parallels:   map[*types.Var]bool{},
		graphs:      map[waitsOf]*graph{},
		assigned:    map[waitsOf][]ast.Expr{},
		touching:    map[waitsOf][]ast.Node{},
		cuts:        map[cutOf]bool{},
		endings:     map[varOf][]ending{},
		endChans:    map[endChan]bool{},
		final:       map[*types.Func]bool{},
		swallowing:  map[*types.Func]bool{},
		leftovers:   map[waitsOf]unseen{},
		lasting:     map[token.Pos]bool{},
		persisting:  map[ast.Node]bool{},
		lastings:    map[atEnd]bool{},
		workers:     map[*types.Var]bool{},
		touched:     map[*types.Var]bool{},
	}
}

// A startOf is the start of a goroutine in a package.
type startOf struct {
	pkg  *program.Package
	node ast.Node
}

// An endChan is a variable with a channel, and what kind of context it may tell the end of.
type endChan struct {
	v    *types.Var
	kind Kind
}

// A declOf is a function of a package.
type declOf struct {
	pkg  *program.Package
	decl *ast.FuncDecl
}

// A waitsOf is the body of a function of a package. idents is set where each name counts.
type waitsOf struct {
	pkg    *program.Package
	body   *ast.BlockStmt
	idents bool
}

// waitsIn returns what may wait for a goroutine in the body of a function: calls, receives, loops over channels, literals with
// such in them, in the order of the source; with idents all names as well.
func (f *Flow) waitsIn(pkg *program.Package, file *program.File, body *ast.BlockStmt, idents bool) []ast.Node {
	key := waitsOf{pkg, body, idents}
	list, known := f.waits[key]
	if !known {
		ast.Inspect(body, func(n ast.Node) bool {
			if lit, ok := n.(*ast.FuncLit); ok {
				if f.hasWait(lit.Body) {
					list = append(list, lit)
				}
				return f.RunOf(pkg, file, lit) <= AtEnd
			}
			if _, ok := n.(*ast.Ident); f.maySignal(n) || ok && idents {
				list = append(list, n)
			}
			return true
		})
		f.waits[key] = list
	}
	return list
}

// hasWait reports whether something in a body may wait.
func (f *Flow) hasWait(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		found = found || f.maySignal(n)
		return !found
	})
	return found
}

// maySignal reports whether a node may wait for a goroutine by itself: a call of Wait or of what users name, a receive, a loop.
func (f *Flow) maySignal(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
		return len(f.prog.Hints.Joins) > 0 || ok && sel.Sel.Name == "Wait"
	case *ast.UnaryExpr:
		return n.Op == token.ARROW
	case *ast.RangeStmt:
		return true
	}
	return false
}

// A varOf is a variable as one file of a package uses it.
type varOf struct {
	pkg  *program.Package
	file *program.File
	v    *types.Var
}

// A mate is a variable that an assignment defines together with a context.
type mate struct {
	pos token.Pos // of the assignment
	v   *types.Var
}

// matesOf returns what is defined together with a context, in the order of the source.
func (f *Flow) matesOf(pkg *program.Package, file *program.File, source *types.Var) []mate {
	key := varOf{pkg, file, source}
	list, known := f.mates[key]
	if !known {
		for _, u := range f.census.Uses(source) {
			parent, child := f.census.Outer(u.File, u.Ident)
			as, ok := parent.(*ast.AssignStmt)
			if !ok || len(as.Rhs) != 1 || len(as.Lhs) < 2 || u.File != file {
				continue
			}
			for _, lhs := range as.Lhs {
				if id, ok := lhs.(*ast.Ident); ok && ast.Node(lhs) != child {
					if v, ok := pkg.Info.ObjectOf(id).(*types.Var); ok {
						list = append(list, mate{as.Pos(), v})
					}
				}
			}
		}
		slices.SortStableFunc(list, func(a, b mate) int { return int(a.pos - b.pos) })
		f.mates[key] = list
	}
	return list
}

// A listOf is a list of statements in which a context may end, as long as it has a number of mates.
type listOf struct {
	varOf
	list   *ast.Stmt // the first of them
	mates  int
	surely bool
	test   bool
}

// preceded is how far such a list has been looked at, and what was found.
type preceded struct {
	behind []reason // the statements from the first one on
	unseen unseen   // behind the last of them
}

// A reason says why a context may have ended; there is none without why. sure is set where nothing that follows takes it back.
type reason struct {
	pos  token.Pos
	why  string
	sure bool
	// unseen are the errors that are the reason, unless it is sure.
	unseen unseen
}

// A varIn is a variable as one file uses it.
type varIn struct {
	file *program.File
	v    *types.Var
}

// assignsTo returns the statements of a file that give a variable a value of its own.
func (f *Flow) assignsTo(file *program.File, v *types.Var) []*ast.AssignStmt {
	key := varIn{file, v}
	list, known := f.assigns[key]
	if !known {
		for _, u := range f.census.Uses(v) {
			parent, child := f.census.Outer(u.File, u.Ident)
			as, ok := parent.(*ast.AssignStmt)
			if ok && u.File == file && len(as.Lhs) == len(as.Rhs) && slices.ContainsFunc(as.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child }) {
				list = append(list, as)
			}
		}
		f.assigns[key] = list
	}
	return list
}
