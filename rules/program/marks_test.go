package program

import "testing"

func TestInterestOf(t *testing.T) {
	for _, test := range []struct {
		in   string
		want interest
	}{
		{`func f() { x() }`, noBodies},
		{`func f(v V) { v.Value() }`, noBodies},
		{`func f() { ctx.Value(key{}) }`, noBodies},
		{`func f() { ctx.Value(pkg.Key{}) }`, noBodies},
		{`func f() { context.WithValue(g(a, b), pkg.Key{}, x) }`, noBodies},
		{`func (b *T) WithValue(v string) *T { return b }`, noBodies},
		{`func f() { ctx.Value(struct{}{}) }`, allBodies},
		{"type key = struct{}\nfunc f() { ctx.Value(key{}) }", allBodies},
		{`func f() { ctx.Value("user") }`, someBodies},
		{`func f() { ctx.Value(userKey).(string) }`, someBodies},
		{`func f() { context.WithValue(ctx, pkg.UserKey, x) }`, someBodies},
		{"func f() { context.WithValue(\n\tctx,\n\tUserKey,\n\tx,\n) }", someBodies},
		{`func f(ctx context.Context, key string) { ctx.Value(key) }`, allBodies},
		{`func f(key, other string) { ctx.Value(key) }`, allBodies},
		{`func (c *C) f() { ctx.Value(c.key) }`, allBodies},
		{`func f() { for _, key := range keys { ctx.Value(key) } }`, allBodies},
		{`func f() { for key, v := range keys { context.WithValue(ctx, key, v) } }`, allBodies},
		{`func f() { key := g(); ctx.Value(key) }`, allBodies},
		{`func f() { c := g(); ctx.Value(c.Key) }`, allBodies},
		{`func f() { ctx.Value(keys[0]) }`, allBodies},
		{`func f() { ctx.Value(g()) }`, allBodies},
		{`func f() { ctx.Value(&k) }`, allBodies},
		{`func f() { context.WithValue(g("a, b"), k, 1) }`, someBodies},
		{`func f() { context.WithValue(g("a), b"), k, 1) }`, someBodies},
		{`func f() { log("userKey has a type"); ctx.Value(userKey) }`, someBodies},
		{"// f calls x.Value(k).\nfunc f() { /* ctx.Value(k()) */ }", noBodies},
		{`func (u UUID) Value() (driver.Value, error) { return driver.Value(u.String()), nil }`, noBodies},
		{`func f() { log(userKey, 1); ctx.Value(userKey) }`, someBodies},
		{`func f() { func(userKey string) { ctx.Value(userKey) }(x) }`, allBodies},
		{`func f() { var userKey string; ctx.Value(userKey) }`, allBodies},
		{`func f(x pkg.T) { ctx.Value(pkg.Key) }`, someBodies},
		{`func f(key ...string) { ctx.Value(key) }`, allBodies},
		{`func (l *Set) Value(k Key) (Value, bool) { return l.m[k], true }`, noBodies},
		{`func (c *Ctx) Value(key interface{}) interface{} { return nil }`, allBodies},
		{`func (c *Ctx) Value(key any) any { return nil }`, allBodies},
		{`func (n Null) Value() (driver.Value, error) { return nil, nil }`, noBodies},
		{`var f = func() any { return ctx.Value("user") }`, allBodies},
		{"func f() { r.Context().\n\t\tValue(\"user\") }", someBodies},
		{"func f() { context. // of the caller\n\t\tWithValue (ctx, userKey, 1) }", someBodies},
		{"func f() { context . /* c */ WithValue /* c */ (ctx, /* c */ key, 1) }\nfunc g(key any) { ctx.Value\t(key) }", allBodies},
		{"func (c *Ctx)\tValue (key  any) any { return nil }", allBodies},
		{`func f() { with := context.WithValue; with(ctx, k, 1) }`, allBodies},
		{`func f(v flag.Value) { v.Value, v.NumValue() = x.Value, y.NumValue() }`, noBodies},
		{"import . \"context\"\nfunc f() { WithValue(ctx, k, v) }", allBodies},
	} {
		if got := interestOf([]byte("package p\n\n" + test.in + "\n")); got != test.want {
			t.Errorf("%s: %d, want %d", test.in, got, test.want)
		}
	}
}
