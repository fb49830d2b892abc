// Package checkout takes payments.
package checkout

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"example.com/shop/checkout/trace"
)

// Pay pays for an order within a minute.
func Pay(ctx context.Context, id int) error {
	ctx, _ = context.WithTimeout(trace.With(ctx, id), time.Minute)
	return print(ctx)
}

// print prints the bill of the order that a context is about.
func print(ctx context.Context) error {
	order, ok := ctx.Value("order").(int)
	if !ok {
		return fmt.Errorf("no order")
	}
	return exec.Command("lp", fmt.Sprint(order)).Run()
}
