package rules

import (
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
)

// TextKeys asks for keys that are texts in the wrong type, []byte("user"), to become constants of a private
// string type, those of one package at once.
type TextKeys struct {
	PkgPath string
	Keys    []*TextKey
}

// A TextKey is one text with its sites.
type TextKey struct {
	// Text is the constant text.
	Text  string
	Sites []*census.Site
}

// UnitID names the unit by the package and the texts.
func (in *TextKeys) UnitID() string {
	var texts []string
	for _, k := range in.Keys {
		texts = append(texts, k.Text)
	}
	return "badkey:" + in.PkgPath + ":" + strings.Join(texts, ",")
}
