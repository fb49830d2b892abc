package builtinkey

import (
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

// stagedFindings reports a key that a migration in stages is about to leave behind: it waits for
// those who use it, or can go.
func stagedFindings(c *census.Census, f *census.Family) []*rules.Finding {
	if len(f.Keys) != 1 {
		return nil
	}
	k := f.Keys[0]
	sites := c.Staged(k)
	if len(sites) == 0 {
		return nil
	}
	fix := &rules.Fix{
		Title:         "remove the old key " + k.Name(),
		Applicability: applicability(f),
		Intent:        &rules.ContractKey{Key: k, Sites: sites},
	}
	list := keyFindings(k, fix)
	for _, f := range list {
		f.Message += "; the typed key beside it is to replace it"
		if f.Blocker != nil {
			f.Blocker = &rules.Blocker{
				Reason:  "staged",
				Message: "the old key waits: " + f.Blocker.Message,
				File:    f.Blocker.File, Pos: f.Blocker.Pos, Where: f.Blocker.Where,
			}
		}
	}
	return list
}
