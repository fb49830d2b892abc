// Package analysis has clones of strangers' repositories analysed by a child process: this same program again, started as
// "ctxmend campaign-analyse", with an environment made from nothing and bounds of time and memory. What reads the clone is
// then a process that knows no token, finds no compiler, and may come to grief without taking a campaign with it.
//
// Child and parent talk in JSON documents. The child is asked by a [Request] on its standard input, which stays open for as long as somebody
// listens, and says on its standard output what there is to do. Then it is told by a [Plan] which units are to be planned together, and says what
// comes of them: it has read the clone once for both.
package analysis

import "github.com/ctxmend/ctxmend/patches/campaign"

// Command is the name of the child's command.
const Command = "campaign-analyse"

// A Request is what the child is asked first.
type Request struct {
	// Dir is the absolute directory of the clone.
	Dir     string                   `json:"dir"`
	Options campaign.AnalysisOptions `json:"options"`
	// Memory bounds the private memory of the child, and of each program that it starts, in bytes.
	Memory int64 `json:"memory"`
	// Jobs is how many packages are worked on at a time; 0 means as many as there are processors.
	Jobs int `json:"jobs"`
}

// A Plan is what the child is told next.
type Plan struct {
	// Shards are the units to plan, each list alone.
	Shards [][]string `json:"shards"`
}

// An Answer is what the child says; exactly one field is set.
type Answer struct {
	Analysis *campaign.Analysis `json:"analysis,omitempty"`
	// Patches answer Plan.Shards, one each.
	Patches []*campaign.Patch `json:"patches,omitempty"`
	Fault   *Fault            `json:"fault,omitempty"`
}

// A Fault is why there is no result.
type Fault struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
}

// A Kind tells what is to be made of a fault.
type Kind string

// The kinds of faults.
const (
	Unfit   Kind = "unfit"   // campaign.ErrUnfit
	Hostile Kind = "hostile" // campaign.ErrHostile
	Failed  Kind = "failed"  // worth another try
)
