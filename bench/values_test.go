package bench

import (
	"context"
	"fmt"
	"testing"
)

// The benchmarks of this file show the mechanisms alone, without a program around them: what keys, payloads and chains
// cost with one to five layers of values, and what the form costs that ctxmend makes of them. Times are processor times.

type textKey string

type emptyKey struct{}

type pointerKey struct{ name string }

const typedUser textKey = "user"

var pointedUser = &pointerKey{"user"}

// layer is the key of a value that lies above the one looked for.
type layer int

// over lays n-1 other values over what ctx carries.
func over(ctx context.Context, n int) context.Context {
	if n <= 1 {
		return ctx
	}
	return over(context.WithValue(ctx, layer(n), n), n-1)
}

// BenchmarkKeys looks up a value under a key of each kind, through the layers above it.
func BenchmarkKeys(b *testing.B) {
	before := func(ctx context.Context) any { return ctx.Value("user") } //ctxmend:ignore builtinkey that is what is measured
	for _, kind := range []struct {
		name string
		key  any
		get  func(ctx context.Context) any
	}{
		{"string-to-typed-string", typedUser, func(ctx context.Context) any { return ctx.Value(typedUser) }},
		{"string-to-empty-struct", emptyKey{}, func(ctx context.Context) any { return ctx.Value(emptyKey{}) }},
		{"string-to-pointer", pointedUser, func(ctx context.Context) any { return ctx.Value(pointedUser) }},
	} {
		perLayers(b, kind.name, func(n int) (func(), func()) {
			text := over(context.WithValue(context.Background(), "user", b), n) //ctxmend:ignore builtinkey that is what is measured
			typed := over(context.WithValue(context.Background(), kind.key, b), n)
			return func() { before(text) }, func() { kind.get(typed) }
		})
	}
}

// names are the indexes of a record in a map.
var names = [maxLayers]string{"user", "tenant", "role", "locale", "plan"}

// A record is the same as a struct. It has all fields, however many are set.
type record struct{ user, tenant, role, locale, plan int }

// BenchmarkPayload stores a record with as many fields as there are layers, and reads each of them.
func BenchmarkPayload(b *testing.B) {
	perLayers(b, "map-to-struct", func(n int) (func(), func()) {
		asMap := func() {
			m := map[string]any{}
			for i := range n {
				m[names[i]] = 1000 + i
			}
			got, _ := context.WithValue(context.Background(), emptyKey{}, m).Value(emptyKey{}).(map[string]any)
			sum := 0
			for i := range n {
				v, _ := got[names[i]].(int)
				sum += v
			}
			sink = sum
		}
		return asMap, func() { asStruct(n) }
	})
}

// asStruct stores a struct under one key and reads its fields.
func asStruct(n int) {
	ctx := context.WithValue(context.Background(), emptyKey{}, record{n, n + 1, n + 2, n + 3, n + 4})
	got, _ := ctx.Value(emptyKey{}).(record)
	sink = got.user + got.tenant + got.role + got.locale + got.plan
}

// sink keeps the compiler from leaving out what is measured.
var sink int

// BenchmarkChain attaches as many values as there are layers one after the other, and looks up each of them.
func BenchmarkChain(b *testing.B) {
	perLayers(b, "values-to-struct", func(n int) (func(), func()) {
		chained := func() {
			ctx := context.Background()
			for i := range n {
				ctx = context.WithValue(ctx, layer(i), 1000+i)
			}
			sum := 0
			for i := range n {
				v, _ := ctx.Value(layer(i)).(int)
				sum += v
			}
			sink = sum
		}
		return chained, func() { asStruct(n) }
	})
}

// BenchmarkParameter hands a value to a function inside a context that has layers above it, or as a parameter.
func BenchmarkParameter(b *testing.B) {
	perLayers(b, "value-to-parameter", func(n int) (func(), func()) {
		u := &record{user: n}
		inside := func() { fromContext(over(context.WithValue(context.Background(), emptyKey{}, u), n)) }
		beside := func() { fromParameter(over(context.Background(), n), u) }
		return inside, beside
	})
}

//go:noinline
func fromContext(ctx context.Context) {
	u, _ := ctx.Value(emptyKey{}).(*record)
	sink = u.user
}

//go:noinline
func fromParameter(_ context.Context, u *record) { sink = u.user }

// perLayers measures two forms of one thing with one to five layers.
func perLayers(b *testing.B, name string, forms func(n int) (before, after func())) {
	for n := 1; n <= maxLayers; n++ {
		before, after := forms(n)
		for _, form := range []struct {
			state string
			run   func()
		}{{"before", before}, {"after", after}} {
			b.Run(fmt.Sprintf("%s/layers=%d/state=%s", name, n, form.state), func(b *testing.B) {
				b.ReportAllocs()
				begun := cpuTime()
				for b.Loop() {
					form.run()
				}
				b.ReportMetric(float64((cpuTime()-begun).Nanoseconds())/float64(b.N), "ns/op")
			})
		}
	}
}
