package plan

import (
	"go/token"

	"github.com/ctxmend/ctxmend/rules"
)

// shadowContext makes an assignment a declaration.
func (d *draft) shadowContext(in *rules.ShadowContext) error {
	d.splice(in.File, in.Assign.TokPos, in.Assign.TokPos+token.Pos(len("=")), Lit(":="))
	return nil
}
