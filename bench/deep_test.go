package bench

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
)

// BenchmarkLongFunction runs everything over one long function: generated registries and tables look like that. What is quadratic in
// the length of a function does not show in modules of any size.
func BenchmarkLongFunction(b *testing.B) {
	for _, kind := range []struct {
		name string
		text func(n int) string
	}{{"goroutines", manyGoroutines}, {"keys", manyKeys}, {"calls", manyCalls}} {
		for _, n := range []int{250, 500, 1_000, 2_000} {
			b.Run(fmt.Sprintf("%s=%d", kind.name, n), func(b *testing.B) {
				m := newModule(b)
				m.write("long.go", kind.text(n))
				opts := options(m.dir)
				opts.Level = rules.Review
				begun := cpuTime()
				for b.Loop() {
					if _, err := rewrite.Run(context.Background(), opts); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric((cpuTime()-begun).Seconds()/float64(b.N), "cpu-s")
			})
		}
	}
}

// manyGoroutines starts goroutines from nothing, each of which is waited for.
func manyGoroutines(n int) string {
	var b strings.Builder
	b.WriteString("package long\n\nimport (\n\t\"context\"\n\t\"sync\"\n)\n\nfunc work(ctx context.Context, n int) error { return ctx.Err() }\n\n" +
		"func Start(ctx context.Context) {\n\tvar wg sync.WaitGroup\n")
	for i := range n {
		fmt.Fprintf(&b, "\twg.Add(1)\n\tgo func() {\n\t\tdefer wg.Done()\n\t\t_ = work(context.Background(), %d)\n\t}()\n", i)
	}
	b.WriteString("\twg.Wait()\n}\n")
	return b.String()
}

// manyKeys stores values in a row, which another function reads.
func manyKeys(n int) string {
	var b, reads strings.Builder
	b.WriteString("package long\n\nimport \"context\"\n\nfunc with(ctx context.Context, n int) context.Context {\n")
	for i := range n {
		fmt.Fprintf(&b, "\tctx = context.WithValue(ctx, \"key%d\", n+%d)\n", i, i)
		fmt.Fprintf(&reads, "\tv%d, _ := ctx.Value(\"key%d\").(int)\n\tsum += v%d\n", i, i, i)
	}
	b.WriteString("\treturn ctx\n}\n\nfunc sum(ctx context.Context) (sum int) {\n" + reads.String() + "\treturn sum\n}\n\nfunc Use(ctx context.Context) int { return sum(with(ctx, 1)) }\n")
	return b.String()
}

// manyCalls hands a fresh context to call after call.
func manyCalls(n int) string {
	var b strings.Builder
	b.WriteString("package long\n\nimport \"context\"\n\nfunc work(ctx context.Context, n int) error { return ctx.Err() }\n\nfunc Run(ctx context.Context) {\n")
	for i := range n {
		fmt.Fprintf(&b, "\tif err := work(context.Background(), %d); err != nil {\n\t\treturn\n\t}\n", i)
	}
	b.WriteString("}\n")
	return b.String()
}
