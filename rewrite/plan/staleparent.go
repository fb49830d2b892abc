package plan

import "github.com/ctxmend/ctxmend/rules"

// useDerived passes a derived context where its parent was passed.
func (d *draft) useDerived(in *rules.UseDerived) error {
	for _, e := range in.Parents {
		if d.commentIn(in.File, d.offset(in.File, e.Pos()), d.offset(in.File, e.End())) {
			return block("comment", in.File, e.Pos(), "a comment inside would be lost; move it")
		}
		d.splice(in.File, e.Pos(), e.End(), Lit(in.Name))
	}
	d.unit.Notes = append(d.unit.Notes, "the calls now end with "+in.Name)
	return nil
}
