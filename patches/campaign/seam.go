package campaign

import (
	"context"
	"errors"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// What a campaign needs of others, besides forge.Forge. Whoever starts a
// campaign hands them over; their methods may be called from several goroutines,
// for different directories.

// An Analyser says what ctxmend would change in a clone. It runs nothing that is
// written in the clone, and nothing it is given makes it write there.
type Analyser interface {
	// Analyse looks at every module of the clone in dir, as it is checked out. Then it plans each of the lists of units that want returns as if
	// it were the only one, verifies the results, and returns them in the order of the lists. What is read stays read in between, so that want, which
	// may be nil, should not take long. Units that do not exist, or cannot be done without others, are in Dropped of the answers.
	// A repository without Go code, or one that cannot be loaded, is an
	// [ErrUnfit]; limits that are exceeded are an [ErrTooLarge].
	Analyse(ctx context.Context, dir string, opts AnalysisOptions, want func(*Analysis) [][]string) (*Analysis, []*Patch, error)
}

// AnalysisOptions are what the flags of ctxmend fix are. The zero value is that of the flags. What is set
// here beats the .ctxmend.yaml of the repository, as flags do.
type AnalysisOptions struct {
	Rules     []string `json:"rules,omitempty"` // instead of the default ones
	SkipRules []string `json:"skip_rules,omitempty"`
	Level     string   `json:"level,omitempty"`     // safe or review
	KeyStyle  string   `json:"key_style,omitempty"` // auto, struct, string or enum
	Accessors string   `json:"accessors,omitempty"`
	API       string   `json:"api,omitempty"`
	Stage     string   `json:"stage,omitempty"`
	Tags      string   `json:"tags,omitempty"`
	Platforms []string `json:"platforms,omitempty"`
	NoConfig  bool     `json:"no_config,omitempty"` // leave the .ctxmend.yaml of the repository unread
}

// An Analysis is what a clone needs. Files are relative to its top, with
// slashes. All lists are sorted or in the order of the report, which is the same each time.
type Analysis struct {
	// Modules are the directories of the modules or workspaces that were looked at, "." for the top.
	Modules  []string  `json:"modules"`
	Findings []Finding `json:"findings"`
	// Units are all of them, whatever their level and status.
	Units []Unit `json:"units"`
	// Notes say what could not be read: packages with type errors, modules that do not load.
	Notes []string `json:"notes"`
	Cost  Cost     `json:"cost"`
}

// Cost is what an analysis took, together with the planning of what was wanted after it.
type Cost struct {
	CPU    time.Duration `json:"cpu"`
	Memory int64         `json:"memory"` // bytes, at most
}

// A Finding is one misuse at one place; its fields are those of ctxmend check --format json.
type Finding struct {
	Rule          string `json:"rule"`
	Message       string `json:"message"`
	File          string `json:"file"`
	Line          int    `json:"line"`
	Column        int    `json:"column"`
	Key           string `json:"key"`
	Applicability string `json:"applicability"`
	Status        string `json:"status"`
	Unit          string `json:"unit"`
	Blocker       string `json:"blocker"` // why it cannot be fixed, with the place
	Fingerprint   string `json:"fingerprint"`
}

// A Unit is the smallest set of edits that land together.
type Unit struct {
	// ID names the unit within the repository. Before it stands the directory
	// of the module and a colon where that is not the top: "tools:builtinkey-1".
	ID            string   `json:"id"`
	Rule          string   `json:"rule"`
	Title         string   `json:"title"`
	Applicability string   `json:"applicability"`
	Status        string   `json:"status"`
	Reasons       []string `json:"reasons"` // why it is right, and choices made: for people
	Check         string   `json:"check"`   // the check it has passed: "type-checked in 2 build configurations"
	Blocker       string   `json:"blocker"`
	Files         []string `json:"files"`    // all it edits or creates
	Findings      []string `json:"findings"` // what it mends, "file:line: rule: message"
	Hunks         []Hunk   `json:"hunks"`    // of the units of a Patch only
}

// A Hunk is one place that changes.
type Hunk struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // in the file as it was, from 1
	Before string `json:"before"` // whole lines; "" where lines are added
	After  string `json:"after"`
}

// A Patch is what some units change together, verified.
type Patch struct {
	Units   []Unit       `json:"units"`   // those it carries out, sorted as in the analysis
	Dropped []Unit       `json:"dropped"` // those asked for and not carried out, with Blocker
	Changes []FileChange `json:"changes"` // sorted by name
}

// A FileChange is a file with its bytes before and after; nil stands for a file
// that is not there.
type FileChange struct {
	Name   string `json:"name"`
	Before []byte `json:"before"`
	After  []byte `json:"after"`
}

