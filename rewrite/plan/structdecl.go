package plan

// Struct declares `type Name struct { ... }`.
type Struct struct {
	Name   string
	Fields []StructField
	Doc    string // without "//"; "" for none
}

// A StructField is a field of a struct type to add.
type StructField struct {
	Name string
	// Type is Go syntax with references.
	Type Text
}

func (*Struct) decl() {}
