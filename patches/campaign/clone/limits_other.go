//go:build !unix

package clone

import (
	"context"
	"os/exec"
)

// limited is a command; the size of the clone is all that is watched here.
func limited(ctx context.Context, program string, args []string, _ int64, _ bool) (*exec.Cmd, func(), error) {
	return exec.CommandContext(ctx, program, args...), func() {}, nil
}

// runLocked runs a command.
func runLocked(cmd *exec.Cmd) error { return cmd.Run() }
