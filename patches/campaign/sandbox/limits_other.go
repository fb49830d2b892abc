//go:build !linux

package sandbox

import (
	"context"
	"os/exec"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// limited is a command; there is no bubblewrap here, and time and disk are all that is watched.
func limited(ctx context.Context, args []string, _ campaign.SandboxCommand) *exec.Cmd {
	return exec.CommandContext(ctx, args[0], args[1:]...)
}

// runLocked runs a command.
func runLocked(cmd *exec.Cmd, started func()) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	started()
	return cmd.Wait()
}

// below is not known here.
func below(int) (count int, memory int64) { return 0, 0 }
