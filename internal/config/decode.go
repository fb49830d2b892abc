package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads the content of a file. The error is an [Errors].
func Parse(data []byte, rules []string) (*File, error) {
	f := &File{}
	values, err := Decode(data, f, rules)
	if err != nil {
		return nil, err
	}
	f.values = values
	return f, nil
}

// Decode reads a document into the struct that into points to, by the tags of its fields as [File] has them,
// and returns the settings that it makes by their path. It takes nothing that into does not have, and no
// setting twice. The error is an [Errors].
func Decode(data []byte, into any, rules []string) (map[string]Value, error) {
	d := &decoder{values: map[string]Value{}, rules: rules}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return d.values, nil
	} else if err != nil {
		return nil, Errors{syntaxError(err)}
	}
	if root := doc.Content[0]; !isNull(root) {
		d.value(root, reflect.ValueOf(into).Elem(), "", "")
	}
	if err := dec.Decode(&more); err == nil {
		d.wrong(more.Content[0], "a second document: the file has one")
	} else if !errors.Is(err, io.EOF) {
		d.errs = append(d.errs, syntaxError(err))
	}
	if len(d.errs) > 0 {
		d.errs.sort()
		return nil, d.errs
	}
	return d.values, nil
}

// yamlLine is how the library tells the line of a mistake.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func syntaxError(err error) *Error {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return &Error{Line: 1, Message: text}
	}
	line, _ := strconv.Atoi(m[1])
	return &Error{Line: max(line, 1), Message: "not YAML: " + text[len(m[0]):]}
}

// A decoder carries the document over into a struct, and notes what is wrong on the way.
type decoder struct {
	values map[string]Value
	rules  []string
	errs   Errors
}

func (d *decoder) wrong(n *yaml.Node, format string, args ...any) *Error {
	e := &Error{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
	d.errs = append(d.errs, e)
	return e
}

// unknown notes a word that is none of some.
func (d *decoder) unknown(n *yaml.Node, what string, known []string) {
	e := d.wrong(n, "unknown %s %q", what, n.Value)
	e.Word, e.Known = n.Value, known
}

// value sets v to what a node says. The tag is that of the field that v is, path its setting.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.wrong(n, "anchors and aliases are not understood here: write it out")
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path, tag)
	case reflect.Struct:
		if rule, ok := v.Addr().Interface().(*Rule); ok && n.Kind == yaml.ScalarNode {
			rule.On = new(bool)
			d.value(n, reflect.ValueOf(rule.On).Elem(), path, "")
			return
		}
		d.mapping(n, v, path)
	case reflect.Map:
		d.byName(n, v, path)
	case reflect.Slice:
		d.list(n, v, path, tag)
	default:
		d.scalar(n, v, path, tag)
	}
}

// pairs calls use with the keys and values of a mapping, each key once.
func (d *decoder) pairs(n *yaml.Node, what string, use func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, "%s is %s, want a mapping", what, kindOf(n))
		return
	}
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch first := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			d.wrong(key, "anchors, aliases and merged mappings are not understood here: write it out")
		case first != nil:
			d.wrong(key, "%s is there twice, first in line %d", key.Value, first.Line)
		default:
			seen[key.Value] = key
			use(key, value)
		}
	}
}

// mapping fills a struct.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	given := map[string]bool{}
	d.pairs(n, cmp.Or(path, "the file"), func(key, value *yaml.Node) {
		i := slices.Index(names, key.Value)
		if i < 0 {
			d.unknown(key, "field", names)
			return
		}
		given[key.Value] = true
		if isNull(value) {
			d.wrong(value, "%s has no value", key.Value)
			return
		}
		d.value(value, v.FieldByIndex(fields[i].Index), join(path, key.Value), fields[i].Tag)
	})
	for _, f := range fields {
		if n.Kind == yaml.MappingNode && f.Tag.Get("required") != "" && !given[f.name] {
			d.wrong(n, "%s is missing", f.name)
		}
	}
}

// byName fills the map of rules.
func (d *decoder) byName(n *yaml.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(n, path, func(key, value *yaml.Node) {
		if !slices.Contains(d.rules, key.Value) {
			d.unknown(key, "rule", d.rules)
			return
		}
		if isNull(value) {
			d.wrong(value, "%s has no value: write true or false", key.Value)
			return
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(value, elem, join(path, key.Value), "")
		v.SetMapIndex(reflect.ValueOf(key.Value), elem)
	})
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, "%s is %s, want a list", path, kindOf(n))
		return
	}
	at := Value{Line: n.Line, Column: n.Column}
	for i, item := range n.Content {
		elem := reflect.New(v.Type().Elem()).Elem()
		name := fmt.Sprintf("%s[%d]", path, i+1)
		if isNull(item) {
			d.wrong(item, "%s has no value", name)
			continue
		}
		d.value(item, elem, name, tag)
		v.Set(reflect.Append(v, elem))
		at.Words = append(at.Words, item.Value)
	}
	d.values[path] = at
}

// scalar sets a word, a number or a truth value.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	want := map[reflect.Kind]string{reflect.String: "text", reflect.Int: "a number", reflect.Bool: "true or false"}[v.Kind()]
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && v.Kind() == reflect.String || n.Tag != "!!int" && v.Kind() == reflect.Int || n.Tag != "!!bool" && v.Kind() == reflect.Bool {
		d.wrong(n, "%s is %s, want %s", path, kindOf(n), want)
		return
	}
	d.values[path] = Value{Words: []string{n.Value}, Line: n.Line, Column: n.Column}
	if allowed := tag.Get("enum"); allowed != "" {
		if words := strings.Split(allowed, ","); !slices.Contains(words, n.Value) {
			d.wrong(n, "%s is %q, want %s", path, n.Value, orList(words))
			e := d.errs[len(d.errs)-1]
			e.Word, e.Known = n.Value, words
			return
		}
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
		var err error
		switch w := v.Interface().(type) {
		case word:
			err = w.check()
		case Checker:
			err = w.Check()
		}
		if err != nil {
			d.wrong(n, "%s: %q %v", path, n.Value, err)
		}
	case reflect.Bool:
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if least, _ := strconv.Atoi(tag.Get("min")); err != nil || i < least {
			d.wrong(n, "%s is %s, want a number from %d", path, n.Value, least)
			return
		}
		v.SetInt(int64(i))
	}
}

// A field is a field of the file: one of a struct.
type field struct {
	reflect.StructField
	name string
}

// fieldsOf returns the fields that the file may have for a struct, in the order of their declaration.
func fieldsOf(t reflect.Type) []field {
	var list []field
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" && name != "-" {
			list = append(list, field{f, name})
		}
	}
	return list
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// kindOf says what a node is, as people call it.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the truth value " + n.Value
	case "!!str":
		return fmt.Sprintf("the text %q", n.Value)
	}
	return n.Value
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// orList returns "a, b or c".
func orList(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
