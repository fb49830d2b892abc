package oracle

import (
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/detachedgo"
	"github.com/ctxmend/ctxmend/rules/hiddenparam"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// flowKind are the programs about the flow of contexts.
var flowKind kind

func init() {
	keyKind.generate = generate
	flowKind = kind{generate: generateFlow, setup: (*trial).setupFlow, review: true, findings: (*trial).flowFindings, compare: (*trial).compareFlow}
}

// setupFlow chooses the options about the flow of contexts.
func (t *trial) setupFlow(r rnd) {
	t.opts.Rules = append([]*rules.Rule{hiddenparam.Rule}, suite.All[slices.Index(suite.All, detachedgo.Rule):]...)
	t.opts.API = pickWeighted(r, []weighted[string]{{2, "preserve"}, {1, "break"}})
	t.opts.Goroutines = pickWeighted(r, []weighted[string]{{2, "auto"}, {1, "inherit"}, {1, "detach"}})
}

// flowFindings notes what the findings announce.
func (t *trial) flowFindings(findings []*rules.Finding) { t.mending = t.announcedBy(findings) }