// Git keeps clones of strangers' repositories, and lets nothing in them run or reach
// outside their directory. A clone belongs to one campaign; nobody else works in it.
type Git interface {
	// Clone makes dir a clone of remote, with the newest commit of the default branch
	// checked out and nothing else in it. Where dir is one already it is brought up to date;
	// what an interrupted Clone left is cleared away. A repository without commits is an [ErrEmpty].
	Clone(ctx context.Context, remote Remote, dir string) (Base, error)
	// Branch says what the remote has under a branch's name, now.
	Branch(ctx context.Context, remote Remote, dir string, name string) (Branch, error)
	// Commit makes a commit with one parent and returns its hash. The same Commit makes the same hash.
	// It moves no branch and touches no file that is checked out. A path that leaves
	// the clone, or goes through a symbolic link, is an error.
	Commit(ctx context.Context, dir string, commit Commit) (string, error)
	// Export writes the files of a commit, without a .git, into a directory that is empty or does not exist. There
	// commands of the repository may run: what they write never meets git again.
	Export(ctx context.Context, dir, commit, into string) error
	// Push makes the remote's branch name point to commit, if it still points to expected
	// ("": it does not exist); otherwise the error is [ErrLease] and nothing has changed.
	Push(ctx context.Context, remote Remote, dir, name, commit, expected string) error
	// Delete removes the remote's branch name under the same condition. That there is none is no error.
	Delete(ctx context.Context, remote Remote, dir, name, expected string) error
}

// A Remote is where a repository lies.
type Remote struct {
	URL string // https, http, or for a local one an absolute directory
	// Local permits a directory of this machine: git's file protocol.
	Local bool
	// Access authenticates; zero where nothing is asked.
	Access forge.Access
	// MaxBytes bounds what a clone may take on disk; 0 for the default.
	MaxBytes int64
}

// Base is what changes are made on.
type Base struct {
	Branch string // the default branch, as the remote tells
	Commit string
}

// A Branch is a branch of the remote.
type Branch struct {
	Commit string // its tip; "" when there is no such branch
	// Commits are those that the default branch does not contain, the newest first, at most 50.
	Commits []CommitInfo
}

// CommitInfo tells who made a commit.
type CommitInfo struct {
	Hash           string
	CommitterName  string
	CommitterEmail string
	Message        string
}

// A Commit is one to be made.
type Commit struct {
	Parent  string
	Changes []FileChange
	Message string
	Name    string // author and committer
	Email   string
	When    time.Time
}

// A Sandbox runs commands of strangers' repositories where they can do no harm. A nil
// Sandbox, for a campaign, means that there is none and none may be done without.
type Sandbox interface {
	// Run runs a command in dir and returns when it has ended. That it failed, or was ended
	// because of a limit, is told by the result; an error means that it could not be run.
	Run(ctx context.Context, cmd SandboxCommand) (SandboxResult, error)
}

// A SandboxCommand is a command to run. Limits of 0 are the sandbox's own.
type SandboxCommand struct {
	Dir     string // what Git.Export wrote; the only place that can be written, along with a temporary one
	In      string // the directory within Dir that it starts in, with slashes; "" for Dir itself
	Args    []string
	Network bool
	// Cache is a directory for what the go command builds, which commands of one repository may share; "" for one that goes with
	// the command.
	Cache  string
	Time   time.Duration
	Memory int64
	Disk   int64
	Procs  int
}

// A SandboxResult says how a command ended.
type SandboxResult struct {
	OK     bool
	Output string // the end of what it printed, both streams
	Reason string // why it is not OK, in a line: "exit status 1", "took longer than 10m0s"
}

// What may be wrong with a repository. They are final for the repository until its default branch moves:
// it is skipped, with the text of the error as the reason. Whatever else goes wrong is tried again.
var (
	// ErrEmpty: it has no commit.
	ErrEmpty = errors.New("the repository is empty")
	// ErrUnfit: there is nothing in it that could be analysed.
	ErrUnfit = errors.New("nothing to analyse")
	// ErrTooLarge: cloning or analysing it exceeds a limit.
	ErrTooLarge = errors.New("too large")
	// ErrHostile: something in it tries to reach out of the clone.
	ErrHostile = errors.New("not cloned: unsafe content")
	// ErrNoAccess: the remote does not let us in, or says that it does not exist.
	ErrNoAccess = errors.New("no access")
	// ErrRefused: the remote does not take the branch, by a rule of its own, such as one that protects branches.
	ErrRefused = errors.New("the remote refuses the branch")
	// ErrLease: a branch is not where it was last seen. Not final: it is looked at again.
	ErrLease = errors.New("the branch has moved")
)
