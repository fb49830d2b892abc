// Package campaign carries the fixes of ctxmend to many repositories, as pull requests.
//
// It knows what a campaign is and decides everything about it: which repositories, what goes into one pull request, when
// it may be opened, what it says. It does nothing by itself: git, a forge, the analysis and a sandbox are handed to an
// [Engine], and its steps are called by package queue, which stores what they find.
//
// # Repositories
//
//	new ──clone──> cloned ──analyse──> analysed ──clone, default branch has moved──> cloned
//	 └────────┬───────┘
//	          └──> skipped (archived, empty, a fork, no permission, nothing to analyse, too large, hostile)
//	               failed  (tried four times in vain)
//
// Each plan, run and sync begins with the clone step of every repository, so skipped and failed ones are looked at again then.
//
// # Changes
//
// A change is what becomes one pull request. Its shard names it for ever, and so names its branch.
//
//	planned ──verify──> verified ──Gate──> admitted ──push──> pushed ──open──> open ──follow──> merged, closed
//	   │                                      │                                  │
//	   └──> red (a command fails)             ├──> merged, closed (people       └──analyse, base has moved──> planned,
//	                                          │    have answered already)            keeping its place: it is verified
//	                                          └──> foreign (others' commits)         and pushed again, by lease
//
// obsolete is a change that the default branch no longer calls for before anybody saw it, failed one that a step was tried for in vain,
// and withdrawn one that campaign close took back. What comes later of a group (its rule, owner, directory, or all) of which a
// pull request was closed is not proposed. Merged, closed, foreign, obsolete and withdrawn are final: nothing is pushed
// or opened for them any more.
//
// # Steps
//
// Every step looks before it acts, so that doing it again does nothing more:
//
//   - clone asks the forge whether the repository may be worked on, brings a clone to the newest commit of its default branch,
//     and ends there if that was analysed with the same settings.
//   - analyse finds the units, parts them into shards, and has each shard planned and type-checked alone on the base. An open pull
//     request is planned again only if its patch has become another one.
//   - verify makes the commit, which is the same each time: its date is that of the plan. What the campaign asks for runs on an
//     export of it in the sandbox; where it fails it runs without the change as well, to tell whose fault it is.
//   - [Gate] admits. It is a function of what is stored, the settings and the time: the one place for windows, limits and canaries.
//     An admitted change counts as open, so that a crash before it is open does not let one too many through.
//   - push looks for pull requests of the branch in any state (closed means no), then at the branch: it acts only on one that
//     does not exist, that is where we left it, or that holds nothing but a single commit signed by this campaign. It pushes with a
//     lease on what it saw.
//   - open looks for an open pull request, and updates it or opens one. Where a forge says that there is one
//     already, the next try finds it.
//   - follow stores what people and their checks say, every ten minutes while a process works.
//   - withdraw closes and deletes, under the same condition as push.
//
// A process may be killed between any two words of a step. The step is then done again from what was stored before it; the
// commit has the same hash, the branch is found to be there, and so is the pull request. With the database lost, branches and
// pull requests are still found by their names.
package campaign
