package config

import (
	"fmt"
	"io"
	"os"
	"slices"
)

// A File is the content of a .ctxmend.yaml. The zero value of a field means that the file does not say.
type File struct {
	// Name is the absolute file name.
	Name string `yaml:"-"`

	Version    int             `yaml:"version" enum:"1" doc:"version of this format"`
	Level      string          `yaml:"level" enum:"safe,review" doc:"how far fixes go: safe, or review for those that may change behaviour or exported API"`
	Rules      map[string]Rule `yaml:"rules" doc:"rules by name: true or false to switch one on or off, or a mapping that says more"`
	Exclude    []Glob          `yaml:"exclude" doc:"files and directories in which nothing is reported; a fix that begins elsewhere still edits there, as it must"`
	Generated  []Glob          `yaml:"generated" doc:"files that a generator writes without saying so in their first lines: they are never edited"`
	Keys       Keys            `yaml:"keys" doc:"what new keys look like"`
	API        string          `yaml:"api" enum:"preserve,break" doc:"what a new parameter does to exported functions of importable packages"`
	Goroutines Goroutines      `yaml:"goroutines" doc:"what goroutines get, and who starts and awaits them"`
	Forwarders []Forwarder     `yaml:"forwarders" doc:"functions that store or look up their argument as a key by ways that cannot be read from their body"`
	Stores     []Store         `yaml:"stores" doc:"types of frameworks that keep values by key for the contexts they hand out"`
	Build      Build           `yaml:"build" doc:"what is loaded"`

	// values are the settings that the file makes, by their path: keys.style.
	values map[string]Value
}

// A Rule is what the file says about one rule.
type Rule struct {
	// On is nil where the file leaves that to the default.
	On      *bool  `yaml:"on" doc:"whether the rule runs"`
	Level   string `yaml:"level" enum:"report,safe,review" doc:"how far its fixes go: report means not at all"`
	Exclude []Glob `yaml:"exclude" doc:"files and directories in which it reports nothing"`
}

// Keys says what new keys look like.
type Keys struct {
	Style     string     `yaml:"style" enum:"auto,struct,string,enum" doc:"kind of key: what the package already does, an empty struct, or constants of a named string or integer type"`
	Package   ImportPath `yaml:"package" doc:"import path of the package that gets new keys; the one that fits best by default"`
	Accessors string     `yaml:"accessors" enum:"auto,always,never" doc:"whether keys get accessor functions"`
}

// Goroutines says what goroutines get, and who starts and awaits them.
type Goroutines struct {
	Context string     `yaml:"context" enum:"auto,inherit,detach" doc:"what goroutines get: their caller's context, its values alone, or what evidence tells"`
	Starts  []FuncName `yaml:"starts" doc:"functions that run their function argument on a goroutine of its own"`
	Joins   []FuncName `yaml:"joins" doc:"functions that wait for the goroutines of their receiver or argument, as (*sync.WaitGroup).Wait does"`
}

// A Forwarder is a function whose argument is a key.
type Forwarder struct {
	Func FuncName `yaml:"func" required:"true" doc:"the function: example.com/kv.Put, or (*example.com/kv.Store).Put for a method"`
	Key  int      `yaml:"key" required:"true" min:"1" doc:"which argument is the key, from 1; the receiver does not count"`
	As   string   `yaml:"as" required:"true" enum:"writer,reader" doc:"whether a value is stored under the key or looked up"`
}

// A Store is a type that keeps values by key. The key is the first argument of its methods.
type Store struct {
	Type TypeName     `yaml:"type" required:"true" doc:"the type: example.com/web.Context"`
	Set  []MethodName `yaml:"set" doc:"methods that store a value under their first argument"`
	Get  []MethodName `yaml:"get" doc:"methods that look up their first argument"`
}

// Build says what is loaded.
type Build struct {
	Tags      []string   `yaml:"tags" doc:"build tags"`
	Platforms []Platform `yaml:"platforms" doc:"build configurations, GOOS/GOARCH"`
	Tests     *bool      `yaml:"tests" doc:"whether test files are loaded"`
}

// A Value is one setting as the file spells it, and where.
type Value struct {
	// Words is the setting's one word, or those of its list.
	Words  []string
	Line   int
	Column int
}

// Value returns the setting with the given path, and whether the file makes it.
func (f *File) Value(path string) (Value, bool) {
	if f == nil {
		return Value{}, false
	}
	v, ok := f.values[path]
	return v, ok
}

// Paths are the settings that the file makes, sorted.
func (f *File) Paths() []string {
	if f == nil {
		return nil
	}
	var list []string
	for path := range f.values {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

// maxSize is far more than anybody writes by hand.
const maxSize = 1 << 20

// Read reads a file. Rules are the names of those there are. The error is an [Errors] when the content is
// wrong.
func Read(name string, rules []string) (*File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s has more than %d bytes", name, maxSize)
	}
	f, err := Parse(data, rules)
	if f != nil {
		f.Name = name
	}
	return f, err
}
