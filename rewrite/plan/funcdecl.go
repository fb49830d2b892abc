package plan

// Func declares a function.
type Func struct {
	Name string
	// Source is the whole declaration in Go syntax with references, without documentation.
	Source Text
	Doc    string // without "//"; "" for none
}

func (*Func) decl() {}
