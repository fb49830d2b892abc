package forge

import "strings"

// And is the sum of two sums: red where one is, else pending where one is.
func (c Checks) And(other Checks) Checks {
	for _, worse := range []Checks{Red, Pending, Green} {
		if c == worse || other == worse {
			return worse
		}
	}
	return NoChecks
}

// Opinion is what a review says.
type Opinion int

// The opinions of reviews. A comment takes nothing back that its author said before.
const (
	Comments  Opinion = iota
	Approves          // merge it
	Objects           // not as it is
	Withdrawn         // what the author said before holds no longer
)

// Review is one review by one user.
type Review struct {
	User    string
	Opinion Opinion
}

// Judge sums up reviews, the oldest first: of each user only the latest opinion counts.
func Judge(reviews []Review) (approved, changesRequested bool) {
	latest := map[string]Opinion{}
	for _, r := range reviews {
		if r.Opinion != Comments {
			latest[r.User] = r.Opinion
		}
	}
	for _, opinion := range latest {
		approved = approved || opinion == Approves
		changesRequested = changesRequested || opinion == Objects
	}
	return approved && !changesRequested, changesRequested
}

// Team tells whether a reviewer is a team, and of which organisation: "team/NAME" is one of the repository's own owner,
// where organization is empty. A leading @, as CODEOWNERS has it, is allowed.
func Team(reviewer string) (organization, name string, ok bool) {
	organization, name, ok = strings.Cut(strings.TrimPrefix(reviewer, "@"), "/")
	if organization == "team" {
		organization = ""
	}
	return organization, name, ok && name != ""
}

// User is a reviewer or assignee without the leading @.
func User(name string) string { return strings.TrimPrefix(name, "@") }
