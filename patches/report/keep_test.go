package report

import (
	"reflect"
	"testing"
)

// TestReportIsWhole: encoding/gob, which reports are kept with, passes over fields that are not exported.
func TestReportIsWhole(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			visit(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				if f := typ.Field(i); !f.IsExported() {
					t.Errorf("%v.%s would be lost", typ, f.Name)
				} else {
					visit(f.Type)
				}
			}
		}
	}
	visit(reflect.TypeFor[Report]())
}
