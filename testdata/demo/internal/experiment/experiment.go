// Package experiment decides which users see unfinished features.
package experiment

import (
	"context"
	"fmt"
	"hash/fnv"
)

// Assign puts the user into or out of every experiment of the configuration.
func Assign(ctx context.Context, experiments []int, user string) context.Context {
	for _, id := range experiments {
		h := fnv.New32a()
		fmt.Fprintf(h, "%d %s", id, user)
		ctx = context.WithValue(ctx, id, h.Sum32()%2 == 0)
	}
	return ctx
}

// Active reports whether the user in ctx takes part in the experiment.
func Active(ctx context.Context, id int) bool {
	on, _ := ctx.Value(id).(bool)
	return on
}
