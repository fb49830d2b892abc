package config

import (
	_ "embed"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed example.yaml
var example string

// Example returns a file that makes every setting there is.
func Example() string { return example }

// Schema returns the JSON schema of the file, for editors. Rules are the names of those there are.
func Schema(rules []string) []byte {
	return SchemaOf(reflect.TypeFor[File](), "configuration of ctxmend", rules)
}

// SchemaOf returns the JSON schema of what [Decode] reads into a struct.
func SchemaOf(t reflect.Type, title string, rules []string) []byte {
	root := object(t, rules)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = title
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // there is nothing in it but maps, lists and text
	}
	return append(data, '\n')
}

// object describes a struct.
func object(t reflect.Type, rules []string) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, f := range fieldsOf(t) {
		s := schemaOf(f.Type, f.Tag, rules)
		s["description"] = f.Tag.Get("doc")
		properties[f.name] = s
		if f.Tag.Get("required") != "" {
			required = append(required, f.name)
		}
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// schemaOf describes a field.
func schemaOf(t reflect.Type, tag reflect.StructTag, rules []string) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), tag, rules)
	case reflect.Struct:
		s := object(t, rules)
		if t == reflect.TypeFor[Rule]() {
			return map[string]any{"oneOf": []any{map[string]any{"type": "boolean"}, s}}
		}
		return s
	case reflect.Map:
		properties := map[string]any{}
		for _, name := range rules {
			properties[name] = schemaOf(t.Elem(), "", rules)
		}
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), tag, rules)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		s := map[string]any{"type": "integer"}
		if least, err := strconv.Atoi(tag.Get("min")); err == nil {
			s["minimum"] = least
		}
		if only, err := strconv.Atoi(tag.Get("enum")); err == nil {
			s["const"] = only
		}
		return s
	}
	s := map[string]any{"type": "string"}
	if words := tag.Get("enum"); words != "" {
		s["enum"] = strings.Split(words, ",")
	}
	return s
}

// Fields returns the names of the fields that the entries of a list have, in the order of their documentation.
func Fields(path string) []string {
	var names []string
	for _, f := range fieldsOf(entry(path)) {
		names = append(names, f.name)
	}
	return names
}

// IsList reports whether a field of the entries of a list is itself a list.
func IsList(path, name string) bool {
	return slices.ContainsFunc(fieldsOf(entry(path)), func(f field) bool { return f.name == name && f.Type.Kind() == reflect.Slice })
}

// entry returns the type of the entries of a list at the top of the file.
func entry(path string) reflect.Type {
	for _, f := range fieldsOf(reflect.TypeFor[File]()) {
		if f.name == path {
			return f.Type.Elem()
		}
	}
	panic("config: no list " + path)
}

// plain are words that mean themselves to YAML, wherever they stand.
var plain = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./-]*$`)

// Quote writes a word so that YAML reads it as that text, or as the number or truth value that it is.
func Quote(w string) string {
	if _, err := strconv.Atoi(w); err == nil || plain.MatchString(w) && !slices.Contains([]string{"null", "Null", "NULL"}, w) {
		return w
	}
	return strconv.Quote(w)
}

// Words returns what a setting with a fixed choice of words may be, nil for others.
func Words(path string) []string {
	t := reflect.TypeFor[File]()
	var words []string
	for name := range strings.SplitSeq(path, ".") {
		for _, f := range fieldsOf(t) {
			if f.name == name {
				t, words = f.Type, nil
				if list := f.Tag.Get("enum"); list != "" {
					words = strings.Split(list, ",")
				}
				break
			}
		}
		if t.Kind() != reflect.Struct {
			break
		}
	}
	return words
}
