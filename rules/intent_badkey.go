package rules

import (
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
)

// TextKeys asks for keys that are texts in the wrong type, []byte("user"), to become constants of a private
// string type, those of one package at once.
type TextKeys struct {
	PkgPath string
	Keys    []*TextKey
}

// A TextKey is one text of one type with its sites. A site names the text itself, or a variable that holds it and serves
// for nothing but keys.
type TextKey struct {
	// Text is the constant text.
	Text  string
	Sites []*census.Site
}

// RetypeText asks for a type whose values are texts in slices, type key []byte, to become a string type.
type RetypeText struct {
	Type  *types.TypeName
	Sites []*census.Site
}

// UnitID names the unit by the type.
func (in *RetypeText) UnitID() string { return "badkey:" + in.Type.Pkg().Path() + "." + in.Type.Name() }

// UnitID names the unit by the package and the texts.
func (in *TextKeys) UnitID() string {
	var texts []string
	for _, k := range in.Keys {
		texts = append(texts, k.Text)
	}
	return "badkey:" + in.PkgPath + ":" + strings.Join(texts, ",")
}
