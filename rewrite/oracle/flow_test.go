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
	flowKind = kind{programs: 30, generate: generateFlow, setup: (*trial).setupFlow, review: true, findings: (*trial).flowFindings, compare: (*trial).compareFlow}
}

// setupFlow chooses the options about the flow of contexts.
func (t *trial) setupFlow(r rnd) {
	t.opts.Rules = append([]*rules.Rule{hiddenparam.Rule}, suite.All[slices.Index(suite.All, detachedgo.Rule):]...)
	t.opts.API = pickWeighted(r, []weighted[string]{{2, "preserve"}, {1, "break"}})
	t.opts.Goroutines = pickWeighted(r, []weighted[string]{{2, "auto"}, {1, "inherit"}, {1, "detach"}})
}

// flowFindings notes what the findings announce.
func (t *trial) flowFindings(findings []*rules.Finding) { t.mending = t.announcedBy(findings) }

// countPlaces counts what becomes of the places where contexts are lost.
func (o *oracle) countPlaces(tr *trial) {
	if tr.prog.flow == nil {
		return
	}
	blocked := map[string]bool{}
	for _, c := range tr.counted {
		blocked[c.place] = c.finding.Status == rules.Blocked
	}
	for _, id := range tr.prog.flow.born {
		switch {
		case tr.mending[id] != "" && tr.mending[id] != along:
			o.places.review++
		case blocked[id]:
			o.places.blocked++
		default:
			o.unnoticed++
			if *flagReason == "unnoticed" {
				o.Logf("seed %d: nothing is found at %s", tr.prog.seed, id)
			}
		}
	}
}
