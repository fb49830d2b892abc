package program

import (
	"fmt"
	"go/ast"
	"go/token"
)

// Programs are not nested without end: the deepest of a thousand that were measured is at a hundred. The type checker and
// everything that follows takes time and memory that grow with the square of the depth, or worse.
const (
	maxDepth = 1000
	// maxOperands is how many operands one after the other, of + between texts for one, count as one level.
	maxOperands = 10_000
)

// tooDeep returns an error if the syntax of a file is nested too deeply.
func tooDeep(f *File) error {
	d := depth{}
	ast.Walk(&d, f.AST)
	if !d.at.IsValid() {
		return nil
	}
	return fmt.Errorf("%s:%d: the code here is nested too deeply to be read: there are more than %d levels, or %d operands in a row",
		f.Rel, f.Tok.PositionFor(d.at, false).Line, maxDepth, maxOperands)
}

// A depth is an [ast.Visitor] that counts levels. A first operand is on the level of its operator.
type depth struct {
	path []ast.Node
	// levels and operands are those of the node visited.
	levels, operands int
	at               token.Pos // where there are too many
}

func (d *depth) Visit(n ast.Node) ast.Visitor {
	if n == nil {
		last := len(d.path) - 1
		d.count(d.path[last], last, -1)
		d.path = d.path[:last]
		return nil
	}
	d.count(n, len(d.path), 1)
	d.path = append(d.path, n)
	if d.levels > maxDepth || d.operands > maxOperands {
		d.at = n.Pos()
	}
	if d.at.IsValid() {
		d.count(n, len(d.path)-1, -1)
		d.path = d.path[:len(d.path)-1]
		return nil
	}
	return d
}

// count adds to the levels, or the operands, of what is below the first nodes of the path.
func (d *depth) count(n ast.Node, above, by int) {
	if above > 0 {
		if outer, ok := d.path[above-1].(*ast.BinaryExpr); ok && outer.X == n {
			if _, ok := n.(*ast.BinaryExpr); ok {
				d.operands += by
				return
			}
		}
	}
	d.levels += by
}
